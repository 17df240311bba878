"""The front door: a path comes in, a picture, a mask or a study goes out.

Each format is a row of `DOORS`. To read another one, write its file in this folder and add its row.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadDataset, BadInput, BadPixels, Unreadable
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.study import Picture, Study
from osler.core.volume import Volume
from osler.io import arrays, itk, nifti, raster
from osler.io.dicom import find, stack
from osler.io.glance import Glance


@dataclass(frozen=True, slots=True)
class Door:
    """How one format is read.

    name    what a person calls it
    suffixes  lower case, with the dot
    read    (path, item) -> picture
    glance  (path, item) -> header
    labels  (path, item) -> label numbers, where a mask is stored otherwise than a picture
    items   path -> the items that together are the whole file
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Path, str], Picture]
    glance: Callable[[Path, str], Glance]
    labels: Callable[[Path, str], Array] | None = None
    items: Callable[[Path], tuple[str, ...]] | None = None


DICOM = Door("DICOM", (".dcm", ".dicom", ".ima"), stack.read_file, stack.glance)
DOORS = (
    Door("NIfTI", nifti.SUFFIXES, nifti.read_volume, nifti.glance, items=nifti.items),
    Door("NRRD or MetaImage", itk.SUFFIXES, itk.read_picture, itk.glance),
    Door("PNG, JPEG, TIFF or BMP", raster.SUFFIXES, raster.read_image, raster.glance, raster.read_labels),
    Door("NumPy", arrays.SUFFIXES, arrays.read_picture, arrays.glance),
    DICOM,
)
PICTURE_SUFFIXES = tuple(suffix for door in DOORS for suffix in door.suffixes)


def is_picture(path: Path) -> bool:
    """May `path` be a picture? By its suffix; a file of any other name by the first bytes of DICOM.

    Hidden files, folders and DICOMDIR are none; neither is the .img beside a .hdr, which is one picture already.
    """
    if path.name.startswith(".") or path.name.upper() == "DICOMDIR" or not path.is_file():
        return False
    if path.suffix.lower() == ".img" and path.with_suffix(".hdr").exists():
        return False
    return _by_suffix(path) is not None or find.is_dicom(path)


def is_series(folder: Path) -> bool:
    """Does `folder` hold DICOM files itself, so that it can be opened as one picture?"""
    return folder.is_dir() and any(find.is_dicom(path) for path in sorted(folder.iterdir()) if path.is_file())


def open_picture(path: Path, item: str = "") -> Picture:
    """Read one image or volume.

    path  a file, or a folder with one DICOM series
    item  which part of a file that holds many: "channel:2" (4-D NIfTI), "page:0" (TIFF), "train_images:12" (npz),
          "series:UID" (folder of several DICOM series)

    Raises Unreadable for a broken, missing or unknown file, BadPixels for NaN, infinity or emptiness,
    BadGeometry for grids that cannot be, AskedWrongly where an item is needed or does not exist.
    """
    path = Path(path)
    picture = stack.read_folder(path, item) if path.is_dir() else _door(path).read(path, item)
    _check_numbers(picture.array, path, item)
    return picture


def open_mask(path: Path, item: str = "", *, labels: Mapping[int, str] | None = None) -> Mask:
    """Read label numbers.

    labels  what each number means, 0 left out; without it every number found is named after itself

    Raises BadPixels for fractions and negative numbers, BadDataset for a number that `labels` does not know,
    and what `open_picture` raises.
    """
    path = Path(path)
    door = None if path.is_dir() else _door(path)
    if door is not None and door.labels is not None:
        picture: Picture = Image(door.labels(path, item))
    else:
        picture = open_picture(path, item)
    numbers = _whole_numbers(picture.array, path, item)
    found = _values(numbers)
    if labels is None:
        labels = {value: str(value) for value in found if value}
    unknown = [value for value in found if value and value not in labels]
    if unknown:
        raise BadDataset(
            f"{_name(path, item)} holds the label {', '.join(map(str, unknown[:5]))}, which has no name.",
            remedy=f"Name it in the table of labels, or repair the mask; known are {_listed(labels)}.",
        )
    if isinstance(picture, Volume):
        return Mask(numbers, dict(labels), geometry=picture.geometry)
    return Mask(numbers, dict(labels), spacing_mm=picture.spacing_mm)


def open_study(path: Path) -> Study:
    """Read everything of one examination: a file, or a folder with everything below it.

    DICOM comes first, in the order of series numbers, then other files by name. What cannot be read is told in
    `problems`; only when nothing can be read is that an error.

    Raises Unreadable when there is no picture, BadInput when a folder holds images of several patients.
    """
    path = Path(path)
    if not path.exists():
        raise Unreadable(f"{path.name} is missing.", remedy="Check the path.")
    files = sorted(filter(is_picture, _walk(path))) if path.is_dir() else [path]
    dicom = [file for file in files if _by_suffix(file) in (None, DICOM) and find.is_dicom(file)]
    others = [file for file in files if file not in set(dicom)]
    series, problems = find.find_series(dicom)
    find.refuse_several_patients(series)
    jobs = [partial(stack.read_series, one) for one in series] + [partial(_whole_file, file) for file in others]
    pictures: list[Picture] = []
    failures: list[BadInput] = []
    for job in jobs:
        try:
            pictures += job()
        except BadInput as error:
            failures.append(error)
            problems.append(error.problem)
    if not pictures:
        if len(failures) == 1:
            raise failures[0]
        raise Unreadable(
            f"{path.name} holds no picture that can be read. {' '.join(problems[:3])}".rstrip(),
            remedy=f"Give DICOM, or files ending in {', '.join(PICTURE_SUFFIXES)}.",
        )
    studies = list(dict.fromkeys(picture.study_uid for picture in pictures if picture.study_uid))
    if len(studies) > 1:
        problems.append(f"The folder holds {len(studies)} studies of one patient; they are read as one.")
    uid = studies[0] if studies else ""
    return Study(tuple(pictures), pictures[0].facts, uid, path.resolve().name, tuple(problems))


def glance(path: Path, item: str = "") -> Glance:
    """Shape, spacing, channels, type and modality, from the header alone.

    A file that holds several volumes tells their number in `channels`. Raises as `open_picture` does for headers.
    """
    path = Path(path)
    return stack.glance_folder(path, item) if path.is_dir() else _door(path).glance(path, item)


def _whole_file(path: Path) -> list[Picture]:
    items = _door(path).items
    return [open_picture(path, item) for item in (items(path) if items else ("",))]


def _walk(folder: Path) -> list[Path]:
    """Every file below, without hidden folders and without following links to folders."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(place) / name for name in names]
    return found


def _by_suffix(path: Path) -> Door | None:
    name = path.name.lower()
    for door in DOORS:
        if name.endswith(door.suffixes):
            return door
    return None


def _door(path: Path) -> Door:
    if not path.exists():
        raise Unreadable(f"{path.name} is missing.", remedy="Check the path.")
    # Archives name DICOM files by UID or as they please, so the bytes decide before the suffix is unknown.
    door = _by_suffix(path) or (DICOM if find.is_dicom(path) else None)
    if door is None:
        raise Unreadable(
            f"{path.name} is of no kind that is known.",
            remedy=f"Give DICOM, or a file ending in {', '.join(PICTURE_SUFFIXES)}.",
        )
    return door


def _name(path: Path, item: str) -> str:
    return f"{path.name}[{item}]" if item else path.name


def _check_numbers(array: Array, path: Path, item: str) -> None:
    name = _name(path, item)
    if array.size == 0:
        raise BadPixels(f"{name} holds no pixels.", remedy="Export it again.")
    if array.dtype.kind not in "biuf":
        raise BadPixels(f"{name} holds {array.dtype}, not numbers.", remedy="Save whole or decimal numbers.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = int(array.size - np.isfinite(array).sum())
        raise BadPixels(
            f"{name} holds NaN or infinity in {bad} of {array.size} places.",
            remedy="Find out what they stand for and replace them by numbers.",
        )


def _whole_numbers(array: Array, path: Path, item: str) -> Array:
    """The same as the smallest unsigned type that holds them."""
    name = _name(path, item)
    _check_numbers(array, path, item)
    if array.dtype.kind == "f":
        rounded = np.rint(array)
        if np.abs(array - rounded).max() > 1e-3:  # a header's slope leaves rounding behind
            raise BadPixels(
                f"{name} is no mask: it holds fractions.",
                remedy="Give label numbers; resample masks to the nearest voxel, not linearly.",
            )
        array = rounded
    low, high = array.min(), array.max()
    if low < 0:
        raise BadPixels(
            f"{name} is no mask: it holds the negative number {low:g}.", remedy="Give label numbers, 0 outside."
        )
    if high > np.iinfo(np.int32).max:
        raise BadPixels(f"{name} is no mask: it holds {high:g}.", remedy="Give small label numbers, 0 outside.")
    kind = np.uint8 if high < 256 else np.uint16 if high < 65536 else np.int32
    return array.astype(kind, copy=False)


def _values(numbers: Array) -> list[int]:
    if numbers.dtype.itemsize > 2:
        return [int(value) for value in np.unique(numbers)]
    return [int(value) for value in np.flatnonzero(np.bincount(numbers.ravel()))]  # far faster than sorting


def _listed(labels: Mapping[int, str]) -> str:
    return ", ".join(f"{value} ({name})" for value, name in sorted(labels.items())) or "none"

"""The front door: a path comes in, a picture, a mask or a study goes out.

Each format is a row of `DOORS`. To read another one, write its file in this folder and add its row.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, BadDataset, BadInput, BadPixels, Unreadable
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.progress import Tell, silent
from osler.core.study import Picture, Study
from osler.core.volume import Volume
from osler.io import arrays, itk, nifti, raster
from osler.io.dicom import find, media, stack
from osler.io.dicom.kinds import DOSE, LABEL_MAP, PARAMETRIC_MAP, SEGMENTATION, STRUCTURES, WHOLE_SLIDE
from osler.io.dicom.parse import text
from osler.io.dicom.scan import scan_header
from osler.io.glance import Glance
from osler.io.labels import read_label_names


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
# Whole slides have a door of their own (`wholeslide.py`): they are read region by region.
_SLIDES = (".svs", ".ndpi", ".scn", ".mrxs", ".vms", ".vmu", ".bif", ".svslide")
_PYRAMIDS = (".tif", ".tiff")
_SLIDE_PIXELS = 100_000_000  # a TIFF in tiles that is smaller is a picture like any other
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

    path  a file, or a folder with one DICOM series; a radiotherapy dose and a parametric map are volumes too
    item  which part of a file that holds many: "channel:2" (4-D NIfTI), "page:0" (TIFF), "train_images:12" (npz),
          "series:UID" (folder of several DICOM series)

    Raises Unreadable for a broken, missing or unknown file, BadPixels for NaN, infinity or emptiness,
    BadGeometry for grids that cannot be, AskedWrongly where an item is needed or does not exist, and for whole
    slides and archives, which hold more than one picture.
    """
    path = Path(path)
    picture = stack.read_folder(path, item) if path.is_dir() else _read_file(path, item)
    _check_numbers(picture.array, path, item)
    return picture


def open_mask(
    path: Path, item: str = "", *, labels: Mapping[int, str] | None = None, grid: Geometry | None = None
) -> Mask:
    """Read label numbers: a picture of them, a DICOM segmentation or radiotherapy structures.

    item    as in `open_picture`
    labels  what each number means, 0 left out; without it a number is named as the file beside it says
            ("mask.labels.json"), as a DICOM object names it, or else after itself
    grid    where the mask is wanted: for outlines and segments of DICOM, which may lie on another grid; None takes
            the grid of the images that they were drawn on

    Raises BadPixels for fractions and negative numbers, BadDataset for a number that `labels` does not know,
    and what `open_picture` raises.
    """
    path = Path(path)
    drawn = _drawn_mask(path, item, grid)
    if drawn is not None:
        if labels is None:
            return drawn
        _check_known(_values(drawn.array), labels, path, item)
        return replace(drawn, labels=dict(labels))
    door = None if path.is_dir() else _door(path)
    if door is not None and door.labels is not None:
        picture: Picture = Image(door.labels(path, item))
    else:
        picture = open_picture(path, item)
    numbers = _whole_numbers(picture.array, path, item)
    found = _values(numbers)
    if labels is None:
        labels = read_label_names(path) or {value: str(value) for value in found if value}
    _check_known(found, labels, path, item)
    if isinstance(picture, Volume):
        return Mask(numbers, dict(labels), geometry=picture.geometry)
    return Mask(numbers, dict(labels), spacing_mm=picture.spacing_mm)


def open_study(path: Path, *, tell: Tell = silent) -> Study:
    """Read everything of one examination: a file, a folder with everything below it, a zip, or a DICOMDIR.

    tell  hears how far the headers of many files are read

    DICOM comes first, in the order of series numbers, then other files by name. What cannot be read is told in
    `problems`; only when nothing can be read is that an error. A zip is unpacked to a temporary folder that goes
    when the process ends.

    Raises Unreadable when there is no picture, BadInput when a folder holds images of several patients, NoRoom
    when a zip does not fit on the disk.
    """
    path = Path(path)
    files, told = files_of(path, tell)
    problems = list(told)
    dicom, others = part_dicom(files)
    series, left_out = find.find_series(dicom, tell)
    problems += left_out
    find.refuse_several_patients(series)
    jobs = [partial(stack.read_series, one) for one in series] + [partial(_whole_file, file) for file in others]
    pictures: list[Picture] = []
    failures: list[BadInput | AskedWrongly] = []
    for job in jobs:
        try:
            pictures += job()
        except (BadInput, AskedWrongly) as error:  # the latter is a slide or a film: more than one picture
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
    return Study(
        tuple(pictures),
        pictures[0].facts,
        uid,
        path.resolve().name,
        tuple(problems),
        taken=find.taken_on(series),
        patient=find.digest_of_patient(series),
    )


def files_of(path: Path, tell: Tell = silent) -> tuple[list[Path], list[str]]:
    """The files that may be pictures, or speak of them, of a folder, a zip, a DICOMDIR or a file; and what was
    refused or is missing, a sentence each.

    Raises Unreadable when `path` is missing, or a zip or DICOMDIR that is broken or cannot be trusted; NoRoom.
    """
    if not path.exists():
        raise Unreadable(f"{path.name} is missing.", remedy="Check the path.")
    if path.is_dir():
        return _files_in(path)
    if media.is_zip(path):
        folder, refused = media.unpack(path, tell)
        files, problems = _files_in(folder)
        return files, [*refused, *problems]
    if media.is_directory_file(path):
        listed = media.referenced_files(path)
        return list(listed.files), list(listed.problems)
    return [path], []


def part_dicom(files: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """(DICOM, everything else): the bytes decide where the suffix does not name another format."""
    dicom = [file for file in files if _by_suffix(file) in (None, DICOM) and find.is_dicom(file)]
    there = set(dicom)
    return dicom, [file for file in files if file not in there]


def glance(path: Path, item: str = "") -> Glance:
    """Shape, spacing, channels, type and modality, from the header alone.

    A file that holds several volumes tells their number in `channels`. Raises as `open_picture` does for headers.
    """
    path = Path(path)
    return stack.glance_folder(path, item) if path.is_dir() else _door(path).glance(path, item)


def _read_file(path: Path, item: str) -> Picture:
    """One file through its door. Raises AskedWrongly for what holds more than one picture."""
    _refuse_many(path)
    door = _door(path)
    if door is DICOM:
        kind = text(scan_header(path), "SOPClassUID")
        if kind == DOSE:
            from osler.io.dicom.dose import read_dose

            return read_dose(path)
        if kind == PARAMETRIC_MAP:
            from osler.io.dicom.parametric import read_parametric_map

            return read_parametric_map(path, item)
        if kind == WHOLE_SLIDE:
            raise _slide(path)
    elif path.suffix.lower() in _PYRAMIDS and not item:
        rows, columns = door.glance(path, item).shape[-2:]
        if rows * columns > _SLIDE_PIXELS:
            from osler.io.wholeslide import is_slide

            if is_slide(path):
                raise _slide(path)
    return door.read(path, item)


def _refuse_many(path: Path) -> None:
    """Raises AskedWrongly for a file that is a folder in disguise, or a whole slide."""
    if path.is_file() and (media.is_directory_file(path) or media.is_zip(path)):
        raise AskedWrongly(f"{path.name} holds many files.", remedy="Open it as a study.")
    if is_slide_name(path):
        raise _slide(path)


def _slide(path: Path) -> AskedWrongly:
    return AskedWrongly(
        f"{path.name} is a whole slide, which is never read whole.",
        remedy="Open it as a slide, and read regions of it (osler.io.wholeslide).",
    )


def _drawn_mask(path: Path, item: str, grid: Geometry | None) -> Mask | None:
    """The mask of a DICOM object that holds segments or outlines; None for everything else."""
    if path.is_dir() or _by_suffix(path) not in (None, DICOM) or not find.is_dicom(path):
        return None
    kind = text(scan_header(path), "SOPClassUID")
    if kind in (SEGMENTATION, LABEL_MAP):
        from osler.io.dicom import segmentation

        return segmentation.read_mask(path, item, grid)
    if kind == STRUCTURES:
        from osler.io.dicom import structures

        return structures.read_mask(path, item, grid)
    return None


def _check_known(found: Sequence[int], labels: Mapping[int, str], path: Path, item: str) -> None:
    """Raises BadDataset for numbers that `labels` does not name."""
    unknown = [value for value in found if value and value not in labels]
    if unknown:
        raise BadDataset(
            f"{_name(path, item)} holds the label {', '.join(map(str, unknown[:5]))}, which has no name.",
            remedy=f"Name it in the table of labels, or repair the mask; known are {_listed(labels)}.",
        )


def _files_in(folder: Path) -> tuple[list[Path], list[str]]:
    """The files below that may be pictures; zips among them, and what a DICOMDIR lists in vain, are told."""
    walked = _walk(folder)
    packed = sum(path.suffix.lower() == ".zip" for path in walked)
    problems = []
    if packed:
        problems.append(
            f"{packed} {'file is a zip' if packed == 1 else 'files are zips'} and "
            f"{'was' if packed == 1 else 'were'} left packed; open {'it by itself' if packed == 1 else 'each'}."
        )
    directory = media.directory_in(folder)
    if directory is not None:
        try:
            problems += media.referenced_files(directory).problems
        except Unreadable as error:  # the files themselves are here, whatever their list is worth
            problems.append(error.problem)
    return sorted(path for path in walked if is_picture(path) or is_slide_name(path)), problems


def is_slide_name(path: Path) -> bool:
    """Is it a file whose suffix only scanners of whole slides give?"""
    return path.suffix.lower() in _SLIDES and not path.name.startswith(".") and path.is_file()


def items_of(path: Path) -> tuple[str, ...]:
    """The items that together are the whole of a file; ("",) for a file with one picture. Raises Unreadable, and
    AskedWrongly for archives and whole slides."""
    _refuse_many(path)
    items = _door(path).items
    return items(path) if items else ("",)


def name_of_format(path: Path) -> str:
    """What a person calls the format of a file. Raises Unreadable for an unknown one."""
    return _door(path).name


def _whole_file(path: Path) -> list[Picture]:
    return [open_picture(path, item) for item in items_of(path)]


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
    if not path.is_file():
        raise Unreadable(f"{path.name} is no file: a pipe or a device.", remedy="Give a file or a folder.")
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

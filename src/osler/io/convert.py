"""Any picture or mask that can be read, written as any kind of file that can hold it, with an honest account.

What was kept is not promised but measured: every file is read back before it takes its place.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, BadGeometry, BadInput, BadPixels, OslerError, Unreadable
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.study import Picture
from osler.core.volume import Volume
from osler.imaging.resample import resample_to
from osler.io import itk, nifti
from osler.io.dicom.dose import RTDOSE, read_dose
from osler.io.dicom.parametric import PARAMETRIC_MAP, read_parametric_map
from osler.io.dicom.parse import is_dicom, kind_of, read_header, text
from osler.io.dicom.segmentation import LABEL_MAP, SEGMENTATION, read_segmentation
from osler.io.dicom.series import write_volume_series
from osler.io.dicom.structures import RTSTRUCT
from osler.io.dicom.structures import read_mask as read_structures_mask
from osler.io.files import read_json, replacing
from osler.io.labels import labels_file, read_label_names, write_label_names
from osler.io.open import open_mask, open_picture, open_study
from osler.io.raster import write_image

if TYPE_CHECKING:
    from pydicom import Dataset

# (mask on the grid of the picture, the picture it was drawn on, the header of its first slice, where to)
MaskWriter = Callable[[Mask, Volume, "Dataset", Path], None]
Writers = Mapping[str, MaskWriter]

SUFFIX_KINDS = {".nii.gz": "nii.gz", ".nii": "nii", ".nrrd": "nrrd", ".mha": "mha", ".png": "png"}
FILE_KINDS = tuple(SUFFIX_KINDS.values())
SERIES = "series"
# Volumes in DICOM objects that are no images of the patient, by SOP Class.
_MAPS: dict[str, Callable[[Path, str], Volume]] = {
    PARAMETRIC_MAP: read_parametric_map,
    RTDOSE: lambda path, item: _whole(read_dose(path), path, item),
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is asked of one conversion; "" and None leave it to the file.

    item      which part of a file or folder that holds several
    kind      of file to write: "nii.gz", "nii", "nrrd", "mha", "png", "series", or a DICOM object for masks
    like      a DICOM series (file or folder) whose patient and study the result joins
    labels    what each number of a mask means; says too that the source is a mask
    modality  for DICOM from a file that does not say
    unit      of the values of a PET that does not say: "SUV" or "Bq/ml"
    """

    item: str = ""
    kind: str = ""
    like: Path | None = None
    labels: Mapping[int, str] | None = None
    modality: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Conversion:
    """What became of one picture.

    source, target   names of the files or folders
    kind             of file that was written
    shape, spacing   of the picture, as the source has it
    corner_mm        the largest distance between a corner of the grid and the same corner read back; None for flat
                     pictures
    difference       the largest between a value and the same value read back; for masks the number of voxels whose
                     label differs; None where the two cannot be compared
    step             between two values that the target can store, 0 where it stores every one
    kept, lost       a sentence each
    notes            what is odd about the source, a sentence each
    files            how many were written
    """

    source: str
    target: str
    kind: str
    shape: tuple[int, ...]
    spacing: tuple[float, ...] | None
    corner_mm: float | None
    difference: float | None
    step: float
    kept: tuple[str, ...]
    lost: tuple[str, ...]
    notes: tuple[str, ...]
    files: int = 1


@dataclass(slots=True)
class _Job:
    """What is to be done, and what is gathered on the way.

    source  its name
    target  where the file goes in the end
    like    the series whose patient and study the result joins
    """

    source: str
    target: Path
    kind: str
    wishes: Wishes
    writers: Writers
    like: Volume | None = None
    kept: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    step: float = 0.0
    files: int = 1


def convert(
    source: Path, target: Path, wishes: Wishes | None = None, writers: Writers | None = None
) -> Conversion:
    """Read `source`, write it as `target` and say what was kept and what was lost.

    The kind of file follows from the target's suffix, else from `wishes.kind`. The target takes its place only
    after it was read back; what goes wrong leaves nothing.

    Raises AskedWrongly for a target that exists or whose kind is not clear, for a picture that the kind cannot
    hold and for a part that must be named; and what reading and writing raise.
    """
    wishes, writers = wishes or Wishes(), writers or {}
    kind = kind_of_target(target, wishes.kind, writers)
    if target.exists():
        raise AskedWrongly(f"{target.name} is there already.", remedy="Remove it, or choose another name.")
    like = _picture_like(wishes.like) if wishes.like is not None else None
    job = _Job(source.name, target, kind, wishes, writers, like)
    return _write(_read(source, job), job)


def convert_all(
    source: Path, folder: Path, wishes: Wishes | None = None, writers: Writers | None = None
) -> tuple[list[Conversion], list[str]]:
    """Convert every picture of a folder into a file each ("01-CT.nii.gz", ...), flat ones into PNG.

    Returns what became of each, and in sentences what could not be read or written.
    Raises AskedWrongly for a folder that exists or a kind that is none of files, Unreadable without any picture.
    """
    wishes, writers = wishes or Wishes(), writers or {}
    kind = wishes.kind or "nii.gz"
    if kind not in FILE_KINDS and kind != SERIES:
        raise AskedWrongly(
            f"All pictures cannot become '{kind}'.", remedy=f"Choose {', '.join(FILE_KINDS)} or {SERIES}."
        )
    if folder.exists():
        raise AskedWrongly(f"{folder.name} is there already.", remedy="Remove it, or choose another name.")
    study = open_study(source)
    done: list[Conversion] = []
    problems = list(study.problems)
    with replacing(folder) as beside:
        beside.mkdir()
        for number, picture in enumerate(study.pictures, 1):
            its = "png" if isinstance(picture, Image) else kind
            name = f"{number:02d}-{picture.facts.modality or 'picture'}{'' if its == SERIES else f'.{its}'}"
            try:
                job = _Job(source.name, beside / name, its, wishes, writers, notes=list(_notes(picture)))
                done.append(_write(_with_wishes(picture, wishes), job))
            except (AskedWrongly, BadInput) as error:
                problems.append(f"Picture {number}: {error.problem}")
        if not done:
            raise Unreadable(
                " ".join([f"Nothing in {source.name} could be converted.", *problems[:3]]),
                remedy="Convert one picture at a time to see why.",
            )
    return done, problems


def kind_of_target(target: Path, kind: str, writers: Writers) -> str:
    """What `target` is to be. Raises AskedWrongly where that is unclear or contradicts itself."""
    choices = [*FILE_KINDS, SERIES, *writers]
    if kind and kind not in choices:
        raise AskedWrongly(
            f"'{kind}' is no kind of file that can be written.", remedy=f"Known: {', '.join(choices)}."
        )
    name = target.name.lower()
    said = next((its for suffix, its in SUFFIX_KINDS.items() if name.endswith(suffix)), "")
    if kind and said and said != kind:
        raise AskedWrongly(
            f"{target.name} is no name for '{kind}'.", remedy=f"Leave --as out, or rename {target.name}."
        )
    if not (said or kind):
        raise AskedWrongly(
            f"What {target.name} should be is not clear.",
            remedy=f"End it in {', '.join(SUFFIX_KINDS)}, or say --as {_or([SERIES, *writers])}.",
        )
    return said or kind


def read_labels_table(given: str) -> dict[int, str]:
    """Names from "1=liver,2=tumour" or from a JSON file {"1": "liver"}. Raises AskedWrongly or Unreadable."""
    path = Path(given)
    if given.lower().endswith(".json"):
        found = read_json(path)
        pairs = list(found.items()) if isinstance(found, dict) else []
    else:
        parts = [part.partition("=") for part in given.split(",")]
        pairs = [(number, name) for number, _, name in parts]
    labels = {int(number): str(name).strip() for number, name in pairs if str(number).strip().isdecimal() and name}
    if not pairs or len(labels) != len(pairs) or 0 in labels:
        raise AskedWrongly(
            f"'{given}' does not name labels.", remedy="Write 1=liver,2=tumour, or name a JSON file."
        )
    return labels


def turned_onto(array: Array, own: Geometry, wanted: Geometry) -> tuple[Array, float] | None:
    """`array` with its axes in the order and direction of the grid `wanted`, and how far the corners are apart.

    None where the two grids do not share their voxels. The array is a view; the distance is in mm.
    """
    ours = np.linalg.inv(own.affine) @ wanted.affine  # wanted index -> own index
    whole = np.rint(ours[:3, :3]).astype(int)
    if (np.abs(whole).sum(axis=0) != 1).any() or (np.abs(whole).sum(axis=1) != 1).any():
        return None
    order = np.abs(whole).argmax(axis=0)  # own axis of each wanted axis
    turned = array.transpose(order)
    if turned.shape != wanted.shape:
        return None
    matrix = np.eye(4)
    flips = []
    for axis, of_own in enumerate(order):
        sign = whole[of_own, axis]
        matrix[:3, axis] = whole[:, axis]
        if sign < 0:
            matrix[of_own, 3] = own.shape[of_own] - 1
            flips.append(axis)
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in wanted.shape], (1,))).reshape(4, -1)
    apart = np.linalg.norm(((own.affine @ matrix - wanted.affine) @ corners)[:3], axis=0).max()
    if apart > min(own.spacing) / 2:
        return None
    return np.flip(turned, tuple(flips)), float(apart)


def _read(source: Path, job: _Job) -> Picture | Mask:
    """The picture or the mask, by what the file is and what is asked for."""
    if not source.exists():
        raise Unreadable(f"{source.name} is missing.", remedy="Check the path.")
    single, wishes = _single_object(source), job.wishes
    grid = job.like.geometry if job.like is not None else None
    if single is not None:
        header = read_header(single)
        uid = text(header, "SOPClassUID")
        if uid in (SEGMENTATION, LABEL_MAP):
            reading = read_segmentation(single, wishes.item, grid)
            job.lost += reading.remarks
            if grid is None:
                job.notes.append("It came on the grid that its own frames span; --like SERIES gives it on theirs.")
            return _renamed(reading.mask, wishes, source)
        if uid == RTSTRUCT:
            job.lost.append("The outlines themselves: a voxel is inside or outside.")
            return _renamed(read_structures_mask(single, wishes.item, grid), wishes, source)
        if uid in _MAPS:
            volume = _MAPS[uid](single, wishes.item)
            job.notes += volume.notes
            job.lost.append(f"What the {kind_of(header)} refers to: images, plans, how it was made.")
            return volume
    labels = wishes.labels or _names_beside(source, wishes.item)
    if labels is not None or job.kind in job.writers:
        return open_mask(source, wishes.item, labels=labels)
    try:
        picture = open_picture(source, wishes.item)
    except AskedWrongly as error:
        if wishes.item or not source.is_dir():
            raise
        raise AskedWrongly(error.problem, remedy=f"{error.remedy} Or convert every one, with --all.") from error
    job.notes += _notes(picture)
    return _with_wishes(picture, wishes)


def _whole(volume: Volume, path: Path, item: str) -> Volume:
    if item:
        raise AskedWrongly(f"{path.name} has no item '{item}'.", remedy="Ask for it without an item.")
    return volume


def _single_object(source: Path) -> Path | None:
    """The DICOM file itself, or the only one in a folder."""
    if source.is_file():
        return source if is_dicom(source) else None
    files = [path for path in source.iterdir() if path.is_file() and not path.name.startswith(".")]
    return files[0] if len(files) == 1 and is_dicom(files[0]) else None


def _names_beside(source: Path, item: str) -> dict[int, str] | None:
    if source.name.lower().endswith(itk.SUFFIXES):
        return itk.read_labels(source, item)
    return read_label_names(source) if source.is_file() else None


def _renamed(mask: Mask, wishes: Wishes, source: Path) -> Mask:
    if wishes.labels is None:
        return mask
    unknown = sorted(set(mask.labels) - set(wishes.labels))
    if unknown:
        raise AskedWrongly(
            f"{source.name} holds the label {unknown[0]}, which --labels leaves out.", remedy="Name every label."
        )
    return replace(mask, labels={number: wishes.labels[number] for number in mask.labels})


def _notes(picture: Picture) -> tuple[str, ...]:
    return picture.notes if isinstance(picture, Volume) else ()


def _with_wishes(picture: Picture, wishes: Wishes) -> Picture:
    if isinstance(picture, Volume) and wishes.unit:
        if picture.unit and picture.unit.lower() != wishes.unit.lower():
            raise AskedWrongly(
                f"The picture is in {picture.unit}, not in {wishes.unit}.",
                remedy="Leave --unit out: it says so itself.",
            )
        picture = replace(picture, unit=wishes.unit)
    if wishes.modality:
        return replace(picture, facts=replace(picture.facts, modality=wishes.modality.upper()))
    return picture


def _picture_like(path: Path) -> Volume:
    picture = open_picture(path)
    if not isinstance(picture, Volume) or not picture.origins:
        raise AskedWrongly(
            f"{path.name} is no DICOM series of slices.",
            remedy="Give --like the CT, MR or PET series it belongs to.",
        )
    return picture


def _write(thing: Picture | Mask, job: _Job) -> Conversion:
    geometry = None if isinstance(thing, Image) else thing.geometry
    flat = geometry is None
    if flat != (job.kind == "png"):
        what = "mask" if isinstance(thing, Mask) else "picture"
        raise AskedWrongly(
            f"{job.source} is a {'flat ' + what if flat else what + ' of many slices'}, which '{job.kind}' cannot "
            "hold.",
            remedy="End the target in .png." if flat else "Choose .nii.gz, .nrrd, .mha or a DICOM series.",
        )
    with replacing(job.target) as beside:
        if isinstance(thing, Mask):
            thing, drawn = _write_mask(thing, beside, job)
            corner_mm, difference = _measured(thing, drawn, job)
        else:
            corner_mm, difference = _measured(thing, _write_picture(thing, beside, job), job)
    if isinstance(thing, Image) or thing.geometry is None:
        spacing: tuple[float, ...] | None = thing.spacing_mm
    else:
        spacing = thing.geometry.spacing
    return Conversion(
        job.source,
        job.target.name,
        job.kind,
        thing.array.shape,
        spacing,
        corner_mm,
        difference,
        job.step,
        tuple(job.kept),
        tuple(job.lost),
        tuple(job.notes),
        job.files,
    )


def _write_picture(picture: Picture, path: Path, job: _Job) -> Picture:
    """Write it and read it back."""
    if isinstance(picture, Image):
        write_image(_for_png(picture.array), path)
        if picture.origin is not None:
            job.lost.append("The header: patient, study, dates, device.")
        if picture.spacing_mm is not None:
            job.lost.append(f"The size of a pixel ({_mm(picture.spacing_mm)}): PNG has no word for it.")
        return open_picture(path)
    if job.kind == SERIES:
        return _write_series(picture, path, job)
    if picture.origins:
        job.lost.append("The header: patient, study, dates, device, and which object each slice came from.")
    if picture.unit and job.kind == "nrrd":
        job.kept.append(f"The unit, {picture.unit}.")
    elif picture.unit:
        job.lost.append(f"The word for the unit: the numbers are {picture.unit}, the file does not say so.")
    if job.kind in ("nii", "nii.gz"):
        nifti.write_volume(picture, path)
    else:
        itk.write_volume(picture, path)
    _say_shear(picture.geometry, job.kind, job)
    # Not through the front door, which refuses NaN: a map may hold some.
    return nifti.read_volume(path) if job.kind in ("nii", "nii.gz") else itk.read_picture(path)


def _write_series(volume: Volume, path: Path, job: _Job) -> Picture:
    like = job.like
    own = like if like is not None else volume if volume.origins else None
    header = read_header(own.origins[0].path) if own is not None else None
    written = write_volume_series(volume, path, like=header, modality=job.wishes.modality)
    job.step, job.files = written.step, len(written.paths)
    if header is None:
        job.lost.append("Nobody's: no patient and a study of its own. Name a series with --like to file it there.")
    elif like is not None:
        job.kept.append("Patient, study and frame of reference of the series it is like; the series is new.")
        if not _meet(volume.geometry, like.geometry):
            job.notes.append("It lies wholly outside the series it is filed with: is that the right one?")
    else:
        job.kept.append("Patient, study and frame of reference; the series is new.")
        job.lost.append("Everything else of the source's header: private data, the device's settings.")
    if written.step:
        job.lost.append(f"Values between steps of {written.step:.3g}: 16 bits hold no more.")
    if written.turned:
        job.notes.append("The slices are stored in reverse order: DICOM stacks right-handed. Nothing is mirrored.")
    if written.tilt_deg:
        job.kept.append(f"The tilt of {written.tilt_deg:.1f} degrees: each slice lies where it lay.")
    if written.unit and written.unit != volume.unit:
        job.notes.append(f"The source does not say its unit; it was filed as {written.unit}.")
    back = open_picture(path)
    if isinstance(back, Volume) and written.unit and back.unit != written.unit:
        job.notes.append(f"Filed in {written.unit}; Osler reads it as {back.unit or 'numbers without a unit'}.")
    return back


def _write_mask(mask: Mask, path: Path, job: _Job) -> tuple[Mask, Mask]:
    """Write it; returns it as it was written (on the grid of the series it belongs to) and as it is read back."""
    if job.kind == "png":
        write_image(mask.array.astype(np.uint16 if mask.array.max(initial=0) > 255 else np.uint8), path)
        job.lost.append(f"The names of the labels: {_listed(mask)}.")
        return mask, open_mask(path, labels=mask.labels)
    if job.kind in job.writers:
        return _write_object(mask, path, job)
    if job.kind == SERIES:
        raise AskedWrongly(
            "A mask is no series of images.",
            remedy=f"Say --as {_or(list(job.writers))}." if job.writers else "Choose a file.",
        )
    if job.kind == "nrrd":
        itk.write_mask(mask, path)
        job.kept.append(f"The names of {_count(mask)} in the header, as 3D Slicer reads them: {_listed(mask)}.")
    else:
        (nifti if job.kind != "mha" else itk).write_mask(mask, path)
        write_label_names(mask.labels, job.target)
        job.kept.append(f"The names of {_count(mask)} in {labels_file(job.target).name}: {_listed(mask)}.")
    if mask.geometry is not None:
        _say_shear(mask.geometry, job.kind, job)
    job.lost.append("Who drew it and on which images, if the source said so.")
    return mask, open_mask(path, labels=mask.labels)


def _write_object(mask: Mask, path: Path, job: _Job) -> tuple[Mask, Mask]:
    like = job.like
    if like is None:
        raise AskedWrongly(
            f"A mask becomes '{job.kind}' only beside the images it was drawn on.",
            remedy="Name their series with --like.",
        )
    assert mask.geometry is not None
    own = mask.geometry
    mask = _numbered_from_one(mask, job)
    met = turned_onto(mask.array, own, like.geometry)
    if met is not None and met[1] <= 0.1 * min(like.geometry.spacing):
        on_grid = Mask(np.ascontiguousarray(met[0]), mask.labels, geometry=like.geometry)
        job.kept.append(f"Its place on the images: the grids meet within {met[1]:.2g} mm.")
    elif _meet(own, like.geometry):
        moved = resample_to(mask.array, own, like.geometry, nearest=True)
        if not moved.any():
            raise BadGeometry("Nothing of the mask lies on the images.", remedy="Name the series it was drawn on.")
        on_grid = Mask(moved, mask.labels, geometry=like.geometry)
        job.lost.append("Its own grid: it was put on that of the images, each voxel from the nearest one.")
    else:
        raise BadGeometry(
            "The mask lies outside the images.", remedy="Name the series it was drawn on with --like."
        )
    job.writers[job.kind](on_grid, like, read_header(like.origins[0].path), path)
    if text(read_header(path), "SOPClassUID") == RTSTRUCT:
        back = read_structures_mask(path, "", like.geometry)
    else:
        back = read_segmentation(path, "", like.geometry).mask
    others = [
        f"{name} became {back.labels[n]}" for n, name in mask.labels.items() if back.labels.get(n, name) != name
    ]
    if others:
        job.lost.append(f"The names of labels: {', '.join(others)}.")
    else:
        job.kept.append(f"The names of {_count(mask)}: {_listed(mask)}.")
    return on_grid, back


def _numbered_from_one(mask: Mask, job: _Job) -> Mask:
    """Such objects count what they hold from 1, without gaps."""
    numbers = sorted(mask.labels)
    if numbers == list(range(1, len(numbers) + 1)):
        return mask
    table = np.zeros(max(numbers, default=0) + 1, np.uint16)
    table[numbers] = np.arange(1, len(numbers) + 1)
    changed = ", ".join(f"{number} became {n}" for n, number in enumerate(numbers, 1) if n != number)
    job.lost.append(f"The numbers of labels: {changed}.")
    labels = {n: mask.labels[number] for n, number in enumerate(numbers, 1)}
    return Mask(table[mask.array], labels, geometry=mask.geometry)


def _measured(thing: Picture | Mask, back: Picture | Mask, job: _Job) -> tuple[float | None, float | None]:
    """(corner_mm, difference), and the sentences about them."""
    own = None if isinstance(thing, Image) else thing.geometry
    other = None if isinstance(back, Image) else back.geometry
    array = back.array
    corner_mm = None
    if own is not None and other is not None:
        met = turned_onto(back.array, other, own)
        if met is None:
            raise OslerError(
                "What was written does not lie where it came from; it was thrown away.",
                remedy="Report this with the geometry of the source: it is a defect of Osler.",
            )
        array, corner_mm = met
        job.kept.append(f"Geometry, to {corner_mm:.2g} mm at the corners (read back and measured).")
    units = {picture.unit for picture in (thing, back) if isinstance(picture, Volume)} - {""}
    if array.shape != thing.array.shape or len(units) > 1:
        job.notes.append("The values could not be compared with what is read back: it is in another unit.")
        return corner_mm, None
    if isinstance(thing, Mask):
        differ = float((array != thing.array).sum())
        share = f"{int(differ)} of {int((thing.array > 0).sum())}"
        said = (
            "Every voxel's label."
            if not differ
            else f"The outlines: {share} labelled voxels differ when read back."
        )
        (job.lost if differ else job.kept).append(said)
        return corner_mm, differ
    difference = _largest_difference(thing.array, array)
    rounding = float(np.nan_to_num(np.abs(thing.array), posinf=0).max()) * 2.0**-21  # single precision, twice
    if difference > 0.51 * job.step + rounding:
        raise OslerError(
            f"What was written holds other values than {job.source}; it was thrown away.",
            remedy="Report this: it is a defect of Osler.",
        )
    if difference == 0:
        job.kept.append(f"All {thing.array.size} values, exactly.")
    else:
        job.kept.append(f"All {thing.array.size} values, to {difference:.3g}.")
    return corner_mm, difference


def _largest_difference(one: Array, other: Array) -> float:
    """A slice at a time, so that large volumes need no third copy in double. NaN is equal to itself."""
    most = 0.0
    for ours, theirs in zip(one, other, strict=True):
        a, b = ours.astype(np.float64), theirs.astype(np.float64)
        apart = np.abs(a - b)
        apart[(a == b) | (np.isnan(a) & np.isnan(b))] = 0
        most = max(most, float(np.nan_to_num(apart, nan=np.inf).max()))
    return most


def _for_png(array: Array) -> Array:
    if array.dtype in (np.uint8, np.uint16) and (array.ndim == 2 or array.dtype == np.uint8):
        return array
    whole = array.dtype.kind in "biu" or bool((array == np.rint(array)).all())
    if array.ndim == 2 and whole and array.min() >= 0 and array.max() <= 65535:
        return array.astype(np.uint8 if array.max() <= 255 else np.uint16)
    raise BadPixels(
        "PNG holds whole numbers from 0 to 65535, and this picture has others.",
        remedy="Convert the numbers first; a window that a person likes is no conversion.",
    )


def _say_shear(geometry: Geometry, kind: str, job: _Job) -> None:
    axes = geometry.affine[:3, :3] / np.array(geometry.spacing)
    if np.abs(axes.T @ axes - np.eye(3)).max() > 1e-4:
        where = "in the sform; the qform, which cannot hold it, is left out" if kind.startswith("nii") else "kept"
        job.notes.append(f"The grid is tilted ({where}); programs that take grids for upright will bend it.")


def _meet(one: Geometry, other: Geometry) -> bool:
    """Do the boxes around both grids overlap?"""

    def box(grid: Geometry) -> tuple[Array, Array]:
        corners = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in grid.shape])).reshape(3, -1).T
        places = grid.to_world(corners)
        return places.min(axis=0), places.max(axis=0)

    (low, high), (start, end) = box(one), box(other)
    return bool((low < end).all() and (start < high).all())


def _count(mask: Mask) -> str:
    return "1 label" if len(mask.labels) == 1 else f"{len(mask.labels)} labels"


def _listed(mask: Mask) -> str:
    return ", ".join(f"{number} {name}" for number, name in sorted(mask.labels.items())) or "none"


def _or(kinds: list[str]) -> str:
    return " or ".join(kinds)


def _mm(spacing: tuple[float, ...]) -> str:
    return " x ".join(f"{x:g}" for x in spacing) + " mm"

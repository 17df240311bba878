"""What a path holds, from headers alone: studies, series, and in them volumes, films, images and other objects.

Nothing here is anybody's name: a study is a number, and what somebody typed as a description is kept apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from osler.core.errors import BadInput, OslerError, Unreadable
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.progress import Tell, silent
from osler.core.study import Picture
from osler.io.dicom import find, stack
from osler.io.dicom.group import group
from osler.io.dicom.kinds import DOSE, LABEL_MAP, PARAMETRIC_MAP, SEGMENTATION, STRUCTURES, WHOLE_SLIDE
from osler.io.dicom.mosaic import is_mosaic
from osler.io.dicom.multiframe import planes_of
from osler.io.dicom.parse import number, sequence, text
from osler.io.dicom.plane import Plane
from osler.io.open import files_of, glance, is_slide_name, items_of, name_of_format, open_picture, part_dicom

_UPRIGHT_DEG = 2.0  # patients do not lie straighter
_TILTED_DEG = 0.5
_UNSQUARE = 1.01
# Where the parts of an object that are drawn by name are listed.
_COUNTED = {STRUCTURES: "StructureSetROISequence", SEGMENTATION: "SegmentSequence", LABEL_MAP: "SegmentSequence"}


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One thing in a series that can be looked at by itself.

    what     "volume", "film", "image", "slide", "object", or "refused"
    shape    (slices, rows, columns) of a volume, (frames, rows, columns) of a film, (rows, columns) of an image;
             () for an object without pixels
    spacing  mm along (slices, rows, columns) or (rows, columns); None where it is not known
    words    how it lies: "axial", "oblique, 14 degrees from axial", "pixels not square"
    notes    what is odd about it, or why it is refused; a sentence each
    example  where its middle slice is to be found; None where there is nothing to look at
    """

    what: str
    shape: tuple[int, ...] = ()
    spacing: tuple[float, ...] | None = None
    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    example: "Example | None" = None


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """Where to find one slice without reading the rest.

    series  DICOM: the one file that the slice is in
    part    which of the file's volumes or films it is in
    slice   its index there; None for the middle
    path, item  other formats
    """

    series: find.Series | None = None
    part: int = 0
    slice: int | None = None
    path: Path | None = None
    item: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Holding:
    """One series, or one file that is not DICOM.

    name         "Series 3", or the file's name
    kind         what a person calls one of its objects: "CT slice", "NIfTI"
    modality     DICOM spelling, "" where it is not known
    count        files
    pieces       what is in it
    because      why the series is told in parts, a sentence, or ""
    description  what somebody typed; it may name a person, so it is shown only to who asks for it
    """

    name: str
    kind: str
    modality: str
    count: int
    pieces: tuple[Piece, ...]
    because: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Holdings:
    """Everything that a path holds.

    studies   the DICOM series of each study
    files     what is not DICOM
    problems  what could not be read, what is missing, and copies; a sentence each
    """

    name: str
    studies: tuple[tuple[Holding, ...], ...]
    files: tuple[Holding, ...] = ()
    problems: tuple[str, ...] = ()


def look_into(path: Path, tell: Tell = silent) -> Holdings:
    """What a file, folder, zip or DICOMDIR holds. Pixels are read only where two slices claim the same place.

    Raises Unreadable when the path is missing, or a zip or DICOMDIR that cannot be trusted; and when there is
    nothing of any kind that is known.
    """
    path = Path(path)
    files, told = files_of(path, tell)
    dicom, others = part_dicom(files)
    found = find.find_objects(dicom, tell)
    studies = []
    done = 0
    for study in found.studies:
        held = []
        for series in study.series:
            held.append(_holding(series))
            done += len(series.instances)
            tell("series", done, len(dicom), "")
        studies.append(tuple(held))
    problems = [*told, *found.problems]
    loose = []
    for file in others:
        try:
            loose.append(_loose(file))
        except OslerError as error:
            problems.append(error.problem)
    if not studies and not loose:
        raise Unreadable(
            f"{path.name} holds nothing of a kind that is known. {' '.join(problems[:3])}".rstrip(),
            remedy="Give DICOM, NIfTI, NRRD, MetaImage, PNG, JPEG, TIFF or NumPy files.",
        )
    return Holdings(path.resolve().name, tuple(studies), tuple(loose), tuple(problems))


def read_example(piece: Piece) -> tuple[Picture, int | None] | None:
    """(picture, slice index or None for the middle one) of a piece; None where there is nothing to look at.

    Raises what `open_picture` raises.
    """
    example = piece.example
    if example is None:
        return None
    if example.series is None:
        return (open_picture(example.path, example.item), None) if example.path is not None else None
    parts = stack.read_parts(example.series)
    if parts.pictures:
        return parts.pictures[min(example.part, len(parts.pictures) - 1)], example.slice
    if parts.clips:
        clip = parts.clips[min(example.part, len(parts.clips) - 1)]
        middle = len(clip.array) // 2
        return Image(clip.array[middle], clip.spacing_mm, clip.facts), None
    raise parts.failures[0]


def lies_how(geometry: Geometry) -> tuple[str, ...]:
    """How a grid lies in the patient, in words.

    >>> lies_how(Geometry.from_spacing((9, 9, 9), (5.0, 0.5, 0.5)))
    ('axial',)
    """
    step, down, along = (geometry.affine[:3, n] for n in range(3))
    normal = np.cross(along, down)
    normal = normal / np.linalg.norm(normal)
    axis = int(np.abs(normal).argmax())
    name = ("sagittal", "coronal", "axial")[axis]
    off = _degrees(float(abs(normal[axis])))
    turn = max(_degrees(float(np.abs(one / np.linalg.norm(one)).max())) for one in (down, along))
    lean = _degrees(float(abs(step @ normal) / np.linalg.norm(step)))
    words = [f"oblique, {off:.0f} degrees from {name}" if off > _UPRIGHT_DEG else name]
    if off <= _UPRIGHT_DEG < turn:
        words.append(f"turned by {turn:.0f} degrees in its plane")
    if lean > _TILTED_DEG:
        words.append(f"sheared by {lean:.1f} degrees, as by a tilted gantry")
    _, rows, columns = geometry.spacing
    if max(rows, columns) > _UNSQUARE * min(rows, columns):
        words.append("pixels not square")
    return tuple(words)


def _degrees(cosine: float) -> float:
    return float(np.degrees(np.arccos(min(1.0, cosine))))


def _holding(series: find.Series) -> Holding:
    header = series.instances[0].header
    name = f"Series {series.number:.0f}" if series.number is not None else "Series without a number"
    if series.parts > 1:
        name += f", part {series.part} of {series.parts}"
    return Holding(
        name,
        series.kind,
        text(header, "Modality").upper()[:16],
        len(series.instances),
        tuple(_pieces(series)),
        series.because if series.part == 1 else "",
        " ".join(word for word in (text(header, "StudyDescription"), text(header, "SeriesDescription")) if word),
    )


def _pieces(series: find.Series) -> list[Piece]:
    """What one series is made of."""
    if not series.picture:
        return [_object(series)]
    if is_mosaic(series.instances[0].header):
        return [_mosaic(series)]
    if "localizer" in find.image_type_of(series.instances[0].header):
        return _flat(series, list(series.instances))
    planes: list[Plane] = []
    flat: list[find.Instance] = []
    for instance in series.instances:
        try:
            here = planes_of(instance)
        except BadInput as error:
            return [Piece("refused", notes=(error.problem,))]
        planes += here
        if not here:
            flat.append(instance)
    pieces: list[Piece] = []
    if planes:
        try:
            grouped = group(planes, series.name)
        except BadInput as error:
            return [Piece("refused", notes=(error.problem,))]
        for n, one in enumerate(grouped.stacks):
            rows, columns = _size(one.planes[0].instance)
            try:
                geometry = one.geometry(rows, columns)
            except BadInput as error:
                pieces.append(Piece("refused", notes=(error.problem,)))
                continue
            pieces.append(
                Piece(
                    "volume",
                    geometry.shape,
                    geometry.spacing,
                    lies_how(geometry),
                    one.notes,
                    _middle(series, one.planes, n),
                )
            )
        for n, film in enumerate(grouped.films):
            size = _size(film[0].instance)
            pieces.append(
                Piece(
                    "film",
                    (len(film), *size),
                    None,
                    ("all slices in one place",),
                    (),
                    _middle(series, film, n),
                )
            )
        scouts = list({id(one.instance): one.instance for one in grouped.scouts}.values())
        pieces += _flat(series, scouts, "for planning: few slices in several directions")
        pieces += [Piece("refused", notes=(error.problem,)) for error in grouped.failures]
    return [*pieces, *_flat(series, flat)]


def _mosaic(series: find.Series) -> Piece:
    first = series.instances[0]
    try:
        found = stack.glance(first.path)
    except OslerError as error:
        return Piece("refused", notes=(error.problem,))
    words = (f"{len(series.instances)} of them",) if len(series.instances) > 1 else ()
    return Piece("volume", found.shape, found.spacing, words, (), Example(replace(series, instances=(first,))))


def _flat(series: find.Series, instances: Sequence[find.Instance], word: str = "") -> list[Piece]:
    """Images and films that do not lie in the patient; alike ones are told once."""
    alike: dict[tuple[int, int, int, tuple[float, ...] | None], list[find.Instance]] = {}
    for one in instances:
        frames = int(number(one.header, "NumberOfFrames") or 1)
        alike.setdefault((frames, *_size(one), _flat_spacing(one)), []).append(one)
    pieces = []
    for (frames, rows, columns, spacing), several in alike.items():
        middle = several[len(several) // 2]
        scout = "localizer" in find.image_type_of(middle.header)
        words = (f"{len(several)} of them" if len(several) > 1 else "", "localizer" if scout else "", word)
        pieces.append(
            Piece(
                "film" if frames > 1 else "image",
                (frames, rows, columns) if frames > 1 else (rows, columns),
                spacing,
                tuple(word for word in words if word),
                (),
                Example(replace(series, instances=(middle,))),
            )
        )
    return pieces


def _flat_spacing(one: find.Instance) -> tuple[float, ...] | None:
    """mm between rows and columns; None where it is not known."""
    try:
        spacing = stack.glance(one.path).spacing
    except OslerError:
        return None  # why it cannot be read is told when it is
    return None if spacing is None else spacing[-2:]


def _object(series: find.Series) -> Piece:
    """Objects that are no pictures: what can be said of them without opening them."""
    one = series.instances[0]
    uid = text(one.header, "SOPClassUID")
    if uid == WHOLE_SLIDE:
        matrix = tuple(int(number(one.header, f"TotalPixelMatrix{side}") or 0) for side in ("Rows", "Columns"))
        return Piece("slide", matrix, None, ("read region by region",))
    rows, columns = _size(one)
    frames = int(number(one.header, "NumberOfFrames") or 1)
    words: tuple[str, ...] = ()
    if uid in _COUNTED:
        parts = len(sequence(one.header, _COUNTED[uid]))
        words = (f"{parts} {'structure' if parts == 1 else 'structures'}",)
    # A dose and a map are volumes of something else than the patient, and can be looked at all the same.
    example = Example(path=one.path) if uid in (DOSE, PARAMETRIC_MAP) else None
    return Piece("object", (frames, rows, columns) if rows and columns else (), None, words, (), example)


def _middle(series: find.Series, planes: Sequence[Plane], part: int) -> Example:
    middle = planes[len(planes) // 2]
    alone = replace(series, instances=(middle.instance,))
    # A file with one frame holds one volume of one slice, whatever it is part of in its series.
    return Example(alone) if middle.frame is None else Example(alone, part)


def _size(instance: find.Instance) -> tuple[int, int]:
    return int(number(instance.header, "Rows") or 0), int(number(instance.header, "Columns") or 0)


def _loose(path: Path) -> Holding:
    """A file that is not DICOM. Raises what `glance` and `open_slide` raise."""
    if is_slide_name(path):
        from osler.io.wholeslide import open_slide  # its libraries are loaded for slides alone

        slide = open_slide(path)
        largest, microns = slide.levels[0], slide.microns_per_pixel
        words = (f"{len(slide.levels)} levels" if len(slide.levels) > 1 else "1 level", "read region by region")
        spacing = None if microns is None else (microns[0] / 1000, microns[1] / 1000)
        return Holding(
            path.name, "whole slide", "", 1, (Piece("slide", (largest.rows, largest.columns), spacing, words),)
        )
    pieces = []
    for item in items_of(path):
        seen = glance(path, item)
        what = "image" if seen.flat else "volume"
        more = ("colour",) if seen.colour else ()
        if not seen.flat and seen.channels > 1:
            more = (f"{seen.channels} volumes",)
        example = Example(path=path, item=item)
        pieces.append(Piece(what, seen.shape, seen.spacing, (seen.dtype, *more), (), example))
    return Holding(path.name, name_of_format(path), "", 1, tuple(pieces))

"""DICOM Segmentation objects, ours and others', as masks.

Source: DICOM PS3.3 A.51 and C.8.20.2 (Segmentation: BINARY, FRACTIONAL, LABELMAP), C.7.6.16 (functional groups).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from osler.core.arrays import Array
from osler.core.codes import Code
from osler.core.errors import AskedWrongly, BadDataset, BadGeometry, Unreadable
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.study import Picture
from osler.core.volume import Volume
from osler.imaging.resample import resample_to
from osler.io.dicom.colour import from_cielab
from osler.io.dicom.frames import (
    Placement,
    contradiction,
    frames_of,
    grid_of,
    groups_of,
    own_placement,
    place,
    stored_frames,
)
from osler.io.dicom.parse import kind_of, number, numbers, read_dataset, read_header, sequence, text

if TYPE_CHECKING:
    from pydicom import Dataset

SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"
_BACKGROUND = ("125040", "DCM")
_HALF = 0.5
_LITTLE_ENDIAN = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99")  # and not compressed
_LARGEST_FLAT = 2**28  # pixels: a whole slide is never read whole


@dataclass(frozen=True, slots=True)
class Segment:
    """What a segmentation says of one of its segments.

    number        as the object counts them; its number in the mask too
    label         what its maker called it
    category, kind  coded: "Tissue" and "Liver"; None where the object does not say
    made          "AUTOMATIC", "SEMIAUTOMATIC" or "MANUAL"
    algorithm     its name, "" where a person drew it
    tracking_id, tracking_uid  the same in every object that speaks of the same thing, "" where it is not said
    colour        red, green, blue to show it in; None where the object does not say
    """

    number: int
    label: str
    category: Code | None = None
    kind: Code | None = None
    made: str = ""
    algorithm: str = ""
    tracking_id: str = ""
    tracking_uid: str = ""
    colour: tuple[int, int, int] | None = None

    @property
    def background(self) -> bool:
        """Is it what lies around everything? Label maps list that as a segment too."""
        return self.kind is not None and (self.kind.value, self.kind.scheme) == _BACKGROUND


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A mask read from a segmentation, and in sentences what was done to get it.

    mask     its numbers are those of the segments, unless `remarks` say otherwise
    remarks  resampled, cut off, fractions made whole; () where the voxels are exactly those of the object
    """

    mask: Mask
    remarks: tuple[str, ...]


def read_segments(path: Path) -> tuple[Segment, ...]:
    """What the segments of a file are, the background left out. Raises Unreadable for another kind of file."""
    return _foreground(_checked(read_header(path), path))


def read_mask(path: Path, item: str = "", grid: Geometry | None = None) -> Mask:
    """The mask of a segmentation object: `read_segmentation` without its remarks."""
    return read_segmentation(path, item, grid).mask


def read_segmentation(path: Path, item: str = "", grid: Geometry | None = None) -> Reading:
    """The segments of a file as one mask; its numbers are segment numbers, its names segment labels.

    item  "segment:2" picks one segment; needed where segments overlap
    grid  the mask comes on this grid: voxel by voxel where the frames meet its voxels, whichever way its axes run,
          else by the nearest voxel, which the remarks say. Without it the mask comes on the grid that the frames
          span: slices in the direction of rows x columns, background in the gaps between frames.

    A segmentation of a radiograph gives a flat mask, one of a whole slide the flat mask of its total pixel matrix;
    for those `grid` says nothing. Fractional segments count from one half upward.

    Raises Unreadable for another kind of file or damaged pixels, AskedWrongly where an item is needed or does not
    exist, BadDataset for label numbers that no segment explains, BadGeometry for frames that span no grid or lie
    wholly outside the one asked for.
    """
    drawn = _read(path, item, grid, fractions=False)
    remarks = drawn.remarks
    if drawn.fractional:
        half = f"{path.name} holds fractions ({drawn.fractional.lower()}): voxels of one half and more count."
        remarks = (half, *remarks)
    labels = {segment.number: segment.label for segment in drawn.segments}
    return Reading(Mask(drawn.array, labels, geometry=drawn.geometry, spacing_mm=drawn.spacing_mm), remarks)


def read_fractions(path: Path, item: str = "", grid: Geometry | None = None) -> Picture:
    """One segment as fractions: float32, 0 to 1 (how likely, or how full each voxel is); whole ones are 0 or 1.

    item, grid  as in `read_segmentation`; the item may be left out where there is but one segment. On a grid whose
                voxels the frames do not meet, fractions are interpolated linearly.

    Raises as `read_segmentation` does.
    """
    drawn = _read(path, item, grid, fractions=True)
    if drawn.geometry is None:
        return Image(drawn.array, spacing_mm=drawn.spacing_mm)
    return Volume(drawn.array, drawn.geometry, unit="1")


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    array: Array
    segments: tuple[Segment, ...]
    geometry: Geometry | None
    spacing_mm: tuple[float, float] | None
    fractional: str
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Layers:
    """The frames' pixels.

    shows   which segment each frame shows; None where its pixels are label numbers
    pixels  frame -> (rows, columns): booleans, fractions in steps of `scale`, or label numbers
    label   label number in the pixels -> number in the mask, 0 for what is background
    """

    shows: tuple[int | None, ...]
    pixels: Callable[[int], Array]
    scale: float = 1.0
    label: dict[int, int] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Canvas:
    """What the frames are painted on: (slices, rows, columns), one slice and no geometry where they are flat."""

    shape: tuple[int, int, int]
    placement: Placement
    geometry: Geometry | None


def _read(path: Path, item: str, grid: Geometry | None, *, fractions: bool) -> _Drawn:
    dataset = _checked(read_dataset(path), path)
    wanted = _wanted(_foreground(dataset), item, path, one=fractions)
    kind = text(dataset, "SegmentationType").upper() or "BINARY"
    layers = _layers(dataset, path, kind)
    canvas = _canvas(dataset, path, grid, len(layers.shows))
    _refuse_repeats(layers, canvas.placement, path)
    names = {segment.number: segment.label for segment in wanted}
    highest = max(names)
    out = np.zeros(canvas.shape, np.float32 if fractions else np.uint8 if highest < 256 else np.uint16)
    lost = 0
    for frame, segment in enumerate(layers.shows):
        if segment is not None and segment not in names:
            continue
        pixels = layers.pixels(frame)
        window = canvas.placement.window(out, frame)
        if window is None:
            lost += int(np.count_nonzero(pixels))
            continue
        view, (rows, columns) = window
        inside = pixels[rows, columns]
        if inside.size < pixels.size:
            lost += int(np.count_nonzero(pixels)) - int(np.count_nonzero(inside))
        if segment is None:
            _paint_labels(view, inside, names, layers, path, fractions=fractions)
        elif fractions:
            np.maximum(view, inside * np.float32(layers.scale), out=view)
        else:
            there = inside if inside.dtype == bool else inside * layers.scale >= _HALF
            _paint(view, there, segment, names, path)
    remarks = []
    if lost and not out.any():
        raise _outside(path)
    if lost:
        remarks.append(f"{lost} voxels of {path.name} lie outside the picture and were left out.")
    geometry = canvas.geometry
    if grid is not None and geometry is not None and geometry is not grid:
        moved = resample_to(out, geometry, grid, nearest=not fractions)
        if out.any() and not moved.any():
            raise _outside(path)
        remarks.append(f"{path.name} lies on another grid than the picture: its voxels were resampled.")
        out, geometry = moved, grid
    if layers.label and layers.label.get(0):
        remarks.append(f"The segment that {path.name} numbers 0 is number {layers.label[0]} here.")
    return _Drawn(
        out[0] if geometry is None else out,
        wanted,
        geometry,
        _flat_spacing(dataset) if geometry is None else None,
        (text(dataset, "SegmentationFractionalType") or "fractional") if kind == "FRACTIONAL" else "",
        tuple(remarks),
    )


def _layers(dataset: "Dataset", path: Path, kind: str) -> _Layers:
    count = int(number(dataset, "NumberOfFrames") or 1)
    if kind == "LABELMAP":
        return _Layers((None,) * count, _stored(dataset, path, count), label=_label_numbers(dataset))
    if kind not in ("BINARY", "FRACTIONAL"):
        raise Unreadable(
            f"{path.name} is a segmentation of a kind that is not known.", remedy="Export it as BINARY."
        )
    shows = _segment_of_frames(dataset, path, count)
    if kind == "BINARY":
        return _Layers(shows, _bits(dataset, path, count))
    full = number(dataset, "MaximumFractionalValue") or 255.0
    return _Layers(shows, _stored(dataset, path, count), scale=1 / full)


def _label_numbers(dataset: "Dataset") -> dict[int, int]:
    """Stored label -> label in the mask. What pads and what the background is are 0."""
    segments = _segments(dataset)
    padding = number(dataset, "PixelPaddingValue")
    numbering = {0: 0, **{segment.number: segment.number for segment in _foreground(dataset)}}
    if any(segment.number == 0 and not segment.background for segment in segments):
        numbering[0] = max(segment.number for segment in segments) + 1  # 0 is background in every mask here
    numbering |= {segment.number: 0 for segment in segments if segment.background}
    if padding is not None:
        numbering[int(padding)] = 0
    return numbering


def _segment_of_frames(dataset: "Dataset", path: Path, count: int) -> tuple[int, ...]:
    if text(dataset, "DimensionOrganizationType") == "TILED_FULL":
        # No groups of its own a frame: all tiles of the first segment come first, then those of the next.
        each, rest = divmod(count, len(_segments(dataset)) or 1)
        if rest:
            raise contradiction(path)
        return tuple(segment.number for segment in _segments(dataset) for _ in range(each))
    shown = [
        number(group, "ReferencedSegmentNumber") for group in groups_of(dataset, "SegmentIdentificationSequence")
    ]
    known = [int(one) for one in shown if one is not None]
    if len(shown) != count or len(known) != count:
        raise contradiction(path)
    return tuple(known)


def _bits(dataset: "Dataset", path: Path, count: int) -> Callable[[int], Array]:
    """Each frame as booleans, unpacked when it is asked for: frames need not begin at a byte (PS3.5 8.1.1)."""
    if number(dataset, "BitsAllocated") != 1 or dataset.file_meta.TransferSyntaxUID not in _LITTLE_ENDIAN:
        stored = _stored(dataset, path, count)
        return lambda frame: stored(frame) != 0
    rows, columns = _size(dataset)
    try:
        held = dataset.get("PixelData")
    except Exception:  # pydicom converts values only when asked, and raises many kinds for what it cannot convert
        held = None
    raw = np.frombuffer(held if isinstance(held, bytes) else b"", np.uint8)
    each = rows * columns
    if each == 0 or raw.size * 8 < each * count:
        raise Unreadable(f"The pixels of {path.name} are cut short.", remedy="Send or export it again.")

    def pixels(frame: int) -> Array:
        first = frame * each
        bits = np.unpackbits(raw[first // 8 : (first + each + 7) // 8], bitorder="little")
        there: Array = bits[first % 8 : first % 8 + each].view(bool).reshape(rows, columns)
        return there

    return pixels


def _stored(dataset: "Dataset", path: Path, count: int) -> Callable[[int], Array]:
    array = stored_frames(dataset, path, count)

    def pixels(frame: int) -> Array:
        one: Array = array[frame]
        return one

    return pixels


def _canvas(dataset: "Dataset", path: Path, grid: Geometry | None, count: int) -> _Canvas:
    size = _size(dataset)
    if "TotalPixelMatrixRows" in dataset:
        shape, starts = _tiles(dataset, path, count)
        return _Canvas(shape, Placement((1, 2, 0), (1, 1), starts, size), None)
    frames = frames_of(dataset, path)
    if frames is None:
        return _Canvas((1, *size), Placement((1, 2, 0), (1, 1), np.zeros((count, 3), int), size), None)
    if len(frames.positions) != count:
        raise contradiction(path)
    exact = place(frames, grid) if grid is not None else None
    if grid is not None and exact is not None:
        return _Canvas(grid.shape, exact, grid)
    own = grid_of(frames)
    return _Canvas(own.shape, own_placement(frames, own), own)


def _tiles(dataset: "Dataset", path: Path, count: int) -> tuple[tuple[int, int, int], Array]:
    """(shape of the total pixel matrix with one slice in front, where each tile begins) of a whole slide."""
    rows, columns = (int(number(dataset, f"TotalPixelMatrix{side}") or 0) for side in ("Rows", "Columns"))
    high, wide = _size(dataset)
    if min(rows, columns, high, wide) < 1 or rows * columns > _LARGEST_FLAT:
        raise BadGeometry(
            f"{path.name} is a segmentation of a whole slide and too large for one mask ({rows} by {columns}).",
            remedy="Export a coarser level of it.",
        )
    starts = np.zeros((count, 3), int)
    if text(dataset, "DimensionOrganizationType") == "TILED_FULL":
        across, down = -(-columns // wide), -(-rows // high)
        tile = np.arange(count) % (across * down)
        starts[:, 1], starts[:, 2] = tile // across * high, tile % across * wide
        return (1, rows, columns), starts
    groups = groups_of(dataset, "PlanePositionSlideSequence")
    if len(groups) != count:
        raise contradiction(path)
    for n, group in enumerate(groups):
        starts[n, 1] = int(number(group, "RowPositionInTotalImagePixelMatrix") or 1) - 1
        starts[n, 2] = int(number(group, "ColumnPositionInTotalImagePixelMatrix") or 1) - 1
    return (1, rows, columns), starts


def _refuse_repeats(layers: _Layers, placement: Placement, path: Path) -> None:
    places = [(segment, *start) for segment, start in zip(layers.shows, placement.starts.tolist(), strict=True)]
    twice = len(places) - len(set(places))
    if twice:
        raise BadGeometry(
            f"{path.name} shows a segment in {twice} places more than once, perhaps at several times.",
            remedy="Export each time as a file of its own.",
        )


def _paint(view: Array, there: Array, segment: int, names: dict[int, str], path: Path) -> None:
    if len(names) > 1:
        taken = view[there]
        if taken.any():
            other = int(taken[taken != 0][0])
            raise AskedWrongly(
                f"{path.name} holds segments that overlap: '{names[other]}' ({other}) and '{names[segment]}' "
                f"({segment}), for one.",
                remedy=f"Ask for one at a time: 'segment:{other}', then 'segment:{segment}'.",
            )
    view[there] = segment


def _paint_labels(
    view: Array, stored: Array, names: dict[int, str], layers: _Layers, path: Path, *, fractions: bool
) -> None:
    numbering = layers.label or {}
    for found in np.flatnonzero(np.bincount(stored.ravel())).tolist():
        if found not in numbering:
            raise BadDataset(
                f"{path.name} holds the label {found}, which none of its segments explains.",
                remedy="Export it again from the program that made it.",
            )
        label = numbering[found]
        if label in names:
            view[stored == found] = 1 if fractions else label


def _wanted(segments: tuple[Segment, ...], item: str, path: Path, *, one: bool) -> tuple[Segment, ...]:
    if not segments:
        raise Unreadable(f"{path.name} is a segmentation without segments.", remedy="Export it again.")
    listed = ", ".join(f"'segment:{segment.number}'" for segment in segments[:8])
    if item:
        found = tuple(segment for segment in segments if item == f"segment:{segment.number}")
        if not found:
            raise AskedWrongly(f"{path.name} has no item '{item}'.", remedy=f"Ask for {listed}.")
        return found
    if one and len(segments) > 1:
        raise AskedWrongly(f"{path.name} holds {len(segments)} segments.", remedy=f"Ask for one: {listed}.")
    return segments


def _foreground(dataset: "Dataset") -> tuple[Segment, ...]:
    """The segments with the numbers they have in a mask, where 0 is background."""
    segments = _segments(dataset)
    highest = max((segment.number for segment in segments), default=0)
    return tuple(
        replace(segment, number=segment.number or highest + 1) for segment in segments if not segment.background
    )


def _segments(dataset: "Dataset") -> tuple[Segment, ...]:
    found = []
    for n, item in enumerate(sequence(dataset, "SegmentSequence")):
        counted = number(item, "SegmentNumber")
        colour = numbers(item, "RecommendedDisplayCIELabValue")
        found.append(
            Segment(
                n + 1 if counted is None else int(counted),
                text(item, "SegmentLabel") or text(item, "SegmentDescription") or str(n + 1),
                _code(item, "SegmentedPropertyCategoryCodeSequence"),
                _code(item, "SegmentedPropertyTypeCodeSequence"),
                text(item, "SegmentAlgorithmType"),
                text(item, "SegmentAlgorithmName"),
                text(item, "TrackingID"),
                text(item, "TrackingUID"),
                from_cielab(colour) if len(colour) == 3 else None,
            )
        )
    return tuple(found)


def _code(item: "Dataset", keyword: str) -> Code | None:
    found = sequence(item, keyword)
    if not found:
        return None
    value = next((v for k in ("CodeValue", "LongCodeValue", "URNCodeValue") if (v := text(found[0], k))), "")
    return Code(value, text(found[0], "CodingSchemeDesignator"), text(found[0], "CodeMeaning"))


def _size(dataset: "Dataset") -> tuple[int, int]:
    return int(number(dataset, "Rows") or 0), int(number(dataset, "Columns") or 0)


def _flat_spacing(dataset: "Dataset") -> tuple[float, float] | None:
    shared = sequence(dataset, "SharedFunctionalGroupsSequence")  # of a radiograph or a whole slide
    measures = [group for item in shared for group in sequence(item, "PixelMeasuresSequence")]
    spacing = numbers(measures[0], "PixelSpacing") if measures else ()
    return (spacing[0], spacing[1]) if len(spacing) == 2 and min(spacing) > 0 else None


def _checked(dataset: "Dataset", path: Path) -> "Dataset":
    if text(dataset, "SOPClassUID") not in (SEGMENTATION, LABEL_MAP):
        raise Unreadable(
            f"{path.name} is a {kind_of(dataset)}, not a segmentation.", remedy="Give a DICOM SEG object."
        )
    return dataset


def _outside(path: Path) -> BadGeometry:
    return BadGeometry(
        f"{path.name} has nothing on this picture: it lies outside of it, or is thinner than its voxels.",
        remedy="Give the picture that the segmentation was drawn on.",
    )

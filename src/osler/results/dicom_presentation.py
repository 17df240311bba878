"""How the key slices were looked at: window, outlines and words, as a Grayscale Softcopy Presentation State.

A presentation state shows the images themselves with what was drawn on them, in any viewer. It replaces the
images' own modality transformation and window, so it carries both; it holds one modality transformation, so a
picture whose slices differ in it (PET) gets several states. Colour pictures would need a colour state: left out.

Source: DICOM PS3.3 A.33.1, C.10.4 (Displayed Area), C.10.5 (Graphic Annotation), C.10.7 (Graphic Layer), C.11.8
(Softcopy VOI LUT), C.11.10 and C.11.11 (Presentation State); PS3.4 N.2 (the grayscale transformation sequence).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import CannotHold
from osler.core.report import Report
from osler.core.study import Picture, Study
from osler.core.volume import Volume
from osler.imaging.overlay import colour_of
from osler.imaging.window import SOFT_TISSUE
from osler.io.dicom.colour import to_cielab
from osler.io.dicom.encode import decimal_string, save_dataset
from osler.io.dicom.parse import number, numbers, read_header, sequence, text
from osler.io.dicom.pixels import decode, scale_of
from osler.results.dicom_content import one_line
from osler.results.dicom_key_objects import nothing_to_point_at
from osler.results.dicom_object import begin_object, folder_file, source_header
from osler.results.key_slices import KeySlice, key_slices
from osler.results.sentences import say

if TYPE_CHECKING:
    from pydicom import Dataset

GRAYSCALE_STATE = "1.2.840.10008.5.1.4.1.1.11.1"
SERIES_NUMBER = 9403
LAYER = "AI FINDINGS"
SUV_BLACK = 10.0  # the upper end of the window, as on the key pictures
MOST_OUTLINES = 500  # of one label on one slice; the rest of what is noise more than outline is left out
MOST_POINTS = 8000  # FL holds 64 KB with explicit VR, 16,383 numbers, two a point


def write_presentation_states(report: Report, study: Study, folder: Path) -> tuple[Path, ...]:
    """Write pr.dcm, pr-2.dcm, ... into `folder`: one for each picture and modality transformation.

    Raises CannotHold where the reading was declined, or no picture is a grey DICOM image; Unreadable when a
    source file is gone; NoRoom when the disk is full.
    """
    slices = key_slices(report, study)
    if not slices:
        raise nothing_to_point_at(report)
    groups: dict[tuple[object, ...], list[_Shown]] = {}
    for one in slices:
        shown = _look(one, study)
        if shown is not None:
            groups.setdefault((one.picture, *shown.modality), []).append(shown)
    if not groups:
        raise CannotHold(
            f"The pictures of {study.name} are in colour; a presentation state here is for grey ones.",
            remedy="Ask for sr, ko, html or pdf.",
        )
    paths = []
    for instance, together in enumerate(groups.values(), start=1):
        dataset = _state(report, study, together, instance)
        path = folder_file(folder, "pr", instance)
        save_dataset(dataset, path)
        paths.append(path)
    return tuple(paths)


@dataclass(frozen=True, slots=True)
class _Shown:
    """One key slice with what its file says of how to show it.

    size      (rows, columns)
    modality  (slope, intercept, type, "IDENTITY" or "INVERSE")
    window    (centre, width, function) on the modality's scale
    spacing   mm between (rows, columns), None where it is not known
    """

    key: KeySlice
    size: tuple[int, int]
    modality: tuple[float, float, str, str]
    window: tuple[float, float, str]
    spacing: tuple[float, float] | None


def _look(key: KeySlice, study: Study) -> _Shown | None:
    """What the source says of one key slice; None for a colour picture."""
    dataset = read_header(key.origin.path)
    photometric = text(dataset, "PhotometricInterpretation")
    if photometric not in ("MONOCHROME1", "MONOCHROME2"):
        return None
    picture = study.pictures[key.picture]
    scale = _frame_group(dataset, key.origin.frame, "PixelValueTransformationSequence") or dataset
    slope, intercept = scale_of(scale)
    spacing = picture.geometry.spacing[1:] if isinstance(picture, Volume) else picture.spacing_mm
    kind = text(scale, "RescaleType") or ("HU" if text(dataset, "Modality") == "CT" else "US")
    shape = "INVERSE" if photometric == "MONOCHROME1" else "IDENTITY"
    window = _window(dataset, key, picture, (slope, intercept))
    if 0 < slope < 1:
        # Some viewers keep whole numbers only after the modality transformation: it is better left out then.
        window = _on_stored(window, slope, intercept)
        slope, intercept, kind = 1.0, 0.0, "US"
    size = int(number(dataset, "Rows") or 0), int(number(dataset, "Columns") or 0)
    return _Shown(key, size, (slope, intercept, kind, shape), window, spacing)


def _window(
    dataset: "Dataset", key: KeySlice, picture: Picture, scale: tuple[float, float]
) -> tuple[float, float, str]:
    """Soft tissue for CT, 0 to 10 SUV for PET, else what the header recommends, else the slice's percentiles."""
    unit = picture.unit if isinstance(picture, Volume) else ""
    if unit == "HU":
        return (*SOFT_TISSUE, "LINEAR")
    said = _frame_group(dataset, key.origin.frame, "FrameVOILUTSequence") or dataset
    centres, widths = numbers(said, "WindowCenter"), numbers(said, "WindowWidth")
    if unit != "SUV" and centres and widths and widths[0] >= 1 and np.isfinite((centres[0], widths[0])).all():
        function = text(said, "VOILUTFunction")
        return centres[0], widths[0], function if function in ("SIGMOID", "LINEAR_EXACT") else "LINEAR"
    stored = decode(dataset, key.origin.path, [(key.origin.frame or 1) - 1])[0]
    values = stored * scale[0] + scale[1]
    if unit == "SUV" and values.max() > 0 and picture.array[key.index].max() > 0:
        # The file's own numbers are activity; the brightest voxel tells how much of it is one SUV.
        return _between(0.0, SUV_BLACK * float(values.max()) / float(picture.array[key.index].max()))
    low, high = (float(x) for x in np.percentile(values, (1, 99)))
    return _between(low, high)


def _on_stored(window: tuple[float, float, str], slope: float, intercept: float) -> tuple[float, float, str]:
    """A window on the modality's scale as one on the stored numbers."""
    centre, width, function = window
    if function == "LINEAR":
        low, high = centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2
        return _between((low - intercept) / slope, (high - intercept) / slope)
    return (centre - intercept) / slope, width / slope, function


def _between(low: float, high: float) -> tuple[float, float, str]:
    """The window that is black up to `low` and white from `high` on.

    LINEAR ends half a step before and after (PS3.3 C.11.2.1.2.1), which is much where the numbers are small.

    >>> _between(0.0, 10.0)
    (5.5, 11.0, 'LINEAR')
    """
    return (low + high) / 2 + 0.5, max(high - low, 1e-6) + 1, "LINEAR"


def _frame_group(dataset: "Dataset", frame: int | None, keyword: str) -> "Dataset | None":
    """A functional group of a frame, its own before the shared one; None where there is none."""
    frames = sequence(dataset, "PerFrameFunctionalGroupsSequence")
    own = frames[frame - 1 : frame] if frame is not None else []
    for group in (*own, *sequence(dataset, "SharedFunctionalGroupsSequence")[:1]):
        found = sequence(group, keyword)
        if found:
            return found[0]
    return None


def _state(report: Report, study: Study, shown: list[_Shown], instance: int) -> "Dataset":
    from pydicom import Dataset

    first = shown[0]
    picture = study.pictures[first.key.picture]
    dataset = begin_object(
        source_header(study, first.key.picture),
        report,
        sop_class=GRAYSCALE_STATE,
        modality="PR",
        what="PR",
        number=SERIES_NUMBER,
        instance=instance,
    )
    dataset.PresentationCreationDate, dataset.PresentationCreationTime = dataset.ContentDate, dataset.ContentTime
    del dataset.ContentDate, dataset.ContentTime  # the standard has the two above in their place
    side = picture.facts.laterality
    dataset.Laterality = side if side in ("L", "R") else ""
    dataset.ContentLabel = LAYER
    dataset.ContentDescription = one_line(say("page.notice.short"))
    dataset.ContentCreatorName = ""
    series = Dataset()
    series.SeriesInstanceUID = picture.series_uid
    series.ReferencedImageSequence = _references(shown)
    dataset.ReferencedSeriesSequence = [series]
    slope, intercept, kind, shape = first.modality
    dataset.RescaleSlope, dataset.RescaleIntercept = decimal_string(slope), decimal_string(intercept)
    dataset.RescaleType = kind
    dataset.PresentationLUTShape = shape
    dataset.SoftcopyVOILUTSequence = [_voi(one) for one in shown]
    dataset.DisplayedAreaSelectionSequence = [_area(one) for one in shown]
    layer = Dataset()
    layer.GraphicLayer, layer.GraphicLayerOrder = LAYER, 1
    layer.GraphicLayerDescription = one_line(say("page.notice.short"))
    dataset.GraphicLayerSequence = [layer]
    dataset.GraphicAnnotationSequence = [_annotation(one, report) for one in shown]
    return dataset


def _references(shown: Iterable[_Shown]) -> "list[Dataset]":
    """One item for each image, with the numbers of the frames that are meant."""
    from pydicom import Dataset

    items: dict[str, Dataset] = {}
    frames: dict[str, list[int]] = {}
    for one in shown:
        origin = one.key.origin
        item = items.setdefault(origin.instance_uid, Dataset())
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = origin.class_uid, origin.instance_uid
        if origin.frame is not None:
            frames.setdefault(origin.instance_uid, []).append(origin.frame)
            item.ReferencedFrameNumber = frames[origin.instance_uid]
    return list(items.values())


def _voi(one: _Shown) -> "Dataset":
    from pydicom import Dataset

    item = Dataset()
    item.ReferencedImageSequence = _references([one])
    centre, width, item.VOILUTFunction = one.window
    item.WindowCenter, item.WindowWidth = decimal_string(centre), decimal_string(width)
    return item


def _area(one: _Shown) -> "Dataset":
    """The whole slice, its pixels as wide and high as they are. Whole pixels are counted from 1 here."""
    from pydicom import Dataset

    item = Dataset()
    item.ReferencedImageSequence = _references([one])
    item.DisplayedAreaTopLeftHandCorner = [1, 1]
    item.DisplayedAreaBottomRightHandCorner = [one.size[1], one.size[0]]
    item.PresentationSizeMode = "SCALE TO FIT"
    if one.spacing is not None:
        item.PresentationPixelSpacing = [decimal_string(mm) for mm in one.spacing]
    else:
        item.PresentationPixelAspectRatio = [1, 1]
    return item


def _annotation(one: _Shown, report: Report) -> "Dataset":
    """The outlines of what was drawn, each with its name; on a slice without, what was said of the picture."""
    from pydicom import Dataset

    item = Dataset()
    item.ReferencedImageSequence = _references([one])
    item.GraphicLayer = LAYER
    labels = one.key.labels
    if labels is None:
        said = [finding.statement for finding in report.findings if finding.picture == one.key.picture]
        item.TextObjectSequence = [_words("\r\n".join(said) or say("page.notice"), (0.5, 0.5))]
        return item
    item.GraphicObjectSequence, item.TextObjectSequence = [], []
    for label in (int(n) for n in np.unique(labels[labels != 0])):
        lines = sorted(outlines(labels == label), key=len, reverse=True)[:MOST_OUTLINES]
        item.GraphicObjectSequence += [_polyline(points, label) for points in lines]
        top = lines[0][int(lines[0][:, 1].argmin())]
        item.TextObjectSequence.append(
            _words(one.key.names.get(label, str(label)), (float(top[0]), float(top[1])))
        )
    return item


def _polyline(points: Array, label: int) -> "Dataset":
    """A closed line through (column, row) points; the first point comes again at the end."""
    from pydicom import Dataset

    item = Dataset()
    item.GraphicAnnotationUnits, item.GraphicDimensions = "PIXEL", 2
    thinned = points[:: -(-len(points) // (MOST_POINTS - 1))]
    closed = np.concatenate([thinned, thinned[:1]])
    item.NumberOfGraphicPoints = len(closed)
    item.GraphicData = [float(x) for x in closed.ravel()]
    item.GraphicType, item.GraphicFilled = "POLYLINE", "N"
    style = Dataset()
    style.PatternOnColorCIELabValue = to_cielab(colour_of(label))
    style.PatternOnOpacity = 1.0
    style.ShadowStyle, style.ShadowOpacity = "OFF", 0.0
    style.ShadowOffsetX, style.ShadowOffsetY = 0.0, 0.0
    style.ShadowColorCIELabValue = [0, 0x8080, 0x8080]
    style.LineThickness, style.LineDashingStyle = 1.0, "SOLID"
    item.LineStyleSequence = [style]
    return item


def _words(said: str, anchor: tuple[float, float]) -> "Dataset":
    from pydicom import Dataset

    item = Dataset()
    item.AnchorPointAnnotationUnits = "PIXEL"
    item.UnformattedTextValue = said[:1024]
    item.AnchorPoint, item.AnchorPointVisibility = list(anchor), "N"
    return item


def outlines(inside: Array) -> list[Array]:
    """The borders of a flat mask, along the edges of its pixels, holes too: each (N, 2) of (column, row).

    In DICOM's pixel units: (0, 0) is the corner of the first pixel, (.5, .5) its middle (PS3.3 C.10.5.1.2), so
    that filling the outlines gives the mask again. Pixels that touch by a corner only have outlines of their own.

    >>> outlines(np.array([[False, True]]))[0].tolist()
    [[1, 0], [2, 0], [2, 1], [1, 1]]
    """
    padded = np.pad(np.asarray(inside, bool), 1)
    steps: dict[tuple[int, int], list[tuple[int, int]]] = {}
    # Each edge between inside and outside, walked with the inside on the right hand (rows grow downwards).
    for (rows, columns), start, end in (
        ((padded[1:-1, 1:-1] & ~padded[:-2, 1:-1]).nonzero(), (0, 0), (1, 0)),  # top: to the right
        ((padded[1:-1, 1:-1] & ~padded[1:-1, 2:]).nonzero(), (1, 0), (1, 1)),  # right: down
        ((padded[1:-1, 1:-1] & ~padded[2:, 1:-1]).nonzero(), (1, 1), (0, 1)),  # bottom: to the left
        ((padded[1:-1, 1:-1] & ~padded[1:-1, :-2]).nonzero(), (0, 1), (0, 0)),  # left: up
    ):
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            from_, to = (column + start[0], row + start[1]), (column + end[0], row + end[1])
            steps.setdefault(from_, []).append(to)
    lines = []
    for start in sorted(steps, key=lambda point: (point[1], point[0])):
        while steps[start]:
            lines.append(_corners(_walk(steps, start)))
    return lines


def _walk(steps: dict[tuple[int, int], list[tuple[int, int]]], start: tuple[int, int]) -> list[tuple[int, int]]:
    """Follow the edges from `start` until it comes again; what was walked is taken out of `steps`."""
    line, at, came = [start], steps[start].pop(), start
    while at != start:
        line.append(at)
        ways = steps[at]
        # Where two borders cross, turn right: that stays with the pixel that the line goes round.
        right = (at[0] - (at[1] - came[1]), at[1] + (at[0] - came[0]))
        way = right if right in ways else ways[0]
        ways.remove(way)
        came, at = at, way
    return line


def _corners(line: list[tuple[int, int]]) -> Array:
    """The points at which a closed line turns."""
    points = np.array(line)
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    turns: Array = points[(before != after).any(axis=1)]
    return turns

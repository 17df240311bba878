"""What was outlined, as a DICOM Segmentation: binary for every viewer, or a label map for the newer ones.

Sources: DICOM PS3.3 A.51 and C.8.20.2 (Segmentation), PS3.16 CID 7150 (categories), CID 7162 (algorithm family).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from osler.core.arrays import Array
from osler.core.codes import Code
from osler.core.errors import AskedWrongly, BadGeometry, CannotHold
from osler.core.finding import Finding
from osler.core.report import Drawing, Report
from osler.core.study import Picture, Study
from osler.core.volume import Volume
from osler.imaging.overlay import colour_of
from osler.io.dicom.colour import to_cielab
from osler.io.dicom.encode import save_dataset, uid_of
from osler.io.dicom.segmentation import LABEL_MAP, SEGMENTATION
from osler.results.dicom_frames import (
    LABEL,
    POSITION,
    SEGMENT,
    SEGMENTED,
    add_content,
    add_dimensions,
    add_place,
    add_references,
    check_on,
    frame_group,
    slice_group,
    slice_origins,
)
from osler.results.dicom_object import (
    MODEL_NAME,
    begin_object,
    code_item,
    folder_file,
    segmentation_uids,
    source_header,
    tracking_uid,
)
from osler.results.sentences import english, say

if TYPE_CHECKING:
    from pydicom import Dataset

SERIES_NUMBER = 9001
LABEL_MAP_SERIES_NUMBER = 9301
KINDS = ("binary", "labelmap")
ANATOMY = Code("123037004", "SCT", "Anatomical Structure")
CHANGED = Code("49755003", "SCT", "Morphologically Abnormal Structure")
TISSUE = Code("85756007", "SCT", "Tissue")
# What a code or a word of a name says of the category; whatever is coded otherwise is anatomy.
_CHANGED_CODES = frozenset(
    {
        "108369006",  # neoplasm
        "86049000",  # neoplasm, primary
        "4147007",  # mass
        "52988006",  # lesion
        "27925004",  # nodule
        "49755003",  # morphologically abnormal structure
        "50960005",  # hemorrhage
        "79654002",  # edema
        "233604007",  # pneumonia
    }
)
_NAMED = (
    (("tumor", "tumour", "neoplasm", "cancer", "carcinoma", "sarcoma"), Code("108369006", "SCT", "Neoplasm")),
    (("nodule", "nodules"), Code("27925004", "SCT", "Nodule")),
    (("mass", "masses"), Code("4147007", "SCT", "Mass")),
    (("lesion", "lesions"), Code("52988006", "SCT", "Lesion")),
)


@dataclass(frozen=True, slots=True, eq=False)
class Outlined:
    """One thing that was outlined, to become a segment.

    name      what a viewer shows
    there     booleans, (slices, rows, columns) or (rows, columns), on the picture's grid
    code      what it is, None where nobody said
    tracking  UID by which other objects speak of the same thing
    colour    red, green, blue
    """

    name: str
    there: Array
    tracking: str
    code: Code | None = None
    colour: tuple[int, int, int] = (230, 159, 0)


@dataclass(frozen=True, slots=True, eq=False)
class _Content:
    """What goes into one object: the segments, and where each of them is.

    slices  (segments, slices) booleans: on which slices each segment has anything
    pixels  (segment, slice), both from 0 -> (rows, columns) booleans
    """

    segments: "list[Dataset]"
    slices: Array
    pixels: Callable[[int, int], Array]
    overlap: bool


def write_seg(report: Report, study: Study, folder: Path, *, kind: str = "binary") -> tuple[Path, ...]:
    """Write one segmentation, a series of its own, for each drawing in which something was outlined.

    kind  "binary": a frame for each segment and slice, which every viewer reads; "labelmap": one frame a slice
          with label numbers, far smaller where there are many segments, which older viewers do not know

    Segments are the labels of the mask in their order, numbered from 1; a label that was not found is a segment
    without a frame. On a radiograph the segmentation names the image and has no place in the patient of its own.

    Raises CannotHold when nothing was outlined or the study is not DICOM, BadGeometry when a mask does not lie on
    its picture's grid, AskedWrongly for an unknown kind, NoRoom when the disk is full.
    """
    if kind not in KINDS:
        raise AskedWrongly(f"There is no segmentation of kind '{kind}'.", remedy=f"Known: {', '.join(KINDS)}.")
    made = []
    for index, drawing in enumerate(report.drawings):
        if not drawing.mask.array.any():
            continue
        picture = study.pictures[drawing.picture]
        check_on(drawing.mask, picture, study.name)
        header = source_header(study, drawing.picture)
        content = _drawn(report, drawing)
        dataset = _object(report, study.name, picture, header, content, kind, index)
        made.append((dataset, folder_file(folder, "seg" if kind == "binary" else "labelmap", index + 1)))
    if not made:
        raise CannotHold(
            "Nothing was outlined, so that there is nothing for a segmentation to show.",
            remedy="Ask for sr, json, html, pdf or fhir, which say so in words.",
        )
    for dataset, path in made:
        save_dataset(dataset, path)
    return tuple(path for _, path in made)


def segmentation_object(
    report: Report,
    name: str,
    picture: Picture,
    outlined: Sequence[Outlined],
    *,
    header: "Dataset",
    kind: str = "binary",
    drawing: int = 0,
) -> "Dataset":
    """A segmentation of masks that may overlap, each a segment of its own.

    name     of the study, for messages
    header   of one of the picture's files: whose it is, and which study
    drawing  which of the report's segmentations it is: objects of one report differ in it

    Raises CannotHold when nothing is there, or when segments overlap and a label map is asked for; BadGeometry for
    a mask of another shape than the picture.
    """
    shape = picture.array.shape if isinstance(picture, Volume) else picture.array.shape[:2]
    if any(one.there.shape != shape for one in outlined):
        raise BadGeometry(
            f"What was drawn does not lie on the grid of {name}.", remedy="Bring the mask onto the picture's grid."
        )
    masks = [np.reshape(one.there, (-1, *shape[-2:])).astype(bool, copy=False) for one in outlined]
    slices = np.stack([mask.any(axis=(1, 2)) for mask in masks]) if masks else np.zeros((0, 0), bool)
    if not slices.any():
        raise CannotHold("Nothing was outlined.", remedy="Ask for a format that says so in words.")
    segments = [
        _segment(report, n + 1, one.name, one.code, one.tracking, one.colour) for n, one in enumerate(outlined)
    ]
    overlap = any(
        sum(masks[n][index].astype(np.uint16) for n in np.flatnonzero(slices[:, index])).max() > 1
        for index in np.flatnonzero(slices.sum(axis=0) > 1)
    )
    content = _Content(segments, slices, lambda n, index: masks[n][index], overlap)
    return _object(report, name, picture, header, content, kind, drawing)


def _drawn(report: Report, drawing: Drawing) -> _Content:
    """The labels of a mask as segments; no mask of one label alone is ever made, as there may be a hundred."""
    mask = drawing.mask
    array = np.reshape(mask.array, (-1, *mask.array.shape[-2:]))
    labels = list(mask.labels)
    slices = np.zeros((len(labels), len(array)), bool)
    row = {label: n for n, label in enumerate(labels)}
    for index, plane in enumerate(array):
        for label in np.flatnonzero(np.bincount(plane.ravel())).tolist():
            if label and label not in row:
                raise CannotHold(
                    f"The mask holds the label {label}, which has no name.", remedy="Name every label of the mask."
                )
            if label:
                slices[row[label], index] = True
    findings = {f.label: f for f in reversed(report.findings) if f.picture == drawing.picture}
    segments = []
    for n, (label, called) in enumerate(mask.labels.items()):
        finding: Finding | None = findings.get(label)
        segments.append(
            _segment(
                report,
                n + 1,
                finding.name if finding else called,
                finding.code if finding else None,
                tracking_uid(report, drawing.picture, label),
                colour_of(label),
            )
        )
    return _Content(segments, slices, lambda n, index: array[index] == labels[n], overlap=False)


def _object(
    report: Report, name: str, picture: Picture, header: "Dataset", content: _Content, kind: str, drawing: int
) -> "Dataset":
    from pydicom import Dataset

    if kind == "labelmap" and content.overlap:
        raise CannotHold(
            "The segments overlap, and a label map has one label a voxel.", remedy="Ask for a binary segmentation."
        )
    origins = slice_origins(picture, name)
    what = "SEG" if kind == "binary" else "label map"
    dataset = begin_object(
        header,
        report,
        sop_class=SEGMENTATION if kind == "binary" else LABEL_MAP,
        modality="SEG",
        what=what,
        number=(SERIES_NUMBER if kind == "binary" else LABEL_MAP_SERIES_NUMBER) + drawing,
    )
    if kind == "binary":
        dataset.SeriesInstanceUID, dataset.SOPInstanceUID = segmentation_uids(report, drawing)
    else:
        dataset.SeriesInstanceUID = uid_of(report.uid, what, "series", str(drawing + 1))
        dataset.SOPInstanceUID = uid_of(report.uid, what, str(drawing + 1))
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    add_content(dataset, header, "SEGMENTATION", f"Outlined by {_maker(report)[0]}")
    add_references(dataset, picture, origins)
    add_place(dataset, picture, header)
    dataset.SegmentsOverlap = "YES" if content.overlap else "NO"
    used = np.flatnonzero(content.slices.any(axis=0))
    rank = {int(index): n + 1 for n, index in enumerate(used)}
    on_slice = {int(index): slice_group(picture, int(index), origins[index], SEGMENTED) for index in used}
    flat = not isinstance(picture, Volume)
    dimensions = f"{what} {drawing + 1}"
    frames = []
    if kind == "binary":
        dataset.SegmentationType = "BINARY"
        dataset.SegmentSequence = content.segments
        add_dimensions(dataset, report, dimensions, (SEGMENT,) if flat else (SEGMENT, POSITION))
        planes = []
        for segment, index in np.argwhere(content.slices).tolist():
            place = [segment + 1] if flat else [segment + 1, rank[index]]
            frame, identity = frame_group(on_slice[index], place), Dataset()
            identity.ReferencedSegmentNumber = segment + 1
            frame.SegmentIdentificationSequence = [identity]
            frames.append(frame)
            planes.append(content.pixels(segment, index))
        raw, bits = _packed(planes), 1
    else:
        dataset.SegmentationType = "LABELMAP"
        dataset.SegmentSequence = [_background(), *content.segments]
        dataset.PixelPaddingValue = 0
        add_dimensions(dataset, report, dimensions, (LABEL,) if flat else (POSITION,))
        frames = [frame_group(on_slice[index], [rank[index]]) for index in on_slice]
        raw, bits = _label_map(content, list(on_slice), picture.array.shape)
    dataset.PerFrameFunctionalGroupsSequence = frames
    dataset.NumberOfFrames = len(frames)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = picture.array.shape[1:3] if not flat else picture.array.shape[:2]
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit, dataset.PixelRepresentation = bits - 1, 0
    dataset.PixelData = raw + b"\0" * (len(raw) % 2)
    dataset["PixelData"].VR = "OW" if bits == 16 else "OB"
    return dataset


def _packed(planes: list[Array]) -> bytes:
    """Eight pixels a byte, the first in the lowest bit; frames follow each other without a gap (PS3.5 8.1.1)."""
    if planes[0].size % 8 == 0:
        return b"".join(np.packbits(plane, bitorder="little").tobytes() for plane in planes)
    return np.packbits(np.concatenate([plane.ravel() for plane in planes]), bitorder="little").tobytes()


def _label_map(content: _Content, used: list[int], shape: tuple[int, ...]) -> tuple[bytes, int]:
    """(label numbers of the used slices, bits of each)"""
    wide = len(content.segments) > 255
    size = shape[-2:] if len(content.slices[0]) > 1 or len(shape) == 3 else shape[:2]
    parts = []
    for index in used:
        plane = np.zeros(size, "<u2" if wide else "u1")
        for segment in np.flatnonzero(content.slices[:, index]).tolist():
            plane[content.pixels(segment, index)] = segment + 1
        parts.append(plane.tobytes())
    return b"".join(parts), 16 if wide else 8


def _segment(
    report: Report, number: int, name: str, code: Code | None, tracking: str, colour: tuple[int, int, int]
) -> "Dataset":
    from pydicom import Dataset

    model, version = _maker(report)
    category, kind = coding_of(english(name), code)
    item, algorithm = Dataset(), Dataset()
    item.SegmentNumber = number
    item.SegmentLabel = name[:64]
    item.SegmentDescription = say("page.notice")
    given = bool(report.models) and report.models[0].given
    # Who drew what came with the request is not known; a person had a part in it.
    item.SegmentAlgorithmType = "SEMIAUTOMATIC" if given else "AUTOMATIC"
    item.SegmentAlgorithmName = model
    if not given:
        algorithm.AlgorithmFamilyCodeSequence = [code_item("123110", "DCM", "Artificial Intelligence")]
        algorithm.AlgorithmName, algorithm.AlgorithmVersion = model, version
        item.SegmentationAlgorithmIdentificationSequence = [algorithm]
    item.SegmentedPropertyCategoryCodeSequence = [code_item(category.value, category.scheme, category.meaning)]
    item.SegmentedPropertyTypeCodeSequence = [code_item(kind.value, kind.scheme, kind.meaning)]
    item.TrackingID, item.TrackingUID = name, tracking
    item.RecommendedDisplayCIELabValue = to_cielab(colour)
    return item


def _background() -> "Dataset":
    """Label maps list what lies around everything as a segment too."""
    from pydicom import Dataset

    item = Dataset()
    item.SegmentNumber, item.SegmentLabel = 0, "Background"
    item.SegmentAlgorithmType = "MANUAL"
    item.SegmentedPropertyCategoryCodeSequence = [code_item("309825002", "SCT", "Spatial and Relational Concept")]
    item.SegmentedPropertyTypeCodeSequence = [code_item("125040", "DCM", "Background")]
    return item


def coding_of(name: str, code: Code | None) -> tuple[Code, Code]:
    """(category, type) of a segment. Without a code, words of the name tell a lesion; the rest is tissue.

    >>> coding_of("Liver", Code("10200004", "SCT", "Liver"))[0].meaning, coding_of("Lung lesions", None)[1].meaning
    ('Anatomical Structure', 'Lesion')
    >>> coding_of("organ", None)[1].meaning
    'Tissue'
    """
    if code is not None:
        return (CHANGED if code.value in _CHANGED_CODES else ANATOMY), code
    words = name.lower().replace("_", " ").replace("-", " ").replace(",", " ").split()
    for known, kind in _NAMED:
        if any(word in known for word in words):
            return CHANGED, kind
    return TISSUE, TISSUE


def _maker(report: Report) -> tuple[str, str]:
    """(name, version) of what drew, in 64 letters each."""
    if report.models:
        return report.models[0].name[:64], report.models[0].version[:64]
    return MODEL_NAME, report.software[:64]

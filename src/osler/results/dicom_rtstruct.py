"""What was outlined, as a radiotherapy structure set: contours on the slices that were read.

Contours run along the faces of the voxels, so that the area is theirs; holes are joined to the outline by keyholes
(PS3.3 C.8.8.6.3), which planning systems fill alike. Nobody has approved them: UNAPPROVED, until a person does.

Sources: DICOM PS3.3 A.19, C.8.8.5, C.8.8.6, C.8.8.8 and C.8.8.16 (Approval); AAPM TG-263 (names,
Mayo et al. 2018): only those that the table knows are used, and no side is guessed.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from osler.core.errors import CannotHold
from osler.core.origin import Origin
from osler.core.report import Drawing, Report
from osler.core.study import Study
from osler.core.volume import Volume
from osler.imaging.contours import trace
from osler.imaging.overlay import colour_of
from osler.io.dicom.encode import decimal_string, save_dataset, uid_of
from osler.io.dicom.parse import text
from osler.io.dicom.structures import RTSTRUCT
from osler.results.dicom_frames import check_on, reference, slice_origins
from osler.results.dicom_object import (
    begin_object,
    code_item,
    folder_file,
    frame_of_reference,
    source_header,
    tracking_uid,
)
from osler.results.dicom_seg import ANATOMY, Outlined, coding_of
from osler.results.sentences import english, say

if TYPE_CHECKING:
    from pydicom import Dataset

    from osler.core.contours import Contour

SERIES_NUMBER = 9051
ALGORITHMS = ("AUTOMATIC", "SEMIAUTOMATIC", "MANUAL")
_STUDY_CLASS = "1.2.840.10008.3.1.2.3.1"  # Detached Study Management: retired, and what everybody writes here
_NEOPLASMS = frozenset({"108369006", "86049000"})
_DIGITS = 4  # of a millimetre

# What people and models call an organ -> (TG-263's name, with the side, of both sides); lower case, no side.
_TG263 = {
    "bladder": ("Bladder", "", ""),
    "brain": ("Brain", "", ""),
    "brainstem": ("Brainstem", "", ""),
    "brain stem": ("Brainstem", "", ""),
    "breast": ("", "Breast", "Breasts"),
    "eye": ("", "Eye", "Eyes"),
    "esophagus": ("Esophagus", "", ""),
    "oesophagus": ("Esophagus", "", ""),
    "gallbladder": ("Gallbladder", "", ""),
    "heart": ("Heart", "", ""),
    "hippocampus": ("", "Hippocampus", "Hippocampi"),
    "kidney": ("", "Kidney", "Kidneys"),
    "kidneys": ("", "", "Kidneys"),
    "lens": ("", "Lens", ""),
    "liver": ("Liver", "", ""),
    "lung": ("", "Lung", "Lungs"),
    "lungs": ("", "", "Lungs"),
    "mandible": ("Bone_Mandible", "", ""),
    "optic nerve": ("", "OpticNrv", ""),
    "pancreas": ("Pancreas", "", ""),
    "parotid": ("", "Parotid", "Parotids"),
    "prostate": ("Prostate", "", ""),
    "rectum": ("Rectum", "", ""),
    "spinal cord": ("SpinalCord", "", ""),
    "spleen": ("Spleen", "", ""),
    "stomach": ("Stomach", "", ""),
    "thyroid": ("Glnd_Thyroid", "", ""),
    "trachea": ("Trachea", "", ""),
}
_SIDES = {"left": "_L", "l": "_L", "right": "_R", "r": "_R"}


def write_rtstruct(report: Report, study: Study, folder: Path) -> tuple[Path, ...]:
    """Write one structure set, a series of its own, for each drawing in which something was outlined on slices.

    Structures are the labels of the mask in their order, numbered as the mask numbers them; a label that was not
    found is a structure without contours.

    Raises CannotHold when nothing was outlined, the study is not DICOM or the picture is flat, BadGeometry when a
    mask does not lie on its picture's grid, NoRoom when the disk is full.
    """
    given = bool(report.models) and report.models[0].given
    made = []
    flat = 0
    for index, drawing in enumerate(report.drawings):
        if not drawing.mask.array.any():
            continue
        picture = study.pictures[drawing.picture]
        if not isinstance(picture, Volume):
            flat += 1
            continue
        check_on(drawing.mask, picture, study.name)
        header = source_header(study, drawing.picture)
        dataset = structure_set_object(
            report,
            study.name,
            picture,
            _drawn(report, drawing),
            header=header,
            drawing=index,
            # Who drew what came with the request is not known; a person had a part in it.
            algorithm="SEMIAUTOMATIC" if given else "AUTOMATIC",
        )
        made.append((dataset, folder_file(folder, "rtstruct", index + 1)))
    if not made:
        raise CannotHold(
            "What was outlined lies on flat pictures, which have no place in the patient."
            if flat
            else "Nothing was outlined, so that there is nothing for a structure set to show.",
            remedy="Ask for seg, sr, json, html, pdf or fhir.",
        )
    for dataset, path in made:
        save_dataset(dataset, path)
    return tuple(path for _, path in made)


def structure_set_object(
    report: Report,
    name: str,
    picture: Volume,
    outlined: Sequence[Outlined],
    *,
    header: "Dataset",
    drawing: int = 0,
    algorithm: str = "AUTOMATIC",
) -> "Dataset":
    """A structure set of masks that may overlap, numbered from 1 in their order.

    name       of the study, for messages
    header     of one of the picture's files: whose it is, which study, and the frame of reference
    drawing    which of the report's structure sets it is: objects of one report differ in it
    algorithm  how they were made: "AUTOMATIC", "SEMIAUTOMATIC" or "MANUAL"

    Raises CannotHold where slices do not say which DICOM image they came from, or have no frame of reference.
    """
    from pydicom import Dataset

    origins = slice_origins(picture, name)
    frame = frame_of_reference(header)
    if not frame:
        raise CannotHold(
            "The images have no frame of reference, which contours must name.",
            remedy="Ask the archive for the original series.",
        )
    dataset = begin_object(
        header, report, sop_class=RTSTRUCT, modality="RTSTRUCT", what="RTSTRUCT", number=SERIES_NUMBER + drawing
    )
    if drawing:
        dataset.SeriesInstanceUID = uid_of(report.uid, "RTSTRUCT", "series", str(drawing + 1))
        dataset.SOPInstanceUID = uid_of(report.uid, "RTSTRUCT", str(drawing + 1))
    dataset.OperatorsName = ""
    dataset.FrameOfReferenceUID = frame
    dataset.PositionReferenceIndicator = text(header, "PositionReferenceIndicator")
    dataset.StructureSetLabel = f"AI {drawing + 1}" if algorithm == "AUTOMATIC" else f"Osler {drawing + 1}"
    dataset.StructureSetDescription = say("page.notice")
    dataset.StructureSetDate, dataset.StructureSetTime = dataset.ContentDate, dataset.ContentTime
    for keyword in ("ContentDate", "ContentTime"):
        del dataset[keyword]  # a structure set has its own
    dataset.ReferencedFrameOfReferenceSequence = [_frame(frame, picture, origins, header)]
    dataset.StructureSetROISequence = []
    dataset.ROIContourSequence = []
    dataset.RTROIObservationsSequence = []
    names: set[str] = set()
    for number, one in enumerate(outlined, start=1):
        roi, lines, seen = Dataset(), Dataset(), Dataset()
        roi.ROINumber = lines.ReferencedROINumber = seen.ReferencedROINumber = seen.ObservationNumber = number
        roi.ReferencedFrameOfReferenceUID = frame
        roi.ROIName = _unlike(tg263_name(english(one.name))[:64], names)
        roi.ROIDescription = one.name
        roi.ROIGenerationAlgorithm = algorithm
        roi.ROIVolume = decimal_string(round(float(one.there.sum()) * picture.geometry.voxel_ml, 6))
        contours = trace(one.there, picture.geometry, origins)
        lines.ROIDisplayColor = list(one.colour)
        if contours:
            lines.SourcePixelPlanesCharacteristicsSequence = [_planes(picture, contours[0].thickness_mm or 0.0)]
            lines.ContourSequence = _lines(contours, origins)
        category, kind = coding_of(english(one.name), one.code)
        seen.RTROIInterpretedType = "ORGAN" if category == ANATOMY else "GTV" if kind.value in _NEOPLASMS else ""
        seen.ROIInterpreter = ""
        seen.RTROIIdentificationCodeSequence = [code_item(kind.value, kind.scheme, kind.meaning)]
        dataset.StructureSetROISequence.append(roi)
        dataset.ROIContourSequence.append(lines)
        dataset.RTROIObservationsSequence.append(seen)
    dataset.ApprovalStatus = "UNAPPROVED"
    return dataset


def tg263_name(name: str) -> str:
    """The standard name of an organ, where the table knows it and the name says no more; else the name itself.

    >>> tg263_name("left lung"), tg263_name("Lung, right"), tg263_name("kidney"), tg263_name("Spinal cord")
    ('Lung_L', 'Lung_R', 'Kidneys', 'SpinalCord')
    >>> tg263_name("Hippocampus, anterior"), tg263_name("optic nerve")
    ('Hippocampus, anterior', 'optic nerve')
    """
    words = name.lower().replace("_", " ").replace(",", " ").replace("-", " ").split()
    sides = {_SIDES[word] for word in words if word in _SIDES}
    single, one_side, both = _TG263.get(" ".join(word for word in words if word not in _SIDES), ("", "", ""))
    if len(sides) == 1 and one_side:
        return one_side + sides.pop()
    return (single or both or name) if not sides else name


def _drawn(report: Report, drawing: Drawing) -> list[Outlined]:
    findings = {one.label: one for one in reversed(report.findings) if one.picture == drawing.picture}
    outlined = []
    for label, called in drawing.mask.labels.items():
        finding = findings.get(label)
        outlined.append(
            Outlined(
                finding.name if finding else called,
                drawing.mask.of(label),
                tracking_uid(report, drawing.picture, label),
                finding.code if finding else None,
                colour_of(label),
            )
        )
    return outlined


def _frame(frame: str, picture: Volume, origins: Sequence[Origin], header: "Dataset") -> "Dataset":
    """The frame of reference, and in it every image of the series that was read."""
    from pydicom import Dataset

    series, study, item = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = picture.series_uid
    series.ContourImageSequence = [_image(origin) for origin in origins]
    study.ReferencedSOPClassUID = _STUDY_CLASS
    study.ReferencedSOPInstanceUID = text(header, "StudyInstanceUID")
    study.RTReferencedSeriesSequence = [series]
    item.FrameOfReferenceUID = frame
    item.RTReferencedStudySequence = [study]
    return item


def _image(origin: Origin) -> "Dataset":
    item = reference(origin)
    if origin.frame is not None:
        item.ReferencedFrameNumber = origin.frame
    return item


def _lines(contours: "Sequence[Contour]", origins: Sequence[Origin]) -> "list[Dataset]":
    from pydicom import Dataset

    images = {(origin.instance_uid, origin.frame): origin for origin in origins}
    items = []
    for number, contour in enumerate(contours, start=1):
        item = Dataset()
        item.ContourImageSequence = [_image(images[contour.instance_uid, contour.frame])]
        item.ContourGeometricType = contour.kind
        item.ContourNumber = number
        item.NumberOfContourPoints = len(contour.points)
        item.ContourData = [f"{x:.{_DIGITS}f}".rstrip("0").rstrip(".") for x in contour.points.ravel()]
        items.append(item)
    return items


def _planes(picture: Volume, apart_mm: float) -> "Dataset":
    """The grid that the contours came from, so that a gap between two of them is known to be one (C.8.8.6.1)."""
    from pydicom import Dataset

    spacing, affine = picture.geometry.spacing, picture.geometry.affine
    item = Dataset()
    item.PixelSpacing = [decimal_string(spacing[1]), decimal_string(spacing[2])]
    item.SpacingBetweenSlices = decimal_string(apart_mm)
    item.ImageOrientationPatient = [
        decimal_string(x) for x in (*(affine[:3, 2] / spacing[2]), *(affine[:3, 1] / spacing[1]))
    ]
    item.ImagePositionPatient = [decimal_string(x) for x in affine[:3, 3]]
    item.NumberOfFrames, item.Rows, item.Columns = picture.geometry.shape
    return item


def _unlike(name: str, names: set[str]) -> str:
    """A name that no structure of the set has yet."""
    fresh, again = name, 2
    while fresh in names:
        fresh, again = f"{name[:60]} {again}", again + 1
    names.add(fresh)
    return fresh

"""What each kind of DICOM object is called, and whether it is a picture of a patient.

Source: DICOM PS3.4, table B.5-1 (standard SOP classes) and PS3.6, table A-1.
"""

from dataclasses import dataclass

from osler.io.dicom.parse import Headed, kind_of, number, text

_STORAGE = "1.2.840.10008.5.1.4.1.1."


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object.

    name     what a person calls it
    picture  pixels of a patient that are read whole; the rest tells of pictures, or is opened by regions
    """

    name: str
    picture: bool = False


# SOP Class UID behind 1.2.840.10008.5.1.4.1.1.
KINDS: dict[str, Kind] = {
    "1": Kind("radiograph (CR)", True),
    "1.1": Kind("radiograph (DX)", True),
    "1.1.1": Kind("radiograph (DX), for processing", True),
    "1.2": Kind("mammogram (MG)", True),
    "1.2.1": Kind("mammogram (MG), for processing", True),
    "1.3": Kind("intra-oral radiograph", True),
    "1.3.1": Kind("intra-oral radiograph, for processing", True),
    "2": Kind("CT slice", True),
    "2.1": Kind("enhanced CT", True),
    "2.2": Kind("legacy converted enhanced CT", True),
    "3.1": Kind("ultrasound clip", True),
    "3": Kind("ultrasound clip", True),
    "4": Kind("MR slice", True),
    "4.1": Kind("enhanced MR", True),
    "4.2": Kind("MR spectroscopy"),
    "4.3": Kind("enhanced MR, colour", True),
    "4.4": Kind("legacy converted enhanced MR", True),
    "6": Kind("ultrasound still", True),
    "6.1": Kind("ultrasound still", True),
    "6.2": Kind("ultrasound volume", True),
    "7": Kind("secondary capture", True),
    "7.1": Kind("secondary capture, one bit", True),
    "7.2": Kind("secondary capture, frames", True),
    "7.3": Kind("secondary capture, frames", True),
    "7.4": Kind("secondary capture, frames in colour", True),
    "9.1.1": Kind("12-lead ECG"),
    "9.1.2": Kind("ECG"),
    "9.1.3": Kind("ambulatory ECG"),
    "9.2.1": Kind("haemodynamic waveform"),
    "9.3.1": Kind("electrophysiology waveform"),
    "9.4.1": Kind("voice audio"),
    "9.5.1": Kind("arterial pulse waveform"),
    "9.6.1": Kind("respiratory waveform"),
    "11.1": Kind("presentation state, grey (PR)"),
    "11.2": Kind("presentation state, colour (PR)"),
    "11.3": Kind("presentation state, pseudo-colour (PR)"),
    "11.4": Kind("presentation state, blending (PR)"),
    "12.1": Kind("angiogram (XA)", True),
    "12.1.1": Kind("enhanced angiogram (XA)", True),
    "12.2": Kind("fluoroscopy (RF)", True),
    "12.2.1": Kind("enhanced fluoroscopy (RF)", True),
    "13.1.1": Kind("3-D X-ray angiogram", True),
    "13.1.2": Kind("3-D X-ray, skull and teeth", True),
    "13.1.3": Kind("breast tomosynthesis", True),
    "13.1.4": Kind("breast projection", True),
    "13.1.5": Kind("breast projection, for processing", True),
    "14.1": Kind("intravascular OCT", True),
    "14.2": Kind("intravascular OCT, for processing", True),
    "20": Kind("nuclear medicine (NM)", True),
    "30": Kind("parametric map"),
    "66": Kind("raw data"),
    "66.1": Kind("spatial registration"),
    "66.2": Kind("spatial fiducials"),
    "66.3": Kind("deformable registration"),
    "66.4": Kind("segmentation (SEG)"),
    "66.5": Kind("surface segmentation"),
    "66.6": Kind("tractography"),
    "66.7": Kind("segmentation (SEG), label map"),
    "67": Kind("real world value mapping"),
    "77.1.1": Kind("endoscopy", True),
    "77.1.1.1": Kind("endoscopy clip", True),
    "77.1.2": Kind("light microscopy", True),
    "77.1.2.1": Kind("light microscopy clip", True),
    "77.1.3": Kind("slide-coordinates microscopy", True),
    "77.1.4": Kind("photograph", True),
    "77.1.4.1": Kind("photographic clip", True),
    "77.1.5.1": Kind("ophthalmic photograph", True),
    "77.1.5.2": Kind("ophthalmic photograph, 16 bits", True),
    "77.1.5.4": Kind("ophthalmic tomogram (OCT)", True),
    "77.1.6": Kind("whole slide (SM)"),
    "77.1.7": Kind("dermoscopy photograph", True),
    "88.11": Kind("structured report (SR), basic text"),
    "88.22": Kind("structured report (SR), enhanced"),
    "88.33": Kind("structured report (SR), comprehensive"),
    "88.34": Kind("structured report (SR), comprehensive 3-D"),
    "88.35": Kind("structured report (SR), extensible"),
    "88.40": Kind("procedure log"),
    "88.50": Kind("mammography CAD report (SR)"),
    "88.59": Kind("key object selection (KO)"),
    "88.65": Kind("chest CAD report (SR)"),
    "88.67": Kind("X-ray dose report (SR)"),
    "88.68": Kind("radiopharmaceutical dose report (SR)"),
    "88.69": Kind("colon CAD report (SR)"),
    "88.71": Kind("acquisition context report (SR)"),
    "91.1": Kind("microscopy annotations"),
    "104.1": Kind("PDF document"),
    "104.2": Kind("CDA document"),
    "104.3": Kind("STL model"),
    "128": Kind("PET slice", True),
    "128.1": Kind("legacy converted enhanced PET", True),
    "130": Kind("enhanced PET", True),
    "481.1": Kind("RT image", True),
    "481.2": Kind("radiotherapy dose (RTDOSE)"),
    "481.3": Kind("radiotherapy structures (RTSTRUCT)"),
    "481.4": Kind("radiotherapy treatment record"),
    "481.5": Kind("radiotherapy plan (RTPLAN)"),
    "481.6": Kind("radiotherapy treatment record"),
    "481.7": Kind("radiotherapy treatment record"),
    "481.8": Kind("ion plan (RTPLAN)"),
    "481.9": Kind("radiotherapy treatment record"),
}
SEGMENTATION, LABEL_MAP = _STORAGE + "66.4", _STORAGE + "66.7"
STRUCTURES, DOSE = _STORAGE + "481.3", _STORAGE + "481.2"
PARAMETRIC_MAP, WHOLE_SLIDE = _STORAGE + "30", _STORAGE + "77.1.6"
MR_SLICE = _STORAGE + "4"
_TYPES = {"BINARY": "binary", "FRACTIONAL": "fractional", "LABELMAP": "label map"}
# Modalities of objects that carry pixels but say something about another picture.
_NO_PICTURES = ("SEG", "RTDOSE", "RWV", "PR", "SR", "REG", "KO", "DOC", "ANN", "M3D")


def kind_in_words(header: Headed) -> str:
    """What a person calls this object: "CT slice", "segmentation (SEG), binary"."""
    uid = text(header, "SOPClassUID")
    known = KINDS.get(uid.removeprefix(_STORAGE))
    if known is None or not uid.startswith(_STORAGE):
        return "DICOMDIR" if "DirectoryRecordSequence" in header else kind_of(header)
    name = known.name
    if uid == SEGMENTATION:
        said = _TYPES.get(text(header, "SegmentationType").upper())
        return f"{name}, {said}" if said else name
    if name == "ultrasound clip" and (number(header, "NumberOfFrames") or 1) == 1:
        return "ultrasound still"
    return name


def is_image(header: Headed) -> bool:
    """Is it a picture of a patient, not a report, a structure, a dose, a plan, or a whole slide?"""
    if not (number(header, "Rows") and number(header, "Columns")):
        return False
    uid = text(header, "SOPClassUID")
    known = KINDS.get(uid.removeprefix(_STORAGE)) if uid.startswith(_STORAGE) else None
    if known is not None and not known.picture:
        return False
    return text(header, "Modality").upper() not in _NO_PICTURES

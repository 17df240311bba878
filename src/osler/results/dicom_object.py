"""What every DICOM object that a reading makes has in common: whose it is, which study, and who made it.

Sources: DICOM PS3.3 C.7.1.1 (Patient), C.7.2.1 (General Study), C.7.2.2 (Patient Study), C.7.3.1 (General Series),
C.7.5.1 and C.7.5.2 (Equipment), C.12.1 (SOP Common).
"""

import re
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from osler.core.errors import CannotHold
from osler.core.origin import Origin
from osler.core.report import Report
from osler.core.study import Picture, Study
from osler.core.volume import Volume
from osler.io.dicom.encode import IMPLEMENTATION_CLASS_UID, PATIENT_AND_STUDY, uid_of
from osler.io.dicom.parse import read_header, text
from osler.results.sentences import say

if TYPE_CHECKING:
    from pydicom import DataElement, Dataset

MANUFACTURER = "Osler"
MODEL_NAME = "Osler"

_WHERE_SAID = (
    "TimezoneOffsetFromUTC",
    "IssuerOfPatientID",
    "StudyDescription",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
)

_IDENTITY = ("PatientName", "PatientID", "IssuerOfPatientID", "AccessionNumber", "StudyInstanceUID")


def origins_of(picture: Picture) -> tuple[Origin, ...]:
    """The DICOM object of each slice, or of the image; () for other files."""
    if isinstance(picture, Volume):
        return picture.origins
    return (picture.origin,) if picture.origin is not None else ()


def source_header(study: Study, picture: int = 0) -> "Dataset":
    """The header that results copy the patient and the study from: of the first slice of a picture.

    Raises CannotHold when the picture did not come from DICOM, Unreadable when its file is gone.
    """
    origins = origins_of(study.pictures[picture]) if picture < len(study.pictures) else ()
    if not origins:
        raise CannotHold(
            f"{study.name} is not DICOM: there is no patient and no study to file a DICOM result under.",
            remedy="Read the DICOM study, or ask for json, html, pdf or fhir.",
        )
    return read_header(origins[0].path)


def begin_object(
    source: "Dataset", report: Report, *, sop_class: str, modality: str, what: str, number: int, instance: int = 1
) -> "Dataset":
    """A new object in the study of `source`: patient, study, series, equipment; the rest is its writer's.

    what      the kind of result in a word, "SEG": each kind is a series of its own in each reading
    number    Series Number, 9000 and up so that results stand behind the images
    instance  Instance Number; objects of one series differ in it
    """
    from pydicom import Dataset

    dataset = Dataset()
    # Ours, whatever the source used: a model's or a finding's name may not fit into the source's letters.
    dataset.SpecificCharacterSet = "ISO_IR 192"
    _copy(source, dataset)
    day, clock = _moment(source, report)
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = uid_of(report.uid, what, str(instance))
    dataset.InstanceCreationDate, dataset.InstanceCreationTime = day, clock
    dataset.InstanceCreatorUID = IMPLEMENTATION_CLASS_UID
    dataset.Modality = modality
    dataset.SeriesInstanceUID = uid_of(report.uid, what)
    dataset.SeriesNumber, dataset.InstanceNumber = number, instance
    dataset.SeriesDate, dataset.SeriesTime = day, clock
    dataset.ContentDate, dataset.ContentTime = day, clock
    dataset.SeriesDescription = series_description(report, what)
    add_equipment(dataset, report)
    return dataset


def tracking_uid(report: Report, picture: int, label: int) -> str:
    """The UID by which every object of this reading speaks of the same outlined thing (PS3.16 TID 1501).

    picture, label  of the study's picture, and of the mask drawn on it
    """
    return uid_of(report.uid, "tracking", str(picture), str(label))


def segmentation_uids(report: Report, drawing: int) -> tuple[str, str]:
    """(Series, SOP Instance UID) of the segmentation object that holds a drawing, for whoever refers to it.

    drawing  index in the report's drawings; each has a series of its own, as viewers show one object of a series
    """
    number = str(drawing + 1)
    series = ("SEG",) if drawing == 0 else ("SEG", "series", number)
    return uid_of(report.uid, *series), uid_of(report.uid, "SEG", number)


def _copy(source: "Dataset", dataset: "Dataset") -> None:
    """Patient and study of `source`, letter by letter, save what no writer could write."""
    with suppress(Exception):  # pydicom raises many kinds for letters that are not what the header promises
        source.decode()  # to text, which is then written in the letters of the new object
    for keyword in (*PATIENT_AND_STUDY, *_WHERE_SAID):
        element = _writable(source, keyword)
        if element is not None:
            dataset[keyword] = element
        elif keyword in PATIENT_AND_STUDY:
            setattr(dataset, keyword, "")


def _writable(source: "Dataset", keyword: str) -> "DataElement | None":
    """The element, None where it is absent or breaks its own type. Identity goes along as it is, however long: an
    archive files by it."""
    from pydicom import config
    from pydicom.valuerep import validate_value

    if keyword not in source:
        return None
    try:
        element = source[keyword]
        if element.VR == "SQ" or keyword in _IDENTITY:
            return element
        for value in element.value if element.VM > 1 else [element.value]:
            validate_value(element.VR, str(value), config.RAISE)
    except Exception:  # pydicom converts values only when asked, and raises many kinds for what it cannot convert
        return None
    return element


def _moment(source: "Dataset", report: Report) -> tuple[str, str]:
    """DICOM's date and time of the reading, in the hospital's zone as all other times of the study are."""
    made = datetime.fromisoformat(report.created) if report.created else datetime.now().astimezone()
    said = re.fullmatch(r"([+-])(\d\d)(\d\d)", text(source, "TimezoneOffsetFromUTC"))
    if said:
        minutes = int(said[2]) * 60 + int(said[3])
        made = made.astimezone(timezone(timedelta(minutes=-minutes if said[1] == "-" else minutes)))
    else:
        made = made.astimezone()  # the machine stands in the hospital
    return made.strftime("%Y%m%d"), made.strftime("%H%M%S")


def series_description(report: Report, what: str) -> str:
    """What a worklist shows: the model and its version, in 64 characters (LO)."""
    model = f"{report.models[0].name} {report.models[0].version}" if report.models else "declined"
    return f"AI {what}: {model}"[:64]


def add_equipment(dataset: "Dataset", report: Report) -> None:
    """Who made the object: Osler, and each model as contributing equipment (109102, Processing Equipment)."""
    from pydicom import Dataset

    dataset.Manufacturer, dataset.ManufacturerModelName = MANUFACTURER, MODEL_NAME
    dataset.DeviceSerialNumber, dataset.SoftwareVersions = "0", report.software
    models = []
    for model in report.models:
        item = Dataset()
        item.PurposeOfReferenceCodeSequence = [code_item("109102", "DCM", "Processing Equipment")]
        item.Manufacturer, item.ManufacturerModelName = MANUFACTURER, model.name[:64]
        item.SoftwareVersions = model.version[:64]
        item.DeviceSerialNumber = model.digest[:64]
        item.ContributionDescription = say("page.notice")
        models.append(item)
    if models:
        dataset.ContributingEquipmentSequence = models


def code_item(value: str, scheme: str, meaning: str) -> "Dataset":
    """One item of a code sequence (PS3.3 section 8.8); a value beyond 16 letters is a Long Code Value."""
    from pydicom import Dataset

    item = Dataset()
    if len(value) > 16:
        item.LongCodeValue = value
    else:
        item.CodeValue = value
    item.CodingSchemeDesignator, item.CodeMeaning = scheme, meaning[:64]
    return item


def frame_of_reference(source: "Dataset") -> str:
    """Frame of Reference UID of a source header, "" where it does not say."""
    return text(source, "FrameOfReferenceUID")


def folder_file(folder: Path, what: str, instance: int = 1) -> Path:
    """Where a result goes: "seg.dcm", then "seg-2.dcm"."""
    return folder / (f"{what}.dcm" if instance == 1 else f"{what}-{instance}.dcm")

"""Facts from a DICOM header. Names, numbers and dates of birth stay behind."""

import datetime
from typing import TYPE_CHECKING

from osler.core.facts import Facts
from osler.io.dicom.parse import number, sequence, text

if TYPE_CHECKING:
    from pydicom import Dataset

_YEARS = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
_OLDEST = 130
_TALLEST_M = 2.8  # above it somebody typed centimetres
# SNOMED CT, and SNOMED RT as older devices write it.
_VIEWS = {
    "399162004": "CC",
    "R-10242": "CC",
    "399368009": "MLO",
    "R-10226": "MLO",
    "399352003": "LM",
    "R-10228": "LM",
    "399260004": "ML",
    "R-10224": "ML",
    "399348003": "AP",
    "R-10206": "AP",
    "272479007": "PA",
    "R-40888": "PA",
    "399067008": "LATERAL",
    "R-102CD": "LATERAL",
}


def facts_of(header: "Dataset") -> Facts:
    """What a header says about a picture, without anybody's name. Never raises: what is unusable is left out."""
    sex = text(header, "PatientSex").upper()
    bits = number(header, "BitsStored")
    weight, height = number(header, "PatientWeight"), number(header, "PatientSize")
    words = (text(header, "StudyDescription"), text(header, "SeriesDescription"))
    return Facts(
        modality=text(header, "Modality").upper(),
        body_part=(text(header, "BodyPartExamined") or _region(header)).upper(),
        view=(text(header, "ViewPosition") or _view(header)).upper(),
        laterality=(text(header, "ImageLaterality") or text(header, "Laterality") or _side(header)).upper(),
        sex=sex if sex in ("F", "M", "O") else "",
        age_years=age_years(header),
        manufacturer=text(header, "Manufacturer"),
        device=text(header, "ManufacturerModelName"),
        description=" ".join(word for word in words if word).lower(),
        bits_stored=int(bits) if bits else None,
        # Zero is what devices write when nobody typed a number.
        weight_kg=weight if weight and weight > 0 else None,
        height_m=height if height and 0 < height < _TALLEST_M else None,
    )


def _region(header: "Dataset") -> str:
    """Where newer objects say in codes what was examined: "Chest"; "" where they do not."""
    for place in (header, *_anatomy(header)):
        for item in sequence(place, "AnatomicRegionSequence"):
            return text(item, "CodeMeaning")
    return ""


def _side(header: "Dataset") -> str:
    return next((side for place in _anatomy(header) if (side := text(place, "FrameLaterality"))), "")


def _anatomy(header: "Dataset") -> "list[Dataset]":
    """What the functional groups shared by all frames say of the anatomy (PS3.3 C.7.6.16.2.8)."""
    if "SharedFunctionalGroupsSequence" not in header:
        return []
    shared = sequence(header, "SharedFunctionalGroupsSequence")[:1]
    return [item for group in shared for item in sequence(group, "FrameAnatomySequence")]


def _view(header: "Dataset") -> str:
    """The view of mammography and newer radiographs, which is a code (PS3.16 CID 4014 and 4010)."""
    for item in sequence(header, "ViewCodeSequence"):
        return _VIEWS.get(text(item, "CodeValue"), text(item, "CodeMeaning"))
    return ""


def age_years(header: "Dataset") -> float | None:
    """The patient's age at the study: from PatientAge, else from the dates of birth and study; else None."""
    stated = text(header, "PatientAge").upper()
    if stated[:-1].isdecimal() and stated[-1] in _YEARS:
        age = int(stated[:-1]) * _YEARS[stated[-1]]
        # "000Y" is what many devices write when nobody typed an age.
        if 0 < age <= _OLDEST:
            return age
    born = date_of(text(header, "PatientBirthDate"))
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"):
        day = date_of(text(header, keyword))
        if born and day:
            age = (day - born).days / 365.25
            return age if 0 <= age <= _OLDEST else None
    return None


def date_of(value: str) -> datetime.date | None:
    """A date from DICOM's "20240131", or from the retired "2024.01.31"."""
    digits = value.replace(".", "")[:8]
    try:
        return datetime.datetime.strptime(digits, "%Y%m%d").date() if len(digits) == 8 else None
    except ValueError:
        return None

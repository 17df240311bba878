"""Standardized uptake values of PET, by body weight.

SUVbw = activity [Bq/ml] x weight [g] / dose [Bq], the dose decayed to the time that the voxels refer to.
Source: QIBA's vendor-neutral pseudocode for SUV, and DICOM PS3.3 C.8.9 (PET).
"""

import datetime
from typing import TYPE_CHECKING

from osler.io.dicom.facts import date_of
from osler.io.dicom.parse import number, sequence, text

if TYPE_CHECKING:
    from pydicom import Dataset

_FEWEST_BQ = 1e5
_LONGEST_UPTAKE = datetime.timedelta(days=1)


def suv_factor(headers: "list[Dataset]") -> float | None:
    """What to multiply the rescaled values of a PET series by; None where the headers do not say all it takes.

    headers  of every slice of the series
    """
    first = headers[0]
    units = text(first, "Units").upper()
    if units == "GML":
        return 1.0 if text(first, "SUVType").upper() in ("", "BW") else None
    corrected = text(first, "CorrectedImage").upper()
    if units != "BQML" or not ("ATTN" in corrected and "DECY" in corrected):
        return None
    medicine = _medicine(first)
    weight_kg = number(first, "PatientWeight")
    dose = number(medicine, "RadionuclideTotalDose") if medicine is not None else None
    if medicine is None or not weight_kg or weight_kg <= 0 or not dose or dose <= 0:
        return None
    if dose < _FEWEST_BQ:
        dose *= 1e6  # some devices write MBq; so few becquerels would give no picture
    correction = text(first, "DecayCorrection").upper()
    if correction == "ADMIN":
        return weight_kg * 1000 / dose
    half_life = number(medicine, "RadionuclideHalfLife")
    scan, injection = _scan_start(headers), _injection(first, medicine)
    if correction != "START" or not half_life or half_life <= 0 or scan is None or injection is None:
        return None
    if injection > scan and not text(medicine, "RadiopharmaceuticalStartDateTime"):
        injection -= datetime.timedelta(days=1)  # only the hour is given, and midnight lay between
    uptake = scan - injection
    if not datetime.timedelta(0) <= uptake <= _LONGEST_UPTAKE:
        return None
    return float(weight_kg * 1000 / (dose * 2 ** (-uptake.total_seconds() / half_life)))


def _medicine(header: "Dataset") -> "Dataset | None":
    given = sequence(header, "RadiopharmaceuticalInformationSequence")
    return given[0] if len(given) == 1 else None


def _scan_start(headers: "list[Dataset]") -> datetime.datetime | None:
    """The series' own time; None when the series was made later than its images, for then it is not the scan's."""
    series = _moment(text(headers[0], "SeriesDate"), text(headers[0], "SeriesTime"))
    acquired = [_moment(text(one, "AcquisitionDate"), text(one, "AcquisitionTime")) for one in headers]
    known = [moment for moment in acquired if moment is not None]
    if series is None or len(known) < len(acquired) or series > min(known):
        return None
    return series


def _injection(header: "Dataset", medicine: "Dataset") -> datetime.datetime | None:
    whole = text(medicine, "RadiopharmaceuticalStartDateTime")
    if whole:
        return _moment(whole[:8], whole[8:].split("+")[0].split("-")[0])
    return _moment(text(header, "SeriesDate"), text(medicine, "RadiopharmaceuticalStartTime"))


def _moment(date: str, time: str) -> datetime.datetime | None:
    day, clock = date_of(date), time.replace(":", "")
    if day is None or len(clock) < 4 or not clock[:4].isdecimal():
        return None
    try:
        seconds = float(clock[4:] or 0)
        start = datetime.datetime.combine(day, datetime.time(int(clock[:2]), int(clock[2:4])))
    except ValueError:
        return None
    return start + datetime.timedelta(seconds=seconds)

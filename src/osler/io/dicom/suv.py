"""Standardized uptake values of PET, by body weight; and from there by lean body mass and body surface.

SUVbw = activity [Bq/ml] x weight [g] / dose [Bq], the dose decayed to the time that the voxels refer to. What the
headers do not say is refused with its reason; what had to be assumed is said in `SuvScale.flags`.

Sources: QIBA's vendor-neutral pseudocode for SUV; DICOM PS3.3 C.8.9 (PET) and PS3.16 126401 to 126406 (the kinds
of SUV); the IBSI manual on SUV with its digital reference objects (arXiv 2410.13348 tells how far tools differ).
Lean body mass: James 1976 (with 128; DICOM's plain LBM has the misprint 120 for men), Janmahasatian et al. 2005.
Body surface: Du Bois 1916. Ideal weight: Sugawara et al. 1999.
"""

import datetime
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import NoSuv
from osler.io.dicom.facts import date_of
from osler.io.dicom.parse import Headed, number, numbers, sequence, text

if TYPE_CHECKING:
    from pydicom import Dataset

_MOST_MBQ = 1e5  # a dose that counts less is none in Bq: some devices write MBq
_DOSES_BQ = (1e6, 2e10)  # no patient gets less or more
_WEIGHTS_KG = (0.01, 650.0)  # from a mouse up
_HEIGHTS_M = (0.2, 2.7)
_DAY_SECONDS = 86400.0
_FADED = 10  # half-lives after which nothing is left to measure
_OVER_MIDNIGHT = 6  # half-lives: an hour after the scan's is believed to be of the day before only within these

# Codes of PS3.16 CID 4020, in SNOMED CT and as SNOMED RT spelt them; half-life in seconds as devices write it.
_HALF_LIVES: tuple[tuple[str, tuple[str, ...], float], ...] = (
    ("fluorine-18", ("77004003", "C-111A1"), 6586.2),
    ("carbon-11", ("40565003", "C-105A1"), 1222.0),
    ("nitrogen-13", ("21576001", "C-107A1"), 597.9),
    ("oxygen-15", ("129504001", "C-B1038"), 122.24),
    ("gallium-68", ("35337001", "C-131A3"), 4062.6),
    ("rubidium-82", ("79197006", "C-159A2"), 76.0),
    ("copper-64", ("3932008", "C-127A2"), 45721.0),
    ("zirconium-89", ("63360001", "C-168A4"), 282240.0),
    ("iodine-124", ("40937006", "C-114A5"), 360800.0),
)
_HALF_LIFE_TOLERANCE = 0.02

# Where makers keep the time that the voxels are corrected to: creator, maker, group, element.
_PRIVATE_TIMES = (("GEMS_PETD_01", "GE", 0x0009, 0x0D), ("SIEMENS MED PT", "SIEMENS", 0x0071, 0x22))
_PHILIPS = ("Philips PET Private Group", "PHILIPS", 0x7053)

# What must be the same on every slice, or the headers are not of one scan.
_SHARED = ("Units", "SUVType", "DecayCorrection", "PatientWeight", "SeriesDate", "SeriesTime")


@dataclass(frozen=True, slots=True, eq=False)
class SuvScale:
    """How rescaled values become SUV.

    factors  (n,) one for each header: rescaled value x factor = SUV, in g/ml
    kind     "SUVbw": by body weight
    flags    what was assumed or looks odd, a sentence each; () when the headers say everything
    """

    factors: Array
    kind: str = "SUVbw"
    flags: tuple[str, ...] = ()


def suv_scale(headers: Sequence[Headed], *, name: str = "The PET series") -> SuvScale:
    """What to multiply the rescaled values of a PET series by, a factor for each slice.

    headers  of every slice of the series, in any order: the factors come in the same
    name     of the file or series, for the message

    Raises NoSuv with the exact reason when the headers do not say all it takes.
    """
    if not headers:
        raise _refusal(name, "has no slices", "Give the headers of all its slices.")
    _check_shared(headers, name)
    first = headers[0]
    units = text(first, "Units").upper()
    flags: list[str] = []
    if any(value for one in headers for value in numbers(one, "RescaleIntercept")):
        flags.append("The rescale intercept is not 0, which PET does not expect.")
    if units == "GML":
        _check_corrections(headers, name, flags, already=True)
        return SuvScale(np.full(len(headers), _from_gml(first, name, flags)), flags=tuple(flags))
    if units == "CM2ML":
        _check_corrections(headers, name, flags, already=True)
        weight, height = _weight(first, name), _height(first, name)
        factor = weight * 1000 / (body_surface(weight, height) * 1e4)
        flags.append("SUV by body surface was turned into SUV by body weight.")
        return SuvScale(np.full(len(headers), factor), flags=tuple(flags))
    if units == "CNTS":
        suv = [_philips(one, 0x00) for one in headers]
        activity = [_philips(one, 0x09) for one in headers]
        if all(suv):
            _check_corrections(headers, name, flags, already=True)
            return SuvScale(np.array(suv, float), flags=tuple(flags))
        if not all(activity):
            raise _refusal(
                name,
                "counts (CNTS) and does not say how many make a becquerel",
                "Export it in Bq/ml, or keep Philips' private factors (7053,1000) and (7053,1009).",
            )
        return SuvScale(np.array(activity, float) * _factors(headers, name, flags), flags=tuple(flags))
    if units == "BQML":
        return SuvScale(_factors(headers, name, flags), flags=tuple(flags))
    if units in ("PROPCNTS", "PROPCPS"):
        raise _refusal(name, "is only in proportion to counts (PROPCNTS)", "Export it in Bq/ml.")
    raise _refusal(
        name,
        "does not say its units" if not units else "is in units from which no SUV can be made",
        "Export it in Bq/ml, or as SUV in g/ml.",
    )


def lean_body_factor(header: Headed, *, formula: str = "janmahasatian", name: str = "The PET series") -> float:
    """SUVbw x this = SUVlbm, in g/ml. Weight, height and sex come from the header; `formula` as `lean_body_mass`.

    Raises NoSuv when one of them is missing or cannot be.
    """
    weight = _weight(header, name)
    return lean_body_mass(weight, _height(header, name), _sex(header, name), formula=formula) / weight


def body_surface_factor(header: Headed, *, name: str = "The PET series") -> float:
    """SUVbw x this = SUVbsa, in cm2/ml. Weight and height come from the header.

    Raises NoSuv when one of them is missing or cannot be.
    """
    weight = _weight(header, name)
    return body_surface(weight, _height(header, name)) * 1e4 / (weight * 1000)


def lean_body_mass(weight_kg: float, height_m: float, sex: str, *, formula: str = "janmahasatian") -> float:
    """Kilograms without fat.

    sex      "F" or "M"
    formula  "janmahasatian" (DICOM 126405), "james128" (126406), or "james120" (126402: DICOM's plain LBM)

    James's formulas turn over in heavy patients; they are for comparing with devices that use them.
    Raises NoSuv for another sex, another formula, and for a body that a formula makes no mass of.

    >>> round(lean_body_mass(70, 1.75, "M"), 2), round(lean_body_mass(70, 1.75, "F", formula="james128"), 2)
    (55.86, 51.22)
    """
    known = {"M": 0, "F": 1}
    if sex not in known or not (weight_kg > 0 and height_m > 0):
        raise _refusal("A lean body mass", "needs weight, height and the sex F or M", "Complete the header.")
    man = sex == "M"
    ratio = (weight_kg / (height_m * 100)) ** 2
    bmi = weight_kg / height_m**2
    masses: dict[str, Callable[[], float]] = {
        "janmahasatian": lambda: 9270 * weight_kg / (6680 + 216 * bmi if man else 8780 + 244 * bmi),
        "james128": lambda: 1.10 * weight_kg - 128 * ratio if man else 1.07 * weight_kg - 148 * ratio,
        "james120": lambda: 1.10 * weight_kg - 120 * ratio if man else 1.07 * weight_kg - 148 * ratio,
    }
    if formula not in masses:
        raise _refusal("A lean body mass", f"has no formula '{formula}'", f"Known: {', '.join(sorted(masses))}.")
    mass = masses[formula]()
    if not mass > 0:
        raise _refusal(
            "A lean body mass",
            "below zero comes out of James's formula",
            "Use Janmahasatian's for heavy patients.",
        )
    return float(mass)


def body_surface(weight_kg: float, height_m: float) -> float:
    """Square metres, by Du Bois.

    >>> round(body_surface(70, 1.75), 3)
    1.848
    """
    return float(0.007184 * weight_kg**0.425 * (height_m * 100) ** 0.725)


def _factors(headers: Sequence[Headed], name: str, flags: list[str]) -> Array:
    """g/ml for each Bq/ml, of each slice."""
    _check_corrections(headers, name, flags, already=False)
    first = headers[0]
    weight_g = _weight(first, name) * 1000
    medicine = _medicine(headers, name)
    dose = _dose(medicine, name, flags)
    correction = text(first, "DecayCorrection").upper()
    if correction == "ADMIN":
        return np.full(len(headers), weight_g / dose)
    half_life = _half_life(medicine, name)
    if correction == "START":
        moments = [_scan_start(headers, half_life, name, flags)] * len(headers)
    else:
        moments = [_frame_moment(one, half_life, name) for one in headers]
    injection = _injection(first, medicine, min(moments), half_life, name, flags)
    uptakes = np.array([(moment - injection).total_seconds() for moment in moments])
    if uptakes.max() > _FADED * half_life:
        raise _refusal(
            name,
            f"was injected {uptakes.max() / 3600:.1f} hours before the scan, when nothing would be left",
            "Correct the times of injection and scan.",
        )
    return np.asarray(weight_g / (dose * 2 ** (-uptakes / half_life)))


def _check_shared(headers: Sequence[Headed], name: str) -> None:
    for keyword in _SHARED:
        if len({text(one, keyword) for one in headers}) > 1:
            raise _refusal(
                name, f"says {keyword} otherwise on some slices than on others", "Give one series of one scan."
            )


def _check_corrections(headers: Sequence[Headed], name: str, flags: list[str], *, already: bool) -> None:
    """Attenuation and decay must be corrected for, and both attributes must say the same of decay.

    already  the device has made SUV itself: it may then keep silent of what it corrected, and what it says of
             decay changes nothing
    """
    for header in headers:
        done = text(header, "CorrectedImage").upper()
        correction = text(header, "DecayCorrection").upper()
        if already and not done:
            flags.append("The header does not say what was corrected for; it says that the values are SUV.")
            return
        if "ATTN" not in done:
            raise _refusal(
                name, "is not corrected for attenuation (no ATTN in CorrectedImage)", "Give the corrected series."
            )
        contradiction = ("DECY" in done) != (correction != "NONE")
        if already:  # to which time does not matter any more
            if contradiction and correction:
                flags.append("CorrectedImage and DecayCorrection do not say the same of decay.")
            return
        if correction not in ("START", "ADMIN", "NONE"):
            raise _refusal(
                name,
                "does not say to which time it is decay corrected (DecayCorrection is none of START, ADMIN, NONE)",
                "Export it again with its DecayCorrection.",
            )
        if contradiction:
            raise _refusal(
                name,
                "contradicts itself: CorrectedImage and DecayCorrection do not say the same of decay",
                "Ask the department how it was reconstructed, and correct the header.",
            )


def _from_gml(header: Headed, name: str, flags: list[str]) -> float:
    """From the device's own SUV to SUVbw."""
    kind = text(header, "SUVType").upper()
    if kind in ("", "BW"):
        if not kind:
            flags.append("The header does not say which SUV it is (no SUVType); by body weight was taken.")
        return 1.0
    formulas = {"LBM": "james120", "LBMJAMES128": "james128", "LBMJANMA": "janmahasatian"}
    if kind not in formulas and kind != "IBW":
        raise _refusal(
            name, "is a SUV of a kind that g/ml does not fit (SUVType)", "Export it as SUV by body weight."
        )
    weight, height, sex = _weight(header, name), _height(header, name), _sex(header, name)
    if kind == "IBW":
        mass = 48.0 + 1.06 * (height * 100 - 152) if sex == "M" else 45.5 + 0.91 * (height * 100 - 152)
        if mass <= 0:
            raise _refusal(name, "gives a height for which there is no ideal weight", "Check PatientSize.")
    else:
        mass = lean_body_mass(weight, height, sex, formula=formulas[kind])
    flags.append(
        f"SUV by {'ideal weight' if kind == 'IBW' else 'lean body mass'} was turned into SUV by body weight."
    )
    return weight / mass


def _weight(header: Headed, name: str) -> float:
    weight = number(header, "PatientWeight")
    if not weight:
        raise _refusal(name, "does not say the patient's weight", "Write PatientWeight, in kg, into the header.")
    if not _WEIGHTS_KG[0] <= weight <= _WEIGHTS_KG[1]:
        raise _refusal(name, f"says that the patient weighs {weight:g} kg", "Correct PatientWeight, in kg.")
    return weight


def _height(header: Headed, name: str) -> float:
    height = number(header, "PatientSize")
    if not height:
        raise _refusal(name, "does not say the patient's height", "Write PatientSize, in metres, into the header.")
    if not _HEIGHTS_M[0] <= height <= _HEIGHTS_M[1]:
        raise _refusal(name, f"says that the patient is {height:g} m tall", "Correct PatientSize, in metres.")
    return height


def _sex(header: Headed, name: str) -> str:
    sex = text(header, "PatientSex").upper()
    if sex not in ("F", "M"):
        raise _refusal(
            name, "does not say the patient's sex as F or M", "Correct PatientSex, or use SUV by weight."
        )
    return sex


def _medicine(headers: Sequence[Headed], name: str) -> "Dataset":
    """The one injection, the same on all slices."""
    all_given = [sequence(one, "RadiopharmaceuticalInformationSequence") for one in headers]
    given = all_given[0]
    if len(given) != 1:
        raise _refusal(
            name,
            f"names {len(given)} medicines, and its voxels do not say which they show"
            if given
            else "does not say what was injected (no RadiopharmaceuticalInformationSequence)",
            "Give a scan of one injection, with its header whole.",
        )
    nuclides = sequence(given[0], "RadionuclideCodeSequence")
    if len({text(one, "CodeValue") for one in nuclides}) > 1:
        raise _refusal(name, f"names {len(nuclides)} nuclides of one injection", "Correct the header.")
    for keyword in ("RadionuclideTotalDose", "RadionuclideHalfLife", "RadiopharmaceuticalStartDateTime"):
        if len({tuple(text(item, keyword) for item in items) for items in all_given}) > 1:
            raise _refusal(
                name, f"says {keyword} otherwise on some slices than on others", "Give one series of one scan."
            )
    return given[0]


def _dose(medicine: Headed, name: str, flags: list[str]) -> float:
    """Bq"""
    dose = number(medicine, "RadionuclideTotalDose")
    if dose is None or not dose > 0:
        raise _refusal(
            name,
            "does not say the dose" if dose is None else f"says that the dose was {dose:g}",
            "Write RadionuclideTotalDose, in Bq, into the header.",
        )
    stated = dose
    if dose < _MOST_MBQ:
        dose *= 1e6
        flags.append(f"The dose, {stated:g}, was taken as MBq: so few becquerels give no picture.")
    if not _DOSES_BQ[0] <= dose <= _DOSES_BQ[1]:
        raise _refusal(
            name, f"says that the dose was {stated:g}, which can be neither Bq nor MBq", "Correct it, in Bq."
        )
    return dose


def _half_life(medicine: Headed, name: str) -> float:
    """Seconds; checked against the nuclide where its code is known."""
    half_life = number(medicine, "RadionuclideHalfLife")
    if not half_life or not 0 < half_life < math.inf:
        raise _refusal(
            name, "does not say the half-life", "Write RadionuclideHalfLife, in seconds, into the header."
        )
    codes = {text(one, "CodeValue") for one in sequence(medicine, "RadionuclideCodeSequence")}
    for nuclide, known, usual in _HALF_LIVES:
        if codes & set(known) and abs(half_life / usual - 1) > _HALF_LIFE_TOLERANCE:
            raise _refusal(
                name,
                f"says that the half-life of {nuclide} is {half_life:g} s; it is {usual:g} s",
                "Correct RadionuclideHalfLife or the code of the nuclide.",
            )
    return half_life


def _scan_start(headers: Sequence[Headed], half_life: float, name: str, flags: list[str]) -> datetime.datetime:
    """The time that START means: of the scan, which is the series' own unless the series was made afterwards."""
    series = _moment(text(headers[0], "SeriesDate"), text(headers[0], "SeriesTime"))
    acquired = [_acquired(one) for one in headers]
    known = [moment for moment in acquired if moment is not None]
    if len(known) < len(acquired):
        raise _refusal(
            name,
            "does not say when its slices were acquired",
            "Export it with AcquisitionDate and AcquisitionTime.",
        )
    earliest = min(known)
    if series is not None and series <= earliest:
        return series
    for place in _PRIVATE_TIMES:
        stated = [_whole_moment(one, _private(one, *place)) for one in headers]
        found = [moment for moment in stated if moment is not None]
        if found and min(found) <= earliest:
            flags.append("The series was made after the scan; the maker's private scan time was taken.")
            return min(found)
    # The frame's reference time counts from the scan's start to the middle of the frame's decays (C.8.9.4.1.5).
    counted = []
    for one, moment in zip(headers, known, strict=True):
        reference, middle = number(one, "FrameReferenceTime") or 0, _middle(one, half_life)
        start = _later(moment, middle - reference / 1000) if reference > 0 and middle is not None else None
        if start is not None and start <= earliest + datetime.timedelta(seconds=1):
            counted.append(start)
    if len(counted) == len(headers):
        flags.append("The series was made after the scan; its start was counted back from the frames' times.")
        return min(counted)
    flags.append("The series was made after the scan and does not say its start; the first acquisition was taken.")
    return earliest


def _frame_moment(header: Headed, half_life: float, name: str) -> datetime.datetime:
    """When a frame that is not decay corrected had its average activity."""
    acquired, middle = _acquired(header), _middle(header, half_life)
    moment = _later(acquired, middle) if acquired is not None and middle is not None else None
    if moment is None:
        raise _refusal(
            name,
            "is not decay corrected and does not say when and how long each slice was acquired",
            "Export it with AcquisitionDate, AcquisitionTime and ActualFrameDuration.",
        )
    return moment


def _middle(header: Headed, half_life: float) -> float | None:
    """Seconds from a frame's start to when its activity is the frame's average."""
    duration = number(header, "ActualFrameDuration")
    if not duration or not 0 < duration < math.inf:
        return None
    decay = math.log(2) / half_life
    fall = decay * duration / 1000
    return math.log(fall / -math.expm1(-fall)) / decay


def _injection(
    header: Headed,
    medicine: Headed,
    scan: datetime.datetime,
    half_life: float,
    name: str,
    flags: list[str],
) -> datetime.datetime:
    later = "Correct the times of injection and scan."
    whole = _whole_moment(header, text(medicine, "RadiopharmaceuticalStartDateTime"))
    clock = text(medicine, "RadiopharmaceuticalStartTime")
    if whole is not None:
        if whole > scan:
            raise _refusal(name, "was injected after the scan began, as its header has it", later)
        hour = _moment(text(header, "SeriesDate"), clock)
        if hour is not None and hour.time().replace(microsecond=0) != whole.time().replace(microsecond=0):
            flags.append(
                "The injection has two different hours; that of RadiopharmaceuticalStartDateTime was taken."
            )
        return whole
    # The hour alone: of the scan's day, or of the day before where midnight lay between.
    hour = _moment(scan.strftime("%Y%m%d"), clock)
    if hour is None:
        raise _refusal(
            name, "does not say when it was injected", "Write RadiopharmaceuticalStartDateTime into the header."
        )
    if hour > scan:
        before = _later(hour, -_DAY_SECONDS)
        if before is None or (scan - before).total_seconds() > _OVER_MIDNIGHT * half_life:
            raise _refusal(name, "was injected after the scan began, as its header has it", later)
        flags.append("The injection's hour was taken to be of the day before the scan.")
        return before
    return hour


def _acquired(header: Headed) -> datetime.datetime | None:
    split = _moment(text(header, "AcquisitionDate"), text(header, "AcquisitionTime"))
    return split or _whole_moment(header, text(header, "AcquisitionDateTime"))


def _whole_moment(header: Headed, stated: str) -> datetime.datetime | None:
    """A DICOM date and time (PS3.5 6.2, DT), in the header's own time zone."""
    match = re.fullmatch(r"(\d{8})(\d{4,6}(?:\.\d{1,6})?)\s*([+-]\d{4})?", stated.strip())
    if match is None:
        return None
    moment = _moment(match[1], match[2])
    here, there = _offset(text(header, "TimezoneOffsetFromUTC")), _offset(match[3] or "")
    if moment is not None and here is not None and there is not None:
        return _later(moment, here - there)  # other times of the header have no zone of their own
    return moment


def _offset(zone: str) -> float | None:
    """Seconds ahead of UTC."""
    match = re.fullmatch(r"([+-])(\d{2})(\d{2})", zone)
    if match is None:
        return None
    away = int(match[2]) * 3600.0 + int(match[3]) * 60.0
    return away if match[1] == "+" else -away


def _moment(date: str, time: str) -> datetime.datetime | None:
    day, clock = date_of(date), time.replace(":", "")
    match = re.fullmatch(r"(\d{2})(\d{2})(\d{2}(?:\.\d+)?)?", clock)
    if day is None or match is None:
        return None
    try:
        start = datetime.datetime.combine(day, datetime.time(int(match[1]), int(match[2])))
    except ValueError:
        return None
    return _later(start, float(match[3] or 0))


def _later(moment: datetime.datetime, seconds: float) -> datetime.datetime | None:
    """None beyond what a calendar holds."""
    try:
        return moment + datetime.timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        return None


def _philips(header: Headed, element: int) -> float | None:
    """A private factor of Philips; None where it is absent or not above 0."""
    try:
        factor = float(_private(header, *_PHILIPS, element))
    except ValueError:
        return None
    return factor if 0 < factor < math.inf else None


def _private(header: Any, creator: str, maker: str, group: int, element: int) -> str:
    """A private value as text, "" where it is absent; files without the type of value keep it as bytes.

    Where a device or an anonymizer has dropped every creator of the group, the maker's first block is meant.
    """
    try:
        if any((group, block) in header for block in range(0x10, 0x100)):
            value = header.private_block(group, creator)[element].value
        elif text(header, "Manufacturer").upper().startswith(maker):
            value = header[group, 0x1000 + element].value
        else:
            return ""
    except Exception:  # KeyError where it is absent; pydicom raises many kinds for what it cannot convert
        return ""
    values: Iterable[object] = value if isinstance(value, list | tuple) else (value,)
    first = next(iter(values), "")
    return (first.decode("ascii", "ignore") if isinstance(first, bytes) else str(first)).strip(" \0")


def _refusal(name: str, problem: str, remedy: str) -> NoSuv:
    return NoSuv(f"{name} {problem}.", remedy=remedy)

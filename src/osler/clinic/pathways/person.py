"""Who the patient is beside the images: the header's word, and what came with the request."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from osler.clinic.pathways.beside import Told
from osler.core.errors import AskedWrongly
from osler.core.facts import Facts
from osler.core.patient import Patient
from osler.core.report import Problem
from osler.core.study import Study
from osler.io.files import read_json
from osler.results.sentences import say

T = TypeVar("T")

YEARS_APART = 1.5  # a header's age is in whole years, and a birthday may lie between the two days
WEIGHTS_APART = 0.05  # share; SUVs are made with the header's weight
_SEXES = {"f": "F", "female": "F", "w": "F", "m": "M", "male": "M", "o": "O", "other": "O"}
_YES = {"yes": True, "true": True, "no": False, "false": False}
# What people write, and the name with its unit that is meant.
_WITHOUT_UNIT = {
    "age": "age_years",
    "weight": "weight_kg",
    "weight_g": "weight_kg",
    "weight_lb": "weight_kg",
    "height": "height_m",
    "height_cm": "height_m",
    "size": "height_m",
    "age_months": "age_years",
    "gender": "sex",
}


@dataclass(frozen=True, slots=True)
class _Range:
    """What a number about a person can be."""

    low: float
    high: float
    unit: str


RANGES = {
    "age_years": _Range(0, 130, "years"),
    "weight_kg": _Range(0.3, 500, "kg"),
    "height_m": _Range(0.2, 2.8, "m"),
}


def told_of(text: str) -> Told:
    """What is said of a patient: "age_years=61,sex=F,smoker=yes", or the name of a JSON file with such an object.

    Raises AskedWrongly for words without a value, Unreadable for a file that is no JSON.

    >>> told_of("age_years=61, sex=F, smoker=yes")
    {'age_years': 61.0, 'sex': 'F', 'smoker': True}
    """
    if text.strip().lower().endswith(".json"):
        path = Path(text.strip())
        found = read_json(path)
        if not isinstance(found, dict) or not all(isinstance(v, bool | int | float | str) for v in found.values()):
            raise AskedWrongly(
                f"{path.name} does not hold names with one value each.",
                remedy='Write it as {"age_years": 61, "sex": "F", "smoker": true}.',
            )
        return {str(key): value for key, value in found.items()}
    told: dict[str, float | bool | str] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        key, equals, value = (one.strip() for one in part.partition("="))
        if not equals or not key or not value:
            raise AskedWrongly(
                f"'{part}' does not say what is known of the patient.",
                remedy="Write name=value, with the unit in the name: age_years=61,sex=F,weight_kg=70.",
            )
        told[key] = _valued(value)
    return told


def patient_of(study: Study, told: Told) -> tuple[Patient, tuple[Problem, ...]]:
    """What is known of the patient, and what to mind: the header's facts and what came with the request.

    The request fills what the header leaves open. Names that are none of a Patient's are kept in `known`.

    Raises AskedWrongly where sex or age contradict the header, where a number has no unit in its name or cannot be
    one of a person.
    """
    for name in told:
        if name in _WITHOUT_UNIT:
            raise AskedWrongly(
                f"'{name}' does not say its unit.", remedy=f"Give {_WITHOUT_UNIT[name]}, in that unit."
            )
    header = Facts(
        sex=_first(study, lambda facts: facts.sex) or "",
        age_years=_first(study, lambda facts: facts.age_years),
        weight_kg=_first(study, lambda facts: facts.weight_kg),
        height_m=_first(study, lambda facts: facts.height_m),
    )
    sex = _sex(told)
    if sex and header.sex and sex != header.sex:
        raise _contradiction("sex", header.sex, sex)
    age, weight, height = (_number(told, name) for name in RANGES)
    if age is not None and header.age_years is not None and abs(age - header.age_years) > YEARS_APART:
        raise _contradiction("age", f"{header.age_years:.3g} years", f"{age:.3g} years")
    cautions = []
    if weight and header.weight_kg and abs(weight - header.weight_kg) > WEIGHTS_APART * header.weight_kg:
        what = say("caution.weight", header=f"{header.weight_kg:.3g}", told=f"{weight:.3g}")
        cautions.append(Problem(what, say("caution.weight.remedy"), "weight"))
    person = Patient(
        sex=sex or header.sex,
        age_years=header.age_years if age is None else age,
        weight_kg=header.weight_kg if weight is None else weight,
        height_m=header.height_m if height is None else height,
        known={name: value for name, value in told.items() if name not in (*RANGES, "sex")},
    )
    return person, tuple(cautions)


def _valued(value: str) -> float | bool | str:
    if value.lower() in _YES:
        return _YES[value.lower()]
    try:
        return float(value)
    except ValueError:
        return value


def _first(study: Study, ask: Callable[[Facts], T]) -> T | None:
    """What the first header says that says anything: height stands in the PET's alone, as a rule."""
    return next((said for one in (study, *study.pictures) if (said := ask(one.facts)) not in (None, "")), None)


def _sex(told: Told) -> str:
    value = told.get("sex", "")
    if value == "":
        return ""
    sex = _SEXES.get(str(value).lower())
    if sex is None:
        raise AskedWrongly("The sex that was given is none that is known.", remedy="Give sex=F, sex=M or sex=O.")
    return sex


def _number(told: Told, name: str) -> float | None:
    if name not in told:
        return None
    value, can_be = told[name], RANGES[name]
    if isinstance(value, bool | str) or not can_be.low <= value <= can_be.high:
        raise AskedWrongly(
            f"{name}={value} is no person's: it is counted in {can_be.unit}.",
            remedy=f"Give {name} between {can_be.low:g} and {can_be.high:g} {can_be.unit}.",
        )
    return float(value)


def _contradiction(what: str, header: str, told: str) -> AskedWrongly:
    return AskedWrongly(
        f"The header gives the {what} as {header}, the request as {told}.",
        remedy="Make sure that the request and the study are of the same patient.",
    )

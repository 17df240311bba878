"""One fact about a patient, as a model of risk learnt it: its range, its levels, its usual value."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Floats
from osler.core.patient import Patient

KINDS = ("number", "choice")
Value = float | str | None
Facts = Mapping[str, Value]

_YES = {"yes", "true", "y", "ja", "positive"}
_NO = {"no", "false", "n", "nein", "negative"}
_UNKNOWN = {"", "nan", "na", "n/a", "null", "none", "unknown", "<na>", "?"}
_SEXES = {"m": "M", "male": "M", "f": "F", "w": "F", "female": "F", "o": "O", "other": "O"}


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact the model knows, with all that was learnt of it from training patients only.

    name     as in the table: "age", "crp_mg_l"
    kind     "number", or "choice" of `levels`
    needed   True: every training patient had it, so nothing is known of patients without it
    known    training patients who had it
    low, high  the range of a number among them; a patient outside is refused
    typical  what stands for a missing one, as text: their median, or the level most of them had
    levels   of a choice, the commonest first; it has no column of its own
    flag     True: whether it is missing is a column too
    """

    name: str
    kind: str
    needed: bool
    known: int
    low: float = 0.0
    high: float = 0.0
    typical: str = "0"
    levels: tuple[str, ...] = ()
    flag: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns, before they are scaled."""
        own = (self.name,) if self.kind == "number" else tuple(f"{self.name}={one}" for one in self.levels[1:])
        return (*own, f"{self.name} missing") if self.flag else own

    def numbers(self, value: Value) -> list[float]:
        """The fact's columns for one patient; None is missing, infinity is beyond the limit of detection."""
        missing = value is None
        seen = self.typical if value is None else value
        if self.kind == "number":
            own = [min(max(float(seen), self.low), self.high) if math.isinf(float(seen)) else float(seen)]
        else:
            own = [float(level(seen) == one) for one in self.levels[1:]]
        return [*own, float(missing)] if self.flag else own

    def objection(self, value: Value) -> str:
        """Why the model may not speak of a patient with this value: "missing", "unlike" or ""."""
        if value is None:
            return "missing" if self.needed else ""
        if self.kind == "choice":
            return "" if level(value) in self.levels else "unlike"
        return "" if isinstance(value, float | int) and (math.isinf(value) or self._inside(value)) else "unlike"

    def range_said(self) -> str:
        """What the training patients had: "31 to 89", "F, M"."""
        return f"{self.low:.4g} to {self.high:.4g}" if self.kind == "number" else ", ".join(self.levels)

    def _inside(self, value: float) -> bool:
        slack = 1e-6 * max(abs(self.low), abs(self.high), 1e-12)
        return self.low - slack <= value <= self.high + slack


def cell(text: str) -> Value:
    """What a table's cell says: a number, a word in lower case, or None where it says nothing.

    >>> cell("81.5"), cell("Yes"), cell("NaN"), cell("ap")
    (81.5, 'yes', None, 'ap')
    """
    word = text.strip().lower()
    if word in _UNKNOWN:
        return None
    if word in _YES or word in _NO:
        return "yes" if word in _YES else "no"
    try:
        number = float(word)
    except ValueError:
        return word
    return None if math.isnan(number) else number


def sex_of(value: Value) -> Value:
    """F, M or O for what tables write, and None where they do not say; other words stay.

    >>> sex_of("w"), sex_of("female"), sex_of(None)
    ('F', 'F', None)
    """
    return _SEXES.get(str(value).lower(), value) if value is not None else None


def is_sex(name: str) -> bool:
    """Does a column of this name tell the sex?"""
    return name.strip().lower() in ("sex", "gender")


def facts_of(patient: Patient, wanted: Sequence[Fact]) -> dict[str, Value]:
    """The wanted facts of a patient: age, sex, weight, height from their fields, the rest from what is known."""
    fields: dict[str, Value] = {
        "age": patient.age_years,
        "age_years": patient.age_years,
        "sex": patient.sex or None,
        "gender": patient.sex or None,
        "weight_kg": patient.weight_kg,
        "height_m": patient.height_m,
    }
    found: dict[str, Value] = {}
    for fact in wanted:
        said = patient.known.get(fact.name)
        value: Value = fields.get(fact.name.lower()) if said is None else cell(str(said))
        found[fact.name] = sex_of(value) if is_sex(fact.name) else _as_kind(value, fact)
    return found


def fact_rows(facts: Sequence[Fact], values: Sequence[Facts]) -> Floats:
    """(patients, columns) of all facts, not yet scaled."""
    width = sum(len(fact.columns) for fact in facts)
    rows = [[n for fact in facts for n in fact.numbers(one.get(fact.name))] for one in values]
    return np.array(rows, np.float64).reshape(len(values), width)


def _as_kind(value: Value, fact: Fact) -> Value:
    """The value as the table wrote it: a grade 2.0 is the level "2", and yes may be 1."""
    if fact.kind == "number":
        return {"yes": 1.0, "no": 0.0}.get(value, value) if isinstance(value, str) else value
    if value is not None and level(value) not in fact.levels and set(fact.levels) <= {"yes", "no"}:
        return {"1": "yes", "0": "no"}.get(level(value), value)
    return value if value is None else level(value)


def level(value: Value) -> str:
    """The name of a choice's level: numbers without a needless point.

    >>> level(2.0), level("ap")
    ('2', 'ap')
    """
    return f"{value:g}" if isinstance(value, float | int) else str(value)

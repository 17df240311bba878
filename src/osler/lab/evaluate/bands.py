"""From what is known of the cases to groups: columns with few values as they are, numbers in bands."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from osler.core.arrays import Array

Fact = str | float

MOST_GROUPS = 12
_FEW_NUMBERS = 5  # different numbers up to which each is a group of its own: codes, grades
_AGE_YEARS = (18, 40, 60, 80)
_AGES = {"age", "age years", "age_years", "patient age", "age at study"}
_DICOM_AGE = re.compile(r"(\d{1,3})([DWMY])")  # PS3.5 section 6.2, value representation AS
_PER_YEAR = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}
# Known ways in which the same is written; a table of two hospitals holds both.
_SEX = {"f": "F", "female": "F", "woman": "F", "w": "F", "m": "M", "male": "M", "man": "M"}


@dataclass(frozen=True, slots=True)
class Column:
    """One fact of all cases, as groups.

    how     how values became groups, for a reader
    groups  their names, in order
    of      the group of each case, "" where the case does not say
    """

    name: str
    how: str
    groups: tuple[str, ...]
    of: tuple[str, ...]


def columns_of(facts: Sequence[Mapping[str, Fact]]) -> dict[str, Column | str]:
    """Every fact that any case has: its groups, or why it makes none, in the order in which cases name them.

    Usable is a column of 2 to 12 values, or of numbers: ages are cut at 18, 40, 60 and 80 years (into thirds
    where that leaves one group), other numbers into thirds.

    >>> found = columns_of([{"sex": "f", "id": "a"}, {"sex": "male", "id": "b"}, {"sex": "M"}])
    >>> found["sex"].groups, found["sex"].of
    (('F', 'M'), ('F', 'M', 'M'))
    """
    names = dict.fromkeys(name for one in facts for name in one)
    return {name: column(name, [one.get(name, "") for one in facts]) for name in names}


def column(name: str, values: Sequence[Fact]) -> Column | str:
    """The groups of one fact, or a phrase that says why it makes none. values: one a case, "" where unknown."""
    plain = name.strip().lower()
    texts = [_text(value) for value in values]
    if plain in _AGES:
        texts = [_years(text) for text in texts]
    if plain in ("sex", "gender"):
        texts = [_SEX.get(text.lower(), text) for text in texts]
    known = sorted({text for text in texts if text})
    if len(known) < 2:
        return "it has one value only" if known else "no case has a value"
    numbers = [_number(text) for text in texts]
    if all(number is not None for number, text in zip(numbers, texts, strict=True) if text):
        if len(known) > _FEW_NUMBERS:
            return _banded(name, [np.nan if n is None else n for n in numbers], age=plain in _AGES)
        known.sort(key=float)
    if len(known) > MOST_GROUPS:
        return f"it has {len(known)} different values"
    return Column(name, "as written", tuple(known), tuple(texts))


def _banded(name: str, values: Sequence[float], *, age: bool) -> Column | str:
    array = np.array(values, float)
    if age:
        edges = np.array(_AGE_YEARS, float)
        labels = [f"under {_AGE_YEARS[0]}"]
        labels += [f"{low} to {high - 1}" for low, high in pairwise(_AGE_YEARS)]
        labels.append(f"{_AGE_YEARS[-1]} and over")
        place = np.searchsorted(edges, array, side="right")
        if len(np.unique(place[~np.isnan(array)])) > 1:
            return _column(name, "bands of age in years", labels, place, array)
    edges = np.unique(np.nanquantile(array, [1 / 3, 2 / 3]))
    edges = edges[edges < np.nanmax(array)]  # nobody lies above the largest
    if not len(edges):
        return "nearly all cases have the same number"
    labels = [f"up to {edges[0]:g}"]
    labels += [f"above {low:g}, up to {high:g}" for low, high in pairwise(edges)]
    labels.append(f"above {edges[-1]:g}")
    return _column(name, "thirds of the cases", labels, np.searchsorted(edges, array, side="left"), array)


def _column(name: str, how: str, labels: Sequence[str], place: Array, array: Array) -> Column:
    of = tuple("" if np.isnan(number) else labels[at] for number, at in zip(array, place, strict=True))
    return Column(name, how, tuple(label for label in labels if label in of), of)


def _text(value: Fact) -> str:
    if isinstance(value, str):
        return value.strip()
    if not np.isfinite(value):
        return ""
    return str(int(value)) if float(value).is_integer() else f"{value:g}"


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def _years(text: str) -> str:
    """An age in years, "045Y" and "006M" as DICOM writes them too."""
    found = _DICOM_AGE.fullmatch(text.upper())
    return f"{int(found[1]) / _PER_YEAR[found[2]]:g}" if found else text

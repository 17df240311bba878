"""What a row of a guideline asks of its inputs, as data: the same conditions decide and are printed on a page."""

from collections.abc import Mapping
from dataclasses import dataclass

from osler.results.sentences import say

Value = float | bool | str
Values = Mapping[str, Value | None]


@dataclass(frozen=True, slots=True)
class Within:
    """A number lies between limits; a limit that is None is none.

    at_least, at_most  the limit itself counts
    above, below       the limit itself does not
    """

    name: str
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None

    @property
    def limits(self) -> tuple[float, ...]:
        """Where the answer changes."""
        return tuple(x for x in (self.at_least, self.above, self.at_most, self.below) if x is not None)


@dataclass(frozen=True, slots=True, init=False)
class Is:
    """A word, or yes or no, is one of those named."""

    name: str
    one_of: tuple[Value, ...]

    def __init__(self, name: str, *one_of: Value) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "one_of", one_of)


@dataclass(frozen=True, slots=True)
class Either:
    """The first condition where its number is known, else the second: a volume, or a diameter instead."""

    first: Within
    second: Within


Condition = Within | Is | Either


def holds(condition: Condition, values: Values) -> bool | None:
    """Does it hold? None: what it asks about is not known.

    >>> holds(Within("size_mm", at_least=6, below=8), {"size_mm": 8.0})
    False
    >>> holds(Is("new", True), {"new": None}) is None
    True
    """
    if isinstance(condition, Either):
        known = values.get(condition.first.name) is not None
        return holds(condition.first if known else condition.second, values)
    value = values.get(condition.name)
    if value is None:
        return None
    if isinstance(condition, Is):
        return value in condition.one_of
    number = float(value)
    return (
        (condition.at_least is None or number >= condition.at_least)
        and (condition.above is None or number > condition.above)
        and (condition.at_most is None or number <= condition.at_most)
        and (condition.below is None or number < condition.below)
    )


def asks(condition: Condition) -> tuple[str, ...]:
    """Names of the inputs that it looks at."""
    if isinstance(condition, Either):
        return (condition.first.name, condition.second.name)
    return (condition.name,)


def in_words(condition: Condition, units: Mapping[str, str]) -> str:
    """What it asks, without the name of what it asks about.

    units  of the inputs by name

    >>> in_words(Within("size_mm", at_least=6, below=8), {"size_mm": "mm"})
    '6 to below 8 mm'
    """
    if isinstance(condition, Either):
        both = (in_words(condition.second, units), in_words(condition.first, units))
        return say("guide.either", first=both[0], second=both[1])
    if isinstance(condition, Is):
        return f" {say('guide.or')} ".join(word_of(value) for value in condition.one_of)
    unit = units.get(condition.name, "")
    low = condition.at_least if condition.at_least is not None else condition.above
    high = condition.at_most if condition.at_most is not None else condition.below
    if low is not None and low == condition.at_most:
        return with_unit(low, unit)
    if condition.at_least is not None:
        known = ("at_least", "to", "to_below")
    else:
        known = ("above", "above_to", "above_below") if condition.above is not None else ("", "at_most", "below")
    which = 1 if condition.at_most is not None else 2 if condition.below is not None else 0
    if high is None:
        return say(f"guide.{known[0]}", low=with_unit(low or 0.0, unit))
    return say(f"guide.{known[which]}", low=figure(low or 0.0), high=with_unit(high, unit))


def word_of(value: Value) -> str:
    """A word, yes or no, or a number as a person reads it."""
    if isinstance(value, bool):
        return say("word.yes" if value else "word.no")
    return say(f"word.{value}") if isinstance(value, str) else figure(value)


def figure(value: float) -> str:
    """A number with at most four significant digits, minus as a minus.

    >>> figure(-35.2), figure(1e9), figure(6.0)
    ('−35.2', '1000000000', '6')
    """
    if value in (float("inf"), float("-inf")):
        text = "∞" if value > 0 else "-∞"
    else:
        text = f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return text.replace("-", "\N{MINUS SIGN}")


def with_unit(value: float, unit: str) -> str:
    """A number with its unit.

    >>> with_unit(7.25, "mm"), with_unit(100, "1")
    ('7.25 mm', '100')
    """
    return f"{figure(value)} {shown_unit(unit)}".strip()


def shown_unit(unit: str) -> str:
    """A unit as a person writes it."""
    written = {"1": "", "SUL": "", "mm3": "mm³", "ml/m2": "ml/m²", "g/m2": "g/m²"}
    return written.get(
        unit, say(f"unit.{unit}") if unit in ("years", "months", "weeks", "minutes", "days") else unit
    )

"""Decide by a guideline: from what is known to a conclusion, or to the reason why there is none."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from osler.clinic.guidelines.conditions import (
    Is,
    Value,
    Values,
    asks,
    figure,
    holds,
    in_words,
    shown_unit,
    with_unit,
    word_of,
)
from osler.clinic.guidelines.guideline import Guideline, Input, Row, Told
from osler.core.conclusion import Conclusion, Ground
from osler.core.errors import AskedWrongly, UnknownChoice
from osler.core.finding import Measurement
from osler.core.quantity import Quantity
from osler.results.sentences import joined, listed, say

INNER_POINTS = 7  # of an interval that are tried where numbers are computed from it
MOST_POINTS = 5_000

# How many of our unit one of another makes. None makes a SUL of a SUV: the lean part of the body lies between.
CONVERSIONS: dict[str, dict[str, float]] = {
    "mm": {"cm": 10.0},
    "mm3": {"ml": 1000.0, "cm3": 1000.0, "mm³": 1.0},
    "ml": {"cm3": 1.0, "mm3": 0.001, "mL": 1.0},
    "%": {"1": 100.0},
    "years": {"a": 1.0, "year": 1.0, "y": 1.0, "months": 1 / 12},
    "months": {"mo": 1.0, "month": 1.0, "years": 12.0, "weeks": 12 / 52.18, "days": 12 / 365.25, "d": 12 / 365.25},
    "weeks": {"wk": 1.0, "week": 1.0, "days": 1 / 7, "d": 1 / 7},
    "minutes": {"min": 1.0, "h": 60.0, "s": 1 / 60},
    "g": {"SUV ml": 1.0, "SUV*ml": 1.0, "SUL ml": 1.0},
    "kV": {"kVp": 1.0},
    "ml/m2": {"ml/m²": 1.0},
    "g/m2": {"g/m²": 1.0},
    "1": {"": 1.0, "AU": 1.0},
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What one set of values leads to.

    rows     that applied, one a table; () for a total, and where the last had none
    category "" where none applied
    lacking  names of what must be known to tell
    values   with what was derived, and the answers of every table
    """

    rows: tuple[Row, ...]
    category: str
    lacking: tuple[str, ...]
    values: Values


@dataclass(frozen=True, slots=True)
class Known:
    """One input as it was given: in our unit, rounded as the guideline says, with the ends of its interval."""

    value: Value | None
    low: float | None = None
    high: float | None = None
    text: str = ""
    of: str = ""


def decide(guideline: Guideline, given: Mapping[str, Told], of: Mapping[str, str] | None = None) -> Conclusion:
    """What the guideline says of these inputs.

    given  by name; None and absent: not known. A Quantity is turned into the guideline's unit, and its interval
           says which other categories cannot be excluded: all those that some values inside the intervals lead to.
    of     where an input comes from, by name: "header", "finding 1"; a Measurement says its own name

    Raises UnknownChoice for an input or a word that the guideline does not know, AskedWrongly for a value that
    cannot be meant: a wrong unit, no number, an age of 300.
    """
    known = _read(guideline, given, of or {})
    answer = _answer(guideline, {name: one.value for name, one in known.items()})
    points = [_answer(guideline, point) for point in _points(guideline, known)]
    grounds = _grounds(guideline, known, answer, points)
    if not answer.category:
        exact = {name: replace(one, low=None, high=None) for name, one in known.items()}
        every_way = [_answer(guideline, point) for point in _points(guideline, exact)]
        if len({one.category for one in every_way}) == 1:
            answer = every_way[0]  # what is not known makes no difference
    refused = _refusal(guideline, answer, known)
    title = say(guideline.title)
    conclusion = Conclusion(
        guideline.name,
        guideline.version,
        title,
        category="",
        statement=say("guide.refused", title=title, why=refused),
        grounds=tuple(grounds.values()),
        refused=refused,
        source=guideline.source,
    )
    if refused:
        return conclusion
    row = answer.rows[-1] if guideline.total is None else None
    others = {one.category for one in points if one.category} - {answer.category}
    in_order = guideline.categories if guideline.total is None else sorted(others, key=float)
    return replace(
        conclusion,
        category=_written(guideline, answer.category),
        statement=_statement(guideline, answer, grounds),
        advice=say(row.advice) if row is not None and row.advice else "",
        rule=_rule(guideline, answer),
        nearby=tuple(_written(guideline, category) for category in in_order if category in others),
    )


def settle(rows: Sequence[Row], values: Values) -> tuple[Row | None, tuple[str, ...]]:
    """The first row that applies; or None, and what must be known to tell (nothing: no row applies).

    A row that may apply, for all that is known, does not matter where it says the same as the one that does.
    """
    may: list[Row] = []
    lacking: dict[str, None] = {}
    for row in rows:
        states = {condition: holds(condition, values) for condition in row.when}
        if False in states.values():
            continue
        unknown = [condition for condition, state in states.items() if state is None]
        if unknown:
            may.append(row)
            lacking |= dict.fromkeys(asks(condition)[-1] for condition in unknown)
        elif all((one.category, one.advice) == (row.category, row.advice) for one in may):
            return row, ()
        else:
            break
    return None, tuple(lacking)


def rule_of(guideline: Guideline, row: Row) -> str:
    """A row's conditions in words: "kind: solid; mean diameter: 6 to 8 mm"."""
    if not row.when:
        return say("guide.otherwise")
    return "; ".join(
        say(
            "guide.page.not.one",
            what=guideline.input_named(asks(condition)[-1]).what,
            limit=in_words(condition, guideline.units),
        )
        for condition in row.when
    )


def _answer(guideline: Guideline, given: Values) -> Answer:
    values = {**given, **guideline.derive(given)}
    rows: list[Row] = []
    for step in guideline.steps:
        for name in step.each:
            if values.get(name) is None:  # the total says whether it can do without
                continue
            part, _ = settle(step.rows, {**values, step.name: values[name]})
            values[f"{name}:{step.name}"] = float(part.category) if part else None
        if not step.each:
            row, lacking = settle(step.rows, values)
            if row is None:
                return Answer((), "", lacking, values)
            values[step.name] = row.category
            rows.append(row)
    if guideline.total is None:
        return Answer(tuple(rows), rows[-1].category, (), values)
    total = guideline.total(values)
    if isinstance(total, tuple):
        return Answer((), "", total, values)
    return Answer((), f"{total:.0f}", (), values)


def _points(guideline: Guideline, known: Mapping[str, Known]) -> Iterator[Values]:
    """Values inside the intervals: the ends, both sides of every limit, some between where numbers follow."""
    ways: dict[str, list[Value | None]] = {}
    for asked in guideline.inputs:
        one = known[asked.name]
        if one.value is None and asked.either:
            ways[asked.name] = list(asked.words) if asked.words else [False, True]
        elif one.low is not None and one.high is not None and isinstance(one.value, float):
            found = {one.low, one.value, one.high}
            for limit in guideline.limits_of(asked.name):
                apart = asked.step or math.ulp(limit)  # the next value that can come on either side
                found |= {limit - apart, limit, limit + apart}
            if guideline.derived:
                width = (one.high - one.low) / (INNER_POINTS + 1)
                found |= {one.low + width * (i + 1) for i in range(INNER_POINTS)}
            ways[asked.name] = [x for x in sorted(found) if one.low <= x <= one.high]
        else:
            ways[asked.name] = [one.value]
    while math.prod(len(way) for way in ways.values()) > MOST_POINTS:
        longest = max(ways, key=lambda name: len(ways[name]))
        if len(ways[longest]) == 2:  # every yes and no that is open must be tried
            break
        ways[longest] = [*ways[longest][:-1:2], ways[longest][-1]]
    for point in itertools.product(*ways.values()):
        yield dict(zip(ways, point, strict=True))


def _read(guideline: Guideline, given: Mapping[str, Told], of: Mapping[str, str]) -> dict[str, Known]:
    names = [asked.name for asked in guideline.inputs]
    for name in given:
        if name not in names:
            raise UnknownChoice.among(f"input of {guideline.name}", name, names)
    return {
        asked.name: _read_one(guideline, asked, given.get(asked.name), of.get(asked.name, ""))
        for asked in guideline.inputs
    }


def _read_one(guideline: Guideline, asked: Input, told: Told, of: str) -> Known:
    if isinstance(told, Measurement):
        of, told = of or told.name, told.quantity
    if told is None or told == "":
        if asked.supposed is not None:
            return Known(asked.supposed, text=say("guide.supposed", value=word_of(asked.supposed)), of=of)
        return Known(None, text=say("guide.unknown"), of=of)
    if asked.kind == "number":
        return _number(guideline, asked, told, of)
    if asked.kind == "yes or no":
        if not isinstance(told, bool):
            raise _wrong(guideline, asked, told, "yes or no")
        return Known(told, text=word_of(told), of=of)
    if not isinstance(told, str):
        raise _wrong(guideline, asked, told, f"one of: {', '.join(asked.words)}")
    plain = told.strip().lower().replace("_", "-").replace(" ", "-")
    for word in asked.words:
        if word.lower() == plain:
            return Known(word, text=word_of(word), of=of)
    raise UnknownChoice.among(f"{asked.name} in {guideline.name}", told, asked.words)


def _number(guideline: Guideline, asked: Input, told: Value | Quantity, of: str) -> Known:
    if isinstance(told, bool | str):
        raise _wrong(guideline, asked, told, "a number")
    factor = 1.0
    if isinstance(told, Quantity):
        if told.unit != asked.unit:
            factor = CONVERSIONS.get(asked.unit, {}).get(told.unit, 0.0)
        if not factor:
            raise _wrong(guideline, asked, told, f"in {shown_unit(asked.unit) or asked.unit}")
        value, ends = told.value * factor, (told.low, told.high)
    else:
        value, ends = float(told), (None, None)
    if not math.isfinite(value) or not asked.low <= value <= asked.high:
        between = f"between {figure(asked.low)} and {figure(asked.high)} {shown_unit(asked.unit)}".strip()
        raise _wrong(guideline, asked, told, between)
    low, high = (None if end is None else min(max(end * factor, asked.low), asked.high) for end in ends)
    if low is not None and high is not None and not low <= value <= high:
        raise _wrong(guideline, asked, told, "inside its own interval")
    text = _spread(value, low, high, asked.unit)
    if asked.step:
        rounded = _rounded(value, asked.step)
        if not math.isclose(rounded, value, abs_tol=1e-9):
            text = say("guide.rounded", value=text, rounded=_spread(rounded, None, None, asked.unit))
        value = rounded
        low, high = (None if end is None else _rounded(end, asked.step) for end in (low, high))
    return Known(value, low, high, text, of)


def _rounded(value: float, step: float) -> float:
    """The nearest multiple, halves up (away from binary dust: 6.5 mm may come as 6.499999999).

    >>> _rounded(5.5, 1.0), _rounded(8.4999999999, 1.0), _rounded(7.25, 0.1)
    (6.0, 9.0, 7.3)
    """
    return round(float(math.floor(value / step + 0.5 + 1e-9) * step), 9)


def _wrong(guideline: Guideline, asked: Input, told: Told, wanted: str) -> AskedWrongly:
    shown = f"{told}" if not isinstance(told, float) else figure(told)
    return AskedWrongly(
        f"{guideline.name}: {asked.name} is {shown}; it must be {wanted}.",
        remedy=f"Give {asked.name} as osler guideline show {guideline.name} says, or leave it away if not known.",
    )


def _spread(value: float | None, low: float | None, high: float | None, unit: str) -> str:
    ends = "" if low is None or high is None else say("guide.to", low=figure(low), high=figure(high))
    if value is None:
        return f"{ends} {shown_unit(unit)}".strip() if ends else ""
    text = with_unit(value, unit)
    return say("guide.either", first=text, second=ends) if ends else text


def _grounds(
    guideline: Guideline, known: Mapping[str, Known], answer: Answer, points: Sequence[Answer]
) -> dict[str, Ground]:
    """Everything that was told, then what was computed from it; by name."""
    barred = {name for bar in guideline.bars for name in asks(bar.when)}
    found: dict[str, Ground] = {}
    for asked in guideline.inputs:
        one, text = known[asked.name], known[asked.name].text
        if one.value is None and asked.name in barred and asked.kind == "yes or no":
            text = say("guide.supposed", value=word_of(not _barring(guideline, asked.name)))
        elif one.value is None and not asked.needed and not asked.either:
            continue
        found[asked.name] = Ground(asked.what, text, one.of)
    for derived in guideline.derived:
        value = answer.values.get(derived.name)
        text = "" if value is None else word_of(value)
        if derived.kind == "number":
            reached = [float(x) for one in points if (x := one.values.get(derived.name)) is not None]
            low, high = (min(reached), max(reached)) if len(set(reached)) > 1 else (None, None)
            text = _spread(None if value is None else float(value), low, high, derived.unit)
        if text:
            found[derived.name] = Ground(derived.what, text, say("guide.computed"))
    for step in guideline.steps[:-1]:
        if isinstance(told := answer.values.get(step.name), str):
            found[step.name] = Ground(say(f"ask.{step.name}"), told, say("guide.computed"))
    return found


def _barring(guideline: Guideline, name: str) -> bool:
    """The answer, yes or no, for which the guideline does not hold."""
    return any(
        isinstance(bar.when, Is) and bar.when.name == name and True in bar.when.one_of for bar in guideline.bars
    )


def _refusal(guideline: Guideline, answer: Answer, known: Mapping[str, Known]) -> str:
    """Why the guideline may not be used: "" where it may."""
    reasons = dict.fromkeys(say(bar.why) for bar in guideline.bars if holds(bar.when, answer.values))
    if reasons:
        return joined(*reasons)
    lacking = [asked.what for asked in guideline.inputs if asked.needed and known[asked.name].value is None]
    lacking += [one.what for one in guideline.derived if one.needed and answer.values.get(one.name) is None]
    if not lacking and not answer.category:
        lacking = [what for name in answer.lacking for what in _to_ask(guideline, name, known)]
        if not lacking:
            return say("guide.no_row")
    return say("guide.needs", names=listed(dict.fromkeys(lacking))) if lacking else ""


def _to_ask(guideline: Guideline, name: str, known: Mapping[str, Known]) -> list[str]:
    """What to ask a person for: where a computed number lacks, the inputs whose answer is open."""
    if name not in known:
        open_ones = [one.what for one in guideline.inputs if one.either and known[one.name].value is None]
        if open_ones:
            return open_ones
    return [guideline.input_named(name).what]


def _statement(guideline: Guideline, answer: Answer, grounds: Mapping[str, Ground]) -> str:
    title = say(guideline.title)
    if guideline.total is not None:
        return say("guide.total", title=title, total=answer.category, top=guideline.top)
    means = say(answer.rows[-1].means)
    if guideline.coded:
        text = say("guide.says", title=title, category=answer.category, means=means)
    else:
        text = say("guide.says.plain", title=title, means=means)
    if not guideline.tells:
        return text
    blanks = {one.name: say("guide.unknown") for one in (*guideline.inputs, *guideline.derived)}
    blanks |= {name: ground.value for name, ground in grounds.items()}
    return joined(text, say(guideline.tells, **blanks))


def _written(guideline: Guideline, category: str) -> str:
    return category if guideline.total is None else f"{category}/{guideline.top}"


def _rule(guideline: Guideline, answer: Answer) -> str:
    """The row that applied, after those of earlier tables that it asks about; of a total its parts."""
    if guideline.total is None:
        asked = {name for condition in answer.rows[-1].when for name in asks(condition)}
        before = [row for step, row in zip(guideline.steps, answer.rows, strict=True) if step.name in asked]
        return " → ".join(rule_of(guideline, row) for row in (*before, answer.rows[-1]))
    parts = [
        f"{guideline.input_named(name).what} {figure(float(part))}"
        for step in guideline.steps
        for name in step.each
        if (part := answer.values.get(f"{name}:{step.name}")) is not None
    ]
    return "; ".join(parts)

"""What stands on the page of a report, before it is set: the same words for the browser and for paper."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from osler.core.finding import Finding, Measurement
from osler.core.quantity import Quantity
from osler.core.report import Report
from osler.results.sentences import listed, phrase, say

URGENT = {"now": "#8c1d18", "soon": "#8a5a00", "routine": "#1d6b3a"}  # colours of a priority
_COMPARISONS = ("measure.change", "measure.change_days", "measure.doubling_time", "measure.halving_time")
_LARGE_CATEGORY = 5  # letters of a category that are set large; longer ones are words


@dataclass(frozen=True, slots=True)
class Measured:
    """The measurements of one finding.

    title  the lesion and what the finding is called
    where  its place in the body, "" where nothing says so
    rows   (name, value with unit, interval or "")
    """

    title: str
    where: str
    rows: tuple[tuple[str, str, str], ...]


def header_lines(report: Report) -> list[tuple[str, str]]:
    """What was read, line by line; what the header does not say is said so where a reader would look for it."""
    facts, unsaid = report.facts, say("page.not_said")
    sex = say(f"page.sex.{facts.sex}") if facts.sex in ("F", "M", "O") else ""
    age = say("page.years", years=f"{facts.age_years:.0f}") if facts.age_years is not None else ""
    lines = [
        (say("page.modality"), facts.modality or unsaid),
        (say("page.body_part"), facts.body_part or unsaid),
        (say("page.view"), facts.view),
        (say("page.side"), facts.laterality),
        (say("page.patient"), listed(word for word in (sex, age) if word) or unsaid),
        (say("page.device"), " ".join(word for word in (facts.manufacturer, facts.device) if word)),
        (say("page.pathway"), report.pathway),
        (say("page.created"), report.created.replace("T", " ").replace("+00:00", " UTC")),
        (say("page.uid"), report.study_uid),
    ]
    return [(name, value) for name, value in lines if value]


def title_of(finding: Finding, report: Report) -> str:
    """What a finding is called: by its lesion, and by its picture where the report speaks of several."""
    if len({one.picture for one in report.findings}) < 2:
        return _called(finding)
    return f"{say('picture.numbered', number=finding.picture + 1, side='')}: {_called(finding)}"


def measured(report: Report, *, compared: bool) -> list[Measured]:
    """The measurements lesion by lesion: those against an earlier study, or the others; none of one without any.

    A lesion that lies on several pictures, as on CT and PET, is one group.
    """
    groups: dict[str, list[Finding]] = {}
    for index, finding in enumerate(report.findings):
        groups.setdefault(finding.lesion or f"finding {index}", []).append(finding)
    made = []
    for several in groups.values():
        rows = tuple(
            (one.name, value_text(one.quantity, signed=compared), interval_text(one.quantity, finding.coverage))
            for finding in several
            for one in finding.measurements
            if is_comparison(one) is compared
        )
        first = several[0]
        title = title_of(first, report) if len(several) == 1 else _called(first)
        if rows:
            made.append(Measured(title, _place_of(first), rows))
    return made


def is_comparison(measurement: Measurement) -> bool:
    """Does it say how something changed since an earlier study?"""
    return any(_blank(key).fullmatch(measurement.name) for key in _COMPARISONS)


def rests_on(report: Report, findings: Sequence[int]) -> list[str]:
    """What the findings that a conclusion rests on are called, each once."""
    there = (report.findings[index] for index in findings if 0 <= index < len(report.findings))
    return list(dict.fromkeys(title_of(finding, report) for finding in there))


def is_large(category: str) -> bool:
    """Is a category short enough to be set large? "4A" is, "Moderate to severe" is not."""
    return len(category) <= _LARGE_CATEGORY


def probability_bars(finding: Finding) -> list[dict[str, Any]]:
    """The probability bars of one finding: each class, or the one probability there is; "out": it is excluded."""
    if finding.distribution:
        top = max(probability for _, probability in finding.distribution)
        return [
            {"name": n, "probability": p, "first": p == top, "out": bool(finding.among) and n not in finding.among}
            for n, p in finding.distribution
        ]
    if finding.probability is None:
        return []
    return [{"name": finding.name, "probability": finding.probability, "first": True, "out": False}]


def quantity_text(quantity: Quantity) -> str:
    """A quantity as a person writes it: no "1" for what has no unit.

    >>> quantity_text(Quantity(0.912, "1")), quantity_text(Quantity(52.0, "mm2", 50.0, 54.0))
    ('0.912', '52 mm² (50 to 54)')
    """
    interval = interval_text(quantity, None)
    value = value_text(quantity)
    return say("join.aside", said=value, aside=interval) if interval else value


def value_text(quantity: Quantity, *, signed: bool = False) -> str:
    """The value with its unit; a change in percent has its sign, where it is asked for.

    >>> value_text(Quantity(7.25, "g/ml{SUVbw}")), value_text(Quantity(31.2, "%", 20.0, 40.25), signed=True)
    ('7.25 g/ml', '+31.2 %')
    """
    plus = "+" if signed and quantity.unit == "%" and quantity.value > 0 else ""
    return f"{plus}{_figures(quantity)[0]} {unit_text(quantity.unit)}".rstrip()


def interval_text(quantity: Quantity, coverage: float | None) -> str:
    """Both ends of an interval, with the share of such intervals that hold the truth; "" where there is none.

    >>> interval_text(Quantity(42.1, "mm", low=39.24, high=45.0), 0.95)
    '39.2 to 45.0 (95%)'
    """
    if quantity.low is None or quantity.high is None:
        return ""
    _, low, high = _figures(quantity)
    ends = say("page.range", low=low, high=high)
    return ends if coverage is None else say("page.interval.level", interval=ends, level=f"{coverage:.0%}")


def unit_text(unit: str) -> str:
    """A unit as it is printed, not as UCUM spells it.

    >>> [unit_text(unit) for unit in ("mm3", "ml.g/ml", "g/ml{SUVbw}", "{pixels}", "[hnsf'U]", "1")]
    ['mm³', 'ml·g/ml', 'g/ml', 'pixels', 'HU', '']
    """
    if unit == "1":
        return ""
    if unit.startswith("{") and unit.endswith("}") and unit.count("{") == 1:
        return unit[1:-1]
    plain = unit.partition("{")[0] or unit
    for ucum, printed in (("[hnsf'U]", "HU"), ("mm2", "mm²"), ("mm3", "mm³"), ("cm2", "cm²"), ("cm3", "cm³")):
        plain = plain.replace(ucum, printed)
    return plain.replace("/m2", "/m²").replace(".", "·")


def _called(finding: Finding) -> str:
    return finding.name if finding.lesion in finding.name else f"{finding.lesion}: {finding.name}"


def _blank(key: str) -> "re.Pattern[str]":
    """What a sentence with blanks may look like, in the current language."""
    blank = "\0"
    said = say(key, name=blank, days=blank)
    return re.compile(".+".join(re.escape(part) for part in said.split(blank)), re.DOTALL)


def _place_of(finding: Finding) -> str:
    words = [phrase(finding.site)] if finding.site else []
    if finding.centre_mm is not None:
        x, y, z = (f"{mm:.0f}" for mm in finding.centre_mm)
        words.append(say("page.centre", x=x, y=y, z=z))
    return listed(words)


def _figures(quantity: Quantity) -> list[str]:
    """The value to three digits, and the ends of its interval with as many decimals; one where it has none.

    >>> _figures(Quantity(11.33, "ml", low=6.81, high=18.16)), _figures(Quantity(9, "mm", low=8.37, high=9.63))
    (['11.3', '6.8', '18.2'], ['9.0', '8.4', '9.6'])
    """
    numbers = [n for n in (quantity.value, quantity.low, quantity.high) if n is not None]
    texts = [str(Quantity(number, ""))[:-1] for number in numbers]
    if len(texts) < 3 or any("e" in text or not math.isfinite(n) for text, n in zip(texts, numbers, strict=True)):
        return texts
    decimals = _decimals(texts[0]) or min(1, max(map(_decimals, texts)))
    return [f"{number:.{decimals}f}" for number in numbers]


def _decimals(text: str) -> int:
    return len(text.partition(".")[2])

"""Now against an earlier study: grades and measurements of the same name and side.

Two intervals that do not overlap leave little doubt: where each holds the truth in 90 of 100 patients, both do in
at least 80 (Bonferroni), and then the change is real.
"""

from collections.abc import Iterator, Sequence

from osler.clinic.assessment.statement import Change, Item
from osler.core.finding import Finding, Measurement
from osler.core.study import Study
from osler.results.page_lines import quantity_text
from osler.results.sentences import say


def days_between(earlier: Study, now: Study) -> int | None:
    """Whole days; None where a file does not say when it was taken."""
    if earlier.taken is None or now.taken is None:
        return None
    return (now.taken - earlier.taken).days


def changes_of_grades(now: Sequence[Item], before: Sequence[Item], days: int | None) -> Iterator[Change]:
    """Each item that has one of the same name, side and scale before."""
    for item in now:
        same = [one for one in before if (one.name, one.scale) == (item.name, item.scale)]
        same = [one for one in same if one.side == item.side or not (one.side and item.side)]
        if len(same) != 1:
            continue  # none, or it cannot be told which
        [was] = same
        levels = None if item.level is None or was.level is None else item.level - was.level
        beyond = _apart(item, was)
        yield Change(
            item.name,
            item.side,
            days,
            shown(was),
            shown(item),
            levels,
            None,
            beyond,
            say(_SAID[beyond], when=_when(days), before=shown(was), now=shown(item), **_both(item, was)),
        )


def changes_of_measurements(
    now: Sequence[Finding], before: Sequence[Finding], days: int | None
) -> Iterator[Change]:
    """Each measurement with one of the same name, unit and finding before, where each finding is there once."""
    for finding in now:
        same = [one for one in before if (one.name, one.lesion) == (finding.name, finding.lesion)]
        if len(same) != 1 or sum(one.name == finding.name and one.lesion == finding.lesion for one in now) != 1:
            continue
        for measured in finding.measurements:
            for was in same[0].measurements:
                if (was.name, was.quantity.unit) == (measured.name, measured.quantity.unit):
                    yield _measured(finding.name, measured, was, days)


def shown(item: Item) -> str:
    """A grade with its interval, as a person reads it: "2, minimal (90 %: 1, doubtful to 3, moderate)"."""
    grade = item.grade if item.level is None else item.scale[item.level]
    if item.lowest is None or item.highest is None or item.coverage is None:
        return grade
    low, high = item.scale[item.lowest], item.scale[item.highest]
    level = f"{item.coverage:.0%}"
    if low == high:
        return say("assess.grade_only", grade=grade, level=level)
    return say("assess.grade_between", grade=grade, level=level, low=low, high=high)


_SAID = {None: "assess.change.open", True: "assess.change.apart", False: "assess.change.overlap"}


def _both(now: Item, was: Item) -> dict[str, str]:
    """How sure both intervals are together."""
    return {"level": f"{max(0.0, (now.coverage or 0) + (was.coverage or 0) - 1):.0%}"}


def _apart(now: Item, was: Item) -> bool | None:
    ends = (now.lowest, now.highest, was.lowest, was.highest)
    if any(end is None for end in ends):
        return None
    low, high, low_before, high_before = (end or 0 for end in ends)
    return low > high_before or low_before > high


def _measured(name: str, now: Measurement, was: Measurement, days: int | None) -> Change:
    first, second = was.quantity, now.quantity
    percent = 100 * (second.value - first.value) / abs(first.value) if first.value else None
    beyond = None
    if None not in (first.low, first.high, second.low, second.high):
        beyond = (second.low or 0) > (first.high or 0) or (first.low or 0) > (second.high or 0)
    by = say("assess.change.by", percent=f"{percent:+.0f}") if percent is not None else ""
    text = {"when": _when(days), "before": quantity_text(first), "now": quantity_text(second)}
    said = say("assess.change.measured", by=by, **text)
    return Change(f"{name}: {now.name}", "", days, text["before"], text["now"], None, percent, beyond, said)


def _when(days: int | None) -> str:
    return say("assess.when.unknown") if days is None else say("assess.when.days", days=days)

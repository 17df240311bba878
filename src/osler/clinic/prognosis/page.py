"""One patient's own risk as a page that needs no other file, no network and no script; and as JSON beside it."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from osler.clinic.prognosis.influence import Influence
from osler.clinic.prognosis.personal import Foretold, PersonalView
from osler.clinic.prognosis.similar import Seen
from osler.io.files import replacing, write_json
from osler.models.risk.card import Tried
from osler.results.sentences import current, say

_WIDE, _HIGH = 520.0, 190.0  # points of the drawing of the curve
_BAR = 260.0  # and of the drawing of what moves the risk
_UP, _DOWN = "#b0413e", "#2f6f9f"


@dataclass(frozen=True, slots=True)
class Bar:
    """One influence, drawn: from `start`, `wide` points long, its interval from `low` to `high`."""

    name: str
    value: str
    said: str
    between: str
    colour: str
    start: float
    wide: float
    low: float
    high: float


def write_personal_page(view: PersonalView, path: Path) -> Path:
    """Write the page to `path` and the same as JSON beside it; returns the JSON's path.

    Raises NoRoom when the disk is full.
    """
    beside_it = path.with_suffix(".json")
    write_json(beside_it, view.to_json())
    with replacing(path) as beside:
        beside.write_text(render(view), encoding="utf-8")
    return beside_it


def render(view: PersonalView) -> str:
    """The page as text, in the current language."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    rooms = Environment(
        loader=PackageLoader("osler.clinic.prognosis"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    card = view.model.card
    return rooms.get_template("risk.html").render(
        say=say,
        language=current(),
        notice=say("page.notice"),
        view=view,
        card=card,
        outcome=what_is_foretold,
        percent=percent,
        between=between,
        points=points,
        parts=[
            (say(f"risk.part.{part}"), [one for one in view.risks if one.part == part], _tried(view, part))
            for part in view.model.learners
            if any(one.part == part for one in view.risks)
        ],
        index_name=say("risk.index" if card.outcome.timed else "risk.auc") + say("risk.chance"),
        bars=_bars(view),
        moved_by=view.moved_by[0].by if view.moved_by else "",
        middle=_BAR / 2,
        curve=_curve(view),
        usual=dict(view.alike.typical) if view.alike is not None else {},
        seen=_seen(view),
        last=card.outcome.horizons[-1] if card.outcome.timed else None,
    )


def what_is_foretold(view: PersonalView, horizon: float | None) -> str:
    """ "died within 365 days", or only the event where there is no time."""
    outcome = view.model.card.outcome
    if not horizon:
        return say("risk.of", event=outcome.event)
    return say("risk.by", event=outcome.event, horizon=f"{horizon:g}", unit=outcome.unit)


def percent(value: float) -> str:
    """A risk as a person reads it.

    >>> percent(0.1834), percent(0.004), percent(0.9996)
    ('18 %', '0.4 %', '> 99.9 %')
    """
    if value > 0.999:
        return "> 99.9 %"
    return f"{100 * value:.0f} %" if 0.095 <= value <= 0.99 else f"{100 * value:.1f} %"


def between(one: Foretold | Seen) -> str:
    """Its interval, for people."""
    if math.isnan(one.low) or math.isnan(one.high):
        return say("risk.without_interval")
    return say("risk.between", low=percent(one.low), high=percent(one.high))


def points(value: float) -> str:
    """A difference of risks in percentage points, with its sign."""
    return f"{100 * value:+.1f}"


def _tried(view: PersonalView, part: str) -> str:
    """How well a part told patients apart that were left out."""
    metric = "c_index" if view.model.card.outcome.timed else "auc"
    found = [one for one in view.model.card.tested if one.part == part and one.metric == metric]
    return _figure(found[0]) if found else ""


def _figure(one: Tried) -> str:
    if one.value is None:
        return say("risk.not_known")
    if one.low is None or one.high is None:
        return f"{one.value:.2f}"
    return f"{one.value:.2f} ({say('risk.between', low=f'{one.low:.2f}', high=f'{one.high:.2f}')})"


def _bars(view: PersonalView) -> list[Bar]:
    """Each influence from the middle line: to the right it raises the risk."""
    known = {name: value for name, value, _ in view.known}

    def place(value: float, one: Influence) -> float:
        return value if one.by == "risk" else math.log(max(value, 1e-9))

    ends = [abs(place(end, one)) for one in view.moved_by for end in (one.value, one.low, one.high)]
    top = max([*ends, 0.02])
    rows = []
    for one in view.moved_by:
        value, low, high = (
            round(_BAR / 2 + place(end, one) / top * (_BAR / 2 - 4), 1) for end in (one.value, one.low, one.high)
        )
        ratio = one.by != "risk"
        ends_said = [f"{e:.2f}" if ratio else points(e) for e in (one.low, one.high)]
        rows.append(
            Bar(
                say("risk.image") if one.name == "image" else one.name,
                known.get(one.name, ""),
                f"× {one.value:.2f}" if ratio else say("risk.points", value=points(one.value)),
                say("risk.between", low=ends_said[0], high=ends_said[1]),
                _UP if place(one.value, one) > 0 else _DOWN,
                min(value, _BAR / 2),
                abs(value - _BAR / 2),
                low,
                high,
            )
        )
    return rows


def _curve(view: PersonalView) -> dict[str, object]:
    """The line and its band as points of a drawing; empty without times."""
    if not view.curve:
        return {}
    days, value, low, high = np.array(view.curve).T
    top = min(1.0, max(0.05, math.ceil(float(high.max()) * 10.5) / 10))

    def drawn(x: float, y: float) -> str:
        return f"{x / days[-1] * _WIDE:.1f},{_HIGH - y / top * _HIGH:.1f}"

    line = " ".join(drawn(x, y) for x, y in zip(days, value, strict=True))
    band = [drawn(x, y) for x, y in zip(days, high, strict=True)]
    band += [drawn(x, y) for x, y in zip(days[::-1], low[::-1], strict=True)]
    return {
        "line": line,
        "band": " ".join(band),
        "wide": _WIDE,
        "high": _HIGH,
        "top": f"{100 * top:.0f} %",
        "half": f"{50 * top:.0f} %",
        "last": f"{days[-1]:g}",
        "marks": [
            (
                round(one.horizon / days[-1] * _WIDE, 1),
                round(_HIGH - one.value / top * _HIGH, 1),
                f"{one.horizon:g}",
            )
            for one in view.main
        ],
    }


def _seen(view: PersonalView) -> list[tuple[str, Foretold, Seen, Seen]]:
    """At each horizon: what is foretold, and what became of similar and of all training patients."""
    if view.alike is None:
        return []
    rows = zip(view.main, view.alike.seen, view.alike.everybody, strict=True)
    return [(what_is_foretold(view, mine.horizon), mine, near, all_of) for mine, near, all_of in rows]

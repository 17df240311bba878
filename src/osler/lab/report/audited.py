"""What a reviewer asks beyond the numbers, as sections: groups, promises, decisions, worse pictures, elsewhere.

Read from the evaluation as `Audit.to_json` writes it; what was not looked at has no section.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from osler.lab.evaluate import plots
from osler.lab.evaluate.measures import ABOUT
from osler.lab.evaluate.report import written
from osler.lab.report.document import Block, Bullets, Cell, Figure, Paragraph, Row, Section, Table, pairs
from osler.lab.report.facts import interval_of, share_in_words

_CURVES = 4  # drawn; report.json has all
_ALARM = 0.05  # a corrected p below is marked

Numbers = Mapping[str, Any]


def audited(numbers: Numbers, key: str) -> tuple[Section, ...]:
    """The sections of one test; `key` makes their links its own."""
    return (
        Section(f"{key}-points", "Operating point", _points(numbers.get("operating_points", ()))),
        Section(f"{key}-groups", "Subgroups", _subgroups(numbers.get("subgroups", ()), numbers)),
        Section(f"{key}-coverage", "Do promised sets hold?", _coverage(numbers.get("coverage", ()))),
        Section(f"{key}-decisions", "Is it worth acting on?", _decisions(numbers.get("decision_curve", ()))),
        Section(f"{key}-gate", "Pictures unlike those it learnt from", _gate(numbers.get("gate"))),
        Section(f"{key}-robustness", "Worse pictures", _robustness(numbers.get("robustness"))),
        *(
            Section(f"{key}-elsewhere-{place}", f"Compared with {one['external']['data']}", _elsewhere(one))
            for place, one in enumerate(numbers.get("external", ()), start=1)
        ),
    )


def _points(points: Sequence[Numbers]) -> tuple[Block, ...]:
    blocks: list[Block] = []
    for point in points:
        n = point["n"]
        rows: dict[str, str | Cell] = {
            "Called": f"{point['label']}, from a probability of {point['threshold']:.3f} on",
            "Chosen for": point["aim"],
            "Chosen on": point["chosen_on"],
            "Tried on": f"{n['cases']} cases of {n['patients']} patients: {n['positives']} with it, "
            f"{n['negatives']} without",
        }
        rows |= {ABOUT[name].title: _value(name, one) for name, one in point["metrics"].items() if name in ABOUT}
        if "elsewhere" in point:
            other = point["elsewhere"]
            where = f"{100 * other['prevalence']:g} %"
            rows |= {
                f"{ABOUT[name].title} at a prevalence of {where}": _value(name, other[name])
                for name in ("ppv", "npv")
                if name in other
            }
        blocks.append(pairs(rows))
    return tuple(blocks)


def _subgroups(audits: Sequence[Numbers], numbers: Numbers) -> tuple[Block, ...]:
    blocks: list[Block] = []
    forest = _forest(audits, numbers)
    if forest is not None:
        blocks.append(Row((forest,)))
    for audit in audits:
        names = [name for name in _names(audit["groups"], "metrics") if name in ABOUT][:3]
        tested = [name for name in _names(audit["groups"], "gaps") if name in ABOUT][:2]
        rows = []
        for group in audit["groups"]:
            cells = [Cell(_two_lines(name, group["metrics"].get(name))) for name in names]
            gaps = [_gap(group["gaps"].get(name)) for name in tested]
            n = f"{group['n']['cases']} of {group['n']['patients']}"
            label = group["group"] + (f"\n{group['note']}" if group.get("note") else "")
            rows.append((Cell(label), Cell(n), *cells, *gaps))
        head = (
            audit["column"],
            "Cases of patients",
            *(ABOUT[name].title for name in names),
            *(f"{ABOUT[name].title}: group less rest" for name in tested),
        )
        many = len(head) - 2
        widths = (0.2, 0.11, *((0.69 / max(many, 1),) * many))
        note = f"{audit['how']}. Intervals by resampled patients; p by {audit['test'] or 'no test'}, corrected: "
        note += f"{audit['correction']}."
        if audit["unknown"]:
            note += f" {audit['unknown']} cases do not say it and are left out."
        blocks.append(Table(tuple(rows), widths, head, frozenset(range(1, len(head))), note))
    return tuple(blocks)


def _names(groups: Sequence[Numbers], kind: str) -> list[str]:
    return list(dict.fromkeys(name for group in groups for name in group[kind]))


def _forest(audits: Sequence[Numbers], numbers: Numbers) -> Figure | None:
    """The first metric of every group, all columns in one plot."""
    name = next(iter(numbers.get("metrics", {})), "")
    bars: list[plots.Bar] = []
    for audit in audits:
        groups = [group for group in audit["groups"] if name in group["metrics"]]
        if groups:
            bars.append(plots.Bar(audit["column"], heading=True))
        for group in groups:
            one = interval_of(group["metrics"][name])
            bars.append(plots.Bar(f"{group['group']} (n {group['n']['patients']})", one.value, one.low, one.high))
    if not bars:
        return None
    whole = interval_of(numbers["metrics"][name]).value
    return Figure(plots.forest_plot(bars, whole=whole, label=ABOUT[name].title), "n: patients.")


def _gap(gap: Numbers | None) -> Cell:
    if gap is None or gap["value"] is None:
        return Cell("–", "soft")
    lines = [f"{gap['value']:+.3f}"]
    if gap["low"] is not None:
        lines.append(f"{gap['low']:+.3f} to {gap['high']:+.3f}")
    p = gap["corrected"]
    if p is not None:
        lines.append(f"p {'< 0.001' if p < 0.001 else f'{p:.3f}'}")
    return Cell("\n".join(lines), "missing" if p is not None and p < _ALARM else "")


def _coverage(levels: Sequence[Numbers]) -> tuple[Block, ...]:
    if not levels:
        return ()
    rows = tuple(
        (
            Cell(f"{100 * one['level']:g} %"),
            Cell(share_in_words(one["coverage"])),
            Cell(f"{one['n']['cases']} of {one['n']['patients']}"),
            Cell("everything" if one["size"] is None else f"{one['size']:.2f}"),
            Cell("–" if one["singletons"] is None else f"{100 * one['singletons']:.1f} %"),
        )
        for one in levels
    )
    head = ("Promised", "The truth was inside", "Cases of patients", "Mean size", "One class only")
    blocks: list[Block] = [Table(rows, (0.14, 0.36, 0.2, 0.14, 0.16), head, frozenset({1, 2, 3, 4}))]
    told = next((one for one in levels if math.isclose(one["level"], 0.9)), levels[-1])
    each = tuple(
        (Cell(name), Cell(share_in_words(one["coverage"])), Cell(f"{one['n']['cases']} of {one['n']['patients']}"))
        for name, one in told["classes"].items()
    )
    if each:
        title = f"True class, at {100 * told['level']:g} % promised"
        columns = (title, "The truth was inside", "Cases of patients")
        blocks.append(Table(each, (0.4, 0.36, 0.24), columns, frozenset({1, 2})))
    return tuple(blocks)


def _decisions(curves: Sequence[Numbers]) -> tuple[Block, ...]:
    if not curves:
        return ()
    figures, said = [], []
    for curve in curves[:_CURVES]:
        band = (_array(curve["low"]), _array(curve["high"]))
        drawn = plots.decision_plot(
            curve["label"], _array(curve["thresholds"]), _array(curve["model"]), band, _array(curve["treat_all"])
        )
        better = curve["better_than_all_and_none"]
        worth = (
            "at no threshold better than acting always or never"
            if better is None
            else f"better than acting always and never from a threshold of {better[0]:.2f} to {better[1]:.2f}"
        )
        n = curve["n"]
        figures.append(Figure(drawn, f"{curve['label']}: {n['cases']} cases of {n['patients']} patients."))
        said.append(f"{curve['label']}: {worth}; prevalence {100 * curve['prevalence']:.1f} %.")
    lead = Paragraph(
        "Net benefit (Vickers and Elkin 2006): whoever acts from a probability of t on holds one missed case to "
        "be worth (1 - t) / t false alarms.",
        "soft",
    )
    return (lead, Row(tuple(figures)), Bullets(tuple(said)))


def _gate(gate: Numbers | None) -> tuple[Block, ...]:
    if gate is None:
        return ()
    n = gate["n"]
    text = (
        f"The gate calls {share_in_words(gate['share'])} of {n['cases']} cases of {n['patients']} patients unlike."
    )
    reasons = tuple(f"{reason}: {many} cases" for reason, many in gate["reasons"].items())
    return (Paragraph(text), *((Bullets(reasons),) if reasons else ()))


def _robustness(found: Numbers | None) -> tuple[Block, ...]:
    if found is None:
        return ()
    name = next(iter(found["metrics"]))
    plain = interval_of(found["metrics"][name])
    panels, rows = {}, []
    for way, steps in found["worsened"].items():
        ones = [interval_of(step["metrics"][name]) for step in steps]
        panels[way] = [
            plots.Bar(f"{step['strength']:g}", one.value, one.low, one.high)
            for step, one in zip(steps, ones, strict=True)
        ]
        for step in steps:
            unlike = "–" if step["unlike"] is None else f"{100 * step['unlike']:.0f} %"
            rows.append(
                (
                    Cell(way),
                    Cell(step["said"]),
                    Cell(_value(name, step["metrics"][name])),
                    _change(step["changes"].get(name)),
                    Cell(unlike),
                )
            )
    whole = plots.Bar("as is", plain.value, plain.low, plain.high)
    drawn = plots.strength_plot(panels, whole=whole, label=ABOUT[name].title)
    n = found["n"]
    lead = (
        f"{n['cases']} of {n['of_cases']} cases, of {n['patients']} patients, made worse on purpose. As they are: "
        f"{ABOUT[name].title} {_value(name, found['metrics'][name])}."
    )
    head = ("Made worse by", "Strength", ABOUT[name].title, "Change", "Called unlike")
    table = Table(tuple(rows), (0.17, 0.27, 0.22, 0.22, 0.12), head, frozenset({2, 3, 4}))
    return (Paragraph(lead), Row((Figure(drawn),)), table)


def _elsewhere(one: Numbers) -> tuple[Block, ...]:
    home, away = one["internal"], one["external"]
    gate = one["gate"]
    accepted = gate["accepted"]["metrics"] if gate else {}
    rows = tuple(
        (
            Cell(ABOUT[name].title),
            Cell(_two_lines(name, both["internal"])),
            Cell(_two_lines(name, both["external"])),
            *([Cell(_two_lines(name, accepted.get(name)))] if gate else []),
            _change(both["difference"]),
        )
        for name, both in one["metrics"].items()
        if name in ABOUT
    )
    head = ["Metric", f"{home['data']}\n{_n(home)}", f"{away['data']}\n{_n(away)}"]
    if gate:
        head.append(f"Of these, not gated\n{_n(gate['accepted'])}")
    head.append("Elsewhere less at home")
    widths = (0.2, *((0.8 / (len(head) - 1),) * (len(head) - 1)))
    blocks: list[Block] = [Table(rows, widths, tuple(head), frozenset(range(1, len(head))))]
    if gate:
        text = f"The gate calls {share_in_words(gate['external_share'])} of the cases elsewhere unlike"
        text += f", {share_in_words(gate['internal_share'])} at home." if gate["internal_share"] else "."
        blocks.append(Paragraph(text))
    mix = _mix(home, away)
    if mix:
        blocks.append(
            Table(mix, (0.25, 0.35, 0.2, 0.2), ("Mix of", "", "At home", "Elsewhere"), frozenset({2, 3}))
        )
    if one["notes"]:
        blocks.append(Bullets(tuple(one["notes"])))
    return tuple(blocks)


def _mix(home: Numbers, away: Numbers) -> tuple[tuple[Cell, ...], ...]:
    rows = []
    both = {"class": (home["classes"], away["classes"])}
    both |= {
        name: (home["facts"].get(name, {}), away["facts"].get(name, {}))
        for name in {**home["facts"], **away["facts"]}
    }
    for column, (here, there) in both.items():
        for group in {**here, **there}:
            shares = [f"{100 * side.get(group, 0):.1f} %" for side in (here, there)]
            rows.append((Cell(column), Cell(str(group)), *(Cell(share) for share in shares)))
    return tuple(rows)


def _n(side: Numbers) -> str:
    return f"{side['n']['cases']} cases of {side['n']['patients']}"


def _change(one: Numbers | None) -> Cell:
    if one is None or one.get("value") is None:
        return Cell("–", "soft")
    if one.get("low") is None:
        return Cell(f"{one['value']:+.3f}")
    sure = one["low"] > 0 or one["high"] < 0
    return Cell(f"{one['value']:+.3f}\n{one['low']:+.3f} to {one['high']:+.3f}", "missing" if sure else "")


def _value(name: str, value: Any) -> str:
    number, interval = written(name, interval_of(value))
    return number + (f" ({interval})" if interval else "")


def _two_lines(name: str, value: Any) -> str:
    if value is None:
        return "–"
    return "\n".join(part for part in written(name, interval_of(value)) if part)


def _array(values: Sequence[float | None]) -> Any:
    return np.array([math.nan if one is None else one for one in values], float)

"""The rows and plots of an audit, as the evaluation page shows them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from osler.lab.evaluate import plots
from osler.lab.evaluate.evaluate import Evaluation
from osler.lab.evaluate.measures import ABOUT
from osler.statistics.intervals import Interval

if TYPE_CHECKING:
    from osler.lab.evaluate.audit import Audit
    from osler.lab.evaluate.compare import Difference
    from osler.lab.evaluate.coverage import Coverage, Covered
    from osler.lab.evaluate.decisions import DecisionCurve, TriedPoint
    from osler.lab.evaluate.external import External
    from osler.lab.evaluate.robustness import Robustness
    from osler.lab.evaluate.subgroups import Gap, SubgroupAudit

_CURVES = 8  # drawn; the JSON has all
_ALARM = 0.05  # a corrected p below is marked


def audit_rows(audit: "Audit | None", evaluation: Evaluation) -> dict[str, Any]:
    """What the template asks for; every value is empty where the audit has nothing."""
    if audit is None:
        return dict.fromkeys(("columns", "forest", "decisions", "points", "coverage", "external"), ()) | {
            "gated": None,
            "robustness": None,
            "audit_notes": (),
        }
    return {
        "columns": [_column(one) for one in audit.subgroups],
        "forest": _forest(audit.subgroups, evaluation),
        "decisions": [_curve(one) for one in audit.decisions[:_CURVES]],
        "points": [_point(one) for one in audit.points],
        "coverage": [_coverage(one) for one in audit.coverage],
        "gated": None
        if audit.gated is None
        else {
            "cases": audit.gated.cases,
            "patients": audit.gated.patients,
            "share": shares(audit.gated.share),
            "reasons": list(audit.gated.reasons.items()),
        },
        "robustness": None if audit.robustness is None else _robustness(audit.robustness),
        "external": [_external(one) for one in audit.external],
        "audit_notes": audit.notes,
    }


def number(name: str, one: Interval) -> tuple[str, str]:
    """A metric and its interval as text: ("0.944", "0.921 to 0.963"); a dash where it is not defined."""
    if np.isnan(one.value):
        return "–", ""
    unit = ABOUT[name].unit if name in ABOUT else ""
    return f"{_short(one.value)} {unit}".strip(), "" if np.isnan(
        one.low
    ) else f"{_short(one.low)} to {_short(one.high)}"


def shares(one: Interval) -> str:
    """A share in percent with its interval."""
    if np.isnan(one.value):
        return "–"
    interval = "" if np.isnan(one.low) else f" ({100 * one.low:.1f} to {100 * one.high:.1f})"
    return f"{100 * one.value:.1f} %{interval}"


def _short(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"


def _p(p: float) -> str:
    return "–" if np.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def _column(audit: "SubgroupAudit") -> dict[str, Any]:
    names = list(dict.fromkeys(name for group in audit.groups for name in group.metrics))
    rows = []
    for group in audit.groups:
        cells = [number(name, group.metrics[name]) if name in group.metrics else ("–", "") for name in names]
        gaps = [_gap(group.gaps.get(name)) for name in names] if group.gaps else []
        rows.append(
            {
                "name": group.name,
                "patients": group.patients,
                "cases": group.cases,
                "classes": ", ".join(f"{count} {name}" for name, count in group.class_cases.items())
                if len(group.class_cases) <= 5
                else "",
                "cells": cells,
                "gaps": gaps,
                "note": group.note,
            }
        )
    how = {"permutation": f"{audit.permutations} permutations of patients", "bootstrap": "resampled patients"}
    return {
        "name": audit.column,
        "how": audit.how,
        "unknown": audit.unknown,
        "titles": [ABOUT[name].title for name in names],
        "rows": rows,
        "p": how.get(audit.test, ""),
        "tests": audit.tests,
    }


def _gap(gap: "Gap | None") -> tuple[str, str, bool]:
    if gap is None:
        return "", "", False
    interval = "" if np.isnan(gap.low) else f"{_signed(gap.low)} to {_signed(gap.high)}"
    return f"{_signed(gap.value)}, p {_p(gap.corrected)}", interval, gap.corrected < _ALARM


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{_short(value)}"


def _forest(audits: Sequence["SubgroupAudit"], evaluation: Evaluation) -> list[Any]:
    """The first metric of every group, all columns in one plot."""
    from markupsafe import Markup

    name = next(iter(evaluation.metrics), "")
    bars: list[plots.Bar] = []
    for audit in audits:
        groups = [group for group in audit.groups if name in group.metrics]
        if groups:
            bars.append(plots.Bar(audit.column, heading=True))
        for group in groups:
            one = group.metrics[name]
            bars.append(_bar(f"{group.name} (n {group.patients})", one))
    if not bars:
        return []
    return [Markup(plots.forest_plot(bars, whole=evaluation.metrics[name].value, label=ABOUT[name].title))]


def _bar(name: str, one: Interval) -> plots.Bar:
    return plots.Bar(name, one.value, one.low, one.high)


def _curve(curve: "DecisionCurve") -> dict[str, Any]:
    from markupsafe import Markup

    drawn = plots.decision_plot(
        curve.label, curve.thresholds, curve.model, (curve.low, curve.high), curve.treat_all
    )
    if curve.better is None:
        said = "at no threshold better than acting always or never"
    else:
        said = f"better than acting always and never from {curve.better[0]:.2f} to {curve.better[1]:.2f}"
    return {"label": curve.label, "svg": Markup(drawn), "said": said, "prevalence": curve.prevalence}


def _point(point: "TriedPoint") -> dict[str, Any]:
    return {
        "label": point.label,
        "aim": point.aim,
        "chosen_on": point.chosen_on,
        "threshold": f"{point.threshold:.3f}",
        "n": f"{point.positives} with, {point.negatives} without",
        "rows": [(ABOUT[name].title, *number(name, one)) for name, one in point.metrics.items()],
        "prevalence": shares(Interval(point.prevalence, np.nan, np.nan)),
        "elsewhere": "" if point.elsewhere is None else f"{100 * point.elsewhere:g} %",
        "there": [(ABOUT[name].title, *number(name, one)) for name, one in point.there.items()],
    }


def _coverage(one: "Coverage") -> dict[str, Any]:
    return {
        "level": f"{100 * one.level:g} %",
        "share": shares(one.whole.share),
        "patients": one.whole.patients,
        "cases": one.whole.cases,
        "size": f"{one.size:.2f}" if np.isfinite(one.size) else "everything",
        "single": "–" if one.singletons is None else f"{100 * one.singletons:.1f} %",
        "classes": _covered(one.classes),
        "groups": [(column, _covered(groups)) for column, groups in one.groups.items()],
    }


def _covered(rows: Mapping[str, "Covered"]) -> list[tuple[str, int, str]]:
    return [(name, one.cases, shares(one.share)) for name, one in rows.items()]


def _robustness(found: "Robustness") -> dict[str, Any]:
    from markupsafe import Markup

    name = next(iter(found.metrics))
    plain = found.metrics[name]
    panels = {
        way: [
            plots.Bar(
                f"{step.strength:g}", step.metrics[name].value, step.metrics[name].low, step.metrics[name].high
            )
            for step in steps
        ]
        for way, steps in found.worsened.items()
    }
    rows = []
    for way, steps in found.worsened.items():
        for step in steps:
            rows.append(
                {
                    "name": way,
                    "said": step.said,
                    "value": number(name, step.metrics[name]),
                    "change": _change(step.changes[name]),
                    "unlike": "–" if step.unlike is None else f"{100 * step.unlike:.0f} %",
                }
            )
    whole = _bar("as is", plain)
    return {
        "svg": Markup(plots.strength_plot(panels, whole=whole, label=ABOUT[name].title)),
        "title": ABOUT[name].title,
        "plain": number(name, plain),
        "patients": found.patients,
        "cases": found.cases,
        "of_cases": found.of_cases,
        "unlike": "" if found.unlike is None else f"{100 * found.unlike:.0f} %",
        "rows": rows,
    }


def _change(one: "Difference") -> tuple[str, str, bool]:
    if np.isnan(one.value):
        return "–", "", False
    if np.isnan(one.low):
        return _signed(one.value), "", False
    return _signed(one.value), f"{_signed(one.low)} to {_signed(one.high)}", one.low > 0 or one.high < 0


def _external(one: "External") -> dict[str, Any]:
    names = [
        name for name in one.metrics if not (np.isnan(one.home[name].value) and np.isnan(one.away[name].value))
    ]
    return {
        "name": one.outside.name,
        "home": one.inside,
        "away": one.outside,
        "rows": [
            (
                ABOUT[name].title,
                number(name, one.home[name]),
                number(name, one.away[name]),
                number(name, one.accepted[name]) if name in one.accepted else ("–", ""),
                _change(one.metrics[name]),
            )
            for name in names
        ],
        "called": [
            (label, shares(one.inside.called[label]), shares(found)) for label, found in one.outside.called.items()
        ],
        "mix": _mix(one),
        "gated": None if one.gated is None else shares(one.gated),
        "gated_home": None if one.gated_home is None else shares(one.gated_home),
        "accepted_n": one.accepted_n,
        "reasons": list(one.reasons.items()),
        "columns": [_column(audit) for audit in one.subgroups],
        "notes": one.notes,
    }


def _mix(one: "External") -> list[tuple[str, str, str, str]]:
    rows = [
        ("class", name, f"{100 * one.inside.classes[name]:.1f} %", f"{100 * share:.1f} %")
        for name, share in one.outside.classes.items()
    ]
    for column in dict.fromkeys((*one.inside.facts, *one.outside.facts)):
        here, there = one.inside.facts.get(column, {}), one.outside.facts.get(column, {})
        for group in dict.fromkeys((*here, *there)):
            rows.append((column, group, f"{100 * here.get(group, 0):.1f} %", f"{100 * there.get(group, 0):.1f} %"))
    return rows

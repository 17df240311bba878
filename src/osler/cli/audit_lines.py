"""What stands out in an audit, in a few lines for a terminal; the page and the JSON have all of it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osler.lab.evaluate.audit import Audit

_ALARM = 0.05
_MOST = 12  # groups named


def audit_lines(audit: "Audit") -> list[str]:
    """Groups with a gap, operating points, net benefit, promises, the gate, worse pictures, other data."""
    return [
        *_groups(audit),
        *_points(audit),
        *_decisions(audit),
        *_promises(audit),
        *_robustness(audit),
        *_external(audit),
        *(f"  Mind: {note}" for note in audit.notes),
    ]


def _groups(audit: "Audit") -> list[str]:
    from osler.lab.evaluate.audit_page import number
    from osler.lab.evaluate.measures import ABOUT

    if not audit.subgroups:
        return []
    names = ", ".join(one.column for one in audit.subgroups)
    lines = ["", f"Subgroups by {names}:"]
    small = [f"{one.column} {group.name}" for one in audit.subgroups for group in one.groups if not group.metrics]
    found = []
    for one in audit.subgroups:
        for group in one.groups:
            for name, gap in group.gaps.items():
                value = number(name, group.metrics[name])[0]
                apart = (
                    f"{gap.value:+.3f} ({gap.low:+.3f} to {gap.high:+.3f}) against the rest, p {gap.corrected:.3f}"
                )
                line = f"  {one.column} {group.name} (n {group.patients}): {ABOUT[name].title} {value}, {apart}"
                found += [(gap.corrected, line)] if gap.corrected < _ALARM else []
    tests = audit.subgroups[0].tests
    if found:
        lines += [line for _, line in sorted(found)[:_MOST]]
    elif tests:
        lines.append(
            f"  No gap passes the correction for {tests} tests; see the intervals for how large one may be."
        )
    if small:
        lines.append(f"  Too few patients for a number: {', '.join(small[:_MOST])}.")
    return lines


def _points(audit: "Audit") -> list[str]:
    from osler.lab.evaluate.audit_page import number

    lines = []
    for point in audit.points:
        figures = []
        for name, one in point.metrics.items():
            if name in ("sensitivity", "specificity", "ppv", "npv"):
                value, interval = number(name, one)
                figures.append(f"{name} {value}" + (f" ({interval})" if interval else ""))
        lines += ["", f"{point.label} from {point.threshold:.3f} on ({point.aim}; chosen on {point.chosen_on}):"]
        lines.append(f"  {', '.join(figures)}; n {point.positives} with, {point.negatives} without")
        if point.elsewhere is not None:
            there = [f"{name} {' ('.join(filter(None, number(name, one)))})" for name, one in point.there.items()]
            lines.append(f"  at a prevalence of {point.elsewhere:g}: {', '.join(there)}")
    return lines


def _decisions(audit: "Audit") -> list[str]:
    said = []
    for curve in audit.decisions:
        if curve.better is None:
            said.append(f"  {curve.label}: at no threshold better than acting always or never")
        else:
            low, high = curve.better
            said.append(f"  {curve.label}: better than acting always and never from {low:.2f} to {high:.2f}")
    return ["", "Net benefit:", *said] if said else []


def _promises(audit: "Audit") -> list[str]:
    from osler.lab.evaluate.audit_page import shares

    lines = [
        f"  {100 * one.level:g} % promised: {shares(one.whole.share)} held, mean size {one.size:.2f}"
        for one in audit.coverage
    ]
    if lines:
        lines = ["", f"Promised sets (n {audit.coverage[0].whole.patients} patients):", *lines]
    if audit.gated is not None:
        lines += ["", f"Called unlike by the gate: {shares(audit.gated.share)} of {audit.gated.cases} cases"]
    return lines


def _robustness(audit: "Audit") -> list[str]:
    from osler.lab.evaluate.measures import ABOUT

    found = audit.robustness
    if found is None:
        return []
    name = next(iter(found.metrics))
    lines = ["", f"Worse pictures ({found.cases} cases), {ABOUT[name].title} {found.metrics[name].value:.3f}:"]
    for way, steps in found.worsened.items():
        falls = ", ".join(f"{step.changes[name].value:+.3f}" for step in steps)
        lines.append(f"  {way:<18}{falls}")
    return lines


def _external(audit: "Audit") -> list[str]:
    from osler.lab.evaluate.audit_page import number, shares
    from osler.lab.evaluate.measures import ABOUT

    lines = []
    for one in audit.external:
        lines += ["", f"Elsewhere, {one.outside.name}: {one.outside.patients} patients, {one.outside.cases} cases"]
        for name in one.metrics:
            here, there = (" ".join(number(name, side[name])) for side in (one.home, one.away))
            if here != "– " or there != "– ":
                lines.append(f"  {ABOUT[name].title:<22}{there.strip()}; at home {here.strip()}")
        if one.gated is not None:
            lines.append(f"  Called unlike by the gate: {shares(one.gated)}")
        lines += [f"  Mind: {note}" for note in one.notes]
    return lines

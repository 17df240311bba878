"""An audit as JSON, as lines for a terminal, and as a page."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from osler.clinic.assessment.agreement import Estimate
from osler.clinic.assessment.audit import FEWEST, Agreement, Audit, Gap, Group, Retest, ScaleAudit
from osler.io.files import replacing, write_json
from osler.results.sentences import current, say

AUDIT_VERSION = 1


def audit_to_json(audit: Audit) -> dict[str, Any]:
    """The fields of the audit by name, numbers that are none as null."""
    plain: dict[str, Any] = {"audit_version": AUDIT_VERSION, **_finite(asdict(audit))}
    return plain


def write_audit(audit: Audit, folder: Path) -> tuple[Path, Path]:
    """Write audit.json and audit.html into `folder`. Raises NoRoom when the disk is full."""
    write_json(folder / "audit.json", audit_to_json(audit))
    page = audit_to_html(audit)
    with replacing(folder / "audit.html") as beside:
        beside.write_text(page, encoding="utf-8")
    return folder / "audit.json", folder / "audit.html"


def audit_to_html(audit: Audit) -> str:
    """The page as text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    rooms = Environment(
        loader=PackageLoader("osler.clinic.assessment"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    page = rooms.get_template("audit.html").render(
        audit=audit,
        say=say,
        language=current(),
        fewest=FEWEST,
        who=who(audit),
        scales=[(scale, retest_rows(scale.retest), agreement_rows(scale.agreement)) for scale in audit.scales],
        number=number,
        gap_text=gap_text,
        gap_of=gap_of,
    )
    return str(page)


def audit_lines(audit: Audit) -> list[str]:
    """The audit for a terminal."""
    lines = [who(audit)]
    for scale in audit.scales:
        lines.append(_scale_line(scale))
        for title, rows in (
            ("audit.retest", retest_rows(scale.retest)),
            ("audit.agreement", agreement_rows(scale.agreement)),
        ):
            lines.append(f"  {say(title)}")
            lines += [f"    {name:<58}{value}" for name, value in rows]
        for column in scale.subgroups:
            lines.append(f"  {say('audit.by', column=column.column)}")
            lines += [f"    {line}" for group in column.groups for line in _group_lines(group)]
            lines += [f"    {say('audit.unknown', items=column.unknown)}"] if column.unknown else []
    if audit.tests:
        lines.append(say("audit.tests", tests=audit.tests))
    return [*lines, *(say("line.mind", what=note) for note in audit.notes)]


def who(audit: Audit) -> str:
    """How much the book holds."""
    return say("audit.who", statements=audit.statements, persons=audit.persons, copies=audit.copies)


def retest_rows(retest: Retest) -> list[tuple[str, str]]:
    """Test-retest, a row a number."""
    again, same = retest.again
    rows = [(say("audit.again"), say("audit.of", some=same, all=again) if again else say("audit.none"))]
    if not retest.pairs:
        return [*rows, (say("audit.pairs"), say("audit.none"))]
    return [
        *rows,
        (say("audit.same"), number(retest.same, share=True)),
        (say("audit.within_one"), number(retest.within_one, share=True)),
        (say("audit.shift_retest"), number(retest.shift, signed=True)),
        (say("audit.kappa"), number(retest.kappa)),
    ]


def agreement_rows(agreed: Agreement) -> list[tuple[str, str]]:
    """Person against model, a row a number."""
    rows = [(say("audit.decided"), str(agreed.decided)), (say("audit.withheld"), str(agreed.withheld))]
    if not agreed.decided:
        return rows
    ways = say("audit.ways", up=agreed.up, down=agreed.down)
    rows += [
        (say("audit.overruled"), f"{number(agreed.overruled, share=True)}; {ways}"),
        (say("audit.shift"), number(agreed.shift, signed=True)),
        (say("audit.kappa"), number(agreed.kappa)),
    ]
    if agreed.promised is not None:
        name = say("audit.inside", promised=f"{agreed.promised:.0%}")
        rows.append((name, number(agreed.inside, share=True)))
    return rows


def number(one: Estimate | None, *, share: bool = False, signed: bool = False) -> str:
    """A number with its interval and its n; too few persons are said to be too few."""
    if one is None:
        return ""
    if one.persons < FEWEST:
        few = say("audit.few", persons=one.persons)
        return few if math.isnan(one.value) else f"{_text(one.value, share, signed)} ({few})"
    if math.isnan(one.value):
        return say("audit.undefined", persons=one.persons)
    n = say("audit.n", persons=one.persons, cases=one.cases)
    if math.isnan(one.low):
        return f"{_text(one.value, share, signed)} ({say('audit.no_interval')}; {n})"
    ends = say("page.range", low=_text(one.low, share, signed), high=_text(one.high, share, signed))
    return f"{_text(one.value, share, signed)} ({ends}; {n})"


def gap_of(group: Group, name: str) -> Gap | None:
    """The gap of that name, None where the group was not compared."""
    return next((gap for gap in group.gaps if gap.name == name), None)


def gap_text(gap: Gap | None) -> str:
    """A gap with its interval and both p."""
    if gap is None:
        return ""
    share = gap.name == "overruled"
    ends = say("page.range", low=_text(gap.low, share, True), high=_text(gap.high, share, True))
    return f"{_text(gap.value, share, True)} ({ends}); p {gap.p:.3f}, {say('audit.corrected')} {gap.corrected:.3f}"


def _scale_line(scale: ScaleAudit) -> str:
    spread = "; ".join(f"{name}: {count}" for name, count in zip(scale.scale, scale.counts, strict=True))
    return say("audit.scale", name=scale.name, persons=scale.persons, items=scale.items, spread=spread)


def _group_lines(group: Group) -> list[str]:
    head = say("audit.group", name=group.name, persons=group.persons, items=group.items, decided=group.decided)
    lines = [head + (f" ({group.note})" if group.note else "")]
    for name, one, share in (
        ("audit.grade", group.grade, False),
        ("audit.overruled", group.overruled, True),
        ("audit.shift", group.shift, False),
        ("audit.kappa", group.kappa, False),
    ):
        if one is not None:
            lines.append(f"  {say(name):<56}{number(one, share=share, signed=name == 'audit.shift')}")
    lines += [f"  {say('audit.gap', name=say(f'audit.{gap.name}')):<56}{gap_text(gap)}" for gap in group.gaps]
    return lines


def _text(value: float, share: bool, signed: bool) -> str:
    sign = "+" if signed else ""
    return f"{100 * value:{sign}.0f} %" if share else f"{value:{sign}.2f}"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

"""An evaluation of foretold risks as one page that needs no network: figures, differences, calibration."""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np

from osler.core.report import NOT_A_DEVICE
from osler.io.files import replacing
from osler.lab.risk.evaluate import ABOUT, AVERAGE, Figure, Group, RiskEvaluation
from osler.statistics.intervals import Interval

_SIDE = 230


def write_page(evaluation: RiskEvaluation, path: Path, *, title: str) -> None:
    """Write the page. Raises NoRoom when the disk is full."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(resources.files(__package__).joinpath("page.html").read_text("utf-8"))
    parts = list(dict.fromkeys(f.part for f in evaluation.figures))
    page = template.render(
        title=title,
        one=evaluation,
        parts=parts,
        average=AVERAGE,
        rows=_table(evaluation.figures, parts),
        apart=_table(
            evaluation.differences, list(dict.fromkeys(f.part for f in evaluation.differences)), sign=True
        ),
        compared=list(dict.fromkeys(f.part for f in evaluation.differences)),
        plots=[
            (part, f"by {at:g} {evaluation.unit}" if at else "", _plot(groups), groups)
            for part, ats in evaluation.calibration.items()
            for at, groups in ats.items()
        ],
        unit=evaluation.unit,
        notice=NOT_A_DEVICE,
    )
    with replacing(path) as beside:
        beside.write_text(page, encoding="utf-8")


def said(one: Interval, *, sign: bool = False) -> tuple[str, str]:
    """A figure and its interval as a person reads them.

    >>> said(Interval(0.7134, 0.65, 0.77))
    ('0.713', '0.650 to 0.770')
    """
    shape = "{:+.3f}" if sign else "{:.3f}"
    if np.isnan(one.value):
        return "not defined", ""
    ends = "" if np.isnan(one.low) else f"{shape.format(one.low)} to {shape.format(one.high)}"
    return shape.format(one.value), ends


def _table(
    figures: Sequence[Figure], parts: Sequence[str], *, sign: bool = False
) -> list[tuple[str, str, float | None, list[tuple[str, str]]]]:
    """A row for each metric and horizon, a cell for each part."""
    found = {(f.part, f.metric, f.horizon): f.interval for f in figures}
    keys = sorted(
        {(f.metric, f.horizon) for f in figures}, key=lambda k: (list(ABOUT).index(k[0]), k[1] if k[1] else 0.0)
    )
    rows = []
    for metric, horizon in keys:
        cells = [
            said(found[part, metric, horizon], sign=sign) if (part, metric, horizon) in found else ("", "")
            for part in parts
        ]
        title, meaning = ABOUT[metric]
        rows.append((title, meaning, horizon, cells))
    return rows


def _plot(groups: Sequence[Group]) -> dict[str, object]:
    """Where each group lies in a square of _SIDE points whose axes go to the same top."""
    ends = [g.foretold for g in groups] + [g.so if np.isnan(g.high) else g.high for g in groups]
    top = min(1.0, max(0.05, max(ends) * 1.08))

    def place(value: float) -> float:
        return round(min(value, top) / top * _SIDE, 1)

    return {
        "top": f"{100 * top:.0f} %",
        "side": _SIDE,
        "marks": [
            (
                place(g.foretold),
                _SIDE - place(g.so),
                None if np.isnan(g.low) else (_SIDE - place(g.low), _SIDE - place(g.high)),
            )
            for g in groups
        ],
    }

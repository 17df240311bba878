"""An evaluation as two files: numbers for machines, one page for people."""

import base64
import io
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from osler.core.arrays import Array
from osler.core.report import NOT_A_DEVICE
from osler.io.files import replacing, write_json
from osler.lab.evaluate import plots
from osler.lab.evaluate.audit_page import audit_rows
from osler.lab.evaluate.compare import Comparison, Difference
from osler.lab.evaluate.evaluate import Evaluation
from osler.lab.evaluate.measures import ABOUT
from osler.statistics.intervals import Interval

if TYPE_CHECKING:
    from osler.lab.evaluate.audit import Audit

Picture = tuple[str, str, Array]  # title, caption, (rows, columns, 3) uint8

_ROWS = 200  # cases shown on the page; the JSON has all
_TASKS = {
    "binary": "one of two classes",
    "multiclass": "one of several classes",
    "multilabel": "several findings, each there or not",
    "ordinal": "a grade",
    "regression": "a number",
    "segmentation": "outlines",
}


def write_report(
    evaluation: Evaluation,
    folder: Path,
    *,
    title: str,
    about: Mapping[str, str] | None = None,
    pictures: Sequence[Picture] = (),
    comparison: Comparison | None = None,
    audit: "Audit | None" = None,
) -> Path:
    """Write `evaluation.json` and `evaluation.html` into `folder`; the page's path.

    title       of the page, "Pneumonia on chest radiographs"
    about       what was tested, row by row: {"Model": "...", "Data": "..."}
    pictures    the worst and best cases: title, caption, (rows, columns, 3) uint8
    comparison  with another model; also written under "comparison" in the JSON
    audit       subgroups, decisions and what else was looked at; in the JSON beside the rest

    The page is one file that needs no network. Raises NoRoom when the disk is full.
    """
    page = render(
        evaluation, title=title, about=about or {}, pictures=pictures, comparison=comparison, audit=audit
    )
    written = evaluation.to_json() | (audit.to_json() if audit else {})
    written |= {"comparison": comparison.to_json()} if comparison else {}
    write_json(folder / "evaluation.json", written)
    with replacing(folder / "evaluation.html") as beside:
        beside.write_text(page, encoding="utf-8")
    return folder / "evaluation.html"


def render(
    evaluation: Evaluation,
    *,
    title: str,
    about: Mapping[str, str],
    pictures: Sequence[Picture] = (),
    comparison: Comparison | None = None,
    audit: "Audit | None" = None,
) -> str:
    """The page as text."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(resources.files(__package__).joinpath("page.html").read_text("utf-8"))
    return template.render(
        title=title,
        evaluation=evaluation,
        task=_TASKS[evaluation.task],
        about=about,
        operating_points=_operating_points(evaluation),
        metrics=[(ABOUT[name], written(name, one), one) for name, one in evaluation.metrics.items()],
        names=[ABOUT[name].title for name in _columns(evaluation)],
        each=[
            (
                label,
                evaluation.class_cases.get(label),
                [written(name, rows[name]) for name in _columns(evaluation)],
            )
            for label, rows in evaluation.per_class.items()
        ],
        plots=_plots(evaluation),
        rows=_rows(evaluation),
        rows_left=max(0, len(evaluation.rows) - _ROWS),
        differences=[
            (ABOUT[name], *_difference(name, one))
            for name, one in (comparison.metrics if comparison else {}).items()
        ],
        pictures=[(name, caption, _png(pixels)) for name, caption, pixels in pictures],
        not_a_device=NOT_A_DEVICE,
        **audit_rows(audit, evaluation),
    )


def _columns(evaluation: Evaluation) -> list[str]:
    """The metrics of each class that fit on a page; the JSON has all."""
    found = next(iter(evaluation.per_class.values()), {})
    return [name for name in found if not name.startswith(("brier_", "ece_"))]


def written(name: str, one: Interval) -> tuple[str, str]:
    """A metric and its interval as a person reads them: ("0.944", "0.921 to 0.963").

    >>> written("hd95_mm", Interval(1.2345, 1.0, 12.0))
    ('1.23 mm', '1.00 to 12.0')
    """
    if np.isnan(one.value):
        return "not defined", ""
    unit = ABOUT[name].unit
    interval = "" if np.isnan(one.low) else f"{_number(name, one.low)} to {_number(name, one.high)}"
    return f"{_number(name, one.value)} {unit}".strip(), interval


def _number(name: str, value: float) -> str:
    """Three decimals for shares, three digits for what has a unit or no upper end."""
    if abs(value) < 10 and not ABOUT[name].unit:
        return f"{value:.3f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _difference(name: str, one: Difference) -> tuple[str, str, str, str, str]:
    first, second = (
        _number(name, value) if not np.isnan(value) else "not defined" for value in (one.first, one.second)
    )
    if np.isnan(one.low):
        return first, second, "", "", ""
    apart = f"{'+' if one.value > 0 else ''}{_number(name, one.value)}"
    p = "< 0.001" if one.p < 0.001 else f"{one.p:.3f}"
    return first, second, apart, f"{_number(name, one.low)} to {_number(name, one.high)}", p


def _plots(evaluation: Evaluation) -> list[Any]:
    from markupsafe import Markup

    drawn = []
    if evaluation.roc:
        shares = {name: count / evaluation.cases for name, count in evaluation.class_cases.items()}
        drawn += [plots.roc_plot(evaluation.roc), plots.pr_plot(evaluation.pr, shares)]
    if evaluation.reliability:
        drawn.append(plots.reliability_plot(evaluation.reliability))
    if evaluation.confusion is not None:
        drawn.append(plots.confusion_plot(evaluation.confusion, evaluation.classes))
    if evaluation.task == "segmentation":
        for name in ("dice", "nsd"):
            values = {
                label: [row["labels"][label][name] for row in evaluation.rows] for label in evaluation.classes
            }
            drawn.append(plots.spread_plot(values, label=ABOUT[name].title))
    if evaluation.task == "regression":
        drawn.append(plots.scatter_plot(*([row[name] for row in evaluation.rows] for name in ("truth", "value"))))
    return [Markup(svg) for svg in drawn]


def _operating_points(evaluation: Evaluation) -> tuple[float, ...]:
    """One number where all labels share it."""
    points = evaluation.operating_point
    return points[:1] if len(set(points)) == 1 else points


def _rows(evaluation: Evaluation) -> list[list[str]]:
    """A segmentation's cases from the worst to the best, a line a case and label."""
    if evaluation.task != "segmentation":
        return []
    lines = []
    for row in evaluation.rows:
        for label, scores in row["labels"].items():
            cells = [_cell(name, scores[name]) for name in ("dice", "hd95_mm", "nsd")]
            cells += [_cell("volume_error_ml", scores[name]) for name in ("volume_ml", "reference_ml")]
            badness = 2.0 if np.isnan(scores["dice"]) else scores["dice"]
            lines.append((badness, [str(row["id"]), label, *cells]))
    lines.sort(key=lambda line: line[0])
    return [cells for _, cells in lines[:_ROWS]]


def _cell(name: str, value: float) -> str:
    return "–" if np.isnan(value) else _number(name, value)


def _png(pixels: Array) -> str:
    from PIL import Image

    written = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels, dtype=np.uint8)).save(written, format="PNG", optimize=True)
    return base64.b64encode(written.getvalue()).decode("ascii")

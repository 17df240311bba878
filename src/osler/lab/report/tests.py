"""The tests of a model as sections: on whom, the numbers with intervals, each class, the plots, the notes."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from osler.lab.evaluate import plots
from osler.lab.evaluate.classification import ReliabilityBin
from osler.lab.evaluate.evaluate import Curve
from osler.lab.evaluate.measures import ABOUT
from osler.lab.evaluate.report import written
from osler.lab.report.audited import audited
from osler.lab.report.document import Block, Bullets, Cell, Figure, Paragraph, Row, Section, Table, pairs
from osler.lab.report.facts import SPLITS_IN_WORDS, interval_of, intervals_in_words, size_of
from osler.lab.report.known import Known, Tested

_MOST_CASES = 60  # rows of the table of cases
# Of a class by itself these say little that the plots do not, and a page is only so wide.
_WHOLE_ONLY = ("brier_reliability", "brier_resolution", "brier_uncertainty", "ece_debiased")


def tests(known: Known) -> tuple[Section, ...]:
    """A section for each test, the internal one first."""
    return tuple(_test(test, f"test-{number}") for number, test in enumerate(known.tests, start=1))


def _test(test: Tested, key: str) -> Section:
    kind = "External test" if test.external else "Internal test"
    numbers = test.numbers
    parts = (
        Section(f"{key}-whom", "On whom", _whom(test)),
        Section(f"{key}-numbers", "Numbers", _numbers(test)),
        Section(f"{key}-classes", _each_title(numbers), _each(numbers)),
        Section(f"{key}-plots", "Plots", _plots(numbers)),
        *audited(numbers, key),
        Section(f"{key}-cases", "Case by case, the worst first", _cases(numbers)),
        Section(f"{key}-pictures", "Worst and best cases", (Row(test.photos),) if test.photos else ()),
        Section(f"{key}-notes", "What to mind", _notes(numbers)),
    )
    return Section(key, f"{kind}: {test.data}" if test.data else kind, (), parts)


def _whom(test: Tested) -> tuple[Block, ...]:
    numbers = test.numbers
    cases = numbers.get("n", {}).get("cases", 0)
    rows = {
        "Data": test.data or Cell("not written down", "missing"),
        "Part": SPLITS_IN_WORDS.get(numbers.get("split", ""), str(numbers.get("split", ""))),
        "Tested on": test.made,
        "Patients and cases": size_of(test),
    }
    blocks: list[Block] = [pairs(rows)]
    counted = numbers.get("class_cases", {})
    if counted and cases:
        held = tuple(
            (Cell(name), Cell(str(many)), Cell(f"{100 * many / cases:.1f} %")) for name, many in counted.items()
        )
        what = "Label" if numbers.get("task") in ("segmentation", "multilabel") else "Class"
        blocks.append(Table(held, (0.6, 0.2, 0.2), (what, "Cases", "Share"), frozenset({1, 2})))
    if not test.external and numbers.get("split") != "test":
        blocks.append(
            Paragraph(
                "These are not test cases: the model's calibration, and choices of its training, may have seen "
                "them. The numbers may be too good.",
                "warning",
            )
        )
    return tuple(blocks)


def _numbers(test: Tested) -> tuple[Block, ...]:
    rows = []
    for name, value in test.numbers.get("metrics", {}).items():
        if name in ABOUT:
            number, interval = written(name, interval_of(value))
            rows.append(
                (Cell(ABOUT[name].title), Cell(number), Cell(interval or "–"), Cell(ABOUT[name].best, "soft"))
            )
    if not rows:
        return ()
    points = test.numbers.get("operating_point", [])
    head = ("Metric", "Value", "95 % interval", "Best")
    blocks: list[Block] = [
        Table(tuple(rows), (0.42, 0.2, 0.26, 0.12), head, frozenset({1, 2}), f"n: {size_of(test)}.")
    ]
    if points:
        said = ", ".join(f"{point:.3f}" for point in dict.fromkeys(points))
        blocks.append(Paragraph(f"Called positive from a probability of {said} on.", "soft"))
    if test.numbers.get("tolerance_mm") is not None:
        blocks.append(Paragraph(f"Surface Dice at a tolerance of {test.numbers['tolerance_mm']:g} mm.", "soft"))
    if test.seconds is not None:
        blocks.append(Paragraph(f"Time for a case: {test.seconds:.3g} s, the median.", "soft"))
    blocks.append(Paragraph(intervals_in_words(test), "soft"))
    return tuple(blocks)


def _each_title(numbers: Mapping[str, Any]) -> str:
    return "Each label" if numbers.get("task") in ("segmentation", "multilabel") else "Each class against the rest"


def _each(numbers: Mapping[str, Any]) -> tuple[Block, ...]:
    per_class: Mapping[str, Mapping[str, Any]] = numbers.get("per_class", {})
    names = [name for name in next(iter(per_class.values()), {}) if name in ABOUT and name not in _WHOLE_ONLY][:7]
    if not names:
        return ()
    counted = numbers.get("class_cases", {})
    rows = []
    for label, values in per_class.items():
        cells = [
            Cell("\n".join(part for part in written(name, interval_of(values[name])) if part)) for name in names
        ]
        rows.append((Cell(label), Cell(str(counted.get(label, ""))), *cells))
    widths = (0.2, 0.08, *((0.72 / len(names),) * len(names)))
    head = ("", "Cases", *(ABOUT[name].title for name in names))
    return (Table(tuple(rows), widths, head, frozenset(range(1, len(head)))),)


def _plots(numbers: Mapping[str, Any]) -> tuple[Block, ...]:
    figures = []
    curves = {kind: _curves(numbers.get(kind, {})) for kind in ("roc", "pr")}
    cases = numbers.get("n", {}).get("cases", 0)
    if curves["roc"]:
        figures.append(Figure(plots.roc_plot(curves["roc"]), "Dotted: chance."))
    counted = numbers.get("class_cases", {})
    if curves["pr"] and cases and all(curve.name in counted for curve in curves["pr"]):
        shares = {name: many / cases for name, many in counted.items()}
        figures.append(Figure(plots.pr_plot(curves["pr"], shares), "Dotted: the share of positive cases, chance."))
    bins = [ReliabilityBin(**one) for one in numbers.get("reliability", [])]
    if bins:
        figures.append(Figure(plots.reliability_plot(bins), "Bars: 95 % intervals. Dotted: perfect calibration."))
    if numbers.get("confusion"):
        classes = list(numbers.get("class_cases", {}))
        figures.append(Figure(plots.confusion_plot(np.array(numbers["confusion"]), classes), "Counts of cases."))
    rows = numbers.get("cases", [])
    if numbers.get("task") == "segmentation" and rows:
        for name in ("dice", "nsd"):
            values = {label: [_nan(row["labels"][label][name]) for row in rows] for label in rows[0]["labels"]}
            drawn = plots.spread_plot(values, label=ABOUT[name].title)
            figures.append(Figure(drawn, "Lines: median and quartiles."))
    if numbers.get("task") == "regression" and rows:
        truth, value = ([_nan(row[name]) for row in rows] for name in ("truth", "value"))
        figures.append(Figure(plots.scatter_plot(truth, value), "Dotted: answer and truth the same."))
    return (Row(tuple(figures)),) if figures else ()


def _curves(stored: Mapping[str, Any]) -> list[Curve]:
    return [Curve(name, np.array(line["x"]), np.array(line["y"])) for name, line in stored.items()]


def _nan(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _cases(numbers: Mapping[str, Any]) -> tuple[Block, ...]:
    if numbers.get("task") != "segmentation":
        return ()
    lines = []
    for row in numbers.get("cases", []):
        for label, scores in row["labels"].items():
            dice = _nan(scores.get("dice"))
            cells = [_cell(name, scores.get(name)) for name in ("dice", "hd95_mm", "nsd")]
            cells += [_cell("volume_error_ml", scores.get(name)) for name in ("volume_ml", "reference_ml")]
            lines.append((2.0 if math.isnan(dice) else dice, (Cell(str(row["id"])), Cell(label), *cells)))
    if not lines:
        return ()
    lines.sort(key=lambda line: line[0])
    head = ("Case", "Label", "Dice", "HD95, mm", "NSD", "Drawn, ml", "Reference, ml")
    left = len(lines) - _MOST_CASES
    note = f"{left} more lines are in report.json." if left > 0 else ""
    return (
        Table(
            tuple(cells for _, cells in lines[:_MOST_CASES]),
            (0.24, 0.2, 0.1, 0.12, 0.1, 0.11, 0.13),
            head,
            frozenset(range(2, 7)),
            note,
        ),
    )


def _cell(name: str, value: float | None) -> Cell:
    if value is None or math.isnan(value):
        return Cell("–", "soft")
    return Cell(written(name, interval_of({"value": value}))[0].removesuffix(ABOUT[name].unit).strip())


def _notes(numbers: Mapping[str, Any]) -> tuple[Block, ...]:
    notes = tuple(dict.fromkeys((*numbers.get("notes", ()), *numbers.get("audit_notes", ()))))
    return (Bullets(notes),) if notes else ()

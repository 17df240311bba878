"""From what a model said to how good it is, with 95 % intervals by patient."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from osler.core.arrays import Array, Floats
from osler.lab.evaluate.answers import CLASSIFICATION, Answers
from osler.lab.evaluate.classification import ReliabilityBin, pr_curve, reliability, roc_curve
from osler.lab.evaluate.measures import (
    ABOUT,
    BIASED,
    WHOLE,
    Key,
    OperatingPoint,
    confidence,
    measures,
    said_classes,
    said_grades,
    thresholds,
)
from osler.lab.evaluate.segmentation import TOLERANCE_MM
from osler.statistics.intervals import Interval, bootstrap, resamples_for
from osler.statistics.weighted import confusion

_FEW_PATIENTS = 30  # below, percentile intervals are known to be too narrow
_FEW_CASES = 10  # of a class, below which its numbers say little


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A line to draw for one class: x and y of the same length."""

    name: str
    x: Floats
    y: Floats

    def to_json(self) -> dict[str, object]:
        """{"x": [...], "y": [...]} to four digits."""
        return {"x": self.x.round(4).tolist(), "y": self.y.round(4).tolist()}


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """How good a model was on a set of cases. What a task does not have is empty.

    patients, cases  how many
    metrics          name -> interval for the set as a whole; `measures.ABOUT` says what each name means
    per_class        the same for each class against the rest, or each label
    class_cases      cases of each class; segmentation: cases whose reference has the label
    operating_point  from which probability on a case was called positive, one a label
    tolerance_mm     of the surface Dice, None but for segmentation
    roc, pr          curves of the positive class, or of each class against the rest
    reliability      what was said against what was so, all labels of a multi-label task together
    confusion        true classes (rows) against said ones (columns), counts; "binary": at the operating point
    rows             segmentation: metrics of each case; regression: truth and value of each case
    notes            what to mind when reading the numbers, a sentence each
    resamples, seed  of the intervals
    """

    task: str
    split: str
    classes: tuple[str, ...]
    patients: int
    cases: int
    metrics: Mapping[str, Interval]
    per_class: Mapping[str, Mapping[str, Interval]]
    class_cases: Mapping[str, int]
    operating_point: tuple[float, ...]
    tolerance_mm: float | None
    roc: tuple[Curve, ...]
    pr: tuple[Curve, ...]
    reliability: tuple[ReliabilityBin, ...]
    confusion: Array | None
    rows: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]
    resamples: int
    seed: int

    def to_json(self) -> dict[str, object]:
        """{"task", "split", "n": {"patients", "cases"}, "metrics": {NAME: {"value", "low", "high"}}, "per_class"}.

        Followed by what the task has of: operating_point, tolerance_mm, class_cases, confusion, reliability, roc,
        pr, cases; and always notes, meanings of the metrics, and how the intervals were made. NaN is null.
        """
        written: dict[str, object] = {
            "task": self.task,
            "split": self.split,
            "n": {"patients": self.patients, "cases": self.cases},
            "metrics": {name: one.to_json() for name, one in self.metrics.items()},
            "per_class": {
                label: {name: one.to_json() for name, one in rows.items()}
                for label, rows in self.per_class.items()
            },
        }
        extras: dict[str, object] = {
            "operating_point": list(self.operating_point),
            "tolerance_mm": self.tolerance_mm,
            "class_cases": dict(self.class_cases),
            "confusion": [] if self.confusion is None else self.confusion.tolist(),
            "reliability": [asdict(one) for one in self.reliability],
            "roc": {curve.name: curve.to_json() for curve in self.roc},
            "pr": {curve.name: curve.to_json() for curve in self.pr},
            "cases": [_without_nan(row) for row in self.rows],
        }
        written |= {name: value for name, value in extras.items() if value not in ([], {}, None)}
        return written | {
            "notes": list(self.notes),
            "meanings": {name: ABOUT[name].meaning for name in self.metrics},
            "intervals": {
                "level": 0.95,
                "method": "percentile bootstrap by patient",
                "resamples": self.resamples,
                "seed": self.seed,
            },
        }


def score(
    answers: Answers,
    *,
    split: str,
    operating_point: OperatingPoint = None,
    tolerance_mm: float = TOLERANCE_MM,
    seed: int = 0,
) -> Evaluation:
    """Every metric of the answers' task, with 95 % bootstrap intervals by patient.

    split            what the cases are, "test"
    operating_point  from which probability on a case is called positive, chosen on other cases; one number, or one
                     a label; None: one half
    tolerance_mm     with which `score_case` made the masks' scores, to be stated beside them

    Raises AskedWrongly for an operating point that does not fit the task.
    """
    measure = measures(answers, operating_point=operating_point)
    names = tuple(measure(np.ones((1, len(answers.ids)))))
    found = bootstrap(measure, answers.patients, seed=seed, biased={key for key in names if key[1] in BIASED})
    classified, segmented = answers.task in CLASSIFICATION, answers.task == "segmentation"
    has_point = answers.task in ("binary", "multilabel")
    return Evaluation(
        task=answers.task,
        split=split,
        classes=answers.classes,
        patients=len(set(answers.patients)),
        cases=len(answers.ids),
        metrics={name: found[WHOLE, name] for name in ABOUT if (WHOLE, name) in found},
        per_class={
            label: {name: one for (other, name), one in found.items() if other == label}
            for label in answers.classes
        },
        class_cases=_class_cases(answers),
        operating_point=tuple(thresholds(answers, operating_point).tolist()) if has_point else (),
        tolerance_mm=tolerance_mm if segmented else None,
        roc=_curves(answers, roc_curve) if classified else (),
        pr=_curves(answers, pr_curve) if classified else (),
        reliability=reliability(*confidence(answers)) if classified else (),
        confusion=_confusion(answers, operating_point),
        rows=_rows(answers),
        notes=_notes(answers, found, operating_point, tolerance_mm),
        resamples=resamples_for(len(answers.ids)),
        seed=seed,
    )


def worst_first(answers: Answers) -> tuple[int, ...]:
    """Places of the cases from the worst answer to the best.

    Worst is: the least probability for the truth (multi-label: the largest error of any label), the largest error
    of a number, the least mean Dice. Cases that cannot be judged (no label in either mask) come last.
    """
    if answers.task == "segmentation":
        dice = np.array([[case[label]["dice"] for label in answers.classes] for case in answers.masks])
        judged = (~np.isnan(dice)).sum(axis=1)
        badness = np.where(judged > 0, 1 - np.nansum(dice, axis=1) / np.maximum(judged, 1), -1.0)
    elif answers.task == "regression":
        badness = np.abs(np.asarray(answers.values, float) - np.asarray(answers.truth, float))
    else:
        badness = np.abs(answers.chances - answers.indicators).max(axis=1)
        if answers.task != "multilabel":
            badness = 1 - (answers.chances * answers.indicators).sum(axis=1)
    return tuple(int(place) for place in np.argsort(-badness, kind="stable"))


def _curves(answers: Answers, curve: Callable[[Array, Array], tuple[Floats, Floats]]) -> tuple[Curve, ...]:
    """One curve a class; of two classes only the positive one; none for a class that nobody or everybody has."""
    drawn = []
    for index, name in enumerate(answers.classes):
        so = answers.indicators[:, index]
        if (answers.task == "binary" and index == 0) or so.all() or not so.any():
            continue
        drawn.append(Curve(name, *curve(answers.chances[:, index], so)))
    return tuple(drawn)


def _confusion(answers: Answers, operating_point: OperatingPoint) -> Array | None:
    if answers.task not in ("binary", "multiclass", "ordinal"):
        return None
    said = said_grades(answers) if answers.task == "ordinal" else said_classes(answers)
    if answers.task == "binary":
        said = (answers.chances[:, 1] >= thresholds(answers, operating_point)[0]).astype(int)
    return confusion(answers.labels, said, len(answers.classes)).astype(int)


def _class_cases(answers: Answers) -> dict[str, int]:
    if answers.task in CLASSIFICATION:
        return dict(zip(answers.classes, answers.indicators.sum(axis=0).astype(int).tolist(), strict=True))
    return {name: sum(case[name]["lesions"] > 0 for case in answers.masks) for name in answers.classes}


def _rows(answers: Answers) -> tuple[Mapping[str, Any], ...]:
    if answers.task == "segmentation":
        return tuple(
            {"id": name, "labels": {label: dict(case[label]) for label in answers.classes}}
            for name, case in zip(answers.ids, answers.masks, strict=True)
        )
    if answers.task == "regression":
        truth, value = np.asarray(answers.truth, float), np.asarray(answers.values, float)
        rows = zip(answers.ids, truth.tolist(), value.tolist(), strict=True)
        return tuple({"id": name, "truth": was, "value": said} for name, was, said in rows)
    return ()


def _notes(
    answers: Answers, found: Mapping[Key, Interval], operating_point: OperatingPoint, tolerance_mm: float
) -> tuple[str, ...]:
    """What a reader must know so as not to be misled by the numbers."""
    notes = []
    patients = len(set(answers.patients))
    if patients < 2:
        notes.append("There is one patient only, so there are no intervals: nothing is known of other patients.")
    elif patients < _FEW_PATIENTS:
        notes.append(f"There are {patients} patients only: the intervals are wide, and still likely too narrow.")
    if answers.task != "regression":
        for name, count in _class_cases(answers).items():
            if count == 0:
                notes.append(f"No case has '{name}'; it is left out of the means.")
            elif count < _FEW_CASES:
                notes.append(f"Only {count} case{'s' * (count > 1)} with '{name}': its numbers say little.")
    if answers.task == "ordinal":
        notes.append(
            "Accuracy takes the likeliest grade; kappa, errors in grades and the confusion table take the median "
            "grade, which is the one that a report names."
        )
    if answers.task in ("binary", "multilabel") and operating_point is not None:
        notes.append(
            "Accuracy takes one half, as the MedMNIST protocol does; sensitivity, specificity and what is counted "
            "from them take the operating point."
        )
    if answers.task == "segmentation":
        notes += _mask_notes(answers, tolerance_mm)
    if any(one.low == one.high for (label, _), one in found.items() if label == WHOLE):
        notes.append("An interval without width means that no case here differed, not that none will elsewhere.")
    undefined = max(one.undefined for one in found.values())
    if undefined and patients > 1:
        notes.append(
            f"In up to {undefined} of {resamples_for(len(answers.ids))} resamples a metric was not defined "
            "(a class was missing); those were left out of its interval."
        )
    return tuple(notes)


def _mask_notes(answers: Answers, tolerance_mm: float) -> list[str]:
    notes = [
        f"Surface Dice is at a tolerance of {tolerance_mm:g} mm; compare it only with numbers made the same way."
    ]
    for name in answers.classes:
        scores = [case[name] for case in answers.masks]
        neither = sum(np.isnan(one["dice"]) for one in scores)
        missed = sum(one["dice"] == 0 and np.isnan(one["hd95_mm"]) and one["lesions"] > 0 for one in scores)
        invented = sum(one["dice"] == 0 and np.isnan(one["hd95_mm"]) and one["lesions"] == 0 for one in scores)
        if neither:
            notes.append(
                f"In {_cases(neither)} '{name}' is in neither mask; its Dice and surfaces leave them out."
            )
        if missed:
            notes.append(f"'{name}' was missed wholly in {_cases(missed)} (Dice 0, no HD95).")
        if invented:
            notes.append(f"'{name}' was drawn in {_cases(invented)} without any (Dice 0, no HD95).")
    if any(np.isnan(case[answers.classes[0]]["volume_ml"]) for case in answers.masks):
        notes.append("The pictures are flat: there are no volumes, and distances are in pixels without a spacing.")
    return notes


def _without_nan(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _without_nan(inner) for name, inner in value.items()}
    return None if isinstance(value, float) and np.isnan(value) else value


def _cases(count: int) -> str:
    return "1 case" if count == 1 else f"{count} cases"

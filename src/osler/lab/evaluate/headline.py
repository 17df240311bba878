"""The few metrics by which sets of cases are put side by side: subgroups, degraded pictures, other hospitals.

`measures` computes all there is to say of one set; these are computed some ten thousand times an evaluation.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from osler.core.arrays import Array, Floats
from osler.lab.evaluate import classification, regression
from osler.lab.evaluate.answers import Answers
from osler.lab.evaluate.measures import OperatingPoint, said_classes, said_grades, thresholds
from osler.statistics import grades
from osler.statistics.intervals import Measure
from osler.statistics.weighted import mean, ratio

# The first is the one that is drawn. What comes after the bar is calibration in the large.
HEADLINE: Mapping[str, tuple[str, ...]] = {
    "binary": ("auc", "sensitivity", "specificity", "brier", "said_minus_so", "expected_to_observed"),
    "multilabel": ("auc", "sensitivity", "specificity", "brier", "said_minus_so", "expected_to_observed"),
    "multiclass": ("auc", "accuracy", "brier", "said_minus_so"),
    "ordinal": ("qwk", "mae", "within_one", "said_minus_so"),
    "regression": ("mae", "rmse", "said_minus_so"),
    "segmentation": ("dice", "nsd", "said_minus_so"),
}


def headline(
    answers: Answers,
    *,
    operating_point: OperatingPoint = None,
    classes: Sequence[int] | None = None,
    only: Sequence[str] = (),
) -> Measure[str]:
    """The task's HEADLINE metrics as one function: weights (resamples, cases) -> {name: (resamples,)}.

    classes  numbers of the classes or labels over which means are taken; None: `judged_classes`, those for which
             a mean has a meaning in these very cases
    only     some of the metrics; () for all
    """
    kept = judged_classes(answers) if classes is None else tuple(classes)
    compute = _COMPUTE[answers.task](answers, operating_point, kept)
    return lambda weights: {name: compute[name](weights) for name in only or HEADLINE[answers.task]}


def judged_classes(answers: Answers) -> tuple[int, ...]:
    """Numbers of the classes that some cases have and others have not; segmentation: labels in any mask."""
    if answers.task == "segmentation":
        dice = np.array([[case[name]["dice"] for name in answers.classes] for case in answers.masks], float)
        return tuple(np.flatnonzero((~np.isnan(dice)).any(axis=0)).tolist())
    if answers.task == "regression":
        return ()
    having = answers.indicators.mean(axis=0)
    return tuple(np.flatnonzero((having > 0) & (having < 1)).tolist())


_Compute = Mapping[str, Callable[[Floats], Floats]]


def _binary(answers: Answers, point: OperatingPoint, _: Sequence[int]) -> _Compute:
    said, so = answers.chances[:, 1], answers.labels == 1
    called = said >= thresholds(answers, point)[0]
    return {
        "auc": lambda weights: classification.auc(said, so, weights),
        "sensitivity": lambda weights: classification.sensitivity(called, so, weights),
        "specificity": lambda weights: classification.specificity(called, so, weights),
        "brier": lambda weights: classification.brier(said, so, weights),
        "said_minus_so": lambda weights: mean(said - so, weights),
        "expected_to_observed": lambda weights: ratio(weights @ said, weights @ so.astype(float)),
    }


def _multilabel(answers: Answers, point: OperatingPoint, kept: Sequence[int]) -> _Compute:
    said, so = answers.chances, answers.labels == 1
    called = said >= thresholds(answers, point)

    def over(metric: Callable[[Array, Array, Floats], Floats], first: Array) -> Callable[[Floats], Floats]:
        return lambda weights: _mean_of([metric(first[:, k], so[:, k], weights) for k in kept], weights)

    return {
        "auc": over(classification.auc, said),
        "sensitivity": over(classification.sensitivity, called),
        "specificity": over(classification.specificity, called),
        "brier": over(classification.brier, said),
        "said_minus_so": lambda weights: mean((said - so).mean(axis=1), weights),
        "expected_to_observed": lambda weights: ratio(
            weights @ said.sum(axis=1), weights @ so.sum(axis=1).astype(float)
        ),
    }


def _multiclass(answers: Answers, _: OperatingPoint, kept: Sequence[int]) -> _Compute:
    said, so = answers.chances, answers.indicators
    right = said_classes(answers) == answers.labels
    return {
        "auc": lambda weights: _mean_of(
            [classification.auc(said[:, k], so[:, k] > 0, weights) for k in kept], weights
        ),
        "accuracy": lambda weights: mean(right, weights),
        "brier": lambda weights: classification.brier(said, so, weights),
        "said_minus_so": lambda weights: mean(said.max(axis=1) - right, weights),
    }


def _ordinal(answers: Answers, _: OperatingPoint, __: Sequence[int]) -> _Compute:
    truth, grade, many = answers.labels, said_grades(answers), len(answers.classes)
    expected = answers.chances @ np.arange(many)
    return {
        "qwk": lambda weights: grades.qwk(truth, grade, many, weights),
        "mae": lambda weights: grades.mae(truth, grade, weights),
        "within_one": lambda weights: grades.within_one(truth, grade, weights),
        "said_minus_so": lambda weights: mean(expected - truth, weights),
    }


def _regression(answers: Answers, _: OperatingPoint, __: Sequence[int]) -> _Compute:
    truth, value = np.asarray(answers.truth, float), np.asarray(answers.values, float)
    return {
        "mae": lambda weights: regression.mae(truth, value, weights),
        "rmse": lambda weights: regression.rmse(truth, value, weights),
        "said_minus_so": lambda weights: regression.bias(truth, value, weights),
    }


def _segmentation(answers: Answers, _: OperatingPoint, kept: Sequence[int]) -> _Compute:
    column = {
        field: np.array([[case[name][field] for name in answers.classes] for case in answers.masks], float)
        for field in ("dice", "nsd", "volume_ml", "reference_ml")
    }
    apart = column["volume_ml"] - column["reference_ml"]

    def over(values: Array) -> Callable[[Floats], Floats]:
        return lambda weights: _mean_of([mean(values[:, k], weights) for k in kept], weights)

    return {"dice": over(column["dice"]), "nsd": over(column["nsd"]), "said_minus_so": over(apart)}


def _mean_of(each: Sequence[Floats], weights: Floats) -> Floats:
    averaged: Floats = np.mean(each, axis=0) if each else np.full(weights.shape[:-1], np.nan)
    return averaged


_COMPUTE: Mapping[str, Callable[[Answers, OperatingPoint, Sequence[int]], _Compute]] = {
    "binary": _binary,
    "multiclass": _multiclass,
    "multilabel": _multilabel,
    "ordinal": _ordinal,
    "regression": _regression,
    "segmentation": _segmentation,
}

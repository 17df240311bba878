"""Which metrics a task is judged by: one table of names, and one function a task that computes them all.

`measures(answers)` gives a function of case weights, so that the value, its interval and the difference between
two models come from the same lines.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array, Floats
from osler.core.errors import AskedWrongly
from osler.lab.evaluate import calibration, classification, regression
from osler.lab.evaluate.answers import Answers
from osler.statistics import grades
from osler.statistics.intervals import Measure
from osler.statistics.weighted import mean, ratio

# These grow with noise alone: their resamples are shifted back by the bias they show.
BIASED = ("ece", "ece_debiased", "ece_classwise", "brier_reliability", "brier_resolution")

Key = tuple[str, str]  # (class or label, metric); the class is WHOLE for the set as a whole
Said = dict[Key, Floats]
OperatingPoint = float | Sequence[float] | None
WHOLE = ""


@dataclass(frozen=True, slots=True)
class About:
    """A metric in words.

    title   what a person reads
    meaning one sentence
    best    "high", "low", "zero", "one", or "" where it is not the model's doing
    unit    "" for plain numbers
    """

    title: str
    meaning: str
    best: str = "high"
    unit: str = ""


# In the order in which they are shown.
ABOUT: Mapping[str, About] = {
    "qwk": About("Quadratic weighted kappa", "Agreement of the grades beyond chance, far misses counting more."),
    "mae": About("Mean absolute error", "Mean distance between answer and truth.", "low"),
    "mae_macro": About("MAE, grades balanced", "Mean distance, each true grade counting the same.", "low"),
    "within_one": About("Within one grade", "Share of answers at most one grade away."),
    "rps": About("Ranked probability score", "Brier score of 'at most this grade', mean over the grades.", "low"),
    "auc": About("AUC", "Area under the ROC curve; more than two classes: mean of each against the rest."),
    "accuracy": About(
        "Accuracy",
        "Share of right answers by the largest probability; by more than one half for two classes and, "
        "averaged, for each label.",
    ),
    "sensitivity": About(
        "Sensitivity", "Share of positive cases found at the operating point, mean over classes."
    ),
    "specificity": About(
        "Specificity", "Share of negative cases spared at the operating point, mean over classes."
    ),
    "pr_auc": About("PR-AUC", "Average precision; chance level is the share of positive cases."),
    "brier": About(
        "Brier score",
        "Mean squared error of the probabilities: of the positive class for two classes (0 to 1), "
        "summed over the classes for more (0 to 2).",
        "low",
    ),
    "ece": About(
        "ECE",
        "Expected calibration error in ten bins of equal count: of the positive class, of each label, or of the "
        "class said where there are more than two.",
        "low",
    ),
    "ece_debiased": About("ECE, debiased", "The same without what chance alone adds to it.", "low"),
    "ece_classwise": About(
        "ECE, class by class",
        "Mean over the classes of each one's own ECE; grades: of 'at least this grade'.",
        "low",
    ),
    "brier_reliability": About(
        "Brier: reliability",
        "The part of the Brier score that calibration could take away: "
        "Brier = reliability - resolution + uncertainty.",
        "low",
    ),
    "brier_resolution": About("Brier: resolution", "The part that telling cases apart takes off the uncertainty."),
    "brier_uncertainty": About(
        "Brier: uncertainty", "The variance of the truth itself, the same for every model.", ""
    ),
    "calibration_slope": About(
        "Calibration slope",
        "Slope of the logistic recalibration, below one where the model is too sure of itself; more than two "
        "classes: each against the rest, all in one; grades: of 'at least this grade'.",
        "one",
    ),
    "calibration_intercept": About(
        "Calibration intercept",
        "Calibration in the large, in log-odds: below zero where the model says too much; means as for the slope.",
        "zero",
    ),
    "nll": About("Log-loss", "Mean of minus the natural logarithm of the probability given to the truth.", "low"),
    "rmse": About("Root mean squared error", "Large errors count more.", "low"),
    "bias": About("Mean error", "Above zero where the model says too much.", "zero"),
    "r2": About("R²", "Share of the variance explained."),
    "pearson": About("Pearson's r", "Correlation between answer and truth."),
    "dice": About("Dice", "Overlap of the masks; cases without the label in both masks are left out."),
    "hd95_mm": About(
        "HD95",
        "The larger of the two directed 95th percentiles of the distances between the surfaces; "
        "cases with one empty mask have none.",
        "low",
        "mm",
    ),
    "nsd": About("Surface Dice (NSD)", "Share of both surfaces within the tolerance of the other one."),
    "volume_error_ml": About("Volume error", "Mean absolute difference of the volumes.", "low", "ml"),
    "volume_bias_ml": About(
        "Volume bias", "Mean difference of the volumes, above zero where too much is drawn.", "zero", "ml"
    ),
    "lesion_sensitivity": About(
        "Parts found", "Share of the separate parts of the reference that the answer touches."
    ),
    "false_positives": About("False parts a case", "Separate parts of the answer that touch no reference.", "low"),
    "ppv": About("PPV", "Share of the cases called positive that are."),
    "npv": About("NPV", "Share of the cases not called positive that are not."),
    "lr_plus": About(
        "Likelihood ratio +", "How much a positive call raises the odds: sensitivity / (1 - specificity)."
    ),
    "lr_minus": About(
        "Likelihood ratio -", "How much a negative call lowers the odds: (1 - sensitivity) / specificity.", "low"
    ),
    "said_minus_so": About(
        "Said minus so",
        "Calibration in the large: mean of what was said minus mean of what was so (probability, grade, number, "
        "or ml drawn; the class said against how often it was right).",
        "zero",
    ),
    "expected_to_observed": About(
        "Expected to observed", "Sum of the probabilities over the number of positive cases.", "one"
    ),
    "coverage": About("Coverage", "Share of cases whose set or interval holds the truth.", ""),
}


def measures(answers: Answers, *, operating_point: OperatingPoint = None) -> Measure[Key]:
    """All metrics of the task as one function: weights (resamples, cases) -> {(class, name): (resamples,)}.

    operating_point  from which probability on a case is called positive; one number for "binary", one number or
                     one a label for "multilabel", None for one half; other tasks have none (AskedWrongly)
    """
    if answers.task in ("binary", "multilabel"):
        called = _called(answers, thresholds(answers, operating_point))
    elif operating_point is not None:
        raise AskedWrongly(
            f"The task '{answers.task}' has no operating point.",
            remedy="Leave it out: the likeliest class is taken.",
        )
    else:
        called = np.empty(0)
    compute = _COMPUTE[answers.task]
    return lambda weights: compute(answers, called, weights)


def thresholds(answers: Answers, operating_point: OperatingPoint) -> Floats:
    """The operating point as one number a label: (1,) for "binary", (classes,) for "multilabel"."""
    labels = 1 if answers.task == "binary" else len(answers.classes)
    given = np.atleast_1d(np.asarray(0.5 if operating_point is None else operating_point, dtype=np.float64))
    if given.shape not in ((1,), (labels,)) or not ((given >= 0) & (given <= 1)).all():
        raise AskedWrongly(
            f"An operating point of {given.tolist()} does not fit {labels} label{'s' * (labels > 1)}.",
            remedy="Give one probability between 0 and 1, or one for each label.",
        )
    return np.broadcast_to(given, (labels,))


def said_grades(answers: Answers) -> Array:
    """The one grade said of each case, (cases,): the median, as in the reports."""
    return grades.median_grade(answers.chances)


def said_classes(answers: Answers) -> Array:
    """The class said of each case, (cases,): the likeliest; class 1 of two only when above one half."""
    binary = answers.task == "binary"
    said: Array = answers.chances[:, 1] > 0.5 if binary else answers.chances.argmax(axis=1)
    return said.astype(np.int64)


def confidence(answers: Answers) -> tuple[Array, Array]:
    """(what was said, whether it was so), as calibration is judged: each (cases,), or (cases x labels,)."""
    if answers.task == "binary":
        return answers.chances[:, 1], answers.indicators[:, 1]
    if answers.task == "multilabel":
        return answers.chances.ravel(), answers.indicators.ravel()
    return answers.chances.max(axis=1), (answers.chances.argmax(axis=1) == answers.labels).astype(float)


def _called(answers: Answers, threshold: Floats) -> Array:
    """Which classes each case is called at the operating point, (cases, classes)."""
    if answers.task == "binary":
        positive = answers.chances[:, 1] >= threshold[0]
        return np.stack([~positive, positive], axis=1)
    called: Array = answers.chances >= threshold
    return called


def _each_class(answers: Answers, called: Array, weights: Floats) -> Said:
    """Every class against the rest."""
    said: Said = {}
    for index, name in enumerate(answers.classes):
        chance, so = answers.chances[:, index], answers.indicators[:, index].astype(bool)
        said[name, "auc"] = classification.auc(chance, so, weights)
        said[name, "pr_auc"] = classification.pr_auc(chance, so, weights)
        said[name, "sensitivity"] = classification.sensitivity(called[:, index], so, weights)
        said[name, "specificity"] = classification.specificity(called[:, index], so, weights)
        said[name, "brier"] = classification.brier(chance, so, weights)
        said[name, "ece"] = classification.ece(chance, so, weights)
    return said


def _over(answers: Answers, metric: str, each: Said, whole: Said) -> Floats:
    """The mean of a metric over the classes for which it is defined on the whole set; NaN if there is none.

    Which classes count is settled once: a resample that lacks one of them has no value, rather than another mean,
    and a class that nobody has does not take the others' mean with it.
    """
    kept = [each[name, metric] for name in answers.classes if np.isfinite(whole[name, metric]).all()]
    averaged: Floats = np.mean(kept, axis=0) if kept else np.full_like(each[answers.classes[0], metric], np.nan)
    return averaged


def _everybody(answers: Answers) -> Floats:
    return np.ones((1, len(answers.ids)))


def _binary(answers: Answers, called: Array, weights: Floats) -> Said:
    each = _each_class(answers, called, weights)
    positive = answers.classes[1]
    said = {(WHOLE, metric): each[positive, metric] for metric in ("auc", "sensitivity", "specificity", "pr_auc")}
    said[WHOLE, "accuracy"] = classification.accuracy(answers.labels, said_classes(answers), weights)
    said[WHOLE, "brier"], said[WHOLE, "ece"] = each[positive, "brier"], each[positive, "ece"]
    said[WHOLE, "nll"] = classification.nll(answers.chances, answers.indicators, weights)
    return said | _outcome(WHOLE, answers.chances[:, 1], answers.labels, weights) | each


def _outcome(label: str, chance: Array, so: Array, weights: Floats) -> Said:
    """Calibration of one outcome: ECE without bias, the parts of the Brier score, slope and intercept."""
    reliability, resolution, uncertainty = calibration.brier_parts(chance, so, weights)
    slope, intercept = calibration.recalibration(chance, so, weights)
    return {
        (label, "ece_debiased"): calibration.debiased_ece(chance, so, weights),
        (label, "brier_reliability"): reliability,
        (label, "brier_resolution"): resolution,
        (label, "brier_uncertainty"): uncertainty,
        (label, "calibration_slope"): slope,
        (label, "calibration_intercept"): intercept,
    }


def _classes_calibrated(answers: Answers, weights: Floats) -> Said:
    """Calibration of classes that exclude each other: parts summed, as the Brier score is.

    Grades have an order: ECE, slope and intercept are of "at least grade 1", "at least grade 2", ...
    """
    parts = [
        calibration.brier_parts(answers.chances[:, k], answers.indicators[:, k], weights)
        for k in range(len(answers.classes))
    ]
    said: Said = {
        (WHOLE, f"brier_{name}"): np.sum([part[place] for part in parts], axis=0)
        for place, name in enumerate(("reliability", "resolution", "uncertainty"))
    }
    chances, so = answers.chances, answers.indicators
    if answers.task == "ordinal":
        chances, so = (np.cumsum(them[:, ::-1], axis=1)[:, -2::-1] for them in (chances, so))
    said[WHOLE, "ece_debiased"] = calibration.debiased_ece(*confidence(answers), weights)
    said[WHOLE, "ece_classwise"] = np.mean(
        [classification.ece(chances[:, k], so[:, k], weights) for k in range(chances.shape[1])], axis=0
    )
    # All classes in one regression: a rare class that happens to be parted wholly would have no slope of its own.
    said[WHOLE, "calibration_slope"], said[WHOLE, "calibration_intercept"] = calibration.recalibration(
        chances.T.ravel(), so.T.ravel(), np.tile(weights, (1, chances.shape[1]))
    )
    return said


def _multiclass(answers: Answers, _: Array, weights: Floats) -> Said:
    answer = said_classes(answers)
    called = answer[:, None] == np.arange(len(answers.classes))
    each, whole = _each_class(answers, called, weights), _each_class(answers, called, _everybody(answers))
    averaged = ("auc", "sensitivity", "specificity", "pr_auc")
    said: Said = {(WHOLE, metric): _over(answers, metric, each, whole) for metric in averaged}
    said[WHOLE, "accuracy"] = classification.accuracy(answers.labels, answer, weights)
    said[WHOLE, "brier"] = classification.brier(answers.chances, answers.indicators, weights)
    said[WHOLE, "ece"] = classification.ece(*confidence(answers), weights)
    said[WHOLE, "nll"] = classification.nll(answers.chances, answers.indicators, weights)
    return said | _classes_calibrated(answers, weights) | each


def _multilabel(answers: Answers, called: Array, weights: Floats) -> Said:
    each, whole = (_each_label(answers, called, them) for them in (weights, _everybody(answers)))
    metrics = [metric for name, metric in each if name == answers.classes[0]]
    return {(WHOLE, metric): _over(answers, metric, each, whole) for metric in metrics} | each


def _each_label(answers: Answers, called: Array, weights: Floats) -> Said:
    each = _each_class(answers, called, weights)
    for index, name in enumerate(answers.classes):
        chance, so = answers.chances[:, index], answers.labels[:, index]
        each[name, "accuracy"] = classification.accuracy(so, chance > 0.5, weights)
        each[name, "nll"] = classification.nll(chance, so, weights)
        each |= _outcome(name, chance, so, weights)
    return each


def _ordinal(answers: Answers, called: Array, weights: Floats) -> Said:
    grade, truth = said_grades(answers), answers.labels
    said: Said = {
        (WHOLE, "qwk"): grades.qwk(truth, grade, len(answers.classes), weights),
        (WHOLE, "mae"): grades.mae(truth, grade, weights),
        (WHOLE, "mae_macro"): grades.mae_macro(truth, grade, weights),
        (WHOLE, "within_one"): grades.within_one(truth, grade, weights),
        (WHOLE, "rps"): grades.rps(answers.chances, truth, weights),
    }
    return said | _multiclass(answers, called, weights)


def _regression(answers: Answers, _: Array, weights: Floats) -> Said:
    truth, value = np.asarray(answers.truth, float), np.asarray(answers.values, float)
    compute: Mapping[str, Callable[[Array, Array, Floats], Floats]] = {
        "mae": regression.mae,
        "rmse": regression.rmse,
        "bias": regression.bias,
        "r2": regression.r2,
        "pearson": regression.pearson,
    }
    return {(WHOLE, name): metric(truth, value, weights) for name, metric in compute.items()}


def _segmentation(answers: Answers, _: Array, weights: Floats) -> Said:
    each, whole = _each_mask(answers, weights), _each_mask(answers, _everybody(answers))
    metrics = [metric for name, metric in each if name == answers.classes[0]]
    return {(WHOLE, metric): _over(answers, metric, each, whole) for metric in metrics} | each


def _each_mask(answers: Answers, weights: Floats) -> Said:
    said: Said = {}
    for name in answers.classes:
        column = {field: np.array([case[name][field] for case in answers.masks]) for field in _MASK_FIELDS}
        error = column["volume_ml"] - column["reference_ml"]
        for metric in ("dice", "hd95_mm", "nsd"):
            said[name, metric] = mean(column[metric], weights)
        said[name, "volume_error_ml"] = mean(np.abs(error), weights)
        said[name, "volume_bias_ml"] = mean(error, weights)
        said[name, "lesion_sensitivity"] = ratio(weights @ column["lesions_found"], weights @ column["lesions"])
        said[name, "false_positives"] = mean(column["false_lesions"], weights)
    return said


_MASK_FIELDS = ("dice", "hd95_mm", "nsd", "volume_ml", "reference_ml", "lesions", "lesions_found", "false_lesions")

_COMPUTE: Mapping[str, Callable[[Answers, Array, Floats], Said]] = {
    "binary": _binary,
    "multiclass": _multiclass,
    "multilabel": _multilabel,
    "ordinal": _ordinal,
    "regression": _regression,
    "segmentation": _segmentation,
}

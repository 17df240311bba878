"""How good are the classes and their probabilities?

Every function takes `weights` (..., cases) last, see `weighted.py`; without weights the answer is one number.
AUC and accuracy follow the official MedMNIST protocol (Yang et al. 2023, Scientific Data 10:41,
`medmnist/evaluator.py`): AUC of the positive class for two classes, mean of one-versus-rest for more, mean over
the labels for multi-label; accuracy by the largest probability, by more than one half for two classes and for each
label.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array, Floats
from osler.core.errors import AskedWrongly
from osler.inference.temper import SMALLEST_PROBABILITY
from osler.statistics.weighted import by_group, case_weights, mean, ratio, ties

BINS = 10


def auc(scores: Array, positive: Array, weights: Floats | None = None) -> Floats:
    """Area under the ROC curve: how often a positive case scores higher than a negative one, ties counting half.

    scores (cases,), positive (cases,) booleans. NaN where one class is missing.
    Hanley and McNeil 1982, Radiology 143:29.
    """
    order, starts = ties(scores)
    counts = case_weights(weights, len(scores))[..., order]
    yes = by_group(counts * np.asarray(positive, bool)[order], starts)
    no = by_group(counts, starts) - yes
    below = np.cumsum(no, axis=-1) - no / 2
    return ratio((yes * below).sum(-1), yes.sum(-1) * no.sum(-1))


def pr_auc(scores: Array, positive: Array, weights: Floats | None = None) -> Floats:
    """Area under the precision-recall curve as average precision, without interpolation.

    scores (cases,), positive (cases,) booleans. NaN without a positive or without a negative case; chance level is
    the share of positives. Davis and Goadrich 2006, ICML (why not the trapezoid).
    """
    order, starts = ties(-np.asarray(scores))
    counts = case_weights(weights, len(scores))[..., order]
    yes = by_group(counts * np.asarray(positive, bool)[order], starts)
    called = np.cumsum(by_group(counts, starts), axis=-1)
    precision = np.divide(np.cumsum(yes, axis=-1), called, out=np.zeros_like(called), where=called > 0)
    total = yes.sum(-1)
    return ratio((yes * precision).sum(-1) * (total < called[..., -1]), total * (total < called[..., -1]))


def sensitivity(called: Array, positive: Array, weights: Floats | None = None) -> Floats:
    """The share of positive cases that were called positive; NaN without positive cases."""
    positive = np.asarray(positive, bool)
    return mean(np.where(positive, np.asarray(called, float), np.nan), weights)


def specificity(called: Array, positive: Array, weights: Floats | None = None) -> Floats:
    """The share of negative cases that were not called positive; NaN without negative cases."""
    positive = np.asarray(positive, bool)
    return mean(np.where(positive, np.nan, 1 - np.asarray(called, float)), weights)


def accuracy(truth: Array, answer: Array, weights: Floats | None = None) -> Floats:
    """The share of right answers. truth, answer (cases,), or (cases, labels) for the mean over the labels."""
    right = np.asarray(truth) == np.asarray(answer)
    return mean(right if right.ndim == 1 else right.mean(axis=1), weights)


def brier(probabilities: Array, indicators: Array, weights: Floats | None = None) -> Floats:
    """The mean squared distance between what was said and what was so; 0 is perfect.

    Given the probability of one outcome (cases,), the squared difference: 0 to 1. Given all classes (cases,
    classes), Brier's own sum over the classes: 0 to 2. Brier 1950, Monthly Weather Review 78:1.
    """
    squared = (np.asarray(probabilities, float) - np.asarray(indicators, float)) ** 2
    return mean(squared if squared.ndim == 1 else squared.sum(axis=1), weights)


def nll(probabilities: Array, indicators: Array, weights: Floats | None = None) -> Floats:
    """Log-loss in nats: the mean of -log of the probability that was given to what was so.

    probabilities, indicators  (cases,) of one outcome, or (cases, classes); kept 1e-7 away from 0 and 1
    """
    p = np.clip(np.asarray(probabilities, float), SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    so = np.asarray(indicators, float)
    if p.ndim == 1:
        return mean(-(so * np.log(p) + (1 - so) * np.log1p(-p)), weights)
    return mean(-(so * np.log(p)).sum(axis=1), weights)


def ece(confidence: Array, right: Array, weights: Floats | None = None, *, bins: int = BINS) -> Floats:
    """Expected calibration error: mean distance of what was said from how often it was so, in equal-count bins.

    confidence, right (cases,). Cases with equal confidence stay in one bin, so a model that says one number only
    is judged by that number. Biased upwards for few cases. Naeini et al. 2015, AAAI; equal counts: Nixon et al.
    2019.
    """
    count, said, so = binned(confidence, (confidence, right), weights, bins=bins)
    return ratio(np.abs(said - so).sum(-1), count.sum(-1))


def binned(
    said: Array, columns: Sequence[Array], weights: Floats | None = None, *, bins: int = BINS
) -> tuple[Floats, ...]:
    """Weighted counts, then sums of each of the columns (cases,), in bins of equal count: each (..., bins).

    Bins go from low to high `said` (cases,); cases that said the same stay in one bin, some bins may be empty.
    """
    order, starts = ties(said)
    counts = case_weights(weights, len(said))[..., order]
    weight = by_group(counts, starts)
    middle = np.atleast_2d(np.cumsum(weight, axis=-1) - weight / 2)
    rows, total = len(middle), np.atleast_1d(weight.sum(-1))
    place = np.minimum((middle * ratio(np.asarray(bins), total)[:, None]).astype(int), bins - 1)
    cell = (place + np.arange(rows)[:, None] * bins).ravel()

    def summed(values: Floats) -> Floats:
        sums = np.bincount(cell, weights=values.ravel(), minlength=rows * bins).astype(np.float64)
        return sums.reshape(*weight.shape[:-1], bins)

    each = (by_group(counts * np.asarray(column, float)[order], starts) for column in columns)
    return summed(weight), *(summed(values) for values in each)


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Cases of near confidence: what was said and what was so.

    said       mean confidence
    so         the share that was right
    low, high  Wilson's 95 % interval of that share
    """

    cases: int
    said: float
    so: float
    low: float
    high: float


def reliability(confidence: Array, right: Array, *, bins: int = BINS) -> tuple[ReliabilityBin, ...]:
    """What was said against what was so, in the equal-count bins of `ece`, from low to high confidence.

    The interval is Wilson's (1927, JASA 22:209); bins without cases are left out.
    """
    order, starts = ties(confidence)
    sizes = np.diff(np.append(starts, len(order)))
    middle = np.cumsum(sizes) - sizes / 2
    place = np.repeat(np.minimum((middle * bins / len(order)).astype(int), bins - 1), sizes)
    said, so = np.asarray(confidence, float)[order], np.asarray(right, float)[order]
    rows = []
    for one in np.unique(place):
        inside = place == one
        cases, share, z = int(inside.sum()), float(so[inside].mean()), 1.959964
        centre = (share + z**2 / (2 * cases)) / (1 + z**2 / cases)
        half = z / (1 + z**2 / cases) * np.sqrt(share * (1 - share) / cases + z**2 / (4 * cases**2))
        # Rounding may leave a share of 0 or 1 a hair outside its own interval.
        low, high = max(0.0, min(share, float(centre - half))), min(1.0, max(share, float(centre + half)))
        rows.append(ReliabilityBin(cases, float(said[inside].mean()), share, low, high))
    return tuple(rows)


def roc_curve(scores: Array, positive: Array, *, points: int = 200) -> tuple[Floats, Floats]:
    """(1 - specificity, sensitivity) from strict to lenient, at most `points` of them, ends kept."""
    order, starts = ties(-np.asarray(scores))
    positive = np.asarray(positive, float)[order]
    yes = np.append(0.0, np.cumsum(by_group(positive, starts)))
    no = np.append(0.0, np.cumsum(by_group(1 - positive, starts)))
    kept = _thin(len(yes), points)
    return ratio(no, no[-1])[kept], ratio(yes, yes[-1])[kept]


def pr_curve(scores: Array, positive: Array, *, points: int = 200) -> tuple[Floats, Floats]:
    """(recall, precision) from strict to lenient, at most `points` of them, ends kept."""
    order, starts = ties(-np.asarray(scores))
    positive = np.asarray(positive, float)[order]
    yes = np.cumsum(by_group(positive, starts))
    called = np.cumsum(by_group(np.ones(len(order)), starts))
    kept = _thin(len(yes), points)
    return ratio(yes, yes[-1])[kept], (yes / called)[kept]


def choose_operating_point(
    scores: Array,
    positive: Array,
    *,
    sensitivity: float | None = None,
    specificity: float | None = None,
    cost: float | None = None,
    prevalence: float | None = None,
) -> float:
    """The threshold to call a case positive above or at it; to be chosen on validation cases, never on test cases.

    sensitivity  the least wanted share of found positives; the threshold is then the highest that keeps it
    specificity  the least wanted share of spared negatives; the threshold is then the lowest that keeps it
    cost         how many false alarms one missed case is worth; the threshold then has the least expected cost
                 (Metz 1978, Seminars in Nuclear Medicine 8:283)
    prevalence   for `cost`: the share of positives where the model will be used; None: that of these cases

    With none of them, the threshold with the largest sum of sensitivity and specificity (Youden 1950, Cancer
    3:32). Thresholds lie halfway between neighbouring scores. Raises AskedWrongly when one class is missing, when
    more than one rule is given, and for numbers that are no share or no cost.
    """
    scores, positive = np.asarray(scores, float), np.asarray(positive, bool)
    if positive.all() or not positive.any():
        raise AskedWrongly(
            "An operating point needs positive and negative cases; one of them is missing.",
            remedy="Choose it on a validation split that holds both classes.",
        )
    _refuse_rules(sensitivity=sensitivity, specificity=specificity, cost=cost, prevalence=prevalence)
    distinct = np.unique(scores)
    between = np.concatenate([[distinct[0]], (distinct[1:] + distinct[:-1]) / 2])
    found = 1 - np.searchsorted(np.sort(scores[positive]), between, side="left") / positive.sum()
    spared = np.searchsorted(np.sort(scores[~positive]), between, side="left") / (~positive).sum()
    if sensitivity is not None:
        return float(between[np.flatnonzero(found >= sensitivity - 1e-12)[-1]])
    if specificity is not None:
        kept = np.flatnonzero(spared >= specificity - 1e-12)
        # No threshold between scores spares them all when the highest score is a negative case's.
        return float(between[kept[0]]) if len(kept) else float(np.nextafter(distinct[-1], np.inf))
    if cost is not None:
        share = float(positive.mean()) if prevalence is None else prevalence
        expected = share * cost * (1 - found) + (1 - share) * (1 - spared)
        none = float(np.nextafter(distinct[-1], np.inf))
        return float(between[np.argmin(expected)]) if expected.min() <= share * cost else none
    return float(between[np.argmax(found + spared)])


def _refuse_rules(**given: float | None) -> None:
    rules = [name for name in ("sensitivity", "specificity", "cost") if given[name] is not None]
    if len(rules) > 1:
        raise AskedWrongly(
            f"An operating point follows one rule, not {' and '.join(rules)} at once.",
            remedy="Choose one of them.",
        )
    for name in ("sensitivity", "specificity", "prevalence"):
        share = given[name]
        if share is not None and not 0 < share < 1:
            raise AskedWrongly(f"A {name} of {share:g} is no share.", remedy="Give a number between 0 and 1.")
    if given["cost"] is not None and not 0 < given["cost"] < np.inf:
        raise AskedWrongly(
            f"A cost of {given['cost']:g} is none.",
            remedy="Say how many false alarms one missed case is worth: 5.",
        )


def _thin(length: int, points: int) -> Array:
    return np.unique(np.linspace(0, length - 1, min(length, points)).round().astype(int))

"""Sets and intervals that hold the truth as often as promised: applied at every reading. Numpy only.

Every kind is a score of each possible answer, and the set is every answer whose score is at most the threshold
that validation patients gave (Vovk 2005; Angelopoulos & Bates 2023). The lab and the reading score alike:

    lac      1 - p                                    Sadinle et al. 2019, JASA 114:223: the smallest sets
    aps      the probability of all classes at least as likely                     Romano et al. 2020, NeurIPS
    raps     aps, and a penalty for each rank beyond `rank`                        Angelopoulos et al. 2021, ICLR
    grades   1 - the largest p from this grade outwards, seen from the median grade: the interval from the lowest
             to the highest grade in the set of lac, so always neighbours         cf. Lu et al. 2022, MICCAI
    labels   of each label there: 1 - p, not there: p

The class that a report calls (the likeliest, or the median grade, where it calls none) is always named: a set that
would be empty holds it, which can only add to the promised coverage.
"""

import numpy as np

from osler.core.arrays import Array, Floats
from osler.core.errors import BadModel
from osler.models.trust import Conformal
from osler.statistics.grades import median_grade

TOLD = 0.9  # the promise that a report tells
_ROUNDING = 1e-9  # a score as large as the threshold is inside, however the last digits fell


def class_scores(probabilities: Array, how: str, *, penalty: float = 0.0, rank: int = 0) -> Floats:
    """How ill each class suits each case: (cases, classes) probabilities -> (cases, classes) scores."""
    p = np.asarray(probabilities, float)
    if how == "lac":
        return np.asarray(1 - p)
    if how == "grades":
        return _spread(p)
    order = np.argsort(-p, axis=1, kind="stable")
    summed = np.take_along_axis(p, order, axis=1).cumsum(axis=1)
    if how == "raps":
        summed = summed + penalty * np.maximum(0, np.arange(1, p.shape[1] + 1) - rank)
    scores = np.empty_like(p)
    np.put_along_axis(scores, order, summed, axis=1)
    return scores


def answer_set(
    probabilities: Array, sets: Conformal, level: float = TOLD, *, called: int | None = None
) -> tuple[int, ...]:
    """Which classes, or neighbouring grades, cannot be excluded at that promise: class numbers, rising.

    probabilities  (classes,) calibrated
    called         the class that is named in any case; None: the likeliest, or the median grade
    Raises BadModel when there is no such level, or the thresholds do not fit the classes.
    """
    p = np.asarray(probabilities, float)[None]
    inside = within(class_scores(p, sets.how, penalty=sets.penalty, rank=sets.rank), sets, level)[0]
    if called is None:
        called = int(median_grade(p[0])) if sets.how == "grades" else int(p[0].argmax())
    inside[called] = True
    return tuple(int(k) for k in np.flatnonzero(inside))


def within(scores: Array, sets: Conformal, level: float) -> Array:
    """Which scores (cases, classes) lie within the thresholds: booleans, with no class added."""
    row = threshold_row(sets, level)
    if len(row) not in (1, scores.shape[1]):
        raise _unfit(sets)
    inside: Array = scores <= _limits(row) + _ROUNDING
    return inside


def label_sets(
    probabilities: Array, sets: Conformal, level: float = TOLD, *, called: Array | None = None
) -> tuple[tuple[bool, bool], ...]:
    """Of each label, (may be absent, may be there); both True where the model is unsure.

    probabilities  (labels,) calibrated
    called         (labels,) booleans, which are called there; None: those more probable than not
    A row of thresholds holds one a label, or one of absence for each label and after these one of presence.
    """
    p = np.asarray(probabilities, float)
    limits = _limits(threshold_row(sets, level))
    if sets.how != "labels" or len(limits) not in (len(p), 2 * len(p)):
        raise _unfit(sets)
    absent, there = (limits, limits) if len(limits) == len(p) else (limits[: len(p)], limits[len(p) :])
    named = p >= 0.5 if called is None else np.asarray(called, bool)
    may_be_absent = (p <= absent + _ROUNDING) | ~named
    may_be_there = (1 - p <= there + _ROUNDING) | named
    return tuple((bool(a), bool(b)) for a, b in zip(may_be_absent, may_be_there, strict=True))


def number_interval(value: float, sets: Conformal, level: float = TOLD) -> tuple[float, float] | None:
    """The interval around a number that holds the truth as promised; None where nothing finite is promised."""
    row = threshold_row(sets, level)
    if sets.how != "distance" or len(row) != 1:
        raise _unfit(sets)
    return None if row[0] is None else (value - row[0], value + row[0])


def threshold_row(sets: Conformal, level: float) -> tuple[float | None, ...]:
    """The thresholds of one level. Raises BadModel where the level was not fitted."""
    if level not in sets.levels or len(sets.thresholds) != len(sets.levels):
        raise _unfit(sets)
    return sets.thresholds[sets.levels.index(level)]


def by_class(sets: Conformal, classes: int) -> bool:
    """Whether the promise holds for each true class by itself, so that it stands at any prevalence."""
    columns = {len(row) for row in sets.thresholds}
    return classes > 1 and columns == {2 * classes if sets.how == "labels" else classes}


def _limits(row: tuple[float | None, ...]) -> Floats:
    return np.array([np.inf if one is None else one for one in row])


def _spread(p: Floats) -> Floats:
    """1 - the largest probability from each grade outwards, seen from the median grade, which scores 0."""
    grades = np.arange(p.shape[1])
    middle = median_grade(p)[:, None]
    upwards = np.maximum.accumulate(p[:, ::-1], axis=1)[:, ::-1]
    downwards = np.maximum.accumulate(p, axis=1)
    scores: Floats = 1 - np.where(grades > middle, upwards, np.where(grades < middle, downwards, 1.0))
    return scores


def _unfit(sets: Conformal) -> BadModel:
    return BadModel(
        f"The model's promised sets ('{sets.how}') do not fit its classes or levels.",
        remedy="Calibrate it again with `osler models calibrate`, or train it again.",
    )

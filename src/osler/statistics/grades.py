"""How good are the grades? Grades are the numbers 0 .. grades-1; `weights` (..., cases) as in `weighted.py`."""

import numpy as np

from osler.core.arrays import Array, Floats, Labels
from osler.statistics.weighted import confusion, mean, ratio


def qwk(truth: Labels, grade: Labels, grades: int, weights: Floats | None = None) -> Floats:
    """Quadratic weighted kappa: agreement beyond chance, far misses counting by the square of the distance.

    1 is perfect, 0 is chance. NaN where truth and answer are one and the same single grade.
    Cohen 1968, Psychological Bulletin 70:213.
    """
    seen = confusion(truth, grade, grades, weights)
    steps = np.arange(grades)
    penalty = (steps[:, None] - steps) ** 2
    by_chance = ratio(seen.sum(-1)[..., :, None] * seen.sum(-2)[..., None, :], seen.sum((-2, -1))[..., None, None])
    kappa: Floats = 1 - ratio((penalty * seen).sum((-2, -1)), (penalty * by_chance).sum((-2, -1)))
    return kappa


def mae(truth: Labels, grade: Labels, weights: Floats | None = None) -> Floats:
    """The mean distance in grades."""
    return mean(np.abs(np.asarray(truth, float) - np.asarray(grade, float)), weights)


def mae_macro(truth: Labels, grade: Labels, weights: Floats | None = None) -> Floats:
    """The mean distance in grades, each true grade counting the same however rare it is.

    Over the grades that occur in `truth`. Baccianella et al. 2009, ISDA.
    """
    truth, distance = np.asarray(truth), np.abs(np.asarray(truth, float) - np.asarray(grade, float))
    each = [mean(np.where(truth == one, distance, np.nan), weights) for one in np.unique(truth)]
    averaged: Floats = np.mean(each, axis=0)
    return averaged


def within_one(truth: Labels, grade: Labels, weights: Floats | None = None) -> Floats:
    """The share of answers at most one grade away."""
    return mean(np.abs(np.asarray(truth, float) - np.asarray(grade, float)) <= 1, weights)


def rps(probabilities: Array, truth: Labels, weights: Floats | None = None) -> Floats:
    """Ranked probability score: Brier's score of "at most grade k", mean over k; 0 is perfect, 1 the worst.

    probabilities (cases, grades). Epstein 1969, Journal of Applied Meteorology 8:985.
    """
    said = np.cumsum(np.asarray(probabilities, float), axis=1)[:, :-1]
    so = np.asarray(truth)[:, None] <= np.arange(said.shape[1])
    return mean(((said - so) ** 2).mean(axis=1), weights)


def median_grade(probabilities: Array) -> Labels:
    """The grade in the middle of each distribution (..., grades): the answer with the least expected distance."""
    p = np.asarray(probabilities, float)
    middle: Labels = np.minimum((np.cumsum(p, axis=-1) < 0.5 - 1e-9).sum(axis=-1), p.shape[-1] - 1)
    return middle

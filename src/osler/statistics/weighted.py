"""Cases that count more than once: how one formula serves the set and all its resamples.

Every metric takes `weights` of shape (..., cases) and answers with the shape in front of the cases:
without weights one number, with weights (resamples, cases) one number a resample. A resample of patients is
nothing but a row of weights, so the bootstrap is a few matrix products. A metric that is not defined (one class
only, nobody in the sample) is NaN, never a guess.
"""

import numpy as np

from osler.core.arrays import Array, Floats, Labels


def case_weights(weights: Floats | None, cases: int) -> Floats:
    """The weights as given, (..., cases), or a one for every case."""
    return np.ones(cases) if weights is None else np.asarray(weights, dtype=np.float64)


def ratio(above: Floats, below: Floats) -> Floats:
    """above / below, NaN where below is zero."""
    above, below = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    divided: Floats = np.divide(
        above, below, out=np.full(np.broadcast(above, below).shape, np.nan), where=below != 0
    )
    return divided


def mean(values: Array, weights: Floats | None = None) -> Floats:
    """The mean of `values` (cases,) over those that are a number; NaN where there are none."""
    values = np.asarray(values, dtype=np.float64)
    known = ~np.isnan(values)
    counts = case_weights(weights, len(values))
    return ratio(counts @ np.where(known, values, 0.0), counts @ known.astype(np.float64))


def ties(scores: Array) -> tuple[Array, Array]:
    """(order, starts): the order that sorts `scores` upwards, and where in it each group of equals begins."""
    order = np.argsort(scores, kind="stable")
    ranked = np.asarray(scores)[order]
    return order, np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))


def by_group(values: Floats, starts: Array) -> Floats:
    """Sums of `values` (..., cases) over the groups that begin at `starts`."""
    if len(starts) == values.shape[-1]:
        return values
    summed: Floats = np.add.reduceat(values, starts, axis=-1)
    return summed


def confusion(truth: Labels, answer: Labels, classes: int, weights: Floats | None = None) -> Floats:
    """How often each true class (rows) was called each class (columns): (..., classes, classes)."""
    cell = np.asarray(truth, int) * classes + np.asarray(answer, int)
    counts = case_weights(weights, len(cell))
    counted: Floats = counts @ (cell[:, None] == np.arange(classes**2)).astype(float)
    return counted.reshape(*counted.shape[:-1], classes, classes)

"""How good are the numbers? All in the unit of the target; `weights` (..., cases) as in `weighted.py`."""

import numpy as np

from osler.core.arrays import Array, Floats
from osler.statistics.weighted import mean, ratio


def mae(truth: Array, value: Array, weights: Floats | None = None) -> Floats:
    """The mean absolute error."""
    return mean(np.abs(_error(truth, value)), weights)


def bias(truth: Array, value: Array, weights: Floats | None = None) -> Floats:
    """The mean signed error: above zero where the model says too much."""
    return mean(_error(truth, value), weights)


def rmse(truth: Array, value: Array, weights: Floats | None = None) -> Floats:
    """The root of the mean squared error."""
    root: Floats = np.sqrt(mean(_error(truth, value) ** 2, weights))
    return root


def r2(truth: Array, value: Array, weights: Floats | None = None) -> Floats:
    """The share of the variance that is explained; below zero where the mean would have been the better answer.

    NaN where the truth does not vary.
    """
    missed = mean(_error(truth, value) ** 2, weights)
    explained: Floats = 1 - ratio(missed, _covariance(truth, truth, weights))
    return explained


def pearson(truth: Array, value: Array, weights: Floats | None = None) -> Floats:
    """Pearson's correlation, -1 to 1; NaN where either side does not vary."""
    spread = _covariance(truth, truth, weights) * _covariance(value, value, weights)
    return ratio(_covariance(truth, value, weights), np.sqrt(spread))


def _error(truth: Array, value: Array) -> Floats:
    difference: Floats = np.asarray(value, float) - np.asarray(truth, float)
    return difference


def _covariance(first: Array, second: Array, weights: Floats | None) -> Floats:
    # Centred on the whole set first, or large numbers (days, HU) would cancel to noise.
    first, second = np.asarray(first, float), np.asarray(second, float)
    first, second = first - first.mean(), second - second.mean()
    spread = mean(first * second, weights) - mean(first, weights) * mean(second, weights)
    # What is left of a constant after rounding is not variation.
    floor = 1e-12 * max(float(np.abs(first).max()) * float(np.abs(second).max()), 1e-300)
    settled: Floats = np.where(np.abs(spread) <= floor, 0.0, spread)
    return settled

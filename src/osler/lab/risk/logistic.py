"""Logistic regression by Newton's method, weights held back by a ridge; the start is not held back."""

from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array, Floats

_STEPS = 50


@dataclass(frozen=True, slots=True, eq=False)
class LogisticFit:
    """weights (columns,), start: the log odds of a row of zeros, likelihood without the ridge."""

    weights: Floats
    start: float
    likelihood: float


def fit_logistic(rows: Floats, event: Array, *, ridge: float) -> LogisticFit:
    """The weights that make the outcomes likeliest, less half of ridge * sum of squared weights.

    rows (patients, columns), event (patients,) booleans; ridge above 0, so that there is always an end
    """
    so = np.asarray(event, np.float64)
    design = np.concatenate([np.ones((len(rows), 1)), rows], axis=1)
    held = np.diag([1e-9, *([ridge] * rows.shape[1])])
    rate = np.clip(so.mean(), 1e-6, 1 - 1e-6)
    weights = np.array([np.log(rate / (1 - rate)), *([0.0] * rows.shape[1])])
    value = _value(design, so, weights, held)
    for _ in range(_STEPS):
        share = 1 / (1 + np.exp(-np.clip(design @ weights, -500, 500)))
        curve = (design * (share * (1 - share))[:, None]).T @ design + held + 1e-10 * np.eye(len(weights))
        step = np.linalg.solve(curve, design.T @ (so - share) - held @ weights)
        for _ in range(30):
            now = _value(design, so, weights + step, held)
            if now >= value - 1e-12 * abs(value):
                break
            step = step / 2
        weights, gained, value = weights + step, now - value, now
        if abs(gained) <= 1e-10 * (abs(value) + 1e-9) and np.abs(step).max() < 1e-6:
            break
    return LogisticFit(weights[1:], float(weights[0]), log_likelihood(rows, event, weights[1:], float(weights[0])))


def log_likelihood(rows: Floats, event: Array, weights: Floats, start: float) -> float:
    """The log likelihood of weights that may have been fitted elsewhere."""
    sums = rows @ weights + start
    return float((np.where(event, sums, 0.0) - np.logaddexp(0.0, sums)).sum())


def _value(design: Floats, so: Floats, weights: Floats, held: Floats) -> float:
    sums = design @ weights
    return float(so @ sums - np.logaddexp(0.0, sums).sum() - weights @ held @ weights / 2)

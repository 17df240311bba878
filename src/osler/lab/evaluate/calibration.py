"""Do the probabilities mean what they say? Of one outcome: `said` (cases,) against `so` (cases,) of 0 and 1.

`weights` (..., cases) as in `weighted.py`. Bins hold equal counts and never part cases of equal probability.
"""

import numpy as np

from osler.core.arrays import Array, Floats
from osler.inference.temper import SMALLEST_PROBABILITY
from osler.lab.evaluate.classification import BINS, binned
from osler.statistics.weighted import case_weights, ratio

_STEPS = 40
_SETTLED = 1e-6  # of a coefficient, between two steps
_FURTHEST = 100.0  # a slope beyond means that the classes are parted: there is none


def brier_parts(
    said: Array, so: Array, weights: Floats | None = None, *, bins: int = BINS
) -> tuple[Floats, Floats, Floats]:
    """(reliability, resolution, uncertainty): Brier score = reliability - resolution + uncertainty, exactly.

    Reliability is how far what was said lies from what was so (0 is best), resolution how far the groups told
    apart differ (more is better), uncertainty the variance of the outcome, which no model changes. Murphy 1973,
    J Appl Meteorology 12:595; what cases differ by inside a bin is counted with the resolution, as Stephenson et
    al. 2008 do (Weather and Forecasting 23:752), without which the sum would not be exact.
    """
    said, so = np.asarray(said, float), np.asarray(so, float)
    count, expected, seen, squared, both = binned(said, (said, so, said**2, said * so), weights, bins=bins)
    total = count.sum(-1)
    rate = ratio(seen.sum(-1), total)
    mean_said, mean_so = ratio(expected, count), ratio(seen, count)
    full = count > 0

    def summed(values: Floats) -> Floats:
        return ratio(np.where(full, values, 0.0).sum(-1), total)

    reliability = summed(count * (mean_said - mean_so) ** 2)
    between = summed(count * (mean_so - rate[..., None]) ** 2)
    within = summed(squared - count * mean_said**2)  # variance of what was said inside the bins
    together = summed(both - count * mean_said * mean_so)
    return reliability, between - within + 2 * together, rate * (1 - rate)


def debiased_ece(said: Array, so: Array, weights: Floats | None = None, *, bins: int = BINS) -> Floats:
    """ECE without what chance alone adds to it, not below 0.

    Each bin's share is known to the root of so (1 - so) / n only, so that |said - so| is too large on average
    even for a perfect model; the excess over what a normal error would give is taken off. Kumar, Liang and Ma
    2019, NeurIPS, for the absolute error (mean of a folded normal).
    """
    from scipy.special import ndtr

    count, expected, seen = binned(said, (said, so), weights, bins=bins)
    gap, share = np.abs(ratio(expected - seen, count)), ratio(seen, count)
    error = np.sqrt(ratio(share * (1 - share), count))
    steps = ratio(gap, error)
    by_chance = error * np.sqrt(2 / np.pi) * np.exp(-(steps**2) / 2) - 2 * gap * ndtr(-steps)
    excess = np.where(error > 0, gap - by_chance, gap)
    total = count.sum(-1)
    found: Floats = np.maximum(ratio(np.where(count > 0, count * excess, 0.0).sum(-1), total), 0.0)
    return np.where(total > 0, found, np.nan)


def recalibration(said: Array, so: Array, weights: Floats | None = None) -> tuple[Floats, Floats]:
    """(slope, intercept) of the logistic recalibration of `said`; 1 and 0 are perfect.

    The slope is b in logit P(so) = a + b logit(said): below 1 where the model is too sure of itself. The
    intercept is a with b held at 1, calibration in the large: below 0 where it says too much. NaN where a class
    is missing or the two classes are parted wholly. Cox 1958, Biometrika 45:562; Van Calster et al. 2019, BMC
    Medicine 17:230.
    """
    p = np.clip(np.asarray(said, float), SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    logit, so = np.log(p) - np.log1p(-p), np.asarray(so, float)
    counts = case_weights(weights, len(so))
    rows = counts.reshape(-1, len(so))
    one = np.ones(len(so))
    slope = _logistic(np.stack([logit, one], axis=1), 0 * logit, so, rows)[:, 0]
    intercept = _logistic(one[:, None], logit, so, rows)[:, 0]
    shape = counts.shape[:-1]
    return slope.reshape(shape), intercept.reshape(shape)


def _logistic(design: Floats, offset: Floats, so: Floats, weights: Floats) -> Floats:
    """Coefficients (rows, k) of a logistic regression on each row of weights, by Newton's steps; NaN without any.

    Rows start where the whole set ends, a step or two from their own end.
    """
    whole = _newton(design, offset, so, np.ones((1, len(so))), np.zeros((1, design.shape[1])))
    if np.isnan(whole).any():
        return np.full((len(weights), design.shape[1]), np.nan)
    return _newton(design, offset, so, weights, np.repeat(whole, len(weights), axis=0))


def _newton(design: Floats, offset: Floats, so: Floats, weights: Floats, start: Floats) -> Floats:
    rows, terms = start.shape
    squares = (design[:, :, None] * design[:, None, :]).reshape(len(so), terms * terms)
    found, settled = start.copy(), np.zeros(rows, bool)
    live = np.arange(rows)
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(found[live] @ design.T + offset, -500, 500)))
        slope = (weights[live] * (so - chance)) @ design
        bend = ((weights[live] * chance * (1 - chance)) @ squares).reshape(-1, terms, terms)
        firm = np.abs(np.linalg.det(bend)) > 1e-12 * np.maximum(np.abs(bend).max((-2, -1)), 1e-300) ** terms
        found[live[~firm]] = np.nan
        live = live[firm]
        if not len(live):
            break
        # Steps are held short: far from the end the parabola says little.
        step = np.clip(np.linalg.solve(bend[firm], slope[firm][..., None])[..., 0], -3, 3)
        found[live] += step
        settled[live] = np.abs(step).max(-1) < _SETTLED
        live = live[(~settled[live]) & (np.abs(found[live]).max(-1) < _FURTHEST)]
        if not len(live):
            break
    found[~settled] = np.nan
    return found

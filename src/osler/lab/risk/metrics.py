"""How good is a foretold risk? Order, spread and truth of it, of patients some of whom were lost on the way.

Every function takes `weights` (resamples, patients) and answers (resamples,), so that one bootstrap over patients
serves them all. The chance of being lost (Kaplan-Meier of the censoring) is estimated anew in each resample.
A metric that is not defined is NaN.
"""

import numpy as np

from osler.core.arrays import Array, Floats
from osler.models.risk.survival import surviving_at
from osler.statistics.weighted import ratio

_LEAST_LEFT = 0.02  # a chance of still being seen below this makes weights beyond sense: the metric is not defined


def harrell(time: Floats, event: Array, risk: Floats, weights: Floats) -> Floats:
    """The C-index: of pairs of whom it is known who had the event first, how often the risk says so.

    Ties of the risk count half; of two with the same time only an event against a lost one is a pair.
    Harrell et al. 1982, JAMA 247:2543.
    """
    return _concordance(time, event, risk, weights, np.ones_like(weights))


def uno(time: Floats, event: Array, risk: Floats, weights: Floats, *, until: float) -> Floats:
    """The C-index that does not depend on when patients were lost: pairs weigh by the chance to be seen.

    A pair weighs 1 over the squared chance that its first patient was still seen; events after `until` are left
    out. Uno et al. 2011, Stat Med 30:1105.
    """
    seen = _censoring(time, event, weights)
    return _concordance(time, np.asarray(event, bool) & (time <= until), risk, weights, seen**-2, event)


def auc_at(time: Floats, event: Array, risk: Floats, weights: Floats, *, at: float) -> Floats:
    """How often a patient with the event by `at` had a higher risk than one without it then; ties count half.

    Cumulative cases, dynamic controls; cases weigh 1 over their chance of being seen. Uno et al. 2007, JASA
    102:527; Hung and Chiang 2010, Can J Stat 38:8.
    """
    cases, controls = np.asarray(event, bool) & (time <= at), time > at
    if not cases.any() or not controls.any():
        return np.full(len(weights), np.nan)
    seen = _censoring(time, event, weights)
    above = _above(risk[cases], risk[controls])
    of_cases = _over(weights[:, cases], seen[:, cases])
    of_controls = weights[:, controls]
    right = ((of_cases @ above) * of_controls).sum(1)
    return ratio(right, of_cases.sum(1) * of_controls.sum(1))


def brier_at(time: Floats, event: Array, risk: Floats, weights: Floats, *, at: float) -> Floats:
    """Mean squared distance of the risk by `at` from what was so, the lost made up for by weights.

    Graf et al. 1999, Stat Med 18:2529.
    """
    cases, controls = np.asarray(event, bool) & (time <= at), time > at
    seen = _censoring(time, event, weights)
    then = surviving_at(time, ~np.asarray(event, bool), np.array([at]), weights)[:, 0]
    then = np.where(then > _LEAST_LEFT, then, np.nan)
    wrong = _over(weights[:, cases], seen[:, cases]) @ (1 - risk[cases]) ** 2
    wrong = wrong + (weights[:, controls] @ risk[controls] ** 2) / then
    return ratio(wrong, weights.sum(1))


def integrated_brier(time: Floats, event: Array, risk: Floats, weights: Floats, *, grid: Floats) -> Floats:
    """The Brier score's mean over the times of `grid`; risk (patients, grid)."""
    each = np.stack(
        [brier_at(time, event, risk[:, n], weights, at=float(at)) for n, at in enumerate(grid)], axis=1
    )
    if len(grid) < 2:
        return each[:, 0]
    width = np.diff(grid)
    total: Floats = ((each[:, 1:] + each[:, :-1]) / 2 * width).sum(1) / width.sum()
    return total


def observed_over_expected(time: Floats, event: Array, risk: Floats, weights: Floats, *, at: float) -> Floats:
    """Kaplan-Meier's risk by `at` over the mean of what was foretold; 1 is right, above 1 foretold too little."""
    so = 1 - surviving_at(time, event, np.array([at]), weights)[:, 0]
    return ratio(so, ratio(weights @ risk, weights.sum(1)))


def _censoring(time: Floats, event: Array, weights: Floats) -> Floats:
    """(resamples, patients) the chance of not being lost before each patient's own time."""
    seen = surviving_at(time, ~np.asarray(event, bool), time, weights, before=True)
    return np.where(seen > _LEAST_LEFT, seen, np.nan)


def _concordance(
    time: Floats, first_of: Array, risk: Floats, weights: Floats, each: Floats, event: Array | None = None
) -> Floats:
    """Pairs (event first, other later), each pair weighted by its first patient's `each` (resamples, patients).

    first_of  who may be the first of a pair; event: who had the event, None for the same
    """
    first = np.flatnonzero(first_of)
    later = time[first][:, None] < time[None]
    later |= (time[first][:, None] == time[None]) & ~np.asarray(first_of if event is None else event, bool)[None]
    right = later * _above(risk[first], risk)
    mine = _over(weights[:, first], 1 / each[:, first])
    return ratio(((mine @ right) * weights).sum(1), ((mine @ later.astype(np.float64)) * weights).sum(1))


def _over(weights: Floats, seen: Floats) -> Floats:
    """Weights over the chance of being seen; 0 for who is not in the resample, even where it is not defined."""
    return np.where(weights > 0, weights / np.where(weights > 0, seen, 1.0), 0.0)


def _above(first: Floats, second: Floats) -> Floats:
    """(first, second) 1 where the first is higher, a half where they are equal."""
    found: Floats = (first[:, None] > second[None]) + 0.5 * (first[:, None] == second[None])
    return found

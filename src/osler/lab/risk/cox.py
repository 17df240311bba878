"""Cox's proportional hazards by Newton's method: ties by Efron, weights held back by a ridge.

The log partial likelihood (Cox 1972; ties: Efron 1977, JASA 72:557) less half of ridge * sum of squared weights
(Verweij and van Houwelingen 1994, Stat Med 13:2427). Columns should be of like size: the ridge treats all alike.
"""

from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array, Floats
from osler.core.errors import BadDataset

_STEPS = 60
_SETTLED = 1e-9
_FLAT = 1e-5
_FURTHEST = 30.0  # of a standardized column's weight: beyond, the event is parted and there is no end


@dataclass(frozen=True, slots=True, eq=False)
class CoxFit:
    """What the likelihood says.

    weights     (columns,)
    covariance  (columns, columns) of the weights: H^-1 I H^-1 with ridge (Gray 1992, JASA 87:942), I^-1 without
    likelihood  log partial likelihood at the weights, without the ridge
    times, hazard  (events,) distinct times of events and the cumulative baseline hazard, for a row of zeros
    """

    weights: Floats
    covariance: Floats
    likelihood: float
    times: Floats
    hazard: Floats


def fit_cox(
    rows: Floats, time: Floats, event: Array, *, ridge: float = 0.0, risk_sets: "RiskSets | None" = None
) -> CoxFit:
    """The weights that make the order of the events likeliest.

    rows (patients, columns), time (patients,), event (patients,) booleans
    risk_sets  of these times and events, where they are known already

    Raises BadDataset when nobody had the event, or when without a ridge the weights grow without end.
    """
    rows = np.asarray(rows, np.float64)
    if not np.asarray(event, bool).any():
        raise BadDataset(
            "Nobody had the event.", remedy="Follow the patients longer, or check the event's column."
        )
    risk_sets = risk_sets or RiskSets(time, event)
    weights = np.zeros(rows.shape[1])
    penalty = ridge * np.eye(len(weights))
    value, slope, curve = risk_sets.likelihood(rows, weights)
    first = np.diag(curve).copy()
    for _ in range(_STEPS):
        step = _solved(curve + penalty, slope - ridge * weights)
        for _ in range(30):
            tried = weights + step
            now, new_slope, new_curve = risk_sets.likelihood(rows, tried)
            now -= ridge / 2 * float(tried @ tried)
            if now >= value - 1e-12 * abs(value):
                break
            step = step / 2
        settled = abs(now - value) <= _SETTLED * (abs(value) + 1e-9) and np.abs(step).max(initial=0.0) < 1e-6
        weights, value, slope, curve = tried, now, new_slope, new_curve
        if settled:
            break
    # Where the event is parted, the likelihood grows flat: nothing is left of the curve that a column began with.
    flat = (first > 1e-9) & (np.diag(curve) < _FLAT * first)
    endless = not ridge and (bool(flat.any()) or np.abs(weights).max(initial=0.0) > _FURTHEST)
    if not np.isfinite(weights).all() or endless:
        raise BadDataset(
            "A column parts those with the event from those without: its weight grows without end.",
            remedy="Leave the column out, or fit with a ridge.",
        )
    inverse: Floats = np.linalg.pinv(curve + penalty, hermitian=True)
    covariance = inverse @ curve @ inverse if ridge else inverse
    times, hazard = risk_sets.baseline(rows, weights)
    plain = value + ridge / 2 * float(weights @ weights)
    return CoxFit(weights, covariance, float(plain), times, hazard)


class RiskSets:
    """Who was at risk at each event, worked out once for all Newton steps.

    Sorted from the latest time to the earliest, those at risk at an event are a beginning of the list.
    """

    def __init__(self, time: Floats, event: Array) -> None:
        time, event = np.asarray(time, np.float64), np.asarray(event, bool)
        self.order = np.argsort(-time, kind="stable")
        falling = -time[self.order]
        self.last = np.searchsorted(falling, falling, side="right") - 1  # the last one with the same time
        self.events = np.flatnonzero(event[self.order])
        # Efron: the k-th of d events at one time (k from 0) takes k/d of the tied ones out of the risk set.
        tied_at = self.last[self.events]
        self.groups, self.group_of, counts = np.unique(tied_at, return_inverse=True, return_counts=True)
        self.starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(int)
        turn = np.arange(len(self.events)) - self.starts[self.group_of]
        self.share = turn / counts[self.group_of]
        self.place = np.searchsorted(self.groups, np.arange(len(self.order)), side="left")
        self.times = -falling[self.groups]

    def likelihood(self, rows: Floats, weights: Floats) -> tuple[float, Floats, Floats]:
        """Log partial likelihood, its slope (columns,), and minus its second derivative (columns, columns)."""
        sorted_rows = rows[self.order]
        sums = sorted_rows @ weights
        largest = sums.max(initial=0.0)
        grown = np.exp(sums - largest)
        below, moment, tied_moment = self._sums(sorted_rows, grown)
        first = moment - self.share[:, None] * tied_moment
        mean = first / below[:, None]
        value = float(sums[self.events].sum() - (np.log(below) + largest).sum())
        slope = sorted_rows[self.events].sum(0) - mean.sum(0)
        each = self._each(below)
        curve = (sorted_rows * (grown * each)[:, None]).T @ sorted_rows - mean.T @ mean
        return value, slope, curve

    def value(self, rows: Floats, weights: Floats) -> float:
        """The log partial likelihood alone, of weights that may have been fitted elsewhere."""
        sums = (rows @ weights)[self.order]
        largest = sums.max(initial=0.0)
        grown = np.exp(sums - largest)
        tied = np.add.reduceat(grown[self.events], self.starts)[self.group_of]
        below = np.cumsum(grown)[self.groups][self.group_of] - self.share * tied
        return float(sums[self.events].sum() - (np.log(below) + largest).sum())

    def baseline(self, rows: Floats, weights: Floats) -> tuple[Floats, Floats]:
        """Distinct times of events, rising, and the cumulative hazard of a row of zeros at each."""
        sorted_rows = rows[self.order]
        below, *_ = self._sums(sorted_rows, np.exp(np.clip(sorted_rows @ weights, -500, 500)))
        jumps = np.bincount(self.group_of, weights=1 / below, minlength=len(self.groups))
        rising = np.argsort(self.times)
        return self.times[rising], np.cumsum(jumps[rising])

    def _sums(self, rows: Floats, grown: Floats) -> tuple[Floats, Floats, Floats]:
        """At each event: the sum over those at risk by Efron's rule, their moment, and that of the tied ones."""
        whole, moment = np.cumsum(grown), np.cumsum(rows * grown[:, None], axis=0)
        mine = grown[self.events]
        tied = np.bincount(self.group_of, weights=mine, minlength=len(self.groups))
        # Events lie in the order of their groups, so each group is one stretch of the list.
        tied_moment = np.add.reduceat(rows[self.events] * mine[:, None], self.starts, axis=0)
        at = self.groups[self.group_of]
        below = whole[at] - self.share * tied[self.group_of]
        return below, moment[at], tied_moment[self.group_of]

    def _each(self, below: Floats) -> Floats:
        """(patients,) in how many risk sets each one counts, over the sums of those sets."""
        full = np.bincount(self.group_of, weights=1 / below, minlength=len(self.groups))
        taken = np.bincount(self.group_of, weights=self.share / below, minlength=len(self.groups))
        # A patient is in the risk set of every event at or before their own time: later in the list.
        from_here = np.cumsum(full[::-1])[::-1]
        each = np.concatenate([from_here, [0.0]])[self.place]
        each[self.events] -= taken[self.group_of]
        return each


def _solved(matrix: Floats, right: Floats) -> Floats:
    try:
        found: Floats = np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:  # without a ridge, columns may say the same
        found = np.linalg.lstsq(matrix, right, rcond=None)[0]
    return np.clip(found, -5.0, 5.0)  # one step of Newton never goes to the moon

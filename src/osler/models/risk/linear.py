"""Risk from a weighted sum: Cox's proportional hazards (1972, J R Stat Soc B 34:187), and logistic regression."""

from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Floats

_FURTHEST = 50.0  # of a sum: beyond, the risk is 0 or 1 in any case


@dataclass(frozen=True, slots=True, eq=False)
class Cox:
    """Hazard = baseline hazard * exp(weights . row).

    weights   (columns,)
    times     (events,) when training patients had the event, rising; `hazard` (events,) is the cumulative baseline
              hazard from each of them on, of a patient in the middle of all columns (Breslow's, ties by Efron)
    drawn     (draws, columns) weights of resamples of patients; drawn_hazard (draws, events) likewise
    """

    weights: Floats
    times: Floats
    hazard: Floats
    drawn: Floats
    drawn_hazard: Floats
    kind = "cox"

    def risk(self, rows: Floats, days: Floats) -> Floats:
        """(patients, times) probability of the event by each time."""
        grown = self.hazard_at(self.hazard, days)
        return -np.expm1(-np.exp(_sum(rows @ self.weights))[:, None] * grown)

    def draws(self, rows: Floats, days: Floats) -> Floats:
        """(draws, patients, times) of the resamples."""
        grown = self.hazard_at(self.drawn_hazard, days)  # (draws, times)
        sums = _sum(self.drawn @ rows.T)
        return -np.expm1(-np.exp(sums)[:, :, None] * grown[:, None, :])

    def hazard_at(self, hazard: Floats, days: Floats) -> Floats:
        """Cumulative hazard (..., events) at each of the times: (..., times)."""
        place = np.searchsorted(self.times, days, side="right")
        padded = np.concatenate([np.zeros((*hazard.shape[:-1], 1)), hazard], axis=-1)
        return padded[..., place]

    def shrink(self, rows: Floats, days: Floats) -> Floats:
        """Draws are already as wide as they should be."""
        return np.ones((len(rows), len(days)))

    def arrays(self) -> dict[str, Floats]:
        """What is stored of it."""
        return {
            "weights": self.weights,
            "times": self.times,
            "hazard": self.hazard,
            "drawn": self.drawn,
            "drawn_hazard": self.drawn_hazard,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Logistic:
    """Log odds of the outcome = start + weights . row.

    drawn  (draws, columns), drawn_start (draws,) of resamples of patients
    """

    weights: Floats
    start: float
    drawn: Floats
    drawn_start: Floats
    kind = "logistic"

    def risk(self, rows: Floats, days: Floats) -> Floats:
        """(patients, 1) probability of the outcome; there are no times."""
        return _share(rows @ self.weights + self.start)[:, None]

    def draws(self, rows: Floats, days: Floats) -> Floats:
        """(draws, patients, 1)."""
        return _share(self.drawn @ rows.T + self.drawn_start[:, None])[:, :, None]

    def shrink(self, rows: Floats, days: Floats) -> Floats:
        """Draws are already as wide as they should be."""
        return np.ones((len(rows), 1))

    def arrays(self) -> dict[str, Floats]:
        """What is stored of it."""
        return {
            "weights": self.weights,
            "start": np.array([self.start]),
            "drawn": self.drawn,
            "drawn_start": self.drawn_start,
        }


Linear = Cox | Logistic


def _sum(values: Floats) -> Floats:
    return np.clip(values, -_FURTHEST, _FURTHEST)


def _share(sums: Floats) -> Floats:
    return 1 / (1 + np.exp(-_sum(sums)))

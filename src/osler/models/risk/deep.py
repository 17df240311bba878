"""Risk from a small net: the hazard of each stretch of time (Gensheimer and Narasimhan 2019, PeerJ 7:e6257)."""

from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Deep:
    """Several nets of one hidden layer, each fitted on its own resample of the patients; their mean is the answer.

    inner   (nets, columns, hidden), inner_start (nets, hidden); tanh between
    outer   (nets, hidden, stretches), outer_start (nets, stretches): log odds of the event in each stretch
    skip    (nets, columns) what each column adds to the log odds of all stretches straight away
    times   (stretches,) the end of each stretch, rising
    """

    inner: Floats
    inner_start: Floats
    outer: Floats
    outer_start: Floats
    skip: Floats
    times: Floats
    kind = "deep"

    def draws(self, rows: Floats, days: Floats) -> Floats:
        """(nets, patients, times) what each net says."""
        hidden = np.tanh(np.einsum("np,mph->mnh", rows, self.inner) + self.inner_start[:, None])
        straight = np.einsum("np,mp->mn", rows, self.skip)[:, :, None]
        odds = np.einsum("mnh,mhk->mnk", hidden, self.outer) + straight + self.outer_start[:, None]
        # log(1 - hazard) summed: the log of surviving each stretch; between two ends the hazard is constant.
        gone = np.cumsum(np.logaddexp(0.0, odds), axis=2)
        whole = np.concatenate([np.zeros((*gone.shape[:2], 1)), gone], axis=2)
        grid = np.concatenate([[0.0], self.times])
        place = np.clip(np.searchsorted(grid, days, side="right") - 1, 0, len(self.times) - 1)
        share = np.clip((np.asarray(days) - grid[place]) / (grid[place + 1] - grid[place]), 0.0, 1.0)
        found: Floats = -np.expm1(-(whole[..., place] + share * (whole[..., place + 1] - whole[..., place])))
        return found

    def risk(self, rows: Floats, days: Floats) -> Floats:
        """(patients, times) mean over the nets."""
        mean: Floats = self.draws(rows, days).mean(0)
        return mean

    def shrink(self, rows: Floats, days: Floats) -> Floats:
        """Nets of resamples differ by their start too: a little too wide, and left so."""
        return np.ones((len(rows), len(days)))

    def arrays(self) -> dict[str, Floats]:
        """What is stored of it."""
        return {
            "inner": self.inner,
            "inner_start": self.inner_start,
            "outer": self.outer,
            "outer_start": self.outer_start,
            "skip": self.skip,
            "times": self.times,
        }

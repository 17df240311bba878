"""What became of patients, without a model: Kaplan-Meier's curve, a share, and their intervals."""

from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array, Floats


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Kaplan-Meier (1958, JASA 53:457).

    times     (steps,) distinct times of events, rising
    surviving (steps,) the share without the event after each
    error     (steps,) Greenwood's standard error of log(-log(surviving)); NaN where all or none survive
    """

    times: Floats
    surviving: Floats
    error: Floats

    def at(self, days: float) -> float:
        """The share without the event at a time."""
        place = int(np.searchsorted(self.times, days, side="right"))
        return 1.0 if place == 0 else float(self.surviving[place - 1])

    def interval(self, days: float) -> tuple[float, float]:
        """The 95 % interval of that share, on the scale of log(-log) (Kalbfleisch and Prentice 1980)."""
        place = int(np.searchsorted(self.times, days, side="right"))
        if place == 0 or not np.isfinite(self.error[place - 1]):
            return float("nan"), float("nan")
        middle = np.log(-np.log(self.surviving[place - 1]))
        half = 1.959964 * self.error[place - 1]
        return float(np.exp(-np.exp(middle + half))), float(np.exp(-np.exp(middle - half)))


def kaplan_meier(time: Floats, event: Array) -> Curve:
    """The curve of patients with these times and events."""
    time, event = np.asarray(time, np.float64), np.asarray(event, bool)
    times = np.unique(time[event])
    came = np.array([np.count_nonzero(event & (time == one)) for one in times], np.float64)
    there = np.array([np.count_nonzero(time >= one) for one in times], np.float64)
    surviving = np.cumprod(1 - came / np.maximum(there, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(came / (there * (there - came)))
        error = np.sqrt(greenwood) / np.abs(np.log(surviving))
    return Curve(times, surviving, np.where(np.isfinite(error) & (surviving > 0), error, np.nan))


def surviving_at(time: Floats, event: Array, at: Floats, weights: Floats, *, before: bool = False) -> Floats:
    """(resamples, times) Kaplan-Meier at each of `at`, patients counted by weights (resamples, patients).

    before  just before each time instead of after it
    """
    order = np.argsort(time, kind="stable")
    time, event, counts = time[order], np.asarray(event, bool)[order], weights[:, order]
    steps, starts = np.unique(time, return_index=True)
    there = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1][:, starts]
    came = np.add.reduceat(counts * event, starts, axis=1)
    share = np.divide(came, there, out=np.zeros_like(came), where=there > 0)
    curve = np.cumprod(1 - share, axis=1)
    place = np.searchsorted(steps, at, side="left" if before else "right")
    padded = np.concatenate([np.ones((len(counts), 1)), curve], axis=1)
    found: Floats = padded[:, place]
    return found


def wilson(so: int, many: int) -> tuple[float, float, float]:
    """A share and its 95 % interval (Wilson 1927, JASA 22:209)."""
    share, z = so / many, 1.959964
    centre = (share + z**2 / (2 * many)) / (1 + z**2 / many)
    half = z / (1 + z**2 / many) * np.sqrt(share * (1 - share) / many + z**2 / (4 * many**2))
    return share, max(0.0, min(share, float(centre - half))), min(1.0, max(share, float(centre + half)))

"""How sure are we of a metric? 95 % intervals by resampling patients, not pictures.

Two pictures of one patient are not two witnesses, so patients are drawn with replacement and bring all their cases
along (the cluster bootstrap: Davison and Hinkley 1997, section 3.8; percentile method: Efron 1979, Annals of
Statistics 7:1). A resample in which a metric is not defined is left out for that metric, and counted.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from osler.core.arrays import Floats

K = TypeVar("K")
Measure = Callable[[Floats], Mapping[K, Floats]]

RESAMPLES = 2000
_BLOCK = 400_000  # weights held at a time: what stays in the processor's cache is twice as fast
_WORK = 6_000_000  # weights drawn in all: beyond 3,000 cases intervals are narrow, and fewer resamples do


@dataclass(frozen=True, slots=True)
class Interval:
    """A metric and its 95 % interval.

    value      on the cases as they are; NaN where the metric is not defined
    low, high  NaN where there is no interval: fewer than two patients, or nothing defined
    undefined  resamples left out because the metric was not defined in them
    """

    value: float
    low: float
    high: float
    undefined: int = 0

    def to_json(self) -> dict[str, float | int | None]:
        """{"value", "low", "high"}, null for NaN, and "undefined" where resamples were left out."""
        numbers: dict[str, float | int | None] = {
            name: None if np.isnan(number) else float(number)
            for name, number in (("value", self.value), ("low", self.low), ("high", self.high))
        }
        return numbers | ({"undefined": self.undefined} if self.undefined else {})


def resamples_for(cases: int) -> int:
    """How many resamples are worth their time: 2000 up to 3,000 cases, fewer beyond, at least 200."""
    return int(np.clip(_WORK // max(cases, 1), 200, RESAMPLES))


def patient_weights(patients: Sequence[str], *, resamples: int, seed: int = 0) -> Iterator[Floats]:
    """How often each case is in each resample, in blocks (some resamples, cases).

    The same patients, number and seed give the same weights, however they are cut into blocks.
    """
    of_case = np.unique(np.asarray(patients), return_inverse=True)[1]
    many = int(of_case.max()) + 1
    random = np.random.default_rng(seed)
    rows = max(1, _BLOCK // len(of_case))
    for start in range(0, resamples, rows):
        here = min(rows, resamples - start)
        drawn = random.integers(many, size=(here, many))
        drawn += np.arange(here)[:, None] * many
        yield np.bincount(drawn.ravel(), minlength=here * many).reshape(here, many)[:, of_case].astype(np.float64)


def resample(
    measure: Measure[K], patients: Sequence[str], *, resamples: int | None = None, seed: int = 0
) -> dict[K, Floats]:
    """What `measure` says of each resample of patients: one array (resamples,) a metric.

    measure  takes weights (resamples, cases), answers with (resamples,) for each metric
    """
    count = resamples or resamples_for(len(patients))
    parts = [measure(block) for block in patient_weights(patients, resamples=count, seed=seed)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def bootstrap(
    measure: Measure[K],
    patients: Sequence[str],
    *,
    resamples: int | None = None,
    seed: int = 0,
    biased: Collection[K] = (),
) -> dict[K, Interval]:
    """Every metric of `measure` with its 95 % interval by patient.

    biased  metrics that grow with noise alone (ECE): a resample has more noise than the set, so their resamples
            are shifted back by the bias they show (Efron and Tibshirani 1993, chapter 10), not below zero

    >>> right = np.array([1.0, 1.0, 0.0, 1.0])
    >>> share = bootstrap(lambda w: {"accuracy": w @ right / w.sum(-1)}, ["a", "a", "b", "c"])["accuracy"]
    >>> share.value, share.low, share.high
    (0.75, 0.0, 1.0)
    """
    values = measure(np.ones((1, len(patients))))
    if len(set(patients)) < 2:
        return {name: Interval(float(value[0]), np.nan, np.nan) for name, value in values.items()}
    drawn = resample(measure, patients, resamples=resamples, seed=seed)
    return {name: interval(float(value[0]), drawn[name], biased=name in biased) for name, value in values.items()}


def interval(value: float, drawn: Floats, *, biased: bool = False) -> Interval:
    """The 95 % percentile interval of what was drawn around `value`; see `bootstrap` for `biased`."""
    defined = drawn[np.isfinite(drawn)]
    if np.isnan(value) or not len(defined):
        return Interval(value, np.nan, np.nan, len(drawn) - len(defined))
    if biased:
        defined = np.maximum(defined - (defined.mean() - value), 0.0)
    low, high = np.percentile(defined, [2.5, 97.5])
    return Interval(value, float(low), float(high), len(drawn) - len(defined))

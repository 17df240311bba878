"""How far do two series of grades agree? With 95 % intervals by person, and a correction for many tests.

Two statements on one person are not two witnesses, so persons are drawn with replacement and bring all their cases
along (cluster bootstrap: Davison and Hinkley 1997, section 3.8). Where nothing differs a bootstrap knows no doubt:
shares of 0 or 1 then have the exact bound of as many independent persons (Clopper and Pearson 1934, Biometrika
26:404), and a kappa of 1 has no interval.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array, Floats
from osler.statistics.intervals import bootstrap

Measure = Callable[[Floats], Floats]  # weights (resamples, cases) -> (resamples,)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval and the n behind it.

    value, low, high  NaN where there is none
    persons, cases    of whom
    """

    value: float
    low: float
    high: float
    persons: int
    cases: int


def estimate(measure: Measure, persons: Sequence[str], *, share: bool = False, seed: int = 0) -> Estimate:
    """What `measure` says of the cases, with its interval by person.

    persons  whose each case is
    share    the number is a share, 0 to 1, and has an exact bound where it is 0 or 1
    """
    cases, many = len(persons), len(set(persons))
    if not cases:
        return Estimate(np.nan, np.nan, np.nan, 0, 0)
    value = float(measure(np.ones((1, cases)))[0])
    if np.isnan(value) or many < 2:
        return Estimate(value, np.nan, np.nan, many, cases)
    if share and value in (0.0, 1.0):
        bound = 0.025 ** (1 / many)
        low, high = (0.0, 1 - bound) if value == 0 else (bound, 1.0)
        return Estimate(value, low, high, many, cases)
    found = bootstrap(lambda weights: {"": measure(weights)}, persons, seed=seed)[""]
    if found.low == found.high:
        return Estimate(value, np.nan, np.nan, many, cases)
    return Estimate(value, found.low, found.high, many, cases)


def permutation_p(
    measure: Measure,
    persons: Sequence[str],
    inside: Array,
    strata: Array,
    *,
    permutations: int = 1999,
    seed: int = 0,
) -> float:
    """How often chance alone parts a group from the rest as far; two-sided, never 0 (Phipson and Smyth 2010).

    inside  (cases,) booleans, the same for all cases of a person; names of groups are handed round among persons
    strata  (cases,) numbers; only persons of the same largest number change names, so that a group whose cases are
            more severe does not look like one that is treated otherwise (Good 2005, chapter 3)
    """
    names, first, place = np.unique(np.asarray(persons), return_index=True, return_inverse=True)
    worst = np.full(len(names), -np.inf)
    np.maximum.at(worst, place, np.asarray(strata, float))
    shuffled = np.repeat(np.asarray(inside)[first][None], permutations, axis=0)  # (permutations, persons)
    random = np.random.default_rng(seed)
    for one in np.unique(worst):
        same = np.flatnonzero(worst == one)
        shuffled[:, same] = random.permuted(shuffled[:, same], axis=1)
    groups = shuffled[:, place].astype(float)
    found = float((measure(np.asarray(inside, float)[None]) - measure(1 - np.asarray(inside, float)[None]))[0])
    drawn = measure(groups) - measure(1 - groups)
    drawn = drawn[np.isfinite(drawn)]
    if np.isnan(found) or not len(drawn):
        return float("nan")
    middle = float(drawn.mean())
    far = np.abs(drawn - middle) >= abs(found - middle) - 1e-12
    return float((far.sum() + 1) / (len(drawn) + 1))

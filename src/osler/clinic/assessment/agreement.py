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

RESAMPLES = 2000
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


def weighted_kappa(first: Array, second: Array, grades: int, weights: Floats) -> Floats:
    """Quadratic weighted kappa of two series of grades 0..grades-1, (cases,), for each row of weights.

    weights (resamples, cases), how often each case counts. 1 is perfect, 0 is chance; NaN where all are one grade.
    Cohen 1968, Psychological Bulletin 70:213.
    """
    cells = np.eye(grades * grades)[np.asarray(first) * grades + np.asarray(second)]  # (cases, grades * grades)
    seen = (weights @ cells).reshape(-1, grades, grades)
    steps = np.arange(grades)
    penalty = (steps[:, None] - steps) ** 2
    by_chance = seen.sum(2)[:, :, None] * seen.sum(1)[:, None, :] / np.maximum(seen.sum((1, 2)), 1)[:, None, None]
    expected = (penalty * by_chance).sum((1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        kappa: Floats = np.where(expected > 0, 1 - (penalty * seen).sum((1, 2)) / expected, np.nan)
    return kappa


def mean_of(values: Array, weights: Floats) -> Floats:
    """The weighted mean of values (cases,) for each row of weights; NaN where no case is left."""
    total = weights.sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(total > 0, weights @ np.asarray(values, float) / total, np.nan)
    return found


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
    drawn = measure(person_weights(persons, RESAMPLES, seed))
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn) or drawn.min() == drawn.max():
        return Estimate(value, np.nan, np.nan, many, cases)
    low, high = (float(end) for end in np.percentile(drawn, [2.5, 97.5]))
    return Estimate(value, low, high, many, cases)


def person_weights(persons: Sequence[str], resamples: int, seed: int) -> Floats:
    """How often each case is in each resample of persons, (resamples, cases)."""
    of_case = np.unique(np.asarray(persons), return_inverse=True)[1]
    many = int(of_case.max()) + 1
    drawn = np.random.default_rng(seed).multinomial(many, np.full(many, 1 / many), size=resamples)
    return np.asarray(drawn[:, of_case], dtype=np.float64)


def holm(p: Sequence[float]) -> list[float]:
    """The p of several tests, each raised so that all hold together; NaN stays and does not count.

    Holm 1979, Scandinavian Journal of Statistics 6:65.

    >>> [round(one, 3) for one in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    given = np.asarray(p, float)
    known = np.flatnonzero(~np.isnan(given))
    order = known[np.argsort(given[known], kind="stable")]
    raised = given.copy()
    if len(order):
        raised[order] = np.minimum(np.maximum.accumulate(given[order] * np.arange(len(order), 0, -1)), 1.0)
    return [float(one) for one in raised]


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

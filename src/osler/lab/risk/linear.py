"""Cox and logistic models with a ridge chosen by cross-validation, pictures and facts brought together late.

Late fusion: the picture's components become one score, fitted on the outcome; every patient's score comes from
patients of other folds (so that it is no better than it will be on new ones); the score then stands beside the
facts as one column more. A score whose weight comes out below zero has no say (Breiman 1996, Machine Learning
24:49, on weights of stacked models).
Because all of it is linear, the two stages are stored as one row of weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array, Floats
from osler.core.errors import BadDataset
from osler.lab.risk.cox import RiskSets, fit_cox
from osler.lab.risk.folds import deal
from osler.lab.risk.logistic import fit_logistic, log_likelihood
from osler.models.risk.linear import Cox, Linear, Logistic

RIDGES = (0.1, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
DRAWS = 200
_INNER = 5


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """weights (columns,), and the log odds of a row of zeros for a logistic model."""

    weights: Floats
    start: float


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """Rows (patients, columns) with their outcomes; `drawn` are the places of the picture's columns."""

    rows: Floats
    time: Floats
    event: Array
    timed: bool
    drawn: tuple[int, ...] = ()

    def take(self, places: Array) -> "Told":
        return Told(self.rows[places], self.time[places], self.event[places], self.timed, self.drawn)

    def columns(self, rows: Floats) -> "Told":
        return Told(rows, self.time, self.event, self.timed)

    @property
    def fused(self) -> bool:
        """Are there facts and a picture?"""
        return 0 < len(self.drawn) < int(self.rows.shape[1])


def fit_linear(told: Told, *, seed: int, draws: int = DRAWS) -> tuple[Linear, str]:
    """A Cox or logistic model with its resamples, and how its ridge was chosen.

    Raises BadDataset where nobody has the event.
    """
    sides = deal(told.event, _INNER, seed=seed)
    ridges, because = _chosen(told, sides)
    fitted = _fit(told, ridges, sides)
    random = np.random.default_rng(seed)
    many = len(told.event)
    times, hazard = _baseline(told, fitted) if told.timed else (np.zeros(0), np.zeros(0))
    drawn: list[Weights] = []
    grown: list[Floats] = []
    while len(drawn) < draws:
        places = random.integers(many, size=many)
        again = told.take(places)
        if int(again.event.sum()) < 2 or again.event.all():
            continue  # nothing can be learnt from such a resample
        one = _fit(again, ridges, sides[places])
        drawn.append(one)
        if told.timed:
            t, h = _baseline(again, one)
            grown.append(np.concatenate([[0.0], h])[np.searchsorted(t, times, side="right")])
    weights = np.array([one.weights for one in drawn]).reshape(draws, told.rows.shape[1])
    if told.timed:
        stacked = np.array(grown).reshape(draws, len(times))
        return Cox(fitted.weights, times, hazard, weights, stacked), because
    return Logistic(fitted.weights, fitted.start, weights, np.array([one.start for one in drawn])), because


def choose_ridge(told: Told, sides: Array) -> tuple[float, list[float]]:
    """The ridge under which patients left out are likeliest, and what each of RIDGES gave.

    For Cox the likelihood of a fold is that of all patients less that of the others, with the weights of the
    others (Verweij and van Houwelingen 1993, Stat Med 12:2305).
    """
    found = np.zeros(len(RIDGES))
    for side in np.unique(sides):
        found += _held_out(told, sides == side)
    return RIDGES[int(np.argmax(found))], found.tolist()


def _chosen(told: Told, sides: Array) -> tuple[tuple[float, ...], str]:
    if not told.fused:
        ridge, found = choose_ridge(told, sides)
        return (ridge,), _because(ridge, found)
    first, found = choose_ridge(told.columns(told.rows[:, list(told.drawn)]), sides)
    second, more = choose_ridge(told.columns(_with_score(told, first, sides)[0]), sides)
    return (first, second), f"picture's score: {_because(first, found)}; with the facts: {_because(second, more)}"


def _because(ridge: float, found: Sequence[float]) -> str:
    gained = max(found) - found[-1]
    return (
        f"ridge {ridge:g} of {RIDGES[0]:g} to {RIDGES[-1]:g}: patients left out (folds of {_INNER}) are "
        f"likeliest; log likelihood {gained:.2f} above that of the strongest ridge"
    )


def _held_out(told: Told, out: Array) -> Floats:
    """(ridges,) the log likelihood of those out, under weights of the rest."""
    rest = told.take(np.flatnonzero(~out))
    if int(rest.event.sum()) < 1 or (not told.timed and rest.event.all()):
        return np.zeros(len(RIDGES))
    if not told.timed:
        fits = [fit_logistic(rest.rows, rest.event, ridge=ridge) for ridge in RIDGES]
        return np.array([log_likelihood(told.rows[out], told.event[out], one.weights, one.start) for one in fits])
    whole, others = RiskSets(told.time, told.event), RiskSets(rest.time, rest.event)
    found = []
    for ridge in RIDGES:
        weights = fit_cox(rest.rows, rest.time, rest.event, ridge=ridge, risk_sets=others).weights
        found.append(whole.value(told.rows, weights) - others.value(rest.rows, weights))
    return np.array(found)


def _fit(told: Told, ridges: Sequence[float], sides: Array) -> Weights:
    if not told.fused:
        return _plain(told, ridges[0])
    rows, pictured = _with_score(told, ridges[0], sides)
    one = _plain(told.columns(rows), ridges[1])
    if one.weights[-1] < 0:  # on patients it had not seen, the score went the wrong way
        one = _plain(told.columns(rows * (np.arange(rows.shape[1]) < rows.shape[1] - 1)), ridges[1])
    weights = np.zeros(told.rows.shape[1])
    weights[[n for n in range(len(weights)) if n not in told.drawn]] = one.weights[:-1]
    weights[list(told.drawn)] = one.weights[-1] * pictured
    return Weights(weights, one.start)


def _with_score(told: Told, ridge: float, sides: Array) -> tuple[Floats, Floats]:
    """The facts' columns and the picture's score (patients, facts + 1); and the weights that make the score."""
    drawn = list(told.drawn)
    pictures = told.columns(told.rows[:, drawn])
    score = np.zeros(len(told.event))
    for side in np.unique(sides):
        out = sides == side
        rest = pictures.take(np.flatnonzero(~out))
        if int(rest.event.sum()) >= 1 and (told.timed or not rest.event.all()):
            score[out] = pictures.rows[out] @ _plain(rest, ridge).weights
    apart = float(score.std()) or 1.0
    whole = _plain(pictures, ridge).weights / apart
    facts = np.delete(told.rows, drawn, axis=1)
    return np.concatenate([facts, score[:, None] / apart], axis=1), whole


def _plain(told: Told, ridge: float) -> Weights:
    if told.timed:
        return Weights(fit_cox(told.rows, told.time, told.event, ridge=ridge).weights, 0.0)
    fit = fit_logistic(told.rows, told.event, ridge=ridge)
    return Weights(fit.weights, fit.start)


def _baseline(told: Told, one: Weights) -> tuple[Floats, Floats]:
    """Times and cumulative baseline hazard under weights that are given."""
    if not told.event.any():
        raise BadDataset("Nobody had the event.", remedy="Follow the patients longer.")
    return RiskSets(told.time, told.event).baseline(told.rows, one.weights)

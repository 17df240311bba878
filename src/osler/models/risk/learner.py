"""What every kind of risk learner answers, and how each is stored: arrays, nothing that runs."""

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from osler.core.arrays import Array, Floats
from osler.core.registry import Registry
from osler.models.risk.deep import Deep
from osler.models.risk.forest import Forest
from osler.models.risk.linear import Cox, Logistic


class Learner(Protocol):
    """Rows (patients, columns) and times (times,) in the unit of the training -> risk, 0 to 1."""

    kind: str

    def risk(self, rows: Floats, days: Floats) -> Floats:
        """(patients, times) probability of the event by each time."""

    def draws(self, rows: Floats, days: Floats) -> Floats:
        """(draws, patients, times): the same, had other patients been there to learn from."""

    def shrink(self, rows: Floats, days: Floats) -> Floats:
        """(patients, times) by which the spread of the draws is to be multiplied."""

    def arrays(self) -> dict[str, Array]:
        """What is stored of it."""


LEARNERS: Registry[Callable[[Mapping[str, Array]], Learner]] = Registry(
    "kind of risk model",
    cox=lambda a: Cox(a["weights"], a["times"], a["hazard"], a["drawn"], a["drawn_hazard"]),
    logistic=lambda a: Logistic(a["weights"], float(a["start"][0]), a["drawn"], a["drawn_start"]),
    forest=lambda a: Forest(a["column"], a["limit"], a["left"], a["right"], a["leaf"], a["times"], a["groups"]),
    deep=lambda a: Deep(a["inner"], a["inner_start"], a["outer"], a["outer_start"], a["skip"], a["times"]),
)


def interval(value: Floats, draws: Floats, shrink: Floats | float = 1.0) -> tuple[Floats, Floats]:
    """The 95 % interval of `value` (...) from its draws (draws, ...): percentiles around their mean, moved to it.

    Draws of a shrunken or bagged learner need not lie around its answer; the interval always holds the answer.
    """
    middle = draws.mean(0)
    spread = middle + (draws - middle) * shrink
    low, high = np.percentile(spread, [2.5, 97.5], axis=0)
    return np.minimum(low, value), np.maximum(high, value)

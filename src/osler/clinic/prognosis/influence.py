"""What moves one patient's risk, and by how much.

Of a weighted sum every part is known exactly: the hazard, or the odds, is a product with one factor a fact. Of a
forest or a net the risk is shared out by Shapley's value (1953; Lundberg and Lee 2017, NeurIPS): the mean, over
all orders in which facts may become known, of what each one changes; facts not yet known are those of training
patients. Exact by going through all sets of up to 8 facts, else over 400 drawn orders.
None of it says what would happen if a fact were changed: what moves a risk is no cause.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Floats
from osler.models.risk.fact import Facts
from osler.models.risk.learner import Learner, interval
from osler.models.risk.linear import Cox, Logistic
from osler.models.risk.model import RiskModel, part_rows

_EXACT = 8  # facts: 256 sets
_ORDERS = 400
_OTHERS = 40  # training patients that stand for what is not known


@dataclass(frozen=True, slots=True)
class Influence:
    """What one fact, or the picture, does to the risk, against a patient average in it.

    name    the fact's, or "image"
    by      "hazard" or "odds": `value` multiplies it; "risk": `value` is added to it, a share
    value, low, high  with its 95 % interval
    """

    name: str
    by: str
    value: float
    low: float
    high: float

    @property
    def size(self) -> float:
        """How much it moves, whichever way: for the order on the page."""
        return abs(self.value) if self.by == "risk" else abs(math.log(max(self.value, 1e-12)))


def influences(
    model: RiskModel, part: str, values: Facts, features: Floats | None, *, day: float
) -> tuple[Influence, ...]:
    """Every fact's influence on the risk by a time, largest first.

    part      of the model
    features  (features,) of the picture, None without
    """
    learner = model.learners[part]
    row = part_rows(model, part, [values], None if features is None else features[None])[0]
    places = model.design.part(part)
    groups = [
        (name, [places.index(n) for n in own]) for name, own in model.design.groups if own and own[0] in places
    ]
    if isinstance(learner, Cox | Logistic):
        found = _factors(learner, row, groups)
    else:
        found = _shares(learner, row, groups, _others(model, places), day)
    return tuple(sorted(found, key=lambda one: -one.size))


def _factors(learner: Cox | Logistic, row: Floats, groups: list[tuple[str, list[int]]]) -> list[Influence]:
    found = []
    for name, own in groups:
        value = np.asarray(row[own] @ learner.weights[own])
        low, high = interval(value, learner.drawn[:, own] @ row[own])
        by = "hazard" if isinstance(learner, Cox) else "odds"
        found.append(Influence(name, by, float(np.exp(value)), float(np.exp(low)), float(np.exp(high))))
    return found


def _others(model: RiskModel, places: tuple[int, ...]) -> Floats:
    """Rows of training patients; the average patient where none are kept."""
    if model.reference is None:
        return np.zeros((1, len(places)))
    rows = model.reference.rows[:, list(places)].astype(np.float64)
    return rows[:: max(1, len(rows) // _OTHERS)][:_OTHERS]


def _shares(
    learner: Learner, row: Floats, groups: list[tuple[str, list[int]]], others: Floats, day: float
) -> list[Influence]:
    days, many = np.array([day]), len(groups)
    columns = [np.isin(np.arange(len(row)), own) for _, own in groups]

    def said(known: list[tuple[int, ...]], rest: Floats) -> Floats:
        """(draws + 1, sets) what is said when only these groups are known; the answer itself comes last."""
        rows = np.repeat(rest[None], len(known), axis=0)  # (sets, others, columns)
        for n, inside in enumerate(known):
            for group in inside:
                rows[n][:, columns[group]] = row[columns[group]]
        flat = rows.reshape(-1, len(row))
        drawn, value = learner.draws(flat, days)[:, :, 0], learner.risk(flat, days)[:, 0]
        both = np.concatenate([drawn, value[None]])
        mean: Floats = both.reshape(len(both), len(known), len(rest)).mean(2)
        return mean

    if many <= _EXACT:
        sets = [s for size in range(many + 1) for s in itertools.combinations(range(many), size)]
        value = dict(zip(sets, np.concatenate([said([s], others) for s in sets], axis=1).T, strict=True))
        found = []
        for group in range(many):
            total = np.zeros_like(value[()])
            for inside in sets:
                if group not in inside:
                    weight = math.factorial(len(inside)) * math.factorial(many - len(inside) - 1)
                    with_it = tuple(sorted((*inside, group)))
                    total += weight / math.factorial(many) * (value[with_it] - value[inside])
            found.append(total)
    else:
        found = _by_orders(said, many, others)
    shrink = float(learner.shrink(row[None], days)[0, 0])
    told = []
    for (name, _), total in zip(groups, found, strict=True):
        low, high = interval(total[-1], total[:-1], shrink)
        told.append(Influence(name, "risk", float(total[-1]), float(low), float(high)))
    return told


def _by_orders(said, many: int, others: Floats) -> list[Floats]:  # type: ignore[no-untyped-def]
    """Shapley's value over drawn orders, each walked forwards and backwards with one training patient."""
    random = np.random.default_rng(0)
    total: list[Floats] = []
    for turn in range(_ORDERS // 2):
        order = random.permutation(many)
        one = others[[random.integers(len(others))]]
        for way in (order, order[::-1]):
            steps = [tuple(sorted(int(g) for g in way[:n])) for n in range(many + 1)]
            gained = np.diff(said(steps, one), axis=1)  # (draws + 1, groups) in the order of the walk
            back = np.empty_like(gained)
            back[:, way] = gained
            total = (
                [back[:, g] for g in range(many)] if not total else [t + back[:, g] for g, t in enumerate(total)]
            )
        del turn
    return [one / (2 * (_ORDERS // 2)) for one in total]

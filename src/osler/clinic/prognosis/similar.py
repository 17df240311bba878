"""What became of training patients like this one, from the numbers that the model keeps: never who they are."""

from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array, Floats
from osler.models.risk.design import IMAGE
from osler.models.risk.fact import Fact, Facts
from osler.models.risk.model import Reference, RiskModel
from osler.models.risk.survival import kaplan_meier, wilson

FEWEST, MOST = 10, 50  # patients: of fewer nothing is told
_UNUSUAL = 0.95  # further from the nearest patients than this share of training patients is from theirs


@dataclass(frozen=True, slots=True)
class Seen:
    """A share of patients with the event by a time, with its 95 % interval (NaN where there is none)."""

    horizon: float
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Alike:
    """Training patients like this one.

    patients, events  how many, and how many of them had the event at any time
    of        how many were compared
    seen      what became of them, at each horizon
    everybody  the same of all training patients
    typical   fact -> what is usual among them: "64", "70 % F"
    unusual   True: this patient lies further from them than training patients usually do
    below     the share of training patients whose risk, foretold without them, was lower
    pictured  was the picture compared too?
    """

    patients: int
    events: int
    of: int
    seen: tuple[Seen, ...]
    everybody: tuple[Seen, ...]
    typical: tuple[tuple[str, str], ...]
    unusual: bool
    below: float
    pictured: bool


def alike(model: RiskModel, values: Facts, features: Floats | None, risk: float) -> Alike | None:
    """Training patients near this one by facts and, where it is there, the picture; None where too few are kept.

    risk  of this patient at the last horizon

    Facts together weigh as much as the picture: each block's mean squared distance counts once.
    """
    kept = model.reference
    if kept is None or len(kept.event) < 2 * FEWEST:
        return None
    row = model.design.rows([values], None if features is None else features[None])[0]
    distance = _distances(model, kept.rows.astype(np.float64), row[None], features is not None)[0]
    count = int(np.clip(len(distance) // 5, FEWEST, MOST))
    near = np.argsort(distance, kind="stable")[:count]
    return Alike(
        count,
        int(kept.event[near].sum()),
        len(distance),
        _became(model, kept, near),
        _became(model, kept, np.arange(len(distance))),
        tuple((fact.name, _usual(fact, model, kept.rows[near])) for fact in model.design.facts),
        _is_unusual(model, kept, float(np.sort(distance)[:count].mean()), count, features is not None),
        float((kept.risk[:, -1] < risk).mean()),
        features is not None,
    )


def _distances(model: RiskModel, rows: Floats, asked: Floats, pictured: bool) -> Floats:
    """(asked, patients)"""
    told, drawn = list(model.design.part("facts")), list(model.design.part(IMAGE))
    total = np.zeros((len(asked), len(rows)))
    for block in (told, drawn if pictured else []):
        if block:
            total += ((asked[:, None, block] - rows[None, :, block]) ** 2).mean(2)
    return np.sqrt(total)


def _is_unusual(model: RiskModel, kept: Reference, mine: float, count: int, pictured: bool) -> bool:
    rows = kept.rows.astype(np.float64)
    some = rows[:: max(1, len(rows) // 200)]
    each = np.sort(_distances(model, rows, some, pictured), axis=1)[:, 1 : count + 1].mean(1)  # 0: itself
    return bool(mine > np.quantile(each, _UNUSUAL))


def _became(model: RiskModel, kept: Reference, rows: Array) -> tuple[Seen, ...]:
    if not model.card.outcome.timed:
        return (Seen(0.0, *wilson(int(kept.event[rows].sum()), len(rows))),)
    curve = kaplan_meier(kept.time[rows], kept.event[rows])
    found = []
    for one in model.card.outcome.horizons:
        low, high = curve.interval(one)
        found.append(Seen(one, 1 - curve.at(one), 1 - high, 1 - low))
    return tuple(found)


def _usual(fact: Fact, model: RiskModel, rows: Floats) -> str:
    """The median of a number, the commonest level of a choice with its share."""
    design = model.design
    own = list(dict(design.groups)[fact.name])
    if not own:
        return ""
    told = rows[:, own].astype(np.float64) * design.deviation[own] + design.mean[own]
    if fact.kind == "number":
        return f"{float(np.clip(np.median(told[:, 0]), fact.low, fact.high)):.3g}"
    shares = [float((told[:, n] > 0.5).mean()) for n in range(len(fact.levels) - 1)]
    shares = [1 - sum(shares), *shares]
    best = int(np.argmax(shares))
    return f"{fact.levels[best]} ({100 * shares[best]:.0f} %)"

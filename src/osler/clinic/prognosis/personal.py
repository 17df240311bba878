"""One patient's own risk: what is foretold, of whom it is known, what moves it, and how it changed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from osler.clinic.prognosis.influence import Influence, influences
from osler.clinic.prognosis.similar import Alike, Seen, alike
from osler.core.arrays import Floats
from osler.core.errors import AskedWrongly, Declined
from osler.core.patient import Patient
from osler.core.report import NOT_A_DEVICE
from osler.models.risk.fact import Facts, Value, facts_of
from osler.models.risk.learner import interval
from osler.models.risk.model import RiskModel, part_rows, predict_risk
from osler.results.sentences import say

_CURVE = 40  # times along the curve
_FEW_PATIENTS, _FEW_EVENTS = 100, 50


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """A patient at one study.

    features     (features,) of the picture, by the image model that the risk model's card names; None without
    days_before  how long before the present study; 0 is the present one
    """

    patient: Patient
    features: Floats | None = None
    days_before: float = 0.0


@dataclass(frozen=True, slots=True)
class Foretold:
    """A risk with its 95 % interval, of one part of the model at one horizon (0 where there is no time)."""

    part: str
    horizon: float
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Change:
    """The risk at an earlier study, and the present risk less it, at the last horizon.

    part  what both are foretold with: the same for both
    """

    days_before: float
    part: str
    then: Foretold
    less: Foretold


@dataclass(frozen=True, slots=True, eq=False)
class PersonalView:
    """All that the page shows.

    part        what was used: "both", "facts" or "image"; `risks` has the others beside it
    curve       (times, value, low, high) rows of the risk over time; () without times
    known       (fact, this patient's value as written, what the training patients had)
    cautions    what to mind, a sentence each
    """

    model: RiskModel
    part: str
    risks: tuple[Foretold, ...]
    curve: tuple[tuple[float, float, float, float], ...]
    known: tuple[tuple[str, str, str], ...]
    moved_by: tuple[Influence, ...]
    alike: Alike | None
    changes: tuple[Change, ...]
    cautions: tuple[str, ...] = field(default=())

    @property
    def main(self) -> tuple[Foretold, ...]:
        """The risks of the part that was used."""
        return tuple(one for one in self.risks if one.part == self.part)

    def to_json(self) -> dict[str, Any]:
        """Plain values, no identity among them."""
        card = self.model.card

        def foretold(one: Foretold | Seen) -> dict[str, Any]:
            ends = {n: None if np.isnan(v) else v for n, v in (("low", one.low), ("high", one.high))}
            return {"horizon": one.horizon or None, "value": one.value, **ends}

        return {
            "personal_risk_version": 1,
            "model": {"name": card.name, "version": card.version, "digest": card.digest, "kind": card.kind},
            "event": card.outcome.event,
            "unit": card.outcome.unit,
            "learnt_from": {"patients": card.patients, "events": card.events},
            "part": self.part,
            "risks": [{"part": one.part, **foretold(one)} for one in self.risks],
            "curve": [list(one) for one in self.curve],
            "known": [{"fact": a, "value": b, "learnt": c} for a, b, c in self.known],
            "moved_by": [
                {"name": one.name, "by": one.by, "value": one.value, "low": one.low, "high": one.high}
                for one in self.moved_by
            ],
            "similar": None
            if self.alike is None
            else {
                "patients": self.alike.patients,
                "events": self.alike.events,
                "of": self.alike.of,
                "seen": [foretold(one) for one in self.alike.seen],
                "everybody": [foretold(one) for one in self.alike.everybody],
                "typical": dict(self.alike.typical),
                "unusual": self.alike.unusual,
                "share_below": self.alike.below,
                "picture_compared": self.alike.pictured,
            },
            "changes": [
                {
                    "days_before": one.days_before,
                    "part": one.part,
                    "then": foretold(one.then),
                    "less": foretold(one.less),
                }
                for one in self.changes
            ],
            "cautions": list(self.cautions),
            "notice": NOT_A_DEVICE,
        }


def personal_view(model: RiskModel, now: Moment, earlier: Sequence[Moment] = ()) -> PersonalView:
    """What the model foretells of one patient.

    Raises Declined where a fact that it needs is missing or lies outside what it learnt from, or where the picture
    is unlike all it has seen; AskedWrongly for facts that it does not know, an earlier study that is not earlier,
    or features of another length.
    """
    for moment in earlier:
        if not moment.days_before > 0:
            raise AskedWrongly(
                "An earlier study does not lie before the present one.",
                remedy="Say how many days before it was: days=90.",
            )
    values = _accepted(model, now)
    pictured = now.features is not None and model.design.image is not None
    features = now.features if pictured else None
    part = model.part if pictured or "facts" not in model.learners else "facts"
    cautions = list(_small(model))
    if model.design.image is not None and not pictured:
        if "facts" not in model.learners:
            raise Declined(say("risk.declined.picture"), remedy=say("risk.declined.picture.remedy"))
        cautions.append(say("risk.caution.no_picture"))
    missing = [fact.name for fact in model.design.facts if values[fact.name] is None]
    if missing:
        cautions.append(say("risk.caution.missing", names=", ".join(missing)))
    risks = tuple(
        one
        for name in model.learners
        if pictured or name == "facts"
        for one in _foretold(model, name, values, features)
    )
    last = float(model.horizons[-1])
    present = next(one for one in risks if one.part == part and one.horizon == last)
    near = alike(model, values, features, present.value)
    if near is None:
        cautions.append(say("risk.caution.no_similar"))
    elif near.unusual:
        cautions.append(say("risk.caution.unusual"))
    return PersonalView(
        model,
        part,
        risks,
        _curve(model, part, values, features),
        tuple((f.name, _written(values[f.name]), f.range_said()) for f in model.design.facts)
        if part != "image"
        else (),
        influences(model, part, values, features, day=last),
        near,
        tuple(_change(model, now, one) for one in sorted(earlier, key=lambda m: -m.days_before)),
        tuple(cautions),
    )


def _accepted(model: RiskModel, moment: Moment) -> Facts:
    """The facts, once the model may speak of the patient."""
    wanted = model.design.facts
    strange = sorted(set(moment.patient.known) - {fact.name for fact in wanted})
    if strange:
        raise AskedWrongly(
            f"The model {model.card.name} does not know the fact '{strange[0]}'.",
            remedy=f"It knows: {', '.join(fact.name for fact in wanted) or 'no facts, only the picture'}.",
        )
    values = facts_of(moment.patient, wanted)
    for fact in wanted:
        why = fact.objection(values[fact.name])
        if why == "missing":
            raise Declined(
                say("risk.declined.missing", fact=fact.name, patients=fact.known),
                remedy=say("risk.declined.missing.remedy", fact=fact.name),
            )
        if why == "unlike":
            raise Declined(
                say("risk.declined.unlike", fact=fact.name, range=fact.range_said(), patients=fact.known),
                remedy=say("risk.declined.unlike.remedy"),
            )
    image = model.design.image
    if moment.features is not None and image is not None:
        if moment.features.shape != image.mean.shape or not np.isfinite(moment.features).all():
            raise AskedWrongly(
                f"The model takes {len(image.mean)} finite image features.",
                remedy="Take them with the image model that its card names.",
            )
        if image.unlike(moment.features):
            raise Declined(say("risk.declined.unlike_picture"), remedy=say("risk.declined.unlike.remedy"))
    return values


def _foretold(model: RiskModel, part: str, values: Facts, features: Floats | None) -> tuple[Foretold, ...]:
    risk = predict_risk(model, [values], None if features is None else features[None], part=part)
    return tuple(
        Foretold(part, float(at), float(risk.value[0, n]), float(risk.low[0, n]), float(risk.high[0, n]))
        for n, at in enumerate(model.horizons)
    )


def _curve(
    model: RiskModel, part: str, values: Facts, features: Floats | None
) -> tuple[tuple[float, float, float, float], ...]:
    if not model.card.outcome.timed:
        return ()
    days = np.linspace(0.0, float(model.horizons[-1]), _CURVE)
    risk = predict_risk(model, [values], None if features is None else features[None], part=part, days=days)
    rows = np.stack([days, risk.value[0], risk.low[0], risk.high[0]], axis=1)
    return tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in rows)


def _change(model: RiskModel, now: Moment, then: Moment) -> Change:
    """Both moments with the part that both allow; draws are paired, so that what they share cancels."""
    before, values = _accepted(model, then), _accepted(model, now)
    both = now.features is not None and then.features is not None and model.design.image is not None
    part = model.part if both or "facts" not in model.learners else "facts"
    if part != "facts" and not both:
        raise Declined(say("risk.declined.picture"), remedy=say("risk.declined.picture.remedy"))
    seen = None
    if both and then.features is not None and now.features is not None:
        seen = np.stack([then.features, now.features])
    rows = part_rows(model, part, [before, values], seen)
    learner, last = model.learners[part], model.horizons[-1:]
    value, drawn = learner.risk(rows, last)[:, 0], learner.draws(rows, last)[:, :, 0]
    shrink = learner.shrink(rows, last)[:, 0]
    low, high = interval(value, drawn, shrink)
    less = value[1] - value[0]
    less_low, less_high = interval(less, drawn[:, 1] - drawn[:, 0], float(shrink.max()))
    at = float(last[0])
    return Change(
        then.days_before,
        part,
        Foretold(part, at, float(value[0]), float(low[0]), float(high[0])),
        Foretold(part, at, float(less), float(less_low), float(less_high)),
    )


def _small(model: RiskModel) -> tuple[str, ...]:
    card = model.card
    if card.patients >= _FEW_PATIENTS and card.events >= _FEW_EVENTS:
        return ()
    return (say("risk.caution.few", patients=card.patients, events=card.events),)


def _written(value: Value) -> str:
    if value is None:
        return say("risk.not_known")
    return f"{value:.6g}" if isinstance(value, float | int) else value

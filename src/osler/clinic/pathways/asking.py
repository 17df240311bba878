"""Asking one model: are its pictures good enough, what does it say, and has it seen anything like them?"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from osler.clinic.pathways.findings import Speaker
from osler.clinic.pathways.pathway import Offer, Refusal
from osler.core.prediction import Prediction
from osler.core.report import Problem
from osler.core.study import Study
from osler.inference.gate import feature_distance
from osler.quality.check import check_quality
from osler.results.sentences import say

if TYPE_CHECKING:
    from osler.models.model import Model


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What one model said.

    cases     for each case the index of the picture that the answer lies on, and what was predicted
    cautions  what to mind, in the order it was found
    """

    offer: Offer
    cases: tuple[tuple[int, Prediction], ...]
    speaker: Speaker
    cautions: tuple[Problem, ...]


def good_enough(study: Study, offer: Offer) -> tuple[Offer, tuple[Problem, ...]]:
    """The offer with only those cases whose pictures pass its checks, and why the others do not."""
    good: list[tuple[int, ...]] = []
    bad: list[Problem] = []
    cautions: list[Problem] = []
    for case in offer.cases:
        failed: list[Problem] = []
        for picture in (study.pictures[index] for index in case):
            quality = check_quality(picture, offer.pathway.checks)
            cautions += quality.cautions
            # A guard looks at the pixels too: it is asked only about a picture that has some.
            guards = offer.pathway.guards if not quality.declined else ()
            failed += [*quality.declined, *(problem for guard in guards if (problem := guard(picture)))]
        bad += failed
        if not failed:
            good.append(case)
    if good and bad:
        cautions.append(_left_out(len(offer.cases) - len(good), len(offer.cases), bad[0]))
    return replace(offer, cases=tuple(good), cautions=_once(*offer.cautions, *cautions)), _once(*bad)


def ask(study: Study, offer: Offer, model: "Model") -> Answer | Refusal:
    """The model's answer on every case, or a refusal where all of them are unlike anything it has seen.

    A header that names the right part of the body outweighs the gate: the answer then carries a caution.
    """
    from osler.inference.predict import predict  # torch takes a second to load; a declined study does not wait

    cases: list[tuple[int, Prediction]] = []
    cautions = list(offer.cautions)
    refusal = None
    for case in offer.cases:
        prediction = predict(model, [study.pictures[index] for index in case])
        distance, limit = _unlikeness(prediction, model)
        said = {"distance": f"{distance:.2f}", "limit": f"{limit:.2f}"}
        if distance > limit and offer.support < 2:
            refusal = Refusal(offer.card.name, say("against.unlike", **said), say("refusal.remedy"))
            continue
        if distance > limit:
            what = say("caution.unlike", **said)
            cautions.append(Problem(what, say("caution.unlike.remedy"), "unlike"))
        cases.append((case[model.recipe.reference], prediction))
    if not cases and refusal is not None:
        return refusal
    if refusal is not None:
        why = Problem(refusal.why, refusal.remedy, "unlike")
        cautions.append(_left_out(len(offer.cases) - len(cases), len(offer.cases), why))
    return Answer(offer, tuple(cases), Speaker(offer.pathway, model.card, model.trust), _once(*cautions))


def _unlikeness(prediction: Prediction, model: "Model") -> tuple[float, float]:
    """How far the picture lies from those the model has seen, and how far is too far; infinity where unknown."""
    trust = model.trust
    if prediction.features is None or model.space is None or trust.feature_limit is None:
        return 0.0, float("inf")
    return feature_distance(prediction.features, model.space), trust.feature_limit


def _left_out(number: int, total: int, why: Problem) -> Problem:
    return Problem(say("caution.left_out", number=number, total=total, why=why.what), why.remedy, why.check)


def _once(*problems: Problem) -> tuple[Problem, ...]:
    return tuple(dict.fromkeys(problems))

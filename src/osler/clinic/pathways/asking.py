"""Asking one model: are its pictures good enough, what does it say, and has it seen anything like them?"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from osler.clinic.pathways.findings import Speaker
from osler.clinic.pathways.pathway import Offer, Refusal
from osler.core.prediction import Prediction
from osler.core.report import Problem
from osler.core.study import Study
from osler.models.card import ModelCard
from osler.quality.check import check_quality
from osler.results.sentences import phrase, say

if TYPE_CHECKING:
    from osler.models.model import Model


@dataclass(frozen=True, slots=True)
class Lesion:
    """One lesion of an answer.

    name  "L1"; the same in every study of the patient that is read together
    of    the outline that it is a piece of, as the model or who drew it calls it
    site  where in the body, "" where that is not known
    """

    name: str
    of: str = ""
    site: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What one model, or somebody's outlines, said.

    cases     for each case the index of the picture that the answer lies on, and what was predicted
    cautions  what to mind, in the order it was found
    lesions   (picture, label of its mask) -> the lesion; empty for a use that follows none
    """

    offer: Offer
    cases: tuple[tuple[int, Prediction], ...]
    speaker: Speaker
    cautions: tuple[Problem, ...]
    lesions: Mapping[tuple[int, int], Lesion] = field(default_factory=dict)


def good_enough(study: Study, offer: Offer) -> tuple[Offer, tuple[Problem, ...]]:
    """The offer with only those cases whose pictures pass its checks, and why the others do not."""
    good: list[tuple[int, ...]] = []
    bad: list[Problem] = []
    cautions: list[Problem] = []
    for case in offer.cases:
        failed: list[Problem] = []
        for picture in (study.pictures[index] for index in case):
            quality = check_quality(picture, offer.pathway.checks)
            cautions += map(_in_words, quality.cautions)
            # A guard looks at the pixels too: it is asked only about a picture that has some.
            guards = offer.pathway.guards if not quality.declined else ()
            failed += map(_in_words, quality.declined)
            failed += [problem for guard in guards if (problem := guard(picture))]
        bad += failed
        if not failed:
            good.append(case)
    if good and bad:
        cautions.append(_left_out(len(offer.cases) - len(good), len(offer.cases), bad[0]))
    return replace(offer, cases=tuple(good), cautions=_once(*offer.cautions, *cautions)), _once(*bad)


def ask(study: Study, offer: Offer, model: "Model") -> Answer | Refusal:
    """The model's answer on every case, or a refusal where all of them are unlike anything it has seen.

    What is done with an unlike picture is the card's policy: it is declined or read with a caution. Where few
    validation patients stand behind the gate, it is read with a caution.
    """
    # torch takes a second to load; a declined study does not wait
    from osler.inference.gate import in_words, likeness
    from osler.inference.predict import predict_prepared
    from osler.models.prepare import prepare

    gate = model.trust.gate
    cases: list[tuple[int, Prediction]] = []
    cautions = list(offer.cautions)
    refusal = None
    for case in offer.cases:
        pictures = [study.pictures[index] for index in case]
        prepared = prepare(pictures, model.recipe)
        prediction = next(predict_prepared(model, [prepared]))
        like = likeness(model, pictures, prepared, prediction.features)
        if like is not None and gate is not None:
            if like.unlike and like.sure and declines(model.card, offer.support):
                refusal = Refusal(offer.card.name, in_words(like, gate), say("refusal.remedy"))
                continue
            if like.unlike:
                cautions.append(Problem(in_words(like, gate), say("caution.unlike.remedy"), "unlike"))
            if like.odd:
                facts = say("caution.odd", facts=say("join.clauses").join(like.odd))
                cautions.append(Problem(facts, say("caution.unlike.remedy"), "range"))
        cases.append((case[model.recipe.reference], prediction))
    if not cases and refusal is not None:
        return refusal
    if refusal is not None:
        why = Problem(refusal.why, refusal.remedy, "unlike")
        cautions.append(_left_out(len(offer.cases) - len(cases), len(offer.cases), why))
    return Answer(offer, tuple(cases), Speaker(offer.pathway, model.card, model.trust), _once(*cautions))


def declines(card: ModelCard, support: int) -> bool:
    """Does the card's policy decline an unlike picture whose header speaks for the model so much?"""
    return card.gate == "decline" or (card.gate == "by_header" and support < 2)


def _in_words(problem: Problem) -> Problem:
    """What a quality check says, in the language of the reading: the checks stand below its table."""
    return replace(problem, what=phrase(problem.what), remedy=phrase(problem.remedy))


def _left_out(number: int, total: int, why: Problem) -> Problem:
    return Problem(say("caution.left_out", number=number, total=total, why=why.what), why.remedy, why.check)


def _once(*problems: Problem) -> tuple[Problem, ...]:
    return tuple(dict.fromkeys(problems))

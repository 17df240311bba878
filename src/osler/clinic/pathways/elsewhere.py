"""Reading at another prevalence than the model learnt at, and saying so."""

from dataclasses import replace
from typing import TYPE_CHECKING

from osler.clinic.pathways.findings import Speaker, positive_class
from osler.clinic.pathways.pathway import Offer
from osler.core.report import Problem
from osler.inference.prevalence import asked_prevalence, at_prevalence, predictive_values
from osler.models.card import TestResult
from osler.results.sentences import listed, say

if TYPE_CHECKING:
    from osler.models.model import Model


def elsewhere(model: "Model", offer: Offer, prevalence: str) -> tuple["Model", Offer]:
    """The model corrected for another prevalence, and the offer with a caution that says from what to what.

    prevalence  "0.02" of the finding of a binary model, or "mild=0.1,severe=0.01"
    Raises AskedWrongly for what is no prevalence, or where the model does not say which it learnt at.
    """
    classes, task, trust = model.card.classes, model.card.task, model.trust
    finding = positive_class(classes) if task == "binary" else None
    now = asked_prevalence(prevalence, classes, task, finding=finding, was=trust.prevalence)
    there = at_prevalence(trust, now, task)
    speaker = Speaker(offer.pathway, model.card, there)
    shown = range(len(classes)) if finding is None else [finding]

    def told(shares: tuple[float, ...]) -> str:
        each = [(speaker.name(classes[k]), f"{100 * shares[k]:.3g} %") for k in shown]
        return listed(say("caution.prevalence.share", name=name, share=share) for name, share in each)

    what = say("caution.prevalence", now=told(now), was=told(trust.prevalence))
    if finding is not None:
        what += _values(model, finding, now)
    if trust.sets is not None and there.sets is None:
        what += say("caution.prevalence.sets")
    caution = Problem(what, say("caution.prevalence.remedy"), "prevalence")
    return replace(model, trust=there), replace(offer, cautions=(*offer.cautions, caution))


def _values(model: "Model", finding: int, now: tuple[float, ...]) -> str:
    """What a call is worth there, from the card's newest test that has both figures; "" where there is none."""
    tested = {test.metric: test for test in model.card.tested}
    found, spared = tested.get("sensitivity"), tested.get("specificity")
    if found is None or spared is None or not _together(found, spared):
        return ""
    # The card's figures are of the second class; where the finding is the first, they change places.
    figures = (found.value, spared.value) if finding == 1 else (spared.value, found.value)
    positive, negative = predictive_values(*figures, now[finding])
    return say(
        "caution.prevalence.values",
        sensitivity=f"{figures[0]:.2f}",
        specificity=f"{figures[1]:.2f}",
        data=found.data,
        patients=found.patients,
        positive=f"{100 * positive:.1f} %",
        negative=f"{100 * negative:.2f} %",
    )


def _together(found: TestResult, spared: TestResult) -> bool:
    return (found.data, found.split, found.patients) == (spared.data, spared.split, spared.patients)

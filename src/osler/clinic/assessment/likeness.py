"""How like the pictures that the model learnt from is each picture that was read?"""

from typing import TYPE_CHECKING

from osler.clinic.assessment.statement import Likeness
from osler.clinic.pathways.choose import offers_for
from osler.core.report import Report
from osler.core.study import Study
from osler.models.shelf import Shelf
from osler.results.sentences import say

if TYPE_CHECKING:
    from osler.models.model import Model


def likeness_of(
    report: Report, study: Study, shelf: Shelf, *, asked: str = "", device: str = "cpu"
) -> tuple[Likeness, ...]:
    """One for each case that the report's findings speak of; () without a model, or where it has no gate.

    asked  how the reading was asked for its model: a use, a name or a folder; "" where it was found by itself
    """
    if not report.models or not report.findings:
        return ()
    used = report.models[0]
    offers, _ = offers_for(study, shelf, asked=asked or used.name)
    offer = next((one for one in offers if one.card.digest == used.digest), None)
    if offer is None:
        return ()
    from osler.models.model import (
        load_model,
    )  # torch takes a second to load; a request that is refused does not wait

    model = load_model(offer.folder, device=device)
    read = {finding.picture for finding in report.findings}
    cases = [case for case in offer.cases if case[model.recipe.reference] in read]
    return tuple(one for case in cases if (one := _of_case(study, case, model)) is not None)


def _of_case(study: Study, case: tuple[int, ...], model: "Model") -> Likeness | None:
    from osler.inference.gate import in_words, likeness
    from osler.inference.predict import predict_prepared
    from osler.models.prepare import prepare

    pictures = [study.pictures[index] for index in case]
    prepared = prepare(pictures, model.recipe)
    prediction = next(predict_prepared(model, [prepared]))
    like = likeness(model, pictures, prepared, prediction.features)
    gate = model.trust.gate
    if like is None or gate is None:
        return None
    usual = say("assess.like", share=f"{like.p:.0%}", patients=gate.patients)
    said = in_words(like, gate) if like.unlike else usual
    return Likeness(case[model.recipe.reference], like.p, gate.patients, like.unlike, said)

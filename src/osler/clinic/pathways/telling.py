"""Telling what a model said: findings, pictures, and what to mind."""

from collections.abc import Sequence
from dataclasses import replace

from osler.clinic.measure.pieces import reaches_edge
from osler.clinic.pathways.asking import Answer
from osler.clinic.pathways.findings import findings_of
from osler.clinic.pathways.key_pictures import key_pictures
from osler.clinic.pathways.pathway import Offer
from osler.core.arrays import Array
from osler.core.finding import Finding
from osler.core.mask import Mask
from osler.core.report import Drawing, KeyPicture, ModelUse, Problem
from osler.core.study import Study
from osler.inference.bounds import DRAWN_RISK, promised
from osler.models.trust import MaskBounds
from osler.results.sentences import say


def tell(study: Study, answer: Answer) -> tuple[Finding, ...]:
    """The findings of every case; where there are several, each says which picture it speaks of."""
    found: list[Finding] = []
    for index, prediction in answer.cases:
        for finding in findings_of(prediction, answer.speaker, picture=index):
            if len(answer.cases) > 1:
                where = {"number": index + 1, "side": _side(study, index)}
                finding = replace(finding, statement=say("statement.where", statement=finding.statement, **where))
            found.append(finding)
    return tuple(found)


def show(study: Study, answer: Answer) -> tuple[KeyPicture, ...]:
    """The key pictures of every case."""
    shown: list[KeyPicture] = []
    drawn = {drawing.picture: drawing for drawing in drawings(answer)}
    for index, _ in answer.cases:
        for picture in key_pictures(study.pictures[index], drawn.get(index)):
            if len(answer.cases) > 1:
                where = say("picture.numbered", number=index + 1, side=_side(study, index))
                picture = replace(picture, title=f"{where}: {picture.title}")
            shown.append(picture)
    return tuple(shown)


def drawings(answer: Answer) -> tuple[Drawing, ...]:
    """What was outlined, picture by picture, labels under the names that the report uses."""
    drawn = []
    for index, prediction in answer.cases:
        if prediction.mask is not None:
            labels = {label: answer.speaker.name(name) for label, name in prediction.mask.labels.items()}
            mask = replace(prediction.mask, labels=labels)
            drawn.append(_drawing(index, mask, prediction.voxel_probability, answer.speaker.trust.bounds))
    return tuple(drawn)


def _drawing(index: int, mask: Mask, probability: Array | None, bounds: MaskBounds | None) -> Drawing:
    """The drawing, with what the model promises of it."""
    promise = None if bounds is None or probability is None else promised(bounds, len(mask.labels))
    if promise is None:
        return Drawing(index, mask, probability)
    return Drawing(index, mask, probability, outer=promise[0], inner=promise[1], risk=DRAWN_RISK)


def mind(study: Study, answer: Answer, offers: Sequence[Offer]) -> tuple[Problem, ...]:
    """What to mind: what was found on the way, what the pathway says, and what this reading leaves open."""
    found = list(answer.cautions)
    for index, prediction in answer.cases:
        found += answer.offer.pathway.cautions(study.pictures[index])
        if prediction.mask is None:
            continue
        mask = prediction.mask
        cut = [answer.speaker.name(name) for label, name in mask.labels.items() if reaches_edge(mask, label)]
        if cut:
            found.append(Problem(say("caution.cut", names="; ".join(cut)), say("caution.cut.remedy"), "edge"))
    for problem in study.problems:
        found.append(Problem(say("caution.unread", problem=problem), say("caution.unread.remedy"), "unread"))
    support = answer.offer.support
    others = [o.card.name for o in offers if o.support == support > 0 and o.card.name != answer.offer.card.name]
    if others:
        remedy = say("caution.others.remedy", first=others[0])
        found.append(Problem(say("caution.others", models=", ".join(others)), remedy, "others"))
    return tuple(dict.fromkeys(found))


def model_use(answer: Answer) -> ModelUse:
    """What the report says of the model: what its card says of limits comes first."""
    card = answer.offer.card
    tested = tuple(
        f"{t.metric} {t.value:.3g} ({t.low:.3g} to {t.high:.3g}) on {t.data}, {t.split}, {t.patients} patients"
        for t in card.tested
    )
    limits = (*card.not_for, *card.limits)
    return ModelUse(card.name, card.version, card.digest, card.sees.text, limits, card.licence, tested)


def _side(study: Study, index: int) -> str:
    """Which side of the body a picture shows, for a sentence; "" where the header does not say."""
    laterality = study.pictures[index].facts.laterality
    return say(f"side.{laterality}") if laterality in ("L", "R") else ""

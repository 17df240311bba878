"""Telling what a model said: findings, pictures, and what to mind."""

from collections.abc import Sequence
from dataclasses import replace

from osler.clinic.measure.lesions import centre_mm
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
from osler.core.volume import Volume
from osler.inference.bounds import DRAWN_RISK, promised
from osler.models.trust import MaskBounds
from osler.results.sentences import listed, phrase, say


def tell(study: Study, answer: Answer) -> tuple[Finding, ...]:
    """The findings of every case; where there are several, each says which picture it speaks of."""
    found: list[Finding] = []
    several = len({index for index, _ in answer.cases}) > 1
    for index, prediction in answer.cases:
        for finding in findings_of(prediction, answer.speaker, picture=index):
            if several:
                where = {"number": index + 1, "side": _side(study, index)}
                finding = replace(finding, statement=say("statement.where", statement=finding.statement, **where))
            found.append(_placed(finding, answer, prediction.mask))
    return tuple(found)


def _placed(finding: Finding, answer: Answer, mask: Mask | None) -> Finding:
    """The finding with which lesion it is, and where what was drawn of it lies."""
    label = finding.label
    if mask is None or mask.geometry is None or label is None or not mask.of(label).any():
        return finding
    lesion = answer.lesions.get((finding.picture, label))
    if lesion is not None:
        finding = replace(finding, lesion=lesion.name, site=lesion.site)
    return replace(finding, centre_mm=centre_mm(mask, label))


def show(study: Study, answer: Answer) -> tuple[KeyPicture, ...]:
    """The key pictures of every case."""
    shown: list[KeyPicture] = []
    pictures = dict.fromkeys(index for index, _ in answer.cases)
    drawn = drawings(answer)
    for index in pictures:
        layers = [drawing for drawing in drawn if drawing.picture == index]
        made = list(key_pictures(study.pictures[index], layers[0] if layers else None))
        for more in layers[1:]:  # the picture without outlines comes once
            made += key_pictures(study.pictures[index], more)[1:]
        for picture in made:
            if len(pictures) > 1:
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


def mind(study: Study, answer: Answer) -> tuple[Problem, ...]:
    """What to mind: what was found on the way, what the pathway says, and what this reading leaves open."""
    found = list(answer.cautions)
    for index, prediction in answer.cases:
        found += answer.offer.pathway.cautions(study.pictures[index])
        found += (Problem(note, say("caution.note.remedy"), "note") for note in _notes(study, index))
        if prediction.mask is None:
            continue
        mask = prediction.mask
        cut = [answer.speaker.name(name) for label, name in mask.labels.items() if reaches_edge(mask, label)]
        if cut:
            names = say("join.clauses").join(cut)
            found.append(Problem(say("caution.cut", names=names), say("caution.cut.remedy"), "edge"))
    for problem in study.problems:
        found.append(Problem(say("caution.unread", problem=problem), say("caution.unread.remedy"), "unread"))
    return tuple(dict.fromkeys(found))


def others_that_may(answer: Answer, offers: Sequence[Offer]) -> tuple[Problem, ...]:
    """A caution where the header speaks as much for other models."""
    support = answer.offer.support
    others = [o.card.name for o in offers if o.support == support > 0 and o.card.name != answer.offer.card.name]
    if not others:
        return ()
    remedy = say("caution.others.remedy", first=others[0])
    return (Problem(say("caution.others", models=listed(others)), remedy, "others"),)


def model_use(answer: Answer) -> ModelUse:
    """What the report says of the model: what its card says of limits comes first."""
    card = answer.offer.card
    tested = tuple(
        say(
            "tested.line",
            metric=phrase(t.metric),
            value=f"{t.value:.3g}",
            low=f"{t.low:.3g}",
            high=f"{t.high:.3g}",
            data=t.data,
            split=phrase(t.split),
            patients=t.patients,
        )
        for t in card.tested
    )
    limits = tuple(phrase(one) for one in (*card.not_for, *card.limits))
    sees, licence = phrase(card.sees.text), phrase(card.licence)
    return ModelUse(card.name, card.version, card.digest, sees, limits, licence, tested)


def _notes(study: Study, index: int) -> tuple[str, ...]:
    """How the numbers of a volume came about, where its reader found that odd."""
    picture = study.pictures[index]
    return picture.notes if isinstance(picture, Volume) else ()


def _side(study: Study, index: int) -> str:
    """Which side of the body a picture shows, for a sentence; "" where the header does not say."""
    laterality = study.pictures[index].facts.laterality
    return say(f"side.{laterality}") if laterality in ("L", "R") else ""

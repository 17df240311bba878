"""Reading one study: the whole road on one page.

    who may read it? -> is each picture good enough? -> predict -> like anything the model has seen?
    -> findings -> key pictures -> Report

Wherever the road ends, the report says where and why, and gives no answer: we do not guess.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from osler.clinic.measure.pieces import reaches_edge
from osler.clinic.pathways.choose import offers_for, what_it_shows, what_models_read
from osler.clinic.pathways.findings import Speaker, findings_of
from osler.clinic.pathways.key_pictures import key_pictures
from osler.clinic.pathways.pathway import Offer, Refusal
from osler.core.finding import Finding
from osler.core.prediction import Prediction
from osler.core.report import KeyPicture, ModelUse, Problem, Report
from osler.core.study import Study
from osler.inference.gate import feature_distance
from osler.models.shelf import Shelf
from osler.quality.check import check_quality
from osler.results.sentences import say

if TYPE_CHECKING:
    from osler.models.model import Model


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What one model said: a prediction for each case that it could read."""

    offer: Offer
    model: "Model"
    cases: tuple[tuple[int, Prediction], ...]  # the reference picture's index, and what was predicted
    cautions: tuple[Problem, ...]


def read_study(study: Study, shelf: Shelf, *, pathway: str = "", device: str = "cpu") -> Report:
    """Read a study with the model on the shelf that is made for it, or decline and say why.

    pathway  a clinical use or a model by name; "" chooses by what the study is
    device   "cpu", "cuda:0", ...

    Raises UnknownChoice for an unknown pathway, BadModel for a model that is damaged or answers nonsense.
    """
    clock = Clock()
    offers, refusals = offers_for(study, shelf, asked=pathway)
    clock.stop("choose")

    answers: list[Answer] = []
    problems: list[Problem] = []  # of pictures that are not good enough, whoever reads them
    for offer in offers:
        if answers and answers[0].offer.support > 0:
            break  # the header speaks for the model that has answered already
        good, bad, cautions = good_enough(study, offer)
        clock.stop("quality")
        if not good:
            problems += bad
            continue
        answer, unlike = ask(study, replace(offer, cases=good), device=device, clock=clock)
        if unlike is not None:
            refusals.append(unlike)
        else:
            answers.append(replace(answer, cautions=(*offer.cautions, *cautions, *answer.cautions)))

    if not answers:
        return declined(study, shelf, problems=problems, refusals=refusals, clock=clock)
    if len(answers) > 1:  # only where the header says nothing
        return ambiguous(study, answers, clock=clock)
    answer = answers[0]
    findings = say_findings(study, answer)
    clock.stop("findings")
    pictures = show(study, answer)
    clock.stop("pictures")
    cautions = (*answer.cautions, *mind(study, answer, findings), *others(offers, answer))
    return report(study, clock, answer=answer, cautions=cautions, findings=findings, pictures=pictures)


def good_enough(
    study: Study, offer: Offer
) -> tuple[tuple[tuple[int, ...], ...], list[Problem], tuple[Problem, ...]]:
    """The cases whose pictures pass the pathway's checks, why the others do not, and what to mind."""
    good: list[tuple[int, ...]] = []
    bad: list[Problem] = []
    cautions: list[Problem] = []
    for case in offer.cases:
        failed: list[Problem] = []
        for index in case:
            picture = study.pictures[index]
            quality = check_quality(picture, offer.pathway.checks)
            failed += quality.declined
            if not quality.declined:
                failed += [problem for guard in offer.pathway.guards if (problem := guard(picture))]
            cautions += quality.cautions
        if failed:
            bad += failed
        else:
            good.append(case)
    if good and bad:
        total, number = len(offer.cases), len(offer.cases) - len(good)
        why = say("caution.left_out", number=number, total=total, why=bad[0].what)
        cautions.append(Problem(why, bad[0].remedy, bad[0].check))
    return tuple(good), bad, tuple(dict.fromkeys(cautions))


def ask(study: Study, offer: Offer, *, device: str, clock: "Clock") -> tuple[Answer, Refusal | None]:
    """The model's predictions, and a refusal where every picture is unlike all that it has seen."""
    from osler.inference.predict import predict  # torch takes a second to load; a declined study does not wait
    from osler.models.model import load_model

    model = load_model(offer.folder, device=device)
    clock.stop("load")
    cases: list[tuple[int, Prediction]] = []
    cautions: list[Problem] = []
    refusal = None
    for case in offer.cases:
        prediction = predict(model, [study.pictures[index] for index in case])
        distance, limit = unlikeness(prediction, model)
        said = {"distance": f"{distance:.1f}", "limit": f"{limit:.1f}"}
        if distance > limit and offer.support < 2:
            refusal = Refusal(offer.card.name, say("against.unlike", **said), say("refusal.remedy"))
            continue
        if distance > limit:  # the header says that it is the right part of the body: an odd one, then
            what = say("caution.unlike", **said)
            cautions.append(Problem(what, say("caution.unlike.remedy"), "unlike"))
        cases.append((case[model.recipe.reference], prediction))
    if cases and refusal:
        left = len(offer.cases) - len(cases)
        what = say("caution.left_out", number=left, total=len(offer.cases), why=refusal.why)
        cautions.append(Problem(what, refusal.remedy, "unlike"))
    clock.stop("predict")
    return Answer(offer, model, tuple(cases), tuple(cautions)), None if cases else refusal


def unlikeness(prediction: Prediction, model: "Model") -> tuple[float, float]:
    """How far the picture lies from those the model has seen, and how far is too far; infinity where not known."""
    trust = model.trust
    if prediction.features is None or trust.feature_limit is None:
        return 0.0, float("inf")
    return feature_distance(prediction.features, trust.feature_mean, trust.feature_scale), trust.feature_limit


def say_findings(study: Study, answer: Answer) -> tuple[Finding, ...]:
    """The findings of every case; where there are several, each says which picture it speaks of."""
    speaker = speaker_of(answer)
    found = [f for index, prediction in answer.cases for f in findings_of(prediction, speaker, picture=index)]
    if len(answer.cases) == 1:
        return tuple(found)
    return tuple(
        replace(f, statement=say("statement.where", number=f.picture + 1, side=side(study, f.picture), statement=f.statement))
        for f in found
    )


def show(study: Study, answer: Answer) -> tuple[KeyPicture, ...]:
    """The key pictures of every case."""
    name = speaker_of(answer).name
    shown: list[KeyPicture] = []
    for index, prediction in answer.cases:
        pictures = key_pictures(study.pictures[index], prediction, name)
        if len(answer.cases) > 1:
            where = say("picture.numbered", number=index + 1, side=side(study, index))
            pictures = tuple(replace(p, title=f"{where}: {p.title}") for p in pictures)
        shown += pictures
    return tuple(shown)


def mind(study: Study, answer: Answer, findings: Sequence[Finding]) -> tuple[Problem, ...]:
    """What the pathway, the pictures and the measurements ask a reader to mind."""
    cautions: list[Problem] = []
    for index, prediction in answer.cases:
        cautions += answer.offer.pathway.cautions(study.pictures[index])
        mask = prediction.mask
        for label, name in mask.labels.items() if mask is not None else ():
            if mask is not None and reaches_edge(mask, label):
                what = say("caution.cut", name=speaker_of(answer).name(name))
                cautions.append(Problem(what, say("caution.cut.remedy"), "edge"))
    for problem in study.problems:
        cautions.append(
            Problem(say("caution.unread", problem=problem), say("caution.unread.remedy"), "unread")
        )
    return tuple(dict.fromkeys(cautions))


def others(offers: Sequence[Offer], answer: Answer) -> tuple[Problem, ...]:
    """That other models might have read the study as well, where its header speaks for them as much."""
    names = [o.card.name for o in offers if o is not answer.offer and o.card.name != answer.offer.card.name]
    names = [o.card.name for o in offers if o.card.name in names and o.support >= max(1, answer.offer.support)]
    if not names:
        return ()
    remedy = say("caution.others.remedy", first=names[0])
    return (Problem(say("caution.others", models=", ".join(names)), remedy, "others"),)


def declined(
    study: Study, shelf: Shelf, *, problems: Sequence[Problem], refusals: Sequence[Refusal], clock: "Clock"
) -> Report:
    """A report without an answer: first the reason in a sentence, then what each model says."""
    each = tuple(Problem(refusal.why, refusal.remedy, f"model {refusal.model}") for refusal in refusals)
    if not study.pictures:
        first = Problem(say("declined.nothing"), say("declined.nothing.remedy"), "study")
    elif problems:
        return report(study, clock, declined=(*dict.fromkeys(problems), *each))
    elif len(refusals) == 1:
        only = refusals[0]
        first = Problem(say("declined.only", model=only.model, why=only.why), only.remedy, "choose")
    elif not refusals:
        first = Problem(say("declined.empty"), say("declined.empty.remedy"), "choose")
    else:
        what = say("declined.none", shows=what_it_shows(study), reads=what_models_read(shelf))
        first = Problem(what, say("declined.none.remedy"), "choose")
    return report(study, clock, declined=(first, *each))


def ambiguous(study: Study, answers: Sequence[Answer], *, clock: "Clock") -> Report:
    """A report without an answer: several models fit, and nothing says which question is meant."""
    names = [answer.offer.card.name for answer in answers]
    what = say("declined.several", models=", ".join(names))
    return report(study, clock, declined=(Problem(what, say("declined.several.remedy", first=names[0]), "choose"),))


def report(
    study: Study,
    clock: "Clock",
    *,
    answer: Answer | None = None,
    declined: tuple[Problem, ...] = (),
    cautions: tuple[Problem, ...] = (),
    findings: tuple[Finding, ...] = (),
    pictures: tuple[KeyPicture, ...] = (),
) -> Report:
    """Bind it all together."""
    facts = study.pictures[answer.cases[0][0]].facts if answer is not None else study.facts
    return Report(
        study=study.name,
        study_uid=study.uid,
        facts=facts,
        pathway=answer.offer.pathway.name if answer is not None else "",
        declined=declined,
        cautions=cautions,
        findings=findings,
        key_pictures=pictures,
        models=(model_use(answer),) if answer is not None else (),
        seconds=clock.laps,
        software=f"osler {version('osler')}",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def model_use(answer: Answer) -> ModelUse:
    """What the report says of the model."""
    card = answer.offer.card
    tested = tuple(
        f"{t.metric} {t.value:.3g} ({t.low:.3g} to {t.high:.3g}), {t.data} {t.split}, {t.patients} patients"
        for t in card.tested
    )
    return ModelUse(
        card.name, card.version, card.digest, card.sees.text, (*card.not_for, *card.limits), card.licence, tested
    )


def speaker_of(answer: Answer) -> Speaker:
    return Speaker(answer.offer.pathway, answer.model.card, answer.model.trust)


def side(study: Study, index: int) -> str:
    """Which side of the body a picture shows, for a sentence; "" where the header does not say."""
    laterality = study.pictures[index].facts.laterality
    return say(f"side.{laterality}") if laterality in ("L", "R") else ""


class Clock:
    """Seconds per stage; a stage that comes again adds up."""

    def __init__(self) -> None:
        self._since = time.perf_counter()
        self._seconds: dict[str, float] = {}

    def stop(self, stage: str) -> None:
        """What passed since the last stop belongs to `stage`."""
        now = time.perf_counter()
        self._seconds[stage] = self._seconds.get(stage, 0.0) + now - self._since
        self._since = now

    @property
    def laps(self) -> tuple[tuple[str, float], ...]:
        return tuple((stage, round(seconds, 4)) for stage, seconds in self._seconds.items())

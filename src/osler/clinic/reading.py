"""Reading one study: the whole road on one page.

    may it be read together with what came beside it?
    -> outlines that were given, or: who may read it? are its pictures good enough? predict, like anything seen?
    -> earlier studies -> findings -> measures -> conclusions by published rules -> priority
    -> key pictures -> why? -> Report

Wherever the road ends, the report says where and why, and gives no answer: Osler does not guess. What contradicts
itself (two patients, a study later than the one that is read) is refused before anything is read.
"""

import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from osler.clinic.pathways.asking import Answer, ask, good_enough
from osler.clinic.pathways.beside import Beside, Prior
from osler.clinic.pathways.choose import offers_for, what_it_shows, what_models_read
from osler.clinic.pathways.earlier import read_earlier, refuse_unlike
from osler.clinic.pathways.elsewhere import elsewhere
from osler.clinic.pathways.given import given_answer
from osler.clinic.pathways.lesions import by_lesion
from osler.clinic.pathways.pathway import Refusal
from osler.clinic.pathways.person import patient_of
from osler.clinic.pathways.ruled import conclusions_of, priority_of
from osler.clinic.pathways.seen import Seen
from osler.clinic.pathways.telling import drawings, mind, model_use, others_that_may, show
from osler.clinic.pathways.telling import tell as findings_of
from osler.clinic.pathways.why import USUAL, Why, reasons_of, ways_named
from osler.core.errors import AskedWrongly
from osler.core.progress import Tell, silent
from osler.core.report import Problem, Report
from osler.core.study import Study
from osler.models.shelf import Shelf
from osler.results.sentences import current, listed, say

if TYPE_CHECKING:
    from osler.models.model import Model

NOTHING_BESIDE = Beside()


def read_study(
    study: Study,
    shelf: Shelf,
    *,
    pathway: str = "",
    beside: Beside = NOTHING_BESIDE,
    prevalence: str = "",
    explain: str = USUAL,
    device: str = "cpu",
    tell: Tell = silent,
) -> Report:
    """Read a study with the model on the shelf that is made for it, or decline and say why.

    pathway     a clinical use or a model, by name; "" chooses by what the study is, and by the outlines given
    beside      outlines that others drew (no model is asked then), earlier studies, what is known of the patient
    prevalence  of the finding where this is read, "0.02", or of classes, "mild=0.1,severe=0.01"; "" as learnt
    explain     ways to explain the answer, in the order of preference: "gradcam,similar"; "no" for none
    device      "cpu", "cuda:0", ...
    tell        hears how far laying earlier studies over this one is

    Raises UnknownChoice for an unknown pathway or way to explain; AskedWrongly for a prevalence that is none or
    cannot be put in, and where study, outlines, earlier studies and patient contradict each other; BadInput for
    outlines that do not belong to the study or hold nothing; BadModel for a model that is damaged or answers
    nonsense; Declined for an earlier study that may not be read.
    """
    ways = ways_named(explain)
    clock = Clock()
    patient, doubts = patient_of(study, beside.patient)
    doubts += refuse_unlike(study, beside.earlier)
    if beside.outlines:
        found, model = given_answer(study, beside.outlines, asked=pathway), None
        clock.stop("outlines")
    else:
        found, model = best_answer(study, shelf, clock, pathway=pathway, prevalence=prevalence, device=device)
    if not isinstance(found, Answer):
        return bind(study, clock, declined=found)

    def again(prior: Prior) -> Answer | tuple[Problem, ...]:
        return read_alike(prior, found, model)

    answer = by_lesion(found) if found.offer.pathway.lesions else found
    answer, earlier, told = read_earlier(study, answer, beside, again, tell=tell)
    if earlier:
        clock.stop("earlier")
    seen = Seen(study, findings_of(study, answer), drawings(answer), patient, earlier)
    seen = replace(seen, findings=answer.offer.pathway.measure(seen))
    clock.stop("findings")
    conclusions = conclusions_of(answer.offer.pathway, seen)
    priority = priority_of(answer.offer.pathway, seen)
    clock.stop("conclude")
    pictures = show(study, answer)
    clock.stop("pictures")
    why = Why() if model is None else reasons_of(study, answer, model, ways, first=len(pictures))
    clock.stop("explain")
    read = bind(study, clock)
    return replace(
        read,
        facts=study.pictures[answer.cases[0][0]].facts,
        pathway=answer.offer.pathway.name,
        cautions=(*doubts, *mind(study, answer), *told),
        findings=seen.findings,
        conclusions=conclusions,
        priority=priority,
        key_pictures=pictures + why.pictures,
        models=(model_use(answer),),
        drawings=seen.drawings,
        reasons=why.reasons,
    )


def best_answer(
    study: Study, shelf: Shelf, clock: "Clock", *, pathway: str, prevalence: str, device: str
) -> "tuple[Answer | tuple[Problem, ...], Model | None]":
    """The answer of the model that is made for the study, and the model; or why none answers."""
    offers, refusals = offers_for(study, shelf, asked=pathway)  # best supported by the header first
    clock.stop("choose")
    answers: list[tuple[Answer, Model]] = []
    problems: list[Problem] = []
    for offer in offers:
        if answers and answers[0][0].offer.support > 0:
            break  # the header spoke for the model that has answered already
        good, bad = good_enough(study, offer)
        clock.stop("quality")
        if not good.cases:
            problems += bad
            continue
        from osler.models.model import load_model  # torch takes a second to load; a declined study does not wait

        model = load_model(offer.folder, device=device)
        if prevalence:
            model, good = elsewhere(model, good, prevalence)
        clock.stop("load")
        answer = ask(study, good, model)
        clock.stop("predict")
        if isinstance(answer, Refusal):
            refusals.append(answer)
        else:
            answers.append((answer, model))
    if not answers:
        return why_not(study, shelf, problems=problems, refusals=refusals), None
    if len(answers) > 1:  # the header says nothing, and the pixels suit several
        return which_one([answer for answer, _ in answers]), None
    answer, model = answers[0]
    return replace(answer, cautions=(*answer.cautions, *others_that_may(answer, offers))), model


def read_alike(prior: Prior, like: Answer, model: "Model | None") -> Answer | tuple[Problem, ...]:
    """An earlier study, read as the study itself was: by the outlines that came with it, or by the same model.

    Raises AskedWrongly where no model read the study and the earlier one came without outlines.
    """
    use = like.offer.pathway
    if prior.outlines:
        found = given_answer(prior.study, prior.outlines, asked=use.name if use.outlines else "")
    elif model is not None:
        found = answer_of(prior.study, model)
    else:
        raise AskedWrongly(
            f"The study is read on outlines, and {prior.study.name} came without any.",
            remedy="Give its outlines too: --earlier STUDY=OUTLINES.",
        )
    return by_lesion(found) if isinstance(found, Answer) and use.lesions else found


def answer_of(study: Study, model: "Model") -> Answer | tuple[Problem, ...]:
    """What one model answers on a study, by the rules of a reading; or the problems for which it may not."""
    shelf = Shelf((model.folder.parent,))
    offers, refusals = offers_for(study, shelf, asked=str(model.folder))
    problems: list[Problem] = []
    for offer in offers:
        good, bad = good_enough(study, offer)
        problems += () if good.cases else bad
        answer = ask(study, good, model) if good.cases else None
        if isinstance(answer, Answer):
            return answer
        if answer is not None:
            refusals.append(answer)
    return why_not(study, shelf, problems=problems, refusals=refusals)


def why_not(
    study: Study, shelf: Shelf, *, problems: Sequence[Problem], refusals: Sequence[Refusal]
) -> tuple[Problem, ...]:
    """Why nobody reads the study: the reason in a sentence, then what speaks against each model."""
    each = tuple(Problem(refusal.why, refusal.remedy, f"model {refusal.model}") for refusal in refusals)
    if not study.pictures:
        return (Problem(say("declined.nothing"), say("declined.nothing.remedy"), "study"),)
    if problems:  # a model would have read it, had the picture been good enough
        return (*dict.fromkeys(problems), *each)
    if not refusals:
        return (Problem(say("declined.empty"), say("declined.empty.remedy"), "choose"),)
    if len(refusals) == 1:
        only = refusals[0]
        return (Problem(say("declined.only", model=only.model, why=only.why), only.remedy, "choose"),)
    what = say("declined.none", shows=what_it_shows(study), reads=what_models_read(shelf))
    return (Problem(what, say("declined.none.remedy"), "choose"), *each)


def which_one(answers: Sequence[Answer]) -> tuple[Problem, ...]:
    """Several models would read the study, and nothing says which question is meant."""
    names = [answer.offer.card.name for answer in answers]
    what = say("declined.several", models=listed(names))
    return (Problem(what, say("declined.several.remedy", first=names[0]), "choose"),)


def bind(study: Study, clock: "Clock", *, declined: tuple[Problem, ...] = ()) -> Report:
    """The covers of a report: what was read, when, by which software, and why not where it was declined."""
    return Report(
        study=study.name,
        study_uid=study.uid,
        facts=study.facts,
        pathway="",
        declined=declined,
        cautions=(),
        findings=(),
        key_pictures=(),
        models=(),
        seconds=clock.laps,
        software=f"osler {version('osler')}",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        uid=f"2.25.{uuid.uuid4().int}",
        language=current(),
    )


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
        """(("choose", 0.002), ...), in the order the stages came first."""
        return tuple((stage, round(seconds, 4)) for stage, seconds in self._seconds.items())

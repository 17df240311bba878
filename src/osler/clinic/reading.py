"""Reading one study: the whole road on one page.

    who may read it? -> are its pictures good enough? -> predict -> like anything the model has seen?
    -> findings -> key pictures -> why? -> Report

Wherever the road ends, the report says where and why, and gives no answer: Osler does not guess.
"""

import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from osler.clinic.pathways.asking import Answer, ask, good_enough
from osler.clinic.pathways.choose import offers_for, what_it_shows, what_models_read
from osler.clinic.pathways.elsewhere import elsewhere
from osler.clinic.pathways.pathway import Refusal
from osler.clinic.pathways.telling import drawings, mind, model_use, show, tell
from osler.clinic.pathways.why import USUAL, reasons_of, ways_named
from osler.core.report import Problem, Report
from osler.core.study import Study
from osler.models.shelf import Shelf
from osler.results.sentences import say

if TYPE_CHECKING:
    from osler.models.model import Model


def read_study(
    study: Study,
    shelf: Shelf,
    *,
    pathway: str = "",
    prevalence: str = "",
    explain: str = USUAL,
    device: str = "cpu",
) -> Report:
    """Read a study with the model on the shelf that is made for it, or decline and say why.

    pathway     a clinical use or a model, by name; "" chooses by what the study is
    prevalence  of the finding where this is read, "0.02", or of classes, "mild=0.1,severe=0.01"; "" as learnt
    explain     ways to explain the answer, in the order of preference: "gradcam,similar"; "no" for none
    device      "cpu", "cuda:0", ...

    Raises UnknownChoice for an unknown pathway or way to explain, AskedWrongly for a prevalence that is none or
    cannot be put in, BadModel for a model that is damaged or answers nonsense.
    """
    ways = ways_named(explain)
    clock = Clock()
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
        return bind(study, clock, declined=why_not(study, shelf, problems=problems, refusals=refusals))
    if len(answers) > 1:  # the header says nothing, and the pixels suit several
        return bind(study, clock, declined=which_one([answer for answer, _ in answers]))
    answer, model = answers[0]
    findings = tell(study, answer)
    clock.stop("findings")
    pictures = show(study, answer)
    clock.stop("pictures")
    why = reasons_of(study, answer, model, ways, first=len(pictures))
    clock.stop("explain")
    read = bind(study, clock)
    return replace(
        read,
        facts=study.pictures[answer.cases[0][0]].facts,
        pathway=answer.offer.pathway.name,
        cautions=mind(study, answer, offers),
        findings=findings,
        key_pictures=pictures + why.pictures,
        models=(model_use(answer),),
        drawings=drawings(answer),
        reasons=why.reasons,
    )


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
    what = say("declined.several", models=", ".join(names))
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

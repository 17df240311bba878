"""Earlier studies of the same patient: may they be compared, and what was on them?"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from osler.clinic.pathways.asking import Answer
from osler.clinic.pathways.beside import Beside, Prior, Told
from osler.clinic.pathways.lesions import followed
from osler.clinic.pathways.person import YEARS_APART, patient_of
from osler.clinic.pathways.seen import Earlier, Seen
from osler.clinic.pathways.telling import drawings
from osler.clinic.pathways.telling import tell as findings_of
from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, Declined
from osler.core.progress import Tell, silent
from osler.core.report import Problem
from osler.core.study import Study
from osler.results.sentences import say

Ask = Callable[[Prior], Answer | tuple[Problem, ...]]


def refuse_unlike(study: Study, earlier: Sequence[Prior]) -> tuple[Problem, ...]:
    """What to mind about the earlier studies; raises where one cannot be an earlier study of this patient.

    Raises AskedWrongly for another patient, for the same study again, for one that was taken later, and for one
    that shows the other side of the body.
    """
    cautions: list[Problem] = []
    for prior in earlier:
        then = prior.study
        if study.patient and then.patient and study.patient != then.patient:
            raise _another_patient(then)
        if _sexes(study) and _sexes(then) and not _sexes(study) & _sexes(then):
            raise _another_patient(then)
        if then.uid and then.uid == study.uid:
            raise AskedWrongly(
                f"{then.name} is the study itself, not an earlier one.",
                remedy="Give a study that was taken before.",
            )
        if study.taken is not None and then.taken is not None and then.taken > study.taken:
            raise AskedWrongly(
                f"{then.name} was taken {(then.taken - study.taken).days} days after the study that is read.",
                remedy="Give the later study as STUDY and the one before it as --earlier.",
            )
        sides = _sides(study), _sides(then)
        if all(sides) and not sides[0] & sides[1]:
            raise AskedWrongly(
                f"{then.name} shows the {_word(sides[1])} side, the study itself the {_word(sides[0])} side.",
                remedy="Compare pictures of the same side.",
            )
        if _much_older(then, study):
            raise _another_patient(then)
        if not study.patient or not then.patient:
            what = say("earlier.patient_unknown", study=then.name)
            cautions.append(Problem(what, say("earlier.patient_unknown.remedy"), "earlier"))
        if study.taken is None or then.taken is None:
            what = say("earlier.date_unknown", study=then.name)
            cautions.append(Problem(what, say("earlier.date_unknown.remedy"), "earlier"))
    return tuple(cautions)


def read_earlier(
    study: Study, answer: Answer, beside: Beside, ask: Ask, *, tell: Tell = silent
) -> tuple[Answer, tuple[Earlier, ...], tuple[Problem, ...]]:
    """The answer with lesions named as in the earlier studies, those studies read, and what to mind of them.

    ask  reads a study by the same rules

    Raises Declined where an earlier study may not be read, AskedWrongly where it lacks outlines that it needs.
    """
    read: list[tuple[Study, Answer]] = []
    cautions: list[Problem] = []
    movements: tuple[Array | None, ...] = (None,) * len(beside.earlier)
    for prior in sorted(beside.earlier, key=lambda one: (one.study.taken is None, one.study.taken)):
        found = ask(prior)
        if not isinstance(found, Answer):
            raise Declined(
                f"The earlier study {prior.study.name} cannot be read: {found[0].what}", remedy=found[0].remedy
            )
        about = (one for one in found.cautions if one.check in ("outlines", "specks", "unlike"))
        cautions += (
            Problem(say("earlier.said", study=prior.study.name, what=one.what), one.remedy, one.check)
            for one in about
        )
        if (found.offer.card.name, found.offer.card.version) != (
            answer.offer.card.name,
            answer.offer.card.version,
        ):
            what = say("earlier.other_rules", study=prior.study.name)
            cautions.append(Problem(what, say("earlier.other_rules.remedy"), "earlier"))
        read.append((prior.study, found))
    if answer.offer.pathway.lesions:
        named = followed((*read, (study, answer)), tell=tell)
        *read, (_, answer) = named.read
        movements = named.movements
        cautions += named.cautions
    each = zip(read, movements, strict=True)
    before = tuple(replace(_measured(study, *one, beside.patient), onto=movement) for one, movement in each)
    return answer, before, tuple(cautions)


def _measured(study: Study, then: Study, answer: Answer, told: Told) -> Earlier:
    """An earlier study with all that its use measures; weight and age are those of its own header."""
    lasting = {name: value for name, value in told.items() if name not in ("age_years", "weight_kg")}
    patient, _ = patient_of(then, lasting)
    seen = Seen(then, findings_of(then, answer), drawings(answer), patient)
    return Earlier(then, answer.offer.pathway.measure(seen), seen.drawings, _days(study, then))


def _days(study: Study, then: Study) -> int | None:
    return None if study.taken is None or then.taken is None else (study.taken - then.taken).days


def _another_patient(then: Study) -> AskedWrongly:
    return AskedWrongly(
        f"{then.name} is of another patient than the study that is read.",
        remedy="Give one request for each patient.",
    )


def _sexes(study: Study) -> set[str]:
    return {one.facts.sex for one in (study, *study.pictures)} - {""}


def _sides(study: Study) -> set[str]:
    """The sides that the pictures show; both, or one that says "B", rule nothing out."""
    shown = {picture.facts.laterality for picture in study.pictures} - {""}
    return shown if shown <= {"L", "R"} else set()


def _word(sides: set[str]) -> str:
    return " and ".join({"L": "left", "R": "right"}[side] for side in sorted(sides))


def _much_older(then: Study, study: Study) -> bool:
    """Was the patient older on the earlier study than on this one?"""
    ages = [next((p.facts.age_years for p in one.pictures if p.facts.age_years), None) for one in (then, study)]
    return ages[0] is not None and ages[1] is not None and ages[0] > ages[1] + YEARS_APART

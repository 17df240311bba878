"""From a request and a study to a severity statement: the whole road on one page.

    is the request allowed? -> one person, one side? -> read -> what is graded? -> against earlier studies
    -> how like what the model knows? -> SeverityStatement, which a person decides on

Names stay outside: of a study only pixels, sex, a band of ages and days between studies come in.
"""

import datetime
import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from osler.clinic.assessment.comparing import changes_of_grades, changes_of_measurements, days_between
from osler.clinic.assessment.items import items_of
from osler.clinic.assessment.likeness import likeness_of
from osler.clinic.assessment.one_person import check_one_person, sides_of, untold
from osler.clinic.assessment.purposes import PURPOSES
from osler.clinic.assessment.request import AssessmentRequest, check_request
from osler.clinic.assessment.statement import Change, Item, Likeness, SeverityStatement, Subject
from osler.clinic.pathways.table import PATHWAYS
from osler.clinic.reading import read_study
from osler.core.errors import BadInput, Declined
from osler.core.facts import Facts
from osler.core.progress import Tell, silent
from osler.core.report import Problem, Report
from osler.core.study import Picture, Study
from osler.models.shelf import Shelf
from osler.results.sentences import say

# Similar cases are pictures of other people; they have no place in a statement on one person.
MAPS = "finer,gradcam"
_BAND_YEARS, _OLDEST_BAND = 10, 90  # above 89 an age is identity (HIPAA, 45 CFR 164.514(b)(2)(i)(C))


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A study with the report of it."""

    study: Study
    report: Report


def assess_study(
    study: Study,
    request: AssessmentRequest,
    shelf: Shelf,
    *,
    earlier: Sequence[Study] = (),
    pathway: str = "",
    explain: str = MAPS,
    device: str = "cpu",
    today: datetime.date | None = None,
    tell: Tell = silent,
) -> SeverityStatement:
    """Read the study, and the earlier ones with the same model, and state the severity.

    Raises AskedWrongly for a request that may not be answered, BadInput for studies of two patients or sides,
    Declined where a study could not be read or nothing in it is graded, and what `read_study` raises.
    """
    check_request(request, today=today or datetime.date.today())
    check_one_person(request, study, earlier)
    total = 1 + len(earlier)
    tell("reading", 0, total, "")
    report = _read(study, shelf, pathway, explain, device)
    readings = []
    for number, one in enumerate(earlier, start=1):
        tell("reading", number, total, "")
        # The same model as now: a change of models must not look like a change of the person.
        same = pathway or (report.models[0].name if report.models else report.pathway)
        readings.append(Reading(one, _read(one, shelf, same, "no", device)))
    like = likeness_of(report, study, shelf, asked=pathway, device=device)
    tell("reading", total, total, "")
    return state_severity(request, Reading(study, report), readings, likeness=like, today=today)


def state_severity(
    request: AssessmentRequest,
    now: Reading,
    earlier: Sequence[Reading] = (),
    *,
    likeness: Sequence[Likeness] = (),
    today: datetime.date | None = None,
) -> SeverityStatement:
    """The statement on a study that was read; raises as `assess_study` does."""
    check_request(request, today=today or datetime.date.today())
    check_one_person(request, now.study, [one.study for one in earlier])
    for one in (now, *earlier):
        if one.report.declined:
            first = one.report.declined[0]
            which = "The study" if one is now else "An earlier study"
            raise Declined(
                f"{which} was not read, so its severity is not stated: {first.what}", remedy=first.remedy
            )
    report = now.report
    items = _of_side(items_of(report, now.study), request)
    changes: list[Change] = []
    for one in sorted(earlier, key=lambda each: days_between(each.study, now.study) or 0):
        if _models(one.report) != _models(report):
            continue
        days = days_between(one.study, now.study)
        changes += changes_of_grades(items, _of_side(items_of(one.report, one.study), request), days)
        changes += changes_of_measurements(report.findings, one.report.findings, days)
    read = sorted({finding.picture for finding in report.findings})
    return SeverityStatement(
        request=request,
        subject=_subject(report.facts),
        items=items,
        findings=report.findings,
        conclusions=report.conclusions,
        changes=tuple(changes),
        earlier=len(earlier),
        passed=_passed(report),
        cautions=(*report.cautions, *_cautions(request, now, earlier, changes)),
        likeness=tuple(likeness),
        pictures=report.key_pictures,
        reasons=tuple(reason for reason in report.reasons if reason.way != "similar"),
        models=report.models,
        evidence=tuple(_digest(now.study.pictures[index]) for index in read),
        pathway=report.pathway,
        modality=report.facts.modality,
        software=report.software,
        created=report.created,
        uid=f"2.25.{uuid.uuid4().int}",
    )


def _models(report: Report) -> tuple[str, ...]:
    return tuple(model.digest for model in report.models)


def _read(study: Study, shelf: Shelf, pathway: str, explain: str, device: str) -> Report:
    # Names of files may name persons: neither the study's own goes in, nor those of parts that cannot be read.
    return read_study(replace(study, name="", problems=()), shelf, pathway=pathway, explain=explain, device=device)


def _of_side(items: tuple[Item, ...], request: AssessmentRequest) -> tuple[Item, ...]:
    """The items of the side that the request asks for; where no header names one, the request's word stands."""
    if not request.side:
        return items
    mine = tuple(item for item in items if item.side in ("", request.side))
    if sum(not item.side for item in mine) > len({item.name for item in mine}):
        raise BadInput(
            "The study holds several pictures, and their headers do not say which side they show.",
            remedy="Give the picture of the side that is to be assessed by itself.",
        )
    return tuple(replace(item, side=request.side) for item in mine)


def _subject(facts: Facts) -> Subject:
    return Subject(facts.sex if facts.sex in ("F", "M", "O") else "", age_band(facts.age_years))


def age_band(years: float | None) -> str:
    """Ten years of age together, everybody from 90 on in one band; "" for an age that is not known.

    >>> age_band(62.4), age_band(93), age_band(None)
    ('60-69', '90+', '')
    """
    if years is None or years != years:
        return ""
    if years >= _OLDEST_BAND:
        return f"{_OLDEST_BAND}+"
    low = int(years) // _BAND_YEARS * _BAND_YEARS
    return f"{low}-{low + _BAND_YEARS - 1}"


def _passed(report: Report) -> tuple[str, ...]:
    """The checks that the pictures passed: those of the pathway, less what stands among the cautions."""
    if report.pathway not in PATHWAYS:
        return ()
    pathway = PATHWAYS[report.pathway]
    minded = {caution.check for caution in report.cautions}
    checks = [name for name in pathway.checks if name not in minded]
    return tuple(say(f"assess.check.{name}") for name in checks)


def _cautions(
    request: AssessmentRequest, now: Reading, earlier: Sequence[Reading], changes: Sequence[Change]
) -> list[Problem]:
    found = [_mind("burnt_in")]
    if request.side and not sides_of(now.study):
        found.append(_mind("side"))
    if now.study.problems:
        found.append(_mind("unread"))
    if untold(now.study, [one.study for one in earlier]):
        found.append(_mind("one_person"))
    if earlier and not changes:
        found.append(_mind("incomparable"))
    kind = PURPOSES[request.purpose]
    if kind.mind:
        found.append(Problem(say(kind.mind), say("assess.mind.purpose.remedy"), "purpose"))
    return found


def _mind(name: str) -> Problem:
    return Problem(say(f"assess.mind.{name}"), say(f"assess.mind.{name}.remedy"), name)


def _digest(picture: Picture) -> str:
    """sha256 of shape, kind of number and numbers: the same picture, whatever its file is called."""
    array = picture.array
    total = hashlib.sha256(f"{array.shape} {array.dtype.str}\n".encode())
    total.update(array.tobytes())
    return total.hexdigest()

"""What an assessor asks for: for whom (by a pseudonym), to which end, by whose leave, and who will decide."""

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from osler.clinic.assessment.person import Person, check_person
from osler.clinic.assessment.pseudonym import check_pseudonym
from osler.clinic.assessment.purposes import PURPOSES
from osler.core.errors import AskedWrongly
from osler.core.record import from_plain
from osler.io.files import read_json

_LONGEST = 200
_IDENTITY = re.compile(r"name|birth|dob|address|phone|mail|insur|passport|number|\bid\b|_id\b|mrn|ssn", re.I)
SEE = "See docs/reference/assessment.md."


@dataclass(frozen=True, slots=True)
class Consent:
    """The person's leave, which is kept elsewhere and named here.

    reference  where the signed consent is found: "C-2026-117"
    date       of the signature, ISO 8601
    scope      the purposes that it covers, names of PURPOSES
    until      the last day on which it holds, ISO 8601; "" where it holds until it is taken back
    """

    reference: str
    date: str
    scope: tuple[str, ...]
    until: str = ""


@dataclass(frozen=True, slots=True)
class Objection:
    """Where the assessed person may object, and within how many days; None: at any time."""

    contact: str
    within_days: int | None = None


@dataclass(frozen=True, slots=True)
class Reported:
    """What was found outside the pictures, as the request tells it: a questionnaire, a range of motion.

    name    "Oxford knee score", "Flexion"
    value   as a person writes it: "28 of 48", "95 degrees"
    source  how it was found: "questionnaire", "examined by the assessor"
    """

    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class AssessmentRequest:
    """One person, one question.

    purpose    a name of PURPOSES
    consent    of the assessed person
    pseudonym  of the assessed person; nothing here names them
    assessor   who will decide: a human being with a role
    objection  printed on the statement
    side       "L", "R" or "" where the question has no side, or the header says it
    function   what was found outside the pictures
    groups     what the audit may compare by, beyond sex and age: {"site": "north"}; no identity
    """

    purpose: str
    consent: Consent
    pseudonym: str
    assessor: Person
    objection: Objection
    side: str = ""
    function: tuple[Reported, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)


def read_request(path: Path, *, today: datetime.date) -> AssessmentRequest:
    """The request in a JSON file, checked.

    Raises Unreadable for a file that is none, and what `request_from` raises.
    """
    return request_from(read_json(path), today=today)


def request_from(value: Any, *, today: datetime.date) -> AssessmentRequest:
    """The request in `value`, checked. Raises AskedWrongly naming the field that is missing or may not be so."""
    several = isinstance(value, list) or (
        isinstance(value, dict) and ("patients" in value or not isinstance(value.get("pseudonym", ""), str))
    )
    if several:
        raise AskedWrongly(
            "The request speaks of more than one patient.", remedy="Write one request for each person assessed."
        )
    if isinstance(value, dict) and not value.get("consent"):
        raise AskedWrongly(
            "The request has no consent: without the person's leave nothing is assessed.",
            remedy=f'Give "consent" with its reference, date and scope. {SEE}',
        )
    try:
        made = from_plain(AssessmentRequest, value, where="The request")
    except ValueError as error:
        raise AskedWrongly(f"{error}.", remedy=f"Mend the request. {SEE}") from error
    return check_request(made, today=today)


def check_request(request: AssessmentRequest, *, today: datetime.date) -> AssessmentRequest:
    """The request as given. Raises AskedWrongly for whatever makes it one that may not be answered."""
    PURPOSES[request.purpose]  # UnknownChoice names the nearest
    check_pseudonym(request.pseudonym, today=today)
    check_person(request.assessor)
    _check_consent(request, today)
    if len(request.objection.contact.strip()) < 5:
        raise AskedWrongly(
            "The request does not say where the assessed person may object.",
            remedy=f'Give "objection" with a contact: an address, a telephone number or an office. {SEE}',
        )
    if request.objection.within_days is not None and request.objection.within_days < 1:
        raise AskedWrongly(
            "The time to object is no time.", remedy="Give whole days, at least 1, or leave it away."
        )
    if request.side not in ("", "L", "R"):
        raise AskedWrongly("The request's side is neither L nor R.", remedy='Write "L", "R", or leave it away.')
    _check_words(request)
    return request


def _check_consent(request: AssessmentRequest, today: datetime.date) -> None:
    consent = request.consent
    if not consent.reference.strip() or not consent.scope:
        raise AskedWrongly(
            "The consent has no reference or no scope.",
            remedy="Say where the signed consent is found, and which purposes it covers.",
        )
    if _date(consent.date, "date") > today:
        raise AskedWrongly("The consent's date lies in the future.", remedy="Give the day of the signature.")
    if consent.until and _date(consent.until, "until") < today:
        raise AskedWrongly(
            f"The consent ended on {consent.until}.", remedy="Ask the person again before anything is assessed."
        )
    for name in consent.scope:
        PURPOSES[name]
    if request.purpose not in consent.scope:
        raise AskedWrongly(
            f"The consent covers {', '.join(consent.scope)}, and not the purpose {request.purpose}.",
            remedy="Ask the person for this purpose, or assess for one that the consent covers.",
        )


def _check_words(request: AssessmentRequest) -> None:
    words = [request.consent.reference, request.objection.contact]
    words += [word for one in request.function for word in (one.name, one.value, one.source)]
    words += [word for pair in request.groups.items() for word in pair]
    if any(len(word) > _LONGEST for word in words):
        raise AskedWrongly(
            f"A text of the request is longer than {_LONGEST} letters.",
            remedy="Say it shortly; details stay outside.",
        )
    if any(not word.strip() for one in request.function for word in (one.name, one.value, one.source)):
        raise AskedWrongly(
            "What was found outside the pictures lacks its name, value or source.",
            remedy=f'Fill each entry of "function". {SEE}',
        )
    if any(_IDENTITY.search(name) for name in request.groups):
        raise AskedWrongly(
            "A group of the request names identity.",
            remedy="Give only what groups of people share, such as a site; the pseudonym alone names the case.",
        )


def _date(text: str, field_name: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        raise AskedWrongly(
            f'The consent\'s "{field_name}" is no date.', remedy="Write year-month-day, such as 2026-03-01."
        ) from error

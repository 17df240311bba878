"""Are these studies of one person and one side, the earlier ones first? What speaks against it is an error."""

import hashlib
from collections.abc import Sequence

from osler.clinic.assessment.request import AssessmentRequest
from osler.core.errors import AskedWrongly, BadInput
from osler.core.study import Study


def check_one_person(request: AssessmentRequest, study: Study, earlier: Sequence[Study]) -> None:
    """Compare what headers say; what they do not say is told as a caution (`untold`), and rests on the request.

    Raises BadInput for two patients, two sexes, a side against the request or against another study, and an
    earlier study that is later; AskedWrongly where the pseudonym is the number in the header.
    """
    every = (study, *earlier)
    if len({one.patient for one in every if one.patient}) > 1:
        raise BadInput(
            "The request holds studies of two patients: their headers have different patient numbers.",
            remedy="Give the studies of one person; where one person has two numbers, mend the headers first.",
        )
    sexes = {picture.facts.sex for one in every for picture in one.pictures if picture.facts.sex in ("F", "M")}
    if len(sexes) > 1:
        raise BadInput(
            "The request holds studies of two patients: their headers have different sexes.",
            remedy="Give the studies of one person; where a header is wrong, mend it first.",
        )
    if study.patient and _digest(request.pseudonym) == study.patient:
        raise AskedWrongly(
            "The pseudonym is the patient number in the header, so it names the patient.",
            remedy="Give a number drawn by chance, and keep the key elsewhere.",
        )
    _check_sides(request, study, earlier)
    for one in earlier:
        if study.taken is not None and one.taken is not None and one.taken > study.taken:
            raise BadInput(
                f"An earlier study was taken {(one.taken - study.taken).days} days after the study to assess.",
                remedy="Give the latest study first, and with --earlier those before it.",
            )
        if one.uid and one.uid == study.uid:
            raise BadInput(
                "The earlier study is the study itself: both have the same Study Instance UID.",
                remedy="Give another study with --earlier, or leave it away.",
            )


def untold(study: Study, earlier: Sequence[Study]) -> bool:
    """Do the headers not say that all studies are of one patient? Then it rests on the request alone."""
    return bool(earlier) and not all(one.patient for one in (study, *earlier))


def sides_of(study: Study) -> set[str]:
    """The sides of the body that the study's headers name, "L" and "R"."""
    return {picture.facts.laterality for picture in study.pictures} & {"L", "R"}


def _check_sides(request: AssessmentRequest, study: Study, earlier: Sequence[Study]) -> None:
    now = sides_of(study)
    if request.side and now and request.side not in now:
        raise BadInput(
            f"The request asks for side {request.side}, the study's header says {', '.join(sorted(now))}.",
            remedy="Check which side is meant, and that the right study was given.",
        )
    wanted = {request.side} if request.side else now
    for one in earlier:
        there = sides_of(one)
        if wanted and there and not wanted & there:
            raise BadInput(
                f"The sides of the studies conflict: {', '.join(sorted(wanted))} now, "
                f"{', '.join(sorted(there))} in an earlier study.",
                remedy="Give earlier studies of the same side; a change between two sides is none.",
            )


def _digest(number: str) -> str:
    """As `io.dicom.find.digest_of_patient` makes it of a Patient ID without an issuer."""
    return hashlib.sha256(f"{number}\n".encode()).hexdigest()[:16]

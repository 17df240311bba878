"""Requests, reports and statements made up for the tests."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osler.clinic.assessment.assess import Reading, state_severity
from osler.clinic.assessment.json import write_statement_json
from osler.clinic.assessment.request import AssessmentRequest, request_from
from osler.clinic.assessment.statement import SeverityStatement
from osler.core.conclusion import Conclusion, Ground
from osler.core.facts import Facts
from osler.core.finding import Finding, Measurement
from osler.core.image import Image
from osler.core.quantity import Quantity
from osler.core.report import KeyPicture, ModelUse, Problem, Reason, Report
from osler.core.study import Study

TODAY = datetime.date(2026, 11, 23)
SCALE = ("0, none", "1, doubtful", "2, minimal", "3, moderate", "4, severe")


@pytest.fixture
def today() -> datetime.date:
    return TODAY


@pytest.fixture
def plain() -> dict[str, Any]:
    """A good request as JSON holds it."""
    return {
        "purpose": "disability",
        "pseudonym": "P-0042",
        "consent": {"reference": "C-17", "date": "2026-02-03", "scope": ["disability", "court"]},
        "assessor": {"name": "Mara Lind", "role": "orthopaedic surgeon"},
        "objection": {"contact": "Complaints office, 12 Hill Road", "within_days": 30},
    }


@pytest.fixture
def request_of(plain) -> Callable[..., AssessmentRequest]:
    """A good request, with fields changed."""
    return lambda **changed: request_from({**plain, **changed}, today=TODAY)


def graded(level: int, low: int | None = None, high: int | None = None, *, picture: int = 0) -> Finding:
    """A grade whose median is `level`."""
    shares = np.full(5, 0.08)
    shares[level] = 0.68
    among = () if low is None or high is None else SCALE[low : high + 1]
    return Finding(
        "Kellgren-Lawrence grade",
        f"Grade {level}.",
        grade=str(level),
        picture=picture,
        among=among,
        distribution=tuple(zip(SCALE, (float(s) for s in shares), strict=True)),
        coverage=0.9 if among else None,
    )


@pytest.fixture
def reading() -> Callable[..., Reading]:
    """A knee that was read: its grade and what the header said."""

    def make(
        level: int = 2,
        low: int | None = 1,
        high: int | None = 3,
        *,
        seed: int = 0,
        side: str = "L",
        sex: str = "",
        age: float | None = None,
        taken: datetime.date | None = None,
        patient: str = "",
        volume: Quantity | None = None,
        findings: tuple[Finding, ...] | None = None,
        **report: Any,
    ) -> Reading:
        facts = Facts(modality="DX", body_part="KNEE", laterality=side, sex=sex, age_years=age)
        pixels = np.random.default_rng(seed).integers(0, 255, (40, 40)).astype(np.uint8)
        found = (graded(level, low, high),) if findings is None else findings
        if volume is not None:
            found += (
                Finding("Effusion", "Effusion.", present=None, measurements=(Measurement("Volume", volume),)),
            )
        study = Study(
            (Image(pixels, facts=facts),),
            facts,
            name="FEATHERSTONE^JANICE",
            uid=f"1.2.{seed}",
            taken=taken,
            patient=patient,
        )
        picture = KeyPicture("What was read", np.zeros((8, 8, 3), np.uint8))
        made = Report(
            study="",
            study_uid=study.uid,
            facts=facts,
            pathway="knee-osteoarthritis",
            declined=(),
            cautions=(Problem("Mind this.", "Do that.", "readers"),),
            findings=found,
            key_pictures=(picture, picture),
            models=(
                ModelUse(
                    "knee", "1", "ab" * 32, "a knee", ("children",), "", ("qwk 0.4 on k, test, 33 patients",)
                ),
            ),
            seconds=(),
            software="osler 0.1.0",
            created=f"2026-11-23T10:00:{seed:02d}+00:00",
            reasons=(Reason("finer", "Grade", "It passed its checks.", (1,)),),
            conclusions=(
                Conclusion(
                    "kellgren-lawrence",
                    "1957",
                    "Kellgren-Lawrence",
                    str(level),
                    f"Grade {level}.",
                    rule=f"grade: {level}",
                    grounds=(Ground("grade", str(level)),),
                    source="Ann Rheum Dis 1957;16:494",
                ),
            ),
        )
        return Reading(study, replace(made, **report))

    return make


@pytest.fixture
def state(request_of, reading) -> Callable[..., SeverityStatement]:
    """A statement on one knee; `request` and the reading's own words."""

    def make(*, asked: dict[str, Any] | None = None, earlier: tuple[Reading, ...] = (), **words: Any):
        return state_severity(request_of(**(asked or {})), reading(**words), earlier, today=TODAY)

    return make


@pytest.fixture
def written(state, tmp_path) -> Callable[..., Path]:
    """A statement on the disk, in a folder of its own."""

    def make(folder: str = "a", **words: Any) -> Path:
        place = tmp_path / "cases" / folder
        place.mkdir(parents=True)
        write_statement_json(state(**words), place)
        return place

    return make


@pytest.fixture(name="graded")
def graded_fixture() -> Callable[..., Finding]:
    return graded

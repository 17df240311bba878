"""What a request must hold, and what it may not."""

import datetime
import json

import pytest

from osler.clinic.assessment.request import read_request, request_from
from osler.core.errors import AskedWrongly, UnknownChoice, Unreadable


def test_a_good_request_is_taken(plain, today, tmp_path):
    plain["function"] = [{"name": "Flexion", "value": "95 degrees", "source": "examined"}]
    plain["groups"] = {"site": "north"}
    path = tmp_path / "request.json"
    path.write_text(json.dumps(plain))
    made = read_request(path, today=today)
    assert made.assessor.name == "Mara Lind" and made.consent.scope == ("disability", "court")
    assert made.function[0].value == "95 degrees" and made.groups == {"site": "north"}


@pytest.mark.parametrize("name", ["purpose", "pseudonym", "assessor", "objection"])
def test_every_field_that_is_missing_is_named(plain, today, name):
    del plain[name]
    with pytest.raises(AskedWrongly, match=name):
        request_from(plain, today=today)


@pytest.mark.parametrize("consent", [None, {}, "", []])
def test_without_consent_nothing_is_assessed(plain, today, consent):
    plain["consent"] = consent
    with pytest.raises(AskedWrongly, match="no consent"):
        request_from(plain, today=today)
    del plain["consent"]
    with pytest.raises(AskedWrongly, match="no consent"):
        request_from(plain, today=today)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"scope": ["court"]}, "covers court, and not the purpose disability"),
        ({"scope": []}, "no scope"),
        ({"reference": " "}, "no reference"),
        ({"date": "2026-11-24"}, "future"),
        ({"date": "yesterday"}, "no date"),
        ({"until": "2026-11-22"}, "ended on 2026-11-22"),
        ({"until": "soon"}, "no date"),
        ({"scope": ["disabilty"]}, "no purpose of an assessment named 'disabilty'"),
    ],
)
def test_a_consent_must_cover_the_purpose_today(plain, today, changed, why):
    plain["consent"] |= changed
    with pytest.raises(AskedWrongly, match=why):
        request_from(plain, today=today)


def test_a_consent_holds_on_its_last_day(plain, today):
    plain["consent"]["until"] = today.isoformat()
    assert request_from(plain, today=today).consent.until == today.isoformat()
    with pytest.raises(AskedWrongly, match="ended"):
        request_from(plain, today=today + datetime.timedelta(days=1))


def test_an_unknown_purpose_is_told_the_near_one(plain, today):
    plain["purpose"] = "disabilities"
    with pytest.raises(UnknownChoice, match="disability"):
        request_from(plain, today=today)


@pytest.mark.parametrize(
    "several",
    [
        lambda plain: [plain, plain],
        lambda plain: plain | {"pseudonym": ["P-0001", "P-0002"]},
        lambda plain: {"patients": [plain]},
    ],
)
def test_two_patients_in_one_request_are_refused(plain, today, several):
    with pytest.raises(AskedWrongly, match="more than one patient"):
        request_from(several(plain), today=today)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"pseudonym": "Lind-1962"}, "may be a name"),
        ({"pseudonym": "P-19620304"}, "date of birth"),
        ({"assessor": {"name": "AI", "role": "assessor"}}, "no human name"),
        ({"assessor": {"name": "Mara Lind", "role": ""}}, "role"),
        ({"objection": {"contact": ""}}, "may object"),
        ({"objection": {"contact": "Complaints office", "within_days": 0}}, "no time"),
        ({"side": "left"}, "neither L nor R"),
        ({"groups": {"patient_id": "77"}}, "names identity"),
        ({"groups": {"birth": "1962"}}, "names identity"),
        ({"function": [{"name": "Flexion", "value": "", "source": "x"}]}, "lacks its name, value or source"),
        ({"function": [{"name": "F", "value": "v" * 300, "source": "x"}]}, "longer than 200"),
        ({"colour": "blue"}, "unknown field 'colour'"),
    ],
)
def test_what_may_not_be_so_is_refused(plain, today, changed, why):
    with pytest.raises(AskedWrongly, match=why):
        request_from(plain | changed, today=today)


def test_a_file_that_is_none_is_told(tmp_path, today):
    (tmp_path / "request.json").write_text("{")
    with pytest.raises(Unreadable):
        read_request(tmp_path / "request.json", today=today)
    with pytest.raises(AskedWrongly):
        request_from("P-0042", today=today)

"""From a reading to a statement: what it holds, what it compares, what it refuses."""

import datetime
from dataclasses import replace

import pytest

from osler.clinic.assessment.assess import age_band, state_severity
from osler.clinic.assessment.json import statement_to_json
from osler.core.errors import AskedWrongly, BadInput, Declined
from osler.core.facts import Facts
from osler.core.finding import Finding
from osler.core.quantity import Quantity
from osler.core.report import Problem

DAY = datetime.date(2026, 5, 1)


def test_it_holds_grade_interval_rule_quality_and_limits(state):
    made = state(level=2, low=1, high=3, sex="F", age=62.4)
    [item] = made.items
    assert (item.level, item.lowest, item.highest, item.coverage, item.side) == (2, 1, 3, 0.9, "L")
    assert made.subject.sex == "F" and made.subject.age_band == "60-69"
    assert made.conclusions[0].rule == "grade: 2" and "1957" in made.conclusions[0].source
    assert "not empty" in made.passed and made.models[0].not_for == ("children",)
    assert len(made.evidence[0]) == 64 and made.earlier == 0


def test_nobody_is_named(state):
    text = str(statement_to_json(state()))
    assert "FEATHERSTONE" not in text and "JANICE" not in text and "1.2.0" not in text and "2026-05-01" not in text


def test_the_same_pixels_have_the_same_evidence_and_others_another(state):
    assert state(seed=1).evidence == state(seed=1).evidence != state(seed=2).evidence


def test_a_rise_beyond_both_intervals_is_a_change(state, reading):
    before = reading(level=1, low=0, high=1, seed=1, taken=DAY)
    made = state(level=3, low=2, high=4, taken=DAY + datetime.timedelta(days=365), earlier=(before,))
    [change] = made.changes
    assert (change.levels, change.beyond, change.days) == (2, True, 365)
    assert "365 days before" in change.said and "80% confidence" in change.said


def test_overlapping_intervals_prove_nothing(state, reading):
    [change] = state(level=3, low=1, high=4, earlier=(reading(level=1, low=0, high=1, seed=1),)).changes
    assert change.beyond is False and change.days is None and "do not prove" in change.said
    [change] = state(level=3, low=None, high=None, earlier=(reading(level=1, seed=1),)).changes
    assert change.beyond is None and "No interval" in change.said


def test_measurements_are_compared_in_percent(state, reading):
    before = reading(seed=1, volume=Quantity(10.0, "ml", 9.0, 11.0))
    changes = state(volume=Quantity(15.0, "ml", 13.0, 17.0), earlier=(before,)).changes
    volume = next(one for one in changes if one.percent is not None)
    assert volume.percent == pytest.approx(50) and volume.beyond is True and "+50 %" in volume.said
    other_unit = reading(seed=1, volume=Quantity(10.0, "mm"))
    assert all(one.percent is None for one in state(volume=Quantity(15.0, "ml"), earlier=(other_unit,)).changes)


def test_the_latest_earlier_study_comes_first(state, reading):
    days = [(DAY - datetime.timedelta(days=n)) for n in (900, 30, 400)]
    earlier = tuple(reading(seed=n, taken=day) for n, day in enumerate(days, start=1))
    made = state(taken=DAY, earlier=earlier)
    assert [change.days for change in made.changes] == [30, 400, 900] and made.earlier == 3


def test_grades_of_two_models_are_not_compared(state, reading):
    from osler.core.report import ModelUse

    other = reading(seed=1, models=(ModelUse("knee", "2", "cd" * 32, "a knee", (), ""),))
    made = state(earlier=(other,))
    assert made.changes == () and "incomparable" in {caution.check for caution in made.cautions}


def test_what_headers_do_not_say_is_told(state, reading):
    def minded(**words) -> set[str]:
        return {caution.check for caution in state(**words).cautions}

    assert "side" in minded(asked={"side": "L"}, side="") and "side" not in minded(asked={"side": "L"})
    assert "one_person" in minded(earlier=(reading(seed=1),))
    same = reading(seed=1, patient="a" * 16)
    assert "one_person" not in minded(patient="a" * 16, earlier=(same,))
    consent = {"reference": "C-1", "date": "2026-01-01", "scope": ["insurance-pricing"]}
    assert "purpose" in minded(asked={"purpose": "insurance-pricing", "consent": consent})


@pytest.mark.parametrize(
    ("words", "before", "why"),
    [
        ({"patient": "a" * 16}, {"patient": "b" * 16}, "two patients"),
        ({"sex": "F"}, {"sex": "M"}, "different sexes"),
        ({"side": "L"}, {"side": "R"}, "sides of the studies conflict"),
        ({"taken": DAY}, {"taken": DAY + datetime.timedelta(days=3)}, "3 days after"),
    ],
)
def test_studies_that_cannot_be_of_one_person_and_side_are_refused(state, reading, words, before, why):
    with pytest.raises(BadInput, match=why):
        state(**words, earlier=(reading(seed=1, **before),))


def test_the_side_of_the_request_against_the_header_is_refused(state, reading):
    with pytest.raises(BadInput, match="asks for side R"):
        state(asked={"side": "R"}, side="L")
    with pytest.raises(BadInput, match="conflict"):
        state(asked={"side": "L"}, side="", earlier=(reading(seed=1, side="R"),))


def test_a_study_is_not_its_own_earlier_study(state, reading):
    with pytest.raises(BadInput, match="study itself"):
        state(seed=3, earlier=(reading(seed=3),))


def test_the_number_in_the_header_is_no_pseudonym(state):
    from osler.clinic.assessment.one_person import _digest

    with pytest.raises(AskedWrongly, match="patient number in the header"):
        state(patient=_digest("P-0042"))


def test_the_digest_is_that_of_the_reader_of_headers():
    import pydicom

    from osler.clinic.assessment.one_person import _digest
    from osler.io.dicom.find import digest_of_patient

    class One:
        def __init__(self) -> None:
            self.header = pydicom.Dataset()
            self.header.PatientID = "P-0042"
            self.instances = [self]

    assert digest_of_patient([One()]) == _digest("P-0042")  # type: ignore[list-item]


def test_a_study_that_was_not_read_has_no_statement(state, request_of, reading, today):
    with pytest.raises(Declined, match=r"not read.*Too dark"):
        state(declined=(Problem("Too dark.", "Expose longer.", "blank"),))
    dark = reading(seed=1, declined=(Problem("Too dark.", "Expose longer.", "blank"),))
    with pytest.raises(Declined, match="An earlier study"):
        state(earlier=(dark,))


def test_what_holds_no_grade_has_no_statement(state):
    with pytest.raises(Declined, match="Nothing in this reading grades"):
        state(findings=(Finding("Volume", "3 ml"),), conclusions=())


def test_a_rule_grades_where_no_model_does(state):
    [item] = state(findings=(Finding("Volume", "3 ml"),)).items
    assert item.grade == "2" and item.scale == () and item.level is None


def test_there_or_not_is_a_scale_of_two(state):
    found = Finding("Pneumonia", "Pneumonia.", probability=0.8, present=True, among=("Pneumonia",), coverage=0.9)
    [item] = state(findings=(found,)).items
    assert (item.level, item.lowest, item.highest, item.grade) == (1, 1, 1, "present")
    unsure = replace(found, among=("Normal", "Pneumonia"))
    [item] = state(findings=(unsure,)).items
    assert (item.lowest, item.highest) == (0, 1)


def test_two_knees_without_sides_cannot_be_told_apart(request_of, reading, graded, today):

    two = reading(side="", findings=(graded(1, 0, 2), graded(3, 2, 4)))
    with pytest.raises(BadInput, match="do not say which side"):
        state_severity(request_of(side="L"), two, today=today)


def test_ages_come_in_bands():
    assert [age_band(age) for age in (0.3, 59.99, 60, 89.9, 90, 104, float("nan"))] == [
        "0-9",
        "50-59",
        "60-69",
        "80-89",
        "90+",
        "90+",
        "",
    ]
    assert Facts().age_years is None and age_band(None) == ""

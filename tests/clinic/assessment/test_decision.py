"""A person decides; what was recorded cannot be changed unnoticed."""

import json

import pytest

from osler.clinic.assessment.decision import decide, decisions_of
from osler.clinic.assessment.person import Person
from osler.core.errors import AskedWrongly, BadInput, UnknownChoice, Unreadable

MARA, OTTO = Person("Mara Lind", "orthopaedic surgeon"), Person("Otto Berg", "reviewer")
WHY = "Looked at both films, definite osteophytes."


def test_agreement_holds_the_stated_grade(written):
    place = written(level=2)
    made, path = decide(place, MARA, "agree", reason=WHY)
    assert (made.grade, made.level, made.by, path.name) == ("2, minimal", 2, MARA, "decision-1.json")
    assert decisions_of(place) == (made,)


@pytest.mark.parametrize("grade", ["3", "3, moderate", " 3, MODERATE "])
def test_a_changed_grade_is_one_of_the_scale(written, grade):
    made, _ = decide(written(), MARA, "changed", reason=WHY, grade=grade)
    assert (made.grade, made.level) == ("3, moderate", 3)


def test_a_grade_may_be_withheld(written):
    made, _ = decide(written(), MARA, "withheld", reason=WHY)
    assert (made.grade, made.level) == ("", None)


def test_a_later_decision_stands_beside_the_first(written):
    place = written()
    first, _ = decide(place, MARA, "agree", reason=WHY)
    second, path = decide(
        place / "statement.json", OTTO, "changed", grade="1", reason="After the objection: no spur."
    )
    assert path.name == "decision-2.json" and second.before == first.digest
    assert decisions_of(place) == (first, second)


@pytest.mark.parametrize(
    ("by", "decision", "more", "why"),
    [
        (Person("", "surgeon"), "agree", {}, "no human name"),
        (Person("osler", "system"), "agree", {}, "no human name"),
        (MARA, "agree", {"reason": "ok"}, "no reason"),
        (MARA, "agree", {"grade": "3"}, "takes no grade"),
        (MARA, "changed", {}, "changed grade is missing"),
        (MARA, "changed", {"grade": "9"}, "no grade '9'"),
        (MARA, "changed", {"grade": "2"}, "grade that was stated"),
        (MARA, "agree", {"item": 4}, "no item 4"),
    ],
)
def test_what_is_no_decision_is_refused_and_leaves_no_trace(written, by, decision, more, why):
    place = written(level=2)
    with pytest.raises(AskedWrongly, match=why):
        decide(place, by, decision, **{"reason": WHY, **more})
    assert decisions_of(place) == ()


def test_an_unknown_decision_is_told_the_near_one(written):
    with pytest.raises(UnknownChoice, match="agree"):
        decide(written(), MARA, "agreed", reason=WHY)


def test_of_several_items_one_is_named(written, graded):
    place = written(findings=(graded(1, 0, 2), graded(3, 2, 4)))
    with pytest.raises(AskedWrongly, match="several"):
        decide(place, MARA, "agree", reason=WHY)
    made, _ = decide(place, MARA, "agree", reason=WHY, item=1)
    assert made.item == 1 and made.level == 3


def change(path, **fields):
    value = json.loads(path.read_text())
    path.write_text(json.dumps(value | fields))


@pytest.mark.parametrize(
    "tamper",
    [
        lambda place: change(place / "decision-1.json", reason="Something else altogether."),
        lambda place: change(place / "decision-2.json", level=4),
        lambda place: (place / "decision-1.json").unlink(),
        lambda place: (place / "decision-2.json").rename(place / "decision-3.json"),
        lambda place: change(place / "statement.json", pathway="another"),
    ],
)
def test_whatever_is_changed_afterwards_is_noticed(written, tamper):
    place = written()
    decide(place, MARA, "agree", reason=WHY)
    decide(place, OTTO, "changed", grade="3", reason=WHY)
    tamper(place)
    with pytest.raises(BadInput, match="chain of decisions"):
        decisions_of(place)
    with pytest.raises(BadInput):
        decide(place, MARA, "agree", reason=WHY)


def test_a_record_is_never_written_over(written, monkeypatch):
    from osler.clinic.assessment import decision
    from osler.core.errors import OslerError

    place = written()
    decide(place, MARA, "agree", reason=WHY)
    monkeypatch.setattr(decision, "decisions_of", lambda path: ())  # as if somebody was quicker
    with pytest.raises(OslerError, match="same moment"):
        decide(place, OTTO, "agree", reason=WHY)
    assert json.loads((place / "decision-1.json").read_text())["by"]["name"] == "Mara Lind"


def test_files_that_are_no_statement_are_told(tmp_path, written):
    with pytest.raises(Unreadable, match="holds no statement"):
        decide(tmp_path, MARA, "agree", reason=WHY)
    (tmp_path / "statement.json").write_text('{"report_version": 1}')
    with pytest.raises(Unreadable, match="no severity statement"):
        decide(tmp_path, MARA, "agree", reason=WHY)
    place = written()
    change(place / "statement.json", items=[{"name": 3}])
    with pytest.raises(Unreadable, match="damaged"):
        decide(place, MARA, "agree", reason=WHY)
    (place / "decision-1.json").write_text("[]")
    with pytest.raises(Unreadable, match="no decision"):
        decisions_of(place)

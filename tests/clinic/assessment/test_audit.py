"""An audit of made-up books whose answer is known."""

import numpy as np
import pytest

from osler.clinic.assessment.audit import audit
from osler.clinic.assessment.audit_page import audit_lines, audit_to_html, audit_to_json
from osler.clinic.assessment.case_book import Case, CaseBook, read_case_book
from osler.clinic.assessment.decision import Decision, decide
from osler.clinic.assessment.person import Person
from osler.clinic.assessment.statement import Item
from osler.core.errors import AskedWrongly, BadInput, UnknownChoice, Unreadable

SCALE = ("0", "1", "2", "3", "4")
MARA = Person("Mara Lind", "surgeon")


def case(
    n: int,
    level: int,
    person: int | None = None,
    *,
    who: str = "",
    at: int = 0,
    model: str = "m",
    side: str = "L",
    evidence: str = "",
    ends: tuple[int, int] | None = (0, 4),
    withheld: bool = False,
    **groups: str,
) -> Case:
    low, high = ends or (None, None)
    item = Item("Grade", side, "", str(level), SCALE, level, low, high, 0.9 if ends else None)
    decided = ()
    if withheld:
        decided = (Decision("", 0, MARA, "withheld", "", None, "", "", ""),)
    elif person is not None:
        word = "agree" if person == level else "changed"
        decided = (Decision("", 0, MARA, word, str(person), person, "", "", ""),)
    return Case(
        f"c{n}",
        who or f"P-{n:04d}",
        f"u{n}",
        f"2026-01-{at + 1:02d}",
        groups,
        (model,),
        (evidence or f"e{n}",),
        (item,),
        decided,
    )


def book(*cases: Case) -> CaseBook:
    return CaseBook(tuple(sorted(cases, key=lambda one: one.created)))


def only(made):
    [scale] = made.scales
    return scale


def test_agreement_counts_and_ways():
    cases = [case(n, 2, 2) for n in range(12)] + [case(n, 2, 3) for n in range(12, 18)] + [case(18, 2, 1)]
    cases += [case(19, 2, withheld=True), case(20, 1)]
    made = audit(book(*cases))
    agreed = only(made).agreement
    assert (agreed.decided, agreed.withheld, agreed.up, agreed.down) == (19, 1, 6, 1)
    assert agreed.overruled.value == pytest.approx(7 / 19) and agreed.overruled.persons == 19
    assert agreed.shift.value == pytest.approx(5 / 19)
    assert made.undecided == 1 and any("no person decided" in note and "1." in note for note in made.notes)
    assert only(made).counts == (0, 1, 20, 0, 0)


def test_the_person_s_grade_inside_the_interval():
    cases = [case(n, 2, 2 if n < 15 else 4, ends=(1, 3)) for n in range(20)]
    agreed = only(audit(book(*cases))).agreement
    assert agreed.inside.value == pytest.approx(0.75) and agreed.promised == 0.9
    assert only(audit(book(*[case(n, 2, 2, ends=None) for n in range(3)]))).agreement.promised is None


def test_the_last_decision_holds():
    first = case(0, 2, 2)
    later = Decision("", 0, MARA, "changed", "4", 4, "", "", "")
    twice = Case(
        first.place,
        first.pseudonym,
        first.uid,
        first.created,
        {},
        ("m",),
        ("e",),
        first.items,
        (*first.decisions, later),
    )
    assert only(audit(book(twice))).agreement.up == 1


def test_retest_pairs_one_person_and_side():
    cases = []
    for n in range(20):
        cases += [
            case(2 * n, 2, who=f"P-{n:04d}", at=0),
            case(2 * n + 1, 2 if n < 15 else 3, who=f"P-{n:04d}", at=5),
        ]
    cases += [case(99, 4, who="P-0000", side="R", at=6)]  # another side is no repeat
    found = only(audit(book(*cases))).retest
    assert found.pairs == 20 and found.same.value == pytest.approx(0.75)
    assert found.within_one.value == 1 and found.shift.value == pytest.approx(0.25)
    assert found.same.persons == 20 and found.again == (0, 0)


def test_the_same_pixels_must_get_the_same_grade():
    cases = [
        case(0, 2, who="P-0001", evidence="x"),
        case(1, 2, who="P-0001", evidence="x", at=1),
        case(2, 3, who="P-0001", evidence="x", at=2),
        case(3, 1, who="P-0001", evidence="x", at=3, model="n"),
    ]
    made = audit(book(*cases))
    assert only(made).retest.again == (2, 1) and only(made).retest.pairs == 0  # another model may grade otherwise
    assert any("another grade in 1 of 2" in note for note in made.notes) and len(made.models) == 2


def test_agreement_without_exception_is_told():
    notes = audit(book(*[case(n, n % 5, n % 5) for n in range(25)])).notes
    assert any("nobody changed a grade" in note for note in notes)
    assert not any("nobody" in note for note in audit(book(*[case(n, 2, 2) for n in range(5)])).notes)


def groups_of(made, column="sex"):
    return {group.name: group for one in only(made).subgroups if one.column == column for group in one.groups}


def test_a_group_that_is_overruled_more_is_found_and_mirrored():
    rng = np.random.default_rng(0)
    cases = []
    for n in range(80):
        sex, level = ("F", "M")[n % 2], int(rng.integers(1, 4))
        wrong = rng.random() < (0.8 if sex == "F" else 0.1)
        cases.append(case(n, level, level + 1 if wrong else level, sex=sex, site="ab"[n // 2 % 2]))
    made = audit(book(*cases), by=["sex", "site"])
    women, men = groups_of(made)["F"], groups_of(made)["M"]
    gap = women.gaps[0]
    assert gap.name == "overruled" and gap.value > 0.2 and gap.low > 0 and gap.corrected < 0.05
    assert men.gaps[0].value == -gap.value and men.gaps[0].corrected == gap.corrected
    assert made.tests == 4 and gap.corrected >= gap.p
    site = groups_of(made, "site")["a"]
    assert site.gaps[0].corrected > 0.05


def test_small_groups_have_no_number_and_say_so():
    cases = [case(n, 2, 2, sex="F") for n in range(15)] + [case(n, 2, 3, sex="M") for n in range(15, 24)]
    groups = groups_of(audit(book(*cases), by=["sex"]))
    assert "n = 9:" in groups["M"].note and groups["M"].overruled is None and groups["M"].persons == 9
    assert groups["F"].overruled is not None and groups["F"].gaps == () and "not compared" in groups["F"].note


def test_persons_in_several_groups_are_left_out_of_the_comparison():
    cases = [case(n, 2, 2, site="ab"[n % 2]) for n in range(40)]
    cases += [case(100, 2, 3, who="P-0000", site="b", at=3)]
    groups = groups_of(audit(book(*cases), by=["site"]), "site")
    assert "1 persons lie in several groups" in groups["a"].note
    assert groups["a"].gaps[0].value == 0  # the one overruled is of nobody who was compared


def test_facts_that_are_not_there_or_too_many_are_refused():
    cases = [case(n, 2, 2, site=str(n)) for n in range(20)]
    with pytest.raises(UnknownChoice, match="site"):
        audit(book(*cases), by=["sites"])
    with pytest.raises(AskedWrongly, match="too many groups"):
        audit(book(*cases), by=["site"])
    with pytest.raises(AskedWrongly, match="No statement says"):
        audit(book(case(0, 1)), by=["sex"])


def test_items_without_an_order_are_counted_apart():
    one = case(0, 2, 2)
    item = Item("Rule", "", "", "Moderate")
    made = audit(book(Case("c", "P-0001", "u", "2026", {}, (), (), (item,), ()), one))
    assert made.unordered == 1 and len(made.scales) == 1


def test_every_number_is_told_with_its_n():
    rng = np.random.default_rng(1)
    cases = [case(n, 2, int(rng.integers(1, 4)), sex="FM"[n % 2]) for n in range(40)]
    made = audit(book(*cases), by=["sex"])
    lines = "\n".join(audit_lines(made))
    assert (
        "n = 40 persons, 40 cases" in lines and "n = 20 persons" in lines and "corrected together (Holm)" in lines
    )
    page = audit_to_html(made)
    assert "n = 40 persons" in page and "<script" not in page
    plain = audit_to_json(made)
    assert plain["scales"][0]["agreement"]["overruled"]["persons"] == 40 and plain["tests"] == 2
    few = "\n".join(audit_lines(audit(book(case(0, 2, 3)))))
    assert "n = 1: too few persons" in few


def test_a_book_is_read_from_its_folder(written, tmp_path):
    first = written("one", asked={"groups": {"site": "north"}}, sex="F", age=61.0, seed=1)
    written("deep/two", seed=2)
    copied = tmp_path / "cases" / "copy"
    copied.mkdir()
    (copied / "statement.json").write_bytes((first / "statement.json").read_bytes())
    decide(first, MARA, "changed", grade="3", reason="Looked at it closely.")
    found = read_case_book(tmp_path / "cases")
    assert len(found.cases) == 2 and found.copies == 1
    case_one = next(one for one in found.cases if one.place == "one")
    assert case_one.groups == {"site": "north", "sex": "F", "age": "60-69"} and len(case_one.decisions) == 1
    assert only(audit(found)).agreement.up == 1


def test_damaged_books_are_told(written, tmp_path):
    with pytest.raises(Unreadable, match="holds no severity statement"):
        read_case_book(tmp_path)
    place = written()
    decide(place, MARA, "agree", reason="Looked at it closely.")
    (place / "statement.json").write_text((place / "statement.json").read_text().replace("P-0042", "P-0043"))
    with pytest.raises(BadInput, match="chain"):
        read_case_book(tmp_path / "cases")
    (place / "decision-1.json").unlink()
    (place / "statement.json").write_text((place / "statement.json").read_text().replace('"uid"', '"uidd"', 1))
    with pytest.raises(Unreadable, match="lacks a part"):
        read_case_book(tmp_path / "cases")

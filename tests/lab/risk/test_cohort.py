"""What a table may hold, and what it may not."""

import numpy as np
import pytest

from osler.core.errors import AskedWrongly, BadDataset, UnknownChoice
from osler.lab.risk.cohort import Columns, check_learnable, read_cohort
from osler.lab.risk.prepare import fit_design

HEAD = ("patient", "days", "died", "age", "sex", "note")
TIMED = Columns("died", "days")


def rows(many=20, **changed):
    made = [
        {"patient": f"P{n}", "days": 10 + n, "died": n % 2, "age": 40 + n, "sex": "mw"[n % 2], "note": f"text {n}"}
        for n in range(many)
    ]
    for name, values in changed.items():
        for row, value in zip(made, values, strict=False):
            row[name] = value
    return [HEAD, *(tuple(one[name] for name in HEAD) for one in made)]


def test_facts_times_and_sexes_are_read(table):
    cohort = read_cohort(table(*rows()), TIMED)
    assert cohort.facts == ("age", "sex") and cohort.events == 10 and cohort.timed
    assert cohort.values[1] == {"age": 41.0, "sex": "F"}
    assert any("'note'" in one and "20 different texts" in one for one in cohort.notes)


def test_the_first_row_of_a_patient_counts_and_rows_without_outcome_do_not(table):
    cohort = read_cohort(table(*rows(patient=["A", "A", "B"], days=["", 11, 12, 13])), TIMED)
    assert len(cohort.patients) == 19 and cohort.values[0]["age"] == 41.0
    assert any("no outcome" in one for one in cohort.notes)
    twice = read_cohort(table(*rows(patient=["A", "A"])), TIMED)
    assert len(twice.patients) == 19 and "20 rows are of 19 patients" in twice.notes[0]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"days": [-3]}, "below 0"),
        ({"days": ["inf"]}, "without end"),
        ({"days": ["soon"]}, "has text in the time column"),
        ({"died": [7]}, "'7' in column 'died'"),
        ({"patient": [""]}, "rows without a patient"),
    ],
)
def test_what_cannot_be_meant_is_refused(table, changed, said):
    with pytest.raises(BadDataset, match=said):
        read_cohort(table(*rows(**changed)), TIMED)


def test_a_patient_in_two_folds_is_refused(table):
    made = rows(patient=["A", "A"])
    made = [(*row, side) for row, side in zip(made, ["side", "train", "test", *["train"] * 18], strict=True)]
    with pytest.raises(BadDataset, match="1 patient is in two splits"):
        read_cohort(table(*made), Columns("died", "days", split="side"))


def test_an_unknown_column_proposes_the_near_one(table):
    with pytest.raises(UnknownChoice, match="Did you mean 'died'"):
        read_cohort(table(*rows()), Columns("dyed", "days"))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"died": [0] * 20}, "no patient had the event"),
        ({"died": [1, *[0] * 19]}, "only 1 of 20 patients"),
        ({"days": [5] * 20}, "All times"),
    ],
)
def test_too_little_to_learn_from_is_refused(table, changed, said):
    with pytest.raises(BadDataset, match=said):
        check_learnable(read_cohort(table(*rows(**changed)), TIMED))


def test_constant_and_empty_columns_are_left_out_and_nothing_left_is_refused(table):
    cohort = read_cohort(table(*rows(age=[50] * 20, sex=["nan"] * 20)), TIMED)
    assert cohort.facts == () and any("same for everybody" in one for one in cohort.notes)
    assert any("nobody has it" in one for one in cohort.notes)
    with pytest.raises(BadDataset, match="neither facts nor image features"):
        check_learnable(cohort)


def test_image_features_must_be_numbers_and_there(table):
    made = [(*row, *x) for row, x in zip(rows(), [("f1", "f2"), *[(0.5, n) for n in range(20)]], strict=True)]
    cohort = read_cohort(table(*made), Columns("died", "days", features="f"))
    assert cohort.features is not None and cohort.features.shape == (20, 2) and "f1" not in cohort.facts
    made[3] = (*made[3][:-1], "NaN")
    with pytest.raises(BadDataset, match="column 'f2'"):
        read_cohort(table(*made), Columns("died", "days", features="f"))
    with pytest.raises(AskedWrongly, match="no column begins with 'g'"):
        read_cohort(table(*made), Columns("died", "days", features="g"))


def test_what_is_missing_is_learnt_from_these_patients_only(table):
    path = table(*rows(age=["", "", "", "", "", "inf", 40, 90]))
    cohort = read_cohort(path, TIMED)
    some = cohort.take(range(12))
    age, sex = fit_design(some).facts
    assert (age.needed, age.known, age.flag) == (False, 7, True) and sex.needed
    assert (age.low, age.high) == (40.0, 90.0) and float(age.typical) == 50.0
    assert age.numbers(None) == [50.0, 1.0] and age.numbers(float("inf")) == [90.0, 0.0]
    design = fit_design(some)
    rows_made = design.rows(some.values, None)
    assert rows_made.mean(0) == pytest.approx(np.zeros(3), abs=1e-9)
    assert rows_made.std(0) == pytest.approx(np.ones(3))

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from osler.core.errors import AskedWrongly
from osler.lab.evaluate.answers import TASKS, Answers
from osler.lab.evaluate.bands import Column, columns_of
from osler.lab.evaluate.subgroups import subgroups, usable_columns


def by_patient(them, value):
    return [value(int(patient.removeprefix("patient-"))) for patient in them.patients]


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_subgroups_that_can_be_written(task, made_up):
    them = made_up(task, cases=80, each=2)
    facts = by_patient(them, lambda n: {"sex": "FM"[n % 2], "age": float(10 + 2 * n), "empty": ""})
    audits = subgroups(them, facts)
    assert [one.column for one in audits] == ["sex", "age"]
    written = json.loads(json.dumps([one.to_json() for one in audits], allow_nan=False))
    for audit in written:
        assert sum(group["n"]["cases"] for group in audit["groups"]) == 80
        for group in audit["groups"]:
            assert bool(group["metrics"]) == (group["n"]["patients"] >= 10)
    first, second = audits[0].groups
    for name, gap in first.gaps.items():
        assert gap.value == -second.gaps[name].value and gap.p == second.gaps[name].p


def test_a_groups_number_is_the_number_of_its_cases_alone(made_up):
    them = made_up("binary", cases=120)
    facts = by_patient(them, lambda n: {"site": "north" if n < 70 else "south"})
    (audit,) = subgroups(them, facts)
    north, south = (slice(0, 70), slice(70, 120))
    aucs = [sk.roc_auc_score(them.truth[part], them.probabilities[part, 1]) for part in (north, south)]
    assert [group.metrics["auc"].value for group in audit.groups] == pytest.approx(aucs)
    assert audit.groups[0].gaps["auc"].value == pytest.approx(aucs[0] - aucs[1])
    said = them.probabilities[north, 1]
    assert audit.groups[0].metrics["said_minus_so"].value == pytest.approx(said.mean() - them.truth[north].mean())
    assert audit.groups[0].metrics["expected_to_observed"].value == pytest.approx(
        said.sum() / them.truth[north].sum()
    )


def test_a_real_gap_is_found_and_chance_is_not(made_up):
    them = made_up("binary", cases=300, skill=3.0)
    facts = by_patient(them, lambda n: {"scanner": "old" if n % 3 == 0 else "new", "dice": "ab"[(n * 7919) % 2]})
    old = np.array([one["scanner"] == "old" for one in facts])
    blurred = np.random.default_rng(0).random((300, 1)) * np.array([[1, -1]]) + np.array([[0, 1]])
    worse = replace(them, probabilities=np.where(old[:, None], blurred, them.probabilities))
    scanner, dice = subgroups(worse, facts)
    gap = scanner.groups[1].gaps["auc"]
    assert scanner.groups[1].name == "old" and gap.value < -0.2 and gap.high < 0 and gap.corrected < 0.02
    assert all(one.corrected > 0.05 for one in dice.groups[0].gaps.values())


def test_p_keeps_its_promise_where_there_is_no_gap(made_up):
    """Of audits without any gap about one in twenty has a p below 0.05, also where the mix of classes differs."""
    small = []
    for seed in range(25):
        random = np.random.default_rng(seed)
        truth = np.concatenate([random.random(60) < 0.3, random.random(60) < 0.7]).astype(int)
        said = 1 / (1 + np.exp(-(2 * truth - 1 + random.normal(0, 1, 120))))
        names = tuple(f"{n}" for n in range(120))
        them = Answers("binary", ("no", "yes"), names, names, np.stack([1 - said, said], 1), truth=truth)
        facts = [{"site": "a" if n < 60 else "b"} for n in range(120)]
        (audit,) = subgroups(them, facts, seed=seed)
        small += [gap.p < 0.05 for gap in audit.groups[0].gaps.values()]
    assert np.mean(small) < 0.12


def test_a_subgroup_of_one_is_listed_with_its_n_and_no_number(made_up):
    them = made_up("binary", cases=40)
    facts = by_patient(them, lambda n: {"site": "rare" if n == 0 else "usual"})
    (audit,) = subgroups(them, facts)
    rare, usual = audit.groups
    assert (rare.patients, rare.cases, dict(rare.metrics), dict(rare.gaps)) == (1, 1, {}, {})
    assert "one patient only" in rare.note
    assert usual.metrics["auc"].value > 0.5 and not usual.gaps and audit.tests == 0


def test_a_group_of_one_class_has_a_sensitivity_and_no_auc(made_up):
    them = made_up("binary", cases=60)
    facts = [{"ward": "sick" if truth else "mixed"} for truth in them.truth]
    facts[int(np.flatnonzero(them.truth)[0])] = {"ward": "mixed"}
    audit = next(iter(subgroups(them, facts)))
    sick = next(group for group in audit.groups if group.name == "sick")
    assert "auc" not in sick.metrics and "sensitivity" in sick.metrics and "no AUC" in sick.note
    assert "auc" not in sick.gaps


def test_constant_probabilities_and_a_missing_class_crash_nothing(made_up):
    for task in ("binary", "multiclass", "ordinal", "multilabel"):
        them = made_up(task, cases=60)
        flat = np.full(np.shape(them.probabilities), 1 / len(them.classes))
        truth = np.zeros_like(them.truth)
        them = replace(them, probabilities=flat, truth=truth, values=None)
        audits = subgroups(them, by_patient(them, lambda n: {"sex": "FM"[n % 2]}))
        json.dumps([one.to_json() for one in audits], allow_nan=False)


def test_pictures_of_one_patient_in_several_groups_are_tested_by_resampling(made_up):
    them = made_up("binary", cases=80, each=2)
    (audit,) = subgroups(them, [{"view": "PA" if n % 2 else "AP"} for n in range(80)])
    assert audit.test == "bootstrap" and audit.permutations == 0


def test_unknown_values_are_counted_and_left_out(made_up):
    them = made_up("binary", cases=60)
    facts = by_patient(them, lambda n: {} if n < 20 else {"sex": "FM"[n % 2]})
    (audit,) = subgroups(them, facts)
    assert audit.unknown == 20 and sum(group.cases for group in audit.groups) == 40


def test_a_column_that_is_not_there_is_refused_with_those_that_are(made_up):
    them = made_up("binary", cases=60)
    facts = by_patient(them, lambda n: {"sex": "FM"[n % 2], "name": f"text {n}"})
    with pytest.raises(AskedWrongly, match=r"no fact 'scanner'.*Choose among: sex"):
        subgroups(them, facts, columns=["scanner"])
    with pytest.raises(AskedWrongly, match="60 different values"):
        subgroups(them, facts, columns=["name"])
    assert [one.column for one in subgroups(them, facts, columns=["Sex"])] == ["sex"]


def test_columns_become_groups():
    facts = [
        {"age": age, "sex": sex, "dose": dose, "grade": grade}
        for age, sex, dose, grade in zip(
            ("012Y", "006M", "45", 81.0, 39.5, ""),
            ("f", "Female", "M", "male", "O", ""),
            (0.1, 0.2, 0.3, 0.4, 0.5, 0.6),
            (1, 2, 3, 1, 2, 3),
            strict=True,
        )
    ]
    found = columns_of(facts)
    assert isinstance(found["age"], Column) and found["age"].of[:5] == ("12", "0.5", "45", "81", "39.5")
    assert found["sex"].of == ("F", "F", "M", "M", "O", "")
    assert found["dose"].how == "thirds of the cases" and len(found["dose"].groups) == 3
    assert found["grade"].groups == ("1", "2", "3") and found["grade"].how == "as written"
    assert usable_columns(facts)[:2] == ("sex", "age")


def test_ages_are_cut_at_clinical_bands_or_into_thirds():
    grown = columns_of([{"age": float(age)} for age in range(15, 95, 5)])["age"]
    assert isinstance(grown, Column) and grown.how == "bands of age in years"
    assert grown.groups == ("under 18", "18 to 39", "40 to 59", "60 to 79", "80 and over")
    children = columns_of([{"age": float(age)} for age in range(1, 13)])["age"]
    assert isinstance(children, Column) and children.how == "thirds of the cases" and len(children.groups) == 3


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60))
def test_every_known_number_falls_into_one_band(numbers):
    found = columns_of([{"x": number} for number in numbers])["x"]
    if isinstance(found, Column):
        assert all(found.of) and set(found.of) == set(found.groups)

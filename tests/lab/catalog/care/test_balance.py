"""Rare classes, lopsided splits and subgroups, and gaps in the facts."""

import numpy as np
import pytest
from tests.lab.catalog.care.made_up import dataset

from osler.lab.catalog.care.balance import find_imbalance, find_missing


def test_a_rare_class_is_named_with_its_number() -> None:
    found = find_imbalance(dataset([0] * 60 + [1] * 7))
    (warning,) = [concern for concern in found if concern.severity == "warning"]
    assert "'ill' has 7 cases of 7 patients" in warning.what


def test_pictures_of_one_patient_are_one_patient() -> None:
    patients = [f"p{n}" for n in range(60)] + ["same"] * 40
    found = find_imbalance(dataset([0] * 60 + [1] * 40, patients=patients))
    assert "40 cases of 1 patients" in found[0].what


def test_all_the_ill_from_one_site() -> None:
    labels = [n % 2 for n in range(80)]
    facts = [{"site": "B" if label else "A", "sex": "fm"[n // 2 % 2]} for n, label in enumerate(labels)]
    (concern,) = find_imbalance(dataset(labels, facts=facts))
    assert concern.severity == "warning"
    assert "'site'" in concern.what and "100%" in concern.what and "n = 40" in concern.what


def test_age_that_goes_with_the_class_is_seen_in_bands() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 120).tolist()
    facts = [{"age": 40.0 + 25 * label + float(random.normal(0, 8))} for label in labels]
    (concern,) = find_imbalance(dataset(labels, facts=facts))
    assert "'age'" in concern.what and " to " in concern.what


def test_chance_is_not_named() -> None:
    found = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        labels = random.integers(0, 2, 90).tolist()
        facts = [
            {"site": str(random.choice(list("ABC"))), "age": float(random.integers(20, 90))} for _ in range(90)
        ]
        splits = random.choice(["train", "val", "test"], 90).tolist()
        found += len(find_imbalance(dataset(labels, facts=facts, splits=splits)))
    assert found == 0


def test_many_pictures_of_few_patients_prove_nothing() -> None:
    """Three patients of site A with five pictures each: by pictures a pattern, by patients none."""
    labels = [patient % 2 for patient in range(44) for _ in range(5)]
    patients = [f"p{patient}" for patient in range(44) for _ in range(5)]
    facts = [{"site": "A" if patient < 3 else "B"} for patient in range(44) for _ in range(5)]
    assert not find_imbalance(dataset(labels, patients=patients, facts=facts))


def test_splits_with_other_shares() -> None:
    labels = [0] * 100 + [1] * 100 + [0] * 30 + [1] * 90
    splits = ["train"] * 200 + ["test"] * 120
    (concern,) = find_imbalance(dataset(labels, splits=splits))
    assert concern.severity == "note"
    assert "50% of train (n = 200), 75% of test (n = 120)" in concern.what or "25% of test" in concern.what


def test_gaps_are_counted_and_tell_when_they_go_with_the_class() -> None:
    labels = [n % 2 for n in range(100)]
    facts = [
        ({"age": 50.0} if n % 10 else {}) | ({"crp": 5.0} if not label or n % 20 == 1 else {"crp": float("nan")})
        for n, label in enumerate(labels)
    ]
    by_fact = {concern.what.split("'")[1]: concern for concern in find_missing(dataset(labels, facts=facts))}
    assert by_fact["age"].severity == "note" and "'age' in 10 of 100 cases" in by_fact["age"].what
    assert by_fact["crp"].severity == "warning" and "tells 'ill': AUC 0.9" in by_fact["crp"].what


def test_cases_without_a_label() -> None:
    (concern,) = find_missing(dataset([0, 1, None, 1]))
    assert concern.cases == ("case0002",)
    assert "1 of 4" in concern.what


@pytest.mark.parametrize("labels", [[], [0], [None, None], [0] * 30])
def test_odd_data_raises_nothing(labels: list[int | None]) -> None:
    find_imbalance(dataset(labels, facts=[{"site": "A"}] * len(labels)))
    find_missing(dataset(labels, facts=[{"site": "A"}] * len(labels)))
    assert find_imbalance(dataset(labels, task="segmentation")) == ()

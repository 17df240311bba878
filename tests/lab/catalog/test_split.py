"""Whole patients, every class on every side, the same for the same seed."""

from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osler.core.errors import BadDataset
from osler.lab.catalog.dataset import Case, Dataset, Label, Source
from osler.lab.catalog.split import folds, with_splits


def dataset(rows: list[tuple[str, Label, str]], *, task: str = "multiclass", classes: int = 3) -> Dataset:
    """One case a row of (patient, label, split)."""
    cases = tuple(
        Case(f"{n:04d}", patient, (Source(Path(f"{n}.png")),), label, split)
        for n, (patient, label, split) in enumerate(rows)
    )
    names = tuple("abcdef"[:classes])
    return Dataset("made up", Path(), task, names, ("image",), cases, "made up", target="age")


@st.composite
def patients(draw) -> list[tuple[str, int, str]]:
    """At least four patients of each of three classes, one to four cases each."""
    rows = []
    for label in range(3):
        for n in range(draw(st.integers(4, 25))):
            rows += [(f"{label}-{n}", label, "")] * draw(st.integers(1, 4))
    return draw(st.permutations(rows))


def one_side(found: Dataset) -> bool:
    sides = defaultdict(set)
    for case in found.cases:
        sides[case.patient].add(case.split)
    return all(len(splits) == 1 for splits in sides.values())


@settings(max_examples=40, deadline=None)
@given(patients(), st.integers(0, 5))
def test_no_patient_on_two_sides_and_classes_near_their_share(rows, seed):
    given_set = dataset(rows)
    found = with_splits(given_set, seed=seed, val=0.2, test=0.2)
    assert [case.id for case in found.cases] == [case.id for case in given_set.cases]
    assert one_side(found)
    for label in range(3):
        counts = Counter(case.split for case in found.cases if case.label == label)
        total = sum(counts.values())
        assert set(counts) == {"train", "val", "test"}
        # A patient has at most four cases, so no side can be further from its share than one or two patients.
        assert abs(counts["val"] - 0.2 * total) <= 5
        assert abs(counts["test"] - 0.2 * total) <= 5
    assert found == with_splits(given_set, seed=seed, val=0.2, test=0.2)


@settings(max_examples=30, deadline=None)
@given(patients(), st.integers(2, 4))
def test_folds_validate_every_case_once(rows, k):
    given_set = dataset(rows)
    found = folds(given_set, k, seed=1)
    assert len(found) == k
    seen = Counter(case.id for fold in found for case in fold.cases if case.split == "val")
    assert seen == {case.id: 1 for case in given_set.cases}
    for fold in found:
        assert one_side(fold)
        assert {case.label for case in fold.cases if case.split == "val"} == {0, 1, 2}


def test_seeds_differ():
    rows = [(str(n), n % 3, "") for n in range(60)]
    sides = [[case.split for case in with_splits(dataset(rows), seed=seed).cases] for seed in range(2)]
    assert sides[0] != sides[1]


def test_given_splits_stay_and_val_comes_from_train():
    rows = [(str(n), n % 3, "test" if n < 12 else "train") for n in range(60)]
    found = with_splits(dataset(rows), seed=0, val=0.25, test=0.5)
    assert [case.split == "test" for case in found.cases] == [True] * 12 + [False] * 48
    assert Counter(case.split for case in found.cases)["val"] == 12
    whole = dataset([(str(n), n % 3, ("train", "val", "test")[n % 20 // 8]) for n in range(60)])
    assert with_splits(whole, seed=0) == whole


def test_a_class_of_two_patients_is_on_both_sides():
    rows = [(str(n), 0 if n < 30 else 1, "") for n in range(32)]
    found = with_splits(dataset(rows, task="binary", classes=2), seed=3)
    assert {case.split for case in found.cases if case.label == 1} == {"train", "val"}


def test_regression_multilabel_and_segmentation():
    ages = with_splits(dataset([(str(n), float(n), "") for n in range(50)], task="regression", classes=0), seed=0)
    held = [case.label for case in ages.cases if case.split == "val"]
    assert len(held) >= 5
    assert min(held) < 20
    assert max(held) >= 30
    rows = [(str(n), (n % 2, n % 10 // 9, int(n in (7, 40))), "") for n in range(60)]
    flags = with_splits(dataset(rows, task="multilabel"), seed=0)
    for split in ("train", "val"):
        assert all(any(case.label[k] for case in flags.cases if case.split == split) for k in range(3))
    rows = [(str(n // 2), Source(Path(f"{n}_mask.png")), "") for n in range(40)]
    masks = with_splits(dataset(rows, task="segmentation"), seed=0)
    assert one_side(masks)
    assert Counter(case.split for case in masks.cases)["val"] == 6


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([(str(n), n % 2, "") for n in range(3)], "3 patients only"),
        ([(str(n % 4), n % 3, "") for n in range(40)], "4 patients only"),
        ([(str(n), 1, "") for n in range(30)], "one class only, 'b'"),
        ([(str(n), int(n == 0), "") for n in range(30)], "'b' has 1 patient"),
        ([(str(n), n % 2, "test") for n in range(30)], "no training cases"),
        ([(str(n), n % 2, "train" if n % 2 else "test") for n in range(30)], "No training case"),
    ],
)
def test_too_little_is_said(rows, says):
    with pytest.raises(BadDataset, match=says) as caught:
        with_splits(dataset(rows, task="binary", classes=2), seed=0)
    assert caught.value.remedy


def test_too_many_folds():
    with pytest.raises(BadDataset, match="do not make 9 folds"):
        folds(dataset([(str(n), n % 2, "") for n in range(8)], classes=2), 9, seed=0)

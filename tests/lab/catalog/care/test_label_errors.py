"""Planted wrong labels are named first, and where nothing can be said, that is said."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from tests.lab.catalog.care.made_up import dataset, looks

from osler.lab.catalog.care.label_errors import find_label_errors
from osler.lab.catalog.care.look import look_over
from osler.lab.catalog.recognize import read_dataset


def _flipped(labels: np.ndarray, rows: list[int], by: int, classes: int) -> np.ndarray:
    given = labels.copy()
    given[rows] = (given[rows] + by) % classes
    return given


def test_flipped_labels_are_named_first() -> None:
    truth = np.arange(120) % 2
    flipped = [5, 40, 77, 100]
    given = _flipped(truth, flipped, 1, 2)
    found = find_label_errors(dataset(given.tolist()), looks(truth))
    named = [concern.cases[0] for concern in found if concern.cases]
    assert set(named[:4]) == {f"case{row:04d}" for row in flipped}
    assert len(named) <= 6
    first = found[0]
    assert first.kind == "label-error" and first.severity == "warning" and first.score > 0.8
    right = ("well", "ill")[truth[int(first.cases[0][4:])]]
    assert first.proposed == ((first.cases[0], right),)
    assert f"'{right}'" in first.what
    assert found[-1].severity == "note" and "120 labels" in found[-1].what


def test_no_label_is_named_where_all_are_right() -> None:
    truth = np.arange(90) % 3
    found = find_label_errors(dataset(truth.tolist(), task="multiclass", classes=("a", "b", "c")), looks(truth))
    assert not [concern for concern in found if concern.cases]


def test_what_cannot_be_seen_is_not_judged() -> None:
    labels = np.random.default_rng(4).integers(0, 2, 150)
    (only,) = find_label_errors(dataset(labels.tolist()), looks(labels, visible=0.0))
    assert only.severity == "note" and not only.cases
    assert "could not be checked" in only.what and "AUC" in only.what


def test_neighbouring_grades_are_no_errors_and_distant_ones_are() -> None:
    truth = np.arange(200) % 5
    near, far = 11, 20  # grades 1 and 0, given as 2 and 4
    given = truth.copy()
    given[near], given[far] = 2, 4
    # 7 % for the given grade: an eighth of the 60 % that the cases of a grade have on average.
    probabilities = np.where(truth[:, None] == np.arange(5), 0.6, 0.1)
    probabilities[[near, far]] = np.where(truth[[near, far], None] == np.arange(5), 0.72, 0.07)
    named = {}
    for task in ("ordinal", "multiclass"):
        made = dataset(given.tolist(), task=task, classes=tuple("01234"))
        found = find_label_errors(made, looks(truth, visible=0.0), probabilities=probabilities)
        named[task] = {concern.cases[0] for concern in found if concern.cases}
    assert named == {"ordinal": {"case0020"}, "multiclass": {"case0011", "case0020"}}


def test_each_of_many_labels_is_judged_by_itself() -> None:
    truth = np.arange(120) % 2
    given = _flipped(truth, [8, 31], 1, 2)
    noise = np.random.default_rng(0).integers(0, 2, 120)
    labels = [(int(a), int(b), 0) for a, b in zip(given, noise, strict=True)]
    found = find_label_errors(
        dataset(labels, task="multilabel", classes=("seen", "unseen", "never")), looks(truth)
    )
    named = [concern for concern in found if concern.cases]
    assert {concern.cases[0] for concern in named[:2]} == {"case0008", "case0031"}
    assert all(not concern.proposed for concern in named)
    notes = " ".join(concern.what for concern in found if not concern.cases)
    assert "'unseen'" in notes and "0 patients with 'never'" in notes


def test_a_slipped_comma_stands_out() -> None:
    grade = np.arange(150) % 5
    values = 40 + 8 * grade + np.random.default_rng(1).normal(0, 1, 150)
    values[7], values[30] = 480.0, -44.0
    found = find_label_errors(dataset(values.tolist(), task="regression", classes=()), looks(grade))
    named = [concern.cases[0] for concern in found if concern.cases]
    assert set(named[:2]) == {"case0007", "case0030"}
    assert len(named) <= 3


def test_probabilities_of_a_model_are_taken_as_they_are() -> None:
    truth = np.arange(60) % 2
    given = _flipped(truth, [3], 1, 2)
    probabilities = np.where(truth[:, None] == np.arange(2), 0.9, 0.1) + np.linspace(0, 0.05, 60)[:, None] * [
        1,
        -1,
    ]
    probabilities[10] = np.nan
    found = find_label_errors(dataset(given.tolist()), looks(truth, visible=0.0), probabilities=probabilities)
    assert [concern.cases for concern in found if concern.cases] == [("case0003",)]
    assert "the model gives" in found[0].what
    assert "of 59 labels" in found[-1].what


def test_odd_data_raises_nothing() -> None:
    few = np.zeros(3, int)
    for labels, task, classes in (
        ([], "binary", ("a", "b")),
        ([0, 0, 0], "binary", ("a", "b")),
        ([None, None, None], "multiclass", ("a", "b")),
        ([(0, 1)] * 3, "multilabel", ("a", "b")),
        ([1.0, float("nan"), None], "regression", ()),
    ):
        (only,) = find_label_errors(dataset(labels, task=task, classes=classes), looks(few[: len(labels)]))
        assert only.severity == "note" and "not checked" in only.what
    assert find_label_errors(dataset([None] * 3, task="segmentation"), looks(few)) == ()
    constant = find_label_errors(dataset([2.0] * 50, task="regression", classes=()), looks(np.zeros(50)))
    assert constant[0].severity == "note"


def test_unreadable_cases_and_rare_classes_are_left_out() -> None:
    truth = np.arange(80) % 2
    labels = [*truth.tolist(), 2, 2]
    seen = looks(np.append(truth, [1, 1]))
    seen[0] = replace(seen[0], problem="It is broken.", thumbnail=np.zeros((0, 0), np.float32))
    found = find_label_errors(dataset(labels, task="multiclass", classes=("a", "b", "rare")), seen)
    assert "of 79 labels" in found[-1].what
    assert "'rare' (2)" in found[-1].what


def test_flips_in_real_pictures_are_found(test_data: Path) -> None:
    whole = read_dataset(test_data / "medmnist" / "pneumoniamnist.npz").split("val")
    flipped = np.random.default_rng(0).choice(len(whole.cases), 16, replace=False)
    cases = list(whole.cases)
    for row in flipped:
        cases[row] = replace(cases[row], label=1 - int(cases[row].label))  # type: ignore[arg-type]
    planted = replace(whole, cases=tuple(cases))
    found = find_label_errors(planted, look_over(planted))
    named = {concern.cases[0] for concern in found if concern.cases}
    right = named & {cases[row].id for row in flipped}
    assert len(right) >= 12  # three quarters of them
    assert len(right) >= 0.4 * len(named)


def test_the_same_answer_for_the_same_seed() -> None:
    truth = np.arange(80) % 2
    made = dataset(_flipped(truth, [9], 1, 2).tolist())
    assert find_label_errors(made, looks(truth), seed=1) == find_label_errors(made, looks(truth), seed=1)

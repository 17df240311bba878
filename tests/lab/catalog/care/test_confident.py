"""Confident learning agrees with cleanlab on the same probabilities, and does what the paper says."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from osler.core.arrays import Array
from osler.lab.catalog.care.confident import confident_joint, doubt_labels, expected_confidence


def _noisy(seed: int, classes: int, cases: int, *, sharp: float) -> tuple[Array, Array]:
    """Labels of which a twelfth is wrong, and probabilities of a model that is right mostly."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, cases)
    scores = random.normal(size=(cases, classes)) + sharp * np.eye(classes)[truth]
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    wrong = random.random(cases) < 1 / 12
    return np.where(wrong, (truth + random.integers(1, classes, cases)) % classes, truth), probabilities


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("sharp", [1.0, 2.5, 5.0])
def test_the_same_issues_and_order_as_cleanlab(classes: int, sharp: float) -> None:
    filters = pytest.importorskip("cleanlab.filter")
    for seed in range(8):
        labels, probabilities = _noisy(seed, classes, 160 + 40 * classes, sharp=sharp)
        ours = doubt_labels(labels, probabilities)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = filters.find_label_issues(
                labels, probabilities, return_indices_ranked_by="self_confidence", n_jobs=1
            )
        assert len(ours.order) == len(theirs)
        # Where a count lies half-way, the last bit of a float decides which pair of classes gets the case.
        apart = set(ours.order) ^ set(theirs)
        assert len(apart) <= 2
        assert [row for row in ours.order if row not in apart] == [row for row in theirs if row not in apart]


def test_the_same_joint_as_cleanlab() -> None:
    count = pytest.importorskip("cleanlab.count")
    labels, probabilities = _noisy(3, 4, 300, sharp=2.0)
    theirs = count.compute_confident_joint(labels, probabilities)
    ours = confident_joint(labels, probabilities, expected_confidence(labels, probabilities))
    assert np.array_equal(ours, theirs)


@given(some.integers(0, 10_000), some.integers(2, 6), some.integers(5, 80))
def test_the_joint_keeps_the_number_of_each_label(seed: int, classes: int, cases: int) -> None:
    labels, probabilities = _noisy(seed, classes, cases, sharp=1.0)
    doubt = doubt_labels(labels, probabilities)
    assert np.array_equal(doubt.joint.sum(axis=1), np.bincount(labels, minlength=classes))
    assert 0 <= doubt.noise <= 1
    # No case is doubted whose own class is the likeliest, and no class loses its last case.
    assert not (doubt.issue & (probabilities.argmax(axis=1) == labels)).any()
    assert set(labels[~doubt.issue]) == set(labels)
    assert sorted(doubt.order) == np.flatnonzero(doubt.issue).tolist()


def test_a_flat_model_doubts_nothing() -> None:
    labels = np.array([0, 1] * 20)
    doubt = doubt_labels(labels, np.full((40, 2), 0.5))
    assert not doubt.issue.any()


def test_a_class_without_cases_takes_part_in_nothing() -> None:
    labels, probabilities = _noisy(1, 2, 60, sharp=3.0)
    wider = np.column_stack([probabilities * 0.9, np.full(60, 0.1)])
    doubt = doubt_labels(labels, wider)
    assert np.isinf(doubt.expected[2])
    assert doubt.joint[2].sum() == 0 and doubt.joint[:, 2].sum() == 0

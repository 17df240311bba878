"""Nobody is judged by what was learnt from him, and the quick sums are those of the slow ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from osler.lab.catalog.care.out_of_fold import area_under_curve, deal, guess, to_probabilities


@given(some.lists(some.integers(0, 12), min_size=1, max_size=60), some.integers(0, 99))
def test_patients_stay_whole(owners: list[int], seed: int) -> None:
    strata = np.array(owners) % 3
    folds = deal([str(owner) for owner in owners], strata, seed=seed, folds=4)
    assert all(len({fold for fold, o in zip(folds, owners, strict=True) if o == owner}) == 1 for owner in owners)


def test_each_class_is_spread_evenly() -> None:
    strata = np.array([0] * 50 + [1] * 20)
    folds = deal([str(n) for n in range(70)], strata, seed=0, folds=5)
    for stratum, each in ((0, 10), (1, 4)):
        assert np.bincount(folds[strata == stratum], minlength=5).tolist() == [each] * 5


def test_the_same_as_ridge_regression_with_a_kernel_fitted_anew() -> None:
    kernels = pytest.importorskip("sklearn.kernel_ridge")
    random = np.random.default_rng(0)
    features, targets = random.normal(size=(90, 7)), random.normal(size=(90, 2))
    folds = np.arange(90) % 6
    found = guess(features, targets, folds)
    gamma = 0.5 / (features**2).sum(axis=1).mean()
    for fold in range(6):
        out = folds == fold
        mean = targets[~out].mean(axis=0)
        model = kernels.KernelRidge(alpha=0.1, kernel="rbf", gamma=gamma).fit(features[~out], targets[~out] - mean)
        assert np.allclose(found[out], model.predict(features[out]) + mean, atol=1e-4)


def test_fewer_landmarks_say_nearly_the_same() -> None:
    random = np.random.default_rng(1)
    features = random.normal(size=(300, 3))
    targets = np.sin(features[:, :1])
    folds = np.arange(300) % 5
    whole, coarse = guess(features, targets, folds), guess(features, targets, folds, landmarks=100)
    assert np.corrcoef(whole[:, 0], coarse[:, 0])[0, 1] > 0.99


def test_a_case_does_not_hear_its_own_label() -> None:
    random = np.random.default_rng(2)
    features, labels = random.normal(size=(60, 4)), random.integers(0, 2, 60)
    folds = deal([str(n // 2) for n in range(60)], labels, seed=0)
    targets = np.eye(2)[labels]
    first = guess(features, targets, folds)
    turned = targets.copy()
    out = folds == folds[0]
    turned[out] = 1 - turned[out]
    assert np.allclose(guess(features, turned, folds)[out], first[out], atol=1e-8)


def test_probabilities_add_up_and_are_calibrated() -> None:
    random = np.random.default_rng(3)
    labels = random.integers(0, 2, 4000)
    scores = np.column_stack([-labels, labels]) + random.normal(size=(4000, 1)) * [[-1, 1]]
    found = to_probabilities(scores, labels, np.arange(4000) % 10)
    assert np.allclose(found.sum(axis=1), 1)
    sure = (found[:, 1] > 0.7) & (found[:, 1] < 0.8)
    assert abs(labels[sure].mean() - found[sure, 1].mean()) < 0.05


def test_the_area_is_the_one_of_sklearn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(5)
    positive = random.random(200) < 0.3
    scores = np.round(positive + random.normal(size=200), 1)  # with ties
    area, error = area_under_curve(scores, positive)
    assert area == pytest.approx(metrics.roc_auc_score(positive, scores))
    # The spread over new draws of the same kind.
    drawn = []
    for _ in range(400):
        fresh = random.random(200) < 0.3
        drawn.append(area_under_curve(fresh + random.normal(size=200), fresh)[0])
    assert error == pytest.approx(np.std(drawn), rel=0.25)
    assert np.isnan(area_under_curve(scores, np.ones(200, bool))[0])

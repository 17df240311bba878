import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from osler.lab.evaluate.calibration import brier_parts, debiased_ece, recalibration
from osler.lab.evaluate.classification import brier, ece
from osler.lab.evaluate.evaluate import score


def said_and_so(cases=400, bend=1.0, seed=0):
    random = np.random.default_rng(seed)
    said = random.random(cases) * 0.98 + 0.01
    return said, (random.random(cases) < said**bend).astype(float)


@given(st.integers(1, 60), st.integers(0, 10_000), st.integers(1, 12))
def test_the_parts_add_up_to_the_brier_score(cases, seed, bins):
    random = np.random.default_rng(seed)
    said, so = random.integers(0, 9, cases) / 8, random.integers(0, 2, cases)
    weights = random.integers(0, 4, (3, cases)).astype(float)
    weights[:, 0] += 1
    reliability, resolution, uncertainty = brier_parts(said, so, weights, bins=bins)
    assert reliability - resolution + uncertainty == pytest.approx(brier(said, so, weights), abs=1e-12)
    assert (reliability >= -1e-12).all() and (uncertainty <= 0.25 + 1e-12).all()


def test_the_parts_by_hand():
    said, so = np.array([0.2, 0.2, 0.8, 0.8]), np.array([0, 1, 1, 1])
    reliability, resolution, uncertainty = brier_parts(said, so, bins=2)
    assert reliability == pytest.approx((2 * 0.3**2 + 2 * 0.2**2) / 4)
    assert resolution == pytest.approx(0.25**2)
    assert uncertainty == pytest.approx(0.75 * 0.25)


def test_a_calibrated_model_has_less_debiased_ece_than_ece():
    seen = [said_and_so(200, seed=seed) for seed in range(40)]
    plain = np.mean([ece(said, so) for said, so in seen])
    debiased = np.mean([debiased_ece(said, so) for said, so in seen])
    assert plain > 0.05 and debiased < 0.65 * plain
    said, so = said_and_so(4000, bend=3.0)
    assert debiased_ece(said, so) == pytest.approx(ece(said, so), abs=0.005)


def test_slope_and_intercept_are_those_of_scikit_learn_and_of_brute_force():
    said, so = said_and_so(bend=1.7)
    logit = np.log(said / (1 - said))
    weights = np.random.default_rng(1).integers(0, 3, (4, len(so))).astype(float)
    slope, intercept = recalibration(said, so, weights)
    for row in range(4):
        fitted = LogisticRegression(C=1e12, tol=1e-10).fit(logit[:, None], so, sample_weight=weights[row])
        assert slope[row] == pytest.approx(fitted.coef_[0, 0], rel=1e-3)

        def loss(a, row=row):
            p = 1 / (1 + np.exp(-(logit + a[0])))
            return -(weights[row] * (so * np.log(p) + (1 - so) * np.log1p(-p))).sum()

        assert intercept[row] == pytest.approx(minimize(loss, [0.0]).x[0], abs=1e-3)


def test_saturated_probabilities_are_recalibrated_too():
    random = np.random.default_rng(3)
    logit = random.normal(8, 6, 300)  # nearly all said to be certain, and often wrong
    said = 1 / (1 + np.exp(-logit))
    so = (random.random(300) < 1 / (1 + np.exp(-(logit - 5) / 2))).astype(float)
    slope, intercept = recalibration(said, so)
    assert slope == pytest.approx(0.5, abs=0.15) and intercept < -3


@pytest.mark.parametrize(
    ("said", "so"),
    [([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]), ([0.5, 0.6], [1, 1]), ([0.3] * 4, [0, 1, 0, 1])],
    ids=["parted wholly", "one class", "one number"],
)
def test_there_is_no_slope_where_none_can_be(said, so):
    slope, _ = recalibration(np.array(said), np.array(so))
    assert np.isnan(slope)


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "ordinal"])
def test_every_task_of_classes_says_how_it_is_calibrated(task, made_up):
    found = score(made_up(task, cases=200, skill=1.0), split="test").metrics
    names = {"ece_debiased", "brier_reliability", "brier_resolution", "brier_uncertainty", "calibration_slope"}
    assert names | {"calibration_intercept"} <= set(found)
    parts = [found[f"brier_{name}"].value for name in ("reliability", "resolution", "uncertainty")]
    assert parts[0] - parts[1] + parts[2] == pytest.approx(found["brier"].value)
    assert ("ece_classwise" in found) == (task in ("multiclass", "ordinal"))
    assert np.isfinite(found["calibration_slope"].value)


def test_constant_probabilities_have_numbers_where_they_can(made_up):
    from osler.lab.evaluate.answers import Answers

    them = made_up("binary")
    flat = Answers(
        "binary", them.classes, them.ids, them.patients, np.full((len(them.ids), 2), 0.5), truth=them.truth
    )
    found = score(flat, split="test").metrics
    assert found["auc"].value == 0.5 and found["brier"].value == pytest.approx(0.25)
    assert found["brier_resolution"].value == pytest.approx(0)
    assert found["calibration_slope"].to_json()["value"] is None

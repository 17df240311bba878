import time

import numpy as np
import pytest

from osler.lab.evaluate.classification import auc
from osler.statistics import intervals
from osler.statistics.weighted import mean


def test_a_patient_brings_all_cases_along():
    patients = ["a", "a", "b", "c", "c", "c"]
    weights = np.concatenate(list(intervals.patient_weights(patients, resamples=500, seed=1)))
    assert weights.shape == (500, 6)
    assert (weights[:, 0] == weights[:, 1]).all() and (weights[:, 3] == weights[:, 5]).all()
    assert (weights[:, [0, 2, 3]].sum(1) == 3).all()
    assert weights[:, 0].mean() == pytest.approx(1, abs=0.1)


def test_the_interval_of_a_mean_is_that_of_the_textbook():
    x = np.random.default_rng(0).normal(10, 2, 400)
    found = intervals.bootstrap(lambda w: {"mean": mean(x, w)}, [str(i) for i in range(400)])["mean"]
    half = 1.96 * x.std() / 20
    assert found.value == pytest.approx(x.mean())
    assert (found.low, found.high) == pytest.approx((x.mean() - half, x.mean() + half), abs=0.03)


def test_copies_of_the_same_patients_do_not_narrow_the_interval():
    x = np.random.default_rng(0).normal(10, 2, 100)
    names = [str(i) for i in range(100)]
    once = intervals.bootstrap(lambda w: {"m": mean(x, w)}, names)["m"]
    ten = intervals.bootstrap(lambda w: {"m": mean(np.repeat(x, 10), w)}, np.repeat(names, 10).tolist())["m"]
    assert (ten.low, ten.high) == pytest.approx((once.low, once.high))


def test_the_same_seed_says_the_same_however_the_work_is_cut(monkeypatch):
    x, names = np.random.default_rng(0).random(50), [str(i % 20) for i in range(50)]
    whole = intervals.bootstrap(lambda w: {"m": mean(x, w)}, names, seed=3)
    monkeypatch.setattr(intervals, "_BLOCK", 50 * 7)
    assert intervals.bootstrap(lambda w: {"m": mean(x, w)}, names, seed=3) == whole
    assert intervals.bootstrap(lambda w: {"m": mean(x, w)}, names, seed=4) != whole


def test_resamples_without_a_value_are_left_out_and_counted():
    scores, truth = np.array([0.9, 0.1, 0.2, 0.3]), np.array([1, 0, 0, 0])
    found = intervals.bootstrap(lambda w: {"auc": auc(scores, truth, w)}, list("abcd"))["auc"]
    # Neither without the one positive patient, (3/4)^4, nor with that one alone, (1/4)^4.
    assert found.undefined / 2000 == pytest.approx(0.75**4 + 0.25**4, abs=0.03)
    assert (found.value, found.low, found.high) == (1, 1, 1)
    assert found.to_json()["undefined"] == found.undefined


def test_one_patient_has_no_interval_and_an_undefined_metric_no_value():
    one = intervals.bootstrap(lambda w: {"m": mean(np.array([1.0, 2.0]), w)}, ["a", "a"])["m"]
    assert one.to_json() == {"value": 1.5, "low": None, "high": None}
    none = intervals.bootstrap(lambda w: {"m": mean(np.full(3, np.nan), w)}, list("abc"))["m"]
    assert none.to_json() == {"value": None, "low": None, "high": None, "undefined": 2000}


def test_intervals_hold_the_true_value_about_as_often_as_they_say():
    held = 0
    for seed in range(200):
        x = np.random.default_rng(seed).random(60) < 0.8
        found = intervals.bootstrap(lambda w, x=x: {"m": mean(x, w)}, [str(i) for i in range(60)], resamples=400)[
            "m"
        ]
        held += found.low <= 0.8 <= found.high
    assert 0.88 <= held / 200 <= 0.99


def test_auc_of_600_cases_and_1000_resamples_takes_no_time():
    random = np.random.default_rng(0)
    scores, truth = random.random(600), random.random(600) < 0.6
    start = time.perf_counter()
    intervals.bootstrap(lambda w: {"auc": auc(scores, truth, w)}, [str(i) for i in range(600)], resamples=1000)
    assert time.perf_counter() - start < 3

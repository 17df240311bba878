"""C-index, AUC over time and Brier score against brute force, and against what is known without a formula."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.lab.risk import metrics


def some(seed: int, many: int = 25):
    draw = np.random.default_rng(seed)
    time = np.ceil(draw.exponential(10, many))
    return time, draw.random(many) < 0.6, np.round(draw.random(many), 1)


def brute_c(time, event, risk):
    right = pairs = 0.0
    for i in range(len(time)):
        for j in range(len(time)):
            later = time[i] < time[j] or (time[i] == time[j] and not event[j] and i != j)
            if event[i] and later:
                pairs += 1
                right += (risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j])
    return right / pairs


ONE = np.ones((1, 25))


@given(st.integers(0, 300))
def test_harrell_by_brute_force(seed):
    time, event, risk = some(seed)
    if event.sum() > 1:
        assert metrics.harrell(time, event, risk, ONE)[0] == pytest.approx(brute_c(time, event, risk))


@given(st.integers(0, 100))
def test_the_order_of_patients_changes_nothing(seed):
    time, event, risk = some(seed)
    order = np.random.default_rng(seed).permutation(25)
    for measure in (
        metrics.harrell,
        lambda *a: metrics.uno(*a, until=12.0),
        lambda *a: metrics.auc_at(*a, at=8.0),
    ):
        one, other = measure(time, event, risk, ONE), measure(time[order], event[order], risk[order], ONE)
        assert one == pytest.approx(other, nan_ok=True)


def test_a_weight_of_two_is_a_patient_who_is_there_twice():
    time, event, risk = some(5)
    weights = ONE.copy()
    weights[0, :5] = 2
    twice = [np.concatenate([x, x[:5]]) for x in (time, event, risk)]
    for measure in (
        lambda *a: metrics.brier_at(*a, at=8.0),
        lambda *a: metrics.auc_at(*a, at=8.0),
        lambda *a: metrics.observed_over_expected(*a, at=8.0),
    ):
        assert measure(time, event, risk, weights) == pytest.approx(measure(*twice, np.ones((1, 30))))


def test_without_loss_uno_is_harrell_and_the_others_are_the_usual_ones():
    from sklearn.metrics import brier_score_loss, roc_auc_score

    draw = np.random.default_rng(1)
    time, risk = draw.exponential(10, 60), draw.random(60)
    event, one = np.ones(60, bool), np.ones((1, 60))
    whole = metrics.uno(time, event, risk, one, until=time.max())
    assert whole == pytest.approx(metrics.harrell(time, event, risk, one))
    so = time <= 7
    assert metrics.auc_at(time, event, risk, one, at=7.0)[0] == pytest.approx(roc_auc_score(so, risk))
    assert metrics.brier_at(time, event, risk, one, at=7.0)[0] == pytest.approx(brier_score_loss(so, risk))
    expected = so.mean() / risk.mean()
    assert metrics.observed_over_expected(time, event, risk, one, at=7.0)[0] == pytest.approx(expected)


def test_weighting_makes_up_for_the_lost():
    """With a third lost at random, the Brier score and AUC stay near those of everybody."""
    draw = np.random.default_rng(2)
    many, ratio = 4000, draw.normal(size=4000)
    time, lost = draw.exponential(np.exp(-ratio)), draw.uniform(0, 2.5, 4000)
    risk, one = 1 - np.exp(-np.exp(ratio)), np.ones((1, many))
    seen, event = np.minimum(time, lost), time <= lost
    everybody = np.ones(many, bool)
    for measure in (metrics.brier_at, metrics.auc_at):
        full = measure(time, everybody, risk, one, at=1.0)[0]
        assert measure(seen, event, risk, one, at=1.0)[0] == pytest.approx(full, abs=0.015)


def test_the_integrated_score_is_the_mean_of_the_scores():
    time, event, risk = some(3)
    grid = np.array([4.0, 6.0, 10.0])
    each = [metrics.brier_at(time, event, risk, ONE, at=at)[0] for at in grid]
    expected = ((each[0] + each[1]) / 2 * 2 + (each[1] + each[2]) / 2 * 4) / 6
    found = metrics.integrated_brier(time, event, np.repeat(risk[:, None], 3, 1), ONE, grid=grid)
    assert found[0] == pytest.approx(expected)


def test_what_cannot_be_had_is_nan():
    time, event, risk = some(0)
    assert np.isnan(metrics.auc_at(time, event, risk, ONE, at=0.5)[0])
    assert np.isnan(metrics.harrell(time, np.zeros(25, bool), risk, ONE)[0])

"""Cox's likelihood by hand, by brute force, and what must not change it."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.core.errors import BadDataset
from osler.lab.risk.cox import RiskSets, fit_cox


def patients(seed: int, many: int = 40, columns: int = 2, *, ties: bool = True):
    draw = np.random.default_rng(seed)
    rows = draw.normal(size=(many, columns))
    time = draw.exponential(size=many) * np.exp(-rows[:, 0])
    return rows, np.ceil(time * 5) if ties else time, draw.random(many) < 0.7


def by_hand(rows, time, event, weights):
    """Efron's log likelihood, written as the paper has it: one factor for each event."""
    total = 0.0
    for at in sorted(set(time[event])):
        tied = np.flatnonzero(event & (time == at))
        there = np.exp(rows[time >= at] @ weights).sum()
        mine = np.exp(rows[tied] @ weights).sum()
        total += (rows[tied] @ weights).sum()
        total -= sum(np.log(there - k / len(tied) * mine) for k in range(len(tied)))
    return total


def test_two_patients_have_the_likelihood_of_one_choice():
    """One of two had the event first: exp(w x1) / (exp(w x1) + exp(w x2)); the second event has no choice."""
    rows, time, event = np.array([[1.0], [0.0]]), np.array([1.0, 2.0]), np.array([True, True])
    value, slope, curve = RiskSets(time, event).likelihood(rows, np.array([0.3]))
    share = np.exp(0.3) / (np.exp(0.3) + 1)
    assert value == pytest.approx(np.log(share))
    assert slope[0] == pytest.approx(1 - share)
    assert curve[0, 0] == pytest.approx(share * (1 - share))


def test_ties_of_three_by_efron_by_hand():
    """Three of four at one time, weight 0: 1 / (4 * 3 * 2) by Efron, where Breslow would have 1 / 64."""
    rows, time = np.zeros((4, 1)), np.array([5.0, 5.0, 5.0, 9.0])
    event = np.array([True, True, True, False])
    assert RiskSets(time, event).value(rows, np.zeros(1)) == pytest.approx(-np.log(4 * 3 * 2))
    fit = fit_cox(rows, time, event)
    assert fit.hazard[0] == pytest.approx(1 / 4 + 1 / 3 + 1 / 2) and fit.times.tolist() == [5.0]


@given(st.integers(0, 1000), st.lists(st.floats(-2, 2), min_size=2, max_size=2))
def test_the_likelihood_is_that_of_the_paper(seed, weights):
    rows, time, event = patients(seed, 15)
    if event.any():
        value, slope, _ = RiskSets(time, event).likelihood(rows, np.array(weights))
        assert value == pytest.approx(by_hand(rows, time, event, np.array(weights)), abs=1e-8)
        assert RiskSets(time, event).value(rows, np.array(weights)) == pytest.approx(value)
        step = np.array([1e-5, 0.0])
        numeric = by_hand(rows, time, event, weights + step) - by_hand(rows, time, event, weights - step)
        assert slope[0] == pytest.approx(numeric / 2e-5, abs=1e-4)


def test_the_second_derivative_is_that_of_the_slope():
    rows, time, event = patients(3)
    sets, at = RiskSets(time, event), np.array([0.4, -0.2])
    _, _, curve = sets.likelihood(rows, at)
    for column in range(2):
        step = np.zeros(2)
        step[column] = 1e-5
        numeric = sets.likelihood(rows, at - step)[1] - sets.likelihood(rows, at + step)[1]
        assert curve[column] == pytest.approx(numeric / 2e-5, abs=1e-4)


@given(st.integers(0, 200))
def test_the_order_of_patients_changes_nothing(seed):
    rows, time, event = patients(seed)
    event[0] = True
    order = np.random.default_rng(seed).permutation(len(time))
    one, other = fit_cox(rows, time, event, ridge=1.0), fit_cox(rows[order], time[order], event[order], ridge=1.0)
    assert one.weights == pytest.approx(other.weights, abs=1e-6)
    assert one.hazard == pytest.approx(other.hazard, rel=1e-5)


@given(st.integers(0, 50), st.floats(0.2, 5))
def test_a_scaled_column_scales_its_weight(seed, by):
    rows, time, event = patients(seed)
    one, other = fit_cox(rows, time, event), fit_cox(rows * np.array([by, 1.0]), time, event)
    assert other.weights[0] * by == pytest.approx(one.weights[0], abs=1e-5)
    assert other.weights[1] == pytest.approx(one.weights[1], abs=1e-5)


def test_the_best_weight_is_best_among_its_neighbours():
    rows, time, event = patients(1)
    fit = fit_cox(rows, time, event, ridge=2.0)
    for shift in itertools.product((-0.05, 0.0, 0.05), repeat=2):
        w = fit.weights + shift
        assert by_hand(rows, time, event, w) - w @ w <= fit.likelihood - fit.weights @ fit.weights + 1e-9


def test_a_strong_ridge_holds_all_weights_back():
    rows, time, event = patients(2)
    free, held = fit_cox(rows, time, event), fit_cox(rows, time, event, ridge=1e6)
    assert np.abs(held.weights).max() < 1e-3 < np.abs(free.weights).max()


def test_nobody_with_the_event_and_parted_patients_are_refused():
    rows, time, _ = patients(0)
    with pytest.raises(BadDataset, match="Nobody had the event"):
        fit_cox(rows, time, np.zeros(len(time), bool))
    parted, order = np.arange(8.0)[:, None] * 4, np.arange(8.0)[::-1]
    with pytest.raises(BadDataset, match="parts those with the event"):
        fit_cox(parted, order, np.ones(8, bool))
    assert np.isfinite(fit_cox(parted, order, np.ones(8, bool), ridge=1.0).weights).all()


def test_known_weights_are_found_and_their_intervals_hold_them():
    truth, held = np.array([0.6, -0.4]), []
    for seed in range(40):
        draw = np.random.default_rng(seed)
        rows = draw.normal(size=(300, 2))
        time, lost = draw.exponential(np.exp(-rows @ truth)), draw.exponential(2.0, 300)
        fit = fit_cox(rows, np.minimum(time, lost), time <= lost)
        held.append(np.abs(fit.weights - truth) <= 1.96 * np.sqrt(np.diag(fit.covariance)))
    assert 0.88 <= np.mean(held) <= 1.0

"""Each metric against an independent one: scikit-learn, a loop over cases, or a closed form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from osler.core.errors import AskedWrongly
from osler.lab.evaluate import classification as ours


@st.composite
def scored(draw, most=40):
    """Scores with ties, truth with both classes, and how often each case counts (0 to 3)."""
    cases = draw(st.integers(4, most))
    scores = np.array(draw(st.lists(st.integers(0, 8), min_size=cases, max_size=cases))) / 8
    truth = np.array(draw(st.lists(st.booleans(), min_size=cases, max_size=cases)))
    counts = np.array(draw(st.lists(st.integers(0, 3), min_size=cases, max_size=cases)))
    truth[:2], counts[:2] = (True, False), 1
    return scores, truth, counts


@given(scored())
@settings(max_examples=80, deadline=None)
def test_auc_and_average_precision_are_those_of_scikit_learn_with_ties_and_repeated_cases(case):
    scores, truth, counts = case
    again = np.repeat(np.arange(len(scores)), counts)
    assert ours.auc(scores, truth, counts.astype(float)) == pytest.approx(
        sk.roc_auc_score(truth[again], scores[again])
    )
    assert ours.pr_auc(scores, truth, counts.astype(float)) == pytest.approx(
        sk.average_precision_score(truth[again], scores[again])
    )


@given(scored())
@settings(max_examples=40, deadline=None)
def test_a_row_of_weights_says_the_same_as_repeating_the_cases(case):
    scores, truth, counts = case
    again = np.repeat(np.arange(len(scores)), counts)
    weights = np.stack([np.ones(len(scores)), counts])
    for metric in (ours.auc, ours.pr_auc, ours.sensitivity, ours.specificity, ours.brier, ours.nll, ours.ece):
        first = scores > 0.5 if metric in (ours.sensitivity, ours.specificity) else scores
        whole, repeated = metric(first, truth, weights)
        assert whole == pytest.approx(float(metric(first, truth)))
        assert repeated == pytest.approx(float(metric(first[again], truth[again])))


def test_one_class_only_is_not_defined():
    scores = np.array([0.1, 0.9])
    for truth in (np.array([True, True]), np.array([False, False])):
        assert np.isnan(ours.auc(scores, truth)) and np.isnan(ours.pr_auc(scores, truth))
    assert np.isnan(ours.sensitivity(scores > 0.5, np.array([False, False])))
    assert np.isnan(ours.specificity(scores > 0.5, np.array([True, True])))


def test_brier_and_log_loss_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    p, truth = random.dirichlet([1, 1, 1], 60), random.integers(3, size=60)
    hot = np.eye(3)[truth]
    assert ours.brier(p, hot) == pytest.approx(((p - hot) ** 2).sum(1).mean())
    assert ours.nll(p, hot) == pytest.approx(sk.log_loss(truth, p))
    two = p[:, 0]
    assert ours.brier(two, truth == 0) == pytest.approx(sk.brier_score_loss(truth == 0, two))
    assert ours.nll(two, truth == 0) == pytest.approx(sk.log_loss(truth == 0, two))


def test_log_loss_of_a_sure_mistake_is_finite():
    assert ours.nll(np.array([0.0]), np.array([1])) == pytest.approx(-np.log(1e-7))


def test_ece_is_the_loop_over_equal_count_bins():
    random = np.random.default_rng(1)
    p = random.random(200)
    right = random.random(200) < p**2
    order, expected = np.argsort(p), 0.0
    for inside in np.array_split(order, 10):
        expected += len(inside) / 200 * abs(p[inside].mean() - right[inside].mean())
    assert ours.ece(p, right) == pytest.approx(expected)
    rows = ours.reliability(p, right)
    assert sum(row.cases for row in rows) == 200
    assert sum(row.cases / 200 * abs(row.said - row.so) for row in rows) == pytest.approx(expected)
    assert all(0 <= row.low <= row.so <= row.high <= 1 for row in rows)


def test_a_model_that_says_one_number_is_judged_by_that_number():
    right = np.arange(100) < 70
    assert ours.ece(np.full(100, 0.7), right) == pytest.approx(0)
    assert ours.ece(np.full(100, 0.9), right) == pytest.approx(0.2)


def test_wilson_interval_is_that_of_the_textbook():
    row = ours.reliability(np.full(10, 0.5), np.arange(10) < 8, bins=1)[0]
    assert (row.low, row.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_curves_enclose_the_areas_and_keep_their_ends():
    random = np.random.default_rng(2)
    truth = random.random(3000) < 0.3
    scores = random.normal(truth, 1.0)
    x, y = ours.roc_curve(scores, truth)
    assert len(x) <= 200 and (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(y, x) == pytest.approx(float(ours.auc(scores, truth)), abs=2e-3)
    recall, precision = ours.pr_curve(scores, truth)
    assert recall[-1] == 1 and precision[-1] == pytest.approx(truth.mean())


@given(scored(), st.floats(0.05, 1.0, exclude_max=True))  # a promise of 1 is refused
@settings(max_examples=60, deadline=None)
def test_operating_points_keep_their_word(case, wanted):
    scores, truth, _ = case
    chosen = ours.choose_operating_point(scores, truth, sensitivity=wanted)
    assert ours.sensitivity(scores >= chosen, truth) >= wanted - 1e-9
    candidates = np.append(np.unique(scores), 2.0)
    strict = [one for one in candidates if ours.sensitivity(scores >= one, truth) >= wanted - 1e-9]
    assert ours.specificity(scores >= chosen, truth) == pytest.approx(
        max(float(ours.specificity(scores >= one, truth)) for one in strict)
    )
    youden = ours.choose_operating_point(scores, truth)
    best = max(
        float(ours.sensitivity(scores >= one, truth) + ours.specificity(scores >= one, truth))
        for one in candidates
    )
    reached = ours.sensitivity(scores >= youden, truth) + ours.specificity(scores >= youden, truth)
    assert reached == pytest.approx(best)


def test_an_operating_point_needs_both_classes():
    with pytest.raises(AskedWrongly):
        ours.choose_operating_point(np.array([0.2, 0.4]), np.array([1, 1]))

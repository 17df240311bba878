"""Kappa against scikit-learn, bounds against scipy, permutation against what is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import cohen_kappa_score

from osler.clinic.assessment.agreement import (
    estimate,
    holm,
    mean_of,
    permutation_p,
    person_weights,
    weighted_kappa,
)
from osler.lab.evaluate import subgroups

GRADES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=40)


@given(GRADES, st.integers(0, 99))
def test_kappa_is_that_of_scikit_learn(pairs, seed):
    first, second = np.array(pairs).T
    weights = np.random.default_rng(seed).integers(0, 4, (3, len(pairs))).astype(float)
    for row, found in zip(weights, weighted_kappa(first, second, 5, weights), strict=True):
        if row.sum() and len({*first[row > 0], *second[row > 0]}) > 1:
            wanted = cohen_kappa_score(first, second, weights="quadratic", sample_weight=row, labels=range(5))
            assert found == pytest.approx(wanted, abs=1e-9)
        else:
            assert np.isnan(found)


@pytest.mark.parametrize(("wins", "n"), [(0, 10), (10, 10), (0, 33), (33, 33)])
def test_a_share_of_none_or_all_has_the_exact_bound(wins, n):
    values = np.full(n, wins == n)
    found = estimate(lambda w: mean_of(values, w), [str(i) for i in range(n)], share=True)
    exact = binomtest(wins, n).proportion_ci(0.95, method="exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-9)
    assert (found.persons, found.cases) == (n, n)


def test_two_cases_of_one_person_are_one_witness():
    values = np.repeat(np.random.default_rng(1).random(30) < 0.4, 4)
    alone = estimate(lambda w: mean_of(values, w), [str(i) for i in range(120)], share=True)
    grouped = estimate(lambda w: mean_of(values, w), [str(i // 4) for i in range(120)], share=True)
    assert alone.value == grouped.value and (grouped.persons, grouped.cases) == (30, 120)
    assert grouped.high - grouped.low > 1.6 * (alone.high - alone.low)


def test_an_interval_of_a_mean_covers_as_often_as_it_says():
    rng, hits = np.random.default_rng(3), 0
    for seed in range(100):
        values = rng.normal(0.3, 1, 40)
        found = estimate(lambda w, values=values: mean_of(values, w), [str(i) for i in range(40)], seed=seed)
        hits += found.low <= 0.3 <= found.high
    assert 0.88 <= hits / 100 <= 0.99


def test_weights_bring_all_cases_of_a_person_along():
    weights = person_weights(["a", "b", "a", "c"], 50, 0)
    assert (weights[:, 0] == weights[:, 2]).all() and weights.shape == (50, 4)
    assert set((weights[:, 0] + weights[:, 1] + weights[:, 3]).tolist()) == {3.0}


def test_nothing_and_one_person_have_no_interval():
    assert estimate(lambda w: mean_of(np.zeros(0), w), []).cases == 0
    assert np.isnan(estimate(lambda w: mean_of(np.ones(3), w), ["a"] * 3).low)
    same = np.array([0, 1, 2] * 5)
    assert np.isnan(estimate(lambda w: weighted_kappa(same, same, 5, w), [str(i) for i in range(15)]).low)


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_is_that_of_the_lab(p):
    assert holm(p) == pytest.approx(subgroups.holm(p))


def test_p_is_even_where_nothing_differs_and_small_where_it_does():
    rng = np.random.default_rng(5)
    persons = [str(i) for i in range(60)]
    inside, strata = np.arange(60) % 2 == 0, np.zeros(60)
    by_chance = []
    for seed in range(150):
        values = rng.normal(size=60)
        by_chance.append(
            permutation_p(lambda w, v=values: mean_of(v, w), persons, inside, strata, permutations=99, seed=seed)
        )
    assert 0.0 < np.mean(np.array(by_chance) <= 0.1) < 0.2
    apart = np.where(inside, 1.0, 0.0)
    assert permutation_p(lambda w: mean_of(apart, w), persons, inside, strata) == pytest.approx(1 / 2000)


def test_a_more_severe_group_does_not_look_treated_otherwise():
    # Overruling happens in all of grade 1 and none of grade 0; the group has more of grade 1, and nothing else.
    grade = np.array([1] * 24 + [0] * 6 + [1] * 6 + [0] * 24)
    inside = np.arange(60) < 30
    persons = [str(i) for i in range(60)]
    values = grade.astype(float)
    assert permutation_p(lambda w: mean_of(values, w), persons, inside, grade) > 0.9
    assert permutation_p(lambda w: mean_of(values, w), persons, inside, np.zeros(60)) < 0.01

"""Bounds against scipy, permutation against what is known."""

import numpy as np
import pytest
from scipy.stats import binomtest

from osler.clinic.assessment.agreement import estimate, permutation_p
from osler.statistics.grades import qwk
from osler.statistics.weighted import mean


@pytest.mark.parametrize(("wins", "n"), [(0, 10), (10, 10), (0, 33), (33, 33)])
def test_a_share_of_none_or_all_has_the_exact_bound(wins, n):
    values = np.full(n, wins == n)
    found = estimate(lambda w: mean(values, w), [str(i) for i in range(n)], share=True)
    exact = binomtest(wins, n).proportion_ci(0.95, method="exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-9)
    assert (found.persons, found.cases) == (n, n)


def test_two_cases_of_one_person_are_one_witness():
    values = np.repeat(np.random.default_rng(1).random(30) < 0.4, 4)
    alone = estimate(lambda w: mean(values, w), [str(i) for i in range(120)], share=True)
    grouped = estimate(lambda w: mean(values, w), [str(i // 4) for i in range(120)], share=True)
    assert alone.value == grouped.value and (grouped.persons, grouped.cases) == (30, 120)
    assert grouped.high - grouped.low > 1.6 * (alone.high - alone.low)


def test_an_interval_of_a_mean_covers_as_often_as_it_says():
    rng, hits = np.random.default_rng(3), 0
    for seed in range(100):
        values = rng.normal(0.3, 1, 40)
        found = estimate(lambda w, values=values: mean(values, w), [str(i) for i in range(40)], seed=seed)
        hits += found.low <= 0.3 <= found.high
    assert 0.88 <= hits / 100 <= 0.99


def test_nothing_and_one_person_have_no_interval():
    assert estimate(lambda w: mean(np.zeros(0), w), []).cases == 0
    assert np.isnan(estimate(lambda w: mean(np.ones(3), w), ["a"] * 3).low)
    same = np.array([0, 1, 2] * 5)
    assert np.isnan(estimate(lambda w: qwk(same, same, 5, w), [str(i) for i in range(15)]).low)


def test_p_is_even_where_nothing_differs_and_small_where_it_does():
    rng = np.random.default_rng(5)
    persons = [str(i) for i in range(60)]
    inside, strata = np.arange(60) % 2 == 0, np.zeros(60)
    by_chance = []
    for seed in range(150):
        values = rng.normal(size=60)
        by_chance.append(
            permutation_p(lambda w, v=values: mean(v, w), persons, inside, strata, permutations=99, seed=seed)
        )
    assert 0.0 < np.mean(np.array(by_chance) <= 0.1) < 0.2
    apart = np.where(inside, 1.0, 0.0)
    assert permutation_p(lambda w: mean(apart, w), persons, inside, strata) == pytest.approx(1 / 2000)


def test_a_more_severe_group_does_not_look_treated_otherwise():
    # Overruling happens in all of grade 1 and none of grade 0; the group has more of grade 1, and nothing else.
    grade = np.array([1] * 24 + [0] * 6 + [1] * 6 + [0] * 24)
    inside = np.arange(60) < 30
    persons = [str(i) for i in range(60)]
    values = grade.astype(float)
    assert permutation_p(lambda w: mean(values, w), persons, inside, grade) > 0.9
    assert permutation_p(lambda w: mean(values, w), persons, inside, np.zeros(60)) < 0.01

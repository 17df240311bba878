import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from osler.statistics import grades

GRADES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 3)), min_size=3, max_size=40)


@given(GRADES)
@settings(max_examples=60, deadline=None)
def test_kappa_is_that_of_scikit_learn_also_with_repeated_cases(rows):
    truth, grade, counts = np.array(rows).T
    again = np.repeat(np.arange(len(truth)), counts)
    if len(set(truth[again]) | set(grade[again])) < 2:
        return
    found = float(grades.qwk(truth, grade, 5, counts.astype(float)))
    assert found == pytest.approx(
        sk.cohen_kappa_score(truth[again], grade[again], weights="quadratic", labels=range(5)), abs=1e-9
    )


def test_kappa_of_one_single_grade_is_not_defined():
    assert np.isnan(grades.qwk(np.ones(4, int), np.ones(4, int), 3))


def test_errors_in_grades():
    truth, grade = np.array([0, 0, 0, 2, 4]), np.array([0, 1, 2, 2, 1])
    assert grades.mae(truth, grade) == pytest.approx(6 / 5)
    assert grades.mae_macro(truth, grade) == pytest.approx((1 + 0 + 3) / 3)
    assert grades.within_one(truth, grade) == pytest.approx(3 / 5)


def test_ranked_probability_score_is_the_sum_of_the_brier_scores_of_the_steps():
    random = np.random.default_rng(0)
    p, truth = random.dirichlet(np.ones(5), 30), random.integers(5, size=30)
    steps = [
        sk.brier_score_loss(truth <= step, p[:, : step + 1].sum(1).clip(0, 1), pos_label=True) for step in range(4)
    ]
    assert grades.rps(p, truth) == pytest.approx(np.mean(steps))
    assert grades.rps(np.eye(5)[truth], truth) == 0
    assert grades.rps(np.eye(5)[[0]], np.array([4])) == 1


def test_the_median_grade_has_the_least_expected_distance():
    p = np.random.default_rng(1).dirichlet(np.full(5, 0.5), 200)
    expected = (p[:, None, :] * np.abs(np.arange(5)[:, None] - np.arange(5))).sum(-1)
    assert np.take_along_axis(expected, grades.median_grade(p)[:, None], 1)[:, 0] == pytest.approx(expected.min(1))

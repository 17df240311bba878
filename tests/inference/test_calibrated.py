"""Calibrated probabilities are probabilities, and keep what they must keep."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from osler.core.errors import BadModel
from osler.inference.calibrated import above, calibrated, grades_from
from osler.inference.temper import temper
from osler.models.trust import Calibration
from osler.statistics.grades import median_grade

shares = some.lists(some.floats(1e-3, 1), min_size=4, max_size=4).map(lambda w: np.array([w]) / sum(w))
temperatures = some.floats(0.1, 10)


@given(shares, temperatures)
def test_a_temperature_keeps_the_order_of_the_classes(p, temperature):
    q = calibrated(p, Calibration("temperature", ((temperature,),)), "multiclass")
    assert q.sum() == pytest.approx(1)
    order = np.argsort(p[0])
    assert (np.diff(q[0][order]) >= -1e-12).all()


@given(shares, temperatures)
def test_a_temperature_of_grades_keeps_their_median(p, temperature):
    if np.abs(p.cumsum() - 0.5).min() < 1e-6:
        return  # on the fence between two grades, rounding decides
    q = calibrated(p, Calibration("temperature", ((temperature,),)), "ordinal")
    assert q.sum() == pytest.approx(1) and (q >= 0).all()
    assert median_grade(q[0]) == median_grade(p[0])


@given(
    shares,
    some.floats(0, 5),
    some.floats(0, 5),
    some.floats(-3, 3),
    some.lists(some.floats(0, 2), min_size=2, max_size=2),
)
def test_beta_of_grades_is_a_distribution(p, a, b, first, drops):
    falling = (first, first - drops[0], first - sum(drops))
    q = calibrated(p, Calibration("beta", ((a, b, *falling),)), "ordinal")
    assert q.sum() == pytest.approx(1) and (q >= 0).all()


@given(shares)
def test_grades_and_what_is_above_them_are_the_same_told_twice(p):
    assert np.allclose(grades_from(above(p)), p)
    assert above(p)[0, 0] == pytest.approx(1 - p[0, 0])


@pytest.mark.parametrize(
    ("calibration", "task"),
    [
        (Calibration("temperature", ((1.0,),)), "multiclass"),
        (Calibration("vector", ((1.0,) * 4 + (0.0,) * 4,)), "multiclass"),
        (Calibration("beta", ((1.0, 1.0, 0.0, 0.0, 0.0),)), "ordinal"),
        (Calibration("beta", ((1.0, 1.0, 0.0),) * 4), "multilabel"),
        (Calibration("none"), "ordinal"),
    ],
)
def test_what_changes_nothing_changes_nothing(calibration, task):
    p = np.array([[0.1, 0.2, 0.3, 0.4]])
    assert np.allclose(calibrated(p, calibration, task), p)


def test_a_beta_with_equal_sides_is_a_temperature():
    p = np.array([[0.9, 0.1], [0.3, 0.7]])
    assert np.allclose(calibrated(p, Calibration("beta", ((0.5, 0.5, 0.0),)), "binary"), temper(p, 2.0))


def test_isotonic_runs_straight_between_its_knots():
    stepped = Calibration("isotonic", ((0.0, 0.5, 1.0, 0.1, 0.1, 0.9),))
    said = calibrated(np.array([[0.75, 0.25], [0.25, 0.75]]), stepped, "binary")
    assert said[:, 1] == pytest.approx([0.1, 0.5])


@pytest.mark.parametrize(
    ("calibration", "task"),
    [
        (Calibration("temperature", ((1.0, 2.0),)), "multiclass"),
        (Calibration("temperature", ()), "multiclass"),
        (Calibration("temperature", ((1.0,),)), "multilabel"),
        (Calibration("temperature", ((float("nan"),),)), "multiclass"),
        (Calibration("vector", ((1.0,) * 5,)), "multiclass"),
        (Calibration("beta", ((1.0, 1.0, 0.0),)), "multiclass"),
        (Calibration("beta", ((1.0, 1.0, 0.0),)), "ordinal"),
        (Calibration("wishes", ((1.0,),)), "multiclass"),
        (Calibration("wishes", ((1.0,),) * 4), "multilabel"),
    ],
)
def test_numbers_that_do_not_fit_are_a_bad_model(calibration, task):
    with pytest.raises(BadModel, match="does not fit"):
        calibrated(np.full((1, 4), 0.25), calibration, task)

"""Kaplan-Meier by hand."""

import numpy as np
import pytest

from osler.models.risk.survival import kaplan_meier, surviving_at, wilson

TIME = np.array([2.0, 3.0, 3.0, 5.0, 8.0, 8.0])
EVENT = np.array([True, True, False, True, False, True])


def test_the_curve_by_hand():
    """6 at risk at 2, 5 at 3, 3 at 5, 2 at 8: 5/6, 4/6, 4/9, 2/9."""
    curve = kaplan_meier(TIME, EVENT)
    assert curve.times.tolist() == [2.0, 3.0, 5.0, 8.0]
    assert curve.surviving == pytest.approx([5 / 6, 4 / 6, 4 / 9, 2 / 9])
    assert curve.at(1.9) == 1 and curve.at(2.0) == pytest.approx(5 / 6) and curve.at(100) == pytest.approx(2 / 9)
    variance = 1 / (6 * 5) + 1 / (5 * 4)
    assert curve.error[1] == pytest.approx(np.sqrt(variance) / abs(np.log(2 / 3)))
    low, high = curve.interval(3.0)
    assert low < 2 / 3 < high and np.isnan(curve.interval(1.0)[0])


def test_many_at_once_is_one_after_the_other():
    weights = np.array([[1.0] * 6, [2, 0, 1, 1, 1, 1.0]])
    at = np.array([1.0, 2.0, 3.0, 7.0, 9.0])
    found = surviving_at(TIME, EVENT, at, weights)
    assert found[0] == pytest.approx([kaplan_meier(TIME, EVENT).at(t) for t in at])
    places = [0, 0, 2, 3, 4, 5]
    assert found[1] == pytest.approx([kaplan_meier(TIME[places], EVENT[places]).at(t) for t in at])
    assert surviving_at(TIME, EVENT, np.array([2.0]), weights, before=True)[0, 0] == 1


def test_a_share_has_an_interval_even_where_nothing_happened():
    share, low, high = wilson(0, 10)
    assert (share, low) == (0.0, 0.0) and 0.2 < high < 0.35

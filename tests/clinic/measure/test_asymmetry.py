"""Left against right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from osler.clinic.measure.asymmetry import asymmetry
from osler.core.errors import AskedWrongly
from osler.core.quantity import Quantity

ML = some.floats(0.1, 100)


@given(ML, ML)
def test_it_changes_sign_with_the_side_and_not_with_the_size(left, right):
    one = asymmetry(Quantity(left, "ml"), Quantity(right, "ml")).quantity
    other = asymmetry(Quantity(right, "ml"), Quantity(left, "ml")).quantity
    larger = asymmetry(Quantity(3 * left, "ml"), Quantity(3 * right, "ml")).quantity
    assert one.value == pytest.approx(-other.value) == pytest.approx(larger.value)
    assert -200 < one.value < 200 and one.low is None


def test_the_interval_is_as_wide_as_repeated_measurements_spread():
    draw = np.random.default_rng(7)
    left, right = 3.2 + 0.03 * draw.normal(size=200_000), 2.9 + 0.05 * draw.normal(size=200_000)
    index = 200 * (left - right) / (left + right)
    found = asymmetry(
        Quantity(3.2, "ml", 3.2 - 0.0588, 3.2 + 0.0588), Quantity(2.9, "ml", 2.9 - 0.098, 2.9 + 0.098)
    ).quantity
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(index, (2.5, 97.5))), abs=0.1)


def test_each_arm_of_an_interval_acts_on_its_own_side():
    found = asymmetry(Quantity(3, "ml", 3, 4), Quantity(3, "ml", 3, 3)).quantity
    assert found.low == found.value == 0 and found.high > 20


def test_a_side_that_is_missing_and_bad_input():
    assert asymmetry(Quantity(3, "ml"), Quantity(0, "ml")).quantity.value == 200
    for left, right in ((0.0, 0.0), (-1.0, 2.0), (np.nan, 1.0)):
        with pytest.raises(AskedWrongly):
            asymmetry(Quantity(left, "ml"), Quantity(right, "ml"))
    with pytest.raises(AskedWrongly):
        asymmetry(Quantity(1, "ml"), Quantity(1, "mm"))

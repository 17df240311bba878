"""Two outlines of one structure."""

import numpy as np
import pytest

from osler.clinic.measure.surface import surface_measures
from osler.core.errors import BadGeometry, BadInput
from osler.core.geometry import Geometry
from osler.core.mask import Mask

GRID = Geometry.from_spacing((12, 12, 12), (2.0, 1.0, 1.0))


def slab(first: int, last: int, grid: Geometry | None = GRID) -> Mask:
    array = np.zeros((12, 12, 12), np.uint8)
    array[first:last] = 1
    return Mask(array, {1: "a"}, geometry=grid)


def test_the_same_outline_lies_nowhere_apart():
    assert [one.quantity.value for one in surface_measures(slab(3, 7), slab(3, 7), 1)] == [0, 0]


def test_a_slab_one_slice_thicker_lies_a_slice_apart_on_one_side():
    mean, worst = surface_measures(slab(3, 7), slab(3, 8), 1)
    assert worst.quantity.value == 2.0 and worst.quantity.unit == "mm" and 0 < mean.quantity.value < 2


def test_flat_outlines_of_unknown_size_are_in_pixels():
    one, other = np.zeros((2, 9, 9), np.uint8)
    one[2, 2], other[2, 5] = 1, 1
    found = surface_measures(Mask(one, {1: "a"}), Mask(other, {1: "a"}), 1)
    assert {(m.quantity.value, m.quantity.unit) for m in found} == {(3.0, "pixels")}


def test_bad_input_is_refused():
    with pytest.raises(BadGeometry):
        surface_measures(slab(3, 7), slab(3, 7, Geometry.from_spacing((12, 12, 12), (1, 1, 1))), 1)
    with pytest.raises(BadGeometry):
        surface_measures(slab(3, 7), slab(3, 7, None), 1)
    with pytest.raises(BadInput):
        surface_measures(slab(3, 7), slab(3, 3), 1)

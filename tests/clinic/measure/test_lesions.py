"""Pieces of an outline, their places and sizes, and what half a voxel makes of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from osler.clinic.measure.boundary import half_voxel
from osler.clinic.measure.lesions import centre_mm, lesion_measures, lesions_of
from osler.core.errors import BadGeometry, BadInput
from osler.core.geometry import Geometry
from osler.core.mask import Mask

GRID = Geometry.from_spacing((8, 9, 10), (3, 2, 1), (5, 6, 7))


def drawn() -> Mask:
    array = np.zeros((8, 9, 10), np.uint8)
    array[0, 0, 0] = 2
    array[2:4, 2:5, 2:4] = 2  # 12 voxels
    array[6:8, 6:8, 6:8] = 2  # 8 voxels
    array[7, 0, 9] = 1
    return Mask(array, {1: "node", 2: "lesion"}, geometry=GRID)


def test_the_largest_comes_first_and_each_has_its_own_label():
    found = lesions_of(drawn(), 2)
    assert found.labels == {1: "L1", 2: "L2", 3: "L3"}
    assert [int(found.of(label).sum()) for label in found.labels] == [12, 8, 1]
    assert ((found.array > 0) == drawn().of(2)).all() and found.geometry is GRID


def test_small_pieces_and_other_labels_are_left_out():
    assert lesions_of(drawn(), 2, least_ml=8 * 0.006).labels == {1: "L1", 2: "L2"}
    assert lesions_of(drawn(), 3).labels == {}
    flat = Mask(drawn().array[3], {2: "lesion"}, spacing_mm=(2.0, 1.0))
    assert lesions_of(flat, 2, least_ml=12).labels == {1: "L1"}
    assert lesions_of(flat, 2, least_ml=12.1).labels == {}


def test_a_centre_lies_in_the_patients_frame():
    found = lesions_of(drawn(), 2)
    assert centre_mm(found, 1) == pytest.approx((5 + 2.5, 6 + 3 * 2, 7 + 2.5 * 3))
    with pytest.raises(BadInput):
        centre_mm(found, 9)
    with pytest.raises(BadGeometry):
        centre_mm(Mask(np.ones((2, 2), np.uint8), {1: "a"}), 1)


def test_a_lesion_has_a_volume_with_half_a_voxel_around_it_and_diameters():
    size, long_axis, short_axis, in_space = lesion_measures(lesions_of(drawn(), 2), 1)
    # 2 x 3 x 2 voxels: nothing is left without those that have a face outside; 32 more touch it by a face.
    assert (size.quantity.low, size.quantity.value, size.quantity.high) == pytest.approx(
        (6 * 0.006, 12 * 0.006, 28 * 0.006)
    )
    assert long_axis.quantity.value >= short_axis.quantity.value > 0
    assert in_space.quantity.value >= long_axis.quantity.value


@given(some.integers(3, 9), some.floats(0.1, 3))
def test_half_a_voxel_around_a_cube_is_its_faces(side, value):
    inside = np.zeros((side + 4,) * 3, bool)
    inside[2:-2, 2:-2, 2:-2] = True
    found = half_voxel(inside, np.full(inside.shape, value))
    assert found.drawn == pytest.approx(value * side**3)
    assert found.inner == pytest.approx(value * (side**3 + (side - 2) ** 3) / 2)
    assert found.outer == pytest.approx(value * (side**3 + 3 * side**2))
    assert half_voxel(np.zeros((3, 3), bool)).outer == 0

"""Where voxels lie."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.core.errors import BadGeometry
from osler.core.geometry import Geometry

sizes = st.tuples(*[st.integers(1, 40)] * 3)
spacings = st.tuples(*[st.floats(0.2, 8)] * 3)


@given(sizes, spacings, st.tuples(*[st.floats(-200, 200)] * 3))
def test_index_to_world_and_back_is_the_identity(shape, spacing, origin):
    geometry = Geometry.from_spacing(shape, spacing, origin)
    index = np.array([[0, 0, 0], [1.5, -2, 3.25]])
    assert np.allclose(geometry.to_index(geometry.to_world(index)), index, atol=1e-6)
    assert np.allclose(geometry.spacing, spacing)


@given(sizes, spacings)
def test_another_grid_keeps_the_outer_faces(shape, spacing):
    geometry = Geometry.from_spacing(shape, spacing)
    finer = geometry.with_grid(tuple(2 * n for n in shape), tuple(s / 2 for s in spacing))
    first, last = np.array([[-0.5] * 3]), np.array([[n - 0.5 for n in shape]])
    assert np.allclose(geometry.to_world(first), finer.to_world(first))
    assert np.allclose(geometry.to_world(last), finer.to_world(np.array([[2 * n - 0.5 for n in shape]])))


def test_volume_of_a_sheared_voxel_is_the_determinant():
    affine = np.diag([5.0, 1.0, 1.0, 1.0])
    affine[1, 0] = 3.0  # gantry tilt: slices are shifted, not thicker
    assert Geometry((2, 2, 2), affine).voxel_ml == pytest.approx(0.005)


def test_axes_that_point_the_same_way_are_refused():
    affine = np.eye(4)
    affine[:3, 1] = affine[:3, 0]
    with pytest.raises(BadGeometry, match="same way"):
        Geometry((2, 2, 2), affine)


def test_matches_sees_a_shift_of_a_tenth_of_a_millimetre():
    one = Geometry.from_spacing((4, 4, 4), (1, 1, 1))
    assert one.matches(Geometry.from_spacing((4, 4, 4), (1, 1, 1), (0, 0, 0.001)))
    assert not one.matches(Geometry.from_spacing((4, 4, 4), (1, 1, 1), (0, 0, 0.1)))
    assert not one.matches(Geometry.from_spacing((4, 4, 5), (1, 1, 1)))

"""Pieces, surfaces and diameters: against brute force and closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osler.core.errors import BadGeometry
from osler.imaging.components import components, keep_largest, sizes
from osler.imaging.diameters import in_plane_diameters, longest_diameter_mm
from osler.imaging.distance import surface, surface_distances


def _blob(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    draw = np.random.default_rng(seed)
    found = draw.random(shape) < 0.25
    found.flat[draw.integers(found.size)] = True
    return found


def _ball(shape: tuple[int, ...], spacing: tuple[float, ...], radius: float) -> np.ndarray:
    index = np.indices(shape).astype(float)
    away = sum(((x - (n - 1) / 2) * mm) ** 2 for x, n, mm in zip(index, shape, spacing, strict=True))
    return away <= radius**2


def _brute(binary: np.ndarray, spacing: tuple[float, ...]) -> float:
    """Every middle of every face against every other."""
    points = []
    for index in np.argwhere(binary):
        for axis in range(binary.ndim):
            for way in (-0.5, 0.5):
                end = index.astype(float)
                end[axis] += way
                points.append(end * spacing)
    table = np.array(points)
    return float(np.sqrt(((table[:, None] - table[None]) ** 2).sum(-1).max()))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_longest_diameter_is_that_of_brute_force(seed):
    spacing = (2.5, 0.8, 1.1)
    binary = _blob(seed, (3, 6, 7))
    assert longest_diameter_mm(binary, spacing) == pytest.approx(_brute(binary, spacing))
    found = in_plane_diameters(binary, spacing)
    slices = [_brute(one, spacing[1:]) for one in binary if one.any()]
    assert found is not None
    assert found.longest_mm == pytest.approx(max(slices))
    assert found.perpendicular_mm <= found.longest_mm + 1e-9
    ends = np.array(found.ends) * spacing[1:]
    assert np.linalg.norm(ends[1] - ends[0]) == pytest.approx(found.longest_mm)
    assert binary[found.slice_index].any()


def test_a_row_and_a_single_voxel():
    binary = np.zeros((3, 5, 9), bool)
    binary[1, 2, 1:8] = True
    found = in_plane_diameters(binary, (3, 1, 0.5))
    assert found is not None
    assert (found.longest_mm, found.slice_index) == (pytest.approx(3.5), 1)
    assert found.perpendicular_mm == pytest.approx(1)
    binary[:] = False
    binary[2, 0, 0] = True
    assert longest_diameter_mm(binary, (3, 1, 0.5)) == pytest.approx(3)
    assert in_plane_diameters(binary[2], (1, 0.5)).longest_mm == pytest.approx(1)


def test_a_ball_and_an_ellipse_have_their_diameters():
    spacing = (1.0, 0.5, 0.5)
    ball = _ball((31, 61, 61), spacing, 12.3)
    assert longest_diameter_mm(ball, spacing) == pytest.approx(24.6, abs=1.0)  # one slice
    found = in_plane_diameters(ball, spacing)
    assert found is not None
    assert found.longest_mm == pytest.approx(24.6, abs=0.6)
    assert found.perpendicular_mm == pytest.approx(24.6, abs=0.8)
    ellipse = _ball((81, 81), (1, 2), 29.7)  # 59.4 mm down, drawn on pixels twice as wide: measured as square
    flat = in_plane_diameters(ellipse, (1, 1))
    assert flat is not None
    assert flat.longest_mm == pytest.approx(59.4, abs=1)
    assert flat.perpendicular_mm == pytest.approx(29.7, abs=1.2)


def test_an_empty_mask_has_no_size():
    empty = np.zeros((2, 3, 4), bool)
    assert longest_diameter_mm(empty, (1, 1, 1)) == 0
    assert in_plane_diameters(empty, (1, 1, 1)) is None
    assert components(empty)[1] == 0
    assert not keep_largest(empty).any()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), flat=st.booleans())
def test_surface_distances_are_those_of_brute_force(seed, flat):
    shape, spacing = ((7, 8), (0.8, 1.5)) if flat else ((4, 5, 6), (2.5, 0.8, 1.5))
    one, other = _blob(seed, shape), _blob(seed + 1, shape)
    there, back = surface_distances(one, other, spacing)
    first, second = np.argwhere(surface(one)) * spacing, np.argwhere(surface(other)) * spacing
    table = np.sqrt(((first[:, None] - second[None]) ** 2).sum(-1))
    np.testing.assert_allclose(there, table.min(axis=1), atol=1e-9)
    np.testing.assert_allclose(back, table.min(axis=0), atol=1e-9)


def test_two_balls_lie_as_far_apart_as_their_radii_differ():
    spacing = (1.0, 1.0, 1.0)
    there, back = surface_distances(_ball((41,) * 3, spacing, 15), _ball((41,) * 3, spacing, 10), spacing)
    assert np.median(there) == pytest.approx(5, abs=0.7)
    assert np.median(back) == pytest.approx(5, abs=0.7)
    assert not np.concatenate(surface_distances(*(_ball((9,) * 3, spacing, 3),) * 2, spacing)).any()


def test_surfaces_at_the_border_and_of_nothing():
    full, empty = np.ones((3, 3, 3), bool), np.zeros((3, 3, 3), bool)
    assert surface(full).sum() == 26
    there, back = surface_distances(full, empty, (1, 1, 1))
    assert np.isinf(there).all()
    assert len(there) == 26
    assert len(back) == 0
    assert [len(x) for x in surface_distances(empty, empty, (1, 1, 1))] == [0, 0]
    with pytest.raises(BadGeometry):
        surface_distances(full, np.ones((2, 2, 2)), (1, 1, 1))


def test_pieces_touch_by_corners_too():
    binary = np.zeros((3, 6, 6), bool)
    binary[0, 0, 0] = binary[1, 1, 1] = True
    binary[2, 4:, 4:] = True
    labels, count = components(binary)
    assert count == 2
    assert sizes(labels, count).tolist() == [2, 4]
    assert keep_largest(binary).sum() == 4
    assert labels.shape == binary.shape

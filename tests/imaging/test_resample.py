"""Other grids, same picture: against SimpleITK, and against what must hold."""

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st

from osler.core.errors import BadGeometry
from osler.core.geometry import Geometry
from osler.imaging.resample import resample_to, resize


def _turn(a: float, b: float) -> np.ndarray:
    one = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    return one @ np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])


def _itk(array: np.ndarray, grid: Geometry) -> SimpleITK.Image:
    image = SimpleITK.GetImageFromArray(array)
    spacing = np.array(grid.spacing)[::-1]
    image.SetSpacing(spacing.tolist())
    image.SetDirection((grid.affine[:3, 2::-1] / spacing).ravel().tolist())
    image.SetOrigin(grid.affine[:3, 3].tolist())
    return image


SOURCE = Geometry.from_spacing((12, 18, 20), (2, 1.2, 1.1), (3, 4, 5))
TURNS = {
    "parallel": np.eye(3),
    "flipped": np.diag([-1.0, -1, 1]),
    "permuted": np.array([[0, 0, 1.0], [1, 0, 0], [0, 1, 0]]),
    "oblique": _turn(0.2, 0.3),
    "nearly parallel": _turn(1e-3, 0),
}


@pytest.mark.parametrize("nearest", [False, True])
@pytest.mark.parametrize("turn", TURNS)
def test_simpleitk_agrees(turn, nearest):
    array = np.random.default_rng(0).normal(size=SOURCE.shape).astype(np.float32)
    shape = (15, 22, 16)
    affine = np.eye(4)
    affine[:3, :3] = TURNS[turn] @ Geometry.from_spacing(shape, (1.4, 1.0, 1.3)).affine[:3, :3]
    middle = SOURCE.to_world((np.array([SOURCE.shape]) - 1) / 2)[0] + 4.37
    affine[:3, 3] = middle - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    target = Geometry(shape, affine)
    ours = resample_to(array, SOURCE, target, nearest=nearest, fill=-7)
    kind = SimpleITK.sitkNearestNeighbor if nearest else SimpleITK.sitkLinear
    grid = _itk(np.zeros(shape, np.float32), target)
    theirs = SimpleITK.GetArrayFromImage(
        SimpleITK.Resample(_itk(array, SOURCE), grid, SimpleITK.Transform(), kind, -7.0)
    )
    # A voxel on the very edge may fall to either side.
    assert (np.abs(ours - theirs) > 1e-3).mean() < 1e-3
    assert (theirs == -7).any()


def test_the_same_grid_changes_nothing():
    array = np.random.default_rng(0).integers(0, 9, SOURCE.shape).astype(np.uint8)
    assert resample_to(array, SOURCE, SOURCE, nearest=True).dtype == np.uint8
    np.testing.assert_array_equal(resample_to(array, SOURCE, SOURCE), array)
    assert resample_to(array, SOURCE, SOURCE).dtype == np.float32


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    spacing=st.tuples(*[st.floats(0.6, 4)] * 3),
)
def test_a_linear_ramp_stays_itself_and_a_constant_everywhere(seed, spacing):
    draw = np.random.default_rng(seed)
    shape = tuple(
        max(1, round(n * old / new)) for n, old, new in zip(SOURCE.shape, SOURCE.spacing, spacing, strict=True)
    )
    exact = tuple(n * old / new for n, old, new in zip(SOURCE.shape, SOURCE.spacing, shape, strict=True))
    target = SOURCE.with_grid(shape, exact)  # the same box
    constant = resample_to(np.full(SOURCE.shape, 3.5), SOURCE, target, fill=-100)
    np.testing.assert_allclose(constant, 3.5, rtol=1e-5)
    slope = draw.normal(size=3)
    index = np.indices(SOURCE.shape).reshape(3, -1).T
    ramp = (SOURCE.to_world(index) @ slope).reshape(SOURCE.shape)
    seen = resample_to(ramp, SOURCE, target)
    there = (target.to_world(np.indices(shape).reshape(3, -1).T) @ slope).reshape(shape)
    inner = tuple(slice(n // 3, n - n // 3) for n in shape)
    wide = np.abs(slope) @ np.array([1.1, 1.2, 2]) * 0.5
    assert np.abs(seen - there)[inner].max(initial=0) < 1e-3 + 2 * wide


def test_every_voxel_is_seen_when_a_grid_becomes_coarser():
    """A single bright voxel must not vanish between the coarse ones, and the mean must stay."""
    source = Geometry.from_spacing((24, 24, 24), (1, 1, 1))
    array = np.zeros(source.shape, np.float32)
    array[13, 11, 10] = 1
    target = source.with_grid((6, 6, 6), (4, 4, 4))
    coarse = resample_to(array, source, target)
    assert coarse.sum() * 64 == pytest.approx(1, rel=0.2)
    turned = Geometry(
        target.shape, np.block([[_turn(0.1, 0) @ target.affine[:3, :3], target.affine[:3, 3:]], [0, 0, 0, 1]])
    )
    assert resample_to(array, source, turned).max() > 0.002


def test_nearest_keeps_labels_and_fills_with_the_label():
    array = np.random.default_rng(0).choice([0, 3, 200], SOURCE.shape).astype(np.uint8)
    target = SOURCE.with_grid((6, 30, 9), (4.1, 0.7, 2.6))
    seen = resample_to(array, SOURCE, target, nearest=True)
    assert seen.dtype == np.uint8
    assert set(np.unique(seen)) <= {0, 3, 200}


def test_there_and_back_keeps_a_ball():
    source = Geometry.from_spacing((20, 30, 30), (2, 1, 1))
    away = np.linalg.norm(source.to_world(np.indices(source.shape).reshape(3, -1).T) - (15, 15, 20), axis=1)
    ball = (away < 9).reshape(source.shape).astype(np.uint8)
    target = source.with_grid((40, 30, 30), (1, 1, 1))
    back = resample_to(resample_to(ball, source, target, nearest=True), target, source, nearest=True)
    np.testing.assert_array_equal(back, ball)


def test_an_array_of_another_shape_is_told():
    with pytest.raises(BadGeometry, match="not on a grid"):
        resample_to(np.zeros((2, 2, 2)), SOURCE, SOURCE)


@pytest.mark.parametrize("shape", [(7, 9), (60, 80), (30, 40), (13, 80)])
@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("nearest", [False, True])
def test_resize_flat(shape, colour, nearest):
    array = np.random.default_rng(0).integers(0, 4096, (30, 40, 3) if colour else (30, 40)).astype(np.uint16)
    seen = resize(array, shape, nearest=nearest)
    assert seen.shape == (*shape, 3) if colour else shape
    assert seen.dtype == (np.uint16 if nearest else np.float32)
    np.testing.assert_allclose(resize(np.full_like(array, 5), shape, nearest=nearest), 5, rtol=1e-5)
    if not nearest:
        assert seen.mean() == pytest.approx(array.mean(), rel=0.03)
        one = array[..., 0] if colour else array
        plane = seen[..., 0] if colour else seen
        np.testing.assert_allclose(plane, resize(one, shape), rtol=1e-5)


@pytest.mark.parametrize("shape", [(5, 6, 7), (20, 12, 11), (10, 12, 14)])
def test_resize_volumes(shape):
    array = np.random.default_rng(0).normal(10, 1, (10, 12, 14))
    assert resize(array, shape).shape == shape
    assert resize(array, shape).mean() == pytest.approx(array.mean(), rel=0.02)
    assert set(np.unique(resize((array > 10).astype(np.int16), shape, nearest=True))) == {0, 1}


def test_resize_and_resample_mean_the_same_grid():
    array = np.random.default_rng(0).normal(size=(10, 12, 14)).astype(np.float32)
    source = Geometry.from_spacing(array.shape, (1, 1, 1))
    target = source.with_grid((5, 4, 7), (2, 3, 2))
    np.testing.assert_allclose(resize(array, (5, 4, 7)), resample_to(array, source, target), atol=1e-5)


def test_resize_refuses_what_does_not_fit():
    for array, shape in ((np.zeros((3, 4)), (2, 2, 2)), (np.zeros((3, 4)), (0, 2)), (np.zeros((0, 4)), (2, 2))):
        with pytest.raises(BadGeometry):
            resize(array, shape)

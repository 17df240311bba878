"""A tilted gantry: straight for models, and back to the native slices."""

import numpy as np
import pytest

from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.volume import Volume
from osler.imaging.shear import is_sheared, shear_degrees, straight_grid, straightened, to_native

RANDOM = np.random.default_rng(3)
GRID = Geometry.from_spacing((5, 6, 7), (2.5, 0.8, 0.7), (1, 2, 3))


def tilted(shape=(6, 20, 24)) -> Geometry:
    affine = Geometry.from_spacing(shape, (4, 0.9, 0.8), (-9, -8, 30)).affine.copy()
    affine[1, 0] = 1.3
    return Geometry(shape, affine)


def test_a_sheared_volume_becomes_straight_and_comes_back():
    native = tilted()
    z, y, x = np.indices(native.shape)
    world = native.to_world(np.stack([z, y, x], -1).reshape(-1, 3)).reshape(*native.shape, 3)
    ramp = (3 * world[..., 0] - 2 * world[..., 1] + world[..., 2]).astype(np.float32)
    assert shear_degrees(native) == pytest.approx(np.degrees(np.arctan(1.3 / 4)), abs=1e-6)
    volume = Volume(ramp, native, "HU", Facts(modality="CT"))
    straight = straightened(volume)
    assert not is_sheared(straight.geometry) and "moved within their planes" in straight.notes[-1]
    index = np.indices(straight.array.shape).reshape(3, -1).T
    where = native.to_index(straight.geometry.to_world(index))
    inside = ((where > -1e-6) & (where < np.array(native.shape) - 1 + 1e-6)).all(axis=1)
    found, points = straight.array.reshape(-1)[inside], straight.geometry.to_world(index[inside])
    np.testing.assert_allclose(found, points @ (3, -2, 1), atol=1e-3)  # a ramp in space stays the same ramp
    outside = ((where < -0.51) | (where > np.array(native.shape) - 0.49)).any(axis=1)
    assert (straight.array.reshape(-1)[outside] == -1000).all()
    # No voxel is lost on the way there and back.
    labels = RANDOM.integers(0, 3, native.shape).astype(np.uint8)
    labels = np.kron(labels[:, ::4, ::4], np.ones((1, 4, 4), np.uint8))
    there = to_native(labels, native, straight.geometry)
    back = to_native(there, straight.geometry, native)
    assert (back == labels).mean() > 0.85
    assert all(abs(int((back == n).sum()) / int((labels == n).sum()) - 1) < 0.1 for n in (1, 2))


def test_straight_grids_stay():
    volume = Volume(np.zeros(GRID.shape), GRID)
    assert straightened(volume) is volume
    assert straight_grid(GRID) is GRID

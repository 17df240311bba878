import numpy as np
import pytest

from osler.core.geometry import Geometry
from osler.core.volume import Volume
from osler.imaging.enlarge import LONG_SIDE, enlarged, enlarged_slice, lettered
from osler.imaging.resample import resize


@pytest.mark.parametrize("size", [(40, 31), (720, 300), (1955, 1841), (1, 9)])
def test_it_is_what_resize_gives_to_a_grey_level(size):
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    shown = enlarged(pixels, (0.5, 0.5))
    assert max(shown.shape[:2]) == LONG_SIDE and shown.dtype == np.uint8
    assert np.abs(shown - resize(pixels, shown.shape[:2])).max() <= 1.5


def test_millimetres_are_alike_in_both_directions():
    assert enlarged(np.zeros((30, 30, 3), np.uint8), (3.0, 1.0)).shape == (LONG_SIDE, LONG_SIDE // 3, 3)
    sagittal = np.array([[0.0, 0, 2, 0], [3, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]])  # slices, rows, columns run so
    volume = Volume(np.zeros((4, 10, 10), np.float32), Geometry((4, 10, 10), sagittal))
    assert sorted(enlarged_slice(volume, 1).shape) == [3, LONG_SIDE // 2, LONG_SIDE]


def test_letters_stand_at_both_edges_and_nowhere_else():
    black = np.zeros((LONG_SIDE, LONG_SIDE, 3), np.uint8)
    axial = Geometry((4, 10, 10), np.diag([1.0, 1, 1, 1])[[2, 1, 0, 3]])
    shown = lettered(black, axial)
    assert shown[:, :40].any() and shown[:, -40:].any() and not shown[:, 40:-40].any()

"""Statistics inside an outline."""

import numpy as np
import pytest

from osler.clinic.measure.intensity import statistics
from osler.core.errors import BadGeometry, BadInput, BadPixels
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.volume import Volume

GRID = Geometry.from_spacing((3, 4, 5), (2, 1, 1))


def test_they_are_numpys_in_the_pictures_unit():
    array = np.random.default_rng(3).normal(40, 10, (3, 4, 5))
    inside = array > 35
    found = statistics(Volume(array, GRID, unit="HU"), Mask(inside.astype(np.uint8), {1: "a"}, geometry=GRID), 1)
    values = array[inside]
    wanted = [values.mean(), values.std(), *np.percentile(values, (50, 10, 90)), values.min(), values.max()]
    assert [one.quantity.value for one in found] == pytest.approx(wanted)
    assert {one.quantity.unit for one in found} == {"HU"}
    assert len({one.code for one in found}) == len({one.name for one in found}) == 7


def test_numbers_without_a_meaning_have_no_unit():
    flat = Image(np.arange(6).reshape(2, 3))
    found = statistics(flat, Mask(np.ones((2, 3), np.uint8), {1: "a"}), 1)
    assert {one.quantity.unit for one in found} == {"1"}


def test_what_cannot_be_measured_is_refused():
    array = np.zeros((3, 4, 5))
    array[0, 0, 0] = np.nan
    volume = Volume(array, GRID, unit="HU")
    mask = Mask(np.ones((3, 4, 5), np.uint8), {1: "a"}, geometry=GRID)
    with pytest.raises(BadPixels, match="1 of the 60"):
        statistics(volume, mask, 1)
    with pytest.raises(BadInput, match="no voxels"):
        statistics(volume, mask, 7)
    with pytest.raises(BadGeometry):
        statistics(volume, Mask(np.ones((4, 5), np.uint8), {1: "a"}), 1)
    with pytest.raises(BadPixels, match="colour"):
        statistics(Image(np.zeros((2, 3, 3), np.uint8)), Mask(np.ones((2, 3), np.uint8), {1: "a"}), 1)

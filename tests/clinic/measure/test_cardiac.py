"""A heart of rings whose volumes are known."""

import numpy as np
import pytest

from osler.clinic.measure.cardiac import Chambers, body_surface_m2, heart_measures, wall_thickness
from osler.core.errors import AskedWrongly, BadGeometry, BadInput
from osler.core.geometry import Geometry
from osler.core.mask import Mask

LABELS = {1: "right", 2: "muscle", 3: "left"}
ALL = Chambers(left=3, right=1, muscle=2)


def heart(inner: int, wall: int, slices: int = 4) -> Mask:
    """Squares in each slice: a cavity `inner` pixels wide in a wall, and a right ventricle half as wide."""
    geometry = Geometry.from_spacing((8, 64, 64), (8.0, 1.25, 1.25))
    array = np.zeros(geometry.shape, np.uint8)
    outer = inner + 2 * wall
    array[1 : 1 + slices, 5 : 5 + outer, 5 : 5 + outer] = 2
    array[1 : 1 + slices, 5 + wall : 5 + wall + inner, 5 + wall : 5 + wall + inner] = 3
    array[1 : 1 + slices, 5 : 5 + inner, 45 : 45 + inner // 2] = 1
    return Mask(array, LABELS, geometry=geometry)


def test_volumes_ejection_fraction_and_mass():
    found = {one.name: one.quantity for one in heart_measures(heart(20, 6), heart(14, 8), ALL, surface_m2=2.0)}
    one = 8 * 1.25**2 / 1000
    filled, empty = found["End-diastolic volume, left ventricle"], found["End-systolic volume, left ventricle"]
    assert (filled.value, empty.value) == pytest.approx((4 * 400 * one, 4 * 196 * one))
    assert found["Stroke volume, left ventricle"].value == pytest.approx(4 * 204 * one)
    fraction = found["Ejection fraction, left ventricle"]
    assert fraction.value == pytest.approx(51) and fraction.low < 51 < fraction.high
    assert found["Ejection fraction, right ventricle"].value == pytest.approx(100 * (1 - 14 * 7 / 200))
    mass = 1.05 * 4 * (32**2 - 20**2) * one
    assert found["Mass of the left ventricle's wall"].value == pytest.approx(mass)
    indexed = found["Mass of the left ventricle's wall, per m2 of body surface"]
    assert indexed.value == pytest.approx(mass / 2) and indexed.unit == "g/m2"
    assert found["End-diastolic volume, left ventricle, per m2 of body surface"].unit == "ml/m2"
    assert filled.low < filled.value < filled.high


@pytest.mark.parametrize("wall", [3, 6, 9])
def test_a_wall_is_as_thick_as_it_was_drawn(wall):
    found = wall_thickness(heart(20, wall), 3, 2)
    assert [one.quantity.value for one in found] == pytest.approx([wall * 1.25] * 2)


def test_the_thickest_place_is_told():
    mask = heart(20, 6)
    array = mask.array.copy()
    array[2, 5:37, 37:41] = 2  # 4 pixels more along one side of a slice
    found = wall_thickness(Mask(array, LABELS, geometry=mask.geometry), 3, 2)
    assert 7.5 < found[0].quantity.value < 9 and found[1].quantity.value == 10 * 1.25


def test_without_a_body_surface_nothing_is_indexed_and_what_was_not_drawn_is_left_out():
    names = [one.name for one in heart_measures(heart(20, 6), heart(14, 8), Chambers(left=3))]
    assert len(names) == 4 and not any("per m2" in name or "right" in name or "wall" in name for name in names)


def test_bad_input_is_refused():
    with pytest.raises(BadInput, match="wrong way round"):
        heart_measures(heart(14, 8), heart(20, 6), ALL)
    with pytest.raises(BadInput, match="no voxels"):
        heart_measures(heart(20, 6), heart(14, 8), Chambers(left=9))
    with pytest.raises(BadGeometry):
        flat = Mask(np.full((4, 4), 3, np.uint8), LABELS)
        heart_measures(flat, flat, Chambers(left=3))
    for body in ((0, 1.75), (70, 175), (float("nan"), 1.7)):
        with pytest.raises(AskedWrongly):
            body_surface_m2(*body)

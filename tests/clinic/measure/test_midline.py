"""Midline shift of drawn lines, and angles."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from osler.clinic.measure.midline import (
    angle_at,
    angle_between,
    midline_shift,
    midline_shift_between,
    shift_of_points,
)
from osler.core.errors import AskedWrongly, BadGeometry, BadInput
from osler.core.geometry import Geometry
from osler.core.mask import Mask

GRID = Geometry.from_spacing((4, 120, 100), (5.0, 1.0, 1.0))
MM = some.floats(-100, 100)


def bow(pushed_mm: float, tilt: float = 0.0) -> np.ndarray:
    """(slices, columns) where the midline lies in each row of the third slice; straight elsewhere."""
    rows = np.arange(10, 110)
    straight = 50 + tilt * (rows - 10)
    return straight + pushed_mm * np.sin((rows - 10) / 99 * math.pi), rows


def falx(pushed_mm: float, tilt: float = 0.0) -> Mask:
    array = np.zeros(GRID.shape, np.uint8)
    for index, push in ((1, 0.0), (2, pushed_mm), (3, pushed_mm / 2)):
        columns, rows = bow(push, tilt)
        array[index, rows, np.rint(columns).astype(int)] = 1
        array[index, rows, np.rint(columns).astype(int) + 1] = 1
    return Mask(array, {1: "falx"}, geometry=GRID)


@pytest.mark.parametrize(("pushed", "tilt"), [(0, 0), (4, 0), (-9, 0), (9, 0.2)])
def test_the_shift_is_how_far_the_falx_bows(pushed, tilt):
    found = midline_shift(falx(pushed, tilt), 1).quantity
    true = abs(pushed) * math.cos(math.atan(tilt))  # at right angles to a head that is turned
    assert found.unit == "mm" and abs(found.value - true) <= 0.9
    assert found.low is not None and found.high is not None and found.low <= found.value <= found.high


@pytest.mark.parametrize("flipped", [False, True])
def test_hemispheres_meet_at_the_midline(flipped):
    array = np.zeros(GRID.shape, np.uint8)
    for index in (1, 2):
        columns, rows = bow(7.0 if index == 2 else 0.0)
        for column, row in zip(np.rint(columns).astype(int), rows, strict=True):
            array[index, row, 20:column] = 1
            array[index, row, column:80] = 2
    mask = Mask(array[..., ::-1] if flipped else array, {1: "right", 2: "left"}, geometry=GRID)
    assert midline_shift_between(mask, 2, 1).quantity.value == pytest.approx(7, abs=0.6)


@given(some.tuples(MM, MM, MM), some.floats(20, 200), some.floats(-30, 30), some.floats(0, 1))
def test_the_shift_of_points_is_their_distance_from_the_line(front, length, shift, share):
    back = (front[0], front[1] + length, front[2])
    found = shift_of_points(
        front, back, (front[0] + shift, front[1] + share * length, front[2]), error_mm=1.0
    ).quantity
    assert found.value == pytest.approx(abs(shift), abs=1e-6)
    assert found.high - found.value == pytest.approx(math.sqrt(1 + share**2 + (1 - share) ** 2), abs=1e-6)


@given(some.floats(0, 180), some.floats(10, 100), some.tuples(MM, MM))
def test_angles_are_those_that_were_drawn(degrees, length, start):
    turn = math.radians(degrees)
    end = (start[0] + length * math.cos(turn), start[1] + length * math.sin(turn))
    level = (start, (start[0] + 50.0, start[1]))
    cobb = angle_between(level, (end, start)).quantity
    assert cobb.value == pytest.approx(min(degrees, 180 - degrees), abs=1e-4) and cobb.unit == "deg"
    assert angle_at(start, level[1], end).quantity.value == pytest.approx(degrees, abs=1e-4)


def test_an_angle_is_as_sure_as_its_points():
    found = angle_at((0, 0), (100, 0), (0, 100), error_mm=1.0).quantity
    each = math.degrees(math.asin(2 / 100))
    assert (found.low, found.high) == pytest.approx((90 - 2 * each, 90 + 2 * each))
    capped = angle_between(((0, 0), (0, 1)), ((0, 0), (1, 0)), error_mm=1.0).quantity
    assert (capped.low, capped.high) == (0, 90)


def test_bad_input_is_refused():
    with pytest.raises(AskedWrongly):
        angle_between(((0, 0), (0, 0)), ((0, 0), (1, 0)))
    with pytest.raises(AskedWrongly):
        angle_at((0, 0), (1, 0), (math.nan, 1))
    with pytest.raises(AskedWrongly):
        shift_of_points((0, 0, 0), (0, 1, 0), (1, 2))
    with pytest.raises(BadInput, match="no voxels"):
        midline_shift(falx(0), 2)
    short = np.zeros(GRID.shape, np.uint8)
    short[1, 10:30, 50] = 1
    with pytest.raises(BadInput, match="30 mm"):
        midline_shift(Mask(short, {1: "falx"}, geometry=GRID), 1)
    side = Geometry(GRID.shape, GRID.affine[[2, 1, 0, 3]])
    with pytest.raises(BadGeometry, match="axial"):
        midline_shift(Mask(falx(0).array, {1: "falx"}, geometry=side), 1)

"""Measures of shapes whose size is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from osler.clinic.measure.area import area
from osler.clinic.measure.diameter import diameters
from osler.clinic.measure.pieces import pieces, reaches_edge
from osler.clinic.measure.structure import measure_label
from osler.clinic.measure.volume import volume
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.prediction import Prediction
from osler.models.trust import Conformal

MM = some.floats(0.3, 5)


def ball(radius_mm: float, spacing: tuple[float, float, float]) -> Mask:
    shape = tuple(int(2 * radius_mm / mm) + 5 for mm in spacing)
    axes = np.meshgrid(
        *[(np.arange(n) - (n - 1) / 2) * mm for n, mm in zip(shape, spacing, strict=True)], indexing="ij"
    )
    inside = sum(axis**2 for axis in axes) <= radius_mm**2
    return Mask(inside.astype(np.uint8), {1: "ball"}, geometry=Geometry.from_spacing(shape, spacing))


@settings(max_examples=15, deadline=None)
@given(some.floats(8, 14), some.tuples(*[some.floats(0.7, 1.5)] * 3))
def test_a_ball_has_the_volume_and_diameters_of_a_ball(radius, spacing):
    mask = ball(radius, spacing)
    measured = volume(mask, 1)
    assert measured is not None and measured.quantity.unit == "ml"
    assert measured.quantity.value == pytest.approx(4 / 3 * np.pi * radius**3 / 1000, rel=0.06)
    long_axis, short_axis, in_space = (m.quantity.value for m in diameters(mask, 1))
    for length in (long_axis, short_axis, in_space):
        assert abs(length - 2 * radius) < 2 * max(spacing)
    assert short_axis <= long_axis + 1e-9 <= in_space + 2e-9
    assert pieces(mask, 1).quantity.value == 1 and not reaches_edge(mask, 1)


@given(MM, MM)
def test_an_area_is_pixels_times_their_size(rows_mm, columns_mm):
    array = np.zeros((9, 9), np.uint8)
    array[1:4, 2:7] = 1
    flat = area(Mask(array, {1: "a"}, spacing_mm=(rows_mm, columns_mm)), 1)
    assert flat is not None and flat.quantity.unit == "mm2"
    assert flat.quantity.value == pytest.approx(15 * rows_mm * columns_mm)


def test_volume_is_of_volumes_and_area_of_pictures():
    flat = Mask(np.ones((4, 4), np.uint8), {1: "a"})
    assert volume(flat, 1) is None and area(flat, 1) is not None
    assert area(ball(3, (1, 1, 1)), 1) is None
    assert {m.quantity.unit for m in diameters(flat, 1)} == {"pixels"}


def test_an_absent_label_has_no_diameter():
    assert diameters(ball(3, (1, 1, 1)), 2) == ()


def test_pieces_and_edges():
    array = np.zeros((5, 9, 9), np.uint8)
    array[2, 1:3, 1:3] = 1
    array[2, 6:8, 6:9] = 1
    mask = Mask(array, {1: "a"}, geometry=Geometry.from_spacing(array.shape, (1, 1, 1)))
    assert pieces(mask, 1).quantity.value == 2 and reaches_edge(mask, 1)


def test_a_promised_volume_has_its_interval_and_an_absent_label_an_upper_end():
    mask = ball(4, (1, 1, 2))
    voxels = int((mask.array == 1).sum())
    chances = np.stack([(mask.array == 1) * 0.5, mask.array * 0.0]).astype(np.float16)
    two = Mask(mask.array, {1: "ball", 2: "other"}, geometry=mask.geometry)
    said = Prediction("segmentation", ("ball", "other"), mask=two, voxel_probability=chances)
    promise = Conformal("doubt", (0.9,), ((0.5, 30.0),))
    size, *rest = measure_label(said, 1, promise)
    away = 0.5 * (voxels / 2 + 1)
    assert size.quantity.low == pytest.approx((voxels - away) * 0.002)
    assert size.quantity.high == pytest.approx((voxels + away) * 0.002) and len(rest) >= 4
    [absent] = measure_label(said, 2, promise)
    assert (absent.quantity.value, absent.quantity.low) == (0, 0) and absent.quantity.high == pytest.approx(0.06)
    assert measure_label(said, 2) == ()
    [plain, *_] = measure_label(said, 1, Conformal("doubt", (0.9,), ((None, None),)))
    assert plain.quantity.low is None and plain.quantity.value == pytest.approx(voxels * 0.002)


@pytest.mark.parametrize(
    ("spacing", "unit", "each"), [(None, "pixels", 1.0), ((0.5, 2.0), "mm2", 1.0), ((2, 2), "mm2", 4)]
)
def test_a_promised_area_too(spacing, unit, each):
    array = np.zeros((9, 9), np.uint8)
    array[1:4, 2:7] = 1
    mask = Mask(array, {1: "a"}, spacing_mm=spacing)
    said = Prediction("segmentation", ("a",), mask=mask, voxel_probability=array[None].astype(np.float16))
    size = measure_label(said, 1, Conformal("share", (0.9,), ((0.2,),)))[0].quantity
    assert (size.unit, size.value) == (unit, 15 * each)
    assert size.low == pytest.approx(12 * each) and size.high == pytest.approx(18 * each)

"""Settings, interpolation, re-segmentation and grey levels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.clinic.measure.radiomics.discretise import discretise
from osler.clinic.measure.radiomics.interpolate import grid_around, interpolate
from osler.clinic.measure.radiomics.resegment import resegment
from osler.clinic.measure.radiomics.settings import SETTINGS, Bins, Settings, settings_for, settings_from
from osler.core.errors import AskedWrongly, UnknownChoice


@given(
    st.tuples(*[st.integers(2, 9)] * 3),
    st.tuples(*[st.sampled_from((0.7, 1.0, 3.0))] * 3),
    st.tuples(*[st.sampled_from((0.0, 0.5, 1.0, 2.0))] * 3),
)
def test_the_grids_have_one_centre(shape, spacing, wanted):
    grid = grid_around(np.ones(shape, bool), spacing, wanted, margin_mm=100)
    for axis in range(3):
        last = grid.start[axis] + grid.step[axis] * (grid.size[axis] - 1)
        assert (grid.start[axis] + last) / 2 == pytest.approx((shape[axis] - 1) / 2)
        extent = shape[axis] * spacing[axis]
        assert grid.size[axis] == int(np.ceil(extent / grid.spacing[axis] - 1e-9))
        assert grid.spacing[axis] == (wanted[axis] or spacing[axis])


@pytest.mark.parametrize("order", [1, 3])
def test_a_ramp_stays_a_ramp(order):
    shape, spacing = (12, 30, 31), (3.0, 1.0, 0.8)
    s, r, c = np.ogrid[:12, :30, :31]
    ramp = 2.0 * s - r + 0.5 * c
    inside = np.zeros(shape, bool)
    inside[5:7, 13:17, 14:18] = True
    grid = grid_around(inside, spacing, (2, 2, 2), margin_mm=1)
    places = [
        grid.start[axis] + grid.step[axis] * np.arange(grid.size[axis]) for axis in range(3)
    ]  # all inside the picture, far from its border
    wanted = 2 * places[0][:, None, None] - places[1][:, None] + 0.5 * places[2]
    # A cubic spline feels its border, from far off, by a few thousandths here.
    assert interpolate(ramp, grid, order=order) == pytest.approx(wanted, abs=1e-9 if order == 1 else 5e-3)


@pytest.mark.parametrize("order", [1, 3])
def test_a_window_is_a_piece_of_the_whole(order):
    array = np.random.default_rng(1).random((40, 44, 48))
    inside = np.zeros(array.shape, bool)
    inside[18:22, 20:24, 22:26] = True
    window = grid_around(inside, (1, 1, 1), (1.3, 0.7, 2), margin_mm=3)
    whole = grid_around(inside, (1, 1, 1), (1.3, 0.7, 2), margin_mm=1000)
    first = [round((w - b) / s) for w, b, s in zip(window.start, whole.start, window.step, strict=True)]
    cut = tuple(slice(f, f + n) for f, n in zip(first, window.size, strict=True))
    assert interpolate(array, window, order=order) == pytest.approx(
        interpolate(array, whole, order=order)[cut], abs=1e-8
    )


def test_an_axis_that_stays_is_not_touched():
    array = np.random.default_rng(1).random((5, 6, 7))
    grid = grid_around(np.ones(array.shape, bool), (3, 1, 1), (0, 0, 0), margin_mm=0)
    assert (interpolate(array, grid, order=3) == array).all()


def test_outliers_are_those_of_the_range():
    values = np.array([0.0] * 50 + [1.0] * 50 + [4.0, 1000.0]).reshape(1, 1, -1)
    inside = np.ones(values.shape, bool)
    assert resegment(values, inside, (0, 100), 3)[0, 0, -2:].tolist() == [False, False]
    # the 1000 alone widens the deviation so far that the 4 stays
    assert resegment(values, inside, None, 3)[0, 0, -2:].tolist() == [True, False]
    assert resegment(np.full((1, 1, 3), 0.1), np.ones((1, 1, 3), bool), None, 3).all()


@given(st.lists(st.floats(-1000, 1000), min_size=1, max_size=20), st.integers(1, 64))
def test_a_number_of_bins_is_filled_from_end_to_end(values, count):
    levels = discretise(np.array(values), Bins(count=count))
    assert levels.min() == 1 and levels.max() == (count if max(values) > min(values) else 1)


def test_bins_of_one_size_begin_where_they_are_told():
    values = np.array([-1000.0, -976, -975, 0, 24.9])
    assert discretise(values, Bins(size=25, start=-1000)).tolist() == [1, 1, 2, 41, 41]
    assert discretise(np.array([-1100.0, -1000]), Bins(size=25, start=-1000)).tolist() == [1, 1]
    assert discretise(np.array([3.0, 4.0]), Bins(size=1)).tolist() == [1, 2]


def test_settings_are_read_from_an_object():
    made = settings_from({"like": "ct", "spacing_mm": [1, 1, 1], "bins": {"count": 16}, "spaces": ["2D"]})
    assert made == Settings(
        (1.0, 1.0, 1.0), rounded=True, bins=Bins(count=16), volume_bins=None, spaces=("2D",), unit="HU"
    )
    assert settings_from({"volume_bins": None}).volume_bins is None
    assert settings_from({"like": "ibsi-c"}) == SETTINGS["ibsi-c"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"spacing": [1, 1, 1]}, "spacing_mm"),
        ({"like": "cta"}, "Did you mean 'ct'"),
        ({"bins": {"size": 25, "count": 3}}, "by their size, or by their count"),
        ({"bins": {"count": 0}}, "above zero"),
        ({"bins": {"size": "wide"}}, "wrong kind"),
        ({"bins": 25}, "an object"),
        ({"bins": None}, "an object"),
        ({"between": [400, -500]}, "empty"),
        ({"between": 3}, "wrong kind"),
        ({"sigmas": -1}, "standard deviations"),
        ({"interpolation": "nearest"}, "Known: cubic, linear"),
        ({"spaces": ["4D"]}, "There is no space named '4D'"),
        ({"spaces": []}, "at least one space"),
        ({"spacing_mm": [1, 1]}, "three spacings"),
        ({"spacing_mm": [1, 1, float("nan")]}, "three spacings"),
        ({"rounded": "yes"}, "true or false"),
    ],
)
def test_settings_that_cannot_be_meant(written, said):
    with pytest.raises(AskedWrongly, match=said):
        settings_from(written)
    assert issubclass(UnknownChoice, AskedWrongly)


def test_settings_by_the_kind_of_picture():
    assert settings_for("CT", "HU") == "ct" and settings_for("", "HU") == "ct"
    assert settings_for("PT", "SUV") == "pet" and settings_for("PT", "Bq/ml") is None
    assert settings_for("MR", "") == "mr" and settings_for("", "") is None

"""The whole road from a volume and a mask: closed forms, what is not defined, and what is refused."""

import dataclasses

import numpy as np
import pytest

from osler.clinic.measure.radiomics.features import FAMILIES, features
from osler.clinic.measure.radiomics.settings import SETTINGS, SPACES, Bins, Settings
from osler.core.errors import AskedWrongly, BadGeometry, BadPixels, UnknownChoice
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.volume import Volume

LEVELS = Settings(bins=Bins(size=1, start=1), volume_bins=None, spaces=SPACES)


def made(array, inside=None, spacing=(1, 1, 1), unit=""):
    grid = Geometry.from_spacing(array.shape, spacing)
    inside = np.ones(array.shape, bool) if inside is None else inside
    return Volume(np.asarray(array, float), grid, unit), Mask(inside.astype(np.uint8), {1: "x"}, geometry=grid)


def test_every_family_answers_and_nothing_is_nan():
    draw = np.random.default_rng(1)
    found = features(*made(draw.integers(1, 6, (4, 6, 5))), 1, LEVELS)
    assert {one.family for one in found} == set(FAMILIES)
    assert all(one.value is not None and np.isfinite(one.value) and not one.why for one in found)
    # 76 without an aggregation (25 shape, 2 peaks, 18, 23 and 6 of intensity, 2 of them more than IBSI's names),
    # 41 in 6 aggregations, 54 in 3
    assert len(found) == 74 + 41 * 6 + 54 * 3
    keys = [(one.code, one.name, one.aggregation) for one in found]
    assert len(keys) == len(set(keys))


def test_families_are_chosen_by_name():
    found = features(*made(np.arange(1.0, 28).reshape(3, 3, 3)), 1, LEVELS, families=["size_zone", "statistics"])
    assert [one.family for one in found] == ["size_zone"] * 48 + ["statistics"] * 18
    with pytest.raises(UnknownChoice, match="run_length"):
        features(*made(np.ones((2, 2, 2))), 1, LEVELS, families=["run_lengths"])


def test_progress_is_told():
    told = []
    features(
        *made(np.arange(1.0, 9).reshape(2, 2, 2)), 1, LEVELS, families=["histogram"],
        tell=lambda *said: told.append(said),
    )  # fmt: skip
    assert told == [("features", 0, 1, "histogram"), ("features", 1, 1, "")]


def test_statistics_of_a_ramp(measure):
    found = measure(np.arange(1.0, 102).reshape(1, 1, 101), families=["statistics", "histogram"])

    def value(code):
        return found[code, ""].value

    assert value("Q4LE") == value("Y12H") == 51
    assert value("ECT3") == pytest.approx((101**2 - 1) / 12)
    assert value("KE2A") == pytest.approx(0, abs=1e-12)
    assert (value("QG58"), value("8DWT"), value("SALO"), value("2OJQ")) == (11, 91, 50, 100)
    assert value("4FUA") == pytest.approx(2 * sum(range(51)) / 101)
    assert value("1128") == pytest.approx(2 * sum(range(41)) / 81)
    assert value("9S40") == pytest.approx(50 / 102)
    assert value("N8CA") == sum(n * n for n in range(1, 102))
    assert value("TLU2") == pytest.approx(np.log2(101)) and value("BJ5W") == pytest.approx(1 / 101)
    assert value("AMMC") == 51  # all are equally frequent: the one nearest to the mean


def test_volume_histogram_of_a_ramp(measure):
    found = features(*made(np.arange(0.0, 101).reshape(1, 1, 101)), 1, LEVELS, families=["volume_histogram"])
    by_name = {one.name: one.value for one in found}
    assert by_name["Volume at intensity fraction 10%"] == pytest.approx(91 / 101)
    assert by_name["Volume at intensity fraction 90%"] == pytest.approx(11 / 101)
    assert by_name["Intensity at volume fraction 10%"] == 91  # 10 of 101 voxels are at least so bright
    assert by_name["Intensity at volume fraction 90%"] == 11


def test_a_peak_counts_the_sphere_and_what_of_it_lies_in_the_picture():
    array = np.zeros((15, 15, 15))
    array[7, 7, 7] = 100
    inside = np.zeros(array.shape, bool)
    inside[6:9, 6:9, 6:9] = True
    steps = np.arange(-7, 8) * 2.0
    ball = steps[:, None, None] ** 2 + steps[:, None] ** 2 + steps**2 <= 6.2035**2
    found = features(*made(array, inside, (2, 2, 2)), 1, LEVELS, families=["local_intensity"])
    assert [one.value for one in found] == pytest.approx([100 / ball.sum()] * 2)
    # in the corner of the picture an eighth of the sphere and its faces are left
    corner = np.zeros(array.shape)
    corner[0, 0, 0] = 100
    at_corner = np.zeros(array.shape, bool)
    at_corner[0, 0, 0] = True
    found = features(*made(corner, at_corner, (2, 2, 2)), 1, LEVELS, families=["local_intensity"])
    assert [one.value for one in found] == pytest.approx([100 / ball[7:, 7:, 7:].sum()] * 2)


def test_units_follow_the_picture():
    volume, mask = made(np.arange(1.0, 28).reshape(3, 3, 3), unit="HU")
    units = {one.code: one.unit for one in features(volume, mask, 1, LEVELS)}
    assert (units["Q4LE"], units["ECT3"], units["99N0"], units["RNU0"], units["GYBY"]) == (
        "HU", "HU2", "HU.mm3", "mm3", "1",
    )  # fmt: skip
    plain = {one.code: one.unit for one in features(*made(volume.array), 1, LEVELS)}
    assert (plain["Q4LE"], plain["ECT3"], plain["99N0"]) == ("1", "1", "mm3")


def test_a_constant_region_says_what_is_not_defined(measure):
    found = measure(np.full((3, 4, 4), 7.0))
    missing = {code: one.why for (code, _), one in found.items() if one.value is None}
    assert set(missing) == {"N365", "NPT7", "NI2N", "R8DG", "QCDE"}
    assert all("one" in why for why in missing.values())
    assert found["ECT3", ""].value == found["KE2A", ""].value == found["TLU2", ""].value == 0
    assert found["8ZQL", "3D, merged"].value == 1 and found["P30P", "3D"].value == pytest.approx(1 / 48)


def test_one_voxel(measure):
    inside = np.zeros((3, 3, 3), bool)
    inside[1, 1, 1] = True
    found = measure(np.full((3, 3, 3), 5.0), inside, spacing=(3.0, 2.0, 1.0))
    assert found["YEKZ", ""].value == 6 and found["Q4LE", ""].value == 5
    assert found["9ZK5", "3D, merged"].value == 1
    assert found["GYBY", "3D, merged"].value is None and "neighbours" in found["GYBY", "3D, merged"].why
    assert found["Q3CK", ""].value is None
    assert not any(one.value is None and not one.why for one in found.values())


def test_a_mean_of_zero_has_no_variation_about_it(measure):
    found = measure(np.array([-1.0, 1, -1, 1]).reshape(1, 2, 2))
    assert found["7TET", ""].value is None and "mean is 0" in found["7TET", ""].why
    assert found["9S40", ""].value is None and found["KLMA", ""].value is None


def test_a_mask_without_voxels_or_of_another_label():
    volume, mask = made(np.ones((2, 2, 2)))
    with pytest.raises(BadPixels, match=r"Label 2 has no voxel.*it has: 1"):
        features(volume, mask, 2, LEVELS)
    empty = dataclasses.replace(mask, array=np.zeros((2, 2, 2), np.uint8))
    with pytest.raises(BadPixels, match="the mask is empty"):
        features(volume, empty, 1, LEVELS)


def test_a_mask_on_another_grid_is_refused():
    volume, mask = made(np.ones((2, 2, 2)))
    elsewhere = dataclasses.replace(mask, geometry=Geometry.from_spacing((2, 2, 2), (1, 1, 1), (5, 0, 0)))
    with pytest.raises(BadGeometry, match="does not lie on the picture's grid"):
        features(volume, elsewhere, 1, LEVELS)
    with pytest.raises(BadGeometry, match="does not lie"):
        features(volume, Mask(np.ones((2, 2), np.uint8), {1: "x"}), 1, LEVELS)


def test_a_sheared_grid_is_refused():
    affine = np.diag([2.0, 1, 1, 1])
    affine[1, 0] = 0.4  # a tilted gantry
    grid = Geometry((3, 3, 3), affine)
    mask = Mask(np.ones((3, 3, 3), np.uint8), {1: "x"}, geometry=grid)
    with pytest.raises(BadGeometry, match="right angles"):
        features(Volume(np.ones((3, 3, 3)), grid), mask, 1, LEVELS)


@pytest.mark.parametrize("name", ["ibsi-digital", "mr"])
def test_no_numbers_near_the_region_are_refused_and_far_ones_do_no_harm(name):
    array = np.random.default_rng(2).random((60, 60, 60))
    inside = np.zeros(array.shape, bool)
    inside[4:9, 4:9, 4:9] = True
    array[50, 50, 50] = np.nan
    assert features(*made(array, inside), 1, SETTINGS[name], families=["statistics"])
    array[6, 6, 6] = np.nan
    with pytest.raises(BadPixels, match="no numbers"):
        features(*made(array, inside), 1, SETTINGS[name], families=["statistics"])


def test_nothing_left_in_the_range():
    with pytest.raises(BadPixels, match="has an intensity in the range"):
        features(*made(np.full((3, 3, 3), 900.0)), 1, SETTINGS["ibsi-a"])


def test_nothing_left_on_a_coarse_grid():
    inside = np.zeros((9, 9, 9), bool)
    inside[4, 4, 3] = True
    with pytest.raises(BadPixels, match="too small"):
        features(*made(np.ones((9, 9, 9)), inside), 1, Settings(spacing_mm=(4, 4, 4)))


def test_settings_of_another_unit_are_refused():
    with pytest.raises(AskedWrongly, match="meant for HU, and the picture is in SUV"):
        features(*made(np.ones((3, 3, 3)), unit="SUV"), 1, SETTINGS["ct"])


def test_too_many_levels_are_refused():
    with pytest.raises(AskedWrongly, match="more than 2048 grey levels"):
        features(*made(np.linspace(0, 1, 27).reshape(3, 3, 3)), 1, Settings(bins=Bins(size=1e-5)))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mirror_changes_nothing(axis):
    array = np.random.default_rng(5).integers(1, 5, (5, 6, 7)).astype(float)
    inside = np.random.default_rng(6).random(array.shape) < 0.8
    one = features(*made(array, inside, (2, 1, 1)), 1, LEVELS)
    other = features(*made(np.flip(array, axis), np.flip(inside, axis), (2, 1, 1)), 1, LEVELS)
    assert [f.value for f in one] == pytest.approx([f.value for f in other])

"""Calcium scores of plaques whose score can be counted by hand."""

from dataclasses import replace

import numpy as np
import pytest

from osler.clinic.measure.calcium import Scan, calcium_measures, calcium_scores
from osler.core.errors import BadGeometry, BadInput, BadPixels, Declined
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.volume import Volume

PLAIN = Scan(kvp=120, contrast=False)


def heart(slice_mm: float = 3.0, pixel_mm: float = 0.5) -> tuple[Volume, Mask]:
    """Two vessels: LAD in the left half of the columns, RCA in the right; water everywhere."""
    geometry = Geometry.from_spacing((5, 20, 20), (slice_mm, pixel_mm, pixel_mm))
    labels = np.ones(geometry.shape, np.uint8)
    labels[..., 10:] = 2
    return (
        Volume(np.zeros(geometry.shape), geometry, unit="HU"),
        Mask(labels, {1: "LAD", 2: "RCA"}, geometry=geometry),
    )


def with_plaques(volume: Volume, *plaques: tuple[int, slice, slice, float]) -> Volume:
    array = volume.array.copy()
    for index, rows, columns, hu in plaques:
        array[index, rows, columns] = hu
    return volume.with_array(array)


@pytest.mark.parametrize(
    ("hu", "weight"),
    [(129.9, 0), (130, 1), (199.9, 1), (200, 2), (299, 2), (300, 3), (399, 3), (400, 4), (2000, 4)],
)
def test_a_plaque_weighs_by_its_densest_voxel(hu, weight):
    volume, mask = heart()
    scores = calcium_scores(with_plaques(volume, (1, slice(2, 4), slice(2, 5), hu)), mask, PLAIN)
    assert scores["LAD"].agatston == pytest.approx(6 * 0.25 * weight)
    assert scores[""].agatston == scores["LAD"].agatston and scores["RCA"].agatston == 0


def test_slices_are_counted_one_by_one_and_vessels_apart():
    volume, mask = heart()
    seen = with_plaques(
        volume,
        (1, slice(2, 4), slice(2, 4), 150.0),  # 1 mm2 x 1
        (2, slice(2, 4), slice(2, 4), 450.0),  # the same plaque, denser in the next slice: 1 mm2 x 4
        (2, slice(8, 12), slice(8, 12), 250.0),  # over the border of two vessels: 2 mm2 x 2 each
    )
    scores = calcium_scores(seen, mask, PLAIN, mg_per_hu_ml=0.8)
    assert scores["LAD"].agatston == pytest.approx(1 + 4 + 4) and scores["RCA"].agatston == pytest.approx(4)
    assert scores[""].agatston == pytest.approx(13) and scores[""].lesions == 4
    assert scores[""].volume_mm3 == pytest.approx(24 * 0.75)
    assert scores[""].mass_mg == pytest.approx(0.8 * (4 * 150 + 4 * 450 + 16 * 250) * 0.75 / 1000)


def test_what_is_smaller_than_a_square_millimetre_is_noise():
    volume, mask = heart()
    seen = with_plaques(volume, (1, slice(2, 3), slice(2, 5), 500.0), (1, slice(9, 10), slice(2, 6), 500.0))
    scores = calcium_scores(seen, mask, PLAIN)
    assert scores[""].lesions == 1 and scores[""].agatston == pytest.approx(4)  # exactly 1 mm2 counts


def test_voxels_that_touch_by_a_corner_are_one_plaque():
    volume, mask = heart()
    seen = with_plaques(volume, (1, slice(2, 4), slice(2, 3), 150.0), (1, slice(4, 6), slice(3, 4), 450.0))
    assert calcium_scores(seen, mask, PLAIN)[""].lesions == 1


@pytest.mark.parametrize("slice_mm", [1.5, 2.5, 3.0, 5.0])
def test_other_thickness_is_weighed_and_called_estimated(slice_mm):
    volume, mask = heart(slice_mm)
    seen = with_plaques(volume, (1, slice(2, 4), slice(2, 4), 150.0))
    found = calcium_measures(seen, mask, PLAIN)
    assert found[0].quantity.value == pytest.approx(slice_mm / 3) and found[0].quantity.unit == "1"
    assert found[0].name == ("Agatston score" if slice_mm == 3 else "Agatston score, estimated")
    assert [one.name for one in found[1:3]] == ["Calcium volume", f"{found[0].name}, LAD"]


@pytest.mark.parametrize(
    ("scan", "said"),
    [
        (Scan(120, None), "not known whether contrast"),
        (Scan(120, True), "contrast was given"),
        (Scan(None, False), "voltage is not known"),
        (Scan(100, False), "100 kVp"),
    ],
)
def test_a_scan_on_which_the_rule_does_not_hold_is_refused(scan, said):
    volume, mask = heart()
    with pytest.raises(Declined, match=said):
        calcium_scores(volume, mask, scan)


def test_another_voltage_needs_its_own_limit():
    volume, mask = heart()
    seen = with_plaques(volume, (1, slice(2, 4), slice(2, 4), 140.0))
    scores = calcium_scores(seen, mask, Scan(100, False), limit_hu=147)
    assert scores[""].agatston == 0
    found = calcium_measures(seen, mask, Scan(140, False), limit_hu=120)
    assert found[0].name == "Agatston score, estimated" and found[0].quantity.value == pytest.approx(1)


def test_bad_input_is_refused():
    volume, mask = heart()
    with pytest.raises(BadInput, match="HU"):
        calcium_scores(replace(volume, unit=""), mask, PLAIN)
    with pytest.raises(BadInput, match="vessel"):
        calcium_scores(volume, replace(mask, labels={}), PLAIN)
    with pytest.raises(BadGeometry, match="grid"):
        calcium_scores(volume, heart(2.0)[1], PLAIN)
    side = Geometry(volume.geometry.shape, volume.geometry.affine[[2, 1, 0, 3]])
    with pytest.raises(BadGeometry, match="axial"):
        calcium_scores(replace(volume, geometry=side), replace(mask, geometry=side), PLAIN)
    holed = volume.array.copy()
    holed[0, 0, 0] = np.nan
    with pytest.raises(BadPixels):
        calcium_scores(volume.with_array(holed), mask, PLAIN)

"""PET measures against closed forms, a slow SUVpeak and the reference objects."""

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from osler.clinic.measure.intensity import statistics
from osler.clinic.measure.pet import (
    PEAK_RADIUS_MM,
    Uptake,
    ball_weights,
    lean_factor,
    reference_uptake,
    suv_measures,
    suv_peak,
    threshold_masks,
)
from osler.core.errors import BadGeometry, BadInput, BadPixels, NoSuv
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.patient import Patient
from osler.core.volume import Volume
from osler.io.open import open_mask, open_picture

SPACING = (3.27, 4.0, 5.47)


def scan(array: np.ndarray, spacing=SPACING, unit: str = "SUV") -> Volume:
    return Volume(array, Geometry.from_spacing(array.shape, spacing, (-50, 20, 7)), unit=unit)


def outlined(volume: Volume, inside: np.ndarray) -> Mask:
    return Mask(inside.astype(np.uint8), {1: "tumour"}, geometry=volume.geometry)


def box(shape, low, high) -> np.ndarray:
    inside = np.zeros(shape, bool)
    inside[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return inside


def slow_shares(geometry: Geometry, cuts: int) -> dict[tuple[int, ...], float]:
    """Each voxel cut into cuts^3 cells, and the share of them with their centre in the ball."""
    far = [int(np.ceil(PEAK_RADIUS_MM / mm)) for mm in geometry.spacing]
    line = (np.arange(cuts) + 0.5) / cuts - 0.5
    cells = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1).reshape(-1, 3)
    shares = {}
    for away in np.ndindex(*[2 * n + 1 for n in far]):
        offset = np.array(away) - far
        places = (cells + offset) @ geometry.affine[:3, :3].T
        share = float(((places**2).sum(axis=1) <= PEAK_RADIUS_MM**2).mean())
        if share:
            shares[tuple(int(n) for n in offset)] = share
    return shares


def slow_peak(array: np.ndarray, inside: np.ndarray, shares: dict[tuple[int, ...], float]) -> float:
    best = -np.inf
    for centre in np.argwhere(inside):
        total = held = 0.0
        for offset, share in shares.items():
            s, r, c = (int(a + b) for a, b in zip(centre, offset, strict=True))
            if 0 <= s < array.shape[0] and 0 <= r < array.shape[1] and 0 <= c < array.shape[2]:
                total, held = total + share * float(array[s, r, c]), held + share
        best = max(best, total / held)
    return best


def value_of(measured, name: str) -> float:
    (found,) = [one.quantity.value for one in measured if one.name == name]
    return found


@given(some.tuples(*[some.floats(1.2, 14)] * 3), some.floats(-0.4, 0.4))
@settings(max_examples=10)
def test_a_balls_weights_add_up_to_one_cubic_centimetre(spacing, shear):
    affine = np.diag([*spacing, 1.0])[[2, 1, 0, 3]]
    affine[1, 0] = shear * spacing[0]  # a tilted gantry shifts each slice
    geometry = Geometry((9, 9, 9), affine)
    weights = ball_weights(geometry)
    assert weights.sum() * geometry.voxel_ml == pytest.approx(1, rel=2e-4)
    assert weights.max() <= 1 + 1e-9 and weights.min() >= 0
    assert np.allclose(weights, weights[::-1, ::-1, ::-1])  # the ball is the same seen from the other side


@pytest.mark.parametrize("seed", range(3))
def test_suv_peak_is_that_of_a_slow_ball(seed):
    draw = np.random.default_rng(seed)
    volume = scan(draw.gamma(1, 2, (12, 11, 10)))
    # The second outline lies in a corner of the picture, where balls are cut.
    inside = box(
        volume.array.shape, *[((3, 3, 3), (9, 8, 6)), ((0, 0, 0), (4, 5, 2)), ((5, 4, 9), (7, 9, 10))][seed]
    )
    peak = suv_peak(volume.array, volume.geometry, inside)
    shares = slow_shares(volume.geometry, 24)
    assert peak.value == pytest.approx(slow_peak(volume.array, inside, shares), rel=1e-3)
    at_max = suv_peak(volume.array, volume.geometry, inside, at_max=True)
    hottest = np.zeros_like(inside)
    hottest[np.unravel_index(np.where(inside, volume.array, -1).argmax(), inside.shape)] = True
    assert at_max.value == pytest.approx(slow_peak(volume.array, hottest, shares), rel=1e-3)
    assert at_max.value <= peak.value + 1e-12
    index = np.rint(volume.geometry.to_index(np.array([peak.centre_mm])))[0].astype(int)
    assert inside[tuple(index)]


def test_one_hot_voxel_counts_with_its_share_of_the_ball():
    array = np.zeros((9, 9, 9))
    array[4, 4, 4] = 10
    volume = scan(array)
    peak = suv_peak(array, volume.geometry, array > 0)
    assert peak.value == pytest.approx(10 * volume.geometry.voxel_ml, rel=1e-4)  # it lies wholly in the ball
    assert peak.share == pytest.approx(1)
    assert peak.centre_mm == pytest.approx(tuple(volume.geometry.to_world(np.array([[4, 4, 4]]))[0]))


def test_the_ball_may_reach_beyond_the_outline_but_its_centre_may_not():
    array = np.zeros((9, 9, 9))
    array[4, 4, 4:6] = 10
    volume = scan(array)
    only = box(array.shape, (4, 4, 4), (5, 5, 5))
    both = suv_peak(array, volume.geometry, only)
    assert both.value > 10 * volume.geometry.voxel_ml * 1.2
    assert both.centre_mm == pytest.approx(tuple(volume.geometry.to_world(np.array([[4, 4, 4]]))[0]))


def test_a_ball_that_leaves_the_picture_is_the_mean_of_the_rest_and_is_said():
    volume = scan(np.full((8, 8, 8), 3.0))
    inside = box(volume.array.shape, (0, 3, 3), (1, 5, 5))
    measured = suv_measures(volume, outlined(volume, inside), 1)
    peak = suv_peak(volume.array, volume.geometry, inside)
    assert peak.value == pytest.approx(3) and 0.5 < peak.share < 0.8
    names = [one.name for one in measured]
    assert f"SUVpeak ({peak.share:.0%} of the sphere lies in the picture)" in names and "SUVpeak" not in names


def test_every_measure_of_a_box_of_known_uptake():
    array = np.full((10, 10, 10), 1.0)
    array[3:7, 3:7, 3:7] = 3.0
    array[4:6, 4:6, 4:6] = 8.0
    volume = scan(array, (5.0, 5.0, 5.0))
    mask = outlined(volume, array > 2)
    liver = Uptake(mean=2.0, deviation=0.6, voxels=100)  # from 3.2 on
    measured = suv_measures(volume, mask, 1, lean_factor=0.75, liver=liver)
    one = 0.125  # ml
    assert value_of(measured, "SUVmax") == 8
    assert value_of(measured, "SUVmean") == pytest.approx((56 * 3 + 8 * 8) / 64)
    assert value_of(measured, "Total lesion glycolysis") == pytest.approx((56 * 3 + 8 * 8) * one)
    volumes = {
        "SUV 2.5 or more": 64,
        "SUV 4.0 or more": 8,
        "41 % of SUVmax or more": 8,
        "50 % of SUVmax or more": 8,
    }
    volumes["the liver's mean and two standard deviations or more"] = 8
    for name, voxels in volumes.items():
        assert value_of(measured, f"Metabolic tumour volume, {name}") == pytest.approx(voxels * one)
    assert value_of(measured, "Total lesion glycolysis, SUV 4.0 or more") == pytest.approx(64 * one)
    assert value_of(measured, "SULpeak") == pytest.approx(0.75 * value_of(measured, "SUVpeak"))
    units = {one.quantity.unit for one in measured}
    assert units == {"SUV", "SUL", "ml", "g"} and all(one.code is not None for one in measured)
    for size in measured:
        if size.quantity.low is not None and size.quantity.high is not None:
            assert size.quantity.low < size.quantity.value < size.quantity.high


def test_a_lesion_colder_than_a_threshold_has_no_volume_there():
    volume = scan(np.full((6, 6, 6), 2.0))
    mask = outlined(volume, box((6, 6, 6), (2, 2, 2), (4, 4, 4)))
    assert not threshold_masks(volume, mask, 1)["SUV 2.5 or more"].any()
    assert value_of(suv_measures(volume, mask, 1), "Metabolic tumour volume, SUV 2.5 or more") == 0


def test_what_cannot_be_measured_is_refused():
    volume = scan(np.ones((6, 6, 6)))
    inside = box((6, 6, 6), (2, 2, 2), (4, 4, 4))
    mask = outlined(volume, inside)
    with pytest.raises(BadInput, match="no voxels"):
        suv_measures(volume, mask, 2)
    with pytest.raises(NoSuv, match="in HU"):
        suv_measures(scan(np.ones((6, 6, 6)), unit="HU"), mask, 1)
    with pytest.raises(NoSuv, match="does not name"):
        reference_uptake(scan(np.ones((6, 6, 6)), unit=""), mask, 1)
    with pytest.raises(BadGeometry, match="grid"):
        suv_measures(scan(np.ones((6, 6, 6)), (3, 3, 3)), mask, 1)
    for place in ((3, 3, 3), (3, 3, 1)):  # inside the outline, and within the ball's reach alone
        holed = np.ones((6, 6, 6))
        holed[place] = np.nan
        with pytest.raises(BadPixels, match="no number"):
            suv_measures(scan(holed), mask, 1)


def test_a_lean_factor_needs_weight_height_and_sex():
    # Janmahasatian: 9270 x 70 / (6680 + 216 x 22.857) = 55.86 kg
    assert lean_factor(Patient("M", None, 70, 1.75)) == pytest.approx(55.86 / 70, abs=1e-4)
    assert lean_factor(Patient("F", None, 70, 1.75), formula="james128") == pytest.approx(51.22 / 70, abs=1e-4)
    for known in (Patient("O", None, 70, 1.75), Patient("M", None, None, 1.75), Patient("M", None, 70)):
        assert lean_factor(known) is None


def test_a_healthy_region_has_the_mean_and_spread_of_its_voxels():
    array = np.ones((4, 4, 4))
    array[0] = 3
    volume = scan(array)
    found = reference_uptake(volume, outlined(volume, np.ones((4, 4, 4), bool)), 1)
    assert (found.mean, found.voxels) == (1.5, 64) and found.deviation == pytest.approx(np.sqrt(0.75))


def test_reference_objects_have_the_suv_that_they_were_made_with(test_data):
    folder = test_data / "suv-reference"
    with (folder / "expected.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["ID"] in ("DRO_2_4", "DRO_3_4")]
    assert len(rows) == 2
    for row in rows:
        volume = open_picture(folder / row["ID"] / "PT")
        mask = open_mask(folder / row["ID"] / "mask" / "DRO_mask.nii.gz")
        values = {one.name: one.quantity.value for one in statistics(volume, mask, 1)}
        assert values["Least value"] == pytest.approx(float(row["SUVmin_expected"]), abs=1e-3)
        assert values["Median"] == pytest.approx(float(row["SUVmed_expected"]), abs=1e-3)
        assert values["Greatest value"] == pytest.approx(float(row["SUVmax_expected"]), abs=1e-3)


def test_dicom_and_an_independent_nifti_give_the_same_measures(test_data):
    here = test_data / "sarcoma" / "dicom" / "STS_019" / "PET"
    there = test_data / "sarcoma" / "nifti" / "STS_019"
    volume = open_picture(here / "image")
    drawn = open_mask(next((here / "mask").glob("*.dcm")), grid=volume.geometry)
    other = open_picture(there / "PET_image.nii.gz")
    mask = open_mask(there / "PET_mask.nii.gz")
    ours = suv_measures(volume, drawn, int(drawn.array.max()))
    theirs = suv_measures(other.with_array(other.array, unit="SUV"), mask, 1)
    for one, two in zip(ours, theirs, strict=True):
        assert one.quantity.value == pytest.approx(two.quantity.value, rel=1e-4), one.name

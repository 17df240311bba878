"""Mask metrics against brute force, closed forms and SimpleITK."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from osler.core.errors import BadGeometry, UnknownChoice
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.lab.evaluate.segmentation import dice, score_case, surface_scores, tolerance_for

MASKS = hnp.arrays(bool, (4, 5, 6))


def boundary(mask):
    """Brute force: voxels with a face neighbour outside."""
    found = []
    for place in np.argwhere(mask):
        for axis in range(mask.ndim):
            for step in (-1, 1):
                near = place.copy()
                near[axis] += step
                outside = (near < 0).any() or (near >= mask.shape).any()
                if outside or not mask[tuple(near)]:
                    found.append(tuple(place))
    return np.array(sorted(set(found)))


@given(MASKS, MASKS, st.tuples(*[st.sampled_from([0.5, 1.0, 2.5])] * 3), st.sampled_from([0.5, 1.0, 2.0]))
@settings(max_examples=40, deadline=None)
def test_surface_scores_are_those_of_brute_force(one, two, spacing, tolerance):
    if not one.any() or not two.any():
        return
    first, second = boundary(one) * spacing, boundary(two) * spacing
    apart = np.sqrt(((first[:, None] - second) ** 2).sum(-1))
    there, back = apart.min(1), apart.min(0)
    hd95, nsd = surface_scores(one, two, spacing, tolerance_mm=tolerance)
    assert hd95 == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)))
    inside = (there <= tolerance + 1e-6).sum() + (back <= tolerance + 1e-6).sum()
    assert nsd == pytest.approx(inside / (len(there) + len(back)))


@given(MASKS, MASKS)
@settings(max_examples=40, deadline=None)
def test_scores_do_not_mind_which_mask_is_which_nor_empty_room_around(one, two):
    spacing = (2.0, 1.0, 1.0)
    here = [dice(one, two), *surface_scores(one, two, spacing, tolerance_mm=1)]
    assert here == pytest.approx([dice(two, one), *surface_scores(two, one, spacing, tolerance_mm=1)], nan_ok=True)
    one, two = np.pad(one, 3), np.pad(two, 3)
    assert here == pytest.approx([dice(one, two), *surface_scores(one, two, spacing, tolerance_mm=1)], nan_ok=True)


def test_dice_and_volumes_are_those_of_simpleitk():
    sitk = pytest.importorskip("SimpleITK")
    random = np.random.default_rng(0)
    one, two = (random.integers(0, 3, (6, 8, 10)).astype(np.uint8) for _ in range(2))
    grid = Geometry.from_spacing(one.shape, (3.0, 0.8, 0.8))
    labels = {1: "core", 2: "rim"}
    scores = score_case(Mask(one, labels, geometry=grid), Mask(two, labels, geometry=grid))
    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(sitk.GetImageFromArray(one), sitk.GetImageFromArray(two))
    for number, name in labels.items():
        assert scores[name]["dice"] == pytest.approx(overlap.GetDiceCoefficient(number))
        assert scores[name]["volume_ml"] == pytest.approx((one == number).sum() * 3 * 0.8 * 0.8 / 1000)
        assert scores[name]["reference_ml"] == pytest.approx((two == number).sum() * 3 * 0.8 * 0.8 / 1000)


def test_a_moved_plate_lies_as_far_off_as_it_was_moved():
    grid = Geometry.from_spacing((20, 9, 9), (2.0, 1.0, 1.0))
    one, two = np.zeros(grid.shape, np.uint8), np.zeros(grid.shape, np.uint8)
    one[5], two[8] = 1, 1
    scores = score_case(Mask(one, {1: "plate"}, geometry=grid), Mask(two, {1: "plate"}, geometry=grid))["plate"]
    assert (scores["dice"], scores["hd95_mm"], scores["nsd"]) == (0, 6, 0)
    wide = score_case(Mask(one, {1: "p"}, geometry=grid), Mask(two, {1: "p"}, geometry=grid), tolerance_mm=6)
    assert wide["p"]["nsd"] == 1


@pytest.mark.parametrize(
    ("predicted", "reference", "expected"),
    [(0, 0, (np.nan, np.nan, np.nan)), (1, 0, (0, np.nan, 0)), (0, 1, (0, np.nan, 0)), (1, 1, (1, 0, 1))],
)
def test_empty_masks_are_scored_as_the_table_says(predicted, reference, expected):
    grid = Geometry.from_spacing((3, 4, 5), (1, 1, 1))
    one, two = (Mask(np.full(grid.shape, v, np.uint8), {1: "a"}, geometry=grid) for v in (predicted, reference))
    scores = score_case(one, two)["a"]
    assert (scores["dice"], scores["hd95_mm"], scores["nsd"]) == pytest.approx(expected, nan_ok=True)
    assert (scores["volume_ml"], scores["reference_ml"]) == (predicted * 0.06, reference * 0.06)


def test_parts_are_counted_as_found_missed_and_false():
    reference, answer = np.zeros((1, 10, 10), np.uint8), np.zeros((1, 10, 10), np.uint8)
    reference[0, 0:2, 0:2] = reference[0, 2, 2] = 1  # one part: it touches by a corner
    reference[0, 6, 6] = 1
    answer[0, 2, 2] = answer[0, 9, 0] = answer[0, 0, 9] = 1
    grid = Geometry.from_spacing(reference.shape, (1, 1, 1))
    scores = score_case(Mask(answer, {1: "a"}, geometry=grid), Mask(reference, {1: "a"}, geometry=grid))["a"]
    assert (scores["lesions"], scores["lesions_found"], scores["false_lesions"]) == (2, 1, 2)


def test_labels_meet_by_name_and_flat_pictures_have_no_volume():
    one, two = np.array([[0, 2], [0, 2]]), np.array([[0, 1], [0, 1]])
    scores = score_case(Mask(one, {1: "rim", 2: "core"}), Mask(two, {1: "core"}))
    assert list(scores) == ["core"] and scores["core"]["dice"] == 1
    assert np.isnan(scores["core"]["volume_ml"])
    with pytest.raises(UnknownChoice):
        score_case(Mask(two, {1: "core"}), Mask(one, {2: "rind"}))


def test_other_grids_are_refused():
    grid = Geometry.from_spacing((2, 3, 4), (1, 1, 1))
    moved = Geometry.from_spacing((2, 3, 4), (1, 1, 1), origin=(5, 0, 0))
    array = np.ones(grid.shape, np.uint8)
    for other in (Mask(array, {1: "a"}, geometry=moved), Mask(np.ones((2, 3, 5), np.uint8), {1: "a"})):
        with pytest.raises(BadGeometry):
            score_case(Mask(array, {1: "a"}, geometry=grid), other)


def test_the_tolerance_is_one_number_for_a_set_and_not_under_a_voxel():
    assert tolerance_for([]) == 1
    assert tolerance_for([(1, 1, 1), (5, 0.7, 0.7)]) == 1
    assert tolerance_for([(2.5, 1.5, 1.5)] * 3) == 1.5
    assert tolerance_for([(3, 1.234, 1.3)]) == 1.3

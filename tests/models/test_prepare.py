"""Pictures to tensors and back."""

import numpy as np
import pytest

from osler.core.errors import AskedWrongly, BadGeometry, BadPixels
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.volume import Volume
from osler.models.prepare import normalized, prepare, prepare_mask, restore
from osler.models.recipe import Channel, Normalization, Recipe

Z = Normalization("zscore")


def volume(shape, spacing, seed=0):
    array = np.random.default_rng(seed).normal(100, 20, shape).astype(np.float32)
    return Volume(array, Geometry.from_spacing(shape, spacing))


def test_each_rule_of_normalization_does_what_it_says():
    x = np.array([[-2000.0, 0.0, 100.0, 5000.0]])
    clip = normalized(x, Normalization("clip", -100, 200, (50.0,), (10.0,)))
    assert clip.tolist() == [[-15.0, -5.0, 5.0, 15.0]]
    z = normalized(x, Z)
    assert z.mean() == pytest.approx(0, abs=1e-6)
    assert z.std() == pytest.approx(1)
    assert normalized(np.full((3, 3), 7.0), Z).tolist() == np.zeros((3, 3)).tolist()
    grey = normalized(np.arange(101.0)[None], Normalization("percentile", 0, 100))
    assert (grey.min(), grey.max()) == (-1, 1)
    rgb = normalized(np.full((1, 1, 3), 10.0), Normalization("fixed", mean=(10.0, 0.0, 5.0), std=(1.0, 2.0, 5.0)))
    assert rgb.tolist() == [[[0, 5, 1]]]


def test_channels_on_other_grids_are_brought_to_the_reference():
    """A smooth pattern in the patient, sampled on two grids, is the same on the reference grid."""
    fine, coarse = (
        Geometry.from_spacing(s, p) for s, p in (((12, 30, 28), (3, 1, 1)), ((18, 12, 14), (2, 2.5, 2)))
    )

    def pattern(grid):
        index = np.indices(grid.shape).reshape(3, -1).T
        x, y, z = grid.to_world(index).T
        return Volume((x + 2 * y + 0.5 * z).reshape(grid.shape).astype(np.float32), grid)

    keep = Normalization("fixed")
    recipe = Recipe(3, False, (Channel("a", "CT", keep), Channel("b", "PT", keep)), False, (8, 8, 8))
    tensor = prepare([pattern(fine), pattern(coarse)], recipe).array
    inner = (slice(2, -2), slice(3, -3), slice(3, -3))
    assert np.abs(tensor[0][inner] - tensor[1][inner]).max() < 0.01


def test_probabilities_come_back_to_the_native_grid():
    native = volume((10, 20, 16), (4, 1, 1))
    recipe = Recipe(3, False, (Channel("a", "MR", Z),), False, (8, 8, 8), spacing=(2.0, 1.0, 1.0))
    prepared = prepare([native], recipe)
    assert prepared.array.shape == (1, 20, 20, 16)
    mask = np.zeros((10, 20, 16), np.uint8)
    mask[3:7, 5:15, 4:12] = 1
    fine = prepare_mask(Mask(mask, {1: "x"}, geometry=native.geometry), prepared, recipe)
    back = restore(np.stack([1.0 - fine, fine]).astype(np.float32), prepared)
    assert np.array_equal(back.argmax(0), mask)


def test_padding_keeps_proportions_and_comes_back():
    image = Image(np.random.default_rng(0).integers(0, 255, (40, 80), np.uint8))
    recipe = Recipe(2, False, (Channel("a", "", Z),), True, (32, 32), fit="pad")
    prepared = prepare([image], recipe)
    assert prepared.array.shape == (1, 32, 32)
    assert prepared.inside == (slice(8, 24), slice(0, 32))
    assert restore(np.ones((2, 32, 32), np.float32), prepared).shape == (2, 40, 80)


def test_grey_and_colour_are_brought_to_what_the_recipe_wants():
    grey, colour = Image(np.zeros((8, 8), np.uint8)), Image(np.zeros((8, 8, 3), np.uint8))
    wants_grey = Recipe(2, False, (Channel("a", "", Z),), True, (8, 8))
    wants_colour = Recipe(2, True, (Channel("a", "", Z),), True, (8, 8))
    for image in (grey, colour):
        assert prepare([image], wants_grey).array.shape == (1, 8, 8)
        assert prepare([image], wants_colour).array.shape == (3, 8, 8)


def test_wrong_pictures_are_refused_with_a_remedy():
    recipe = Recipe(3, False, (Channel("a", "MR", Z),), False, (8, 8, 8))
    v = volume((8, 8, 8), (1, 1, 1))
    with pytest.raises(AskedWrongly, match="needs 1 pictures"):
        prepare([v, v], recipe)
    with pytest.raises(AskedWrongly, match="other kind"):
        prepare([Image(np.zeros((8, 8), np.uint8))], recipe)
    bad = v.array.copy()
    bad[0, 0, 0] = np.nan
    with pytest.raises(BadPixels, match="NaN"):
        prepare([v.with_array(bad)], recipe)
    elsewhere = Mask(
        np.zeros((8, 8, 8), np.uint8), {}, geometry=Geometry.from_spacing((8, 8, 8), (1, 1, 1), (9, 0, 0))
    )
    with pytest.raises(BadGeometry, match="does not lie"):
        prepare_mask(elsewhere, prepare([v], recipe), recipe)


def test_a_tilted_scan_is_straight_for_the_net_and_its_mask_comes_back_to_the_native_slices():
    affine = np.diag([3.0, 1.0, 1.0, 1.0])[[2, 1, 0, 3]]
    affine[1, 0] = 3 * np.tan(np.radians(15))  # each slice lies further back than the one below
    tilted = Geometry((12, 40, 30), affine)
    index = np.indices(tilted.shape).reshape(3, -1).T
    x, y, _ = tilted.to_world(index).T
    # A rod that stands upright in the patient leans in the native slices.
    rod = ((np.abs(x - 15) < 4) & (np.abs(y - 25) < 4)).reshape(tilted.shape)
    recipe = Recipe(
        3, False, (Channel("a", "CT", Normalization("fixed")),), False, (8, 8, 8), spacing=(3.0, 1.0, 1.0)
    )
    prepared = prepare([Volume(rod.astype(np.float32), tilted)], recipe)
    middle = [np.argwhere(plane > 0.5).mean(0) for plane in prepared.array[0] if (plane > 0.5).any()]
    assert np.ptp(np.array(middle)[:, 0]) <= 1.0  # to the pixel; it leans by 8.5 rows in the native slices
    labels = prepare_mask(Mask(rod.astype(np.uint8), {1: "rod"}, geometry=tilted), prepared, recipe)
    back = restore(np.stack([1.0 - labels, labels]).astype(np.float32), prepared)
    assert back.shape == (2, *tilted.shape)
    agree = ((back[1] > 0.5) & rod).sum() * 2 / ((back[1] > 0.5).sum() + rod.sum())
    assert agree > 0.9

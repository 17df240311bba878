"""A few hundred numbers that know which way is up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from osler.core.image import Image
from osler.inference.look import plain_look, quantiles, turns_of
from osler.models.recipe import Channel, Normalization, Recipe

SHAPES = [(1, 28, 28), (1, 224, 224), (3, 30, 50), (1, 12, 20, 16), (2, 40, 33, 35)]


def picture(shape, seed=0):
    """Smooth, and different along every axis."""
    axes = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
    return sum((number + 1) * axis**2 for number, axis in enumerate(axes)).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_turn_changes_the_look_and_three_more_undo_it(shape):
    seen = picture(shape)
    recipe = Recipe(len(shape) - 1, False, (Channel("", "", Normalization("fixed")),), True, shape[1:])
    for name, turn in turns_of(seen, recipe).items():
        assert np.abs(plain_look(turn(seen)) - plain_look(seen)).max() > 0.01, name
        np.testing.assert_allclose(turn(turn(turn(turn(seen)))), seen, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 28, 1), (1, 1, 20, 16)])
def test_pictures_of_one_row_or_slice_have_a_look_in_every_turn(shape):
    recipe = Recipe(len(shape) - 1, False, (Channel("", "", Normalization("fixed")),), True, shape[1:])
    for name, turn in turns_of(picture(shape), recipe).items():
        assert np.isfinite(plain_look(turn(picture(shape)))).all(), name


@pytest.mark.parametrize("shape", SHAPES)
def test_the_look_has_one_length_and_forgets_the_size(shape):
    planes, *spatial = shape
    larger = picture((planes, *(2 * n for n in spatial)))
    small, large = plain_look(picture(shape)), plain_look(larger)
    assert small.shape == large.shape and np.corrcoef(small, large)[0, 1] > 0.99


@pytest.mark.parametrize("shape", SHAPES)
def test_a_flat_picture_has_no_edges_and_one_without_numbers_no_look(shape):
    flat = plain_look(np.full(shape, 3.0))
    assert set(np.unique(flat)) == {0.0, 3.0}
    assert np.isnan(plain_look(np.full(shape, np.nan))).any()


@given(some.integers(1, 4000), some.floats(0.01, 50), some.floats(-100, 100), some.integers(0, 99))
def test_quantiles_know_neither_brightness_nor_contrast(size, contrast, brightness, seed):
    pixels = np.random.default_rng(seed).gamma(2, 1, (size, 2)) + np.arange(2)
    one, other = quantiles(Image(pixels)), quantiles(Image(pixels * contrast + brightness))
    np.testing.assert_allclose(one, other, atol=2e-3)
    assert (np.diff(one) >= 0).all() and one[0] == 0 and one[-1] == pytest.approx(1)


def test_the_same_number_everywhere_has_flat_quantiles():
    assert not quantiles(Image(np.full((20, 20), 7))).any()

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from scipy.ndimage import gaussian_filter

from osler.explain.blur import blurred, smoothed, surroundings


@given(
    some.integers(1, 40), some.integers(1, 9), some.floats(0, 12), some.floats(0, 3), some.integers(0, 2**32 - 1)
)
def test_smoothing_is_what_scipy_does(rows, columns, down, across, seed):
    noise = np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)
    wanted = gaussian_filter(noise, (down, across), mode="reflect")
    assert np.allclose(smoothed(noise, (down, across)), wanted, atol=1e-5)


@pytest.mark.parametrize("spatial", [(28, 28), (64, 40), (12, 24, 20)])
def test_a_blurred_picture_is_what_scipy_makes_of_each_plane(spatial):
    picture = np.random.default_rng(1).normal(size=(2, *spatial)).astype(np.float32)
    wanted = [gaussian_filter(plane, [n / 8 for n in spatial], mode="nearest") for plane in picture]
    assert np.allclose(blurred(torch.from_numpy(picture)), wanted, atol=1e-5)


def test_a_hidden_patch_leaves_no_trace():
    picture = torch.zeros(1, 48, 48)
    part = np.zeros((48, 48), bool)
    part[10:20, 10:20] = True
    picture[0, 10:20, 10:20] = 50
    assert surroundings(picture, part).abs().max() < 1e-6
    assert float(blurred(picture).max()) > 1  # which is why it is not blurred
    whole = surroundings(picture, np.ones((48, 48), bool))
    assert torch.isfinite(whole).all() and whole.std() < 1e-3


def test_smoothing_keeps_the_sum():
    noise = np.random.default_rng(0).normal(size=(20, 31)).astype(np.float32)
    assert smoothed(noise, (2, 3)).sum() == pytest.approx(noise.sum(), abs=1e-3)

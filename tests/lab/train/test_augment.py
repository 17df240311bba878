"""Variations move pictures and masks together."""

import pytest
import torch

from osler.lab.plan.plan import Augmentation
from osler.lab.train.augment import augment, mix, move


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


def blob(axes):
    """A smooth bump off the middle, as picture and as mask."""
    line = torch.linspace(-1, 1, 24)
    grids = torch.meshgrid(*[line] * axes, indexing="ij")
    distance = sum((g - 0.2 * (i + 1)) ** 2 for i, g in enumerate(grids))
    picture = torch.exp(-distance * 4)[None, None].repeat(8, 1, *[1] * axes)
    return picture, (picture[:, 0] > 0.6).long()


@pytest.mark.parametrize("axes", [2, 3])
def test_without_variation_a_picture_is_only_cut(axes):
    picture, mask = blob(axes)
    out, out_mask = augment(picture.clone(), mask.clone(), Augmentation(), (16,) * axes, dice())
    middle = (slice(None), *[slice(4, 20)] * axes)
    assert torch.equal(out[:, 0], picture[:, 0][middle])
    assert torch.equal(out_mask, mask[middle])


@pytest.mark.parametrize("axes", [2, 3])
def test_an_affine_of_no_size_leaves_every_voxel_where_it_is(axes):
    picture, mask = blob(axes)
    out, out_mask = move(picture, mask, Augmentation(chance=1.0), (16,) * axes, dice())
    middle = (slice(None), *[slice(4, 20)] * axes)
    assert torch.allclose(out[:, 0], picture[:, 0][middle], atol=1e-4)
    assert torch.equal(out_mask, mask[middle])


@pytest.mark.parametrize("axes", [2, 3])
def test_picture_and_mask_move_together(axes):
    picture, mask = blob(axes)
    rule = Augmentation(flips=tuple(range(axes)), chance=1.0, rotate=40, scale=0.3, shift=0.1)
    out, out_mask = augment(picture.clone(), mask.clone(), rule, (24,) * axes, dice(3))
    assert not torch.equal(out_mask, mask)
    seen = (out[:, 0] > 0.6).long()
    overlap = 2 * (seen * out_mask).sum() / (seen.sum() + out_mask.sum())
    assert overlap > 0.9


def test_a_quarter_turn_turns_anisotropic_windows_without_shear():
    """The turn is in voxels: a square stays a square in a window that is wider than high."""
    picture = torch.zeros(40, 1, 20, 40)
    picture[:, :, 7:13, 17:23] = 1
    out, _ = move(picture, None, Augmentation(chance=1.0, rotate=90), (20, 40), dice(1))
    assert (out.sum((1, 2, 3)) - 36).abs().max() < 1.5  # area is kept whatever the angle


def test_the_same_dice_give_the_same_variation():
    picture, mask = blob(2)
    rule = Augmentation(
        flips=(0, 1), chance=0.7, rotate=30, scale=0.2, shift=0.1, intensity=0.7, brightness=0.3, contrast=0.3,
        gamma=0.3, noise=0.2, low_resolution=0.5, erase=0.5,
    )  # fmt: skip
    one, two = (augment(picture.clone(), mask.clone(), rule, (16, 16), dice(7)) for _ in range(2))
    assert torch.equal(one[0], two[0])
    assert torch.isfinite(one[0]).all()
    assert not torch.equal(one[0], augment(picture.clone(), mask.clone(), rule, (16, 16), dice(8))[0])


def test_mixing_keeps_shares_that_sum_to_one():
    images, shares = torch.randn(6, 1, 4, 4), torch.eye(3).repeat(2, 1)
    mixed, mixed_shares = mix(images, shares, Augmentation(mix=1.0), dice())
    assert torch.allclose(mixed_shares.sum(1), torch.ones(6))
    assert torch.allclose(mixed.mean(), images.mean(), atol=1e-5)
    same, same_shares = mix(images, shares, Augmentation(mix=0.0), dice())
    assert torch.equal(same, images)
    assert torch.equal(same_shares, shares)

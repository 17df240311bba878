"""Training pictures varied on the device, a batch at a time: one affine pass, then intensities.

Dice are cast by a generator of their own from (seed, step): a resumed run sees the same variations.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from osler.lab.plan.plan import Augmentation


def augment(
    images: Tensor, masks: Tensor | None, rule: Augmentation, size: tuple[int, ...], dice: torch.Generator
) -> tuple[Tensor, Tensor | None]:
    """Vary a batch.

    images  (B, planes, *spatial), spatial at least `size`
    masks   (B, *spatial) class numbers that move with the pictures, or None
    Returns both cut to (*size).
    """
    images, masks = move(images, masks, rule, size, dice)
    for axis in rule.flips:
        mirrored = _chosen(len(images), 0.5, dice)
        images[mirrored] = images[mirrored].flip(axis + 2)
        if masks is not None:
            masks[mirrored] = masks[mirrored].flip(axis + 1)
    return vary_intensity(images, rule, dice), masks


def move(
    images: Tensor, masks: Tensor | None, rule: Augmentation, size: tuple[int, ...], dice: torch.Generator
) -> tuple[Tensor, Tensor | None]:
    """Turn, scale and shift some of the batch, and cut all of it to `size` around the middle."""
    place = tuple(slice((n - s) // 2, (n - s) // 2 + s) for n, s in zip(images.shape[2:], size, strict=True))
    still = images[(slice(None), slice(None), *place)].clone()
    still_masks = None if masks is None else masks[(slice(None), *place)].clone()
    moved = _chosen(len(images), rule.chance, dice)
    if len(moved):
        theta = affine(len(moved), tuple(images.shape[2:]), size, rule, dice).to(images)
        grid = functional.affine_grid(theta, [len(moved), 1, *size], align_corners=False)
        still[moved] = functional.grid_sample(
            images[moved], grid, mode="bilinear", padding_mode="border", align_corners=False
        )
        if masks is not None and still_masks is not None:
            turned = functional.grid_sample(
                masks[moved][:, None].float(), grid, mode="nearest", padding_mode="zeros", align_corners=False
            )
            still_masks[moved] = turned[:, 0].long()
    return still, still_masks


def affine(
    count: int, source: tuple[int, ...], size: tuple[int, ...], rule: Augmentation, dice: torch.Generator
) -> Tensor:
    """Random turns, scales and shifts for grid_sample, (count, axes, axes + 1).

    The turn is made in voxels (so that it does not shear longish windows) about the middle.
    """
    axes = len(size)
    turn = _turns(count, axes, rule, dice)  # (count, axes, axes), in the order of grid_sample: last axis first
    limit = math.log(1 + rule.scale)
    zoom = torch.exp(_between(count, -limit, limit, dice))
    shift = torch.stack([_between(count, -rule.shift, rule.shift, dice) for _ in range(axes)], 1) * 2
    wide = torch.tensor([float(n) for n in reversed(source)])
    want = torch.tensor([float(n) for n in reversed(size)])
    # output in -1..1 -> voxels (want/2) -> turned and scaled -> input in -1..1 (2/wide)
    linear = turn * zoom[:, None, None] * want[None, None, :] / wide[None, :, None]
    return torch.cat([linear, shift[:, :, None] * (want / wide)[None, :, None]], 2)


def _turns(count: int, axes: int, rule: Augmentation, dice: torch.Generator) -> Tensor:
    limit = math.radians(rule.rotate)
    total = torch.eye(axes).repeat(count, 1, 1)
    planes = [(0, 1)] if axes == 2 or rule.in_plane else [(0, 1), (0, 2), (1, 2)]
    for a, b in planes:
        angle = _between(count, -limit, limit, dice)
        turn = torch.eye(axes).repeat(count, 1, 1)
        turn[:, a, a] = turn[:, b, b] = torch.cos(angle)
        turn[:, a, b], turn[:, b, a] = -torch.sin(angle), torch.sin(angle)
        total = total @ turn
    return total


def vary_intensity(images: Tensor, rule: Augmentation, dice: torch.Generator) -> Tensor:
    """Brightness, contrast, gamma, noise, lower resolution and blanked boxes on some of the batch."""
    count, dims = len(images), images.ndim
    spatial = tuple(range(2, dims))

    def column(values: Tensor) -> Tensor:
        return values.reshape(-1, *[1] * (dims - 1)).to(images)

    if len(chosen := _chosen(count, rule.low_resolution, dice)):
        for index in chosen.tolist():
            detail = 0.5 + 0.5 * float(torch.rand((), generator=dice))
            smaller = [max(1, round(n * detail)) for n in images.shape[2:]]
            coarse = functional.interpolate(images[index : index + 1], size=smaller, mode="nearest")
            mode = "bilinear" if dims == 4 else "trilinear"
            images[index : index + 1] = functional.interpolate(coarse, size=images.shape[2:], mode=mode)
    if len(chosen := _chosen(count, rule.intensity, dice)):
        part = images[chosen]
        mean = part.mean(spatial, keepdim=True)
        factor = column(torch.exp(_between(len(chosen), -rule.contrast, rule.contrast, dice)))
        images[chosen] = (part - mean) * factor + mean
    if len(chosen := _chosen(count, rule.intensity, dice)):
        images[chosen] += column(_between(len(chosen), -rule.brightness, rule.brightness, dice))
    if rule.gamma and len(chosen := _chosen(count, rule.intensity, dice)):
        part = images[chosen]
        low, high = part.amin(spatial, keepdim=True), part.amax(spatial, keepdim=True)
        share = (part - low) / (high - low).clamp(min=1e-6)
        power = column(torch.exp(_between(len(chosen), -rule.gamma, rule.gamma, dice)))
        images[chosen] = share**power * (high - low) + low
    if rule.noise and len(chosen := _chosen(count, rule.intensity, dice)):
        strength = column(_between(len(chosen), 0, rule.noise, dice))
        images[chosen] += torch.randn(images[chosen].shape, generator=dice).to(images) * strength
    for index in _chosen(count, rule.erase, dice).tolist():
        box = []
        for length in images.shape[2:]:
            side = max(1, int(length * (0.1 + 0.23 * float(torch.rand((), generator=dice)))))
            first = int(torch.randint(0, length - side + 1, (), generator=dice))
            box.append(slice(first, first + side))
        images[(index, slice(None), *box)] = float(images[index].mean())
    return images


def mix(images: Tensor, shares: Tensor, rule: Augmentation, dice: torch.Generator) -> tuple[Tensor, Tensor]:
    """Mix the batch with itself in another order (mixup, Zhang et al. 2018, alpha .5), by `rule.mix`'s chance.

    shares  (B, classes) or (B, labels); mixed as the pictures are
    """
    if float(torch.rand((), generator=dice)) >= rule.mix:
        return images, shares
    # Beta(.5, .5) is the arcsine law: one draw.
    keep = math.sin(math.pi / 2 * float(torch.rand((), generator=dice))) ** 2
    other = torch.randperm(len(images), generator=dice).to(images.device)
    return keep * images + (1 - keep) * images[other], keep * shares + (1 - keep) * shares[other]


def _chosen(count: int, chance: float, dice: torch.Generator) -> Tensor:
    """Numbers of the batch that a die of `chance` picks."""
    return torch.nonzero(torch.rand(count, generator=dice) < chance)[:, 0]


def _between(count: int, low: float, high: float, dice: torch.Generator) -> Tensor:
    return torch.rand(count, generator=dice) * (high - low) + low

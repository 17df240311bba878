"""Which cases and which windows a step sees. All follows from (seed, step), so a resumed run sees the same."""

import numpy as np
import torch
from torch import Tensor

from osler.core.arrays import Array
from osler.lab.plan.plan import Plan
from osler.lab.train.cases import TrainingCases

MARGIN = 1.25  # windows are read this much larger, so that turning them brings in no empty corners


def draw(cases: TrainingCases, plan: Plan, *, seed: int, step: int) -> tuple[Tensor, Tensor]:
    """The pictures and targets of one step.

    Returns images (B, planes, *size) and targets (B,) or (B, labels) for whole pictures; for segmentation
    images (B, planes, *size x 1.25) and masks (B, *size x 1.25), to be cut to size by the augmentation.
    """
    if plan.training.optimizer == "descent":
        chosen = np.arange(len(cases))
    elif plan.task == "segmentation" or plan.training.balance > 0:
        chosen = _by_chance(cases, plan, np.random.default_rng([seed, step]))
    else:
        chosen = _in_turn(len(cases), plan.training.batch, seed=seed, step=step)
    if plan.task != "segmentation":
        images = np.stack([cases.images[int(i)] for i in chosen])
        return torch.from_numpy(images), torch.from_numpy(cases.targets[chosen])
    random = np.random.default_rng([seed, step, 1])
    if plan.recipe.whole:
        images = np.stack([cases.images[int(i)] for i in chosen])
        return torch.from_numpy(images), torch.from_numpy(np.stack([cases.masks[int(i)] for i in chosen])).long()
    windows = [_window(cases, int(i), plan, random, k) for k, i in enumerate(chosen)]
    images = np.stack([image for image, _ in windows])
    return torch.from_numpy(images), torch.from_numpy(np.stack([mask for _, mask in windows])).long()


def _in_turn(count: int, batch: int, *, seed: int, step: int) -> Array:
    """Every case once a pass, passes in a new order each."""
    batch = min(batch, count)
    first = step * batch
    chosen: list[int] = []
    for number in range(first, first + batch):
        epoch, place = divmod(number, count)
        if not chosen or place == 0:
            order = np.random.default_rng([seed, epoch]).permutation(count)
        chosen.append(int(order[place]))
    return np.array(chosen)


def _by_chance(cases: TrainingCases, plan: Plan, random: np.random.Generator) -> Array:
    share = np.full(len(cases), 1 / len(cases))
    if plan.training.balance > 0:
        counts = np.bincount(cases.targets.astype(int), minlength=len(plan.classes)).clip(1)
        share = (1.0 / counts[cases.targets.astype(int)]) ** plan.training.balance
        share /= share.sum()
    return random.choice(len(cases), plan.training.batch, p=share)


def _window(
    cases: TrainingCases, index: int, plan: Plan, random: np.random.Generator, number: int
) -> tuple[Array, Array]:
    image, mask = cases.images[index], cases.masks[index]
    size = tuple(round(n * MARGIN / 2) * 2 if MARGIN * n > n + 1 else n for n in plan.recipe.size)
    seen = [places for places in cases.places[index] if len(places)]
    if seen and number < round(plan.training.foreground * plan.training.batch):
        places = seen[random.integers(len(seen))]
        centre = places[random.integers(len(places))]
    else:
        # Centres such that the window itself (not its margin) stays inside, or is centred where it is larger.
        half = [min(n // 2, s // 2) for n, s in zip(mask.shape, plan.recipe.size, strict=True)]
        centre = [int(random.integers(h, max(h, n - h) + 1)) for h, n in zip(half, mask.shape, strict=True)]
    return cut(image, centre, size, float(image.min())), cut(mask[None], centre, size, 0)[0]


def cut(image: Array, centre: Array | list[int], size: tuple[int, ...], outside: float) -> Array:
    """A box of `size` around `centre` of (planes, *spatial); what lies outside the picture is `outside`."""
    box = np.full((image.shape[0], *size), outside, image.dtype)
    source, target = [slice(None)], [slice(None)]
    for middle, length, whole in zip(centre, size, image.shape[1:], strict=True):
        first = int(middle) - length // 2
        low, high = max(0, first), min(whole, first + length)
        source.append(slice(low, high))
        target.append(slice(low - first, high - first))
    box[tuple(target)] = image[tuple(source)]
    return box

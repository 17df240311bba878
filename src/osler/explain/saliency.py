"""Maps from gradients: Grad-CAM and integrated gradients, for flat pictures and volumes."""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly
from osler.core.progress import Tell
from osler.explain.blur import blurred, smoothed
from osler.explain.question import Question, score
from osler.models.model import Net, TorchNet
from osler.models.nets.resnet import Block, ResNet
from osler.models.nets.unet import UNet

STEPS = 32
MOST_STEPS = 128
COMPLETE = 0.05  # share of f(x) - f(baseline) by which the attributions may miss it
_AT_ONCE = 8
_SMOOTH = 1 / 64  # of the side: single pixels of integrated gradients say little


def gradcam(nets: Sequence[Net], question: Question, tell: Tell) -> Array:
    """Grad-CAM (Selvaraju et al. 2017, ICCV) at the last stage of a net: (*spatial) float32, with its sign.

    The features of the stage, each weighted by the mean of its gradient; what lies above zero speaks for the
    answer. Members are averaged. Raises AskedWrongly for nets without such a stage.
    """
    return _from_stage(
        nets, question, -1, lambda gradient: gradient.flatten(1).mean(1).reshape(-1, *[1] * (gradient.ndim - 1))
    )


def gradcam_finer(nets: Sequence[Net], question: Question, tell: Tell) -> Array:
    """HiResCAM (Draelos & Carin 2020, arXiv 2011.08891) two stages before the last: four times as fine.

    There a feature speaks for the answer in one place and against it in another, so each place keeps its own
    gradient; the mean over space, right at the last stage, would mix them up. Smoothed by one cell: the gradient
    of a convolution that keeps every other cell is a chequerboard.
    Raises AskedWrongly for nets with fewer than two stages.
    """
    return _from_stage(nets, question, -3, lambda gradient: gradient, smooth=1.0)


def integrated_gradients(nets: Sequence[Net], question: Question, tell: Tell) -> Array:
    """Integrated gradients (Sundararajan et al. 2017, ICML), summed over the planes: (*spatial) float32, signed.

    From the blurred picture, in which nothing can be told, to the picture; the midpoints of 32 steps, of up to 128
    while the attributions miss f(x) - f(blurred) by more than 5 %. Smoothed a little, which keeps their sum.
    Raises AskedWrongly for nets without gradients.
    """
    _modules(nets)
    steps = STEPS
    found = _along_the_way(nets, question, steps)
    while steps < MOST_STEPS and not completeness(nets, question, found) <= COMPLETE:
        steps *= 2
        found = _along_the_way(nets, question, steps)
    return smoothed(found, tuple(n * _SMOOTH for n in question.spatial))


def completeness(nets: Sequence[Net], question: Question, attributions: Array) -> float:
    """By which share of f(x) - f(blurred) the attributions' sum misses it: 0 is exact, NaN where they are NaN."""
    ends = torch.stack([question.image, blurred(question.image)])
    with torch.no_grad():
        there, start = (float(x) for x in score(nets, ends, question))
    return abs(float(attributions.sum(dtype=np.float64)) - (there - start)) / max(abs(there - start), 1e-6)


def stages(module: nn.Module) -> list[nn.Module]:
    """The modules that give the last features of each resolution, coarsest last; [] where there are none."""
    if isinstance(module, ResNet):
        parts = list(module.body)
        blocks = [part for part in parts if isinstance(part, Block)]
        ends: list[nn.Module] = [
            block
            for block, after in itertools.pairwise(blocks)
            if not isinstance(after.short, nn.Identity)  # it changes the width or the resolution
        ]
        # The last stage ends with a norm and an activation, after which only the mean is taken.
        return [*ends, parts[-3]]
    return list(module.encoder) if isinstance(module, UNet) else []


def _from_stage(
    nets: Sequence[Net],
    question: Question,
    which: int,
    weigh: Callable[[Tensor], Tensor],
    *,
    smooth: float = 0.0,
) -> Array:
    """Features of a stage times their weights, summed and averaged over the members, (*spatial).

    which   -1 the last stage, -3 two before it or the first there is
    weigh   from the gradient (features, *cells) to the features' weights
    smooth  deviation, in cells
    """
    maps = []
    for net, module in zip(nets, _modules(nets), strict=True):
        found = stages(module)
        if len(found) < min(2, -which):
            raise AskedWrongly(
                "This net keeps no features in space, so Grad-CAM has nothing to show.",
                remedy="Use --how gradients or --how occlusion.",
            )
        features, gradient = _at(found[max(which, -len(found))], net, question)
        maps.append((weigh(gradient) * features).sum(0))  # (*cells)
    cells: Array = torch.stack(maps).mean(0).cpu().numpy()
    return _grown(smoothed(cells, (smooth,) * cells.ndim) if smooth else cells, question.spatial)


def _at(stage: nn.Module, net: Net, question: Question) -> tuple[Tensor, Tensor]:
    """A stage's features of the picture and the score's gradient there, (features, *cells) each."""
    kept: list[Tensor] = []

    def keep(module: nn.Module, given: object, made: Tensor) -> None:
        kept.append(made)

    handle = stage.register_forward_hook(keep)
    try:
        with torch.enable_grad():
            # The picture itself carries gradients, so that frozen weights do not matter.
            value = score([net], question.image[None].clone().requires_grad_(True), question)
            (gradient,) = torch.autograd.grad(value.sum(), kept[0])
    finally:
        handle.remove()
    return kept[0].detach()[0], gradient[0]


def _grown(cells: Array, spatial: tuple[int, ...]) -> Array:
    """A map of cells at the net's own resolution on the picture's, linear between the cells.

    Each halving by a convolution of odd size that is padded by half of it keeps voxels 0, 2, 4, ...: cell i of a
    stage that has shrunk by s lies on voxel i * s, not in the middle of the i-th box of s voxels. Ordinary
    resizing would move the map by (s - 1) / 2 voxels: 7.5 of them at a stage that has shrunk by 16.
    """
    out = cells.astype(np.float32)
    for axis, size in enumerate(spatial):
        have = out.shape[axis]
        where = np.minimum(np.arange(size) / _shrunk(size, have), have - 1)
        low = np.floor(where).astype(int)
        share = (where - low).astype(np.float32).reshape([-1 if n == axis else 1 for n in range(out.ndim)])
        high = np.minimum(low + 1, have - 1)
        out = np.take(out, low, axis) * (1 - share) + np.take(out, high, axis) * share
    return out


def _shrunk(size: int, cells: int) -> int:
    """By how much `size` voxels were shrunk to `cells`: halvings that round up.

    >>> _shrunk(128, 8), _shrunk(28, 4), _shrunk(40, 40)
    (16, 8, 1)
    """
    step = 1
    while -(-size // step) > cells:
        step *= 2
    return step


def _along_the_way(nets: Sequence[Net], question: Question, steps: int) -> Array:
    start = blurred(question.image)
    way = question.image - start
    shares = (torch.arange(steps, device=way.device) + 0.5) / steps
    total = torch.zeros_like(way)
    for first in range(0, steps, _AT_ONCE):
        part = shares[first : first + _AT_ONCE].reshape(-1, *[1] * way.ndim)
        with torch.enable_grad():
            images = (start + part * way).requires_grad_(True)  # (b, planes, *spatial)
            (gradient,) = torch.autograd.grad(score(nets, images, question).sum(), images)
        total += gradient.sum(0)
    return np.asarray((total / steps * way).sum(0).cpu().numpy(), np.float32)


def _modules(nets: Sequence[Net]) -> list[nn.Module]:
    modules = [net.module for net in nets if isinstance(net, TorchNet)]
    if len(modules) < len(nets):
        raise AskedWrongly(
            "This model gives no gradients: it is an ONNX net.", remedy="Use --how occlusion, which needs none."
        )
    return modules

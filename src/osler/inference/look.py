"""What a picture looks like without any net: a coarse view of it, where its edges run, and its greys.

A net keeps what its question needs, and may be blind to the rest: to which way is up, to black for white, to what
the normalization takes away. These few hundred numbers are not, and cost far less than a net.
"""

import itertools
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from osler.core.arrays import Array, Floats
from osler.core.study import Picture
from osler.models.recipe import Recipe

COARSE = {2: 32, 3: 16}  # sides of the grid that edges are looked for on
VIEW = {2: (12, 8), 3: (6, 4)}  # sides of the coarse view: of the only plane, of each of several
CELLS = {2: 4, 3: 3}  # cells along each axis in which edges are counted
SHARES = np.linspace(0.01, 0.99, 33)  # of the quantile function
_SAMPLE = 10_000  # numbers of a picture that its quantiles are taken from
INVERTED = "inverted"  # the one turn that changes the numbers too

Turn = Callable[[Array], Array]
_POOL: dict[int, Callable[..., Tensor]] = {2: functional.adaptive_avg_pool2d, 3: functional.adaptive_avg_pool3d}


def plain_look(array: Array) -> Floats:
    """The descriptor of one prepared picture, (n,) float32.

    array  (planes, *spatial), as `models/prepare.py` makes it

    First a coarse view of every plane; then, for the mean of the planes, how much the brightness rises each way in
    each cell of a grid (a histogram of oriented gradients, Dalal & Triggs 2005, CVPR, with the sign kept and the
    directions of the axes and diagonals). Numbers that are not finite make all of it NaN.
    """
    # A copy: an axis of one voxel, turned over, counts as contiguous though its stride is negative.
    tensor = torch.from_numpy(np.array(array, np.float32))
    dims = tensor.ndim - 1
    pool = _POOL[dims]
    coarse = pool(tensor, COARSE[dims])  # (planes, *coarse)
    view = pool(coarse, VIEW[dims][len(tensor) > 1]).flatten()
    edges = pool(_rises(coarse.mean(0)), CELLS[dims]).flatten().sqrt()
    edges = edges / edges.norm().clamp(min=1e-6) * np.sqrt(edges.numel())
    found: Floats = torch.cat([view, edges]).numpy()
    return found


def _rises(grey: Tensor) -> Tensor:
    """How steeply it rises and falls along the axes and, where flat, the diagonals: (directions, *spatial)."""
    slopes = torch.stack(torch.gradient(grey))  # (axes, *spatial)
    along = list(slopes)
    if grey.ndim == 2:
        along += [(a + sign * b) / np.sqrt(2) for a, b in itertools.combinations(slopes, 2) for sign in (1, -1)]
    ways = torch.stack(along)
    return torch.cat([ways.clamp(min=0), (-ways).clamp(min=0)])


def quantiles(picture: Picture) -> Floats:
    """The quantile function of a picture's own numbers, (33,): 0 at its first percentile, 1 at its 99th.

    Colours count as one heap. The same number everywhere gives zeros.
    """
    flat = picture.array.reshape(-1)
    # An odd step does not walk down one column of a picture whose width is a power of two.
    thin = np.sort(flat[:: max(1, flat.size // _SAMPLE) | 1].astype(np.float32))
    function = thin[np.round(SHARES * (len(thin) - 1)).astype(int)]
    spread = function[-1] - function[0]
    return np.asarray((function - function[0]) / spread if spread > 0 else function * 0, np.float32)


def turns_of(array: Array, recipe: Recipe) -> dict[str, Turn]:
    """How a picture that was prepared by `recipe`, (planes, *spatial), may stand wrong.

    Each turn done four times, and so three times after itself, gives the picture back.
    """
    own = recipe.channels[0].normalization.how == "zscore"  # its middle is its mean, not half its range
    about = 0.0 if own else float(array.min() + array.max())
    turns: dict[str, Turn] = {
        "upside down": lambda one: np.flip(one, -2),
        "mirrored": lambda one: np.flip(one, -1),
        "turned by 180": lambda one: np.flip(one, (-2, -1)),
        INVERTED: lambda one: about - one,
    }
    if array.shape[-1] == array.shape[-2]:
        turns["turned left"] = lambda one: np.rot90(one, 1, (-2, -1))
        turns["turned right"] = lambda one: np.rot90(one, -1, (-2, -1))
    if array.ndim == 4:
        turns["slices backwards"] = lambda one: np.flip(one, 1)
    return turns

"""Pictures in which nothing can be told any more: what a hidden part is filled with."""

from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from osler.core.arrays import Array

_WIDE = 1 / 8  # deviation of the blur, as a share of the side
_NEAR = 1 / 16  # the same for what lies around a hidden part
_FAR = 1e-3  # deep inside a large part nothing is near: there it is the mean of all that is not hidden


def blurred(image: Tensor) -> Tensor:
    """A prepared picture without its details, (planes, *spatial): its local means, as a Gaussian weighs them."""
    array = image.detach().cpu().numpy()
    return torch.from_numpy(_gaussian(array, tuple(n * _WIDE for n in array.shape[1:]), "edge")).to(image.device)


def surroundings(image: Tensor, part: Array) -> Tensor:
    """A prepared picture whose `part` is filled with the local mean of what lies around it, (planes, *spatial).

    part  (*spatial) booleans

    What is hidden leaves no trace in its fill: blurring a white patch would leave a white patch.
    """
    array = image.detach().cpu().numpy()
    wide = tuple(n * _NEAR for n in part.shape)
    around = (~part).astype(np.float32)
    weight = _gaussian(around, wide, "edge") + _FAR
    planes = []
    for plane in array:
        middle = float(plane[~part].mean()) if not part.all() else float(plane.mean())
        near = _gaussian((plane - middle) * around, wide, "edge")
        planes.append(np.where(part, middle + near / weight, plane))
    return torch.from_numpy(np.stack(planes).astype(np.float32)).to(image.device)


def smoothed(array: Array, deviation: tuple[float, ...]) -> Array:
    """A map smoothed by `deviation` voxels along each axis; mirrored at the edges, which keeps its sum."""
    return _gaussian(array, deviation, "symmetric")


def _gaussian(array: Array, deviation: tuple[float, ...], edge: Literal["edge", "symmetric"]) -> Array:
    """The array smoothed along its last axes, float32; `edge` is the border's mode in numpy's `pad`.

    What scipy's gaussian_filter does, as one product with a small matrix an axis: importing scipy.ndimage takes
    a tenth of the time in which a radiograph is read, for this alone.
    """
    out = np.asarray(array, np.float64)  # in single precision a flat picture would come out uneven
    for axis, sigma in enumerate(deviation, start=out.ndim - len(deviation)):
        along = np.moveaxis(out, axis, -1) @ _weights(out.shape[axis], sigma, edge)
        out = np.moveaxis(along, -1, axis)
    return np.ascontiguousarray(out, np.float32)


@lru_cache(64)  # the sizes that one model is asked with
def _weights(size: int, deviation: float, edge: Literal["edge", "symmetric"]) -> Array:
    """(size, size): what each cell gives to each smoothed one; a Gaussian cut at four deviations."""
    reach = int(4 * deviation + 0.5)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(deviation, 1e-12)) ** 2)
    cells = np.pad(np.arange(size), reach, mode=edge)
    weights = np.zeros((size, size))
    for step, weight in enumerate(bell / bell.sum()):
        np.add.at(weights, (cells[step : step + size], np.arange(size)), weight)
    return weights

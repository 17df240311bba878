"""Pictures in which nothing can be told any more: what a hidden part is filled with."""

import numpy as np
import torch
from torch import Tensor

from osler.core.arrays import Array

_WIDE = 1 / 8  # deviation of the blur, as a share of the side
_NEAR = 1 / 16  # the same for what lies around a hidden part
_FAR = 1e-3  # deep inside a large part nothing is near: there it is the mean of all that is not hidden


def blurred(image: Tensor) -> Tensor:
    """A prepared picture without its details, (planes, *spatial): its local means, as a Gaussian weighs them."""
    from scipy import ndimage

    array = image.detach().cpu().numpy()
    planes = [ndimage.gaussian_filter(p, tuple(n * _WIDE for n in p.shape), mode="nearest") for p in array]
    return torch.from_numpy(np.stack(planes)).to(image.device)


def surroundings(image: Tensor, part: Array) -> Tensor:
    """A prepared picture whose `part` is filled with the local mean of what lies around it, (planes, *spatial).

    part  (*spatial) booleans

    What is hidden leaves no trace in its fill: blurring a white patch would leave a white patch.
    """
    from scipy import ndimage

    array = image.detach().cpu().numpy()
    wide = tuple(n * _NEAR for n in part.shape)
    around = (~part).astype(np.float32)
    weight = ndimage.gaussian_filter(around, wide, mode="nearest") + _FAR
    planes = []
    for plane in array:
        middle = float(plane[~part].mean()) if not part.all() else float(plane.mean())
        near = ndimage.gaussian_filter((plane - middle) * around, wide, mode="nearest")
        planes.append(np.where(part, middle + near / weight, plane))
    return torch.from_numpy(np.stack(planes).astype(np.float32)).to(image.device)


def smoothed(array: Array, deviation: tuple[float, ...]) -> Array:
    """A map smoothed by `deviation` voxels along each axis; mirrored at the edges, which keeps its sum."""
    from scipy import ndimage

    return np.asarray(ndimage.gaussian_filter(array, deviation, mode="reflect"), np.float32)

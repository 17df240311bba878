"""How far two outlines lie apart."""

import numpy as np

from osler.core.arrays import Array, Floats
from osler.core.errors import BadGeometry


def surface(binary: Array) -> Array:
    """The boundary voxels of a mask: inside, with a neighbour by a face outside. Beyond the array is outside."""
    from scipy import ndimage

    inside = binary.astype(bool)
    edge: Array = inside & ~ndimage.binary_erosion(inside)
    return edge


def surface_distances(one: Array, other: Array, spacing: tuple[float, ...]) -> tuple[Floats, Floats]:
    """Distances in mm from every boundary voxel of each mask to the nearest boundary voxel of the other.

    one, other  binary, of the same shape, 2-D or 3-D
    spacing     mm along the same axes

    Returns (from one to other, from other to one), one number per boundary voxel, in the order of the array.
    Each boundary voxel counts the same, whatever the area of its faces; the 95th percentile of both together is
    the usual HD95, and the share of both below a tolerance the usual surface Dice, in their voxel definition.
    From an empty mask there are no distances (an empty array); to an empty mask they are infinite.

    Raises BadGeometry when the shapes differ.
    """
    if one.shape != other.shape or len(spacing) != one.ndim:
        raise BadGeometry(
            f"Two masks {one.shape} and {other.shape} with {len(spacing)} spacings cannot be compared.",
            remedy="Bring both onto one grid first.",
        )
    box = _box((one != 0) | (other != 0))
    if box is None:
        return np.zeros(0), np.zeros(0)
    first, second = surface(one[box]), surface(other[box])
    return _to(second, spacing)[first], _to(first, spacing)[second]


def _to(edge: Array, spacing: tuple[float, ...]) -> Floats:
    """Distance of every voxel to the nearest voxel of `edge`."""
    from scipy import ndimage

    if not edge.any():
        return np.full(edge.shape, np.inf)
    away: Floats = np.asarray(ndimage.distance_transform_edt(~edge, sampling=spacing))
    return away


def _box(binary: Array) -> tuple[slice, ...] | None:
    """The smallest box around the mask, one voxel wider where the array goes on; None for an empty one."""
    box = []
    for axis in range(binary.ndim):
        others = tuple(a for a in range(binary.ndim) if a != axis)
        found = np.flatnonzero(binary.any(axis=others))
        if not len(found):
            return None
        box.append(slice(max(0, int(found[0]) - 1), int(found[-1]) + 2))
    return tuple(box)

"""How much a measure changes when its outline is half a voxel off.

An outline on a grid cannot be surer of its place than half a voxel, whoever drew it. This is the least a measure
may be off, not a promise of how far it is: where a model promises an interval of its own, that one is told.
"""

from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array
from osler.imaging.components import box_around


@dataclass(frozen=True, slots=True)
class HalfVoxel:
    """The sum over an outline, and over the same outline half a voxel further in and further out."""

    inner: float
    drawn: float
    outer: float


def half_voxel(binary: Array, values: Array | None = None) -> HalfVoxel:
    """Voxels of an outline, or the sum of the picture inside, with its boundary moved half a voxel.

    binary  (slices, rows, columns) or (rows, columns)
    values  of the same shape; None counts voxels

    Half a voxel further in means: the mean of the outline and of what is left when every voxel with a face to the
    outside is taken away; further out the same with voxels that touch it by a face. Beyond the picture nothing is
    added, and a face on its edge is a face to the outside. `values` must be at least 0 for the order to hold.
    """
    from scipy import ndimage

    box = box_around(binary, margin=1)
    if box is None:
        return HalfVoxel(0.0, 0.0, 0.0)
    inside = binary[box]
    weights = np.ones(inside.shape) if values is None else values[box].astype(float)
    smaller, larger = ndimage.binary_erosion(inside), ndimage.binary_dilation(inside)
    drawn, less, more = (float(weights[part].sum()) for part in (inside, smaller, larger))
    return HalfVoxel((drawn + less) / 2, drawn, (drawn + more) / 2)

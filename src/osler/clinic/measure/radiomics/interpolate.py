"""A picture and its mask on a grid of other spacing, IBSI's way.

The new grid has the old one's centre, its size is rounded up, and the border's value goes on outside. Only the
part around the region is computed.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from osler.core.arrays import Array

_MARGIN = {1: 2, 3: 16}  # source voxels that a spline of this order still feels (.27^16 < 1e-9)


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the voxels of a window of the new grid lie in the old one, along each axis.

    start, step  old index of the window's first voxel, and old voxels per new one
    size         voxels of the window
    spacing      mm along (slices, rows, columns)
    """

    start: tuple[float, float, float]
    step: tuple[float, float, float]
    size: tuple[int, int, int]
    spacing: tuple[float, float, float]


def grid_around(
    inside: Array, spacing: tuple[float, ...], wanted: tuple[float, float, float], margin_mm: float
) -> Grid:
    """The window of the new grid that holds the region and `margin_mm` around it.

    inside   (slices, rows, columns), at least one voxel set
    spacing  mm of the old grid; wanted  mm of the new one, 0 where it stays as it is
    """
    starts, steps, sizes, spacings = [], [], [], []
    for axis in range(3):
        old, new = spacing[axis], float(wanted[axis] or spacing[axis])
        have = inside.shape[axis]
        met = np.flatnonzero(inside.any(axis=tuple(a for a in range(3) if a != axis)))
        # 1e-9: 100 voxels of .7 mm are 35 of 2 mm, though floating point may say a trace more.
        many = max(int(np.ceil(have * old / new - 1e-9)), 1)
        step = new / old
        first = (have - 1) / 2 - step * (many - 1) / 2
        reach = margin_mm / old + 1
        low = max(int(np.floor((met[0] - reach - first) / step)), 0)
        high = min(int(np.ceil((met[-1] + reach - first) / step)), many - 1)
        low = min(low, high)
        starts.append(first + step * low)
        steps.append(step)
        sizes.append(high - low + 1)
        spacings.append(new)
    return Grid(
        (starts[0], starts[1], starts[2]),
        (steps[0], steps[1], steps[2]),
        (sizes[0], sizes[1], sizes[2]),
        (spacings[0], spacings[1], spacings[2]),
    )


def interpolate(array: Array, grid: Grid, *, order: Literal[1, 3], rounded: bool = False) -> Array:
    """`array` at the voxels of `grid`: float64 of grid.size.

    order    1 linear, 3 cubic spline; where the grids are one, voxels are only copied
    rounded  to whole numbers before and after
    """
    from scipy import ndimage

    source, offsets = _cut(array, grid, order)
    source = np.rint(source) if rounded else source
    if all(step == 1 and offset == int(offset) for step, offset in zip(grid.step, offsets, strict=True)):
        where = tuple(slice(int(o), int(o) + n) for o, n in zip(offsets, grid.size, strict=True))
        return source[where].astype(np.float64)
    out: Array = ndimage.affine_transform(
        source.astype(np.float64),
        np.asarray(grid.step),
        np.asarray(offsets),
        output_shape=grid.size,
        order=order,
        mode="nearest",
    )
    return np.rint(out) if rounded else out


def _cut(array: Array, grid: Grid, order: int) -> tuple[Array, list[float]]:
    """The part of the source that the window feels, and where the window begins in it."""
    cut, offsets = [], []
    for axis in range(3):
        last = grid.start[axis] + grid.step[axis] * (grid.size[axis] - 1)
        low = max(int(np.floor(grid.start[axis])) - _MARGIN[order], 0)
        high = min(int(np.ceil(last)) + _MARGIN[order] + 1, array.shape[axis])
        low = min(low, array.shape[axis] - 1)
        cut.append(slice(low, max(high, low + 1)))
        offsets.append(grid.start[axis] - low)
    return array[tuple(cut)], offsets

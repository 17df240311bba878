"""Grey levels where they lie, so that neighbours are found by adding a number to an index."""

from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array, Labels

# One of each pair of opposite directions, as steps along (slices, rows, columns): 4 in a slice, 13 in space.
IN_SLICE = ((0, 0, 1), (0, 1, -1), (0, 1, 0), (0, 1, 1))
IN_SPACE = (*IN_SLICE, *((1, row, column) for row in (-1, 0, 1) for column in (-1, 0, 1)))


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """A region's grey levels on a flat grid with one voxel of padding on all sides.

    grid     (cells,) 0 outside the region, else 1, 2, ...
    strides  cells between neighbours along (slices, rows, columns)
    at       (voxels,) where the region's voxels are in `grid`, rising
    level    (voxels,) their grey levels
    slice    (voxels,) which slice each is in: 0, 1, ... without gaps, `slices` of them
    count    grey levels that there may be (IBSI's N_g)
    """

    grid: Labels
    strides: tuple[int, int, int]
    at: Labels
    level: Labels
    slice: Labels
    slices: int
    count: int

    def step(self, direction: tuple[int, int, int]) -> int:
        """Cells between a voxel and its neighbour in that direction."""
        return int(np.dot(direction, self.strides))


def levels_of(inside: Array, levels: Labels, count: int) -> Levels:
    """The levels (voxels,) of the voxels of `inside` (slices, rows, columns), cut to their box."""
    where = np.argwhere(inside)
    low = where.min(axis=0)
    box = where.max(axis=0) - low + 3
    strides = (int(box[1] * box[2]), int(box[2]), 1)
    at = (where - low + 1) @ np.asarray(strides)
    grid = np.zeros(int(box.prod()), np.int32)
    grid[at] = levels
    slices, slice_of = np.unique(where[:, 0], return_inverse=True)
    return Levels(grid, strides, at, np.asarray(levels), slice_of.ravel(), len(slices), count)

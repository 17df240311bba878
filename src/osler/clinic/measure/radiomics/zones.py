"""Zones: neighbouring voxels of one grey level, joined by faces, edges or corners."""

import numpy as np

from osler.clinic.measure.radiomics.levels import IN_SLICE, IN_SPACE, Levels
from osler.core.arrays import Labels


def zones(grid: Levels, *, in_space: bool) -> tuple[Labels, int]:
    """Number the zones: ((voxels,) which zone each voxel is in, how many zones there are)."""
    from scipy import sparse

    place = np.zeros(len(grid.grid), np.int64)
    place[grid.at] = np.arange(len(grid.at))
    ones, others = [], []
    for direction in IN_SPACE if in_space else IN_SLICE:
        beside = grid.at + grid.step(direction)
        same = grid.grid[beside] == grid.level
        ones.append(np.flatnonzero(same))
        others.append(place[beside[same]])
    one, other = np.concatenate(ones), np.concatenate(others)
    links = sparse.coo_array((np.ones(len(one), bool), (one, other)), shape=(len(grid.at), len(grid.at)))
    count, zone = sparse.csgraph.connected_components(links, directed=False)
    return zone.astype(np.int64), int(count)


def first_voxels(zone: Labels, count: int) -> Labels:
    """(zones,) one voxel of each zone."""
    one = np.zeros(count, np.int64)
    one[zone] = np.arange(len(zone))
    return one

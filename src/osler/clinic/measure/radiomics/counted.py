"""Features of counts by grey level and size: runs, zones, zones by distance, and dependences share them.

IBSI defines run length, size zone, distance zone and dependence features by the same formulae on a matrix of grey
levels by sizes. Zones can be as large as the region, so the matrix is kept as a list of its cells.
"""

from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array, Labels


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """What was counted: (cells,) each; of some group, grey level and size there were `count`."""

    group: Labels
    level: Labels
    size: Labels
    count: Labels


def cells_of(group: Labels, level: Labels, size: Labels, count: Labels | None = None) -> Cells:
    """Equal entries counted together.

    group, level, size  (counted,) one entry a run, zone or voxel; group from 0, level and size from 1
    count               how often each entry was met, None: once
    """
    most_level, most_size = int(level.max(initial=1)) + 1, int(size.max(initial=1)) + 1
    key = (group * most_level + level) * most_size + size
    places = (int(group.max(initial=0)) + 1) * most_level * most_size
    if places <= 4 * len(key) + 1000:  # counting them all is faster than sorting, while they are few
        met = np.bincount(key, weights=count, minlength=places)
        keys = np.flatnonzero(met)
        counts = met[keys]
    else:
        keys, inverse = np.unique(key, return_inverse=True)
        counts = np.bincount(inverse.ravel(), weights=count)
    rest, sizes = np.divmod(keys, most_size)
    groups, levels = np.divmod(rest, most_level)
    return Cells(groups, levels, sizes, np.rint(counts).astype(np.int64))


def features_of_counts(cells: Cells, voxels: Labels) -> Array:
    """(groups, 17) features of the matrices of all groups at once; NaN in a group that nothing was counted in.

    voxels  (groups,) voxels that were looked at, once for each direction

    In this order: small, large, low grey, high grey, small low, small high, large low, large high emphasis; grey
    level non-uniformity and normalised; size non-uniformity and normalised; percentage; grey level variance; size
    variance; entropy; energy.
    """
    groups, of = len(voxels), cells.group
    i, j, count = cells.level.astype(float), cells.size.astype(float), cells.count.astype(float)

    def total(weight: Array) -> Array:
        return np.bincount(of, weights=weight, minlength=groups)

    counted = total(count)
    n = np.where(counted > 0, counted, np.nan)
    share = count / n[of]
    by_level = _squares(of, cells.level, count, groups)
    by_size = _squares(of, cells.size, count, groups)
    mean_level, mean_size = total(share * i), total(share * j)
    found = [
        total(share / j**2),
        total(share * j**2),
        total(share / i**2),
        total(share * i**2),
        total(share / (i * j) ** 2),
        total(share * i**2 / j**2),
        total(share * j**2 / i**2),
        total(share * (i * j) ** 2),
        by_level / n,
        by_level / n**2,
        by_size / n,
        by_size / n**2,
        n / np.where(voxels > 0, voxels, np.nan),
        total(share * (i - mean_level[of]) ** 2),
        total(share * (j - mean_size[of]) ** 2),
        -total(share * np.log2(share)),
        total(share**2),
    ]
    table = np.stack(found, axis=1)
    table[counted == 0] = np.nan
    return table


def _squares(group: Labels, value: Labels, count: Array, groups: int) -> Array:
    """(groups,) sum of the squares of the counts that share a group and a value."""
    apart = int(value.max(initial=1)) + 1
    keys, inverse = np.unique(group * apart + value, return_inverse=True)
    sums = np.bincount(inverse.ravel(), weights=count)
    return np.bincount(keys // apart, weights=sums**2, minlength=groups)

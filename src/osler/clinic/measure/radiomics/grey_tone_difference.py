"""Neighbourhood grey tone difference: how a grey level stands out from its neighbours (IBSI section 3.10)."""

import numpy as np

from osler.clinic.measure.radiomics.aggregate import group_of
from osler.clinic.measure.radiomics.feature import Feature, Row, mean_where_defined, named
from osler.clinic.measure.radiomics.levels import IN_SLICE, IN_SPACE, Levels
from osler.clinic.measure.radiomics.region import Region
from osler.clinic.measure.radiomics.settings import Settings
from osler.core.arrays import Array

ROWS: tuple[Row, ...] = (
    ("QCDE", "Coarseness", "1"),
    ("65HE", "Contrast", "1"),
    ("NQ30", "Busyness", "1"),
    ("HDEZ", "Complexity", "1"),
    ("1X9X", "Strength", "1"),
)


def grey_tone_difference(region: Region, settings: Settings) -> tuple[Feature, ...]:
    """The 5 grey tone difference features (distance 1), for each of the settings' spaces.

    Of one grey level only, contrast, busyness and strength are 0 as IBSI sets them, and coarseness is not defined.
    """
    grid = region.grid()
    found: list[Feature] = []
    for space in settings.spaces:
        has, difference = differences(grid, in_space=space == "3D")
        group = group_of(space, grid.slice, grid.slice, 1)
        rows = []
        for one in range(int(group.max()) + 1):
            used = has & (group == one)
            rows.append(_features(grid.level[used], difference[used]))
        found += named(
            "grey_tone_difference",
            ROWS,
            mean_where_defined(np.array(rows)),
            unit=region.unit,
            aggregation=space,
            why="radiomics.one_level" if has.any() else "radiomics.no_neighbours",
        )
    return tuple(found)


def differences(grid: Levels, *, in_space: bool) -> tuple[Array, Array]:
    """(voxels,) twice: has it a neighbour in the region, and how far its level is from the neighbours' mean."""
    total, count = np.zeros(len(grid.at)), np.zeros(len(grid.at), np.int64)
    for direction in IN_SPACE if in_space else IN_SLICE:
        step = grid.step(direction)
        for beside in (grid.grid[grid.at + step], grid.grid[grid.at - step]):
            total += beside
            count += beside > 0
    return count > 0, np.abs(grid.level - total / np.maximum(count, 1))


def _features(level: Array, difference: Array) -> list[float]:
    """The five features of one neighbourhood table, from its voxels that have a neighbour."""
    if not len(level):
        return [np.nan] * 5
    count = np.bincount(level)
    i = np.flatnonzero(count)
    n, s = float(len(level)), np.bincount(level, weights=difference)[i]
    p = count[i] / n
    levels, far = len(i), float((p * s).sum())
    i = i.astype(float)
    apart = i[:, None] - i
    busy = float(np.abs((i * p)[:, None] - i * p).sum())
    together = p[:, None] + p
    return [
        1 / far if far else np.nan,
        float((p[:, None] * p * apart**2).sum()) / (levels * (levels - 1)) * s.sum() / n if levels > 1 else 0.0,
        far / busy if busy else 0.0,
        float((np.abs(apart) * ((p * s)[:, None] + p * s) / together).sum()) / n,
        float((together * apart**2).sum() / s.sum()) if s.sum() else 0.0,
    ]

"""Neighbouring grey level dependence: how many neighbours share a voxel's grey level (IBSI section 3.11)."""

import numpy as np

from osler.clinic.measure.radiomics.aggregate import group_of
from osler.clinic.measure.radiomics.counted import cells_of, features_of_counts
from osler.clinic.measure.radiomics.feature import Feature, Row, mean_where_defined, named
from osler.clinic.measure.radiomics.levels import IN_SLICE, IN_SPACE, Levels
from osler.clinic.measure.radiomics.region import Region
from osler.clinic.measure.radiomics.settings import Settings
from osler.core.arrays import Labels

ROWS: tuple[Row, ...] = (
    ("SODN", "Low dependence emphasis", "1"),
    ("IMOQ", "High dependence emphasis", "1"),
    ("TL9H", "Low grey level count emphasis", "1"),
    ("OAE7", "High grey level count emphasis", "1"),
    ("EQ3F", "Low dependence low grey level emphasis", "1"),
    ("JA6D", "Low dependence high grey level emphasis", "1"),
    ("NBZI", "High dependence low grey level emphasis", "1"),
    ("9QMG", "High dependence high grey level emphasis", "1"),
    ("FP8K", "Grey level non-uniformity", "1"),
    ("5SPA", "Normalised grey level non-uniformity", "1"),
    ("Z87G", "Dependence count non-uniformity", "1"),
    ("OKJI", "Normalised dependence count non-uniformity", "1"),
    ("6XV8", "Dependence count percentage", "1"),
    ("1PFV", "Grey level variance", "1"),
    ("DNX2", "Dependence count variance", "1"),
    ("FCBV", "Dependence count entropy", "1"),
    ("CAS9", "Dependence count energy", "1"),
)


def grey_level_dependence(region: Region, settings: Settings) -> tuple[Feature, ...]:
    """The 17 dependence features (distance 1, coarseness 0), for each of the settings' spaces."""
    grid = region.grid()
    found: list[Feature] = []
    for space in settings.spaces:
        group = group_of(space, grid.slice, grid.slice, 1)
        alike = dependences(grid, in_space=space == "3D")
        values = features_of_counts(cells_of(group, grid.level, alike), np.bincount(group))
        found += named(
            "grey_level_dependence", ROWS, mean_where_defined(values), unit=region.unit, aggregation=space
        )
    return tuple(found)


def dependences(grid: Levels, *, in_space: bool) -> Labels:
    """(voxels,) each voxel itself and its neighbours of the same grey level."""
    alike = np.ones(len(grid.at), np.int64)
    for direction in IN_SPACE if in_space else IN_SLICE:
        step = grid.step(direction)
        for beside in (grid.at + step, grid.at - step):
            alike += grid.grid[beside] == grid.level
    return alike

"""Grey level run length: how far one walks along a line without leaving a grey level (IBSI section 3.7)."""

import numpy as np

from osler.clinic.measure.radiomics.aggregate import DIRECTED, group_of
from osler.clinic.measure.radiomics.counted import cells_of, features_of_counts
from osler.clinic.measure.radiomics.feature import Feature, Row, mean_where_defined, named
from osler.clinic.measure.radiomics.levels import IN_SLICE, IN_SPACE, Levels
from osler.clinic.measure.radiomics.region import Region
from osler.clinic.measure.radiomics.settings import Settings
from osler.core.arrays import Labels

ROWS: tuple[Row, ...] = (
    ("22OV", "Short runs emphasis", "1"),
    ("W4KF", "Long runs emphasis", "1"),
    ("V3SW", "Low grey level run emphasis", "1"),
    ("G3QZ", "High grey level run emphasis", "1"),
    ("HTZT", "Short run low grey level emphasis", "1"),
    ("GD3A", "Short run high grey level emphasis", "1"),
    ("IVPO", "Long run low grey level emphasis", "1"),
    ("3KUM", "Long run high grey level emphasis", "1"),
    ("R5YN", "Grey level non-uniformity", "1"),
    ("OVBL", "Normalised grey level non-uniformity", "1"),
    ("W92Y", "Run length non-uniformity", "1"),
    ("IC23", "Normalised run length non-uniformity", "1"),
    ("9ZK5", "Run percentage", "1"),
    ("8CE5", "Grey level variance", "1"),
    ("SXLW", "Run length variance", "1"),
    ("HJ9O", "Run entropy", "1"),
)


def run_length(region: Region, settings: Settings) -> tuple[Feature, ...]:
    """The 16 run length features, for each aggregation of the settings' spaces."""
    grid = region.grid()
    found: list[Feature] = []
    for space in settings.spaces:
        directions = IN_SPACE if space == "3D" else IN_SLICE
        parts = [cells_of(*runs_along(grid, direction)) for direction in directions]
        slice_of, level, length, count = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("group", "level", "size", "count")
        )
        direction = np.repeat(np.arange(len(directions)), [len(part.count) for part in parts])
        every_slice = np.repeat(np.arange(grid.slices), len(directions))
        every_direction = np.tile(np.arange(len(directions)), grid.slices)
        in_slice = np.bincount(grid.slice)[every_slice]
        for aggregation in DIRECTED[space]:
            group = group_of(aggregation, slice_of, direction, len(directions))
            looked = group_of(aggregation, every_slice, every_direction, len(directions))
            voxels = np.bincount(looked, weights=in_slice)
            values = features_of_counts(cells_of(group, level, length, count), voxels)[:, :16]
            found += named(
                "run_length", ROWS, mean_where_defined(values), unit=region.unit, aggregation=aggregation
            )
    return tuple(found)


def runs_along(grid: Levels, direction: tuple[int, int, int]) -> tuple[Labels, Labels, Labels]:
    """(slice, level, length) of every run in one direction; a run through slices counts in its first one."""
    step = grid.step(direction)
    # Cells that are one step apart become neighbours: the walk along every line of this direction in one row each.
    # Padding keeps the lines apart, because a line that leaves the box meets an empty cell before it enters again.
    rows = -(-len(grid.grid) // step) + 1
    walk = np.zeros(rows * step, np.int32)
    walk[: len(grid.grid)] = grid.grid
    walk = np.ascontiguousarray(walk.reshape(rows, step).T).ravel()
    begins = np.flatnonzero(np.diff(walk, prepend=-1))
    length = np.diff(begins, append=len(walk))
    level = walk[begins]
    used = level > 0
    lane, position = np.divmod(begins[used], rows)
    first = lane + position * step
    slice_of = grid.slice[np.searchsorted(grid.at, first)]
    return slice_of, level[used].astype(np.int64), length[used]

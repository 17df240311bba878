"""Grey level size zone: how large connected pieces of one grey level are (IBSI section 3.8)."""

import numpy as np

from osler.clinic.measure.radiomics.aggregate import group_of
from osler.clinic.measure.radiomics.counted import cells_of, features_of_counts
from osler.clinic.measure.radiomics.feature import Feature, Row, mean_where_defined, named
from osler.clinic.measure.radiomics.region import Region
from osler.clinic.measure.radiomics.settings import Settings
from osler.clinic.measure.radiomics.zones import first_voxels, zones

ROWS: tuple[Row, ...] = (
    ("9SAK", "Small zone emphasis", "1"),
    ("48P8", "Large zone emphasis", "1"),
    ("XMSY", "Low grey level zone emphasis", "1"),
    ("5GN9", "High grey level zone emphasis", "1"),
    ("5RAI", "Small zone low grey level emphasis", "1"),
    ("HW1V", "Small zone high grey level emphasis", "1"),
    ("YH51", "Large zone low grey level emphasis", "1"),
    ("J17V", "Large zone high grey level emphasis", "1"),
    ("JNSA", "Grey level non-uniformity", "1"),
    ("Y1RO", "Normalised grey level non-uniformity", "1"),
    ("4JP3", "Zone size non-uniformity", "1"),
    ("VB3A", "Normalised zone size non-uniformity", "1"),
    ("P30P", "Zone percentage", "1"),
    ("BYLV", "Grey level variance", "1"),
    ("3NSA", "Zone size variance", "1"),
    ("GU8N", "Zone size entropy", "1"),
)


def size_zone(region: Region, settings: Settings) -> tuple[Feature, ...]:
    """The 16 size zone features, for each of the settings' spaces."""
    grid = region.grid()
    found: list[Feature] = []
    for space in settings.spaces:
        zone, count = zones(grid, in_space=space == "3D")
        size, one = np.bincount(zone, minlength=count), first_voxels(zone, count)
        group = group_of(space, grid.slice[one], one, 1)
        voxels = np.bincount(group_of(space, grid.slice, grid.slice, 1))
        values = features_of_counts(cells_of(group, grid.level[one], size), voxels)[:, :16]
        found += named("size_zone", ROWS, mean_where_defined(values), unit=region.unit, aggregation=space)
    return tuple(found)

"""Grey level distance zone: how deep pieces of one grey level lie in the structure (IBSI section 3.9)."""

import numpy as np

from osler.clinic.measure.radiomics.aggregate import group_of
from osler.clinic.measure.radiomics.counted import cells_of, features_of_counts
from osler.clinic.measure.radiomics.feature import Feature, Row, mean_where_defined, named
from osler.clinic.measure.radiomics.region import Region
from osler.clinic.measure.radiomics.settings import Settings
from osler.clinic.measure.radiomics.zones import first_voxels, zones
from osler.core.arrays import Array, Labels

ROWS: tuple[Row, ...] = (
    ("0GBI", "Small distance emphasis", "1"),
    ("MB4I", "Large distance emphasis", "1"),
    ("S1RA", "Low grey level zone emphasis", "1"),
    ("K26C", "High grey level zone emphasis", "1"),
    ("RUVG", "Small distance low grey level emphasis", "1"),
    ("DKNJ", "Small distance high grey level emphasis", "1"),
    ("A7WM", "Large distance low grey level emphasis", "1"),
    ("KLTH", "Large distance high grey level emphasis", "1"),
    ("VFT7", "Grey level non-uniformity", "1"),
    ("7HP3", "Normalised grey level non-uniformity", "1"),
    ("V294", "Zone distance non-uniformity", "1"),
    ("IATH", "Normalised zone distance non-uniformity", "1"),
    ("VIWW", "Zone percentage", "1"),
    ("QK93", "Grey level variance", "1"),
    ("7WT1", "Zone distance variance", "1"),
    ("GBDU", "Zone distance entropy", "1"),
)


def distance_zone(region: Region, settings: Settings) -> tuple[Feature, ...]:
    """The 16 distance zone features, for each of the settings' spaces.

    A zone is as deep as its voxel nearest to the edge of the structure as drawn: 1 at the edge itself.
    """
    grid = region.grid()
    found: list[Feature] = []
    for space in settings.spaces:
        zone, count = zones(grid, in_space=space == "3D")
        depth = depths(region.shape, in_space=space == "3D")[region.inside]
        nearest = np.full(count, np.iinfo(np.int64).max)
        np.minimum.at(nearest, zone, depth)
        one = first_voxels(zone, count)
        group = group_of(space, grid.slice[one], one, 1)
        voxels = np.bincount(group_of(space, grid.slice, grid.slice, 1))
        values = features_of_counts(cells_of(group, grid.level[one], nearest), voxels)[:, :16]
        found += named("distance_zone", ROWS, mean_where_defined(values), unit=region.unit, aggregation=space)
    return tuple(found)


def depths(shape: Array, *, in_space: bool) -> Labels:
    """Steps over faces from each voxel of `shape` (slices, rows, columns) to outside it, or out of the picture."""
    from scipy import ndimage

    if in_space:
        padded = np.pad(shape, 1)
        found: Labels = ndimage.distance_transform_cdt(padded, metric="taxicab")
        return found[1:-1, 1:-1, 1:-1]
    out = np.zeros(shape.shape, np.int64)
    for index in np.flatnonzero(shape.any(axis=(1, 2))):
        flat = ndimage.distance_transform_cdt(np.pad(shape[index], 1), metric="taxicab")
        out[index] = flat[1:-1, 1:-1]
    return out

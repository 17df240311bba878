"""Grey level co-occurrence: which grey levels lie side by side (IBSI section 3.6)."""

from itertools import pairwise

import numpy as np

from osler.clinic.measure.radiomics.aggregate import DIRECTED
from osler.clinic.measure.radiomics.feature import Feature, Row, mean_where_defined, named
from osler.clinic.measure.radiomics.levels import IN_SLICE, IN_SPACE
from osler.clinic.measure.radiomics.region import Region
from osler.clinic.measure.radiomics.settings import Settings
from osler.core.arrays import Array, Labels

ROWS: tuple[Row, ...] = (
    ("GYBY", "Joint maximum", "1"),
    ("60VM", "Joint average", "1"),
    ("UR99", "Joint variance", "1"),
    ("TU9B", "Joint entropy", "1"),
    ("TF7R", "Difference average", "1"),
    ("D3YU", "Difference variance", "1"),
    ("NTRS", "Difference entropy", "1"),
    ("ZGXS", "Sum average", "1"),
    ("OEEB", "Sum variance", "1"),
    ("P6QZ", "Sum entropy", "1"),
    ("8ZQL", "Angular second moment", "1"),
    ("ACUI", "Contrast", "1"),
    ("8S9J", "Dissimilarity", "1"),
    ("IB1Z", "Inverse difference", "1"),
    ("NDRX", "Normalised inverse difference", "1"),
    ("WF0Z", "Inverse difference moment", "1"),
    ("1QCO", "Normalised inverse difference moment", "1"),
    ("E8JP", "Inverse variance", "1"),
    ("NI2N", "Correlation", "1"),
    ("QWB0", "Autocorrelation", "1"),
    ("DG8W", "Cluster tendency", "1"),
    ("7NFM", "Cluster shade", "1"),
    ("AE86", "Cluster prominence", "1"),
    ("R8DG", "Information correlation 1", "1"),
    ("JN9H", "Information correlation 2", "1"),
)
_CELLS = 2_000_000  # matrices are worked on so many cells at a time: their intermediates fit the memory


def cooccurrence(region: Region, settings: Settings) -> tuple[Feature, ...]:
    """The 25 co-occurrence features (symmetric, distance 1), for each aggregation of the settings' spaces."""
    grid = region.grid()
    present, compact = np.unique(grid.level, return_inverse=True)
    place = np.zeros(len(grid.grid), np.int64)  # which of the levels that are there each cell has, from 1
    place[grid.at] = compact.ravel() + 1
    found: list[Feature] = []
    for space in settings.spaces:
        directions = IN_SPACE if space == "3D" else IN_SLICE
        ends = np.cumsum(np.bincount(grid.slice)) if space == "2D" else [len(grid.at)]
        apart, merged = [], []
        for first, last in pairwise([0, *ends]):
            counts = pairs(grid.at[first:last], place, [grid.step(d) for d in directions], len(present))
            apart.append(features_of_pairs(counts, present, grid.count))
            merged.append(features_of_pairs(counts.sum(axis=0, keepdims=True), present, grid.count))
        # Of one grey level most of the features are defined, of no neighbours none.
        why = "radiomics.one_level" if np.isfinite(merged).any() else "radiomics.no_neighbours"
        for aggregation, values in zip(DIRECTED[space], (apart, merged), strict=True):
            mean = mean_where_defined(np.concatenate(values))
            found += named("cooccurrence", ROWS, mean, unit=region.unit, aggregation=aggregation, why=why)
    return tuple(found)


def pairs(at: Labels, place: Labels, steps: list[int], count: int) -> Labels:
    """(steps, count, count) how often a voxel of level i has a neighbour of level j, at each step.

    at     (voxels,) where the voxels are
    place  (cells,) which level each cell has, from 1; 0 outside
    """
    one = (place[at] - 1) * count - 1
    found = np.empty((len(steps), count, count), np.int64)
    for number, step in enumerate(steps):
        other = place[at + step]
        met = other > 0
        found[number] = np.bincount(one[met] + other[met], minlength=count * count).reshape(count, count)
    return found


def features_of_pairs(counts: Labels, levels: Array, count: int) -> Array:
    """(matrices, 25) features of the counts of pairs (matrices, n, n); NaN where no pair was met.

    levels  (n,) the grey levels that they are of
    count   grey levels that there may be, which the normalised features divide by
    """
    at_once = max(_CELLS // len(levels) ** 2, 1)
    rows = []
    for first in range(0, len(counts), at_once):
        matrices = counts[first : first + at_once].astype(float)
        rows.append(_features(matrices + matrices.transpose(0, 2, 1), levels.astype(float), count))
    return np.concatenate(rows)


def _features(matrices: Array, levels: Array, count: int) -> Array:
    """(groups, 25) features of (groups, n, n) symmetric counts."""
    from scipy.special import xlogy

    groups, n, _ = matrices.shape
    total = matrices.sum(axis=(1, 2))
    p = matrices / np.where(total > 0, total, np.nan)[:, None, None]  # (groups, n, n)
    edge = p.sum(axis=2)  # (groups, n), the same for rows and columns of a symmetric matrix
    flat = p.reshape(groups, n * n)
    i = np.broadcast_to(levels[:, None], (n, n)).ravel()
    j = np.broadcast_to(levels, (n, n)).ravel()
    apart = np.abs(i - j)
    difference, gap = _marginal(flat, apart)  # (groups, gaps)
    sums, both = _marginal(flat, i + j)
    mean = edge @ levels  # (groups,)
    variance = edge @ levels**2 - mean**2
    gap_mean, both_mean = difference @ gap, sums @ both

    def entropy(share: Array) -> Array:
        found: Array = -(xlogy(share, share) / np.log(2)).sum(axis=-1)
        return found

    hxy, hx = entropy(flat), entropy(edge)
    # For a matrix of two equal marginals IBSI's HXY1 and HXY2 are both twice the entropy of one.
    hxy1 = 2 * hx
    centred = i + j - 2 * mean[:, None]  # (groups, n n)
    unequal = apart > 0
    inverse_variance = np.divide(1, apart**2, out=np.zeros_like(apart), where=unequal)
    spread = variance > 1e-12 * np.maximum(mean**2, 1)
    found = [
        flat.max(axis=1),
        mean,
        variance,
        hxy,
        gap_mean,
        difference @ gap**2 - gap_mean**2,
        entropy(difference),
        both_mean,
        sums @ both**2 - both_mean**2,
        entropy(sums),
        (flat**2).sum(axis=1),
        flat @ apart**2,
        flat @ apart,
        flat @ (1 / (1 + apart)),
        flat @ (1 / (1 + apart / count)),
        flat @ (1 / (1 + apart**2)),
        flat @ (1 / (1 + (apart / count) ** 2)),
        flat @ inverse_variance,
        np.divide(flat @ (i * j) - mean**2, variance, out=np.full(groups, np.nan), where=spread),
        flat @ (i * j),
        (flat * centred**2).sum(axis=1),
        (flat * centred**3).sum(axis=1),
        (flat * centred**4).sum(axis=1),
        np.divide(hxy - hxy1, hx, out=np.full(groups, np.nan), where=hx > 1e-12),
        np.sqrt(np.maximum(1 - np.exp(-2 * (hxy1 - hxy)), 0)),
    ]
    return np.stack(found, axis=1)


def _marginal(flat: Array, value: Array) -> tuple[Array, Array]:
    """The shares (groups, values) of the cells that have the same value, and those values."""
    from scipy import sparse

    values, inverse = np.unique(value, return_inverse=True)
    inverse = inverse.ravel()
    sums = sparse.csr_array((np.ones(len(inverse)), (np.arange(len(inverse)), inverse)))
    found: Array = flat @ sums
    return found, values

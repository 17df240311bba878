"""Shape, and how intensity lies in it (IBSI section 3.1).

Left out, because IBSI found no consensus on them: minimum volume enclosing ellipsoid and oriented bounding box.
"""

import numpy as np

from osler.clinic.measure.radiomics.autocorrelation import moran_and_geary
from osler.clinic.measure.radiomics.feature import Feature, Row, named
from osler.clinic.measure.radiomics.mesh import mesh_of
from osler.clinic.measure.radiomics.region import Region
from osler.clinic.measure.radiomics.settings import Settings
from osler.core.arrays import Array

ROWS: tuple[Row, ...] = (
    ("RNU0", "Volume (mesh)", "mm3"),
    ("YEKZ", "Volume (voxel counting)", "mm3"),
    ("C0JK", "Surface area (mesh)", "mm2"),
    ("2PR5", "Surface to volume ratio", "/mm"),
    ("SKGS", "Compactness 1", "1"),
    ("BQWJ", "Compactness 2", "1"),
    ("KRCK", "Spherical disproportion", "1"),
    ("QCFX", "Sphericity", "1"),
    ("25C7", "Asphericity", "1"),
    ("KLMA", "Centre of mass shift", "mm"),
    ("L0JK", "Maximum 3D diameter", "mm"),
    ("TDIC", "Major axis length", "mm"),
    ("P9VJ", "Minor axis length", "mm"),
    ("7J51", "Least axis length", "mm"),
    ("Q3CK", "Elongation", "1"),
    ("N17B", "Flatness", "1"),
    ("PBX1", "Volume density (axis-aligned bounding box)", "1"),
    ("R59B", "Area density (axis-aligned bounding box)", "1"),
    ("6BDE", "Volume density (approximate enclosing ellipsoid)", "1"),
    ("RDD2", "Area density (approximate enclosing ellipsoid)", "1"),
    ("R3ER", "Volume density (convex hull)", "1"),
    ("7T7F", "Area density (convex hull)", "1"),
    ("99N0", "Integrated intensity", "{i}.mm3"),
    ("N365", "Moran's I index", "1"),
    ("NPT7", "Geary's C measure", "1"),
)
WHY = {
    **dict.fromkeys(("Q3CK", "N17B", "6BDE", "RDD2"), "radiomics.flat"),
    **dict.fromkeys(("N365", "NPT7"), "radiomics.constant"),
}


def morphology(region: Region, settings: Settings) -> tuple[Feature, ...]:
    """The 25 features of shape that IBSI has reference values for."""
    from scipy.spatial import ConvexHull

    mesh = mesh_of(region.shape, region.spacing)
    voxel = float(np.prod(region.spacing))
    volume, area = mesh.volume, mesh.area
    box = np.ptp(mesh.corners, axis=0)
    hull = ConvexHull(mesh.corners)
    axes = _axes(region.shape, region.spacing)
    spatial = moran_and_geary(region.intensity, region.inside, region.spacing)
    values = (
        volume,
        float(region.shape.sum()) * voxel,
        area,
        area / volume,
        volume / (np.pi**0.5 * area**1.5),
        36 * np.pi * volume**2 / area**3,
        area / (36 * np.pi * volume**2) ** (1 / 3),
        (36 * np.pi * volume**2) ** (1 / 3) / area,
        (area**3 / (36 * np.pi * volume**2)) ** (1 / 3) - 1,
        _shift(region),
        _farthest(mesh.corners[hull.vertices]),
        *axes,
        axes[1] / axes[0] if axes[0] else np.nan,
        axes[2] / axes[0] if axes[0] else np.nan,
        volume / float(box.prod()),
        area / (2 * float(box[0] * box[1] + box[0] * box[2] + box[1] * box[2])),
        *_ellipsoid_densities(volume, area, axes),
        volume / float(hull.volume),
        area / float(hull.area),
        float(region.values.mean()) * volume,
        *((np.nan, np.nan) if spatial is None else spatial),
    )
    why = WHY | dict.fromkeys(("N365", "NPT7"), "radiomics.too_large") if spatial is None else WHY
    return named("morphology", ROWS, values, unit=region.unit, why=why)


def _axes(shape: Array, spacing: tuple[float, float, float]) -> tuple[float, float, float]:
    """Lengths of the axes of the ellipsoid that spreads like the voxels' centres, longest first."""
    places = np.argwhere(shape) * np.asarray(spacing)
    centred = places - places.mean(axis=0)
    spread = np.linalg.eigvalsh(centred.T @ centred / max(len(places) - 1, 1))
    # Along an axis one voxel thick the spread is none, but for rounding.
    spread[spread < 1e-9 * max(float(spread[-1]), 1e-300)] = 0
    least, minor, major = (4 * float(np.sqrt(one)) for one in spread)
    return major, minor, least


def _ellipsoid_densities(volume: float, area: float, axes: tuple[float, float, float]) -> tuple[float, float]:
    """Volume and area over those of the ellipsoid that spreads like the voxels.

    Its area is IBSI's series of Legendre polynomials up to degree 20, because the reference values are made with
    it. With the longest axis first, as IBSI has it, it falls short of the true area of long ellipsoids.
    """
    if not axes[2]:
        return np.nan, np.nan
    a, b, c = (axis / 2 for axis in axes)
    one, other = 1 - (b / a) ** 2, 1 - (c / a) ** 2
    # terms[n] = (alpha beta)^n P_n((alpha^2 + beta^2) / (2 alpha beta)), by Bonnet's recursion
    terms = [1.0, (one + other) / 2]
    for n in range(1, 20):
        terms.append(((2 * n + 1) * (one + other) / 2 * terms[n] - n * one * other * terms[n - 1]) / (n + 1))
    series = sum(term / (1 - 4 * n**2) for n, term in enumerate(terms))
    return volume / (4 / 3 * np.pi * a * b * c), area / (4 * np.pi * a * b * series)


def _shift(region: Region) -> float:
    """Between the centre of the shape and that of its intensities."""
    spacing = np.asarray(region.spacing)
    of_shape = np.argwhere(region.shape).mean(axis=0)
    mass = float(region.values.sum())
    if not mass:
        return np.nan
    of_mass = region.values @ np.argwhere(region.inside) / mass
    return float(np.linalg.norm((of_mass - of_shape) * spacing))


def _farthest(points: Array) -> float:
    from scipy.spatial.distance import pdist

    return float(pdist(points).max())

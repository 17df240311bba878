"""Sheared grids, as a tilted gantry makes them: straight ones for models, and the way back.

A sheared grid is exact: its affine says where each voxel lies. Models, and measures along an axis, expect axes at
right angles.
"""

import numpy as np

from osler.core.arrays import Array
from osler.core.geometry import Geometry
from osler.core.volume import Volume
from osler.imaging.resample import resample_to

_AIR_HU = -1000.0
_STRAIGHT = 0.1  # degrees


def shear_degrees(geometry: Geometry) -> float:
    """How far the grid's axes are from right angles to each other; 0 for nearly every scan.

    >>> shear_degrees(Geometry.from_spacing((4, 5, 6), (3, 1, 1)))
    0.0
    """
    axes = geometry.affine[:3, :3] / np.array(geometry.spacing)
    cosines = np.abs((axes.T @ axes)[np.triu_indices(3, 1)])
    return float(np.degrees(np.arcsin(min(1.0, float(cosines.max())))))


def is_sheared(geometry: Geometry) -> bool:
    """Are the axes off right angles by more than rounding?"""
    return shear_degrees(geometry) > _STRAIGHT


def straight_grid(geometry: Geometry) -> Geometry:
    """A grid at right angles that holds every voxel of a sheared one: the same rows' and columns' directions and
    spacing, and each of its slices in the plane of a native slice.

    Grids that are not sheared come back as they are.
    """
    if not is_sheared(geometry):
        return geometry
    slices, rows, columns = geometry.shape
    down, along = geometry.affine[:3, 1], geometry.affine[:3, 2]
    across = along - down * float(down @ along) / float(down @ down)  # crooked pixels become straight too
    along_unit, down_unit = across / np.linalg.norm(across), down / np.linalg.norm(down)
    normal = np.cross(down_unit, along_unit)
    step = normal * float(normal @ geometry.affine[:3, 0])
    spacing = geometry.spacing
    corners = np.array(np.meshgrid((0, slices - 1), (0, rows - 1), (0, columns - 1))).reshape(3, -1).T
    away = geometry.to_world(corners) - geometry.affine[:3, 3]
    low, high = [], []
    for unit, size in ((down_unit, spacing[1]), (along_unit, spacing[2])):
        steps = away @ unit / size
        low.append(int(np.floor(steps.min() + 1e-6)))
        high.append(int(np.ceil(steps.max() - 1e-6)))
    affine = np.eye(4)
    affine[:3, 0] = step
    affine[:3, 1], affine[:3, 2] = down_unit * spacing[1], along_unit * spacing[2]
    affine[:3, 3] = geometry.affine[:3, 3] + affine[:3, 1] * low[0] + affine[:3, 2] * low[1]
    return Geometry((slices, high[0] - low[0] + 1, high[1] - low[1] + 1), affine)


def straightened(volume: Volume, *, fill: float | None = None) -> Volume:
    """A sheared volume on its straight grid; any other as it is.

    fill  what lies beyond the native slices: by default air for HU, else the lowest value

    Each slice stays in its plane and is moved within it, so nothing is mixed across slices. Origins are kept.
    """
    target = straight_grid(volume.geometry)
    if target is volume.geometry:
        return volume
    if fill is None:
        fill = _AIR_HU if volume.unit == "HU" else float(volume.array.min(initial=0))
    array = resample_to(volume.array, volume.geometry, target, fill=fill)
    note = "The slices were moved within their planes, so that the grid has right angles."
    return Volume(
        array,
        target,
        volume.unit,
        volume.facts,
        volume.origins,
        volume.series_uid,
        volume.study_uid,
        (*volume.notes, note),
    )


def to_native(labels: Array, straight: Geometry, native: Geometry) -> Array:
    """Label numbers on a straight grid, mapped back to the native slices, by nearest voxel."""
    return resample_to(labels, straight, native, nearest=True)

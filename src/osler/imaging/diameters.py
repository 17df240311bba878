"""How large a finding is from end to end.

A voxel reaches to the middle of its faces, so one row of n voxels is n spacings long, and a single voxel one
spacing. Measured on the convex hull: the ends of the longest line are always corners of it.
"""

from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array
from osler.imaging.components import box_around


@dataclass(frozen=True, slots=True)
class InPlane:
    """The longest diameter in one slice and the longest one at right angles to it, as RECIST 1.1 measures.

    slice_index       where it was measured, 0 for a flat mask
    ends              the longest line's two ends, each (row, column), fractions of a pixel
    """

    longest_mm: float
    perpendicular_mm: float
    slice_index: int
    ends: tuple[tuple[float, float], tuple[float, float]]


def in_plane_diameters(binary: Array, spacing: tuple[float, ...]) -> InPlane | None:
    """The longest diameter within any one slice, with its perpendicular; None for an empty mask.

    binary   (slices, rows, columns) or (rows, columns)
    spacing  mm along the same axes

    The perpendicular is the longest chord of the same slice's convex hull, so hollows of the outline are not seen.
    """
    flat = binary.ndim == 2
    slices = binary[None] if flat else binary
    scale = np.asarray(spacing[-2:], float)
    best: tuple[float, int, Array, Array, Array] | None = None
    for index in np.flatnonzero(slices.any(axis=(1, 2))):
        points = _hull(_ends(slices[index]) * scale)
        length, one, other = _farthest(points)
        if best is None or length > best[0]:
            best = (length, int(index), points, one, other)
    if best is None:
        return None
    length, where, points, one, other = best
    first, second = one / scale, other / scale
    return InPlane(
        length,
        _chord(points, (other - one) / length),
        where,
        ((float(first[0]), float(first[1])), (float(second[0]), float(second[1]))),
    )


def longest_diameter_mm(binary: Array, spacing: tuple[float, ...]) -> float:
    """The longest line between any two ends of the mask, through all slices, in mm; 0 for an empty mask.

    binary   (slices, rows, columns) or (rows, columns)
    spacing  mm along the same axes
    """
    if not binary.any():
        return 0.0
    return _farthest(_hull(_ends(binary) * np.asarray(spacing, float)))[0]


def _ends(binary: Array) -> Array:
    """(N, axes) middles of outer faces, in voxels: along every line of voxels the first one's and the last one's.

    Their convex hull is that of all the mask's faces.
    """
    box = box_around(binary)
    if box is None:
        return np.zeros((0, binary.ndim))
    inside = binary[box].astype(bool)
    corner = [one.start for one in box]
    points = []
    for axis in range(inside.ndim):
        lines = np.moveaxis(inside, axis, -1)
        met = np.argwhere(lines.any(axis=-1))
        there = lines[tuple(met.T)]
        first = there.argmax(axis=1) - 0.5
        last = there.shape[1] - 0.5 - there[:, ::-1].argmax(axis=1)
        for end in (first, last):
            points.append(np.insert(met.astype(float), axis, end, axis=1))
    found: Array = np.concatenate(points) + corner
    return found


def _hull(points: Array) -> Array:
    """The corners of the convex hull; in 2-D counter-clockwise."""
    from scipy.spatial import ConvexHull

    corners: Array = points[ConvexHull(points).vertices]
    return corners


def _farthest(points: Array) -> tuple[float, Array, Array]:
    """The two points that lie farthest apart, and their distance."""
    best = (-1.0, 0, 0)
    for start in range(0, len(points), 512):  # blocks keep the table of distances small
        block = points[start : start + 512]
        squares = ((block[:, None] - points[None, start:]) ** 2).sum(axis=2)
        one, other = np.unravel_index(int(squares.argmax()), squares.shape)
        if squares[one, other] > best[0]:
            best = (float(squares[one, other]), start + int(one), start + int(other))
    return float(np.sqrt(best[0])), points[best[1]], points[best[2]]


def _chord(corners: Array, along: Array) -> float:
    """The longest chord of a convex polygon at right angles to the unit vector `along`."""
    across = np.array([-along[1], along[0]])
    u, v = corners @ along, corners @ across
    # The chord's length is concave along u with kinks at the corners only, so its longest is at one of them.
    longest = 0.0
    ahead_u, ahead_v = np.roll(u, -1), np.roll(v, -1)
    for here in u:
        share = np.divide(here - u, ahead_u - u, out=np.zeros_like(u), where=ahead_u != u)
        crossed = (np.minimum(u, ahead_u) <= here) & (here <= np.maximum(u, ahead_u))
        met = np.concatenate([(v + share * (ahead_v - v))[crossed], v[u == here]])
        longest = max(longest, float(met.max() - met.min()))
    return longest

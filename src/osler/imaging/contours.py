"""Between outlines and voxels.

A voxel belongs to a structure when its centre lies inside the outline; where outlines cross or lie in one another,
when it lies inside an odd number of them (even-odd rule: holes are holes, whether drawn as a second outline or
as a keyhole). An outline traced from voxels runs along their faces, half a voxel outside the outermost centres, so
that its area is the area of the voxels and rasterizing it gives them back exactly.

Sources: DICOM PS3.3 C.8.8.6.3 (inner and outer contours, keyholes); Foley et al., Computer Graphics (scan
conversion of polygons).
"""

from collections.abc import Iterable, Sequence

import numpy as np

from osler.core.arrays import Array
from osler.core.contours import Contour
from osler.core.errors import BadGeometry
from osler.core.geometry import Geometry
from osler.core.origin import Origin

_SAME_PLANE_MM = 0.01
_PLANAR_MM = 0.5  # how far a point may lie from its contour's plane
_AT_ONCE = 2_000_000  # points x edges


def rasterize(contours: Sequence[Contour], geometry: Geometry, *, apart_mm: float | None = None) -> Array:
    """Which voxels lie inside closed contours: (slices, rows, columns) bool.

    contours  of one structure, all in parallel planes; those that are not closed are left out
    apart_mm  between the slices that they were drawn on; without it their own thickness, and where they do not say
              it, the usual distance between their planes

    Each plane of contours stands for a slab so thick, and a slice takes the contours of the slab that its centre
    lies in: on a finer grid the slices between two planes are filled, a gap stays a gap. Planes may be turned
    against the grid's slices, and slices tilted against the stack.

    Raises BadGeometry for contours that are not flat or not parallel to each other.
    """
    inside = np.zeros(geometry.shape, bool)
    drawn = [one for one in contours if one.closed]
    if not drawn:
        return inside
    closed = [one.points for one in drawn]
    thick = [one.thickness_mm for one in drawn if one.thickness_mm]
    apart = apart_mm or (float(np.median(thick)) if thick else None)
    normal = np.cross(geometry.affine[:3, 2], geometry.affine[:3, 1])
    normal /= np.linalg.norm(normal)
    step = float(normal @ geometry.affine[:3, 0])  # mm from slice to slice; below 0 where they run the other way
    wobble = max(float(np.ptp(points @ normal)) for points in closed) / 2
    if wobble > max(_SAME_PLANE_MM, 0.25 * abs(step)):
        _rasterize_turned(closed, geometry, apart, inside)
        return inside
    places, members = _planes(closed, normal)
    slices = normal @ geometry.affine[:3, 3] + step * np.arange(geometry.shape[0])
    for n, plane in enumerate(_slabs(places, slices, apart or _usual(places, abs(step)))):
        if plane >= 0:
            # Along the normal onto the slice: in a tilted stack that is not along the stack.
            flat = [points + np.outer(slices[n] - points @ normal, normal) for points in members[plane]]
            inside[n] = _fill([geometry.to_index(points)[:, 1:] for points in flat], geometry.shape[1:])
    return inside


def trace(mask: Array, geometry: Geometry, origins: Sequence[Origin] = ()) -> tuple[Contour, ...]:
    """Outlines of a binary mask on its own slices; holes are joined to the outline by keyholes of no width.

    mask     (slices, rows, columns), what is not 0 is inside
    origins  of each slice, or (): the contours then name no picture

    One contour for each piece of each slice; pieces that touch only at corners are two. `rasterize` gives the mask
    back exactly.
    """
    normal = np.cross(geometry.affine[:3, 2], geometry.affine[:3, 1])
    thickness = abs(float(normal @ geometry.affine[:3, 0] / np.linalg.norm(normal)))
    contours = []
    for n in np.flatnonzero(mask.reshape(len(mask), -1).any(axis=1)).tolist():
        uid, frame = (origins[n].instance_uid, origins[n].frame) if origins else ("", None)
        for corners in outlines(np.asarray(mask[n]) != 0):
            index = np.column_stack([np.full(len(corners), float(n)), corners])
            contours.append(
                Contour(geometry.to_world(index), instance_uid=uid, frame=frame, thickness_mm=thickness)
            )
    return tuple(contours)


def outlines(flat: Array) -> list[Array]:
    """Closed lines along the faces of the pixels of (rows, columns) bool.

    One (N, 2) array of (row, column) for each piece, its holes joined by keyholes. Corners lie at half pixels.
    """
    from scipy import ndimage

    rows, columns = np.nonzero(flat.any(axis=1))[0], np.nonzero(flat.any(axis=0))[0]
    if not len(rows):
        return []
    top, left = int(rows[0]), int(columns[0])
    cut = flat[top : rows[-1] + 1, left : columns[-1] + 1]
    pieces, count = ndimage.label(cut)  # four neighbours
    loops: list[list[Array]] = [[] for _ in range(count + 1)]
    for piece, corners in _loops(pieces):
        loops[piece].append(corners)
    return [_with_keyholes(of_one) - 0.5 + (top, left) for of_one in loops[1:]]


def borders(flat: Array) -> list[Array]:
    """Closed lines along the faces of the pixels of (rows, columns) bool, each hole a line of its own.

    (N, 2) whole numbers each: 0, 0 is the upper left corner of the first pixel.
    """
    from scipy import ndimage

    pieces, _ = ndimage.label(flat)
    return [corners for _, corners in _loops(pieces)] if flat.any() else []


def _planes(closed: list[Array], normal: Array) -> tuple[Array, list[list[Array]]]:
    """Where along the normal planes lie, (planes,) in order, and the contours of each."""
    places: list[float] = []
    members: list[list[Array]] = []
    for points in sorted(closed, key=lambda points: float((points @ normal).mean())):
        place = float((points @ normal).mean())
        if places and place - places[-1] <= _SAME_PLANE_MM:
            members[-1].append(points)
        else:
            places.append(place)
            members.append([points])
    return np.array(places), members


def _usual(places: Array, otherwise: float) -> float:
    return float(np.median(np.diff(places))) if len(places) > 1 else otherwise


def _slabs(places: Array, where: Array, apart: float) -> Array:
    """For each of (N,) positions along the normal, the plane in whose slab it lies, -1 in none.

    Half open: a position exactly between two slabs belongs to the higher one, so that nothing counts twice.
    """
    slack = 1e-3 * apart
    middles = (places[1:] + places[:-1]) / 2
    nearest = np.searchsorted(middles - slack, where)
    away = places[nearest] - where
    return np.where((away > -apart / 2 + slack) & (away <= apart / 2 + slack), nearest, -1)


def _fill(lines: list[Array], shape: Sequence[int]) -> Array:
    """Even-odd filling of closed lines: (rows, columns) bool for lines of (N, 2) (row, column) points."""
    rows, columns = shape
    starts = np.concatenate(lines)
    ends = np.concatenate([np.roll(line, -1, axis=0) for line in lines])
    # Every edge is walked the same way, so that the two sides of a keyhole cancel exactly.
    down = starts[:, 0] <= ends[:, 0]
    upper, lower = np.where(down[:, None], starts, ends), np.where(down[:, None], ends, starts)
    first = np.clip(np.ceil(upper[:, 0]), 0, rows).astype(np.int64)
    last = np.clip(np.ceil(lower[:, 0]), 0, rows).astype(np.int64)  # half open: the lower end belongs to the next
    crossed = last - first
    edge = np.repeat(np.arange(len(first)), crossed)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(crossed) - crossed, crossed) + first[edge]
    drop = lower[edge, 0] - upper[edge, 0]
    column = upper[edge, 1] + (row - upper[edge, 0]) * (lower[edge, 1] - upper[edge, 1]) / drop
    # Each crossing turns over all pixels whose centres lie before it.
    before = np.clip(np.ceil(column), 0, columns).astype(np.int64)
    turns = np.bincount(row * (columns + 1) + before, minlength=rows * (columns + 1))
    after = turns.reshape(rows, columns + 1)[:, ::-1].cumsum(axis=1)[:, ::-1]
    filled: Array = after[:, 1:] % 2 == 1
    return filled


def _rasterize_turned(closed: list[Array], geometry: Geometry, apart: float | None, inside: Array) -> None:
    """Contours whose planes are turned against the slices: each voxel's centre is dropped onto its plane."""
    largest = max(closed, key=lambda points: float(np.ptp(points, axis=0).max()))
    directions = np.linalg.svd(largest - largest.mean(axis=0), full_matrices=False)[2]
    flat, normal = directions[:2].T, directions[2]  # (3, 2), (3,)
    if any(float(np.ptp(points @ normal)) > 2 * _PLANAR_MM for points in closed):
        raise BadGeometry(
            "The contours of one structure do not lie in parallel planes.",
            remedy="Export them again on the slices of one series.",
        )
    places, members = _planes(closed, normal)
    # One plane alone is as thick as a voxel is in its direction.
    apart = apart or _usual(places, float(np.abs(geometry.affine[:3, :3].T @ normal).max()))
    index = geometry.to_index(np.concatenate(closed))
    reach = np.abs(np.linalg.inv(geometry.affine[:3, :3]) @ normal) * apart  # voxels: half a slab and some more
    low = np.clip(np.floor(index.min(axis=0) - reach), 0, geometry.shape).astype(int)
    high = np.clip(np.ceil(index.max(axis=0) + reach) + 1, 0, geometry.shape).astype(int)
    for n in range(low[0], high[0]):
        rows, columns = np.mgrid[low[1] : high[1], low[2] : high[2]]
        where = np.column_stack([np.full(rows.size, n), rows.ravel(), columns.ravel()])
        centres = geometry.to_world(where)
        slabs = _slabs(places, centres @ normal, apart)
        for plane in np.unique(slabs[slabs >= 0]):
            near = where[slabs == plane]
            found = near[within(centres[slabs == plane] @ flat, [points @ flat for points in members[plane]])]
            inside[found[:, 0], found[:, 1], found[:, 2]] = True


def within(points: Array, lines: Iterable[Array]) -> Array:
    """Even-odd rule for any points: (P,) bool for points (P, 2) and closed lines of (N, 2)."""
    odd = np.zeros(len(points), bool)
    for line in lines:
        ends = np.roll(line, -1, axis=0)
        for start in range(0, len(points), max(1, _AT_ONCE // len(line))):
            some = points[start : start + max(1, _AT_ONCE // len(line))]
            above = line[None, :, 0] <= some[:, None, 0]  # (some, edges)
            crosses = above != (ends[None, :, 0] <= some[:, None, 0])
            drop = np.where(ends[:, 0] == line[:, 0], 1.0, ends[:, 0] - line[:, 0])
            at = line[:, 1] + (some[:, None, 0] - line[:, 0]) * ((ends[:, 1] - line[:, 1]) / drop)
            odd[start : start + len(some)] ^= (crosses & (at > some[:, None, 1])).sum(axis=1) % 2 == 1
    return odd


def _loops(pieces: Array) -> Iterable[tuple[int, Array]]:
    """(piece, corners (N, 2) as whole numbers of pixel corners) of every loop, inside on the right hand."""
    padded = np.pad(pieces, 1)
    here = padded[1:-1, 1:-1]
    # Sides of pixels: where the neighbour is not inside; from corner to corner, clockwise on the screen.
    sides = (
        (padded[:-2, 1:-1], (0, 0), (0, 1)),  # top, to the right
        (padded[1:-1, 2:], (0, 1), (1, 0)),  # right, down
        (padded[2:, 1:-1], (1, 1), (0, -1)),  # bottom, to the left
        (padded[1:-1, :-2], (1, 0), (-1, 0)),  # left, up
    )
    starts, headings, owners = [], [], []
    for heading, (neighbour, corner, _) in enumerate(sides):
        found = np.argwhere((here > 0) & (neighbour == 0))
        starts.append(found + corner)
        headings.append(np.full(len(found), heading))
        owners.append(here[found[:, 0], found[:, 1]])
    start, turn, owner = np.concatenate(starts), np.concatenate(headings), np.concatenate(owners)
    end = start + np.array([move for _, _, move in sides])[turn]
    width = pieces.shape[1] + 1
    leaving: dict[int, list[int]] = {}
    for n, place in enumerate((start[:, 0] * width + start[:, 1]).tolist()):
        leaving.setdefault(place, []).append(n)
    arriving = (end[:, 0] * width + end[:, 1]).tolist()
    turns = turn.tolist()
    done = np.zeros(len(start), bool)
    for first in range(len(start)):
        if done[first]:
            continue
        loop, n = [], first
        while not done[n]:
            done[n] = True
            choices = leaving[arriving[n]]
            # Where two pieces touch at a corner, turning right stays with the same one.
            following = next((one for one in choices if turns[one] == (turns[n] + 1) % 4), choices[0])
            if turns[following] != turns[n]:
                loop.append(following)  # only where it bends
            n = following
        yield int(owner[first]), start[loop]


def _with_keyholes(loops: list[Array]) -> Array:
    """One line out of a piece's outline and its holes, all of right angles."""
    # The outline is the loop that reaches furthest to the left; holes follow in the same order, so that what lies
    # to the left of a hole is joined already.
    ordered = sorted(loops, key=lambda loop: int(loop[:, 1].min()))
    line = ordered[0]
    for hole in ordered[1:]:
        leftmost = int(np.lexsort((hole[:, 0], hole[:, 1]))[0])
        row, column = (int(x) for x in hole[leftmost])
        ends = np.roll(line, -1, axis=0)
        upright = line[:, 1] == ends[:, 1]
        meets = (np.minimum(line[:, 0], ends[:, 0]) <= row) & (row <= np.maximum(line[:, 0], ends[:, 0]))
        candidates = np.flatnonzero(upright & meets & (line[:, 1] < column))
        at = int(candidates[np.argmax(line[candidates, 1])])
        door = np.array([[row, line[at, 1]]])
        around = np.concatenate([np.roll(hole, -leftmost, axis=0), hole[leftmost : leftmost + 1]])
        line = np.concatenate([line[: at + 1], door, around, door, line[at + 1 :]])
    return line[np.any(line != np.roll(line, 1, axis=0), axis=1)].astype(float)

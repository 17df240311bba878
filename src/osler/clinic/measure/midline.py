"""How far the brain's midline is pushed aside, and angles between lines.

The ideal midline is the straight line between where the falx is attached in front and at the back; the shift is
how far the real midline lies from it. Sources: Brain Trauma Foundation 2006, Neurosurgery 58 (Suppl 3): S2-16
(midline shift on CT, in mm); Cobb 1948 (angle between two end plates); Moreland et al. 1987, J Bone Joint
Surg Am 69: 745-749 (hip, knee and ankle).
"""

import math

import numpy as np

from osler.clinic.measure.inside import drawn
from osler.core.arrays import Array
from osler.core.codes import Code
from osler.core.errors import AskedWrongly, BadGeometry, BadInput
from osler.core.finding import Measurement
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.quantity import Quantity
from osler.results.sentences import say

ANGLE = Code("1483009", "SCT", "Angle")
_LEAST_LENGTH_MM = 30.0  # of a midline in a slice: shorter ones say nothing of where it is attached

Place = tuple[float, ...]
Line = tuple[Place, Place]


def shift_of_points(front: Place, back: Place, pushed: Place, *, error_mm: float | None = None) -> Measurement:
    """How far `pushed` lies beside the line from `front` to `back`, in mm.

    front, back, pushed  (x, y, z) LPS mm, or (row, column) mm of a flat picture
    error_mm             how far each point may lie from the truth, across the line; None gives no interval

    The interval adds the error of the point and, as far along the line as it lies, those of both ends: their root
    of squares. Raises AskedWrongly where both ends are one point, or a coordinate is no number.
    """
    start, along = _direction((front, back))
    place = _place(pushed, len(start)) - start
    reach = float(np.linalg.norm(_place(back, len(start)) - start))
    share = float(place @ along) / reach
    shift = float(np.linalg.norm(place - (place @ along) * along))
    low = high = None
    if error_mm is not None:
        half = error_mm * math.sqrt(1 + share**2 + (1 - share) ** 2)
        low, high = max(0.0, shift - half), shift + half
    return Measurement(say("measure.midline_shift"), Quantity(shift, "mm", low, high))


def midline_shift(mask: Mask, label: int) -> Measurement:
    """The largest shift of a midline that was drawn as a thin structure in axial slices (the falx, the septum).

    In each slice the drawn midline's middle is taken from front to back; its first and last points are where it is
    attached. Its interval is that of half a voxel at each of the three points.

    Raises BadGeometry where slices are not axial, BadInput where the label has no voxel or no slice shows at least
    30 mm of a midline.
    """
    geometry = _axial(mask)
    inside = drawn(mask, label)
    lines = []
    for index in np.flatnonzero(inside.any(axis=(1, 2))):
        rows = np.flatnonzero(inside[index].any(axis=1))
        middles = [float(np.flatnonzero(inside[index, row]).mean()) for row in rows]
        lines.append(geometry.to_world(np.column_stack([np.full(len(rows), index), rows, middles])))
    return _most_pushed(lines, mask.spacing[-1])


def midline_shift_between(mask: Mask, left: int, right: int) -> Measurement:
    """The same of a midline that is where the left half of the brain meets the right one.

    In each row of an axial slice it lies midway between the innermost voxels of both halves; rows that do not show
    both are left out. Raises as `midline_shift` does.
    """
    geometry = _axial(mask)
    one, other = drawn(mask, left), drawn(mask, right)
    lines = []
    for index in np.flatnonzero(one.any(axis=(1, 2)) & other.any(axis=(1, 2))):
        places = []
        for row in np.flatnonzero(one[index].any(axis=1) & other[index].any(axis=1)):
            mine, theirs = np.flatnonzero(one[index, row]), np.flatnonzero(other[index, row])
            facing = (mine[0], theirs[-1]) if mine.mean() > theirs.mean() else (mine[-1], theirs[0])
            places.append((float(index), float(row), (facing[0] + facing[1]) / 2))
        lines.append(geometry.to_world(np.array(places)) if places else np.zeros((0, 3)))
    return _most_pushed(lines, mask.spacing[-1])


def angle_between(one: Line, other: Line, *, error_mm: float | None = None) -> Measurement:
    """The angle of two lines in degrees, 0 to 90: which end of a line comes first does not matter (Cobb).

    one, other  two points each, mm, all in the same frame
    error_mm    how far each point may lie from the truth, across its line; None gives no interval

    The interval adds the angles by which both lines may be turned. Raises AskedWrongly where a line has no length,
    or a coordinate is no number.
    """
    (_, first), (_, second) = _direction(one), _direction(other)
    angle = _degrees(abs(float(first @ second)))
    return _angle(angle, (one, other), error_mm, 90.0)


def angle_at(corner: Place, one: Place, other: Place, *, error_mm: float | None = None) -> Measurement:
    """The angle at a corner between the ways to two points, 0 to 180 degrees: hip, knee and ankle at the knee.

    Raises AskedWrongly as `angle_between` does.
    """
    (_, first), (_, second) = _direction((corner, one)), _direction((corner, other))
    angle = _degrees(float(first @ second))
    return _angle(angle, ((corner, one), (corner, other)), error_mm, 180.0)


def _angle(angle: float, lines: tuple[Line, Line], error_mm: float | None, most: float) -> Measurement:
    low = high = None
    if error_mm is not None:
        turned = [math.degrees(math.asin(min(1.0, 2 * error_mm / math.dist(*line)))) for line in lines]
        low, high = max(0.0, angle - sum(turned)), min(most, angle + sum(turned))
    return Measurement(say("measure.angle"), Quantity(angle, "deg", low, high), ANGLE)


def _degrees(cosine: float) -> float:
    return math.degrees(math.acos(min(1.0, max(-1.0, cosine))))


def _direction(line: Line) -> tuple[Array, Array]:
    """(its first point, the unit vector along it)."""
    start = _place(line[0], len(line[0]))
    along = _place(line[1], len(start)) - start
    length = float(np.linalg.norm(along))
    if length == 0:
        raise AskedWrongly("A line needs two points apart from each other.", remedy="Give two different points.")
    return start, along / length


def _place(place: Place, size: int) -> Array:
    found = np.asarray(place, float)
    if found.shape != (size,) or size not in (2, 3) or not np.isfinite(found).all():
        raise AskedWrongly("A point is two or three numbers in mm.", remedy="Give all points in one frame.")
    return found


def _axial(mask: Mask) -> Geometry:
    """The grid of a mask whose slices are axial and whose rows lie across the patient."""
    grid = mask.geometry
    if grid is None or not all(
        abs(grid.affine[axis, along]) > 0.7 * np.linalg.norm(grid.affine[:3, along])
        for axis, along in ((2, 0), (1, 1), (0, 2))
    ):
        raise BadGeometry(
            "A midline is measured in axial slices, front to back along the rows.",
            remedy="Give a mask on the axial series.",
        )
    return grid


def _most_pushed(lines: list[Array], column_mm: float) -> Measurement:
    """The largest shift among slices; half a voxel is how far each point may lie from the truth.

    lines  (n, 3) places of each slice's midline, LPS mm, row by row
    """
    best: Measurement | None = None
    for places in lines:
        if len(places) < 3 or np.linalg.norm(places[-1] - places[0]) < _LEAST_LENGTH_MM:
            continue
        start, along = places[0], (places[-1] - places[0]) / np.linalg.norm(places[-1] - places[0])
        away = places - start - np.outer((places - start) @ along, along)
        worst = places[int(np.linalg.norm(away, axis=1).argmax())]
        ends = (tuple(map(float, places[0])), tuple(map(float, places[-1])))
        here = shift_of_points(*ends, tuple(map(float, worst)), error_mm=column_mm / 2)
        if best is None or here.quantity.value > best.quantity.value:
            best = here
    if best is None:
        raise BadInput(
            f"No slice shows a midline of at least {_LEAST_LENGTH_MM:.0f} mm from front to back.",
            remedy="Draw it from its attachment in front to that at the back.",
        )
    return best

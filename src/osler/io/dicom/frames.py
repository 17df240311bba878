"""Where the frames of a result lie: segmentations, parametric maps, whatever comes in functional groups.

A result leaves out frames in which nothing is, and may give the rest in any order, so a frame is put where its own
position says and never where its number would.

Source: DICOM PS3.3 C.7.6.16 (Multi-frame Functional Groups), C.7.6.2.1.1 (position and orientation).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadGeometry, Unreadable
from osler.core.geometry import Geometry
from osler.io.dicom.parse import number, numbers, sequence
from osler.io.dicom.pixels import decode
from osler.io.dicom.scan import scan_header

if TYPE_CHECKING:
    from pydicom import Dataset

_NO_VOLUME = 1e-9  # mm3 of one voxel
_SAME_PLACE_MM = 0.01
_STRAY_MM = 0.1  # positions are often rounded to a tenth
_STRAY = 0.1  # voxels by which a frame may miss a grid and still be taken as lying on it
_SAME_ANGLE = 2e-3  # radians
_CROOKED = 1e-2  # how far directions may be from unit length and right angles
_MOST_VOXELS = 2**32  # a few frames far apart must not ask for more memory than any hospital's volume


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Where the frames of one file lie in the patient.

    name          the file's name, for messages
    size          rows, columns of every frame
    along_row, along_column  (3,) unit vectors: where the column index and where the row index grow
    spacing       mm between rows, between columns
    positions     (frames, 3) of each frame's first pixel centre, LPS mm
    step_mm       what the header says lies between slices, 0 where it does not say
    thickness_mm  likewise
    """

    name: str
    size: tuple[int, int]
    along_row: Array
    along_column: Array
    spacing: tuple[float, float]
    positions: Array
    step_mm: float
    thickness_mm: float


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """How frames lie on a grid whose voxels they meet exactly.

    axes    the grid's axis along a frame's rows' index, its columns' index, and across frames
    signs   1 or -1: which way the first two run
    starts  (frames, 3) voxel of each frame's first pixel; it may lie outside
    size    rows, columns of every frame
    """

    axes: tuple[int, int, int]
    signs: tuple[int, int]
    starts: Array
    size: tuple[int, int]

    def window(self, array: Array, frame: int) -> tuple[Array, tuple[slice, slice]] | None:
        """The part of `array`, a volume on the grid, that a frame covers, in the frame's own order of rows and
        columns, and which rows and columns of the frame those are; None where the frame lies outside."""
        start = self.starts[frame]
        across = self.axes[2]
        if not 0 <= start[across] < array.shape[across]:
            return None
        where: list[slice | int] = [0, 0, 0]
        where[across] = int(start[across])
        taken = []
        for n in range(2):
            axis = self.axes[n]
            mine, theirs = _overlap(int(start[axis]), self.signs[n], self.size[n], array.shape[axis])
            where[axis] = theirs
            taken.append(mine)
        view = array[tuple(where)]
        if 0 in view.shape:
            return None
        return (view if self.axes[0] < self.axes[1] else view.T), (taken[0], taken[1])


def groups_of(dataset: "Dataset", keyword: str) -> "list[Dataset]":
    """One functional group of every frame: the frame's own, else the one shared by all, else an empty one."""
    from pydicom import Dataset

    shared = next(
        (items[0] for place in sequence(dataset, "SharedFunctionalGroupsSequence")
         if (items := sequence(place, keyword))), Dataset(),
    )  # fmt: skip
    frames = sequence(dataset, "PerFrameFunctionalGroupsSequence")
    return [items[0] if (items := sequence(frame, keyword)) else shared for frame in frames]


def frames_of(dataset: "Dataset", path: Path) -> Frames | None:
    """Where the frames lie; None when the file does not say, as with results on radiographs.

    Raises BadGeometry when only some frames say, or say what cannot be: frames turned against each other, pixels
    without size.
    """
    positions = [numbers(group, "ImagePositionPatient") for group in groups_of(dataset, "PlanePositionSequence")]
    turned = [
        numbers(group, "ImageOrientationPatient") for group in groups_of(dataset, "PlaneOrientationSequence")
    ]
    if not any(map(len, positions)) and not any(map(len, turned)):
        return None
    measures = groups_of(dataset, "PixelMeasuresSequence")
    spacing = [numbers(group, "PixelSpacing") for group in measures]
    if not (_all(positions, 3) and _all(turned, 6) and _all(spacing, 2) and np.min(spacing) > 0):
        raise BadGeometry(
            f"{path.name}: some of its frames do not say where they lie in the patient, or how large a pixel is.",
            remedy="Export it again from the program that made it.",
        )
    directions = np.array(turned, float).reshape(-1, 2, 3)
    lengths = np.linalg.norm(directions, axis=2, keepdims=True)
    if (
        np.abs(lengths - 1).max() > _CROOKED
        or np.abs((directions[:, 0] * directions[:, 1]).sum(1)).max() > _CROOKED
    ):
        raise BadGeometry(
            f"{path.name}: the directions of its rows and columns are no right angle of unit length.",
            remedy="Export it again from the program that made it.",
        )
    directions = directions / lengths
    if np.linalg.norm(directions - directions[0], axis=2).max() > _SAME_ANGLE:
        raise BadGeometry(
            f"{path.name} mixes orientations: its frames are turned against each other.",
            remedy="Give each orientation as a file of its own.",
        )
    if not np.allclose(spacing, spacing[0], rtol=1e-3):
        raise BadGeometry(
            f"{path.name} mixes pixel sizes.", remedy="Give the frames of each pixel size as a file of their own."
        )
    return Frames(
        path.name,
        (int(number(dataset, "Rows") or 0), int(number(dataset, "Columns") or 0)),
        directions[0, 0],
        directions[0, 1],
        (spacing[0][0], spacing[0][1]),
        np.array(positions, float),
        abs(number(measures[0], "SpacingBetweenSlices") or 0.0),
        abs(number(measures[0], "SliceThickness") or 0.0),
    )


def grid_of(frames: Frames) -> Geometry:
    """The smallest grid that holds every frame: slices in the direction of rows x columns, gaps filled.

    Raises BadGeometry when the frames do not lie in even steps, or too far apart for any memory.
    """
    normal = np.cross(frames.along_row, frames.along_column)
    along = frames.positions @ normal
    order = np.argsort(along, kind="stable")
    along, positions = along[order] - along[order[0]], frames.positions[order]
    new = np.concatenate([[True], np.diff(along) > _SAME_PLACE_MM])
    # Frames of one slice are one place; in the plane they must agree too, which `_even` sees.
    if new.sum() == 1:
        step = normal * (frames.step_mm or frames.thickness_mm or 1.0)
        count = 1
    else:
        steps = _even(along, positions, float(np.diff(along[new]).min()), frames)
        count = int(steps[-1]) + 1
        step = (positions[-1] - positions[0]) / steps[-1]
    if count * frames.size[0] * frames.size[1] > _MOST_VOXELS:
        raise BadGeometry(
            f"{frames.name}: its frames lie so far apart that {count} slices would be needed.",
            remedy="Give the picture it was drawn on, or repair the positions of its frames.",
        )
    affine = np.eye(4)
    affine[:3, 0] = step
    affine[:3, 1] = frames.along_column * frames.spacing[0]
    affine[:3, 2] = frames.along_row * frames.spacing[1]
    affine[:3, 3] = positions[0]
    if not abs(np.linalg.det(affine[:3, :3])) > _NO_VOLUME:
        raise BadGeometry(
            f"{frames.name}: its frames span no volume, as if pixels or steps had no size.",
            remedy="Give the picture it was drawn on, or repair the spacing of its frames.",
        )
    return Geometry((count, *frames.size), affine)


def place(frames: Frames, grid: Geometry) -> Placement | None:
    """How the frames lie on `grid`, whichever way its axes run; None where they do not meet its voxels.

    Only the frames' own planes count: a frame left out, or a grid with more slices, is no difference.
    """
    back = np.linalg.inv(grid.affine[:3, :3])
    walks = np.stack(
        [back @ (frames.along_column * frames.spacing[0]), back @ (frames.along_row * frames.spacing[1])]
    )  # (2, 3): voxels of the grid for each row and each column
    axes = np.abs(walks).argmax(axis=1)
    signs = np.sign(walks[np.arange(2), axes]).astype(int)
    ideal = np.zeros((2, 3))
    ideal[np.arange(2), axes] = signs
    drift = np.abs(walks - ideal) * (np.array(frames.size)[:, None] - 1)
    starts = grid.to_index(frames.positions)
    whole = np.rint(starts)
    if axes[0] == axes[1] or drift.max() > _STRAY or np.abs(starts - whole).max() > _STRAY:
        return None
    across = 3 - int(axes[0]) - int(axes[1])
    return Placement(
        (int(axes[0]), int(axes[1]), across), (int(signs[0]), int(signs[1])), whole.astype(int), frames.size
    )


def own_placement(frames: Frames, grid: Geometry) -> Placement:
    """How the frames lie on the grid that `grid_of` made of them."""
    starts = np.zeros((len(frames.positions), 3), int)
    starts[:, 0] = np.rint(grid.to_index(frames.positions)[:, 0])
    return Placement((1, 2, 0), (1, 1), starts, frames.size)


def stored_frames(dataset: "Dataset", path: Path, count: int) -> Array:
    """The numbers as they are stored: (frames, rows, columns), whole, or decimal where the file holds such.

    Raises Unreadable when the pixels are missing, damaged, of an unknown compression or not `count` grey frames,
    or when the header promises more than can be.
    """
    rows, columns = number(dataset, "Rows") or 0, number(dataset, "Columns") or 0
    if not 0 < rows * columns * count <= _MOST_VOXELS:
        raise Unreadable(
            f"{path.name} says it has {count} frames of {rows:.0f} x {columns:.0f} pixels, which cannot be.",
            remedy="Send or export it again.",
        )
    array = decode(scan_header(path), path, indices=True)  # the palette of a label map is for showing only
    if array.ndim != 3 or len(array) != count:
        raise contradiction(path)
    return array


def contradiction(path: Path) -> Unreadable:
    """A file whose functional groups, number of frames and pixels do not go together."""
    return Unreadable(
        f"{path.name} says one thing of its frames and holds another.", remedy="Send or export it again."
    )


def _even(along: Array, positions: Array, least: float, frames: Frames) -> Array:
    """Which slice each position is, counted from the first. Raises BadGeometry without an even step."""
    # (step, by how much of it a position may stray): a part of the least step found fits anything if it may stray.
    steps = [(least, 0.25)] + [(least / n, 0.02) for n in range(2, 6)]
    # What the header says comes first where it may be true: frames left out can hide the real step.
    said = frames.step_mm
    if _SAME_PLACE_MM < said <= least * 1.01 and least / said < 100:
        steps.insert(0, (said, 0.25))
    for step, stray in steps:
        number_of = np.rint(along / step)
        if number_of[-1] < 1:
            continue
        exact = positions[0] + number_of[:, None] * (positions[-1] - positions[0]) / number_of[-1]
        if np.abs(exact - positions).max() <= min(max(_STRAY_MM, 0.02 * step), stray * step):
            return number_of
    raise BadGeometry(
        f"{frames.name}: its frames do not lie in even steps, so that they span no grid.",
        remedy="Give the picture it was drawn on, so that each frame finds its slice.",
    )


def _overlap(start: int, sign: int, have: int, room: int) -> tuple[slice, slice]:
    """Which of `have` pixels that walk from `start` fall into 0 ... room - 1, and where they fall."""
    if sign > 0:
        first, end = max(0, -start), min(have, room - start)
        end = max(first, end)
        return slice(first, end), slice(start + first, start + end)
    first, end = max(0, start - room + 1), min(have, start + 1)
    end = max(first, end)
    stop = start - end
    return slice(first, end), slice(start - first, None if stop < 0 else stop, -1) if end > first else slice(0, 0)


def _all(values: Sequence[tuple[float, ...]], length: int) -> bool:
    return all(len(one) == length and bool(np.isfinite(one).all()) for one in values)

"""Laying one volume of a patient over another: the rigid movement between two examinations.

Mutual information (Mattes et al. 2003, IEEE Trans Med Imaging 22: 120-128, in SimpleITK) needs no common meaning
of the numbers, so it serves within a modality and across two. Both volumes are brought to cubic voxels, coarse
first. The places that are compared are drawn with one seed, and one thread computes, so the same volumes always
give the same answer.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadGeometry, BadPixels
from osler.core.geometry import Geometry
from osler.core.progress import Tell, silent
from osler.core.volume import Volume
from osler.imaging.resample import resample_to

_MOST_VOXELS = 500_000  # of the finest level; more make it slower, not better
_FINEST_MM = 1.0
_FEWEST = 8  # voxels along an axis with which a movement can still be told
_LEAST_OVERLAP = 0.25
_LEAST_SHARPNESS = 0.2
_BINS = 32
_SAMPLES = 100_000  # places of the fixed volume that a climb looks at
_SEED = 40


@dataclass(frozen=True, slots=True, eq=False)
class Rigid:
    """A rigid movement and how far it is to be believed.

    matrix     (4, 4) from places in the fixed volume to places in the moving one, LPS mm
    overlap    share of the smaller volume that the other one covers then, 0 to 1
    likeness   mutual information of both where they overlap, in bits: what one tells of the other
    before     the same where the movement was begun from
    sharpness  by what share the likeness falls, in the mean, when the movement is changed by a tenth of the volume
               along each axis; near 0 the movement is as good as any other
    """

    matrix: Array
    overlap: float
    likeness: float
    before: float
    sharpness: float


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """Both volumes on cubic voxels of one size, float32."""

    fixed: Array
    fixed_grid: Geometry
    moving: Array
    moving_grid: Geometry


def register_rigid(fixed: Volume, moving: Volume) -> Array:
    """(4, 4) matrix from places in `fixed` to places in `moving`, LPS mm. Raises as `rigid_movement` does."""
    return rigid_movement(fixed, moving).matrix


def rigid_movement(fixed: Volume, moving: Volume, *, tell: Tell = silent) -> Rigid:
    """How the patient lies in `moving`, seen from `fixed`: turns and shifts, no change of size or form.

    Begun from where the headers put both volumes, from their middles and from their centres of mass, and goes on
    from the best. Volumes may be of different modality, grid and extent.

    Raises BadPixels for a volume that holds one value everywhere or no numbers, BadGeometry for volumes of fewer
    than 8 voxels along an axis, and where the answer cannot be believed: they overlap in less than a quarter of
    the smaller one, or would be nearly as much alike elsewhere. Where no movement makes them more alike than the
    place they began from, that place is the answer. Two people of one build can be laid over each other too:
    whether it is one patient is for the caller to know.
    """
    for volume, name in ((fixed, "fixed"), (moving, "moving")):
        _check(volume, name)
    sizes = _sizes(fixed.geometry, moving.geometry)
    levels = [_level(fixed, moving, size) for size in sizes]
    starts = _starts(levels[0])
    tell("register", 0, len(levels), "")
    tried = [_improved(levels[0], start) for start in starts]
    best = max(tried, key=lambda matrix: _likeness(levels[0], matrix)[0])
    for done, level in enumerate(levels[1:], start=1):
        tell("register", done, len(levels), "")
        best = _improved(level, best)
    tell("register", len(levels), len(levels), "")
    return _believed(levels[-1], starts, best)


def _believed(level: _Level, starts: list[Array], matrix: Array) -> Rigid:
    likeness, overlap = _likeness(level, matrix)
    first = max(starts, key=lambda start: _likeness(level, start)[0])
    before, at_first = _likeness(level, first)
    if before > likeness:  # they lay as well as can be from the beginning
        matrix, likeness, overlap = first, before, at_first
    remedy = "Compare the two studies by eye, or give both in one frame of reference."
    if overlap < _LEAST_OVERLAP:
        raise BadGeometry(
            f"The two volumes could not be laid over each other: they share {overlap:.0%} of the smaller one.",
            remedy=remedy,
        )
    extent = np.array(level.fixed_grid.shape) * level.fixed_grid.spacing
    axes = level.fixed_grid.affine[:3, :3] / level.fixed_grid.spacing
    elsewhere = []
    for axis in range(3):
        for side in (-1, 1):
            away = np.eye(4)
            away[:3, 3] = side * 0.1 * extent[axis] * axes[:, axis]
            elsewhere.append(_likeness(level, matrix @ away)[0])
    sharpness = 1 - float(np.mean(elsewhere)) / likeness if likeness > 0 else 0.0
    if sharpness < _LEAST_SHARPNESS:
        raise BadGeometry(
            "The two volumes could not be laid over each other: no position makes them clearly more alike than "
            f"others do (likeness falls by {sharpness:.0%} when it is changed by a tenth).",
            remedy=remedy,
        )
    return Rigid(matrix, overlap, likeness, before, sharpness)


def _improved(level: _Level, start: Array) -> Array:
    """The movement after a climb of mutual information from `start`."""
    itk = _simple_itk()
    fixed, moving = _itk(level.fixed, level.fixed_grid), _itk(level.moving, level.moving_grid)
    middle = level.fixed_grid.to_world((np.array([level.fixed_grid.shape]) - 1) / 2)[0]
    movement = itk.Euler3DTransform()
    movement.SetCenter(middle.tolist())
    movement.SetMatrix(start[:3, :3].ravel().tolist(), 1e-6)
    movement.SetTranslation((start[:3, :3] @ middle + start[:3, 3] - middle).tolist())
    climb = itk.ImageRegistrationMethod()
    climb.SetMetricAsMattesMutualInformation(_BINS)
    share = _SAMPLES / level.fixed.size
    climb.SetMetricSamplingStrategy(climb.NONE if share >= 1 else climb.REGULAR)
    if share < 1:
        climb.SetMetricSamplingPercentage(share, _SEED)
    climb.SetInterpolator(itk.sitkLinear)
    size = float(level.fixed_grid.spacing[0])
    climb.SetOptimizerAsRegularStepGradientDescent(
        learningRate=2 * size, minStep=0.01 * size, numberOfIterations=150, relaxationFactor=0.6
    )
    climb.SetOptimizerScalesFromPhysicalShift()
    climb.SetInitialTransform(movement, inPlace=True)
    threads = itk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    # The metric heeds the global number alone, and sums of threads come out a little different every time.
    itk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        climb.Execute(fixed, moving)
    except RuntimeError:  # the volumes parted on the way: where it began is then the best that is known
        return start
    finally:
        itk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    out = np.eye(4)
    out[:3, :3] = np.array(movement.GetMatrix()).reshape(3, 3)
    out[:3, 3] = middle + np.array(movement.GetTranslation()) - out[:3, :3] @ middle
    return out


def _starts(level: _Level) -> list[Array]:
    """Where the headers put them, middle on middle, and centre of mass on centre of mass."""
    pairs = []
    for array, grid in ((level.fixed, level.fixed_grid), (level.moving, level.moving_grid)):
        middle = (np.array(array.shape) - 1) / 2
        weight = array - array.min()
        axes = [weight.sum(axis=tuple(a for a in range(3) if a != axis)) for axis in range(3)]
        mass = np.array([np.average(np.arange(len(sums)), weights=sums) for sums in axes])
        pairs.append(grid.to_world(np.stack([middle, mass])))
    starts = [np.eye(4) for _ in range(3)]
    for start, one, other in zip(starts[1:], *pairs, strict=True):
        start[:3, 3] = other - one
    return starts


def _likeness(level: _Level, matrix: Array) -> tuple[float, float]:
    """(mutual information in bits, share of the smaller volume that overlaps)."""
    seen = Geometry(level.fixed_grid.shape, matrix @ level.fixed_grid.affine)
    moved = resample_to(level.moving, level.moving_grid, seen, fill=np.nan)
    both = np.isfinite(moved)
    shared = float(both.sum())
    overlap = shared / min(level.fixed.size, level.moving.size)
    if shared < _FEWEST**3:
        return 0.0, min(1.0, overlap)
    joint, _, _ = np.histogram2d(level.fixed[both], moved[both], bins=_BINS)
    chance = joint / shared
    apart = chance.sum(axis=1, keepdims=True) * chance.sum(axis=0, keepdims=True)
    met = chance > 0
    bits = float((chance[met] * np.log2(chance[met] / apart[met])).sum())
    return bits, min(1.0, overlap)


def _check(volume: Volume, name: str) -> None:
    if min(volume.array.shape) < _FEWEST:
        raise BadGeometry(
            f"The {name} volume, {' x '.join(map(str, volume.array.shape))} voxels, is too small to register.",
            remedy=f"Give volumes of at least {_FEWEST} slices, rows and columns.",
        )
    finite = np.isfinite(volume.array)
    if not finite.any() or np.ptp(volume.array[finite]) == 0:
        raise BadPixels(
            f"The {name} volume holds one value everywhere, or no numbers.", remedy="Give the picture again."
        )


def _sizes(one: Geometry, other: Geometry) -> list[float]:
    """Sides of the cubic voxels of each level in mm, coarse first."""
    finest = _FINEST_MM
    for grid in (one, other):
        extent = np.array(grid.shape) * grid.spacing
        largest = float((extent.prod() / _MOST_VOXELS) ** (1 / 3))
        finest = max(finest, float(np.median(grid.spacing)), largest)
    shortest = min(float((np.array(grid.shape) * grid.spacing).min()) for grid in (one, other))
    finest = min(finest, shortest / _FEWEST)
    return [finest * factor for factor in (4, 2, 1) if shortest / (finest * factor) >= _FEWEST]


def _level(fixed: Volume, moving: Volume, size: float) -> _Level:
    arrays, grids = [], []
    for volume in (fixed, moving):
        grid = _cubic(volume.geometry, size)
        array = volume.array.astype(np.float32)
        wrong = ~np.isfinite(array)
        if wrong.any():
            array[wrong] = array[~wrong].min()
        # A few very bright voxels would push all the rest into one bin of the histogram.
        low, high = np.percentile(array, (0.5, 99.5))
        if low < high:
            array = np.clip(array, low, high)
        arrays.append(resample_to(array, volume.geometry, grid, fill=float(array.min())))
        grids.append(grid)
    return _Level(arrays[0], grids[0], arrays[1], grids[1])


def _cubic(grid: Geometry, size: float) -> Geometry:
    """A grid of cubes over the same box; over the upright box around it where the slices are sheared."""
    rows, columns = grid.affine[:3, 1], grid.affine[:3, 2]
    right, down = columns / np.linalg.norm(columns), rows - columns * (rows @ columns) / (columns @ columns)
    down = down / np.linalg.norm(down)
    through = np.cross(right, down)
    axes = np.stack([through * np.sign(through @ grid.affine[:3, 0]), down, right], axis=1)
    corners = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in grid.shape])).reshape(3, -1).T
    along = grid.to_world(corners) @ axes
    low, high = along.min(axis=0), along.max(axis=0)
    shape = np.maximum(1, np.round((high - low) / size)).astype(int)
    affine = np.eye(4)
    affine[:3, :3] = axes * size
    affine[:3, 3] = axes @ ((low + high) / 2 - (shape - 1) / 2 * size)
    return Geometry((int(shape[0]), int(shape[1]), int(shape[2])), affine)


def _simple_itk() -> Any:
    import SimpleITK  # slow to load

    return SimpleITK


def _itk(array: Array, grid: Geometry) -> Any:
    image = _simple_itk().GetImageFromArray(np.ascontiguousarray(array, dtype=np.float32))
    image.SetSpacing([float(mm) for mm in grid.spacing[::-1]])
    image.SetOrigin([float(mm) for mm in grid.affine[:3, 3]])
    image.SetDirection((grid.affine[:3, 2::-1] / grid.spacing[::-1]).ravel().tolist())
    return image

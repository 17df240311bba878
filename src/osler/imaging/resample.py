"""Pictures on other grids.

A voxel covers its box: positions up to half a voxel beyond the outermost centres take the edge's value, as in
ITK; what lies further out takes `fill`. When a grid becomes coarser, linear interpolation alone would skip voxels
and alias, so every target voxel then weighs all the source voxels under a triangle as wide as its own step.
"""

from typing import Any

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadGeometry
from osler.core.geometry import Geometry

_COARSER = 1.5  # source voxels per target voxel beyond which linear interpolation is smoothed first
_EDGE = 1e-4  # voxels; grids that meet exactly must not lose a face to rounding


def resample_to(
    array: Array, source: Geometry, target: Geometry, *, nearest: bool = False, fill: float = 0.0
) -> Array:
    """The picture `array` on the grid `source`, as seen on the grid `target`.

    array    (slices, rows, columns) of source.shape
    nearest  take the nearest voxel and keep the type, for masks; otherwise linear, float32

    Grids whose axes are parallel are done axis by axis; oblique and sheared ones by an affine transform.
    Raises BadGeometry when the array is not on the source's grid.
    """
    if array.shape != source.shape:
        raise BadGeometry(
            f"An array {array.shape} is not on a grid {source.shape}.",
            remedy="Give each array the geometry it was made with.",
        )
    kind = array.dtype if nearest else np.dtype(np.float32)
    if source.matches(target, tolerance_mm=1e-4 * min(source.spacing)):
        return array.astype(kind, copy=False)
    matrix = np.linalg.inv(source.affine) @ target.affine
    axes = _parallel(matrix[:3, :3], target.shape)
    if axes is None:
        return _oblique(array, matrix, target.shape, nearest=nearest, fill=fill).astype(kind, copy=False)
    out = array.transpose(axes)
    steps = [(float(matrix[axis, t]), float(matrix[axis, 3])) for t, axis in enumerate(axes)]
    return _separable(out, steps, target.shape, nearest=nearest, fill=fill, coarser=_COARSER)


def resize(array: Array, shape: tuple[int, ...], *, nearest: bool = False) -> Array:
    """The same picture with another number of pixels; its outer edges stay where they are.

    array  (rows, columns), (rows, columns, 3) or (slices, rows, columns)
    shape  (rows, columns) or (slices, rows, columns) wanted

    Returns float32, smoothed over the area of the new pixels when shrinking; with `nearest` the array's own type.
    Raises BadGeometry when array and shape do not fit each other.
    """
    flat = len(shape) == 2
    if min(shape) < 1 or array.ndim not in ((2, 3) if flat else (3,)) or 0 in array.shape:
        raise BadGeometry(
            f"A picture {array.shape} cannot be resized to {tuple(shape)}.", remedy="Name one size per axis."
        )
    if flat and not nearest:
        return _resize_flat(array, (shape[0], shape[1]))
    steps = []
    for have, want in zip(array.shape, shape, strict=False):
        steps.append((have / want, (have / want - 1) / 2))
    if flat and array.ndim == 3:
        planes = [_separable(array[..., n], steps, shape, nearest=nearest) for n in range(array.shape[2])]
        return np.stack(planes, axis=-1)
    return _separable(array, steps, shape, nearest=nearest)


def _resize_flat(array: Array, shape: tuple[int, int]) -> Array:
    """Pillow's own filter does the same as `_weights`, in C."""
    from PIL import Image as Pillow

    if array.shape[:2] == shape:
        return array.astype(np.float32, copy=False)
    rows, columns = shape
    planes = array[..., None] if array.ndim == 2 else array
    out = np.empty((rows, columns, planes.shape[2]), np.float32)
    for n in range(planes.shape[2]):
        plane = Pillow.fromarray(np.ascontiguousarray(planes[..., n], dtype=np.float32))
        # The gap lets Pillow average whole blocks first; at 3 the difference to the full filter is not visible.
        small = plane.resize((columns, rows), Pillow.Resampling.BILINEAR, reducing_gap=3.0)
        out[..., n] = np.asarray(small)
    return out[..., 0] if array.ndim == 2 else out


def _parallel(directions: Array, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Which source axis each target axis runs along; None where one runs between two."""
    axes = np.abs(directions).argmax(axis=0)
    if len(set(axes.tolist())) < 3:
        return None
    stray = np.abs(directions)
    stray[axes, np.arange(3)] = 0
    drift = (stray * (np.asarray(shape) - 1)).sum()  # voxels, from one end of the grid to the other
    return tuple(int(a) for a in axes) if drift < 1e-3 else None


def _separable(
    array: Array,
    steps: list[tuple[float, float]],
    shape: tuple[int, ...],
    *,
    nearest: bool = False,
    fill: float = 0.0,
    coarser: float = 1.0,
) -> Array:
    """Axis by axis; `steps` holds (source voxels per target voxel, source position of target voxel 0)."""
    kept = []
    out = array if nearest else array.astype(np.float32, copy=False)
    order = sorted(range(len(shape)), key=lambda a: shape[a] / array.shape[a])  # shrink first, it saves work
    for axis in range(len(shape)):
        step, start = steps[axis]
        where = start + step * np.arange(shape[axis])
        kept.append((where >= -0.5 - _EDGE) & (where <= array.shape[axis] - 0.5 + _EDGE))
    for axis in order:
        step, start = steps[axis]
        have = array.shape[axis]
        where = np.clip(start + step * np.arange(shape[axis]), 0, have - 1)
        if nearest:
            out = np.take(out, np.minimum(np.floor(where + 0.5).astype(int), have - 1), axis=axis)
        elif have == shape[axis] and np.abs(where - np.arange(have)).max(initial=0) < 1e-6:
            continue
        else:
            wide = abs(step) if abs(step) > coarser else 1.0
            centres = start + step * np.arange(shape[axis]) if wide > 1 else where
            rest = np.moveaxis(out, axis, 0)
            mixed = _weights(centres, have, wide) @ np.ascontiguousarray(rest).reshape(have, -1)
            out = np.moveaxis(mixed.reshape(shape[axis], *rest.shape[1:]), 0, axis)
    if not all(inside.all() for inside in kept):
        out = np.ascontiguousarray(out) if out.flags.writeable and out is not array else out.copy()
        for axis, inside in enumerate(kept):
            outside = [slice(None)] * out.ndim
            outside[axis] = ~inside
            out[tuple(outside)] = fill
    return np.ascontiguousarray(out)


def _weights(centres: Array, have: int, wide: float) -> Any:
    """Sparse (targets, have): each target's triangle of half-width `wide` source voxels, summing to one."""
    from scipy import sparse

    first = np.ceil(centres - wide).astype(int)
    taps = first[:, None] + np.arange(int(np.ceil(2 * wide)) + 1)
    weight = np.clip(1 - np.abs(taps - centres[:, None]) / wide, 0, None)
    weight[(taps < 0) | (taps >= have)] = 0
    lost = weight.sum(axis=1) <= 0  # centres beyond the array, filled later
    weight[lost, 0] = 1
    weight /= weight.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(len(centres)), taps.shape[1])
    columns = np.clip(taps, 0, have - 1).ravel()
    values = weight.ravel().astype(np.float32)
    used = values > 0
    return sparse.csr_array((values[used], (rows[used], columns[used])), shape=(len(centres), have))


def _oblique(array: Array, matrix: Array, shape: tuple[int, ...], *, nearest: bool, fill: float) -> Array:
    from scipy import ndimage

    if not nearest:
        array = array.astype(np.float32, copy=False)
        coarse = np.abs(matrix[:3, :3]).max(axis=1)  # source voxels crossed by one target step, per source axis
        # A box as wide as the step, blurred to a Gaussian of the same spread beyond one voxel.
        sigma = np.where(coarse > _COARSER, np.sqrt(np.maximum(coarse**2 - 1, 0)) / 2, 0)
        if sigma.any():
            array = ndimage.gaussian_filter(array, sigma, mode="nearest")
    out: Array = ndimage.affine_transform(
        array, matrix[:3, :3], matrix[:3, 3], output_shape=shape, order=0 if nearest else 1, mode="nearest"
    )
    steps = np.ogrid[tuple(slice(n) for n in shape)]
    for axis, have in enumerate(array.shape):
        where = sum(matrix[axis, t] * steps[t] for t in range(3)) + matrix[axis, 3]
        out[(where < -0.5 - _EDGE) | (where > have - 0.5 + _EDGE)] = fill
    return out

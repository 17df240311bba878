"""Which voxels of an outline are kept by their intensity. The outline's shape is another matter, and stays."""

import numpy as np

from osler.core.arrays import Array


def resegment(intensity: Array, inside: Array, between: tuple[float, float] | None, sigmas: float | None) -> Array:
    """The voxels of `inside` that lie within the range, and within `sigmas` standard deviations of the mean.

    intensity, inside  (slices, rows, columns); the mean and deviation are those of the voxels within the range
    """
    kept: Array = inside
    if between is not None:
        kept = kept & (intensity >= between[0]) & (intensity <= between[1])
    if sigmas is not None and kept.any():
        values = intensity[kept]
        # A constant region keeps all its voxels, whatever rounding makes of its mean.
        far = sigmas * float(values.std()) + 1e-9 * float(np.abs(values).max())
        kept = kept & (np.abs(intensity - values.mean()) <= far)
    return kept

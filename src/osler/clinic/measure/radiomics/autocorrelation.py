"""Moran's I and Geary's C: whether near voxels are alike (IBSI sections 3.1.24 and 3.1.25).

Every pair of voxels counts with the inverse of its distance. The weight depends only on the step between the two,
so the sums over pairs are convolutions, done by Fourier transform: exact, and N log N instead of N squared.
"""

import numpy as np

from osler.core.arrays import Array

MOST_CELLS = 64_000_000  # of the padded box, 16 bytes each: about 200 voxels along each side of the region


def moran_and_geary(
    intensity: Array, inside: Array, spacing: tuple[float, float, float]
) -> tuple[float, float] | None:
    """(Moran's I, Geary's C) of the voxels `inside`.

    intensity, inside  (slices, rows, columns)

    NaN where the voxels are constant, or only one; None where their box is too large.
    """
    from scipy import fft

    where = np.argwhere(inside)
    low, high = where.min(axis=0), where.max(axis=0) + 1
    cut = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    within = inside[cut]
    values = intensity[cut][within]
    n = len(values)
    centred = values - values.mean()
    squares = float((centred**2).sum())
    # Constant values leave a trace of rounding, which is no variation.
    if n < 2 or squares <= 1e-20 * float((values**2).sum()):
        return np.nan, np.nan
    # Even sizes, so that the kernel's transform is a cosine transform of an eighth of it.
    size = [2 * int(fft.next_fast_len(extent, real=True)) for extent in within.shape]
    if float(np.prod(size, dtype=float)) > MOST_CELLS:
        return None
    # The transform of an even real kernel is real, so mask and values travel as one complex picture.
    both = np.zeros(size, np.complex128)
    both[tuple(slice(extent) for extent in within.shape)][within] = 1 + 1j * centred
    spectrum = fft.fftn(both, overwrite_x=True)
    _weigh(spectrum, spacing)
    mixed = fft.ifftn(spectrum, overwrite_x=True)[tuple(slice(extent) for extent in within.shape)][within]
    weight, pull = mixed.real, mixed.imag
    total = float(weight.sum())
    product = float((centred * pull).sum())
    apart = 2 * float((centred**2 * weight).sum()) - 2 * product
    return n / total * product / squares, (n - 1) / (2 * total) * apart / squares


def _weigh(spectrum: Array, spacing: tuple[float, float, float]) -> None:
    """Multiply a spectrum, in place, with the transform of 1 / distance on the grid that wraps around."""
    from scipy import fft

    s, r, c = (np.arange(size // 2 + 1) * step for size, step in zip(spectrum.shape, spacing, strict=True))
    squared = s[:, None, None] ** 2 + r[:, None] ** 2 + c**2
    squared[0, 0, 0] = np.inf  # a voxel is no neighbour of itself
    kernel = fft.dctn(1 / np.sqrt(squared), type=1, overwrite_x=True)
    rows, columns = (np.minimum(np.arange(size), size - np.arange(size)) for size in spectrum.shape[1:])
    for index in range(spectrum.shape[0]):
        spectrum[index] *= kernel[min(index, spectrum.shape[0] - index)][rows][:, columns]

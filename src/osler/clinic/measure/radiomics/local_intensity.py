"""Intensity peaks: the mean over a sphere of 1 cm3 (IBSI section 3.2)."""

import numpy as np

from osler.clinic.measure.radiomics.feature import Feature, Row, named
from osler.clinic.measure.radiomics.region import PEAK_RADIUS_MM, Region
from osler.clinic.measure.radiomics.settings import Settings
from osler.core.arrays import Array

ROWS: tuple[Row, ...] = (
    ("VJGA", "Local intensity peak", "{i}"),
    ("0F91", "Global intensity peak", "{i}"),
)


def local_intensity(region: Region, settings: Settings) -> tuple[Feature, ...]:
    """The peak around the region's brightest voxel, and the brightest peak around any of its voxels.

    A sphere counts every voxel of the picture whose centre lies in it, also outside the region.
    """
    means = peaks(region)
    brightest = region.values == region.values.max()
    values = (float(means[brightest].max()), float(means.max()))
    return named("local_intensity", ROWS, values, unit=region.unit)


def peaks(region: Region) -> Array:
    """(voxels,) the mean of the sphere around each voxel of the region."""
    from scipy import fft

    # The extra 1e-9 keeps voxels exactly on the sphere, whatever rounding makes of the radius.
    reach = [int((PEAK_RADIUS_MM + 1e-9) / step) for step in region.spacing]
    s, r, c = (np.arange(-n, n + 1) * step for n, step in zip(reach, region.spacing, strict=True))
    ball = s[:, None, None] ** 2 + r[:, None] ** 2 + c**2 <= (PEAK_RADIUS_MM + 1e-9) ** 2
    middle = float(region.values.mean())  # taken off first, so that the transform loses no digits
    # Intensities travel as the real part, and a one for each voxel of the picture as the imaginary part.
    size = [int(fft.next_fast_len(n + 2 * m)) for n, m in zip(region.intensity.shape, reach, strict=True)]
    spectrum = fft.fftn(region.intensity - middle + 1j, size, overwrite_x=True)
    spectrum *= fft.fftn(ball.astype(float), size)
    around = fft.ifftn(spectrum, overwrite_x=True)
    here = tuple(slice(m, m + n) for n, m in zip(region.intensity.shape, reach, strict=True))
    sums = around[here][region.inside]
    found: Array = sums.real / np.rint(sums.imag) + middle
    return found

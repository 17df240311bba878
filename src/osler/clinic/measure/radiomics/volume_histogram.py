"""The intensity-volume histogram: how much of the region is at least so bright (IBSI section 3.5).

The area under it is left out: IBSI has no reference value for it.
"""

import numpy as np

from osler.clinic.measure.radiomics.discretise import discretise
from osler.clinic.measure.radiomics.feature import Feature, Row, named
from osler.clinic.measure.radiomics.region import Region
from osler.clinic.measure.radiomics.settings import Settings
from osler.core.arrays import Array

# Where intensities are binned by count, those of the histogram are bins too: plain numbers without a unit.
ROWS: tuple[Row, ...] = (
    ("BC2M", "Volume at intensity fraction 10%", "1"),
    ("BC2M", "Volume at intensity fraction 90%", "1"),
    ("GBPN", "Intensity at volume fraction 10%", "{i}"),
    ("GBPN", "Intensity at volume fraction 90%", "{i}"),
    ("DDTU", "Volume fraction difference between intensity fractions 10% and 90%", "1"),
    ("CNV2", "Intensity fraction difference between volume fractions 10% and 90%", "{i}"),
)


def volume_histogram(region: Region, settings: Settings) -> tuple[Feature, ...]:
    """The 6 intensity-volume features that IBSI has reference values for."""
    values, low, high, step = _steps(region, settings)
    # (steps,) intensities from low to high, and the share of voxels that are at least so bright
    intensity = low + step * np.arange(round((high - low) / step) + 1)
    below = np.bincount(np.clip(np.rint((values - low) / step).astype(np.int64), 0, len(intensity) - 1))
    share = 1 - np.concatenate([[0.0], np.cumsum(below)[:-1]]) / len(values)
    share = np.pad(share, (0, len(intensity) - len(share)))
    fraction = (intensity - low) / (high - low) if high > low else np.zeros(1)
    volumes = [float(share[fraction >= wanted - 1e-9].max(initial=0.0)) for wanted in (0.1, 0.9)]
    intensities = []
    for wanted in (0.1, 0.9):
        reached = intensity[share <= wanted + 1e-12]
        # Where the highest step alone holds more than that, only the step beyond it is reached by fewer: by none.
        intensities.append(float(reached.min()) if len(reached) else float(high + step))
    found = (*volumes, *intensities, volumes[0] - volumes[1], intensities[0] - intensities[1])
    unit = "" if settings.volume_bins is not None and settings.volume_bins.count else region.unit
    return named("volume_histogram", ROWS, found, unit=unit)


def _steps(region: Region, settings: Settings) -> tuple[Array, float, float, float]:
    """(the intensities in steps, the lowest and highest step that there may be, and how far steps are apart)."""
    bins, between = settings.volume_bins, settings.between
    if bins is None:
        values = np.rint(region.values)
        low, high = between if between is not None else (float(values.min()), float(values.max()))
        return values, float(np.ceil(low)), float(np.floor(high)), 1.0
    levels = discretise(region.values, bins)
    if bins.size is None:
        return levels.astype(float), 1.0, float(bins.count or 1), 1.0
    start = float(region.values.min()) if bins.start is None else bins.start
    most = int(levels.max())
    if between is not None:
        most = max(int(np.ceil((between[1] - start) / bins.size - 1e-9)), most)
    centres = start + (levels - 0.5) * bins.size
    return centres, start + 0.5 * bins.size, start + (most - 0.5) * bins.size, bins.size

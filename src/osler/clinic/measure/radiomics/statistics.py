"""First-order statistics of the intensities (IBSI section 3.3), and what the histogram shares of them (3.4)."""

import numpy as np

from osler.clinic.measure.radiomics.feature import Feature, Row, named
from osler.clinic.measure.radiomics.region import Region
from osler.clinic.measure.radiomics.settings import Settings
from osler.core.arrays import Array

ROWS: tuple[Row, ...] = (
    ("Q4LE", "Mean intensity", "{i}"),
    ("ECT3", "Intensity variance", "{i}2"),
    ("KE2A", "Intensity skewness", "1"),
    ("IPH6", "(Excess) intensity kurtosis", "1"),
    ("Y12H", "Median intensity", "{i}"),
    ("1GSF", "Minimum intensity", "{i}"),
    ("QG58", "10th intensity percentile", "{i}"),
    ("8DWT", "90th intensity percentile", "{i}"),
    ("84IY", "Maximum intensity", "{i}"),
    ("SALO", "Intensity interquartile range", "{i}"),
    ("2OJQ", "Intensity range", "{i}"),
    ("4FUA", "Intensity-based mean absolute deviation", "{i}"),
    ("1128", "Intensity-based robust mean absolute deviation", "{i}"),
    ("N72L", "Intensity-based median absolute deviation", "{i}"),
    ("7TET", "Intensity-based coefficient of variation", "1"),
    ("9S40", "Intensity-based quartile coefficient of dispersion", "1"),
    ("N8CA", "Intensity-based energy", "{i}2"),
    ("5ZWQ", "Root mean square intensity", "{i}"),
)
WHY = {"7TET": "radiomics.zero_mean", "9S40": "radiomics.zero_quartiles"}


def statistics(region: Region, settings: Settings) -> tuple[Feature, ...]:
    """The 18 statistical features. Skewness and kurtosis of a constant region are 0, as IBSI sets them."""
    x = region.values
    energy = float((x**2).sum())
    values = (*moments_and_ranks(x), energy, float(np.sqrt(energy / len(x))))
    return named("statistics", ROWS, values, unit=region.unit, why=WHY)


def moments_and_ranks(x: Array) -> tuple[float, ...]:
    """The first 16 rows of this table, of the numbers (N,); also those of the histogram's."""
    mean = float(x.mean())
    centred = x - mean
    variance = float((centred**2).mean())
    if np.ptp(x) == 0:
        variance = 0.0
    low, quarter, median, three, high = (float(q) for q in np.percentile(x, (10, 25, 50, 75, 90)))
    robust = x[(x >= low) & (x <= high)]
    return (
        mean,
        variance,
        float((centred**3).mean()) / variance**1.5 if variance else 0.0,
        float((centred**4).mean()) / variance**2 - 3 if variance else 0.0,
        median,
        float(x.min()),
        low,
        high,
        float(x.max()),
        three - quarter,
        float(np.ptp(x)),
        float(np.abs(centred).mean()),
        float(np.abs(robust - robust.mean()).mean()),
        float(np.abs(x - median).mean()),
        variance**0.5 / mean if mean else np.nan,
        (three - quarter) / (three + quarter) if three + quarter else np.nan,
    )

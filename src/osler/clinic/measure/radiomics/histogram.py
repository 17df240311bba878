"""The histogram of grey levels (IBSI section 3.4)."""

import numpy as np

from osler.clinic.measure.radiomics.feature import Feature, Row, named
from osler.clinic.measure.radiomics.region import Region
from osler.clinic.measure.radiomics.settings import Settings
from osler.clinic.measure.radiomics.statistics import moments_and_ranks

ROWS: tuple[Row, ...] = (
    ("X6K6", "Mean discretised intensity", "1"),
    ("CH89", "Discretised intensity variance", "1"),
    ("88K1", "Discretised intensity skewness", "1"),
    ("C3I7", "(Excess) discretised intensity kurtosis", "1"),
    ("WIFQ", "Median discretised intensity", "1"),
    ("1PR8", "Minimum discretised intensity", "1"),
    ("1PR8", "10th discretised intensity percentile", "1"),  # IBSI's manual gives both this identifier
    ("GPMT", "90th discretised intensity percentile", "1"),
    ("3NCY", "Maximum discretised intensity", "1"),
    ("WR0O", "Discretised intensity interquartile range", "1"),
    ("5Z3W", "Discretised intensity range", "1"),
    ("D2ZX", "Intensity histogram mean absolute deviation", "1"),
    ("WRZB", "Intensity histogram robust mean absolute deviation", "1"),
    ("4RNL", "Intensity histogram median absolute deviation", "1"),
    ("CWYJ", "Intensity histogram coefficient of variation", "1"),
    ("SLWD", "Intensity histogram quartile coefficient of dispersion", "1"),
    ("AMMC", "Intensity histogram mode", "1"),
    ("TLU2", "Discretised intensity entropy", "1"),
    ("BJ5W", "Discretised intensity uniformity", "1"),
    ("12CE", "Maximum histogram gradient", "1"),
    ("8E6O", "Maximum histogram gradient intensity", "1"),
    ("VQB3", "Minimum histogram gradient", "1"),
    ("RHQZ", "Minimum histogram gradient intensity", "1"),
)
_GRADIENT = ("12CE", "8E6O", "VQB3", "RHQZ")


def histogram(region: Region, settings: Settings) -> tuple[Feature, ...]:
    """The 23 features of the histogram of the grey levels from 1 to the highest there may be.

    Of levels that are equally frequent the mode is the one nearest to the mean; a single level has no gradient.
    """
    levels = region.levels.astype(float)
    count = np.bincount(region.levels, minlength=region.count + 1)[1:].astype(float)
    share = count[count > 0] / len(levels)
    often = np.flatnonzero(count == count.max()) + 1
    slope = np.gradient(count) if len(count) > 1 else np.full(1, np.nan)
    values = (
        *moments_and_ranks(levels),
        float(often[np.abs(often - levels.mean()).argmin()]),
        -float((share * np.log2(share)).sum()) + 0.0,  # no negative zero
        float((share**2).sum()),
        float(slope.max()),
        float(slope.argmax()) + 1 if len(count) > 1 else np.nan,
        float(slope.min()),
        float(slope.argmin()) + 1 if len(count) > 1 else np.nan,
    )
    why = dict.fromkeys(_GRADIENT, "radiomics.one_level")
    return named("histogram", ROWS, values, unit=region.unit, why=why)

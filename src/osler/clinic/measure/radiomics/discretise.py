"""Intensities into grey levels 1, 2, ...: bins of one size, or a number of bins over the region's range."""

import numpy as np

from osler.clinic.measure.radiomics.settings import MOST_BINS, Bins
from osler.core.arrays import Array, Labels
from osler.core.errors import AskedWrongly


def discretise(values: Array, bins: Bins) -> Labels:
    """Grey levels of the intensities (N,) of a region, from 1.

    Raises AskedWrongly where bins of that size are more than can be counted.
    """
    low, high = float(values.min()), float(values.max())
    if bins.size is None:
        count = bins.count or 1
        if high == low:
            return np.ones(len(values), np.int64)
        found = np.floor(count * ((values - low) / (high - low))).astype(np.int64) + 1
        return np.minimum(found, count)
    start = low if bins.start is None else bins.start
    if (high - start) / bins.size >= MOST_BINS:
        raise AskedWrongly(
            f"Bins of {bins.size:g} make more than {MOST_BINS} grey levels of this region.",
            remedy="Choose wider bins, a count of bins, or a range of intensities.",
        )
    return np.maximum(np.floor((values - start) / bins.size).astype(np.int64) + 1, 1)

"""Is this picture like anything the model has seen?"""

from collections.abc import Sequence

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadModel

_LEAST_SCALE = 0.1  # of the median deviation: a feature that never moved in validation must not decide alone


def feature_distance(features: Array | Sequence[float], mean: Sequence[float], scale: Sequence[float]) -> float:
    """How far a net's pooled features lie from those of its validation pictures; about 1 for pictures like them.

    features, mean, scale  (n,) features of one picture; mean and deviation of each on validation pictures

    Root of the mean squared standardized feature: the Mahalanobis distance of Lee et al. 2018 (NeurIPS) with a
    diagonal covariance, divided by the square root of n so that nets of any width compare.
    Raises BadModel when the numbers are not the same in count or not finite.
    """
    seen, middle, spread = (np.asarray(numbers, np.float64).ravel() for numbers in (features, mean, scale))
    if not seen.size or not seen.size == middle.size == spread.size or not np.isfinite([middle, spread]).all():
        raise BadModel(
            f"The model's trust data do not fit its net: {middle.size} stored features, {seen.size} given.",
            remedy="Train the model again; trust.json belongs to other weights.",
        )
    if not np.isfinite(seen).all():
        return float("inf")
    floor = _LEAST_SCALE * float(np.median(spread)) or 1e-6
    return float(np.sqrt(np.mean(((seen - middle) / np.maximum(spread, floor)) ** 2)))

"""Is this picture like anything the model has seen?"""

from collections.abc import Sequence

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadModel
from osler.models.trust import FeatureSpace


def feature_distance(features: Array | Sequence[float], space: FeatureSpace) -> float:
    """How far a net's pooled features lie from those of its training pictures; about 1 for pictures like them.

    features  (n,) of one picture

    The Mahalanobis distance of Lee et al. 2018 (NeurIPS) with one Gaussian, divided by the root of n so that
    nets of any width compare. Raises BadModel when the numbers are not the same in count or not finite.
    """
    seen, middle = (np.asarray(numbers, np.float64).ravel() for numbers in (features, space.mean))
    whitening = np.asarray(space.whitening, np.float64)
    fits = seen.size and seen.shape == middle.shape and whitening.shape == (seen.size, seen.size)
    if not fits or not np.isfinite(middle).all() or not np.isfinite(whitening).all():
        raise BadModel(
            f"The model's trust data do not fit its net: {middle.size} stored features, {seen.size} given.",
            remedy="Train the model again; features.safetensors belongs to other weights.",
        )
    if not np.isfinite(seen).all():
        return float("inf")
    return float(np.linalg.norm(whitening @ (seen - middle)) / np.sqrt(seen.size))

"""What the pictures a model learnt from look like to its net, so that others can be told from them."""

import numpy as np

from osler.core.arrays import Array
from osler.inference.gate import feature_distance
from osler.models.trust import FeatureSpace

FALSE_ALARM = 0.01  # share of pictures like the validation ones that lie beyond the limit
FEWEST = 50  # pictures on each side; fewer say too little about a percentile


def fit_space(features: Array) -> FeatureSpace:
    """The space of training pictures from their pooled features (pictures, n).

    The covariance is shrunk as Ledoit & Wolf 2004 (J Multivar Anal 88:365) do, since features outnumber pictures
    easily; without the correlations a knee passes for a chest.
    """
    from sklearn.covariance import LedoitWolf

    fitted = LedoitWolf().fit(np.asarray(features, np.float64))
    root = np.linalg.cholesky(fitted.precision_)
    return FeatureSpace(fitted.location_.astype(np.float32), np.ascontiguousarray(root.T.astype(np.float32)))


def fit_limit(features: Array, space: FeatureSpace) -> float:
    """The distance that a new picture like these validation ones exceeds with at most the stated chance.

    The conformal rank (n + 1)(1 - chance), the largest distance where there are too few pictures for it.
    """
    distances = np.sort([feature_distance(row, space) for row in features])
    rank = min(len(distances), int(np.ceil((len(distances) + 1) * (1 - FALSE_ALARM))))
    return float(distances[rank - 1])

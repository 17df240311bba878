"""The nearest training cases, against scikit-learn."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from osler.core.errors import BadModel
from osler.explain.similar import nearest

DRAW = np.random.default_rng(0)
FEATURES = (DRAW.normal(size=(200, 6)) @ DRAW.normal(size=(6, 6))).astype(np.float16)
LABELS = DRAW.integers(0, 3, 200)
SEEN = FEATURES[17].astype(np.float32) + 0.1


def test_by_mahalanobis_and_by_direction():
    inverse = np.linalg.inv(np.cov(FEATURES.T.astype(float)))
    whitening = np.linalg.cholesky(inverse).T
    found = nearest(SEEN, FEATURES, LABELS, whitening=whitening)
    tree = NearestNeighbors(metric="mahalanobis", metric_params={"VI": inverse}, algorithm="brute").fit(
        FEATURES.astype(float)
    )
    far, who = tree.kneighbors([SEEN], 5)
    assert found.indices == tuple(who[0]) and found.indices[0] == 17 and found.cases == 200
    np.testing.assert_allclose(np.array(found.distances) * np.sqrt(6), far[0], rtol=1e-3)
    np.testing.assert_array_equal(found.labels, LABELS[who[0]])
    plain = nearest(SEEN, FEATURES, None, count=7)
    far, who = NearestNeighbors(metric="cosine").fit(FEATURES.astype(float)).kneighbors([SEEN], 7)
    assert plain.indices == tuple(who[0]) and plain.labels is None and plain.agreeing(1) is None
    np.testing.assert_allclose(plain.distances, far[0], atol=1e-5)


def test_how_many_agree():
    found = nearest(SEEN, FEATURES, LABELS)
    assert sum(found.agreeing(k) for k in range(3)) == 5
    several = np.stack([LABELS == 0, LABELS > 0], axis=1).astype(int)
    assert nearest(SEEN, FEATURES, several).agreeing(1) == int((found.labels > 0).sum())
    assert len(nearest(SEEN, FEATURES[:2], LABELS[:2]).indices) == 2


def test_what_does_not_fit_is_said():
    for features, labels, seen in (
        (FEATURES, LABELS, SEEN[:5]),
        (FEATURES, LABELS[:3], SEEN),
        (FEATURES[:0], None, SEEN),
        (np.full((3, 6), np.nan), None, SEEN),
        (FEATURES, LABELS, np.full(6, np.nan)),
    ):
        with pytest.raises(BadModel):
            nearest(seen, features, labels)

"""How far is far?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from osler.core.errors import BadModel
from osler.inference.gate import feature_distance
from osler.models.trust import FeatureSpace

NUMBERS = some.lists(some.floats(-50, 50), min_size=1, max_size=20)


def space(mean, scale=1.0):
    return FeatureSpace(np.array(mean), np.eye(len(mean)) / scale)


@given(NUMBERS)
def test_the_middle_is_at_no_distance(features):
    assert feature_distance(features, space(features)) == 0


@given(NUMBERS, some.floats(0.1, 9))
def test_one_deviation_everywhere_is_one(mean, deviation):
    assert feature_distance(np.array(mean) + deviation, space(mean, deviation)) == pytest.approx(1, rel=1e-6)


@given(NUMBERS, some.integers(2, 4))
def test_repeating_the_features_changes_nothing(features, times):
    once = feature_distance(features, space([0.0] * len(features), 2.0))
    assert feature_distance(features * times, space([0.0] * len(features) * times, 2.0)) == pytest.approx(once)


def test_a_net_gone_wrong_is_infinitely_far():
    assert feature_distance([np.nan], space([0.0])) == float("inf")


@pytest.mark.parametrize(("features", "mean"), [([1.0], [0.0, 0.0]), ([], []), ([1.0], [np.inf])])
def test_trust_that_does_not_fit_is_a_bad_model(features, mean):
    with pytest.raises(BadModel):
        feature_distance(features, space(mean))

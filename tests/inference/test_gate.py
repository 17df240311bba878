"""How far is far?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from osler.core.errors import BadModel
from osler.inference.gate import feature_distance

NUMBERS = some.lists(some.floats(-50, 50), min_size=1, max_size=20)


@given(NUMBERS)
def test_the_middle_is_at_no_distance(features):
    assert feature_distance(features, features, [1.0] * len(features)) == 0


@given(NUMBERS, some.floats(0.1, 9))
def test_one_deviation_everywhere_is_one(mean, deviation):
    seen = np.array(mean) + deviation
    assert feature_distance(seen, mean, [deviation] * len(mean)) == pytest.approx(1, rel=1e-6)


@given(NUMBERS, some.integers(2, 4))
def test_repeating_the_features_changes_nothing(features, times):
    mean, scale = [0.0] * len(features), [2.0] * len(features)
    once = feature_distance(features, mean, scale)
    assert feature_distance(features * times, mean * times, scale * times) == pytest.approx(once)


def test_a_feature_that_never_moved_does_not_decide_alone():
    scale = [0.0] + [1.0] * 9
    assert feature_distance([0.05] + [0.0] * 9, [0.0] * 10, scale) < 1


def test_a_net_gone_wrong_is_infinitely_far():
    assert feature_distance([np.nan], [0.0], [1.0]) == float("inf")


@pytest.mark.parametrize(("features", "mean"), [([1.0], [0.0, 0.0]), ([], []), ([1.0], [np.inf])])
def test_trust_that_does_not_fit_is_a_bad_model(features, mean):
    with pytest.raises(BadModel):
        feature_distance(features, mean, [1.0] * len(mean))

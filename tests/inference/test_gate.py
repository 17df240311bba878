"""How far is far, and how often is that said of what is near?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from osler.core.errors import BadModel
from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.volume import Volume
from osler.inference.gate import (
    RULES,
    feature_distance,
    feature_measures,
    in_words,
    judge,
    p_value,
    plain_facts,
    scores_of,
)
from osler.models.likeness import Evidence, FeatureSpace, Gate

NUMBERS = some.lists(some.floats(-50, 50), min_size=1, max_size=20)


def space(mean, scale=1.0):
    return FeatureSpace(np.array(mean), np.eye(len(mean)) / scale, np.array([mean]))


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


def gate(scores, *, alarm=0.05, names=("look",)):
    evidence = tuple(Evidence(name, 0.0, 1.0) for name in names)
    return Gate(alarm, tuple(sorted(scores)), evidence, patients=len(scores))


@given(some.lists(some.floats(-5, 5), max_size=40), some.floats(-6, 6))
def test_p_counts_the_scores_as_large(scores, score):
    expected = (1 + sum(one >= score for one in scores)) / (len(scores) + 1)
    assert p_value(score, sorted(scores)) == pytest.approx(expected)


@given(some.integers(19, 150), some.integers(0, 2**31))
def test_a_new_score_among_equals_is_called_unlike_as_often_as_promised(patients, seed):
    """Over every place that the new one can have among n + 1 exchangeable scores, floor(a (n + 1)) alarm."""
    scores = np.random.default_rng(seed).permutation(patients + 1).astype(float)
    called = sum(judge({"look": new}, gate(np.delete(scores, at))).unlike for at, new in enumerate(scores))
    assert called == int(0.05 * (patients + 1) + 1e-9)


@pytest.mark.parametrize("patients", [1, 8, 18])
def test_too_few_patients_to_promise_anything_are_said_to_be_so(patients):
    few = gate(range(patients))
    inside, beyond = judge({"look": patients - 1.0}, few), judge({"look": patients + 0.0}, few)
    assert not inside.unlike and beyond.unlike and not beyond.sure
    assert f"any picture of the {patients} patients" in in_words(beyond, few)


def test_without_scores_nothing_is_unlike():
    assert not judge({}, gate(())).unlike


def test_the_loudest_evidence_counts_and_what_is_no_number_is_loudest():
    both = gate(range(99), names=("look", "net"))
    assert judge(scores_of({"look": 3.0, "net": 70.0}, both), both).score == 70
    assert judge(scores_of({"look": 3.0, "net": float("nan")}, both), both).unlike
    with pytest.raises(BadModel):
        scores_of({"look": 3.0}, both)


def test_the_nearest_neighbour_is_found_by_direction():
    random = np.random.default_rng(0)
    features = random.normal(size=(40, 6))
    seen = FeatureSpace(features.mean(0), np.eye(6), features.astype(np.float16))
    asked = random.normal(size=6)
    from scipy.spatial.distance import cdist

    unit = [rows / np.linalg.norm(rows, axis=-1, keepdims=True) for rows in (features, asked)]
    nearest = cdist(unit[1][None], unit[0]).min()
    assert feature_measures(asked, seen)["neighbours"] == pytest.approx(np.log(nearest + 1e-3), abs=2e-3)


def test_plain_facts_leave_out_what_nobody_knows():
    jpeg = plain_facts(Image(np.zeros((200, 100), np.uint8)))
    assert jpeg == {"bits": 8, "rows": 200, "columns": 100, "rows by columns": 2}
    film = plain_facts(Image(np.zeros((9, 9), np.int16), spacing_mm=(0.2, 0.2), facts=Facts(bits_stored=12)))
    assert film["bits"] == 12 and film["mm between pixels"] == pytest.approx(0.2)
    box = plain_facts(Volume(np.zeros((10, 20, 30)), Geometry.from_spacing((10, 20, 30), (5, 1, 1))))
    assert "bits" not in box and box["slices"] == 10 and box["mm between slices"] == 5
    assert box["mm along the longest side"] == 50 and box["mm along the shortest side"] == 20


def test_size_in_pixels_never_makes_a_picture_unlike():
    assert all(
        RULES[name].unlike_above is None and RULES[name].unlike_below is None for name in ("rows", "columns")
    )
    assert {*plain_facts(Image(np.ones((9, 9), np.uint8), spacing_mm=(1, 1)))} <= {*RULES}

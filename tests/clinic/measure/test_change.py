"""Lesions followed across time, and how fast they grow."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from osler.clinic.measure.change import (
    change_of,
    doubling_of,
    doubling_time_days,
    match_lesions,
    percent_change,
)
from osler.core.errors import AskedWrongly, BadGeometry
from osler.core.finding import Measurement
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.quantity import Quantity

ML = some.floats(0.01, 1e4)


def balls(*places: tuple[float, float, float, float], spacing=(2.0, 2.0, 2.0), shift=(0, 0, 0)) -> Mask:
    """A label for each ball (x, y, z, radius), mm; the grid's frame is moved by `shift`."""
    shape = tuple(int(100 / mm) for mm in spacing)
    geometry = Geometry.from_spacing(shape, spacing, shift)
    world = geometry.to_world(np.argwhere(np.ones(shape))).reshape(*shape, 3) - np.array(shift)
    array = np.zeros(shape, np.uint8)
    for label, (x, y, z, radius) in enumerate(places, start=1):
        array[np.linalg.norm(world - (x, y, z), axis=-1) <= radius] = label
    return Mask(array, {n: f"L{n}" for n in range(1, len(places) + 1)}, geometry=geometry)


def told(matches) -> list[tuple]:
    return [(match.now, match.earlier, match.became, match.by) for match in matches]


def test_lesions_are_found_again_on_another_grid():
    now = balls((20, 20, 20, 8), (70, 70, 70, 6))
    earlier = balls((70, 71, 70, 5), (21, 20, 20, 9), spacing=(3.0, 1.5, 1.5))
    matches = match_lesions(now, earlier)
    assert told(matches) == [((1,), (2,), "same", "overlap"), ((2,), (1,), "same", "overlap")]
    assert matches[0].overlap > 0.8
    assert matches[0].distance_mm == pytest.approx(1, abs=0.5)


def test_the_matrix_takes_places_of_now_to_places_of_then():
    now, earlier = balls((30, 40, 50, 8)), balls((30, 40, 50, 8), shift=(200, -30, 55))
    assert told(match_lesions(now, earlier)) == [((1,), (), "new", ""), ((), (1,), "gone", "")]
    onto = np.eye(4)
    onto[:3, 3] = (200, -30, 55)
    (match,) = match_lesions(now, earlier, onto=onto)
    assert match.became == "same" and match.overlap == pytest.approx(1) and match.distance_mm == pytest.approx(0)
    # Seen from the other side, the matrix is the other way round.
    assert told(match_lesions(earlier, now, onto=np.linalg.inv(onto))) == [((1,), (1,), "same", "overlap")]


def test_a_quarter_turn_is_followed():
    onto = np.eye(4)
    onto[:2, :2] = ((0, -1), (1, 0))
    onto[0, 3] = 98
    (match,) = match_lesions(balls((30, 60, 50, 8)), balls((98 - 60, 30, 50, 8)), onto=onto)
    assert match.became == "same" and match.distance_mm == pytest.approx(0, abs=1e-9) and match.overlap > 0.95


def test_splits_merges_new_and_gone_ones_are_told():
    one, two = balls((50, 50, 50, 16)), balls((42, 50, 50, 6), (58, 50, 50, 6), (10, 10, 10, 5))
    assert told(match_lesions(two, one)) == [((1, 2), (1,), "split", "overlap"), ((3,), (), "new", "")]
    assert told(match_lesions(one, two)) == [((1,), (1, 2), "merged", "overlap"), ((), (3,), "gone", "")]


def test_a_lesion_that_only_moved_is_found_by_its_centre_within_reach():
    now, earlier = balls((30, 30, 30, 4), (80, 80, 80, 4)), balls((30, 30, 42, 4), (80, 40, 80, 4))
    matches = match_lesions(now, earlier)
    assert told(matches)[0] == ((1,), (1,), "same", "distance") and matches[0].distance_mm == pytest.approx(
        12, abs=0.5
    )
    assert told(matches)[1:] == [((2,), (), "new", ""), ((), (2,), "gone", "")]
    assert told(match_lesions(now, earlier, reach_mm=5))[0] == ((1,), (), "new", "")


def test_pairs_by_distance_are_the_shortest_together():
    # Nearest first would pair the second with the first and leave the rest far apart.
    now, earlier = balls((20, 50, 50, 2), (32, 50, 50, 2)), balls((26.5, 50, 50, 2), (38, 50, 50, 2))
    assert told(match_lesions(now, earlier)) == [
        ((1,), (1,), "same", "distance"),
        ((2,), (2,), "same", "distance"),
    ]


def test_a_lesion_smaller_than_the_others_voxels_is_not_missed():
    now, earlier = (
        balls((41, 41, 41, 1.2), spacing=(1.0, 1.0, 1.0)),
        balls((40, 40, 40, 4), spacing=(5.0, 5.0, 5.0)),
    )
    assert told(match_lesions(now, earlier)) == [((1,), (1,), "same", "overlap")]
    assert told(match_lesions(earlier, now)) == [((1,), (1,), "same", "overlap")]


def test_nothing_then_or_now():
    none, one = balls(), balls((50, 50, 50, 5))
    assert match_lesions(none, none) == ()
    assert told(match_lesions(one, none)) == [((1,), (), "new", "")]
    assert told(match_lesions(none, one)) == [((), (1,), "gone", "")]
    with pytest.raises(BadGeometry):
        match_lesions(one, Mask(np.ones((3, 3), np.uint8), {1: "a"}))
    with pytest.raises(BadGeometry):
        match_lesions(one, one, onto=np.full((4, 4), np.nan))


@given(ML, ML, some.floats(1, 4000))
def test_a_volume_has_doubled_after_its_doubling_time(v0, v1, days):
    time = doubling_time_days(v0, v1, days)
    if v0 == v1:
        assert time == math.inf
    else:
        assert v0 * 2 ** (days / time) == pytest.approx(v1, rel=1e-6)
        assert (time > 0) == (v1 > v0)


@pytest.mark.parametrize(
    "asked", [(0, 1, 30), (1, 0, 30), (1, 2, 0), (1, 2, -30), (math.nan, 1, 30), (1, math.inf, 3)]
)
def test_a_doubling_time_of_nothing_is_refused(asked):
    with pytest.raises(AskedWrongly):
        doubling_time_days(*asked)


def test_doubling_and_halving_are_told_with_their_interval():
    grown = doubling_of(Quantity(200, "ml", 180, 220), Quantity(100, "ml", 90, 110), 90)
    assert grown is not None and grown.name == "Volume doubling time" and grown.quantity.unit == "d"
    assert grown.quantity.value == pytest.approx(90)
    assert grown.quantity.low == pytest.approx(90 * math.log(2) / math.log(220 / 90))
    assert grown.quantity.high == pytest.approx(90 * math.log(2) / math.log(180 / 110))
    shrunk = doubling_of(Quantity(100, "ml", 90, 150), Quantity(140, "ml", 120, 160), 30)
    assert shrunk is not None and shrunk.name == "Volume halving time" and shrunk.quantity.value > 0
    assert shrunk.quantity.low is not None and shrunk.quantity.high is None  # it may not have changed at all
    assert doubling_of(Quantity(1, "ml"), Quantity(1, "ml"), 30) is None
    assert doubling_of(Quantity(0, "ml"), Quantity(1, "ml"), 30) is None
    assert doubling_of(Quantity(2, "ml"), Quantity(1, "ml"), 0) is None
    with pytest.raises(AskedWrongly, match="after"):
        doubling_of(Quantity(2, "ml"), Quantity(1, "ml"), -1)


def test_a_change_is_of_the_earlier_value():
    assert percent_change(Quantity(70, "mm"), Quantity(100, "mm")) == Quantity(-30, "%")
    assert percent_change(Quantity(5, "mm"), Quantity(0, "mm")) is None
    both = percent_change(Quantity(12, "ml", 11, 13), Quantity(10, "ml", 8, 12))
    assert both is not None and (both.low, both.high) == pytest.approx((100 * (11 / 12 - 1), 100 * (13 / 8 - 1)))
    with pytest.raises(AskedWrongly, match="mm to ml"):
        percent_change(Quantity(1, "ml"), Quantity(1, "mm"))
    with pytest.raises(AskedWrongly):
        percent_change(Quantity(-1, "ml"), Quantity(1, "ml"))
    with pytest.raises(AskedWrongly):
        percent_change(Quantity(1, "ml"), Quantity(1, "ml"), repeatability=0)


def test_the_interval_from_repeatability_holds_the_true_change_as_often_as_promised():
    draw = np.random.default_rng(5)
    variation, hits, n = 0.1, 0, 4000
    for _ in range(n):
        one, two = 10 * (1 + variation * draw.normal(size=2))
        change = percent_change(Quantity(two * 1.2, "SUV"), Quantity(one, "SUV"), repeatability=277 * variation)
        assert change is not None and change.low is not None and change.high is not None
        hits += change.low <= 20 <= change.high
    assert hits / n == pytest.approx(0.95, abs=0.02)


def test_a_change_is_named_with_its_measure_and_the_days_between():
    now, earlier = Measurement("Volume", Quantity(3, "ml")), Measurement("Volume", Quantity(2, "ml"))
    found = change_of(now, earlier, 84)
    assert (
        found is not None
        and found.name == "Volume, change in 84 days"
        and found.quantity.value == pytest.approx(50)
    )
    undated = change_of(now, earlier)
    assert undated is not None and undated.name == "Volume, change since the earlier study"
    with pytest.raises(AskedWrongly, match="84 days after"):
        change_of(now, earlier, -84)
    assert change_of(now, Measurement("Volume", Quantity(0, "ml")), 84) is None

"""Lung-RADS v2022 thresholds: just below, at and just above every limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.clinic.guidelines.lung_rads import category, state_of
from osler.core.errors import AskedWrongly
from osler.core.quantity import Quantity

ORDER = ("2", "3", "4A", "4B")
SOLID = {
    "baseline": ((0.1, "2"), (5.9, "2"), (6, "3"), (7.9, "3"), (8, "4A"), (14.9, "4A"), (15, "4B"), (40, "4B")),
    "new": ((3.9, "2"), (4, "3"), (5.9, "3"), (6, "4A"), (7.9, "4A"), (8, "4B")),
    "growing": ((3, "4A"), (7.9, "4A"), (8, "4B")),
    "slowly-growing": ((5, "4B"), (12, "4B")),
}
PART_SOLID = {  # whole, solid part -> category
    "baseline": (
        (5.9, 3, "2"),
        (6, 5.9, "3"),
        (12, 5.9, "3"),
        (12, 6, "4A"),
        (12, 7.9, "4A"),
        (12, 8, "4B"),
    ),
    "new": ((5.9, 3.9, "3"), (6, 3.9, "4A"), (20, 3.9, "4A"), (20, 4, "4B"), (5.9, 4, "4B")),
    "growing": ((12, 3.9, "4A"), (12, 4, "4B")),
    "slowly-growing": ((12, 5, "4B"),),
}
GLASS = {
    "baseline": ((29.9, "2"), (30, "3"), (50, "3")),
    "new": ((29.9, "2"), (30, "3")),
    "growing": ((29.9, "2"), (30, "3")),
    "stable": ((29.9, "2"), (30, "2")),
    "slowly-growing": ((29.9, "2"), (30, "2")),
}


@pytest.mark.parametrize("state", SOLID)
def test_solid(state):
    for size, expected in SOLID[state]:
        assert category(kind="solid", state=state, size_mm=size, screening=True).category == expected, size


@pytest.mark.parametrize("state", PART_SOLID)
def test_part_solid(state):
    for size, solid, expected in PART_SOLID[state]:
        found = category(kind="part-solid", state=state, size_mm=size, solid_mm=solid, screening=True)
        assert found.category == expected, (size, solid)


@pytest.mark.parametrize("state", GLASS)
def test_ground_glass(state):
    for size, expected in GLASS[state]:
        assert category(kind="ground-glass", state=state, size_mm=size).category == expected, size


def test_sizes_count_to_a_tenth_of_a_millimetre():
    for size, expected in ((5.94, "2"), (5.95, "3"), (7.94, "3"), (7.95, "4A"), (14.949, "4A"), (14.95, "4B")):
        assert category(kind="solid", state="baseline", size_mm=size).category == expected, size


def test_on_the_pleura():
    for state in ("baseline", "new"):
        for size, expected in ((9.9, "2"), (10, {"baseline": "4A", "new": "4B"}[state])):
            found = category(kind="solid", state=state, size_mm=size, juxtapleural=True)
            assert found.category == expected
    assert category(kind="solid", state="growing", size_mm=7, juxtapleural=True).category == "4A"


@pytest.mark.parametrize(
    ("place", "state", "expected"),
    [
        ("subsegmental", "baseline", "2"),
        ("subsegmental", "new", "2"),
        ("subsegmental", "stable", "2"),
        ("subsegmental", "growing", ""),
        ("segmental", "baseline", "4A"),
        ("segmental", "stable", "4B"),
        ("segmental", "growing", "4B"),
    ],
)
def test_in_an_airway(place, state, expected):
    assert category(kind="airway", state=state, airway=place).category == expected


@pytest.mark.parametrize(
    ("cyst", "state", "change", "expected"),
    [
        ("thick-walled", "baseline", None, "4A"),
        ("multilocular", "baseline", "none", "4A"),
        ("thick-walled", "growing", "grew", "3"),
        ("thick-walled", "growing", "wall-grew", "4B"),
        ("multilocular", "growing", "grew", "4B"),
        ("multilocular", "growing", "more-locules", "4B"),
        ("multilocular", "growing", "more-opacity", "4B"),
        ("thin-walled", "growing", "became-multilocular", "4A"),
        ("thin-walled", "baseline", "none", ""),
    ],
)
def test_cysts(cyst, state, change, expected):
    assert category(kind="cyst", state=state, cyst=cyst, cyst_change=change or "none").category == expected


@pytest.mark.parametrize("state", ["stable", "smaller"])
@pytest.mark.parametrize(
    ("before", "months", "expected"),
    [
        ("2", 12, "2"),
        ("3", 5, "3"),
        ("3", 6, "2"),
        ("4A", 2, "4A"),
        ("4A", 3, "3"),
        ("4B", 12, "4B"),
    ],
)
def test_one_step_down_after_the_time(state, before, months, expected):
    found = category(kind="solid", state=state, size_mm=9, earlier_category=before, months=months)
    assert found.category == expected


def test_a_stable_nodule_needs_what_it_was_called_before():
    assert "category before" in category(kind="solid", state="stable", size_mm=9).refused


def test_only_at_screening():
    assert "Fleischner" in category(kind="solid", state="baseline", size_mm=9, screening=False).refused


def test_growth():
    for now, months, expected in (
        (9.5, 12, "stable"),
        (9.6, 12, "growing"),
        (9.6, 3, "growing"),
        (9.6, 13, "slowly-growing"),
        (11.0, 24, "slowly-growing"),
        (11.1, 24, "growing"),
        (6.5, 12, "stable"),
        (6.4, 12, "smaller"),
    ):
        assert state_of(now, 8.0, months) == expected, (now, months)
    for months in (0, -3):
        with pytest.raises(AskedWrongly, match="earlier"):
            state_of(9, 8, months)


def test_an_interval_across_limits():
    found = category(kind="solid", state="baseline", size_mm=Quantity(7.9, "mm", low=5.8, high=8.3))
    assert (found.category, found.nearby) == ("3", ("2", "4A"))


@given(
    st.sampled_from(("solid", "part-solid", "ground-glass")),
    st.sampled_from(("baseline", "new", "growing")),
    st.floats(0.5, 60),
    st.floats(0, 30),
    st.floats(0, 1),
    st.floats(0, 15),
)
def test_a_larger_nodule_or_solid_part_never_gets_a_lower_category(kind, state, size, more, share, more_solid):
    solid = size * share
    sizes = ((size, solid), (size + more, solid), (size + more, min(solid + more_solid, size + more)))
    found = [category(kind=kind, state=state, size_mm=mm, solid_mm=part).category for mm, part in sizes]
    assert [ORDER.index(one) for one in found] == sorted(ORDER.index(one) for one in found)

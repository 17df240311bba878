"""Fleischner 2017: just below, at and just above every limit, from the numbers of the publication."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.clinic.guidelines.fleischner import follow_up
from osler.core.errors import AskedWrongly

NONE, OPTIONAL, SIX, THREE, LARGE = (
    "none",
    "optional CT",
    "CT 6-12 months",
    "CT 3-6 months",
    "CT 3 months or PET/CT",
)
ORDER = (NONE, OPTIONAL, SIX, THREE, LARGE)

# mm below 6, at 6, between, at 8, above 8, in whole mm as rounded; and the volumes of the publication.
BY_MM = ((5, 0), (5.49, 0), (5.5, 1), (6, 1), (7, 1), (8, 1), (8.49, 1), (8.5, 2), (9, 2), (30, 2))
BY_MM3 = ((99.9, 0), (100, 1), (250, 1), (250.1, 2), (4000, 2))
SIZES = [("size_mm", *one) for one in BY_MM] + [("volume_mm3", *one) for one in BY_MM3]

EXPECTED = {  # (kind, several, risk) -> category for small, middle, large
    ("solid", False, "low"): (NONE, SIX, LARGE),
    ("solid", False, "high"): (OPTIONAL, SIX, LARGE),
    ("solid", True, "low"): (NONE, THREE, THREE),
    ("solid", True, "high"): (OPTIONAL, THREE, THREE),
    ("ground-glass", False, None): (NONE, SIX, SIX),
    ("part-solid", False, None): (NONE, THREE, THREE),
    ("ground-glass", True, None): (THREE, THREE, THREE),
    ("part-solid", True, None): (THREE, THREE, THREE),
}


@pytest.mark.parametrize(("kind", "several", "risk"), EXPECTED)
def test_every_limit_of_size(kind, several, risk):
    for name, size, place in SIZES:
        known = {name: size, "solid_mm": 3 if kind == "part-solid" else None}
        found = follow_up(kind=kind, multiple=several, risk=risk, age_years=50, **known)
        assert found.category == EXPECTED[kind, several, risk][place], (name, size)


def test_the_risk_changes_the_advice_of_middle_nodules():
    known = {"kind": "solid", "size_mm": 7, "age_years": 50}
    low, high = (follow_up(**known, multiple=False, risk=risk).advice for risk in ("low", "high"))
    assert "consider" in low
    assert "consider" not in high
    assert "18 to 24 months" in low
    assert "18 to 24 months" in high


def test_the_solid_part_of_a_part_solid_nodule():
    known = {"kind": "part-solid", "size_mm": 12, "age_years": 50, "multiple": False}
    for solid, suspicious in ((5, False), (5.4, False), (5.5, True), (6, True), (9, True)):
        assert ("highly suspicious" in follow_up(**known, solid_mm=solid).advice) is suspicious, solid
    assert "diameter of the solid part" in follow_up(**known).refused


def test_a_volume_decides_over_a_diameter():
    known = {"kind": "solid", "age_years": 50, "multiple": False, "risk": "low"}
    assert follow_up(**known, size_mm=9, volume_mm3=90).category == NONE


@pytest.mark.parametrize(("age", "refused"), [(34, True), (34.9, True), (35, False), (90, False)])
def test_the_age_from_which_it_holds(age, refused):
    assert bool(follow_up(kind="solid", size_mm=9, age_years=age, multiple=False).refused) is refused


@pytest.mark.parametrize("why", ["known_cancer", "immune_suppressed", "screening"])
def test_for_whom_it_does_not_hold(why):
    known = {"kind": "solid", "size_mm": 9, "age_years": 60, "multiple": False}
    assert follow_up(**known, **{why: True}).refused
    assert not follow_up(**known, **{why: False}).refused


def test_a_nodule_that_cannot_be():
    for size in (-1, 0, 700):
        with pytest.raises(AskedWrongly, match="size_mm"):
            follow_up(kind="solid", size_mm=size, age_years=60, multiple=False)
    with pytest.raises(AskedWrongly, match="age_years"):
        follow_up(kind="solid", size_mm=7, age_years=300, multiple=False)


@given(
    st.sampled_from(("solid", "part-solid", "ground-glass")),
    st.booleans(),
    st.sampled_from(("low", "high")),
    st.floats(0.5, 100),
    st.floats(0, 60),
    st.floats(0.5, 60),
)
def test_a_larger_nodule_never_gets_a_lower_category(kind, several, risk, size, more, solid):
    small, large = (
        follow_up(kind=kind, multiple=several, risk=risk, size_mm=mm, solid_mm=solid, age_years=60).category
        for mm in (size, size + more)
    )
    assert ORDER.index(small) <= ORDER.index(large)


def test_every_combination_has_an_answer():
    choices = (("solid", "part-solid", "ground-glass"), (True, False), ("low", "high"), (3, 6, 8, 9), (2, 7))
    for kind, several, risk, size, solid in itertools.product(*choices):
        found = follow_up(kind=kind, multiple=several, risk=risk, size_mm=size, solid_mm=solid, age_years=60)
        assert found.category in ORDER
        assert found.advice

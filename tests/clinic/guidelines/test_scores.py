"""Scores of extent, grades, calcium and ejection fraction: every limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.clinic.guidelines import (
    brixia,
    calcium,
    cardiac_groups,
    ejection_fraction,
    kellgren_lawrence,
    rale,
    retinopathy,
)
from osler.clinic.guidelines.severity_ct import LOBES, SHARES, score
from osler.core.errors import AskedWrongly
from osler.core.quantity import Quantity


def lobes(*percent: float, **more: object) -> dict[str, object]:
    return dict(zip(SHARES, percent, strict=True)) | more


@pytest.mark.parametrize(
    ("percent", "of_25", "of_20"),
    [
        (0, 0, 0),
        (0.1, 1, 1),
        (4.9, 1, 1),
        (5, 2, 1),
        (25, 2, 1),
        (25.1, 3, 2),
        (26, 3, 2),
        (49.9, 3, 2),
        (50, 4, 2),
        (50.1, 4, 3),
        (51, 4, 3),
        (75, 4, 3),
        (75.1, 5, 4),
        (100, 5, 4),
    ],
)
def test_the_share_of_a_lobe(percent, of_25, of_20):
    for n in range(len(LOBES)):
        shares = [0.0] * len(LOBES)
        shares[n] = percent
        assert score(**lobes(*shares)).category == f"{of_25}/25"
        assert score(**lobes(*shares), top=20).category == f"{of_20}/20"


def test_every_lobe_must_be_known():
    found = score(**lobes(1, 2, 3, 4, None))
    assert found.refused
    assert "left lower lobe" in found.refused
    with pytest.raises(AskedWrongly, match="right_upper_percent"):
        score(**lobes(101, 0, 0, 0, 0))


def test_intervals_of_lobes_give_the_totals_between():
    wide = Quantity(25, "%", low=20, high=52)
    found = score(**lobes(wide, wide, 0, 0, 0))
    assert (found.category, found.nearby) == ("4/25", ("5/25", "6/25", "7/25", "8/25"))


def test_five_wide_intervals_are_tried_between_their_ends():
    wide = Quantity(40, "%", low=0, high=100)
    found = score(**lobes(*[wide] * 5))
    assert found.category == "15/25"
    assert found.nearby[0] == "0/25"
    assert found.nearby[-1] == "25/25"


percents = st.lists(st.floats(0, 100), min_size=5, max_size=5)


@given(percents, st.integers(0, 4), st.floats(0, 100))
def test_more_disease_never_lowers_the_score(shares, lobe, more):
    worse = list(shares)
    worse[lobe] = min(100.0, worse[lobe] + more)
    for top in (25, 20):
        before, after = (int(score(**lobes(*x), top=top).category.split("/")[0]) for x in (shares, worse))
        assert 0 <= before <= after <= top


@given(st.lists(st.integers(0, 3), min_size=6, max_size=6))
def test_brixia_is_the_sum_of_six(zones):
    found = brixia.score(dict(zip(brixia.ZONES, zones, strict=True)))
    assert found.category == f"{sum(zones)}/18"


def test_brixia_knows_no_score_of_four():
    with pytest.raises(AskedWrongly, match="right_upper_zone"):
        brixia.score(dict.fromkeys(brixia.ZONES, 4))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 3)), min_size=4, max_size=4))
def test_rale_is_the_sum_of_products(quadrants):
    known = {extent: value[0] for extent, value in zip(rale.EXTENTS, quadrants, strict=True)}
    known |= {density: value[1] for density, value in zip(rale.DENSITIES, quadrants, strict=True)}
    assert rale.score(known).category == f"{sum(a * b for a, b in quadrants)}/48"


def test_rale_needs_the_density_only_where_there_is_opacity():
    assert rale.score(dict.fromkeys(rale.EXTENTS, 0)).category == "0/48"
    lacking = rale.score(dict.fromkeys(rale.EXTENTS, 0) | {"left_lower_extent": 1}).refused
    assert "left lower quadrant, density" in lacking
    assert "right" not in lacking


@pytest.mark.parametrize("grade", range(5))
def test_osteoarthritis_from_grade_two(grade):
    found = kellgren_lawrence.grade(grade)
    assert found.category == str(grade)
    assert ("counts as radiographic osteoarthritis" in found.statement) == (grade >= 2)
    assert found.advice == ""


def test_grades_that_are_none():
    for odd in (-1, 5):
        with pytest.raises(AskedWrongly, match="grade"):
            kellgren_lawrence.grade(odd)
    assert kellgren_lawrence.grade(2, age_years=17.9).refused
    assert not kellgren_lawrence.grade(2, age_years=18).refused
    assert kellgren_lawrence.grade(None).refused


def test_grades_that_cannot_be_excluded():
    assert kellgren_lawrence.grade(Quantity(1, "1", low=1, high=3)).nearby == ("2", "3")
    assert retinopathy.grade(Quantity(2, "1", low=1, high=4)).nearby == ("1", "3", "4")


@pytest.mark.parametrize("grade", range(5))
def test_retinopathy_is_referred_from_grade_two_or_with_oedema(grade):
    assert retinopathy.grade(grade).advice.startswith("Refer") is (grade >= 2)
    assert retinopathy.grade(grade, macular_oedema=True).advice.startswith("Refer")


def test_the_names_of_the_eye_are_those_of_the_pathway():
    from osler.clinic.pathways import retinopathy as pathway

    assert pathway.REFERABLE_FROM == retinopathy.REFERABLE_FROM


@pytest.mark.parametrize(
    ("agatston", "usual", "drs"),
    [
        (0, "0", "A0"),
        (0.5, "1-10", "A1"),
        (1, "1-10", "A1"),
        (10, "1-10", "A1"),
        (10.1, "11-100", "A1"),
        (11, "11-100", "A1"),
        (99, "11-100", "A1"),
        (99.9, "11-100", "A1"),
        (100, "11-100", "A2"),
        (101, "101-400", "A2"),
        (299, "101-400", "A2"),
        (299.9, "101-400", "A2"),
        (300, "101-400", "A3"),
        (400, "101-400", "A3"),
        (401, "above 400", "A3"),
        (3000, "above 400", "A3"),
    ],
)
def test_calcium(agatston, usual, drs):
    assert calcium.category(agatston).category == usual
    assert calcium.category(agatston, drs=True).category == drs


@pytest.mark.parametrize(
    "why", [{"contrast": True}, {"stent_or_bypass": True}, {"gated": False}, {"tube_kv": 100}, {"tube_kv": 140}]
)
def test_calcium_is_refused_where_the_score_does_not_hold(why):
    assert calcium.category(50, **why).refused
    assert not calcium.category(50, contrast=False, stent_or_bypass=False, gated=True, tube_kv=120).refused


@pytest.mark.parametrize(
    ("ef", "esc", "man", "woman"),
    [
        (29, "reduced", "severely abnormal", "severely abnormal"),
        (29.5, "reduced", "moderately abnormal", "moderately abnormal"),
        (30, "reduced", "moderately abnormal", "moderately abnormal"),
        (40, "reduced", "moderately abnormal", "moderately abnormal"),
        (40.4, "reduced", "moderately abnormal", "moderately abnormal"),
        (40.5, "mildly reduced", "mildly abnormal", "mildly abnormal"),
        (41, "mildly reduced", "mildly abnormal", "mildly abnormal"),
        (49, "mildly reduced", "mildly abnormal", "mildly abnormal"),
        (49.5, "preserved", "mildly abnormal", "mildly abnormal"),
        (50, "preserved", "mildly abnormal", "mildly abnormal"),
        (51, "preserved", "mildly abnormal", "mildly abnormal"),
        (52, "preserved", "normal", "mildly abnormal"),
        (53, "preserved", "normal", "mildly abnormal"),
        (54, "preserved", "normal", "normal"),
        (72, "preserved", "normal", "normal"),
        (73, "preserved", "above normal", "normal"),
        (74, "preserved", "above normal", "normal"),
        (75, "preserved", "above normal", "above normal"),
    ],
)
def test_ejection_fraction(ef, esc, man, woman):
    assert ejection_fraction.class_of(ef).category == esc
    assert ejection_fraction.normal_by_sex(ef, "M").category == man
    assert ejection_fraction.normal_by_sex(ef, "F").category == woman


def test_an_ejection_fraction_given_as_a_share_is_not_taken_for_percent():
    with pytest.raises(AskedWrongly, match="ef_percent"):
        ejection_fraction.class_of(0.55)
    assert ejection_fraction.class_of(Quantity(0.55, "1")).category == "preserved"


HEART = {
    "ef_percent": 60,
    "lv_volume_index": 80,
    "lv_mass_index": 60,
    "wall_mm": 9,
    "rv_volume_index": 80,
    "rv_ef_percent": 55,
    "focal_motion": False,
}


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"ef_percent": 50.1}, "NOR"),
        ({"ef_percent": 50}, "none"),
        ({"lv_volume_index": 89.9}, "NOR"),
        ({"lv_volume_index": 90}, "none"),
        ({"wall_mm": 11.9}, "NOR"),
        ({"wall_mm": 12}, "none"),
        ({"ef_percent": 39.9, "focal_motion": True}, "MINF"),
        ({"ef_percent": 40, "focal_motion": True}, "none"),
        ({"ef_percent": 39.9, "lv_volume_index": 100.1}, "DCM"),
        ({"ef_percent": 39.9, "lv_volume_index": 100}, "none"),
        ({"ef_percent": 40, "lv_volume_index": 140}, "none"),
        ({"lv_mass_index": 110.1, "wall_mm": 15.1, "ef_percent": 55.1}, "HCM"),
        ({"lv_mass_index": 110, "wall_mm": 15.1, "ef_percent": 55.1}, "none"),
        ({"lv_mass_index": 110.1, "wall_mm": 15, "ef_percent": 55.1}, "none"),
        ({"lv_mass_index": 110.1, "wall_mm": 15.1, "ef_percent": 55}, "none"),
        ({"rv_volume_index": 110.1}, "RV"),
        ({"rv_volume_index": 110}, "NOR"),
        ({"rv_ef_percent": 39.9}, "RV"),
        ({"rv_ef_percent": 40}, "NOR"),
    ],
)
def test_groups_of_hearts(known, expected):
    assert cardiac_groups.group_of(**HEART | known).category == expected

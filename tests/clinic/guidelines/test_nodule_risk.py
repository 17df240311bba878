"""Brock and Mayo: known test values, limits, and that the risk rises with what raises it."""

import itertools
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.clinic.guidelines.nodule_risk import BROCK, brock, brock_percent, mayo, mayo_percent
from osler.clinic.guidelines.page import guideline_page
from osler.core.quantity import Quantity

PLAIN = {"upper_lobe": False, "spiculated": False, "emphysema": False, "family_history": False}
ALL = dict.fromkeys(PLAIN, True)
MAYO_PLAIN = {"smoker": False, "past_cancer": False, "spiculated": False, "upper_lobe": False}


@pytest.mark.parametrize(
    ("given", "percent", "category"),
    [
        ({"age_years": 62, "sex": "M", "size_mm": 10, "kind": "solid", "count": 4, **PLAIN}, 2.510, "below 10 %"),
        (
            {"age_years": 70, "sex": "F", "size_mm": 20, "kind": "part-solid", "count": 1, **ALL},
            80.14,
            "10 % or more",
        ),
        (
            {"age_years": 55, "sex": "M", "size_mm": 5, "kind": "ground-glass", "count": 1, **PLAIN},
            0.254,
            "below 10 %",
        ),
    ],
)
def test_brock_gives_the_known_values(given, percent, category):
    found = brock_percent(given)
    assert f"{found:.3g}" == f"{percent:.3g}"
    conclusion = brock(**given)
    assert conclusion.category == category
    said = re.search(r"The probability is ([\d.]+) %", conclusion.statement)
    assert float(said[1]) == pytest.approx(percent, rel=2e-3)


def test_brock_is_the_published_model_centred_at_62_years_4_nodules_and_its_size_term():
    """As printed: intercept -6.7892; age - 62; count - 4; (size in cm) ** -0.5 - 1.58113883."""
    for age, size, count in itertools.product((50, 62, 75), (2, 4, 10, 25), (1, 4, 9)):
        logit = -6.7892 + 0.0287 * (age - 62) - 0.0824 * (count - 4)
        logit += -5.3854 * ((size / 10) ** -0.5 - 1.58113883)
        known = {"age_years": age, "sex": "M", "size_mm": size, "kind": "solid", "count": count, **PLAIN}
        assert brock_percent(known) == pytest.approx(100 / (1 + math.exp(-logit)), rel=2e-4)


def test_mayo_is_its_formula():
    logit = -6.8272 + 0.0391 * 60 + 0.1274 * 15 + 0.7917 + 0.7838
    known = {"age_years": 60, "size_mm": 15} | MAYO_PLAIN | {"smoker": True, "upper_lobe": True}
    assert mayo_percent(known) == pytest.approx(100 / (1 + math.exp(-logit)), rel=1e-12)
    logit += 1.0407 + 1.3388
    every = known | {"spiculated": True, "past_cancer": True}
    assert mayo_percent(every) == pytest.approx(100 / (1 + math.exp(-logit)), rel=1e-12)


def size_of_brock(percent: float) -> float:
    """The diameter at which a plain nodule of a man of 62 has this probability."""
    logit = math.log(percent / (100 - percent))
    rest = 0.2761 + 0.0287 * 62 - 0.0824
    return 10 * (-5.3854 / (logit - rest)) ** 2


def test_the_limit_of_ten_percent():
    known = {"age_years": 62, "sex": "M", "kind": "solid", "count": 1, **PLAIN}
    limit = size_of_brock(10)
    assert brock_percent(known | {"size_mm": limit}) == pytest.approx(10)
    assert brock(**known, size_mm=limit * 0.999).category == "below 10 %"
    assert brock(**known, size_mm=limit * 1.001).category == "10 % or more"
    near = brock(**known, size_mm=Quantity(limit * 0.99, "mm", low=limit * 0.9, high=limit * 1.1))
    assert (near.category, near.nearby) == ("below 10 %", ("10 % or more",))


def test_the_limits_of_mayo():
    for age, size in itertools.product(range(30, 90, 2), (5, 15, 25, 30)):
        for smoker, spiculated in itertools.product((True, False), repeat=2):
            known = {"age_years": age, "size_mm": size} | MAYO_PLAIN | {"smoker": smoker, "spiculated": spiculated}
            percent = mayo_percent(known)
            expected = "below 5 %" if percent < 5 else "above 65 %" if percent > 65 else "5 to 65 %"
            assert mayo(**known).category == expected


def test_where_mayo_holds():
    known = {"age_years": 60, **MAYO_PLAIN}
    assert [bool(mayo(**known, size_mm=mm).refused) for mm in (3.9, 4, 30, 30.1)] == [True, False, False, True]
    assert mayo(**known, size_mm=10, recent_cancer=True).refused


def test_what_is_not_known_is_tried_every_way():
    small = brock(age_years=55, sex="M", size_mm=4, count=1)
    every = [
        brock_percent(
            {"age_years": 55, "sex": "M", "size_mm": 4, "count": 1, "kind": kind}
            | dict(zip(PLAIN, said, strict=True))
        )
        for kind in ("solid", "part-solid", "ground-glass")
        for said in itertools.product((True, False), repeat=4)
    ]
    said = next(ground.value for ground in small.grounds if ground.name == "probability of cancer")
    low, high = map(float, re.findall(r"[\d.]+", said))
    assert low == pytest.approx(min(every), rel=1e-3)
    assert high == pytest.approx(max(every), rel=1e-3)
    assert small.category == "below 10 %"
    large = brock(age_years=65, sex="F", size_mm=9, count=1)
    assert large.category == ""
    assert "spiculated" in large.refused


def test_without_age_sex_or_a_sex_that_the_model_knows():
    known = {"size_mm": 5, "count": 1, "kind": "solid", **PLAIN}
    assert "age" in brock(age_years=None, sex="M", **known).refused
    assert "sex" in brock(age_years=60, sex="", **known).refused
    assert brock(age_years=60, sex="O", **known).refused
    assert brock(age_years=17, sex="M", **known).refused


@pytest.mark.parametrize(("age", "said"), [(49, "yes"), (50, "no"), (75, "no"), (76, "yes")])
def test_ages_that_the_model_was_not_made_from_are_told(age, said):
    found = brock(age_years=age, sex="M", size_mm=5, count=1, kind="solid", **PLAIN)
    assert next(one.value for one in found.grounds if one.name.startswith("age outside")) == said
    assert "Outside 50 to 75 years" in guideline_page(BROCK)


yes_no = st.fixed_dictionaries({name: st.booleans() for name in PLAIN})


@given(
    st.integers(40, 85),
    st.sampled_from("FM"),
    st.sampled_from(("solid", "part-solid", "ground-glass")),
    st.integers(1, 20),
    yes_no,
    st.floats(1, 60),
    st.floats(0.01, 30),
)
def test_brock_rises_with_size_age_and_every_sign_and_falls_with_the_number(
    age, sex, kind, count, signs, size, more
):
    known = {"age_years": age, "sex": sex, "kind": kind, "count": count, "size_mm": size, **signs}
    risk = brock_percent(known)
    assert brock_percent(known | {"size_mm": size + more}) > risk
    assert brock_percent(known | {"age_years": age + 1}) > risk
    assert brock_percent(known | {"count": count + 1}) < risk
    for name in PLAIN:
        assert brock_percent(known | {name: True}) >= risk

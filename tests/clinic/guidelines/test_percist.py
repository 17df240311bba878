"""PERCIST 1.0: just below, at and just above every limit, and what cannot be compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.clinic.guidelines.percist import response
from osler.core.errors import AskedWrongly
from osler.core.quantity import Quantity

KNOWN = {"liver_sul": 1.6, "liver_sd_sul": 0.3, "tlg_baseline": 100, "tlg_now": 100, "new_lesions": False}


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (10, 7.01, "SMD"),
        (10, 7.0, "PMR"),
        (10, 6.99, "PMR"),
        (10, 12.99, "SMD"),
        (10, 13.0, "PMD"),
        (10, 13.01, "PMD"),
        (3.2, 2.4, "SMD"),  # 0.8, but 25 %
        (2.6, 1.81, "SMD"),  # 30 %, but 0.79
        (2.6, 1.8, "PMR"),
        (3.0, 3.8, "SMD"),  # 0.8, but 27 %
        (2.6, 3.39, "SMD"),
        (2.6, 3.4, "PMD"),
    ],
)
def test_the_limits_of_the_peak(before, now, expected):
    known = KNOWN | {"liver_sul": 1.2, "liver_sd_sul": 0.2}
    assert response(baseline_sul=before, now_sul=now, **known).category == expected


@pytest.mark.parametrize(
    ("tlg", "now", "expected"),
    [
        (174.9, 10, "SMD"),
        (175, 10, "PMD"),
        (175, 10.5, "PMD"),
        (175, 9.9, "SMD"),
        (400, 6.9, "PMR"),
    ],
)
def test_the_glycolysis_counts_where_the_peak_has_not_fallen(tlg, now, expected):
    assert response(baseline_sul=10, now_sul=now, **KNOWN | {"tlg_now": tlg}).category == expected


def test_new_lesions_and_complete_response():
    assert response(baseline_sul=10, now_sul=5, **KNOWN | {"new_lesions": True}).category == "PMD"
    assert response(baseline_sul=10, now_sul=1.59, gone=True, **KNOWN).category == "CMR"
    assert response(baseline_sul=10, now_sul=1.6, gone=True, **KNOWN).category == "PMR"
    assert response(baseline_sul=10, now_sul=1.59, gone=False, **KNOWN).category == "PMR"
    now_liver = KNOWN | {"liver_now_sul": 1.4}
    assert response(baseline_sul=10, now_sul=1.45, gone=True, **now_liver).category == "PMR"


@pytest.mark.parametrize(("peak", "refused"), [(2.99, True), (3.0, False), (3.01, False)])
def test_measurable_by_the_liver(peak, refused):
    assert bool(response(baseline_sul=peak, now_sul=peak, **KNOWN).refused) is refused  # 1.5 x 1.6 + 2 x 0.3


@pytest.mark.parametrize(("peak", "refused"), [(2.59, True), (2.6, False)])
def test_measurable_by_the_blood_where_the_liver_is_diseased(peak, refused):
    blood = {"blood_sul": 1.1, "blood_sd_sul": 0.2, "tlg_baseline": 9, "tlg_now": 9, "new_lesions": False}
    assert bool(response(baseline_sul=peak, now_sul=peak, **blood).refused) is refused  # 2 x 1.1 + 2 x 0.2


def test_without_liver_or_blood_it_cannot_be_told():
    found = response(baseline_sul=8, now_sul=5, new_lesions=False)
    assert "least SULpeak" in found.refused


@pytest.mark.parametrize(
    ("liver", "now", "refused"),
    [
        (1.0, 1.2, False),
        (1.0, 1.21, True),  # 21 %
        (2.0, 2.3, False),
        (2.0, 2.31, True),  # 0.31
        (2.0, 1.7, False),
        (2.0, 1.69, True),
    ],
)
def test_livers_that_can_be_compared(liver, now, refused):
    known = KNOWN | {"liver_sul": liver, "liver_now_sul": now}
    assert bool(response(baseline_sul=10, now_sul=6, **known).refused) is refused


@pytest.mark.parametrize(("minutes", "refused"), [(44, True), (45, False), (75, False), (76, True)])
def test_times_from_injection_to_scan(minutes, refused):
    found = response(baseline_sul=10, now_sul=6, uptake_minutes=60, uptake_now_minutes=minutes, **KNOWN)
    assert bool(found.refused) is refused


def test_a_suv_by_body_weight_is_not_taken_for_one_by_lean_mass():
    with pytest.raises(AskedWrongly, match="must be in SUL"):
        response(baseline_sul=Quantity(10, "SUV"), now_sul=6, **KNOWN)


def test_an_interval_across_thirty_percent():
    found = response(baseline_sul=10, now_sul=Quantity(7.2, "SUL", low=6.8, high=7.6), **KNOWN)
    assert (found.category, found.nearby) == ("SMD", ("PMR",))


@given(st.floats(3, 40), st.floats(1.7, 60), st.floats(0, 30))
def test_a_hotter_lesion_is_never_a_better_response(before, now, more):
    order = ("CMR", "PMR", "SMD", "PMD")
    cool, hot = (response(baseline_sul=before, now_sul=x, **KNOWN).category for x in (now, now + more))
    assert order.index(cool) <= order.index(hot)


@given(st.floats(3, 40), st.floats(1.7, 60))
def test_partial_response_iff_thirty_percent_and_point_eight(before, now):
    expected = before - now >= 0.8 and now <= 0.7 * before
    close = min(abs(before - now - 0.8), abs(now - 0.7 * before)) < 1e-6
    assert close or (response(baseline_sul=before, now_sul=now, **KNOWN).category == "PMR") == expected

"""What may be a name or a date of birth is no pseudonym."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.clinic.assessment.pseudonym import check_pseudonym, why_no_pseudonym
from osler.core.errors import AskedWrongly

TODAY = datetime.date(2026, 11, 23)
NAMES = ("Lind", "MaraLind7", "Lind-1962", "mara_lind_7", "john-doe-12", "Smith1", "O5mueller")
DATES = (
    "P-19620304",
    "1962-03-04",
    "04-03-1962",
    "P-04031962",
    "620304",
    "p_040362",
    "P1962-3",
    "6203041234",
    "110101196203041234",
)
ODD = ("", "P1", "P 42", "P/42", "../P42", "P-42\n", "x" * 41 + "1", "onlyletters", "王伟42")
GOOD = ("P-0042", "P-7f3a91", "case-12", "patient-17", "AB-17", "K9010308", "7f3a91bc", "S-2001", "knee-0001")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *((name, "may be a name") for name in NAMES[1:]),
        ("Lind", "no digit"),
        *((date, "date of birth") for date in DATES),
        ("123-45-6789", "social security"),
        ("AB-1962", "initials"),
        ("Kim1962", "initials"),
        *((odd, "is not 3 to 40|no digit") for odd in ODD),
    ],
)
def test_it_is_refused_and_never_repeated(text: str, why: str) -> None:
    with pytest.raises(AskedWrongly, match=why) as caught:
        check_pseudonym(text, today=TODAY)
    assert not text.strip() or text not in str(caught.value)


@pytest.mark.parametrize("text", GOOD)
def test_a_number_with_a_prefix_is_taken(text: str) -> None:
    assert check_pseudonym(text, today=TODAY) == text


@given(
    st.dates(datetime.date(1920, 1, 1), datetime.date(2026, 1, 1)),
    st.sampled_from(["%Y%m%d", "%d%m%Y", "%Y-%m-%d", "%d-%m-%Y", "%m_%d_%Y", "%y%m%d"]),
    st.sampled_from(["", "P-", "x"]),
)
def test_no_date_of_birth_passes(day: datetime.date, form: str, prefix: str) -> None:
    assert why_no_pseudonym(prefix + day.strftime(form), today=TODAY)


@given(st.integers(0, 9999))
def test_short_numbers_pass(number: int) -> None:
    assert why_no_pseudonym(f"P-{number:04d}", today=TODAY) == ""

"""A machine's name is refused, a human being's is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.clinic.assessment.person import Person, check_person, is_human_name, person_from
from osler.core.errors import AskedWrongly

MACHINES = (
    "",
    " ",
    "-",
    "osler",
    "OSLER",
    "Osler 0.1.0",
    "AI",
    "A.I.",
    "ai",
    "KI",
    "system",
    "The System",
    "auto",
    "Automatic",
    "auto-approve",
    "auto_approved",
    "AI system v2",
    "bot",
    "model",
    "Deep Learning",
    "ChatGPT",
    "nobody",
    "n/a",
    "None",
    "unknown user",
    "ＡＩ",
    "人工智能",
    "自动系统",
    "assessor@clinic.example",
    "https://model",
    "12345",
    "x",
    "A\u200bI",
)
HUMANS = (
    "Mara Lind",
    "Ai Weiwei",
    "William Osler",
    "M. Osler",
    "王伟",
    "O'Neil",
    "Jean-Luc Bot",
    "Åsa Öberg",
    "J. R. Root",
)


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_decides_nothing(name: str) -> None:
    with pytest.raises(AskedWrongly, match="no human name"):
        check_person(Person(name, "surgeon"))


@pytest.mark.parametrize("name", HUMANS)
def test_a_human_being_may_decide(name: str) -> None:
    assert check_person(Person(name, "surgeon")).name == name


@pytest.mark.parametrize("role", ["", " ", "AI", "system", "12"])
def test_a_role_is_needed(role: str) -> None:
    with pytest.raises(AskedWrongly, match="role"):
        check_person(Person("Mara Lind", role))


def test_name_and_role_are_told_apart_at_the_first_comma() -> None:
    assert person_from("Mara Lind, surgeon, Ward 3") == Person("Mara Lind", "surgeon, Ward 3")
    with pytest.raises(AskedWrongly, match="role"):
        person_from("Mara Lind")
    with pytest.raises(AskedWrongly, match="longer"):
        person_from(f"Mara {'Lind' * 30}, surgeon")


@given(st.text(max_size=30))
def test_whatever_is_typed_gets_an_answer(text: str) -> None:
    assert is_human_name(text) in (True, False)
    if not any(letter.isalpha() for letter in text):
        assert not is_human_name(text)

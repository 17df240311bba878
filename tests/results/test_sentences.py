"""One table of sentences."""

import re
from pathlib import Path

import pytest

import osler
from osler.results.sentences import SENTENCES, say

SOURCES = [*Path(osler.__file__).parent.rglob("*.py"), *Path(osler.__file__).parent.rglob("templates/*.html")]


def test_every_sentence_that_is_asked_for_is_in_the_table_and_every_one_there_is_asked_for():
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES if path.name != "sentences.py")
    asked = set(re.findall(r"""say\(\s*["']([a-z_.A-Z0-9]+)["']""", text))
    begun = {key for key in asked if key.endswith(".")}  # the templates add the rest: say("why.way." ~ reason.way)
    assert all(any(key.startswith(one) for key in SENTENCES) for one in begun)
    assert asked - begun - set(SENTENCES) == set()
    made_up_on_the_way = (
        "stage.",
        "plane.",
        "side.",
        "page.sex.",
        "measure.",
        "called.",
        "kind.",
        "shows.",
        "why.",
        "unlike.",
    )
    unused = [key for key in SENTENCES if key not in asked and not key.startswith(made_up_on_the_way)]
    assert [key for key in unused if f'"{key}"' not in text] == []


def test_a_blank_that_is_not_filled_is_an_error():
    with pytest.raises(KeyError):
        say("statement.regression", name="Age")

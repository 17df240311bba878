"""`osler guideline`: list, show, apply."""

import pytest

from osler.clinic.guidelines.page import guideline_page, written
from osler.clinic.guidelines.table import GUIDELINES


def test_the_list_names_every_guideline(osler):
    done = osler("guideline", "list", "--json")
    assert [row["name"] for row in done.json["guidelines"]] == list(GUIDELINES)
    assert all(name in osler("guideline", "list").out for name in GUIDELINES)


def test_show_prints_the_page(osler):
    done = osler("guideline", "show", "brixia")
    assert done.code == 0
    assert done.out.strip() == guideline_page(GUIDELINES["brixia"]).strip()
    asked = osler("guideline", "show", "brixia", "--json").json["inputs"]
    assert [one["name"] for one in asked] == [one.name for one in GUIDELINES["brixia"].inputs]


@pytest.mark.parametrize("name", GUIDELINES)
def test_worked_examples_can_be_typed_as_the_page_shows_them(osler, name):
    for example in GUIDELINES[name].examples:
        done = osler("guideline", "apply", name, *written(example).split(), "--json")
        assert done.json["category"] == example.category
        assert done.code == (0 if example.category else 3)


def test_units_and_names_without_them(osler):
    words = ("kind=solid", "age=61", "multiple=no", "risk=low")
    for size in ("size=7.2mm", "size_mm=7.2", "size=0.72cm", "size=7.2 mm", "SIZE-MM=7.2"):
        done = osler("guideline", "apply", "fleischner-2017", *words, size)
        assert done.code == 0, done.err
        assert "7.2 mm, counts as 7 mm" in done.out


def test_an_interval_names_what_lies_nearby(osler):
    done = osler("guideline", "apply", "calcium", "agatston=95..100..110", "--json")
    assert done.json["nearby"] == ["101-400"]
    assert "101-400" in osler("guideline", "apply", "calcium", "agatston=95..100..110").out


def test_what_is_refused_says_why_with_exit_code_three(osler):
    done = osler("guideline", "apply", "fleischner-2017", "kind=solid", "size=9mm", "multiple=no")
    assert done.code == 3
    assert "not applied" in done.out
    assert "age" in done.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fleischner-217"], "fleischner-2017"),
        (["fleischner-2017", "knd=solid"], "Did you mean 'kind'"),
        (["fleischner-2017", "kind=sold"], "Did you mean 'solid'"),
        (["fleischner-2017", "size=7kg"], "must be in mm"),
        (["fleischner-2017", "size=big"], "no number"),
        (["fleischner-2017", "size=700mm"], "between"),
        (["fleischner-2017", "size=-7"], "between"),
        (["fleischner-2017", "age=300"], "between"),
        (["fleischner-2017", "multiple=perhaps"], "yes or no"),
        (["fleischner-2017", "size=7", "size_mm=7"], "twice"),
        (["fleischner-2017", "solid"], "KEY=VALUE"),
        (["ejection-fraction-esc-2021", "ef=0.55"], "between 1 and 100"),
    ],
)
def test_what_makes_no_sense_is_asked_wrongly(osler, words, said):
    done = osler("guideline", "apply", *words)
    assert done.code == 2
    assert said in done.err


def test_what_is_not_known_may_be_said_so(osler):
    words = ("kind=solid", "age=61", "multiple=no", "size=9mm")
    assert osler("guideline", "apply", "fleischner-2017", *words, "risk=unknown", "known_cancer=?").code == 0

"""What every guideline keeps: examples, refusals, units, intervals, pages."""

import math
from dataclasses import replace

import pytest

from osler.clinic.guidelines.conditions import Either, Is, Within, holds, in_words
from osler.clinic.guidelines.decide import decide, settle
from osler.clinic.guidelines.fleischner import FLEISCHNER, follow_up
from osler.clinic.guidelines.guideline import Guideline, Input, Row
from osler.clinic.guidelines.page import guideline_page, written
from osler.clinic.guidelines.table import GUIDELINES
from osler.core.errors import AskedWrongly, UnknownChoice
from osler.core.finding import Measurement
from osler.core.quantity import Quantity
from osler.results.sentences import say

EXAMPLES = [(name, n) for name, one in GUIDELINES.items() for n in range(len(one.examples))]


def wanted(guideline: Guideline) -> dict[str, object]:
    """The first worked example that is not refused: everything that is needed, and well."""
    return dict(next(one.given for one in guideline.examples if one.category))


@pytest.mark.parametrize(("name", "number"), EXAMPLES)
def test_worked_examples_come_out_as_the_page_says(name, number):
    guideline = GUIDELINES[name]
    example = guideline.examples[number]
    conclusion = decide(guideline, example.given)
    assert conclusion.category == example.category
    assert bool(conclusion.refused) == (example.category == "")
    assert conclusion.guideline == name
    assert conclusion.version == guideline.version
    assert conclusion.source == guideline.source
    assert conclusion.statement.startswith(conclusion.title)
    assert conclusion.refused or conclusion.rule


@pytest.mark.parametrize("name", GUIDELINES)
def test_a_needed_input_that_is_missing_is_named_and_refused(name):
    guideline = GUIDELINES[name]
    for asked in guideline.inputs:
        if asked.needed:
            conclusion = decide(guideline, wanted(guideline) | {asked.name: None})
            assert asked.what in conclusion.refused, asked.name
            assert conclusion.category == conclusion.advice == conclusion.rule == ""


@pytest.mark.parametrize("name", GUIDELINES)
def test_every_bar_refuses_with_its_reason(name):
    guideline = GUIDELINES[name]
    direct = {one.name for one in guideline.inputs}
    for bar in guideline.bars:
        if isinstance(bar.when, Is) and bar.when.name in direct:
            barred = bar.when.one_of[0]
        elif isinstance(bar.when, Within) and bar.when.name in direct:
            barred = bar.when.below - 0.5 if bar.when.below is not None else bar.when.above + 0.5
        else:
            continue  # of what is computed: tested beside its guideline
        conclusion = decide(guideline, wanted(guideline) | {bar.when.name: barred})
        assert conclusion.category == "", bar
        assert conclusion.refused, bar


@pytest.mark.parametrize("name", GUIDELINES)
def test_numbers_that_cannot_be_meant_are_asked_wrongly(name):
    guideline = GUIDELINES[name]
    for asked in guideline.inputs:
        if asked.kind != "number":
            continue
        span = asked.high - asked.low
        for odd in (asked.low - 0.01 * span, asked.high + 0.01 * span, math.nan, math.inf, True, "7"):
            with pytest.raises(AskedWrongly, match=asked.name):
                decide(guideline, wanted(guideline) | {asked.name: odd})
        with pytest.raises(AskedWrongly, match=asked.name):
            decide(guideline, wanted(guideline) | {asked.name: Quantity(asked.high, "furlong")})


@pytest.mark.parametrize("name", GUIDELINES)
def test_words_and_names_that_are_unknown_propose_the_near_one(name):
    guideline = GUIDELINES[name]
    first = guideline.inputs[0].name
    with pytest.raises(UnknownChoice, match=first):
        decide(guideline, {first[:-1] + "x": 1})
    for asked in guideline.inputs:
        if asked.kind == "word":
            with pytest.raises(UnknownChoice, match=asked.words[0]):
                decide(guideline, wanted(guideline) | {asked.name: asked.words[0] + "z"})
        if asked.kind == "yes or no":
            with pytest.raises(AskedWrongly, match="yes or no"):
                decide(guideline, wanted(guideline) | {asked.name: 1.0})


@pytest.mark.parametrize("name", GUIDELINES)
def test_the_page_shows_every_row_and_every_example(name):
    guideline = GUIDELINES[name]
    page = guideline_page(guideline)
    for step in guideline.steps:
        for row in step.rows:
            assert f"**{row.category}**" in page
            for condition in row.when:
                assert in_words(condition, guideline.units) in page
            for key in (row.means, row.advice) if guideline.coded else (row.advice,):
                assert (say(key) if key else "") in page
    for asked in guideline.inputs:
        assert f"| `{asked.name}` | {asked.what} |" in page
    for example in guideline.examples:
        assert written(example) in page
    assert "clinician" in page
    assert "{" not in page.replace("{growth}", "")
    assert all(len(line.split(" | ")) == len(head.split(" | ")) for head, line in tables(page))


def tables(page: str):
    """(head, row) of every row of every table."""
    head = ""
    for line in page.splitlines():
        head = "" if not line.startswith("|") else head or line
        if head and not line.startswith("|---"):
            yield head, line


def test_a_limit_changed_in_the_table_changes_answer_and_page():
    """The page and the decision come from the same rows: neither has numbers of its own."""
    row = replace(
        FLEISCHNER.steps[0].rows[4], when=(*FLEISCHNER.steps[0].rows[4].when[:2], Within("size_mm", above=7))
    )
    step = replace(FLEISCHNER.steps[0], rows=(row,))
    changed = replace(FLEISCHNER, steps=(step,))
    given = {"age_years": 60, "kind": "solid", "multiple": False, "size_mm": 8}
    assert decide(changed, given).category == "CT 3 months or PET/CT"
    assert decide(FLEISCHNER, given | {"risk": "low"}).category == "CT 6-12 months"
    assert "above 7 mm" in guideline_page(changed)
    assert "above 7 mm" not in guideline_page(FLEISCHNER)


def test_an_interval_that_crosses_a_limit_names_what_lies_nearby():
    known = {"kind": "solid", "age_years": 60, "multiple": False, "risk": "low"}
    sure = follow_up(**known, size_mm=Quantity(7, "mm", low=6.1, high=7.9))
    assert sure.category == "CT 6-12 months"
    assert sure.nearby == ()
    both = follow_up(**known, size_mm=Quantity(7, "mm", low=5.4, high=8.6))
    assert both.nearby == ("none", "CT 3 months or PET/CT")
    touching = follow_up(**known, size_mm=Quantity(6, "mm", low=5.5, high=6.5))  # both ends count as 6 or 7 mm
    assert touching.nearby == ()


def test_a_category_between_the_ends_of_an_interval_is_nearby_too():
    wide = follow_up(
        kind="solid", age_years=60, multiple=False, risk="low", volume_mm3=Quantity(50, "mm3", low=20, high=900)
    )
    assert wide.category == "none"
    assert wide.nearby == ("CT 6-12 months", "CT 3 months or PET/CT")


def test_units_are_turned_and_grounds_say_where_an_input_comes_from():
    measured = Measurement("Longest diameter in a slice", Quantity(0.72, "cm", low=0.66, high=0.79))
    conclusion = follow_up(
        kind="solid", size_mm=measured, age_years=61, multiple=False, risk="high", of={"age_years": "header"}
    )
    grounds = {one.name: one for one in conclusion.grounds}
    assert grounds["age"].of == "header"
    assert grounds["diameter"].of == "Longest diameter in a slice"
    assert grounds["diameter"].value == "7.2 mm (6.6 to 7.9), counts as 7 mm"
    assert grounds["known cancer"].value == "not known, supposed: no"
    assert conclusion.category == "CT 6-12 months"


def test_a_value_outside_its_own_interval_is_asked_wrongly():
    with pytest.raises(AskedWrongly, match="interval"):
        follow_up(kind="solid", size_mm=Quantity(9, "mm", low=6, high=8), age_years=61, multiple=False)


def test_what_is_unknown_matters_only_where_the_answer_depends_on_it():
    large = follow_up(kind="solid", size_mm=12, age_years=61, multiple=False)
    assert large.category == "CT 3 months or PET/CT"
    small = follow_up(kind="solid", size_mm=5, age_years=61, multiple=False)
    assert small.category == ""
    assert "risk of cancer" in small.refused


def test_the_first_row_that_fits_applies_and_an_open_one_stops_the_search():
    rows = (
        Row((Is("a", True), Within("x", above=1)), "first"),
        Row((Within("x", above=1),), "second"),
        Row((), "third"),
    )
    assert settle(rows, {"a": True, "x": 2.0})[0].category == "first"
    assert settle(rows, {"a": False, "x": 2.0})[0].category == "second"
    assert settle(rows, {"a": None, "x": 1.0})[0].category == "third"  # the limit itself is not above it
    assert settle(rows, {"a": None, "x": 2.0}) == (None, ("a",))
    assert settle(rows[:2], {"a": True, "x": 0.0}) == (None, ())


def test_limits_count_or_do_not_as_they_are_named():
    at = {"x": 6.0}
    assert holds(Within("x", at_least=6), at)
    assert holds(Within("x", at_most=6), at)
    assert not holds(Within("x", above=6), at)
    assert not holds(Within("x", below=6), at)
    volume_first = Either(Within("v", above=10), Within("x", above=100))
    assert holds(volume_first, {"v": 11.0, "x": 1.0})
    assert not holds(volume_first, {"v": None, "x": 1.0})


def test_kinds_of_input():
    assert Input("a", "mm").kind == "number"
    assert Input("a", words=("b",)).kind == "word"
    assert Input("a").kind == "yes or no"


def test_words_are_taken_as_people_write_them():
    assert follow_up(kind="Part_Solid", size_mm=4, age_years=50, multiple=False).category == "none"
    assert follow_up(kind="ground glass", size_mm=4, age_years=50, multiple=False).category == "none"

"""The checklists are whole, every fact they name can be had, and nothing is called known that is not."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from osler.lab.report.checklists import CHECKLISTS, filled
from osler.lab.report.claim import CLAIM
from osler.lab.report.facts import facts_of
from osler.lab.report.item import STATES, Fact, Item, counts, fill
from osler.lab.report.known import read_known
from osler.lab.report.said import SAYABLE
from osler.lab.report.tripod import TRIPOD_AI

DOCS = Path(__file__).parents[3] / "docs"


def test_claim_has_its_44_items_in_order():
    assert [item.number for item in CLAIM.items] == [str(number) for number in range(1, 45)]


def test_tripod_has_its_27_items_in_52_parts():
    numbers = [item.number for item in TRIPOD_AI.items]
    assert len(numbers) == len(set(numbers)) == 52
    whole = list(dict.fromkeys(int(re.sub(r"\D", "", number)) for number in numbers))
    assert whole == list(range(1, 28))
    parts = {number: [n[-1] for n in numbers if re.fullmatch(rf"{number}[a-z]", n)] for number in whole}
    assert all(letters == [chr(97 + k) for k in range(len(letters))] for letters in parts.values())


def test_every_item_can_be_answered(model):
    """By a person, or by what a trained and tested model holds."""
    folder = model(training={"care": {"concerns": {"duplicate": {"leak": 2}}, "unchecked": []}})
    had = set(facts_of(read_known(folder))) | set(SAYABLE)
    shown = {"evaluation.clusters", "evaluation.utility", "evaluation.shift"}  # of tests that looked closer
    shown |= {"data.training"}  # a card may say it
    for checklist in CHECKLISTS:
        for item in checklist.items:
            assert any(name in had for group in item.needs for name in group.split("|")), item
            names = [name for group in (*item.needs, *item.also) for name in group.split("|")]
            assert [name for name in names if name not in had | shown] == []


def test_every_fact_a_person_can_give_is_asked_for(model):
    """In a checklist or on the model card: nobody is asked to write what nobody reads."""
    page = (Path(__file__).parents[3] / "src/osler/lab/report/model_card.py").read_text(encoding="utf-8")
    page += (Path(__file__).parents[3] / "src/osler/lab/report/training_details.py").read_text(encoding="utf-8")
    asked = {name for c in CHECKLISTS for i in c.items for g in (*i.needs, *i.also) for name in g.split("|")}
    assert [name for name in SAYABLE if name not in asked and f'"{name}"' not in page] == []


@given(some.sets(some.sampled_from("abcd")))
def test_an_item_is_filled_when_each_of_its_groups_is(known):
    item = Item("1", "", "", ("a", "b|c"), ("d",))
    facts = {name: Fact(name, "Osler") for name in known}
    one = fill(item, facts, {"b": "", "c": ""})
    whole = "a" in known and bool(known & {"b", "c"})
    assert one.state == ("filled" if whole else "partly" if known else "not known")
    assert {fact.text for fact in one.facts} == known
    assert one.missing == (() if known & {"b", "c"} else ("b", "c"))


def test_states_are_counted():
    facts = {"a": Fact("a", "Osler")}
    items = (Item("1", "", "", ("a",)), Item("2", "", "", ("b",), ("a",)), Item("3", "", "", ("b",)))
    found = counts(tuple(fill(item, facts, {}) for item in items))
    assert found == {"filled": 1, "partly": 1, "not_known": 1} and len(found) == len(STATES)


@pytest.mark.parametrize("checklist", CHECKLISTS, ids=lambda one: one.key)
def test_a_net_from_elsewhere_fills_little_and_a_person_can_fill_the_rest(checklist, model):
    folder = model(plan=False, evaluation=False)
    alone = counts(filled(checklist, facts_of(read_known(folder))))
    said = counts(filled(checklist, facts_of(read_known(folder, said=dict.fromkeys(SAYABLE, "as said")))))
    assert alone["filled"] < 12 and alone["not_known"] > 15
    assert said["filled"] > 30 and said["not_known"] < 12


def test_both_lists_and_all_names_are_documented():
    page = (DOCS / "reference" / "checklists.md").read_text(encoding="utf-8")
    for checklist in CHECKLISTS:
        part = page.partition(f"## {checklist.title}")[2]
        assert checklist.citation in part
        for item in checklist.items:
            assert f"| {item.number} | {item.section} | {item.asks} |" in part
    for name, asks in SAYABLE.items():
        assert f"| `{name}` | {asks} |" in page

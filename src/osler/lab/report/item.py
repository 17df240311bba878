"""An item of a checklist, and what is known that answers it."""

from collections.abc import Mapping
from dataclasses import dataclass

SAID = "Said by a person: "
PERSON = "a person"  # the source of a fact that came from the facts file
STATES = ("filled", "partly", "not known")


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is known of a model, its data or its tests.

    text    a sentence or two
    source  who says so: "model card", "plan", "training record", "trust data", "evaluation", "Osler" (holds for
            every model that it trains) or "a person" (the facts file)
    place   key of the section that says more, ""
    """

    text: str
    source: str
    place: str = ""


Facts = Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a checklist.

    number   as published, "23a"
    section  of the article it belongs to, "Methods: data"
    asks     what is asked, in our own words
    needs    facts that answer it together; a group with "|" between names needs one of them
    also     facts that say something of it but do not answer it
    """

    number: str
    section: str
    asks: str
    needs: tuple[str, ...]
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checklist:
    """A published checklist as a table.

    key       "claim", "tripod_ai"
    title     what people call it
    citation  where it was published
    note      what to mind of this table, a sentence or two
    """

    key: str
    title: str
    citation: str
    items: tuple[Item, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Filled:
    """An item with its answer.

    state    one of STATES: all that it needs is known, some of it, nothing
    facts    what is known, each fact once
    missing  names in the facts file with which a person can say the rest
    """

    item: Item
    state: str
    facts: tuple[Fact, ...]
    missing: tuple[str, ...]


def fill(item: Item, facts: Facts, sayable: Mapping[str, str]) -> Filled:
    """The item answered from `facts`; nothing is invented.

    sayable  names that a person may give
    """
    names = [name for group in item.needs for name in group.split("|")] + list(item.also)
    known = tuple(dict.fromkeys(facts[name] for name in names if name in facts))
    open_groups = [group.split("|") for group in item.needs if not facts.keys() & set(group.split("|"))]
    state = "filled" if not open_groups else "partly" if known else "not known"
    missing = tuple(dict.fromkeys(name for group in open_groups for name in group if name in sayable))
    return Filled(item, state, known, missing)


def counts(filled: tuple[Filled, ...]) -> dict[str, int]:
    """{"filled": 20, "partly": 6, "not_known": 18}"""
    return {state.replace(" ", "_"): sum(one.state == state for one in filled) for state in STATES}

"""A book of cases: a folder of earlier statements with the decisions that persons took on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osler.clinic.assessment.decision import CHANGED, Decision, decisions_of, items_in, read_statement
from osler.clinic.assessment.json import STATEMENT_FILE
from osler.clinic.assessment.statement import Item
from osler.core.errors import Unreadable
from osler.core.progress import Tell, silent


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One statement of the book.

    place      its folder, as the book names it
    pseudonym  whose it is; statements of one person share it
    uid        of the statement
    groups     by which an audit may compare: sex, age (a band), and what the request named
    models     digests of the models that were used
    evidence   sha256 of the pictures that were read
    decisions  the first first
    """

    place: str
    pseudonym: str
    uid: str
    created: str
    groups: Mapping[str, str]
    models: tuple[str, ...]
    evidence: tuple[str, ...]
    items: tuple[Item, ...]
    decisions: tuple[Decision, ...]

    def decided(self, index: int) -> Decision | None:
        """The decision that holds for an item: the last one."""
        return next((one for one in reversed(self.decisions) if one.item == index), None)


@dataclass(frozen=True, slots=True, eq=False)
class CaseBook:
    """Cases, oldest statement first. copies: statements that were there twice, and are counted once."""

    cases: tuple[Case, ...]
    copies: int = 0


def read_case_book(folder: Path, *, tell: Tell = silent) -> CaseBook:
    """Every statement in `folder` and below.

    Raises Unreadable where there is none or one is damaged, BadInput where a chain of decisions is broken.
    """
    places = sorted(folder.rglob(STATEMENT_FILE)) if folder.is_dir() else []
    if not places:
        raise Unreadable(
            f"{folder.name} holds no severity statement.",
            remedy="Give a folder of folders that `osler assess` wrote.",
        )
    cases: dict[str, Case] = {}
    for done, place in enumerate(places):
        tell("reading", done, len(places), "")
        case = _case(place, folder)
        held = cases.get(case.uid)
        if held is None or len(case.decisions) > len(held.decisions):
            cases[case.uid] = case
    tell("reading", len(places), len(places), "")
    ordered = sorted(cases.values(), key=lambda case: (case.created, case.place))
    return CaseBook(tuple(ordered), len(places) - len(cases))


def overruled(decision: Decision) -> bool:
    """Did the person give another grade than the model?"""
    return decision.decision == CHANGED


def _case(path: Path, book: Path) -> Case:
    value = read_statement(path)
    where = f"{path.name} of {path.parent.name}"
    try:
        request, subject = value["request"], value["subject"]
        named = {"sex": subject["sex"], "age": subject["age_band"], **request["groups"]}
        return Case(
            path.parent.relative_to(book).as_posix(),
            _text(request["pseudonym"]),
            _text(value["uid"]),
            _text(value["created"]),
            {str(name): str(group) for name, group in named.items() if group},
            tuple(_text(model["digest"]) for model in value["models"]),
            tuple(_text(one) for one in value["evidence_sha256"]),
            items_in(value, path),
            decisions_of(path),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"{where} is damaged: it lacks a part.", remedy="Look for an unharmed copy.") from error


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError
    return value

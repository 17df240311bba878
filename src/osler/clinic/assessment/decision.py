"""What a person decides on a statement: by whom, what, why and when. A machine cannot decide (GDPR Art. 22).

Each record is a file of its own beside the statement, decision-1.json, decision-2.json, ..., and holds the digest
of the one before; the first holds the statement's. So a record that is changed or taken out of the middle is
noticed; that the last ones were taken away is not: whoever must prove that keeps the last digest elsewhere.
"""

import datetime
import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from osler.clinic.assessment.json import STATEMENT_FILE, STATEMENT_VERSION
from osler.clinic.assessment.person import Person, check_person
from osler.clinic.assessment.statement import Item
from osler.core.errors import AskedWrongly, BadInput, OslerError, UnknownChoice, Unreadable
from osler.core.record import from_plain
from osler.io.files import read_json, telling_why

AGREE, CHANGED, WITHHELD = DECISIONS = ("agree", "changed", "withheld")
_SHORTEST_REASON, _LONGEST_REASON = 10, 2000


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision of one person on one item of a statement.

    statement  sha256 of statement.json
    item       which item of the statement, from 0
    by         who decided
    decision   one of DECISIONS
    grade      the grade that holds by this decision, as the scale names it; "" where none can be given
    level      its index in the scale; None where there is no scale or no grade
    reason     what was looked at, and why
    when       ISO 8601, UTC
    before     digest of the record before this one; of the statement for the first
    digest     sha256 of all the other fields
    """

    statement: str
    item: int
    by: Person
    decision: str
    grade: str
    level: int | None
    reason: str
    when: str
    before: str
    digest: str = ""


def decide(
    statement: Path, by: Person, decision: str, *, reason: str, grade: str = "", item: int | None = None
) -> tuple[Decision, Path]:
    """Record a decision beside the statement (its file or folder); returns it, and the file it is in.

    grade  by its name in the scale, or the number it begins with; needed where the decision is "changed"
    item   which item, from 0; None where the statement has one

    Raises AskedWrongly for a decision without a human being's name, a reason or the grade it takes,
    BadInput where the statement or an earlier record was changed.
    """
    check_person(by)
    if decision not in DECISIONS:
        raise UnknownChoice.among("decision", decision, DECISIONS)
    reason = reason.strip()
    if not _SHORTEST_REASON <= len(reason) <= _LONGEST_REASON:
        raise AskedWrongly(
            f"The decision has no reason of {_SHORTEST_REASON} to {_LONGEST_REASON} letters.",
            remedy="Say what was looked at and why; agreement without a look is no decision of a person.",
        )
    path = statement_file(statement)
    value = read_statement(path)
    number, chosen = _item(items_in(value, path), item)
    told, level = _grade(chosen, decision, grade)
    before = decisions_of(path)
    made = Decision(
        digest_of_file(path),
        number,
        by,
        decision,
        told,
        level,
        reason,
        datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        before[-1].digest if before else digest_of_file(path),
    )
    made = replace(made, digest=_digest(made))
    return made, _append(made, path.parent, len(before) + 1)


def decisions_of(statement: Path) -> tuple[Decision, ...]:
    """The decisions recorded beside a statement, the first first.

    Raises BadInput where the statement or a record was changed after it was recorded, or a record is missing;
    Unreadable for a file that is no record.
    """
    path = statement_file(statement)
    found = sorted(path.parent.glob("decision-*.json"), key=_number)
    whole = digest_of_file(path)
    before = whole
    made: list[Decision] = []
    for count, place in enumerate(found, start=1):
        try:
            one = from_plain(Decision, read_json(place))
        except ValueError as error:
            raise Unreadable(
                f"{place.name} of {path.parent.name} is no decision: {error}.", remedy="Look for an unharmed copy."
            ) from error
        if _number(place) != count or one.before != before or one.digest != _digest(one):
            raise _changed(place.name, path)
        if one.statement != whole:
            raise _changed(STATEMENT_FILE, path)
        before = one.digest
        made.append(one)
    return tuple(made)


def statement_file(place: Path) -> Path:
    """The statement's file, given it or its folder. Raises Unreadable where there is none."""
    path = place / STATEMENT_FILE if place.is_dir() else place
    if not path.is_file():
        raise Unreadable(
            f"{place.name} holds no {STATEMENT_FILE}.",
            remedy="Give the folder that `osler assess` wrote with --out.",
        )
    return path


def read_statement(path: Path) -> dict[str, Any]:
    """The statement as JSON holds it. Raises Unreadable for a file that is none."""
    value = read_json(path)
    if not isinstance(value, dict) or value.get("statement_version") != STATEMENT_VERSION:
        raise Unreadable(
            f"{path.name} of {path.parent.name} is no severity statement of version {STATEMENT_VERSION}.",
            remedy="Give what `osler assess` wrote.",
        )
    return value


def items_in(value: dict[str, Any], path: Path) -> tuple[Item, ...]:
    """What the statement grades. Raises Unreadable where it cannot be told."""
    try:
        items = from_plain(tuple[Item, ...], value.get("items"))
    except ValueError as error:
        raise Unreadable(
            f"{path.name} of {path.parent.name} is damaged: {error}.", remedy="Look for an unharmed copy."
        ) from error
    if not items:
        raise Unreadable(f"{path.name} of {path.parent.name} grades nothing.", remedy="Look for an unharmed copy.")
    return tuple(items)


def digest_of_file(path: Path) -> str:
    """sha256 of the file's bytes. Raises Unreadable where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise Unreadable(f"{path.name} cannot be read.", remedy="Check the file and its permissions.") from error


def _item(items: tuple[Item, ...], index: int | None) -> tuple[int, Item]:
    if index is None and len(items) > 1:
        listed = "; ".join(f"{n}: {item.side} {item.name}".replace(":  ", ": ") for n, item in enumerate(items))
        raise AskedWrongly(
            "The statement grades several things; it is not said which one is decided.",
            remedy=f"Say it with --item: {listed}.",
        )
    number = index or 0
    if not 0 <= number < len(items):
        raise AskedWrongly(f"The statement has no item {number}.", remedy=f"Its items are 0 to {len(items) - 1}.")
    return number, items[number]


def _grade(item: Item, decision: str, grade: str) -> tuple[str, int | None]:
    """The grade that holds, and its level."""
    if decision != CHANGED:
        if grade:
            raise AskedWrongly(
                f"The decision '{decision}' takes no grade.", remedy="Leave --grade away, or decide 'changed'."
            )
        if decision == WITHHELD:
            return "", None
        return (item.grade if item.level is None else item.scale[item.level]), item.level
    if not grade.strip():
        raise AskedWrongly(
            "A changed grade is missing.", remedy=f"Give it with --grade: {'; '.join(item.scale) or 'a category'}."
        )
    if not item.scale:
        if grade.strip() == item.grade:
            raise _same()
        return grade.strip(), None
    wanted = grade.strip().casefold()
    fitting = [
        n for n, name in enumerate(item.scale) if wanted in (name.casefold(), name.partition(",")[0].casefold())
    ]
    if len(fitting) != 1:
        raise AskedWrongly(
            f"The scale has no grade '{grade}'.", remedy=f"Its grades are: {'; '.join(item.scale)}."
        )
    if fitting[0] == item.level:
        raise _same()
    return item.scale[fitting[0]], fitting[0]


def _same() -> AskedWrongly:
    return AskedWrongly(
        "The changed grade is the grade that was stated.", remedy="Decide 'agree', or give another grade."
    )


def _append(made: Decision, folder: Path, number: int) -> Path:
    """Write the record as the next of its chain; what is there already is never written over."""
    path = folder / f"decision-{number}.json"
    with telling_why(path):
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(json.dumps(asdict(made), indent=1, ensure_ascii=False) + "\n")
        except FileExistsError as error:
            raise OslerError(
                f"Somebody else recorded {path.name} at the same moment.", remedy="Look at it, and decide again."
            ) from error
    return path


def _digest(made: Decision) -> str:
    plain = {name: value for name, value in asdict(made).items() if name != "digest"}
    return hashlib.sha256(json.dumps(plain, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def _number(path: Path) -> int:
    text = path.stem.partition("-")[2]
    return int(text) if text.isascii() and text.isdigit() else 0


def _changed(what: str, path: Path) -> BadInput:
    return BadInput(
        f"The chain of decisions in {path.parent.name} is broken at {what}: changed, or a record is missing.",
        remedy="Bring back the files as they were recorded; nothing is decided on a changed record.",
    )

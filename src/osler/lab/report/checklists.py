"""A checklist as a section: each item, its answer or that it is not known, and where the report says more."""

from osler.lab.report.claim import CLAIM
from osler.lab.report.document import Cell, Paragraph, Section, Table
from osler.lab.report.item import PERSON, SAID, Checklist, Facts, Filled, counts, fill
from osler.lab.report.people import NOT_KNOWN
from osler.lab.report.said import SAYABLE
from osler.lab.report.tripod import TRIPOD_AI

CHECKLISTS: tuple[Checklist, ...] = (CLAIM, TRIPOD_AI)


def filled(checklist: Checklist, facts: Facts) -> tuple[Filled, ...]:
    """Every item of the list, answered from what is known."""
    return tuple(fill(item, facts, SAYABLE) for item in checklist.items)


def section(checklist: Checklist, facts: Facts) -> Section:
    """The list as a table."""
    answers = filled(checklist, facts)
    many = counts(answers)
    rows: list[tuple[Cell, ...]] = []
    heading = ""
    for one in answers:
        if one.item.section != heading:
            heading = one.item.section
            rows.append((Cell(heading),))
        place = next((fact.place for fact in one.facts if fact.place), "")
        rows.append((Cell(one.item.number), Cell(one.item.asks), _answer(one), Cell("", to=place)))
    lead = (
        f"{checklist.citation} {checklist.note} Of {len(answers)} items {many['filled']} are filled, "
        f"{many['partly']} partly, {many['not_known']} not known."
    )
    table = Table(tuple(rows), (0.06, 0.28, 0.57, 0.09), ("Item", "Asked", "Answer", "Section"))
    return Section(checklist.key.replace("_", "-"), f"{checklist.title} checklist", (Paragraph(lead), table))


def _answer(one: Filled) -> Cell:
    names = f" ({', '.join(one.missing)})" if one.missing else ""
    if one.state == "not known":
        return Cell(f"{NOT_KNOWN}{names}", "missing")
    said = "\n".join(f"{SAID if fact.source == PERSON else ''}{fact.text}" for fact in one.facts)
    look = "said" if any(fact.source == PERSON for fact in one.facts) else ""
    return Cell(said, look, left="" if one.state == "filled" else f"The rest: {NOT_KNOWN}{names}")

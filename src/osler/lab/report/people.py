"""What a person said, or that nobody has said it yet."""

from collections.abc import Sequence

from osler.lab.report.document import Block, Cell, Paragraph, Table
from osler.lab.report.item import PERSON, SAID, Facts

NOT_KNOWN = "not known - to be filled by a person"


def asked(facts: Facts, questions: Sequence[tuple[str, str]]) -> Table:
    """A table of questions that only a person can answer.

    questions  (what stands before the answer, name of the fact)
    """
    rows = tuple((Cell(label, "soft"), said_or_missing(facts, name)) for label, name in questions)
    return Table(rows, (0.27, 0.73))


def said_or_missing(facts: Facts, name: str) -> Cell:
    """The answer, marked as a person's, or that it is not known and by which name it can be given."""
    if name in facts:
        return Cell(f"{SAID if facts[name].source == 'a person' else ''}{facts[name].text}", "said")
    return Cell(f"{NOT_KNOWN} ({name})", "missing")


def sentences(facts: Facts, *names: str) -> tuple[Block, ...]:
    """A paragraph for each of these facts that is known."""
    return tuple(
        Paragraph(
            f"{SAID if facts[name].source == 'a person' else ''}{facts[name].text}",
            "said" if facts[name].source == PERSON else "",
        )
        for name in names
        if name in facts
    )

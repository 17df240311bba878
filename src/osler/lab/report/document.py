"""What a document is made of. `render_html.py` and `render_pdf.py` set the same words in the same order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from osler.core.arrays import Array


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table.

    text  its lines, "\\n" between them
    look  "", "soft", "missing" (nobody has said it yet), "said" (a person's words)
    left  what nobody has said yet, below the text
    to    key of the section that says more, "" for none: set as its number, a link
    """

    text: str
    look: str = ""
    left: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Plain words. look: "", "soft", "warning", "missing", "said"."""

    text: str
    look: str = ""


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells.

    head     of the columns; () for a table of names and values
    rows     as many cells each as there are columns; a row of one cell is a heading over all of them
    widths   of the columns, relative to each other
    numbers  columns that are set to the right
    note     below it, ""
    """

    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[float, ...]
    head: tuple[str, ...] = ()
    numbers: frozenset[int] = frozenset()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot, as the SVG that `lab/evaluate/plots.py` draws."""

    svg: str
    caption: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A picture of a case, (rows, columns, 3) uint8."""

    title: str
    caption: str
    pixels: Array


@dataclass(frozen=True, slots=True)
class Row:
    """Figures or photos beside each other, as many as the page is wide."""

    parts: tuple[Figure | Photo, ...]


Block = Paragraph | Bullets | Table | Row


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it; an empty section is left out of its document.

    key  its name in links, "model-card"
    """

    key: str
    title: str
    blocks: tuple[Block, ...] = ()
    sections: "tuple[Section, ...]" = ()

    @property
    def empty(self) -> bool:
        """Is there nothing under the heading?"""
        return not self.blocks and all(section.empty for section in self.sections)


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document.

    title, kicker  what it is about; what kind of document it is, above the title
    facts          rows of the head: {"Model": "chest-pneumonia 1", ...}
    notice         what everybody must know before reading on
    sections       without empty ones
    running        what every page of the paper carries: "chest-pneumonia 1, digest f8eef4a73792"
    contents       with a list of its sections, after the first of them
    """

    title: str
    kicker: str
    facts: Mapping[str, str]
    notice: str
    sections: tuple[Section, ...]
    running: str
    contents: bool = True


def numbered(sections: tuple[Section, ...], before: str = "") -> Iterator[tuple[str, int, Section]]:
    """Every section that is not empty, in the order of reading: (number "2.1", depth from 1, section)."""
    place = 0
    for section in sections:
        if section.empty:
            continue
        place += 1
        number = f"{before}{place}"
        yield number, number.count(".") + 1, section
        yield from numbered(section.sections, f"{number}.")


def places(sections: tuple[Section, ...]) -> dict[str, str]:
    """Key of every section that is not empty -> its number."""
    return {section.key: number for number, _, section in numbered(sections)}


def pairs(rows: Mapping[str, str | Cell], widths: tuple[float, float] = (0.27, 0.73)) -> Table:
    """A table of names and values; what is empty is left out."""
    made = tuple(
        (Cell(name, "soft"), value if isinstance(value, Cell) else Cell(value))
        for name, value in rows.items()
        if (value.text if isinstance(value, Cell) else value)
    )
    return Table(made, widths)

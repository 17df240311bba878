"""The same document as a PDF: page numbers, headings as bookmarks, a list of contents, the notice on every page.

Paper, fonts and colours are those of the readable report (`results/pdf_page.py`). The same document always gives
the same bytes.
"""

import functools
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from osler.lab.report.document import (
    Block,
    Bullets,
    Cell,
    Document,
    Figure,
    Paragraph,
    Photo,
    Row,
    Section,
    Table,
    numbered,
    places,
)
from osler.lab.report.svg import draw_svg, size_of_svg
from osler.results.pdf_fonts import font_of, marked_up, register_fonts
from osler.results.pdf_page import (
    ACCENT,
    INK,
    LINE,
    NO,
    NOTICE_GROUND,
    SOFT,
    WARN,
    WARN_GROUND,
    boxed,
    counting_canvas,
    furniture,
    gap,
    paper,
    paragraph,
    photo,
    written,
)

if TYPE_CHECKING:
    from reportlab.platypus import Flowable

_COLOURS = {"": INK, "soft": SOFT, "missing": WARN, "said": NO, "warning": INK}
_SIZES = {1: 15.0, 2: 11.5, 3: 9.5}  # of headings
_TALLEST = 230.0  # points, of a figure or photo
_PHOTO = 150.0  # points, of a picture of a case
_LONG = 700  # letters of a cell beyond which its row may be parted
_PAGE = 640.0  # points, of a figure that is as wide as the page


def render_pdf(document: Document) -> bytes:
    """The document's bytes."""
    from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

    register_fonts()
    buffer = io.BytesIO()
    title = f"{document.title}: {document.kicker}"

    class Booked(BaseDocTemplate):  # type: ignore[misc, unused-ignore]
        """A document whose headings tell where they landed."""

        def afterFlowable(self, flowable: "Flowable") -> None:  # noqa: N802 (reportlab's name)
            place = getattr(flowable, "place", None)
            if place is not None:
                key, number, depth, text = place
                self.canv.bookmarkPage(key)
                self.canv.addOutlineEntry(f"{number} {text}", key, level=depth - 1, closed=depth > 1)
                if depth <= 2:
                    said = marked_up(f"{number}  {text}", bold=depth == 1)
                    self.notify("TOCEntry", (depth - 1, said, self.page, key))

    made = Booked(buffer, **paper(title, document.facts.get("Osler", ""), document.notice))
    frame = Frame(made.leftMargin, made.bottomMargin, made.width, made.height, id="all")
    on_page = functools.partial(furniture, above=document.running, below=document.notice)
    made.addPageTemplates(PageTemplate(frames=[frame], onPage=on_page))
    made.multiBuild(_Pages(document, made.width - 12).all(), canvasmaker=counting_canvas())
    return buffer.getvalue()


class _Pages:
    """What stands on the pages, from the top to the bottom; `width` in points."""

    def __init__(self, document: Document, width: float) -> None:
        self.document, self.width = document, width
        self.places = places(document.sections)

    def all(self) -> "list[Flowable]":
        parts = self._head()
        for number, depth, section in numbered(self.document.sections):
            if number == "2" and self.document.contents:
                parts += self._contents()
            parts += self._heading(number, depth, section)
            for block in section.blocks:
                parts += self._block(block)
        return parts

    def _head(self) -> "list[Flowable]":
        document = self.document
        facts = tuple((Cell(name, "soft"), Cell(text)) for name, text in document.facts.items())
        return [
            written(document.kicker.upper(), size=8, colour=SOFT),
            written(document.title, size=19, bold=True, after=8),
            *self._table(Table(facts, (0.22, 0.78))),
            gap(6),
            boxed([written(document.notice, bold=True, colour="#ffffff")], self.width, ground=NOTICE_GROUND),
            gap(8),
        ]

    def _contents(self) -> "list[Flowable]":
        from reportlab.lib.styles import ParagraphStyle
        from reportlab.platypus import TableStyle
        from reportlab.platypus.tableofcontents import TableOfContents

        contents = TableOfContents(dotsMinLevel=-1)
        contents.levelStyles = [
            ParagraphStyle("one", fontName=font_of(True), fontSize=9, leading=12.5, spaceBefore=3, textColor=INK),
            ParagraphStyle("two", fontName=font_of(False), fontSize=8.5, leading=11, leftIndent=14, textColor=INK),
        ]
        contents.tableStyle = TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 0),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
            ]
        )
        return [gap(12), written("Contents", size=11.5, bold=True, after=2), contents]

    def _heading(self, number: str, depth: int, section: Section) -> "list[Flowable]":
        from reportlab.platypus import CondPageBreak

        heading = written(
            f"{number}  {section.title}",
            size=_SIZES.get(depth, 9.0),
            bold=True,
            colour=ACCENT if depth == 1 else INK,
            before={1: 16, 2: 10}.get(depth, 7),
            after=5 if depth == 1 else 3,
        )
        heading.place = (section.key, number, depth, section.title)
        return [CondPageBreak(self._room(section)), heading]

    def _room(self, section: Section) -> float:
        """Points a heading needs below it: no heading stands alone at the foot of a page."""
        if section.blocks:
            return _TALLEST + 70 if isinstance(section.blocks[0], Row) else 110
        return 40 + self._room(next(below for below in section.sections if not below.empty))

    def _block(self, block: Block) -> "list[Flowable]":
        if isinstance(block, Paragraph):
            said = written(block.text, size=9, colour=_COLOURS[block.look], after=4)
            return [boxed([said], self.width, ground=WARN_GROUND), gap(5)] if block.look == "warning" else [said]
        if isinstance(block, Bullets):
            return [written(f"•  {item}", size=9, after=2, indent=10) for item in block.items]
        if isinstance(block, Table):
            note = [written(block.note, size=7.5, colour=SOFT, before=3, after=2)] if block.note else []
            return [*self._table(block), *note, gap(6)]
        return self._row(block)

    def _table(self, table: Table) -> "list[Flowable]":
        """One grid; where rows of one cell head groups, a grid a group: no page parts a heading from it."""
        from reportlab.platypus import CondPageBreak

        parts: list[Flowable] = []
        group: list[tuple[Cell, ...]] = []
        head = table.head
        for cells in table.rows:
            if len(cells) > 1:
                group.append(cells)
                continue
            parts += [*self._grid(group, table, head if group else ()), CondPageBreak(90)]
            if not parts[1:]:
                parts += self._grid([], table, head)
            group, head = [], ()
            parts.append(written(cells[0].text, size=8.5, bold=True, before=7, after=2))
        return parts + self._grid(group, table, head)

    def _grid(self, rows: Sequence[Sequence[Cell]], table: Table, head: Sequence[str]) -> "list[Flowable]":
        from reportlab.platypus import Table as Grid

        if not rows and not head:
            return []
        whole = sum(table.widths)
        widths = [self.width * one / whole for one in table.widths]
        size = 7.0 if len(table.widths) > 6 else 8.0
        cells = [
            [self._cell(cell, size, right=column in table.numbers) for column, cell in enumerate(row)]
            for row in rows
        ]
        if head:
            named = [
                written(name, size=size - 0.5, bold=True, colour=SOFT, right=column in table.numbers)
                for column, name in enumerate(head)
            ]
            cells.insert(0, named)
        style: list[tuple[Any, ...]] = [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 6),
            ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
        ]
        for column in table.numbers - {one - 1 for one in table.numbers}:
            style.append(("LEFTPADDING", (column + 1, 0), (column + 1, -1), 12))
        # Only a row that no page could hold may be parted.
        tall = any(len(cell.text) + 60 * cell.text.count("\n") > _LONG for row in rows for cell in row)
        return [
            Grid(
                cells,
                colWidths=widths,
                style=style,
                repeatRows=int(bool(head)),
                splitInRow=int(tall),
                hAlign="LEFT",
            )
        ]

    def _cell(self, cell: Cell, size: float, *, right: bool) -> "Flowable":
        said = "<br/>".join(marked_up(line) for line in cell.text.split("\n"))
        if cell.left:
            said += f'{"<br/>" if said else ""}<font color="{WARN}">{marked_up(cell.left)}</font>'
        if cell.to in self.places:
            said += f'<a href="#{cell.to}" color="{ACCENT}">{self.places[cell.to]}</a>'
        return paragraph(said, size=size, colour=_COLOURS[cell.look], right=right)

    def _row(self, row: Row) -> "list[Flowable]":
        from reportlab.platypus import KeepTogether
        from reportlab.platypus import Table as Grid

        parts: list[Flowable] = []
        half = (self.width - 12) / 2
        for here in _lines(row.parts, half):
            if len(here) == 1 and _wide(here[0], half):
                parts += self._part(here[0], self.width)
                continue
            pair = [self._part(part, half) for part in here]
            cells = pair + [[]] * (2 - len(pair))
            style = [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 0),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
            ]
            parts.append(KeepTogether([Grid([cells], colWidths=[half + 6, half + 6], style=style, hAlign="LEFT")]))
        return [*parts, gap(4)]

    def _part(self, part: Figure | Photo, width: float) -> "list[Flowable]":
        if isinstance(part, Figure):
            caption = [written(part.caption, size=7.5, colour=SOFT)] if part.caption else []
            return [_plot(part.svg, width), *caption]
        return [
            photo(part.pixels, width, _PHOTO),
            written(part.title, size=7.5, bold=True),
            written(part.caption, size=7.5, colour=SOFT),
        ]


def _wide(part: Figure | Photo, half: float) -> bool:
    """Is it a plot that half a page would make unreadable?"""
    return isinstance(part, Figure) and size_of_svg(part.svg)[0] > 1.35 * half


def _lines(parts: Sequence[Figure | Photo], half: float) -> list[list[Figure | Photo]]:
    """Two to a line, wide plots alone."""
    lines: list[list[Figure | Photo]] = []
    for part in parts:
        if lines and len(lines[-1]) == 1 and not _wide(part, half) and not _wide(lines[-1][0], half):
            lines[-1].append(part)
        else:
            lines.append([part])
    return lines


def _plot(svg: str, width: float) -> "Flowable":
    from reportlab.platypus import Flowable

    wide, tall = size_of_svg(svg)
    scale = min(width / wide, (_PAGE if wide > width else _TALLEST) / tall, 1.0)

    class Plot(Flowable):  # type: ignore[misc, unused-ignore]
        def wrap(self, *_: float) -> tuple[float, float]:
            return wide * scale, tall * scale

        def draw(self) -> None:
            draw_svg(self.canv, svg, scale=scale)

    return Plot()

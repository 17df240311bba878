"""The same document as a PDF: page numbers, headings as bookmarks, a list of contents, the notice on every page.

Fonts and colours are those of the readable report (`results/pdf.py`): letters that the font inside has not got are
set in East Asian fonts for which PDF readers keep a stand-in. The same document always gives the same bytes.
"""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

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
from osler.results.pdf import counting_canvas, font_of, marked_up, one_line, register_fonts

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import Flowable

_INK, _SOFT, _LINE, _MARK = "#16202b", "#5a6775", "#d9dfe6", "#0b5c8a"
_MISSING, _SAID, _WARN_GROUND = "#8a5a00", "#1d6b3a", "#fff7e6"
_COLOURS = {"": _INK, "soft": _SOFT, "missing": _MISSING, "said": _SAID, "warning": _INK}
_MARGIN = 45.0  # points, 1/72 inch
_SIZES = {1: 15.0, 2: 11.5, 3: 9.5}  # of headings
_TALLEST = 230.0  # points, of a figure or photo
_PHOTO = 150.0  # points, of a picture of a case
_LONG = 700  # letters of a cell beyond which its row may be parted
_PAGE = 640.0  # points, of a figure that is as wide as the page


def render_pdf(document: Document) -> bytes:
    """The document's bytes."""
    from reportlab.lib.pagesizes import A4
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

    made = Booked(
        buffer,
        pagesize=A4,
        leftMargin=_MARGIN - 6,  # a frame keeps six points to itself on each side
        rightMargin=_MARGIN - 6,
        topMargin=54,
        bottomMargin=50,
        title=title,
        author=document.facts.get("Osler", ""),
        subject=document.notice,
        invariant=1,  # no clock and no chance in the bytes
        pageCompression=1,
    )
    frame = Frame(made.leftMargin, made.bottomMargin, made.width, made.height, id="all")
    made.addPageTemplates(PageTemplate(frames=[frame], onPage=lambda c, d: _furniture(document, c, d)))
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
            self._text(document.kicker.upper(), size=8, colour=_SOFT),
            self._text(document.title, size=19, bold=True, after=8),
            *self._table(Table(facts, (0.22, 0.78))),
            self._gap(6),
            self._boxed(self._text(document.notice, bold=True, colour="#ffffff"), "#12354a"),
            self._gap(8),
        ]

    def _contents(self) -> "list[Flowable]":
        from reportlab.lib.styles import ParagraphStyle
        from reportlab.platypus import TableStyle
        from reportlab.platypus.tableofcontents import TableOfContents

        contents = TableOfContents(dotsMinLevel=-1)
        contents.levelStyles = [
            ParagraphStyle("one", fontName=font_of(True), fontSize=9, leading=12.5, spaceBefore=3, textColor=_INK),
            ParagraphStyle(
                "two", fontName=font_of(False), fontSize=8.5, leading=11, leftIndent=14, textColor=_INK
            ),
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
        return [self._gap(12), self._text("Contents", size=11.5, bold=True, after=2), contents]

    def _heading(self, number: str, depth: int, section: Section) -> "list[Flowable]":
        from reportlab.platypus import CondPageBreak

        heading = self._text(
            f"{number}  {section.title}",
            size=_SIZES.get(depth, 9.0),
            bold=True,
            colour=_MARK if depth == 1 else _INK,
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
            said = self._text(block.text, size=9, colour=_COLOURS[block.look], after=4)
            return [self._boxed(said, _WARN_GROUND), self._gap(5)] if block.look == "warning" else [said]
        if isinstance(block, Bullets):
            return [self._text(f"•  {item}", size=9, after=2, indent=10) for item in block.items]
        if isinstance(block, Table):
            note = [self._text(block.note, size=7.5, colour=_SOFT, before=3, after=2)] if block.note else []
            return [*self._table(block), *note, self._gap(6)]
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
            parts.append(self._text(cells[0].text, size=8.5, bold=True, before=7, after=2))
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
                self._text(name, size=size - 0.5, bold=True, colour=_SOFT, right=column in table.numbers)
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
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
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
            said += f'{"<br/>" if said else ""}<font color="{_MISSING}">{marked_up(cell.left)}</font>'
        if cell.to in self.places:
            said += f'<a href="#{cell.to}" color="{_MARK}">{self.places[cell.to]}</a>'
        return self._lines(said, size=size, colour=_COLOURS[cell.look], right=right)

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
        return [*parts, self._gap(4)]

    def _part(self, part: Figure | Photo, width: float) -> "list[Flowable]":
        if isinstance(part, Figure):
            caption = [self._text(part.caption, size=7.5, colour=_SOFT)] if part.caption else []
            return [_plot(part.svg, width), *caption]
        return [
            _photo(part, width),
            self._text(part.title, size=7.5, bold=True),
            self._text(part.caption, size=7.5, colour=_SOFT),
        ]

    def _text(self, text: str, *, bold: bool = False, **looks: Any) -> "Any":
        said = "<br/>".join(marked_up(line, bold=bold) for line in text.split("\n"))
        return self._lines(said, bold=bold, **looks)

    def _lines(
        self,
        markup: str,
        *,
        size: float = 10,
        bold: bool = False,
        colour: str = _INK,
        before: float = 0,
        after: float = 0,
        right: bool = False,
        indent: float = 0,
    ) -> "Any":
        from reportlab.lib.styles import ParagraphStyle
        from reportlab.platypus import Paragraph as Lines

        style = ParagraphStyle(
            "text",
            fontName=font_of(bold),
            fontSize=size,
            leading=size * 1.35,
            textColor=colour,
            spaceBefore=before,
            spaceAfter=after,
            splitLongWords=1,
            alignment=2 if right else 0,
            leftIndent=indent,
            firstLineIndent=-indent,
        )
        return Lines(markup, style)

    def _boxed(self, part: "Flowable", ground: str) -> "Flowable":
        from reportlab.platypus import Table as Grid

        style = [
            ("BACKGROUND", (0, 0), (-1, -1), ground),
            ("LEFTPADDING", (0, 0), (-1, -1), 8),
            ("RIGHTPADDING", (0, 0), (-1, -1), 8),
            ("TOPPADDING", (0, 0), (-1, -1), 4),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
        ]
        return Grid([[part]], colWidths=[self.width], style=style, splitInRow=1, hAlign="LEFT")

    def _gap(self, points: float) -> "Flowable":
        from reportlab.platypus import Spacer

        return Spacer(1, points)


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


def _photo(photo: Photo, width: float) -> "Flowable":
    from PIL import Image as Pillow
    from reportlab.platypus import Image

    rows, columns = photo.pixels.shape[:2]
    scale = min(width / columns, _PHOTO / rows)
    buffer = io.BytesIO()
    Pillow.fromarray(np.ascontiguousarray(photo.pixels, dtype=np.uint8)).save(buffer, "PNG")
    buffer.seek(0)
    return Image(buffer, width=columns * scale, height=rows * scale, hAlign="LEFT")


def _furniture(document: Document, canvas: "Canvas", template: Any) -> None:
    """What every page carries: which model above, the notice below; the counting canvas adds the page."""
    from reportlab.lib.colors import HexColor

    width, height = template.pagesize
    canvas.saveState()
    canvas.setStrokeColor(HexColor(_LINE))
    canvas.line(_MARGIN, 38, width - _MARGIN, 38)
    canvas.setFillColor(HexColor(_SOFT))
    one_line(canvas, (_MARGIN, 27), document.notice, width - 2 * _MARGIN - 60)
    one_line(canvas, (_MARGIN, height - 34), document.running, width - 2 * _MARGIN)
    canvas.restoreState()

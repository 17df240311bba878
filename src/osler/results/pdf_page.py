"""What our PDF pages have in common: paper, colours, lines, boxes, pictures, and what stands on every page.

The same content always gives the same bytes: no clock and no chance goes in.
"""

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from osler.core.arrays import Array
from osler.results.pdf_fonts import font_for, font_of, marked_up
from osler.results.sentences import say

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import Flowable

INK, SOFT, LINE, ACCENT = "#16202b", "#5a6775", "#d9dfe6", "#0b5c8a"
WARN, WARN_GROUND, STOP, STOP_GROUND = "#8a5a00", "#fff7e6", "#8c1d18", "#fdf0ef"
YES, NO = "#8c1d18", "#1d6b3a"
NOTICE_GROUND = "#12354a"
MARGIN = 45.0  # points, 1/72 inch
_SMALL = 7.5  # points, the letters of what every page carries
_LEADING = 1.35  # from line to line, in sizes of the letters


def paper(title: str, author: str, subject: str) -> dict[str, Any]:
    """What a reportlab document is told: A4 with our margins, who made it, and no clock in the bytes."""
    from reportlab.lib.pagesizes import A4

    return {
        "pagesize": A4,
        "leftMargin": MARGIN - 6,  # a frame keeps six points to itself on each side
        "rightMargin": MARGIN - 6,
        "topMargin": 54,
        "bottomMargin": 50,
        "title": "".join(font_for(letter)[1] for letter in title),
        "author": author,
        "subject": subject,
        "creator": author,
        "invariant": 1,  # no clock and no chance in the bytes
        "pageCompression": 1,
    }


def paragraph(
    markup: str,
    *,
    size: float = 10,
    bold: bool = False,
    colour: str = INK,
    before: float = 0,
    after: float = 0,
    right: bool = False,
    indent: float = 0,
    keep: bool = False,
) -> "Any":
    """Lines of reportlab's markup.

    right   set against the right edge, as numbers are
    indent  points by which every line but the first stands in
    keep    on the page of what follows
    """
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph

    style = ParagraphStyle(
        "text",
        fontName=font_of(bold),
        fontSize=size,
        leading=size * _LEADING,
        textColor=colour,
        spaceBefore=before,
        spaceAfter=after,
        splitLongWords=1,
        alignment=2 if right else 0,
        leftIndent=indent,
        firstLineIndent=-indent,
        keepWithNext=keep,
    )
    return Paragraph(markup, style)


def written(text: str, *, bold: bool = False, **looks: Any) -> "Any":
    """A text, line by line, in fonts that have its letters; `looks` as for `paragraph`."""
    return paragraph("<br/>".join(marked_up(line, bold=bold) for line in text.split("\n")), bold=bold, **looks)


def boxed(
    parts: "Sequence[Flowable]", width: float, *, ground: str, above: float = 4, below: float = 5
) -> "Flowable":
    """A coloured box, a row for each part, so that a long box may go on on the next page."""
    from reportlab.platypus import Table

    style = [
        ("BACKGROUND", (0, 0), (-1, -1), ground),
        ("LEFTPADDING", (0, 0), (-1, -1), 8),
        ("RIGHTPADDING", (0, 0), (-1, -1), 8),
        ("TOPPADDING", (0, 0), (-1, -1), above),
        ("BOTTOMPADDING", (0, 0), (-1, -1), below),
    ]
    return Table([[part] for part in parts], colWidths=[width], style=style, splitInRow=1, hAlign="LEFT")


def gap(points: float) -> "Flowable":
    from reportlab.platypus import Spacer

    return Spacer(1, points)


def photo(pixels: Array, width: float, tallest: float) -> "Flowable":
    """(rows, columns, 3) uint8, as large as the column, or as a tall picture may be."""
    from PIL import Image as Pillow
    from reportlab.platypus import Image

    rows, columns = pixels.shape[:2]
    scale = min(width / columns, tallest / rows)
    buffer = io.BytesIO()
    Pillow.fromarray(np.ascontiguousarray(pixels, dtype=np.uint8)).save(buffer, "PNG")
    buffer.seek(0)
    return Image(buffer, width=columns * scale, height=rows * scale, hAlign="LEFT")


def colour_of(text: str) -> Any:
    from reportlab.lib.colors import HexColor

    return HexColor(text)


def furniture(canvas: "Canvas", template: Any, *, above: str, below: str) -> None:
    """What every page carries: a line above, a line below; the counting canvas adds the number of the page."""
    width, height = template.pagesize
    canvas.saveState()
    canvas.setStrokeColor(colour_of(LINE))
    canvas.line(MARGIN, 38, width - MARGIN, 38)
    canvas.setFillColor(colour_of(SOFT))
    one_line(canvas, (MARGIN, 27), below, width - 2 * MARGIN - 60)
    one_line(canvas, (MARGIN, height - 34), above, width - 2 * MARGIN)
    canvas.restoreState()


def one_line(canvas: "Canvas", at: tuple[float, float], text: str, width: float) -> None:
    """One line of any text, cut where it would leave the page."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    x, end = at[0], at[0] + width
    for letter in text[:200]:
        font, shown = font_for(letter)
        wide = stringWidth(shown, font, _SMALL)
        if x + wide > end:
            return
        canvas.setFont(font, _SMALL)
        canvas.drawString(x, at[1], shown)
        x += wide


def counting_canvas() -> Callable[..., "Canvas"]:
    """A canvas that writes "page of pages": the number of pages is known only at the end."""
    from reportlab.pdfbase.pdfmetrics import stringWidth
    from reportlab.pdfgen.canvas import Canvas

    class Counting(Canvas):  # type: ignore[misc, unused-ignore]
        def __init__(self, *words: Any, **named: Any) -> None:
            super().__init__(*words, **named)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 (reportlab's name)
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, state in enumerate(self._pages, start=1):
                self.__dict__.update(state)
                self.setFillColor(colour_of(SOFT))
                place = say("page.number", number=number, pages=len(self._pages))
                wide = sum(stringWidth(shown, font, _SMALL) for font, shown in map(font_for, place))
                one_line(self, (self._pagesize[0] - MARGIN - wide, 27), place, wide + 1)
                super().showPage()
            super().save()

    return Counting

"""A severity statement as a PDF on A4: the same words in the same order as the page, with lines to sign on."""

import functools
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osler.clinic.assessment import sheet
from osler.clinic.assessment.statement import SeverityStatement
from osler.core.report import ModelUse
from osler.io.files import replacing
from osler.results.pdf_fonts import register_fonts
from osler.results.pdf_page import (
    ACCENT,
    LINE,
    NOTICE_GROUND,
    SOFT,
    WARN,
    WARN_GROUND,
    boxed,
    colour_of,
    counting_canvas,
    furniture,
    gap,
    paper,
    photo,
    written,
)
from osler.results.sentences import say

if TYPE_CHECKING:
    from reportlab.platypus import Flowable

_INSIDE, _TRACK, _OTHER = "#e8f1f7", "#dfe5ea", "#a9bccb"
_TALLEST = 230.0  # points


def write_statement_pdf(statement: SeverityStatement, folder: Path) -> Path:
    """Write statement.pdf into `folder`. Raises NoRoom when the disk is full."""
    made, path = statement_to_pdf(statement), folder / "statement.pdf"
    with replacing(path) as beside:
        beside.write_bytes(made)
    return path


def statement_to_pdf(statement: SeverityStatement) -> bytes:
    """The document; the same statement always gives the same bytes."""
    from reportlab.platypus import SimpleDocTemplate

    register_fonts()
    buffer = io.BytesIO()
    title = say("assess.title", pseudonym=statement.request.pseudonym)
    document = SimpleDocTemplate(buffer, **paper(title, statement.software, say("assess.notice")))
    every = functools.partial(_furniture, above=title, below=f"{statement.software}. {say('page.notice')}")
    page = _Page(document.width - 12)
    document.build(page.all(statement), onFirstPage=every, onLaterPages=every, canvasmaker=counting_canvas())
    return buffer.getvalue()


def _furniture(canvas: Any, template: Any, *, above: str, below: str) -> None:
    furniture(canvas, template, above=above, below=below)


class _Page:
    """What stands on the pages, from the top to the bottom; `width` in points."""

    def __init__(self, width: float) -> None:
        self.width = width

    def all(self, statement: SeverityStatement) -> "list[Flowable]":
        parts = self._head(statement) + self._items(statement) + self._cautions(statement)
        parts += self._evidence(statement) + self._measured(statement) + self._function(statement)
        parts += self._rules(statement)
        parts += self._lines("assess.compared", sheet.change_lines(statement))
        parts += self._lines("assess.quality", sheet.quality_lines(statement))
        for model in statement.models:
            parts += self._model(model)
        return parts + self._decide() + self._foot(statement)

    def _head(self, statement: SeverityStatement) -> "list[Flowable]":
        pairs = [
            [written(name, size=8, colour=SOFT), written(value, size=9)]
            for name, value in sheet.header_lines(statement)
        ]
        half = -(-len(pairs) // 2)
        second = pairs[half:] + [["", ""]] * (2 * half - len(pairs))
        rows = [[*left, *right] for left, right in zip(pairs[:half], second, strict=True)]
        columns = (76, self.width / 2 - 76, 76, self.width / 2 - 76)
        notice = written(say("assess.notice"), bold=True, colour="#ffffff", size=9.5)
        return [
            written(say("assess.kicker").upper(), size=8, colour=SOFT),
            written(statement.request.pseudonym, size=18, bold=True, after=6),
            self._table(rows, columns, lines=False),
            gap(6),
            boxed([notice], self.width, ground=NOTICE_GROUND),
            gap(10),
        ]

    def _items(self, statement: SeverityStatement) -> "list[Flowable]":
        parts = [self._heading(say("assess.severity"))]
        for item in statement.items:
            one = sheet.graded(item)
            left = [
                written(one.title, bold=True),
                written(one.grade, size=17, bold=True, after=3),
                written(one.promise or one.said, size=9),
            ]
            right = self._bars(one.bars) if one.bars else ""
            parts += [self._table([[left, right]], (self.width * 0.46, self.width * 0.54), lines=False), gap(4)]
        parts += [written(f"• {line}", size=9, indent=8, after=2) for line in sheet.further(statement)]
        return [*parts, gap(8)]

    def _bars(self, bars: tuple[sheet.Bar, ...]) -> "list[Flowable]":
        from reportlab.graphics.shapes import Drawing, Rect
        from reportlab.platypus import Table

        rows: list[list[Any]] = []
        style: list[tuple[Any, ...]] = [
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ]
        style.append(("BOTTOMPADDING", (0, 0), (-1, -1), 1.5))
        wide = self.width * 0.54 - 150
        for number, bar in enumerate(bars):
            drawing = Drawing(wide, 8)
            drawing.add(Rect(0, 0, wide, 7, fillColor=colour_of(_TRACK), strokeColor=None))
            colour = colour_of(ACCENT if bar.told else _OTHER)
            drawing.add(Rect(0, 0, wide * min(max(bar.share, 0.0), 1.0), 7, fillColor=colour, strokeColor=None))
            rows.append(
                [
                    written(bar.name, size=8.5, bold=bar.told),
                    drawing,
                    written(f"{bar.share:.2f}", size=8.5, bold=bar.told, right=True),
                ]
            )
            if bar.inside:
                style.append(("BACKGROUND", (0, number), (-1, number), colour_of(_INSIDE)))
                style.append(("LINEBEFORE", (0, number), (0, number), 2.5, colour_of(ACCENT)))
        table = Table(rows, colWidths=(94, wide + 12, 38), style=style, hAlign="LEFT")
        return [table, written(say("assess.bars"), size=7.5, colour=SOFT, before=2)]

    def _cautions(self, statement: SeverityStatement) -> "list[Flowable]":
        if not statement.cautions:
            return []
        said = [written(say("page.cautions").upper(), size=8.5, bold=True, colour=WARN, after=2)]
        said += [written(f"• {one.what} {one.remedy}", size=8.5, indent=8) for one in statement.cautions]
        return [boxed(said, self.width, ground=WARN_GROUND, above=2, below=2), gap(10)]

    def _evidence(self, statement: SeverityStatement) -> "list[Flowable]":
        from reportlab.platypus import KeepTogether

        column = self.width / 3
        cells: list[list[Flowable]] = [
            [photo(one.pixels, column - 8, _TALLEST), written(one.title, size=7.5, colour=SOFT, before=2)]
            for one in statement.pictures
        ]
        said = [written(line, size=8.5, after=3) for line in sheet.reason_lines(statement)]
        heading = self._heading(say("assess.evidence"))
        if len(cells) in (1, 2):  # what is said of them stands beside them
            widths = (column,) * len(cells) + (column * (3 - len(cells)),)
            row = self._table([[*cells, said or ""]], widths, lines=False)
            return [KeepTogether([heading, row]), gap(8)]
        rows = [[*cells[n : n + 3], *[""] * (3 - len(cells[n : n + 3]))] for n in range(0, len(cells), 3)]
        parts: list[Flowable] = [self._table([row], (column,) * 3, lines=False) for row in rows]
        return [KeepTogether([heading, *parts[:1]]), *parts[1:], *said, gap(8)]

    def _measured(self, statement: SeverityStatement) -> "list[Flowable]":
        found = sheet.measured_rows(statement)
        if not found:
            return []
        words = ("structure", "measure", "value", "interval")
        rows = [[written(say(f"page.{word}"), size=8, colour=SOFT) for word in words]]
        rows += [[written(word, size=9) for word in row] for row in found]
        return [self._heading(say("page.measurements")), self._table(rows, self._in_four, header=True), gap(8)]

    @property
    def _in_four(self) -> tuple[float, ...]:
        return self.width * 0.3, self.width * 0.3, self.width * 0.2, self.width * 0.2

    def _function(self, statement: SeverityStatement) -> "list[Flowable]":
        if not statement.request.function:
            return []
        rows = [
            [written(one.name, size=9), written(one.value, size=9), written(one.source, size=9)]
            for one in statement.request.function
        ]
        third = self.width / 3
        return [
            self._heading(say("assess.function")),
            written(say("assess.function.mind"), size=8, colour=SOFT, after=2),
            self._table(rows, (third,) * 3),
            gap(8),
        ]

    def _rules(self, statement: SeverityStatement) -> "list[Flowable]":
        if not statement.conclusions:
            return []
        parts = [self._heading(say("assess.rules"))]
        for conclusion in statement.conclusions:
            rule = sheet.ruled(conclusion)
            title = f"{rule.title}: {rule.category}" if rule.category else rule.title
            rows = [[written(name, size=8, colour=SOFT), written(value, size=8.5)] for name, value in rule.rows]
            parts += [written(title, bold=True, keep=True), written(rule.said, size=9, after=2)]
            parts += [self._table(rows, (100, self.width - 100), lines=False)] if rows else []
            parts.append(gap(4))
        return [*parts, gap(4)]

    def _lines(self, title: str, lines: list[str]) -> "list[Flowable]":
        return [self._heading(say(title)), *[written(line, size=9, after=2) for line in lines], gap(8)]

    def _model(self, model: ModelUse) -> "list[Flowable]":
        unsaid = say("page.not_said")
        rows = [
            (say("page.sees"), [model.sees or unsaid]),
            (say("page.not_for"), [f"• {one}" for one in model.not_for] or [unsaid]),
            (say("page.tested"), [f"• {one}" for one in model.tested] or [say("page.untested")]),
            (say("page.digest"), [model.digest or unsaid]),
        ]
        cells = [
            [written(name, size=8, colour=SOFT), [written(line, size=8.5) for line in lines]]
            for name, lines in rows
        ]
        return [
            self._heading(say("assess.limits")),
            written(f"{model.name}, {say('page.version')} {model.version}", bold=True, after=2, keep=True),
            self._table(cells, (100, self.width - 100), lines=False),
            gap(8),
        ]

    def _decide(self) -> "list[Flowable]":
        from reportlab.platypus import KeepTogether, Table

        boxes = [f"\u2610 {say(f'assess.decide.{word}')}" for word in ("agree", "changed", "withheld")]
        line = ("LINEBELOW", (0, 0), (-1, -1), 0.7, colour_of(SOFT))
        top = ("VALIGN", (0, 0), (-1, -1), "TOP")
        flush = ("LEFTPADDING", (0, 0), (-1, -1), 0)
        reason = Table(
            [[written(say("assess.decide.reason"), size=7.5, colour=SOFT)]],
            colWidths=[self.width],
            rowHeights=[46],
            style=[line, top, flush],
        )
        names = (say("assess.decide.name"), say("page.sign.date"), say("page.sign.signature"))
        sign = Table(
            [[written(name, size=7.5, colour=SOFT) for name in names]],
            colWidths=[self.width * 0.44, self.width * 0.2, self.width * 0.36],
            rowHeights=[40],
            style=[line, top, flush],
        )
        third = self.width / 3
        parts = [
            self._heading(say("page.sign")),
            written(say("assess.decide"), size=9, after=3),
            self._table([[written(box, size=9.5) for box in boxes]], (third,) * 3, lines=False),
            reason,
            sign,
        ]
        return [KeepTogether(parts), gap(10)]

    def _foot(self, statement: SeverityStatement) -> "list[Flowable]":
        digests = f"{say('assess.evidence.digest')} {' '.join(statement.evidence)}"
        return [
            self._heading(say("assess.objection")),
            written(sheet.objection_line(statement), size=9, after=6),
            written(digests, size=7.5, colour=SOFT),
            written(f"{say('assess.uid')} {statement.uid}", size=7.5, colour=SOFT),
        ]

    def _heading(self, text: str) -> "Flowable":
        return written(text.upper(), size=8.5, bold=True, colour=SOFT, after=3, keep=True)

    def _table(
        self, rows: "list[list[Any]]", widths: tuple[float, ...], *, lines: bool = True, header: bool = False
    ) -> "Flowable":
        from reportlab.platypus import Table

        style: list[tuple[Any, ...]] = [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 6),
            ("TOPPADDING", (0, 0), (-1, -1), 1.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
        ]
        if lines:
            style.append(("LINEBELOW", (0, 0), (-1, -1), 0.5, colour_of(LINE)))
        return Table(rows, colWidths=widths, style=style, repeatRows=int(header), hAlign="LEFT")

"""The readable report as a PDF: the same words in the same order as the page (`html.py`), for paper and archives.

The same report always gives the same bytes. Letters that the font inside has not got are set in the East Asian
fonts for which PDF readers keep a stand-in (CID fonts: ISO 32000-1, 9.7.5.2), so that no name becomes boxes.
"""

import functools
import io
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from osler.core.arrays import Array
from osler.core.finding import Finding
from osler.core.report import NOT_A_DEVICE, ModelUse, Problem, Report
from osler.core.study import Study
from osler.io.files import replacing
from osler.results.html import header_lines, probability_bars, quantity_text
from osler.results.sentences import say

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import Flowable

_INK, _SOFT, _LINE, _ACCENT = "#16202b", "#5a6775", "#d9dfe6", "#0b5c8a"
_WARN, _WARN_GROUND, _STOP, _STOP_GROUND = "#8a5a00", "#fff7e6", "#8c1d18", "#fdf0ef"
_BAR_GROUND, _BAR_OTHER, _YES, _NO = "#e9edf1", "#a9bccb", "#8c1d18", "#1d6b3a"
_MARGIN = 45.0  # points, 1/72 inch
_LONGEST = 2000  # letters of one text: what a header may hold must not fill pages
_TALLEST_PICTURE = 300.0

# East Asian scripts -> the font that every reader has a stand-in for, and the encoding that tells what it holds.
_CID_FONTS = (
    ("HeiseiKakuGo-W5", "shift_jis", ("HIRAGANA", "KATAKANA")),
    ("HYGothic-Medium", "euc_kr", ("HANGUL",)),
    ("STSong-Light", "gbk", ("CJK", "FULLWIDTH", "IDEOGRAPHIC")),
    ("MSung-Light", "big5", ("CJK",)),
)


def write_pdf(report: Report, study: Study, folder: Path) -> tuple[Path, ...]:
    """Write report.pdf into `folder`. Raises NoRoom when the disk is full."""
    path = folder / "report.pdf"
    made = report_to_pdf(report)
    with replacing(path) as beside:
        beside.write_bytes(made)
    return (path,)


def report_to_pdf(report: Report) -> bytes:
    """The document. Whatever came from a file is escaped: a header may hold anything."""
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import SimpleDocTemplate

    register_fonts()
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=A4,
        leftMargin=_MARGIN - 6,  # a frame keeps six points to itself on each side
        rightMargin=_MARGIN - 6,
        topMargin=54,
        bottomMargin=50,
        title=say("page.title", study="".join(_font_for(letter, False)[1] for letter in report.study[:200])),
        author=report.software,
        subject=NOT_A_DEVICE,
        creator=report.software,
        invariant=1,  # no clock and no chance in the bytes
        pageCompression=1,
    )
    page = _Page(document.width - 12)
    on_page = functools.partial(_furniture, report)
    document.build(page.report(report), onFirstPage=on_page, onLaterPages=on_page, canvasmaker=counting_canvas())
    return buffer.getvalue()


class _Page:
    """What stands on the pages, from the top to the bottom; `width` in points."""

    def __init__(self, width: float) -> None:
        self.width = width

    def report(self, report: Report) -> "list[Flowable]":
        parts = self._head(report) + self._notice()
        parts += self._declined(report.declined) if report.declined else self._answer(report)
        parts += self._cautions(report.cautions)
        if not report.declined:
            parts += self._bars(report) + self._measurements(report) + self._pictures(report)
        for model in report.models:
            parts += self._model(model)
        return parts + self._foot(report)

    def _head(self, report: Report) -> "list[Flowable]":
        rows = [
            [self._text(name, size=8, colour=_SOFT), self._text(value)] for name, value in header_lines(report)
        ]
        return [
            self._text(say("page.kicker").upper(), size=8, colour=_SOFT),
            self._text(report.study, size=18, bold=True, after=8),
            self._table(rows, (110, self.width - 110), lines=False),
            self._gap(8),
        ]

    def _notice(self) -> "list[Flowable]":
        return [
            self._boxed([self._text(NOT_A_DEVICE, bold=True, colour="#ffffff")], ground="#12354a"),
            self._gap(10),
        ]

    def _declined(self, problems: Sequence[Problem]) -> "list[Flowable]":
        first = problems[0]
        said = [
            self._heading(say("page.declined"), _STOP),
            self._text(say("page.declined.lead"), size=13, bold=True, after=4),
            self._text(first.what, after=4),
            self._text(f"{say('page.what_to_do')}: {first.remedy}", bold=True),
        ]
        parts = [self._boxed(said, ground=_STOP_GROUND), self._gap(10)]
        if len(problems) > 1:
            rows = [
                [self._text(one.check.removeprefix("model "), bold=True), self._text(one.what)]
                for one in problems[1:]
            ]
            parts += [self._heading(say("page.why_each")), self._table(rows, (130, self.width - 130))]
            parts.append(self._gap(10))
        return parts

    def _answer(self, report: Report) -> "list[Flowable]":
        parts = [self._heading(say("page.answer"))]
        for finding in report.findings:
            tag = ""
            if finding.present is not None and finding.probability is not None:
                tag = say("page.present" if finding.present else "page.absent")
            parts.append(
                self._text(
                    finding.statement, size=12, after=4, tag=tag, tag_colour=_YES if finding.present else _NO
                )
            )
        return [*parts, self._gap(6)]

    def _cautions(self, cautions: Sequence[Problem]) -> "list[Flowable]":
        if not cautions:
            return []
        said = [self._heading(say("page.cautions"), _WARN)]
        said += [self._text(f"• {one.what} {one.remedy}", after=2) for one in cautions]
        return [self._boxed(said, ground=_WARN_GROUND), self._gap(10)]

    def _bars(self, report: Report) -> "list[Flowable]":
        from reportlab.platypus import KeepTogether

        parts: list[Flowable] = []
        for finding in report.findings:
            bars = probability_bars(finding)
            if bars:
                rows = [
                    [
                        self._text(bar["name"], bold=bar["first"], size=9),
                        _bar(bar["probability"], self.width - 260, _ACCENT if bar["first"] else _BAR_OTHER),
                        self._text(f"{bar['probability']:.2f}", bold=bar["first"], size=9),
                    ]
                    for bar in bars
                ]
                title = self._text(self._title_of(finding, report), bold=True, after=2)
                # A long scale may break over a page, its title stays with the first line.
                parts.append(KeepTogether([title, self._table(rows[:1], self._bar_widths, lines=False)]))
                if rows[1:]:
                    parts.append(self._table(rows[1:], self._bar_widths, lines=False))
                parts.append(self._gap(6))
        return [self._heading(say("page.findings")), *parts] if parts else []

    @property
    def _bar_widths(self) -> tuple[float, float, float]:
        return 200, self.width - 250, 50

    def _measurements(self, report: Report) -> "list[Flowable]":
        head = [
            self._text(say(f"page.{word}"), size=8, colour=_SOFT) for word in ("structure", "measure", "value")
        ]
        rows = [head]
        for finding in report.findings:
            for n, measured in enumerate(finding.measurements):
                title = self._title_of(finding, report) if n == 0 else ""
                rows.append(
                    [
                        self._text(title, bold=True),
                        self._text(measured.name),
                        self._text(quantity_text(measured.quantity)),
                    ]
                )
        if len(rows) == 1:
            return []
        table = self._table(rows, (170, self.width - 330, 160), header=True)
        return [self._heading(say("page.measurements")), table, self._gap(8)]

    def _pictures(self, report: Report) -> "list[Flowable]":
        if not report.key_pictures:
            return []
        from reportlab.platypus import KeepTogether

        parts: list[Flowable] = []
        half = (self.width - 12) / 2
        for n in range(0, len(report.key_pictures), 2):
            pair = report.key_pictures[n : n + 2]
            cells = [[_picture(one.pixels, half), self._text(one.title, size=8, colour=_SOFT)] for one in pair]
            cells += [[]] * (2 - len(cells))
            parts.append(self._table([cells], (half + 6, half + 6), lines=False))
        first = KeepTogether([self._heading(say("page.pictures")), parts[0]])
        return [first, *parts[1:], self._gap(8)]

    def _model(self, model: ModelUse) -> "list[Flowable]":
        rows = [(say("page.sees"), [model.sees or say("page.not_said")])]
        if model.not_for:
            rows.append((say("page.not_for"), [f"• {limit}" for limit in model.not_for]))
        tested = [f"• {test}" for test in model.tested] or [say("page.untested")]
        rows += [
            (say("page.tested"), tested),
            (say("page.licence"), [model.licence or say("page.not_said")]),
            (say("page.digest"), [model.digest or say("page.not_said")]),
        ]
        cells = [
            [self._text(name, size=8, colour=_SOFT), [self._text(line, size=9) for line in lines]]
            for name, lines in rows
        ]
        from reportlab.platypus import CondPageBreak

        return [
            CondPageBreak(140),
            self._heading(say("page.model")),
            self._text(f"{model.name}, {say('page.version')} {model.version}", bold=True, after=2),
            self._table(cells, (110, self.width - 110), lines=False),
            self._gap(6),
        ]

    def _foot(self, report: Report) -> "list[Flowable]":
        stages = [f"{say(f'stage.{stage}')} {seconds:.2f} s" for stage, seconds in report.seconds]
        total = f"{say('page.total')} {sum(seconds for _, seconds in report.seconds):.2f} s"
        return [self._text(f"{say('page.times')}: {', '.join([*stages, total])}", size=8, colour=_SOFT)]

    def _title_of(self, finding: Finding, report: Report) -> str:
        if len({one.picture for one in report.findings}) < 2:
            return finding.name
        return f"{say('picture.numbered', number=finding.picture + 1, side='')}: {finding.name}"

    def _heading(self, text: str, colour: str = _SOFT) -> "Flowable":
        return self._text(text.upper(), size=8.5, bold=True, colour=colour, after=4, keep=True)

    def _text(
        self,
        text: str,
        *,
        size: float = 10,
        bold: bool = False,
        colour: str = _INK,
        after: float = 0,
        keep: bool = False,
        tag: str = "",
        tag_colour: str = "",
    ) -> "Flowable":
        from reportlab.lib.styles import ParagraphStyle
        from reportlab.platypus import Paragraph

        style = ParagraphStyle(
            "text",
            fontName=font_of(bold),
            fontSize=size,
            leading=size * 1.35,
            textColor=colour,
            spaceAfter=after,
            splitLongWords=1,
            keepWithNext=keep,
        )
        said = marked_up(_short(text), bold=bold)
        if tag:
            said += f' <font size="8" color="{tag_colour}">[{escape(tag)}]</font>'
        return Paragraph(said, style)

    def _table(
        self, rows: Sequence[Sequence[Any]], widths: Sequence[float], *, lines: bool = True, header: bool = False
    ) -> "Flowable":
        from reportlab.platypus import Table

        style: list[tuple[Any, ...]] = [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 6),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
        ]
        if lines:
            style.append(("LINEBELOW", (0, 0), (-1, -1), 0.5, _LINE))
        return Table(
            list(rows), colWidths=list(widths), style=style, repeatRows=int(header), splitInRow=1, hAlign="LEFT"
        )

    def _boxed(self, parts: "Sequence[Flowable]", *, ground: str) -> "Flowable":
        from reportlab.platypus import Table

        style = [
            ("BACKGROUND", (0, 0), (-1, -1), ground),
            ("LEFTPADDING", (0, 0), (-1, -1), 8),
            ("RIGHTPADDING", (0, 0), (-1, -1), 8),
            ("TOPPADDING", (0, 0), (-1, -1), 3),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ]
        # A row each, so that a long box may go on on the next page.
        return Table([[part] for part in parts], colWidths=[self.width], style=style, splitInRow=1, hAlign="LEFT")

    def _gap(self, points: float) -> "Flowable":
        from reportlab.platypus import Spacer

        return Spacer(1, points)


def marked_up(text: str, *, bold: bool = False) -> str:
    """A text as reportlab's paragraph markup: escaped, each run of letters in a font that has them.

    Letters that no font has become the replacement character, never nothing.
    """
    runs: list[tuple[str, list[str]]] = []
    for letter in unicodedata.normalize("NFC", text):
        font, shown = _font_for(letter, bold)
        if not runs or runs[-1][0] != font:
            runs.append((font, []))
        runs[-1][1].append(shown)
    return "".join(f'<font name="{font}">{escape("".join(letters))}</font>' for font, letters in runs)


def _font_for(letter: str, bold: bool) -> tuple[str, str]:
    """(font, the letter or what stands for it)"""
    plain = font_of(bold)
    if letter.isspace() or unicodedata.category(letter) in ("Cc", "Cf", "Cs"):
        return plain, " " if letter.isspace() else ""
    if ord(letter) in _letters(plain):
        return plain, letter
    script = unicodedata.name(letter, "")
    for font, encoding, scripts in _CID_FONTS:
        if ord(letter) < 0x10000 and script.startswith(scripts) and _holds(encoding, letter):
            return font, letter
    return plain, "\ufffd"


def _holds(encoding: str, letter: str) -> bool:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def font_of(bold: bool) -> str:
    """The name of the font that `register_fonts` gives a page."""
    return "DejaVuSans-Bold" if bold else "DejaVuSans"


@functools.cache
def _letters(font: str) -> frozenset[int]:
    from reportlab.pdfbase import pdfmetrics

    return frozenset(pdfmetrics.getFont(font).face.charToGlyph)


@functools.cache
def register_fonts() -> None:
    """DejaVu, which matplotlib brings along: Latin, Greek, Cyrillic, and the signs of measurements."""
    from matplotlib import get_data_path
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.ttfonts import TTFont

    fonts = Path(get_data_path()) / "fonts" / "ttf"
    for name in (font_of(False), font_of(True)):
        pdfmetrics.registerFont(TTFont(name, fonts / f"{name}.ttf"))
    pdfmetrics.registerFontFamily(font_of(False), normal=font_of(False), bold=font_of(True))
    for name, _, _ in _CID_FONTS:
        pdfmetrics.registerFont(UnicodeCIDFont(name))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _bar(probability: float, width: float, colour: str) -> "Flowable":
    from reportlab.graphics.shapes import Drawing, Rect

    drawing = Drawing(width, 9)
    share = min(max(probability, 0.0), 1.0) if probability == probability else 0.0  # a NaN is drawn as nothing
    drawing.add(Rect(0, 0, width, 7, fillColor=_colour(_BAR_GROUND), strokeColor=None))
    drawing.add(Rect(0, 0, width * share, 7, fillColor=_colour(colour), strokeColor=None))
    return drawing


def _colour(text: str) -> Any:
    from reportlab.lib.colors import HexColor

    return HexColor(text)


def _picture(pixels: Array, width: float) -> "Flowable":
    """(rows, columns, 3) uint8, as large as the column, or as a tall picture may be."""
    from PIL import Image as Pillow
    from reportlab.platypus import Image

    rows, columns = pixels.shape[:2]
    scale = min(width / columns, _TALLEST_PICTURE / rows)
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, "PNG")
    buffer.seek(0)
    return Image(buffer, width=columns * scale, height=rows * scale, hAlign="LEFT")


def _furniture(report: Report, canvas: "Canvas", document: Any) -> None:
    """What every page carries: the study above, the notice below."""
    width, height = document.pagesize
    canvas.saveState()
    canvas.setStrokeColor(_colour(_LINE))
    canvas.line(_MARGIN, 38, width - _MARGIN, 38)
    canvas.setFillColor(_colour(_SOFT))
    canvas.setFont(font_of(False), 7.5)
    canvas.drawString(_MARGIN, 27, f"{report.software}. {NOT_A_DEVICE}")
    one_line(canvas, (_MARGIN, height - 34), report.study, width - 2 * _MARGIN)
    canvas.restoreState()


def one_line(canvas: "Canvas", at: tuple[float, float], text: str, width: float) -> None:
    """One line of any text, cut where it would leave the page."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    x, end = at[0], at[0] + width
    for letter in text[:200]:
        font, shown = _font_for(letter, False)
        wide = stringWidth(shown, font, 7.5)
        if x + wide > end:
            return
        canvas.setFont(font, 7.5)
        canvas.drawString(x, at[1], shown)
        x += wide


def counting_canvas() -> Callable[..., "Canvas"]:
    """A canvas that writes "page of pages": the number of pages is known only at the end."""
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
                self.setFont(font_of(False), 7.5)
                self.setFillColor(_colour(_SOFT))
                place = say("page.number", number=number, pages=len(self._pages))
                self.drawRightString(self._pagesize[0] - _MARGIN, 27, place)
                super().showPage()
            super().save()

    return Counting

"""The readable report as a PDF: the same words in the same order as the page (`html.py`), for paper and archives.

The same report always gives the same bytes.
"""

import functools
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osler.core.conclusion import Conclusion
from osler.core.report import KeyPicture, ModelUse, Problem, Report
from osler.core.study import Study
from osler.io.files import replacing
from osler.results.page_lines import (
    URGENT,
    Measured,
    header_lines,
    is_large,
    measured,
    probability_bars,
    rests_on,
    title_of,
)
from osler.results.pdf_fonts import marked_up, register_fonts
from osler.results.pdf_page import (
    ACCENT,
    INK,
    LINE,
    NO,
    NOTICE_GROUND,
    SOFT,
    STOP,
    STOP_GROUND,
    WARN,
    WARN_GROUND,
    YES,
    boxed,
    colour_of,
    counting_canvas,
    furniture,
    gap,
    paper,
    paragraph,
    photo,
)
from osler.results.sentences import in_its_language, joined, listed, phrase, say

if TYPE_CHECKING:
    from reportlab.platypus import Flowable

_BAR_GROUND, _BAR_OTHER = "#e9edf1", "#a9bccb"
_LONGEST = 2000  # letters of one text: what a header may hold must not fill pages
_TALLEST_PICTURE = 230.0  # points, 1/72 inch
_CATEGORY = 84.0  # points, the column of categories
_TOGETHER = 12  # bars that no page parts


def write_pdf(report: Report, study: Study, folder: Path) -> tuple[Path, ...]:
    """Write report.pdf into `folder`. Raises NoRoom when the disk is full."""
    path = folder / "report.pdf"
    made = report_to_pdf(report)
    with replacing(path) as beside:
        beside.write_bytes(made)
    return (path,)


@in_its_language
def report_to_pdf(report: Report) -> bytes:
    """The document. Whatever came from a file is escaped: a header may hold anything."""
    from reportlab.platypus import SimpleDocTemplate

    register_fonts()
    buffer = io.BytesIO()
    title = say("page.title", study=report.study[:200])
    document = SimpleDocTemplate(buffer, **paper(title, report.software, say("page.notice")))
    page = _Page(report, document.width - 12)
    below = f"{report.software}. {say('page.notice')}"
    on_page = functools.partial(furniture, above=report.study, below=below)
    document.build(page.all(), onFirstPage=on_page, onLaterPages=on_page, canvasmaker=counting_canvas())
    return buffer.getvalue()


class _Page:
    """What stands on the pages, from the top to the bottom; `width` in points."""

    def __init__(self, report: Report, width: float) -> None:
        self.report, self.width = report, width

    def all(self) -> "list[Flowable]":
        report = self.report
        parts = self._head() + self._notice() + self._priority()
        parts += self._declined(report.declined) if report.declined else self._answer()
        parts += self._conclusions()
        if not report.declined:
            parts += self._bars()
            parts += self._measurements(say("page.compared"), measured(report, compared=True))
            parts += self._measurements(say("page.measurements"), measured(report, compared=False))
        parts += self._cautions(report.cautions)
        if not report.declined:
            parts += self._pictures() + self._reasons()
        for model in report.models:
            parts += self._model(model)
        parts += [] if report.declined else self._sign()
        return parts + self._foot()

    def _head(self) -> "list[Flowable]":
        rows = [[_said(name, size=8, colour=SOFT), _said(value)] for name, value in header_lines(self.report)]
        return [
            _said(say("page.kicker").upper(), size=8, colour=SOFT),
            _said(self.report.study, size=18, bold=True, after=8),
            _table(rows, (110, self.width - 110), lines=False),
            gap(8),
        ]

    def _notice(self) -> "list[Flowable]":
        return [
            self._boxed([_said(say("page.notice"), bold=True, colour="#ffffff")], ground=NOTICE_GROUND),
            gap(10),
        ]

    def _priority(self) -> "list[Flowable]":
        if self.report.priority is None:
            return []
        from reportlab.platypus import Table

        priority = self.report.priority
        word = _said(say(f"page.priority.{priority.urgency}"), bold=True, colour="#ffffff")
        because = [
            _said(say("join.pair", name=say("page.priority"), said=priority.because)),
            _said(say("page.priority.mind"), size=8, colour=SOFT),
        ]
        style = [
            ("BACKGROUND", (0, 0), (0, 0), colour_of(URGENT[priority.urgency])),
            ("BOX", (0, 0), (-1, -1), 0.7, colour_of(URGENT[priority.urgency])),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ]
        widths = [_CATEGORY, self.width - _CATEGORY]
        return [Table([[word, because]], colWidths=widths, style=style, splitInRow=1, hAlign="LEFT"), gap(10)]

    def _declined(self, problems: Sequence[Problem]) -> "list[Flowable]":
        first = problems[0]
        said = [
            _heading(say("page.declined"), STOP),
            _said(say("page.declined.lead"), size=13, bold=True, after=4),
            _said(first.what, after=4),
            _said(say("join.pair", name=say("page.what_to_do"), said=first.remedy), bold=True),
        ]
        parts = [self._boxed(said, ground=STOP_GROUND), gap(10)]
        if len(problems) > 1:
            rows = [[_said(one.check.removeprefix("model "), bold=True), _said(one.what)] for one in problems[1:]]
            parts += [_heading(say("page.why_each")), _table(rows, (130, self.width - 130))]
            parts.append(gap(10))
        return parts

    def _answer(self) -> "list[Flowable]":
        parts = [_heading(say("page.answer"))]
        size = 12 if len(self.report.findings) <= 4 else 10
        for finding in self.report.findings:
            tag = ""
            if finding.present is not None and finding.probability is not None:
                tag = say("page.present" if finding.present else "page.absent")
            tag_colour = YES if finding.present else NO
            parts.append(_said(finding.statement, size=size, after=4, tag=tag, tag_colour=tag_colour))
        if self.report.cautions:
            said = say("page.points", count=len(self.report.cautions))
            parts.append(_said(said, size=9, bold=True, colour=WARN, after=2))
        return [*parts, gap(6)]

    def _conclusions(self) -> "list[Flowable]":
        from reportlab.platypus import CondPageBreak

        used = [one for one in self.report.conclusions if not one.refused]
        refused = [one for one in self.report.conclusions if one.refused]
        parts: list[Flowable] = []
        for one in [*used, *refused]:
            parts += [CondPageBreak(90), self._conclusion(one)]
        return [CondPageBreak(120), _heading(say("page.follows")), *parts, gap(8)] if parts else []

    def _conclusion(self, one: Conclusion) -> "Flowable":
        """The category at the left, what is said of it at the right, in rows that may part at a page's foot."""
        from reportlab.platypus import Table

        colour = SOFT if one.refused else ACCENT
        word = say("page.refused") if one.refused else one.category
        size = 20 if is_large(word) and not one.refused else 9
        first = [_said(one.title, size=10.5, bold=True, after=3), _said(one.refused or one.statement)]
        said: list[Any] = [first]
        if not one.refused:
            if one.advice:
                said.append(_said(say("join.pair", name=say("page.advice"), said=one.advice), bold=True))
            if one.nearby:
                said.append(_said(say("join.pair", name=say("page.nearby"), said=listed(one.nearby)), colour=WARN))
            if one.grounds:
                said.append(self._grounds(one))
        small = [] if one.refused else [("page.rests_on", listed(rests_on(self.report, one.findings)))]
        small += [] if one.refused else [("page.rule", one.rule), ("page.source", one.source)]
        notes = [say("join.pair", name=say(key), said=text) for key, text in small if text]
        notes.append(say("page.versioned", name=one.guideline, version=phrase(one.version)))
        said += [_said(note, size=7.5, colour=SOFT) for note in notes]
        rows: list[list[Any]] = [["", part] for part in said]
        rows[0][0] = _said(word, size=size, bold=True, colour=colour)
        style = [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 6),
            ("TOPPADDING", (0, 0), (-1, -1), 1),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
            ("LINEABOVE", (0, 0), (-1, 0), 0.5, LINE),
            ("TOPPADDING", (0, 0), (-1, 0), 5),
            ("BOTTOMPADDING", (0, -1), (-1, -1), 6),
        ]
        return Table(rows, colWidths=[_CATEGORY, self.width - _CATEGORY], style=style, splitInRow=1, hAlign="LEFT")

    def _grounds(self, one: Conclusion) -> "Flowable":
        width = self.width - _CATEGORY - 6
        told = [(ground.name, ground.value, ground.of) for ground in one.grounds]
        # What everything came from is a column only where it is said of something.
        columns = 3 if any(of for *_, of in told) else 2
        names = ("page.grounds", "page.value", "page.from")[:columns]
        head = [_said(say(key), size=7.5, colour=SOFT) for key in names]
        rows = [[_said(word, size=8.5) for word in words[:columns]] for words in told]
        shares = (0.36, 0.3, 0.34) if columns == 3 else (0.45, 0.55)
        return _table([head, *rows], [width * share for share in shares], header=True)

    def _bars(self) -> "list[Flowable]":
        from reportlab.platypus import KeepTogether

        parts: list[Flowable] = []
        for finding in self.report.findings:
            bars = probability_bars(finding)
            if bars:
                rows = [
                    [
                        _said(bar["name"], bold=bar["first"], size=9),
                        _bar(bar["probability"], self.width - 260, ACCENT if bar["first"] else _BAR_OTHER),
                        _said(f"{bar['probability']:.2f}", bold=bar["first"], size=9),
                    ]
                    for bar in bars
                ]
                title = _said(title_of(finding, self.report), bold=True, after=2)
                # A long scale may break over a page, its title stays with the first lines.
                kept = [title, _table(rows[:_TOGETHER], self._bar_widths, lines=False)]
                parts.append(KeepTogether(kept))
                if rows[_TOGETHER:]:
                    parts.append(_table(rows[_TOGETHER:], self._bar_widths, lines=False))
                parts.append(gap(6))
        return [_heading(say("page.findings")), *parts] if parts else []

    @property
    def _bar_widths(self) -> tuple[float, float, float]:
        return 200, self.width - 250, 50

    def _measurements(self, heading: str, groups: Sequence[Measured]) -> "list[Flowable]":
        """A table with a row for each measurement; no page parts the first of a finding from its name."""
        from reportlab.platypus import CondPageBreak

        if not groups:
            return []
        widths = (self.width - 240, 110, 130)
        head = [
            _said(say(f"page.{word}"), size=8, colour=SOFT, right=n > 0)
            for n, word in enumerate(("measure", "value", "interval"))
        ]
        parts: list[Flowable] = [CondPageBreak(110), _heading(heading), _table([head], widths)]
        for group in groups:
            where = (
                f' <font size="8" color="{SOFT}">{marked_up(_short(group.where))}</font>' if group.where else ""
            )
            title = f"{marked_up(_short(group.title), bold=True)} {where}"
            parts += [CondPageBreak(50), paragraph(title, size=9.5, before=4, after=1, keep=True)]
            parts.append(
                _table(
                    [
                        [_said(name, size=9), _said(value, size=9, right=True), _said(ends, size=9, right=True)]
                        for name, value, ends in group.rows
                    ],
                    widths,
                )
            )
        return [*parts, gap(10)]

    def _cautions(self, cautions: Sequence[Problem]) -> "list[Flowable]":
        if not cautions:
            return []
        said = [_heading(say("page.cautions"), WARN)]
        said += [_said(f"• {joined(one.what, one.remedy)}", after=2) for one in cautions]
        return [self._boxed(said, ground=WARN_GROUND), gap(10)]

    def _pictures(self) -> "list[Flowable]":
        mapped = {n for reason in self.report.reasons for n in reason.pictures}
        left = [one for n, one in enumerate(self.report.key_pictures) if n not in mapped]
        if not left:
            return []
        from reportlab.platypus import KeepTogether

        rows = self._pairs(left)
        return [KeepTogether([_heading(say("page.pictures")), rows[0]]), *rows[1:], gap(8)]

    def _pairs(self, pictures: Sequence[KeyPicture]) -> "list[Flowable]":
        """Two pictures beside each other, their titles below."""
        half = (self.width - 12) / 2
        rows: list[Flowable] = []
        for n in range(0, len(pictures), 2):
            pair = pictures[n : n + 2]
            cells: list[list[Flowable]] = [
                [photo(one.pixels, half, _TALLEST_PICTURE), _said(one.title, size=8, colour=SOFT)] for one in pair
            ]
            cells += [[]] * (2 - len(cells))
            rows.append(_table([cells], (half + 6, half + 6), lines=False))
        return rows

    def _reasons(self) -> "list[Flowable]":
        if not self.report.reasons:
            return []
        from reportlab.platypus import CondPageBreak, KeepTogether

        parts: list[Flowable] = []
        for reason in self.report.reasons:
            said = _said(say("join.pair", name=say(f"why.way.{reason.way}"), said=reason.statement), after=6)
            rows = self._pairs([self.report.key_pictures[n] for n in reason.pictures])
            parts += [*rows[:-1], KeepTogether([*rows[-1:], said])]
        mind = _said(say("why.mind"), size=9, colour=SOFT, after=6)
        return [CondPageBreak(120), _heading(say("page.why")), mind, *parts, gap(8)]

    def _model(self, model: ModelUse) -> "list[Flowable]":
        rows = [(say("page.sees"), [model.sees or say("page.not_said")])]
        if model.not_for:
            rows.append((say("page.not_for"), [f"• {limit}" for limit in model.not_for]))
        if not model.given:
            tested = [f"• {test}" for test in model.tested] or [say("page.untested")]
            rows += [
                (say("page.tested"), tested),
                (say("page.licence"), [model.licence or say("page.not_said")]),
            ]
        rows.append((say("page.digest"), [model.digest or say("page.not_said")]))
        cells = [
            [_said(name, size=8, colour=SOFT), [_said(line, size=9) for line in lines]] for name, lines in rows
        ]
        from reportlab.platypus import CondPageBreak

        versioned = say("page.versioned", name=model.name, version=model.version)
        named = model.name if model.given else versioned
        return [
            CondPageBreak(140),
            _heading(say("page.model")),
            _said(named, bold=True, after=2),
            _table(cells, (110, self.width - 110), lines=False),
            gap(6),
        ]

    def _sign(self) -> "list[Flowable]":
        """Where the person who decides writes: agreed or not, what was changed, name, date, signature."""
        from reportlab.platypus import KeepTogether, Table

        words = ("agree", "changed", "not_agreed")
        choices = Table(
            [[part for word in words for part in (_empty_box(), _said(say(f"page.sign.{word}")))]],
            colWidths=[18, self.width / 3 - 18] * 3,
            style=[("LEFTPADDING", (0, 0), (-1, -1), 0), ("BOTTOMPADDING", (0, 0), (-1, -1), 4)],
            hAlign="LEFT",
        )
        lines = [
            self._line((say("page.sign.remarks"),), (self.width,)),
            self._line(
                tuple(say(f"page.sign.{word}") for word in ("name", "date", "signature")),
                (self.width * 0.4, self.width * 0.2, self.width * 0.4),
            ),
        ]
        unsigned = _said(say("page.sign.unsigned"), bold=True, colour=STOP, after=6)
        return [KeepTogether([gap(6), _heading(say("page.sign")), unsigned, choices, *lines, gap(14)])]

    def _line(self, names: tuple[str, ...], widths: tuple[float, ...]) -> "Flowable":
        """Lines to write on, their names below; a narrow column parts each from the next."""
        from reportlab.platypus import Table

        cells: list[Any] = []
        columns: list[float] = []
        style: list[tuple[Any, ...]] = [("LEFTPADDING", (0, 0), (-1, -1), 0), ("TOPPADDING", (0, 0), (-1, -1), 1)]
        for n, (word, width) in enumerate(zip(names, widths, strict=True)):
            cells += [_said(word, size=7.5, colour=SOFT), ""]
            columns += [width - 14, 14]
            style.append(("LINEABOVE", (2 * n, 0), (2 * n, 0), 0.7, INK))
        return Table([cells], colWidths=columns, style=style, spaceBefore=26, hAlign="LEFT")

    def _foot(self) -> "list[Flowable]":
        taken = self.report.seconds
        stages = [f"{say(f'stage.{stage}')} {seconds:.2f} s" for stage, seconds in taken]
        total = f"{say('page.total')} {sum(seconds for _, seconds in taken):.2f} s"
        said = say("join.pair", name=say("page.times"), said=listed([*stages, total]))
        return [_said(said, size=8, colour=SOFT)]

    def _boxed(self, parts: "Sequence[Flowable]", *, ground: str) -> "Flowable":
        return boxed(parts, self.width, ground=ground, above=3, below=3)


def _heading(text: str, colour: str = SOFT) -> "Flowable":
    return _said(text.upper(), size=8.5, bold=True, colour=colour, after=4, keep=True)


def _said(text: str, *, tag: str = "", tag_colour: str = "", bold: bool = False, **looks: Any) -> "Flowable":
    """One text on one line after the other; `tag` in small letters after it."""
    said = marked_up(_short(text), bold=bold)
    if tag:
        said += f' <font size="8" color="{tag_colour}">[{marked_up(tag)}]</font>'
    return paragraph(said, bold=bold, **looks)


def _table(
    rows: Sequence[Sequence[Any]], widths: Sequence[float], *, lines: bool = True, header: bool = False
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
        style.append(("LINEBELOW", (0, 0), (-1, -1), 0.5, LINE))
    return Table(
        list(rows), colWidths=list(widths), style=style, repeatRows=int(header), splitInRow=1, hAlign="LEFT"
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _bar(probability: float, width: float, colour: str) -> "Flowable":
    from reportlab.graphics.shapes import Drawing, Rect

    drawing = Drawing(width, 9)
    share = min(max(probability, 0.0), 1.0) if probability == probability else 0.0  # a NaN is drawn as nothing
    drawing.add(Rect(0, 0, width, 7, fillColor=colour_of(_BAR_GROUND), strokeColor=None))
    drawing.add(Rect(0, 0, width * share, 7, fillColor=colour_of(colour), strokeColor=None))
    return drawing


def _empty_box() -> "Flowable":
    """To tick: no font here has a box that is large enough."""
    from reportlab.graphics.shapes import Drawing, Rect

    drawing = Drawing(12, 12)
    drawing.add(Rect(0.5, 0, 10, 10, fillColor=None, strokeColor=colour_of(INK), strokeWidth=0.9))
    return drawing

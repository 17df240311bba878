"""A report as one page: it needs no other file, no network and no script."""

from pathlib import Path

from osler.core.report import Report
from osler.core.study import Study
from osler.io.files import replacing
from osler.results.page_lines import (
    URGENT,
    header_lines,
    is_large,
    measured,
    probability_bars,
    rests_on,
    title_of,
)
from osler.results.pictures import as_data_uri
from osler.results.sentences import in_its_language, listed, phrase, say


def write_html(report: Report, path: Path) -> Path:
    """Write the page to `path`. Raises NoRoom when the disk is full."""
    page = report_to_html(report)
    with replacing(path) as beside:
        beside.write_text(page, encoding="utf-8", errors="replace")
    return path


def write_report_html(report: Report, study: Study, folder: Path) -> tuple[Path, ...]:
    """Write report.html into `folder`. Raises NoRoom when the disk is full."""
    return (write_html(report, folder / "report.html"),)


@in_its_language
def report_to_html(report: Report) -> str:
    """The page in the language of the report. Whatever came from a file is escaped: a header may hold anything."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    rooms = Environment(
        loader=PackageLoader("osler.results"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    shown = [(picture.title, as_data_uri(picture.pixels)) for picture in report.key_pictures]
    mapped = {n for reason in report.reasons for n in reason.pictures}
    rooms.filters["title_of"] = lambda finding: title_of(finding, report)
    rooms.filters["share"] = lambda p: f"{100 * p:.1f}%"
    rooms.filters["is_large"] = is_large
    rooms.filters["listed"] = listed
    rooms.filters["phrase"] = phrase
    page = rooms.get_template("report.html").render(
        report=report,
        say=say,
        header=header_lines(report),
        urgent=URGENT,
        used=[(one, rests_on(report, one.findings)) for one in report.conclusions if not one.refused],
        refused=[one for one in report.conclusions if one.refused],
        pictures=[shown[n] for n in range(len(shown)) if n not in mapped],
        shown=shown,
        compared=measured(report, compared=True),
        measured=measured(report, compared=False),
        bars=[(finding, bars) for finding in report.findings if (bars := probability_bars(finding))],
        stages=[(say(f"stage.{stage}"), seconds) for stage, seconds in report.seconds],
        total=sum(seconds for _, seconds in report.seconds),
    )
    return str(page)

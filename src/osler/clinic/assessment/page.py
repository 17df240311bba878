"""A severity statement as one page: it needs no other file, no network and no script, and prints on A4."""

from pathlib import Path

from osler.clinic.assessment import sheet
from osler.clinic.assessment.statement import SeverityStatement
from osler.io.files import replacing
from osler.results.pictures import as_data_uri
from osler.results.sentences import current, say


def write_statement_html(statement: SeverityStatement, folder: Path) -> Path:
    """Write statement.html into `folder`. Raises NoRoom when the disk is full."""
    page, path = statement_to_html(statement), folder / "statement.html"
    with replacing(path) as beside:
        beside.write_text(page, encoding="utf-8")
    return path


def statement_to_html(statement: SeverityStatement) -> str:
    """The page as text. Whatever came from a file or a request is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    rooms = Environment(
        loader=PackageLoader("osler.clinic.assessment"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    rooms.filters["share"] = lambda p: f"{100 * p:.1f}%"
    page = rooms.get_template("statement.html").render(
        statement=statement,
        say=say,
        language=current(),
        device=say("page.notice"),
        header=sheet.header_lines(statement),
        items=[sheet.graded(item) for item in statement.items],
        further=sheet.further(statement),
        reasons=sheet.reason_lines(statement),
        measured=sheet.measured_rows(statement),
        ruled=[sheet.ruled(one) for one in statement.conclusions],
        changes=sheet.change_lines(statement),
        quality=sheet.quality_lines(statement),
        objection=sheet.objection_line(statement),
        pictures=[(picture.title, as_data_uri(picture.pixels)) for picture in statement.pictures],
    )
    return str(page)

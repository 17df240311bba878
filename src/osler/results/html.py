"""A report as one page: it needs no other file, no network and no script."""

from pathlib import Path
from typing import Any

from osler.core.finding import Finding
from osler.core.quantity import Quantity
from osler.core.report import NOT_A_DEVICE, Report
from osler.core.study import Study
from osler.io.files import replacing
from osler.results.pictures import as_data_uri
from osler.results.sentences import say


def write_html(report: Report, path: Path) -> Path:
    """Write the page to `path`. Raises NoRoom when the disk is full."""
    page = report_to_html(report)
    with replacing(path) as beside:
        beside.write_text(page, encoding="utf-8")
    return path


def write_report_html(report: Report, study: Study, folder: Path) -> tuple[Path, ...]:
    """Write report.html into `folder`. Raises NoRoom when the disk is full."""
    return (write_html(report, folder / "report.html"),)


def report_to_html(report: Report) -> str:
    """The page as text. Whatever came from a file is escaped: a header may hold anything."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    rooms = Environment(
        loader=PackageLoader("osler.results"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    several = len({finding.picture for finding in report.findings}) > 1

    def title_of(finding: Finding) -> str:
        where = say("picture.numbered", number=finding.picture + 1, side="")
        return f"{where}: {finding.name}" if several else finding.name

    shown = [(picture.title, as_data_uri(picture.pixels)) for picture in report.key_pictures]
    mapped = {n for reason in report.reasons for n in reason.pictures}
    rooms.filters["title_of"] = title_of
    rooms.filters["quantity"] = quantity_text
    rooms.filters["share"] = lambda p: f"{100 * p:.1f}%"
    page = rooms.get_template("report.html").render(
        report=report,
        say=say,
        notice=NOT_A_DEVICE,
        header=header_lines(report),
        pictures=[shown[n] for n in range(len(shown)) if n not in mapped],
        shown=shown,
        measured=[finding for finding in report.findings if finding.measurements],
        bars=[(finding, bars) for finding in report.findings if (bars := probability_bars(finding))],
        stages=[(say(f"stage.{stage}"), seconds) for stage, seconds in report.seconds],
        total=sum(seconds for _, seconds in report.seconds),
    )
    return str(page)


def quantity_text(quantity: Quantity) -> str:
    """A quantity as a person writes it: no "1" for what has no unit.

    >>> quantity_text(Quantity(0.912, "1")), quantity_text(Quantity(52.0, "mm2"))
    ('0.912', '52 mm²')
    """
    text = str(quantity).replace(" mm2", " mm²")
    return text.removesuffix(" 1") if quantity.unit == "1" else text


def header_lines(report: Report) -> list[tuple[str, str]]:
    """What was read, line by line; what the header does not say is said so where a reader would look for it."""
    facts, unsaid = report.facts, say("page.not_said")
    sex = say(f"page.sex.{facts.sex}") if facts.sex in ("F", "M", "O") else ""
    age = say("page.years", years=f"{facts.age_years:.0f}") if facts.age_years is not None else ""
    lines = [
        (say("page.modality"), facts.modality or unsaid),
        (say("page.body_part"), facts.body_part or unsaid),
        (say("page.view"), facts.view),
        (say("page.side"), facts.laterality),
        (say("page.patient"), ", ".join(word for word in (sex, age) if word) or unsaid),
        (say("page.device"), " ".join(word for word in (facts.manufacturer, facts.device) if word)),
        (say("page.pathway"), report.pathway),
        (say("page.created"), report.created.replace("T", " ").replace("+00:00", " UTC")),
        (say("page.uid"), report.study_uid),
    ]
    return [(name, value) for name, value in lines if value]


def probability_bars(finding: Finding) -> list[dict[str, Any]]:
    """The probability bars of one finding: each class, or the one probability there is; "out": it is excluded."""
    if finding.distribution:
        top = max(probability for _, probability in finding.distribution)
        return [
            {"name": n, "probability": p, "first": p == top, "out": bool(finding.among) and n not in finding.among}
            for n, p in finding.distribution
        ]
    if finding.probability is None:
        return []
    return [{"name": finding.name, "probability": finding.probability, "first": True, "out": False}]

"""A report as one table, for a spreadsheet or a study's data file: CSV as RFC 4180 has it, UTF-8."""

import csv
import math
from collections.abc import Iterator
from pathlib import Path

from osler.core.conclusion import Conclusion
from osler.core.quantity import Quantity
from osler.core.report import Report
from osler.core.study import Study
from osler.io.files import replacing
from osler.results.sentences import say

COLUMNS = (
    "study", "study_uid", "status", "kind", "picture", "finding", "present", "grade", "name", "value", "unit",
    "low", "high", "scheme", "code", "text", "remedy", "pathway", "model", "version", "digest", "software",
    "created", "notice", "lesion", "site", "x_mm", "y_mm", "z_mm", "guideline", "guideline_version", "of",
    "source",
)  # fmt: skip

Cell = str | float


def write_csv(report: Report, study: Study, folder: Path) -> tuple[Path, ...]:
    """Write report.csv into `folder`: one row for each thing that is said, the same columns in each.

    kind       "finding" (its sentence), "probability", "among" (what cannot be excluded, with which confidence),
               "measurement", "conclusion" (its category as `grade`, its sentence, what it recommends as `remedy`),
               "ground" (what its rule was told, and where that is from as `of`), "rule", "nearby" (categories that
               cannot be excluded), "refused" (why a rule was not used), "priority" (its urgency as `grade`, its
               score as `value`), "declined" (why), "caution", "limit" (what the model is not for)
    picture    number of the study's picture, from 1
    present    "yes", "no", or empty for a grade or a measurement
    name, value, unit, low, high   the number and its interval; low and high are empty where none is known
    scheme, code  of the finding, of the measurement, of the category
    lesion, site, x_mm, y_mm, z_mm  of the finding: its centre in DICOM's patient coordinates (LPS)
    guideline, guideline_version, source  of a conclusion; `of` numbers the findings that it rests on, from 1

    A text that a spreadsheet would take for a formula gets an apostrophe before it; numbers stay numbers.
    Raises NoRoom when the disk is full.
    """
    path = folder / "report.csv"
    every = about(report)
    with replacing(path) as beside, beside.open("w", encoding="utf-8", errors="replace", newline="") as file:
        # All text in quotes: a sheet that splits at semicolons then makes no new cell within one.
        writer = csv.DictWriter(file, COLUMNS, restval="", quoting=csv.QUOTE_NONNUMERIC)
        writer.writeheader()
        for row in rows_of(report):
            told = {**every, **row}
            writer.writerow({name: harmless(v) if isinstance(v, str) else v for name, v in told.items()})
    return (path,)


def about(report: Report) -> dict[str, Cell]:
    """What stands in every row: which study, how it was read, by what."""
    return {
        "study": report.study,
        "study_uid": report.study_uid,
        "status": "declined" if report.declined else "read",
        "pathway": report.pathway,
        "model": "; ".join(model.name for model in report.models),
        "version": "; ".join(model.version for model in report.models),
        "digest": "; ".join(model.digest for model in report.models),
        "software": report.software,
        "created": report.created,
        "notice": say("page.notice"),
    }


def rows_of(report: Report) -> Iterator[dict[str, Cell]]:
    """What differs from row to row, in the order of the report."""
    for problem in report.declined:
        yield {"kind": "declined", "name": problem.check, "text": problem.what, "remedy": problem.remedy}
    for finding in report.findings:
        said: dict[str, Cell] = {"picture": finding.picture + 1, "finding": finding.name, "grade": finding.grade}
        said.update({"lesion": finding.lesion, "site": finding.site})
        said.update(zip(("x_mm", "y_mm", "z_mm"), finding.centre_mm or (), strict=False))
        if finding.present is not None:
            said["present"] = "yes" if finding.present else "no"
        coded = {"scheme": finding.code.scheme, "code": finding.code.value} if finding.code else {}
        yield {**said, **coded, "kind": "finding", "text": finding.statement}
        chances = [(finding.name, finding.probability)] if finding.probability is not None else []
        for name, share in (*chances, *finding.distribution):
            yield {**said, "kind": "probability", "name": name, **_number(Quantity(share, "1"))}
        if finding.among:
            yield {**said, "kind": "among", "name": "; ".join(finding.among), "value": finding.coverage or ""}
        for one in finding.measurements:
            coded = {"scheme": one.code.scheme, "code": one.code.value} if one.code else {}
            yield {**said, **coded, "kind": "measurement", "name": one.name, **_number(one.quantity)}
    for conclusion in report.conclusions:
        yield from _concluded(conclusion)
    if report.priority is not None:
        score = _number(Quantity(report.priority.score, "1"))
        yield {"kind": "priority", "grade": report.priority.urgency, "text": report.priority.because, **score}
    for problem in report.cautions:
        yield {"kind": "caution", "name": problem.check, "text": problem.what, "remedy": problem.remedy}
    for model in report.models:
        for limit in model.not_for:
            yield {"kind": "limit", "name": model.name, "text": limit}


def _concluded(one: Conclusion) -> Iterator[dict[str, Cell]]:
    """A row for the answer, or for why there is none, and one for each thing that it rests on."""
    by: dict[str, Cell] = {"guideline": one.guideline, "guideline_version": one.version, "source": one.source}
    if one.refused:
        yield {**by, "kind": "refused", "name": one.title, "text": one.refused}
        return
    coded = {"scheme": one.code.scheme, "code": one.code.value} if one.code else {}
    of = "; ".join(str(index + 1) for index in one.findings)
    said = {"kind": "conclusion", "name": one.title, "grade": one.category, "text": one.statement, "of": of}
    yield {**by, **said, **coded, "remedy": one.advice}
    if one.rule:
        yield {**by, "kind": "rule", "name": one.title, "text": one.rule}
    if one.nearby:
        yield {**by, "kind": "nearby", "name": one.title, "grade": "; ".join(one.nearby)}
    for ground in one.grounds:
        yield {**by, "kind": "ground", "name": ground.name, "text": ground.value, "of": ground.of}


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula, and that stays in its line.

    Source: OWASP, CSV injection. A plain number may begin with a sign.

    >>> harmless("=1+1"), harmless("-2.5"), harmless(" @SUM(A1)"), harmless("a")
    ("'=1+1", '-2.5', "' @SUM(A1)", 'a')
    """
    line = " ".join(text.replace("\0", " ").splitlines())
    if line.lstrip()[:1] in ("=", "+", "-", "@", "＝", "＋", "－", "＠") and not _is_number(line):
        return f"'{line}"
    return line


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and text.isascii()
    except ValueError:
        return False


def _number(quantity: Quantity) -> dict[str, Cell]:
    """Empty where there is none: a sheet would read "nan" as a word."""
    ends = {"value": quantity.value, "low": quantity.low, "high": quantity.high}
    cells: dict[str, Cell] = {k: float(v) for k, v in ends.items() if v is not None and math.isfinite(v)}
    return cells | {"unit": quantity.unit}

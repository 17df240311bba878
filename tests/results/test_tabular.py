"""The table: every number a row, and no formula."""

import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some

from osler.core.codes import Code
from osler.core.facts import Facts
from osler.core.finding import Finding, Measurement
from osler.core.image import Image
from osler.core.quantity import Quantity
from osler.core.report import NOT_A_DEVICE, Problem, Report
from osler.core.study import Study
from osler.results.tabular import COLUMNS, harmless, write_csv

STUDY = Study((Image(np.zeros((4, 4), np.uint8)),))
VOLUME = Measurement("Change", Quantity(-3.14159, "ml", low=-4.0, high=-2.5), Code("118565006", "SCT", "Volume"))
REPORT = Report(
    "film", "1.2.3", Facts(), "p", (), (Problem("Mind.", "So.", "c"),),
    (
        Finding("Pneumonia", "Pneumonia: 0.93.", None, 0.9312, False, distribution=(("a", 0.0688), ("b", 0.9312))),
        Finding("Organ", "Organ.", Code("1", "SCT", "O"), present=True, measurements=(VOLUME,), picture=1),
    ),
    (), (), (), "osler 0.1.0", "2026-01-02T03:04:05+00:00",
)  # fmt: skip


def rows(report: Report, folder: Path) -> list[dict[str, str]]:
    (path,) = write_csv(report, STUDY, folder)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_number_is_a_row_of_its_own(tmp_path: Path) -> None:
    found = rows(REPORT, tmp_path)
    assert [(row["kind"], row["name"], row["value"]) for row in found] == [
        ("finding", "", ""),
        ("probability", "Pneumonia", "0.9312"),
        ("probability", "a", "0.0688"),
        ("probability", "b", "0.9312"),
        ("finding", "", ""),
        ("measurement", "Change", "-3.14159"),
        ("caution", "c", ""),
    ]
    assert found[0]["present"] == "no" and found[5]["present"] == "yes" and found[5]["picture"] == "2"
    change = found[5]
    assert (change["low"], change["high"], change["unit"], change["code"]) == ("-4.0", "-2.5", "ml", "118565006")
    assert all(row["notice"] == NOT_A_DEVICE and row["study_uid"] == "1.2.3" for row in found)
    assert list(found[0]) == list(COLUMNS)


def test_a_declined_study_has_its_reasons_and_no_number(tmp_path: Path) -> None:
    declined = replace(REPORT, findings=(), cautions=(), declined=(Problem("It is a leg.", "Go.", "choose"),))
    (row,) = rows(declined, tmp_path)
    assert (row["status"], row["kind"], row["text"], row["remedy"]) == (
        "declined",
        "declined",
        "It is a leg.",
        "Go.",
    )
    assert row["value"] == row["finding"] == ""


@given(some.text(), some.floats())
@example('=HYPERLINK("http://example.org")', -1.0)
@example("-1+1", math.nan)
@example("\t=1", 0.0)
@example("a;=1\r\n=2", 0.0)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_no_text_becomes_a_formula_a_line_or_a_cell_of_its_own(tmp_path: Path, text: str, number: float) -> None:
    finding = Finding(text, text, grade=text, measurements=(Measurement(text, Quantity(number, text)),))
    found = rows(replace(REPORT, study=text, findings=(finding,)), tmp_path)
    assert len(found) == 3
    for row in found:
        assert set(row) == set(COLUMNS) and None not in row.values()
        for column, cell in row.items():
            if cell.strip()[:1] in ("=", "+", "-", "@"):
                assert math.isfinite(float(cell)), column
            assert len(cell.splitlines()) <= 1
    value = found[1]["value"]
    assert float(value) == number if math.isfinite(number) else value == ""


def test_signs_before_plain_numbers_stay() -> None:
    assert [harmless(text) for text in ("-3", "+5", "-1e-3", "-", "-x")] == ["-3", "+5", "-1e-3", "'-", "'-x"]


def test_text_stands_in_quotes_and_numbers_do_not(tmp_path: Path) -> None:
    write_csv(REPORT, STUDY, tmp_path)
    line = (tmp_path / "report.csv").read_text().splitlines()[6]
    assert '"Change",-3.14159,"ml",-4.0,-2.5,"SCT"' in line

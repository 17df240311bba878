"""The page that people read."""

import re
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as some

from osler.core.facts import Facts
from osler.core.finding import Finding
from osler.core.report import KeyPicture, Problem, Report
from osler.results.html import report_to_html

PIXELS = np.zeros((8, 9, 3), np.uint8)
REPORT = Report(
    "a", "", Facts(), "p", (), (), (Finding("F", "F: 1.", probability=0.5, present=False),),
    (KeyPicture("k", PIXELS),), (), (("choose", 0.1),), "osler 0.1.0", "2026-01-02T03:04:05+00:00",
)  # fmt: skip


def test_the_page_needs_nothing_from_anywhere():
    page = report_to_html(REPORT)
    assert "<script" not in page and not re.search(r"https?://", page)
    assert set(re.findall(r'(?:src|href)="([^"]{5})', page)) == {"data:"}


def test_what_comes_from_a_header_is_escaped():
    evil = "<script>alert(1)</script>"
    report = replace(
        REPORT, study=evil, facts=Facts(body_part=evil, device=evil), cautions=(Problem(evil, evil, evil),)
    )
    assert "<script" not in report_to_html(report)


def test_a_finding_that_is_absent_is_marked_so():
    assert '<span class="tag no">not present</span>' in report_to_html(REPORT)


def test_findings_of_several_pictures_name_theirs():
    several = replace(REPORT, findings=tuple(replace(REPORT.findings[0], picture=n) for n in (0, 1)))
    page = report_to_html(several)
    assert "<h3>Picture 1: F</h3>" in page and "<h3>Picture 2: F</h3>" in page
    assert "Picture 1" not in report_to_html(REPORT)


@given(some.text(), some.text(), some.floats(0, 1))
def test_any_text_makes_a_page(study, statement, probability):
    finding = Finding("F", statement, probability=probability)
    assert report_to_html(replace(REPORT, study=study, findings=(finding,), key_pictures=())).endswith("</html>")

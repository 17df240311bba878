"""The page that people read."""

import html
import re
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as some

from osler.core.conclusion import Conclusion, Ground, Priority
from osler.core.facts import Facts
from osler.core.finding import Finding, Measurement
from osler.core.quantity import Quantity
from osler.core.report import KeyPicture, Problem, Report
from osler.results.html import report_to_html
from osler.results.sentences import say

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
        REPORT,
        study=evil,
        facts=Facts(body_part=evil, device=evil),
        cautions=(Problem(evil, evil, evil),),
        conclusions=(
            Conclusion(evil, evil, evil, evil, evil, evil, evil, (Ground(evil, evil, evil),), (evil,), "", evil),
            Conclusion(evil, evil, evil, "", "", refused=evil),
        ),
        priority=Priority("now", evil, 1.0),
    )
    assert "<script" not in report_to_html(report)


def test_a_finding_that_is_absent_is_marked_so():
    assert '<span class="tag no">not present</span>' in report_to_html(REPORT)


def test_findings_of_several_pictures_name_theirs():
    several = replace(REPORT, findings=tuple(replace(REPORT.findings[0], picture=n) for n in (0, 1)))
    page = report_to_html(several)
    assert "<h3>Picture 1: F</h3>" in page and "<h3>Picture 2: F</h3>" in page
    assert "Picture 1" not in report_to_html(REPORT)


def text_of(report: Report) -> str:
    page = re.sub(r"<style>.*?</style>", "", report_to_html(report), flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


CHANGE = say("measure.change_days", name="Volume", days=84)
LESIONS = (
    Finding(
        "Lesion L1", "L1.", lesion="L1", site="liver", centre_mm=(1.0, -2.4, 30.6), coverage=0.95,
        measurements=(
            Measurement("Volume", Quantity(3.14, "ml", low=3.0, high=3.3)),
            Measurement(CHANGE, Quantity(12.5, "%", low=2.0, high=23.0)),
            Measurement(say("measure.doubling_time"), Quantity(495.0, "d")),
        ),
    ),
    Finding("Node", "N.", lesion="L2", measurements=(Measurement("Short axis", Quantity(9.0, "mm")),)),
    Finding(
        "Lesion L1", "L1 on PET.", lesion="L1", picture=1,
        measurements=(Measurement("SUVmax", Quantity(7.2, "SUV")),),
    ),
)  # fmt: skip


def test_measurements_stand_by_lesion_and_apart_from_what_changed():
    text = text_of(replace(REPORT, findings=LESIONS))
    said = (
        "Compared with the earlier study", "Lesion L1", "liver, centre 1, -2, 31 mm (LPS)",
        "Volume, change in 84 days", "+12.5 %", "2.0 to 23.0 (95%)", "Volume doubling time", "495 d",
        "Measurements", "Lesion L1", "Volume", "3.14 ml", "3.00 to 3.30 (95%)", "SUVmax", "7.2 SUV",
        "L2: Node", "Short axis", "9 mm", "Key pictures",
    )  # fmt: skip
    start = text.index(said[0])
    for one in said:
        start = text.index(one, start) + len(one)


def test_what_follows_says_what_to_do_what_else_it_may_be_and_by_which_rule():
    used = Conclusion(
        "recist-1.1", "1.1 (2009)", "Response", "PR", "It fell.", "Confirm it.", "30 % or more.",
        (Ground("sum now", "76 mm", "finding 1"),), ("SD",), "", "Eisenhauer EA.", findings=(0, 99),
    )  # fmt: skip
    refused = Conclusion("lung-rads", "v2022", "Lung-RADS", "", "", refused="It is no screening CT.")
    text = text_of(replace(REPORT, conclusions=(refused, used), priority=Priority("now", "It bleeds.", 1.0)))
    said = (
        "Now", "Priority: It bleeds.", "Answer", "What follows", "PR", "Response", "It fell.",
        "Recommended: Confirm it.", "Cannot be excluded: SD", "sum now", "76 mm", "finding 1", "Rests on: F",
        "Rule: 30 % or more.", "recist-1.1, Version 1.1 (2009)", "Source: Eisenhauer EA.", "Not used", "Lung-RADS",
        "It is no screening CT.", "Decision of a person", "Not valid until a person has signed.",
    )  # fmt: skip
    start = 0
    for one in said:
        start = text.index(one, start) + len(one)
    assert "What follows" not in text_of(REPORT) and "Priority" not in text_of(REPORT)


def test_cautions_below_are_announced_at_the_answer():
    report = replace(REPORT, cautions=(Problem("The view is not said.", "Make sure.", "header"),) * 2)
    page = report_to_html(report)
    assert page.index('href="#mind">Points to mind: 2') < page.index('id="mind"')
    assert "Points to mind" not in report_to_html(REPORT)


def test_what_was_declined_is_not_to_be_signed():
    declined = replace(REPORT, findings=(), declined=(Problem("It is a leg.", "Go.", "choose"),))
    assert "signed" not in text_of(declined) and "It is a leg." in text_of(declined)


@given(some.text(), some.text(), some.floats(0, 1))
def test_any_text_makes_a_page(study, statement, probability):
    finding = Finding("F", statement, probability=probability)
    assert report_to_html(replace(REPORT, study=study, findings=(finding,), key_pictures=())).endswith("</html>")

"""The three ways in which a statement is written say the same, and name nobody."""

import io
import json
import re

import pytest
from PIL import Image as Pillow

from osler.clinic.assessment.json import statement_to_json, write_statement_json
from osler.clinic.assessment.page import statement_to_html, write_statement_html
from osler.clinic.assessment.paper import statement_to_pdf, write_statement_pdf
from osler.clinic.assessment.sheet import graded, in_short, reason_lines

FUNCTION = [{"name": "Flexion", "value": "95 degrees", "source": "examined <b>"}]


def test_the_page_holds_what_a_decider_needs(state):
    page = statement_to_html(state(asked={"function": FUNCTION}))
    for word in (
        "P-0042",
        "not a decision",
        "2, minimal",
        "between 1, doubtful and 3, moderate",
        "Mara Lind",
        "C-17",
        "Degree of disability",
        "Art. 22",
        "Complaints office, 12 Hill Road",
        "within 30 days",
        "grade: 2",
        "1957;16:494",
        "95 degrees",
        "children",
        "qwk 0.4",
        "Mind this.",
        "No earlier study",
        "not empty",
        "agree with the grade",
    ):
        assert word in page, word
    assert "examined &lt;b&gt;" in page and "<script" not in page and "http" not in page.replace("http-equiv", "")


def test_nobody_is_named_in_any_of_them(state, tmp_path):
    made = state(patient="a" * 16)
    for write in (write_statement_json, write_statement_html, write_statement_pdf):
        path = write(made, tmp_path)
        assert not re.search(rb"FEATHERSTONE|JANICE|a{16}", path.read_bytes())


def test_json_can_be_read_back_and_its_pictures_opened(state, tmp_path):
    path = write_statement_json(state(), tmp_path)
    value = json.loads(path.read_text())
    assert value["items"][0]["level"] == 2 and value["request"]["pseudonym"] == "P-0042"
    assert "Art. 22" in value["objection"] and "not a decision" in value["notice"]
    files = [picture["file"] for picture in value["pictures"]]
    assert files == ["picture-1.png", "picture-2.png"] and value["reasons"][0]["files"] == ["picture-2.png"]
    assert all(Pillow.open(tmp_path / name).size == (8, 8) for name in files)


def test_the_paper_is_a4_and_the_same_twice(state):
    made = state(asked={"function": FUNCTION})
    paper = statement_to_pdf(made)
    assert paper.startswith(b"%PDF") and paper == statement_to_pdf(made)
    assert re.search(rb"/MediaBox \[ ?0 0 595\.\d+ 841\.\d+", paper)
    assert io.BytesIO(paper).getbuffer().nbytes > 5000


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ((1, 3), "between 1, doubtful and 3, moderate"),
        ((2, 2), "is this one: 2, minimal"),
        ((0, 4), "no grade can be excluded"),
        ((None, None), "promises no interval"),
    ],
)
def test_what_the_interval_promises_is_said(state, ends, said):
    made = state(low=ends[0], high=ends[1])
    assert said in graded(made.items[0]).promise and "not a decision" in in_short(made)[-1]


def test_that_no_map_passed_is_said_once(state):
    made = state()
    assert "passed its checks" in reason_lines(made)[0]
    from dataclasses import replace

    failed = replace(made, reasons=tuple(replace(one, pictures=()) for one in made.reasons) * 2)
    assert reason_lines(failed) == ["No map of what speaks for the grade passed its checks, so none is shown."]
    assert reason_lines(replace(made, reasons=())) == []


def test_no_number_that_is_none_gets_out(state):
    from osler.core.quantity import Quantity

    text = json.dumps(statement_to_json(state(volume=Quantity(float("nan"), "ml"))), allow_nan=False)
    assert "NaN" not in text


def test_a_median_that_is_not_the_likeliest_grade_is_told(state):
    from dataclasses import replace

    item = state().items[0]
    assert "likeliest" not in graded(item).promise
    shares = tuple(zip(item.scale, (0.46, 0.08, 0.30, 0.14, 0.02), strict=True))
    broad = replace(item, level=1, distribution=shares)
    assert "another: 0, none" in graded(broad).promise

"""The whole report: three files that say the same, in order, with nothing empty and nothing invented."""

import json
import re
import zlib
from base64 import a85decode
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from osler.core.errors import AskedWrongly, BadModel
from osler.core.report import NOT_A_DEVICE
from osler.io.files import read_json, write_json
from osler.lab.report.document import Cell, Document, Paragraph, Photo, Row, Section, Table, numbered
from osler.lab.report.facts import facts_of
from osler.lab.report.known import read_known
from osler.lab.report.make import Brief, make_report, report, report_to_json, write_model_card
from osler.lab.report.render_html import render_html
from osler.lab.report.render_pdf import render_pdf
from osler.lab.report.svg import draw_svg
from osler.models.digest import seal


def pdf_words(made):
    """All that a PDF shows, without spaces: reportlab keeps ASCII readable inside the drawing of a page."""
    bodies = [body.strip() for body in re.findall(rb"stream\r?\n(.*?)endstream", made, re.S)]
    drawn = [zlib.decompress(a85decode(body[:-2])) for body in bodies if body.endswith(b"~>")]
    said = b"".join(b"".join(re.findall(rb"\(((?:\\.|[^\\()])*)\) Tj", one, re.S)) for one in drawn)
    return re.sub(r"[\s\\]", "", said.decode("latin-1"))


def squeezed(text):
    return re.sub(r"[\s\\]", "", text)


@pytest.fixture(scope="module")
def made(tmp_path_factory, made_model):
    place = tmp_path_factory.mktemp("made")
    facts = place / "facts.json"
    write_json(facts, {"study.ethics": "Committee of Nowhere, 7/2026 <i>x</i>", "data.disjoint": "Patients."})
    return make_report(made_model(place / "tiny"), place / "out", Brief(facts=facts))


def test_three_files_say_the_same(made):
    page, paper, kept = made.html.read_text("utf-8"), pdf_words(made.pdf.read_bytes()), read_json(made.json)
    for key, many in made.items.items():
        assert kept["checklists"][key].items() >= many.items()
        assert sum(many.values()) == len(kept["checklists"][key]["items"])
        said = f"{many['filled']} are filled, {many['partly']} partly, {many['not_known']} not known"
        assert said in page and squeezed(said) in paper
    for said in (NOT_A_DEVICE, "Committee of Nowhere, 7/2026", "60 cases of 60 patients", kept["model"]["digest"]):
        assert said in page and squeezed(said) in paper
    assert kept["tests"][0]["metrics"]["auc"]["value"] > 0.5
    assert f"{kept['tests'][0]['metrics']['auc']['value']:.3f}" in page
    assert "study.ethics" not in kept["not_known"] and "study.funding" in kept["not_known"]
    assert kept["facts"]["study.ethics"]["source"] == "a person"


def test_what_was_said_is_marked_and_cannot_write_into_the_page(made):
    page = made.html.read_text("utf-8")
    assert "Said by a person: Committee of Nowhere, 7/2026 &lt;i&gt;x&lt;/i&gt;" in page
    assert "<i>x</i>" not in page and "<b>opacity</b>" not in page and "&lt;b&gt;opacity&lt;/b&gt;" in page
    assert not re.search(r"(src|href)=\"http", page)


def test_headings_are_in_order_and_none_is_empty(made):
    page = made.html.read_text("utf-8")
    levels = [int(level) for level in re.findall(r"<h(\d) id=", page)]
    assert levels[0] == 2 and all(after <= before + 1 for before, after in pairwise(levels))
    ids = re.findall(r"<h\d id=\"([^\"]+)\"", page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"href=\"#([\w-]+)\"", page)) <= set(ids) | set(re.findall(r"id=\"([^\"]+)\"", page))
    for part in re.split(r"<h\d id=", page)[1:]:
        body = part.partition("</h")[2]
        assert re.search(r"<(p|table|ul|svg|h\d)", body) or re.match(r"\d>\s*$", body), body[:200]


def test_the_pdf_has_pages_bookmarks_and_the_notice_on_each(made):
    paper = made.pdf.read_bytes()
    said = pdf_words(paper)
    pages = int(re.findall(r"Page1of(\d+)", said)[0])
    assert said.count(squeezed(NOT_A_DEVICE)) >= pages > 3
    assert f"Page1of{pages}" in said and f"Page{pages}of{pages}" in said
    assert paper.count(b"/Dest") + paper.count(b"/Title") > 20  # outline entries


def written(folder, **said):
    """The whole page of a model, and its JSON."""
    known = read_known(folder, said=said)
    facts = facts_of(known)
    document = report(known, facts, today="2026-01-01")
    return render_html(document), report_to_json(known, facts, document)


def test_the_same_facts_make_the_same_paper(model):
    known = read_known(model())
    document = report(known, facts_of(known), today="2026-01-01")
    short = replace(document, sections=document.sections[:1] + document.sections[3:4], contents=True)
    first, second = (render_pdf(short) for _ in "ab")
    assert first == second


def test_without_any_test_the_report_says_so_first(model):
    page, kept = written(model(evaluation=False))
    assert page.index("was not tested") < page.index("Model card")
    assert "Internal test" not in page and kept["tests"] == []
    assert "evaluation.performance" not in kept["facts"]


def test_a_net_from_elsewhere_is_told_without_inventing_a_training(model):
    page, kept = written(model(plan=False))
    assert not {"training.approach", "model.initialization", "data.partition", "data.counts"} & set(kept["facts"])
    assert "was not trained by Osler" in page


def test_care_and_an_allowed_leak_are_told(model):
    care = {"concerns": {"duplicate": {"leak": 2, "note": 1}}, "unchecked": ["odd masks"]}
    page, kept = written(model(training={"care": care, "allowed": ["leak"]}))
    assert (
        "2 of duplicate (leak), 1 of duplicate (note)" in page and "every figure" in page and "odd masks" in page
    )
    assert "2 leaks were found" in kept["facts"]["data.disjoint"]["text"]


def test_a_person_cannot_overwrite_what_was_measured(model):
    care = {"concerns": {}, "unchecked": []}
    _, kept = written(model(training={"care": care}), **{"data.disjoint": "Hospitals."})
    fact = kept["facts"]["data.disjoint"]
    assert fact["text"].startswith("Patient.") and fact["text"].endswith("Said by a person: Hospitals.")
    assert fact["source"] == "training record"


def test_conformal_and_calibration_come_with_their_n(model):
    page, _ = written(model())
    assert "50 validation cases of 44 patients" in page and "50 cases of 44 patients" in page
    assert "0.520 before, 0.480 after" in page


def test_letters_of_other_scripts_do_not_break_the_paper():
    title = "儿童胸片肺炎 – пневмония – 폐렴 \U0001f9e0"
    section = Section("one", title, (Paragraph(title, "said"),))
    document = Document(title, "K", {"Model": title}, NOT_A_DEVICE, (section,), title)
    paper = render_pdf(document)
    assert b"STSong-Light" in paper and b"HYGothic" in paper
    assert "儿童胸片肺炎" in render_html(document)


def test_a_damaged_model_and_missing_data_are_refused(model, tmp_path):
    folder = model()
    with pytest.raises(AskedWrongly, match="nothing at"):
        make_report(folder, tmp_path / "out", Brief(data=tmp_path / "nowhere"))
    (folder / "evaluation" / "evaluation.json").write_text("[]", encoding="utf-8")
    with pytest.raises(BadModel):
        make_report(folder, tmp_path / "out", Brief())
    seal(folder, read_card_of(folder))
    with pytest.raises(BadModel, match=r"evaluation\.json"):
        make_report(folder, tmp_path / "out", Brief())


def read_card_of(folder):
    from osler.models.card import read_card

    return read_card(folder)


def test_the_model_card_page_is_written_before_the_seal(model):
    folder = model()
    card = read_card_of(folder)
    (folder / "card.json").unlink()
    page = write_model_card(folder, card).read_text("utf-8")
    assert page.startswith("<!doctype html>") and "Intended use" in page and "adults" in page
    assert "CLAIM" not in page
    again = write_model_card(folder, replace(card, title="Other")).read_text("utf-8")
    assert "Other" in again
    seal(folder, card)


def test_long_words_and_long_answers_fit_the_page():
    rows = tuple((Cell(str(k)), Cell("a" * 300), Cell("word " * 900, "said"), Cell("1.0")) for k in range(3))
    table = Table(rows, (0.1, 0.3, 0.5, 0.1), ("No", "Long", "Longer", "n"), frozenset({3}))
    pixels = np.zeros((40, 30, 3), np.uint8)
    photos = Row(tuple(Photo(f"Worst {k}", "said so", pixels) for k in range(3)))
    sections = (
        Section("one", "One", (Paragraph("x", "warning"), table)),
        Section("none", "Nothing", (), (Section("below", "Nothing below"),)),
        Section("two", "Two", (photos,)),
    )
    document = Document("T", "K", {"Osler": "x"}, NOT_A_DEVICE, sections, "running")
    assert [number for number, _, _ in numbered(sections)] == ["1", "2"]
    assert "Nothing" not in render_html(document)
    assert len(render_pdf(document)) > 5000


def test_a_plot_is_drawn_as_its_lines_say():
    """Every kind of element that matplotlib writes, on a canvas that notes what it is told."""
    text = (
        '<svg width="100pt" height="50pt" xmlns="http://www.w3.org/2000/svg" '
        'xmlns:xlink="http://www.w3.org/1999/xlink"><defs><clipPath id="c"><rect x="0" y="0" width="9" '
        'height="9"/></clipPath><path id="m" d="M 0 0 L 1 1"/></defs><g transform="translate(3 4) rotate(90)">'
        '<path clip-path="url(#c)" d="M 0 0 Q 3 3 6 0 C 1 1 2 2 3 3 z" style="fill: #ff0000; opacity: 0.5"/>'
        '<use xlink:href="#m" x="7" y="8" style="stroke: #00ff00; stroke-dasharray: 1,2"/></g></svg>'
    )
    ElementTree.fromstring(text)
    told = []

    class Line:
        def __getattr__(self, name):
            return lambda *numbers: told.append((name, tuple(round(n, 6) for n in numbers)))

    class Canvas:
        def beginPath(self):  # noqa: N802
            return Line()

        def __getattr__(self, name):
            return lambda *words, **named: told.append((name, words))

    draw_svg(Canvas(), text, scale=2.0)
    names = [name for name, _ in told]
    assert ("transform", (2.0, 0, 0, -2.0, 0, 100.0)) in told  # upside up
    assert ("transform", (1, 0, 0, 1, 3.0, 4.0)) in told and ("translate", (7.0, 8.0)) in told
    assert ("rect", (0.0, 0.0, 9.0, 9.0)) in told and "clipPath" in names
    assert ("curveTo", (2.0, 2.0, 4.0, 2.0, 6.0, 0.0)) in told  # a quadratic curve as the cubic one
    assert ("setFillAlpha", (0.5,)) in told and ("setDash", ([1.0, 2.0], 0.0)) in told
    assert names.count("saveState") == names.count("restoreState")


def test_json_holds_no_nan(made):
    json.loads(made.json.read_text("utf-8"), parse_constant=lambda name: pytest.fail(name))
    assert Path(made.json).name == "report.json"

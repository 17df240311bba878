"""The report as a PDF: the same words as the page, on every page the notice, whatever a header holds."""

import re
import zlib
from base64 import a85decode
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from osler.core.conclusion import Conclusion, Ground, Priority
from osler.core.facts import Facts
from osler.core.finding import Finding, Measurement
from osler.core.quantity import Quantity
from osler.core.report import NOT_A_DEVICE, KeyPicture, ModelUse, Problem, Reason, Report
from osler.results.pdf import report_to_pdf, write_pdf
from osler.results.pdf_fonts import marked_up
from osler.results.sentences import say

RESPONSE = Conclusion(
    "recist-1.1", "1.1 (2009)", "Response, RECIST 1.1", "PR", "The sum fell by a third.", "Confirm it.",
    "30 % below the baseline or more.", (Ground("sum now", "76.7 mm", "finding 1"),), ("SD", "PD"), "",
    "Eisenhauer EA, et al.", findings=(3,),
)  # fmt: skip
REFUSED = Conclusion("lung-rads", "v2022", "Lung-RADS v2022", "", "", refused="It is no screening CT.")
PRIORITY = Priority("soon", "A lesion grew.", 0.5)


def concluded(report: Report) -> Report:
    return replace(report, conclusions=(REFUSED, RESPONSE), priority=PRIORITY)


def drawings(document: bytes) -> list[bytes]:
    """How each page is drawn: the streams that show text. Fonts are packed otherwise, pictures show none."""
    bodies = [body.strip() for body in re.findall(rb"stream\r?\n(.*?)endstream", document, re.S)]
    found = [zlib.decompress(a85decode(body[:-2])) for body in bodies if body.endswith(b"~>")]
    return [drawing for drawing in found if b" Tj" in drawing]


def pages(document: bytes) -> list[str]:
    """What each page says, without its spaces: reportlab keeps ASCII readable inside the drawing of a page."""
    found = []
    for drawing in drawings(document):
        said = re.findall(rb"\(((?:\\.|[^\\()])*)\) Tj", drawing, re.S)
        text = b"".join(re.sub(rb"\\([()\\])", rb"\1", one) for one in said).decode("latin-1")
        found.append(re.sub(r"\s", "", text))
    return found


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_it_says_what_the_report_says(readings):
    report = readings["CT"].report
    words = "".join(pages(report_to_pdf(report)))
    said = [
        report.study,
        report.study_uid,
        report.pathway,
        "female, 61 years",
        "model-a, Version 1.2.0",
        "sha256:abc",
    ]
    said += [finding.statement for finding in report.findings]
    said += [f"{caution.what} {caution.remedy}" for caution in report.cautions]
    said += [
        "sha256:abc",
        "children",
        "auc 0.95",
        "CC BY 4.0",
        "Axial, slice 3 of 6",
        "3.14 ml",
        "2.90 to 3.40",
        "0.93",
        "1, mild",
    ]
    assert [one for one in said if squeezed(one) not in words] == []
    places = [words.index(squeezed(head)) for head in HEADINGS]
    assert places == sorted(places)


HEADINGS = ("ANSWER", "FINDINGS", "MEASUREMENTS", "MIND WHEN READING", "KEY PICTURES", "DECISION OF A PERSON")


def test_what_follows_stands_after_the_answer_with_its_grounds(readings):
    words = "".join(pages(report_to_pdf(concluded(readings["CT"].report))))
    said = ["Soon", PRIORITY.because, "ANSWER", "WHAT FOLLOWS", "PR", RESPONSE.title, RESPONSE.statement]
    said += [f"Recommended: {RESPONSE.advice}", "Cannot be excluded: SD, PD", "sum now", "76.7 mm", "finding 1"]
    said += ["Rests on: Lesion", f"Rule: {RESPONSE.rule}", f"Source: {RESPONSE.source}", "recist-1.1, Version 1.1"]
    said += ["Not used", REFUSED.title, REFUSED.refused, "FINDINGS"]
    places = [words.find(squeezed(one)) for one in said]
    assert -1 not in places and places == sorted(places), dict(zip(said, places, strict=True))


def test_why_the_model_said_so_is_printed_with_its_picture(readings):
    report = readings["CT"].report
    shown = (*report.key_pictures, KeyPicture("Map of the opacity", np.full((20, 24, 3), 50, np.uint8)))
    reasons = (
        Reason("finer", "Pneumonia", "Marks what speaks for it.", (1,)),
        Reason("similar", "x", "None alike."),
    )
    words = "".join(pages(report_to_pdf(replace(report, key_pictures=shown, reasons=reasons))))
    for said in (say("why.mind"), "Fine Grad-CAM: Marks what speaks for it.", "Similar cases: None alike."):
        assert squeezed(said) in words
    # The map stands with its reason, not among the pictures of what was found.
    places = [
        words.index(squeezed(one)) for one in ("KEY PICTURES", "Axial, slice 3 of 6", "WHY THE MODEL", "Map of")
    ]
    assert places == sorted(places) and words.count(squeezed("Map of the opacity")) == 1


def test_a_person_signs_what_was_read_and_nothing_that_was_declined(readings):
    reading = readings["CR"]
    unsigned = squeezed(say("page.sign.unsigned"))
    read = "".join(pages(report_to_pdf(reading.report)))
    assert unsigned in read and all(word in read for word in ("Agreed", "Notagreed", "Name", "Date", "Signature"))
    assert unsigned not in "".join(pages(report_to_pdf(reading.declined)))


def test_many_lesions_and_long_sentences_fill_pages_and_break_none(readings):
    report = readings["CT"].report
    measured = tuple(Measurement(f"Measure {n}", Quantity(n + 0.5, "mm", n, n + 1.0)) for n in range(14))
    lesions = tuple(
        Finding(f"Lesion L{n}", "Lesion. " * 30, lesion=f"L{n}", site="liver", measurements=measured)
        for n in range(25)
    )
    long = replace(RESPONSE, statement="A long statement. " * 200, grounds=RESPONSE.grounds * 40, findings=(0, 24))
    found = pages(report_to_pdf(replace(report, findings=lesions, conclusions=(long,) * 3, drawings=())))
    words = "".join(found)
    assert len(found) > 8 and all(f"Page{n}of{len(found)}" in text for n, text in enumerate(found, start=1))
    assert words.count("Measure13") == 25 and "LesionL24" in words


def test_a_declined_report_gives_the_reason_and_no_answer(readings):
    reading = readings["CR"]
    why = (*reading.declined.declined, Problem("The header says EXTREMITY.", "Use another.", "model chest"))
    words = "".join(pages(report_to_pdf(replace(reading.declined, declined=why))))
    for said in ("No answer is given for this study.", why[0].what, why[0].remedy, "The header says EXTREMITY."):
        assert squeezed(said) in words
    assert "ANSWER" not in words and "probability" not in words


def test_every_page_has_the_notice_and_its_number(readings):
    long = tuple(Problem(f"Caution {n}. " + "A long word of warning. " * 20, "Mind it.", "x") for n in range(40))
    found = pages(report_to_pdf(replace(readings["CT"].report, cautions=long)))
    assert len(found) > 3
    for number, text in enumerate(found, start=1):
        assert squeezed(NOT_A_DEVICE) in text and f"Page{number}of{len(found)}" in text


def test_the_same_report_gives_the_same_bytes(readings, tmp_path):
    report, study = readings["CT"].report, readings["CT"].study
    (path,) = write_pdf(report, study, tmp_path)
    assert path.name == "report.pdf" and path.read_bytes() == report_to_pdf(report)
    assert report_to_pdf(replace(report, pathway="other")) != path.read_bytes()


def test_nothing_in_it_acts(readings):
    document = re.sub(rb"stream\r?\n.*?endstream", b"", report_to_pdf(readings["CT"].report), flags=re.S)
    assert b"/Page" in document
    for action in (b"/JavaScript", b"/JS", b"/OpenAction", b"/AA ", b"/Launch", b"/URI", b"/EmbeddedFile"):
        assert action not in document


def test_each_letter_is_set_in_a_font_that_has_it():
    marked = marked_up("Müller ≥ Ωμ <b> 检查 カナ 한국 \x00")
    runs = re.findall(r'<font name="([^"]+)">([^<]*)</font>', marked)
    assert "".join(text for _, text in runs) == "Müller ≥ Ωμ &lt;b&gt; 检查 カナ 한국 "
    font_of = {letter: font for font, text in runs for letter in text}
    assert font_of["ü"] == font_of["≥"] == font_of["Ω"] == "DejaVuSans"
    assert font_of["检"] == "STSong-Light"
    assert font_of["カ"] == "HeiseiKakuGo-W5" and font_of["한"] == "HYGothic-Medium"
    assert "\ufffd" in marked_up("\U00012000")  # cuneiform, which no font here has


def test_chinese_is_written_as_chinese(readings):
    document = report_to_pdf(replace(readings["CT"].report, study="检查"))
    assert b"/STSong-Light" in document and b"/UniGB-UCS2-H" in document
    utf16 = "检查".encode("utf-16-be")
    literal = b"".join(b"\\%03o" % byte if byte < 32 or byte > 126 else bytes([byte]) for byte in utf16)
    assert any(literal in drawing or utf16 in drawing for drawing in drawings(document))


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        '<para><img src="/etc/passwd"/></para>',
        "<a href='http://x'>y</a>",
        "&#0; &bogus; ]]>",
        "W" * 5000,
        "x " * 3000,
        "\\\r\n\t\x00\x1b(](",
        "a\u202eb\ud83d",
    ],
)
def test_what_comes_from_a_header_stays_text(evil, readings):
    report = replace(
        readings["CT"].report,
        study=evil,
        facts=Facts(modality=evil, body_part=evil, device=evil),
        pathway=evil,
        cautions=(Problem(evil, evil, evil),),
        findings=(
            Finding(
                evil,
                evil,
                probability=0.5,
                present=True,
                measurements=(Measurement(evil, Quantity(1, evil)),),
                distribution=((evil, 0.5), (evil, 0.5)),
            ),
        ),
        key_pictures=(
            KeyPicture(evil, np.zeros((900, 30, 3), np.uint8)),
            KeyPicture(evil, np.zeros((1, 1, 3), np.uint8)),
        ),
        models=(ModelUse(evil, evil, evil, evil, (evil,), evil, (evil,)),),
        conclusions=(
            Conclusion(evil, evil, evil, evil, evil, evil, evil, (Ground(evil, evil, evil),), (evil,), "", evil),
            Conclusion(evil, evil, evil, "", "", refused=evil),
        ),
        priority=Priority("now", evil, 1.0),
        reasons=(Reason("finer", evil, evil, (0, 1)),),
    )
    document = report_to_pdf(report)
    assert document.startswith(b"%PDF") and b"/URI" not in document
    declined = replace(report, declined=(Problem(evil, evil, evil),) * 3, findings=())
    assert report_to_pdf(declined).startswith(b"%PDF")


@settings(max_examples=15)
@given(some.text(), some.text(), some.floats())
def test_any_text_makes_a_document(readings, study, statement, probability):
    finding = Finding(statement, statement, probability=probability)
    report = replace(readings["CR"].report, study=study, findings=(finding,), key_pictures=())
    assert report_to_pdf(report).rstrip().endswith(b"%%EOF")

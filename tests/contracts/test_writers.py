"""Every result format keeps what the report says, and nothing that tells who the patient is."""

import html
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osler.core.codes import Code
from osler.core.facts import Facts
from osler.core.finding import Finding, Measurement
from osler.core.image import Image
from osler.core.quantity import Quantity
from osler.core.report import NOT_A_DEVICE, KeyPicture, ModelUse, Problem, Report
from osler.core.study import Study
from osler.results.table import WRITERS

STUDY = Study((Image(np.full((20, 30), 90, np.uint8)),), name="film <3> & co")
NOTE = "mrs example, room 4"  # what people type into a description

READ = Report(
    study="film <3> & co",
    study_uid="1.2.826.0.1.3680043.8.498.1",
    facts=Facts(modality="MR", body_part="BRAIN", sex="F", age_years=71.3, device="<b>MR</b>", description=NOTE),
    pathway="hippocampus",
    declined=(),
    cautions=(Problem("The header does not say the view.", "Make sure.", "header"),),
    findings=(
        Finding("Pneumonia", "Pneumonia: probability 0.93.", Code("233604007", "SCT", "Pneumonia"), 0.9312, True),
        Finding("Grade", "Grade: 2.", grade="2", distribution=(("0", 0.125), ("1", 0.25), ("2", 0.625))),
        Finding(
            "Hippocampus",
            "Hippocampus: volume 3.14 ml.",
            present=True,
            measurements=(Measurement("Volume", Quantity(3.1415, "ml", low=2.9, high=3.4)),),
        ),
    ),
    key_pictures=(KeyPicture("Axial, slice 3 of 9", np.full((20, 30, 3), 90, np.uint8)),),
    models=(ModelUse("model-a", "1.2.0", "abc123", "a box", ("children",), "CC BY 4.0", ("auc 0.95",)),),
    seconds=(("choose", 0.01), ("predict", 1.25)),
    software="osler 0.1.0",
    created="2026-01-02T03:04:05+00:00",
)
DECLINED = replace(
    READ,
    pathway="",
    declined=(
        Problem("No model may read this study: it shows EXTREMITY (CR).", "Train one.", "choose"),
        Problem("The header says EXTREMITY; the model reads CHEST.", "Use another.", "model chest-pneumonia"),
    ),
    cautions=(),
    findings=(),
    key_pictures=(),
    models=(),
)


def text_of(path: Path) -> str:
    """What a person or a program reads in the file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return json.dumps(json.loads(text), ensure_ascii=False)
    return html.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"<style>.*?</style>", "", text, flags=re.S)))


@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_keeps_what_the_report_says(name, tmp_path):
    (path,) = WRITERS[name](READ, STUDY, tmp_path)
    text = text_of(path)
    assert path.parent == tmp_path and path.stem == "report"
    said = [READ.study, READ.study_uid, READ.pathway, READ.software, "model-a", "1.2.0", "abc123", NOT_A_DEVICE]
    said += [f.name for f in READ.findings] + [f.statement for f in READ.findings]
    said += [caution.what for caution in READ.cautions] + [
        "children",
        "CC BY 4.0",
        "auc 0.95",
        "Axial, slice 3 of 9",
    ]
    assert [one for one in said if one not in text] == []


@pytest.mark.parametrize("name", WRITERS)
def test_every_number_can_be_read_back(name, tmp_path):
    numbers = {
        float(n) for n in re.findall(r"(?<![\w.])\d+\.\d+", text_of(WRITERS[name](READ, STUDY, tmp_path)[0]))
    }
    for value in (3.1415, 0.9312, 0.125, 0.25, 0.625):
        assert any(abs(number - value) < 0.006 for number in numbers), value


@pytest.mark.parametrize("name", WRITERS)
def test_a_declined_report_gives_the_reason_and_no_answer(name, tmp_path):
    text = text_of(WRITERS[name](DECLINED, STUDY, tmp_path)[0])
    for problem in DECLINED.declined:
        assert problem.what in text
    assert "Train one." in text and NOT_A_DEVICE in text
    assert "probability 0" not in text


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("report", [READ, DECLINED], ids=["read", "declined"])
def test_no_writer_tells_who_the_patient_is(name, report, tmp_path):
    WRITERS[name](report, STUDY, tmp_path)
    for path in tmp_path.iterdir():
        assert NOTE.encode() not in path.read_bytes()


@pytest.mark.parametrize("name", WRITERS)
def test_writing_again_replaces_and_leaves_nothing_behind(name, tmp_path):
    WRITERS[name](READ, STUDY, tmp_path)
    first = sorted(path.name for path in tmp_path.iterdir())
    WRITERS[name](READ, STUDY, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == first

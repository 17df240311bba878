"""`osler assess` from the outside: what it writes, what it refuses, with which exit code."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

REQUEST = {
    "purpose": "disability",
    "pseudonym": "P-0042",
    "consent": {"reference": "C-17", "date": "2026-02-03", "scope": ["disability"]},
    "assessor": {"name": "Mara Lind", "role": "orthopaedic surgeon"},
    "objection": {"contact": "Complaints office, 12 Hill Road"},
    "groups": {"site": "north"},
}
WHY = "Looked at the whole picture."


@pytest.fixture
def request_file(tmp_path):
    def write(**changed) -> Path:
        path = tmp_path / "request.json"
        path.write_text(json.dumps({**REQUEST, **changed}))
        return path

    return write


@pytest.fixture
def film(tmp_path) -> Path:
    """A noisy grey picture, named like a person, as files are."""
    path = tmp_path / "FEATHERSTONE_JANICE.png"
    Pillow.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64)).astype(np.uint8)).save(path)
    return path


@pytest.fixture
def stated(osler, request_file, film, model_folder, tmp_path):
    osler("models", "add", model_folder)
    out = tmp_path / "cases" / "one"
    done = osler("assess", film, "--request", request_file(), "--pathway", "tiny", "--out", out, "--json")
    assert done.code == 0, done.out
    return out, done


def test_a_statement_comes_in_three_forms_and_names_nobody(stated):
    out, done = stated
    assert {path.name for path in out.iterdir()} >= {"statement.json", "statement.html", "statement.pdf"}
    assert done.json["request"]["pseudonym"] == "P-0042" and done.json["items"][0]["name"] == "Opacity"
    for name in ("statement.json", "statement.html", "statement.pdf"):
        assert not re.search(rb"FEATHERSTONE|JANICE", (out / name).read_bytes())
    assert "JANICE" not in done.out


def test_a_person_decides_and_the_book_is_audited(osler, stated, tmp_path):
    out, _ = stated
    done = osler(
        "assess", "decide", out, "--by", "Mara Lind, surgeon", "--decision", "agree", "--reason", WHY, "--json"
    )
    assert done.code == 0 and done.json["by"] == {"name": "Mara Lind", "role": "surgeon"}
    told = osler("assess", "decide", out, "--by", "Otto Berg, reviewer", "--decision", "withheld", "--reason", WHY)
    assert told.code == 0 and "withheld, by Otto Berg" in told.out
    audit = osler("assess", tmp_path / "cases", "--audit", "--by", "site", "--out", tmp_path / "audit")
    assert audit.code == 0 and "too few" in audit.out and "audit.html" in audit.out
    plain = osler("assess", tmp_path / "cases", "--audit", "--out", tmp_path / "audit", "--json").json
    assert plain["scales"][0]["agreement"]["withheld"] == 1


def test_a_decision_without_a_human_name_is_refused(osler, stated):
    out, _ = stated
    for by in ("", "osler, system", "AI, assessor", "auto-approve, rule 7", "Mara Lind"):
        done = osler("assess", "decide", out, "--by", by, "--decision", "agree", "--reason", WHY)
        assert done.code == 2 and "→" in done.err and not list(out.glob("decision-*")), by


def test_a_statement_is_not_written_over(osler, stated, request_file, film):
    out, _ = stated
    done = osler("assess", film, "--request", request_file(), "--pathway", "tiny", "--out", out)
    assert done.code == 2 and "holds a statement already" in done.err


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"consent": None}, "no consent"),
        ({"purpose": "court"}, "covers disability, and not the purpose court"),
        ({"pseudonym": "Doe-1962"}, "initials with a year"),
        ({"pseudonym": ["P-1", "P-2"]}, "more than one patient"),
        ({"assessor": {"name": "system", "role": "assessor"}}, "no human name"),
    ],
)
def test_a_bad_request_is_refused_before_anything_is_read(osler, request_file, tmp_path, changed, why):
    done = osler("assess", tmp_path / "nowhere", "--request", request_file(**changed), "--out", tmp_path / "out")
    assert done.code == 2 and why in done.err and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["a", "b"], "one study at a time"),
        (["a"], "where the answer goes"),
        (["a", "--out", "o"], "Without a request"),
        (["a", "--out", "o", "--decision", "agree"], "belongs to a statement"),
        (["decide", "a"], "no human name"),
        (["decide", "a", "--by", "Mara Lind, surgeon"], "not said what is decided"),
        (["decide", "a", "--audit"], "decides nothing"),
        (["decide", "a", "--out", "o"], "takes no --request"),
        (["a", "--audit", "--out", "o", "--earlier", "b"], "takes no --request"),
        (["a", "--request", "r.json", "--out", "o", "--by", "sex"], "stands in the request"),
    ],
)
def test_words_that_make_no_sense_are_told(osler, words, why):
    done = osler("assess", *words)
    assert done.code == 2 and why in done.err


def test_a_picture_that_is_not_read_has_no_statement(osler, request_file, model_folder, tmp_path):
    osler("models", "add", model_folder)
    Pillow.fromarray(np.full((200, 200), 9, np.uint8)).save(tmp_path / "blank.png")
    done = osler(
        "assess",
        tmp_path / "blank.png",
        "--request",
        request_file(),
        "--pathway",
        "tiny",
        "--out",
        tmp_path / "out",
        "--json",
    )
    assert done.code == 3 and "not read" in done.json["error"]["problem"] and not (tmp_path / "out").exists()

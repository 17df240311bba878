"""A radiologist in China reads a study, and everything that is written speaks Chinese."""

import json
import re
from pathlib import Path

import numpy as np
import pydicom
import pytest

from osler.cli.main import main
from osler.core.facts import Facts
from osler.core.image import Image
from osler.io.dicom.write import write_radiograph

HAN = re.compile(r"[\u4e00-\u9fff]")
# What stays English on a Chinese page: names, units, identifiers.
NAMES = r"chest-pneumonia|Grad-CAM|Apache|Kermany|osler|film\.dcm|CHEST"


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Something like a chest: bright in the middle, dark lungs, made as a radiograph in DICOM."""
    rows, columns = np.mgrid[-1:1:240j, -1:1:240j]
    lungs = sum(np.exp(-(((columns - side) / 0.28) ** 2) - (rows / 0.6) ** 2) for side in (-0.45, 0.45))
    pixels = 2600 - 1700 * lungs + np.random.default_rng(0).normal(0, 60, rows.shape)
    facts = Facts(modality="DX", body_part="CHEST", view="PA", age_years=4.0)
    write_radiograph(
        Image(np.clip(pixels, 0, 4095).astype(np.uint16), (0.8, 0.8), facts=facts), tmp_path / "film.dcm"
    )
    return tmp_path / "film.dcm"


def test_a_reading_is_chinese_in_every_format(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSLER_LANG", "zh")
    words = ["read", str(film), "--pathway", "chest-pneumonia", "--explain", "similar"]
    words += ["--results", "json,html,pdf,sr,fhir,csv"]
    assert main([*words, "--out", str(tmp_path / "report")]) in (0, 3)
    said = capsys.readouterr().out
    assert "仅供研究用的决策支持" in said or "未予阅读" in said

    told = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    sentences = [one["statement"] for one in told["findings"]]
    sentences += [one["what"] for one in [*told["cautions"], *told["declined"]]]
    assert told["language"] == "zh" and sentences and all(HAN.search(one) for one in sentences)

    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert '<html lang="zh">' in page and "影像阅片报告" in page
    texts = re.split(r"<[^>]+>", re.sub(r"<style.*?</style>", "", page, flags=re.S))
    english = [
        t for t in texts if len(re.findall(r"[A-Za-z]{3,}", re.sub(NAMES, "", t))) > 2 and not HAN.search(t)
    ]
    assert english == []

    document = pydicom.dcmread(tmp_path / "report" / "sr.dcm")
    language = document.ContentSequence[0].ConceptCodeSequence[0]
    assert document.SpecificCharacterSet == "ISO_IR 192"
    assert (language.CodeValue, language.CodingSchemeDesignator) == ("zh", "RFC5646")
    bundle = json.loads((tmp_path / "report" / "report.fhir.json").read_text(encoding="utf-8"))
    assert {one["resource"].get("language") for one in bundle["entry"]} >= {"zh"}


def test_the_same_study_says_the_same_in_both_languages(film: Path, tmp_path: Path) -> None:
    told = {}
    for name in ("en", "zh"):
        words = ["read", str(film), "--pathway", "chest-pneumonia", "--lang", name, "--explain", "no"]
        main([*words, "--out", str(tmp_path / name)])
        told[name] = json.loads((tmp_path / name / "report.json").read_text(encoding="utf-8"))
    one, other = told["en"], told["zh"]
    assert one["status"] == other["status"] and len(one["findings"]) == len(other["findings"])
    for english, chinese in zip(one["findings"], other["findings"], strict=True):
        assert english["probability"] == chinese["probability"] and english["code"] == chinese["code"]
        assert english["statement"] != chinese["statement"]
    assert [c["check"] for c in one["cautions"]] == [c["check"] for c in other["cautions"]]


def test_an_unknown_language_is_refused_before_anything_is_read(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["read", str(film), "--lang", "xx", "--out", str(tmp_path / "r")]) == 2
    assert "Known: en, zh" in capsys.readouterr().err
    monkeypatch.setenv("OSLER_LANG", "yy")
    assert main(["read", str(film), "--out", str(tmp_path / "r")]) == 2
    assert not (tmp_path / "r").exists()

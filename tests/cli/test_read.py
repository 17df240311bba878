"""A study in, a report out, or a reason."""

import json
from pathlib import Path

import numpy as np

from osler.io.raster import write_image


def test_a_read_study_leaves_a_report(osler, model_folder: Path, tmp_path: Path) -> None:
    picture = tmp_path / "film.png"
    draw = np.random.default_rng(0)
    write_image(draw.integers(0, 255, (64, 64)).astype(np.uint8), picture)
    osler("models", "add", model_folder)
    done = osler("read", picture, "--pathway", "tiny", "--out", tmp_path / "report", "--json")
    assert done.code == 0, done.err or done.out
    assert done.json["status"] == "read" and done.json["findings"]
    assert json.loads((tmp_path / "report" / "report.json").read_text())["findings"] == done.json["findings"]
    assert (tmp_path / "report" / "report.html").is_file()
    said = osler("read", picture, "--pathway", "tiny", "--out", tmp_path / "report").out
    assert "not a medical device" in said and done.json["findings"][0]["statement"] in said


def test_a_study_that_no_model_may_read_is_declined_with_code_3(osler, tmp_path: Path) -> None:
    np.save(tmp_path / "box.npy", np.random.default_rng(0).normal(size=(9, 200, 190)).astype(np.float32))
    done = osler("read", tmp_path / "box.npy", "--out", tmp_path / "report")
    assert done.code == 3 and "declined" in done.out and "→" in done.out
    assert json.loads((tmp_path / "report" / "report.json").read_text())["status"] == "declined"


def test_an_unknown_pathway_is_asked_wrongly(osler, model_folder: Path, tmp_path: Path) -> None:
    write_image(np.zeros((8, 8), np.uint8), tmp_path / "film.png")
    done = osler("read", tmp_path / "film.png", "--pathway", "astrology", "--out", tmp_path / "report")
    assert done.code == 2 and "astrology" in done.err and not (tmp_path / "report").exists()

"""A study in, a report out, or a reason."""

import json
from pathlib import Path

import numpy as np
import pytest

from osler.cli.read import parser
from osler.core.facts import Facts
from osler.core.image import Image
from osler.io.dicom.write import write_radiograph
from osler.io.raster import write_image
from osler.results.table import USUAL, WRITERS, writers_named


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A noisy grey picture."""
    draw = np.random.default_rng(0)
    write_image(draw.integers(0, 255, (64, 64)).astype(np.uint8), tmp_path / "film.png")
    return tmp_path / "film.png"


def test_a_read_study_leaves_a_report(osler, model_folder: Path, film: Path, tmp_path: Path) -> None:
    osler("models", "add", model_folder)
    done = osler("read", film, "--pathway", "tiny", "--out", tmp_path / "report", "--json")
    assert done.code == 0, done.err or done.out
    assert done.json["status"] == "read" and done.json["findings"]
    assert json.loads((tmp_path / "report" / "report.json").read_text())["findings"] == done.json["findings"]
    assert (tmp_path / "report" / "report.html").is_file()
    assert done.json["written"] == {
        name: [str(tmp_path / "report" / f"report.{name}")] for name in ("json", "html")
    }
    assert done.json["not_written"] == {}
    said = osler("read", film, "--pathway", "tiny", "--out", tmp_path / "report").out
    assert "not a medical device" in said and done.json["findings"][0]["statement"] in said
    assert said.splitlines()[-1] == f"Report: {tmp_path / 'report' / 'report.html'}"


def test_only_the_formats_that_were_asked_for_are_written(
    osler, model_folder: Path, film: Path, tmp_path: Path
) -> None:
    osler("models", "add", model_folder)
    done = osler("read", film, "--pathway", "tiny", "--out", tmp_path / "r", "--results", "fhir, csv", "--json")
    assert done.code == 0 and set(done.json["written"]) == {"csv", "fhir"}
    assert {path.name for path in (tmp_path / "r").iterdir()} == {"report.csv", "report.fhir.json"}


def test_what_cannot_hold_the_reading_is_told_and_the_rest_is_written(
    osler, model_folder: Path, film: Path, tmp_path: Path
) -> None:
    osler("models", "add", model_folder)
    words = ("read", film, "--pathway", "tiny", "--out", tmp_path / "r", "--identified", "--results", "csv,fhir")
    done = osler(*words, "--json")
    assert done.code == 0 and list(done.json["written"]) == ["csv"]
    assert (
        "is not DICOM" in done.json["not_written"]["fhir"]["problem"]
        and done.json["not_written"]["fhir"]["remedy"]
    )
    said = osler(*words).out
    assert f"Written, csv: {tmp_path / 'r' / 'report.csv'}" in said.splitlines()
    assert any(line.startswith("Not written, fhir:") and "DICOM" in line for line in said.splitlines())


def test_all_means_every_format_and_none_is_lost_without_a_word(osler, model_folder: Path, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    image = Image(draw.integers(0, 255, (64, 64)).astype(np.uint8), (0.5, 0.5), Facts("DX", "CHEST"))
    write_radiograph(image, tmp_path / "film.dcm", seed=5)
    osler("models", "add", model_folder)
    done = osler(
        "read", tmp_path / "film.dcm", "--pathway", "tiny", "--out", tmp_path / "r", "--results", "all", "--json"
    )
    assert done.code == 0, done.err or done.out
    assert {*done.json["written"], *done.json["not_written"]} == set(WRITERS)
    assert {"json", "html", "csv", "fhir"} <= set(done.json["written"])
    assert all(Path(path).is_file() for paths in done.json["written"].values() for path in paths)


def test_asked_to_fhir_names_the_patient_by_number(osler, model_folder: Path, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    image = Image(draw.integers(0, 255, (64, 64)).astype(np.uint8), (0.5, 0.5), Facts("DX", "CHEST"))
    write_radiograph(image, tmp_path / "film.dcm", seed=5)
    osler("models", "add", model_folder)
    words = ("read", tmp_path / "film.dcm", "--pathway", "tiny", "--out", tmp_path / "r", "--results", "fhir")
    osler(*words)
    assert "MADE-UP-5" not in (tmp_path / "r" / "report.fhir.json").read_text()
    osler(*words, "--identified")
    assert "MADE-UP-5" in (tmp_path / "r" / "report.fhir.json").read_text()


def test_an_unknown_format_is_told_before_anything_is_read(osler, tmp_path: Path) -> None:
    done = osler("read", tmp_path / "missing.png", "--out", tmp_path / "r", "--results", "json,htm")
    assert done.code == 2 and "'htm'" in done.err and "Did you mean 'html'?" in done.err
    assert not (tmp_path / "r").exists()


def test_the_formats_without_a_word_are_those_of_the_table() -> None:
    assert parser().parse_args(["s", "--out", "o"]).results == USUAL
    assert list(writers_named(USUAL)) == USUAL.split(",")
    assert list(writers_named("all")) == list(WRITERS)


def test_a_study_that_no_model_may_read_is_declined_with_code_3(osler, tmp_path: Path) -> None:
    np.save(tmp_path / "box.npy", np.random.default_rng(0).normal(size=(9, 200, 190)).astype(np.float32))
    done = osler("read", tmp_path / "box.npy", "--out", tmp_path / "report", "--results", "json,csv,fhir")
    assert done.code == 3 and "declined" in done.out and done.out.count("→") == 1
    declined = json.loads((tmp_path / "report" / "report.json").read_text())["declined"]
    for problem in declined[1:]:
        assert f"{problem['check'].removeprefix('model ')}: {problem['what']}" in done.out
    assert declined[1:]
    assert json.loads((tmp_path / "report" / "report.json").read_text())["status"] == "declined"
    assert "cancelled" in (tmp_path / "report" / "report.fhir.json").read_text()


def test_an_unknown_pathway_is_asked_wrongly(osler, model_folder: Path, tmp_path: Path) -> None:
    write_image(np.zeros((8, 8), np.uint8), tmp_path / "film.png")
    done = osler("read", tmp_path / "film.png", "--pathway", "astrology", "--out", tmp_path / "report")
    assert done.code == 2 and "astrology" in done.err and not (tmp_path / "report").exists()

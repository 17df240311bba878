"""The whole check, its cleaned table and its page."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from osler.cli import output
from osler.cli.main import main
from osler.core.errors import BadDataset
from osler.lab.catalog.care.check import check_data
from osler.lab.catalog.care.fix import write_fixed
from osler.lab.catalog.care.page import care_in_short, care_json, care_lines, limits, write_care_page
from osler.lab.catalog.dataset import Box, Case, Dataset, Source
from osler.lab.catalog.recognize import read_dataset


def pixels(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (32, 32), dtype=np.uint8)


def save(array: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """A folder a class, with splits; a patient and a picture on both sides, one blank and one cut short."""
    root = tmp_path / "bad"
    for side, shift in (("train", 0), ("test", 100)):
        for number in range(8):
            name = "well" if number % 2 else "ill"
            save(pixels(shift + number), root / side / name / f"person{shift + number}_a.png")
    save(pixels(500), root / "train" / "ill" / "person100_b.png")  # person100 is in test
    save(pixels(1), root / "test" / "well" / "person300_a.png")  # the picture of person1 in train
    save(np.full((32, 32), 7, np.uint8), root / "train" / "well" / "person301_a.png")
    whole = (root / "train" / "ill" / "person0_a.png").read_bytes()
    (root / "train" / "ill" / "person302_a.png").write_bytes(whole[: len(whole) // 2])
    return root


def kinds(path: Path) -> dict[str, str]:
    return {one.kind: one.severity for one in check_data(read_dataset(path)).concerns}


def test_planted_faults_are_found(bad: Path) -> None:
    found = kinds(bad)
    assert found["patient-leak"] == "leak"
    assert found["duplicate"] == "leak"
    assert found["unreadable"] == "error"
    assert found["blank"] == "warning"


def test_concerns_are_ranked(bad: Path) -> None:
    from osler.lab.catalog.care.concern import SEVERITIES

    order = [SEVERITIES.index(one.severity) for one in check_data(read_dataset(bad)).concerns]
    assert order == sorted(order)
    assert order[0] == 0


def test_the_cleaned_table_has_no_leak_and_the_originals_stay(bad: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in bad.rglob("*.png")}
    dataset = read_dataset(bad)
    fixed = write_fixed(dataset, check_data(dataset), tmp_path / "clean.csv")
    assert {path: path.read_bytes() for path in bad.rglob("*.png")} == before
    assert set(fixed.left_out) == {
        "train/ill/person100_b", "train/well/person1_a", "train/ill/person302_a"
    }  # fmt: skip
    again = read_dataset(tmp_path / "clean.csv")
    assert len(again.cases) == fixed.kept == len(dataset.cases) - 3
    assert (again.task, again.classes) == (dataset.task, dataset.classes)
    assert not any(case.facts for case in again.cases)  # what was said about a case is no fact of its patient
    assert sum(case.split == "test" for case in again.cases) == 9  # all of them
    assert not check_data(again).leaks


def test_parts_of_an_npz_can_be_cleaned_too(tmp_path: Path) -> None:
    arrays: dict[str, np.ndarray] = {}
    for split, first in (("train", 0), ("val", 100), ("test", 200)):
        arrays[f"{split}_images"] = np.stack([pixels(first + n) for n in range(12)])
        arrays[f"{split}_labels"] = np.arange(12)[:, None] % 2
    arrays["test_images"][3] = arrays["train_images"][5]
    np.savez(tmp_path / "small.npz", **arrays)
    dataset = read_dataset(tmp_path / "small.npz")
    care = check_data(dataset)
    assert [one.cases for one in care.leaks] == [("test:03", "train:05")]
    write_fixed(dataset, care, tmp_path / "clean.csv")
    again = read_dataset(tmp_path / "clean.csv")
    assert len(again.cases) == 35
    assert all(source.item for case in again.cases for source in case.pictures)
    assert not check_data(again).leaks


def test_doubted_labels_are_told_and_not_changed(bad: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    from osler.lab.catalog.care.concern import Concern

    dataset = read_dataset(bad)
    name = "test/well/person101_a"
    doubt = Concern("label-error", "warning", "?", "look", (name,), 0.9, ((name, "ill"),))
    care = replace(check_data(dataset), concerns=(doubt,))
    fixed = write_fixed(dataset, care, tmp_path / "clean.csv")
    with (tmp_path / "clean.csv").open(encoding="utf-8") as stream:
        row = next(row for row in csv.DictReader(stream) if "person101" in row["image"])
    assert (row["label"], row["suspected_label"], row["concern"]) == ("well", "ill", "label-error")
    assert (fixed.suspected, fixed.left_out) == (1, ())


def test_boxes_cannot_stand_in_a_table(tmp_path: Path) -> None:
    save(pixels(0), tmp_path / "a.png")
    save(pixels(1), tmp_path / "b.png")
    cases = tuple(
        Case(name, name, (Source(tmp_path / f"{name}.png"),), (Box(0, 1, 1, 5, 5),)) for name in ("a", "b")
    )
    dataset = Dataset("boxes", tmp_path, "detection", ("nodule",), ("image",), cases, "made up")
    care = check_data(dataset)  # and nothing crashes
    with pytest.raises(BadDataset, match="boxes"):
        write_fixed(dataset, care, tmp_path / "clean.csv")


def test_the_page_shows_pairs_side_by_side_and_needs_no_network(bad: Path, tmp_path: Path) -> None:
    dataset = read_dataset(bad)
    write_care_page(dataset, check_data(dataset), tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "person1_a" in page and "person300_a" in page
    assert page.count("data:image/png;base64,") >= 4
    assert "http" not in page.replace("http-equiv", "")


def test_without_time_it_is_said_what_was_not_checked(bad: Path) -> None:
    care = check_data(read_dataset(bad), budget_seconds=0.0)
    assert [one.kind for one in care.leaks] == ["patient-leak", "duplicate"]  # which take no time
    assert any(said.startswith("Changed copies") for said in care.unchecked)
    assert any("Not checked" in line for line in care_lines(care))


def test_a_card_says_that_a_leak_was_allowed_and_names_no_case(bad: Path) -> None:
    care = check_data(read_dataset(bad))
    assert any("leak" in said for said in limits(care, allowed=("leak",)))
    assert any("left out" in said for said in limits(care))
    assert "person" not in json.dumps([care_in_short(care), limits(care, allowed=("leak",))])


def test_the_command(bad: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", str(bad), "--json", "--fix", str(tmp_path / "clean.csv")]) == output.GOOD
    told = json.loads(capsys.readouterr().out)
    assert told["counts"]["leak"] == 2
    assert told["fixed"]["kept"] == 17
    assert main(["data", "check", str(bad), "--strict"]) == output.FAILED
    lines = capsys.readouterr().out
    assert "LEAK: patients on both sides of a split (1)" in lines
    assert main(["data", "check", str(bad), "--fix", str(tmp_path / "clean.txt")]) == output.ASKED_WRONGLY


def test_every_kind_has_a_place_and_a_title(bad: Path) -> None:
    from osler.lab.catalog.care.check import KINDS
    from osler.lab.catalog.care.page import TITLES

    assert set(KINDS) == set(TITLES)
    assert json.dumps(care_json(check_data(read_dataset(bad))))

"""The shelf from the command line."""

import json
from pathlib import Path

from osler.models.shelf import Shelf


def test_a_model_is_added_shown_listed_and_removed(osler, model_folder: Path) -> None:
    added = osler("models", "add", model_folder, "--name", "mine", "--json")
    assert added.code == 0 and added.json["name"] == "mine"
    listed = osler("models", "list", "--json").json["models"]
    assert {"name": "mine", "problem": ""}.items() <= next(r for r in listed if r["name"] == "mine").items()
    shown = osler("models", "show", "mine")
    assert shown.code == 0 and "small grey pictures" in shown.out and "normal, opacity (binary)" in shown.out
    assert osler("models", "show", "mine", "--json").json["title"] == "Opacity"
    again = osler("models", "add", model_folder, "--name", "mine")
    assert again.code == 2 and "on the shelf already" in again.err
    assert osler("models", "remove", "mine").code == 0
    gone = osler("models", "show", "mine")
    assert gone.code == 2 and "no model on the shelf named 'mine'" in gone.err


def test_json_may_come_before_the_inner_verb(osler) -> None:
    assert "models" in osler("models", "--json", "list").json


def test_a_damaged_model_is_told_in_the_list(osler, model_folder: Path) -> None:
    osler("models", "add", model_folder)
    weights = Shelf.default().folders[0] / "tiny" / "member-0.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0\1")
    row = next(r for r in osler("models", "list", "--json").json["models"] if r["name"] == "tiny")
    assert "damaged" in row["problem"]
    assert "DAMAGED" in osler("models", "list").out
    assert osler("doctor").code == 1


def test_an_exported_model_is_worn_again_and_predicts_the_same(
    osler, model_folder: Path, pictures: Path, tmp_path: Path
) -> None:
    written = osler("models", "export", model_folder, "--format", "onnx", "--out", tmp_path / "net.onnx", "--json")
    assert written.code == 0 and written.json["max_difference"] < 1e-4
    added = osler("models", "add", tmp_path / "net.onnx", "--card", written.json["card"], "--name", "worn")
    assert added.code == 0, added.err
    files = sorted(pictures.rglob("*.png"))
    first = osler("predict", model_folder, *files, "--out", tmp_path / "a", "--json").json["predictions"]
    second = osler("predict", "worn", *files, "--out", tmp_path / "b", "--json").json["predictions"]
    for one, other in zip(first, second, strict=True):
        assert abs(one["probabilities"]["opacity"] - other["probabilities"]["opacity"]) < 1e-4


def test_an_onnx_file_needs_a_card(osler, tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"x")
    outcome = osler("models", "add", tmp_path / "net.onnx")
    assert outcome.code == 2 and "--card" in outcome.err
    (tmp_path / "card.json").write_text(json.dumps({"name": "x"}))
    outcome = osler("models", "add", tmp_path / "net.onnx", "--card", tmp_path / "card.json")
    assert outcome.code == 1 and "card.json" in outcome.err and not (tmp_path / "home" / "models").exists()


def test_a_worn_net_is_calibrated_on_labelled_cases_and_sealed_again(
    osler, model_folder: Path, pictures: Path, tmp_path: Path
) -> None:
    card = osler("models", "export", model_folder, "--out", tmp_path / "net.onnx", "--json").json["card"]
    osler("models", "add", tmp_path / "net.onnx", "--card", card, "--name", "worn")
    before = osler("evaluate", "worn", pictures, "--split", "all", "--json").json["metrics"]
    done = osler("models", "calibrate", "worn", pictures, "--split", "all", "--json")
    assert done.code == 0, done.err
    shown = osler("models", "show", "worn", "--json").json  # the seal holds, or it would be damaged
    assert shown["limits"][-1].startswith("Calibrated on")
    after = osler("evaluate", "worn", pictures, "--split", "all", "--json").json["metrics"]
    assert after["auc"] == before["auc"], "the order of the answers stays"
    assert after["nll"]["value"] <= before["nll"]["value"] + 1e-9


def test_a_model_that_ships_is_not_calibrated_in_place(
    osler, model_folder: Path, monkeypatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Shelf, "default", lambda: Shelf((tmp_path / "own", model_folder.parent)))
    refused = osler("models", "calibrate", model_folder.name, tmp_path)
    assert refused.code == 2 and "came with Osler" in refused.err

"""Answers on files: tables and masks."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osler.cli.predict import open_case, unique_names, write_mask
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.io.files import write_json
from osler.io.open import open_mask
from osler.models.card import read_card
from osler.models.digest import seal
from osler.models.likeness import PlainLook
from osler.models.model import store_space
from osler.models.trust import Conformal


def test_predict_writes_a_row_a_file(osler, model_folder: Path, pictures: Path, tmp_path: Path) -> None:
    files = sorted(pictures.rglob("*.png"))
    done = osler("predict", model_folder, *files, "--out", tmp_path / "out")
    assert done.code == 0 and str(files[0]) in done.out
    rows = list(csv.DictReader((tmp_path / "out" / "predictions.csv").open()))
    told = json.loads((tmp_path / "out" / "predictions.json").read_text())["predictions"]
    assert [row["file"] for row in rows] == [str(f) for f in files] == [row["file"] for row in told]
    shares = [float(row["probabilities[normal]"]) + float(row["probabilities[opacity]"]) for row in rows]
    np.testing.assert_allclose(shares, 1, atol=1e-5)
    for row in told:
        assert row["answer"] == max(row["probabilities"], key=row["probabilities"].get)


def test_one_broken_file_leaves_nothing_behind(osler, model_folder: Path, pictures: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(next(pictures.rglob("*.png")).read_bytes()[:60])
    done = osler("predict", model_folder, *pictures.rglob("*.png"), broken, "--out", tmp_path / "out")
    assert done.code == 1 and "broken.png" in done.err
    assert not (tmp_path / "out").exists()


def test_an_item_of_a_file_and_several_channels(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", images=np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4))
    (one,) = open_case(f"{tmp_path / 'set.npz'}[images:1]")
    assert one.array[0, 0] == 16
    two = open_case(f"{tmp_path / 'set.npz'}[images:0],{tmp_path / 'set.npz'}[images:1]")
    assert [picture.array[0, 0] for picture in two] == [0, 16]


def test_names_never_collide() -> None:
    names = unique_names(["a/x.png", "b/x.png", "x-2.png", "p.nii.gz,q.nii.gz", "/", "[]"])
    assert len(set(names)) == len(names) and names[3] == "p"


def test_masks_go_out_as_they_came(tmp_path: Path) -> None:
    flat = Mask(np.array([[0, 1], [2, 0]], np.uint8), {1: "a", 2: "b"})
    solid = Mask(
        np.arange(8, dtype=np.uint8).reshape(2, 2, 2), {}, geometry=Geometry.from_spacing((2, 2, 2), (3, 2, 1))
    )
    for mask in (flat, solid):
        back = open_mask(write_mask(mask, tmp_path, "case"))
        np.testing.assert_array_equal(back.array, mask.array)


@pytest.mark.parametrize("policy", ["by_header", "decline"])
def test_unlike_pictures_are_marked_or_declined(
    osler, model_folder: Path, pictures: Path, tmp_path: Path, policy: str
) -> None:
    """One measure that no picture can be usual by, and 40 patients behind it."""
    never = {"name": "look", "mean": -50.0, "deviation": 0.1}
    look = PlainLook(np.zeros(272), np.eye(272), np.zeros((1, 33)), (), np.zeros((0, 272)))
    trust = json.loads((model_folder / "trust.json").read_text())
    gate = {"false_alarm": 0.05, "scores": [0.0] * 40, "evidence": [never], "patients": 40}
    write_json(model_folder / "trust.json", trust | {"gate": gate})
    store_space(None, look, model_folder / "features.safetensors")
    seal(model_folder, replace(read_card(model_folder), gate=policy))
    file = next(pictures.rglob("*.png"))
    done = osler("predict", model_folder, file, "--out", tmp_path / "out", "--json")
    [row] = done.json["predictions"]
    assert done.code == 0 and row["unlike"] is True and row["p_like"] == pytest.approx(1 / 41, abs=1e-6)
    if policy == "decline":
        assert "looks unlike them as a whole" in row["declined"]
        assert not {"answer", "probabilities", "why"} & set(row)
    else:
        assert "looks unlike them as a whole" in row["why"] and row["answer"] and row["probabilities"]
    [line] = csv.DictReader((tmp_path / "out" / "predictions.csv").open())
    assert line["unlike"] == "True" and float(line["p_like"]) == row["p_like"]
    shown = osler("models", "show", model_folder)
    assert shown.code == 0 and ("declined\n" in shown.out) == (policy == "decline") and "40 patients" in shown.out


def with_trust(folder: Path, **more: object) -> None:
    """The model with other trust, sealed again."""
    from dataclasses import replace

    from osler.core.record import to_plain
    from osler.io.files import write_json
    from osler.models.card import read_card
    from osler.models.digest import seal
    from osler.models.trust import Trust

    write_json(folder / "trust.json", to_plain(replace(Trust(), **more)))  # type: ignore[arg-type]
    seal(folder, read_card(folder))


def test_answers_for_another_prevalence(osler, model_folder: Path, pictures: Path, tmp_path: Path) -> None:
    sets = Conformal("lac", (0.9,), ((0.99, 0.99),))
    with_trust(model_folder, prevalence=(0.5, 0.5), sets=sets)
    files = sorted(pictures.rglob("*.png"))[:2]
    plain = osler("predict", model_folder, *files, "--out", tmp_path / "a", "--json").json
    rare = osler("predict", model_folder, *files, "--out", tmp_path / "b", "--prevalence", "0.02", "--json").json
    assert rare["prevalence"] == {
        "learnt": {"normal": 0.5, "opacity": 0.5},
        "here": {"normal": 0.98, "opacity": 0.02},
    }
    for before, after in zip(plain["predictions"], rare["predictions"], strict=True):
        odds = before["probabilities"]["opacity"] / before["probabilities"]["normal"] * 0.02 / 0.98
        assert abs(after["probabilities"]["opacity"] - odds / (1 + odds)) < 1e-5
        assert after["answer"] == before["answer"]
        assert after["among"] == before["among"] == ["normal", "opacity"] and after["coverage"] == 0.9
    said = osler("predict", model_folder, files[0], "--out", tmp_path / "c").out
    assert "not excluded at 90%: normal, opacity" in said
    row = next(csv.DictReader((tmp_path / "c" / "predictions.csv").open()))
    assert (row["among"], row["coverage"]) == ("normal|opacity", "0.9")


@pytest.mark.parametrize("wrong", ["0", "1.2", "a lot", "flu=0.1"])
def test_no_prevalence_at_all(osler, model_folder: Path, pictures: Path, tmp_path: Path, wrong: str) -> None:
    with_trust(model_folder, prevalence=(0.5, 0.5))
    refused = osler(
        "predict", model_folder, *pictures.rglob("*.png"), "--out", tmp_path / "o", "--prevalence", wrong
    )
    assert refused.code == 2 and not (tmp_path / "o").exists()


def test_many_files_say_what_their_own_prevalence_seems_to_be(
    osler, model_folder: Path, pictures: Path, tmp_path: Path
) -> None:
    with_trust(model_folder, prevalence=(0.5, 0.5))
    files = list(pictures.rglob("*.png"))[:1] * 50
    told = osler("predict", model_folder, *files, "--out", tmp_path / "o", "--json").json["estimated_prevalence"]
    assert told["n"] == 50 and told["opacity"]["low"] <= told["opacity"]["value"] <= told["opacity"]["high"]


def test_members_that_disagree_are_told(osler, model_folder: Path, pictures: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    weights = load_file(model_folder / "member-0.safetensors")
    torch.manual_seed(1)
    other = {k: v + torch.randn(v.shape) if v.ndim > 1 else v for k, v in weights.items()}
    save_file(other, model_folder / "member-1.safetensors")
    with_trust(model_folder)
    file = next(pictures.rglob("*.png"))
    [row] = osler("predict", model_folder, file, "--out", tmp_path / "o", "--json").json["predictions"]
    assert 0 < row["disagreement"] < np.log(2)

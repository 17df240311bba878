"""Answers on files: tables and masks."""

import csv
import json
from pathlib import Path

import numpy as np

from osler.cli.predict import open_case, unique_names, write_mask
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.io.open import open_mask


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

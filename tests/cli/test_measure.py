"""`osler measure`: a table of measures and features, and what is refused."""

import csv
import json

import numpy as np
import pytest

from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.volume import Volume
from osler.io.nifti import write_mask, write_volume

SHAPE = (6, 10, 10)
GRID = Geometry.from_spacing(SHAPE, (2, 1, 1))


@pytest.fixture
def files(tmp_path):
    draw = np.random.default_rng(4)
    array = draw.integers(-50, 150, SHAPE).astype(np.int16)
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:5, 2:8, 2:8] = 1
    labels[2, 9, 9] = 3
    write_volume(Volume(array, GRID), tmp_path / "ct.nii.gz")
    write_mask(Mask(labels, {1: "Tumour", 3: "Speck"}, geometry=GRID), tmp_path / "mask.nii.gz")
    return tmp_path


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_label_has_its_measures_and_features(osler, files):
    out = files / "table.csv"
    done = osler("measure", files / "ct.nii.gz", files / "mask.nii.gz", "--settings", "ct", "--out", out)
    assert done.code == 0
    rows = rows_of(out)
    assert {row["label"] for row in rows} == {"1", "3"}
    # of the speck of one voxel nothing is left at 2 mm, which costs the tumour nothing
    assert {row["family"] for row in rows if row["label"] == "3"} == {"as drawn"}
    assert "Label 3 has no features. Nothing is left of label 3" in done.out
    tumour = {(row["code"], row["aggregation"], row["family"]): row for row in rows if row["label"] == "1"}
    volume = tumour["118565006", "", "as drawn"]
    assert float(volume["value"]) == pytest.approx(4 * 6 * 6 * 2 / 1000) and volume["unit"] == "ml"
    assert tumour["Q4LE", "", "statistics"]["unit"] == "HU"
    assert all(row["value"] or row["why"] for row in rows)
    assert "features with settings ct" in done.out and "Volume: 0.288 ml" in done.out
    assert str(files) not in "".join(cell for row in rows for cell in row.values())


def test_a_machine_reads_the_same(osler, files):
    out = files / "table.csv"
    done = osler(
        "measure", files / "ct.nii.gz", files / "mask.nii.gz", "--label", "1", "--settings", "ibsi-c",
        "--families", "statistics,size_zone", "--out", out, "--json",
    )  # fmt: skip
    answer = done.json
    assert answer["settings"] == "ibsi-c" and answer["made_with"]["between"] == [-1000, 400]
    assert {row["family"] for row in answer["rows"]} == {"as drawn", "statistics", "size_zone"}
    written = [float(row["value"]) for row in rows_of(out)]
    assert written == pytest.approx([row["value"] for row in answer["rows"]])


def test_a_label_that_has_no_features_alone_is_an_error(osler, files):
    words = ("measure", files / "ct.nii.gz", files / "mask.nii.gz", "--label", "3", "--settings")
    done = osler(*words, "ct", "--out", files / "t.csv")
    assert done.code == 1 and "too small" in done.err and not (files / "t.csv").exists()
    done = osler(*words, "ibsi-a", "--out", files / "t.csv")  # on the picture's own grid it is one voxel
    assert done.code == 0 and "not defined where no two voxels are neighbours: Joint maximum" in done.out


def test_labels_by_name_and_settings_from_a_file(osler, files):
    (files / "mine.json").write_text(json.dumps({"like": "ct", "bins": {"count": 8}}))
    (files / "mask.labels.json").write_text(json.dumps({"1": "Tumour", "3": "Speck"}))
    done = osler(
        "measure", files / "ct.nii.gz", files / "mask.nii.gz", "--label", "tumour", "--settings",
        files / "mine.json", "--out", files / "t.csv", "--json",
    )  # fmt: skip
    assert done.code == 0, done.out
    assert {row["structure"] for row in done.json["rows"]} == {"Tumour"}
    assert done.json["settings"] == "mine.json" and done.json["made_with"]["bins"]["count"] == 8


def test_only_what_was_drawn(osler, files):
    done = osler(
        "measure", files / "ct.nii.gz", files / "mask.nii.gz", "--families", "none", "--out", files / "t.csv"
    )
    assert done.code == 0
    assert {row["family"] for row in rows_of(files / "t.csv")} == {"as drawn"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "does not say what kind of picture it is"),
        (["--settings", "cta"], 2, "Did you mean 'ct'"),
        (["--settings", "ct", "--families", "shape"], 2, "no family of features named 'shape'"),
        (["--settings", "ct", "--label", "2"], 2, "It has: 1"),
        (["--settings", "ct", "--label", "liver"], 2, "no label 'liver'"),
    ],
)
def test_what_is_asked_wrongly(osler, files, words, code, said):
    done = osler("measure", files / "ct.nii.gz", files / "mask.nii.gz", *words, "--out", files / "t.csv")
    assert (done.code, said in done.err) == (code, True), done.err
    assert not (files / "t.csv").exists()


def test_a_mask_on_another_grid_is_refused_or_told(osler, files):
    coarse = Geometry.from_spacing((6, 5, 5), (2, 2, 2), (0.5, 0.5, 0))
    labels = np.zeros((6, 5, 5), np.uint8)
    labels[1:5, 1:4, 1:4] = 1
    write_mask(Mask(labels, {1: "x"}, geometry=coarse), files / "coarse.nii.gz")
    words = ("measure", files / "ct.nii.gz", files / "coarse.nii.gz", "--settings", "ct", "--out", files / "t.csv")
    done = osler(*words)
    assert done.code == 1 and "does not lie on the picture's grid: 6 x 5 x 5 voxels of 2 x 2 x 2 mm" in done.err
    done = osler(*words, "--resample-mask", "--json")
    assert done.code == 0 and "nearest voxel" in done.json["notes"][0]
    assert done.json["rows"][0]["value"] == pytest.approx(4 * 6 * 6 * 2 / 1000)


def test_an_empty_mask_and_a_flat_picture(osler, files):
    write_mask(Mask(np.zeros(SHAPE, np.uint8), {}, geometry=GRID), files / "empty.nii.gz")
    done = osler(
        "measure", files / "ct.nii.gz", files / "empty.nii.gz", "--settings", "ct", "--out", files / "t.csv"
    )
    assert done.code == 1 and "no voxel" in done.err
    from PIL import Image

    Image.new("L", (8, 8)).save(files / "flat.png")
    done = osler(
        "measure", files / "flat.png", files / "mask.nii.gz", "--settings", "ct", "--out", files / "t.csv"
    )
    assert done.code == 1 and "flat picture" in done.err

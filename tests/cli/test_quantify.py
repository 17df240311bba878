"""`osler quantify`: each kind of measure from files, and what is refused."""

import json

import numpy as np
import pytest

from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.volume import Volume
from osler.io.nifti import write_mask, write_volume

GRID = Geometry.from_spacing((8, 40, 40), (3.0, 1.0, 1.0))


@pytest.fixture
def files(tmp_path):
    array = np.full(GRID.shape, 1.0, np.float32)
    array[2:5, 10:20, 10:20] = 6
    array[3, 12:14, 12:14] = 450
    tumour, liver, falx = (np.zeros(GRID.shape, np.uint8) for _ in range(3))
    tumour[2:5, 10:20, 10:20] = 1
    liver[5:7, 25:35, 25:35] = 1
    falx[4, 2:38, 20] = 1
    falx[4, 18:22, 20], falx[4, 18:22, 24] = 0, 1
    write_volume(Volume(array, GRID), tmp_path / "picture.nii.gz")
    for name, drawn in (("tumour", tumour), ("liver", liver), ("falx", falx), ("larger", np.roll(tumour, 1, 0))):
        write_mask(Mask(drawn, {1: name}, geometry=GRID), tmp_path / f"{name}.nii.gz")
    filled, empty = (np.zeros(GRID.shape, np.uint8) for _ in range(2))
    filled[2:6, 10:20, 10:20], empty[2:6, 12:18, 12:18] = 3, 3
    write_mask(Mask(filled, {3: "left"}, geometry=GRID), tmp_path / "diastole.nii.gz")
    write_mask(Mask(empty, {3: "left"}, geometry=GRID), tmp_path / "systole.nii.gz")
    return tmp_path


def measured(osler, *words) -> dict[str, float]:
    done = osler("quantify", *words, "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)["measurements"]
    return {one["name"]: one["quantity"]["value"] for one in found}


def test_each_kind_of_measure_comes_out_of_files(osler, files):
    picture, tumour = files / "picture.nii.gz", files / "tumour.nii.gz"
    assert measured(osler, "statistics", picture, tumour)["Greatest value"] == 450
    body = ("--sex", "F", "--weight-kg", "64", "--height-m", "1.68")
    uptake = measured(
        osler, "uptake", picture, tumour, "--numbers-are-suv", "--liver", files / "liver.nii.gz", *body
    )
    assert uptake["SUVmax"] == 450 and 0 < uptake["SULpeak"] < uptake["SUVpeak"]
    volume = "Metabolic tumour volume, the liver's mean and two standard deviations or more"
    assert uptake[volume] == pytest.approx(0.9)
    score = measured(osler, "calcium", picture, tumour, "--kvp", "120", "--without-contrast")
    assert score["Agatston score"] == pytest.approx(16)
    heart = measured(osler, "heart", files / "diastole.nii.gz", files / "systole.nii.gz", "--left", "3")
    assert heart["Ejection fraction, left ventricle"] == pytest.approx(64)
    assert measured(osler, "midline", files / "falx.nii.gz")["Midline shift"] == pytest.approx(4)
    apart = measured(osler, "distance", tumour, files / "larger.nii.gz")
    assert apart["Distance between the outlines, 95th percentile (HD95)"] == 3


def test_people_read_a_line_each(osler, files):
    done = osler("quantify", "statistics", files / "picture.nii.gz", files / "tumour.nii.gz")
    assert done.code == 0 and "Median: 6 1" in done.out and len(done.out.strip().splitlines()) == 7


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("uptake", "picture.nii.gz", "tumour.nii.gz"), 1, "not in SUV"),
        (("uptake", "picture.nii.gz", "tumour.nii.gz", "--numbers-are-suv", "--label", "4"), 1, "no voxels"),
        (("calcium", "picture.nii.gz", "tumour.nii.gz"), 3, "contrast"),
        (("calcium", "picture.nii.gz", "tumour.nii.gz", "--without-contrast", "--kvp", "80"), 3, "80 kVp"),
        (("heart", "diastole.nii.gz", "systole.nii.gz"), 2, "--left"),
        (("heart", "systole.nii.gz", "diastole.nii.gz", "--left", "3"), 1, "wrong way round"),
        (("midline", "falx.nii.gz", "--left", "1"), 2, "--right"),
    ],
)
def test_what_cannot_be_measured_is_refused(osler, files, words, code, said):
    done = osler("quantify", *[files / word if word.endswith(".gz") else word for word in words])
    assert done.code == code and said in done.err

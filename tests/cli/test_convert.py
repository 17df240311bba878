"""`osler convert`: what it says, to people and to machines, and its exit codes."""

from pathlib import Path

import numpy as np
import pytest

from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.volume import Volume
from osler.io.dicom.series import write_volume_series
from osler.io.nifti import write_mask, write_volume
from osler.results.convert import DRAWN

SHAPE = (3, 4, 5)
GRID = Geometry.from_spacing(SHAPE, (3, 0.7, 1.1), (-30, 17.5, 240))


@pytest.fixture
def series(tmp_path: Path) -> Path:
    array = np.arange(60, dtype=np.int16).reshape(SHAPE)
    write_volume_series(Volume(array, GRID, "HU", Facts(modality="CT")), tmp_path / "series")
    return tmp_path / "series"


def test_a_person_reads_what_was_kept_and_lost(osler, tmp_path, series):
    done = osler("convert", series, tmp_path / "ct.nii.gz")
    assert done.code == 0 and done.err == ""
    assert done.out.startswith("series -> ct.nii.gz (nii.gz): 3 x 4 x 5\n")
    assert "  kept  All 60 values, exactly." in done.out
    assert "  lost  The header: patient, study" in done.out
    assert str(tmp_path) not in done.out


def test_a_machine_reads_the_figures(osler, tmp_path, series):
    done = osler("convert", series, tmp_path / "ct.nrrd", "--json")
    (one,) = done.json["converted"]
    assert (one["kind"], one["shape"], one["difference"], one["step"]) == ("nrrd", [3, 4, 5], 0, 0)
    assert one["corner_mm"] < 1e-6 and done.json["problems"] == []


def test_masks_there_and_back(osler, tmp_path, series):
    array = np.zeros(SHAPE, np.uint8)
    array[1, 1:3, 2:4] = 1
    write_mask(Mask(array, {1: "x"}, geometry=GRID), tmp_path / "m.nii.gz")
    for kind in ("seg", "rtstruct"):
        out = tmp_path / f"{kind}.dcm"
        done = osler(
            "convert", tmp_path / "m.nii.gz", out, "--as", kind, "--like", series, "--labels", "1=left lung",
            "--drawn", "automatic",
        )  # fmt: skip
        assert done.code == 0, done.err
        assert "Every voxel's label." in done.out
        done = osler("convert", out, tmp_path / f"{kind}.nrrd", "--like", series)
        assert done.code == 0
        assert ("1 Lung_L" if kind == "rtstruct" else "1 left lung") in done.out


def test_all_of_a_folder(osler, tmp_path, series):
    done = osler("convert", series, tmp_path / "out", "--all", "--as", "mha")
    assert done.code == 0 and [path.name for path in (tmp_path / "out").iterdir()] == ["01-CT.mha"]


def test_failures_leave_nothing_and_their_code(osler, tmp_path, series):
    write_volume(Volume(np.zeros(SHAPE, np.float32), GRID), tmp_path / "a.nii")
    for words, code, said in (
        ((tmp_path / "gone.nii", tmp_path / "b.nrrd"), 1, "gone.nii is missing"),
        ((tmp_path / "a.nii", tmp_path / "b"), 2, "not clear"),
        ((tmp_path / "a.nii", tmp_path / "b", "--as", "series"), 2, "unknown modality"),
        ((tmp_path / "a.nii", tmp_path / "b", "--as", "series", "--modality", "PT"), 2, "its numbers"),
        ((series, tmp_path / "a.nii"), 2, "there already"),
        ((series, tmp_path / "b.nii", "--drawn", "badly"), 2, "--drawn"),
    ):
        before = sorted(tmp_path.rglob("*"))
        done = osler("convert", *words)
        assert (done.code, done.out) == (code, "") and said in done.err
        assert sorted(tmp_path.rglob("*")) == before


def test_help_names_every_way_of_drawing(osler):
    said = osler("convert", "--help").out
    assert all(word in said for word in DRAWN)

"""Any volume as a DICOM series: the values, the place, whose it is, and a validator without complaints."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread

from osler.core.errors import AskedWrongly, BadPixels, NoRoom
from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.volume import Volume
from osler.io import files
from osler.io.dicom.parse import read_header
from osler.io.dicom.series import WrittenSeries, write_volume_series
from osler.io.open import open_picture

SHAPE = (4, 5, 6)
DRAW = np.random.default_rng(0)


def _volume(array: np.ndarray, modality: str = "CT", unit: str = "", affine: np.ndarray | None = None) -> Volume:
    if affine is None:
        affine = Geometry.from_spacing(SHAPE, (3, 0.7, 1.1), (-31.25, 17.5, 240.125)).affine
    return Volume(array, Geometry(array.shape, affine), unit, Facts(modality=modality))


def _like(modality: str) -> Dataset:
    """The header of somebody's image."""
    header = Dataset()
    header.PatientName, header.PatientID, header.PatientSex = "Somebody^Made^Up", "X-17", "F"
    header.PatientBirthDate, header.PatientWeight = "19600102", "61.5"
    header.StudyInstanceUID, header.FrameOfReferenceUID, header.SeriesInstanceUID = "1.2.3", "1.2.4", "1.2.5"
    header.StudyDate, header.StudyTime, header.StudyID = "20240115", "101500", "S1"
    header.AccessionNumber, header.ReferringPhysicianName = "A1", ""
    header.Modality, header.BodyPartExamined, header.KVP = modality, "CHEST", "120"
    header.SeriesDate, header.SeriesTime = "20240115", "101500"
    header.AcquisitionDate, header.AcquisitionTime = "20240115", "101500"
    header.InstitutionName = "Not to be copied"
    if modality == "PT":
        header.DecayCorrection, header.FrameReferenceTime = "START", "60000"
        header.CorrectedImage = ["ATTN", "DECY"]
        medicine = Dataset()
        medicine.RadionuclideHalfLife, medicine.RadionuclideTotalDose = "6586.2", "300000000"
        medicine.RadiopharmaceuticalStartTime, medicine.RadiopharmaceuticalStartDateTime = (
            "091500",
            "20240115091500",
        )
        medicine.RadionuclideCodeSequence = []
        header.RadiopharmaceuticalInformationSequence = [medicine]
    return header


def _again(volume: Volume, place: Path, **words: object) -> tuple[Volume, WrittenSeries]:
    written = write_volume_series(volume, place, **words)  # type: ignore[arg-type]
    back = open_picture(place)
    assert isinstance(back, Volume)
    return back, written


@pytest.mark.parametrize(
    "array",
    [
        DRAW.integers(-1024, 3071, SHAPE).astype(np.int16),
        DRAW.integers(0, 256, SHAPE).astype(np.uint8),
        DRAW.integers(0, 65536, SHAPE).astype(np.uint16),
        DRAW.integers(100_000, 150_000, SHAPE).astype(np.int32),
        DRAW.integers(-70_000, -30_000, SHAPE).astype(np.int64),
        DRAW.integers(-1024, 3071, SHAPE).astype(np.float32),
        DRAW.integers(0, 2, SHAPE).astype(bool),
        np.full(SHAPE, 7, np.int16),
    ],
    ids=lambda array: f"{array.dtype}",
)
@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_whole_numbers_that_fit_come_back_exactly(tmp_path, array, modality):
    back, written = _again(_volume(array, modality), tmp_path / "s")
    assert written.step == 0
    np.testing.assert_array_equal(back.array, array)


@settings(max_examples=20)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.floats(1e-3, 1e6),
    shift=st.floats(-1e3, 1e3),
    modality=st.sampled_from(["CT", "MR", "PT"]),
)
def test_others_come_back_within_half_a_step(tmp_path_factory, seed, size, shift, modality):
    array = (np.random.default_rng(seed).normal(size=SHAPE) + shift) * size
    back, written = _again(
        _volume(array, modality, "SUV" if modality == "PT" else ""), tmp_path_factory.mktemp("s") / "s"
    )
    assert 0 < written.step <= 2.01 * max(np.ptp(array), np.abs(array).max() if modality == "PT" else 0) / 65535
    rounding = np.abs(array).max() * 2**-23  # it is read in single precision
    assert np.abs(back.array - array).max() <= written.step / 2 * (1 + 1e-6) + rounding


@settings(max_examples=20)
@given(
    seed=st.integers(0, 2**32 - 1),
    slope=st.floats(1e-4, 1e3),
    intercept=st.floats(-1e3, 1e3),
    bits=st.sampled_from([8, 12, 15]),
)
def test_what_a_slope_gave_is_given_back_by_one(tmp_path_factory, seed, slope, intercept, bits):
    stored = np.random.default_rng(seed).integers(0, 2**bits, (4, 64, 64))
    array = (stored * slope + intercept).astype(np.float32)
    back, written = _again(_volume(array, "MR"), tmp_path_factory.mktemp("s") / "s")
    rounding = np.abs(array).max() * 2.0**-21
    if slope > 16 * rounding:  # else single precision has blurred the rungs already
        assert written.step == 0
    assert np.abs(back.array - array).max() <= max(rounding, written.step * 0.51)


def test_one_file_a_slice_in_the_order_of_the_normal(tmp_path):
    back, written = _again(_volume(np.zeros(SHAPE, np.int16)), tmp_path / "s")
    headers = [read_header(path) for path in written.paths]
    assert [int(header.InstanceNumber) for header in headers] == [1, 2, 3, 4]
    along = [float(header.ImagePositionPatient[2]) for header in headers]
    assert along == sorted(along)
    assert len({header.SOPInstanceUID for header in headers}) == 4
    assert len({header.SeriesInstanceUID for header in headers}) == 1
    assert [origin.path.name for origin in back.origins] == [path.name for path in written.paths]
    assert [float(x) for x in headers[0].PixelSpacing] == [0.7, 1.1]  # between rows first


def test_a_left_handed_grid_is_turned_over_and_nobody_is_mirrored(tmp_path):
    array = np.arange(120, dtype=np.int16).reshape(SHAPE)
    affine = Geometry.from_spacing(SHAPE, (3, 0.7, 1.1)).affine.copy()
    affine[2, 0] = -3
    back, written = _again(_volume(array, affine=affine), tmp_path / "s")
    assert written.turned
    np.testing.assert_array_equal(back.array, array[::-1])
    np.testing.assert_allclose(back.geometry.to_world(np.array([[3, 0, 0]])), [[0, 0, 0]], atol=1e-9)


def test_a_tilted_stack_keeps_its_tilt(tmp_path):
    affine = Geometry.from_spacing(SHAPE, (3, 0.7, 1.1)).affine.copy()
    affine[1, 0] = 3 * np.tan(np.radians(15))
    back, written = _again(_volume(np.zeros(SHAPE, np.int16), affine=affine), tmp_path / "s")
    assert written.tilt_deg == pytest.approx(15)
    np.testing.assert_allclose(back.geometry.affine, affine, atol=1e-9)
    assert float(read_header(written.paths[0]).SliceThickness) == pytest.approx(3)


def test_rows_and_columns_that_are_not_square_to_each_other_are_refused(tmp_path):
    affine = Geometry.from_spacing(SHAPE, (3, 0.7, 1.1)).affine.copy()
    affine[0, 1] = 0.1
    with pytest.raises(AskedWrongly, match="right angles"):
        write_volume_series(_volume(np.zeros(SHAPE, np.int16), affine=affine), tmp_path / "s")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("modality", ["CT", "MR", "PT"])
def test_patient_and_study_are_copied_and_nothing_else(tmp_path, modality):
    array = DRAW.random(SHAPE).astype(np.float32)
    volume = _volume(array, modality, "SUV" if modality == "PT" else "")
    _, written = _again(volume, tmp_path / "s", like=_like(modality))
    header = read_header(written.paths[2])
    assert (str(header.PatientName), header.PatientID, header.StudyID) == ("Somebody^Made^Up", "X-17", "S1")
    assert (header.StudyInstanceUID, header.FrameOfReferenceUID) == ("1.2.3", "1.2.4")
    assert header.SeriesInstanceUID != "1.2.5" and "InstitutionName" not in header
    assert header.ImageType[0] == "DERIVED" and header.Manufacturer == "Osler"
    assert ("KVP" in header and header.KVP == 120) == (modality == "CT")


def test_without_a_study_it_is_nobodys_and_twice_is_two(tmp_path):
    volume = _volume(np.zeros(SHAPE, np.int16))
    headers = [read_header(_again(volume, tmp_path / name)[1].paths[0]) for name in "ab"]
    assert [str(header.PatientName) + header.PatientID for header in headers] == ["", ""]
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SOPInstanceUID"):
        assert headers[0][keyword].value != headers[1][keyword].value


def test_pet_says_what_its_numbers_are(tmp_path):
    array = DRAW.random(SHAPE).astype(np.float32) * 9
    back, written = _again(_volume(array, "PT", "SUV"), tmp_path / "suv")
    header = read_header(written.paths[0])
    assert (header.Units, header.SUVType, back.unit) == ("GML", "BW", "SUV")
    assert float(header.RescaleIntercept) == 0
    activity = _volume(array * 1000, "PT", "Bq/ml")
    back, written = _again(activity, tmp_path / "bqml", like=_like("PT"))
    header = read_header(written.paths[0])
    assert header.Units == "BQML" and "SUVType" not in header
    # 300 MBq one hour before, in 61.5 kg: what Osler reads is the SUV that follows from the copied header.
    factor = 61_500 / (3e8 * 2 ** (-3600 / 6586.2))
    assert back.unit == "SUV"
    assert np.abs(back.array - activity.array * factor).max() <= written.step * factor
    with pytest.raises(AskedWrongly, match="must say what its numbers are"):
        write_volume_series(_volume(array, "PT"), tmp_path / "none")


def test_what_cannot_be_written_is_told(tmp_path):
    array = np.zeros(SHAPE, np.float32)
    with pytest.raises(AskedWrongly, match="unknown modality"):
        write_volume_series(_volume(array, ""), tmp_path / "s")
    with pytest.raises(AskedWrongly, match="US"):
        write_volume_series(_volume(array, "US"), tmp_path / "s")
    with pytest.raises(AskedWrongly, match="HU, not Gy"):
        write_volume_series(_volume(array, "CT", "Gy"), tmp_path / "s")
    array[1, 1, 1] = np.nan
    with pytest.raises(BadPixels, match="NaN"):
        write_volume_series(_volume(array), tmp_path / "s")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    with pytest.raises(AskedWrongly, match="already holds something"):
        write_volume_series(_volume(np.zeros(SHAPE)), tmp_path / "full")
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    swaps = []

    def full(made: Path, path: Path) -> None:
        swaps.append(path)
        if len(swaps) == 3:
            raise OSError(28, "No space left on device")
        made.replace(path)

    monkeypatch.setattr(files, "swap", full)
    with pytest.raises(NoRoom):
        write_volume_series(_volume(np.zeros(SHAPE, np.int16)), tmp_path / "s")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("modality", "unit"), [("CT", "HU"), ("MR", ""), ("PT", "SUV"), ("PT", "Bq/ml")], ids=str)
@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize("whole", [False, True])
def test_dciodvfy_finds_no_error(tmp_path, modality, unit, alike, whole):
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (Debian: dicom3tools) is not installed")
    array = DRAW.integers(0, 900, SHAPE) if whole else DRAW.random(SHAPE).astype(np.float32)
    like = _like(modality) if alike else None
    written = write_volume_series(_volume(array, modality, unit), tmp_path / "s", like=like)
    for path in written.paths[:2]:
        said = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False).stderr
        assert [line for line in said.splitlines() if line.startswith("Error")] == []
        assert dcmread(path).file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"

"""Dose grids: in gray, where they lie."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from osler.core.errors import AskedWrongly, BadGeometry, BadInput, BadPixels, OslerError, Unreadable
from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.volume import Volume
from osler.io.dicom.dose import read_dose, write_dose
from osler.io.dicom.parse import read_header
from osler.io.dicom.write import write_series

PLAN = "1.2.3.4.5"


@pytest.fixture
def header(tmp_path) -> Dataset:
    """Of a CT slice."""
    volume = Volume(
        np.zeros((1, 4, 4), np.int16), Geometry.from_spacing((1, 4, 4), (3, 1, 1)), facts=Facts(modality="CT")
    )
    return read_header(write_series(volume, tmp_path / "ct")[0])


def dose(geometry: Geometry | None = None) -> Volume:
    geometry = geometry or Geometry.from_spacing((5, 6, 7), (2.5, 2, 3), (-30, 12.5, 100.25))
    values = np.random.default_rng(0).uniform(0, 72, geometry.shape).astype(np.float32)
    return Volume(values, geometry, unit="Gy")


@pytest.fixture
def path(tmp_path, header) -> Path:
    write_dose(dose(), tmp_path / "dose.dcm", header, plan_uid=PLAN)
    return tmp_path / "dose.dcm"


def edited(path: Path, **changes: object) -> Path:
    dataset = pydicom.dcmread(path)
    for keyword, value in changes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset.save_as(path.with_name("edited.dcm"))
    return path.with_name("edited.dcm")


def test_a_dose_comes_back(path, header):
    back = read_dose(path)
    np.testing.assert_allclose(back.array, dose().array, rtol=1e-6)
    assert back.geometry.matches(dose().geometry, tolerance_mm=1e-6)
    assert (back.unit, back.facts.modality, back.notes) == ("Gy", "RTDOSE", ())
    assert [one.frame for one in back.origins] == [1, 2, 3, 4, 5] and back.study_uid == header.StudyInstanceUID
    dataset = pydicom.dcmread(path)
    assert dataset.PatientID == header.PatientID and dataset.FrameOfReferenceUID == header.FrameOfReferenceUID
    assert dataset.ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID == PLAN


def test_sixteen_bits_are_within_half_a_step(tmp_path, header):
    write_dose(dose(), tmp_path / "dose.dcm", header, plan_uid=PLAN, bits=16)
    back = read_dose(tmp_path / "dose.dcm")
    assert np.abs(back.array - dose().array).max() <= 72 / 65535 / 2 * 1.01


def test_dciodvfy_finds_no_error(tmp_path, header):
    """In 16 bits: with 32 the validator of 2022 stops at an assertion, whoever wrote the file."""
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (dicom3tools) is not installed")
    write_dose(dose(), tmp_path / "dose.dcm", header, plan_uid=PLAN, bits=16)
    said = subprocess.run(["dciodvfy", "-new", tmp_path / "dose.dcm"], capture_output=True, text=True, check=False)
    assert "RTDose" in said.stderr + said.stdout
    assert [line for line in (said.stderr + said.stdout).splitlines() if line.startswith("Error")] == []


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_any_upright_grid_comes_back(seed, tmp_path, header):
    draw = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(draw.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = turn * draw.uniform(0.5, 5, 3)
    affine[:3, 3] = draw.uniform(-400, 400, 3)
    volume = dose(Geometry((4, 5, 6), affine))
    write_dose(volume, tmp_path / f"{seed}.dcm", header, plan_uid=PLAN)
    back = read_dose(tmp_path / f"{seed}.dcm")
    if np.cross(affine[:3, 2], affine[:3, 1]) @ affine[:3, 0] < 0:  # slices come in the order of their normal
        back = replace(back, array=back.array[::-1], origins=back.origins[::-1])
        place = back.geometry.affine.copy()
        place[:3, 3] += place[:3, 0] * 3
        place[:3, 0] *= -1
        back = replace(back, geometry=Geometry((4, 5, 6), place))
    np.testing.assert_allclose(back.geometry.affine, affine, atol=1e-6)
    np.testing.assert_allclose(back.array, volume.array, rtol=1e-6)


def test_offsets_may_be_the_patient_s_own(path):
    absolute = read_dose(edited(path, GridFrameOffsetVector=[100.25 + 2.5 * n for n in range(5)]))
    assert absolute.geometry.matches(dose().geometry, tolerance_mm=1e-6)


def test_slices_counted_downwards_are_turned(path):
    downwards = read_dose(edited(path, GridFrameOffsetVector=[-2.5 * n for n in range(5)]))
    np.testing.assert_allclose(downwards.array[::-1], dose().array, rtol=1e-6)
    assert downwards.geometry.affine[:3, 0] @ np.array([0, 0, 1]) == pytest.approx(2.5)
    assert downwards.geometry.affine[2, 3] == pytest.approx(100.25 - 10)
    assert [one.frame for one in downwards.origins] == [5, 4, 3, 2, 1]
    absolute = read_dose(edited(path, GridFrameOffsetVector=[100.25 - 2.5 * n for n in range(5)]))
    assert absolute.geometry.matches(downwards.geometry, tolerance_mm=1e-6)


def test_a_normal_that_points_to_the_feet(path):
    """Rows to the front: relative offsets follow the normal, absolute ones the patient."""
    feet = [1, 0, 0, 0, -1, 0]
    relative = read_dose(edited(path, ImageOrientationPatient=feet))
    assert relative.geometry.to_world(np.array([[4, 0, 0]]))[0, 2] == pytest.approx(90.25)
    absolute = read_dose(
        edited(path, ImageOrientationPatient=feet, GridFrameOffsetVector=[100.25 + 2.5 * n for n in range(5)])
    )
    # The fifth frame lies highest, wherever it stands in the array.
    n = [one.frame for one in absolute.origins].index(5)
    assert absolute.geometry.to_world(np.array([[n, 0, 0]]))[0, 2] == pytest.approx(110.25)
    np.testing.assert_allclose(absolute.array[n], dose().array[4], rtol=1e-6)


REFUSED = {
    "relative": ({"DoseUnits": "RELATIVE"}, BadInput, "relative"),
    "no unit": ({"DoseUnits": None}, BadInput, "unit"),
    "a difference": ({"DoseType": "ERROR"}, BadInput, "difference"),
    "no scale": ({"DoseGridScaling": None}, BadInput, "Gy"),
    "scale zero": ({"DoseGridScaling": "0"}, BadInput, "Gy"),
    "irregular": ({"GridFrameOffsetVector": [0, 2.5, 5, 7.5, 11]}, BadGeometry, "from 2.5 to 3.5 mm"),
    "to and fro": ({"GridFrameOffsetVector": [0, 2.5, 0, 2.5, 0]}, BadGeometry, "even steps"),
    "all in one place": ({"GridFrameOffsetVector": [0, 0, 0, 0, 0]}, BadGeometry, "even steps"),
    "too few offsets": ({"GridFrameOffsetVector": [0, 2.5]}, BadGeometry, "2 of its 5"),
    "no offsets": ({"GridFrameOffsetVector": None}, BadGeometry, "0 of its 5"),
    "offsets from nowhere": ({"GridFrameOffsetVector": [7, 9.5, 12, 14.5, 17]}, BadGeometry, "counted neither"),
    "no place": ({"ImagePositionPatient": None}, BadGeometry, "where the grid lies"),
    "no directions": ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, BadGeometry, "directions"),
    "no spacing": ({"PixelSpacing": [0, 1]}, BadGeometry, "where the grid lies"),
    "another object": ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}, Unreadable, "no dose"),
    "no pixels": ({"PixelData": None}, Unreadable, ""),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_known_is_refused(case, path):
    changes, kind, reason = REFUSED[case]
    with pytest.raises(kind) as refused:
        read_dose(edited(path, **changes))
    assert reason in refused.value.problem and "edited.dcm" in refused.value.problem


def test_what_a_reader_should_know_is_noted(path):
    assert "biologically" in read_dose(edited(path, DoseType="EFFECTIVE")).notes[0]


def test_what_is_no_dose_is_not_written(tmp_path, header):
    place = tmp_path / "dose.dcm"
    with pytest.raises(AskedWrongly, match="Gy"):
        write_dose(replace(dose(), unit="HU"), place, header, plan_uid=PLAN)
    with pytest.raises(AskedWrongly, match="plan"):
        write_dose(dose(), place, header)
    with pytest.raises(AskedWrongly, match="below 0"):
        write_dose(dose().with_array(-dose().array), place, header, plan_uid=PLAN)
    with pytest.raises(BadPixels, match="NaN"):
        write_dose(dose().with_array(dose().array * np.nan), place, header, plan_uid=PLAN)
    with pytest.raises(AskedWrongly, match="bits"):
        write_dose(dose(), place, header, plan_uid=PLAN, bits=8)
    tilted = dose().geometry.affine.copy()
    tilted[1, 0] = 0.5
    with pytest.raises(AskedWrongly, match="tilted"):
        write_dose(dose(Geometry((5, 6, 7), tilted)), place, header, plan_uid=PLAN)
    assert not place.exists()


@pytest.mark.filterwarnings("ignore")  # pydicom tells what it guesses
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mutated_files_end_in_doses_or_in_our_own_errors(path, data):
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(132, 2000))] = data.draw(st.integers(0, 255))
    path.with_name("mutated.dcm").write_bytes(raw[: data.draw(st.integers(200, len(raw)))])
    try:
        back = read_dose(path.with_name("mutated.dcm"))
    except OslerError as error:
        assert error.remedy
    else:
        assert back.array.shape == back.geometry.shape


def test_a_real_dose(test_data, tmp_path):
    source = test_data / "radiotherapy" / "dicom" / "rtdose.dcm"
    volume = read_dose(source)
    assert volume.array.shape == (98, 129, 194) and volume.geometry.spacing == pytest.approx((3, 2.5, 2.5))
    stored = pydicom.dcmread(source)
    assert volume.array.max() == pytest.approx(stored.pixel_array.max() * 1.4e-5)
    write_dose(volume, tmp_path / "again.dcm", read_header(source))
    again = read_dose(tmp_path / "again.dcm")
    np.testing.assert_allclose(again.array, volume.array, atol=1e-7)
    assert again.geometry.matches(volume.geometry, tolerance_mm=1e-6)

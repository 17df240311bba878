"""The made-up DICOM that other tests stand on: valid, and where it says."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from osler.core.errors import AskedWrongly
from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.volume import Volume
from osler.io.dicom.write import BQML_PER_SUV, write_multiframe, write_radiograph, write_series
from osler.io.open import open_picture, open_study
from osler.phantoms.studies import made_up_pet, write_made_up_pet_ct
from osler.phantoms.volumes import made_up_patient


def volume_of(modality: str, geometry: Geometry | None = None) -> Volume:
    geometry = geometry or Geometry.from_spacing((3, 6, 7), (2.5, 0.8, 0.7))
    array = np.random.default_rng(1).integers(0, 2000, geometry.shape).astype(np.int16)
    facts = Facts(modality=modality, body_part="CHEST", sex="M", age_years=44)
    return Volume(array, geometry, unit={"CT": "HU", "PT": "SUV"}.get(modality, ""), facts=facts)


def written(kind: str, folder: Path) -> Path:
    """One file of that kind."""
    if kind in ("CR", "DX"):
        array = np.arange(300, dtype=np.uint16).reshape(15, 20)
        facts = Facts(modality=kind, body_part="CHEST", view="PA", sex="F")
        write_radiograph(Image(array, spacing_mm=(0.2, 0.3), facts=facts), folder / "one.dcm")
        return folder / "one.dcm"
    if kind.startswith("enhanced"):
        write_multiframe(volume_of(kind.split()[-1]), folder / "one.dcm")
        return folder / "one.dcm"
    return write_series(volume_of(kind), folder / "series")[1]


@pytest.mark.parametrize("kind", ["CT", "MR", "PT", "CR", "DX", "enhanced CT", "enhanced MR"])
def test_dciodvfy_finds_no_error(kind, tmp_path):
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (dicom3tools) is not installed")
    path = written(kind, tmp_path)
    said = subprocess.run(["dciodvfy", "-new", path], capture_output=True, text=True, check=False)
    assert [line for line in (said.stderr + said.stdout).splitlines() if line.startswith("Error")] == []
    assert "Image" in said.stderr + said.stdout  # it knew what it looked at


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    tilted=st.booleans(),
    kind=st.sampled_from(["CT", "MR", "PT", "enhanced CT", "enhanced MR"]),
)
def test_any_grid_is_read_back_where_it_lies(seed, tilted, kind, tmp_path):
    draw = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(draw.normal(size=(3, 3)))
    if np.cross(turn[:, 2], turn[:, 1]) @ turn[:, 0] < 0:
        turn[:, 0] *= -1
    affine = np.eye(4)
    affine[:3, :3] = turn * draw.uniform((1, 0.3, 0.3), (5, 2, 2))
    if tilted:
        affine[:3, 0] += affine[:3, 1] * draw.uniform(-0.5, 0.5)
    affine[:3, 3] = draw.uniform(-500, 500, 3)
    volume = volume_of(kind.split()[-1], Geometry((4, 6, 5), affine))
    place = tmp_path / f"{seed}-{tilted}-{kind}"
    if place.exists():
        return
    if kind.startswith("enhanced"):
        write_multiframe(volume, place)
    else:
        write_series(volume, place)
    back = open_picture(place)
    np.testing.assert_allclose(back.geometry.affine, affine, atol=1e-6)
    np.testing.assert_allclose(back.array, volume.array, atol=0.04 if kind == "PT" else 0)
    assert back.unit == volume.unit


def test_series_of_one_patient_are_one_study(tmp_path):
    write_series(volume_of("CT"), tmp_path / "a", seed=5)
    write_series(volume_of("CT"), tmp_path / "b", seed=5, number=2)
    write_multiframe(volume_of("CT"), tmp_path / "c.dcm", seed=5)
    write_series(volume_of("CT"), tmp_path / "d", seed=6)
    headers = [pydicom.dcmread(path) for path in (*sorted(tmp_path.glob("?/0001.dcm"))[:2], tmp_path / "c.dcm")]
    assert len({one.StudyInstanceUID for one in headers}) == len({one.FrameOfReferenceUID for one in headers}) == 1
    assert len({one.SeriesInstanceUID for one in headers}) == len({one.SOPInstanceUID for one in headers}) == 3
    assert pydicom.dcmread(tmp_path / "d" / "0001.dcm").PatientID != headers[0].PatientID


def test_becquerels_stay_and_suv_becomes_becquerels(tmp_path):
    suv = volume_of("PT")
    (first, *_) = write_series(suv, tmp_path / "suv")
    dataset = pydicom.dcmread(first)
    activity = dataset.pixel_array * float(dataset.RescaleSlope)
    np.testing.assert_allclose(activity, suv.array[0] * BQML_PER_SUV, rtol=1e-4, atol=BQML_PER_SUV * 0.04)
    assert pytest.approx(1 / 2.76337e-4, rel=1e-5) == BQML_PER_SUV
    becquerels = Volume(suv.array, suv.geometry, unit="Bq/ml", facts=suv.facts)
    (first, *_) = write_series(becquerels, tmp_path / "bq")
    dataset = pydicom.dcmread(first)
    np.testing.assert_allclose(dataset.pixel_array * float(dataset.RescaleSlope), suv.array[0], atol=0.04)


def test_a_made_up_pet_ct_has_its_known_answers(tmp_path):
    study = open_study(write_made_up_pet_ct(tmp_path / "study", seed=4))
    volume, mask = made_up_patient(4)
    ct, pet = study.pictures
    np.testing.assert_array_equal(ct.array, volume.array)
    np.testing.assert_allclose(pet.array, made_up_pet(volume, mask, seed=4).array, atol=1e-3)
    assert (ct.unit, pet.unit) == ("HU", "SUV") and pet.geometry.matches(ct.geometry)
    assert float(np.median(pet.array[mask.array == 1])) == pytest.approx(2, rel=0.05)


def test_what_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(AskedWrongly, match="'US'"):
        write_series(volume_of("US"), tmp_path / "us")
    with pytest.raises(AskedWrongly, match="'PT'"):
        write_multiframe(volume_of("PT"), tmp_path / "pt.dcm")
    crooked = Geometry.from_spacing((3, 6, 7), (1, 1, 1)).affine.copy()
    crooked[0, 1] = 0.5
    for write in (write_series, write_multiframe):
        with pytest.raises(AskedWrongly, match="right angles"):
            write(volume_of("CT", Geometry((3, 6, 7), crooked)), tmp_path / "crooked")
    write_series(volume_of("CT"), tmp_path / "full")
    with pytest.raises(AskedWrongly, match="already holds"):
        write_series(volume_of("CT"), tmp_path / "full")

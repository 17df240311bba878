"""A patient comes back: the tumour was outlined both times, and the report says what became of it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from osler.cli.main import main
from osler.core.mask import Mask
from osler.io.dicom.write import write_series
from osler.io.nifti import write_mask
from osler.phantoms.studies import made_up_pet
from osler.phantoms.volumes import made_up_patient


def examination(place: Path, *, seed: int, day: str, smaller: bool = False, patient: str = "P") -> Path:
    """CT and PET of a made-up patient as DICOM, and its lesions as a mask; `smaller` peels the lesions."""
    from scipy.ndimage import binary_erosion

    volume, mask = made_up_patient(7, lesions=1)
    lesion = mask.of(2)
    if smaller:
        lesion = binary_erosion(lesion, iterations=2)
    labels = np.where(mask.array > 0, 1, 0)
    labels[lesion] = 2
    drawn = Mask(labels.astype(np.uint8), dict(mask.labels), geometry=mask.geometry)
    volume = replace(volume, facts=replace(volume.facts, sex="F"))
    write_series(volume, place / "ct", seed=seed)
    write_series(made_up_pet(volume, drawn, seed=seed), place / "pet", seed=seed, number=2)
    for file in place.rglob("*.dcm"):
        header = dcmread(file)
        header.PatientID = patient
        old, header.StudyDate = header.StudyDate, day
        header.SeriesDate = header.AcquisitionDate = header.ContentDate = day
        for medicine in header.get("RadiopharmaceuticalInformationSequence", []):
            medicine.RadiopharmaceuticalStartDateTime = medicine.RadiopharmaceuticalStartDateTime.replace(old, day)
        header.save_as(file)
    outlined = place.parent / f"{place.name}.nii.gz"
    # The organ serves as the healthy reference; its lesion is none of it.
    write_mask(replace(drawn, labels={1: "liver", 2: "tumour"}), outlined)
    (place.parent / f"{place.name}.labels.json").write_text('{"1": "liver", "2": "tumour"}')
    return outlined


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("patient")
    examination(place / "before", seed=1, day="20240105")
    examination(place / "now", seed=2, day="20240305", smaller=True)
    examination(place / "other", seed=3, day="20240101", patient="Q")
    return place


def osler(*words: object) -> int:
    return main([str(word) for word in words])


def test_the_response_is_in_the_report_and_on_the_page(patient: Path, tmp_path: Path) -> None:
    words = (
        "--outlines",
        patient / "now.nii.gz",
        "--earlier",
        f"{patient / 'before'}={patient / 'before.nii.gz'}",
    )
    told = "smoker=no"
    code = osler("read", patient / "now", *words, "--patient", told, "--out", tmp_path / "r")
    assert code == 0
    report = json.loads((tmp_path / "r" / "report.json").read_text())
    said = {one["guideline"]: one for one in report["conclusions"]}
    assert report["pathway"] == "tumour-burden"
    assert said["recist-1.1"]["category"] == "PR" and said["percist-1.0"]["category"] in ("PMR", "SMD")
    assert "60 days before" in report["findings"][1]["statement"]
    page = (tmp_path / "r" / "report.html").read_text()
    assert "RECIST 1.1" in page and "Lesion L1" in page and "60 days before" in page


@pytest.mark.parametrize(
    ("study", "earlier", "code", "words"),
    [
        ("before", "now", 2, "60 days after"),
        ("now", "other", 2, "another patient"),
    ],
)
def test_what_contradicts_itself_is_refused_before_anything_is_written(
    patient: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    study: str,
    earlier: str,
    code: int,
    words: str,
) -> None:
    told = (
        "--outlines",
        patient / f"{study}.nii.gz",
        "--earlier",
        f"{patient / earlier}={patient / earlier}.nii.gz",
    )
    assert osler("read", patient / study, *told, "--out", tmp_path / "r") == code
    assert words in capsys.readouterr().err and not (tmp_path / "r").exists()


def test_a_sex_that_contradicts_the_header_is_refused(
    patient: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = ("--outlines", patient / "now.nii.gz", "--patient", "sex=M")
    assert osler("read", patient / "now", *told, "--out", tmp_path / "r") == 2
    assert "sex" in capsys.readouterr().err

"""Made-up follow-ups whose response is known: CR, PR, SD, PD by RECIST; CMR, PMR, SMD, PMD by PERCIST."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.clinic.pathways.petct import FIRST, Ball, outlines, pet_ct

from osler.clinic.pathways import lesions
from osler.clinic.pathways.beside import Beside, Prior
from osler.clinic.reading import read_study
from osler.core.report import Report
from osler.imaging.register import Rigid
from osler.io.nifti import write_mask
from osler.io.open import open_mask, open_study
from osler.models.shelf import Shelf

NEW: Ball = ((-5, 30, 30), 9, 6.0)


def read(folder: Path, now: tuple[Ball, ...], *, then: tuple[Ball, ...] = FIRST, liver: bool = True) -> Report:
    before = Prior(pet_ct(then, day=0, seed=1), (outlines(folder, "then", then, liver=liver),))
    beside = Beside((outlines(folder, "now", now, liver=liver),), (before,))
    return read_study(pet_ct(now, day=60, seed=2), Shelf(()), beside=beside)


def scaled(size: float, uptake: float) -> tuple[Ball, ...]:
    return tuple((centre, radius * size, suv * uptake) for centre, radius, suv in FIRST)


@pytest.fixture
def in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Studies lie on each other already: registering takes seconds and has tests of its own."""
    still = Rigid(np.eye(4), 1.0, 1.0, 1.0, 1.0)
    monkeypatch.setattr(lesions, "rigid_movement", lambda fixed, moving, **more: still)


@pytest.mark.usefixtures("in_place")
@pytest.mark.parametrize(
    ("now", "sizes", "uptake"),
    [
        (FIRST, "SD", "SMD"),
        (scaled(0.6, 0.5), "PR", "PMR"),
        (scaled(1.35, 1.5), "PD", "PMD"),
        ((*FIRST, NEW), "PD", "PMD"),
        ((), "CR", "CMR"),
        (scaled(0.9, 0.9), "SD", "SMD"),
    ],
    ids=["same", "shrunk", "grown", "new", "gone", "a little less"],
)
def test_the_response_of_a_made_up_follow_up(
    tmp_path: Path, now: tuple[Ball, ...], sizes: str, uptake: str
) -> None:
    report = read(tmp_path, now)
    said = {one.guideline: one for one in report.conclusions}
    assert said["recist-1.1"].category == sizes, said["recist-1.1"]
    assert said["percist-1.0"].category == uptake, said["percist-1.0"]
    assert report.pathway == "tumour-burden"
    assert report.priority is not None
    assert report.priority.urgency == ("soon" if sizes == "PD" else "routine")


@pytest.mark.usefixtures("in_place")
def test_every_lesion_is_measured_and_named_alike_in_both_studies(tmp_path: Path) -> None:
    grown = ((FIRST[0][0], 16.0, 9.0), NEW)
    report = read(tmp_path, grown)
    total, *lesions_found = [one for one in report.findings if one.name != "Liver reference"]
    assert [one.lesion for one in lesions_found] == ["L1", "L3", "L2"]
    first, new, gone = lesions_found
    assert "60 days before" in first.statement and "New" in new.statement
    assert gone.present is False and "not outlined any more" in gone.statement
    sizes = {one.name: one.quantity.value for one in first.measurements}
    assert sizes["SUVpeak"] == pytest.approx(9, rel=0.02) and sizes["SUVmax"] == pytest.approx(9, rel=0.02)
    assert sizes["Longest diameter in a slice"] == pytest.approx(32, abs=3)
    volume = 4 / 3 * np.pi * (16**3 + 9**3) / 1000
    sums = {one.name: one.quantity.value for one in total.measurements}
    assert sums["Metabolic tumour volume (as outlined)"] == pytest.approx(volume, rel=0.1)
    assert sums["Lesions"] == 2
    left = {one.name: one.quantity.value for one in gone.measurements}
    assert left["SUVpeak"] == pytest.approx(0.5, abs=0.1)  # nothing is left there
    assert report.conclusions[0].findings == (1, 2, 3)


@pytest.mark.usefixtures("in_place")
def test_without_a_liver_percist_says_what_it_lacks_and_recist_stands(tmp_path: Path) -> None:
    said = {one.guideline: one for one in read(tmp_path, scaled(0.6, 0.5), liver=False).conclusions}
    assert said["recist-1.1"].category == "PR"
    assert not said["percist-1.0"].category and "liver" in said["percist-1.0"].refused.lower()


def test_a_patient_who_lies_otherwise_is_laid_over_first(tmp_path: Path) -> None:
    """The follow-up is moved by 12 mm, farther than some lesions are wide."""
    beside = Prior(pet_ct(FIRST, day=0, seed=1), (outlines(tmp_path, "then", FIRST),))
    now = pet_ct(FIRST, day=60, seed=2)
    move = np.eye(4)
    move[:3, 3] = (9.0, -6.0, 6.0)
    pictures = tuple(
        replace(one, geometry=replace(one.geometry, affine=move @ one.geometry.affine)) for one in now.pictures
    )
    path = outlines(tmp_path, "now", FIRST)
    mask = open_mask(path)
    write_mask(replace(mask, geometry=pictures[0].geometry), path)
    study = replace(now, pictures=pictures)
    report = read_study(study, Shelf(()), beside=Beside((path,), (beside,)))
    assert [one.lesion for one in report.findings if one.lesion] == ["L1", "L2"]
    assert not any("New" in one.statement for one in report.findings)
    assert "earlier" in dict(report.seconds)


def test_a_real_patient_gives_the_same_from_dicom_as_from_nifti(test_data: Path) -> None:
    place = test_data / "sarcoma"
    if not (place / "dicom" / "STS_042").is_dir():
        pytest.skip("no sarcoma data")
    study = open_study(place / "dicom" / "STS_042")
    drawn = tuple(place / "dicom" / "STS_042" / kind / "mask" / "RS.dcm" for kind in ("CT", "PET"))
    report = read_study(study, Shelf(()), beside=Beside(drawn))
    files = tuple(place / "nifti" / "STS_042" / f"{kind}_mask.nii.gz" for kind in ("CT", "PET"))
    again = read_study(study, Shelf(()), beside=Beside(files))
    assert report.pathway == again.pathway == "tumour-burden"
    one, other = (
        {(f.lesion, m.name): m.quantity.value for f in read.findings for m in f.measurements}
        for read in (report, again)
    )
    assert one.keys() == other.keys() and ("L1", "SULpeak") in one
    for name, value in one.items():
        assert value == pytest.approx(other[name], rel=0.01), name


def test_a_pet_that_is_no_suv_gives_no_uptake_and_says_so(tmp_path: Path) -> None:
    study = pet_ct(FIRST)
    ct, pet = study.pictures
    report = read_study(
        replace(study, pictures=(ct, replace(pet, unit="BQML"))),
        Shelf(()),
        beside=Beside((outlines(tmp_path, "now", FIRST, liver=False),)),
        pathway="tumour-burden",
    )
    assert not any("SUV" in m.name for one in report.findings for m in one.measurements)
    assert "no PET in SUV" in report.findings[0].statement

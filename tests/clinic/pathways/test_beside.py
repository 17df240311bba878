"""What comes beside a study must belong to it: each contradiction is refused, and says why."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.clinic.pathways.petct import CT_GRID, FIRST, PET_GRID, outlines, pet_ct

from osler.clinic.pathways.beside import Beside, Prior
from osler.clinic.pathways.earlier import refuse_unlike
from osler.clinic.pathways.outlined import read_outlines
from osler.clinic.pathways.person import patient_of, told_of
from osler.clinic.reading import read_study
from osler.core.errors import AskedWrongly, BadGeometry, BadPixels, OslerError, Unreadable
from osler.core.facts import Facts
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.study import Study
from osler.core.volume import Volume
from osler.io.dicom.write import write_series
from osler.io.nifti import write_mask
from osler.io.open import open_study
from osler.models.shelf import Shelf
from osler.phantoms.studies import write_made_up_study
from osler.phantoms.volumes import made_up_patient
from osler.results.table import write_results, writers_named

HEADER = Facts(sex="F", age_years=61.0, weight_kg=70.0)
FILM = Image(np.zeros((20, 30), np.uint8), facts=HEADER)


def taken(day: int | None, **more: object) -> Study:
    when = None if day is None else datetime.date(2024, 1, 1) + datetime.timedelta(day)
    return replace(Study((FILM,), HEADER, name=f"day {day}", taken=when), **more)  # type: ignore[arg-type]


def refused(kind: type[OslerError], work: Callable[[], object], *words: str) -> str:
    with pytest.raises(kind) as caught:
        work()
    said = str(caught.value)
    assert caught.value.remedy and all(word in said for word in words), said
    return said


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("sex=M", ("sex", "F", "M")),
        ("age_years=40", ("age", "61 years", "40 years")),
        ("weight=70", ("'weight'", "weight_kg")),
        ("height_cm=170", ("'height_cm'", "height_m")),
        ("height_m=170", ("height_m", "0.2 and 2.8 m")),
        ("weight_kg=70000", ("weight_kg", "0.3 and 500 kg")),
        ("age_years=-1", ("age_years",)),
        ("sex=x", ("sex",)),
        ("smoker", ("'smoker'", "name=value")),
    ],
)
def test_what_is_told_of_a_patient_must_be_possible_and_not_contradict_the_header(told, words):
    refused(AskedWrongly, lambda: patient_of(taken(0), told_of(told)), *words)


def test_the_request_fills_what_the_header_leaves_open(tmp_path):
    (tmp_path / "who.json").write_text('{"height_m": 1.7, "age_years": 62, "smoker": true, "history": "none"}')
    person, cautions = patient_of(taken(0), told_of(str(tmp_path / "who.json")))
    assert (person.sex, person.age_years, person.weight_kg, person.height_m) == ("F", 62.0, 70.0, 1.7)
    assert dict(person.known) == {"smoker": True, "history": "none"} and not cautions
    _, cautions = patient_of(taken(0), {"weight_kg": 82})
    assert "70 kg" in cautions[0].what and "82 kg" in cautions[0].what
    (tmp_path / "list.json").write_text("[1]")
    refused(AskedWrongly, lambda: told_of(str(tmp_path / "list.json")), "list.json")
    refused(Unreadable, lambda: told_of(str(tmp_path / "missing.json")), "missing.json")


@pytest.mark.parametrize(
    ("then", "words"),
    [
        (taken(30), ("day 30", "30 days after")),
        (taken(-9, patient="another"), ("another patient",)),
        (
            taken(-9, pictures=(replace(FILM, facts=replace(HEADER, sex="M")),), facts=Facts()),
            ("another patient",),
        ),
        (taken(-9, pictures=(replace(FILM, facts=replace(HEADER, age_years=80.0)),)), ("another patient",)),
        (taken(-9, pictures=(replace(FILM, facts=replace(HEADER, laterality="R")),)), ("right side", "left side")),
        (taken(-9, uid="1.2.3"), ("the study itself",)),
    ],
    ids=["later", "another patient", "another sex", "older then", "the other side", "the same study"],
)
def test_an_earlier_study_must_be_one(then, words):
    left = replace(FILM, facts=replace(HEADER, laterality="L"))
    now = taken(0, pictures=(left,), uid="1.2.3", patient="0d1gest")
    said = refused(AskedWrongly, lambda: refuse_unlike(now, [Prior(then)]), *words)
    assert "0d1gest" not in said  # not even the digest of a patient


def test_what_the_files_do_not_say_is_told():
    cautions = refuse_unlike(taken(None), [Prior(taken(5, patient="one"))])
    assert [one.what for one in cautions] == [
        "The files do not say that day 5 is of the same patient.",
        "The files do not say how long before the study day 5 was taken.",
    ]
    assert refuse_unlike(taken(9, patient="one"), [Prior(taken(5, patient="one"))]) == ()


def test_a_mask_must_hold_something_and_lie_on_a_picture(tmp_path):
    study = pet_ct(FIRST)
    write_mask(Mask(np.zeros(CT_GRID.shape, np.uint8), {1: "x"}, geometry=CT_GRID), tmp_path / "empty.nii.gz")
    refused(BadPixels, lambda: read_outlines(study, [tmp_path / "empty.nii.gz"]), "empty.nii.gz", "no voxel")
    far = replace(CT_GRID, affine=CT_GRID.affine + np.array([[0, 0, 0, 900]] * 3 + [[0] * 4]))
    write_mask(Mask(np.ones(CT_GRID.shape, np.uint8), {1: "x"}, geometry=far), tmp_path / "far.nii.gz")
    refused(BadGeometry, lambda: read_outlines(study, [tmp_path / "far.nii.gz"]), "far.nii.gz")
    refused(AskedWrongly, lambda: read_outlines(study, [tmp_path]), "folder")


def test_a_mask_on_another_grid_is_brought_to_the_picture_and_that_is_told(tmp_path):
    coarse = CT_GRID.with_grid((20, 30, 30), (6.0, 4.0, 4.0))
    array = np.zeros(coarse.shape, np.uint8)
    array[5:9, 10:16, 10:16] = 3
    write_mask(Mask(array, {3: "3"}, geometry=coarse), tmp_path / "coarse.nii.gz")
    found = read_outlines(pet_ct(FIRST), [tmp_path / "coarse.nii.gz"])
    [(index, mask)] = found.layers
    assert index == 0 and mask.array.sum() == 8 * 12 * 12 and mask.labels == {1: "Outline 3"}
    assert any("another grid" in one.what for one in found.cautions)


def test_a_mask_goes_to_the_picture_whose_grid_it_has(tmp_path):
    array = np.zeros(PET_GRID.shape, np.uint8)
    array[10:12, 10:12, 10:12] = 1
    write_mask(Mask(array, {1: "1"}, geometry=PET_GRID), tmp_path / "pet.nii.gz")
    assert read_outlines(pet_ct(FIRST), [tmp_path / "pet.nii.gz"]).layers[0][0] == 1


@pytest.fixture(scope="module")
def dicom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up CT as DICOM with its organ and lesions as an RTSTRUCT and a SEG, and another patient's."""
    place = tmp_path_factory.mktemp("dicom")
    volume, mask = made_up_patient(3, lesions=1)
    write_mask(mask, place / "mask.nii.gz")
    (place / "mask.labels.json").write_text('{"1": "organ", "2": "lesion"}')
    for name, seed in (("one", 3), ("two", 4)):
        write_series(replace(volume, facts=replace(volume.facts, sex="")), place / name, seed=seed)
        study = open_study(place / name)
        report = read_study(
            study, Shelf(()), beside=Beside((place / "mask.nii.gz",)), pathway="contours", explain="no"
        )
        (place / f"{name}-out").mkdir()
        write_results(report, study, place / f"{name}-out", writers_named("seg,rtstruct"))
    return place


@pytest.mark.parametrize("kind", ["seg", "rtstruct"])
def test_outlines_of_another_patient_are_refused(dicom, kind):
    study = open_study(dicom / "one")
    [theirs] = (dicom / "two-out").glob(f"{kind}*.dcm")
    refused(AskedWrongly, lambda: read_outlines(study, [theirs]), "another patient")
    refused(BadGeometry, lambda: read_outlines(replace(study, patient=""), [theirs]), "frame of reference")


@pytest.mark.parametrize("kind", ["seg", "rtstruct"])
def test_outlines_of_dicom_come_back_onto_their_series(dicom, kind):
    study = open_study(dicom / "one")
    [ours] = (dicom / "one-out").glob(f"{kind}*.dcm")
    found = read_outlines(study, [ours])
    _, mask = made_up_patient(3, lesions=1)
    names = {name.lower(): (m, label) for _, m in found.layers for label, name in m.labels.items()}
    for label, name in mask.labels.items():
        m, at = names[name]
        assert abs(int(m.of(at).sum()) - int(mask.of(label).sum())) <= (
            0 if kind == "seg" else 0.05 * mask.of(label).sum()
        )
    assert "Taken from" in found.cautions[0].what and found.digest


def test_a_named_side_must_be_that_of_the_picture(tmp_path):
    array = np.random.default_rng(0).normal(100, 20, (30, 40, 30)).astype(np.float32)
    volume = Volume(array, CT_GRID.with_grid((30, 40, 30), (1, 1, 1)), facts=Facts(modality="MR", laterality="R"))
    mask = Mask((array > 120).astype(np.uint8), {1: "Hippocampus left"}, geometry=volume.geometry)
    write_mask(mask, tmp_path / "m.nii.gz")
    (tmp_path / "m.labels.json").write_text('{"1": "Hippocampus left"}')
    study = Study((volume,), volume.facts, name="box")
    beside = Beside((tmp_path / "m.nii.gz",))
    refused(AskedWrongly, lambda: read_study(study, Shelf(()), beside=beside), "left", "right")


def test_a_pathway_that_reads_no_outlines_says_which_do(tmp_path):
    path = outlines(tmp_path, "o", FIRST)
    beside = Beside((path,))
    refused(
        AskedWrongly,
        lambda: read_study(pet_ct(FIRST), Shelf(()), beside=beside, pathway="retinopathy"),
        "tumour-burden",
    )
    refused(
        AskedWrongly,
        lambda: read_study(replace(pet_ct(FIRST), pictures=pet_ct(FIRST).pictures[:1]), Shelf(()), beside=beside,
                           pathway="tumour-burden"),
        "PT",
    )  # fmt: skip


def test_an_earlier_study_needs_outlines_where_the_study_is_read_on_outlines(tmp_path):
    beside = Beside((outlines(tmp_path, "o", FIRST),), (Prior(pet_ct(FIRST, day=-3, seed=2)),))
    refused(AskedWrongly, lambda: read_study(pet_ct(FIRST), Shelf(()), beside=beside), "STUDY=OUTLINES")


def test_two_patients_in_one_folder_are_refused(tmp_path):
    from osler.core.errors import BadInput

    for seed in (1, 2):
        write_made_up_study(tmp_path / f"{seed}", seed=seed)
    refused(BadInput, lambda: open_study(tmp_path), "2 patients")

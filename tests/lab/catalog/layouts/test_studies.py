"""DICOM studies with RTSTRUCT or SEG objects: what is learnt, from whom, and that no voxel is lost."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest

from osler.core.errors import AskedWrongly, BadDataset, UnknownChoice
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.report import Report
from osler.core.study import Picture, Study
from osler.core.volume import Volume
from osler.io.dicom.encode import new_uid, save_dataset
from osler.io.dicom.write import write_radiograph, write_series
from osler.io.open import open_picture
from osler.lab.catalog.cases import load_mask, load_pictures, open_label
from osler.lab.catalog.dataset import Dataset, Outlines
from osler.lab.catalog.labels import check_cases, check_labels
from osler.lab.catalog.layouts.studies import LAYOUT
from osler.lab.catalog.recognize import read_dataset
from osler.lab.catalog.show import describe, write_page
from osler.lab.learn import divided, labelled, planned
from osler.lab.plan.ask import Ask
from osler.lab.train.cases import prepare_cases
from osler.phantoms.radiographs import made_up_radiograph
from osler.phantoms.studies import made_up_pet
from osler.phantoms.volumes import made_up_patient
from osler.results.dicom_object import source_header
from osler.results.dicom_rtstruct import structure_set_object
from osler.results.dicom_seg import Outlined, segmentation_object

SHAPE, SPACING = (8, 20, 18), (6.0, 4.0, 4.0)
NAME = "Somebody^Else"


class Hospital:
    """Writes studies as scanners do, and outlines as planning systems and annotators do."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def patient(self, number: int, *, name: str = "", pet: bool = False) -> tuple[Volume, np.ndarray]:
        """A CT, and a PET on another grid, of one patient: (the CT as it is opened, organ 1 and lesion 2)."""
        volume, mask = made_up_patient(number, shape=SHAPE, spacing=SPACING, lesions=1)
        folder = self.root / (name or f"P{number}")
        write_series(volume, folder / "ct", patient=NAME, seed=number)
        if pet:
            coarse = made_up_pet(volume, mask, seed=number)
            grid = coarse.geometry.with_grid((8, 10, 9), (6.0, 8.0, 8.0))
            coarse = replace(coarse, array=np.ascontiguousarray(coarse.array[:, ::2, ::2]), geometry=grid)
            write_series(coarse, folder / "pet", patient=NAME, seed=number, number=2)
        return open_picture(folder / "ct"), mask.array

    @staticmethod
    def outline(picture: Picture, path: Path, parts: Mapping[str, np.ndarray], *, kind: str = "rtstruct") -> Path:
        """An object with a structure for each of the named parts, numbered in their order; they may overlap."""
        report = Report(
            study="study", study_uid=picture.study_uid, facts=picture.facts, pathway="", declined=(), cautions=(),
            findings=(), key_pictures=(), models=(), seconds=(), software="osler",
            created="2026-01-02T03:04:05+00:00", uid=new_uid(),
        )  # fmt: skip
        outlined = [Outlined(name, there.astype(bool), new_uid()) for name, there in parts.items()]
        header = source_header(Study((picture,), name="study"), 0)
        if kind == "seg":
            dataset = segmentation_object(report, "study", picture, outlined, header=header)
        else:
            assert isinstance(picture, Volume)
            dataset = structure_set_object(report, "study", picture, outlined, header=header)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_dataset(dataset, path)
        return path


@pytest.fixture
def hospital(tmp_path: Path) -> Hospital:
    return Hospital(tmp_path / "set")


def edit(path: Path, change: Callable[[pydicom.Dataset], None]) -> None:
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path)


def notes(dataset: Dataset) -> str:
    return " ".join(dataset.notes)


@pytest.mark.parametrize("kind", ["rtstruct", "seg"])
def test_masks_are_those_of_the_phantoms_voxel_by_voxel(kind, hospital):
    """The numbers and the spelling differ from patient to patient; the names tell which is which."""
    truth = {}
    for n in range(8):
        picture, mask = hospital.patient(n)
        parts = (
            {"Liver mass": mask == 2, "LIVER": mask == 1}
            if n % 2
            else {"Liver": mask == 1, "liver_mass": mask == 2}
        )
        hospital.outline(picture, hospital.root / f"P{n}" / "objects" / "1.dcm", parts, kind=kind)
        truth[f"P{n}"] = mask
    dataset = read_dataset(hospital.root)
    assert (dataset.layout, dataset.task, dataset.channels) == (LAYOUT, "segmentation", ("CT",))
    assert [name.lower().replace("_", " ") for name in dataset.classes] == ["background", "liver", "liver mass"]
    assert dataset.patients == 8 and [case.id for case in dataset.cases] == [f"P{n}" for n in range(8)]
    for case in dataset.cases:
        mask = load_mask(case, dataset)
        np.testing.assert_array_equal(mask.array, truth[case.id])
        assert mask.geometry.matches(load_pictures(case)[0].geometry, tolerance_mm=1e-3)
    assert not check_cases(dataset)
    turned = replace(dataset, classes=("background", "mass", "liver"), label_values=(0, 2, 1))
    first = dataset.cases[0]
    np.testing.assert_array_equal(load_mask(first, turned).array, np.array([0, 2, 1])[truth[first.id]])


def test_all_cases_are_prepared_for_training(hospital, tmp_path):
    for n in range(8):
        picture, mask = hospital.patient(n, pet=True)
        parts = {"Liver": mask == 1, "GTV": mask == 2}
        hospital.outline(picture, hospital.root / f"P{n}" / "rt" / "1.dcm", parts)
    ask = Ask(settings={"steps": "2"})
    dataset = divided(labelled(hospital.root, ask), ask)
    assert {case.split for case in dataset.cases} == {"train", "val", "test"}
    plan = planned(dataset, ask, device="cpu", place=tmp_path / "place")
    assert [channel.modality for channel in plan.recipe.channels] == ["CT", "PT"] and plan.recipe.reference == 0
    cases = prepare_cases(dataset, plan, scratch=tmp_path / "scratch")
    for case, image, mask in zip(dataset.cases, cases.images, cases.masks, strict=True):
        assert image.shape == (2, *SHAPE)
        np.testing.assert_array_equal(mask, load_mask(case, dataset).array)


def test_what_is_shown_names_nobody(hospital, tmp_path):
    for n in range(3):
        picture, mask = hospital.patient(n, pet=True)
        parts = {"Liver": mask == 1}
        if n == 1:
            parts["Seen by Dr Somebody"] = mask == 2
        hospital.outline(picture, hospital.root / f"P{n}" / "rt" / "1.dcm", parts)
    dataset = read_dataset(hospital.root)
    write_page(dataset, description := describe(dataset), tmp_path / "page.html")
    told = (
        json.dumps(description) + (tmp_path / "page.html").read_text() + repr([c.patient for c in dataset.cases])
    )
    assert "Liver" in told and "1 other structures are not learnt" in told
    for secret in ("Somebody", "MADE-UP"):
        assert secret not in told
    assert description["broken"] == 0 and description["odd"] == []


def test_modalities_that_lie_together_are_channels(hospital):
    for n in range(3):
        picture, mask = hospital.patient(n, pet=True)
        hospital.outline(picture, hospital.root / f"P{n}" / "rt" / "1.dcm", {"GTV_CT": mask == 2})
    dataset = read_dataset(hospital.root)
    assert dataset.channels == ("CT", "PT") and dataset.classes == ("background", "GTV")
    assert [picture.array.shape for picture in load_pictures(dataset.cases[0])] == [SHAPE, (8, 10, 9)]

    picture, mask = hospital.patient(3)
    hospital.outline(picture, hospital.root / "P3" / "rt" / "1.dcm", {"GTV_CT": mask == 2})
    dataset = read_dataset(hospital.root)
    assert dataset.channels == ("CT",) and "PT is there for only 3 of 4 cases: it was left out." in dataset.notes


def test_of_several_series_of_one_modality_the_outlined_one_is_taken(hospital):
    for n in range(3):
        picture, mask = hospital.patient(n, pet=True)
        other = replace(picture, array=picture.array + 100)
        write_series(other, hospital.root / f"P{n}" / "late", patient=NAME, seed=n, number=3)
        pet = open_picture(hospital.root / f"P{n}" / "pet")
        write_series(pet, hospital.root / f"P{n}" / "pet again", patient=NAME, seed=n, number=4)
        late = open_picture(hospital.root / f"P{n}" / "late")
        hospital.outline(late, hospital.root / f"P{n}" / "rt" / "1.dcm", {"GTV": mask == 2})
    dataset = read_dataset(hospital.root)
    assert [case.pictures[0].path.name for case in dataset.cases] == ["late"] * 3
    assert dataset.channels == ("CT",), "nothing says which of the two PET series is meant"
    assert "PT was left out: 3 of 3 cases have several series of it" in notes(dataset)


def test_outlines_on_another_picture_are_brought_onto_the_first(hospital):
    fine, coarse = np.zeros(SHAPE, bool), np.zeros((8, 10, 9), bool)
    coarse[2:6, 2:7, 2:6] = fine[2:6, 4:14, 4:12] = True
    for n in range(5):
        picture, _ = hospital.patient(n, pet=True)
        folder = hospital.root / f"P{n}"
        if n < 3:
            hospital.outline(picture, folder / "rt" / "1.dcm", {"GTV_CT": fine})
        if n > 1:
            kind = "seg" if n == 3 else "rtstruct"
            hospital.outline(open_picture(folder / "pet"), folder / "rt" / "2.dcm", {"GTV_PET": coarse}, kind=kind)
    dataset = read_dataset(hospital.root)
    assert dataset.classes == ("background", "GTV") and len(dataset.cases) == 5
    assert "The outlines on CT are learnt; there are also outlines on PT." in dataset.notes
    assert "2 patients were outlined on another picture than CT: brought onto it." in dataset.notes
    for case in dataset.cases:
        np.testing.assert_array_equal(load_mask(case, dataset).array, fine)
    assert not check_cases(dataset)


def test_only_structures_that_most_patients_have_are_learnt(hospital):
    for n in range(5):
        picture, mask = hospital.patient(n)
        parts = {"Liver": mask == 1} if n < 2 else {"Liver": mask == 1, "GTV": mask == 2}
        if n < 2:
            parts["Spare"] = mask == 2
        hospital.outline(picture, hospital.root / f"P{n}" / "rt" / "1.dcm", parts)
    dataset = read_dataset(hospital.root)
    assert dataset.classes == ("background", "GTV", "Liver")
    assert "1 other structures are not learnt, among them Spare" in notes(dataset)
    assert "'GTV' is not named in 2 of 5 cases: it counts as not there." in notes(dataset)


def test_a_target_chooses_structures(hospital):
    for n in range(3):
        picture, mask = hospital.patient(n)
        parts = {"PTV": mask > 0, "GTV_Mass": mask == 2, "Liver": mask == 1}
        hospital.outline(picture, hospital.root / f"P{n}" / "rt" / "1.dcm", parts)
    with pytest.raises(BadDataset, match="overlap; a voxel has one class") as told:
        read_dataset(hospital.root)
    assert '--target "' in told.value.remedy
    dataset = read_dataset(hospital.root, target="liver, gtv mass")
    assert dataset.classes == ("background", "Liver", "GTV_Mass") and not check_cases(dataset)
    _, truth = made_up_patient(0, shape=SHAPE, spacing=SPACING, lesions=1)
    np.testing.assert_array_equal(load_mask(dataset.cases[0], dataset).array, truth.array)
    with pytest.raises(UnknownChoice, match=r"structure named 'Livre'.*Did you mean 'Liver'"):
        read_dataset(hospital.root, target="Livre")


@pytest.mark.parametrize("kind", ["rtstruct", "seg"])
def test_a_border_drawn_twice_belongs_to_the_first(kind, hospital):
    for n in range(3):
        picture, _ = hospital.patient(n)
        left, right = np.zeros((2, *SHAPE), bool)
        left[2:6, 4:16, 3:10] = right[2:6, 4:16, 10:16] = True
        right[3, 4:14, 9] = True  # 10 of 298 voxels
        hospital.outline(picture, hospital.root / f"P{n}" / "o" / "1.dcm", {"b": right, "a": left}, kind=kind)
    dataset = read_dataset(hospital.root)
    mask = load_mask(dataset.cases[0], dataset)
    np.testing.assert_array_equal(mask.of(1), left)
    np.testing.assert_array_equal(mask.of(2), right & ~left)


def test_two_studies_of_one_patient_stay_one_patient(hospital):
    for n in range(4):
        picture, mask = hospital.patient(n)
        path = hospital.outline(picture, hospital.root / f"P{n}" / "rt" / "1.dcm", {"GTV": mask == 2})
        for file in [path, *(hospital.root / f"P{n}" / "ct").iterdir()]:
            edit(file, lambda one, n=n: setattr(one, "PatientID", f"SECRET-{n // 2}"))
    dataset = read_dataset(hospital.root)
    assert len(dataset.cases) == 4 and dataset.patients == 2
    assert len({case.patient for case in dataset.cases[:2]}) == 1
    assert not any("SECRET" in case.patient + case.id for case in dataset.cases)


def test_objects_with_one_structure_each_are_merged(hospital):
    for n in range(3):
        picture, mask = hospital.patient(n)
        for number, (name, kind) in {1: ("Liver", "seg"), 2: ("GTV", "rtstruct")}.items():
            path = hospital.root / f"P{n}" / "objects" / f"{name}.dcm"
            hospital.outline(picture, path, {name: mask == number}, kind=kind)
    dataset = read_dataset(hospital.root)
    assert dataset.classes == ("background", "GTV", "Liver")
    _, truth = made_up_patient(0, shape=SHAPE, spacing=SPACING, lesions=1)
    np.testing.assert_array_equal(load_mask(dataset.cases[0], dataset).array, np.array([0, 2, 1])[truth.array])
    assert str(dataset.cases[0].label) == "GTV.dcm and 1 more"


@pytest.mark.parametrize("series", [True, False])
def test_an_object_whose_images_have_other_uids_is_matched_all_the_same(series, hospital):
    """By its series; where that has another UID too, by the slices that were drawn on."""

    def estrange(dataset: pydicom.Dataset) -> None:
        for roi in dataset.ROIContourSequence:
            for line in roi.get("ContourSequence", []):
                line.ContourImageSequence[0].ReferencedSOPInstanceUID = new_uid()
        place = (
            dataset.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0].RTReferencedSeriesSequence
        )
        for image in place[0].ContourImageSequence:
            image.ReferencedSOPInstanceUID = new_uid()
        if not series:
            place[0].SeriesInstanceUID = new_uid()

    for n in range(3):
        picture, mask = hospital.patient(n, pet=True)
        edit(hospital.outline(picture, hospital.root / f"P{n}" / "rt" / "1.dcm", {"Liver": mask == 1}), estrange)
    dataset = read_dataset(hospital.root)
    assert [case.pictures[0].path.name for case in dataset.cases] == ["ct"] * 3
    _, truth = made_up_patient(0, shape=SHAPE, spacing=SPACING, lesions=1)
    np.testing.assert_array_equal(load_mask(dataset.cases[0], dataset).array, truth.array == 1)


def test_everything_in_one_heap(hospital):
    """The headers say what belongs together; no folder gives a case its name then."""
    heap = hospital.root / "heap"
    heap.mkdir(parents=True)
    for n in range(3):
        picture, mask = hospital.patient(n, pet=True)
        hospital.outline(picture, hospital.root / f"P{n}" / "rt" / "1.dcm", {"Liver": mask == 1})
        for number, file in enumerate(sorted((hospital.root / f"P{n}").rglob("*.dcm"))):
            file.rename(heap / f"{n}_{number}.dcm")
    dataset = read_dataset(heap)
    assert dataset.channels == ("CT", "PT") and dataset.patients == 3
    assert all(case.id == case.patient for case in dataset.cases)
    assert not check_cases(dataset)
    truths = [made_up_patient(n, shape=SHAPE, spacing=SPACING, lesions=1)[1].array == 1 for n in range(3)]
    masks = [load_mask(case, dataset).array == 1 for case in dataset.cases]
    assert all(any(np.array_equal(mask, truth) for mask in masks) for truth in truths)


def test_radiographs_with_segmentations(tmp_path, hospital):
    for n in range(3):
        write_radiograph(made_up_radiograph(n, opacity=True, size=32), hospital.root / f"P{n}" / "1.dcm", seed=n)
        picture = open_picture(hospital.root / f"P{n}" / "1.dcm")
        assert isinstance(picture, Image)
        there = np.zeros((32, 32), bool)
        there[4 : 12 + n, 6:9] = True
        parts = {"Lung": there, "Other": np.roll(there, 12, axis=1)}
        hospital.outline(picture, hospital.root / f"P{n}" / "2.dcm", parts, kind="seg")
    dataset = read_dataset(hospital.root)
    assert dataset.layout == LAYOUT and dataset.classes == ("background", "Lung", "Other")
    np.testing.assert_array_equal(load_mask(dataset.cases[2], dataset).of(1), there)
    assert not check_cases(dataset)


def test_what_cannot_be_used_is_left_out_and_said(hospital):
    for n in range(7):
        picture, mask = hospital.patient(n)
        if n != 5:
            hospital.outline(picture, hospital.root / f"P{n}" / "rt" / "1.dcm", {"Liver": mask == 1})
    (hospital.root / "P0" / "rt" / "1.dcm").write_bytes(
        (hospital.root / "P0" / "rt" / "1.dcm").read_bytes()[:1500]
    )
    for file in sorted((hospital.root / "P1" / "ct").iterdir())[4:]:
        file.unlink()
    for file in (hospital.root / "P2" / "ct").iterdir():
        file.unlink()
    edit(hospital.root / "P6" / "rt" / "1.dcm", lambda one: delattr(one, "StructureSetROISequence"))
    dataset = read_dataset(hospital.root)
    assert [case.id for case in dataset.cases] == ["P3", "P4"]
    assert "1 RTSTRUCT or SEG files cannot be read and were left out: 1.dcm." in dataset.notes
    assert any(note.startswith("1.dcm ") for note in dataset.notes), "the damaged one"
    assert "1 RTSTRUCT or SEG files were left out: what they were drawn on is not here." in dataset.notes
    assert "1 of 3 cases were outlined on slices that are not there, and were left out." in dataset.notes
    assert "3 of 6 patients have no outlines and were left out." in dataset.notes


def test_a_structure_that_was_looked_for_and_not_found_is_an_empty_mask(hospital):
    for n in range(3):
        picture, mask = hospital.patient(n)
        there = mask == 2 if n else np.zeros(SHAPE, bool)
        hospital.outline(picture, hospital.root / f"P{n}" / "rt" / "1.dcm", {"GTV": there})
    dataset = read_dataset(hospital.root)
    label = dataset.cases[0].label
    assert isinstance(label, Outlines) and label.outlines == () and len(dataset.cases) == 3
    assert not load_mask(dataset.cases[0], dataset).array.any()
    assert [odd.kind for odd in check_cases(dataset)] == ["empty mask"]


def test_no_name_that_most_patients_share(hospital):
    for n in range(3):
        picture, mask = hospital.patient(n)
        hospital.outline(picture, hospital.root / f"P{n}" / "rt" / "1.dcm", {f"thing {n}": mask == 1})
    with pytest.raises(BadDataset, match="same name in most patients") as told:
        read_dataset(hospital.root)
    assert "thing" not in told.value.remedy, "what one patient alone has may be anything"


def test_a_list_of_series_beside_the_studies_is_not_taken_for_labels(hospital):
    """As the NBIA Data Retriever writes it."""
    for n in range(3):
        picture, mask = hospital.patient(n)
        hospital.outline(picture, hospital.root / f"P{n}" / "rt" / "1.dcm", {"Liver": mask == 1})
    rows = [f"1.2.{n},RTSTRUCT,./P{n}/rt/1.dcm,{n}" for n in range(3)]
    (hospital.root / "metadata.csv").write_text("\n".join(["Series UID,Modality,File Location,Images", *rows]))
    assert read_dataset(hospital.root).layout == LAYOUT
    with pytest.raises(AskedWrongly):
        read_dataset(hospital.root / "metadata.csv")


def test_few_outlines_among_many_patients_are_not_what_is_to_be_learnt(hospital):
    for n in range(5):
        picture, mask = hospital.patient(n, name=f"{'sick' if n % 2 else 'well'}/P{n}")
    hospital.outline(picture, hospital.root / "well" / "P4" / "rt.dcm", {"Liver": mask == 1})
    assert read_dataset(hospital.root).layout == "folder per class"
    assert read_dataset(hospital.root, task="segmentation").layout == LAYOUT


def test_series_with_nifti_masks_are_paired_as_before(hospital, tmp_path):
    root = tmp_path / "pairs"
    for n in range(3):
        volume, mask = made_up_patient(n, shape=SHAPE, spacing=SPACING, lesions=1)
        write_series(volume, root / "images" / f"P{n}", seed=n)
        (root / "labels").mkdir(exist_ok=True)
        affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ mask.geometry.affine[:, [2, 1, 0, 3]]
        nibabel.save(nibabel.Nifti1Image(mask.array.transpose(2, 1, 0), affine), root / "labels" / f"P{n}.nii.gz")
    dataset = read_dataset(root)
    assert dataset.layout == "paired folders"
    np.testing.assert_array_equal(open_label(dataset.cases[2].label).array, mask.array)
    with pytest.raises(AskedWrongly, match="no column"):
        read_dataset(root, target="Liver")


def test_three_patients_with_sarcoma(test_data):
    dataset = read_dataset(test_data / "sarcoma" / "dicom")
    assert (dataset.layout, dataset.channels) == (LAYOUT, ("CT", "PT", "MR"))
    assert dataset.classes == ("background", "GTV_Mass") and dataset.patients == 3
    assert [case.id for case in dataset.cases] == ["STS_019", "STS_025", "STS_042"]
    for case in dataset.cases:
        independent = nibabel.load(test_data / "sarcoma" / "nifti" / case.id / "CT_mask.nii.gz")
        mask = load_mask(case, dataset)
        affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ independent.affine
        grid = Geometry(mask.array.shape, affine[:, [2, 1, 0, 3]])
        assert mask.geometry.matches(grid, tolerance_mm=1e-2)
        np.testing.assert_array_equal(mask.array, np.asarray(independent.dataobj).transpose(2, 1, 0))
    with pytest.raises(BadDataset, match="3 patients only"):
        check_labels(dataset)


def test_every_reference_phantom_has_its_own_outline(test_data):
    """All nine series share a frame of reference, and all structure sets name images of the first alone."""
    dataset = read_dataset(test_data / "suv-reference")
    assert len(dataset.cases) == 9 and dataset.patients == 1
    for case in dataset.cases:
        assert case.pictures[0].path.parent.name == case.label.path.parent.parent.name == case.id

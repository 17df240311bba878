"""Every layout is recognized, and what is wrong with it is said."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from osler.core.errors import AskedWrongly, BadDataset, BadInput, UnknownChoice, Unreadable
from osler.lab.catalog.dataset import Box, Source
from osler.lab.catalog.recognize import read_dataset

# --- a folder per class


def test_a_folder_per_class(tmp_path, make):
    dataset = read_dataset(make.classes(tmp_path))
    assert (dataset.task, dataset.classes, dataset.layout) == ("binary", ("normal", "sick"), "folder per class")
    assert [case.label for case in dataset.cases] == [0] * 4 + [1] * 4
    assert {case.split for case in dataset.cases} == {""}
    assert dataset.cases[0].id == "normal/normal0"


def test_the_class_that_says_nothing_found_comes_first(tmp_path, make):
    assert read_dataset(make.classes(tmp_path, ("cancer", "healthy"))).classes == ("healthy", "cancer")


def test_split_folders_above_or_below_the_class(tmp_path, make):
    for split in ("Train", "valid", "test"):
        make.classes(tmp_path / "above" / split, ("a", "b", "c"))
        for name in ("a", "b", "c"):
            make.classes(tmp_path / "below" / name, (split,))
    for order in ("above", "below"):
        dataset = read_dataset(tmp_path / order)
        assert dataset.classes == ("a", "b", "c")
        assert Counter(case.split for case in dataset.cases) == {"train": 12, "val": 12, "test": 12}


def test_folders_named_by_consecutive_numbers_are_grades_unless_said_otherwise(tmp_path, make):
    make.classes(tmp_path, ("0", "1", "2", "3"))
    assert read_dataset(tmp_path).task == "ordinal"
    assert read_dataset(tmp_path, task="multiclass").task == "multiclass"
    assert any("ordinal" in note for note in read_dataset(tmp_path).notes)


def test_an_archive_in_one_more_folder(tmp_path, make):
    make.classes(tmp_path / "download" / "set")
    make.picture(tmp_path / "__MACOSX" / "._x.png")
    dataset = read_dataset(tmp_path)
    assert dataset.name == "set"
    assert len(dataset.cases) == 8


def test_one_class_only(tmp_path, make):
    with pytest.raises(BadDataset, match="only one class folder, 'sick'"):
        read_dataset(make.classes(tmp_path, ("sick",)))


def test_a_folder_per_patient_below_the_class(tmp_path, make):
    for name in ("a", "b"):
        for patient in range(5):
            for view in range(2):
                make.picture(tmp_path / name / f"{name}{patient}" / f"{view}.png")
    assert read_dataset(tmp_path).patients == 10


def test_dicom_series_are_one_picture_each_and_headers_tell_patients(tmp_path):
    for label in ("a", "b"):
        for case in range(3):
            for n in range(4):
                _dicom(
                    tmp_path / label / f"scan{case}" / f"{n}.dcm",
                    uid=f"1.2.{ord(label)}.{case}",
                    patient=f"P{case}",
                )
    dataset = read_dataset(tmp_path)
    assert len(dataset.cases) == 6
    assert dataset.patients == 3
    assert dataset.cases[0].pictures[0].path.is_dir()
    assert not any("P0" in case.patient for case in dataset.cases)


def _dicom(path: Path, *, uid: str, patient: str) -> None:
    import pydicom
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    path.parent.mkdir(parents=True, exist_ok=True)
    header = pydicom.Dataset()
    header.SOPClassUID, header.SOPInstanceUID = CTImageStorage, generate_uid()
    header.SeriesInstanceUID, header.PatientID, header.Modality = uid, patient, "CT"
    header.Rows = header.Columns = 2
    header.file_meta = pydicom.dataset.FileMetaDataset()
    header.file_meta.MediaStorageSOPClassUID = CTImageStorage
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    pydicom.dcmwrite(path, header, enforce_file_format=True)


# --- tables


def test_a_table_with_facts_patients_and_splits(tmp_path, make):
    path = make.table(
        tmp_path,
        "image,diagnosis,patient_id,split,Age,gender,hospital,crp,name",
        "pics/p{n}.png,{odd},pat{third},train,4{n},F,north,1.{n},Jane",
    )
    dataset = read_dataset(path)
    assert (dataset.task, dataset.classes, dataset.layout) == ("binary", ("0", "1"), "table")
    first = dataset.cases[0]
    assert (first.id, first.patient, first.split) == ("pics/p0", "pat0", "train")
    assert first.facts == {"age": 40.0, "sex": "F", "site": "north", "crp": 1.0}
    assert any("identify" in note for note in dataset.notes)


def test_a_folder_with_a_table_of_stems(tmp_path, make):
    make.table(tmp_path, "patient_id,image_id,pneumonia", "x{n},p{n},{odd}")
    dataset = read_dataset(tmp_path)
    assert dataset.classes == ("no pneumonia", "pneumonia")
    assert dataset.cases[3].pictures == (Source(tmp_path / "pics" / "p3.png"),)


def test_yes_no_columns_are_multilabel_and_exclusive_ones_are_classes(tmp_path, make):
    path = make.table(tmp_path, "file;mass;effusion", "pics/p{n}.png;{odd};1", rows=6)
    path.write_text(path.read_text().replace("p0.png;0;1", "p0.png;0;0"))
    dataset = read_dataset(path)
    assert (dataset.task, dataset.classes) == ("multilabel", ("mass", "effusion"))
    assert [case.label for case in dataset.cases[:2]] == [(0, 0), (1, 1)]
    lines = [f"pics/p{n}.png;{n % 2};{1 - n % 2}" for n in range(6)]
    path.write_text("\n".join(["file;mass;effusion", *lines]))
    assert read_dataset(path).task == "multiclass"
    assert read_dataset(path, task="multilabel").task == "multilabel"


def test_joined_findings_are_multilabel(tmp_path, make):
    make.table(tmp_path, "path,Finding Labels", "pics/p{n}.png,Mass|Edema", rows=4)
    with (tmp_path / "data.csv").open("a") as file:
        make.picture(tmp_path / "pics" / "q.png")
        file.write("pics/q.png,No Finding\n")
    dataset = read_dataset(tmp_path / "data.csv")
    assert dataset.classes == ("Edema", "Mass")
    assert dataset.cases[-1].label == (0, 0)


def test_fractions_and_many_numbers_are_regression_and_the_target_is_named(tmp_path, make):
    path = make.table(tmp_path, "image,age,ef", "pics/p{n}.png,{n},{n}.5", rows=25)
    dataset = read_dataset(path, target="ef")
    assert (dataset.task, dataset.classes, dataset.target) == ("regression", (), "ef")
    assert dataset.cases[0].label == 0.5
    assert read_dataset(path, target="age").task == "regression"
    assert dataset.cases[0].facts == {"age": 0.0}


def test_a_grade_column_is_ordinal_and_a_label_column_is_not(tmp_path, make):
    assert read_dataset(make.table(tmp_path, "image,grade", "pics/p{n}.png,{third}")).task == "ordinal"
    dataset = read_dataset(make.table(tmp_path, "image,label", "pics/p{n}.png,{third}"))
    assert dataset.task == "multiclass"
    assert any("ordinal" in note for note in dataset.notes)


def test_two_picture_columns_are_channels(tmp_path, make):
    for n in range(8):
        make.picture(tmp_path / "pet" / f"p{n}.png", n)
    path = make.table(tmp_path, "image_ct,image_pet,label", "pics/p{n}.png,pet/p{n}.png,{odd}")
    dataset = read_dataset(path)
    assert dataset.channels == ("ct", "pet")
    assert [source.path.parent.name for source in dataset.cases[0].pictures] == ["pics", "pet"]


def test_a_mask_column_is_segmentation(tmp_path, make):
    for n in range(5):
        make.flat_mask(tmp_path / "m" / f"{n}.png")
    dataset = read_dataset(make.table(tmp_path, "image,mask", "pics/p{n}.png,m/{n}.png", rows=5))
    assert (dataset.task, dataset.classes, dataset.label_values) == (
        "segmentation", ("background", "foreground"), (0, 255),
    )  # fmt: skip


def test_a_parquet_table(tmp_path, make):
    import pyarrow
    from pyarrow import parquet

    for n in range(6):
        make.picture(tmp_path / f"{n}.png")
    rows = {"image": [f"{n}.png" for n in range(6)], "label": [0, 1, 0, 1, None, 1], "age": [1.5] * 6}
    parquet.write_table(pyarrow.table(rows), tmp_path / "t.parquet")
    dataset = read_dataset(tmp_path / "t.parquet")
    assert len(dataset.cases) == 5
    assert dataset.cases[0].facts == {"age": 1.5}
    assert any("1 rows without a label" in note for note in dataset.notes)


def test_missing_pictures_are_named_with_their_column(tmp_path, make):
    path = make.table(tmp_path, "image,label", "pics/p{n}.png,{odd}")
    (tmp_path / "pics" / "p3.png").unlink()
    with pytest.raises(BadDataset, match=r"column 'image': pics/p3\.png"):
        read_dataset(path)
    for picture in (tmp_path / "pics").iterdir():
        picture.unlink()
    for place in (path, tmp_path):
        with pytest.raises(BadDataset, match=r"8 files of column 'image'"):
            read_dataset(place)


def test_a_stale_table_beside_class_folders_does_not_hide_them(tmp_path, make):
    make.classes(tmp_path)
    (tmp_path / "old.csv").write_text("filename,label\nelsewhere/1.png,0\nelsewhere/2.png,1\n")
    assert read_dataset(tmp_path).layout == "folder per class"


def test_a_table_that_does_not_say_what_to_learn(tmp_path, make):
    path = make.table(tmp_path, "image,crp,weight", "pics/p{n}.png,{n},{n}")
    with pytest.raises(AskedWrongly, match="crp, weight"):
        read_dataset(path)
    with pytest.raises(AskedWrongly, match="no column 'grad'"):
        read_dataset(path, target="grad")


@pytest.mark.parametrize("content", [b"", b"\0\0\0", b"image,label\n", b"a,a\n1,2\n", b"image,label\na,b,c\n"])
def test_broken_tables(tmp_path, content):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(BadInput, match=r"t\.csv"):
        read_dataset(tmp_path / "t.csv")


def test_a_broken_parquet_file(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1nonsense")
    with pytest.raises(Unreadable, match=r"t\.parquet"):
        read_dataset(tmp_path / "t.parquet")


# --- segmentation


def test_paired_folders(tmp_path, make):
    dataset = read_dataset(make.paired(tmp_path))
    assert dataset.classes == ("background", "label 1", "label 2")
    assert dataset.label_values == (0, 1, 2)
    assert dataset.patients == 6
    assert dataset.cases[0].label == Source(tmp_path / "labels" / "brain_000.nii.gz")


def test_paired_folders_inside_splits_with_other_endings(tmp_path, make):
    for split in ("train", "test"):
        for n in range(3):
            make.picture(tmp_path / split / "images" / f"c{n}.png")
            make.flat_mask(tmp_path / split / "masks" / f"c{n}_mask.png", value=1)
    make.picture(tmp_path / "train" / "images" / "lonely.png")
    dataset = read_dataset(tmp_path)
    assert Counter(case.split for case in dataset.cases) == {"train": 3, "test": 3}
    assert any("lonely" in note for note in dataset.notes)


def test_paired_folders_without_a_common_name(tmp_path, make):
    make.picture(tmp_path / "images" / "a.png")
    make.flat_mask(tmp_path / "masks" / "b.png")
    with pytest.raises(BadDataset, match="no two of the same name"):
        read_dataset(tmp_path)


def test_channels_of_a_patient_folder_with_one_sometimes_missing(tmp_path, make):
    for n in range(4):
        for kind in ("CT", "PET") if n else ("CT", "PET", "MR_T1"):
            make.volume(tmp_path / f"P{n}" / f"{kind}_image.nii.gz")
            make.mask_volume(tmp_path / f"P{n}" / f"{kind}_mask.nii.gz", (1,))
    dataset = read_dataset(tmp_path)
    assert dataset.channels == ("CT", "PET")
    assert dataset.cases[1].label == Source(tmp_path / "P1" / "CT_mask.nii.gz")
    assert any("MR_T1 is there for only 1 of 4" in note for note in dataset.notes)


def test_brats_like_names(tmp_path, make):
    for n in range(3):
        for kind in ("t1", "t1ce", "flair"):
            make.volume(tmp_path / f"B_{n}" / f"B_{n}_{kind}.nii.gz")
        make.mask_volume(tmp_path / f"B_{n}" / f"B_{n}_seg.nii.gz", (1, 2, 4))
    dataset = read_dataset(tmp_path)
    assert dataset.channels == ("flair", "t1", "t1ce")
    assert dataset.label_values == (0, 1, 2, 4)


def test_pictures_and_masks_in_one_folder(tmp_path, make):
    for n in range(5):
        make.picture(tmp_path / "set" / f"case{n}.png")
        make.flat_mask(tmp_path / "set" / f"case{n}_mask.png")
    dataset = read_dataset(tmp_path)
    assert (dataset.task, len(dataset.cases)) == ("segmentation", 5)


def _decathlon(root: Path, make, *, channels: int = 2, missing: bool = False) -> None:
    training = []
    for n in range(3):
        shape = (6, 7, 8, channels) if channels > 1 else (6, 7, 8)
        make.volume(root / "imagesTr" / f"c_{n}.nii.gz", np.ones(shape, np.float32))
        make.mask_volume(root / "labelsTr" / f"c_{n}.nii.gz")
        training.append({"image": f"./imagesTr/c_{n}.nii.gz", "label": f"./labelsTr/c_{n}.nii.gz"})
    if missing:
        training.append({"image": "./imagesTr/c_9.nii.gz", "label": "./labelsTr/c_9.nii.gz"})
    manifest = {
        "modality": {"0": "T2", "1": "ADC"} if channels > 1 else {"0": "MRI"},
        "labels": {"0": "background", "1": "PZ", "2": "TZ"},
        "training": training,
        "test": ["./imagesTs/c_7.nii.gz"],
    }
    (root / "dataset.json").write_text(json.dumps(manifest))


def test_the_decathlon(tmp_path, make):
    _decathlon(tmp_path / "Task05", make)
    dataset = read_dataset(tmp_path / "Task05")
    assert (dataset.channels, dataset.classes) == (("T2", "ADC"), ("background", "PZ", "TZ"))
    assert [source.item for source in dataset.cases[0].pictures] == ["channel:0", "channel:1"]
    _decathlon(tmp_path / "single", make, channels=1)
    assert [source.item for source in read_dataset(tmp_path / "single").cases[0].pictures] == [""]


def test_the_decathlon_with_missing_files_or_a_broken_manifest(tmp_path, make):
    _decathlon(tmp_path, make, missing=True)
    with pytest.raises(BadDataset, match=r"c_9\.nii\.gz"):
        read_dataset(tmp_path)
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(Unreadable, match=r"dataset\.json"):
        read_dataset(tmp_path)


def _nnunet(root: Path, make, labels: object, *, test_labels: bool) -> None:
    for split, count in (("Tr", 4), ("Ts", 2)):
        for n in range(count):
            for channel in range(2):
                make.volume(root / f"images{split}" / f"c{split}{n}_{channel:04d}.nii.gz")
            if split == "Tr" or test_labels:
                make.mask_volume(root / f"labels{split}" / f"c{split}{n}.nii.gz")
    manifest = {"channel_names": {"0": "CT", "1": "PET"}, "labels": labels, "file_ending": ".nii.gz"}
    (root / "dataset.json").write_text(json.dumps(manifest))


def test_nnunet_raw(tmp_path, make):
    _nnunet(tmp_path, make, {"background": 0, "organ": 1, "tumour": 2}, test_labels=True)
    dataset = read_dataset(tmp_path)
    assert dataset.layout == "nnU-Net raw"
    assert dataset.channels == ("CT", "PET")
    assert dataset.classes == ("background", "organ", "tumour")
    assert Counter(case.split for case in dataset.cases) == {"train": 4, "test": 2}


def test_nnunet_without_test_labels_with_regions_and_with_a_missing_channel(tmp_path, make):
    _nnunet(tmp_path, make, {"background": 0, "whole": [1, 2], "core": [2]}, test_labels=False)
    dataset = read_dataset(tmp_path)
    assert dataset.classes == ("background", "whole", "core")
    assert {case.split for case in dataset.cases} == {""}
    assert any("no labelsTs" in note for note in dataset.notes)
    (tmp_path / "imagesTr" / "cTr1_0001.nii.gz").unlink()
    with pytest.raises(BadDataset, match="cTr1"):
        read_dataset(tmp_path)


def test_nnunet_without_a_manifest_is_paired_with_channels(tmp_path, make):
    _nnunet(tmp_path, make, {}, test_labels=True)
    (tmp_path / "dataset.json").unlink()
    dataset = read_dataset(tmp_path)
    assert dataset.channels == ("channel 0", "channel 1")
    assert Counter(case.split for case in dataset.cases) == {"train": 4, "test": 2}


# --- MedMNIST


def test_medmnist_binary_with_known_names(tmp_path, make):
    labels = np.array([[0], [1]] * 5, np.uint8)
    dataset = read_dataset(make.npz(tmp_path / "pneumoniamnist_64.npz", labels))
    assert (dataset.task, dataset.classes) == ("binary", ("normal", "pneumonia"))
    assert Counter(case.split for case in dataset.cases) == {"train": 10, "val": 10, "test": 10}
    assert dataset.split("train").cases[3].pictures[0].item == "train_images:3"


def test_medmnist_of_unknown_name_flat_labels_volumes_and_several_labels(tmp_path, make):
    plain = read_dataset(make.npz(tmp_path / "mine.npz", np.array([3, 7, 9] * 4)))
    assert (plain.task, plain.classes) == ("multiclass", ("3", "7", "9"))
    assert plain.cases[1].label == 1
    solid = read_dataset(make.npz(tmp_path / "nodulemnist3d.npz", np.array([0, 1] * 3), shape=(4, 4, 4)))
    assert solid.classes == ("benign", "malignant")
    several = read_dataset(make.npz(tmp_path / "multi.npz", np.array([[0, 1, 1], [1, 0, 0], [0, 0, 0]])))
    assert several.task == "multilabel"
    assert several.cases[0].label == (0, 1, 1)


def test_retinamnist_is_a_grade_unless_said_otherwise(tmp_path, make):
    path = make.npz(tmp_path / "retinamnist.npz", np.arange(5)[:, None], shape=(8, 8, 3))
    assert read_dataset(path).task == "ordinal"
    assert read_dataset(path, task="multiclass").classes == ("0", "1", "2", "3", "4")


def test_broken_npz(tmp_path, make):
    path = make.npz(tmp_path / "x.npz", np.array([0, 1]))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Unreadable, match=r"x\.npz"):
        read_dataset(path)
    np.savez(path, train_images=np.zeros((3, 8, 8)), train_labels=np.zeros(2))
    with pytest.raises(BadDataset, match="another number of labels"):
        read_dataset(path)
    np.savez(path, something=np.zeros(3))
    with pytest.raises(BadDataset, match="train_images"):
        read_dataset(path)
    pictures = np.empty(3, object)
    pictures[:] = [np.zeros((8, 8))] * 3
    np.savez(path, train_images=pictures, train_labels=np.zeros(3))
    with pytest.raises(BadDataset, match="train_images as object"):
        read_dataset(path)


# --- boxes

_BOX = (
    "<annotation><object><name>{name}</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>6</xmax><ymax>9</ymax>"
    "</bndbox></object></annotation>"
)


def test_voc_boxes(tmp_path, make):
    (tmp_path / "Annotations").mkdir()
    for n in range(3):
        make.picture(tmp_path / "JPEGImages" / f"x{n}.jpg")
        (tmp_path / "Annotations" / f"x{n}.xml").write_text(_BOX.format(name="nodule"))
    dataset = read_dataset(tmp_path)
    assert dataset.task == "detection"
    assert dataset.cases[0].label == (Box(0, 2, 1, 9, 6),)


@pytest.mark.parametrize(
    "text",
    [
        "<annotation><object>",
        '<!DOCTYPE x [<!ENTITY a "aaaa">]>' + _BOX.format(name="&a;"),
        _BOX.format(name="a").replace("<xmax>6", "<xmax>six"),
        _BOX.format(name=""),
    ],
)
def test_hostile_annotations(tmp_path, make, text):
    (tmp_path / "Annotations").mkdir()
    make.picture(tmp_path / "JPEGImages" / "x.jpg")
    (tmp_path / "Annotations" / "x.xml").write_text(text)
    with pytest.raises(Unreadable, match=r"x\.xml"):
        read_dataset(tmp_path)
    (tmp_path / "Annotations" / "x.xml").write_bytes(text.encode("utf-16"))
    with pytest.raises(Unreadable, match=r"x\.xml"):
        read_dataset(tmp_path)


# --- whatever the layout


def test_an_empty_folder_a_missing_one_and_pictures_without_labels(tmp_path, make):
    with pytest.raises(BadDataset, match="is empty"):
        read_dataset(tmp_path)
    with pytest.raises(AskedWrongly, match="no file or folder"):
        read_dataset(tmp_path / "nowhere")
    make.picture(tmp_path / "a.png")
    with pytest.raises(BadDataset, match="no labels"):
        read_dataset(tmp_path)


def test_a_task_that_the_labels_cannot_serve(tmp_path, make):
    make.classes(tmp_path, ("a", "b", "c"))
    for task in ("binary", "regression", "multilabel"):
        with pytest.raises(AskedWrongly):
            read_dataset(tmp_path, task=task)
    with pytest.raises(UnknownChoice, match="multiclass"):
        read_dataset(tmp_path, task="multi-class")


def test_a_patient_on_both_sides_is_noted(tmp_path, make):
    for split, first in (("train", 0), ("test", 4)):
        for n in range(first, first + 6):
            for view in range(2):
                make.picture(tmp_path / split / ("a" if n % 2 else "b") / f"person{n}_bacteria_{view}.png")
    dataset = read_dataset(tmp_path)
    assert dataset.patients == 10
    assert any(note.startswith("2 patients seem to be in both train and test (4 cases") for note in dataset.notes)


def test_real_sets(test_data):
    expected = {
        "hippocampus": ("segmentation", 3, 200, 200),
        "sarcoma/nifti": ("segmentation", 2, 12, 12),
        "knee-oa": ("ordinal", 5, 346, 173),
        "pathology-tiles": ("multiclass", 3, 600, 600),
        "medmnist/breastmnist.npz": ("binary", 2, 780, 780),
        "medmnist/retinamnist.npz": ("ordinal", 5, 1600, 1600),
    }
    for name, wanted in expected.items():
        if (test_data / name).exists():
            found = read_dataset(test_data / name)
            assert (found.task, len(found.classes), len(found.cases), found.patients) == wanted, name

"""Broken files are found, named, and told from merely odd ones."""

import numpy as np
import pytest

from osler.core.errors import BadDataset, BadGeometry, BadPixels, Unreadable
from osler.lab.catalog.labels import balance, check_cases, refuse_broken
from osler.lab.catalog.recognize import read_dataset


def test_a_sound_set_has_no_oddities(tmp_path, make):
    dataset = read_dataset(make.paired(tmp_path))
    seen = []
    assert check_cases(dataset, progress=lambda done, total: seen.append((done, total))) == ()
    assert seen[-1] == (6, 6)
    refuse_broken(())


def test_a_truncated_and_a_blank_picture(tmp_path, make):
    make.classes(tmp_path)
    path = tmp_path / "sick" / "sick1.png"
    path.write_bytes(path.read_bytes()[:60])
    make.flat_mask(tmp_path / "normal" / "normal2.png", value=0)
    oddities = check_cases(read_dataset(tmp_path))
    assert [(odd.case, odd.kind, odd.broken) for odd in oddities] == [
        ("normal/normal2", "blank", False),
        ("sick/sick1", "unreadable", True),
    ]
    with pytest.raises(Unreadable, match=r"sick1\.png"):
        refuse_broken(oddities)


def test_nan_in_a_volume(tmp_path, make):
    dataset = read_dataset(make.paired(tmp_path))
    array = np.ones((6, 7, 8), np.float32)
    array[2, 2, 2] = np.nan
    make.volume(tmp_path / "images" / "brain_003.nii.gz", array)
    with pytest.raises(BadPixels, match=r"brain_003\.nii\.gz"):
        refuse_broken(check_cases(dataset))


def test_a_mask_on_another_grid_names_both_files_and_the_distance(tmp_path, make):
    dataset = read_dataset(make.paired(tmp_path))
    make.mask_volume(tmp_path / "labels" / "brain_002.nii.gz", shift=3.0)
    make.volume(tmp_path / "images" / "brain_004.nii.gz", np.ones((6, 7, 9), np.float32) * np.arange(9))
    oddities = check_cases(dataset)
    assert [odd.kind for odd in oddities] == ["geometry", "geometry"]
    assert "5.2 mm apart" in oddities[0].problem  # 3 mm along each of three axes
    assert "8 × 7 × 6" in oddities[1].problem
    assert "9 × 7 × 6" in oddities[1].problem
    with pytest.raises(BadGeometry, match="1 more"):
        refuse_broken(oddities)


def test_an_unknown_label_an_empty_mask_and_only_empty_masks(tmp_path, make):
    dataset = read_dataset(make.paired(tmp_path))
    make.mask_volume(tmp_path / "labels" / "brain_001.nii.gz", (7,))
    make.mask_volume(tmp_path / "labels" / "brain_005.nii.gz", ())
    oddities = check_cases(dataset)
    assert [odd.kind for odd in oddities] == ["label", "empty mask"]
    with pytest.raises(BadDataset, match="label 7"):
        refuse_broken(oddities)
    for n in range(6):
        make.mask_volume(tmp_path / "labels" / f"brain_{n:03d}.nii.gz", ())
    with pytest.raises(BadDataset, match="All 6 masks"):
        refuse_broken(check_cases(dataset))
    with pytest.raises(BadDataset, match="nothing but background"):
        read_dataset(tmp_path)


def test_balance_counts_by_class_and_split(tmp_path, make):
    for split in ("train", "test"):
        make.classes(tmp_path / split, each=3 if split == "train" else 2)
    assert balance(read_dataset(tmp_path)) == {"normal": {"test": 2, "train": 3}, "sick": {"test": 2, "train": 3}}

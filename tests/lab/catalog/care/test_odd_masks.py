"""Planted faults of masks are found among masks as they are drawn, and those are left alone."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from osler.core.errors import Unreadable
from osler.lab.catalog.care.look import Look, look_over
from osler.lab.catalog.care.odd_masks import find_odd_masks
from osler.lab.catalog.dataset import Case, Dataset, Source
from osler.lab.catalog.recognize import read_dataset

_CASES = 40


def _patient(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture with a bright and a dark ball side by side, and the mask of both."""
    random = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(np.arange(16), np.arange(32), np.arange(24), indexing="ij"))
    mask = np.zeros((16, 32, 24), np.uint8)
    for number, row in ((1, 9.0), (2, 20.0)):
        centre = np.array([8.0, row, 12.0]) + random.normal(0, 0.7, 3)
        away = np.sqrt(((grid - centre[:, None, None, None]) ** 2).sum(axis=0))
        mask[away < random.normal(4.5, 0.25)] = number
    picture = 100 + 40.0 * (mask == 1) - 30.0 * (mask == 2) + random.normal(0, 6, mask.shape)
    return picture.astype(np.float32), mask


@pytest.fixture(scope="module")
def drawn() -> list[tuple[np.ndarray, np.ndarray]]:
    return [_patient(seed) for seed in range(_CASES)]


def _written(root: Path, drawn: list[tuple[np.ndarray, np.ndarray]]) -> tuple[Dataset, tuple[Look, ...]]:
    cases = []
    for number, (picture, mask) in enumerate(drawn):
        paths = [root / f"{kind}{number:02d}.nii" for kind in ("picture", "mask")]
        for path, array in zip(paths, (picture, mask), strict=True):
            nibabel.save(nibabel.Nifti1Image(array.transpose(2, 1, 0), np.eye(4)), path)
        cases.append(Case(f"case{number:02d}", f"p{number}", (Source(paths[0]),), Source(paths[1])))
    names = ("background", "front", "back")
    made = Dataset("balls", root, "segmentation", names, ("image",), tuple(cases), "test", label_values=(0, 1, 2))
    return made, look_over(made)


def test_clean_masks_are_left_alone(tmp_path: Path, drawn: list[tuple[np.ndarray, np.ndarray]]) -> None:
    assert find_odd_masks(*_written(tmp_path, drawn)) == ()


def test_planted_faults_are_found(tmp_path: Path, drawn: list[tuple[np.ndarray, np.ndarray]]) -> None:
    faulty = [(picture, mask.copy()) for picture, mask in drawn]
    faulty[3][1][:] = np.array([0, 2, 1], np.uint8)[faulty[3][1]]  # names exchanged
    faulty[9][1][:] = np.roll(faulty[9][1], 6, axis=2)  # moved
    faulty[14][1][:] = 0
    faulty[21][1][faulty[21][1] == 2] = 0
    faulty[30][1][:3, :3, :3] = 1  # a stroke of the brush elsewhere
    found = find_odd_masks(*_written(tmp_path, faulty))
    said = {concern.cases[0]: concern.what for concern in found}
    assert set(said) == {"case03", "case09", "case14", "case21", "case30"}
    assert "exchanged" in said["case03"]
    assert "is empty" in said["case14"]
    assert "has no 'back'" in said["case21"] and "38 of 40" in said["case21"]
    assert "pieces" in said["case30"]
    assert [concern.score for concern in found] == sorted((concern.score for concern in found), reverse=True)


def test_too_few_to_compare(tmp_path: Path, drawn: list[tuple[np.ndarray, np.ndarray]]) -> None:
    (only,) = find_odd_masks(*_written(tmp_path, drawn[:5]))
    assert only.severity == "note" and "only 5" in only.what


def test_broken_masks_and_other_tasks_are_passed_over(
    tmp_path: Path, drawn: list[tuple[np.ndarray, np.ndarray]]
) -> None:
    made, seen = _written(tmp_path, drawn[:14])
    (tmp_path / "mask03.nii").write_bytes(b"nothing")
    assert find_odd_masks(made, seen) == ()
    (tmp_path / "mask04.nii").unlink()
    with pytest.raises(Unreadable):
        from osler.io.open import open_mask

        open_mask(tmp_path / "mask03.nii")
    assert find_odd_masks(made, seen) == ()


def test_flat_masks_work_as_well(tmp_path: Path) -> None:
    from PIL import Image

    cases = []
    for number in range(20):
        picture, mask = _patient(number)
        flat = np.where(mask[8] == 1, 255, 0).astype(np.uint8)
        if number == 6:
            flat = np.roll(flat, 8, axis=1)
        grey = np.clip(picture[8], 0, 255).astype(np.uint8)
        for kind, array in (("picture", np.dstack([grey] * 3)), ("mask", flat)):
            Image.fromarray(array).save(tmp_path / f"{kind}{number:02d}.png")
        pair = [Source(tmp_path / f"{kind}{number:02d}.png") for kind in ("picture", "mask")]
        cases.append(Case(f"case{number:02d}", f"p{number}", (pair[0],), pair[1]))
    names = ("background", "ball")
    made = Dataset(
        "flat", tmp_path, "segmentation", names, ("image",), tuple(cases), "test", label_values=(0, 255)
    )
    assert [concern.cases for concern in find_odd_masks(made, look_over(made))] == [("case06",)]


def test_real_masks_raise_few_alarms(test_data: Path) -> None:
    whole = read_dataset(test_data / "hippocampus")
    some = Dataset(**{field: getattr(whole, field) for field in whole.__slots__} | {"cases": whole.cases[:30]})
    assert len(find_odd_masks(some, look_over(some))) <= 2

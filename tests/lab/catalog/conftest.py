"""Small data sets of every layout, made on the spot."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image


class Make:
    """What the tests of the catalog are made of."""

    @staticmethod
    def picture(path: Path, seed: int = 0, *, size: tuple[int, int] = (12, 16)) -> Path:
        """A noisy grey picture."""
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(seed).integers(0, 255, size, dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        return path

    @staticmethod
    def flat_mask(path: Path, *, value: int = 255, size: tuple[int, int] = (12, 16)) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.zeros(size, np.uint8)
        pixels[3:7, 4:9] = value
        Image.fromarray(pixels).save(path)
        return path

    @staticmethod
    def volume(path: Path, array: np.ndarray | None = None, *, shift: float = 0.0) -> Path:
        """A NIfTI file of 1 mm voxels; `shift` moves it along all axes, in mm."""
        path.parent.mkdir(parents=True, exist_ok=True)
        array = np.random.default_rng(1).normal(size=(6, 7, 8)).astype(np.float32) if array is None else array
        affine = np.eye(4)
        affine[:3, 3] = shift
        nibabel.save(nibabel.Nifti1Image(array, affine), path)
        return path

    def mask_volume(self, path: Path, values: tuple[int, ...] = (1, 2), *, shift: float = 0.0) -> Path:
        array = np.zeros((6, 7, 8), np.uint8)
        for place, value in enumerate(values):
            array[1 + place, 2:4, 2:5] = value
        return self.volume(path, array, shift=shift)

    def classes(self, root: Path, names: tuple[str, ...] = ("normal", "sick"), *, each: int = 4) -> Path:
        """A folder per class with `each` pictures."""
        for name in names:
            for number in range(each):
                self.picture(root / name / f"{name}{number}.png", number)
        return root

    @staticmethod
    def npz(path: Path, labels: np.ndarray, *, shape: tuple[int, ...] = (8, 8)) -> Path:
        """MedMNIST's arrays, the same labels in each split."""
        images = np.random.default_rng(0).integers(0, 255, (len(labels), *shape), dtype=np.uint8)
        arrays = {f"{split}_images": images for split in ("train", "val", "test")}
        arrays |= {f"{split}_labels": labels for split in ("train", "val", "test")}
        np.savez_compressed(path, **arrays)
        return path

    def paired(self, root: Path, *, cases: int = 6, values: tuple[int, ...] = (1, 2)) -> Path:
        for number in range(cases):
            self.volume(root / "images" / f"brain_{number:03d}.nii.gz")
            self.mask_volume(root / "labels" / f"brain_{number:03d}.nii.gz", values)
        return root

    def table(self, root: Path, header: str, row: str, *, rows: int = 8) -> Path:
        """A CSV whose `row` may name {n}; picture n lies at pics/p{n}.png."""
        for n in range(rows):
            self.picture(root / "pics" / f"p{n}.png", n)
        text = "\n".join([header, *(row.format(n=n, odd=n % 2, third=n % 3) for n in range(rows))])
        path = root / "data.csv"
        path.write_text(text + "\n", encoding="utf-8")
        return path


@pytest.fixture
def make() -> Make:
    return Make()

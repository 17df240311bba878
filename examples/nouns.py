"""The nouns: a volume, where it lies in the patient (LPS, mm), a mask on its grid; to a file and back."""

from pathlib import Path

import numpy as np

import osler
from osler.core.geometry import Geometry
from osler.io.nifti import write_mask, write_volume
from osler.io.open import open_mask, open_picture


def main(place: Path) -> osler.Mask:
    """A ball of bone in a box of air, written as NIfTI to `place` and read again."""
    geometry = Geometry.from_spacing((30, 40, 50), (2.0, 1.0, 1.0), origin=(-25, -20, -30))
    index = np.argwhere(np.ones(geometry.shape))  # (voxels, 3): slice, row, column
    away = np.linalg.norm(geometry.to_world(index), axis=1).reshape(geometry.shape)  # mm from L = P = S = 0
    volume = osler.Volume(np.where(away < 10, 700, -1000).astype(np.int16), geometry, unit="HU")
    mask = osler.Mask((away < 10).astype(np.uint8), {1: "bone"}, geometry=geometry)
    write_volume(volume, place / "volume.nii.gz")  # LPS becomes NIfTI's RAS here and nowhere else
    write_mask(mask, place / "mask.nii.gz")

    again = open_picture(place / "volume.nii.gz")
    assert isinstance(again, osler.Volume) and again.geometry.matches(geometry)
    drawn = open_mask(place / "mask.nii.gz", labels={1: "bone"})
    print(f"{drawn.of(1).sum() * geometry.voxel_ml:.2f} ml of bone; a ball of 10 mm has {4 / 3 * np.pi:.2f} ml")
    return drawn


if __name__ == "__main__":
    main(Path("example-nouns"))

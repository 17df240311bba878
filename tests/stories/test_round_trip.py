"""Out and in again: wherever a grid lies, every value stays at its place in the patient.

An asymmetric phantom in all 48 ways that three axes can lie along the patient's, and in random oblique and tilted
frames; uneven spacing along every axis, pixels that are not square.

Of the 48, half are left-handed: rows, columns and slices run as no DICOM series can, because Image Orientation has
only two directions and the stack is sorted along their cross product. Such a volume is written with its slices in
reverse order: the array is turned over, the patient is not mirrored.
"""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.volume import Volume
from osler.io import itk, nifti
from osler.io.convert import Wishes, convert
from osler.io.dicom.segmentation import read_mask
from osler.io.dicom.series import write_volume_series
from osler.io.dicom.structures import read_mask as read_structures_mask
from osler.io.open import open_picture
from osler.results.convert import mask_writers

SHAPE = (4, 5, 6)
SPACING = (3.0, 0.7, 1.1)
ORIENTATIONS = [
    (order, signs) for order in itertools.permutations(range(3)) for signs in itertools.product((1, -1), repeat=3)
]
FILES = {".nii.gz": nifti.write_volume, ".nrrd": itk.write_volume, ".mha": itk.write_volume}


def phantom(affine: np.ndarray) -> Volume:
    """No two voxels alike, so that nothing can be exchanged unseen."""
    array = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE) * 3 - 100
    return Volume(array, Geometry(SHAPE, affine), "HU", Facts(modality="CT"))


def drawn(geometry: Geometry) -> Mask:
    """Two labels without any symmetry."""
    array = np.zeros(SHAPE, np.uint8)
    array[1, 1:4, 2:5] = 1
    array[2, 1, 1], array[2, 1:3, 4] = 2, 1
    array[3, 2, 3] = 2
    return Mask(array, {1: "body", 2: "spot"}, geometry=geometry)


def along_axes(order: tuple[int, ...], signs: tuple[int, ...]) -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3] = 0
    for axis in range(3):
        affine[order[axis], axis] = signs[axis] * SPACING[axis]
    affine[:3, 3] = (-31.25, 17.5, 240.125)
    return affine


def is_right_handed(affine: np.ndarray) -> bool:
    return bool(np.cross(affine[:3, 2], affine[:3, 1]) @ affine[:3, 0] > 0)


def check_same_place(before: Volume | Mask, after: Volume | Mask) -> None:
    """Every voxel of one is a voxel of the other, within a thousandth of a mm, with the same value."""
    assert before.geometry is not None and after.geometry is not None
    assert before.array.size == after.array.size
    index = np.stack(np.meshgrid(*map(np.arange, before.array.shape), indexing="ij"), -1).reshape(-1, 3)
    points = before.geometry.to_world(index)
    found = np.rint(after.geometry.to_index(points)).astype(int)
    assert (found >= 0).all() and (found < after.array.shape).all()
    assert np.linalg.norm(after.geometry.to_world(found) - points, axis=1).max() < 1e-3
    np.testing.assert_array_equal(after.array[tuple(found.T)], before.array[tuple(index.T)])


def check_everywhere(affine: np.ndarray, place: Path) -> None:
    """Through DICOM, NIfTI, NRRD, MetaImage, SEG and RTSTRUCT."""
    volume = phantom(affine)
    written = write_volume_series(volume, place / "series")
    series = open_picture(place / "series")
    assert isinstance(series, Volume)
    check_same_place(volume, series)
    assert written.turned == (not is_right_handed(affine))
    assert is_right_handed(series.geometry.affine)
    for suffix, write in FILES.items():
        write(volume, place / f"volume{suffix}")
        again = open_picture(place / f"volume{suffix}")
        assert isinstance(again, Volume) and again.notes == ()
        assert again.array.dtype == volume.array.dtype
        np.testing.assert_array_equal(again.array, volume.array)
        assert again.geometry.matches(volume.geometry, tolerance_mm=1e-3)
    mask = drawn(volume.geometry)
    nifti.write_mask(mask, place / "mask.nii.gz")
    wishes = Wishes(kind="seg", like=place / "series", labels=mask.labels)
    done = convert(place / "mask.nii.gz", place / "mask.dcm", wishes, mask_writers())
    assert done.difference == 0
    # On the grid it was drawn on, whichever way that runs, and on that of the images.
    back = read_mask(place / "mask.dcm", "", volume.geometry)
    np.testing.assert_array_equal(back.array, mask.array)
    assert back.labels == mask.labels
    check_same_place(mask, read_mask(place / "mask.dcm", "", series.geometry))
    wishes = Wishes(kind="rtstruct", like=place / "series", labels=mask.labels)
    done = convert(place / "mask.nii.gz", place / "outlines.dcm", wishes, mask_writers())
    assert (done.difference, done.corner_mm) == (0, 0)
    back = read_structures_mask(place / "outlines.dcm", "", series.geometry)
    assert back.labels == mask.labels
    check_same_place(mask, back)


def test_there_are_48_and_half_of_them_are_left_handed():
    assert len(ORIENTATIONS) == 48
    assert sum(is_right_handed(along_axes(*one)) for one in ORIENTATIONS) == 24


@pytest.mark.parametrize("order", itertools.permutations(range(3)), ids=str)
def test_every_orientation(tmp_path: Path, order: tuple[int, ...]):
    for n, signs in enumerate(itertools.product((1, -1), repeat=3)):
        check_everywhere(along_axes(order, signs), tmp_path / str(n))


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32 - 1), tilt=st.floats(0, 30), mirrored=st.booleans())
def test_oblique_and_tilted(tmp_path_factory: pytest.TempPathFactory, seed: int, tilt: float, mirrored: bool):
    draw = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(draw.normal(size=(3, 3)))
    spacing = draw.uniform(0.3, 6, 3)
    affine = np.eye(4)
    affine[:3, :3] = turn * spacing
    around = draw.uniform(0, 2 * np.pi)  # the way the gantry leans
    lean = np.cos(around) * turn[:, 1] + np.sin(around) * turn[:, 2]
    affine[:3, 0] += np.tan(np.radians(tilt)) * spacing[0] * lean
    if mirrored == is_right_handed(affine):
        affine[:3, 1] *= -1
    affine[:3, 3] = draw.normal(0, 300, 3)
    check_everywhere(affine, tmp_path_factory.mktemp("frame"))

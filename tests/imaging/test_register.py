"""Rigid registration of volumes that were moved by a known movement."""

import math
from dataclasses import replace

import numpy as np
import pytest

from osler.core.errors import BadGeometry, BadPixels
from osler.core.geometry import Geometry
from osler.core.volume import Volume
from osler.imaging.register import register_rigid, rigid_movement
from osler.imaging.resample import resample_to
from osler.io.open import open_picture
from osler.phantoms.volumes import made_up_patient


def movement(volume: Volume, degrees: tuple[float, float, float], shift: tuple[float, float, float]) -> np.ndarray:
    """Turns about the volume's middle, and a shift; LPS mm."""
    turn = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        one, other = [a for a in range(3) if a != axis]
        step = np.eye(3)
        step[one, one] = step[other, other] = math.cos(angle)
        step[one, other], step[other, one] = -math.sin(angle), math.sin(angle)
        turn = step @ turn
    middle = volume.geometry.to_world((np.array([volume.geometry.shape]) - 1) / 2)[0]
    out = np.eye(4)
    out[:3, :3], out[:3, 3] = turn, middle + np.array(shift) - turn @ middle
    return out


def moved(volume: Volume, matrix: np.ndarray, change=lambda array: array) -> Volume:
    """The patient lies elsewhere on the same table: what was at p is now at matrix x p."""
    seen = Geometry(volume.geometry.shape, np.linalg.inv(matrix) @ volume.geometry.affine)
    array = resample_to(volume.array.astype(np.float32), volume.geometry, seen, fill=float(volume.array.min()))
    noise = np.random.default_rng(1).normal(size=array.shape) * 0.005 * np.ptp(array)
    return volume.with_array((change(array) + noise).astype(np.float32))


def farthest_mm(volume: Volume, one: np.ndarray, other: np.ndarray) -> float:
    """How far both movements bring a corner of the volume apart at most."""
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in volume.geometry.shape])).reshape(3, -1).T
    places = np.c_[volume.geometry.to_world(corners), np.ones(8)]
    return float(np.linalg.norm((places @ one.T - places @ other.T)[:, :3], axis=1).max())


@pytest.fixture(scope="module")
def patient() -> Volume:
    return made_up_patient(3, shape=(32, 44, 40), spacing=(3.0, 2.0, 2.0))[0]


def test_a_known_movement_is_found_within_a_voxel_and_always_the_same(patient):
    true = movement(patient, (5, -8, 10), (8, -6, 9))
    other = moved(patient, true)
    found = rigid_movement(patient, other)
    assert farthest_mm(patient, true, found.matrix) < 2.0
    assert np.allclose(found.matrix[:3, :3] @ found.matrix[:3, :3].T, np.eye(3), atol=1e-6)  # no change of size
    assert found.likeness > 1.5 * found.before and 0.5 < found.overlap < 1 and found.sharpness > 0.4
    assert (register_rigid(patient, other) == found.matrix).all()


def test_another_modality_on_another_grid_is_found(patient):
    true = movement(patient, (-4, 3, 6), (-7, 5, 6))
    other = moved(patient, true, change=lambda array: -np.abs(array + 50))  # fat and organs have other orders
    grid = other.geometry.with_grid((24, 44, 60), (4.0, 2.0, 4 / 3))
    other = Volume(resample_to(other.array, other.geometry, grid), grid, unit="", facts=other.facts)
    assert farthest_mm(patient, true, register_rigid(patient, other)) < 3.0


def test_frames_without_a_common_origin_are_found(patient):
    affine = patient.geometry.affine.copy()
    affine[:3, 3] += (300, -200, 500)
    other = replace(patient, geometry=Geometry(patient.geometry.shape, affine))
    true = np.eye(4)
    true[:3, 3] = (300, -200, 500)
    assert farthest_mm(patient, true, register_rigid(patient, other)) < 0.5


def test_a_volume_on_itself_does_not_move(patient):
    assert (register_rigid(patient, patient) == np.eye(4)).all()


def test_what_has_nothing_in_common_is_refused(patient):
    noise = np.random.default_rng(0).normal(size=patient.array.shape)
    with pytest.raises(BadGeometry, match="could not be laid over each other"):
        register_rigid(patient, patient.with_array(noise))


def test_what_cannot_be_registered_is_refused(patient):
    with pytest.raises(BadPixels, match="one value"):
        register_rigid(patient, patient.with_array(np.zeros(patient.array.shape)))
    thin = Volume(np.random.default_rng(0).normal(size=(4, 20, 20)), Geometry.from_spacing((4, 20, 20), (5, 1, 1)))
    with pytest.raises(BadGeometry, match="too small"):
        register_rigid(thin, patient)


def test_a_real_scan_is_found_again(test_data):
    scan = open_picture(test_data / "sarcoma" / "nifti" / "STS_025" / "PET_image.nii.gz")
    true = movement(scan, (3, -5, 6), (10, -12, 15))
    assert farthest_mm(scan, true, register_rigid(scan, moved(scan, true))) < min(scan.geometry.spacing)

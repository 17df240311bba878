"""Made-up examinations as DICOM, as a hospital would send them."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from osler.core.mask import Mask
from osler.core.volume import Volume
from osler.io.dicom.write import write_series
from osler.phantoms.noise import clouds
from osler.phantoms.volumes import made_up_patient


def write_made_up_study(folder: Path, *, seed: int) -> Path:
    """A CT series of a made-up patient, one file a slice, straight in `folder`.

    The same seed gives the same pixels and UIDs; the right answers are those of `made_up_patient(seed)`.
    Raises AskedWrongly when the folder already holds something, NoRoom when the disk is full.
    """
    folder = Path(folder)
    volume, _ = made_up_patient(seed)
    write_series(volume, folder, patient="Made-up^Patient", seed=seed)
    return folder


def made_up_pet(volume: Volume, mask: Mask, *, seed: int) -> Volume:
    """A PET on the grid of a made-up CT, in SUV: the body 0.5, the organ 2, its lesions 6, give or take a little.

    volume, mask  of `made_up_patient(seed)`
    """
    uptake = np.where(volume.array > -300, 0.5, 0.02)
    uptake[mask.array == 1], uptake[mask.array == 2] = 2.0, 6.0
    grain = clouds(np.random.default_rng([seed, 41]), volume.array.shape, 6)
    array = np.clip(uptake * (1 + 0.03 * grain), 0, None).astype(np.float32)
    return replace(volume, array=array, unit="SUV", facts=replace(volume.facts, modality="PT"))


def write_made_up_pet_ct(folder: Path, *, seed: int) -> Path:
    """A CT and a PET series of one made-up patient in one study: `folder`/ct and `folder`/pet.

    The right answers are those of `made_up_patient(seed)` and `made_up_pet`.
    Raises AskedWrongly when a folder already holds something, NoRoom when the disk is full.
    """
    folder = Path(folder)
    volume, mask = made_up_patient(seed)
    write_series(volume, folder / "ct", seed=seed)
    write_series(made_up_pet(volume, mask, seed=seed), folder / "pet", seed=seed, number=2)
    return folder

"""Made-up data sets, laid out on disk as people lay out real ones."""

from collections.abc import Callable
from pathlib import Path

from osler.core.errors import AskedWrongly
from osler.io import nifti, raster
from osler.io.files import replacing, write_json
from osler.phantoms.radiographs import made_up_radiograph
from osler.phantoms.volumes import LABELS, made_up_patient


def write_segmentation_set(folder: Path, *, patients: int, seed: int) -> Path:
    """Made-up CT volumes with organ and lesions, in the layout of the Medical Segmentation Decathlon.

    Raises AskedWrongly when the folder already holds something, NoRoom when the disk is full.
    """

    def write(root: Path) -> None:
        names = [f"patient_{n:03d}.nii.gz" for n in range(patients)]
        (root / "imagesTr").mkdir(parents=True)
        (root / "labelsTr").mkdir()
        for n, name in enumerate(names):
            volume, mask = made_up_patient(_of(seed, n))
            nifti.write_volume(volume, root / "imagesTr" / name)
            nifti.write_mask(mask, root / "labelsTr" / name)
        write_json(
            root / "dataset.json",
            {
                "name": "Made-up patients",
                "description": "Organ and lesions of patients that nobody has",
                "tensorImageSize": "3D",
                "modality": {"0": "CT"},
                "labels": {"0": "background", **{str(value): name for value, name in LABELS.items()}},
                "numTraining": patients,
                "numTest": 0,
                "training": [{"image": f"./imagesTr/{name}", "label": f"./labelsTr/{name}"} for name in names],
                "test": [],
            },
        )

    return _fill(folder, write)


def write_image_set(
    folder: Path, *, patients: int, classes: tuple[str, str] = ("normal", "opacity"), seed: int, size: int = 128
) -> Path:
    """Made-up radiographs as PNG, a folder for each class; the second class has the opacity.

    Raises AskedWrongly when the folder already holds something, NoRoom when the disk is full.
    """

    def write(root: Path) -> None:
        for n in range(patients):
            image = made_up_radiograph(_of(seed, n), opacity=n % 2 == 1, size=size)
            raster.write_image(image.array, root / classes[n % 2] / f"patient_{n:03d}.png")

    return _fill(folder, write)


def write_volume_classes(
    folder: Path, *, patients: int, classes: tuple[str, str] = ("clear", "lesion"), seed: int
) -> Path:
    """Small made-up CT volumes as NIfTI, a folder for each class; the second class has one or two lesions.

    Raises AskedWrongly when the folder already holds something, NoRoom when the disk is full.
    """

    def write(root: Path) -> None:
        for n in range(patients):
            ill = n % 2
            volume, _ = made_up_patient(
                _of(seed, n), shape=(20, 28, 24), spacing=(5, 3, 3), lesions=ill * (1 + n // 2 % 2)
            )
            nifti.write_volume(volume, root / classes[ill] / f"patient_{n:03d}.nii.gz")

    return _fill(folder, write)


def _of(seed: int, patient: int) -> int:
    """Sets of neighbouring seeds share no patient."""
    return seed * 100_000 + patient


def _fill(folder: Path, write: Callable[[Path], None]) -> Path:
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AskedWrongly(f"{folder.name} already holds something.", remedy="Name a new or empty folder.")
    with replacing(folder) as beside:
        beside.mkdir()
        write(beside)
    return folder

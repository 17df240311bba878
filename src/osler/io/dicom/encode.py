"""What every DICOM file we write has in common: its numbers, its UIDs and its file header."""

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from osler.io.files import replacing

if TYPE_CHECKING:
    from pydicom import Dataset

_NAMESPACE = uuid.UUID("0c1f8f51-2f5d-5f0b-8f0a-6a2f3f0d9e41")
# Whose it is and which study (PS3.3 C.7.1.1, C.7.2.1). Type 2: there, empty where the source does not say.
PATIENT_AND_STUDY = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "StudyID",
    "AccessionNumber",
)
IMPLEMENTATION_CLASS_UID = f"2.25.{uuid.uuid5(_NAMESPACE, 'implementation').int}"


def uid_of(*words: str) -> str:
    """A UID made from words, always the same for the same words (PS3.5 B.2: from a UUID, no registered root)."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, ' '.join(words)).int}"


def new_uid() -> str:
    """A UID that nobody had before (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid4().int}"


def decimal_string(value: float) -> str:
    """A decimal string of at most 16 characters (PS3.5 6.2, DS), as exact as fits.

    >>> decimal_string(1 / 3), decimal_string(-1e-20), decimal_string(2.0)
    ('0.33333333333333', '-1e-20', '2')
    """
    for digits in range(16, 0, -1):
        text = f"{value:.{digits}g}"
        if len(text) <= 16:
            return "0" if float(text) == 0 else text
    return "0"


def save_dataset(dataset: "Dataset", path: Path) -> None:
    """Write `dataset` in explicit little endian with the file header of PS3.10, whole or not at all.

    Raises NoRoom when the disk is full.
    """
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    dataset.file_meta.ImplementationVersionName = "OSLER"
    with replacing(path) as beside:
        dataset.save_as(beside, enforce_file_format=True)

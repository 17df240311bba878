"""Valid DICOM images of made-up patients.

Source of the attributes: DICOM PS3.3 A.2, A.3, A.4 and A.26 (CR, CT, MR and DX image objects).
"""

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly
from osler.core.facts import Facts
from osler.core.image import Image
from osler.core.volume import Volume
from osler.io.dicom.encode import decimal_string, save_dataset
from osler.io.files import replacing

if TYPE_CHECKING:
    from pydicom import Dataset

_KINDS = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "CR": "1.2.840.10008.5.1.4.1.1.1",
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",
}
_NAMESPACE = uuid.UUID("6f1d1c0e-6a0f-5b7e-9d53-0b6c1f3e7a11")
_DAY, _TIME = "20240115", "101500"


def write_series(volume: Volume, folder: Path, *, patient: str = "Made-up^Patient", seed: int = 0) -> list[Path]:
    """Write a CT or MR volume as one file a slice, in the order of the slices; returns their paths.

    patient  the made-up name, DICOM's "Family^Given"
    seed     the same seed gives the same UIDs and the same patient number

    CT is stored in HU; other numbers keep twelve bits of their range and a slope that leads back.
    Raises AskedWrongly for another modality, a grid whose rows and columns are not at right angles, and a folder
    that already holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AskedWrongly(f"{folder.name} already holds something.", remedy="Name a new or empty folder.")
    modality = volume.facts.modality
    if modality not in ("CT", "MR"):
        raise AskedWrongly(f"A series of '{modality}' cannot be written.", remedy="Give a CT or MR volume.")
    spacing = volume.geometry.spacing
    along_column = volume.geometry.affine[:3, 1] / spacing[1]
    along_row = volume.geometry.affine[:3, 2] / spacing[2]
    if abs(along_row @ along_column) > 1e-4:
        raise AskedWrongly("Rows and columns are not at right angles.", remedy="Resample the volume first.")
    stored, slope, intercept = _stored(volume.array, modality)
    step = np.cross(along_row, along_column) @ volume.geometry.affine[:3, 0]
    with replacing(folder) as beside:
        beside.mkdir()
        for n, pixels in enumerate(stored):
            dataset = _common(volume.facts, modality, patient, seed, n)
            position = volume.geometry.affine[:3, 3] + n * volume.geometry.affine[:3, 0]
            dataset.FrameOfReferenceUID = _uid(seed, "frame")
            dataset.PositionReferenceIndicator = ""
            dataset.PatientPosition = "HFS"
            dataset.ImagePositionPatient = [decimal_string(x) for x in position]
            dataset.ImageOrientationPatient = [decimal_string(x) for x in (*along_row, *along_column)]
            dataset.PixelSpacing = [decimal_string(spacing[1]), decimal_string(spacing[2])]
            dataset.SliceThickness = decimal_string(abs(float(step)))
            dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL" if modality == "CT" else "M"]
            if modality == "CT":
                dataset.KVP = "120"
                dataset.RescaleType = "HU"
            else:
                _add_mr(dataset)
            dataset.RescaleSlope, dataset.RescaleIntercept = decimal_string(slope), decimal_string(intercept)
            _add_pixels(dataset, pixels, bits=16 if modality == "CT" else 12)
            save_dataset(dataset, beside / f"{n + 1:04d}.dcm")
    return [folder / f"{n + 1:04d}.dcm" for n in range(len(stored))]


def write_radiograph(image: Image, path: Path, *, patient: str = "Made-up^Patient", seed: int = 0) -> None:
    """Write a grey image as a radiograph: CR where its facts say so, else DX for presentation.

    Raises AskedWrongly for colour and for numbers that are not unsigned integers.
    """
    if image.colour or image.array.dtype not in (np.uint8, np.uint16):
        raise AskedWrongly("A radiograph is grey, uint8 or uint16.", remedy="Convert the image first.")
    modality = "CR" if image.facts.modality == "CR" else "DX"
    dataset = _common(image.facts, modality, patient, seed, 0)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", ""]
    dataset.ViewPosition = image.facts.view
    if image.spacing_mm is not None:
        dataset.PixelSpacing = [decimal_string(x) for x in image.spacing_mm]
        dataset.PixelSpacingCalibrationType = "GEOMETRY"
    if modality == "DX":
        dataset.PresentationIntentType = "FOR PRESENTATION"
        dataset.ImagerPixelSpacing = [decimal_string(x) for x in image.spacing_mm or (1, 1)]
        dataset.PixelIntensityRelationship = "LOG"
        dataset.PixelIntensityRelationshipSign = -1
        dataset.ImageLaterality = "U"
        dataset.PatientOrientation = ["L", "F"]
        dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = "1", "0", "US"
        dataset.PresentationLUTShape = "IDENTITY"
        dataset.LossyImageCompression = "00"
        dataset.BurnedInAnnotation = "NO"
        dataset.DetectorType = "DIRECT"
        dataset.PositionerType = "NONE"
        dataset.AcquisitionContextSequence = []
    bits = image.facts.bits_stored or image.array.dtype.itemsize * 8
    _add_pixels(dataset, image.array, bits=max(bits, int(image.array.max(initial=0)).bit_length()))
    dataset.WindowCenter, dataset.WindowWidth = str(2 ** (bits - 1)), str(2**bits)
    with replacing(path) as beside:
        save_dataset(dataset, beside)


def _stored(array: Array, modality: str) -> tuple[Array, float, float]:
    """(whole numbers, slope, intercept)"""
    if modality == "CT":
        return np.clip(np.rint(array), -32768, 32767).astype(np.int16), 1.0, 0.0
    low, high = float(array.min()), float(array.max())
    if array.dtype.kind in "biu" and low >= 0 and high < 4096:
        return array.astype(np.uint16), 1.0, 0.0
    slope = float(decimal_string((high - low) / 4095 or 1.0))  # as it will be read
    return np.clip(np.rint((array - low) / slope), 0, 4095).astype(np.uint16), slope, low


def _common(facts: Facts, modality: str, patient: str, seed: int, number: int) -> "Dataset":
    """What every image carries: patient, study, series, equipment and who it is."""
    from pydicom import Dataset

    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = _KINDS[modality]
    dataset.SOPInstanceUID = _uid(seed, f"{modality} image {number}")
    dataset.StudyInstanceUID = _uid(seed, "study")
    dataset.SeriesInstanceUID = _uid(seed, f"series {modality}")
    dataset.PatientName = patient
    dataset.PatientID = f"MADE-UP-{seed}"
    dataset.PatientBirthDate = ""
    dataset.PatientSex = facts.sex
    if facts.age_years is not None:
        dataset.PatientAge = f"{int(facts.age_years):03d}Y"
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = _DAY
    dataset.StudyTime = dataset.SeriesTime = dataset.AcquisitionTime = dataset.ContentTime = _TIME
    dataset.StudyID, dataset.AccessionNumber, dataset.ReferringPhysicianName = "1", "", ""
    dataset.StudyDescription = "Made up by Osler: nobody's images"
    dataset.SeriesDescription = facts.description
    dataset.Modality = modality
    dataset.SeriesNumber, dataset.AcquisitionNumber, dataset.InstanceNumber = 1, 1, number + 1
    dataset.BodyPartExamined = facts.body_part
    dataset.Laterality = ""
    dataset.Manufacturer = facts.manufacturer or "Osler phantoms"
    dataset.ManufacturerModelName = facts.device
    dataset.DeviceSerialNumber, dataset.SoftwareVersions = "0", "osler"
    dataset.PatientOrientation = ""
    return dataset


def _add_mr(dataset: "Dataset") -> None:
    dataset.ScanningSequence, dataset.SequenceVariant, dataset.ScanOptions = "SE", "NONE", ""
    dataset.MRAcquisitionType, dataset.EchoTrainLength = "2D", 1
    dataset.RepetitionTime, dataset.EchoTime = "500", "10"


def _add_pixels(dataset: "Dataset", pixels: Array, *, bits: int) -> None:
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated = pixels.dtype.itemsize * 8
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    raw = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    dataset.PixelData = raw + b"\0" * (len(raw) % 2)
    dataset["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"


def _uid(seed: int, what: str) -> str:
    """A UID made from a UUID (PS3.5 B.2), so that no registered root is needed."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, f'made-up {seed} {what}').int}"

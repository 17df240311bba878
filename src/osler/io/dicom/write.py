"""Valid DICOM images of made-up patients.

Source of the attributes: DICOM PS3.3 A.2, A.3, A.4, A.21 and A.26 (CR, CT, MR, PET and DX image objects), A.36.2
and A.38.1 (enhanced MR and CT), C.8.9 (PET). The objects pass dciodvfy without errors.
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
    "PT": "1.2.840.10008.5.1.4.1.1.128",
    "CR": "1.2.840.10008.5.1.4.1.1.1",
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",
}
_ENHANCED = {"CT": "1.2.840.10008.5.1.4.1.1.2.1", "MR": "1.2.840.10008.5.1.4.1.1.4.1"}
_REGIONS = {  # body part -> SNOMED code of the region (PS3.16 CID 4031)
    "ABDOMEN": ("818983003", "Abdomen"),
    "CHEST": ("51185008", "Chest"),
    "HAND": ("85562004", "Hand"),
    "KNEE": ("72696002", "Knee"),
    "PELVIS": ("816092008", "Pelvis"),
    "SKULL": ("89546000", "Skull"),
}
_NAMESPACE = uuid.UUID("6f1d1c0e-6a0f-5b7e-9d53-0b6c1f3e7a11")
_DAY, _TIME, _INJECTED = "20240115", "101500", "091500"
_WEIGHT_KG, _SIZE_M, _DOSE_BQ, _HALF_LIFE_S = 70.0, 1.75, 370e6, 6586.2  # fluorine-18
# Bq/ml for one SUV of this made-up patient: the dose of one hour later, over the weight in grams.
BQML_PER_SUV = _DOSE_BQ * 2 ** (-3600 / _HALF_LIFE_S) / (_WEIGHT_KG * 1000)


def write_series(
    volume: Volume, folder: Path, *, patient: str = "Made-up^Patient", seed: int = 0, number: int = 1
) -> list[Path]:
    """Write a CT, MR or PET volume as one file a slice, in the order of the slices; returns their paths.

    patient  the made-up name, DICOM's "Family^Given"
    seed     the same seed gives the same UIDs and the same patient number; series of one seed are one study
    number   Series Number; another one makes another series of the same kind in the study

    CT is stored in HU. MR keeps twelve bits of its range and a slope that leads back. PET is stored in Bq/ml,
    sixteen bits and a slope for each slice; SUV is turned into Bq/ml of a patient of 70 kg who got 370 MBq of
    fluorine-18 an hour before the scan. Slices may be tilted against the stack: each lies where the affine says.

    Raises AskedWrongly for another modality, a grid whose rows and columns are not at right angles, and a folder
    that already holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AskedWrongly(f"{folder.name} already holds something.", remedy="Name a new or empty folder.")
    modality = volume.facts.modality
    if modality not in ("CT", "MR", "PT"):
        raise AskedWrongly(f"A series of '{modality}' cannot be written.", remedy="Give a CT, MR or PET volume.")
    along_row, along_column = _directions(volume)
    spacing = volume.geometry.spacing
    stored, slopes, intercept = _stored(volume.array, modality, volume.unit)
    with replacing(folder) as beside:
        beside.mkdir()
        for n, pixels in enumerate(stored):
            dataset = _common(volume.facts, modality, patient, seed, n, number)
            position = volume.geometry.affine[:3, 3] + n * volume.geometry.affine[:3, 0]
            dataset.FrameOfReferenceUID = _uid(seed, "frame")
            dataset.PositionReferenceIndicator = ""
            dataset.ImagePositionPatient = [decimal_string(x) for x in position]
            dataset.ImageOrientationPatient = [decimal_string(x) for x in (*along_row, *along_column)]
            dataset.PixelSpacing = [decimal_string(spacing[1]), decimal_string(spacing[2])]
            dataset.SliceThickness = decimal_string(_thickness(volume))
            if modality != "PT":  # PET says it in codes
                dataset.PatientPosition = "HFS"
            if modality == "CT":
                dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
                dataset.KVP = "120"
                dataset.RescaleType = "HU"
            elif modality == "MR":
                _add_mr(dataset)
            else:
                _add_pet(dataset, n, len(stored))
            dataset.RescaleSlope = decimal_string(slopes[n])
            dataset.RescaleIntercept = decimal_string(intercept)
            _add_pixels(dataset, pixels, bits=12 if modality == "MR" else 16)
            save_dataset(dataset, beside / f"{n + 1:04d}.dcm")
    return [folder / f"{n + 1:04d}.dcm" for n in range(len(stored))]


def write_multiframe(
    volume: Volume, path: Path, *, patient: str = "Made-up^Patient", seed: int = 0, number: int = 1
) -> None:
    """Write a CT or MR volume as one enhanced file, a frame for each slice; arguments as for `write_series`.

    Where each frame lies, its spacing and its slope stand in functional groups (PS3.3 C.7.6.16).
    Raises AskedWrongly for another modality and a grid whose rows and columns are not at right angles.
    """
    from pydicom import Dataset

    modality = volume.facts.modality
    if modality not in _ENHANCED:
        raise AskedWrongly(f"'{modality}' cannot be written as one file.", remedy="Give a CT or MR volume.")
    stored, slopes, intercept = _stored(volume.array, modality, volume.unit)
    dataset = _common(volume.facts, modality, patient, seed, 0, number)
    dataset.SOPClassUID = _ENHANCED[modality]
    dataset.SOPInstanceUID = _uid(seed, f"{modality} enhanced {number}")
    dataset.SeriesInstanceUID = _uid(seed, f"series {modality} enhanced {number}")
    dataset.FrameOfReferenceUID = _uid(seed, "frame")
    dataset.PositionReferenceIndicator = ""
    dataset.ManufacturerModelName = volume.facts.device or "Phantom"
    _add_enhanced(dataset, modality)

    dataset.SharedFunctionalGroupsSequence = [_shared_groups(dataset, volume, slopes[0], intercept, seed)]
    frames = []
    for n in range(len(stored)):
        frame = Dataset()
        position = volume.geometry.affine[:3, 3] + n * volume.geometry.affine[:3, 0]
        frame.PlanePositionSequence = [_item(ImagePositionPatient=[decimal_string(x) for x in position])]
        frame.FrameContentSequence = [
            _item(StackID="1", InStackPositionNumber=n + 1, DimensionIndexValues=[1, n + 1])
        ]
        frames.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = frames
    dataset.NumberOfFrames = len(frames)
    dataset.DimensionOrganizationSequence = [_item(DimensionOrganizationUID=_uid(seed, "dimensions"))]
    # Stack ID, then the place in the stack; both stand in Frame Content.
    dataset.DimensionIndexSequence = [
        _item(
            DimensionOrganizationUID=_uid(seed, "dimensions"),
            DimensionIndexPointer=pointer,
            FunctionalGroupPointer=0x00209111,
        )
        for pointer in (0x00209056, 0x00209057)
    ]
    _add_pixels(dataset, stored, bits=16 if modality == "CT" else 12)
    with replacing(path) as beside:
        save_dataset(dataset, beside)


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
        dataset.PixelSpacingCalibrationDescription = "as the phantom was made"
    if modality == "DX":
        dataset.PresentationIntentType = "FOR PRESENTATION"
        dataset.ImagerPixelSpacing = [decimal_string(x) for x in image.spacing_mm or (1, 1)]
        dataset.PixelIntensityRelationship = "LOG"
        dataset.PixelIntensityRelationshipSign = -1
        dataset.ImageLaterality = image.facts.laterality or "U"
        dataset.AnatomicRegionSequence = _region(image.facts.body_part)
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


def _directions(volume: Volume) -> tuple[Array, Array]:
    """Unit vectors (3,): where the column index and where the row index grows."""
    spacing = volume.geometry.spacing
    along_column = volume.geometry.affine[:3, 1] / spacing[1]
    along_row = volume.geometry.affine[:3, 2] / spacing[2]
    if abs(along_row @ along_column) > 1e-4:
        raise AskedWrongly("Rows and columns are not at right angles.", remedy="Resample the volume first.")
    return along_row, along_column


def _thickness(volume: Volume) -> float:
    """mm between the planes of two neighbours, also where the stack is tilted."""
    along_row, along_column = _directions(volume)
    return abs(float(np.cross(along_row, along_column) @ volume.geometry.affine[:3, 0]))


def _stored(array: Array, modality: str, unit: str) -> tuple[Array, list[float], float]:
    """(whole numbers, a slope for each slice, intercept)"""
    count = len(array)
    if modality == "CT":
        return np.clip(np.rint(array), -32768, 32767).astype(np.int16), [1.0] * count, 0.0
    if modality == "PT":
        activity = np.asarray(array, np.float64) * (BQML_PER_SUV if unit == "SUV" else 1.0)
        most = np.abs(activity).reshape(count, -1).max(axis=1)
        slopes = [float(decimal_string(one / 32767 or 1.0)) for one in most]  # as it will be read
        stored = np.clip(np.rint(activity / np.reshape(slopes, (-1, 1, 1))), -32768, 32767)
        return stored.astype(np.int16), slopes, 0.0
    low, high = float(array.min()), float(array.max())
    if array.dtype.kind in "biu" and low >= 0 and high < 4096:
        return array.astype(np.uint16), [1.0] * count, 0.0
    slope = float(decimal_string((high - low) / 4095 or 1.0))
    return np.clip(np.rint((array - low) / slope), 0, 4095).astype(np.uint16), [slope] * count, low


def _common(facts: Facts, modality: str, patient: str, seed: int, instance: int, series: int = 1) -> "Dataset":
    """What every image carries: patient, study, series, equipment and who it is."""
    from pydicom import Dataset

    again = f" of series {series}" if series > 1 else ""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = _KINDS[modality]
    dataset.SOPInstanceUID = _uid(seed, f"{modality} image {instance}{again}")
    dataset.StudyInstanceUID = _uid(seed, "study")
    dataset.SeriesInstanceUID = _uid(seed, f"series {modality}{again}")
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
    dataset.SeriesNumber, dataset.AcquisitionNumber, dataset.InstanceNumber = series, 1, instance + 1
    dataset.BodyPartExamined = facts.body_part
    if facts.laterality and modality != "DX":  # DX says it for the image, not for the series
        dataset.Laterality = facts.laterality
    dataset.Manufacturer = facts.manufacturer or "Osler phantoms"
    dataset.ManufacturerModelName = facts.device
    dataset.DeviceSerialNumber, dataset.SoftwareVersions = "0", "osler"
    dataset.PatientOrientation = ""
    return dataset


def _add_mr(dataset: "Dataset") -> None:
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    dataset.ScanningSequence, dataset.SequenceVariant, dataset.ScanOptions = "SE", "NONE", ""
    dataset.MRAcquisitionType, dataset.EchoTrainLength = "2D", 1
    dataset.RepetitionTime, dataset.EchoTime = "500", "10"


def _add_pet(dataset: "Dataset", instance: int, count: int) -> None:
    """All that a SUV takes, and what PS3.3 C.8.9 asks for besides."""
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.PatientWeight, dataset.PatientSize = decimal_string(_WEIGHT_KG), decimal_string(_SIZE_M)
    dataset.Units, dataset.CountsSource, dataset.SeriesType = "BQML", "EMISSION", ["WHOLE BODY", "IMAGE"]
    dataset.NumberOfSlices, dataset.ImageIndex = count, instance + 1
    dataset.CorrectedImage = ["DECY", "ATTN", "SCAT", "DTIM", "NORM", "RAN"]
    dataset.DecayCorrection, dataset.CollimatorType = "START", "NONE"
    dataset.RandomsCorrectionMethod, dataset.AttenuationCorrectionMethod = "DLYD", "measured"
    dataset.ScatterCorrectionMethod, dataset.ReconstructionMethod = "made up", "made up"
    dataset.FrameReferenceTime, dataset.ActualFrameDuration = "90000", "180000"
    dataset.DecayFactor = decimal_string(2 ** (90 / _HALF_LIFE_S))
    medicine = _item(
        Radiopharmaceutical="Fluorodeoxyglucose F^18^",
        RadiopharmaceuticalCodeSequence=[_coded("35321007", "SCT", "Fluorodeoxyglucose F^18^")],
        RadionuclideCodeSequence=[_coded("77004003", "SCT", "^18^Fluorine")],
        RadionuclideTotalDose=decimal_string(_DOSE_BQ),
        RadionuclideHalfLife=decimal_string(_HALF_LIFE_S),
        RadionuclidePositronFraction="0.97",
        RadiopharmaceuticalStartTime=_INJECTED,
        RadiopharmaceuticalStartDateTime=_DAY + _INJECTED,
    )
    dataset.RadiopharmaceuticalInformationSequence = [medicine]
    dataset.PatientOrientationCodeSequence = [_coded("102538003", "SCT", "recumbent")]
    supine = _coded("40199007", "SCT", "supine")
    dataset.PatientOrientationCodeSequence[0].PatientOrientationModifierCodeSequence = [supine]
    dataset.PatientGantryRelationshipCodeSequence = [_coded("102540008", "SCT", "headfirst")]


_FRAME_TYPE = (  # said for the whole object and again for its frames
    "PixelPresentation",
    "VolumetricProperties",
    "VolumeBasedCalculationTechnique",
    "ComplexImageComponent",
    "AcquisitionContrast",
)


def _add_enhanced(dataset: "Dataset", modality: str) -> None:
    dataset.ImageType = ["DERIVED", "PRIMARY", "VOLUME", "NONE"]
    dataset.PixelPresentation, dataset.VolumetricProperties = "MONOCHROME", "VOLUME"
    dataset.VolumeBasedCalculationTechnique = "NONE"
    dataset.PatientPosition, dataset.AcquisitionDateTime = "HFS", _DAY + _TIME
    for keyword in ("AcquisitionDate", "AcquisitionTime", "PatientOrientation"):
        del dataset[keyword]  # of one slice a file
    dataset.AcquisitionContextSequence = []
    dataset.PresentationLUTShape, dataset.BurnedInAnnotation = "IDENTITY", "NO"
    dataset.LossyImageCompression = "00"
    if modality == "MR":
        dataset.ComplexImageComponent, dataset.AcquisitionContrast = "MAGNITUDE", "T1"
        dataset.ContentQualification, dataset.MagneticFieldStrength = "PRODUCT", "1.5"
        dataset.ResonantNucleus, dataset.KSpaceFiltering, dataset.ApplicableSafetyStandardAgency = (
            "1H",
            "NONE",
            "IEC",
        )
    else:
        dataset.ContentQualification = "PRODUCT"


def _shared_groups(dataset: "Dataset", volume: Volume, slope: float, intercept: float, seed: int) -> "Dataset":
    """What all frames of an enhanced object have in common (PS3.3 C.7.6.16, C.8.13 and C.8.15)."""
    from pydicom import Dataset

    modality = volume.facts.modality
    along_row, along_column = _directions(volume)
    spacing = volume.geometry.spacing
    shared = Dataset()
    shared.PlaneOrientationSequence = [
        _item(ImageOrientationPatient=[decimal_string(x) for x in (*along_row, *along_column)])
    ]
    shared.PixelMeasuresSequence = [
        _item(
            PixelSpacing=[decimal_string(spacing[1]), decimal_string(spacing[2])],
            SliceThickness=decimal_string(_thickness(volume)),
        )
    ]
    shared.PixelValueTransformationSequence = [
        _item(
            RescaleSlope=decimal_string(slope),
            RescaleIntercept=decimal_string(intercept),
            RescaleType="HU" if modality == "CT" else "US",
        )
    ]
    seen = (40.0, 400.0) if modality == "CT" else (float(volume.array.mean()), float(np.ptp(volume.array)) or 1.0)
    shared.FrameVOILUTSequence = [_item(WindowCenter=decimal_string(seen[0]), WindowWidth=decimal_string(seen[1]))]
    region = _region(volume.facts.body_part) or [_coded("123037004", "SCT", "Anatomical structure")]
    shared.FrameAnatomySequence = [_item(FrameLaterality="U", AnatomicRegionSequence=region)]
    frame_type = _item(**{key: dataset[key].value for key in _FRAME_TYPE if key in dataset})
    frame_type.FrameType = list(dataset.ImageType)
    setattr(shared, f"{modality}ImageFrameTypeSequence", [frame_type])
    if modality == "CT":
        shared.IrradiationEventIdentificationSequence = [_item(IrradiationEventUID=_uid(seed, "irradiation"))]
    return shared


def _region(body_part: str) -> "list[Dataset]":
    code, meaning = _REGIONS.get(body_part, ("", ""))
    return [_coded(code, "SCT", meaning)] if code else []


def _coded(value: str, scheme: str, meaning: str) -> "Dataset":
    return _item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def _item(**attributes: object) -> "Dataset":
    from pydicom import Dataset

    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item


def _add_pixels(dataset: "Dataset", pixels: Array, *, bits: int) -> None:
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.BitsAllocated = pixels.dtype.itemsize * 8
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    raw = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    dataset.PixelData = raw + b"\0" * (len(raw) % 2)
    dataset["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"


def _uid(seed: int, what: str) -> str:
    """A UID made from a UUID (PS3.5 B.2), so that no registered root is needed."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, f'made-up {seed} {what}').int}"

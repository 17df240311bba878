"""Writing any volume as a DICOM series: one file a slice, in the study of another series or in one of its own.

Sources: DICOM PS3.3 A.3 (CT), A.4 (MR), A.21 (PET); C.7.6.2 (image plane), C.8.2.1 (CT image), C.8.3.1 (MR image),
C.8.9 (PET series, isotope and image). The objects pass dciodvfy without errors.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, BadPixels
from osler.core.geometry import Geometry
from osler.core.version import SOFTWARE
from osler.core.volume import Volume
from osler.io.dicom.encode import PATIENT_AND_STUDY, decimal_string, new_uid, save_dataset
from osler.io.dicom.parse import number, sequence, text
from osler.io.files import replacing

if TYPE_CHECKING:
    from pydicom import Dataset

_CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "PT": "1.2.840.10008.5.1.4.1.1.128",
}
# How PET says what its numbers are (PS3.3 C.8.9.1): Units, and SUV Type for one of them.
_ACTIVITY = {
    **dict.fromkeys(("SUV", "SUVBW", "G/ML", "GML"), "GML"),
    **dict.fromkeys(("BQ/ML", "BQML"), "BQML"),
}
_SQUARE = 1e-4  # cosine; rows and columns must be at right angles to be told by two directions
_WHERE_SAID = (
    "SpecificCharacterSet",
    "TimezoneOffsetFromUTC",
    "IssuerOfPatientID",
    "OtherPatientIDsSequence",
    "StudyDescription",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "BodyPartExamined",
    "Laterality",
)
_UNPAIRED = (
    "ABDOMEN",
    "BLADDER",
    "BRAIN",
    "CHEST",
    "CSPINE",
    "HEAD",
    "HEART",
    "LIVER",
    "LSPINE",
    "NECK",
    "PELVIS",
    "PROSTATE",
    "SKULL",
    "SPINE",
    "TSPINE",
    "WHOLEBODY",
)
# What the device did; true of the copy only where it is of the same modality.
_OF_THE_SCAN = {
    "CT": ("KVP", "ConvolutionKernel", "PatientPosition", "ContrastBolusAgent", "GantryDetectorTilt"),
    "MR": (
        "ScanningSequence",
        "SequenceVariant",
        "ScanOptions",
        "MRAcquisitionType",
        "RepetitionTime",
        "EchoTime",
        "EchoTrainLength",
        "MagneticFieldStrength",
        "FlipAngle",
        "PatientPosition",
    ),
    "PT": (
        "SeriesDate",
        "SeriesTime",
        "AcquisitionDate",
        "AcquisitionTime",
        "CorrectedImage",
        "DecayCorrection",
        "RandomsCorrectionMethod",
        "AttenuationCorrectionMethod",
        "ScatterCorrectionMethod",
        "ReconstructionMethod",
        "CollimatorType",
        "CountsSource",
        "SeriesType",
        "FrameReferenceTime",
        "ActualFrameDuration",
        "DecayFactor",
        "RadiopharmaceuticalInformationSequence",
        "PatientOrientationCodeSequence",
        "PatientGantryRelationshipCodeSequence",
    ),
}


@dataclass(frozen=True, slots=True)
class WrittenSeries:
    """What was written.

    paths       a file for each slice, in the order along the normal of the slices
    modality    CT, MR or PT
    unit        of the values as they will be read: "HU", "SUV", "Bq/ml" or ""
    step        between two values that can be stored; 0 where every value is stored as it is. A value that is read
                back lies within half a step of what was written
    turned      the slices stand in the reverse order of the volume's, because DICOM stacks right-handed: the array
                is turned over, the patient is not
    tilt_deg    between the stack and the normal of its slices, 0 for an upright gantry
    """

    paths: tuple[Path, ...]
    modality: str
    unit: str
    step: float
    turned: bool
    tilt_deg: float


def write_volume_series(
    volume: Volume,
    folder: Path,
    *,
    like: "Dataset | None" = None,
    modality: str = "",
    description: str = "",
) -> WrittenSeries:
    """Write `volume` as a CT, MR or PET series, one file a slice.

    like         the header of an image of the study it belongs to: patient, study and frame of reference are
                 copied, the series is new. None: nobody's, in a study of its own
    modality     of the series; "" takes the volume's, else that of `like`
    description  Series Description

    Whole numbers that span no more than 16 bits come back exactly, and values that such numbers and a slope once
    gave to the rounding of single precision; others within half a step
    (`WrittenSeries.step`). CT holds HU, PET "SUV" (as GML, SUV Type BW) or "Bq/ml" (as BQML): the volume's unit
    must say which. A tilted stack is written with its tilt: each slice lies where the affine says. A left-handed
    grid gets its slices in reverse order, so that the patient is not mirrored.

    Raises AskedWrongly for another modality, PET without a unit, a grid whose rows and columns are not at right
    angles and a folder that already holds something; BadPixels for NaN; NoRoom when the disk is full.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AskedWrongly(f"{folder.name} already holds something.", remedy="Name a new or empty folder.")
    modality = (modality or volume.facts.modality or (text(like, "Modality") if like is not None else "")).upper()
    if modality not in _CLASSES:
        raise AskedWrongly(
            f"A volume of {modality or 'unknown modality'} cannot be written as a DICOM series.",
            remedy="Say which it is: CT, MR or PT.",
        )
    unit = _unit(volume.unit, modality)
    volume, turned = _right_handed(volume)
    along_row, along_column = _directions(volume.geometry)
    stored, slope, intercept, step = _stored(volume.array, modality)
    first = _header(volume, modality, unit, like, description)
    spacing = volume.geometry.spacing
    normal = np.cross(along_row, along_column)
    rise = float(normal @ volume.geometry.affine[:3, 0])
    with replacing(folder) as beside:
        beside.mkdir()
        for n, pixels in enumerate(stored):
            dataset = first.copy()
            dataset.SOPInstanceUID = new_uid()
            dataset.InstanceNumber = n + 1
            position = volume.geometry.affine[:3, 3] + n * volume.geometry.affine[:3, 0]
            dataset.ImagePositionPatient = [decimal_string(x) for x in position]
            dataset.ImageOrientationPatient = [decimal_string(x) for x in (*along_row, *along_column)]
            dataset.PixelSpacing = [decimal_string(spacing[1]), decimal_string(spacing[2])]
            dataset.SliceThickness = decimal_string(rise)
            dataset.RescaleSlope, dataset.RescaleIntercept = decimal_string(slope), decimal_string(intercept)
            if modality == "PT":
                dataset.NumberOfSlices, dataset.ImageIndex = len(stored), n + 1
            _add_pixels(dataset, pixels)
            save_dataset(dataset, beside / _file_name(n))
    tilt = float(np.degrees(np.arccos(np.clip(rise / spacing[0], -1, 1))))
    paths = tuple(folder / _file_name(n) for n in range(len(stored)))
    return WrittenSeries(paths, modality, unit, step, turned, tilt if tilt > 1e-3 else 0.0)


def _file_name(n: int) -> str:
    return f"{n + 1:05d}.dcm"


def _unit(unit: str, modality: str) -> str:
    """What the values are as the header will say; CT without a unit is in HU, as everybody means it."""
    if modality == "CT":
        if unit not in ("HU", ""):
            raise AskedWrongly(f"A CT series holds HU, not {unit}.", remedy="Convert the values to HU first.")
        return "HU"
    if modality == "PT":
        known = _ACTIVITY.get(unit.upper())
        if known is None:
            raise AskedWrongly(
                f"A PET series must say what its numbers are, and this volume does not ({unit or 'no unit'}).",
                remedy="Say whether they are SUV (by body weight) or Bq/ml.",
            )
        return "SUV" if known == "GML" else "Bq/ml"
    return ""


def _right_handed(volume: Volume) -> tuple[Volume, bool]:
    """The same patient with slices that rise along row x column, and whether they had to be turned over."""
    affine = volume.geometry.affine
    if np.cross(affine[:3, 2], affine[:3, 1]) @ affine[:3, 0] > 0:
        return volume, False
    turned = affine.copy()
    turned[:3, 3] = affine[:3, 3] + (volume.geometry.shape[0] - 1) * affine[:3, 0]
    turned[:3, 0] = -affine[:3, 0]
    geometry = Geometry(volume.geometry.shape, turned)
    return replace(volume, array=volume.array[::-1], geometry=geometry, origins=volume.origins[::-1]), True


def _directions(geometry: Geometry) -> tuple[Array, Array]:
    """Unit vectors (3,): where the column index and where the row index grows."""
    _, rows, columns = geometry.spacing
    along_column, along_row = geometry.affine[:3, 1] / rows, geometry.affine[:3, 2] / columns
    if abs(along_row @ along_column) > _SQUARE:
        raise AskedWrongly(
            "Rows and columns of this volume are not at right angles, and DICOM has no words for that.",
            remedy="Resample it onto an upright grid first.",
        )
    # What is left of the angle is rounding of the file it came from.
    along_column = along_column - (along_column @ along_row) * along_row
    return along_row, along_column / np.linalg.norm(along_column)


def _stored(array: Array, modality: str) -> tuple[Array, float, float, float]:
    """(int16 or uint16, slope, intercept, step)"""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise BadPixels("The volume holds NaN or infinity, which DICOM cannot.", remedy="Replace them by numbers.")
    low, high = float(array.min()), float(array.max())
    whole = array.dtype.kind in "biu" or bool((array == np.rint(array)).all())
    if whole and low >= -32768 and high <= 32767:
        return array.astype(np.int16), 1.0, 0.0, 0.0
    if whole and low >= 0 and high <= 65535:
        return array.astype(np.uint16), 1.0, 0.0, 0.0
    if modality == "PT":  # the intercept of PET is 0 (C.8.9.4.1.3)
        slope = _not_below(max(abs(low) / 32768, high / 32767) if low < 0 else high / 65535)
        kind = np.int16 if low < 0 else np.uint16
        return _quantized(array, slope, 0.0, kind), slope, 0.0, slope
    if whole and high - low <= 65535:
        return (array - np.asarray(low).astype(array.dtype)).astype(np.uint16), 1.0, low, 0.0
    ladder = _ladder(array, low, high)
    if ladder is not None:
        return _quantized(array, ladder, float(decimal_string(low)), np.uint16), ladder, low, 0.0
    slope, intercept = _not_below((high - low) / 65535 or 1.0), float(decimal_string(low))
    return _quantized(array, slope, intercept, np.uint16), slope, intercept, slope


def _ladder(array: Array, low: float, high: float) -> float | None:
    """The slope by which these values once came from whole numbers of 16 bits, None where they did not.

    Such values stand on rungs of equal height above the lowest one, but for the rounding of single precision.
    """
    rounding = max(abs(low), abs(high)) * 2.0**-22
    sample = array.reshape(-1)[:: max(1, array.size // 100_000)].astype(np.float64)
    above = np.unique(sample) - low
    heights = np.diff(above)
    heights = heights[heights > 2 * rounding]
    # Rungs not much higher than the rounding would hold any value.
    if not heights.size or heights.min() < 8 * rounding or (high - low) / heights.min() > 65535:
        return None
    slope, reach = float(heights.min()), float(heights.min())
    while True:  # a little further each time, so that the slope's own error never grows to half a rung
        reach = min(4 * reach, high - low)
        near = above[above <= reach]
        rungs = np.rint(near / slope)
        if rungs.any():
            slope = float(near @ rungs / (rungs @ rungs))
        if reach == high - low:
            break
    slope = float(decimal_string(slope))
    for plane in array:
        rungs = np.rint((plane.astype(np.float64) - low) / slope)
        if rungs.max() > 65535 or np.abs(low + rungs * slope - plane).max() > rounding:
            return None
    return slope


def _not_below(slope: float) -> float:
    """`slope` as a decimal string will say it, and never less, so that the largest value still fits."""
    said = float(decimal_string(slope))
    return said if said >= slope else float(decimal_string(slope * (1 + 1e-9)))


def _quantized(array: Array, slope: float, intercept: float, kind: type[np.int16] | type[np.uint16]) -> Array:
    limits = np.iinfo(kind)
    out = np.empty(array.shape, kind)
    for n, plane in enumerate(array):  # a slice at a time: in double the whole would be four times as large
        out[n] = np.clip(np.rint((plane.astype(np.float64) - intercept) / slope), limits.min, limits.max)
    return out


def _header(volume: Volume, modality: str, unit: str, like: "Dataset | None", description: str) -> "Dataset":
    """What every slice carries."""
    from pydicom import Dataset

    dataset = Dataset()
    now = datetime.now()
    day, clock = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    dataset.SpecificCharacterSet = "ISO_IR 192"
    for keyword in (*_WHERE_SAID, *PATIENT_AND_STUDY):
        if like is not None and keyword in like:
            dataset[keyword] = like[keyword]
        elif keyword in PATIENT_AND_STUDY:
            setattr(dataset, keyword, "")
    said = text(like, "StudyInstanceUID") if like is not None else ""
    frame = text(like, "FrameOfReferenceUID") if like is not None else ""
    dataset.StudyInstanceUID = said or new_uid()
    dataset.FrameOfReferenceUID = frame or new_uid()
    dataset.PositionReferenceIndicator = ""
    if not text(dataset, "PatientSex") and volume.facts.sex:
        dataset.PatientSex = volume.facts.sex
    if "BodyPartExamined" not in dataset and volume.facts.body_part:
        dataset.BodyPartExamined = volume.facts.body_part[:16]
    dataset.SOPClassUID = _CLASSES[modality]
    dataset.SeriesInstanceUID = new_uid()
    dataset.Modality = modality
    dataset.SeriesNumber = 8000  # behind the images, before the results
    dataset.SeriesDescription = (description or "Converted by Osler")[:64]
    dataset.SeriesDate, dataset.SeriesTime = day, clock
    dataset.AcquisitionDate, dataset.AcquisitionTime = "", ""
    dataset.ContentDate, dataset.ContentTime = day, clock
    dataset.InstanceCreationDate, dataset.InstanceCreationTime = day, clock
    dataset.AcquisitionNumber = ""
    dataset.Manufacturer, dataset.ManufacturerModelName = "Osler", "Osler"
    dataset.DeviceSerialNumber, dataset.SoftwareVersions = "0", SOFTWARE
    dataset.DerivationDescription = "Converted from a volume; no value was made up."
    same = like is not None and text(like, "Modality").upper() == modality
    {"CT": _add_ct, "MR": _add_mr, "PT": _add_pet}[modality](dataset)
    if same and like is not None:
        for keyword in _OF_THE_SCAN[modality]:
            if keyword in like:
                dataset[keyword] = like[keyword]
    if modality == "PT":
        _say_unit(dataset, unit)
        _add_decay_factor(dataset)
    if text(dataset, "BodyPartExamined").upper() not in _UNPAIRED and "Laterality" not in dataset:
        dataset.Laterality = ""  # it may be one of a pair; which one nobody says
    return dataset


def _add_ct(dataset: "Dataset") -> None:
    dataset.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    dataset.KVP, dataset.PatientPosition = "", ""
    dataset.RescaleType = "HU"


def _add_mr(dataset: "Dataset") -> None:
    dataset.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    # Research mode is the one word of the table that claims nothing of how the picture was made.
    dataset.ScanningSequence, dataset.SequenceVariant, dataset.ScanOptions = "RM", "NONE", ""
    dataset.MRAcquisitionType, dataset.EchoTime, dataset.EchoTrainLength = "", "", ""
    dataset.RepetitionTime, dataset.PatientPosition = "", ""


def _add_pet(dataset: "Dataset") -> None:
    dataset.ImageType = ["DERIVED", "PRIMARY"]  # the second word may be no other (C.8.9.4.1.1)
    dataset.SeriesType, dataset.CountsSource = ["WHOLE BODY", "IMAGE"], "EMISSION"
    dataset.CorrectedImage, dataset.DecayCorrection, dataset.CollimatorType = "", "NONE", "NONE"
    dataset.FrameReferenceTime, dataset.ActualFrameDuration = "0", ""
    dataset.RadiopharmaceuticalInformationSequence = []
    dataset.PatientOrientationCodeSequence = []
    dataset.PatientGantryRelationshipCodeSequence = []


def _say_unit(dataset: "Dataset", unit: str) -> None:
    if unit == "SUV":
        dataset.Units, dataset.SUVType = "GML", "BW"
    else:
        dataset.Units = "BQML"
    if not sequence(dataset, "RadiopharmaceuticalInformationSequence") and unit == "SUV":
        dataset.CorrectedImage = ["DECY", "ATTN"]  # without both it were no SUV


def _add_decay_factor(dataset: "Dataset") -> None:
    """From the start of the scan to what the frame refers to, where the copied header leaves it out (C.8.9.4)."""
    medicine = sequence(dataset, "RadiopharmaceuticalInformationSequence")
    half_life = number(medicine[0], "RadionuclideHalfLife") if medicine else None
    reference = number(dataset, "FrameReferenceTime")
    if text(dataset, "DecayCorrection") == "START" and "DecayFactor" not in dataset and half_life and reference:
        dataset.DecayFactor = decimal_string(2 ** (reference / 1000 / half_life))


def _add_pixels(dataset: "Dataset", pixels: Array) -> None:
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    dataset["PixelData"].VR = "OW"

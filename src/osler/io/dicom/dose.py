"""Radiotherapy dose grids (RTDOSE), in and out.

Source: DICOM PS3.3 A.18 and C.8.8.3 (RT Dose), C.8.8.3.2 (Grid Frame Offset Vector).
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, BadGeometry, BadInput, BadPixels, Unreadable
from osler.core.geometry import Geometry
from osler.core.origin import Origin
from osler.core.version import SOFTWARE
from osler.core.volume import Volume
from osler.io.dicom.encode import PATIENT_AND_STUDY, decimal_string, new_uid, save_dataset
from osler.io.dicom.facts import facts_of
from osler.io.dicom.parse import kind_of, number, numbers, read_header, sequence, text
from osler.io.dicom.pixels import decode

if TYPE_CHECKING:
    from pydicom import Dataset

RTDOSE = "1.2.840.10008.5.1.4.1.1.481.2"
RTPLAN = "1.2.840.10008.5.1.4.1.1.481.5"
_NO_VOLUME = 1e-9  # mm3 of one voxel
_CROOKED = 1e-2  # how far directions may be from unit length and right angles
_SAME_MM = 0.01
_UPRIGHT = 1e-3  # how far rows and columns may lean where offsets are positions of the patient
_WHERE_SAID = ("SpecificCharacterSet", "TimezoneOffsetFromUTC", "IssuerOfPatientID", "StudyDescription")


def read_dose(path: Path) -> Volume:
    """A dose grid in Gy, slices in the order of their normal.

    `notes` say where the dose is a biological one, and where the file does not say how thick its one slice is.

    Raises Unreadable for a damaged file or one of another kind; BadInput for dose without a unit of its own
    (RELATIVE), for differences of doses and for a missing scale; BadGeometry where the grid's place is not told
    or its slices do not lie in even steps.
    """
    path = Path(path)
    header = read_header(path)
    if text(header, "SOPClassUID") != RTDOSE:
        raise Unreadable(f"{path.name} is a {kind_of(header)}, no dose.", remedy="Give an RTDOSE file.")
    units = text(header, "DoseUnits").upper()
    if units != "GY":
        raise BadInput(
            f"The dose in {path.name} is relative: it does not say how many gray it means."
            if units == "RELATIVE"
            else f"The dose in {path.name} is in no unit that is known.",
            remedy="Export it in Gy from the planning system.",
        )
    kind = text(header, "DoseType").upper()
    if kind == "ERROR":
        raise BadInput(
            f"{path.name} holds a difference of two doses, no dose.", remedy="Export the dose of the plan itself."
        )
    scale = number(header, "DoseGridScaling")
    if scale is None or not 0 < scale < np.inf:
        raise BadInput(f"{path.name} does not say what its numbers mean in Gy.", remedy="Export it again.")
    notes = ["The dose is a biologically effective one, not the physical one."] if kind == "EFFECTIVE" else []
    stored = decode(header, path)  # (frames, rows, columns)
    if stored.ndim != 3:
        raise Unreadable(f"{path.name} is a dose in colour.", remedy="Export it again from the planning system.")
    geometry, turned = _geometry(header, stored.shape, path, notes)
    array = (stored * scale).astype(np.float32)  # in double first
    frames = range(len(array), 0, -1) if turned else range(1, len(array) + 1)
    uid = text(header, "SOPInstanceUID")
    return Volume(
        array[::-1] if turned else array,
        geometry,
        unit="Gy",
        facts=facts_of(header),
        origins=tuple(Origin(uid, RTDOSE, path, n if len(array) > 1 else None) for n in frames),
        series_uid=text(header, "SeriesInstanceUID"),
        study_uid=text(header, "StudyInstanceUID"),
        notes=tuple(notes),
    )


def write_dose(volume: Volume, path: Path, header: "Dataset", *, plan_uid: str = "", bits: int = 32) -> None:
    """Write a dose in Gy as one RTDOSE file.

    header    of a file of the study it belongs to: patient, study and frame of reference are copied, and from a
              dose what it was summed over and which plan it is of
    plan_uid  SOP Instance UID of the plan that it is the dose of, where `header` does not say it

    bits      of each value, 32 or 16

    Values come back within half a step; there are as many steps up to the largest value as fit into the bits.

    Raises AskedWrongly for other bits, another unit, values below 0, a tilted grid or one without right angles,
    and without a plan, which a dose must name; BadPixels for NaN; NoRoom when the disk is full.
    """
    from pydicom import Dataset

    if bits not in (16, 32):
        raise AskedWrongly(f"A dose has 16 or 32 bits, not {bits}.", remedy="Ask for 32.")
    if volume.unit != "Gy":
        raise AskedWrongly(f"A dose is in Gy, not in '{volume.unit}'.", remedy="Give a volume of unit Gy.")
    along_row, along_column, rise = _upright(volume.geometry)
    if not np.isfinite(volume.array).all():
        raise BadPixels("The dose holds NaN or infinity, which DICOM cannot.", remedy="Replace them by numbers.")
    if volume.array.size and float(volume.array.min()) < 0:
        raise AskedWrongly("A dose below 0 is none.", remedy="Write differences of doses as NIfTI.")
    dataset = Dataset()
    for keyword in (*_WHERE_SAID, *PATIENT_AND_STUDY):
        if keyword in header:
            dataset[keyword] = header[keyword]
        elif keyword in PATIENT_AND_STUDY:
            setattr(dataset, keyword, "")
    _add_plan(dataset, header, plan_uid)
    dataset.SOPClassUID, dataset.SOPInstanceUID = RTDOSE, new_uid()
    dataset.Modality, dataset.SeriesInstanceUID = "RTDOSE", new_uid()
    dataset.SeriesNumber, dataset.InstanceNumber, dataset.OperatorsName = 9061, 1, ""
    dataset.Manufacturer, dataset.ManufacturerModelName = "Osler", "Osler"
    dataset.DeviceSerialNumber, dataset.SoftwareVersions = "0", SOFTWARE
    dataset.FrameOfReferenceUID = text(header, "FrameOfReferenceUID") or new_uid()
    dataset.PositionReferenceIndicator = text(header, "PositionReferenceIndicator")
    _add_grid(dataset, volume.geometry, along_row, along_column, rise)
    steps = 2**bits - 1
    scale = _not_below(float(volume.array.max(initial=0)) / steps)
    stored = np.clip(np.rint(volume.array.astype(np.float64) / scale), 0, steps).astype(f"<u{bits // 8}")
    dataset.DoseUnits, dataset.DoseType = "GY", text(header, "DoseType") or "PHYSICAL"
    dataset.DoseGridScaling = decimal_string(scale)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = volume.array.shape[1:]
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit, dataset.PixelRepresentation = bits - 1, 0
    raw = stored.tobytes()
    dataset.PixelData = raw + b"\0" * (len(raw) % 2)
    dataset["PixelData"].VR = "OW"
    save_dataset(dataset, path)


def _geometry(header: "Dataset", shape: tuple[int, ...], path: Path, notes: list[str]) -> tuple[Geometry, bool]:
    """(the grid with slices in the order of their normal, whether the frames lie the other way round)"""
    position = np.array(numbers(header, "ImagePositionPatient"))
    turned = np.array(numbers(header, "ImageOrientationPatient"))
    spacing = numbers(header, "PixelSpacing")
    if position.shape != (3,) or turned.shape != (6,) or len(spacing) != 2 or not min(spacing) > 0:
        raise _nowhere(path, "the header does not say where the grid lies")
    along_row, along_column = turned[:3], turned[3:]
    crooked = max(
        abs(float(np.linalg.norm(along_row)) - 1),
        abs(float(np.linalg.norm(along_column)) - 1),
        abs(float(along_row @ along_column)),
    )
    if not np.isfinite([*position, *turned]).all() or not crooked <= _CROOKED:
        raise _nowhere(path, "the directions of rows and columns are none")
    along_row, along_column = along_row / np.linalg.norm(along_row), along_column / np.linalg.norm(along_column)
    normal = np.cross(along_row, along_column)
    offsets = _offsets(header, shape[0], position, normal, path, notes)
    back = len(offsets) > 1 and offsets[-1] < offsets[0]
    affine = np.eye(4)
    affine[:3, 0] = normal * _even_step(offsets, path)
    affine[:3, 1] = along_column * spacing[0]
    affine[:3, 2] = along_row * spacing[1]
    affine[:3, 3] = position + normal * (offsets[-1] if back else offsets[0])
    if not abs(np.linalg.det(affine[:3, :3])) > _NO_VOLUME:
        raise _nowhere(path, "its voxels have no size")
    return Geometry((shape[0], shape[1], shape[2]), affine), back


def _offsets(
    header: "Dataset", frames: int, position: Array, normal: Array, path: Path, notes: list[str]
) -> Array:
    """mm along the normal from the first frame to each; for one frame, (0, its thickness)."""
    given = np.array(numbers(header, "GridFrameOffsetVector"))
    if frames == 1:
        thickness = number(header, "SliceThickness") or 0.0
        if not thickness > 0:
            notes.append("The file does not say how thick its one slice is; 1 mm was taken.")
        return np.array([0.0, thickness if thickness > 0 else 1.0])
    if given.shape != (frames,) or not np.isfinite(given).all():
        raise _nowhere(path, f"it says where {len(given)} of its {frames} slices lie")
    if abs(given[0]) <= _SAME_MM:
        return given  # relative: along the normal, from the first
    if abs(given[0] - position[2]) <= _SAME_MM and abs(abs(float(normal[2])) - 1) <= _UPRIGHT:
        return np.asarray((given - given[0]) * np.sign(normal[2]))  # absolute: the patient's own z
    raise _nowhere(path, "its slices are counted neither from the first nor from the patient's origin")


def _even_step(offsets: Array, path: Path) -> float:
    steps = np.abs(np.diff(offsets))
    usual = float(np.median(steps))
    signs = np.sign(np.diff(offsets))
    if not usual > 0 or not (signs == signs[0]).all() or np.abs(steps - usual).max() > max(_SAME_MM, 0.01 * usual):
        raise BadGeometry(
            f"The slices of {path.name} do not lie in even steps: from {steps.min():g} to {steps.max():g} mm.",
            remedy="Export the dose on an even grid.",
        )
    return float(abs(offsets[-1] - offsets[0])) / (len(offsets) - 1)


def _upright(geometry: Geometry) -> tuple[Array, Array, float]:
    """(direction of rows, of columns, mm from slice to slice along their normal, below 0 against it)"""
    spacing, affine = geometry.spacing, geometry.affine
    along_row, along_column = affine[:3, 2] / spacing[2], affine[:3, 1] / spacing[1]
    normal = np.cross(along_row, along_column)
    rise = float(normal @ affine[:3, 0])
    if abs(float(along_row @ along_column)) > 1e-4 or abs(abs(rise) / spacing[0] - 1) > 1e-6:
        raise AskedWrongly(
            "The grid is tilted, and a dose has no words for that.",
            remedy="Resample it onto an upright grid first.",
        )
    return along_row, along_column, rise


def _add_grid(dataset: "Dataset", geometry: Geometry, along_row: Array, along_column: Array, rise: float) -> None:
    spacing = geometry.spacing
    dataset.ImagePositionPatient = [decimal_string(x) for x in geometry.affine[:3, 3]]
    dataset.ImageOrientationPatient = [decimal_string(x) for x in (*along_row, *along_column)]
    dataset.PixelSpacing = [decimal_string(spacing[1]), decimal_string(spacing[2])]
    dataset.SliceThickness = decimal_string(abs(rise))
    dataset.NumberOfFrames = geometry.shape[0]
    dataset.FrameIncrementPointer = 0x3004000C
    dataset.GridFrameOffsetVector = [decimal_string(n * rise) for n in range(geometry.shape[0])]


def _add_plan(dataset: "Dataset", header: "Dataset", plan_uid: str) -> None:
    from pydicom import Dataset

    if plan_uid:
        plan = Dataset()
        plan.ReferencedSOPClassUID, plan.ReferencedSOPInstanceUID = RTPLAN, plan_uid
        dataset.ReferencedRTPlanSequence = [plan]
        dataset.DoseSummationType = "PLAN"
    elif sequence(header, "ReferencedRTPlanSequence"):
        dataset.ReferencedRTPlanSequence = header["ReferencedRTPlanSequence"].value
        dataset.DoseSummationType = text(header, "DoseSummationType") or "PLAN"
    else:
        raise AskedWrongly(
            "A dose must name the plan that it is the dose of.", remedy="Give the plan's SOP Instance UID."
        )


def _not_below(scale: float) -> float:
    """`scale` as a decimal string will say it, and never less, so that the largest dose still fits."""
    said = float(decimal_string(scale or 1.0))
    return said if said >= scale else float(decimal_string(scale * (1 + 1e-9)))


def _nowhere(path: Path, why: str) -> BadGeometry:
    return BadGeometry(
        f"The dose in {path.name} cannot be placed: {why}.", remedy="Export it again from the planning system."
    )

"""One slice before its pixels are read: where it lies, its scale, and what may tell it from others there."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from osler.core.arrays import Array
from osler.io.dicom.find import Instance
from osler.io.dicom.parse import numbers, sequence, text

if TYPE_CHECKING:
    from osler.io.dicom.scan import Header

_CROOKED = 1e-2  # how far directions may be from unit length and right angles
_FARTHEST_MM = 1e5  # nobody is a hundred metres long


@dataclass(frozen=True, slots=True)
class Sort:
    """Something that may tell repeated slices apart.

    name    in a message
    places  (sequence of a functional group, keyword); "" is the top level of the header
    means   another value is another kind of picture: never mixed in one volume, even where nothing is repeated
    """

    name: str
    places: tuple[tuple[str, str], ...]
    means: bool = False


# Tried in this order.
SORTS = (
    Sort("stack", (("FrameContentSequence", "StackID"), ("", "StackID"))),
    Sort(
        "kind of image",
        (
            ("MRImageFrameTypeSequence", "FrameType"),
            ("CTImageFrameTypeSequence", "FrameType"),
            ("PETFrameTypeSequence", "FrameType"),
            ("", "ImageType"),
        ),
        means=True,
    ),
    Sort(
        "magnitude or phase",
        (("MRImageFrameTypeSequence", "ComplexImageComponent"), ("", "ComplexImageComponent")),
        means=True,
    ),
    Sort("echo time", (("MREchoSequence", "EffectiveEchoTime"), ("", "EchoTime")), means=True),
    Sort("echo number", (("", "EchoNumbers"),)),
    Sort("b-value", (("MRDiffusionSequence", "DiffusionBValue"), ("", "DiffusionBValue")), means=True),
    Sort(
        "gradient",
        (
            ("MRDiffusionSequence/DiffusionGradientDirectionSequence", "DiffusionGradientOrientation"),
            ("", "DiffusionGradientOrientation"),
        ),
    ),
    Sort("kernel", (("CTReconstructionSequence", "ConvolutionKernel"), ("", "ConvolutionKernel")), means=True),
    Sort("tube voltage", (("CTXRayDetailsSequence", "KVP"), ("", "KVP")), means=True),
    Sort("inversion time", (("MRModifierSequence", "InversionTimes"), ("", "InversionTime")), means=True),
    Sort("flip angle", (("MRTimingAndRelatedParametersSequence", "FlipAngle"), ("", "FlipAngle")), means=True),
    Sort(
        "time",
        (
            ("FrameContentSequence", "TemporalPositionIndex"),
            ("", "TemporalPositionIdentifier"),
            ("", "TemporalPositionIndex"),
        ),
    ),
    Sort(
        "trigger time", (("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"), ("", "TriggerTime"))
    ),
    Sort("time of the PET frame", (("", "FrameReferenceTime"),)),
    Sort("acquisition", (("FrameContentSequence", "FrameAcquisitionNumber"), ("", "AcquisitionNumber"))),
    Sort(
        "acquisition time",
        (
            ("FrameContentSequence", "FrameAcquisitionDateTime"),
            ("", "AcquisitionDateTime"),
            ("", "AcquisitionTime"),
        ),
    ),
    Sort("content time", (("", "ContentTime"),)),
)
# By what repeated slices are put in order of time, the most trustworthy first.
_MOMENTS = ("time", "trigger time", "time of the PET frame", "acquisition time", "content time")


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """One slice, a file or a frame of one.

    frame        index in a multi-frame file, None for a file with one
    position     (3,) of the first pixel's centre, LPS mm
    along_row, along_column  unit vectors at right angles: where the column index and the row index grow
    spacing      mm between rows, between columns
    thickness, gap  mm, as the header says; 0 where it does not. `gap` is from centre to centre
    scale        slope and intercept
    groups       the frame's own functional groups, then those shared by all; () for a file with one frame
    """

    instance: Instance
    frame: int | None
    position: Array
    along_row: Array
    along_column: Array
    spacing: tuple[float, float]
    thickness: float
    gap: float
    scale: tuple[float, float]
    groups: tuple[Any, ...] = ()

    @property
    def normal(self) -> Array:
        return np.cross(self.along_row, self.along_column)


def directions(turned: tuple[float, ...]) -> tuple[Array, Array] | None:
    """Unit vectors at right angles from an ImageOrientationPatient; None for what gives none.

    Rounding in the header is taken out; what is crooked beyond one percent is no orientation.
    """
    if len(turned) != 6 or not np.isfinite(turned).all():
        return None
    along_row, along_column = np.array(turned[:3]), np.array(turned[3:])
    lengths = np.linalg.norm(along_row), np.linalg.norm(along_column)
    if abs(np.array(lengths) - 1).max() > _CROOKED:
        return None
    along_row, along_column = along_row / lengths[0], along_column / lengths[1]
    lean = float(along_row @ along_column)
    if abs(lean) > _CROOKED:
        return None
    if abs(lean) > 1e-9:
        along_column = along_column - lean * along_row
        along_column /= np.linalg.norm(along_column)
    return along_row, along_column


def position_of(item: "Header") -> Array | None:
    """(3,) ImagePositionPatient, LPS mm; None where it is absent or cannot be."""
    told = numbers(item, "ImagePositionPatient")
    if len(told) != 3 or not all(abs(one) < _FARTHEST_MM for one in told):  # NaN is not smaller either
        return None
    return np.array(told)


def told(plane: Plane, sort: Sort) -> str:
    """What a plane's header says of `sort`, "" where it says nothing."""
    for steps, keyword in sort.places:
        for group in plane.groups if steps else (plane.instance.header,):
            items = [group]
            for step in steps.split("/") if steps else ():
                items = sequence(items[0], step) if items else []
            if items and (found := text(items[0], keyword)):
                return found
    return ""


def moment(plane: Plane) -> tuple[tuple[float, str], ...]:
    """What planes of one place are put in order of time by."""
    known = [told(plane, sort) for name in _MOMENTS for sort in SORTS if sort.name == name]
    number = text(plane.instance.header, "InstanceNumber")
    return tuple(natural(one) for one in (*known, number, str(plane.frame or 0), plane.instance.path.name))


def natural(value: str) -> tuple[float, str]:
    """Numbers in the order of their size, then words."""
    try:
        return float(value), value
    except ValueError:
        return float("inf"), value

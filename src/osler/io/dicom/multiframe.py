"""Files with many frames: where each frame lies, and when it was taken.

Sources: DICOM PS3.3 C.7.6.16 (functional groups), C.8.4.8-15 (NM), C.7.6.5 (cine), C.8.5.5 (ultrasound regions),
C.7.6.16.1.1 (concatenations).
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from osler.core.errors import BadGeometry
from osler.io.dicom.find import Instance
from osler.io.dicom.parse import number, numbers, sequence, text
from osler.io.dicom.pixels import scale_of
from osler.io.dicom.plane import Plane, directions, position_of

if TYPE_CHECKING:
    from osler.io.dicom.scan import Header

_CENTIMETRES = 3.0  # PhysicalUnitsXDirection, C.8.5.5.1.15


def planes_of(instance: Instance) -> list[Plane]:
    """The slices of one file, a frame each; [] where they do not lie in the patient, or are in colour."""
    header = instance.header
    if number(header, "SamplesPerPixel") not in (1, None):
        return []
    if "PerFrameFunctionalGroupsSequence" in header:
        return _by_groups(instance)
    if (number(header, "NumberOfFrames") or 1) > 1:
        return _nuclear(instance)
    one = _plane(instance, None, position_of(header), header, header, header, ())
    return [one] if one is not None else []


def check_concatenations(instances: Iterable[Instance], name: str) -> None:
    """One object may be sent in several files. Raises BadGeometry when some of them are missing."""
    parts: dict[str, set[float]] = defaultdict(set)
    totals: dict[str, float] = {}
    for one in instances:
        whole = text(one.header, "ConcatenationUID")
        if whole:
            parts[whole].add(number(one.header, "InConcatenationNumber") or 0)
            totals[whole] = max(totals.get(whole, 0), number(one.header, "InConcatenationTotalNumber") or 0)
    for whole, found in parts.items():
        missing = max(totals[whole], max(found)) - len(found)
        if missing > 0:
            raise BadGeometry(
                f"{name} is one object in {len(found) + missing:.0f} files (a concatenation), "
                f"and {missing:.0f} of them are missing.",
                remedy="Send the series again.",
            )


def seconds_of(header: "Header", frames: int) -> tuple[float, ...]:
    """Seconds from the first frame to each; () where the header does not say."""
    between = numbers(header, "FrameTimeVector")
    if len(between) == frames and all(0 <= one < 1e7 for one in between):
        return tuple(one / 1000 for one in itertools.accumulate((0.0, *between[1:])))
    step = number(header, "FrameTime")
    if not step:
        rate = number(header, "CineRate") or number(header, "RecommendedDisplayFrameRate")
        step = 1000 / rate if rate and rate > 0 else None
    if not step or not 0 < step < 1e7:
        return ()
    return tuple(n * step / 1000 for n in range(frames))


def region_spacing(header: "Header") -> tuple[float, float] | None:
    """mm between rows and columns of an ultrasound picture, where one scale holds for all its regions in space."""
    found = set()
    for region in sequence(header, "SequenceOfUltrasoundRegions"):
        units = number(region, "PhysicalUnitsXDirection"), number(region, "PhysicalUnitsYDirection")
        across, down = number(region, "PhysicalDeltaX"), number(region, "PhysicalDeltaY")
        if units == (_CENTIMETRES, _CENTIMETRES) and across and down:
            found.add((round(abs(down) * 10, 6), round(abs(across) * 10, 6)))
    return found.pop() if len(found) == 1 else None


def _by_groups(instance: Instance) -> list[Plane]:
    header = instance.header
    shared = sequence(header, "SharedFunctionalGroupsSequence")
    found = []
    for n, own in enumerate(sequence(header, "PerFrameFunctionalGroupsSequence")):
        groups = (own, *shared[:1])
        one = _plane(
            instance,
            n,
            position_of(_group(groups, "PlanePositionSequence")),
            _group(groups, "PlaneOrientationSequence"),
            _group(groups, "PixelMeasuresSequence"),
            _group(groups, "PixelValueTransformationSequence"),
            groups,
        )
        if one is None:
            return []
        found.append(one)
    return found if len(found) == (number(header, "NumberOfFrames") or 1) else []


def _group(groups: tuple[Any, ...], keyword: str) -> Any:
    """A functional group: the frame's own, else the one shared by all, else an empty one."""
    from pydicom import Dataset

    return next((items[0] for group in groups if (items := sequence(group, keyword))), Dataset())


def _nuclear(instance: Instance) -> list[Plane]:
    """A reconstructed NM volume: the first slice's place, and the step from slice to slice."""
    header = instance.header
    detectors = sequence(header, "DetectorInformationSequence")
    step = number(header, "SpacingBetweenSlices") or number(header, "SliceThickness")
    if len(detectors) != 1 or not step or "TOMO" not in text(header, "ImageType"):
        return []
    first = _plane(instance, 0, position_of(detectors[0]), detectors[0], header, header, ())
    if first is None:
        return []
    slices = numbers(header, "SliceVector") or tuple(range(1, int(number(header, "NumberOfFrames") or 1) + 1))
    return [
        Plane(
            instance,
            n,
            first.position + first.normal * step * (which - 1),
            first.along_row,
            first.along_column,
            first.spacing,
            first.thickness,
            abs(step),
            first.scale,
        )
        for n, which in enumerate(slices)
    ]


def _plane(
    instance: Instance,
    frame: int | None,
    position: np.ndarray[Any, Any] | None,
    orientation: "Header",
    measures: "Header",
    values: "Header",
    groups: tuple[Any, ...],
) -> Plane | None:
    """None where the header does not say where the slice lies."""
    turned = directions(numbers(orientation, "ImageOrientationPatient"))
    spacing = numbers(measures, "PixelSpacing")
    if position is None or turned is None or len(spacing) != 2 or not all(0 < one < 1e4 for one in spacing):
        return None
    return Plane(
        instance,
        frame,
        position,
        *turned,
        (spacing[0], spacing[1]),
        abs(number(measures, "SliceThickness") or 0.0),
        abs(number(measures, "SpacingBetweenSlices") or 0.0),
        scale_of(values),
        groups,
    )

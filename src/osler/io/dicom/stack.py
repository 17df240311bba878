"""From DICOM files to pictures: slices are stacked by where they lie, never by their numbers.

Source of the affine: DICOM PS3.3 C.7.6.2.1.1. PixelSpacing is (between rows, between columns).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, BadGeometry, Unreadable
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.origin import Origin
from osler.core.study import Picture
from osler.core.volume import Volume
from osler.io.dicom.facts import facts_of
from osler.io.dicom.find import Instance, Series, find_series, is_image
from osler.io.dicom.parse import is_dicom, kind_of, number, numbers, read_dataset, read_header, sequence, text
from osler.io.dicom.pixels import decode, meaning, scale_of
from osler.io.dicom.suv import suv_factor
from osler.io.glance import Glance
from osler.io.item import numbered

if TYPE_CHECKING:
    from pydicom import Dataset

_SAME_PLACE_MM = 0.01
_STRAY_MM = 0.1  # positions are often rounded to a tenth
_SAME_ANGLE = 2e-3  # radians, about a tenth of a degree
_CROOKED = 1e-2  # how far directions may be from unit length and right angles
_QUANTITIES = ("CT", "PT")  # numbers that mean something, whatever MONOCHROME1 says of showing them
_SLICES = (  # kinds that lie somewhere in the patient
    "1.2.840.10008.5.1.4.1.1.2",  # CT
    "1.2.840.10008.5.1.4.1.1.4",  # MR
    "1.2.840.10008.5.1.4.1.1.128",  # PET
)
# What tells repeated slices apart, tried in this order.
_REPEATS = (
    "EchoNumbers",
    "EchoTime",
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "DiffusionBValue",
    "FrameType",
    "StackID",
    "TriggerTime",
    "AcquisitionNumber",
    "ImageType",
)


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """One slice, a file or a frame of one, before its pixels are read.

    frame        index in a multi-frame file, None for a file with one
    position     (3,) of the first pixel's centre, LPS mm
    along_row, along_column  unit vectors: where the column index and where the row index grow
    spacing      mm between rows, between columns
    thickness    mm, 0 where the header does not say
    scale        slope and intercept
    sorts        what may tell repeated slices apart
    """

    instance: Instance
    frame: int | None
    position: Array
    along_row: Array
    along_column: Array
    spacing: tuple[float, float]
    thickness: float
    scale: tuple[float, float]
    sorts: tuple[str, ...]


def read_file(path: Path, item: str = "") -> Picture:
    """One file: a radiograph as an image; a CT, MR or PET slice as a volume with one slice; enhanced multi-frame
    as a volume. `item` "frame:3" picks one picture of a film.

    Raises Unreadable for what is broken, a mosaic or no image, AskedWrongly where a frame must be named,
    BadGeometry for frames that make no volume.
    """
    pictures = _read([_image_at(path)], path.name, item)
    if len(pictures) == 1:
        return pictures[0]
    raise BadGeometry(
        f"{path.name} holds {len(pictures)} volumes.", remedy="Open it as a study, or split it by echo or time."
    )


def read_folder(folder: Path, item: str = "") -> Picture:
    """The one series in a folder; `item` "series:UID" picks one of several.

    Raises Unreadable without DICOM images, AskedWrongly where a series must be named, BadGeometry when its
    slices make no volume.
    """
    pictures = read_series(_series_in(folder, item))
    if len(pictures) == 1:
        return pictures[0]
    raise AskedWrongly(
        f"{folder.name} holds {len(pictures)} pictures of one series.",
        remedy="Name one file, or open the folder as a study.",
    )


def read_series(series: Series) -> list[Picture]:
    """The volumes or images of one series: several volumes where echoes or times repeat each slice.

    Raises Unreadable, or BadGeometry for missing slices, duplicates and mixed orientations, saying which.
    """
    return _read(list(series.instances), series.name, "")


def glance(path: Path, item: str = "") -> Glance:
    """Shape, spacing and modality of one file from its header. Raises as `read_file` does, short of the pixels."""
    return _glance([_image_at(path)], path.name)


def glance_folder(folder: Path, item: str = "") -> Glance:
    """The same of the one series in a folder. Raises as `read_folder` does, short of the pixels."""
    series = _series_in(folder, item)
    return _glance(list(series.instances), series.name)


def _glance(instances: list[Instance], name: str) -> Glance:
    header = instances[0].header
    modality = text(header, "Modality").upper()
    signed = "" if number(header, "PixelRepresentation") else "u"
    dtype = f"{signed}int{int(number(header, 'BitsAllocated') or 16)}"
    planes = _planes(instances, name)
    if planes is None:
        colour = number(header, "SamplesPerPixel") == 3 or "PALETTE" in text(header, "PhotometricInterpretation")
        return Glance(_size(header), _flat_spacing(header), 3 if colour else 1, dtype, modality)
    volumes = _split(planes, name)
    geometry = _geometry(volumes[0], _size(header), name)
    return Glance(geometry.shape, geometry.spacing, len(volumes), dtype, modality)


def _image_at(path: Path) -> Instance:
    header = read_header(path)
    if not is_image(header):
        raise Unreadable(
            f"{path.name} is a {kind_of(header)}, not an image.",
            remedy="Give the CT, MR, PET or X-ray images it was made from.",
        )
    return Instance(path, header)


def _series_in(folder: Path, item: str) -> Series:
    series, problems = find_series(path for path in folder.iterdir() if path.is_file() and is_dicom(path))
    if item:
        series = [one for one in series if item == f"series:{one.uid}"]
        if not series:
            raise AskedWrongly(
                f"{folder.name} has no item '{item}'.", remedy="Ask for 'series:' and a series' UID."
            )
    if not series:
        raise Unreadable(
            " ".join([f"{folder.name} is a folder without DICOM images.", *problems[:3]]),
            remedy="Give a file, or the folder that holds the images of one series.",
        )
    if len(series) > 1:
        raise AskedWrongly(
            f"{folder.name} holds {len(series)} series.",
            remedy=f"Open it as a study, or ask for one: {', '.join(f'series:{one.uid}' for one in series[:4])}.",
        )
    return series[0]


def _read(instances: list[Instance], name: str, item: str) -> list[Picture]:
    planes = _planes(instances, name)
    if planes is not None:
        if item:
            raise AskedWrongly(f"{name} has no item '{item}'.", remedy="Ask for it without an item.")
        return [_volume(stack, name) for stack in _split(planes, name)]
    return [_image(instance, item) for instance in instances]


def _image(instance: Instance, item: str) -> Image:
    path, header = instance.path, instance.header
    frames = int(number(header, "NumberOfFrames") or 1)
    if frames > 1 and not item:
        raise AskedWrongly(
            f"{path.name} is a film of {frames} frames ({kind_of(header)}).",
            remedy=f"Ask for one picture of it: 'frame:0' to 'frame:{frames - 1}'.",
        )
    frame = numbered(item, "frame", frames, path) if item else 0
    dataset = read_dataset(path)
    stored = decode(dataset, path)
    if frames > 1:
        stored = stored[frame]
    facts = facts_of(header)
    return Image(
        meaning(dataset, stored, path, scale=scale_of(header), quantity=facts.modality in _QUANTITIES),
        spacing_mm=_flat_spacing(header),
        facts=facts,
        origin=_origin(instance, frame + 1 if frames > 1 else None),
        series_uid=text(header, "SeriesInstanceUID"),
        study_uid=text(header, "StudyInstanceUID"),
    )


def _origin(instance: Instance, frame: int | None) -> Origin:
    header = instance.header
    return Origin(text(header, "SOPInstanceUID"), text(header, "SOPClassUID"), instance.path, frame)


def _flat_spacing(header: "Dataset") -> tuple[float, float] | None:
    """mm between rows and columns in the patient; None where it is not known, also when it is written as 0."""
    spacing = numbers(header, "PixelSpacing")
    if len(spacing) == 2 and min(spacing) > 0:
        return spacing[0], spacing[1]
    detector = numbers(header, "ImagerPixelSpacing")
    magnification = number(header, "EstimatedRadiographicMagnificationFactor")
    # On the detector everything is larger than in the patient; without the factor these are other millimetres.
    if len(detector) == 2 and min(detector) > 0 and magnification and magnification > 0:
        return detector[0] / magnification, detector[1] / magnification
    return None


def _size(header: "Dataset") -> tuple[int, int]:
    return int(number(header, "Rows") or 0), int(number(header, "Columns") or 0)


def _planes(instances: list[Instance], name: str) -> list[Plane] | None:
    """Every slice of these files; None when they are flat pictures."""
    if any("MOSAIC" in text(one.header, "ImageType") for one in instances):
        raise Unreadable(
            f"{name} is a mosaic: many slices side by side in one image.",
            remedy="Export it as enhanced MR or one slice a file, or convert it to NIfTI.",
        )
    if any("LOCALIZER" in text(one.header, "ImageType") for one in instances):
        return None  # a scout is looked at, never measured in
    planes: list[Plane] = []
    lost = 0
    for instance in instances:
        found = _planes_of(instance)
        planes += found
        lost += not found
    if lost and (planes or (len(instances) > 1 and text(instances[0].header, "SOPClassUID") in _SLICES)):
        raise BadGeometry(
            f"{name}: {lost} of {len(instances)} images do not say where they lie in the patient.",
            remedy="Export the original series; secondary captures and screenshots cannot be stacked.",
        )
    return planes or None


def _planes_of(instance: Instance) -> list[Plane]:
    header = instance.header
    if number(header, "SamplesPerPixel") not in (1, None):
        return []
    if "PerFrameFunctionalGroupsSequence" not in header:
        one = _plane(instance, None, lambda _: header)
        frames = number(header, "NumberOfFrames") or 1
        return [one] if one is not None and frames == 1 else []
    found = []
    for n, frame in enumerate(sequence(header, "PerFrameFunctionalGroupsSequence")):
        groups = _groups(header, frame)
        one = _plane(instance, n, groups)
        if one is None:
            return []
        found.append(one)
    return found


def _groups(header: "Dataset", frame: "Dataset") -> "Callable[[str], Dataset]":
    """Looks a functional group up: the frame's own, else the one shared by all, else an empty one."""
    from pydicom import Dataset

    places = (frame, *sequence(header, "SharedFunctionalGroupsSequence"))

    def group(keyword: str) -> "Dataset":
        return next((items[0] for place in places if (items := sequence(place, keyword))), Dataset())

    return group


def _plane(instance: Instance, frame: int | None, group: "Callable[[str], Dataset]") -> Plane | None:
    """None where the header does not say where the slice lies."""
    position = np.array(numbers(group("PlanePositionSequence"), "ImagePositionPatient"))
    turned = numbers(group("PlaneOrientationSequence"), "ImageOrientationPatient")
    measures = group("PixelMeasuresSequence")
    spacing = numbers(measures, "PixelSpacing")
    if position.shape != (3,) or len(turned) != 6 or len(spacing) != 2 or min(spacing) <= 0:
        return None
    along_row, along_column = np.array(turned[:3]), np.array(turned[3:])
    lengths = np.linalg.norm(along_row), np.linalg.norm(along_column)
    if not np.isfinite([*position, *turned]).all() or abs(np.array(lengths) - 1).max() > _CROOKED:
        return None
    along_row, along_column = along_row / lengths[0], along_column / lengths[1]
    if abs(along_row @ along_column) > _CROOKED:
        return None
    # In a file with one frame `group` gives the header itself.
    kinds = ("FrameContentSequence", "MRImageFrameTypeSequence", "MREchoSequence", "MRDiffusionSequence")
    places = [group(kind) for kind in kinds]
    sorts = tuple(
        next((found for place in (*places, instance.header) if (found := text(place, keyword))), "")
        for keyword in _REPEATS
    )
    return Plane(
        instance,
        frame,
        position,
        along_row,
        along_column,
        (spacing[0], spacing[1]),
        number(measures, "SliceThickness") or 0.0,
        scale_of(group("PixelValueTransformationSequence")),
        sorts,
    )


def _split(planes: list[Plane], name: str) -> list[list[Plane]]:
    """Stacks sorted along their normal: one, or one for each echo or time that repeats every slice."""
    first = planes[0]
    normal = np.cross(first.along_row, first.along_column)
    turned = sum(
        1
        for one in planes
        if max(_angle(one.along_row, first.along_row), _angle(one.along_column, first.along_column)) > _SAME_ANGLE
    )
    if turned:
        raise BadGeometry(
            f"{name} mixes orientations: {turned} of {len(planes)} slices are turned against the first.",
            remedy="Give each orientation as a series of its own.",
        )
    if any(not np.allclose(one.spacing, first.spacing, rtol=1e-3) for one in planes):
        raise BadGeometry(
            f"{name} mixes pixel sizes.", remedy="Give the slices of each pixel size as a series of its own."
        )
    ordered = sorted(planes, key=lambda one: (float(normal @ one.position), one.instance.path, one.frame or 0))
    twice = _repeated(ordered, normal)
    if not twice:
        return [ordered]
    places = len(ordered) - len(twice)
    for n in range(len(_REPEATS)):
        stacks: dict[str, list[Plane]] = {}
        for one in sorted(ordered, key=lambda one: _natural(one.sorts[n])):
            stacks.setdefault(one.sorts[n], []).append(one)
        if all(len(stack) == places > 1 and not _repeated(stack, normal) for stack in stacks.values()):
            return list(stacks.values())
    if places == 1:
        raise BadGeometry(
            f"{name} is a film, not a volume: all {len(ordered)} slices lie in the same place.",
            remedy="Name one file of it.",
        )
    raise BadGeometry(
        f"{name} has {len(twice)} slices too many: there are several at {_places(sorted(set(twice)))}.",
        remedy="Remove the duplicates, or give each phase as a series of its own.",
    )


def _repeated(ordered: list[Plane], normal: Array) -> list[float]:
    """Positions along the normal, in mm, that were there already."""
    along = np.array([normal @ one.position for one in ordered])
    return [float(x) for x in along[1:][np.diff(along) < _SAME_PLACE_MM]]


def _natural(value: str) -> tuple[float, str]:
    try:
        return float(value), value
    except ValueError:
        return float("inf"), value


def _angle(one: Array, other: Array) -> float:
    return float(np.linalg.norm(np.cross(one, other))) if one @ other > 0 else np.pi


def _geometry(ordered: list[Plane], size: tuple[int, int], name: str) -> Geometry:
    """The grid of a sorted stack. A tilted gantry gives a sheared one, which is exact and stays.

    Raises BadGeometry for missing slices and for slices that do not lie in even steps.
    """
    first = ordered[0]
    normal = np.cross(first.along_row, first.along_column)
    count = len(ordered)
    if count == 1:
        step = normal * (first.thickness or 1.0)
    else:
        positions = np.stack([one.position for one in ordered])
        steps = np.diff(positions @ normal)
        usual = float(np.median(steps))
        gaps = [n for n, one in enumerate(steps) if one > 1.5 * usual]
        if gaps:
            missing = sum(max(1, round(float(steps[n]) / usual) - 1) for n in gaps)
            raise BadGeometry(
                f"{name} has a gap: about {missing} of {count + missing} slices are missing beside "
                f"{_places([float(normal @ positions[n]) for n in gaps])}.",
                remedy="Send the series again; measurements across the gap would be wrong.",
            )
        step = (positions[-1] - positions[0]) / (count - 1)
        stray = np.abs(positions - (positions[0] + np.arange(count)[:, None] * step)).max()
        if stray > max(_STRAY_MM, 0.02 * usual):
            raise BadGeometry(
                f"{name} does not lie in even steps: a slice is {stray:.1f} mm from where it should be.",
                remedy="Reconstruct the series with even steps.",
            )
    affine = np.eye(4)
    affine[:3, 0] = step
    affine[:3, 1] = first.along_column * first.spacing[0]
    affine[:3, 2] = first.along_row * first.spacing[1]
    affine[:3, 3] = first.position
    return Geometry((count, *size), affine)


def _places(along: list[float]) -> str:
    listed = ", ".join(f"{x:.1f}" for x in along[:5])
    return f"{listed}{', ...' if len(along) > 5 else ''} mm along the stack"


def _volume(ordered: list[Plane], name: str) -> Volume:
    header = ordered[0].instance.header
    size = _size(header)
    geometry = _geometry(ordered, size, name)
    facts = facts_of(header)
    quantity = facts.modality in _QUANTITIES
    slices = []
    film: tuple[Path, Dataset, Array] | None = None  # a multi-frame file is decoded once
    for one in ordered:
        path = one.instance.path
        if film is None or film[0] != path:
            dataset = read_dataset(path)
            film = (path, dataset, decode(dataset, path))
        _, dataset, stored = film
        if one.frame is not None and stored.ndim == 3:
            stored = stored[one.frame]
        if stored.shape != size:
            raise Unreadable(
                f"{path.name} holds {stored.shape} pixels where its header says {size}.", remedy="Send it again."
            )
        slices.append(meaning(dataset, stored, path, scale=one.scale, quantity=quantity))
    array = np.stack(slices)
    unit = "HU" if facts.modality == "CT" and text(header, "RescaleType").upper() in ("", "HU") else ""
    if facts.modality == "PT":
        headers = list({id(one.instance): one.instance.header for one in ordered}.values())
        factor = suv_factor(headers)
        if factor is not None:
            array, unit = (array * np.float32(factor)).astype(np.float32), "SUV"
    return Volume(
        array,
        geometry,
        unit=unit,
        facts=facts,
        origins=tuple(_origin(one.instance, None if one.frame is None else one.frame + 1) for one in ordered),
        series_uid=text(header, "SeriesInstanceUID"),
        study_uid=text(header, "StudyInstanceUID"),
    )

"""From DICOM files to pictures: volumes, radiographs and films.

How slices are grouped and stacked: group.py. How pixels are decoded: pixels.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from osler.core.arrays import Array
from osler.core.clip import Clip
from osler.core.errors import AskedWrongly, BadGeometry, BadInput, NoSuv, Unreadable
from osler.core.facts import Facts
from osler.core.image import Image
from osler.core.origin import Origin
from osler.core.study import Picture
from osler.core.volume import Volume
from osler.io.dicom.crew import decode_all
from osler.io.dicom.facts import facts_of
from osler.io.dicom.find import Instance, Series, find_series, is_image
from osler.io.dicom.group import Grouped, Stack, group
from osler.io.dicom.mosaic import is_mosaic, unpacked
from osler.io.dicom.multiframe import check_concatenations, planes_of, region_spacing, seconds_of
from osler.io.dicom.parse import is_dicom, kind_of, number, numbers, sequence, text
from osler.io.dicom.pixels import (
    Layout,
    check_frames,
    check_scale,
    decode,
    eight_bits,
    fill_padding,
    layout_of,
    padding_of,
    scale_of,
    turned_over,
    values_of,
)
from osler.io.dicom.plane import Plane
from osler.io.dicom.scan import scan_header
from osler.io.dicom.suv import SuvScale, suv_scale
from osler.io.dicom.tables import lookup, modality_table
from osler.io.glance import Glance
from osler.io.item import numbered

if TYPE_CHECKING:
    from osler.io.dicom.scan import Header

_QUANTITIES = ("CT", "PT")  # numbers that mean something, whatever MONOCHROME1 says of showing them
_SLICES = (  # kinds that lie somewhere in the patient
    "1.2.840.10008.5.1.4.1.1.2",  # CT
    "1.2.840.10008.5.1.4.1.1.4",  # MR
    "1.2.840.10008.5.1.4.1.1.128",  # PET
)
_WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
_PET_UNITS = {"BQML": "Bq/ml", "CNTS": "counts", "GML": "g/ml", "CM2ML": "cm2/ml", "PROPCNTS": "counts"}


@dataclass(frozen=True, slots=True)
class Parts:
    """What one series holds.

    pictures  volumes, or images
    clips     films; they are no pictures that a model reads
    failures  what could not be read, and why; the rest is not hidden by it
    """

    pictures: tuple[Picture, ...] = ()
    clips: tuple[Clip, ...] = ()
    failures: tuple[BadInput, ...] = ()


def read_file(path: Path, item: str = "") -> Picture:
    """One file: a radiograph as an image; a CT, MR or PET slice as a volume with one slice; enhanced multi-frame
    as a volume. `item` "frame:3" picks one picture of a film, "volume:1" one of several volumes.

    Raises Unreadable for what is broken, a mosaic without its private header, a whole slide or no image,
    AskedWrongly where a frame must be named, BadGeometry for frames that make no volume.
    """
    instance = _image_at(path)
    if is_mosaic(instance.header):
        return _mosaic(instance)
    planes = _planes([instance], path.name)
    if planes is None:
        return _image(instance, item)
    grouped = group(planes, path.name)
    if grouped.films and not grouped.stacks:
        return _image(instance, item)
    if item:
        chosen = grouped.stacks[numbered(item, "volume", len(grouped.stacks), path)]
        return _volume(chosen, path.name)
    if len(grouped.stacks) > 1:
        last = len(grouped.stacks) - 1
        raise BadGeometry(
            f"{path.name} holds {len(grouped.stacks)} volumes.",
            remedy=f"Open it as a study, or ask for one: 'volume:0' to 'volume:{last}'.",
        )
    if grouped.failures:
        raise grouped.failures[0]
    return _volume(grouped.stacks[0], path.name) if grouped.stacks else _image(instance, item)


def read_clip(path: Path) -> Clip:
    """One file with a film: ultrasound, angiography, fluoroscopy. Raises Unreadable for what is broken,
    AskedWrongly for a file with one frame."""
    instance = _image_at(path)
    frames = layout_of(instance.header, path).frames
    if frames < 2:
        raise AskedWrongly(f"{path.name} is one picture, no film.", remedy="Open it as a picture.")
    return _film(instance)


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

    Where a part of the series cannot be read, the others carry a note of it.
    Raises what went wrong when nothing can be read: Unreadable, or BadGeometry for missing slices, mixed
    orientations and films, saying which.
    """
    parts = _read(list(series.instances), series.name, films=False)
    if not parts.pictures:
        raise parts.failures[0]
    notes = tuple(f"Another part of the series was not read: {one.problem}" for one in parts.failures)
    return [replace(one, notes=one.notes + notes) if isinstance(one, Volume) else one for one in parts.pictures]


def read_parts(series: Series) -> Parts:
    """Everything of one series: volumes, images and films, and what could not be read."""
    return _read(list(series.instances), series.name, films=True)


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
    layout = layout_of(header, instances[0].path)
    dtype = f"{'' if layout.signed else 'u'}int{max(8, layout.allocated)}"
    if is_mosaic(header):
        _, grid = unpacked(np.zeros((layout.rows, layout.columns), bool), header.whole(), instances[0].path)
        return Glance(grid.shape, grid.spacing, len(instances), dtype, modality)
    planes = _planes(instances, name)
    grouped = group(planes, name) if planes is not None else Grouped()
    if grouped.stacks:
        geometry = grouped.stacks[0].geometry(layout.rows, layout.columns)
        return Glance(geometry.shape, geometry.spacing, len(grouped.stacks), dtype, modality)
    if grouped.failures:
        raise grouped.failures[0]
    if len(instances) > 1 and grouped.films:
        raise _is_film(name, len(instances))
    colour = layout.samples == 3 or layout.photometric == "PALETTE COLOR"
    return Glance((layout.rows, layout.columns), _flat_spacing(header), 3 if colour else 1, dtype, modality)


def _image_at(path: Path) -> Instance:
    header = scan_header(path)
    if not is_image(header):
        raise Unreadable(
            f"{path.name} is a {kind_of(header)}, not an image.",
            remedy="Give the CT, MR, PET or X-ray images it was made from.",
        )
    return Instance(path, header)


def _series_in(folder: Path, item: str) -> Series:
    series, problems = find_series(path for path in folder.iterdir() if path.is_file() and is_dicom(path))
    if item:
        series = [one for one in series if item == one.item]
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
            remedy=f"Open it as a study, or ask for one: {', '.join(one.item for one in series[:4])}.",
        )
    return series[0]


def _read(instances: list[Instance], name: str, *, films: bool) -> Parts:
    """What cannot be read is a failure among the parts, whatever it is, and never stops the rest."""
    mosaic = is_mosaic(instances[0].header)
    try:
        planes = _planes(instances, name) if not mosaic else []
        grouped = group(planes, name) if planes is not None else Grouped()
    except BadInput as error:
        return Parts(failures=(error,))
    pictures: list[Picture] = []
    clips: list[Clip] = []
    failures: list[BadInput] = list(grouped.failures)

    def attempt(read: "Callable[[], Picture | Clip]") -> None:
        try:
            found = read()
        except BadInput as error:
            failures.append(error)
            return
        if isinstance(found, Clip):
            clips.append(found)
        else:
            pictures.append(found)

    if mosaic:  # one volume a file, as of one moment
        for instance in instances:
            attempt(lambda instance=instance: _mosaic(instance))  # type: ignore[misc]
        return Parts(tuple(pictures), (), tuple(failures))
    for stack in grouped.stacks:
        attempt(lambda stack=stack: _volume(stack, name))  # type: ignore[misc]
    for film in grouped.films:
        if films:
            attempt(lambda film=film: _clip(film, name))  # type: ignore[misc]
        else:
            failures.append(_is_film(name, len(film)))
    flat = instances if planes is None else [one.instance for one in grouped.scouts]
    for instance in flat:
        frames = number(instance.header, "NumberOfFrames") or 1
        if frames > 1 and films:
            attempt(lambda instance=instance: _film(instance))  # type: ignore[misc]
        elif frames > 1:
            attempt(lambda instance=instance: _refuse_film(instance))  # type: ignore[misc]
        else:
            attempt(lambda instance=instance: _image(instance, ""))  # type: ignore[misc]
    return Parts(tuple(pictures), tuple(clips), tuple(failures))


def _is_film(name: str, frames: int) -> BadGeometry:
    return BadGeometry(
        f"{name} is a film, not a volume: all its {frames} pictures lie in the same place.",
        remedy="Open it as a clip, or name one picture of it.",
    )


def _mosaic(instance: Instance) -> Volume:
    """The slices that a Siemens mosaic holds side by side; they have no objects of their own to refer to."""
    path, header = instance.path, instance.header
    layout = layout_of(header, path)
    facts = facts_of(header)
    values, notes = _flat_values(instance, layout, facts, [0])
    array, geometry = unpacked(values[0], header.whole(), path)
    return Volume(
        np.ascontiguousarray(array),
        geometry,
        facts=facts,
        series_uid=text(header, "SeriesInstanceUID"),
        study_uid=text(header, "StudyInstanceUID"),
        notes=(*notes, f"It is a mosaic of {len(array)} slices, laid out by Siemens' private header."),
    )


def _refuse_film(instance: Instance) -> Image:
    """Raises BadGeometry, or Unreadable where the header promises frames that cannot be in the file."""
    layout = layout_of(instance.header, instance.path)
    check_frames(layout, instance.header, instance.path)
    raise _is_film(instance.path.name, layout.frames)


def _image(instance: Instance, item: str) -> Image:
    path, header = instance.path, instance.header
    _refuse_slides(header, path)
    layout = layout_of(header, path)
    check_frames(layout, header, path)
    if layout.frames > 1 and not item:
        raise AskedWrongly(
            f"{path.name} is a film of {layout.frames} frames ({kind_of(header)}).",
            remedy=f"Ask for one picture of it: 'frame:0' to 'frame:{layout.frames - 1}'.",
        )
    frame = numbered(item, "frame", layout.frames, path) if item else 0
    facts = facts_of(header)
    values, _ = _flat_values(instance, layout, facts, [frame])
    return Image(
        values[0],
        spacing_mm=_flat_spacing(header),
        facts=facts,
        origin=_origin(instance, frame + 1 if layout.frames > 1 else None),
        series_uid=text(header, "SeriesInstanceUID"),
        study_uid=text(header, "StudyInstanceUID"),
    )


def _film(instance: Instance) -> Clip:
    """All frames of one file."""
    path, header = instance.path, instance.header
    _refuse_slides(header, path)
    layout = layout_of(header, path)
    facts = facts_of(header)
    values, notes = _flat_values(instance, layout, facts, None)
    return Clip(
        values,
        seconds_of(header, layout.frames),
        _flat_spacing(header),
        facts,
        tuple(_origin(instance, n + 1) for n in range(layout.frames)),
        text(header, "SeriesInstanceUID"),
        text(header, "StudyInstanceUID"),
        notes,
    )


def _clip(film: Sequence[Plane], name: str) -> Clip:
    """Slices of one place after each other."""
    header = film[0].instance.header
    facts = facts_of(header)
    array, notes = _values(film, facts, name)
    return Clip(
        array,
        (),
        film[0].spacing,
        facts,
        _origins(film),
        text(header, "SeriesInstanceUID"),
        text(header, "StudyInstanceUID"),
        notes,
    )


def _flat_values(
    instance: Instance, layout: Layout, facts: Facts, wanted: list[int] | None
) -> tuple[Array, tuple[str, ...]]:
    """((frames, rows, columns[, 3]) on the modality's scale and bright where dense, notes)."""
    path, header = instance.path, instance.header
    stored = decode(header, path, wanted)
    if stored.ndim == 4:
        return eight_bits(stored), ()
    scales = [scale_of(header)] * len(stored)
    return _meant(stored, [header] * len(stored), scales, layout, facts, path)


def _meant(
    stored: Array,
    headers: "Sequence[Header]",
    scales: list[tuple[float, float]],
    layout: Layout,
    facts: Facts,
    path: Path,
) -> tuple[Array, tuple[str, ...]]:
    """From stored values (frames, rows, columns) to numbers that mean something, and what to say of it."""
    notes: list[str] = []
    for slope, intercept in set(scales):
        check_scale(slope, intercept, layout, path)
    inverted = layout.photometric == "MONOCHROME1" and facts.modality not in _QUANTITIES
    hounsfield = _unit(headers[0], facts) == "HU"
    if stored.dtype.kind in "iu":
        filled = 0
        ends = [padding_of(header, layout) for header in headers]
        if len(set(ends)) == 1:
            whole = ends[0]
            if whole is not None:
                filled = fill_padding(stored, whole, scales, hounsfield=hounsfield, dark=not inverted)
        else:
            for n, one in enumerate(ends):
                if one is not None:
                    filled += fill_padding(
                        stored[n : n + 1], one, scales[n : n + 1], hounsfield=hounsfield, dark=not inverted
                    )
        if filled:
            what = "air" if hounsfield else "the darkest real value"
            notes.append(f"Padding was filled with {what} ({filled / stored.size:.1%} of the pixels).")
    if "ModalityLUTSequence" in headers[0]:
        tables = [modality_table(header, path, signed=layout.signed) for header in headers]
        stored = np.stack([lookup(one, *table) for one, table in zip(stored, tables, strict=True) if table])
        # A table may be anything, so it is what comes out of it that is turned over.
        values: Array = (stored.max() - (stored - stored.min())).astype(stored.dtype) if inverted else stored
        return values, tuple(notes)
    return values_of(turned_over(stored, layout) if inverted else stored, scales), tuple(notes)


def _refuse_slides(header: "Header", path: Path) -> None:
    if text(header, "SOPClassUID") == _WHOLE_SLIDE:
        raise Unreadable(
            f"{path.name} is a whole slide in tiles, which is never read at once.", remedy="Open it as a slide."
        )


def _origin(instance: Instance, frame: int | None) -> Origin:
    header = instance.header
    return Origin(text(header, "SOPInstanceUID"), text(header, "SOPClassUID"), instance.path, frame)


def _origins(planes: Sequence[Plane]) -> tuple[Origin, ...]:
    return tuple(_origin(one.instance, None if one.frame is None else one.frame + 1) for one in planes)


def _flat_spacing(header: "Header") -> tuple[float, float] | None:
    """mm between rows and columns in the patient; None where it is not known, also when it is written as 0."""
    spacing = numbers(header, "PixelSpacing")
    if len(spacing) == 2 and min(spacing) > 0:
        return spacing[0], spacing[1]
    detector = numbers(header, "ImagerPixelSpacing")
    magnification = number(header, "EstimatedRadiographicMagnificationFactor")
    # On the detector everything is larger than in the patient; without the factor these are other millimetres.
    if len(detector) == 2 and min(detector) > 0 and magnification and magnification > 0:
        return detector[0] / magnification, detector[1] / magnification
    return region_spacing(header)


def _planes(instances: list[Instance], name: str) -> list[Plane] | None:
    """Every slice of these files; None when they are flat pictures."""
    if any("LOCALIZER" in text(one.header, "ImageType") for one in instances):
        return None  # a scout is looked at, never measured in
    check_concatenations(instances, name)
    planes: list[Plane] = []
    lost = 0
    for instance in instances:
        found = planes_of(instance)
        planes += found
        lost += not found
    if lost and (planes or (len(instances) > 1 and text(instances[0].header, "SOPClassUID") in _SLICES)):
        raise BadGeometry(
            f"{name}: {lost} of {len(instances)} images do not say where they lie in the patient.",
            remedy="Export the original series; secondary captures and screenshots cannot be stacked.",
        )
    return planes or None


def _values(planes: Sequence[Plane], facts: Facts, name: str) -> tuple[Array, tuple[str, ...]]:
    """((slices, rows, columns) of numbers that mean something, notes), whole series decoded in parallel."""
    first = planes[0].instance
    layout = layout_of(first.header, first.path)
    stored = decode_all([(one.instance.path, one.instance.header, one.frame) for one in planes])
    if stored.ndim != 3:
        raise Unreadable(f"{name} is in colour.", remedy="Export the original series in grey.")
    return _meant(
        stored, [one.instance.header for one in planes], [one.scale for one in planes], layout, facts, first.path
    )


def _volume(stack: Stack, name: str) -> Volume:
    header = stack.planes[0].instance.header
    facts = facts_of(header)
    array, notes = _values(stack.planes, facts, name)
    unit = _unit(header, facts)
    notes = (*stack.notes, *notes, *_told_of(header, facts, unit))
    if facts.modality == "PT":
        array, unit, said = _uptake(array, stack.planes, unit, name)
        notes += said
    return Volume(
        array,
        stack.geometry(*array.shape[1:]),
        unit=unit,
        facts=facts,
        origins=_origins(stack.planes),
        series_uid=text(header, "SeriesInstanceUID"),
        study_uid=text(header, "StudyInstanceUID"),
        notes=notes,
    )


def _unit(header: "Header", facts: Facts) -> str:
    if facts.modality == "PT":
        return _PET_UNITS.get(text(header, "Units").upper(), "")
    if facts.modality != "CT":
        return ""
    places = [header]
    if "PerFrameFunctionalGroupsSequence" in header:
        groups = (*sequence(header, "PerFrameFunctionalGroupsSequence")[:1],
                  *sequence(header, "SharedFunctionalGroupsSequence")[:1])  # fmt: skip
        places += [item for one in groups for item in sequence(one, "PixelValueTransformationSequence")]
    # A CT without an intercept is not on the scale of HU, whatever it is on (PS3.3 C.8.2.1: type 1).
    scaled = any(number(one, "RescaleIntercept") is not None for one in places)
    kinds = {kind for one in places if (kind := text(one, "RescaleType").upper())}
    return "HU" if scaled and kinds <= {"HU"} else ""


def _told_of(header: "Header", facts: Facts, unit: str) -> tuple[str, ...]:
    """What the header leaves open."""
    if facts.modality == "CT" and unit != "HU":
        return ("The header does not say that its numbers are HU.",)
    if facts.modality == "MR" and "RealWorldValueMappingSequence" in header:
        return ("The header maps the numbers to a real-world value as well; that was not applied.",)
    return ()


def _suv_of(instances: list[Instance], name: str) -> SuvScale:
    """Makers' private elements take a whole parser, and are only looked for where public ones are not enough."""
    try:
        scale = suv_scale([one.header for one in instances], name=name)
        if not scale.flags:
            return scale
    except NoSuv:
        pass
    return suv_scale([one.header.whole() for one in instances], name=name)


def _uptake(array: Array, planes: Sequence[Plane], unit: str, name: str) -> tuple[Array, str, tuple[str, ...]]:
    """PET as SUV by body weight; in its own unit, with the reason, where no SUV can be known."""
    instances = list({id(one.instance): one.instance for one in planes}.values())
    try:
        scale = _suv_of(instances, name)
    except NoSuv as error:
        return array, unit, (f"No SUV: {error.problem}",)
    factor = {id(one): np.float32(each) for one, each in zip(instances, scale.factors, strict=True)}
    out = np.empty(array.shape, np.float32)
    for n, one in enumerate(planes):
        np.multiply(array[n], factor[id(one.instance)], out=out[n])
    return out, "SUV", scale.flags

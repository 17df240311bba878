"""What DICOM files hold for learning: pictures, and the structures and segments that were drawn on them.

Source: DICOM PS3.3 C.8.8.5 and C.8.8.6 (what a structure set refers to), C.8.20.2 and C.7.6.16.2.6 (what a
segmentation was made from).
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadGeometry, BadInput
from osler.core.geometry import Geometry
from osler.io.dicom import segmentation, structures
from osler.io.dicom.find import Found, Instance, Series, image_type_of
from osler.io.dicom.frames import groups_of
from osler.io.dicom.group import group
from osler.io.dicom.kinds import LABEL_MAP, SEGMENTATION, STRUCTURES
from osler.io.dicom.mosaic import is_mosaic
from osler.io.dicom.multiframe import planes_of
from osler.io.dicom.parse import Headed, number, read_header, sequence, text
from osler.lab.catalog.dataset import Source

# Each file of a radiograph "series" is a view of its own; only these are stacks of slices.
_STACKED = ("CT", "PT", "MR", "NM")
_NOWHERE: Array = np.zeros((0, 3))
_NEAR = 0.1  # slices: how far from a slice's plane an outline may lie and still be drawn on it
_BEYOND = 0.6  # slices: an outline further out lies beyond the pictures


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One picture: a series of slices, or one image.

    source    how to open it; None where the files of its series cannot be opened as one picture
    series    its files
    modality  "CT", "PT", "MR", "DX", ...
    patient   a pseudonym
    frame_uid  its frame of reference, "" where it has none
    instance_uids  of its files
    """

    source: Source | None
    series: Series
    modality: str
    patient: str
    frame_uid: str
    instance_uids: frozenset[str]

    def grid(self) -> Geometry | None:
        """Where its voxels lie, from the headers; None for a flat picture.

        Raises BadGeometry when the slices make no volume, or several, and what reading headers raises.
        """
        if self.modality not in _STACKED:
            return None
        planes = [plane for one in self.series.instances for plane in planes_of(one)]
        if not planes:
            return None
        grouped = group(planes, self.series.name)
        if len(grouped.stacks) != 1 or grouped.films or grouped.scouts:
            if grouped.failures:
                raise grouped.failures[0]
            raise BadGeometry(
                f"{self.series.name} makes {len(grouped.stacks)} volumes.", remedy="Give each one a series."
            )
        header = self.series.instances[0].header
        return grouped.stacks[0].geometry(int(number(header, "Rows") or 0), int(number(header, "Columns") or 0))


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """One structure or segment.

    item     how to ask the object for it: "roi:5", "segment:2"
    name     as somebody typed it
    drawn    False for a structure that is named and was not found
    centres  (N, 3) LPS mm, the middle of each of its outlines; (0, 3) for a segment
    """

    item: str
    name: str
    drawn: bool = True
    centres: Array = field(default_factory=lambda: _NOWHERE)

    def lies_within(self, grid: Geometry) -> bool:
        """Is every plane that was drawn on a slice of the grid, or between two?"""
        if not len(self.centres):
            return True
        slices = grid.to_index(self.centres)[:, 0]
        return bool(((slices >= -_BEYOND) & (slices <= grid.shape[0] - 1 + _BEYOND)).all())


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """One RTSTRUCT or SEG, and what it was drawn on.

    patient        a pseudonym
    names          its structures or segments, in the order of the file
    frame_uid      frame of reference
    series_uids    the series that it names
    instance_uids  the images that it names
    """

    path: Path
    patient: str
    names: tuple[Named, ...]
    frame_uid: str
    series_uids: frozenset[str]
    instance_uids: frozenset[str]


def pictures_shown(found: Found) -> list[Shown]:
    """Every picture that may be learnt from; pictures for planning a scan are left out."""
    crowd = Counter(folder for series in found.series if series.picture for folder in _folders(series))
    shown = []
    for series in found.series:
        first = series.instances[0].header
        if not series.picture or is_mosaic(first) or "localizer" in image_type_of(first):
            continue
        stacked = text(first, "Modality").upper() in _STACKED
        for instances in [series.instances] if stacked else [(one,) for one in series.instances]:
            if stacked or (number(instances[0].header, "NumberOfFrames") or 1) == 1:
                shown.append(_shown(series, instances, crowd))
    return shown


def objects_drawn(found: Found) -> tuple[list[Drawn], list[str]]:
    """(every RTSTRUCT and SEG that can be read, the names of the files of those that cannot)."""
    drawn, broken = [], []
    for series in found.series:
        for one in series.instances:
            kind = text(one.header, "SOPClassUID")
            if kind not in (STRUCTURES, SEGMENTATION, LABEL_MAP):
                continue
            try:
                drawn.append(_structures(one) if kind == STRUCTURES else _segments(one))
            except BadInput:
                broken.append(one.path.name)
    return drawn, broken


def has_outlines(found: Found) -> bool:
    """Is there any RTSTRUCT or SEG?"""
    kinds = (STRUCTURES, SEGMENTATION, LABEL_MAP)
    return any(text(series.instances[0].header, "SOPClassUID") in kinds for series in found.series)


def by_picture(objects: Sequence[Drawn], pictures: Sequence[Shown]) -> tuple[dict[Shown, list[Drawn]], int]:
    """(picture -> what was drawn on it, number of objects of which it is not here, or nothing tells which it is).

    By the series that an object names, of several the one with the images it names, in the same frame of
    reference: some archives give objects other UIDs for images than the pictures have, or those of a copy. Else by
    the images alone; else by the only picture of the patient in that frame on whose slices all outlines lie, of
    several the CT.
    """
    by_image = {uid: shown for shown in pictures for uid in shown.instance_uids}
    by_series: dict[str, list[Shown]] = defaultdict(list)
    by_patient: dict[str, list[Shown]] = defaultdict(list)
    for shown in pictures:
        by_series[shown.series.uid].append(shown)
        by_patient[shown.patient].append(shown)
    placed: dict[Shown, list[Drawn]] = defaultdict(list)
    lost = 0
    for one in objects:
        hits = Counter(by_image[uid] for uid in one.instance_uids if uid in by_image)
        named = [shown for uid in one.series_uids for shown in by_series.get(uid, ())]
        found = _drawn_on(one, hits, named, by_patient[one.patient])
        if found is None:
            lost += 1
        else:
            placed[found].append(one)
    return dict(placed), lost


def _drawn_on(one: Drawn, hits: Counter[Shown], named: Sequence[Shown], patient: Sequence[Shown]) -> Shown | None:
    """The picture that an object was drawn on.

    hits     picture -> how many of the images that the object names are in it
    named    the pictures of the series that it names
    patient  all pictures of the patient
    """
    framed = [shown for shown in named if one.frame_uid in ("", shown.frame_uid)]
    for pictures in (framed, list(hits)):
        hit = max(pictures, key=lambda shown: hits[shown], default=None)
        if hit is not None and (hits[hit] or len(pictures) == 1):
            return hit
    if not one.frame_uid or (named and not framed):
        return None
    there = framed or [shown for shown in patient if shown.frame_uid == one.frame_uid]
    fitting = [shown for shown in there if _fits(one, shown)]
    for few in (fitting, [shown for shown in fitting if shown.modality == "CT"]):
        if len(few) == 1:
            return few[0]
    return None


def _fits(one: Drawn, shown: Shown) -> bool:
    """Do all outlines lie on slices of the picture?"""
    try:
        grid = shown.grid()
    except BadInput:
        return False
    if grid is None:
        return False
    centres = np.concatenate([named.centres for named in one.names] or [_NOWHERE])
    if not len(centres):
        return True
    slices = grid.to_index(centres)[:, 0]
    near = np.abs(slices - np.rint(slices)) <= _NEAR
    return bool(near.all() and slices.min() > -_NEAR and slices.max() < grid.shape[0] - 1 + _NEAR)


def _shown(series: Series, instances: tuple[Instance, ...], crowd: Counter[Path]) -> Shown:
    first = instances[0].header
    folders = {one.path.parent for one in instances}
    source = None
    if len(instances) == 1:
        source = Source(instances[0].path)
    elif len(folders) == 1 and series.parts == 1:
        folder = folders.pop()
        source = Source(folder, "" if crowd[folder] == 1 else series.item)
    return Shown(
        source,
        series,
        text(first, "Modality").upper(),
        _pseudonym(first),
        text(first, "FrameOfReferenceUID"),
        frozenset(uid for one in instances if (uid := text(one.header, "SOPInstanceUID"))),
    )


def _folders(series: Series) -> set[Path]:
    return {one.path.parent for one in series.instances}


def _pseudonym(header: Headed) -> str:
    """Who it is, in a way that nobody is named; without a Patient ID each study is somebody else."""
    who = text(header, "PatientID")
    kind, said = ("patient", who) if who else ("study", text(header, "StudyInstanceUID"))
    return f"{kind} {hashlib.sha256(said.encode()).hexdigest()[:12]}"


def _structures(one: Instance) -> Drawn:
    found = structures.read_structures(one.path)
    names = []
    for structure in found.structures:
        closed = [line for line in structure.contours if line.closed]
        if closed or not structure.contours:  # points and open lines enclose nothing
            centres = np.array([line.points.mean(axis=0) for line in closed]).reshape(-1, 3)
            name = structure.name or f"roi {structure.number}"
            names.append(Named(f"roi:{structure.number}", name, bool(closed), centres))
    lines = (line for structure in found.structures for line in structure.contours)
    images = {line.instance_uid for line in lines} - {""}
    return Drawn(
        one.path,
        _pseudonym(one.header),
        tuple(names),
        found.frame_uid,
        frozenset(found.series_uids),
        frozenset(images or found.instance_uids),
    )


def _segments(one: Instance) -> Drawn:
    names = tuple(
        Named(f"segment:{segment.number}", segment.label) for segment in segmentation.read_segments(one.path)
    )
    header = read_header(one.path)
    series = sequence(header, "ReferencedSeriesSequence")
    images = _images(item for place in series for item in sequence(place, "ReferencedInstanceSequence"))
    if not images:
        derived = groups_of(header, "DerivationImageSequence")
        images = _images(item for place in derived for item in sequence(place, "SourceImageSequence"))
    return Drawn(
        one.path,
        _pseudonym(one.header),
        names,
        text(header, "FrameOfReferenceUID"),
        frozenset(uid for place in series if (uid := text(place, "SeriesInstanceUID"))),
        frozenset(images),
    )


def _images(items: Iterable[Headed]) -> set[str]:
    return {uid for item in items if (uid := text(item, "ReferencedSOPInstanceUID"))}

"""Outlines that came with a request, read onto the pictures of the study that they belong to."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from osler.core.arrays import Array
from osler.core.contours import Structure
from osler.core.errors import AskedWrongly, BadGeometry, BadPixels
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.report import Problem
from osler.core.study import Study
from osler.core.volume import Volume
from osler.results.sentences import listed, say

# Which picture takes an outline that names none: the one that shows anatomy.
_BY_MODALITY = ("CT", "MR", "PT")


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """What others outlined on a study.

    layers    (index of the study's picture, mask): structures that overlap lie in different layers, as a voxel has
              one label; the numbers of one picture's labels are all different
    kinds     what each label is for, as planning systems say it: (picture, label) -> "GTV", "ORGAN", ...
    cautions  which structures were taken from which file, and which could not be
    digest    sha256 over the files
    """

    layers: tuple[tuple[int, Mask], ...]
    kinds: dict[tuple[int, int], str] = field(default_factory=dict)
    cautions: tuple[Problem, ...] = ()
    digest: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What was outlined, each name once."""
        return tuple(dict.fromkeys(name for _, mask in self.layers for name in mask.labels.values()))


def read_outlines(study: Study, paths: Sequence[Path]) -> Outlines:
    """The outlines of every file, on the grids of the study's pictures.

    A structure set or a DICOM segmentation goes to the series that it was drawn on, or to another one of the same
    frame of reference; a mask without either to the picture whose grid it lies on.

    Raises BadGeometry for outlines of another frame of reference or beside every picture, BadPixels for a mask
    without voxels, AskedWrongly for outlines of another patient, and what reading the files raises.
    """
    sheets: dict[int, _Sheet] = {}
    cautions: list[Problem] = []
    digest = hashlib.sha256()
    for path in paths:
        index, drawn, remarks = _read(study, Path(path))
        digest.update(Path(path).read_bytes())
        sheet = sheets.setdefault(index, _Sheet(study, index))
        taken, empty = [], []
        for one in drawn:
            if one.there.any():
                taken.append(sheet.add(one))
            else:
                empty.append(one.name)
        if not taken:
            raise BadPixels(
                f"{Path(path).name} outlines no voxel of the study.",
                remedy="Give outlines that were drawn on this study, and that hold something.",
            )
        what = say("outlines.taken", file=Path(path).name, names=listed(taken), picture=_called(study, index))
        cautions.append(Problem(what, say("outlines.taken.remedy"), "outlines"))
        if empty:
            what = say("outlines.empty", file=Path(path).name, names=listed(empty))
            cautions.append(Problem(what, say("outlines.empty.remedy"), "outlines"))
        cautions += [Problem(remark, say("outlines.remark.remedy"), "outlines") for remark in remarks]
    layers = tuple((index, mask) for index, sheet in sorted(sheets.items()) for mask in sheet.masks())
    kinds = {(index, label): kind for index, sheet in sheets.items() for label, kind in sheet.kinds.items()}
    return Outlines(layers, kinds, tuple(cautions), digest.hexdigest())


@dataclass(frozen=True, slots=True, eq=False)
class _One:
    """One structure: where it is on its picture's grid, booleans, and what it is for."""

    name: str
    there: Array
    kind: str = ""


class _Sheet:
    """The structures of one picture, in as many layers as their overlaps need."""

    def __init__(self, study: Study, index: int) -> None:
        self._picture = study.pictures[index]
        self._layers: list[tuple[Array, dict[int, str]]] = []
        self._names: set[str] = set()
        self.kinds: dict[int, str] = {}

    def add(self, one: _One) -> str:
        """Draw a structure onto the first layer where it overlaps nothing; returns what it is called."""
        name, count = one.name, 2
        while name in self._names:
            name, count = f"{one.name} ({count})", count + 1
        self._names.add(name)
        label = len(self._names)
        self.kinds[label] = one.kind
        layer = next((layer for layer in self._layers if not layer[0][one.there].any()), None)
        if layer is None:
            layer = (np.zeros(one.there.shape, np.uint16), {})
            self._layers.append(layer)
        layer[0][one.there] = label
        layer[1][label] = name
        return name

    def masks(self) -> Iterator[Mask]:
        for array, names in self._layers:
            if isinstance(self._picture, Volume):
                yield Mask(array, names, geometry=self._picture.geometry)
            else:
                yield Mask(array, names, spacing_mm=self._picture.spacing_mm)


def _read(study: Study, path: Path) -> tuple[int, Iterator[_One], tuple[str, ...]]:
    """(index of the picture, what was drawn on it, remarks), by the kind of the file."""
    from osler.io.dicom.kinds import LABEL_MAP, SEGMENTATION, STRUCTURES
    from osler.io.dicom.parse import is_dicom, text
    from osler.io.dicom.scan import scan_header

    if path.is_dir():
        raise AskedWrongly(f"{path.name} is a folder, no outlines.", remedy="Give the file that holds them.")
    kind = text(scan_header(path), "SOPClassUID") if path.is_file() and is_dicom(path) else ""
    if kind == STRUCTURES:
        return _structures(study, path)
    if kind in (SEGMENTATION, LABEL_MAP):
        return _segments(study, path)
    return _mask(study, path)


def _structures(study: Study, path: Path) -> tuple[int, Iterator[_One], tuple[str, ...]]:
    from osler.imaging.contours import rasterize
    from osler.io.dicom.structures import read_structures

    found = read_structures(path)
    _refuse_another_patient(study, path)
    index, remarks = _picture_of(study, path, found.series_uids, found.frame_uid)
    grid = _volume(study, index, path).geometry
    closed = [one for one in found.structures if any(line.closed for line in one.contours)]
    if not closed:
        raise BadPixels(f"{path.name} encloses nothing.", remedy="Give a structure set with closed outlines.")
    remarks += tuple(_beyond(one, grid, path) for one in closed if _cut(one, grid))
    on_it = study.pictures[index].series_uid in found.series_uids
    apart = _slice_distance(grid) if on_it else None
    drawn = (
        _One(one.name or f"roi {one.number}", rasterize(one.contours, grid, apart_mm=apart), one.kind)
        for one in closed
    )
    return index, drawn, remarks


def _cut(structure: Structure, grid: Geometry) -> int:
    """How many of its closed lines lie beyond the slices."""
    middles = np.array([line.points.mean(axis=0) for line in structure.contours if line.closed])
    slices = grid.to_index(middles)[:, 0]
    return int(((slices < -0.6) | (slices > grid.shape[0] - 0.4)).sum())


def _beyond(structure: Structure, grid: Geometry, path: Path) -> str:
    lines = sum(line.closed for line in structure.contours)
    name = structure.name or f"roi {structure.number}"
    return say("outlines.beyond", file=path.name, name=name, number=_cut(structure, grid), lines=lines)


def _segments(study: Study, path: Path) -> tuple[int, Iterator[_One], tuple[str, ...]]:
    from osler.io.dicom.parse import read_header, sequence, text
    from osler.io.dicom.segmentation import read_segmentation, read_segments

    header = read_header(path)
    _refuse_another_patient(study, path)
    series = [text(one, "SeriesInstanceUID") for one in sequence(header, "ReferencedSeriesSequence")]
    index, remarks = _picture_of(study, path, series, text(header, "FrameOfReferenceUID"))
    picture = study.pictures[index]
    grid = picture.geometry if isinstance(picture, Volume) else None
    segments = read_segments(path)
    first = read_segmentation(path, f"segment:{segments[0].number}", grid)

    def drawn() -> Iterator[_One]:
        for one in segments:
            read = first if one is segments[0] else read_segmentation(path, f"segment:{one.number}", grid)
            if read.mask.array.shape != picture.array.shape[: read.mask.array.ndim]:
                raise _beside(path)
            yield _One(one.label, read.mask.of(one.number))

    return index, drawn(), (*remarks, *first.remarks)


def _mask(study: Study, path: Path) -> tuple[int, Iterator[_One], tuple[str, ...]]:
    """A mask of label numbers. Its grid says where it belongs: a file like that names no frame of reference."""
    from osler.io.open import open_mask

    mask = open_mask(path)
    remarks: tuple[str, ...] = ()
    if mask.geometry is None:
        fits = [
            n
            for n, p in enumerate(study.pictures)
            if isinstance(p, Image) and p.array.shape[:2] == mask.array.shape
        ]
        if not fits:
            raise _beside(path)
        index = fits[0]
    else:
        index, mask, remarks = _onto_a_grid(study, mask, path)

    drawn = (_One(_named(name), mask.of(label)) for label, name in mask.labels.items())
    return index, drawn, remarks


def _onto_a_grid(study: Study, mask: Mask, path: Path) -> tuple[int, Mask, tuple[str, ...]]:
    """The mask on the grid of the picture that it lies on; by the nearest voxel where it has a grid of its own."""
    volumes = [(n, p) for n, p in enumerate(study.pictures) if isinstance(p, Volume)]
    grid = mask.geometry
    if grid is None or not volumes:
        raise _beside(path)
    own = [(n, p) for n, p in volumes if p.geometry.matches(grid, tolerance_mm=0.1)]
    if own:
        return min(own, key=_preferred)[0], mask, ()
    there = grid.to_world(np.argwhere(mask.array)[::97] if mask.array.any() else np.zeros((0, 3)))
    inside = [(n, p) for n, p in volumes if len(there) and _holds(p.geometry, there)]
    if not inside:
        if not mask.array.any():
            raise BadPixels(f"{path.name} outlines no voxel.", remedy="Give a mask that holds something.")
        raise _beside(path)
    from osler.imaging.resample import resample_to

    index, picture = min(inside, key=_preferred)
    moved = resample_to(mask.array, grid, picture.geometry, nearest=True)
    told = say("outlines.resampled", file=path.name, picture=_called(study, index))
    return index, Mask(moved, mask.labels, geometry=picture.geometry), (told,)


def _picture_of(study: Study, path: Path, series: Sequence[str], frame: str) -> tuple[int, tuple[str, ...]]:
    """(index of the picture that was drawn on, remarks): by series, else by frame of reference."""
    own = [n for n, picture in enumerate(study.pictures) if picture.series_uid and picture.series_uid in series]
    if own:
        return own[0], ()
    volumes = [(n, p) for n, p in enumerate(study.pictures) if isinstance(p, Volume)]
    frames = {n: frame_of(p) for n, p in volumes}
    same = [(n, p) for n, p in volumes if frame and frames[n] == frame]
    if not same and not any(frames.values()) and volumes:
        index = min(volumes, key=_preferred)[0]
        return index, (say("outlines.frame_unknown", file=path.name, picture=_called(study, index)),)
    if not same:
        raise BadGeometry(
            f"{path.name} lies in another frame of reference than the pictures of the study.",
            remedy="Give the outlines that were drawn on this study, or the study that they were drawn on.",
        )
    index = min(same, key=_preferred)[0]
    return index, (say("outlines.other_series", file=path.name, picture=_called(study, index)),)


def frame_of(volume: Volume) -> str:
    """The Frame of Reference UID of a volume that was read from DICOM; "" of others."""
    if not volume.origins:
        return ""
    from osler.io.dicom.parse import text
    from osler.io.dicom.scan import scan_header

    return text(scan_header(volume.origins[0].path), "FrameOfReferenceUID")


def _refuse_another_patient(study: Study, path: Path) -> None:
    from osler.io.dicom.find import digest_of_patient, find_objects

    theirs = digest_of_patient(find_objects([path]).series)
    if theirs and study.patient and theirs != study.patient:
        raise AskedWrongly(
            f"{path.name} is of another patient than the study.",
            remedy="Give one request for each patient.",
        )


def _preferred(one: tuple[int, Volume]) -> tuple[int, int]:
    modality = one[1].facts.modality
    return (_BY_MODALITY.index(modality) if modality in _BY_MODALITY else len(_BY_MODALITY), one[0])


def _holds(grid: Geometry, points: Array) -> bool:
    index = grid.to_index(points)
    return bool((((index > -1) & (index < grid.shape)).all(axis=1)).mean() > 0.5)


def _volume(study: Study, index: int, path: Path) -> Volume:
    picture = study.pictures[index]
    if not isinstance(picture, Volume):
        raise BadGeometry(
            f"{path.name} was drawn on flat pictures.", remedy="Give structures drawn on CT, MR or PET slices."
        )
    return picture


def _slice_distance(grid: Geometry) -> float:
    """mm between the planes of neighbouring slices, also of a tilted stack."""
    normal: Array = np.cross(grid.affine[:3, 2], grid.affine[:3, 1])
    return abs(float(normal @ grid.affine[:3, 0] / np.linalg.norm(normal)))


def _named(name: str) -> str:
    """A label that the file names by its number alone gets a word."""
    return say("outlines.label", number=name) if name.isdecimal() else name


def _called(study: Study, index: int) -> str:
    """A picture of the study for a sentence: "picture 2 (CT)"."""
    modality = study.pictures[index].facts.modality
    kind = say("outlines.kind", modality=modality) if modality else ""
    return say("outlines.picture", number=index + 1, kind=kind)


def _beside(path: Path) -> BadGeometry:
    return BadGeometry(
        f"{path.name} lies on no picture of the study.",
        remedy="Give a mask on the grid of one of the study's pictures.",
    )

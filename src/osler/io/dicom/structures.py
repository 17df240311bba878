"""Radiotherapy structure sets (RTSTRUCT): outlines from files, and masks from outlines.

Source: DICOM PS3.3 A.19, C.8.8.5 (Structure Set), C.8.8.6 (ROI Contour) and C.8.8.8 (RT ROI Observations).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from osler.core.arrays import Array
from osler.core.contours import Contour, Structure, StructureSet
from osler.core.errors import AskedWrongly, BadGeometry, BadInput, Unreadable
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.volume import Volume
from osler.imaging.contours import rasterize
from osler.io.dicom.kinds import is_image
from osler.io.dicom.parse import Headed, is_dicom, kind_of, number, numbers, read_header, sequence, text
from osler.io.dicom.scan import scan_header
from osler.io.dicom.stack import read_folder

if TYPE_CHECKING:
    from pydicom import Dataset

RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
_CONTOUR_DATA = 0x30060050
_FARTHEST_MM = 1e5  # from the origin; nothing of a patient lies there
_MOST_FILES = 20_000  # looked at in search of the pictures


def is_structures(header: Headed) -> bool:
    """Is it a structure set?"""
    return text(header, "SOPClassUID") == RTSTRUCT


def read_structures(path: Path) -> StructureSet:
    """Everything that a structure set outlines, in LPS mm.

    Raises Unreadable for a damaged file or one of another kind.
    """
    path = Path(path)
    header = read_header(path)
    if not is_structures(header):
        raise Unreadable(f"{path.name} is a {kind_of(header)}, no structure set.", remedy="Give an RTSTRUCT file.")
    drawn: dict[int, Dataset] = {}
    for item in sequence(header, "ROIContourSequence"):
        drawn.setdefault(_whole(item, "ReferencedROINumber", path), item)
    kinds: dict[int, str] = {}
    for item in sequence(header, "RTROIObservationsSequence"):
        kinds.setdefault(_whole(item, "ReferencedROINumber", path), text(item, "RTROIInterpretedType"))
    structures: list[Structure] = []
    for item in sequence(header, "StructureSetROISequence"):
        roi = _whole(item, "ROINumber", path)
        if any(one.number == roi for one in structures):
            raise _broken(path, f"two structures have the number {roi}")
        lines = drawn.get(roi)
        structures.append(
            Structure(
                roi,
                text(item, "ROIName"),
                kinds.get(roi, ""),
                _colour(lines) if lines is not None else None,
                tuple(_contours(lines, path)) if lines is not None else (),
            )
        )
    if not structures:
        raise _broken(path, "it names no structure")
    frames = [text(item, "FrameOfReferenceUID") for item in sequence(header, "ReferencedFrameOfReferenceSequence")]
    series = list(_referenced_series(header))
    return StructureSet(
        tuple(structures),
        next(filter(None, [*frames, text(header, "FrameOfReferenceUID")]), ""),
        tuple(dict.fromkeys(uid for uid, _ in series if uid)),
        tuple(dict.fromkeys(uid for _, instances in series for uid in instances)),
    )


def read_mask(path: Path, item: str = "", grid: Geometry | None = None) -> Mask:
    """The voxels inside the outlines.

    item  "" for all structures that enclose something; "roi:5" or "roi:Heart" for the one with that number or
          name, empty if it was never drawn
    grid  which voxels; without it those of the pictures that were outlined, looked for beside it

    Labels are ROI numbers, named by the structures; where a number is no label (0, below, or beyond 65535), all
    are counted from 1 in the order of the file.

    Raises Unreadable for a damaged file; AskedWrongly for a structure that is not there, or a name that several
    have; BadInput where structures overlap, one encloses nothing, or the pictures are not found; BadGeometry for
    outlines that are not flat or that lie outside the grid.
    """
    path = Path(path)
    found = read_structures(path)
    if item:
        chosen = [_chosen(found, item, path)]
        if chosen[0].contours and not any(line.closed for line in chosen[0].contours):
            raise BadInput(
                f"Structure {chosen[0].number} of {path.name} is points or open lines and encloses nothing.",
                remedy="Ask for another structure.",
            )
    else:
        chosen = [one for one in found.structures if any(line.closed for line in one.contours)]
        if not chosen:
            raise BadInput(f"No structure of {path.name} encloses anything.", remedy="Give another set.")
    apart = None
    if grid is None:
        grid = find_source(path, found, chosen).geometry
        apart = _slice_distance(grid)
    numbered = [one.number for one in chosen]
    if not all(0 < one <= 65535 for one in numbered):
        numbered = list(range(1, len(chosen) + 1))
    array = np.zeros(grid.shape, np.uint8 if max(numbered) < 256 else np.uint16)
    for label, one in zip(numbered, chosen, strict=True):
        inside = rasterize(one.contours, grid, apart_mm=apart)
        if not inside.any() and one.contours:
            _check_place(one, grid, path)
        if (array[inside] != 0).any():
            other = chosen[numbered.index(int(array[inside].max()))].number
            raise BadInput(
                f"Structures {other} and {one.number} of {path.name} overlap; a voxel has one label.",
                remedy=f"Ask for one of them: 'roi:{other}' or 'roi:{one.number}'.",
            )
        array[inside] = label
    names = {label: one.name or f"roi {one.number}" for label, one in zip(numbered, chosen, strict=True)}
    return Mask(array, names, geometry=grid)


def items(path: Path) -> tuple[str, ...]:
    """An item for each structure that encloses something. Raises Unreadable."""
    structures = read_structures(path).structures
    return tuple(f"roi:{one.number}" for one in structures if any(line.closed for line in one.contours))


def find_source(path: Path, found: StructureSet, chosen: Sequence[Structure] = ()) -> Volume:
    """The pictures that were outlined: in the folder of `path`, below it, or below the one above it.

    chosen  the structures whose slices must all be there; without it those of all structures

    Slices are known by their SOP Instance UID. Archives that take identity off sometimes give the structure set
    other ones than the pictures; then it is the series' UID, in the same frame of reference, that counts.

    Raises BadInput when they are not found or not all there, and what reading a series raises.
    """
    lines = [line for one in chosen or found.structures for line in one.contours]
    needed = {line.instance_uid for line in lines} - {""} or set(found.instance_uids)
    if not needed and not found.series_uids:
        raise BadInput(
            f"{path.name} does not say which pictures were outlined.", remedy="Give the grid of the pictures."
        )
    places = _places(path, found, needed)
    best = max(places, key=lambda key: (len(places[key]), key[1] in found.series_uids), default=None)
    if best is None or 0 < len(places[best]) < len(needed):
        missing = len(needed) - (len(places[best]) if best else 0)
        raise BadInput(
            f"{missing} of the {len(needed)} pictures that {path.name} was drawn on are not beside it.",
            remedy="Put the series in the same folder or in one beside it, or give the grid of the pictures.",
        )
    picture = read_folder(best[0], f"series:{best[1]}")
    if not isinstance(picture, Volume):
        raise BadInput(
            f"{path.name} was drawn on flat pictures.", remedy="Give structures drawn on CT, MR or PET slices."
        )
    _check_covered(lines, picture.geometry, path)
    return picture


def _places(path: Path, found: StructureSet, needed: set[str]) -> dict[tuple[Path, str], set[str]]:
    """(folder, Series Instance UID) -> the needed slices in it, from the nearest folders that hold any.

    A series that has the right UID and other slices is there with none.
    """
    places: dict[tuple[Path, str], set[str]] = {}
    seen: set[Path] = set()
    here = path.resolve().parent
    for top, depth in ((here, 0), (here, 2), (here.parent, 2)):
        for folder in _folders(top, depth):
            if folder in seen:
                continue
            seen.add(folder)
            for file in _files(folder):
                if len(seen) > _MOST_FILES:
                    break
                seen.add(file)
                if not is_dicom(file):
                    continue
                try:
                    header = scan_header(file)
                except Unreadable:
                    continue  # it is not what we look for
                uid, series = text(header, "SOPInstanceUID"), text(header, "SeriesInstanceUID")
                frame = text(header, "FrameOfReferenceUID")
                related = series in found.series_uids and frame == found.frame_uid != "" and is_image(header)
                if uid in needed or related:
                    places.setdefault((folder, series), set()).update({uid} & needed)
        if any(place == needed for place in places.values()) or (places and not any(places.values())):
            break
    return places


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(file for file in folder.iterdir() if file.is_file())
    except OSError:
        return []  # a folder that may not be read holds nothing for us


def _folders(top: Path, depth: int) -> Iterator[Path]:
    yield top
    if depth:
        try:
            below = sorted(one for one in top.iterdir() if one.is_dir() and not one.is_symlink())
        except OSError:
            return
        for folder in below:
            if not folder.name.startswith("."):
                yield from _folders(folder, depth - 1)


def _check_covered(lines: Sequence[Contour], grid: Geometry, path: Path) -> None:
    """Every plane that was drawn on must be a slice of the pictures, or lie between two."""
    closed = [line.points.mean(axis=0) for line in lines if line.closed]
    if closed:
        slices = grid.to_index(np.array(closed))[:, 0]
        beyond = int(((slices < -0.6) | (slices > grid.shape[0] - 0.4)).sum())
        if beyond:
            raise BadInput(
                f"{beyond} of {len(closed)} contours of {path.name} lie beyond the pictures beside it.",
                remedy="Put the whole series beside it, or give the grid of the pictures.",
            )


def _referenced_series(header: "Dataset") -> Iterator[tuple[str, list[str]]]:
    """(Series Instance UID, SOP Instance UIDs) of the pictures that the set was drawn on."""
    for frame in sequence(header, "ReferencedFrameOfReferenceSequence"):
        for study in sequence(frame, "RTReferencedStudySequence"):
            for series in sequence(study, "RTReferencedSeriesSequence"):
                images = sequence(series, "ContourImageSequence")
                uids = [uid for one in images if (uid := text(one, "ReferencedSOPInstanceUID"))]
                yield text(series, "SeriesInstanceUID"), uids


def _contours(item: "Dataset", path: Path) -> Iterator[Contour]:
    source = sequence(item, "SourcePixelPlanesCharacteristicsSequence")
    apart = number(source[0], "SpacingBetweenSlices") if source else None
    for line in sequence(item, "ContourSequence"):
        values = _points(line, path)
        if not len(values):
            continue
        stated = number(line, "NumberOfContourPoints")
        if stated is not None and stated != len(values):
            raise _broken(path, f"a contour of {len(values)} points says that it has {stated:g}")
        images = sequence(line, "ContourImageSequence")
        frame = number(images[0], "ReferencedFrameNumber") if images else None
        # The second is how older files say it, for each contour.
        thickness = apart or number(line, "ContourSlabThickness")
        yield Contour(
            values,
            text(line, "ContourGeometricType").upper() or "CLOSED_PLANAR",
            text(images[0], "ReferencedSOPInstanceUID") if images else "",
            int(frame) if frame and float(frame).is_integer() else None,
            thickness if thickness and 0 < thickness < np.inf else None,
        )


def _points(line: "Dataset", path: Path) -> Array:
    """(N, 3) LPS mm; (0, 3) where nothing was drawn."""
    raw = line.get_item(_CONTOUR_DATA)
    value = raw.value if raw is not None else None
    try:
        if isinstance(value, bytes):  # as the file has it: thousands of numbers are slow one by one
            values = np.array(value.strip(b" \0").split(b"\\") if value.strip(b" \0") else [], float)
        else:
            values = np.array(numbers(line, "ContourData"), float)
            if not len(values) and text(line, "ContourData"):
                raise ValueError
        if len(values) % 3 or not (np.abs(values) <= _FARTHEST_MM).all():
            raise ValueError
    except ValueError as error:
        raise _broken(path, "a contour's points are not triples of numbers") from error
    return values.reshape(-1, 3)


def _colour(item: "Dataset") -> tuple[int, int, int] | None:
    values = numbers(item, "ROIDisplayColor")
    if len(values) != 3 or not all(0 <= one <= 255 for one in values):
        return None
    return int(values[0]), int(values[1]), int(values[2])


def _chosen(found: StructureSet, item: str, path: Path) -> Structure:
    word, _, wanted = item.partition(":")
    if word == "roi":
        same = [one for one in found.structures if str(one.number) == wanted]
        same = same or [one for one in found.structures if one.name == wanted]
        same = same or [one for one in found.structures if one.name.casefold() == wanted.casefold()]
        if len(same) == 1:
            return same[0]
        if same:
            numbers_of = ", ".join(f"'roi:{one.number}'" for one in same)
            raise AskedWrongly(
                f"{path.name} has {len(same)} structures of that name.", remedy=f"Ask by number: {numbers_of}."
            )
    known = ", ".join(f"roi:{one.number}" for one in found.structures[:20])
    raise AskedWrongly(
        f"{path.name} has no item '{item}'.", remedy=f"Ask for 'roi:' and a number or name; there are {known}."
    )


def _check_place(structure: Structure, grid: Geometry, path: Path) -> None:
    """Nothing inside is right for what is smaller than a voxel, wrong for what lies elsewhere."""
    points = np.concatenate([line.points for line in structure.contours if line.closed])
    index = grid.to_index(points)
    if (index.max(axis=0) < -1).any() or (index.min(axis=0) > grid.shape).any():
        raise BadGeometry(
            f"Structure {structure.number} of {path.name} lies outside the grid.",
            remedy="Give the pictures that it was drawn on.",
        )


def _slice_distance(grid: Geometry) -> float:
    """mm between the planes of neighbouring slices, also of a tilted stack."""
    normal: Array = np.cross(grid.affine[:3, 2], grid.affine[:3, 1])
    return abs(float(normal @ grid.affine[:3, 0] / np.linalg.norm(normal)))


def _whole(item: "Dataset", keyword: str, path: Path) -> int:
    value = number(item, keyword)
    if value is None or not float(value).is_integer():
        raise _broken(path, "a structure has no number")
    return int(value)


def _broken(path: Path, why: str) -> Unreadable:
    return Unreadable(
        f"{path.name} is a damaged structure set: {why}.", remedy="Export it again from the planning system."
    )

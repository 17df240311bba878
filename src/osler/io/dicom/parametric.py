"""DICOM Parametric Maps, ours and others', as volumes of the quantity they hold.

Source: DICOM PS3.3 A.75 and C.8.32 (Parametric Map), C.7.6.16.2.11 (Real World Value Mapping).
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, BadGeometry, Unreadable
from osler.core.origin import Origin
from osler.core.volume import Volume
from osler.io.dicom.concepts import house_unit
from osler.io.dicom.facts import facts_of
from osler.io.dicom.frames import contradiction, frames_of, grid_of, own_placement, stored_frames
from osler.io.dicom.parse import kind_of, number, numbers, read_dataset, sequence, text

if TYPE_CHECKING:
    from pydicom import Dataset

PARAMETRIC_MAP = "1.2.840.10008.5.1.4.1.1.30"


def read_parametric_map(path: Path, item: str = "") -> Volume:
    """The map as float32 of the quantity itself, on the grid that its frames span, slices in the direction of
    rows x columns; `unit` is what the map says, in the house's spelling ("1", "ml", "um2/s").

    item  "mapping:1" where a frame's numbers have several meanings, counted from 1; the first one otherwise

    NaN and infinity stay what they are. Frames in 64 bits lose what float32 does not hold.
    Raises Unreadable for another kind of file or damaged pixels, AskedWrongly for an item that does not exist,
    BadGeometry for frames that span no grid, leave slices out, or show several values in one place.
    """
    dataset = read_dataset(path)
    if text(dataset, "SOPClassUID") != PARAMETRIC_MAP:
        raise Unreadable(
            f"{path.name} is a {kind_of(dataset)}, not a parametric map.", remedy="Give a DICOM Parametric Map."
        )
    count = int(number(dataset, "NumberOfFrames") or 1)
    frames = frames_of(dataset, path)
    if frames is None or len(frames.positions) != count:
        raise contradiction(path)
    mappings = _mappings(dataset, item, path)
    grid = grid_of(frames)
    slices = own_placement(frames, grid).starts[:, 0]
    if len(set(slices.tolist())) < count:
        raise BadGeometry(
            f"{path.name} shows several values in one place, of several times or kinds.",
            remedy="Export each as a file of its own.",
        )
    if grid.shape[0] != count:
        raise BadGeometry(
            f"{path.name} leaves out {grid.shape[0] - count} of {grid.shape[0]} slices.",
            remedy="Export it again with all slices; what lies between is not known.",
        )
    stored = stored_frames(dataset, path, count)
    out = np.empty(grid.shape, np.float32)
    for frame, index in enumerate(slices):
        out[index] = _mapped(stored[frame], mappings[frame], path)
    order = np.argsort(slices)
    uid, kind = text(dataset, "SOPInstanceUID"), text(dataset, "SOPClassUID")
    return Volume(
        out,
        grid,
        unit=_unit(mappings[0]),
        facts=facts_of(dataset),
        origins=tuple(Origin(uid, kind, path, int(frame) + 1) for frame in order),
        series_uid=text(dataset, "SeriesInstanceUID"),
        study_uid=text(dataset, "StudyInstanceUID"),
    )


def _mappings(dataset: "Dataset", item: str, path: Path) -> "list[Dataset]":
    """The real world value mapping of each frame; an empty one where the file has none."""
    from pydicom import Dataset

    wanted = 0
    if item:
        name, _, said = item.partition(":")
        wanted = int(said) - 1 if name == "mapping" and said.isdecimal() else -1
    shared = [
        one
        for group in sequence(dataset, "SharedFunctionalGroupsSequence")
        for one in sequence(group, "RealWorldValueMappingSequence")
    ]
    found = []
    for frame in sequence(dataset, "PerFrameFunctionalGroupsSequence"):
        here = sequence(frame, "RealWorldValueMappingSequence") or shared
        if item and not 0 <= wanted < len(here):
            known = ", ".join(f"'mapping:{n + 1}'" for n in range(len(here))) or "it without an item"
            raise AskedWrongly(f"{path.name} has no item '{item}'.", remedy=f"Ask for {known}.")
        found.append(here[wanted] if here else Dataset())
    return found


def _mapped(stored: Array, mapping: "Dataset", path: Path) -> Array:
    """Stored numbers as the quantity: by a table, else by slope and intercept."""
    table = numbers(mapping, "RealWorldValueLUTData")
    if table:
        first = number(mapping, "RealWorldValueFirstValueMapped") or 0.0
        index = stored.astype(np.int64) - int(first)
        if index.min() < 0 or index.max() >= len(table):
            raise Unreadable(
                f"{path.name} holds numbers that its table of values does not know.", remedy="Export it again."
            )
        looked: Array = np.asarray(table, np.float32)[index]
        return looked
    slope, intercept = number(mapping, "RealWorldValueSlope"), number(mapping, "RealWorldValueIntercept")
    if slope is None or (slope, intercept or 0.0) == (1.0, 0.0):
        return stored
    real: Array = stored * slope + (intercept or 0.0)
    return real


def _unit(mapping: "Dataset") -> str:
    units = sequence(mapping, "MeasurementUnitsCodeSequence")
    return house_unit(text(units[0], "CodeValue")) if units else ""

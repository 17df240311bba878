"""Where the tiles of a sparse DICOM slide lie, from the functional groups of its frames.

Source: PS3.3 C.8.12.6 (plane position in the slide) and C.8.12.4 (optical path identification).
"""

import re
from pathlib import Path

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import Unreadable
from osler.io.dicom.parse import number, read_header, sequence, text

# Tags as they stand in a file in little endian.
_COLUMN, _ROW = b"\x48\x00\x1e\x02", b"\x48\x00\x1f\x02"
_HEIGHT, _PATH = b"\x40\x00\x4a\x07", b"\x48\x00\x06\x01"


def quick_places(groups: bytes, frames: int, *, implicit: bool) -> Array | None:
    """(row, column, height of the focal plane, number of the optical path) of each frame, the first two from 1.

    groups  the bytes of PerFrameFunctionalGroupsSequence, in little endian, and what follows it

    The tags are looked for as bytes, a hundred times faster than by reading the elements. None where there are not
    as many of each as there are frames: then the elements must be read.
    """
    kind = b"" if implicit else b"(?:SL|UL)"
    length = re.escape(b"\x04\0\0\0" if implicit else b"\x04\0")
    columns = []
    for tag in (_ROW, _COLUMN):
        found = re.findall(re.escape(tag) + kind + length + b"(.{4})", groups, re.DOTALL)
        if len(found) != frames:
            return None
        columns.append(np.frombuffer(b"".join(found), "<i4").astype(np.float64))
    heights = _texts(groups, _HEIGHT, b"" if implicit else b"DS")
    names = _texts(groups, _PATH, b"" if implicit else b"SH")
    if len(heights) not in (0, frames) or len(names) not in (0, frames):
        return None
    try:
        planes = np.array([float(one) for one in heights]) if heights else np.zeros(frames)
    except ValueError:
        return None
    known = {name: n for n, name in enumerate(dict.fromkeys(names))}
    paths = np.array([known[name] for name in names], float) if names else np.zeros(frames)
    return np.stack([*columns, planes, paths], axis=1)


def slow_places(path: Path, frames: int) -> Array:
    """The same by reading every element. Raises Unreadable where a frame does not say where it lies."""
    groups = sequence(read_header(path), "PerFrameFunctionalGroupsSequence")
    if len(groups) < frames:
        raise Unreadable(
            f"{path.name} says of {len(groups)} of its {frames} tiles where they lie: its header is broken.",
            remedy="Export the slide again.",
        )
    paths: dict[str, int] = {}
    places = []
    for group in groups[:frames]:
        position = sequence(group, "PlanePositionSlideSequence")
        row = number(position[0], "RowPositionInTotalImagePixelMatrix") if position else None
        column = number(position[0], "ColumnPositionInTotalImagePixelMatrix") if position else None
        if row is None or column is None:
            raise Unreadable(
                f"{path.name} does not say where its tiles lie: its header is broken.",
                remedy="Export the slide again.",
            )
        optical = sequence(group, "OpticalPathIdentificationSequence")
        name = text(optical[0], "OpticalPathIdentifier") if optical else ""
        height = number(position[0], "ZOffsetInSlideCoordinateSystem") or 0.0
        places.append((row, column, height, float(paths.setdefault(name, len(paths)))))
    return np.array(places)


def _texts(groups: bytes, tag: bytes, kind: bytes) -> list[bytes]:
    """Every value of a short text element."""
    length = b"(.)\0" if kind else b"(.)\0\0\0"
    found = re.finditer(re.escape(tag) + kind + length, groups, re.DOTALL)
    return [groups[one.end() : one.end() + one[1][0]].strip(b" \0") for one in found]

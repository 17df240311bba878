"""Compressed pixels: which bytes of a file are which frame, found by walking from item to item.

Source: DICOM PS3.5 A.4 (encapsulation), PS3.3 C.7.6.3.1.8 (extended offset table).
"""

import io
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from struct import iter_unpack, unpack
from typing import TYPE_CHECKING, BinaryIO

from osler.core.errors import Unreadable
from osler.io.dicom.parse import kind_of, read_dataset

if TYPE_CHECKING:
    from pydicom import Dataset

    from osler.io.dicom.scan import Header

_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_MOST_FRAGMENTS = 1_000_000
_MOST_ENCODED = 2**31  # bytes of one compressed frame


@dataclass(frozen=True, slots=True, eq=False)
class Encapsulated:
    """The compressed frames of one file, none of them read yet.

    spans  for each frame its fragments: (where the bytes begin in the file, how many they are)
    held   the bytes themselves, where they could not be found in the file without unpacking it
    """

    path: Path
    spans: tuple[tuple[tuple[int, int], ...], ...]
    held: bytes | None = None

    def read(self, index: int) -> bytes:
        """The bytes of one frame. Raises Unreadable when the file ends before."""
        spans = self.spans[index]
        if sum(length for _, length in spans) > _MOST_ENCODED:
            raise _broken(self.path)
        with io.BytesIO(self.held) if self.held is not None else self.path.open("rb") as file:
            parts = []
            for at, length in spans:
                file.seek(at)
                parts.append(file.read(length))
                if len(parts[-1]) < length:
                    raise _broken(self.path)
        return b"".join(parts)


def frames_of(path: Path, header: "Header", count: int) -> Encapsulated:
    """Where each of `count` frames lies. Raises Unreadable when there are none, fewer, or more than can be told
    apart."""
    if header.pixel_offset is not None:
        with path.open("rb") as file:
            file.seek(header.pixel_offset)
            table, fragments = _walk(file, path)
        return Encapsulated(path, _grouped(path, header, count, table, fragments))
    held, _ = pixel_bytes(read_dataset(path), "PixelData", path)
    if not held:
        raise Unreadable(f"{path.name} is a {kind_of(header)} without pixels.", remedy="Send or export it again.")
    table, fragments = _walk(io.BytesIO(held), path)
    return Encapsulated(path, _grouped(path, header, count, table, fragments, io.BytesIO(held)), held)


def pixel_bytes(dataset: "Dataset", keyword: str, path: Path) -> tuple[bytes, str]:
    """(value, VR) of an element that holds pixels; (b"", "") without. Raises Unreadable for a broken one."""
    try:
        element = dataset[keyword]
        value, kind = element.value, str(element.VR)
    except KeyError:
        return b"", ""
    except Exception as error:  # pydicom converts an element only now, and raises many kinds for what it cannot
        raise _broken(path) from error
    return (bytes(value), kind) if isinstance(value, bytes | bytearray) else (b"", "")


def stream_size(data: bytes) -> tuple[int, int, int] | None:
    """(rows, columns, bits) that a JPEG, JPEG-LS or JPEG 2000 stream says of itself; None for other bytes."""
    if data[:2] == b"\xff\xd8":
        return _jpeg_size(data)
    start = data.find(b"\xff\x4f\xff\x51", 0, 4096)  # some writers leave the boxes of a JP2 file around it
    if start < 0 or len(data) < start + 43:
        return None
    columns, rows, left, top = unpack(">4L", data[start + 8 : start + 24])
    return rows - top, columns - left, (data[start + 42] & 0x7F) + 1


def _jpeg_size(data: bytes) -> tuple[int, int, int] | None:
    at = 2
    while at + 9 < len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # filling
            at += 1
            continue
        # Start of frame: C0 to CF but for tables (C4, C8, CC); F7 is JPEG-LS.
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            bits, rows, columns = unpack(">BHH", data[at + 4 : at + 9])
            return (rows, columns, bits) if rows else None
        at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
    return None


def _walk(file: BinaryIO, path: Path) -> tuple[list[int], list[tuple[int, int]]]:
    """(basic offset table, fragments), from the first item on, each fragment as (where, length)."""
    items: list[tuple[int, int]] = []
    while True:
        head = file.read(8)
        # A missing delimiter hurts nobody: what follows the last item is not an item.
        if len(head) < 8 or head[:4] != _ITEM:
            break
        length = int.from_bytes(head[4:], "little")
        items.append((file.tell(), length))
        if length == 0xFFFFFFFF or len(items) > _MOST_FRAGMENTS:
            raise _broken(path)
        file.seek(length, io.SEEK_CUR)
    if not items:
        raise _broken(path)
    at, length = items[0]
    file.seek(at)
    found = file.read(min(length, 4 * _MOST_FRAGMENTS))
    table = [offset for (offset,) in iter_unpack("<L", found[: len(found) // 4 * 4])]
    return table, items[1:]


def _grouped(
    path: Path,
    header: "Header",
    count: int,
    table: list[int],
    fragments: list[tuple[int, int]],
    held: BinaryIO | None = None,
) -> tuple[tuple[tuple[int, int], ...], ...]:
    """The fragments of each frame: by their number, by a table of offsets, or by how a picture begins."""
    filled = [one for one in fragments if one[1]]
    if count == 1 and filled:
        return (tuple(filled),)
    if len(filled) == count:
        return tuple((one,) for one in filled)
    starts = [at - 8 for at, _ in fragments]  # offsets point at the items' heads
    for offsets in (table, _extended(header)):
        if len(offsets) >= count and offsets[0] == 0 and fragments:
            begins = [offset + starts[0] for offset in offsets[:count]]
            if begins == sorted(set(begins)) and set(begins) <= set(starts):
                groups: list[list[tuple[int, int]]] = [[] for _ in range(count)]
                for start, one in zip(starts, fragments, strict=True):
                    groups[bisect_right(begins, start) - 1].append(one)
                return tuple(tuple(group) for group in groups)
    groups = []
    if len(filled) > count:
        with path.open("rb") if held is None else held as file:
            for at, length in filled:
                file.seek(at)
                if file.read(3) in (b"\xff\xd8\xff", b"\xff\x4f\xff") or not groups:
                    groups.append([])
                groups[-1].append((at, length))
    if len(groups) != count:
        raise Unreadable(
            f"{path.name} promises {count} frames, but holds {len(groups) or len(filled)} compressed pictures.",
            remedy="Send or export it again.",
        )
    return tuple(tuple(group) for group in groups)


def _extended(header: "Header") -> list[int]:
    value = header.get("ExtendedOffsetTable")
    return (
        [offset for (offset,) in iter_unpack("<Q", value[: len(value) // 8 * 8])]
        if isinstance(value, bytes)
        else []
    )


def _broken(path: Path) -> Unreadable:
    return Unreadable(
        f"{path.name} is damaged or cut short: its compressed pixels do not fit together.", remedy="Send it again."
    )

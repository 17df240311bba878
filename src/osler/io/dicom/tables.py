"""Look-up tables of DICOM: modality, VOI and palettes.

Source: PS3.3 C.11.1.1 (modality), C.11.2.1.1 (VOI), C.7.6.3.1.5 and C.7.9 (palettes).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import Unreadable
from osler.io.dicom.parse import numbers, sequence

if TYPE_CHECKING:
    from pydicom import Dataset

    from osler.io.dicom.scan import Header

_PLANES = ("Red", "Green", "Blue")


def lookup(stored: Array, first: int, table: Array) -> Array:
    """What the table says of each stored value; values beyond its ends take its first or last entry.

    first  the stored value of the table's first entry
    table  (entries,) or (entries, 3)
    """
    index = stored.astype(np.int64)
    index -= first
    np.clip(index, 0, len(table) - 1, out=index)
    return table[index]


def modality_table(header: "Header", path: Path, *, signed: bool) -> tuple[int, Array] | None:
    """(first stored value, entries) of the Modality LUT, which replaces slope and intercept; None without.

    Raises Unreadable for a table that is broken.
    """
    items = sequence(header, "ModalityLUTSequence")
    return _table(items[0], "LUTDescriptor", "LUTData", path, signed=signed) if items else None


def voi_table(item: "Dataset", path: Path, *, signed: bool) -> tuple[int, Array, int]:
    """(first value, entries, bits of an entry) of one item of a VOI LUT Sequence. Raises Unreadable."""
    first, table = _table(item, "LUTDescriptor", "LUTData", path, signed=signed)
    return first, table, _descriptor(item, "LUTDescriptor", path, signed=signed)[2]


def palette_of(header: "Header", path: Path, *, signed: bool) -> tuple[int, Array]:
    """(first stored value, (entries, 3) colours). Raises Unreadable for a palette that is missing or broken."""
    if header.get("SegmentedRedPaletteColorLookupTableData") is not None:
        return _segmented(header, path, signed=signed)
    planes = [
        _table(header, f"{name}PaletteColorLookupTableDescriptor", f"{name}PaletteColorLookupTableData", path,
               signed=signed)
        for name in _PLANES
    ]  # fmt: skip
    entries = min(len(table) for _, table in planes)
    return planes[0][0], np.stack([table[:entries] for _, table in planes], axis=-1)


def _descriptor(header: "Header | Dataset", keyword: str, path: Path, *, signed: bool) -> tuple[int, int, int]:
    """(entries, first stored value, bits)"""
    told = numbers(header, keyword)
    if len(told) != 3:
        raise _broken(path)
    entries, first, bits = (int(one) for one in told)
    # 65536 does not fit into sixteen bits and is written as 0.
    entries = entries & 0xFFFF or 65536
    if signed and first >= 32768:
        first -= 65536
    if not signed and first < 0:
        first += 65536
    return entries, first, bits


def _table(
    header: "Header | Dataset", described: str, held: str, path: Path, *, signed: bool
) -> tuple[int, Array]:
    entries, first, bits = _descriptor(header, described, path, signed=signed)
    value: Any = header.get(held)
    if isinstance(value, bytes | bytearray):
        # Eight-bit entries are packed or take a word each, as the writer pleased.
        narrow = bits <= 8 and len(value) < 2 * entries
        table: Array = np.frombuffer(
            value[: len(value) // 2 * 2] if not narrow else value, "u1" if narrow else "<u2"
        )
    else:
        try:
            table = np.atleast_1d(np.asarray(value, dtype=np.int64)).astype(np.uint16)
        except (TypeError, ValueError, OverflowError) as error:
            raise _broken(path) from error
    if not len(table) or len(table) < entries - 1:  # an odd last byte is often lost
        raise _broken(path)
    table = table[:entries]
    return first, table.astype(np.uint8 if bits <= 8 and int(table.max()) < 256 else np.uint16)


def _segmented(header: "Header", path: Path, *, signed: bool) -> tuple[int, Array]:
    from pydicom.pixels import apply_color_lut

    entries, first, _ = _descriptor(header, "RedPaletteColorLookupTableDescriptor", path, signed=signed)
    try:
        # A ramp over all entries comes out as the whole table.
        ramp = np.arange(first, first + entries).reshape(1, -1)
        table: Array = apply_color_lut(ramp, header.whole())[0]
    except Exception as error:  # pydicom raises several kinds for segments that do not fit
        raise _broken(path) from error
    return first, table


def _broken(path: Path) -> Unreadable:
    return Unreadable(f"{path.name} has a broken look-up table.", remedy="Export it again.")

"""How a header proposes that its values are shown: windows and VOI look-up tables."""

from pathlib import Path

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import OslerError
from osler.imaging.window import Window
from osler.io.dicom.parse import numbers, sequence, text
from osler.io.dicom.scan import Header
from osler.io.dicom.tables import voi_table


def windows_of(header: Header) -> tuple[Window, ...]:
    """The windows that the header proposes, the first is the usual one; what cannot be a window is left out."""
    function = text(header, "VOILUTFunction").upper() or "LINEAR"
    centres, widths = numbers(header, "WindowCenter"), numbers(header, "WindowWidth")
    found = []
    for centre, width in zip(centres, widths, strict=False):
        try:
            found.append(Window(centre, width, function))
        except OslerError:
            continue
    return tuple(found)


def tables_of(header: Header, path: Path, *, signed: bool) -> tuple[tuple[int, Array, int], ...]:
    """(first value, entries, bits of an entry) of each VOI look-up table, for `imaging.window.looked_up`.

    signed  are the values below 0 possible, after the modality's scale?

    Raises Unreadable for a table that is broken.
    """
    found = []
    for item in sequence(header, "VOILUTSequence"):
        first, table, bits = voi_table(item, path, signed=signed)
        found.append((first, np.asarray(table), bits))
    return tuple(found)

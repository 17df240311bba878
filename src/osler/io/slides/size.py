"""Sizes that a header may claim, and those that it may not."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from osler.core.errors import Unreadable
from osler.core.slide import Level

REGION_LIMIT = 2**26  # pixels read at once: 8192 x 8192, 192 MiB of RGB
_LONGEST = 2**24  # pixels along an axis: 4 m of glass at 0.25 microns


def check_levels(levels: Sequence[Level], path: Path) -> None:
    """Raises Unreadable when there is no level, or one without pixels, larger than a slide, or out of order."""
    if not levels:
        raise _lies(path, "holds no picture of the slide")
    for n, level in enumerate(levels):
        if min(level.rows, level.columns) < 1 or max(level.rows, level.columns) > _LONGEST:
            raise _lies(path, f"says that level {n} has {level.rows} x {level.columns} pixels")
    if any(one.rows < other.rows or one.columns < other.columns for one, other in pairwise(levels)):
        raise _lies(path, "has levels that do not become smaller")


def check_picture(rows: int, columns: int, path: Path) -> None:
    """Raises Unreadable for a tile or an associated picture that no memory should hold."""
    if min(rows, columns) < 1 or rows * columns > REGION_LIMIT:
        raise _lies(path, f"says that a piece of it has {rows} x {columns} pixels")


def _lies(path: Path, what: str) -> Unreadable:
    return Unreadable(f"{path.name} {what}: its header is broken.", remedy="Copy or export it again.")

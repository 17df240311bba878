"""Folders that commands fill: all of it or nothing, and never over what somebody else left there."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from osler.core.errors import AskedWrongly
from osler.io.files import replacing


@contextmanager
def filling(out: Path) -> Iterator[Path]:
    """An empty folder whose files join `out` when the block ends well, and vanish when it does not.

    Files of the same name in `out` are replaced; others stay.
    Raises AskedWrongly when `out` is a file, NoRoom when the disk fills up.
    """
    if out.exists() and not out.is_dir():
        raise AskedWrongly(f"{out} is a file, not a folder.", remedy="Name a folder with --out.")
    if not out.exists():
        with replacing(out) as beside:
            beside.mkdir()
            yield beside
        return
    with tempfile.TemporaryDirectory(prefix=".osler.", dir=out) as nest:
        yield Path(nest)
        _join(Path(nest), out)


def _join(source: Path, target: Path) -> None:
    for path in sorted(source.iterdir()):
        place = target / path.name
        if path.is_dir() and place.is_dir():
            _join(path, place)
        else:
            path.replace(place)

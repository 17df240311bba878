"""Nothing half-written: write beside, then rename."""

import errno
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from osler.core.errors import NoRoom, OslerError, Unreadable


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends well, and vanishes when it does not.

    Write a file or make a folder at the yielded path; what stood at `path` before is replaced.

    Raises NoRoom when the disk fills up on the way, OslerError when the place may not be written to.
    """
    path = Path(path)
    with telling_why(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        nest = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            yield nest / path.name
            swap(nest / path.name, path)
        finally:
            shutil.rmtree(nest, ignore_errors=True)


def swap(made: Path, path: Path) -> None:
    """Put what was made, on the same disk, in the place of `path`; a folder that stood there goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        old = made.with_name(f"{made.name}.old")
        path.replace(old)
        made.replace(path)
        shutil.rmtree(old, ignore_errors=True)
    else:
        made.replace(path)


@contextmanager
def telling_why(path: Path) -> Iterator[None]:
    """Errors of the disk while writing `path`, told as ours: NoRoom when it is full, else OslerError."""
    try:
        yield
    except OSError as error:
        raise _as_ours(error, path) from error


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON that a person can read."""
    with replacing(path) as beside:
        beside.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """The JSON in `path`. Raises Unreadable when it is missing or no JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Unreadable(f"{path.name} is missing.", remedy="Check the path.") from error
    except (OSError, ValueError) as error:
        raise Unreadable(f"{path.name} cannot be read as JSON.", remedy=f"Look at the file: {error}.") from error


def _as_ours(error: OSError, path: Path) -> OslerError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoRoom(f"The disk is full: {path} was not written.", remedy="Free some space and run it again.")
    return OslerError(
        f"{path} could not be written: {error.strerror}.", remedy="Choose a folder that you may write to."
    )

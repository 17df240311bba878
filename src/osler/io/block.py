"""A block of numbers that a text header describes: what NRRD and MetaImage have in common."""

import bz2
import re
import zlib
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import NoRoom, Unreadable

LONGEST_HEADER = 1 << 20
_MOST_FILES = 5_000
_NUMBERED = re.compile(r"[^%]*%0?\d?d[^%]*")  # "slice%03d.raw"; a wider number would fill the memory
_MOST_PACKED = {"gzip": 1032, "bzip2": 50_000}  # to one: no stream of these kinds unfolds to more


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Where numbers are kept, what each axis means, and where in the patient they lie.

    sizes     of each axis, the fastest first
    dtype     of the stored numbers, with its byte order
    axes      for each axis, the step from one voxel to the next, (3,) LPS mm, or None for time and channels
    origin    (3,) LPS mm of the first voxel's centre
    files     that hold the numbers one after the other; () where they follow the header
    offset    bytes before the numbers in each file; None where they are the last ones of it
    lines     lines of text before those bytes
    encoding  "raw", "gzip" (zlib too), "bzip2", "text" or "hex"
    unit      of the numbers, "HU"; "" where the header does not say
    labels    what the numbers mean where the header says so: (layer, number) -> name
    notes     what is odd about the header, a sentence each
    """

    sizes: tuple[int, ...]
    dtype: np.dtype
    axes: tuple[Array | None, ...]
    origin: Array
    files: tuple[Path, ...]
    offset: int | None
    lines: int
    encoding: str
    unit: str
    labels: dict[tuple[int, int], str]
    notes: tuple[str, ...]

    @property
    def space(self) -> tuple[int, ...]:
        """Which axes are directions in space, the fastest first."""
        return tuple(n for n, axis in enumerate(self.axes) if axis is not None)

    @property
    def others(self) -> tuple[int, ...]:
        """Which axes are not."""
        return tuple(n for n, axis in enumerate(self.axes) if axis is None)

    @property
    def volumes(self) -> int:
        """How many pictures it holds."""
        return prod(self.sizes[n] for n in self.others)


def beside(path: Path, name: str) -> Path:
    """The file that the header at `path` calls `name`: in its own folder or below, never elsewhere.

    Raises Unreadable for a name that leads out of the folder, also over a link.
    """
    folder = path.parent
    found = folder / name
    try:
        inside = found.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):  # a circle of links, or a zero byte in the name
        inside = False
    if Path(name).is_absolute() or ".." in Path(name).parts or not inside:
        raise Unreadable(
            f"{path.name} says that its pixels lie outside its own folder.",
            remedy="Put the file with the pixels beside it, and name it without a path.",
        )
    return found


def listed_files(path: Path, words: list[str], following: list[str]) -> tuple[Path, ...]:
    """The data files of a header: "a.raw", "LIST" with names on the `following` lines, or "a%03d.raw 1 20 1".

    Raises Unreadable as `beside` does, and for a range that is none.
    """
    if words[0] == "LIST":
        return tuple(beside(path, name.strip()) for name in following if name.strip())
    if len(words) >= 4 and _NUMBERED.fullmatch(words[0]):
        try:
            first, last, step = (int(word) for word in words[1:4])
            names = [words[0] % n for n in range(first, last + (1 if step > 0 else -1), step)[:_MOST_FILES]]
        except (ValueError, TypeError) as error:
            raise damaged(path) from error
        return tuple(beside(path, name) for name in names)
    return (beside(path, " ".join(words)),)


def read_block(block: Block, path: Path) -> Array:
    """The numbers, (slowest, ..., fastest), in this machine's byte order.

    Raises Unreadable when they are missing, damaged or cut short, before anything is allocated where the size of
    the file tells; NoRoom when the memory does not hold them.
    """
    import psutil

    wanted = prod(block.sizes) * block.dtype.itemsize
    files = block.files or (path,)
    try:
        stored = sum(file.stat().st_size for file in files)
    except OSError as error:
        raise Unreadable(
            f"{path.name} lacks the file with its pixels.", remedy="Copy it together with the file it names."
        ) from error
    if wanted > stored * _MOST_PACKED.get(block.encoding, 8 if block.encoding == "text" else 1):
        raise damaged(path)
    if wanted > psutil.virtual_memory().available:
        raise NoRoom(f"{path.name} does not fit into the memory.", remedy="Crop it, or use a machine with more.")
    try:
        parts = [_numbers(file, block, wanted, share=len(files)) for file in files]
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise damaged(path) from error
    array = parts[0] if len(parts) == 1 else np.concatenate(parts)
    if array.size != prod(block.sizes):
        raise damaged(path)
    return array.astype(block.dtype.newbyteorder("="), copy=False).reshape(block.sizes[::-1])


def damaged(path: Path) -> Unreadable:
    """The error for a header or pixels that cannot be."""
    return Unreadable(
        f"{path.name} cannot be read: it is damaged or cut short.", remedy="Copy or convert it again."
    )


def _numbers(file: Path, block: Block, wanted: int, *, share: int) -> Array:
    """The numbers of one file of `share` equal ones, flat. Raises ValueError where they are too few."""
    wanted //= share
    with file.open("rb") as stream:
        if block.offset is not None and block.encoding == "raw":
            _skip_lines(stream, block.lines)
            stream.seek(block.offset, 1)
            return _counted(np.fromfile(stream, block.dtype, wanted // block.dtype.itemsize), block, wanted)
        if block.offset is None:
            stream.seek(-wanted, 2)
            return _counted(np.fromfile(stream, block.dtype, wanted // block.dtype.itemsize), block, wanted)
        _skip_lines(stream, block.lines)
        if block.files == ():
            stream.seek(block.offset, 1)  # attached: the offset is the header's own length
            skip = 0
        else:
            skip = block.offset
        packed = stream.read()
    if block.encoding == "text":
        return _counted(np.array(packed.split(), np.float64).astype(block.dtype), block, wanted)
    if block.encoding == "hex":
        raw = bytes.fromhex(packed.decode("ascii"))
    elif block.encoding == "bzip2":
        raw = bz2.BZ2Decompressor().decompress(packed, wanted + skip)
    else:
        raw = _inflated(packed, wanted + skip)
    return _counted(np.frombuffer(raw[skip : skip + wanted] if skip else raw, block.dtype), block, wanted)


def _skip_lines(stream: object, lines: int) -> None:
    for _ in range(lines):
        if not stream.readline(LONGEST_HEADER):  # type: ignore[attr-defined]
            raise EOFError


def _counted(array: Array, block: Block, wanted: int) -> Array:
    if array.nbytes != wanted:
        raise ValueError("too few numbers")
    return array


def _inflated(packed: bytes, most: int) -> bytes:
    """gzip (also of several members) or zlib, no further than `most` bytes."""
    out = b""
    while packed and len(out) < most:
        stream = zlib.decompressobj(47)  # 47: either header
        piece = stream.decompress(packed, most - len(out))
        out = out + piece if out else piece
        if not stream.eof:
            break
        packed = stream.unused_data
    return out

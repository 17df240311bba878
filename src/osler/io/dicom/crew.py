"""Decoding the pixels of a whole series, by several processes where that pays.

The free decoders hold Python's lock while they work, so threads do not help. Other processes of this module decode
straight into memory that all share, each taking the next block of frames from one list.
"""

import json
import mmap
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import NoRoom, OslerError, Unreadable
from osler.io.dicom.apart import decode_here, started
from osler.io.dicom.pixels import decode, is_native
from osler.io.dicom.scan import Header, scan_header

_WORTH_SECONDS = 1.0  # another process takes half a second to start
_MOST_HELPERS = 7
_BLOCK = 4  # frames of one file that are decoded at a time
_WAITING, _BEGUN, _DONE, _ODD = range(4)

Job = tuple[Path, Header, int | None]


@dataclass(frozen=True, slots=True)
class _Block:
    """Slices `first` up to `last` of the series: the frames `frames` of one file, None where it has but one."""

    path: Path
    frames: tuple[int, ...] | None
    first: int
    last: int


def decode_all(jobs: Sequence[Job]) -> Array:
    """The stored values of many slices, in the order asked for: (slices, rows, columns[, 3]).

    jobs  for each slice its file, its header, and its frame in a file with many

    Raises Unreadable for a file that is broken or of another size than the first, NoRoom when the memory is full.
    """
    headers = {path: header for path, header, _ in jobs}
    native = all(is_native(header) for header in headers.values())
    blocks = list(_blocks(jobs, len(jobs) if native else _BLOCK))
    start = time.perf_counter()
    first = _decoded(blocks[0], headers[blocks[0].path])
    seconds = (time.perf_counter() - start) * (len(blocks) - 1)
    if len(blocks) == 1:
        return first
    helpers = 0 if native else _helpers(seconds)
    try:
        if helpers:
            return _together(blocks, headers, first, helpers)
        return _alone(blocks, headers, first, np.empty((len(jobs), *first.shape[1:]), first.dtype))
    except MemoryError as error:
        raise NoRoom("The series does not fit into the memory.", remedy="Use a machine with more.") from error


def serve() -> None:
    """What a helping process does: take blocks until there are none, and put their pixels where they belong."""
    decode_here()
    told = json.loads(sys.stdin.readline())
    blocks = [
        _Block(Path(path), tuple(frames) if frames else None, first, last)
        for path, frames, first, last in told["blocks"]
    ]
    out, flags = _shared(told["memory"], tuple(told["shape"]), told["dtype"], len(blocks))
    for number in _next(told["tokens"]):
        block = blocks[number]
        flags[number] = _BEGUN
        try:
            found = decode(scan_header(block.path), block.path, block.frames)
        except OslerError:
            flags[number] = _ODD  # the first process meets the same error, and tells it
            continue
        fits = found.dtype == out.dtype and found.shape == (block.last - block.first, *out.shape[1:])
        if fits:
            out[block.first : block.last] = found
        flags[number] = _DONE if fits else _ODD


def _blocks(jobs: Sequence[Job], size: int) -> Iterator[_Block]:
    at = 0
    while at < len(jobs):
        path, _, frame = jobs[at]
        last = at + 1
        while last < len(jobs) and frame is not None and jobs[last][0] == path and last - at < size:
            last += 1
        frames = None if frame is None else tuple(index or 0 for _, _, index in jobs[at:last])
        yield _Block(path, frames, at, last)
        at = last


def _decoded(block: _Block, header: Header) -> Array:
    found = decode(header, block.path, block.frames)
    if len(found) != block.last - block.first:
        raise Unreadable(
            f"{block.path.name} holds {len(found)} frames where one is expected.", remedy="Send it again."
        )
    return found


def _alone(blocks: list[_Block], headers: dict[Path, Header], first: Array, out: Array) -> Array:
    out[: len(first)] = first
    for block in blocks[1:]:
        out = _put(_decoded(block, headers[block.path]), block, out)
    return out


def _put(found: Array, block: _Block, out: Array) -> Array:
    """`out` with one more block in it; another array where its numbers need more room."""
    if found.shape[1:] != out.shape[1:]:
        sizes = [" x ".join(map(str, one.shape[1:])) for one in (found, out)]
        raise Unreadable(
            f"{block.path.name} is {sizes[0]} pixels large, the others are {sizes[1]}.", remedy="Send it again."
        )
    if found.dtype != out.dtype:
        out = out.astype(np.result_type(out, found), copy=False)
    out[block.first : block.last] = found
    return out


def _helpers(seconds: float) -> int:
    """How many processes to start for so much work; none on one core, or within another pool of processes."""
    if seconds < _WORTH_SECONDS or not hasattr(os, "memfd_create") or multiprocessing.parent_process() is not None:
        return 0
    return min(len(os.sched_getaffinity(0)) - 1, _MOST_HELPERS, int(seconds / _WORTH_SECONDS))


def _together(blocks: list[_Block], headers: dict[Path, Header], first: Array, helpers: int) -> Array:
    """This process and its helpers take the blocks from one list, so a slow core simply takes fewer."""
    shape = (blocks[-1].last, *first.shape[1:])
    memory = os.memfd_create("osler")
    out, flags = _shared(memory, shape, first.dtype.str, len(blocks))
    out[: len(first)] = first
    flags[0] = _DONE
    with tempfile.TemporaryFile() as waiting:
        # Processes that inherit one open file share its place, so every number is read once and no lock is needed.
        tokens = waiting.fileno()
        os.write(tokens, np.arange(1, len(blocks), dtype="<u4").tobytes())
        os.lseek(tokens, 0, os.SEEK_SET)
        told = {
            "memory": memory,
            "tokens": tokens,
            "shape": shape,
            "dtype": first.dtype.str,
            "blocks": [(str(one.path.absolute()), one.frames, one.first, one.last) for one in blocks],
        }
        crew = [_started(told, (memory, tokens)) for _ in range(helpers)]
        os.close(memory)
        try:
            for number in _next(tokens):
                block = blocks[number]
                out = _put(_decoded(block, headers[block.path]), block, out)
                flags[number] = _DONE
            for one in crew:
                one.wait()
        finally:
            for one in crew:
                one.kill()
                one.wait()
    for block, flag in zip(blocks, flags, strict=True):
        if flag == _BEGUN:
            raise Unreadable(
                f"The pixels of {block.path.name} cannot be decoded: they brought the decoder down.",
                remedy="Send it again, or export it uncompressed.",
            )
        if flag != _DONE:
            out = _put(_decoded(block, headers[block.path]), block, out)
    return out


def _next(tokens: int) -> Iterator[int]:
    while len(found := os.read(tokens, 4)) == 4:
        yield int.from_bytes(found, "little")


def _shared(memory: int, shape: tuple[int, ...], dtype: str, blocks: int) -> tuple[Array, Array]:
    """(pixels, a flag for each block) in memory that all processes see; it is freed with the arrays."""
    pixels = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    if os.fstat(memory).st_size < pixels + blocks:
        try:
            os.ftruncate(memory, pixels + blocks)
        except OSError as error:
            raise MemoryError from error
    held = mmap.mmap(memory, pixels + blocks)
    out = np.frombuffer(held, dtype, count=pixels // np.dtype(dtype).itemsize).reshape(shape)
    return out, np.frombuffer(held, np.uint8, offset=pixels)


def _started(told: dict[str, object], files: tuple[int, ...]) -> "subprocess.Popen[bytes]":
    helper = started("from osler.io.dicom.crew import serve; serve()", stdout=subprocess.DEVNULL, pass_fds=files)
    with suppress(OSError):  # a helper that could not start is missed, not needed
        assert helper.stdin is not None
        helper.stdin.write(json.dumps(told).encode() + b"\n")
        helper.stdin.close()
    return helper

"""Decoding the pixels of a whole series, by several threads where they are compressed.

The decoders let go of Python's lock while they work. Each block of frames goes straight to its place in one array.
"""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import NoRoom, Unreadable
from osler.io.dicom.pixels import decode, is_native
from osler.io.dicom.scan import Header

_MOST_THREADS = 8
_BLOCK = 4  # frames of one file that are decoded at a time

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
    first = _decoded(blocks[0], headers)
    if len(blocks) == 1:
        return first
    try:
        out = np.empty((len(jobs), *first.shape[1:]), first.dtype)
        out[: len(first)] = first
        # What is stored plainly is limited by the disk; threads would only get in each other's way.
        threads = 1 if native else min(os.cpu_count() or 1, _MOST_THREADS)
        for block, found in _found(blocks[1:], headers, threads):
            out = _put(found, block, out)
        return out
    except MemoryError as error:
        raise NoRoom("The series does not fit into the memory.", remedy="Use a machine with more.") from error


def _found(blocks: Sequence[_Block], headers: dict[Path, Header], threads: int) -> Iterator[tuple[_Block, Array]]:
    """Every block with its frames, in order; a few are decoded ahead, never all, so that memory stays bounded."""
    if threads == 1:
        yield from ((block, _decoded(block, headers)) for block in blocks)
        return
    with ThreadPoolExecutor(threads) as pool:
        running: deque[Future[Array]] = deque()
        coming = iter(blocks)
        try:
            for block in blocks:
                for ahead in islice(coming, 2 * threads - len(running)):
                    running.append(pool.submit(_decoded, ahead, headers))
                yield block, running.popleft().result()
        finally:
            for one in running:
                one.cancel()


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


def _decoded(block: _Block, headers: dict[Path, Header]) -> Array:
    found = decode(headers[block.path], block.path, block.frames)
    if len(found) != block.last - block.first:
        raise Unreadable(
            f"{block.path.name} holds {len(found)} frames where one is expected.", remedy="Send it again."
        )
    return found


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

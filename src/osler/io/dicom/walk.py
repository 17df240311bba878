"""Walking through the elements of a DICOM file without understanding them: bounded in time and memory.

Source: DICOM PS3.5, sections 7.1 (element structure), 7.5 (nesting) and 6.2.2 (UN of undefined length),
annex A.4 (encapsulated pixels) and A.5 (deflated); PS3.10 section 7.1 (file meta information).
"""

import os
import stat
import zlib
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from struct import Struct

from osler.core.errors import Unreadable

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"

_FIRST_BYTES = 16 * 1024  # most headers end before
_MORE_BYTES = 256 * 1024
_LONGEST_KEPT = 64 * 1024  # what is longer is no number and no name
_MOST_ELEMENTS = 2_000_000  # an enhanced object with 5,000 frames has about 500,000
_MOST_EMPTY_ITEMS = 100_000
_DEEPEST = 32  # structured reports of real hospitals reach 12
_FIRST_INFLATED = 4 << 20  # of a deflated file; most headers end before
_MOST_INFLATED = 512 << 20
_MOST_INFLATED_RATIO = 50
_INFLATED_FREELY = 64 << 20  # as much as may come out whatever the ratio: a black picture folds up very small
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_PIXEL_DATA = 0x7FE00010
_PIXELS = (_PIXEL_DATA, 0x7FE00009, 0x7FE00008)  # integer, double, float
_TRANSFER_SYNTAX = 0x00020010
_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_LITTLE_HEAD, _BIG_HEAD = Struct("<HH2sH").unpack_from, Struct(">HH2sH").unpack_from
_LITTLE_LONG, _BIG_LONG = Struct("<L").unpack_from, Struct(">L").unpack_from


class Odd(Exception):
    """Something that is not forbidden to be, but that this walk does not understand: ask a whole parser."""


@dataclass(slots=True)
class Walked:
    """What a walk met on the top level of a file, up to its pixels.

    transfer_syntax  UID; where the file does not say, of the encoding that was found
    values           tag -> bytes of each wanted element; b"" for a sequence, and for what is too long to be kept
    kinds            tag -> VR where the file gives one, for the wanted elements
    too_long         tags whose bytes were not kept
    data_offset      where the elements behind the file meta information begin
    big_endian       are numbers big-endian?
    pixel_offset, pixel_length  where PixelData's value lies in the file and how long it is; None where there is
                     none, where it is compressed (the length), and where the file ends before it (the length)
    """

    transfer_syntax: str
    values: dict[int, bytes]
    kinds: dict[int, bytes]
    too_long: set[int]
    data_offset: int = 0
    big_endian: bool = False
    pixel_offset: int | None = None
    pixel_length: int | None = None


def walk(path: Path, wanted: Container[int], *, deep: bool = False) -> Walked:
    """Walk from the first element to the pixels of `path`, and keep the bytes of the wanted tags.

    deep  walk into sequences of known length too, to know that a parser that reads them all will come to an end

    Raises Unreadable for a file that is missing, cut short, nested too deep, or made to last; Odd for what it does
    not understand.
    """
    try:
        # Opening a pipe would wait for its other end; without waiting it opens, and is then refused.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as error:
        raise Unreadable(f"{path.name} is missing.", remedy="Check the path.") from error
    except (OSError, ValueError) as error:
        raise Unreadable(f"{path.name} may not be read.", remedy="Change its permissions.") from error
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise Unreadable(f"{path.name} is no file.", remedy="Give DICOM files, or a folder of them.")
        return _walk_source(_Source(handle, about.st_size, path.name), wanted, deep)
    except OSError as error:
        raise Unreadable(f"{path.name} cannot be read: {error.strerror}.", remedy="Copy it again.") from error
    finally:
        os.close(handle)


def cut_short(name: str) -> Unreadable:
    """The error for a file that ends before it should."""
    return Unreadable(
        f"{name} cannot be read as DICOM: it is damaged or cut short.", remedy="Send or export it again."
    )


class _Source:
    """A window on a file: `buffer` holds its bytes from `base` on."""

    __slots__ = ("base", "buffer", "empty_items", "handle", "met", "name", "size")

    def __init__(self, handle: int, size: int, name: str) -> None:
        self.handle, self.size, self.name = handle, size, name
        self.base = 0
        self.buffer = os.read(handle, _FIRST_BYTES)
        self.met = self.empty_items = 0

    def move(self, at: int) -> bytes:
        """The window's bytes from `at` on: at least twelve, zeros behind the end of the file."""
        inside = at - self.base
        if inside >= 0 and inside + 12 <= len(self.buffer):
            self.buffer = self.buffer[inside:]
        elif self.handle >= 0:
            os.lseek(self.handle, at, os.SEEK_SET)
            self.buffer = os.read(self.handle, _MORE_BYTES)
        else:
            self.buffer = self.buffer[inside:] if 0 <= inside < len(self.buffer) else b""
        self.base = at
        if len(self.buffer) < 12:
            self.buffer += bytes(12 - len(self.buffer))
        return self.buffer

    def head(self, at: int) -> tuple[bytes, int]:
        """A buffer and an index in it where the twelve bytes from `at` on stand."""
        inside = at - self.base
        if inside < 0 or inside + 12 > len(self.buffer):
            self.move(at)
            inside = 0
        return self.buffer, inside

    def count(self) -> None:
        """One more element or item was met. Raises Unreadable when it is one too many."""
        self.met += 1
        if self.met > _MOST_ELEMENTS:
            raise _made_to_last(self.name)


def _made_to_last(name: str) -> Unreadable:
    return Unreadable(
        f"{name} holds more elements than any real object; it may be made to keep the reader busy.",
        remedy="Leave it out, or export it again.",
    )


def _walk_source(source: _Source, wanted: Container[int], deep: bool) -> Walked:
    buffer = source.buffer
    if len(buffer) < 8:
        raise cut_short(source.name)
    at = 132 if buffer[128:132] == b"DICM" else 0
    syntax, at = _file_meta(source, at)
    data_offset = at
    if syntax == DEFLATED:
        return _walk_deflated(source, at, wanted, deep)
    return _walk_body(source, at, data_offset, syntax, wanted, deep)


def _walk_deflated(source: _Source, at: int, wanted: Container[int], deep: bool) -> Walked:
    """The same of what is unfolded; where that is enough, only of its beginning."""
    begun, ended = _inflate(source, at, None if deep else _FIRST_INFLATED)
    try:
        walked = _walk_body(_inflated_source(begun, source.name), 0, at, DEFLATED, wanted, deep)
    except Unreadable:
        if ended:
            raise
        begun, _ = _inflate(source, at, None)
        walked = _walk_body(_inflated_source(begun, source.name), 0, at, DEFLATED, wanted, deep)
    walked.pixel_offset = walked.pixel_length = None  # they count in what was unfolded, not in the file
    return walked


def _walk_body(
    source: _Source, at: int, data_offset: int, syntax: str, wanted: Container[int], deep: bool
) -> Walked:
    """The elements behind the file meta information."""
    if at + 6 > source.size:
        raise cut_short(source.name)
    buffer, inside = source.head(at)
    if not any(buffer[inside : inside + 8]):
        raise cut_short(source.name)  # zeros are elements without names or values, and no object
    found = buffer[inside + 4 : inside + 6]
    # A first element longer than 16 kB would look like letters: none is.
    explicit = 0x40 < found[0] < 0x5B and 0x40 < found[1] < 0x5B
    big = syntax == EXPLICIT_BIG
    if not syntax:
        # Group 8 read the wrong way round is 2048.
        big = explicit and int.from_bytes(buffer[inside : inside + 2], "little") >= 1024
        syntax = EXPLICIT_BIG if big else EXPLICIT_LITTLE if explicit else IMPLICIT_LITTLE
    walked = Walked(syntax, {}, {}, set(), data_offset, big)
    _walk_elements(source, at, not explicit, walked, wanted, deep)
    return walked


def _file_meta(source: _Source, at: int) -> tuple[str, int]:
    """(Transfer Syntax UID or "", where the file's own elements begin); its stated length is often wrong."""
    syntax = ""
    while at + 8 <= source.size:
        buffer, inside = source.head(at)
        group, element, kind, length = _LITTLE_HEAD(buffer, inside)
        if group != 2:
            break
        source.count()
        at += 8
        if kind in _LONG:
            (length,) = _LITTLE_LONG(buffer, inside + 8)
            at += 4
        elif kind not in _SHORT:
            raise Odd
        if at + length > source.size:
            raise cut_short(source.name)
        if element == 0x0010:
            source.move(at)
            syntax = source.buffer[: min(length, 128)].split(b"\0")[0].decode("latin-1").strip()
        at += length
    return syntax, at


def _walk_elements(
    source: _Source, at: int, implicit: bool, walked: Walked, wanted: Container[int], deep: bool
) -> None:
    """Every element of the top level. This loop runs a hundred times a file and thousands of files a second."""
    head, long = (_BIG_HEAD, _BIG_LONG) if walked.big_endian else (_LITTLE_HEAD, _LITTLE_LONG)
    values, kinds = walked.values, walked.kinds
    size = source.size
    buffer, inside = source.head(at)
    limit = len(buffer)
    while True:
        if inside + 12 > limit:
            at = source.base + inside
            if at + 8 > size:  # less than an element is padding
                return
            buffer, inside = source.move(at), 0
            limit = len(buffer)
        source.met += 1
        group, element, kind, length = head(buffer, inside)
        if implicit:
            (length,) = long(buffer, inside + 4)
            kind = b""
            inside += 8
        elif kind in _SHORT:
            inside += 8
        elif kind in _LONG:
            (length,) = long(buffer, inside + 8)
            inside += 12
        elif b"AA" <= kind <= b"ZZ":
            raise Odd  # a VR of the future: whether its length has two or four bytes is not known
        else:  # some writers fall back to implicit in the middle
            (length,) = long(buffer, inside + 4)
            kind = b""
            inside += 8
        tag = group << 16 | element
        if tag in _PIXELS:
            if tag == _PIXEL_DATA:
                walked.pixel_offset = source.base + inside
                if length != _UNDEFINED and walked.pixel_offset + length <= size:
                    walked.pixel_length = length
            return
        if length == _UNDEFINED:
            if tag in wanted:
                values[tag] = b""
                walked.too_long.add(tag)
            at = source.base + inside
            at = _skip(source, at, None, kind, implicit or kind in (b"", b"UN"), walked.big_endian, deep)
            buffer, inside = source.head(at)
            limit = len(buffer)
            continue
        if inside + length > limit and source.base + inside + length > size:
            raise cut_short(source.name)
        if tag in wanted:
            if kind == b"SQ" or length > _LONGEST_KEPT:
                values[tag] = b""
                walked.too_long.add(tag)
            else:
                if inside + length > limit:
                    buffer, inside = source.move(source.base + inside), 0
                    limit = len(buffer)
                values[tag] = buffer[inside : inside + length]
                if kind:
                    kinds[tag] = kind
        elif tag == _ITEM_END:
            return
        if deep:
            source.count()
            if (
                length >= 8
                and kind in (b"SQ", b"UN", b"")
                and _begins_item(source, source.base + inside, big=walked.big_endian)
            ):
                at = source.base + inside
                _skip(source, at, at + length, kind, implicit or kind in (b"", b"UN"), walked.big_endian, deep)
                buffer, inside = source.head(at)
                limit = len(buffer)
        inside += length


def _begins_item(source: _Source, at: int, *, big: bool) -> bool:
    buffer, inside = source.head(at)
    return buffer[inside : inside + 4] == (b"\xff\xfe\xe0\x00" if big else b"\xfe\xff\x00\xe0")


def _skip(source: _Source, at: int, end: int | None, kind: bytes, implicit: bool, big: bool, deep: bool) -> int:
    """Where a sequence, or fragments, that begin at `at` end. A stack of our own instead of a function that calls
    itself: the file, not the machine, says how deep it goes."""
    head, long = (_BIG_HEAD, _BIG_LONG) if big else (_LITTLE_HEAD, _LITTLE_LONG)
    fragments = kind in (b"OB", b"OW", b"OF", b"OD", b"OL", b"OV")
    # What we are in: (is it an item?, where it ends or None, implicit?, fragments?)
    stack: list[tuple[bool, int | None, bool, bool]] = [(False, end, implicit, fragments)]
    while stack:
        item, end, implicit, fragments = stack[-1]
        if end is not None and at >= end:
            at = end
            stack.pop()
            continue
        if at + 8 > source.size:
            raise _past_the_end(source, stack)
        if len(stack) > 2 * _DEEPEST:
            raise Unreadable(
                f"{source.name} is nested more than {_DEEPEST} sequences deep, as no real object is.",
                remedy="Leave it out, or export it again.",
            )
        source.count()
        buffer, inside = source.head(at)
        group, element, kind, length = head(buffer, inside)
        tag = group << 16 | element
        at += 8
        if not item or tag in (_ITEM_END, _SEQUENCE_END):
            (length,) = long(buffer, inside + 4)
            if tag in (_SEQUENCE_END, _ITEM_END):
                stack.pop()
                if item and tag == _SEQUENCE_END and stack:
                    stack.pop()  # its writer forgot to end the item
                continue
            if tag != _ITEM:
                raise Odd
            if length == _UNDEFINED:
                stack.append((True, None, implicit, False))
                continue
            if at + length > source.size:
                raise _past_the_end(source, stack)
            if length == 0 and not fragments:
                source.empty_items += 1
                if source.empty_items > _MOST_EMPTY_ITEMS:
                    raise _made_to_last(source.name)
            if deep and length and not fragments:
                stack.append((True, at + length if end is None else min(at + length, end), implicit, False))
            else:
                at += length
            continue
        if implicit or not b"AA" <= kind <= b"ZZ":
            (length,) = long(buffer, inside + 4)
            kind = b""
        elif kind in _LONG:
            (length,) = long(buffer, inside + 8)
            at += 4
        elif kind not in _SHORT:
            raise Odd
        within = implicit or kind in (b"", b"UN")
        if length == _UNDEFINED:
            whole = kind in (b"OB", b"OW", b"OF", b"OD", b"OL", b"OV") or tag == _PIXEL_DATA
            stack.append((False, None, within, whole))
            continue
        if at + length > source.size:
            raise _past_the_end(source, stack)
        if deep and length >= 8 and kind in (b"SQ", b"UN", b"") and _begins_item(source, at, big=big):
            stack.append((False, at + length if end is None else min(at + length, end), within, False))
        else:
            at += length
    return at


def _past_the_end(source: _Source, stack: list[tuple[bool, int | None, bool, bool]]) -> Exception:
    """What a length that points behind the file means: inside a sequence that itself ends well, that only an item
    lies about its length, which a parser finds out by itself."""
    return cut_short(source.name) if stack[0][1] is None else Odd()


def _inflated_source(inflated: bytes, name: str) -> _Source:
    source = object.__new__(_Source)
    source.handle, source.size, source.name = -1, len(inflated), name
    source.base, source.buffer = 0, inflated
    source.met = source.empty_items = 0
    return source


def _inflate(source: _Source, at: int, enough: int | None) -> tuple[bytes, bool]:
    """The unfolded rest of a deflated file, and whether that is all of it.

    enough  so many bytes will do; None unfolds everything

    Raises Unreadable for a file that unfolds to fill the memory.
    """
    most = max(_INFLATED_FREELY, min(_MOST_INFLATED, _MOST_INFLATED_RATIO * (source.size - at)))
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    parts: list[bytes] = []
    total = 0
    os.lseek(source.handle, at, os.SEEK_SET)
    try:
        while not engine.eof:
            if enough is not None and total >= enough:
                return b"".join(parts), False
            folded = engine.unconsumed_tail or os.read(source.handle, _MORE_BYTES)
            if not folded:
                raise cut_short(source.name)
            part = engine.decompress(folded, _FIRST_INFLATED)
            total += len(part)
            if total > most:
                raise Unreadable(
                    f"{source.name} unfolds to more than any image needs; it may be made to fill the memory.",
                    remedy="Export it without the deflated transfer syntax.",
                )
            parts.append(part)
    except zlib.error as error:
        raise cut_short(source.name) from error
    return b"".join(parts), True

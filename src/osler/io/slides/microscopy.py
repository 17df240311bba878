"""Whole slides in DICOM (VL Whole Slide Microscopy), one file for each level, frames decoded one by one.

Sources: PS3.3 A.32.8 (the object), C.8.12.4 (total pixel matrix, counted from 1), C.7.6.17.3 (order of the frames
of TILED_FULL), C.8.12.6 (plane position of TILED_SPARSE), C.7.6.16.2.2.4 (concatenations); PS3.5 A.4 (fragments).
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, NoRoom, Unreadable
from osler.core.origin import Origin
from osler.core.slide import Level, Region, Slide
from osler.imaging.tiles import paste
from osler.io.dicom.codecs import Told, decode_stream, rgb_of
from osler.io.dicom.facts import facts_of
from osler.io.dicom.fragments import stream_size
from osler.io.dicom.parse import is_dicom, kind_of, number, numbers, sequence, text
from osler.io.dicom.walk import DEFLATED, Walked, walk
from osler.io.slides.places import quick_places, slow_places
from osler.io.slides.scale import magnification, scale
from osler.io.slides.size import check_levels, check_picture

if TYPE_CHECKING:
    from pydicom import Dataset

SLIDE_CLASS = "1.2.840.10008.5.1.4.1.1.77.1.6"
_BESIDE = ("LABEL", "OVERVIEW", "THUMBNAIL", "LOCALIZER")  # value 3 of Image Type; VOLUME is the pyramid
_KEPT_BYTES = 2**25  # decoded tiles kept, because neighbouring regions share them
_SERIES = 0x0020000E
_GROUPS, _GROUPS_TAG = 0x52009230, b"\x00\x52\x30\x92"  # PerFrameFunctionalGroupsSequence
_GROUPS_BYTES = 2**30
_EXTENDED_TABLE = b"\xe0\x7f\x01\x00OV\0\0"
_ITEM = b"\xfe\xff\x00\xe0"
_END = b"\xfe\xff\xdd\xe0\0\0\0\0"
_LOOKED_AT = 8  # tiles at the edges
_SMEARED_TO = 16  # pixels beyond the picture's edge: JPEG smears it over the block that it lies in
_SMEARED = 8  # grey levels that lossy compression leaves in a plain area


def is_dicom_slide(path: Path) -> bool:
    """Is `path` a DICOM slide, or a folder that holds one itself? From the first elements; never raises."""
    if path.is_dir():
        return any(_names(one)[0] == SLIDE_CLASS for one in _files_in(path))
    return _names(path)[0] == SLIDE_CLASS


class DicomSlide:
    """One series of whole slide objects."""

    def __init__(self, path: Path) -> None:
        """Open a folder with one series, or a file of it together with its sisters in the same folder.

        Raises Unreadable for broken files, AskedWrongly for a folder with several slides.
        """
        pieces = [_open(one) for one in _sisters(path)]
        groups: dict[tuple[int, int], list[_Piece]] = {}
        self._beside: dict[str, _Grid] = {}
        for piece in pieces:
            if piece.kind in _BESIDE:
                self._beside.setdefault(piece.kind.lower(), _grid([piece], piece.matrix, path)[0])
            else:
                groups.setdefault(piece.matrix, []).append(piece)
        problems: list[str] = []
        self._grids: list[_Grid] = []
        for matrix, group in sorted(groups.items(), reverse=True):
            chosen, left = _one_of(group, path)
            if left:
                problems.append(f"It holds {left + 1} pictures of {matrix[0]} x {matrix[1]} pixels; one is read.")
            grid, said = _grid(chosen, matrix, path)
            if self._grids and not _same_picture(self._grids[0], grid):
                size = f"{matrix[0]} x {matrix[1]}"
                problems.append(f"A picture of {size} pixels has other proportions; it is left out.")
                continue
            self._grids.append(grid)
            problems += [one for one in said if one not in problems]
        levels = tuple(Level(one.rows, one.columns, _downsample(self._grids[0], one)) for one in self._grids)
        check_levels(levels, path)
        first = self._grids[0].pieces[0].header
        microns, because = scale(*_spacing(first))
        power = [number(one, "ObjectiveLensPower") for one in sequence(first, "OpticalPathSequence")]
        self.slide = Slide(
            path,
            levels,
            microns_per_pixel=microns,
            no_scale_because=because,
            magnification=magnification(power[0] if power else None),
            vendor=text(first, "Manufacturer"),
            associated=tuple(sorted(self._beside)),
            tile=self._grids[0].tile,
            facts=replace(facts_of(first), modality="SM"),
            series_uid=text(first, "SeriesInstanceUID"),
            study_uid=text(first, "StudyInstanceUID"),
            problems=tuple(problems),
        )
        self._kept: OrderedDict[tuple[Path, int], Array] = OrderedDict()
        self._lock = Lock()

    def read(self, level: int, region: Region) -> Array:
        return self._compose(self._grids[level], region)

    def picture(self, name: str) -> Array:
        grid = self._beside[name]
        check_picture(grid.rows, grid.columns, self.slide.path)
        return self._compose(grid, Region(0, 0, grid.rows, grid.columns))

    def origin(self, level: int) -> Origin | None:
        """The object that holds the level, None where several do."""
        pieces = self._grids[level].pieces
        if len(pieces) != 1:
            return None
        return Origin(text(pieces[0].header, "SOPInstanceUID"), SLIDE_CLASS, pieces[0].path)

    def _compose(self, grid: "_Grid", region: Region) -> Array:
        canvas = np.full((region.height, region.width, 3), 255, np.uint8)
        height, width = grid.tile
        touching = (
            (grid.at_row < region.row + region.height)
            & (grid.at_row + height > region.row)
            & (grid.at_column < region.column + region.width)
            & (grid.at_column + width > region.column)
        )
        for n in np.flatnonzero(touching):
            tile = self._tile(grid.pieces[grid.piece[n]], int(grid.frame[n]))
            paste(canvas, region, tile, int(grid.at_row[n]), int(grid.at_column[n]))
        return canvas

    def _tile(self, piece: "_Piece", frame: int) -> Array:
        key = piece.path, frame
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        tile = _decoded(piece, frame)
        with self._lock:
            self._kept[key] = tile
            while len(self._kept) > max(1, _KEPT_BYTES // tile.nbytes):
                self._kept.popitem(last=False)
        return tile


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """One file.

    tile, matrix  (rows, columns) of a frame and of the whole picture
    spans         (frames, 2): first byte and length of each frame, for compressed ones in whole items
    places        (frames, 4) as `places.py` gives them; None for TILED_FULL and where the file does not say
    """

    path: Path
    header: "Dataset"
    kind: str
    tile: tuple[int, int]
    matrix: tuple[int, int]
    syntax: str
    spans: Array
    places: Array | None


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """The frames of one level: where each lies, counted from 0, and in which piece it is which frame."""

    rows: int
    columns: int
    tile: tuple[int, int]
    pieces: tuple[_Piece, ...]
    at_row: Array
    at_column: Array
    piece: Array
    frame: Array


def _files_in(folder: Path) -> list[Path]:
    try:
        return sorted(one for one in folder.iterdir() if not one.name.startswith(".") and one.is_file())
    except OSError as error:
        raise Unreadable(f"{folder.name} cannot be listed.", remedy="Check who may read it.") from error


def _names(path: Path) -> tuple[str, str]:
    """(SOP class, series) of a DICOM file from its first elements, ("", "") for anything else."""
    from pydicom import filereader

    if not path.is_file() or not is_dicom(path):
        return "", ""
    _quiet()
    try:
        with path.open("rb") as stream:
            header = filereader.read_partial(
                stream, stop_when=_past_series, force=True, specific_tags=[0x00080016, _SERIES]
            )
            return text(header, "SOPClassUID"), text(header, "SeriesInstanceUID")
    except Exception:  # a broken file makes pydicom raise nearly anything
        return "", ""


def _past_series(tag: int, vr: str | None, length: int) -> bool:
    return tag > _SERIES


def _quiet() -> None:
    """pydicom's warnings quote the value they dislike, and that may be somebody's name."""
    from pydicom import config

    config.settings.reading_validation_mode = config.IGNORE


def _sisters(path: Path) -> list[Path]:
    """The files of the slide at `path`."""
    folder = path if path.is_dir() else path.parent
    known = {one: names for one in _files_in(folder) if (names := _names(one))[0] == SLIDE_CLASS}
    if path.is_dir():
        if not known:
            raise Unreadable(f"{path.name} holds no DICOM slide.", remedy="Name the slide's file.")
        if len({series for _, series in known.values()}) > 1:
            raise AskedWrongly(f"{path.name} holds several slides.", remedy="Name one file of the slide you want.")
        return list(known)
    own = _names(path)
    if own[0] != SLIDE_CLASS:
        raise Unreadable(f"{path.name} is no DICOM slide.", remedy="Give a whole slide microscopy object.")
    return [one for one, names in known.items() if one == path or (names == own and own[1])] or [path]


def _one_of(group: list[_Piece], path: Path) -> tuple[list[_Piece], int]:
    """The files of one picture among those of one size, and how many other pictures there are.

    Only a concatenation spreads a picture over files; otherwise each file is another focal plane or stain.
    """
    pictures: dict[str, list[_Piece]] = {}
    for piece in group:
        together = text(piece.header, "ConcatenationUID")
        pictures.setdefault(together or piece.path.as_posix(), []).append(piece)
    named = next((one for one in pictures.values() if any(piece.path == path for piece in one)), None)
    return named or next(iter(pictures.values())), len(pictures) - 1


def _open(path: Path) -> _Piece:
    from pydicom import filereader

    _quiet()
    try:
        walked = walk(path, ())
        if walked.transfer_syntax == DEFLATED:
            raise Unreadable(
                f"{path.name} is deflated as a whole, so no tile of it can be read alone.",
                remedy="Export it with another transfer syntax.",
            )
        with path.open("rb") as stream:
            # A slide may have a million frames, whose groups pydicom would take minutes to read: they stay bytes.
            header = filereader.read_partial(stream, stop_when=_at_groups, force=True)
            if walked.pixel_offset is None:
                raise Unreadable(
                    f"{path.name} is a {kind_of(header)} without pixels.", remedy="Send or export it again."
                )
            size = walked.pixel_offset - stream.tell()
            if not 0 <= size <= _GROUPS_BYTES:
                raise _broken(path)
            between = stream.read(size)
            return _piece(path, header, walked, between, stream)
    except (Unreadable, NoRoom):
        raise
    except MemoryError as error:
        raise NoRoom(f"{path.name} does not fit into the memory.", remedy="Use a machine with more.") from error
    except Exception as error:  # a broken file makes pydicom raise nearly anything, and the walk Odd
        raise _broken(path) from error


def _at_groups(tag: int, vr: str | None, length: int) -> bool:
    return tag >= _GROUPS


def _piece(path: Path, header: "Dataset", walked: Walked, between: bytes, stream: Any) -> _Piece:
    """`between` are the bytes from the groups of the frames up to the pixels."""
    rows, columns = _whole(header, "Rows"), _whole(header, "Columns")
    check_picture(rows, columns, path)
    matrix = _whole(header, "TotalPixelMatrixRows"), _whole(header, "TotalPixelMatrixColumns")
    kind = next((one.upper() for one in _texts(header, "ImageType")[2:3]), "")
    if kind in _BESIDE and 0 in matrix:
        matrix = rows, columns
    check_levels([Level(*matrix, 1.0)], path)
    frames = max(_whole(header, "NumberOfFrames"), 1)
    samples, allocated = _whole(header, "SamplesPerPixel"), _whole(header, "BitsAllocated")
    if (samples, allocated) not in ((1, 8), (1, 16), (3, 8), (3, 16)):
        raise Unreadable(
            f"{path.name} holds {samples} numbers of {allocated} bits a pixel, which is neither colour nor grey.",
            remedy="Export it in colours of 8 bits.",
        )
    start, end = int(walked.pixel_offset or 0), path.stat().st_size
    if walked.pixel_length is None:
        stream.seek(start)
        spans = _compressed_spans(stream, between, start, end, frames, path)
    else:
        size = rows * columns * samples * allocated // 8
        if start + frames * size > end:
            raise _short(path)
        spans = np.stack([start + np.arange(frames) * size, np.full(frames, size)], axis=1)
    places = None
    # In TILED_FULL the order is promised, whatever else is said.
    if text(header, "DimensionOrganizationType") != "TILED_FULL" and between[:4] == _GROUPS_TAG:
        places = quick_places(between, frames, implicit=bool(header.original_encoding[0]))
        if places is None:
            places = slow_places(path, frames)
    return _Piece(path, header, kind, (rows, columns), matrix, walked.transfer_syntax, spans, places)


def _compressed_spans(stream: Any, between: bytes, start: int, end: int, frames: int, path: Path) -> Array:
    """Where each frame's items begin and how many bytes they take, by the offset table, else by walking along."""
    if frames > (end - start) // 8:  # each frame has an item of its own, and that a head of 8 bytes
        raise _short(path)
    table_length = _item_length(stream, path)
    if table_length > end - stream.tell():
        raise _short(path)
    table = stream.read(table_length)
    base = stream.tell()
    starts = _table(between, table, frames)
    if starts is not None:
        starts = starts + base
        ends = np.append(starts[1:], end)
        # A table that lies is worse than none: every frame it names must begin with an item.
        if starts[0] == base and (ends > starts).all() and all(_is_item(stream, int(one)) for one in starts):
            return np.stack([starts, ends - starts], axis=1)
    items = _walk(stream, base, end, path)
    if len(items) < frames:
        raise _short(path)
    if frames == 1:
        return np.array([[base, items[-1][0] + items[-1][1] - base]])
    if len(items) > frames:
        raise Unreadable(
            f"{path.name} has frames in several pieces and no table that tells where each begins.",
            remedy="Export it with an offset table.",
        )
    return np.array(items)


def _table(between: bytes, basic: bytes, frames: int) -> Array | None:
    """Offsets of the frames from the first item, by the extended or the basic table; None without a usable one."""
    at = between.rfind(_EXTENDED_TABLE)
    extended = between[at + len(_EXTENDED_TABLE) + 4 :][: 8 * frames] if at >= 0 else b""
    for raw, kind in ((extended, "<u8"), (basic, "<u4")):
        if len(raw) == frames * np.dtype(kind).itemsize:
            offsets = np.frombuffer(raw, kind)
            return offsets.astype(np.int64) if offsets.max() < 2**62 else None
    return None


def _item_length(stream: Any, path: Path) -> int:
    head = stream.read(8)
    if len(head) < 8 or head[:4] != _ITEM:
        raise _broken(path)
    return int.from_bytes(head[4:], "little")


def _is_item(stream: Any, at: int) -> bool:
    stream.seek(at)
    return bool(stream.read(4) == _ITEM)


def _walk(stream: Any, at: int, end: int, path: Path) -> list[tuple[int, int]]:
    """(first byte, bytes with head) of each item up to the delimiter."""
    found = []
    while at + 8 <= end:
        stream.seek(at)
        head = stream.read(8)
        if head[:4] != _ITEM:
            break
        length = int.from_bytes(head[4:], "little")
        if at + 8 + length > end:
            raise _short(path)
        found.append((at, 8 + length))
        at += 8 + length
    return found


def _grid(pieces: list[_Piece], matrix: tuple[int, int], path: Path) -> tuple[_Grid, list[str]]:
    """The frames of one level from its files, and what to say of it. Raises Unreadable for missing tiles."""
    tile = pieces[0].tile
    if any(one.tile != tile for one in pieces):
        raise Unreadable(
            f"{path.name} has files of one level with tiles of different sizes.", remedy="Export the slide again."
        )
    pieces = sorted(pieces, key=lambda one: (_whole(one.header, "ConcatenationFrameOffsetNumber"), one.path))
    rows, columns = matrix
    down, right = -(-rows // tile[0]), -(-columns // tile[1])
    total = sum(len(one.spans) for one in pieces)
    piece = np.repeat(np.arange(len(pieces)), [len(one.spans) for one in pieces])
    frame = np.concatenate([np.arange(len(one.spans)) for one in pieces])
    said = []
    organized = text(pieces[0].header, "DimensionOrganizationType")
    stated = [one.places for one in pieces if one.places is not None]
    if len(stated) == len(pieces):
        places = np.concatenate(stated)
        at_row, at_column = places[:, 0].astype(np.int64) - 1, places[:, 1].astype(np.int64) - 1
        first = (places[:, 2:] == places[0, 2:]).all(axis=1)  # focal plane and optical path
        keep = first & (at_row > -tile[0]) & (at_row < rows) & (at_column > -tile[1]) & (at_column < columns)
        if not keep.any():
            raise Unreadable(
                f"{path.name} has no tile that lies on the slide: its header is broken.",
                remedy="Export the slide again.",
            )
        planes = total // int(first.sum())
    else:
        if total < down * right:
            raise _short(path)
        order = np.arange(total)
        keep = order < down * right  # then come further focal planes, then further optical paths
        planes = total // (down * right)
        at_row, at_column = order // right * tile[0], order % right * tile[1]
        if organized != "TILED_FULL" and down > 1 and right > 1:
            at_row, at_column = _found_order(pieces, piece, frame, matrix, path)
            said.append("It does not say where its tiles lie; their order was found from their padding.")
    if planes > 1:
        said.append(f"It holds {planes} focal planes or optical paths; the first is read.")
    if _whole(pieces[0].header, "BitsAllocated") > 8:
        said.append("Its pixels have more than 8 bits; the 8 highest that it uses are read.")
    return _Grid(rows, columns, tile, tuple(pieces), at_row[keep], at_column[keep], piece[keep], frame[keep]), said


def _found_order(
    pieces: list[_Piece], piece: Array, frame: Array, matrix: tuple[int, int], path: Path
) -> tuple[Array, Array]:
    """(first row, first column) of each frame of a file that lacks both positions and a promise of their order.

    Old writers filled the tiles along the rows or down the columns. Tiles that hang over the lower or right edge
    are padded there with one colour, and in the wrong order they are not. Raises Unreadable where that does not
    tell.
    """
    (height, width), (rows, columns) = pieces[0].tile, matrix
    down, right = -(-rows // height), -(-columns // width)
    n = np.arange(len(frame))
    fitting = []
    for tile_row, tile_column in ((n // right, n % right), (n % down, n // down)):
        ends = rows - tile_row * height, columns - tile_column * width  # where the slide ends in each tile
        hanging = np.flatnonzero(((ends[0] < height) | (ends[1] < width)) & (n < down * right))
        chosen = np.unique(
            hanging[np.linspace(0, max(len(hanging) - 1, 0), _LOOKED_AT, dtype=int)[: len(hanging)]]
        )
        fitting.append(
            len(chosen) > 0
            and all(
                _is_blank(_decoded(pieces[piece[one]], int(frame[one])), int(ends[0][one]), int(ends[1][one]))
                for one in chosen
            )
        )
    if fitting == [True, False]:
        return n // right * height, n % right * width
    if fitting == [False, True]:
        return n % down * height, n // down * width
    raise Unreadable(
        f"{path.name} does not say where its tiles lie.",
        remedy="Export it as TILED_FULL, or with the position of each tile.",
    )


def _is_blank(tile: Array, rows: int, columns: int) -> bool:
    """Is the tile of one colour beyond its first rows and columns?"""
    beyond = np.ones(tile.shape[:2], bool)
    beyond[: rows + _SMEARED_TO, : columns + _SMEARED_TO] = False
    return not beyond.any() or bool((np.ptp(tile[beyond], axis=0) <= _SMEARED).all())


def _decoded(piece: _Piece, frame: int) -> Array:
    """One frame as (rows, columns, 3) uint8."""
    from pydicom.uid import UID

    header, path = piece.header, piece.path
    at, length = (int(n) for n in piece.spans[frame])
    with path.open("rb") as stream:
        stream.seek(at)
        raw = stream.read(length)
    if len(raw) < length:
        raise _short(path)
    told = Told(
        *piece.tile,
        samples=_whole(header, "SamplesPerPixel"),
        allocated=_whole(header, "BitsAllocated"),
        stored=_whole(header, "BitsStored"),
        signed=False,
        photometric=text(header, "PhotometricInterpretation"),
    )
    try:
        if UID(piece.syntax).is_encapsulated:
            data = _joined(raw)
            size = stream_size(data)
            if size is not None and size[:2] != piece.tile:
                raise _broken(path)
            array = decode_stream(data, piece.syntax, told, bits=size and size[2])
        else:
            array = _plain(raw, told, planar=_whole(header, "PlanarConfiguration") == 1)
    except MemoryError as error:
        raise NoRoom(f"{path.name} does not fit into the memory.", remedy="Use a machine with more.") from error
    except Exception as error:  # each decoder has its own exceptions
        raise Unreadable(
            f"Tile {frame + 1} of {path.name} cannot be decoded ({UID(piece.syntax).name}): it is damaged or of "
            "a kind that is not read.",
            remedy="Send it again, or export it uncompressed.",
        ) from error
    if array.shape[:2] != piece.tile or array.dtype.kind != "u":
        raise _broken(path)
    return _rgb(array, told.stored, inverse=text(header, "PhotometricInterpretation") == "MONOCHROME1")


def _plain(raw: bytes, told: Told, *, planar: bool) -> Array:
    """A tile that is not compressed: (rows, columns) or (rows, columns, 3)."""
    kind = np.dtype(f"<u{told.allocated // 8}")
    size = told.rows * told.columns * told.samples
    if told.photometric == "YBR_FULL_422" or len(raw) < size * kind.itemsize:
        raise ValueError("bytes are missing")
    numbers = np.frombuffer(raw, kind, size)
    if told.samples == 1:
        return numbers.reshape(told.rows, told.columns)
    if planar:
        return rgb_of(numbers.reshape(3, told.rows, told.columns).transpose(1, 2, 0), told.photometric)
    return rgb_of(numbers.reshape(told.rows, told.columns, 3), told.photometric)


def _joined(items: bytes) -> bytes:
    """The stream of a frame whose fragments are these items."""
    at, stream = 0, b""
    while items[at : at + 4] == _ITEM:
        length = int.from_bytes(items[at + 4 : at + 8], "little")
        stream += items[at + 8 : at + 8 + length]
        at += 8 + length
    return stream


def _rgb(array: Array, stored: int, *, inverse: bool) -> Array:
    eight = array if array.dtype == np.uint8 else (array >> max(stored - 8, 0)).astype(np.uint8)
    if eight.ndim == 3:
        return eight
    return np.repeat((255 - eight if inverse else eight)[..., None], 3, axis=2)


def _spacing(header: "Dataset") -> tuple[float | None, float | None]:
    """Microns per pixel along (rows, columns): the pixel measures, else the size of the glass that was scanned."""
    for group in sequence(header, "SharedFunctionalGroupsSequence"):
        for measures in sequence(group, "PixelMeasuresSequence"):
            said = numbers(measures, "PixelSpacing")  # (between rows, between columns) in mm
            if len(said) == 2:
                return said[0] * 1000, said[1] * 1000
    sides = number(header, "ImagedVolumeHeight"), number(header, "ImagedVolumeWidth")
    counts = _whole(header, "TotalPixelMatrixRows"), _whole(header, "TotalPixelMatrixColumns")
    if sides[0] is None or sides[1] is None:
        return None, None
    return sides[0] * 1000 / counts[0], sides[1] * 1000 / counts[1]


def _same_picture(first: _Grid, other: _Grid) -> bool:
    """Does a level show the whole of level 0? Scanners round sizes up or down."""
    down, right = first.rows / other.rows, first.columns / other.columns
    return abs(other.columns - first.columns / down) <= max(2, 0.02 * other.columns) or (
        abs(other.rows - first.rows / right) <= max(2, 0.02 * other.rows)
    )


def _downsample(first: _Grid, other: _Grid) -> float:
    return (first.rows / other.rows + first.columns / other.columns) / 2


def _whole(header: "Dataset", keyword: str) -> int:
    """A whole number of the header, 0 where it is absent, negative or no number."""
    found = number(header, keyword)
    return int(found) if found is not None and 0 < found < 2**53 else 0


def _texts(header: "Dataset", keyword: str) -> list[str]:
    try:
        value = header.get(keyword)
    except Exception:  # pydicom converts values only when asked and raises many kinds for what it cannot convert
        return []
    return [value] if isinstance(value, str) else [str(one) for one in value or ()]


def _short(path: Path) -> Unreadable:
    return Unreadable(
        f"{path.name} holds fewer tiles than its header says: it is cut short.", remedy="Send or export it again."
    )


def _broken(path: Path) -> Unreadable:
    return Unreadable(
        f"{path.name} cannot be read as a DICOM slide: it is damaged or cut short.",
        remedy="Send or export it again.",
    )

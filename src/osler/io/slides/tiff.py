"""Pyramids in plain TIFF and OME-TIFF, as further pages or as SubIFDs, which OpenSlide does not see.

tifffile reads the directories; each tile is handed to Pillow as a TIFF of its own, so that libtiff decodes it
whatever its compression (JPEG with shared tables, LZW, Deflate, ...). JPEG 2000 tiles are files already.
Sources: TIFF 6.0 (1992); OME model 2016-06, PhysicalSizeX of Pixels, in microns unless it names another unit.
"""

import io
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import NoRoom, Unreadable
from osler.core.facts import Facts
from osler.core.origin import Origin
from osler.core.slide import Level, Region, Slide
from osler.imaging.tiles import paste, touching
from osler.io.slides.scale import scale
from osler.io.slides.size import check_levels, check_picture

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the latter two are BigTIFF
_JPEG_2000 = (33003, 33005, 34712)
_COPIED = (258, 259, 262, 277, 284, 317, 338, 339, 347, 530)  # what a decoder must know of a tile
_SHORTS = (258, 259, 262, 277, 284, 317, 338, 339, 530)
_MICRONS = {"": 1.0, "µm": 1.0, "μm": 1.0, "um": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4}
_PRINTED = 10.0  # microns; coarser resolution tags speak of printing: 300 dots per inch are 85 microns


def is_tiff_slide(path: Path) -> bool:
    """Is `path` a TIFF in tiles, or in several sizes? Never raises."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as stream:
            if stream.read(4) not in _MAGIC:
                return False
        with _tifffile().TiffFile(path) as file:
            levels = file.series[0].levels
            return bool(levels[0].keyframe.is_tiled or len(levels) > 1)
    except Exception:  # tifffile raises many kinds for broken directories
        return False


class TiffSlide:
    """A pyramid in a TIFF file. The file is opened for each read, so that threads need not wait for each other."""

    def __init__(self, path: Path) -> None:
        """Raises Unreadable for a broken file and for one that holds something else than pictures of 8 bits."""
        try:
            with _tifffile().TiffFile(path) as file:
                series = file.series[0]
                self._pages = [level.pages[0].aspage() for level in series.levels]
                self.slide = _slide(file, self._pages, path)
                self._order = str(file.byteorder)
        except Unreadable:
            raise
        except MemoryError as error:
            raise NoRoom(f"{path.name} does not fit into the memory.", remedy="Free some of it.") from error
        except Exception as error:  # tifffile raises many kinds for broken directories
            raise _broken(path) from error

    def read(self, level: int, region: Region) -> Array:
        page, path = self._pages[level], self.slide.path
        canvas = np.full((region.height, region.width, 3), 255, np.uint8)
        height, width = _chunk(page)
        across = -(-page.imagewidth // width)
        try:
            with path.open("rb") as stream:
                for row, column in touching(region, (height, width)):
                    n = row * across + column
                    offset, count = page.dataoffsets[n], page.databytecounts[n]
                    if not count:  # never scanned
                        continue
                    stream.seek(offset)
                    raw = stream.read(min(count, path.stat().st_size))
                    if len(raw) < count:
                        raise _broken(path)
                    rows = height if page.is_tiled else min(height, page.imagelength - row * height)
                    paste(canvas, region, self._decoded(page, raw, rows, width), row * height, column * width)
        except Unreadable:
            raise
        except MemoryError as error:
            raise NoRoom(f"{path.name} does not fit into the memory.", remedy="Ask for less.") from error
        except Exception as error:  # Pillow's and libtiff's for broken tiles, tifffile's for broken tables
            raise _broken(path) from error
        return canvas

    def picture(self, name: str) -> Array:
        raise _broken(self.slide.path)  # there is none: `associated` is empty

    def origin(self, level: int) -> Origin | None:
        return None

    def _decoded(self, page: Any, raw: bytes, rows: int, columns: int) -> Array:
        from PIL import Image as Pillow

        alone = raw if page.compression in _JPEG_2000 else _alone(page, raw, rows, columns, self._order)
        with Pillow.open(io.BytesIO(alone)) as picture:
            if picture.size != (columns, rows):
                raise _broken(self.slide.path)
            return np.asarray(picture.convert("RGB"))


def _tifffile() -> Any:
    import logging

    import tifffile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # it quotes what it dislikes in a header
    return tifffile


def _slide(file: Any, pages: list[Any], path: Path) -> Slide:
    levels = tuple(
        Level(int(page.imagelength), int(page.imagewidth), _downsample(pages[0], page)) for page in pages
    )
    check_levels(levels, path)
    problems = []
    for page in pages:
        check_picture(*_chunk(page), path)
        if page.bitspersample != 8 or page.planarconfig == 2 or page.samplesperpixel not in (1, 3, 4):
            raise Unreadable(
                f"{path.name} holds {page.samplesperpixel} numbers of {page.bitspersample} bits a pixel, in an "
                "order that is not read.",
                remedy="Export it in colours of 8 bits.",
            )
        if page.is_tiled and len(page.dataoffsets) < _chunks(page):
            raise _broken(path)
    if len(file.series[0].levels[0].pages) > 1:
        problems.append(f"It holds {len(file.series[0].levels[0].pages)} planes or channels; the first is read.")
    microns, because = _scale(file, pages[0])
    return Slide(
        path,
        levels,
        microns_per_pixel=microns,
        no_scale_because=because,
        vendor="OME" if file.is_ome else "",
        tile=_chunk(pages[0]),
        facts=Facts(modality="SM", bits_stored=8),
        problems=tuple(problems),
    )


def _chunk(page: Any) -> tuple[int, int]:
    """(rows, columns) of a tile, or of a strip."""
    if page.is_tiled:
        return int(page.tilelength), int(page.tilewidth)
    return int(min(page.rowsperstrip or page.imagelength, page.imagelength)), int(page.imagewidth)


def _chunks(page: Any) -> int:
    height, width = _chunk(page)
    return int(-(-page.imagelength // height) * -(-page.imagewidth // width))


def _downsample(first: Any, other: Any) -> float:
    if not other.imagelength or not other.imagewidth:
        return 1.0
    return float((first.imagelength / other.imagelength + first.imagewidth / other.imagewidth) / 2)


def _scale(file: Any, page: Any) -> tuple[tuple[float, float] | None, str]:
    if file.is_ome:
        said = file.ome_metadata or ""
        return scale(_physical(said, "Y"), _physical(said, "X"))
    unit = {2: 25400.0, 3: 10000.0}.get(int(getattr(page.resolutionunit, "value", page.resolutionunit) or 0))
    if unit is None or 282 not in page.tags or 283 not in page.tags:
        return scale(None, None)
    across, down = (page.tags[code].value for code in (282, 283))
    sides = [unit * one[1] / one[0] if one[0] else None for one in (down, across)]
    if any(one is None or one > _PRINTED for one in sides):
        return scale(None, None)
    return scale(*sides)


def _physical(said: str, axis: str) -> float | None:
    found = re.search(rf'\bPhysicalSize{axis}="([0-9.eE+-]{{1,30}})"', said)
    unit = re.search(rf'\bPhysicalSize{axis}Unit="([^"]{{0,10}})"', said)
    factor = _MICRONS.get(unit[1] if unit else "")
    try:
        return float(found[1]) * factor if found and factor else None
    except ValueError:
        return None


def _alone(page: Any, raw: bytes, rows: int, columns: int, order: str) -> bytes:
    """The tile as a TIFF file of one strip."""
    entries: dict[int, tuple[int, bytes, int]] = {}  # tag -> (type, values, count)

    def add(tag: int, kind: str, *values: int) -> None:
        entries[tag] = ({"H": 3, "L": 4}[kind], struct.pack(f"{order}{len(values)}{kind}", *values), len(values))

    for tag in _COPIED:
        if tag not in page.tags:
            continue
        value = page.tags[tag].value
        if tag in _SHORTS:
            add(tag, "H", *(int(one) for one in (value if isinstance(value, tuple) else (value,))))
        else:  # the JPEG tables
            entries[tag] = (7, bytes(value), len(value))
    add(256, "L", columns)
    add(257, "L", rows)
    add(278, "L", rows)
    add(279, "L", len(raw))
    add(273, "L", 0)  # filled in below
    tail = 8 + 2 + 12 * len(entries) + 4
    spare = b""
    at = {}
    for tag in sorted(entries):
        if len(entries[tag][1]) > 4:
            at[tag] = tail + len(spare)
            spare += entries[tag][1] + b"\0" * (len(entries[tag][1]) % 2)
    add(273, "L", tail + len(spare))
    directory = struct.pack(f"{order}H", len(entries))
    for tag, (kind, values, count) in sorted(entries.items()):
        held = struct.pack(f"{order}L", at[tag]) if tag in at else values.ljust(4, b"\0")
        directory += struct.pack(f"{order}HHL", tag, kind, count) + held
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HL", 42, 8)
    return head + directory + bytes(4) + spare + raw


def _broken(path: Path) -> Unreadable:
    return Unreadable(
        f"{path.name} cannot be read as a slide: it is damaged or cut short.", remedy="Copy or export it again."
    )

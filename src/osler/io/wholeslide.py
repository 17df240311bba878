"""The door for whole slides: facts at once, pixels region by region, never the whole.

Regions are counted in pixels of the picture that is asked for, all four numbers of them: `read_region` takes them
in pixels of the level it reads, `read_at` in pixels of the resolution it gives. (OpenSlide mixes the two: it
takes the corner in pixels of level 0 and the size in those of the level.) What lies beside the slide, or was not
scanned, is white. Colours are those of the file; an ICC profile in it is not applied.
"""

import math
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, UnknownChoice, Unreadable
from osler.core.image import Image
from osler.core.slide import Region, Slide
from osler.imaging.tiles import cover, part_inside, paste
from osler.io.dicom.parse import is_dicom
from osler.io.slides.microscopy import DicomSlide, is_dicom_slide
from osler.io.slides.size import REGION_LIMIT
from osler.io.slides.source import Source
from osler.io.slides.tiff import TiffSlide, is_tiff_slide
from osler.io.slides.vendor import VendorSlide, vendor_of

_OPEN = 8  # slides kept open
_FINER = 1.15  # objectives named alike differ by so much; finer than that would be made up
_PLAIN = "generic-tiff"  # OpenSlide's name for TIFF in tiles; it does not see all levels of those


def is_slide(path: Path) -> bool:
    """May `path` be a whole slide: a scanner's file, a TIFF in tiles or sizes, DICOM, or a folder of the latter?

    Never raises, and reads only the beginning; a broken slide is found when it is opened.
    """
    path = Path(path)
    try:
        if not path.is_file():  # a pipe would be waited for
            return path.is_dir() and is_dicom_slide(path)
        if is_dicom(path):
            return is_dicom_slide(path)
        return vendor_of(path) not in ("", _PLAIN) or is_tiff_slide(path)
    except (OSError, Unreadable):
        return False


def open_slide(path: Path) -> Slide:
    """What the file says of the slide: levels, scale, pictures beside it. The pyramid's pixels stay unread.

    path  a file, or a folder with the files of one DICOM series; one file of such a series brings in its sisters

    Raises Unreadable for a missing, broken or unknown file, AskedWrongly for a folder with several slides.
    """
    return _source(Path(path)).slide


def read_region(slide: Slide, level: int, row: int, column: int, height: int, width: int) -> Image:
    """A rectangle of one level as stored, (height, width, 3) uint8 RGB, white where the slide ends.

    row, column    the upper left corner in pixels of `level`, not of level 0; may be negative
    height, width  in pixels of `level`

    Raises AskedWrongly for a level that is not there, a rectangle that lies wholly beside the slide or is larger
    than 64 megapixels; Unreadable where the file is broken.
    """
    region = Region(row, column, height, width)
    _check_level(slide, level)
    _check_size(slide, region)
    here = slide.levels[level]
    inside = part_inside(region, here.rows, here.columns)
    if not (inside.height and inside.width):
        raise _beside(slide, here.rows, here.columns)
    array = _padded(_read(slide, level, inside), inside, region)
    return _image(slide, array, slide.microns_at(level), level)


def read_at(slide: Slide, microns_per_pixel: float, region: Region) -> Image:
    """A rectangle at a resolution of its own, (height, width, 3) uint8 RGB, white where the slide ends.

    region  in pixels of `microns_per_pixel` on a side, counted from the slide's upper left corner

    It is made from the level that is next finer, smoothed by a triangle as wide as two new pixels, piece by piece,
    so that the memory stays bounded; neighbouring rectangles fit without a seam.
    Raises AskedWrongly where the slide's scale is unknown or coarser than asked, and as `read_region` does.
    """
    scale = slide.microns_per_pixel
    if scale is None:
        raise AskedWrongly(
            f"{slide.path.name} cannot be read at {microns_per_pixel:g} microns. {slide.no_scale_because}",
            remedy="Read a level by its number.",
        )
    if not (math.isfinite(microns_per_pixel) and microns_per_pixel * _FINER >= min(scale)):
        raise AskedWrongly(
            f"{slide.path.name} has pixels of {max(scale):.4g} microns, not of {microns_per_pixel:g}.",
            remedy=f"Ask for {max(scale):.4g} or more.",
        )
    _check_size(slide, region)
    first = slide.levels[0]
    steps = microns_per_pixel / scale[0], microns_per_pixel / scale[1]
    rows, columns = max(1, round(first.rows / steps[0])), max(1, round(first.columns / steps[1]))
    inside = part_inside(region, rows, columns)
    if not (inside.height and inside.width):
        raise _beside(slide, rows, columns)
    array = _padded(_resampled(slide, inside, steps), inside, region)
    return _image(slide, array, (microns_per_pixel, microns_per_pixel), None)


def thumbnail(slide: Slide, longest: int) -> Image:
    """The whole slide with `longest` pixels along its longer side, (rows, columns, 3) uint8 RGB.

    Made from the pyramid, not from the file's own thumbnail, which some scanners cut otherwise.
    A slide that is smaller comes as it is. Raises AskedWrongly for less than 1 pixel, and as `read_region` does.
    """
    first = slide.levels[0]
    if longest < 1:
        raise AskedWrongly(f"A thumbnail of {longest} pixels cannot be.", remedy="Ask for 256 or 1024.")
    step = max(max(first.rows, first.columns) / longest, 1.0)
    region = Region(0, 0, max(1, round(first.rows / step)), max(1, round(first.columns / step)))
    _check_size(slide, region)
    steps = first.rows / region.height, first.columns / region.width
    scale = slide.microns_per_pixel
    microns = None if scale is None else (scale[0] * steps[0], scale[1] * steps[1])
    return _image(slide, _resampled(slide, region, steps), microns, None)


def associated(slide: Slide, name: str) -> Image:
    """A picture beside the pyramid, (rows, columns, 3) uint8 RGB: "label", "macro", "overview", "thumbnail".

    The paper label may bear a patient's name, number or date of birth, and it can be read on the label, the macro
    and the overview (`slide.may_name_somebody`): do not show, keep or send these unless a person asks for them.
    Raises UnknownChoice for a picture that is not there, Unreadable where it is broken.
    """
    if name not in slide.associated:
        raise UnknownChoice.among("picture beside the slide", name, slide.associated)
    source = _source(slide.path)
    try:
        return Image(source.picture(name), facts=slide.facts)
    except Unreadable:
        _forget()
        raise


def tiles(
    slide: Slide, level: int = 0, size: int = 256, *, overlap: int = 0, whole_only: bool = False
) -> Iterator[Region]:
    """Squares that cover a level, row by row, for `read_region(slide, level, *region)`. Reads nothing.

    overlap     pixels that neighbours share
    whole_only  leave out the squares that reach over the lower or right edge

    Raises AskedWrongly for a level that is not there, or squares that cannot be.
    """
    _check_level(slide, level)
    here = slide.levels[level]
    return cover(here.rows, here.columns, (size, size), overlap=overlap, whole_only=whole_only)


def _source(path: Path) -> Source:
    """The opened slide, kept for the next reads; a file that changed is opened anew."""
    try:
        status = path.stat()
    except OSError as error:
        raise Unreadable(f"{path.name} is missing.", remedy="Check the path.") from error
    # A file handle must not be shared with a forked process: both would move its position.
    return _opened(path, status.st_mtime_ns, status.st_size, os.getpid())


@lru_cache(maxsize=_OPEN)
def _opened(path: Path, changed: int, size: int, process: int) -> Source:
    if path.is_dir() or (path.is_file() and is_dicom(path)):
        return DicomSlide(path)
    if path.is_file():
        vendor = vendor_of(path)
        if vendor not in ("", _PLAIN):
            return VendorSlide(path)
        if is_tiff_slide(path):
            return TiffSlide(path)
    raise Unreadable(
        f"{path.name} is no whole slide that is known, or it is damaged.",
        remedy="Give SVS, NDPI, MRXS, SCN, BIF, a TIFF in tiles, or DICOM.",
    )


def _forget() -> None:
    """Close everything: OpenSlide's handle gives only errors after its first."""
    _opened.cache_clear()


def _read(slide: Slide, level: int, inside: Region) -> Array:
    source = _source(slide.path)
    if source.slide.levels != slide.levels:
        raise Unreadable(f"{slide.path.name} has changed since it was opened.", remedy="Open it again.")
    try:
        return source.read(level, inside)
    except Unreadable:
        _forget()
        raise


def _resampled(slide: Slide, region: Region, steps: tuple[float, float]) -> Array:
    """`region`, in pixels that are `steps` (rows, columns) pixels of level 0 large; lies on the slide."""
    from PIL import Image as Pillow

    first = slide.levels[0]
    level = max(
        (n for n, one in enumerate(slide.levels) if one.downsample <= min(steps) * 1.001 or n == 0),
        key=lambda n: slide.levels[n].downsample,
    )
    here = slide.levels[level]
    down, right = steps[0] * here.rows / first.rows, steps[1] * here.columns / first.columns
    out: Array = np.empty((region.height, region.width, 3), np.uint8)
    # Pieces as large as a quarter of the limit at their source, the margins not counted.
    room = math.sqrt(REGION_LIMIT / 4)
    piece = max(1, int(room / max(down, 1))), max(1, int(room / max(right, 1)))
    margin = math.ceil(max(down, 1)) + 1, math.ceil(max(right, 1)) + 1  # how far the triangle reaches
    for part in cover(region.height, region.width, piece):
        part = part_inside(part, region.height, region.width)
        top, left = (region.row + part.row) * down, (region.column + part.column) * right
        bottom = min(top + part.height * down, here.rows)
        end = min(left + part.width * right, here.columns)
        row, column = max(math.floor(top) - margin[0], 0), max(math.floor(left) - margin[1], 0)
        height = min(math.ceil(bottom) + margin[0], here.rows) - row
        width = min(math.ceil(end) + margin[1], here.columns) - column
        source = Pillow.fromarray(_read(slide, level, Region(row, column, height, width)))
        box = (left - column, top - row, end - column, bottom - row)
        shrunk = source.resize((part.width, part.height), Pillow.Resampling.BILINEAR, box=box)
        out[part.row : part.row + part.height, part.column : part.column + part.width] = np.asarray(shrunk)
    return out


def _padded(array: Array, inside: Region, region: Region) -> Array:
    if inside == region:
        return array
    canvas = np.full((region.height, region.width, 3), 255, np.uint8)
    paste(canvas, region, array, inside.row, inside.column)
    return canvas


def _image(slide: Slide, array: Array, microns: tuple[float, float] | None, level: int | None) -> Image:
    spacing = None if microns is None else (microns[0] / 1000, microns[1] / 1000)
    origin = None if level is None else _source(slide.path).origin(level)
    return Image(
        array,
        spacing_mm=spacing,
        facts=slide.facts,
        origin=origin,
        series_uid=slide.series_uid,
        study_uid=slide.study_uid,
    )


def _check_level(slide: Slide, level: int) -> None:
    if not 0 <= level < len(slide.levels):
        raise AskedWrongly(
            f"{slide.path.name} has no level {level}.", remedy=f"Ask for 0 to {len(slide.levels) - 1}."
        )


def _check_size(slide: Slide, region: Region) -> None:
    if min(region.height, region.width) < 1 or region.height * region.width > REGION_LIMIT:
        raise AskedWrongly(
            f"A region of {region.height} x {region.width} pixels of {slide.path.name} is not read at once.",
            remedy=f"Ask for at least 1 and at most {REGION_LIMIT} pixels; cut the slide into tiles.",
        )


def _beside(slide: Slide, rows: int, columns: int) -> AskedWrongly:
    return AskedWrongly(
        f"The region lies beside {slide.path.name}, which has {rows} x {columns} pixels there.",
        remedy="Count in pixels of the level or resolution that is read, not of level 0.",
    )

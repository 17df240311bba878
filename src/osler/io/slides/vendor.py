"""Scanners' own formats (SVS, NDPI, MRXS, SCN, BIF, Philips TIFF, VMS, ...) through OpenSlide."""

from pathlib import Path
from typing import Any

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import NoRoom, Unreadable
from osler.core.facts import Facts
from osler.core.origin import Origin
from osler.core.slide import Level, Region, Slide
from osler.io.slides.scale import magnification, scale
from osler.io.slides.size import check_levels, check_picture


def vendor_of(path: Path) -> str:
    """The vendor in OpenSlide's spelling, "" for a file that it does not know. Never raises."""
    import openslide

    try:
        return str(openslide.OpenSlide.detect_format(path) or "")
    except Exception:  # its C library tells broken files by errors of its own
        return ""


class VendorSlide:
    """A slide opened by OpenSlide, which is safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        """Raises Unreadable for a file that OpenSlide cannot open."""
        import openslide

        try:
            self._file = openslide.OpenSlide(path)
            self.slide = _slide(self._file, path)
        except Unreadable:
            raise
        except Exception as error:  # OpenSlideError, and UnicodeDecodeError for properties that are no text
            raise _broken(path) from error

    def read(self, level: int, region: Region) -> Array:
        # OpenSlide wants the corner in pixels of level 0, and the size in those of the level.
        first, here = self.slide.levels[0], self.slide.levels[level]
        corner = (
            round(region.column * first.columns / here.columns),
            round(region.row * first.rows / here.rows),
        )
        try:
            return _on_white(self._file.read_region(corner, level, (region.width, region.height)))
        except MemoryError as error:
            name = self.slide.path.name
            raise NoRoom(f"{name} does not fit into the memory.", remedy="Ask for less.") from error
        except Exception as error:  # a broken tile; the handle gives only errors from now on
            raise _broken(self.slide.path) from error

    def picture(self, name: str) -> Array:
        try:
            width, height = (
                int(self._file.properties[f"openslide.associated.{name}.{axis}"]) for axis in ("width", "height")
            )
            check_picture(height, width, self.slide.path)
            return _on_white(self._file.associated_images[name])
        except Unreadable:
            raise
        except Exception as error:  # a broken picture; the handle gives only errors from now on
            raise _broken(self.slide.path) from error

    def origin(self, level: int) -> Origin | None:
        return None


def _slide(file: Any, path: Path) -> Slide:
    says = file.properties
    levels = tuple(
        Level(rows, columns, downsample)
        for (columns, rows), downsample in zip(file.level_dimensions, file.level_downsamples, strict=True)
    )
    check_levels(levels, path)
    microns, because = scale(says.get("openslide.mpp-y"), says.get("openslide.mpp-x"))
    vendor = str(says.get("openslide.vendor") or "")
    tile = (says.get("openslide.level[0].tile-height"), says.get("openslide.level[0].tile-width"))
    return Slide(
        path,
        levels,
        microns_per_pixel=microns,
        no_scale_because=because,
        magnification=magnification(says.get("openslide.objective-power")),
        vendor=vendor,
        associated=tuple(sorted(_known(name) for name in file.associated_images if _known(name))),
        tile=(int(tile[0]), int(tile[1])) if tile[0] and tile[1] else (256, 256),
        facts=Facts(modality="SM", manufacturer=vendor, bits_stored=8),
    )


def _known(name: str) -> str:
    """The name where it is a usual one; a scanner may also put a person's words there."""
    return name if name in ("label", "macro", "thumbnail") else ""


def _on_white(picture: Any) -> Array:
    """RGBA as (rows, columns, 3): what was not scanned is transparent, and becomes white as the glass is."""
    from PIL import Image as Pillow

    if picture.getextrema()[3] == (255, 255):
        return np.asarray(picture.convert("RGB"))
    ground = Pillow.new("RGBA", picture.size, "white")
    return np.asarray(Pillow.alpha_composite(ground, picture).convert("RGB"))


def _broken(path: Path) -> Unreadable:
    return Unreadable(
        f"{path.name} cannot be read as a slide: it is damaged or cut short.", remedy="Copy or export it again."
    )

"""A whole slide: what its file says of it, never its pixels, of which there are more than any memory holds."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from osler.core.facts import Facts

# Photographs of the glass show its paper label, and that may bear a name, a number or a date of birth.
_SHOWS_THE_LABEL = ("label", "macro", "overview")


class Region(NamedTuple):
    """A rectangle, always in pixels of the picture that is asked for: of one level, or at one resolution.

    row, column    its upper left corner; may lie outside the slide
    height, width  in pixels
    """

    row: int
    column: int
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class Level:
    """One size in which the slide is stored.

    rows, columns  in pixels
    downsample     pixels of level 0 for each pixel of this level, along either axis; 1.0 for level 0
    """

    rows: int
    columns: int
    downsample: float


@dataclass(frozen=True, slots=True, eq=False)
class Slide:
    """One scanned glass slide. It holds no pixels: they are read region by region (`osler.io.wholeslide`).

    path               where it lies: a file, or a folder with the files of one DICOM series
    levels             from the largest, level 0, to the smallest
    microns_per_pixel  of level 0 along (rows, columns); None where the file does not say
    no_scale_because   why `microns_per_pixel` is None, a sentence; "" otherwise
    magnification      of the objective: 20.0, 40.0; None where the file does not say
    vendor             who wrote the file: "aperio", "hamamatsu", a manufacturer; "" where it does not say
    associated         names of the pictures beside the pyramid: "label", "macro", "overview", "thumbnail"
    tile               (rows, columns) of the pieces in which level 0 is stored: the cheapest unit to read
    facts              what the header says, without anybody's name
    series_uid, study_uid  "" for files that are not DICOM
    problems           what is left out or doubtful, a sentence each: further focal planes, odd sizes
    """

    path: Path
    levels: tuple[Level, ...]
    microns_per_pixel: tuple[float, float] | None = None
    no_scale_because: str = ""
    magnification: float | None = None
    vendor: str = ""
    associated: tuple[str, ...] = ()
    tile: tuple[int, int] = (256, 256)
    facts: Facts = field(default_factory=Facts)
    series_uid: str = ""
    study_uid: str = ""
    problems: tuple[str, ...] = ()

    @property
    def may_name_somebody(self) -> tuple[str, ...]:
        """The associated pictures on which the paper label may be read: never shown unless asked for by name."""
        return tuple(name for name in self.associated if name in _SHOWS_THE_LABEL)

    def microns_at(self, level: int) -> tuple[float, float] | None:
        """Microns per pixel of a level along (rows, columns), None where the scale is unknown."""
        if self.microns_per_pixel is None:
            return None
        first, here = self.levels[0], self.levels[level]
        down, right = self.microns_per_pixel
        return down * first.rows / here.rows, right * first.columns / here.columns

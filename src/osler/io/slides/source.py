"""What every way of reading a slide gives."""

from typing import Protocol

from osler.core.arrays import Array
from osler.core.origin import Origin
from osler.core.slide import Region, Slide


class Source(Protocol):
    """One opened slide: its facts, and its pixels piece by piece. Safe to use from several threads."""

    @property
    def slide(self) -> Slide:
        """What the file says of the slide."""

    def read(self, level: int, region: Region) -> Array:
        """(height, width, 3) uint8, RGB, of a region that lies wholly on the level; white where nothing was
        scanned. Raises Unreadable where the file is broken."""

    def picture(self, name: str) -> Array:
        """(rows, columns, 3) uint8, RGB, of the associated picture. Raises Unreadable."""

    def origin(self, level: int) -> Origin | None:
        """The DICOM object that holds the level; None where several do, and for other files."""

"""What a header says of a picture's size, before its pixels are read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Glance:
    """A picture's header in short.

    shape     (slices, rows, columns) of a volume, (rows, columns) of an image
    spacing   mm along the same axes; None where the file does not say
    channels  3 for colour; the number of volumes where one file holds several; 1 otherwise
    dtype     of the stored numbers, numpy's spelling: "int16"
    modality  DICOM spelling, "" where the file does not say
    """

    shape: tuple[int, ...]
    spacing: tuple[float, ...] | None = None
    channels: int = 1
    dtype: str = ""
    modality: str = ""

    @property
    def colour(self) -> bool:
        """Is it a flat picture with red, green and blue?"""
        return len(self.shape) == 2 and self.channels == 3

    @property
    def flat(self) -> bool:
        """Is it an image, not a volume?"""
        return len(self.shape) == 2

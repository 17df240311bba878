"""One look at every case: all that the checks need, so that each file is opened once."""

from collections.abc import Mapping
from dataclasses import dataclass

from osler.core.arrays import Array


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What one look at the pictures of a case leaves.

    case       its id
    problem    why it could not be read, "" where it could; the arrays are then empty
    digest     sha256 of the pixels of all its pictures (shape, type, bytes): equal only for exact copies
    file       sha256 of the files' bytes, "" for a part of a larger file
    thumbnail  (64, 64) float32, the first picture (of a volume the middle slice) in grey, 0 to 1 between its 1st
               and 99th percentile, squeezed to the square
    colour     (3,) float32 mean red, green and blue, 0 to 1; equal for grey pictures
    darkest, brightest  of the pixels
    header     what is known without understanding the picture: "suffix", "bytes", "rows", "columns", "slices",
               "bits", "colour", "spacing", "modality", "manufacturer", "border" (mean of the outermost pixels,
               0 to 1), ...
    """

    case: str
    problem: str
    digest: str
    file: str
    thumbnail: Array
    colour: Array
    darkest: float
    brightest: float
    header: Mapping[str, str | float]

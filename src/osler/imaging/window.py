"""Pictures as a person looks at them: eight bits, in a window that shows what matters.

Source of the window functions: DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3. They are for the eye only; what a model
reads is never windowed by what a header proposes.
"""

from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, UnknownChoice
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.volume import Volume

SOFT_TISSUE = (40.0, 400.0)  # HU, centre and width
_SUV_BLACK = 10.0


@dataclass(frozen=True, slots=True)
class Window:
    """How values of interest become grey, as a DICOM header proposes it.

    centre, width  in the picture's unit, as they stand in the header
    function       "LINEAR", "LINEAR_EXACT" or "SIGMOID"
    """

    centre: float
    width: float
    function: str = "LINEAR"

    def __post_init__(self) -> None:
        if self.function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
            raise UnknownChoice.among("window function", self.function, ("LINEAR", "LINEAR_EXACT", "SIGMOID"))
        least = 1.0 if self.function == "LINEAR" else 0.0
        if not (self.width >= least and self.width > 0 and np.isfinite([self.centre, self.width]).all()):
            raise AskedWrongly(
                f"A {self.function} window cannot be {self.width:g} wide.",
                remedy="Give a width of at least 1, or above 0 for the other functions.",
            )


def windowed(values: Array, window: Window) -> Array:
    """Grey from 0 to 1, float32, of the same shape: PS3.3 C.11.2.1.2.1 and C.11.2.1.3.

    >>> windowed(np.array([-160.0, 39.5, 239.0]), Window(40, 400)).tolist()
    [0.0, 0.5, 1.0]
    """
    x, c, w = values.astype(np.float64), window.centre, window.width
    if window.function == "SIGMOID":
        return (1 / (1 + np.exp(np.clip(-4 * (x - c) / w, -700, 700)))).astype(np.float32)
    if window.function == "LINEAR_EXACT":
        return np.clip((x - c) / w + 0.5, 0, 1).astype(np.float32)
    if w == 1:  # the ramp has no length: black up to it, white beyond
        return (x > c - 0.5).astype(np.float32)
    return np.clip((x - (c - 0.5)) / (w - 1) + 0.5, 0, 1).astype(np.float32)


def looked_up(values: Array, first: int, table: Array, bits: int) -> Array:
    """Grey from 0 to 1, float32, by a VOI look-up table (PS3.3 C.11.2.1.1).

    first  the value of the table's first entry; values beyond the ends take its first or last entry
    table  (entries,)
    bits   of an entry
    """
    index = np.clip(np.rint(values).astype(np.int64) - first, 0, len(table) - 1)
    return (table[index] / float(2**bits - 1)).astype(np.float32)


def to_display(
    picture: Image | Volume, *, slice_index: int | None = None, window: Window | tuple[float, float] | None = None
) -> Array:
    """A flat picture for a page, (rows, columns, 3) uint8.

    slice_index  which slice of a volume; None takes the middle one
    window       (centre, width) in the picture's unit, exactly linear, or a `Window` of a header; None chooses:
                 soft tissue for CT in HU, 0 to 10 for SUV, and for everything else from the 1st to the 99th
                 percentile of the whole picture

    The array's own orientation is kept, so that a slice of a mask fits on top; see `upright`.
    """
    array = picture.array
    if isinstance(picture, Image) and picture.colour and array.dtype == np.uint8:
        return np.array(array)
    if isinstance(picture, Volume):
        array = array[array.shape[0] // 2 if slice_index is None else slice_index]
    if isinstance(window, Window):
        shown = windowed(array, window) * 255
    else:
        low, high = _limits(picture, window)
        shown = np.clip((array.astype(np.float32) - low) / (high - low), 0, 1) * 255
    grey = np.rint(shown).astype(np.uint8)
    return grey if grey.ndim == 3 else np.repeat(grey[..., None], 3, axis=2)


def upright(pixels: Array, geometry: Geometry) -> Array:
    """One slice (rows, columns[, 3]) turned as radiologists look at it: the patient's right on the left, the head
    or the front on top.

    Quarter turns and flips only: every pixel stays a pixel, so pixels and labels may both be turned.
    """
    down, along = geometry.affine[:3, 1], geometry.affine[:3, 2]
    ways = {int(np.abs(down).argmax()): down, int(np.abs(along).argmax()): along}
    if len(ways) < 2:
        return pixels
    # Across the page runs left (axis 0), or back (axis 1) when looking from the side; the other runs down.
    across = min(ways)
    if across != int(np.abs(along).argmax()):
        pixels = pixels.swapaxes(0, 1)
    if ways[across][across] < 0:
        pixels = pixels[:, ::-1]
    below = max(ways)
    wanted = -1 if below == 2 else 1  # down is towards the feet, or towards the back
    return pixels[::-1] if ways[below][below] * wanted < 0 else pixels


def _limits(picture: Image | Volume, window: tuple[float, float] | None) -> tuple[float, float]:
    unit = picture.unit if isinstance(picture, Volume) else ""
    if window is None and unit == "SUV":
        return 0.0, _SUV_BLACK
    if window is None and unit == "HU":
        window = SOFT_TISSUE
    if window is not None:
        centre, width = window
        return centre - width / 2, centre + width / 2
    every = max(1, picture.array.size // 1_000_000)  # a million numbers give the same percentiles
    low, high = (float(x) for x in np.percentile(picture.array.ravel()[::every], (1, 99)))
    if high <= low:
        low, high = float(picture.array.min()), float(picture.array.max())
    return low, high if high > low else low + 1

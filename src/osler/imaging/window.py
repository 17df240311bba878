"""Pictures as a person looks at them: eight bits, in a window that shows what matters."""

import numpy as np

from osler.core.arrays import Array
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.volume import Volume

SOFT_TISSUE = (40.0, 400.0)  # HU, centre and width
_SUV_BLACK = 10.0


def to_display(
    picture: Image | Volume, *, slice_index: int | None = None, window: tuple[float, float] | None = None
) -> Array:
    """A flat picture for a page, (rows, columns, 3) uint8.

    slice_index  which slice of a volume; None takes the middle one
    window       (centre, width) in the picture's unit; None chooses: soft tissue for CT in HU, 0 to 10 for SUV,
                 and for everything else from the 1st to the 99th percentile of the whole picture

    The array's own orientation is kept, so that a slice of a mask fits on top; see `upright`.
    """
    array = picture.array
    if isinstance(picture, Image) and picture.colour and array.dtype == np.uint8:
        return np.array(array)
    low, high = _limits(picture, window)
    if isinstance(picture, Volume):
        array = array[array.shape[0] // 2 if slice_index is None else slice_index]
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

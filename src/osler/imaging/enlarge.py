"""Pictures as large as a page shows them, millimetres alike in both directions."""

import numpy as np

from osler.core.arrays import Array
from osler.core.geometry import Geometry
from osler.core.volume import Volume
from osler.imaging.window import to_display, upright

LONG_SIDE = 720  # pixels on a page; a hippocampus of 40 voxels is enlarged, a radiograph of 3000 made smaller
_LETTERS = {0: ("R", "L"), 1: ("A", "P")}  # what is on the left and on the right of an upright slice


def enlarged(pixels: Array, spacing_mm: tuple[float, float]) -> Array:
    """A picture (rows, columns, 3) uint8 whose longer side is LONG_SIDE, the area of each new pixel averaged.

    spacing_mm  of its rows and columns
    """
    from PIL import Image as Pillow

    height, width = (n * mm for n, mm in zip(pixels.shape[:2], spacing_mm, strict=True))
    scale = LONG_SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    picture = Pillow.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(picture.resize(size, Pillow.Resampling.BILINEAR, reducing_gap=3.0))


def enlarged_slice(volume: Volume, index: int) -> Array:
    """One slice as radiologists look at it, upright, (rows, columns, 3) uint8."""
    geometry = volume.geometry
    _, rows_mm, columns_mm = geometry.spacing
    swapped = upright(np.zeros((1, 2)), geometry).shape == (2, 1)
    spacing = (columns_mm, rows_mm) if swapped else (rows_mm, columns_mm)
    return enlarged(upright(to_display(volume, slice_index=index), geometry), spacing)


def lettered(pixels: Array, geometry: Geometry) -> Array:
    """An upright slice with the letters of the patient's sides at its left and right edge."""
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    across = 1 if int(np.abs(geometry.affine[:3, 0]).argmax()) == 0 else 0  # of a sagittal slice front and back
    page = Pillow.fromarray(pixels)
    pen = ImageDraw.Draw(page)
    height, width = pixels.shape[:2]
    font = ImageFont.load_default(size=LONG_SIDE // 30)
    for letter, x, anchor in zip(_LETTERS[across], (8, width - 8), ("lm", "rm"), strict=True):
        at = (x, height // 2)
        pen.text(at, letter, "white", font=font, anchor=anchor, stroke_width=2, stroke_fill="black")
    return np.asarray(page)

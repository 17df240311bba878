"""A map of importance laid over a picture, on pages."""

import numpy as np

from osler.core.arrays import Array
from osler.core.image import Image
from osler.core.study import Picture
from osler.imaging.enlarge import enlarged, enlarged_slice, lettered
from osler.imaging.lettering import font_for
from osler.imaging.resample import resize
from osler.imaging.window import to_display, upright

_LEGEND = 34
# Dark violet over red to bright yellow: lightness grows all the way, for grey prints and colour-blind eyes.
_COLOURS = np.array([(60, 15, 110), (150, 35, 105), (220, 60, 65), (250, 140, 25), (252, 255, 140)], np.float32)
_STRONGEST = 0.72  # how much of the picture the colour covers where the map is highest
_WEAKEST = 0.12  # share of the highest below which nothing is coloured


def heat(pixels: Array, strength: Array) -> Array:
    """Colours over a picture, the stronger the more they cover: (rows, columns, 3) uint8.

    pixels    (rows, columns, 3) uint8
    strength  (rows, columns) 0 to 1
    """
    steps = np.clip(strength.astype(np.float32, copy=False), 0, 1) * (len(_COLOURS) - 1)
    low = np.minimum(steps.astype(np.uint8), len(_COLOURS) - 2)
    share = (steps - low)[..., None]
    colour = _COLOURS[low] * (1 - share) + _COLOURS[low + 1] * share
    cover = _STRONGEST * np.clip((strength - _WEAKEST) / (0.6 - _WEAKEST), 0, 1)[..., None]
    mixed: Array = np.rint(pixels * (1 - cover) + colour * cover).astype(np.uint8)
    return mixed


def strengths(found: Array) -> Array:
    """What speaks for the answer, 0 to 1; the strongest thousandth is 1, so that no single voxel rules."""
    marked = np.maximum(found, 0)
    every = max(1, marked.size // 1_000_000)  # a million numbers give the same quantile
    top = float(np.quantile(marked.ravel()[::every], 0.999)) or float(marked.max(initial=0))
    return np.asarray(np.clip(marked / max(top, 1e-12), 0, 1), np.float32)


def best_slices(found: Array, most: int = 3) -> list[int]:
    """The slices to show of a map (slices, rows, columns): at a quarter, half and three quarters of its sum."""
    along = np.maximum(found, 0).sum(axis=(1, 2), dtype=np.float64).cumsum()
    if along[-1] <= 0:
        return [len(along) // 2]
    wanted = (np.arange(most) + 1) / (most + 1) * along[-1]
    return sorted({int(n) for n in np.searchsorted(along, wanted)})


def heated(picture: Picture, strength: Array, *, low: str, high: str, slice_index: int = 0) -> Array:
    """A flat picture, or one slice of a volume upright with the letters of its sides, under the colours of a map:
    (rows, columns, 3) uint8, a legend below.

    strength   (rows, columns) or (slices, rows, columns), 0 to 1
    low, high  words at the ends of the legend
    """
    if isinstance(picture, Image):
        plain = enlarged(to_display(picture), picture.spacing_mm or (1.0, 1.0))
        return _with_legend(heat(plain, resize(strength, plain.shape[:2])), low, high)
    plain = enlarged_slice(picture, slice_index)
    marked = np.ascontiguousarray(upright(strength[slice_index], picture.geometry))
    shown = heat(plain, resize(marked, plain.shape[:2]))
    return _with_legend(lettered(shown, picture.geometry), low, high)


def _with_legend(pixels: Array, low: str, high: str) -> Array:
    from PIL import Image as Pillow
    from PIL import ImageDraw

    height, width = pixels.shape[:2]
    page = Pillow.new("RGB", (width, height + _LEGEND))
    page.paste(Pillow.fromarray(pixels))
    pen = ImageDraw.Draw(page)
    first = 10 + int(pen.textlength(low, font=font_for(low, 16))) + 10
    last = width - 10 - int(pen.textlength(high, font=font_for(high, 16))) - 10
    middle = height + _LEGEND // 2
    pen.text((10, middle), low, "white", font=font_for(low, 16), anchor="lm")
    pen.text((width - 10, middle), high, "white", font=font_for(high, 16), anchor="rm")
    if last - first > 20:
        ramp = np.broadcast_to(np.linspace(0, 1, last - first, dtype=np.float32), (14, last - first))
        grey = np.full((14, last - first, 3), 90, np.uint8)
        page.paste(Pillow.fromarray(heat(grey, ramp)), (first, middle - 7))
    return np.asarray(page)

"""The pictures that a report shows: what was read, and what was found drawn onto it."""

from collections.abc import Callable

import numpy as np

from osler.core.arrays import Array
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.prediction import Prediction
from osler.core.report import KeyPicture
from osler.core.study import Picture
from osler.core.volume import Volume
from osler.imaging.overlay import best_slice, colour_of, outline
from osler.imaging.resample import resize
from osler.imaging.window import to_display, upright
from osler.results.sentences import say

LONG_SIDE = 720  # pixels on a page; a hippocampus of 40 voxels is enlarged, a radiograph of 3000 made smaller
MOST_SLICES = 4
_LETTERS = {0: ("R", "L"), 1: ("A", "P")}  # what is on the left and on the right of an upright slice


def key_pictures(picture: Picture, prediction: Prediction, name: Callable[[str], str]) -> tuple[KeyPicture, ...]:
    """What was read, then what was outlined: (rows, columns, 3) uint8 each.

    name  from a class of the model to what the report calls it
    """
    if isinstance(picture, Image):
        return _of_image(picture, prediction.mask, name)
    return _of_volume(picture, prediction.mask, name)


def _of_image(image: Image, mask: Mask | None, name: Callable[[str], str]) -> tuple[KeyPicture, ...]:
    plain = _enlarged(to_display(image), image.spacing_mm or (1.0, 1.0))
    shown = [KeyPicture(say("picture.read"), plain)]
    if mask is not None and mask.array.any():
        names = _names(mask.array, mask, name)
        drawn = outline(plain, _labels_at(mask.array, plain.shape[:2]))
        title = say("picture.outlined", name="; ".join(names.values()))
        shown.append(KeyPicture(title, _with_legend(drawn, names)))
    return tuple(shown)


def _of_volume(volume: Volume, mask: Mask | None, name: Callable[[str], str]) -> tuple[KeyPicture, ...]:
    slices = volume.array.shape[0]
    plane = say(f"plane.{_plane(volume.geometry)}")
    if mask is None or not mask.array.any():
        places = sorted({slices // 4, slices // 2, (3 * slices) // 4})
        titles = [say("picture.middle", plane=plane, number=n + 1, slices=slices) for n in places]
        return tuple(KeyPicture(title, _slice(volume, n)) for n, title in zip(places, titles, strict=True))
    whole = best_slice(mask)
    largest = [best_slice(Mask(mask.of(label), {1: ""})) for label in mask.labels if mask.of(label).any()]
    places = list(dict.fromkeys([whole, *largest]))[:MOST_SLICES]
    shown = [
        KeyPicture(say("picture.middle", plane=plane, number=whole + 1, slices=slices), _slice(volume, whole))
    ]
    for n in places:
        names = _names(mask.array[n], mask, name)
        said = "; ".join(names.values())
        title = say("picture.slice", plane=plane, number=n + 1, slices=slices, name=said)
        shown.append(KeyPicture(title, _with_legend(_slice(volume, n, mask.array[n]), names)))
    return tuple(shown)


def _slice(volume: Volume, index: int, labels: Array | None = None) -> Array:
    """One slice as radiologists look at it, millimetres alike in both directions, labels drawn on."""
    geometry = volume.geometry
    turned = upright(to_display(volume, slice_index=index), geometry)
    _, rows_mm, columns_mm = geometry.spacing
    swapped = upright(np.zeros((1, 2)), geometry).shape == (2, 1)
    shown = _enlarged(turned, (columns_mm, rows_mm) if swapped else (rows_mm, columns_mm))
    if labels is not None:
        shown = outline(shown, _labels_at(upright(labels, geometry), shown.shape[:2]))
    return _lettered(shown, geometry)


def _enlarged(pixels: Array, spacing: tuple[float, float]) -> Array:
    """To LONG_SIDE, millimetres alike in both directions, (rows, columns, 3) uint8."""
    height, width = (n * mm for n, mm in zip(pixels.shape[:2], spacing, strict=True))
    scale = LONG_SIDE / max(height, width)
    shape = (max(1, round(height * scale)), max(1, round(width * scale)))
    return np.clip(np.rint(resize(pixels, shape)), 0, 255).astype(np.uint8)


def _labels_at(labels: Array, shape: tuple[int, ...]) -> Array:
    """Label numbers at another size, edges smooth."""
    size = (shape[0], shape[1])
    out = np.zeros(size, np.int32)
    for label in np.unique(labels[labels != 0]):
        out[resize((labels == label).astype(np.float32), size) > 0.5] = label
    return out


def _lettered(pixels: Array, geometry: Geometry) -> Array:
    """The letters of the patient's sides at the left and right edge."""
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    across = {"sagittal": 1}.get(_plane(geometry), 0)
    page = Pillow.fromarray(pixels)
    pen = ImageDraw.Draw(page)
    height, width = pixels.shape[:2]
    font = ImageFont.load_default(size=max(12, LONG_SIDE // 30))
    for letter, x, anchor in zip(_LETTERS[across], (8, width - 8), ("lm", "rm"), strict=True):
        at = (x, height // 2)
        pen.text(at, letter, "white", font=font, anchor=anchor, stroke_width=2, stroke_fill="black")
    return np.asarray(page)


def _plane(geometry: Geometry) -> str:
    """Which plane the slices lie in, by the direction from slice to slice."""
    return ("sagittal", "coronal", "axial")[int(np.abs(geometry.affine[:3, 0]).argmax())]


def _names(labels: Array, mask: Mask, name: Callable[[str], str]) -> dict[int, str]:
    """Label -> what the report calls it, for the labels that are to be seen."""
    return {number: name(label) for number, label in mask.labels.items() if (labels == number).any()}


def _with_legend(pixels: Array, names: dict[int, str]) -> Array:
    """A line below the picture for each label: its colour and its name."""
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    line, (height, width) = 30, pixels.shape[:2]
    page = Pillow.new("RGB", (width, height + line * len(names)))
    page.paste(Pillow.fromarray(pixels))
    pen = ImageDraw.Draw(page)
    font = ImageFont.load_default(size=20)
    for row, (label, said) in enumerate(names.items()):
        top = height + row * line
        pen.rectangle((8, top + 7, 24, top + 23), fill=colour_of(label))
        pen.text((34, top + line // 2), said, "white", font=font, anchor="lm")
    return np.asarray(page)

"""The pictures that a report shows: what was read, and what was found drawn onto it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import EllipsisType

import numpy as np

from osler.core.arrays import Array
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.report import Drawing, KeyPicture
from osler.core.study import Picture
from osler.core.volume import Volume
from osler.imaging.enlarge import enlarged, enlarged_slice, lettered
from osler.imaging.lettering import font_for, lines_of
from osler.imaging.overlay import best_slice, colour_of, dashed, lighter, outline
from osler.imaging.resample import resize
from osler.imaging.window import to_display, upright
from osler.results.captions import drawn_name, drawn_sentence
from osler.results.sentences import say

MOST_SLICES = 4
OUTER, INNER = (9, 6), (2, 5)  # pixels on and off of the broken lines


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """What is drawn on one slice, or on a flat picture, on the picture's own grid.

    labels        (rows, columns) label numbers
    names         of the labels that are to be seen
    outer, inner  label -> (rows, columns) bool, of those with a promise
    risk          of these
    """

    labels: Array
    names: dict[int, str]
    outer: dict[int, Array]
    inner: dict[int, Array]
    risk: float | None


def key_pictures(picture: Picture, drawing: Drawing | None) -> tuple[KeyPicture, ...]:
    """What was read, then what was outlined: (rows, columns, 3) uint8 each."""
    if isinstance(picture, Image):
        return _of_image(picture, drawing)
    return _of_volume(picture, drawing)


def _of_image(image: Image, drawing: Drawing | None) -> tuple[KeyPicture, ...]:
    plain = enlarged(to_display(image), image.spacing_mm or (1.0, 1.0))
    shown = [KeyPicture(say("picture.read"), plain)]
    if drawing is not None and drawing.mask.array.any():
        lines = _lines(drawing, ...)
        title = say("picture.outlined", name=say("join.clauses").join(lines.names.values()))
        shown.append(KeyPicture(title, _with_legend(_drawn(plain, lines), lines)))
    return tuple(shown)


def _of_volume(volume: Volume, drawing: Drawing | None) -> tuple[KeyPicture, ...]:
    slices = volume.array.shape[0]
    plane = say(f"plane.{_plane(volume.geometry)}")
    mask = None if drawing is None else drawing.mask
    if drawing is None or mask is None or not mask.array.any():
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
        lines = _lines(drawing, n)
        said = say("join.clauses").join(lines.names.values())
        title = say("picture.slice", plane=plane, number=n + 1, slices=slices, name=said)
        shown.append(KeyPicture(title, _with_legend(_slice(volume, n, lines), lines)))
    return tuple(shown)


def _lines(drawing: Drawing, index: int | EllipsisType) -> Lines:
    """What is drawn on the slice of that index; `...` for a flat picture.

    A region that is empty, or the whole slice, has no border to draw.
    """
    mask = drawing.mask
    labels = mask.array[index]
    here = replace(
        drawing,
        mask=Mask(labels, mask.labels),
        probability=None if drawing.probability is None else drawing.probability[:, index],
    )
    names = {number: name for number, name in mask.labels.items() if (labels == number).any()}
    outer = {number: here.outer_of(number) for number in mask.labels}
    inner = {number: here.inner_of(number) for number in mask.labels}
    return Lines(labels, names, _with_border(outer), _with_border(inner), drawing.risk)


def _with_border(regions: Mapping[int, Array | None]) -> dict[int, Array]:
    return {k: one for k, one in regions.items() if one is not None and one.any() and not one.all()}


def _drawn(pixels: Array, lines: Lines, turned: Callable[[Array], Array] = np.asarray) -> Array:
    """The outlines on the enlarged picture, and the outer and inner contours as broken lines.

    turned  how the picture was turned upright
    """
    size = pixels.shape[:2]
    out = outline(pixels, _labels_at(turned(lines.labels), size))
    for regions, dash in ((lines.outer, OUTER), (lines.inner, INNER)):
        for label, region in regions.items():
            there = _labels_at(turned(region.astype(np.uint8)), size) > 0
            out = dashed(out, there, lighter(colour_of(label)), on=dash[0], off=dash[1])
    return out


def _slice(volume: Volume, index: int, lines: Lines | None = None) -> Array:
    """One slice as radiologists look at it, labels drawn on."""
    geometry = volume.geometry
    shown = enlarged_slice(volume, index)
    if lines is not None:
        shown = _drawn(shown, lines, lambda region: upright(region, geometry))
    return lettered(shown, geometry)


def _labels_at(labels: Array, shape: tuple[int, ...]) -> Array:
    """Label numbers at another size, edges smooth."""
    size = (shape[0], shape[1])
    out = np.zeros(size, np.int32)
    for label in np.unique(labels[labels != 0]):
        out[resize((labels == label).astype(np.float32), size) > 0.5] = label
    return out


def _plane(geometry: Geometry) -> str:
    """Which plane the slices lie in, by the direction from slice to slice."""
    return ("sagittal", "coronal", "axial")[int(np.abs(geometry.affine[:3, 0]).argmax())]


def _with_legend(pixels: Array, lines: Lines) -> Array:
    """A line below the picture for each label, its colour and its name, and one for each kind of broken line."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    line, (height, width) = 30, pixels.shape[:2]
    broken: list[tuple[tuple[int, int] | None, str]] = []
    for dash, key, regions in ((OUTER, "picture.outer", lines.outer), (INNER, "picture.inner", lines.inner)):
        if regions and lines.risk is not None:
            said = drawn_sentence(key, percent=f"{lines.risk:.0%}")
            first, *others = lines_of(said, width - 60, font_for(said, 20).getlength)
            broken += [(dash, first), *((None, more) for more in others)]
    page = Pillow.new("RGB", (width, height + line * (len(lines.names) + len(broken))))
    page.paste(Pillow.fromarray(pixels))
    pen = ImageDraw.Draw(page)
    for row, (label, name) in enumerate(lines.names.items()):
        said = drawn_name(name)
        top = height + row * line
        pen.rectangle((8, top + 7, 24, top + 23), fill=colour_of(label))
        pen.text((34, top + line // 2), said, "white", font=font_for(said, 20), anchor="lm")
    for row, (sample, text) in enumerate(broken, start=len(lines.names)):
        middle = height + row * line + line // 2
        on, off = sample or (0, 42)
        for start in range(8, 42, on + off) if on else ():
            pen.line((start, middle, min(start + on, 42) - 1, middle), fill="white", width=2)
        pen.text((52, middle), text, "white", font=font_for(text, 20), anchor="lm")
    return np.asarray(page)

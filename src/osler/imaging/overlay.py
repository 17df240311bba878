"""What was found, drawn onto the picture."""

from collections.abc import Mapping

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadGeometry
from osler.core.mask import Mask
from osler.imaging.contours import borders

# Okabe and Ito's palette, which people with any colour vision can tell apart (jfly.uni-koeln.de/color).
PALETTE = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
_FILL = 0.22


def colour_of(label: int) -> tuple[int, int, int]:
    """The palette's colour for a label number; labels beyond its end begin again."""
    return PALETTE[(label - 1) % len(PALETTE)]


def outline(pixels: Array, labels: Array, colours: Mapping[int, tuple[int, int, int]] | None = None) -> Array:
    """Contours of the labels on a picture, with a light fill: (rows, columns, 3) uint8.

    pixels   (rows, columns, 3) uint8
    labels   (rows, columns), 0 is background
    colours  label -> red, green, blue; labels left out take the palette's

    Raises BadGeometry when the two differ in size.
    """
    if pixels.shape[:2] != labels.shape:
        raise BadGeometry(
            f"A picture {pixels.shape[:2]} and its labels {labels.shape} differ in size.",
            remedy="Bring the labels onto the picture's grid first.",
        )
    out = pixels.astype(np.float32)
    for label in np.unique(labels[labels != 0]):
        inside = labels == label
        colour = np.array((colours or {}).get(int(label), colour_of(int(label))), np.float32)
        padded = np.pad(inside, 1)
        deep = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
        out[inside] = (1 - _FILL) * out[inside] + _FILL * colour
        out[inside & ~deep] = colour
    return np.rint(out).astype(np.uint8)


def dashed(pixels: Array, inside: Array, colour: tuple[int, int, int], *, on: int, off: int) -> Array:
    """The border of a region as a broken line on a picture: (rows, columns, 3) uint8.

    inside   (rows, columns) bool; where it reaches the picture's edge there is no border
    on, off  pixels drawn and left out, in turn along the line

    A dark rim keeps the line readable on bright pictures. Raises BadGeometry when the two differ in size.
    """
    if pixels.shape[:2] != inside.shape:
        raise BadGeometry(
            f"A picture {pixels.shape[:2]} and its region {inside.shape} differ in size.",
            remedy="Bring the region onto the picture's grid first.",
        )
    out = pixels.copy()
    drawn = np.zeros(inside.shape, bool)
    for corners in borders(inside):
        ends = np.concatenate([corners, corners[:1]]).astype(float)
        walked = np.concatenate([[0.0], np.abs(np.diff(ends, axis=0)).sum(axis=1).cumsum()])
        steps = np.arange(0.5, walked[-1])
        line = np.stack([np.interp(steps, walked, ends[:, axis]) for axis in (0, 1)], axis=1)
        at_edge = ((line <= 0.5) | (line >= np.array(inside.shape) - 0.5)).any(axis=1)
        # Walked along pixel faces, a slanted line is up to twice as long as it looks: corners are cut.
        shown = np.floor(line[(steps % (1.5 * (on + off)) < 1.5 * on) & ~at_edge]).astype(int)
        drawn[shown[:, 0], shown[:, 1]] = True
    padded = np.pad(drawn, 1)
    rim = padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:]
    out[rim] = out[rim] // 2
    out[drawn] = colour
    return out


def lighter(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """Halfway to white."""
    red, green, blue = ((one + 255) // 2 for one in colour)
    return red, green, blue


def best_slice(mask: Mask) -> int:
    """The slice with the largest labelled area; the middle one where nothing is labelled; 0 of a flat mask."""
    if mask.array.ndim == 2:
        return 0
    areas = np.count_nonzero(mask.array, axis=(1, 2))
    return int(areas.argmax()) if areas.any() else mask.array.shape[0] // 2

"""What was found, drawn onto the picture."""

from collections.abc import Mapping

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadGeometry
from osler.core.mask import Mask

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


def best_slice(mask: Mask) -> int:
    """The slice with the largest labelled area; the middle one where nothing is labelled; 0 of a flat mask."""
    if mask.array.ndim == 2:
        return 0
    areas = np.count_nonzero(mask.array, axis=(1, 2))
    return int(areas.argmax()) if areas.any() else mask.array.shape[0] // 2

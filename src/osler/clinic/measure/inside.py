"""The voxels of a picture that lie inside an outline, or why there are none to measure."""

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadGeometry, BadInput, BadPixels
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.volume import Volume


def outline(picture: Image | Volume, mask: Mask, label: int) -> Array:
    """Where `label` is on the picture, as booleans of its shape.

    Raises BadGeometry where mask and picture are not on one grid or the picture is in colour, BadInput where the
    label has no voxel.
    """
    check_grid(picture, mask)
    return drawn(mask, label)


def drawn(mask: Mask, label: int) -> Array:
    """Where `label` is. Raises BadInput where the label has no voxel."""
    binary = mask.of(label)
    if not binary.any():
        raise BadInput(
            f"Label {label} of the mask has no voxels, so there is nothing to measure.",
            remedy="Give a mask in which it is drawn, or leave this label out.",
        )
    return binary


def check_grid(picture: Image | Volume, mask: Mask) -> None:
    """Raises BadGeometry where mask and picture are not on one grid or the picture is in colour."""
    if isinstance(picture, Volume):
        fits = mask.geometry is not None and picture.geometry.matches(mask.geometry)
    else:
        fits = mask.geometry is None and mask.array.shape == picture.array.shape
    if not fits:
        raise BadGeometry(
            f"The mask ({_shape(mask.array)}) does not lie on the picture's grid ({_shape(picture.array)}).",
            remedy="Resample the mask to the picture it is measured on.",
        )


def values_inside(picture: Image | Volume, binary: Array) -> Array:
    """(n,) the picture's numbers inside `binary`, float64. Raises BadPixels where one of them is none."""
    found: Array = picture.array[binary].astype(np.float64)
    wrong = int(np.count_nonzero(~np.isfinite(found)))
    if wrong:
        raise BadPixels(
            f"{wrong} of the {len(found)} voxels inside the outline hold no number (NaN or infinite).",
            remedy="Export the picture again, or outline only what holds numbers.",
        )
    return found


def _shape(array: Array) -> str:
    return " x ".join(str(n) for n in array.shape)

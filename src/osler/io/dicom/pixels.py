"""Stored pixels to numbers that mean something: decoding, the modality's scale, and which way is bright.

The window (VOI) is never applied: it is for a person's eyes, and every device chooses another one.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import NoRoom, Unreadable
from osler.io.dicom.parse import kind_of, number, text

if TYPE_CHECKING:
    from pydicom import Dataset


def decode(dataset: "Dataset", path: Path) -> Array:
    """Stored values: (rows, columns), (rows, columns, 3) in RGB, or the same with frames in front.

    Raises Unreadable when the pixels are missing, damaged or of an unknown compression.
    """
    from pydicom.pixels import apply_color_lut, pixel_array

    try:
        array: Array = pixel_array(dataset)
        if text(dataset, "PhotometricInterpretation") == "PALETTE COLOR":
            array = _eight_bits(apply_color_lut(array, dataset))
    except MemoryError as error:
        raise NoRoom(f"{path.name} does not fit into the memory.", remedy="Use a machine with more.") from error
    except Exception as error:  # each decoder has its own exceptions
        if "PixelData" not in dataset:
            raise Unreadable(
                f"{path.name} is a {kind_of(dataset)} without pixels.", remedy="Send or export it again."
            ) from error
        syntax = getattr(dataset.file_meta.TransferSyntaxUID, "name", "unknown")
        raise Unreadable(
            f"The pixels of {path.name} cannot be decoded ({syntax}): they are damaged, cut short or unsupported.",
            remedy="Send it again, or export it uncompressed.",
        ) from error
    return array


def scale_of(item: "Dataset") -> tuple[float, float]:
    """(slope, intercept) of a header or of a functional group; (1, 0) where it gives none."""
    slope, intercept = number(item, "RescaleSlope"), number(item, "RescaleIntercept")
    return slope or 1.0, intercept or 0.0


def scaled(stored: Array, slope: float, intercept: float) -> Array:
    """Stored values on the modality's scale: whole numbers stay whole, everything else becomes float32."""
    if (slope, intercept) == (1.0, 0.0):
        return stored
    if slope == 1 and intercept.is_integer():
        moved = stored.astype(np.int32) + int(intercept)
        fits = moved.size and moved.min() >= -32768 and moved.max() <= 32767
        return moved.astype(np.int16) if fits else moved
    out: Array = (stored * slope + intercept).astype(np.float32)  # in double first: intercepts may be large
    return out


def meaning(
    dataset: "Dataset", stored: Array, path: Path, *, scale: tuple[float, float], quantity: bool = False
) -> Array:
    """Numbers on the modality's scale, bright where dense; colour as uint8.

    scale     slope and intercept, of the header or of this frame's functional group
    quantity  the numbers are HU or activity: MONOCHROME1 then only speaks of how to show them, and they stay

    Otherwise MONOCHROME1 is turned over in its nominal range, so that two images of one device stay comparable.
    Raises Unreadable for a modality look-up table that is broken.
    """
    photometric = text(dataset, "PhotometricInterpretation")
    if photometric not in ("MONOCHROME1", "MONOCHROME2"):
        return _eight_bits(stored)
    if photometric == "MONOCHROME1" and not quantity:
        # low + high of the stored type: -1 when signed, 2^bits - 1 when not.
        bits = int(number(dataset, "BitsStored") or 16)
        ends = -1 if number(dataset, "PixelRepresentation") else 2**bits - 1
        inverse = (ends - stored.astype(np.int64)).astype(stored.dtype)
    else:
        inverse = stored
    if "ModalityLUTSequence" not in dataset:
        return scaled(inverse, *scale)
    from pydicom.pixels import apply_modality_lut

    try:
        values: Array = np.asarray(apply_modality_lut(stored, dataset))
    except Exception as error:  # pydicom raises several kinds for a table that does not fit
        raise Unreadable(f"{path.name} has a broken modality look-up table.", remedy="Export it again.") from error
    # A table may be anything, so it is what comes out of it that is turned over.
    return values if inverse is stored else (values.max() - (values - values.min())).astype(values.dtype)


def _eight_bits(array: Any) -> Array:
    """Colour as uint8, which is what every other door gives."""
    colour: Array = np.asarray(array)
    if colour.dtype != np.uint8 and colour.max(initial=0) > 255:
        colour = colour >> 8
    return colour.astype(np.uint8, copy=False)

"""How many separate pieces a structure falls into, and whether the picture holds all of it."""

import numpy as np

from osler.core.finding import Measurement
from osler.core.mask import Mask
from osler.core.quantity import Quantity
from osler.imaging.components import components
from osler.results.sentences import say


def pieces(mask: Mask, label: int) -> Measurement:
    """The number of pieces of `label`; voxels that touch by a corner are one piece."""
    _, count = components(mask.of(label))
    return Measurement(say("measure.pieces"), Quantity(float(count), "1"))


def reaches_edge(mask: Mask, label: int) -> bool:
    """Does `label` lie on an outer face of the picture, so that part of it may lie beyond?"""
    binary = mask.of(label)
    return any(np.take(binary, end, axis=axis).any() for axis in range(binary.ndim) for end in (0, -1))

"""How much room a structure takes."""

from osler.core.codes import Code
from osler.core.finding import Measurement
from osler.core.mask import Mask
from osler.core.quantity import Quantity
from osler.results.sentences import say

VOLUME = Code("118565006", "SCT", "Volume")


def volume(mask: Mask, label: int, between: tuple[float, float] | None = None) -> Measurement | None:
    """Voxels of `label` times the volume of one, in ml; None for a flat mask.

    between  fewest and most voxels that it truly has, where the model promises them
    """
    if mask.geometry is None:
        return None
    one = mask.geometry.voxel_ml
    low, high = (None, None) if between is None else (end * one for end in between)
    ml = float(mask.of(label).sum()) * one
    return Measurement(say("measure.volume"), Quantity(ml, "ml", low, high), VOLUME)

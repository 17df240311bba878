"""How much room a structure takes."""

from osler.core.codes import Code
from osler.core.finding import Measurement
from osler.core.mask import Mask
from osler.core.quantity import Quantity
from osler.results.sentences import say

VOLUME = Code("118565006", "SCT", "Volume")


def volume(mask: Mask, label: int) -> Measurement | None:
    """Voxels of `label` times the volume of one, in ml; None for a flat mask."""
    if mask.geometry is None:
        return None
    ml = float(mask.of(label).sum()) * mask.geometry.voxel_ml
    return Measurement(say("measure.volume"), Quantity(ml, "ml"), VOLUME)

"""How much of a flat picture a structure covers."""

from osler.core.codes import Code
from osler.core.finding import Measurement
from osler.core.mask import Mask
from osler.core.quantity import Quantity
from osler.results.sentences import say

AREA = Code("42798000", "SCT", "Area")


def area(mask: Mask, label: int) -> Measurement | None:
    """The area of `label` in mm2, in pixels where the file does not say how large one is; None for a volume."""
    if mask.geometry is not None:
        return None
    pixels = float(mask.of(label).sum())
    if mask.spacing_mm is None:
        return Measurement(say("measure.area"), Quantity(pixels, "pixels"), AREA)
    rows, columns = mask.spacing_mm
    return Measurement(say("measure.area"), Quantity(pixels * rows * columns, "mm2"), AREA)

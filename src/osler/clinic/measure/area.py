"""How much of a flat picture a structure covers."""

from osler.core.codes import Code
from osler.core.finding import Measurement
from osler.core.mask import Mask
from osler.core.quantity import Quantity
from osler.results.sentences import say

AREA = Code("42798000", "SCT", "Area")


def area(mask: Mask, label: int, between: tuple[float, float] | None = None) -> Measurement | None:
    """The area of `label` in mm2, in pixels where the file does not say how large one is; None for a volume.

    between  fewest and most pixels that it truly has, where the model promises them
    """
    if mask.geometry is not None:
        return None
    pixels = float(mask.of(label).sum())
    rows, columns = mask.spacing_mm or (1.0, 1.0)
    low, high = (None, None) if between is None else (end * rows * columns for end in between)
    unit = "pixels" if mask.spacing_mm is None else "mm2"
    return Measurement(say("measure.area"), Quantity(pixels * rows * columns, unit, low, high), AREA)

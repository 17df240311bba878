"""What the numbers of a picture are inside an outline: HU, SUV, or whatever they mean."""

import numpy as np

from osler.clinic.measure.inside import outline, values_inside
from osler.core.codes import Code
from osler.core.errors import BadPixels
from osler.core.finding import Measurement
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.quantity import Quantity
from osler.core.volume import Volume
from osler.results.sentences import say

MEAN = Code("Q4LE", "IBSI", "Mean intensity")
MEDIAN = Code("Y12H", "IBSI", "Median intensity")
MINIMUM = Code("1GSF", "IBSI", "Minimum intensity")
MAXIMUM = Code("84IY", "IBSI", "Maximum intensity")
DEVIATION = Code("386136009", "SCT", "Standard Deviation")
PERCENTILES = {
    10: Code("QG58", "IBSI", "10th intensity percentile"),
    90: Code("8DWT", "IBSI", "90th intensity percentile"),
}


def statistics(picture: Image | Volume, mask: Mask, label: int) -> tuple[Measurement, ...]:
    """Mean, standard deviation, median, 10th and 90th percentile, least and greatest value inside `label`.

    In the picture's unit; "1" where its numbers mean nothing by themselves. The standard deviation is that of the
    voxels themselves (divided by n), the percentiles lie between voxels linearly. No interval is given: voxels are
    no independent samples.

    Raises BadInput where the label has no voxel, BadGeometry where mask and picture are not on one grid,
    BadPixels for a picture in colour and where a voxel inside holds no number.
    """
    if isinstance(picture, Image) and picture.colour:
        raise BadPixels("A picture in colour has no single number a pixel.", remedy="Measure a grey picture.")
    values = values_inside(picture, outline(picture, mask, label))
    low, middle, high = np.percentile(values, (10, 50, 90))
    unit = (picture.unit if isinstance(picture, Volume) else "") or "1"
    found = (
        (say("measure.mean"), values.mean(), MEAN),
        (say("measure.deviation"), values.std(), DEVIATION),
        (say("measure.median"), middle, MEDIAN),
        (say("measure.percentile", percent=10), low, PERCENTILES[10]),
        (say("measure.percentile", percent=90), high, PERCENTILES[90]),
        (say("measure.least"), values.min(), MINIMUM),
        (say("measure.greatest"), values.max(), MAXIMUM),
    )
    return tuple(Measurement(name, Quantity(float(value), unit), code) for name, value, code in found)

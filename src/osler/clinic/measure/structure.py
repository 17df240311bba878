"""All that is measured of one outlined structure."""

from osler.clinic.measure.area import area
from osler.clinic.measure.diameter import diameters
from osler.clinic.measure.pieces import pieces
from osler.clinic.measure.probability import mean_probability
from osler.clinic.measure.volume import volume
from osler.core.finding import Measurement
from osler.core.prediction import Prediction


def measure_label(prediction: Prediction, label: int) -> tuple[Measurement, ...]:
    """Volume or area, diameters, number of pieces and mean probability of one label; () without a mask."""
    mask = prediction.mask
    if mask is None:
        return ()
    found = (
        volume(mask, label),
        area(mask, label),
        *diameters(mask, label),
        pieces(mask, label),
        mean_probability(prediction, label),
    )
    return tuple(measured for measured in found if measured is not None)

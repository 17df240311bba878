"""All that is measured of one outlined structure."""

from osler.clinic.measure.area import area
from osler.clinic.measure.diameter import diameters
from osler.clinic.measure.pieces import pieces
from osler.clinic.measure.probability import mean_probability
from osler.clinic.measure.volume import volume
from osler.core.finding import Measurement
from osler.core.prediction import Prediction
from osler.inference.bounds import volume_interval
from osler.models.trust import Conformal


def measure_label(
    prediction: Prediction, label: int, promised: Conformal | None = None
) -> tuple[Measurement, ...]:
    """Volume or area, diameters, number of pieces and mean probability of one label; () without a mask.

    promised  what the model promises of volumes; of a label that was not drawn, only the volume is told then
    """
    mask = prediction.mask
    if mask is None:
        return ()
    size = size_of(prediction, label, promised)
    if not mask.of(label).any():
        return (size,) if size is not None and size.quantity.high is not None else ()
    found = (
        size,
        *diameters(mask, label),
        pieces(mask, label),
        mean_probability(prediction, label),
    )
    return tuple(measured for measured in found if measured is not None)


def size_of(prediction: Prediction, label: int, promised: Conformal | None) -> Measurement | None:
    """The volume of a label, or its area in a flat picture, with its interval where the model promises one."""
    mask, between = prediction.mask, None
    if mask is None:
        return None
    if promised is not None and prediction.voxel_probability is not None:
        voxels = int(mask.of(label).sum())
        between = volume_interval(voxels, prediction.voxel_probability[label - 1], promised, label - 1)
    return area(mask, label, between) if mask.geometry is None else volume(mask, label, between)

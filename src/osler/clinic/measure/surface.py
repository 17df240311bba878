"""How far two outlines of the same structure lie apart: of two readers, or of a reader and a model."""

import numpy as np

from osler.clinic.measure.inside import drawn
from osler.core.errors import BadGeometry
from osler.core.finding import Measurement
from osler.core.mask import Mask
from osler.core.quantity import Quantity
from osler.imaging.distance import surface_distances
from osler.results.sentences import say


def surface_measures(one: Mask, other: Mask, label: int) -> tuple[Measurement, ...]:
    """Mean and 95th percentile of the distances between both outlines' boundary voxels (HD95), both ways together.

    In mm; in pixels for flat masks whose file does not say how large one is. The distance is between the centres
    of boundary voxels, so outlines that differ by less than a voxel can lie 0 apart.

    Raises BadGeometry where the masks are not on one grid, BadInput where `label` has no voxel in one of them.
    """
    if one.geometry is None or other.geometry is None:
        fits = one.geometry is other.geometry and one.array.shape == other.array.shape
    else:
        fits = one.geometry.matches(other.geometry)
    if not fits:
        raise BadGeometry("The two masks do not lie on one grid.", remedy="Resample one to the other first.")
    there, back = surface_distances(drawn(one, label), drawn(other, label), one.spacing)
    both = np.concatenate([there, back])
    unit = "mm" if one.geometry is not None or one.spacing_mm is not None else "pixels"
    return (
        Measurement(say("measure.surface_mean"), Quantity(float(both.mean()), unit)),
        Measurement(say("measure.surface_95"), Quantity(float(np.percentile(both, 95)), unit)),
    )

"""Lesions: the separate pieces of an outline, where each lies and how large it is."""

import numpy as np

from osler.clinic.measure.boundary import half_voxel
from osler.clinic.measure.diameter import diameters
from osler.clinic.measure.inside import drawn
from osler.clinic.measure.volume import volume
from osler.core.arrays import Labels
from osler.core.errors import BadGeometry
from osler.core.finding import Measurement
from osler.core.mask import Mask
from osler.imaging.components import components, sizes
from osler.results.sentences import say


def lesions_of(mask: Mask, label: int, *, least_ml: float = 0.0) -> Mask:
    """Each piece of `label` with a label of its own: 1 the largest, 2 the next, called "L1", "L2" and so on.

    least_ml  pieces that are smaller are left out; a flat mask takes mm2 instead (pixels where their size is not
              known)

    Voxels that touch by a face, an edge or a corner are one piece; of equally large pieces the first in the array
    comes first. The mask has no labels where nothing is drawn, or all is too small.
    """
    pieces, count = components(mask.of(label))
    voxels = sizes(pieces, count)
    one = mask.geometry.voxel_ml if mask.geometry is not None else float(np.prod(mask.spacing))
    largest_first = np.argsort(-voxels, kind="stable")
    kept = [int(piece) for piece in largest_first if voxels[piece] * one >= least_ml]
    numbers: Labels = np.zeros(count + 1, np.uint16 if len(kept) < 2**16 else np.uint32)
    for number, piece in enumerate(kept, start=1):
        numbers[piece + 1] = number
    names = {number: say("measure.lesion", number=number) for number in range(1, len(kept) + 1)}
    return Mask(numbers[pieces], names, geometry=mask.geometry, spacing_mm=mask.spacing_mm)


def centre_mm(mask: Mask, label: int) -> tuple[float, float, float]:
    """The centre of mass of `label`: (x, y, z), LPS mm.

    It may lie outside a bent or hollow structure. Raises BadInput where the label has no voxel, BadGeometry for a
    flat mask.
    """
    if mask.geometry is None:
        raise BadGeometry("A flat mask has no place in the body.", remedy="Give the mask of a volume.")
    middle = np.argwhere(drawn(mask, label)).mean(axis=0)
    x, y, z = (float(v) for v in mask.geometry.to_world(middle[None])[0])
    return x, y, z


def lesion_measures(mask: Mask, label: int) -> tuple[Measurement, ...]:
    """Volume with what half a voxel at its boundary makes of it, and diameters, of one lesion in space.

    Raises BadInput where the label has no voxel.
    """
    edge = half_voxel(drawn(mask, label))
    size = volume(mask, label, (edge.inner, edge.outer))
    return (*(() if size is None else (size,)), *diameters(mask, label))

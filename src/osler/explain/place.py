"""A map back where it belongs: on the grid of the picture that came in."""

import numpy as np

from osler.core.arrays import Array
from osler.core.image import Image
from osler.core.study import Picture
from osler.explain.question import Question
from osler.imaging.resample import resample_to, resize
from osler.imaging.shear import straight_grid
from osler.models.prepare import Prepared


def on_native(found: Array, question: Question, prepared: Prepared) -> Array:
    """A map of the question's picture on the native grid, (rows, columns) or (slices, rows, columns) float32.

    found  (*question.spatial)

    Padding falls away, a stretch is taken back, a window is put in its place (zero around it), and voxels of
    another spacing or a sheared grid are interpolated between.
    """
    prepared_map = np.zeros(prepared.array.shape[1:], np.float32)
    prepared_map[question.place] = found[question.inside]
    native: Picture = prepared.native
    if isinstance(native, Image):
        rows, columns = native.array.shape[:2]
        return resize(prepared_map[prepared.inside], (rows, columns))
    if prepared.geometry is not None:
        return resample_to(prepared_map, prepared.geometry, native.geometry)
    straight = straight_grid(native.geometry)  # a stretched volume was straightened before
    return resample_to(resize(prepared_map, straight.shape), straight, native.geometry)

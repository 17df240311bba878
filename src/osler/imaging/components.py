"""Connected pieces of a mask. Voxels that touch by a face, an edge or a corner belong together."""

import numpy as np

from osler.core.arrays import Array, Labels


def components(binary: Array) -> tuple[Labels, int]:
    """Number the pieces of a binary mask, 2-D or 3-D: (labels of its shape, 0 outside; how many)."""
    from scipy import ndimage

    labels, count = ndimage.label(binary, structure=np.ones((3,) * binary.ndim))
    return np.asarray(labels), int(count)


def sizes(labels: Labels, count: int) -> Labels:
    """(count,) voxels of each piece, in the order of their numbers."""
    found: Labels = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    return found


def keep_largest(binary: Array) -> Array:
    """Only the largest piece of a binary mask, as booleans; of equal ones the first."""
    labels, count = components(binary)
    if count < 2:
        return binary.astype(bool)
    kept: Array = labels == int(sizes(labels, count).argmax()) + 1
    return kept

"""Connected pieces of a mask. Voxels that touch by a face, an edge or a corner belong together."""

import numpy as np

from osler.core.arrays import Array, Labels


def box_around(binary: Array, *, margin: int = 0) -> tuple[slice, ...] | None:
    """The smallest box that holds a binary mask, and `margin` voxels more within the array; None without a voxel.

    A lesion is a thousandth of a chest CT: what is done in its box takes a thousandth of the time.
    """
    box = []
    for axis in range(binary.ndim):
        met = np.flatnonzero(binary.any(axis=tuple(other for other in range(binary.ndim) if other != axis)))
        if not len(met):
            return None
        box.append(slice(max(0, int(met[0]) - margin), int(met[-1]) + 1 + margin))
    return tuple(box)


def components(binary: Array) -> tuple[Labels, int]:
    """Number the pieces of a binary mask, 2-D or 3-D: (labels of its shape, 0 outside; how many)."""
    from scipy import ndimage

    labels = np.zeros(binary.shape, np.int32)
    box = box_around(binary)
    if box is None:
        return labels, 0
    labels[box], count = ndimage.label(binary[box], structure=np.ones((3,) * binary.ndim))
    return labels, int(count)


def sizes(labels: Labels, count: int) -> Labels:
    """(count,) voxels of each piece, in the order of their numbers."""
    # Counting what is drawn is many times faster than counting the background with it.
    found: Labels = np.bincount(labels[labels > 0], minlength=count + 1)[1:]
    return found


def keep_largest(binary: Array) -> Array:
    """Only the largest piece of a binary mask, as booleans; of equal ones the first."""
    kept = np.zeros(binary.shape, bool)
    box = box_around(binary)
    if box is None:
        return kept
    labels, count = components(binary[box])
    kept[box] = labels == int(sizes(labels, count).argmax()) + 1
    return kept

"""Pieces of masks, and the boxes they lie in."""

import numpy as np

from osler.imaging.components import box_around


def test_the_box_around_a_mask_holds_all_of_it_and_the_margin_within_the_array():
    binary = np.zeros((6, 7, 8), bool)
    assert box_around(binary) is None
    binary[2, 0, 5] = binary[3, 4, 7] = True
    assert box_around(binary) == (slice(2, 4), slice(0, 5), slice(5, 8))
    margin = box_around(binary, margin=1)
    assert [len(range(*one.indices(size))) for one, size in zip(margin, binary.shape, strict=True)] == [4, 6, 4]
    assert binary[margin].sum() == 2

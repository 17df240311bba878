"""What is drawn, and what is promised of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from osler.core.mask import Mask
from osler.core.report import Drawing

CHANCES = np.random.default_rng(0).dirichlet(np.ones(3), (5, 6)).transpose(2, 0, 1).astype(np.float16)
LABELS = CHANCES.argmax(0).astype(np.uint8)


def drawing(outer=(), inner=()) -> Drawing:
    return Drawing(0, Mask(LABELS, {1: "a", 2: "b"}), CHANCES[1:], outer, inner, 0.1)


@given(some.floats(0, 1), some.floats(0, 1))
def test_inner_lies_in_the_mask_and_the_mask_in_outer(outer, inner):
    drawn = drawing((outer, outer), (inner, inner))
    for label in (1, 2):
        inside, held = drawn.inner_of(label), drawn.outer_of(label)
        assert inside is not None and held is not None
        assert not (inside & ~drawn.mask.of(label)).any() and not (drawn.mask.of(label) & ~held).any()
        assert held[CHANCES[label] >= outer].all()
        assert (inside == (CHANCES[label] >= max(inner, 0.5))).all()


def test_without_a_promise_there_is_no_mask_of_it():
    assert drawing().outer_of(1) is None and drawing().inner_of(2) is None
    some_only = drawing((0.1, None), (None, 0.9))
    assert some_only.outer_of(1) is not None and some_only.outer_of(2) is None
    assert some_only.inner_of(1) is None and some_only.inner_of(2) is not None
    with pytest.raises(ValueError, match="3 is not"):
        some_only.outer_of(3)

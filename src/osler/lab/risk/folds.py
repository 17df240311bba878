"""Patients dealt into folds, those with the event evenly."""

import numpy as np

from osler.core.arrays import Array


def deal(event: Array, folds: int, *, seed: int) -> Array:
    """(patients,) which of the folds each patient is in; sizes and events differ by one at most.

    >>> sorted(np.bincount(deal(np.array([True] * 3 + [False] * 5), 3, seed=0)).tolist())
    [2, 3, 3]
    """
    random = np.random.default_rng(seed)
    sides = np.zeros(len(event), int)
    # One round of cards for all: those with the event first, each group shuffled by itself.
    order = np.concatenate([random.permutation(np.flatnonzero(event)), random.permutation(np.flatnonzero(~event))])
    sides[order] = np.arange(len(event)) % folds
    return sides

"""Probabilities at another temperature (Guo et al. 2017, ICML): p' = softmax(log p / T). The order stays."""

import numpy as np

from osler.core.arrays import Array, Floats

SMALLEST_PROBABILITY = 1e-7  # what a certain answer is taken for, so that its logarithm is a number


def temper(probabilities: Array, temperature: float) -> Floats:
    """The probabilities at another temperature: above 1 less sure, below 1 surer.

    probabilities  (cases, classes) that sum to one, or (cases,) of one outcome

    >>> temper(np.array([0.9]), 2.0).round(2)
    array([0.75])
    """
    p = np.clip(np.asarray(probabilities, float), SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    if p.ndim == 1:
        softened: Floats = 1 / (1 + np.exp((np.log1p(-p) - np.log(p)) / temperature))
        return softened
    logits = np.log(p) / temperature
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    shared: Floats = raised / raised.sum(axis=1, keepdims=True)
    return shared

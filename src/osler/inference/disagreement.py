"""How far the members of an ensemble are apart: what the model does not know, beside what cannot be known.

Depeweg et al. 2018 (ICML): the entropy of the mean answer less the mean entropy of the answers is the information
that members hold about each other; it is 0 where they agree, however unsure they are together.
"""

import numpy as np

from osler.core.arrays import Array, Floats


def disagreement(members: Array, task: str) -> Floats:
    """How far members are apart on each case, (cases,).

    members  (members, cases, outputs): probabilities, or the numbers of a "regression"

    Mutual information in nats for exclusive classes and grades, summed over the labels of "multilabel" (each there
    or not); the sample deviation of the numbers of a "regression".
    """
    answers = np.asarray(members, float)
    if task == "regression":
        apart: Floats = answers[:, :, 0].std(axis=0, ddof=1)
        return apart
    if task == "multilabel":
        answers = np.stack([1 - answers, answers], axis=-1)
    told = _entropy(answers.mean(0)) - _entropy(answers).mean(0)
    shared: Floats = np.maximum(told if told.ndim == 1 else told.sum(axis=-1), 0.0)  # rounding may fall below 0
    return shared


def _entropy(shares: Array) -> Floats:
    """In nats, over the last axis; 0 log 0 is 0."""
    parts: Floats = -(shares * np.log(shares, out=np.zeros_like(shares), where=shares > 0)).sum(axis=-1)
    return parts

"""Many tests at once: what is still surprising when so much was asked."""

from collections.abc import Sequence

import numpy as np


def holm(p: Sequence[float]) -> list[float]:
    """The p of several tests, each raised so that all hold together; NaN stays and does not count.

    Holm 1979, Scandinavian Journal of Statistics 6:65.

    >>> [round(one, 3) for one in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    given = np.asarray(p, float)
    known = np.flatnonzero(~np.isnan(given))
    order = known[np.argsort(given[known], kind="stable")]
    raised = given.copy()
    raised[order] = np.minimum(np.maximum.accumulate(given[order] * np.arange(len(order), 0, -1)), 1.0)
    return [float(one) for one in raised]

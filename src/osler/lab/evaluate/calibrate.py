"""Make the probabilities mean what they say: temperature scaling, fitted on validation cases only.

Guo et al. 2017, ICML: p' = softmax(log p / T), one T above zero that minimises the log-loss; the order of the
classes, and so the accuracy, stays. T is taken only when it helps cases it was not fitted on (five folds by
patient); otherwise it is 1, which changes nothing.
"""

from collections.abc import Sequence

import numpy as np

from osler.core.arrays import Array, Floats, Labels
from osler.inference.temper import temper
from osler.lab.evaluate.classification import nll

FOLDS = 5
_WIDEST = (0.05, 20.0)  # temperatures beyond say that something else is wrong


def fit_temperature(
    probabilities: Array, truth: Labels, *, patients: Sequence[str] | None = None, seed: int = 0
) -> float:
    """The temperature for validation answers; 1.0 when none helps.

    probabilities  (cases, classes) with truth as class numbers (cases,); or (cases,) of one outcome with 0 and 1
    patients       one a case, so that no patient is on both sides of a fold; None: every case its own
    """
    p, so = np.asarray(probabilities, float), np.asarray(truth, int)
    indicators = so.astype(float) if p.ndim == 1 else (so[:, None] == np.arange(p.shape[1])).astype(float)
    owner = np.arange(len(p)) if patients is None else np.unique(np.asarray(patients), return_inverse=True)[1]
    many = int(owner.max()) + 1 if len(owner) else 0
    if many < 2 * FOLDS:
        return 1.0
    fold = np.random.default_rng(seed).permutation(many)[owner] % FOLDS
    before = float(nll(p, indicators))
    after = 0.0
    for one in range(FOLDS):
        out = fold == one
        temperature = _best(p[~out], indicators[~out])
        after += float(nll(temper(p[out], temperature), indicators[out])) * out.sum() / len(p)
    return _best(p, indicators) if after < before else 1.0


def fit_temperatures(
    probabilities: Array, truth: Labels, *, patients: Sequence[str] | None = None, seed: int = 0
) -> tuple[float, ...]:
    """One temperature a label for multi-label answers: probabilities and truth (cases, labels)."""
    return tuple(
        fit_temperature(probabilities[:, label], truth[:, label], patients=patients, seed=seed)
        for label in range(np.shape(probabilities)[1])
    )


def _best(probabilities: Floats, indicators: Floats) -> float:
    """The temperature with the least log-loss; the loss has one valley in 1/T."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda log: float(nll(temper(probabilities, float(np.exp(log))), indicators)),
        bounds=tuple(np.log(_WIDEST)),
        method="bounded",
        options={"xatol": 1e-4},
    )
    return float(np.exp(found.x))

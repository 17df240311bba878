"""What a quick learner says of each case after learning from other patients only.

Kernel ridge regression on 0/1 columns (a least-squares support vector machine), its outputs turned into
probabilities by logistic regression fitted on the other folds. Cases beyond 2,000 are seen through 2,000 landmarks
(Williams, Seeger 2001, "Using the Nyström method to speed up kernel machines"), so that time grows with the number
of cases and not with its cube.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from osler.core.arrays import Array, Floats, Labels

LANDMARKS = 2_000
_FOLDS = 10
_WIDTH = 0.5  # of the kernel: exp(-width * squared distance / mean squared length)
_RIDGE = 0.1  # in units of the kernel's diagonal
_TRUST = 10.0  # inverse strength of the logistic regression's penalty


def deal(patients: Sequence[str], strata: Labels, *, seed: int, folds: int = _FOLDS) -> Labels:
    """(cases,) a fold for each case: patients whole, each stratum spread evenly.

    strata  (cases,) a number, class or fifth of the target; a patient counts in the rarest that it has
    """
    random = np.random.default_rng(seed)
    rarity = np.bincount(strata)
    rows: dict[str, list[int]] = defaultdict(list)
    for row, patient in enumerate(patients):
        rows[patient].append(row)
    names = list(rows)
    key = [min(strata[rows[name]], key=lambda stratum: (rarity[stratum], stratum)) for name in names]
    # Large patients first, so that the small ones even out what these leave.
    sizes = np.array([len(rows[name]) for name in names])
    order = np.lexsort((random.permutation(len(names)), -sizes, np.array(key)))
    found = np.zeros(len(strata), int)
    for place, which in enumerate(order):
        found[rows[names[which]]] = place % folds
    return found


def guess(
    features: Floats, targets: Floats, folds: Labels, *, seed: int = 0, landmarks: int = LANDMARKS
) -> Floats:
    """(cases, targets) what kernel ridge regression says of each case when its fold is left out.

    features   (cases, traits)
    targets    (cases, targets) numbers or 0/1 columns
    folds      (cases,) fold of each case
    landmarks  how many cases stand for all; fewer are faster and coarser
    """
    seen = _through_landmarks(np.asarray(features, float), landmarks, seed)  # (cases, landmarks)
    found = np.empty_like(targets, dtype=float)
    whole, crossed = seen.T @ seen, seen.T @ targets
    sums, count = targets.sum(axis=0), len(targets)
    for out in _each(folds):
        part = seen[out]
        gram = whole - part.T @ part
        gram[np.diag_indices_from(gram)] += _RIDGE
        mean = (sums - targets[out].sum(axis=0)) / max(count - out.sum(), 1)
        right = crossed - part.T @ targets[out] - np.outer(seen.sum(axis=0) - part.sum(axis=0), mean)
        found[out] = part @ _solve(gram, right) + mean
    return found


def to_probabilities(scores: Floats, labels: Labels, folds: Labels) -> Floats:
    """(cases, classes) probabilities for (cases, columns) scores, each fold's by a fit on the others.

    labels  (cases,) class numbers 0 to K-1, each of which occurs
    """
    from sklearn.linear_model import LogisticRegression

    classes = int(labels.max()) + 1
    found = np.zeros((len(labels), classes))
    scaled = scores / scores.std(axis=0).clip(1e-9)
    for out in _each(folds):
        known = np.unique(labels[~out])
        if len(known) < 2:
            found[out, known] = 1.0
            continue
        model = LogisticRegression(C=_TRUST, max_iter=500).fit(scaled[~out], labels[~out])
        found[np.ix_(out, model.classes_)] = model.predict_proba(scaled[out])
    return found


def area_under_curve(scores: Floats, positive: Array) -> tuple[float, float]:
    """(AUC, its standard error) of telling `positive` cases by `scores`; NaN where one side is empty.

    Hanley, McNeil 1982, "The meaning and use of the area under a receiver operating characteristic curve",
    Radiology 143:29-36.
    """
    from scipy.stats import rankdata

    ill, well = int(positive.sum()), int((~positive).sum())
    if not ill or not well:
        return float("nan"), float("nan")
    area = (rankdata(scores)[positive].sum() - ill * (ill + 1) / 2) / (ill * well)
    one, two = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (ill - 1) * (one - area**2) + (well - 1) * (two - area**2)
    return float(area), float(np.sqrt(max(spread, 0) / (ill * well)))


def _each(folds: Labels) -> Iterator[Array]:
    for fold in np.unique(folds):
        yield folds == fold


def _through_landmarks(features: Floats, landmarks: int, seed: int) -> Floats:
    """(cases, landmarks) whose inner products are the kernel, exactly where every case is a landmark."""
    from scipy.linalg import cholesky, solve_triangular

    rows = np.random.default_rng(seed).permutation(len(features))[:landmarks]
    scale = max(float((features**2).sum(axis=1).mean()), 1e-12)
    middle = _kernel(features[rows], features[rows], scale)
    middle[np.diag_indices_from(middle)] += 1e-6
    lower = cholesky(middle, lower=True)
    return np.asarray(solve_triangular(lower, _kernel(features[rows], features, scale), lower=True).T)


def _kernel(one: Floats, other: Floats, scale: float) -> Floats:
    squared = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
    return np.asarray(np.exp(-_WIDTH / scale * squared.clip(0)))


def _solve(matrix: Floats, right: Floats) -> Floats:
    from scipy.linalg import cho_factor, cho_solve

    return np.asarray(cho_solve(cho_factor(matrix, lower=True), right))

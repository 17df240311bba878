"""Confident learning: which labels does a model doubt, given what it knows of every class?

Northcutt, Jiang, Chuang 2021, "Confident learning: estimating uncertainty in dataset labels", Journal of
Artificial Intelligence Research 70:1373-1411. Probabilities must be out of sample: no case was in the training of
the model that speaks of it.
"""

from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array, Floats, Labels

# Probabilities this close are equal, so that the last bit of a float decides nothing.
_SAME = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Doubt:
    """What probabilities say of labels; K classes.

    issue            (cases,) bool, is the label probably wrong?
    order            row numbers of the issues, the most doubtful first
    self_confidence  (cases,) probability of the given class
    margin           (cases,) that less the largest probability of another class, -1 to 1
    expected         (K,) mean self-confidence of the cases of each class; infinite for a class without cases
    joint            (K, K) estimated number of cases with the row's label that belong in the column's class; each
                     row adds up to the cases with that label
    """

    issue: Array
    order: Labels
    self_confidence: Floats
    margin: Floats
    expected: Floats
    joint: Labels

    @property
    def noise(self) -> float:
        """Estimated share of wrong labels, 0 to 1."""
        total = int(self.joint.sum())
        return 1 - int(np.trace(self.joint)) / total if total else 0.0


def doubt_labels(labels: Labels, probabilities: Floats) -> Doubt:
    """Confident learning, pruned by noise rate.

    labels         (cases,) class numbers 0 to K-1
    probabilities  (cases, K), out of sample, each row adds up to 1

    A case is counted into the class it confidently belongs to: where its probability is at least the mean
    self-confidence of that class (section 3.1 of the paper). The counts, scaled to the numbers of given labels,
    are the joint. For each pair of classes, as many cases as the joint has there are doubted, those with the
    largest margin first; never the last case of a class, and none whose given class is the likeliest.
    """
    labels = np.asarray(labels, dtype=int)
    probabilities = np.asarray(probabilities, dtype=float)
    rows = np.arange(len(labels))
    self_confidence = probabilities[rows, labels]
    others = probabilities.copy()
    others[rows, labels] = -np.inf
    margin = self_confidence - others.max(axis=1, initial=-np.inf)
    expected = expected_confidence(labels, probabilities)
    joint = confident_joint(labels, probabilities, expected)

    issue = np.zeros(len(labels), bool)
    for given, moved in enumerate(_keep_one(joint)):
        members = np.flatnonzero(labels == given)
        if len(members) < 2:
            continue
        for other in np.flatnonzero(moved):
            if other != given:
                pull = probabilities[members, other] - probabilities[members, given]
                issue[members[np.argsort(-pull, kind="stable")[: moved[other]]]] = True
    issue &= margin < -_SAME
    found = np.flatnonzero(issue)
    order = found[np.lexsort((margin[found], self_confidence[found]))]
    return Doubt(issue, order, self_confidence, margin, expected, joint)


def expected_confidence(labels: Labels, probabilities: Floats) -> Floats:
    """(K,) mean probability of its own class over the cases of each class; infinite where there are none."""
    expected = np.full(probabilities.shape[1], np.inf)
    for number in np.unique(labels):
        expected[number] = max(float(probabilities[labels == number, number].mean()), 2 * _SAME)
    return expected


def confident_joint(labels: Labels, probabilities: Floats, expected: Floats) -> Labels:
    """(K, K) estimated cases with the row's label that belong in the column's class; rows keep their totals."""
    classes = probabilities.shape[1]
    confident = probabilities >= expected - _SAME
    # A case that is confident of several classes goes to its likeliest; one that is of none is not counted.
    belongs = np.where(confident.sum(axis=1) > 1, probabilities.argmax(axis=1), confident.argmax(axis=1))
    counted = confident.any(axis=1)
    counts = np.zeros((classes, classes))
    np.add.at(counts, (labels[counted], belongs[counted]), 1)
    # At least one case of each class is believed, or a class could vanish.
    np.fill_diagonal(counts, counts.diagonal().clip(min=1))
    totals = np.bincount(labels, minlength=classes)
    scaled = counts / counts.sum(axis=1, keepdims=True) * totals[:, None]
    return np.stack([_whole(row) for row in scaled])


def _keep_one(joint: Labels) -> Labels:
    """The joint with at least one believed case in each class that has any."""
    kept = joint.copy()
    for given, row in enumerate(kept):
        if row.sum() and not row[given]:
            row[np.argmax(row)] -= 1
            row[given] = 1
    return kept


def _whole(row: Floats) -> Labels:
    """Whole numbers with the same total; what rounding lost or won goes where it was nearest to the other side."""
    whole = np.round(row)
    lacking = round(row.sum() - whole.sum())
    order = np.argsort(row - whole, kind="stable")
    if lacking > 0:
        whole[order[len(order) - lacking :]] += 1
    elif lacking < 0:
        whole[order[:-lacking]] -= 1
    return np.asarray(whole.astype(int))

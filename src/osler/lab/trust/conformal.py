"""Thresholds of promised sets and intervals, from validation answers on patients nothing was fitted on.

The patient is the unit: of a patient's pictures the worst score counts, so that sets of the stated promise hold
the truth of all of a new patient's pictures at once. A threshold is the ceil((n + 1) level)-th smallest of n
patients' scores (Vovk et al. 2005); where n is too small for that rank nothing is promised, and all is in the set.

The promise is an average over all the sets of n patients one might have had. For the one that was had, the
coverage is a draw from Beta(rank, n + 1 - rank) (Vovk 2012, ACML); the note says between what it then lies.

The same validation patients calibrate and promise. Scores are therefore of cross-fitted answers: each patient is
calibrated by what the others said, as a new patient will be (Barber et al. 2021, Annals of Statistics 49:486).
"""

from collections.abc import Sequence
from math import ceil

import numpy as np

from osler.core.arrays import Array, Floats, Labels
from osler.inference.conformal import TOLD, answer_set, class_scores
from osler.lab.evaluate.answers import Answers
from osler.models.trust import Conformal

LEVELS = (0.8, 0.9, 0.95)
FEWEST = 10  # patients below which no set is promised at all
EACH = 20  # patients of each class from which on each class has a threshold of its own
SMALL = 200  # patients below which the note says how far the coverage may be from the promise
FOLDS = 5


def fit_sets(answers: Answers, unseen: Array | None, *, seed: int = 0) -> Conformal | None:
    """The promised sets of a model that answers with classes, grades, labels or a number; None below ten patients.

    answers  validation answers with their truth and patients
    unseen   (cases, classes) their probabilities as `fit_calibration` cross-fitted them; None for a regression
    """
    owner = np.unique(np.asarray(answers.patients), return_inverse=True)[1]
    cases, patients = len(owner), int(owner.max()) + 1
    if patients < FEWEST:
        return None
    if answers.task == "regression":
        away = np.abs(np.asarray(answers.values, float) - np.asarray(answers.truth, float))
        rows = [[threshold(worst(away, owner), level)] for level in LEVELS]
        return _bound("distance", rows, cases, [patients], "")
    p = np.asarray(unseen, float)
    if answers.task == "multilabel":
        return _labels(p, answers.labels, owner)
    if answers.task == "ordinal":
        return _classes("grades", p, answers.labels, owner, each=False)
    each = min(_patients_of(answers.labels, owner, p.shape[1])) >= EACH
    kinds = ["lac"] if p.shape[1] == 2 else ["lac", "aps", "raps"]
    sizes = {how: _held_out(how, p, answers.labels, owner, each=each, seed=seed) for how in kinds}
    best = min(kinds, key=lambda how: sizes[how])
    tried = ", ".join(f"{how} {size:.2f}" for how, size in sizes.items())
    why = f"Smallest sets on held-out patients at {TOLD:.0%}: {tried}." if len(kinds) > 1 else ""
    return _classes(best, p, answers.labels, owner, each=each, why=why)


def fit_threshold_rows(scores: Array, truth: Labels, owner: Labels, *, each: bool) -> list[list[float | None]]:
    """A row a level: one threshold from the scores of the truth, or one for each true class by itself.

    scores  (cases, classes) as `class_scores` gives them
    """
    own = scores[np.arange(len(scores)), truth]
    if not each:
        return [[threshold(worst(own, owner), level)] for level in LEVELS]
    by_class = [worst(own[truth == k], owner[truth == k]) for k in range(scores.shape[1])]
    return [[threshold(one, level) for one in by_class] for level in LEVELS]


def worst(scores: Array, owner: Labels) -> Floats:
    """The largest score of each patient: (cases,) -> (patients,)."""
    present, inverse = np.unique(owner, return_inverse=True)
    largest = np.full(len(present), -np.inf)
    np.maximum.at(largest, inverse, scores)
    return largest


def threshold(scores: Array, level: float) -> float | None:
    """The ceil((n + 1) level)-th smallest of n scores; None where there is none so large.

    >>> threshold(np.arange(1.0, 20.0), 0.9), threshold(np.arange(5.0), 0.9)
    (18.0, None)
    """
    rank = _rank(len(scores), level)
    return None if rank > len(scores) else float(np.sort(scores)[rank - 1])


def likely_coverage(patients: int, level: float, *, sure: float = 0.95) -> tuple[float, float]:
    """Between what the coverage of sets fitted on so many patients lies, with the chance `sure`; exact.

    (nan, nan) where so few patients promise nothing finite.
    """
    from scipy.stats import beta

    rank = _rank(patients, level)
    if rank > patients:
        return float("nan"), float("nan")
    low, high = (float(beta.ppf(q, rank, patients + 1 - rank)) for q in ((1 - sure) / 2, (1 + sure) / 2))
    return low, high


def _rank(patients: int, level: float) -> int:
    return ceil((patients + 1) * level - 1e-9)  # 0.9 x 20 is 18.000000000000004 on some machines' floats


def _classes(how: str, p: Array, truth: Labels, owner: Labels, *, each: bool, why: str = "") -> Conformal:
    penalty, rank = _penalty(p, truth, owner) if how == "raps" else (0.0, 0)
    rows = fit_threshold_rows(class_scores(p, how, penalty=penalty, rank=rank), truth, owner, each=each)
    per_class = _patients_of(truth, owner, p.shape[1])
    patients = [count for count in per_class if count] if each else [len(np.unique(owner))]
    held = "The promise holds for each class by itself. " if each else ""
    return _bound(how, rows, len(p), patients, held + why, penalty=penalty, rank=rank, total=len(np.unique(owner)))


def _labels(p: Array, truth: Labels, owner: Labels) -> Conformal:
    """For each label a threshold of absence and one of presence where both have patients, else one a label."""
    sides = [(owner[truth[:, k] == 0], owner[truth[:, k] == 1]) for k in range(p.shape[1])]
    counts = [len(np.unique(side)) for pair in sides for side in pair]
    total = len(np.unique(owner))
    if min(counts) >= EACH:
        rows = [
            [threshold(worst(p[truth[:, k] == 0, k], sides[k][0]), level) for k in range(p.shape[1])]
            + [threshold(worst(1 - p[truth[:, k] == 1, k], sides[k][1]), level) for k in range(p.shape[1])]
            for level in LEVELS
        ]
        said = "The promise holds for each label by itself, there or not there. "
        return _bound("labels", rows, len(p), counts, said, total=total)
    own = np.where(truth == 1, 1 - p, p)
    rows = [[threshold(worst(own[:, k], owner), level) for k in range(p.shape[1])] for level in LEVELS]
    return _bound("labels", rows, len(p), [total], "The promise holds for each label by itself. ", total=total)


def _penalty(p: Array, truth: Labels, owner: Labels) -> tuple[float, int]:
    """RAPS' rank: how far down the truth lies in nine of ten cases (its authors' rule), and a mild penalty."""
    order = np.argsort(-p, axis=1, kind="stable")
    place = (order == truth[:, None]).argmax(axis=1) + 1
    return 0.1, int(np.ceil(np.quantile(place, TOLD)))


def _held_out(how: str, p: Array, truth: Labels, owner: Labels, *, each: bool, seed: int) -> float:
    """Mean size of the told sets on patients held out in turn; infinity where they miss too often."""
    fold = np.random.default_rng(seed).permutation(int(owner.max()) + 1)[owner] % FOLDS
    sizes, held = np.zeros(len(p)), np.zeros(len(p))
    for one in range(FOLDS):
        out = fold == one
        sets = _classes(how, p[~out], truth[~out], owner[~out], each=each)
        for case in np.flatnonzero(out):
            chosen = answer_set(p[case], sets, TOLD)
            sizes[case], held[case] = len(chosen), truth[case] in chosen
    noise = float(np.sqrt(TOLD * (1 - TOLD) / len(np.unique(owner))))
    return float(sizes.mean()) if held.mean() >= TOLD - noise else float("inf")


def _patients_of(truth: Labels, owner: Labels, classes: int) -> list[int]:
    return [len(np.unique(owner[truth == number])) for number in range(classes)]


def _bound(
    how: str,
    rows: Sequence[Sequence[float | None]],
    cases: int,
    patients: list[int],
    note: str,
    *,
    penalty: float = 0.0,
    rank: int = 0,
    total: int | None = None,
) -> Conformal:
    """The record, with what is to be said of few patients; `patients` behind each threshold."""
    fewest = min(patients)
    if fewest < SMALL:
        low, high = likely_coverage(fewest, TOLD)
        who = f"{fewest} patients" + (" of the rarest side" if len(patients) > 1 else "")
        small = (
            f"{who}: the promise of {TOLD:.0%} holds on average over calibration sets;"
            f" for this one the true coverage lies between {low:.2f} and {high:.2f} (95 % of such sets)."
            if np.isfinite(low)
            else f"{who} are too few for a promise of {TOLD:.0%}: nothing is excluded."
        )
        note = f"{note} {small}"
    rounded = tuple(tuple(row) for row in rows)
    return Conformal(how, LEVELS, rounded, penalty, rank, cases, total or fewest, " ".join(note.split()))

"""Labels that are probably wrong: what the other patients teach does not fit them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array, Floats, Labels
from osler.core.progress import Tell, silent
from osler.lab.catalog.care.concern import Concern
from osler.lab.catalog.care.confident import Doubt, doubt_labels
from osler.lab.catalog.care.descriptors import describe
from osler.lab.catalog.care.look import Look
from osler.lab.catalog.care.out_of_fold import area_under_curve, deal, guess, to_probabilities
from osler.lab.catalog.dataset import Case, Dataset

_FEWEST_CASES = 30
_FEWEST_PATIENTS = 5  # of a class: with fewer, nothing can be said of its labels
_FIFTHS = 5

# A learner below this cannot tell a wrong label from a case that it does not understand.
_LEAST_SKILL = 0.65
_LEAST_EXPLAINED = 0.1

# Confident learning takes each overlap of classes for wrong labels. A person is asked only where the given class
# has less than this share of what its cases have on average. With 3 % of planted errors, between a quarter and a
# third of those named were planted in three small sets, where the learner is weak, and five of six in a large one.
_DOUBTFUL = 0.3
# Readers differ by one grade; only this little belief makes a neighbouring grade a likely slip.
_VERY_DOUBTFUL = 0.1

_FAR = 5.0  # robust deviations of a residual; 3.5 (Iglewicz, Hoaglin 1993) names too many where tails are long
_SPREAD = 0.6745  # of a normal distribution: median absolute deviation over standard deviation

_REMEDY = "Look at the picture again, beside the report if there is one, and correct the label if it is wrong."


@dataclass(frozen=True, slots=True, eq=False)
class _Pool:
    """The cases that take part: readable, labelled, of a class with enough patients.

    cases    those cases
    rows     (cases,) their places in the data set
    labels   (cases,) class numbers among `names`
    names    the classes that take part
    places   where `names` stand among the data set's classes
    left_out a sentence on classes with too few patients, or ""
    """

    cases: tuple[Case, ...]
    rows: Labels
    labels: Labels
    names: tuple[str, ...]
    places: tuple[int, ...]
    left_out: str


def find_label_errors(
    dataset: Dataset,
    looks: Sequence[Look],
    *,
    probabilities: Floats | None = None,
    seed: int = 0,
    tell: Tell = silent,
) -> tuple[Concern, ...]:
    """Labels that are probably wrong, the most doubtful first, and a note on how many there may be.

    looks          one a case, in the order of the cases
    probabilities  (cases, classes) of a trained model, from folds in which the case was not trained on; rows of
                   NaN for cases it says nothing of. Without them a quick learner is fitted on other patients.

    Confident learning (Northcutt et al. 2021) for classes and grades, for each label of many by itself; for
    regression the residuals far outside their spread. Says only why in a note where nothing can be said; () for
    masks and boxes.
    """
    if dataset.task in ("binary", "multiclass", "ordinal"):
        return _of_classes(dataset, looks, probabilities, seed, tell)
    if dataset.task == "multilabel":
        return _of_many_labels(dataset, looks, probabilities, seed, tell)
    if dataset.task == "regression":
        return _of_numbers(dataset, looks, seed, tell)
    return ()


def quick_probabilities(dataset: Dataset, looks: Sequence[Look], *, seed: int = 0, tell: Tell = silent) -> Floats:
    """(cases, classes) what a quick learner that saw only other patients gives each class or grade.

    Rows of NaN for cases that are unreadable, without label, or of a class with too few patients.
    """
    found = np.full((len(dataset.cases), len(dataset.classes)), np.nan)
    pool = _pool(dataset, looks, None)
    if isinstance(pool, _Pool):
        found[pool.rows] = 0.0
        found[np.ix_(pool.rows, np.array(pool.places))] = _probabilities(dataset, pool, looks, seed, tell)
    return found


def _of_classes(
    dataset: Dataset, looks: Sequence[Look], given: Floats | None, seed: int, tell: Tell
) -> tuple[Concern, ...]:
    model = given is not None
    given = (
        quick_probabilities(dataset, looks, seed=seed, tell=tell) if given is None else np.asarray(given, float)
    )
    pool = _pool(dataset, looks, given if model else None)
    if isinstance(pool, Concern):
        return (pool,)
    found = given[np.ix_(pool.rows, np.array(pool.places))]
    found = found / found.sum(axis=1, keepdims=True).clip(1e-12)
    skill, least = _skill(found, pool)
    if skill < _LEAST_SKILL or least <= 0.5:
        return (_too_weak(f"mean AUC {skill:.2f}, at least {least:.2f}", len(pool.cases), pool.left_out),)
    doubt = doubt_labels(pool.labels, found)
    shown = [row for row in doubt.order if _worth_a_look(dataset, pool, found, doubt, row)]
    concerns = [_one(pool, found, doubt, row, model=model) for row in shown]
    return (*concerns, _summary(pool, doubt, skill, len(concerns)))


def _pool(dataset: Dataset, looks: Sequence[Look], given: Floats | None) -> _Pool | Concern:
    """Who takes part, or a note saying why nobody does."""
    rows = [
        row
        for row in _seen(dataset, looks, given)
        if isinstance(label := dataset.cases[row].label, int) and 0 <= label < len(dataset.classes)
    ]
    labels = np.array([dataset.cases[row].label for row in rows], int)
    patients = [
        {dataset.cases[row].patient for row, label in zip(rows, labels, strict=True) if label == n}
        for n in range(len(dataset.classes))
    ]
    places = tuple(n for n, having in enumerate(patients) if len(having) >= _FEWEST_PATIENTS)
    few = [f"'{dataset.classes[n]}' ({len(p)})" for n, p in enumerate(patients) if 0 < len(p) < _FEWEST_PATIENTS]
    left_out = f" Classes with too few patients were left out: {', '.join(few)}." if few else ""
    kept = np.isin(labels, places)
    if len(places) < 2 or kept.sum() < _FEWEST_CASES:
        return _not_checked(
            f"{int(kept.sum())} cases of {len(places)} classes with at least {_FEWEST_PATIENTS} patients"
        )
    rows_kept = np.array(rows)[kept]
    return _Pool(
        cases=tuple(dataset.cases[row] for row in rows_kept),
        rows=rows_kept,
        labels=np.searchsorted(places, labels[kept]),
        names=tuple(dataset.classes[n] for n in places),
        places=places,
        left_out=left_out,
    )


def _seen(dataset: Dataset, looks: Sequence[Look], given: Floats | None) -> list[int]:
    """Cases of which something is known: a readable picture, or what a model said."""
    if given is None:
        return [row for row, look in enumerate(looks) if not look.problem]
    return [row for row in range(len(dataset.cases)) if np.isfinite(given[row]).all()]


def _features(looks: Sequence[Look], rows: Labels, seed: int, tell: Tell) -> Floats:
    return describe(
        np.stack([looks[row].thumbnail for row in rows]),
        np.stack([looks[row].colour for row in rows]),
        seed=seed,
        tell=tell,
    )


def _probabilities(dataset: Dataset, pool: _Pool, looks: Sequence[Look], seed: int, tell: Tell) -> Floats:
    """(cases, classes) of the quick learner, out of fold."""
    features = _features(looks, pool.rows, seed, tell)
    folds = deal([case.patient for case in pool.cases], pool.labels, seed=seed)
    targets = np.eye(len(pool.names))[pool.labels]
    if dataset.task == "ordinal":
        # The grade itself, so that what lies between two grades is known to lie between.
        targets = np.column_stack([targets, pool.labels / (len(pool.names) - 1)])
    return to_probabilities(guess(features, targets, folds, seed=seed), pool.labels, folds)


def _skill(found: Floats, pool: _Pool) -> tuple[float, float]:
    """(mean AUC of each class against the others, its lower 95 % bound); patients count, not pictures."""
    areas = [area_under_curve(found[:, n], pool.labels == n) for n in range(len(pool.names))]
    area, error = np.mean(areas, axis=0)
    crowded = np.sqrt(len(pool.cases) / len({case.patient for case in pool.cases}))
    return float(area), float(area - 1.96 * error * crowded)


def _worth_a_look(dataset: Dataset, pool: _Pool, found: Floats, doubt: Doubt, row: int) -> bool:
    relative = doubt.self_confidence[row] / doubt.expected[pool.labels[row]]
    if dataset.task == "ordinal":
        grades = abs(pool.places[int(found[row].argmax())] - pool.places[pool.labels[row]])
        return bool(relative < (_DOUBTFUL if grades >= 2 else _VERY_DOUBTFUL))
    return bool(relative < _DOUBTFUL)


def _one(pool: _Pool, found: Floats, doubt: Doubt, row: int, *, model: bool) -> Concern:
    case, best = pool.cases[row], int(found[row].argmax())
    who = "the model" if model else "a quick learner that saw only other patients"
    return Concern(
        kind="label-error",
        severity="warning",
        what=f"{case.id} is labelled '{pool.names[pool.labels[row]]}', but {who} gives that "
        f"{doubt.self_confidence[row]:.1%} and '{pool.names[best]}' {found[row, best]:.1%}.",
        remedy=_REMEDY,
        cases=(case.id,),
        score=float(1 - doubt.self_confidence[row]),
        proposed=((case.id, pool.names[best]),),
    )


def _summary(pool: _Pool, doubt: Doubt, skill: float, named: int) -> Concern:
    count = int(doubt.issue.sum())
    return Concern(
        kind="label-error",
        severity="note",
        what=f"{named} of {len(pool.cases)} labels are named as doubtful. Confident learning (mean AUC "
        f"{skill:.2f} out of fold) doubts {count} and puts the share of wrong labels at "
        f"{doubt.noise:.1%} at most: hard cases count in it too.{pool.left_out}",
        remedy="Begin with the most doubtful; stop where several in a row prove right.",
        score=0.0,
    )


def _of_many_labels(
    dataset: Dataset, looks: Sequence[Look], given: Floats | None, seed: int, tell: Tell
) -> tuple[Concern, ...]:
    """Each label by itself, as a question of yes or no; the features are made once."""
    wide = len(dataset.classes)
    rows = np.array(
        [
            row
            for row in _seen(dataset, looks, given)
            if isinstance(label := dataset.cases[row].label, tuple) and len(label) == wide
        ],
        int,
    )
    if len(rows) < _FEWEST_CASES:
        return (_not_checked(f"{len(rows)} cases with labels"),)
    flags = np.array([dataset.cases[row].label for row in rows], int)  # (cases, labels)
    patients = [dataset.cases[row].patient for row in rows]
    features = _features(looks, rows, seed, tell) if given is None else None
    concerns: list[Concern] = []
    for number, name in enumerate(dataset.classes):
        labels = flags[:, number]
        sides = [{p for p, flag in zip(patients, labels, strict=True) if flag == side} for side in (0, 1)]
        if min(map(len, sides)) < _FEWEST_PATIENTS:
            concerns.append(_not_checked(f"{len(sides[1])} patients with '{name}' and {len(sides[0])} without"))
            continue
        if features is None:
            assert given is not None
            positive = np.asarray(given, float)[rows, number]
            found = np.column_stack([1 - positive, positive])
        else:
            folds = deal(patients, labels, seed=seed)
            found = to_probabilities(guess(features, np.eye(2)[labels], folds, seed=seed), labels, folds)
        cases = tuple(dataset.cases[row] for row in rows)
        pool = _Pool(cases, rows, labels, (f"not {name}", name), (0, 1), "")
        skill, least = _skill(found, pool)
        if skill < _LEAST_SKILL or least <= 0.5:
            concerns.append(_too_weak(f"'{name}': AUC {skill:.2f}, at least {least:.2f}", len(rows), ""))
            continue
        doubt = doubt_labels(labels, found)
        shown = [row for row in doubt.order if _worth_a_look(dataset, pool, found, doubt, row)]
        for row in shown:
            one = _one(pool, found, doubt, row, model=given is not None)
            # One label of several is no whole label that a cleaned table could hold.
            concerns.append(_without_proposal(one))
        concerns.append(_summary(pool, doubt, skill, len(shown)))
    named = sorted((c for c in concerns if c.cases), key=lambda concern: -concern.score)
    return (*named, *(c for c in concerns if not c.cases))


def _without_proposal(concern: Concern) -> Concern:
    from dataclasses import replace

    return replace(concern, proposed=())


def _of_numbers(dataset: Dataset, looks: Sequence[Look], seed: int, tell: Tell) -> tuple[Concern, ...]:
    """Residuals out of fold, in robust deviations of their own side."""
    rows = np.array(
        [
            row
            for row in _seen(dataset, looks, None)
            if isinstance(label := dataset.cases[row].label, int | float) and np.isfinite(label)
        ],
        int,
    )
    if len(rows) < _FEWEST_CASES:
        return (_not_checked(f"{len(rows)} cases with a number"),)
    cases = [dataset.cases[row] for row in rows]
    values = np.array([float(dataset.cases[row].label) for row in rows])
    middle, scale = float(np.median(values)), float(np.median(np.abs(values - np.median(values))) / _SPREAD)
    if scale == 0:
        return (_not_checked("a target that is the same for most cases"),)
    strata = np.digitize(values, np.quantile(values, np.linspace(0, 1, _FIFTHS + 1)[1:-1]))
    # Learnt from values drawn in, so that one slip of the comma does not bend the learner.
    tame = np.clip(values, middle - 3 * scale, middle + 3 * scale)
    folds = deal([case.patient for case in cases], strata, seed=seed)
    expected = guess(_features(looks, rows, seed, tell), tame[:, None], folds, seed=seed)[:, 0]
    explained = 1 - float(((tame - expected) ** 2).sum() / max(((tame - tame.mean()) ** 2).sum(), 1e-12))
    if explained < _LEAST_EXPLAINED:
        expected = np.full(len(values), middle)
    away = _deviations(values - expected)
    name = dataset.target or "the target"
    concerns = []
    for row in np.argsort(-np.abs(away), kind="stable"):
        if abs(away[row]) < _FAR:
            break
        concerns.append(
            Concern(
                kind="label-error",
                severity="warning",
                what=f"{cases[row].id} has {name} {values[row]:g}, where "
                + ("its picture suggests" if explained >= _LEAST_EXPLAINED else "the middle of all cases is")
                + f" {expected[row]:g}: {abs(away[row]):.1f} robust deviations away.",
                remedy=_REMEDY,
                cases=(cases[row].id,),
                score=float(1 - _FAR / (2 * abs(away[row]))),
            )
        )
    believed = (
        f"a quick learner explains {explained:.0%} of the variance"
        if explained >= _LEAST_EXPLAINED
        else "a quick learner explains next to nothing, so each number was only compared with all others"
    )
    note = Concern(
        kind="label-error",
        severity="note",
        what=f"{len(concerns)} of {len(values)} numbers stand out; {believed}.",
        remedy="Look at those that stand out.",
        score=0.0,
    )
    return (*concerns, note)


def _deviations(residuals: Floats) -> Array:
    """Robust deviations from the median, each side by its own spread, as many targets lean to one side."""
    away = residuals - np.median(residuals)
    found = np.zeros(len(away))
    for side in (away >= 0, away <= 0):
        spread = float(np.median(np.abs(away[side]))) / _SPREAD
        if spread > 0:
            found[side] = away[side] / spread
    return found


def _not_checked(why: str) -> Concern:
    return Concern(
        kind="label-error",
        severity="note",
        what=f"Labels were not checked for errors: there are only {why}.",
        remedy=f"At least {_FEWEST_CASES} cases and {_FEWEST_PATIENTS} patients of each class are needed.",
        score=0.0,
    )


def _too_weak(skill: str, count: int, left_out: str) -> Concern:
    return Concern(
        kind="label-error",
        severity="note",
        what=f"Labels could not be checked for errors: what was learnt from the other patients of {count} cases "
        f"hardly tells the classes apart ({skill}).{left_out}",
        remedy="Train a model and check again with its out-of-fold probabilities.",
        score=0.0,
    )

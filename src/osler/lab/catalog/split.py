"""Who trains, who tunes, who tests: whole patients, every class on every side, the same for the same seed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadDataset
from osler.lab.catalog.dataset import Case, Dataset
from osler.lab.catalog.labels import check_labels, classes_of

_BINS = 5


def with_splits(dataset: Dataset, *, seed: int, val: float = 0.15, test: float = 0.0) -> Dataset:
    """The data set with every case in "train", "val" or "test".

    Splits that are given stay as they are. A missing val, and a missing test when `test` is above 0, are taken
    from the training cases: whole patients, stratified by class (regression: by fifths of the target).

    val, test  the share of the cases that could be divided

    Raises BadDataset when there are fewer than five patients, one class only, a class with a single patient,
    or a class without a training case.
    """
    check_labels(dataset)
    given = {case.split for case in dataset.cases}
    # Where a table marks some rows only, the others are there to train with.
    cases = [replace(case, split=case.split or "train") for case in dataset.cases]
    wanted = {"val": 0.0 if "val" in given else val, "test": 0.0 if "test" in given else test}
    rows = [row for row, case in enumerate(cases) if case.split == "train"]
    if not rows:
        raise BadDataset(
            f"{dataset.name} has no training cases, only {' and '.join(sorted(given))}.",
            remedy="Mark some cases as train, or give no splits at all.",
        )
    sides = ["train", *(name for name, share in wanted.items() if share > 0)]
    if len(sides) > 1:
        shares = [1 - sum(wanted.values()), *(wanted[name] for name in sides[1:])]
        dealt = _deal(dataset, [cases[row] for row in rows], shares, seed)
        for row, side in zip(rows, dealt, strict=True):
            cases[row] = replace(cases[row], split=sides[side])
    split = replace(dataset, cases=tuple(cases))
    _trainable(split)
    return split


def folds(dataset: Dataset, k: int, *, seed: int) -> list[Dataset]:
    """k data sets, each with another k-th of the patients as "val" and the rest as "train".

    Cases given as "test" are left out of all of them; patients stay whole and classes are stratified.
    Raises BadDataset when there are too few patients for k folds, and as `with_splits` does.
    """
    cases = [case for case in dataset.cases if case.split != "test"]
    pool = replace(dataset, cases=tuple(cases))
    check_labels(pool)
    if not 2 <= k <= pool.patients:
        raise BadDataset(
            f"{dataset.name} has {pool.patients} patients, which do not make {k} folds.",
            remedy=f"Choose between 2 and {pool.patients} folds.",
        )
    dealt = _deal(dataset, cases, [1 / k] * k, seed)
    return [
        replace(
            pool,
            cases=tuple(
                replace(case, split="val" if side == fold else "train")
                for case, side in zip(cases, dealt, strict=True)
            ),
        )
        for fold in range(k)
    ]


def _deal(dataset: Dataset, cases: Sequence[Case], shares: Sequence[float], seed: int) -> list[int]:
    """A side for each case, one for all cases of a patient.

    Greedy: patients with the rarest class first, the largest first among them, each to the side where the squared
    distance from the wished numbers, in units of what is wished there, grows least. Afterwards a side that lacks
    a class gets a patient from a side that can spare one.
    """
    strata = _strata(dataset, cases)  # (cases, strata)
    by_patient: dict[str, list[int]] = defaultdict(list)
    for row, case in enumerate(cases):
        by_patient[case.patient].append(row)
    patients = sorted(by_patient)
    counts = np.stack([strata[by_patient[patient]].sum(axis=0) for patient in patients])  # (patients, strata)
    if len(patients) < len(shares):
        raise BadDataset(
            f"{dataset.name} has {len(patients)} patients to divide among {len(shares)} sides.",
            remedy="Give more patients.",
        )
    wished = np.outer(shares, counts.sum(axis=0)).clip(1e-9)  # (sides, strata)
    held = np.zeros_like(wished)
    sides = np.zeros(len(patients), int)
    for patient in _order(counts, seed):
        more = counts[patient]
        grows = ((more**2 + 2 * more * (held - wished)) / wished).sum(axis=1)
        sides[patient] = int(np.argmin(grows))
        held[sides[patient]] += more
    _repair(counts, sides, len(shares))
    side_of = dict(zip(patients, sides.tolist(), strict=True))
    return [side_of[case.patient] for case in cases]


def _strata(dataset: Dataset, cases: Sequence[Case]) -> Array:
    """(cases, strata) ones where a case belongs to a stratum; the last stratum holds every case."""
    if dataset.task == "regression":
        values = np.array([float(case.label) for case in cases if isinstance(case.label, int | float)])
        edges = np.quantile(values, np.linspace(0, 1, _BINS + 1)[1:-1])
        member = np.digitize(values, edges)[:, None] == np.arange(_BINS)
    elif dataset.task in ("segmentation", "detection"):
        member = np.zeros((len(cases), 0), bool)
    else:
        member = np.zeros((len(cases), len(dataset.classes)), bool)
        for row, case in enumerate(cases):
            member[row, list(classes_of(case))] = True
    whole = np.concatenate([member, np.ones((len(cases), 1), bool)], axis=1).astype(float)
    occupied: Array = whole[:, whole.any(axis=0)]
    return occupied


def _order(counts: Array, seed: int) -> list[int]:
    """Patients by the rarest stratum they have, then by size; chance decides among equals."""
    random = np.random.default_rng(seed)
    totals = counts.sum(axis=0)
    rarest = np.where(counts > 0, totals, np.inf).min(axis=1)
    return [int(row) for row in np.lexsort((random.permutation(len(counts)), -counts.sum(axis=1), rarest))]


def _repair(counts: Array, sides: Array, number: int) -> None:
    """Give each side a patient of every stratum where there are enough patients; changes `sides`."""
    has = counts > 0
    for stratum in np.argsort(has.sum(axis=0)):
        for side in range(number):
            if has[sides == side, stratum].any():
                continue
            for patient in sorted(np.flatnonzero(has[:, stratum]), key=lambda row: (counts[row].sum(), row)):
                left = has[(sides == sides[patient]) & (np.arange(len(sides)) != patient)]
                # The giver must keep a patient of everything it gives.
                if (left.any(axis=0) | ~has[patient]).all():
                    sides[patient] = side
                    break


def _trainable(dataset: Dataset) -> None:
    """Raises BadDataset when no training case has one of the classes, or a side that was asked for is empty."""
    train = dataset.split("train")
    if dataset.task in ("segmentation", "detection", "regression"):
        return
    trained = {number for case in train.cases for number in classes_of(case)}
    for number in {number for case in dataset.cases for number in classes_of(case)} - trained:
        raise BadDataset(
            f"No training case of {dataset.name} has the class '{dataset.classes[number]}'.",
            remedy="Move some of its cases to train, or remove the class.",
        )

"""Label flips planted in real sets: how many are found, ours against cleanlab on the same probabilities.

python benchmarks/label_errors.py SEEDS NAME=DATA [NAME=DATA ...]      (DATA:train,val takes these splits only)
"""

import sys
import time
import warnings
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from record import keep

from osler.core.arrays import Array
from osler.lab.catalog.care.confident import doubt_labels
from osler.lab.catalog.care.label_errors import find_label_errors, quick_probabilities
from osler.lab.catalog.care.look import Look, look_over
from osler.lab.catalog.dataset import Dataset
from osler.lab.catalog.recognize import read_dataset

SHARE = 0.03
KINDS = ("confident_learning", "cleanlab", "concerns", "most_doubtful")


def planted(dataset: Dataset, seed: int) -> tuple[Dataset, Array]:
    """The set with 3 % of the labels changed to any other class, and which."""
    random = np.random.default_rng(seed)
    cases, classes = list(dataset.cases), len(dataset.classes)
    flipped = np.zeros(len(cases), bool)
    flipped[random.choice(len(cases), round(SHARE * len(cases)), replace=False)] = True
    for row in np.flatnonzero(flipped):
        label = cases[row].label
        assert isinstance(label, int)
        cases[row] = replace(cases[row], label=int((label + random.integers(1, classes)) % classes))
    return replace(dataset, cases=tuple(cases)), flipped


def scored(found: Array, flipped: Array) -> dict[str, Any]:
    right = int((found & flipped).sum())
    return {
        "found": int(found.sum()),
        "precision": round(right / max(int(found.sum()), 1), 3),
        "recall": round(right / int(flipped.sum()), 3),
    }


def once(dataset: Dataset, looks: tuple[Look, ...], seed: int) -> dict[str, Any]:
    from cleanlab.filter import find_label_issues

    changed, flipped = planted(dataset, seed)
    start = time.perf_counter()
    probabilities = quick_probabilities(changed, looks, seed=seed)
    seconds = time.perf_counter() - start
    rows = np.flatnonzero(np.isfinite(probabilities).all(axis=1))
    labels = np.array([case.label for case in changed.cases], int)[rows]
    given, planted_here = probabilities[rows], flipped[rows]
    ours = doubt_labels(labels, given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = find_label_issues(labels, given, n_jobs=1)
    concerns = find_label_errors(changed, looks, probabilities=probabilities)
    named = {concern.cases[0] for concern in concerns if concern.cases}
    is_named = np.array([changed.cases[row].id in named for row in rows])
    top = np.zeros(len(rows), bool)
    top[np.argsort(ours.self_confidence, kind="stable")[: int(planted_here.sum())]] = True
    result: dict[str, Any] = {
        "seed": seed,
        "n": len(rows),
        "planted": int(planted_here.sum()),
        "noise_estimated": round(ours.noise, 4),
        "confident_learning": scored(ours.issue, planted_here),
        "cleanlab": scored(theirs, planted_here),
        "differ": int((ours.issue != theirs).sum()),
        "concerns": scored(is_named, planted_here),
        "most_doubtful": scored(top, planted_here),
        "learner_seconds": round(seconds, 1),
    }
    if dataset.task == "ordinal":
        truth = np.array([case.label for case in dataset.cases], int)[rows]
        far = planted_here & (np.abs(truth - labels) >= 2)
        result["planted_two_grades_or_more"] = int(far.sum())
        result["concerns_of_those"] = scored(is_named, far)
    return result


def main() -> None:
    seeds, *sets = sys.argv[1:]
    kept: dict[str, Any] = {}
    for word in sets:
        name, place = word.split("=", 1)
        path, _, splits = place.partition(":")
        dataset = read_dataset(Path(path))
        if splits:
            dataset = replace(dataset, cases=tuple(c for c in dataset.cases if c.split in splits.split(",")))
        looks = look_over(dataset)
        runs = [once(dataset, looks, seed) for seed in range(int(seeds))]
        means = {
            kind: {
                measure: round(float(np.mean([run[kind][measure] for run in runs])), 3)
                for measure in ("found", "precision", "recall")
            }
            for kind in KINDS
        }
        kept[name] = {"task": dataset.task, "splits": splits or "all", "mean": means, "runs": runs}
    keep(
        "label_errors",
        {"share_planted": SHARE, "cleanlab": version("cleanlab"), "sets": kept},
        note="confident_learning and cleanlab: the same probabilities, of the quick learner. concerns: what a "
        "person is asked to look at. most_doubtful: as many as were planted, by self-confidence.",
    )


if __name__ == "__main__":
    main()

"""What models say of patients they were not fitted on: folds of whole patients, several times over."""

import numpy as np

from osler.core.arrays import Floats
from osler.core.progress import Tell, silent
from osler.lab.risk.cohort import Cohort
from osler.lab.risk.fit import fit_parts
from osler.lab.risk.folds import deal

FOLDS = 5
REPEATS = {"cox": 3, "logistic": 5, "forest": 2, "deep": 2}


def left_out_risks(
    cohort: Cohort,
    kind: str,
    times: Floats,
    *,
    seed: int,
    folds: int = FOLDS,
    repeats: int = 0,
    tell: Tell = silent,
) -> tuple[dict[str, Floats], str]:
    """part -> (patients, times) risks from models that had not seen the patient, and how it was done.

    Everything is fitted anew in each fold: what stands for missing facts, scales, components, the ridge. A
    patient's risk is the mean over the repeats.
    """
    rounds = repeats or REPEATS[kind]
    folds = min(folds, len(cohort.event))
    sums: dict[str, Floats] = {}
    done, total = 0, rounds * folds
    for turn in range(rounds):
        sides = deal(cohort.event, folds, seed=seed + 1000 * turn)
        for side in range(folds):
            tell("leaving out", done, total, "")
            rest, out = cohort.take(np.flatnonzero(sides != side)), np.flatnonzero(sides == side)
            fitted = fit_parts(rest, kind, seed=seed + turn, quick=True)
            asked = cohort.take(out)
            rows = fitted.design.rows(asked.values, asked.features)
            for part, learner in fitted.learners.items():
                held = sums.setdefault(part, np.zeros((len(cohort.event), len(times))))
                held[out] += learner.risk(rows[:, list(fitted.design.part(part))], times) / rounds
            done += 1
    tell("leaving out", total, total, "")
    return sums, f"{folds} folds of whole patients, {rounds} times over; everything fitted anew in each"

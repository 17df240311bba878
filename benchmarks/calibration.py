"""Calibration and promised sets on cases nothing was trained on, reshuffled by patient; MAPIE beside them.

python benchmarks/calibration.py NAME SHUFFLES SET=MODEL=DATA [SET=MODEL=DATA ...]

The answers on validation and test cases are pooled. Each reshuffle gives half of the patients to calibrate and
promise with, and the other half to be judged on.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from record import keep
from scipy import stats

from osler.inference.calibrated import calibrated
from osler.inference.conformal import answer_set, class_scores, within
from osler.lab.evaluate.answers import Answers
from osler.lab.evaluate.classification import ece, nll
from osler.lab.evaluate.examine import chosen_cases
from osler.lab.evaluate.run import ask
from osler.lab.trust.calibration import fit_calibration
from osler.lab.trust.conformal import LEVELS, fit_sets, fit_threshold_rows, threshold
from osler.models.model import load_model
from osler.models.trust import Conformal, Trust

FIRST_SEED = 1000  # of the reshuffles; the rule that keeps a calibration was chosen on those from 0 on


def main() -> None:
    name, shuffles, *sets = sys.argv[1:]
    results = {}
    for one in sets:
        label, model, data = one.split("=")
        answers = pooled_answers(Path(model), Path(data))
        results[label] = judged(answers, int(shuffles))
        print(label, results[label])
    keep(name, {"command": f"benchmarks/calibration.py NAME {shuffles} SET=MODEL=DATA ...", "sets": results})


def pooled_answers(folder: Path, data: Path) -> Answers:
    """What the model says of validation and test cases, not calibrated."""
    model = load_model(folder)
    model = replace(model, trust=Trust(flips=model.trust.flips))
    parts = [ask(model, chosen_cases(model, data, split)[0]).answers for split in ("val", "test")]
    return replace(
        parts[0],
        ids=sum((part.ids for part in parts), ()),
        patients=sum((part.patients for part in parts), ()),
        probabilities=np.concatenate([part.chances for part in parts]),
        truth=np.concatenate([part.labels for part in parts]),
        values=None,
    )


def judged(answers: Answers, shuffles: int) -> dict[str, Any]:
    """All figures of one set of answers, over the reshuffles."""
    owner = np.unique(np.asarray(answers.patients), return_inverse=True)[1]
    patients = int(owner.max()) + 1
    rows: list[dict[str, Any]] = []
    start = time.perf_counter()
    for seed in range(FIRST_SEED, FIRST_SEED + shuffles):
        side = np.random.default_rng(seed).permutation(patients) < patients // 2
        rows.append(_one(answers, owner, side[owner], seed))
    seconds = (time.perf_counter() - start) / shuffles
    loss = np.array([row["nll"] for row in rows])
    error = np.array([row["ece"] for row in rows])
    kinds = [row["how"] for row in rows]
    told: dict[str, Any] = {
        "task": answers.task,
        "n": {"cases": len(owner), "patients": patients, "to calibrate": patients // 2},
        "shuffles": shuffles,
        "calibration": {kind: kinds.count(kind) for kind in sorted(set(kinds))},
        "sets": {
            kind: [row["sets"] for row in rows].count(kind) for kind in sorted({row["sets"] for row in rows})
        },
        "nll": _before_after(loss),
        "ece": _before_after(error),
        "seconds_a_fit": round(seconds, 2),
    }
    for level in LEVELS:
        at = [row["levels"][level] for row in rows]
        told[f"{level:.0%}"] = {
            "coverage": round(float(np.mean([one["coverage"] for one in at])), 4),
            "coverage_as_read": round(float(np.mean([one["as_read"] for one in at])), 4),
            "inside_exact_95": [int(sum(one["inside"] for one in at)), sum(one["counted"] for one in at)],
            "size": round(float(np.mean([one["size"] for one in at])), 3),
            "mapie_size": round(float(np.mean([one["mapie_size"] for one in at])), 3),
            "mapie_coverage": round(float(np.mean([one["mapie_coverage"] for one in at])), 4),
            "differs_from_mapie": sum(one["differs"] for one in at),
            "by_picture_coverage": round(float(np.mean([one["by_picture"] for one in at])), 4),
            "one_a_patient_coverage": round(float(np.mean([one["one_each"] for one in at])), 4),
        }
    return told


def _one(answers: Answers, owner: np.ndarray, ours: np.ndarray, seed: int) -> dict[str, Any]:
    """One reshuffle: `ours` calibrate, the others judge."""
    fitted_on = _some(answers, ours)
    fitted = fit_calibration(fitted_on, seed=seed)
    sets = fit_sets(fitted_on, fitted.unseen, seed=seed)
    assert sets is not None
    before, truth, who = answers.chances[~ours], answers.labels[~ours], owner[~ours]
    after = calibrated(before, fitted.calibration, answers.task)
    scores = class_scores(after, sets.how, penalty=sets.penalty, rank=sets.rank)
    hot = np.eye(before.shape[1])[truth]
    own = np.arange(len(truth))
    # The same simple thing by both: lac, a picture a case, one threshold.
    plain = fit_threshold_rows(
        class_scores(fitted.unseen, "lac"), fitted_on.labels, np.arange(ours.sum()), each=False
    )
    theirs = _mapie(fitted.unseen, fitted_on.labels, after)
    levels = {}
    for place, level in enumerate(LEVELS):
        inside = within(scores, sets, level)
        read = np.array([np.isin(np.arange(len(p)), answer_set(p, sets, level)) for p in after])
        lac = within(class_scores(after, "lac"), Conformal("lac", LEVELS, tuple(map(tuple, plain))), level)
        kept, counted = _exact(sets, inside[own, truth], truth, who, fitted_on.labels, owner[ours], level)
        first = class_scores(fitted.unseen, sets.how)[np.arange(ours.sum()), fitted_on.labels]
        one_each = np.random.default_rng(seed).permutation(int(ours.sum()))
        drawn = one_each[np.unique(owner[ours][one_each], return_index=True)[1]]
        mine = class_scores(after, sets.how)[own, truth]
        levels[level] = {
            "coverage": _of_patients(inside[own, truth], who),
            "as_read": _of_patients(read[own, truth], who),
            "inside": kept,
            "counted": counted,
            "size": read.sum(1).mean(),
            "mapie_size": theirs[:, :, place].sum(1).mean(),
            "mapie_coverage": _of_patients(theirs[own, truth, place], who),
            "differs": int((lac != theirs[:, :, place]).sum()),
            "by_picture": _of_patients(mine <= (threshold(first, level) or np.inf) + 1e-9, who),
            "one_each": _of_patients(mine <= (threshold(first[drawn], level) or np.inf) + 1e-9, who),
        }
    return {
        "how": fitted.calibration.how,
        "sets": sets.how + (" for each class" if len(sets.thresholds[0]) > 1 else ""),
        "nll": [float(nll(p, hot)) for p in (before, after)],
        "ece": [_ece(p, truth) for p in (before, after)],
        "levels": levels,
    }


def _exact(
    sets: Conformal, held: np.ndarray, truth: np.ndarray, who: np.ndarray, fitted: np.ndarray, ours: np.ndarray,
    level: float,
) -> tuple[int, int]:  # fmt: skip
    """How many counts of held patients lie in the exact 95 % interval of the beta-binomial, of how many counts."""
    groups = (
        [np.full(len(truth), True)] if len(sets.thresholds[0]) == 1 else [truth == k for k in np.unique(truth)]
    )
    fits = [np.full(len(fitted), True)] if len(groups) == 1 else [fitted == k for k in np.unique(truth)]
    kept = 0
    for group, fit in zip(groups, fits, strict=True):
        n, m = len(np.unique(ours[fit])), len(np.unique(who[group]))
        rank = int(np.ceil((n + 1) * level - 1e-9))
        low, high = stats.betabinom.ppf([0.025, 0.975], m, rank, n + 1 - rank) if rank <= n else (m, m)
        kept += low <= round(_of_patients(held[group], who[group]) * m) <= high
    return kept, len(groups)


def _of_patients(held: np.ndarray, who: np.ndarray) -> float:
    """Share of patients of whom all pictures are held."""
    present, inverse = np.unique(who, return_inverse=True)
    missed = np.bincount(inverse, weights=~held, minlength=len(present))
    return float((missed == 0).mean())


def _mapie(fitted: np.ndarray, truth: np.ndarray, new: np.ndarray) -> np.ndarray:
    """MAPIE's own lac sets (cases, classes, levels)."""
    from mapie.classification import SplitConformalClassifier
    from sklearn.base import BaseEstimator, ClassifierMixin

    class StandIn(ClassifierMixin, BaseEstimator):
        """A fitted classifier whose pictures are its answers."""

        classes_ = np.arange(fitted.shape[1])

        def fit(self, x: np.ndarray, y: np.ndarray) -> "StandIn":
            return self

        def predict(self, x: np.ndarray) -> np.ndarray:
            return x.argmax(1)

        def predict_proba(self, x: np.ndarray) -> np.ndarray:
            return x

        def __sklearn_is_fitted__(self) -> bool:
            return True

    other = SplitConformalClassifier(StandIn(), confidence_level=list(LEVELS), conformity_score="lac")
    other.conformalize(fitted, truth)
    sets: np.ndarray = other.predict_set(new)[1]
    return sets


def _some(answers: Answers, chosen: np.ndarray) -> Answers:
    places = np.flatnonzero(chosen)
    return replace(
        answers,
        ids=tuple(answers.ids[i] for i in places),
        patients=tuple(answers.patients[i] for i in places),
        probabilities=answers.chances[chosen],
        truth=answers.labels[chosen],
    )


def _ece(p: np.ndarray, truth: np.ndarray) -> float:
    return float(ece(p[:, 1], truth) if p.shape[1] == 2 else ece(p.max(1), p.argmax(1) == truth))


def _before_after(numbers: np.ndarray) -> dict[str, Any]:
    changed = numbers[numbers[:, 0] != numbers[:, 1]]
    return {
        "before": round(float(numbers[:, 0].mean()), 5),
        "after": round(float(numbers[:, 1].mean()), 5),
        "changed": len(changed),
        "better": int((changed[:, 1] < changed[:, 0]).sum()),
        "worse": int((changed[:, 1] > changed[:, 0]).sum()),
    }


if __name__ == "__main__":
    main()

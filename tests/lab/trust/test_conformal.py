"""Promised sets: as others compute them, and true as often as promised."""

import numpy as np
import pytest
from scipy import stats

from osler.inference.conformal import answer_set, class_scores, label_sets, number_interval, within
from osler.inference.temper import temper
from osler.lab.evaluate.answers import Answers
from osler.lab.trust.calibration import fit_calibration
from osler.lab.trust.conformal import (
    LEVELS,
    fit_sets,
    fit_threshold_rows,
    likely_coverage,
    threshold,
    worst,
)
from osler.models.trust import Conformal


def drawn(cases, classes=3, seed=0, sharp=0.7):
    random = np.random.default_rng(seed)
    p = random.dirichlet([sharp] * classes, cases)
    truth = (random.random(cases)[:, None] > p.cumsum(1)).sum(1).clip(max=classes - 1)
    return p, truth


def answers(p, truth, task, patients=None):
    ids = tuple(map(str, range(len(p))))
    named = tuple(f"c{k}" for k in range(p.shape[1])) if p.ndim == 2 else ()
    more = {"probabilities": p} if p.ndim == 2 else {"values": p}
    return Answers(task, named, ids, tuple(patients or ids), truth=truth, **more)


class Prefit:
    """A stand-in for a fitted classifier: its pictures are its answers."""

    def __init__(self, classes):
        self.classes_ = np.arange(classes)

    def fit(self, x, y):
        return self

    def predict_proba(self, x):
        return x

    def predict(self, x):
        return x.argmax(1)

    def __sklearn_is_fitted__(self):
        return True


class Still(np.random.RandomState):
    """MAPIE draws a number from 0 to 1 for aps; ours is deterministic, which is theirs at 0."""

    def uniform(self, low=0.0, high=1.0, size=None):
        return np.zeros(size)


@pytest.mark.parametrize("how", ["lac", "aps"])
def test_sets_are_those_of_mapie(how):
    from mapie.classification import SplitConformalClassifier
    from sklearn.base import BaseEstimator, ClassifierMixin

    stand_in = type("Stand", (Prefit, ClassifierMixin, BaseEstimator), {})(4)
    p, truth = drawn(700, 4)
    fitted, new = p[:300], p[300:]
    other = SplitConformalClassifier(
        stand_in, confidence_level=list(LEVELS), conformity_score=how, random_state=Still(0)
    )
    other.conformalize(fitted, truth[:300])
    more = {"conformity_score_params": {"include_last_label": False}} if how == "aps" else {}
    theirs = other.predict_set(new, **more)[1]  # (cases, classes, levels)
    rows = fit_threshold_rows(class_scores(fitted, how), truth[:300], np.arange(300), each=False)
    ours = Conformal(how, LEVELS, tuple(map(tuple, rows)))
    for place, level in enumerate(LEVELS):
        inside = within(class_scores(new, how), ours, level)
        if how == "aps":  # MAPIE names the likeliest class in any case
            inside[np.arange(len(new)), new.argmax(1)] = True
        assert (inside == theirs[:, :, place]).all()


def test_penalties_are_those_of_mapie():
    from mapie.conformity_scores import RAPSConformityScore

    p, truth = drawn(200, 6)
    cutoff = (np.argsort(-p, axis=1) == truth[:, None]).argmax(1)
    plain = class_scores(p, "aps")[np.arange(200), truth]
    theirs = RAPSConformityScore._regularize_conformity_score(np.array([2]), 0.1, plain[:, None], cutoff)
    ours = class_scores(p, "raps", penalty=0.1, rank=3)[np.arange(200), truth]
    assert np.allclose(np.ravel(theirs), ours), "their ranks begin at 0"


@pytest.mark.parametrize(("n", "level"), [(19, 0.95), (20, 0.9), (9, 0.9), (99, 0.95), (37, 0.8)])
def test_the_rank_is_exact_and_no_number_is_lost_to_rounding(n, level):
    from fractions import Fraction
    from math import ceil

    rank = ceil((n + 1) * Fraction(str(level)))
    assert threshold(np.arange(1.0, n + 1), level) == rank
    low, high = likely_coverage(n, level)
    draws = np.sort(np.random.default_rng(0).random((4000, n)), axis=1)[:, rank - 1]  # coverage is that quantile
    assert (low, high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])), abs=0.015)


def test_too_few_promise_nothing():
    assert threshold(np.arange(8.0), 0.9) is None and np.isnan(likely_coverage(8, 0.9)[0])
    assert fit_sets(answers(*drawn(8), "multiclass"), drawn(8)[0]) is None


@pytest.mark.parametrize("task", ["binary", "multiclass", "ordinal"])
def test_sets_hold_the_truth_as_often_as_promised(task):
    """Over reshuffled halves the mean coverage is what was promised, to within chance: calibration included."""
    classes = 2 if task == "binary" else 4
    held = {level: [] for level in LEVELS}
    for seed in range(30):
        p, truth = drawn(260, classes, seed=seed, sharp=3.0)
        said = temper(p, 0.6)
        fitted = fit_calibration(answers(said[:130], truth[:130], task), seed=seed)
        sets = fit_sets(answers(said[:130], truth[:130], task), fitted.unseen, seed=seed)
        new = temper(said[130:], fitted.calibration.numbers[0][0]) if fitted.calibration.numbers else said[130:]
        for level in LEVELS:
            scores = class_scores(new, sets.how, penalty=sets.penalty, rank=sets.rank)
            inside = within(scores, sets, level)
            held[level].append(inside[np.arange(130), truth[130:]].mean())
    for level in LEVELS:
        error = np.sqrt(level * (1 - level) * (1 / 130 + 1 / 130) / 30)
        # A threshold for each class promises a little more than asked of each: up to 1 / (n of the class + 1).
        assert (
            level - 3.5 * error
            < np.mean(held[level])
            < level + 3.5 * error + (0.03 if task != "ordinal" else 0.01)
        )


def test_a_patient_counts_once_and_all_his_pictures_are_held():
    """Four pictures a patient, as wrong as the patient: counted as pictures the promise to patients is broken."""
    random = np.random.default_rng(0)
    together, alone = [], []
    for _ in range(40):
        hard = random.normal(0, 1, 120).repeat(4)
        score = hard + random.normal(0, 0.7, 480)
        owner = np.arange(120).repeat(4)
        fitted, new = owner < 60, owner >= 60
        by_patient = threshold(worst(score[fitted], owner[fitted]), 0.9)
        by_picture = threshold(score[fitted], 0.9)
        largest = worst(score[new], owner[new])
        together.append((largest <= by_patient).mean())
        alone.append((largest <= by_picture).mean())
    assert np.mean(together) == pytest.approx(0.9, abs=0.02) and np.mean(alone) < 0.85


def test_each_class_gets_its_threshold_where_it_has_patients():
    p, truth = drawn(400, 3)
    sets = fit_sets(answers(p, truth, "multiclass"), p)
    assert {len(row) for row in sets.thresholds} == {3} and "each class by itself" in sets.note
    rare = np.where(truth == 2, np.where(np.arange(400) < 30, 2, 0), truth)
    pooled = fit_sets(answers(p, rare, "multiclass"), p)
    assert {len(row) for row in pooled.thresholds} == {1}
    new, so = drawn(6000, 3, seed=9)
    inside = within(class_scores(new, sets.how, penalty=sets.penalty, rank=sets.rank), sets, 0.9)
    held = inside[np.arange(6000), so]
    for k in range(3):
        low, high = likely_coverage(int((truth == k).sum()), 0.9, sure=0.999)
        assert low - 0.03 < held[so == k].mean() < high + 0.03


def test_the_smallest_kind_of_set_is_chosen_and_why_is_said():
    p, truth = drawn(400, 5)
    sets = fit_sets(answers(p, truth, "multiclass"), p)
    assert sets.how == "lac" and "Smallest sets on held-out patients" in sets.note and "aps" in sets.note


def test_small_sets_are_said_to_be_small():
    p, truth = drawn(42, 3)
    sets = fit_sets(answers(p, truth, "ordinal"), p)
    low, high = stats.beta.ppf([0.025, 0.975], 39, 43 - 39)
    assert "42 patients: the promise of 90% holds on average" in sets.note
    assert f"between {low:.2f} and {high:.2f}" in sets.note and sets.patients == 42
    large = fit_sets(answers(*drawn(300, 3), "ordinal"), drawn(300, 3)[0])
    assert large.note == ""


def test_labels_and_numbers():
    random = np.random.default_rng(0)
    p = random.random((300, 2))
    truth = (random.random((300, 2)) < p).astype(int)
    sets = fit_sets(answers(p, truth, "multilabel"), p)
    assert {len(row) for row in sets.thresholds} == {4}
    new = random.random((3000, 2))
    so = random.random((3000, 2)) < new
    held = [
        [pair[int(t)] for pair, t in zip(label_sets(q, sets), row, strict=True)]
        for q, row in zip(new, so, strict=True)
    ]
    assert np.mean(held) == pytest.approx(0.9, abs=0.03)

    truth = random.normal(0, 1, 200)
    number = fit_sets(answers(truth + random.normal(0, 1, 200), truth, "regression"), None)
    low, high = number_interval(0.0, number)
    assert number.how == "distance" and high == -low == pytest.approx(1.645, abs=0.35)


def test_sets_at_the_reading_grow_with_the_promise():
    p, truth = drawn(300, 5)
    for task in ("multiclass", "ordinal"):
        sets = fit_sets(answers(p, truth, task), p)
        for row in p[:50]:
            small, middle, large = (set(answer_set(row, sets, level)) for level in LEVELS)
            assert small <= middle <= large

"""Calibration: what was put in is found, what does not help others is not taken, and every gap is said."""

import numpy as np
import pytest

from osler.inference.calibrated import calibrated
from osler.inference.temper import temper
from osler.lab.evaluate.answers import Answers
from osler.lab.evaluate.classification import ece, nll
from osler.lab.trust.calibration import (
    fit_beta,
    fit_calibration,
    fit_grade_beta,
    fit_grade_temperature,
    fit_isotonic,
    fit_temperature,
    fit_vector,
)
from osler.models.trust import Calibration


def said_and_so(temperature, cases=2000, classes=3, seed=0):
    """Truth drawn from a model's own probabilities, and what an over- or under-sure copy of it says."""
    random = np.random.default_rng(seed)
    honest = random.dirichlet([0.7] * classes, cases)
    truth = (random.random(cases)[:, None] > honest.cumsum(1)).sum(1).clip(max=classes - 1)
    return temper(honest, 1 / temperature), truth


def answers(p, truth, task=None, patients=None):
    task = task or ("binary" if p.shape[1] == 2 else "multiclass")
    ids = tuple(map(str, range(len(p))))
    classes = tuple(f"c{k}" for k in range(p.shape[1]))
    return Answers(task, classes, ids, tuple(patients or ids), probabilities=p, truth=truth)


@pytest.mark.parametrize("temperature", [0.5, 2.0, 3.0])
def test_the_temperature_that_was_put_in_is_found(temperature):
    said, truth = said_and_so(temperature)
    fitted = fit_calibration(answers(said, truth)).calibration
    assert fitted.how == "temperature" and fitted.numbers[0][0] == pytest.approx(temperature, rel=0.1)
    assert (fitted.cases, fitted.patients) == (2000, 2000)
    assert fitted.nll[1] < fitted.nll[0] and fitted.ece[1] < fitted.ece[0]
    assert "2000 patients" in fitted.note


def test_what_is_calibrated_is_left_alone():
    said, truth = said_and_so(1.0)
    fitted = fit_calibration(answers(said, truth)).calibration
    assert (fitted.how, fitted.numbers) == ("none", ()) and fitted.nll[0] == fitted.nll[1]


def test_the_figures_are_of_patients_nothing_was_fitted_on():
    """By hand: each fold's patients calibrated by a temperature of the others' alone."""
    said, truth = said_and_so(3.0, cases=150)
    fitted = fit_calibration(answers(said, truth), seed=4)
    fold = np.random.default_rng(4).permutation(150) % 5
    assert fitted.calibration.how == "temperature"
    # 150 is no sorted order of ids: patients are numbered by their names.
    fold = fold[np.unique([str(i) for i in range(150)], return_inverse=True)[1]]
    for one in range(5):
        out = fold == one
        expected = temper(said[out], fit_temperature(said[~out], truth[~out])[0])
        assert np.allclose(fitted.unseen[out], expected)
    assert fitted.calibration.nll[1] == pytest.approx(nll(fitted.unseen, np.eye(3)[truth]), abs=1e-5)
    right = fitted.unseen.argmax(1) == truth
    assert fitted.calibration.ece[1] == pytest.approx(ece(fitted.unseen.max(1), right), abs=1e-5)


def test_what_does_not_help_other_patients_is_not_taken():
    # Eleven patients; ten pictures of one of them are all wrong: a temperature would be fitted to that one alone.
    said = np.tile([0.4, 0.6], (20, 1))
    said[:, 1] += np.linspace(0, 0.01, 20)
    said[:, 0] = 1 - said[:, 1]
    truth = np.array([0] * 10 + [1] * 10)
    patients = ["odd"] * 10 + [str(i) for i in range(10)]
    assert fit_calibration(answers(said, truth, patients=patients)).calibration.how == "none"


def lopsided(cases, seed=0):
    """Two classes whose logits were pushed to one side: a temperature cannot mend that."""
    random = np.random.default_rng(seed)
    logit = random.normal(0, 2, cases)
    truth = (random.random(cases) < 1 / (1 + np.exp(-logit))).astype(int)
    said = 1 / (1 + np.exp(-(1.5 * logit + 1.5)))
    return np.stack([1 - said, said], axis=1), truth


def test_richer_kinds_come_with_the_patients_for_them():
    few, many = (fit_calibration(answers(*lopsided(n))).calibration.how for n in (150, 600))
    assert few in ("none", "temperature") and many == "beta"
    said, truth = said_and_so(1.0, cases=800)
    pushed = said * [1.0, 3.0, 0.5]
    pushed /= pushed.sum(1, keepdims=True)
    assert fit_calibration(answers(pushed, truth)).calibration.how == "vector"


def test_steps_that_only_isotonic_can_follow():
    random = np.random.default_rng(0)
    said = random.uniform(0.01, 0.99, 3600)
    so = np.where(said < 0.4, 0.45, np.where(said < 0.6, 0.05, 0.7))  # not rising: the best rising curve is wanted
    truth = (random.random(3600) < so).astype(int)
    fitted = fit_calibration(answers(np.stack([1 - said, said], 1), truth)).calibration
    assert fitted.how == "isotonic"
    few = fit_calibration(answers(np.stack([1 - said, said], 1)[:1200], truth[:1200])).calibration
    assert few.how != "isotonic", "a thousand patients of each side are needed"


def test_beta_is_the_logistic_regression_that_others_fit():
    from sklearn.linear_model import LogisticRegression

    said, truth = lopsided(5000)
    features = np.stack([np.log(said[:, 1]), -np.log1p(-said[:, 1])], axis=1)
    other = LogisticRegression(C=1e6, tol=1e-8).fit(features, truth)
    a, b, c = fit_beta(said, truth)
    assert (a, b, c) == pytest.approx((*other.coef_[0], other.intercept_[0]), abs=0.02)


def test_isotonic_is_that_of_others():
    from sklearn.isotonic import IsotonicRegression

    said, truth = lopsided(3000)
    other = IsotonicRegression(out_of_bounds="clip").fit(said[:, 1], truth).predict(said[:, 1])
    ours = calibrated(said, Calibration("isotonic", (fit_isotonic(said, truth),)), "binary")[:, 1]
    assert np.allclose(ours, np.clip(other, 1 / 3002, 1 - 1 / 3002), atol=1e-6)


@pytest.mark.parametrize("how", ["vector", "grades"])
def test_no_step_in_any_direction_lowers_the_loss(how):
    said, truth = said_and_so(1.7, cases=400, classes=4)
    fit, task = (fit_vector, "multiclass") if how == "vector" else (fit_grade_beta, "ordinal")
    kind = "vector" if how == "vector" else "beta"
    row = np.array(fit(said, truth))

    def loss(numbers):
        start = np.concatenate([np.ones(4), np.zeros(4)] if how == "vector" else [np.ones(2), np.zeros(3)])
        q = calibrated(said, Calibration(kind, (tuple(numbers),)), task)
        return float(nll(q, np.eye(4)[truth])) + ((numbers - start) ** 2).sum() / (2 * 4 * 400)

    random = np.random.default_rng(1)
    for _ in range(30):
        step = random.normal(0, 0.02, len(row))
        if how == "grades":
            step[2:] = step[2]  # thresholds together, so that they go on falling
        assert loss(row + step) >= loss(row) - 1e-6 - (2e-4 if how == "grades" else 0)


def test_grades_are_calibrated_in_their_order():
    """Grades made by thresholds on a logistic scale, their logits doubled: the temperature is 2."""
    random = np.random.default_rng(0)
    place = random.normal(0, 2, 1500)
    cuts = np.array([-2.0, 0.0, 2.0])
    honest = 1 / (1 + np.exp(-(place[:, None] - cuts)))
    truth = (random.random(1500)[:, None] < honest).sum(1)
    doubled = 1 / (1 + np.exp(-2 * (place[:, None] - cuts)))
    edges = np.concatenate([np.ones((1500, 1)), doubled, np.zeros((1500, 1))], 1)
    said = edges[:, :-1] - edges[:, 1:]
    assert fit_grade_temperature(said, truth)[0] == pytest.approx(2, rel=0.1)
    fitted = fit_calibration(answers(said, truth, task="ordinal")).calibration
    assert fitted.how == "temperature" and fitted.nll[1] < fitted.nll[0]


def test_each_label_has_its_own():
    random = np.random.default_rng(0)
    honest = random.random((800, 2))
    truth = (random.random((800, 2)) < honest).astype(int)
    said = np.stack([temper(honest[:, 0], 0.4), honest[:, 1]], axis=1)
    fitted = fit_calibration(answers(said, truth, task="multilabel")).calibration
    assert fitted.how == "temperature"
    assert fitted.numbers[0][0] == pytest.approx(2.5, rel=0.2) and fitted.numbers[1] == (1.0,)
    assert "c0: Temperature" in fitted.note and "c1: No calibration" in fitted.note
    # A lopsided label beside it needs beta; the temperature is then told in beta's numbers.
    pushed, also = lopsided(800)
    mixed = fit_calibration(
        answers(np.stack([said[:, 0], pushed[:, 1]], 1), np.stack([truth[:, 0], also], 1), task="multilabel")
    ).calibration
    assert mixed.how == "beta" and mixed.numbers[0][2] == pytest.approx(0, abs=0.3)


@pytest.mark.parametrize("task", ["binary", "multiclass", "ordinal", "multilabel"])
def test_eight_cases_are_too_few_and_that_is_said(task):
    p = np.tile([0.2, 0.8] if task == "binary" else [0.2, 0.3, 0.5], (8, 1))
    truth = np.zeros((8, 3), int) if task == "multilabel" else np.arange(8) % 2
    fitted = fit_calibration(answers(p, truth, task=task))
    assert fitted.calibration.how == "none" and "8 cases of 8 patients are too few" in fitted.calibration.note
    assert fitted.calibration.cases == 8 and np.array_equal(fitted.unseen, p)


def test_forty_pictures_of_two_patients_are_two_patients():
    said, truth = said_and_so(3.0, cases=40)
    fitted = fit_calibration(answers(said, truth, patients=["a", "b"] * 20)).calibration
    assert fitted.how == "none" and "2 patients are too few" in fitted.note


def test_a_missing_class_is_said():
    said, _ = said_and_so(2.0, cases=60, classes=2)
    only = fit_calibration(answers(said, np.ones(60, int))).calibration
    assert only.how == "none" and "no c0" in only.note
    said, truth = said_and_so(3.0, cases=400, classes=3)
    kept = truth != 2
    two = fit_calibration(answers(said[kept], truth[kept])).calibration
    assert "No c2 among them" in two.note and two.how in ("none", "temperature")


def test_a_model_that_says_one_thing_is_said_to():
    fitted = fit_calibration(answers(np.tile([0.3, 0.7], (100, 1)), np.arange(100) % 2)).calibration
    assert fitted.how == "none" and "the same of every case" in fitted.note

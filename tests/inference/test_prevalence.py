"""Another prevalence: Bayes' theorem, in both directions, and every wrong word said so."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from osler.core.errors import AskedWrongly
from osler.inference.conformal import answer_set
from osler.inference.prevalence import (
    as_learnt,
    asked_prevalence,
    at_prevalence,
    at_site,
    estimated_prevalence,
    predictive_values,
    prevalence_interval,
    shifted,
)
from osler.models.trust import Conformal, Trust

chances = some.floats(0.01, 0.99)
NAMES = ("normal", "pneumonia")


@given(chances, chances, chances)
def test_there_and_back_again(p, was, now):
    start = np.array([[1 - p, p]])
    there = shifted(start, (1 - was, was), (1 - now, now))
    assert np.allclose(shifted(there, (1 - now, now), (1 - was, was)), start)
    # By odds: the likelihood ratio stays, only the odds before the picture change.
    odds = p / (1 - p) / (was / (1 - was)) * (now / (1 - now))
    assert there[0, 1] == pytest.approx(odds / (1 + odds))


@given(chances, chances)
def test_labels_shift_each_by_itself(was, now):
    trust = Trust(prevalence=(was, 0.3), site=(now, 0.3))
    said = at_site(np.array([[0.4, 0.6]]), trust, "multilabel")[0]
    assert said[0] == pytest.approx(shifted(np.array([[0.6, 0.4]]), (1 - was, was), (1 - now, now))[0, 1])
    assert said[1] == pytest.approx(0.6)


def gaussian_answers(prevalence, cases, *, said=0.5, seed=0):
    """The exact answers of an ideal reader who believes in a prevalence of `said`."""
    random = np.random.default_rng(seed)
    truth = random.random(cases) < prevalence
    x = random.normal(truth * 2.0)
    there = 1 / (1 + (1 - said) / said * np.exp(2 - 2 * x))
    return np.stack([1 - there, there], axis=1), truth


def test_the_prevalence_of_unlabelled_cases_is_found_and_lies_in_its_interval():
    p, truth = gaussian_answers(0.1, 4000)
    found = estimated_prevalence(p, (0.5, 0.5))
    assert found.sum() == pytest.approx(1)
    assert found[1] == pytest.approx(0.1, abs=0.02)
    low, high = prevalence_interval(p, (0.5, 0.5), resamples=50)
    assert low[1] < truth.mean() < high[1]


def test_corrected_answers_are_calibrated_where_the_others_were_not():
    p, truth = gaussian_answers(0.05, 20000)
    corrected = shifted(p, (0.5, 0.5), (0.95, 0.05))
    assert p[:, 1].mean() > 0.15
    assert corrected[:, 1].mean() == pytest.approx(truth.mean(), abs=0.005)


def test_the_same_pictures_are_called_present_at_another_prevalence():
    p, _ = gaussian_answers(0.5, 500)
    trust = Trust(operating_point=0.3, prevalence=(0.5, 0.5))
    there = at_prevalence(trust, (0.98, 0.02), "binary")
    assert there.site == (0.98, 0.02)
    moved = at_site(p, there, "binary")
    assert np.array_equal(moved[:, 1] >= there.operating_point, p[:, 1] >= 0.3)


def test_only_promises_for_each_class_are_kept():
    for_all = Conformal("lac", (0.9,), ((0.4,),), patients=50)
    for_each = Conformal("lac", (0.9,), ((0.4, 0.6),), patients=50)
    trust = Trust(prevalence=(0.5, 0.5), sets=for_all)
    assert at_prevalence(trust, (0.9, 0.1), "binary").sets is None
    kept = at_prevalence(Trust(prevalence=(0.5, 0.5), sets=for_each), (0.9, 0.1), "binary")
    assert kept.sets is not None


def test_promises_for_each_class_are_scored_as_before_the_shift():
    """At another prevalence the same pictures must be in the same sets: scores are of the answers as learnt."""
    p, _ = gaussian_answers(0.5, 4000)
    trust = Trust(prevalence=(0.5, 0.5), sets=Conformal("lac", (0.9,), ((0.35, 0.7),), patients=50))
    there = at_prevalence(trust, (0.95, 0.05), "binary")
    assert there.sets is not None
    moved = at_site(p, there, "binary")
    for before, after in zip(p[:100], moved[:100], strict=True):
        called = int(before[1] >= trust.operating_point)
        learnt = as_learnt(after, there, "binary")
        assert answer_set(before, trust.sets, called=called) == answer_set(learnt, there.sets, called=called)


@given(chances, chances, chances)
def test_predictive_values_are_counted_on_a_thousand_people(sensitivity, specificity, prevalence):
    sick, well = 1000 * prevalence, 1000 * (1 - prevalence)
    positive, negative = predictive_values(sensitivity, specificity, prevalence)
    called = sick * sensitivity + well * (1 - specificity)
    assert positive == pytest.approx(sick * sensitivity / called)
    assert negative == pytest.approx(well * specificity / (1000 - called))


def test_nobody_called_has_no_predictive_value():
    assert np.isnan(predictive_values(0.0, 1.0, 0.1)[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.02", (0.98, 0.02)),
        ("2%", (0.98, 0.02)),
        ("Normal=0.9", (0.9, 0.1)),
        ("normal=0.9,pneumonia=.1", (0.9, 0.1)),
    ],
)
def test_what_may_be_asked(text, expected):
    asked = asked_prevalence(text, NAMES, "binary", finding=1, was=(0.3, 0.7))
    assert asked == pytest.approx(expected)


def test_classes_that_are_not_named_share_what_is_left():
    asked = asked_prevalence("a=0.4", ("a", "b", "c"), "multiclass", finding=None, was=(0.2, 0.2, 0.6))
    assert asked == pytest.approx((0.4, 0.15, 0.45))
    labels = asked_prevalence("b=0.4", ("a", "b"), "multilabel", finding=None, was=(0.2, 0.3))
    assert labels == (0.2, 0.4)


@pytest.mark.parametrize(
    "text", ["0", "1", "1.2", "-0.1", "nan", "much", "", "pneumonia", "flu=0.1", "normal=0.5,pneumonia=0.6",
             "normal=.5,normal=.5", "0.1,0.2", "pneumonia="],
)  # fmt: skip
def test_what_is_no_prevalence_is_asked_wrongly(text):
    with pytest.raises(AskedWrongly):
        asked_prevalence(text, NAMES, "binary", finding=1, was=(0.3, 0.7))


def test_a_bare_number_needs_a_finding_and_a_model_must_know_its_own():
    with pytest.raises(AskedWrongly, match="of which class"):
        asked_prevalence("0.1", ("bacterial", "viral"), "binary", finding=None, was=(0.3, 0.7))
    with pytest.raises(AskedWrongly, match="of which class"):
        asked_prevalence("0.1", ("0", "1", "2"), "ordinal", finding=None, was=(0.3, 0.5, 0.2))
    with pytest.raises(AskedWrongly, match="learnt at"):
        asked_prevalence("0.1", NAMES, "binary", finding=1, was=())
    with pytest.raises(AskedWrongly, match="answers with classes"):
        asked_prevalence("0.1", (), "regression", finding=None, was=())
    with pytest.raises(AskedWrongly, match="nothing for the classes"):
        asked_prevalence("a=0.5,b=0.5", ("a", "b", "c"), "multiclass", finding=None, was=(0.2, 0.2, 0.6))

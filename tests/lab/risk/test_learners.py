"""Each kind of learner: what it finds, and what its arrays must hold."""

import numpy as np
import pytest

from osler.core.errors import AskedWrongly, UnknownChoice
from osler.lab.risk import metrics
from osler.lab.risk.deep import at_risk, fit_deep, stretches
from osler.lab.risk.fit import check_kind, fit_parts
from osler.lab.risk.folds import deal
from osler.lab.risk.forest import grow_forest, log_rank
from osler.lab.risk.linear import Told, fit_linear
from osler.lab.risk.logistic import fit_logistic
from osler.models.risk.learner import interval


def cohort_rows(make, many=250, seed=0):
    cohort = make(many, seed)
    return cohort, fit_parts(cohort, "cox", seed=0, quick=True).design.rows(cohort.values, None)


def test_the_log_rank_statistic_by_hand():
    """Two groups of two: deaths at 1 (inside), 2 (inside), 3 (outside), 4 (outside)."""
    came = np.eye(4, dtype=np.float32)
    there = np.array([[t >= s for s in (1, 2, 3, 4)] for t in (1, 2, 3, 4)], np.float32)
    inside = np.array([[1, 1, 0, 0]], np.float32)
    expected = 2 / 4 + 1 / 3
    spread = (2 / 4) * (2 / 4) + (1 / 3) * (2 / 3)
    assert log_rank(inside, came, there)[0] == pytest.approx((2 - expected) ** 2 / spread, rel=1e-5)


def test_a_forest_of_one_leaf_is_kaplan_meier(make):
    from osler.models.risk.survival import kaplan_meier

    cohort, rows = cohort_rows(make, 30)
    forest, _ = grow_forest(rows[:, :0], cohort.time, cohort.event, seed=0, groups=1, each=1)
    half = np.random.default_rng(0).permutation(30)[:15]
    curve = kaplan_meier(cohort.time[half], cohort.event[half])
    found = forest.risk(rows[:1, :0], forest.times)[0]
    assert found == pytest.approx([1 - curve.at(t) for t in forest.times], abs=1e-6)


@pytest.mark.parametrize("kind", ["cox", "forest", "deep"])
def test_every_kind_finds_who_has_the_event_first(make, kind):
    cohort, fresh = make(300, 0), make(300, 1)
    fitted = fit_parts(cohort, kind, seed=0, quick=True)
    rows = fitted.design.rows(fresh.values, None)
    days = np.array([0.0, 50.0, 100.0, 200.0, 400.0, 5000.0])
    risk = fitted.learners["facts"].risk(rows, days)
    assert metrics.harrell(fresh.time, fresh.event, risk[:, 3], np.ones((1, 300)))[0] > 0.65
    assert (np.diff(risk, axis=1) >= -1e-9).all() and (risk >= 0).all() and (risk <= 1).all()
    assert risk[:, 0] == pytest.approx(np.zeros(300))
    so = metrics.observed_over_expected(fresh.time, fresh.event, risk[:, 3], np.ones((1, 300)), at=200.0)[0]
    assert 0.8 < so < 1.25


@pytest.mark.parametrize("kind", ["cox", "forest", "deep"])
def test_intervals_hold_the_answer_and_have_some_width(make, kind):
    cohort = make(120)
    learner = fit_parts(cohort, kind, seed=0, quick=kind != "cox").learners["facts"]
    rows, days = np.random.default_rng(0).normal(size=(5, 3)), np.array([100.0, 200.0])
    value = learner.risk(rows, days)
    low, high = interval(value, learner.draws(rows, days), learner.shrink(rows, days))
    assert (low <= value).all() and (value <= high).all() and (high - low > 0.01).all()


def test_the_same_seed_gives_the_same_learner(make):
    cohort = make(80)
    for kind in ("cox", "forest", "deep"):
        one, other = (fit_parts(cohort, kind, seed=3, quick=True).learners["facts"] for _ in range(2))
        assert all(np.array_equal(a, other.arrays()[name]) for name, a in one.arrays().items())


def test_late_fusion_takes_what_the_picture_adds_and_leaves_noise(make):
    told, noise = make(300, 2, image=1.0), make(300, 3, image=1e-9)
    both = fit_parts(told, "cox", seed=0, quick=True)
    drawn = list(both.design.part("image"))
    sums = both.design.rows(told.values, told.features)[:, drawn] @ both.learners["both"].weights[drawn]
    assert np.corrcoef(sums, told.features[:, 0])[0, 1] > 0.9 and sums.std() > 0.5
    empty = fit_parts(noise, "cox", seed=0, quick=True)
    quiet = empty.design.rows(noise.values, noise.features)[:, drawn] @ empty.learners["both"].weights[drawn]
    assert quiet.std() < 0.2


def test_logistic_is_that_of_scikit_learn(make):
    from sklearn.linear_model import LogisticRegression

    cohort, rows = cohort_rows(make)
    fit = fit_logistic(rows, cohort.event, ridge=2.0)
    theirs = LogisticRegression(C=1 / 2.0, tol=1e-10, max_iter=1000).fit(rows, cohort.event)
    assert fit.weights == pytest.approx(theirs.coef_[0], abs=1e-5)
    assert fit.start == pytest.approx(theirs.intercept_[0], abs=1e-5)


def test_a_resample_without_events_is_drawn_again():
    rows, event = np.arange(8.0)[:, None], np.array([True, True, *[False] * 6])
    learner, _ = fit_linear(Told(rows, np.arange(1.0, 9.0), event, True), seed=0, draws=20)
    assert learner.drawn.shape == (20, 1) and np.isfinite(learner.drawn).all()


def test_stretches_of_time_and_who_survived_them():
    time, event = np.array([0.0, 3.0, 6.0, 9.0, 10.0]), np.array([True, False, True, False, True])
    ends = np.array([4.0, 8.0, 10.0])
    survived, came = at_risk(time, event, ends)
    assert came.tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1]]
    # 3 lies past the middle of the first stretch; 9 in the middle of the last
    assert survived.tolist() == [[0, 0, 0], [1, 0, 0], [1, 0, 0], [1, 1, 1], [1, 1, 0]]
    assert stretches(np.arange(100.0), np.ones(100, bool))[-1] == 99.0


def test_a_net_without_columns_that_matter_says_the_average(make):
    cohort = make(200)
    noise = np.random.default_rng(0).normal(size=(200, 2))
    net, _ = fit_deep(noise, cohort.time, cohort.event, seed=0, nets=8)
    assert net.risk(noise, np.array([200.0])).std() < 0.06


def test_kinds_must_fit_the_outcome(make):
    assert check_kind(make(20), "") == "cox" and check_kind(make(20, timed=False), "") == "logistic"
    with pytest.raises(AskedWrongly, match="does not learn times"):
        check_kind(make(20), "logistic")
    with pytest.raises(AskedWrongly, match="without times"):
        check_kind(make(20, timed=False), "forest")
    with pytest.raises(UnknownChoice, match="Did you mean 'forest'"):
        check_kind(make(20), "forrest")


def test_folds_share_patients_and_events_evenly():
    event = np.arange(23) < 7
    sides = deal(event, 5, seed=1)
    assert np.ptp(np.bincount(sides)) <= 1 and np.ptp(np.bincount(sides[event])) <= 1

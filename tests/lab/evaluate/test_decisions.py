import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.core.errors import AskedWrongly
from osler.lab.evaluate.answers import Answers
from osler.lab.evaluate.classification import choose_operating_point
from osler.lab.evaluate.decisions import Aim, choose_points, decision_curve, outcomes, try_points


def two(said, so):
    said = np.asarray(said, float)
    names = tuple(f"{n}" for n in range(len(said)))
    both = np.stack([1 - said, said], 1)
    return Answers("binary", ("no", "yes"), names, names, both, truth=np.array(so))


def test_net_benefit_by_hand():
    """Vickers and Elkin: TP/n - FP/n t/(1-t)."""
    (curve,) = decision_curve(two([0.9, 0.6, 0.4, 0.3, 0.1], [1, 0, 1, 0, 0]))
    at = {round(float(t), 2): place for place, t in enumerate(curve.thresholds)}
    assert curve.model[at[0.5]] == pytest.approx(1 / 5 - 1 / 5)
    assert curve.model[at[0.2]] == pytest.approx(2 / 5 - 2 / 5 * 0.25)
    assert curve.model[at[0.95]] == 0
    assert curve.model[at[0.3]] == pytest.approx(2 / 5 - 2 / 5 * 3 / 7), "at the threshold counts as called"
    assert curve.treat_all[at[0.25]] == pytest.approx(0.4 - 0.6 / 3)
    assert curve.standardized == pytest.approx(curve.model / 0.4)
    assert curve.model[0] <= curve.prevalence


def test_curves_for_every_task(made_up):
    assert [len(decision_curve(made_up(task))) for task in ("binary", "multilabel", "multiclass")] == [1, 3, 3]
    grades = decision_curve(made_up("ordinal"))
    assert [one.label for one in grades] == ["at least mild", "at least moderate", "at least severe"]
    assert grades[0].prevalence >= grades[1].prevalence >= grades[2].prevalence
    assert decision_curve(made_up("regression")) == decision_curve(made_up("segmentation")) == ()
    json.dumps([one.to_json() for one in grades], allow_nan=False)


def test_the_band_holds_the_curve_and_a_perfect_model_is_better_nearly_everywhere(made_up):
    (curve,) = decision_curve(made_up("binary", cases=200))
    inside = (curve.low <= curve.model + 1e-9) & (curve.model <= curve.high + 1e-9)
    assert inside.mean() > 0.95
    (perfect,) = decision_curve(two([0.995] * 20 + [0.005] * 20, [1] * 20 + [0] * 20))
    assert perfect.better == (0.01, 0.99)


@pytest.mark.parametrize("so", [[0, 0, 0], [1, 1, 1]])
def test_one_class_or_constant_probabilities_crash_nothing(so):
    curves = decision_curve(two([0.5] * 3, so))
    tried = try_points(two([0.5] * 3, so), (0.5,), aim="a", chosen_on="b", prevalence=0.1)
    json.dumps([one.to_json() for one in (*curves, *tried)], allow_nan=False)
    assert tried[0].positives == sum(so)


@given(st.lists(st.tuples(st.integers(0, 10), st.booleans()), min_size=4, max_size=40), st.floats(0.05, 0.95))
def test_points_reach_their_aim_where_they_were_chosen(rows, aim):
    said, so = np.array([row[0] / 10 for row in rows]), np.array([row[1] for row in rows])
    if so.all() or not so.any():
        return
    found = said >= choose_operating_point(said, so, sensitivity=aim)
    assert found[so].mean() >= aim - 1e-9
    spared = said < choose_operating_point(said, so, specificity=aim)
    assert spared[~so].mean() >= aim - 1e-9


@given(
    st.lists(st.tuples(st.integers(0, 10), st.booleans()), min_size=4, max_size=30),
    st.floats(0.1, 20),
    st.one_of(st.none(), st.floats(0.01, 0.99)),
)
def test_the_cheapest_point_by_brute_force(rows, cost, prevalence):
    said, so = np.array([row[0] / 10 for row in rows]), np.array([row[1] for row in rows])
    if so.all() or not so.any():
        return
    share = so.mean() if prevalence is None else prevalence

    def price(point):
        called = said >= point
        return share * cost * (1 - called[so].mean()) + (1 - share) * called[~so].mean()

    chosen = choose_operating_point(said, so, cost=cost, prevalence=prevalence)
    assert price(chosen) == pytest.approx(min(price(point) for point in np.arange(-0.05, 1.2, 0.1)))


def test_rules_that_make_no_sense_are_refused():
    said, so = [0.1, 0.9], [0, 1]
    for rule in (
        {"sensitivity": 0.9, "cost": 5.0},
        {"sensitivity": 1.5},
        {"specificity": 0.0},
        {"cost": -1.0},
        {"cost": 2.0, "prevalence": 1.0},
    ):
        with pytest.raises(AskedWrongly):
            choose_operating_point(np.array(said), np.array(so), **rule)
    with pytest.raises(AskedWrongly, match="no share"):
        try_points(two(said, so), (0.5,), aim="", chosen_on="", prevalence=1.2)


def test_predictive_values_and_likelihood_ratios_by_hand():
    so = [1] * 10 + [0] * 20
    said = [0.9] * 8 + [0.1] * 2 + [0.9] * 5 + [0.1] * 15
    (tried,) = try_points(two(said, so), (0.5,), aim="x", chosen_on="y", prevalence=0.02)
    value = {name: one.value for name, one in tried.metrics.items()}
    assert value["sensitivity"] == pytest.approx(0.8) and value["specificity"] == pytest.approx(0.75)
    assert value["ppv"] == pytest.approx(8 / 13) and value["npv"] == pytest.approx(15 / 17)
    assert value["lr_plus"] == pytest.approx(0.8 / 0.25) and value["lr_minus"] == pytest.approx(0.2 / 0.75)
    assert tried.there["ppv"].value == pytest.approx(0.8 * 0.02 / (0.8 * 0.02 + 0.25 * 0.98))
    assert tried.there["npv"].value == pytest.approx(0.75 * 0.98 / (0.75 * 0.98 + 0.2 * 0.02))
    assert tried.there["ppv"].low < tried.there["ppv"].value < tried.there["ppv"].high
    (same,) = try_points(two(said, so), (0.5,), aim="x", chosen_on="y", prevalence=1 / 3)
    assert same.there["ppv"].value == pytest.approx(value["ppv"]), "at its own prevalence Bayes says the same"


def test_a_point_for_each_label(made_up):
    them = made_up("multilabel", cases=120)
    points = choose_points(them, Aim(sensitivity=0.9))
    tried = try_points(them, points, aim="", chosen_on="")
    assert len(points) == len(tried) == 3 and all(one.metrics["sensitivity"].value >= 0.9 for one in tried)
    assert len(outcomes(them)) == 3
    with pytest.raises(AskedWrongly, match="no operating point"):
        choose_points(made_up("ordinal"), Aim(cost=2.0))

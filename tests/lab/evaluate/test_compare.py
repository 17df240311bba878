import numpy as np
import pytest
from scipy import stats

from osler.core.errors import AskedWrongly
from osler.lab.evaluate.answers import TASKS, Answers
from osler.lab.evaluate.compare import compare


def shuffled(them, order):
    def pick(rows):
        return None if rows is None else rows[order]

    return Answers(
        them.task,
        them.classes,
        tuple(them.ids[i] for i in order),
        tuple(them.patients[i] for i in order),
        pick(them.probabilities),
        pick(them.values),
        pick(them.truth),
        tuple(them.masks[i] for i in order) if them.masks else (),
    )


@pytest.mark.parametrize("task", TASKS)
def test_a_model_does_not_differ_from_itself_whatever_the_order_of_the_cases(task, made_up):
    them = made_up(task, cases=40)
    order = np.random.default_rng(0).permutation(40)
    found = compare(them, shuffled(them, order), resamples=200)
    for one in found.metrics.values():
        assert (one.value, one.low, one.high) == pytest.approx((0, 0, 0), abs=1e-9)
        assert one.p > 0.5
    assert found.to_json()["n"] == {"patients": 40, "cases": 40}


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "ordinal", "regression"])
def test_a_clearly_better_model_is_told_from_a_worse_one(task, made_up):
    found = compare(
        made_up(task, cases=150, skill=4.0), made_up(task, cases=150, skill=0.5, seed=1), resamples=500
    )
    name = "auc" if "auc" in found.metrics else "r2"
    assert found.metrics[name].low > 0 and found.metrics[name].p < 0.05


def test_the_p_value_of_a_mean_is_about_that_of_the_paired_t_test(made_up):
    first, second = (made_up("regression", cases=200, skill=2.0 + 0.1 * seed, seed=seed) for seed in (0, 1))
    errors = [np.abs(them.values - them.truth) for them in (first, second)]
    found = compare(first, second).metrics["mae"]
    expected = stats.ttest_rel(*errors)
    assert found.p == pytest.approx(expected.pvalue, abs=0.05)
    assert found.value == pytest.approx(errors[0].mean() - errors[1].mean())


def test_equal_models_rarely_seem_to_differ():
    alarms, (ids, patients) = 0, ([str(i) for i in range(80)],) * 2
    for seed in range(150):
        random = np.random.default_rng(seed)
        truth = random.normal(0, 1, 80)
        pair = [
            Answers(
                "regression", (), tuple(ids), tuple(patients), values=truth + random.normal(0, 1, 80), truth=truth
            )
            for _ in range(2)
        ]
        alarms += compare(*pair, resamples=300, seed=seed).metrics["mae"].p < 0.05
    assert alarms / 150 < 0.12


def test_other_questions_cannot_be_compared(made_up):
    them = made_up("binary", cases=20)
    others = [made_up("binary", cases=21), made_up("multiclass", cases=20), made_up("binary", cases=20, each=2)]
    turned = Answers(them.task, them.classes, them.ids, them.patients, them.probabilities, truth=1 - them.truth)
    for other in (*others, turned):
        with pytest.raises(AskedWrongly):
            compare(them, other)


def test_one_patient_has_a_difference_but_no_p(made_up):
    pair = [made_up("binary", cases=20, each=20, seed=seed) for seed in (0, 1)]
    one = compare(*pair).metrics["auc"].to_json()
    assert one["value"] is not None and one["p"] is None and one["low"] is None

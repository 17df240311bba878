import json

import numpy as np
import pytest
from sklearn import metrics as sk

from osler.core.errors import AskedWrongly, BadDataset
from osler.lab.evaluate.answers import TASKS, Answers
from osler.lab.evaluate.evaluate import score, worst_first
from osler.lab.evaluate.measures import ABOUT

NAMES = {
    "binary": {"auc", "accuracy", "sensitivity", "specificity", "pr_auc", "brier", "ece", "nll"},
    "multilabel": {"auc", "accuracy", "sensitivity", "specificity", "pr_auc", "brier", "ece", "nll"},
    "multiclass": {"auc", "accuracy", "brier", "ece"},
    "ordinal": {"qwk", "mae", "within_one", "rps", "auc", "accuracy", "brier", "ece"},
    "regression": {"mae", "rmse", "r2", "pearson"},
    "segmentation": {"dice", "hd95_mm", "nsd", "volume_error_ml", "volume_bias_ml", "lesion_sensitivity"},
}


@pytest.mark.parametrize("task", TASKS)
def test_every_task_says_its_metrics_with_intervals_as_json(task, made_up):
    said = json.loads(json.dumps(score(made_up(task, each=2), split="test").to_json(), allow_nan=False))
    assert list(said)[:5] == ["task", "split", "n", "metrics", "per_class"]
    assert (said["task"], said["split"], said["n"]) == (task, "test", {"patients": 30, "cases": 60})
    assert NAMES[task] <= set(said["metrics"]) <= set(ABOUT)
    every = [*said["metrics"].values(), *(one for rows in said["per_class"].values() for one in rows.values())]
    for one in every:
        assert one["low"] <= one["value"] <= one["high"]
    assert set(said["per_class"]) == set(said.get("class_cases", {}))


@pytest.mark.parametrize("task", TASKS)
def test_the_same_seed_says_the_same(task, made_up):
    first, again = (score(made_up(task), split="test", seed=5).to_json() for _ in range(2))
    assert first == again


def test_auc_and_accuracy_follow_the_medmnist_protocol(made_up):
    for task in ("binary", "multiclass", "multilabel", "ordinal"):
        them = made_up(task, cases=100, skill=1.0)
        truth, said, found = them.truth, them.probabilities, score(them, split="test").metrics
        if task == "binary":
            auc, accuracy = sk.roc_auc_score(truth, said[:, 1]), sk.accuracy_score(truth, said[:, 1] > 0.5)
        elif task == "multilabel":
            auc = np.mean([sk.roc_auc_score(truth[:, k], said[:, k]) for k in range(3)])
            accuracy = np.mean([sk.accuracy_score(truth[:, k], said[:, k] > 0.5) for k in range(3)])
        else:
            auc = np.mean([sk.roc_auc_score(truth == k, said[:, k]) for k in range(said.shape[1])])
            accuracy = sk.accuracy_score(truth, said.argmax(1))
        assert found["auc"].value == pytest.approx(auc)
        assert found["accuracy"].value == pytest.approx(accuracy)


def test_the_operating_point_moves_what_it_should_and_nothing_else(made_up):
    them = made_up("binary", skill=1.0)
    middle, lenient = (score(them, split="test", operating_point=one) for one in (None, 0.2))
    assert lenient.metrics["sensitivity"].value > middle.metrics["sensitivity"].value
    assert lenient.metrics["specificity"].value < middle.metrics["specificity"].value
    assert lenient.metrics["accuracy"] == middle.metrics["accuracy"]
    assert lenient.to_json()["operating_point"] == [0.2]
    (spared, _), (missed, found) = lenient.confusion.tolist()
    assert found / (found + missed) == lenient.metrics["sensitivity"].value
    assert spared / lenient.class_cases["normal"] == pytest.approx(lenient.metrics["specificity"].value)
    assert score(made_up("multilabel"), split="test", operating_point=(0.1, 0.2, 0.3)).operating_point == (
        0.1,
        0.2,
        0.3,
    )


@pytest.mark.parametrize(("task", "point"), [("multiclass", 0.5), ("binary", (0.1, 0.2)), ("binary", 1.5)])
def test_an_operating_point_that_does_not_fit_is_refused(task, point, made_up):
    with pytest.raises(AskedWrongly):
        score(made_up(task), split="test", operating_point=point)


def test_a_class_that_nobody_has_is_left_out_and_said(made_up):
    them = made_up("multiclass")
    truth = np.where(them.truth == 2, 0, them.truth)
    found = score(
        Answers("multiclass", them.classes, them.ids, them.patients, them.probabilities, truth=truth), split="test"
    )
    pair = [found.per_class[name]["auc"].value for name in ("a", "b")]
    assert found.metrics["auc"].value == pytest.approx(np.mean(pair))
    assert found.per_class["c"]["auc"].to_json()["value"] is None
    assert any("No case has 'c'" in note for note in found.notes)


def test_one_class_only_has_no_auc_but_an_accuracy():
    them = Answers(
        "binary", ("no", "yes"), ("1", "2", "3"), ("a", "b", "c"), np.full((3, 2), 0.5), truth=np.zeros(3)
    )
    found = score(them, split="test").metrics
    assert np.isnan(found["auc"].value) and found["accuracy"].value == 1


def test_segmentation_means_are_over_labels_and_leave_out_what_has_no_value():
    def one(dice, hd95, drawn, truth):
        fields = {"dice": dice, "hd95_mm": hd95, "nsd": dice, "volume_ml": drawn, "reference_ml": truth}
        return fields | {"lesions": float(truth > 0), "lesions_found": float(dice > 0), "false_lesions": 0.0}

    nan = float("nan")
    masks = (
        {"big": one(0.9, 2.0, 11, 10), "small": one(0.5, 4.0, 1, 2)},
        {"big": one(0.7, 4.0, 8, 10), "small": one(nan, nan, 0, 0)},
        {"big": one(0.8, 3.0, 10, 10), "small": one(0.0, nan, 0, 3)},
    )
    found = score(
        Answers("segmentation", ("big", "small"), ("1", "2", "3"), ("a", "b", "c"), masks=masks), split="test"
    )
    assert found.per_class["small"]["dice"].value == pytest.approx(0.25)
    assert found.metrics["dice"].value == pytest.approx((0.8 + 0.25) / 2)
    assert found.metrics["hd95_mm"].value == pytest.approx((3 + 4) / 2)
    assert found.metrics["volume_error_ml"].value == pytest.approx((1 + 4 / 3) / 2)
    assert found.metrics["volume_bias_ml"].value == pytest.approx((-1 / 3 - 4 / 3) / 2)
    assert found.metrics["lesion_sensitivity"].value == pytest.approx((1 + 0.5) / 2)
    assert any("In 1 case 'small' is in neither mask" in note for note in found.notes)
    assert any("'small' was missed wholly in 1" in note for note in found.notes)


def test_a_label_that_no_case_has_does_not_take_the_mean_along(made_up):
    them = made_up("segmentation", cases=4)
    absent = {"dice": np.nan, "hd95_mm": np.nan, "nsd": np.nan, "volume_ml": 0.0, "reference_ml": 0.0}
    absent |= {"lesions": 0.0, "lesions_found": 0.0, "false_lesions": 0.0}
    masks = tuple({**case, "rim": absent} for case in them.masks)
    found = score(Answers("segmentation", them.classes, them.ids, them.patients, masks=masks), split="test")
    assert found.metrics["dice"].value == found.per_class["core"]["dice"].value


def test_the_grade_that_is_scored_has_the_least_expected_distance():
    said = np.random.default_rng(0).dirichlet(np.full(5, 0.5), 60)
    named = np.array([int(np.argmin(np.abs(np.arange(5)[:, None] - np.arange(5)) @ row)) for row in said])
    ids = tuple(map(str, range(60)))
    scored = score(Answers("ordinal", tuple("01234"), ids, ids, said, truth=named), split="test")
    assert scored.metrics["mae"].value == 0 and scored.metrics["qwk"].value == 1


@pytest.mark.parametrize("task", TASKS)
def test_the_worst_case_comes_first(task, made_up):
    them = made_up(task, cases=30)
    order = worst_first(them)
    assert sorted(order) == list(range(30))
    if task == "binary":
        given = them.probabilities[np.arange(30), them.truth]
        assert list(given[list(order)]) == sorted(given)
    if task == "regression":
        assert order[0] == np.abs(them.values - them.truth).argmax()


def test_few_patients_and_one_patient_are_said(made_up):
    assert any("10 patients only" in note for note in score(made_up("binary", cases=10), split="test").notes)
    alone = score(made_up("binary", cases=20, each=20), split="test")
    assert any("one patient only" in note for note in alone.notes)
    assert alone.metrics["auc"].to_json()["low"] is None


def test_answers_that_do_not_add_up_are_refused(made_up):
    good = made_up("binary", cases=5)
    for broken in (
        {"probabilities": good.probabilities[:4]},
        {"probabilities": np.full((5, 2), np.nan)},
        {"truth": np.array([0, 1, 2, 0, 1])},
        {"truth": None},
        {"patients": good.patients[:3]},
        {"ids": ()},
    ):
        fields = {
            "ids": good.ids,
            "patients": good.patients,
            "probabilities": good.probabilities,
            "truth": good.truth,
        }
        with pytest.raises(BadDataset):
            Answers("binary", good.classes, **(fields | broken))
    with pytest.raises(AskedWrongly):
        Answers("detection", (), ("1",), ("1",))

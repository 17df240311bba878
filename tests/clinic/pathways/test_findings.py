"""Answers of every task, in words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from osler.clinic.pathways.by_card import by_card
from osler.clinic.pathways.findings import ANSWERS, Speaker, findings_of, positive_class
from osler.core.codes import Code
from osler.core.errors import BadModel
from osler.core.mask import Mask
from osler.core.prediction import Prediction
from osler.models.card import ModelCard, Sees
from osler.models.tasks.table import TASKS
from osler.models.trust import Trust


def say(task: str, classes: tuple[str, ...], point: float = 0.5, **answer: object):
    card = ModelCard(
        "m", "1", "A title", task, classes, Sees("anything", 2), codes={"mass": Code("1", "99T", "Mass")}
    )
    prediction = Prediction(task, classes, **answer)  # type: ignore[arg-type]
    return findings_of(prediction, Speaker(by_card(card), card, Trust(operating_point=point)), picture=3)


def test_every_task_can_be_reported():
    assert set(ANSWERS) == set(TASKS)


@pytest.mark.parametrize(
    ("classes", "index"),
    [
        (("NORMAL", "PNEUMONIA"), 1),
        (("no_finding", "mass"), 1),
        (("0", "1"), 1),
        (("malignant", "normal, benign"), 0),
        (("abnormal", "control"), 0),
        (("bacterial", "viral"), None),
    ],
)
def test_which_class_is_the_finding(classes, index):
    assert positive_class(classes) == index


@given(some.floats(0, 1), some.floats(0.05, 0.95))
def test_a_binary_finding_and_its_mirror_agree(chance, point):
    chance = float(np.float32(chance))
    there = say("binary", ("normal", "mass"), point, probabilities=np.array([1 - chance, chance]))[0]
    assert there.present == (chance >= point) and there.probability == pytest.approx(chance)
    # The same net with its classes called the other way round: class 1 now says that nothing is there.
    mirrored = say("binary", ("mass", "normal"), 1 - point, probabilities=np.array([chance, 1 - chance]))[0]
    if abs(chance - point) > 1e-6:
        assert mirrored.present == there.present
    assert mirrored.probability == pytest.approx(there.probability)
    assert mirrored.code == there.code == Code("1", "99T", "Mass")


def test_two_classes_without_a_normal_one_are_told_apart():
    [finding] = say("binary", ("bacterial", "viral"), probabilities=np.array([0.3, 0.7]))
    assert finding.present is None and finding.statement == "A title: most probably Viral, probability 0.70."


def test_several_classes():
    [finding] = say("multiclass", ("a", "b", "c"), probabilities=np.array([0.2, 0.7, 0.1]))
    assert finding.probability == pytest.approx(0.7) and finding.picture == 3
    assert finding.distribution == (("A", 0.2), ("B", 0.7), ("C", 0.1))


def test_several_labels_are_several_findings():
    found = say("multilabel", ("mass", "nodule"), probabilities=np.array([0.9, 0.2]))
    assert [finding.present for finding in found] == [True, False]
    assert found[1].statement == "Nodule: probability 0.20 (not present at the operating point 0.50)."


def test_a_grade_is_the_median_of_its_distribution():
    [finding] = say("ordinal", ("0", "1", "2"), probabilities=np.array([0.4, 0.25, 0.35]), value=0.94)
    assert finding.grade == "1"  # the most probable grade is 0, the one with the least expected distance 1
    assert finding.statement == "A title: 1; expected grade 0.9 on a scale of 0 to 2."


def test_a_number():
    [finding] = say("regression", ("age",), value=41.27)
    assert finding.statement == "Age: 41.27." and finding.measurements[0].quantity.value == 41.27


def test_a_flat_outline_without_spacing_is_given_in_pixels():
    array = np.zeros((10, 12), np.uint8)
    array[2:5, 3:7] = 1
    mask = Mask(array, {1: "optic_disc", 2: "optic_cup"})
    disc, cup = say("segmentation", ("optic_disc", "optic_cup"), mask=mask, mask_probability=np.array([0.8, 0.0]))
    assert disc.name == "Optic disc" and "area 12 pixels" in disc.statement
    assert cup.present is False


@pytest.mark.parametrize(
    ("task", "answer"),
    [
        ("binary", {"probabilities": np.array([np.nan, np.nan])}),
        ("multiclass", {"probabilities": np.array([1.0])}),
        ("ordinal", {}),
        ("regression", {"value": float("nan")}),
        ("segmentation", {}),
    ],
)
def test_an_answer_that_is_none_is_the_models_fault(task, answer):
    with pytest.raises(BadModel, match="no usable answer"):
        say(task, ("0", "1"), **answer)

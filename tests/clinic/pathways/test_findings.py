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
from osler.models.trust import Conformal, Trust


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


def promised(task: str, classes: tuple[str, ...], sets: Conformal, point: float = 0.5, **answer: object):
    card = ModelCard("m", "1", "A title", task, classes, Sees("anything", 2))
    trust = Trust(operating_point=point, sets=sets)
    return findings_of(Prediction(task, classes, **answer), Speaker(by_card(card), card, trust), picture=0)  # type: ignore[arg-type]


def test_a_binary_answer_that_excludes_nothing_is_unsure():
    sets = Conformal("lac", (0.8, 0.9), ((0.1, 0.1), (0.6, 0.9)))
    [unsure] = promised("binary", ("normal", "mass"), sets, probabilities=np.array([0.55, 0.45]))
    assert unsure.among == ("Normal", "Mass") and unsure.coverage == 0.9
    assert unsure.statement.endswith("Unsure: with 90% confidence none of these can be excluded: Normal, Mass.")
    [sure] = promised("binary", ("normal", "mass"), sets, probabilities=np.array([0.05, 0.95]))
    assert sure.among == ("Mass",) and sure.statement.endswith(
        "Only this cannot be excluded with 90% confidence: Mass."
    )


def test_what_is_called_is_never_excluded():
    sets = Conformal("lac", (0.9,), ((0.1, 0.1),))
    [found] = promised("binary", ("normal", "mass"), sets, point=0.97, probabilities=np.array([0.05, 0.95]))
    assert found.present is False and found.among == ("Normal", "Mass")


def test_several_classes_that_cannot_be_excluded():
    sets = Conformal("lac", (0.9,), ((0.85,),))
    [found] = promised("multiclass", ("a", "b", "c"), sets, probabilities=np.array([0.2, 0.7, 0.1]))
    assert found.among == ("A", "B") and found.coverage == 0.9


def test_labels_are_promised_each_by_itself():
    sets = Conformal("labels", (0.9,), ((0.3, 0.3),))
    clear, unsure = promised("multilabel", ("mass", "cyst"), sets, probabilities=np.array([0.9, 0.28]))
    assert clear.among == ("present",) and unsure.among == ("not present",)
    wide = Conformal("labels", (0.9,), ((0.95, 0.95),))
    assert promised("multilabel", ("mass", "cyst"), wide, probabilities=np.array([0.9, 0.2]))[1].among == (
        "not present",
        "present",
    )


def test_a_grade_is_told_with_its_interval():
    sets = Conformal("grades", (0.9,), ((0.8,),))
    shares = {"probabilities": np.array([0.05, 0.25, 0.45, 0.25]), "value": 1.9}
    [found] = promised("ordinal", ("0", "1", "2", "3"), sets, **shares)
    assert found.statement == "A title: 2 (with 90% confidence 1 to 3); expected grade 1.9 on a scale of 0 to 3."
    assert (found.grade, found.among, found.coverage) == ("2", ("1", "2", "3"), 0.9)
    tight = Conformal("grades", (0.9,), ((0.1,),))
    assert (
        "A title: 2 (with 90% confidence);"
        in promised("ordinal", ("0", "1", "2", "3"), tight, **shares)[0].statement
    )


def test_a_number_is_told_with_its_interval():
    [found] = promised("regression", ("age",), Conformal("distance", (0.9,), ((5.0,),)), value=41.0)
    quantity = found.measurements[0].quantity
    assert (quantity.low, quantity.high, found.coverage) == (36.0, 46.0, 0.9)
    assert found.statement == "Age: 41 (with 90% confidence 36 to 46)."
    [plain] = promised("regression", ("age",), Conformal("distance", (0.9,), ((None,),)), value=41.0)
    assert plain.statement == "Age: 41." and plain.coverage is None


def test_a_volume_is_told_with_its_promise_and_an_absent_label_with_what_it_may_still_be():
    array = np.zeros((10, 12), np.uint8)
    array[2:5, 3:7] = 1
    mask = Mask(array, {1: "disc", 2: "cup"})
    chances = np.stack([array * 0.9, 0 * array]).astype(np.float16)
    prediction = Prediction("segmentation", ("disc", "cup"), mask=mask, voxel_probability=chances)
    card = ModelCard("m", "1", "A title", "segmentation", ("disc", "cup"), Sees("anything", 2))
    trust = Trust(volumes=Conformal("doubt", (0.9,), ((1.0, 4.0),)))
    disc, cup = findings_of(prediction, Speaker(by_card(card), card, trust), picture=0)
    assert disc.statement == "Disc: area 12.0 pixels (90% interval 9.8 to 14.2)." and disc.coverage == 0.9
    assert cup.statement == "Cup: not seen (90% interval: at most 4 pixels)."
    assert cup.present is False and cup.coverage == 0.9 and cup.measurements[0].quantity.high == 4
    plain = findings_of(prediction, Speaker(by_card(card), card, Trust()), picture=0)
    assert plain[0].statement == "Disc: area 12 pixels." and plain[0].coverage is None
    assert plain[1].statement == "Cup: not seen." and plain[1].measurements == ()


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

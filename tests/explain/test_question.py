"""The number that is explained."""

import numpy as np
import pytest
import torch
from tests.explain.conftest import image_with, volume_with

from osler.core.errors import AskedWrongly
from osler.core.prediction import Prediction
from osler.explain.question import ask_why, said, score
from osler.models.model import Model
from osler.models.prepare import prepare

GRADES = ("0", "1", "2", "3")


class Says:
    def __init__(self, *logits):
        self.answer = torch.tensor([logits])

    def logits(self, images):
        return self.answer.repeat(len(images), 1), None


def asked(model: Model, target):
    return ask_why(model, prepare([image_with((64, 64), (9, 9), (3, 3))], model.recipe), target)


def log_odds(p: float) -> float:
    return float(np.log(p) - np.log1p(-p))


def test_a_class_a_label_a_grade_and_a_number(sees_bright):
    one = torch.zeros(3, 1, 64, 64)
    binary = asked(sees_bright(), 1)
    assert score([Says(1.0, 3.5)], one, binary).tolist() == pytest.approx([2.5] * 3)
    labels = asked(sees_bright(task="multilabel", classes=("a", "b", "c")), 2)
    assert score([Says(9.0, 9.0, -1.5)], one, labels).tolist() == pytest.approx([-1.5] * 3)
    numbers = asked(sees_bright(task="regression", classes=()), None)
    assert score([Says(0.7)], one, numbers).tolist() == pytest.approx([0.7] * 3) and numbers.unit == "deviations"
    grades = sees_bright(task="ordinal", classes=GRADES)
    above = 1 / (1 + np.exp(-np.array([2.0, 0.5, -1.0])))
    worse = np.cumprod(above)  # P(grade > 0), P(grade > 1), P(grade > 2)
    net = Says(2.0, 0.5, -1.0)
    assert score([net], one, asked(grades, 2))[0].item() == pytest.approx(log_odds(worse[1]))
    assert score([net], one, asked(grades, 0))[0].item() == pytest.approx(log_odds(1 - worse[0]))
    assert score([net, Says(2.0, 0.5, -1.0)], one, asked(grades, 3))[0].item() == pytest.approx(log_odds(worse[2]))


def test_a_very_sure_answer_still_has_a_gradient(sees_bright):
    logits = torch.tensor([[0.0, 30.0]], requires_grad=True)

    class Sure:
        def logits(self, images):
            return logits, None

    score([Sure()], torch.zeros(1, 1, 64, 64), asked(sees_bright(), 1)).sum().backward()
    np.testing.assert_allclose(logits.grad, [[-1, 1]], rtol=1e-2)


def test_targets_that_are_not_there(sees_bright):
    for model, target in (
        (sees_bright(), 2),
        (sees_bright(), None),
        (sees_bright(task="regression", classes=()), 0),
    ):
        with pytest.raises(AskedWrongly):
            asked(model, target)


def test_what_a_prediction_says():
    def shares(*p):
        return np.array(p)

    assert said(Prediction("binary", ("a", "b"), shares(0.7, 0.3)), 0.25) == (1,)
    assert said(Prediction("binary", ("a", "b"), shares(0.7, 0.3)), 0.5) == (0,)
    assert said(Prediction("multiclass", ("a", "b", "c"), shares(0.2, 0.5, 0.3)), 0.5) == (1,)
    assert said(Prediction("multilabel", ("a", "b", "c"), shares(0.6, 0.1, 0.9)), 0.5) == (2, 0)
    assert said(Prediction("multilabel", ("a", "b"), shares(0.1, 0.2)), 0.5) == ()
    assert said(Prediction("ordinal", GRADES, shares(0.3, 0.1, 0.25, 0.35)), 0.5) == (2,)  # the median grade
    assert said(Prediction("regression", (), value=3.0), 0.5) == (None,)


def test_a_segmentation_is_asked_about_the_window_around_its_label(outlines_bright):
    from osler.core.geometry import Geometry

    geometry = Geometry.from_spacing((40, 48, 24), (2, 1, 1))
    volume = volume_with(geometry, geometry.to_world(np.array([30, 33, 12.0])), 4.0)
    prepared = prepare([volume], outlines_bright.recipe)
    assert prepared.array.shape == (1, 40, 24, 12)
    question = ask_why(outlines_bright, prepared, 1)
    assert question.spatial == (16, 16, 16) and question.unit == "voxels"
    # Slice 30, and row 33 of 48, which is row 16 at 2 mm; the 12 columns lie in the middle of 16.
    for part, middle in zip(question.place[:2], (30, 16), strict=True):
        assert part.stop - part.start == 16 and part.start + 4 <= middle <= part.stop - 4
    assert question.place[2] == slice(0, 12)
    assert question.inside == (slice(0, 16), slice(0, 16), slice(2, 14))
    np.testing.assert_array_equal(
        question.image[(0, *question.inside)].numpy(), prepared.array[(0, *question.place)]
    )
    with torch.no_grad():
        soft = score(outlines_bright.members, question.image[None], question).item()
        logits, _ = outlines_bright.members[0].logits(question.image[None])
    assert soft == pytest.approx(float(torch.softmax(logits.double(), 1)[0, 1].sum()), rel=1e-6)

"""One verb: predict."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from osler.core.errors import AskedWrongly, BadModel
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.volume import Volume
from osler.inference.predict import mean_answers, predict, predict_prepared
from osler.inference.temper import temper
from osler.models.card import ModelCard, Sees
from osler.models.model import Model
from osler.models.prepare import prepare
from osler.models.recipe import Channel, Normalization, Recipe
from osler.models.tasks.table import TASKS
from osler.models.trust import Calibration, Trust

KEEP = Channel("image", "", Normalization("fixed"))


class Says:
    """A net whose logits are a function of the pictures."""

    def __init__(self, logits):
        self.logits = lambda images: (logits(images), images.flatten(1)[:, :3])


def model(task, members, *, classes=("no", "yes"), dims=2, whole=True, size=(4, 4), **trust):
    card = ModelCard("m", "1", "M", task, classes, Sees("anything", dims))
    recipe = Recipe(dims, False, (KEEP,), whole, size, target_mean=40.0, target_std=5.0)
    return Model(card, recipe, Trust(**trust), TASKS[task], tuple(members), Path())


def constant(*logits):
    return Says(lambda images: torch.tensor([logits]).repeat(len(images), 1))


def image(value=1.0):
    return Image(np.full((4, 4), value, np.float32))


def test_members_are_averaged_as_probabilities():
    said = predict(model("binary", [constant(0.0, 2.0), constant(0.0, 0.0)]), [image()])
    assert said.probabilities[1] == pytest.approx((1 / (1 + np.exp(-2)) + 0.5) / 2)
    assert said.features.shape == (3,)


def test_the_temperature_softens_what_is_answered():
    sure = model("binary", [constant(0.0, 3.0)])
    soft = replace(sure, trust=Trust(calibration=Calibration("temperature", ((2.0,),))))
    assert predict(soft, [image()]).probabilities[1] == pytest.approx(1 / (1 + np.exp(-1.5)))


def test_labels_that_do_not_exclude_each_other_stay_as_they_are():
    one = model("multilabel", [constant(2.0, 2.0, -1.0)], classes=("a", "b", "c"))
    expected = 1 / (1 + np.exp(-np.array([2.0, 2.0, -1.0])))
    assert np.allclose(predict(one, [image()]).probabilities, expected, atol=1e-6)
    each = replace(one, trust=Trust(calibration=Calibration("temperature", ((1.0,), (2.0,), (1.0,)))))
    said = predict(each, [image()]).probabilities
    assert said[1] == pytest.approx(float(temper(expected[1:2], 2.0)[0]))


def test_answers_are_for_the_prevalence_of_the_site():
    even = model("binary", [constant(0.0, 0.0)])
    rare = replace(even, trust=Trust(prevalence=(0.5, 0.5), site=(0.98, 0.02)))
    assert predict(rare, [image()]).probabilities[1] == pytest.approx(0.02)


def test_members_that_differ_disagree_and_one_alone_has_nobody_to_disagree_with():
    together = predict(model("binary", [constant(0.0, 2.0)] * 2), [image()])
    apart = predict(model("binary", [constant(0.0, 9.0), constant(9.0, 0.0)]), [image()])
    assert together.disagreement == pytest.approx(0, abs=1e-9)
    assert apart.disagreement == pytest.approx(np.log(2), abs=0.01)
    assert predict(model("binary", [constant(0.0, 2.0)]), [image()]).disagreement is None
    numbers = predict(model("regression", [constant(1.0), constant(2.0)], classes=()), [image()])
    assert numbers.disagreement == pytest.approx(5 * np.sqrt(0.5)), "in the answer's own unit"


def test_an_answer_that_is_no_number_is_a_bad_model():
    with pytest.raises(BadModel, match="NaN"):
        predict(model("binary", [constant(0.0, float("nan"))]), [image()])


def test_a_number_comes_back_in_its_own_unit():
    assert predict(model("regression", [constant(1.5)], classes=()), [image()]).value == pytest.approx(47.5)


def test_a_grade_has_its_expected_value():
    said = predict(model("ordinal", [constant(10.0, -10.0)], classes=("0", "1", "2")), [image()])
    assert said.probabilities.argmax() == 1
    assert said.value == pytest.approx(1, abs=1e-3)


def test_mirrors_of_masks_are_turned_back():
    """A net that marks the left half: mirrored and turned back it marks the right, and the mean is one half."""

    def left(images):
        marked = torch.zeros(len(images), 2, *images.shape[2:])
        marked[:, 1, :, : images.shape[3] // 2] = 50
        marked[:, 0, :, images.shape[3] // 2 :] = 50
        return marked

    made = model("segmentation", [Says(left)], classes=("half",), flips=(1,))
    answers, _ = mean_answers(made, torch.zeros(1, 1, 4, 4))
    assert torch.allclose(answers, torch.full((1, 2, 4, 4), 0.5))


def test_a_segmentation_lies_where_its_picture_lies():
    def bright(images):
        return torch.cat([0.5 - images, images - 0.5], 1) * 20

    array = np.zeros((6, 9, 10), np.float32)
    array[2:4, 3:6, 1:9] = 1
    volume = Volume(array, Geometry.from_spacing(array.shape, (2, 1, 1), (5, 6, 7)))
    made = model("segmentation", [Says(bright)], classes=("spot",), dims=3, whole=False, size=(4, 4, 4))
    said = predict(made, [volume])
    assert np.array_equal(said.mask.array, array.astype(np.uint8))
    assert said.mask.geometry.matches(volume.geometry)
    assert said.mask_probability[0] > 0.99
    assert said.features.shape == (3,)


def test_voxels_are_calibrated_and_the_mask_stays():
    def bright(images):
        return torch.cat([0.5 - images, images - 0.5], 1) * 5

    sure = model("segmentation", [Says(bright)], classes=("spot",))
    soft = replace(sure, trust=Trust(calibration=Calibration("temperature", ((4.0,),))))
    picture = Image(np.linspace(0, 1, 16, dtype=np.float32).reshape(4, 4))
    before, after = predict(sure, [picture]), predict(soft, [picture])
    assert np.array_equal(before.mask.array, after.mask.array) and before.mask.array.any()
    assert np.allclose(after.voxel_probability[0], 1 / (1 + np.exp((0.5 - picture.array) * 2.5)), atol=1e-3)
    assert after.mask_probability[0] < before.mask_probability[0]
    broken = model("segmentation", [Says(lambda images: bright(images) * float("nan"))], classes=("spot",))
    with pytest.raises(BadModel, match="NaN"):
        predict(broken, [picture])


def test_many_are_answered_in_batches_in_order():
    made = model("binary", [Says(lambda x: torch.stack([x[:, 0, 0, 0] * 0, x[:, 0, 0, 0]], 1))])
    prepared = [prepare([image(v)], made.recipe) for v in range(7)]
    said = [p.probabilities[1] for p in predict_prepared(made, prepared, batch=3)]
    assert np.allclose(said, 1 / (1 + np.exp(-np.arange(7.0))), atol=1e-6)


def test_a_volume_for_a_flat_model_is_refused():
    volume = Volume(np.zeros((2, 4, 4), np.float32), Geometry.from_spacing((2, 4, 4), (1, 1, 1)))
    with pytest.raises(AskedWrongly, match="flat images"):
        predict(model("binary", [constant(0.0, 0.0)]), [volume])

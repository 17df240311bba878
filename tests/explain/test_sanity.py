"""Checks that catch what they are made to catch."""

import numpy as np
import pytest
import torch
from scipy import stats
from tests.explain.conftest import image_with

from osler.core.image import Image
from osler.core.progress import silent
from osler.explain.question import ask_why
from osler.explain.saliency import gradcam
from osler.explain.sanity import (
    ELSEWHERE,
    SHARE,
    Sanity,
    falls,
    hide,
    least_fall,
    likeness_when_redrawn,
    rank_correlation,
    redrawn,
)
from osler.explain.why import explain
from osler.models.prepare import prepare


@pytest.fixture
def asked(sees_bright):
    model = sees_bright(size=(48, 48), fit="pad")
    return model, ask_why(model, prepare([image_with((48, 30), (14, 20), (4, 4))], model.recipe), 1)


@pytest.mark.parametrize("ties", [False, True])
def test_rank_correlation_is_spearman_s(ties):
    draw = np.random.default_rng(3)
    one, other = draw.normal(size=200), draw.normal(size=200)
    other += 0.5 * one
    if ties:
        one, other = np.maximum(one, 0), other.round()
    assert rank_correlation(one, other) == pytest.approx(stats.spearmanr(one, other).statistic, abs=1e-12)
    assert rank_correlation(one, -one) == pytest.approx(-1) and rank_correlation(one, np.ones(200)) == 0


def test_what_is_hidden_elsewhere_has_the_same_size_and_lies_in_the_picture(asked):
    _, question = asked
    found = np.zeros((48, 48), np.float32)
    found[5:15, 14:24] = 1  # 100 of the 48 x 30 pixels inside the padding
    found[:, :8] = 9  # marks on the padding count for nothing
    pictures, share = hide(question, found)
    changed = (pictures != question.image).any(dim=1)
    assert share == pytest.approx(100 / (48 * 30)) and len(pictures) == 1 + ELSEWHERE
    assert not changed[:, :, :9].any() and not changed[:, :, 39:].any()
    assert changed[0, 5:15, 14:24].float().mean() > 0.9 and changed[0].sum() <= 100
    assert all((one != changed[0]).any() for one in changed[1:])
    wide, _ = hide(question, np.random.default_rng(0).random((48, 48)).astype(np.float32))
    assert (wide[0] != question.image).sum() <= round(SHARE * 48 * 30)


def test_a_map_of_the_spot_is_faithful_and_one_of_the_corner_is_not(asked):
    model, question = asked
    good = gradcam(model.members, question, silent)
    fall, *elsewhere = falls(model.members, question, hide(question, good)[0])
    assert Sanity(0.1, 3, SHARE, fall, tuple(elsewhere), least_fall(model.members, question)).faithful
    corner = np.zeros((48, 48), np.float32)
    corner[38:, 10:36] = 1
    fall, *elsewhere = falls(model.members, question, hide(question, corner)[0])
    assert not Sanity(0.1, 3, SHARE, fall, tuple(elsewhere)).faithful


def test_a_fall_too_small_to_matter_is_not_faithful():
    assert Sanity(None, 0, 0.1, 0.05, (0.01, -0.2)).faithful
    assert not Sanity(None, 0, 0.1, 0.05, (0.01, -0.2), least=0.18).faithful
    assert not Sanity(None, 0, 0.1, -0.01, (-0.05, -0.2)).faithful  # hiding it made the answer surer


def test_a_map_that_shows_edges_only_is_caught(asked):
    model, question = asked

    def edges(nets, question, tell):
        return np.abs(np.gradient(question.image[0].numpy())[0])

    found = edges(model.members, question, silent)
    likeness = likeness_when_redrawn(edges, model.members, question, found)
    assert likeness == pytest.approx(1) and Sanity(likeness, 3, 0.1, 9.0, (0.0,)).learnt is False
    assert likeness_when_redrawn(gradcam, [object()], question, found) is None  # an ONNX net


def test_redrawn_weights_are_the_last_ones_and_the_net_itself_stays(asked):
    model = asked[0]
    (net,) = model.members
    torch.manual_seed(0)
    for weight in net.module.parameters():
        torch.nn.init.normal_(weight)
    before = {name: weight.clone() for name, weight in net.module.named_parameters()}
    other = redrawn(net, 1).module
    changed = {name for name, weight in other.named_parameters() if not torch.equal(weight, before[name])}
    assert all(torch.equal(weight, before[name]) for name, weight in net.module.named_parameters())
    assert {"linear.weight", "body.3.conv1.weight", "body.4.weight"} <= changed
    assert not {name for name in changed if name.startswith(("body.0", "body.1", "body.2"))}
    again = redrawn(net, 1).module.linear.weight
    assert torch.equal(again, other.linear.weight) and not torch.equal(redrawn(net, 2).module.linear.weight, again)


@pytest.mark.parametrize("way", ["gradcam", "finer", "gradients", "occlusion"])
def test_a_constant_picture_has_no_map_of_changes_and_a_broken_net_has_none(sees_bright, way):
    model = sees_bright(size=(28, 28))
    flat = prepare([Image(np.full((28, 28), 7, np.float32))], model.recipe)
    if way in ("gradients", "occlusion"):  # nothing can be taken away from it
        made = explain(model, flat, way=way, target=1)
        assert made.trouble == "nothing" and made.map is None and not made.shown
    with torch.no_grad():
        model.members[0].module.linear.weight[0, 0] = np.nan
    made = explain(model, flat, way=way, target=1)
    assert made.trouble == "nan" and made.map is None and made.sanity is None


@pytest.mark.parametrize(
    ("task", "classes", "target"),
    [("multilabel", ("a", "b"), 1), ("ordinal", ("0", "1", "2"), 2), ("regression", (), None)],
)
def test_every_task_is_explained_and_checked(sees_bright, task, classes, target):
    model = sees_bright(size=(32, 32), task=task, classes=classes, members=2)
    with torch.no_grad():
        for net in model.members:
            net.module.linear.weight[:] = 1
    prepared = prepare([image_with((64, 40), (40, 25), (6, 4))], model.recipe)
    made = explain(model, prepared, way="finer", target=target)
    assert made.map.shape == (64, 40) and made.sanity.faithful and made.unit in ("log-odds", "deviations")


def test_several_channels_make_one_map(sees_bright):
    model = sees_bright(size=(32, 32), planes=2)
    pictures = [Image(np.zeros((32, 32), np.float32)), image_with((32, 32), (20, 9), (3, 3))]
    prepared = prepare(pictures, model.recipe)
    for way in ("gradcam", "gradients", "occlusion"):
        made = explain(model, prepared, way=way, target=1)
        assert made.map.shape == (32, 32) and made.shown is (made.sanity.faithful and made.sanity.learnt)
        assert np.hypot(*(np.unravel_index(made.map.argmax(), (32, 32)) - np.array([20, 9]))) < 4

"""One contract, every net."""

import subprocess
import sys
import textwrap

import pytest
import torch

from osler.core.errors import BadModel, UnknownChoice
from osler.models.model import NetPlan, TorchNet, build_net
from osler.models.nets.resnet import Block
from osler.models.nets.table import NETS
from osler.models.recipe import Channel, Normalization, Recipe

STAGES = {
    2: {
        "widths": (4, 8, 8),
        "strides": ((1, 1), (2, 2), (2, 2)),
        "kernels": ((3, 3),) * 3,
        "encoder": (1, 2, 1),
        "decoder": (2, 1),
    },
    3: {
        "widths": (4, 8, 8),
        "strides": ((1, 1, 1), (1, 2, 2), (2, 2, 2)),
        "kernels": ((1, 3, 3), (3, 3, 3), (3, 3, 3)),
        "encoder": (1, 2, 1),
        "decoder": (2, 1),
    },
}
ARGUMENTS = {
    "unet": lambda dims: STAGES[dims],
    "resnet": lambda dims: {"widths": (4, 8), "blocks": 1},
    "softmax": lambda dims: {},
}


def recipe(dims: int, planes: int = 1) -> Recipe:
    rows = tuple(Channel(f"c{i}", "", Normalization("zscore")) for i in range(planes))
    return Recipe(dims, False, rows, True, (16,) * dims)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("name", NETS)
def test_every_net_answers_in_the_right_shape_and_can_learn(name, dims):
    net = build_net(NetPlan(name, ARGUMENTS[name](dims)), recipe(dims, 2), 3)
    images = torch.randn(2, 2, *(16,) * dims)
    net.train()
    given = net(images)
    given = given[0] if isinstance(given, list) else given
    given.square().mean().backward() if name != "softmax" else (given - 1).square().mean().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.eval()
    spatial = (16,) * dims if name == "unet" else ()
    assert net(images).shape == (2, 3, *spatial)


@pytest.mark.parametrize("name", ["resnet", "softmax"])
def test_features_and_head_are_the_whole_net(name):
    net = build_net(NetPlan(name, ARGUMENTS[name](2)), recipe(2), 3).eval()
    images = torch.randn(4, 1, 16, 16)
    logits, features = TorchNet(net).logits(images)
    assert features is not None
    assert torch.allclose(logits, net(images))


@pytest.mark.parametrize("dims", [2, 3])
def test_a_unet_shows_its_two_deepest_stages_on_the_way(dims):
    net = build_net(NetPlan("unet", STAGES[dims]), recipe(dims), 3).eval()
    images = torch.randn(2, 1, *(16,) * dims)
    logits, features = TorchNet(net).logits(images)
    assert torch.equal(logits, net(images))
    deep = images
    means = []
    for stage in net.encoder:
        deep = stage(deep)
        means.append(deep.flatten(2).mean(2))
    assert features is not None
    assert torch.allclose(features, torch.cat(means[-2:], 1), atol=1e-6)


def test_deep_supervision_answers_at_each_resolution_while_training():
    net = build_net(NetPlan("unet", {**STAGES[3], "supervised": 2}), recipe(3), 3).train()
    fine, coarse = net(torch.randn(1, 1, 16, 16, 16))
    assert fine.shape[2:] == (16, 16, 16)
    assert coarse.shape[2:] == (16, 8, 8)


def test_a_narrow_net_learns_without_writing_past_its_memory():
    """In a process of its own, for what went wrong ended it: oneDNN issue 6035, with the batch that showed it."""
    story = """
        import torch
        from osler.models.nets.layout import laid_out, planes_last
        from osler.models.nets.resnet import ResNet

        net = planes_last(ResNet(dims=2, planes=1, outputs=2, size=(28, 28), widths=(4, 8, 8), blocks=1))
        for step in range(60):
            others = [torch.randn(size) for size in torch.randint(1, 20_000, (20,))]  # so that the heap is in use
            net(laid_out(torch.randn(45, 1, 28, 28))).square().mean().backward()
        """
    told = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(story)], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr[-500:]


def test_the_way_past_a_block_that_shrinks_is_a_strided_convolution():
    block = Block(2, 3, 5, stride=2).eval()
    x = torch.randn(2, 3, 9, 8)
    block.conv2.weight.data.zero_()
    wanted = torch.nn.functional.conv2d(block.norm1(x).relu(), block.short.weight, stride=2)
    assert torch.allclose(block(x), wanted, atol=1e-6)


def test_unknown_nets_and_arguments_are_refused_with_what_there_is():
    with pytest.raises(UnknownChoice, match="'u-net'"):
        build_net(NetPlan("u-net", {}), recipe(2), 2)
    with pytest.raises(BadModel, match="depth"):
        build_net(NetPlan("resnet", {"depth": 3}), recipe(2), 2)

"""Nets whose reasons are known: every weight is positive, so they see brightness where it is, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.volume import Volume
from osler.models.card import ModelCard, Sees
from osler.models.model import Model, TorchNet
from osler.models.nets.resnet import ResNet
from osler.models.nets.unet import UNet
from osler.models.recipe import Channel, Normalization, Recipe
from osler.models.tasks.table import TASKS
from osler.models.trust import Trust

KEEP = Channel("image", "", Normalization("fixed"))


def made_positive(module: nn.Module) -> nn.Module:
    """Every convolution a mean of what it sees; the second answer grows with brightness, the first falls."""
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, nn.Conv2d | nn.Conv3d):
                part.weight.fill_(1 / part.weight[0].numel())
            if isinstance(part, nn.Linear):
                part.weight[:] = torch.linspace(-1, 1, len(part.weight))[:, None]
                part.bias.zero_()
    return module


@pytest.fixture
def sees_bright() -> Callable[..., Model]:
    """sees_bright(size=(64, 64), fit="pad", ...) -> a model of whole pictures: class 1 where it is bright."""

    def make(
        *, size=(64, 64), task="binary", classes=("no", "yes"), members=1, stem=1, fit="stretch", planes=1, **more
    ) -> Model:
        dims = len(size)
        channels = tuple(Channel(f"{n}", "", Normalization("fixed")) for n in range(planes))
        recipe = Recipe(dims, False, channels, True, size, fit=fit, target_mean=40.0, target_std=5.0)
        outputs = TASKS[task].outputs(len(classes))
        nets = tuple(
            TorchNet(made_positive(ResNet(
                dims=dims, planes=planes, outputs=outputs, size=size, widths=(4, 6, 8), blocks=1, stem=stem
            )))
            for _ in range(members)
        )  # fmt: skip
        card = ModelCard("m", "1", "M", task, classes, Sees("anything", dims))
        return Model(card, recipe, Trust(**more), TASKS[task], nets, Path())

    return make


@pytest.fixture
def outlines_bright() -> Model:
    """A segmenter of windows of 16 voxels at 2 mm whose label grows where it is bright."""
    torch.manual_seed(0)
    module = UNet(
        dims=3, planes=1, outputs=2, size=(16, 16, 16), widths=(4, 6), strides=((1, 1, 1), (2, 2, 2)),
        kernels=((3, 3, 3), (3, 3, 3)), encoder=(1, 1), decoder=(1,),
    )  # fmt: skip
    made_positive(module)
    with torch.no_grad():
        module.answers[0].weight[:] = torch.tensor([-1.0, 1.0]).reshape(2, 1, 1, 1, 1)
        module.answers[0].bias[:] = torch.tensor([3.0, -3.0])
    recipe = Recipe(3, False, (KEEP,), False, (16, 16, 16), spacing=(2.0, 2.0, 2.0))
    card = ModelCard("s", "1", "S", "segmentation", ("spot",), Sees("anything", 3))
    return Model(card, recipe, Trust(), TASKS["segmentation"], (TorchNet(module),), Path())


def spot(shape: tuple[int, ...], at: tuple[float, ...], wide: tuple[float, ...]) -> np.ndarray:
    """A bright round spot on black, float32."""
    grid = np.meshgrid(*[np.arange(n) for n in shape], indexing="ij")
    away = sum(((g - a) / w) ** 2 for g, a, w in zip(grid, at, wide, strict=True))
    return np.exp(-away / 2).astype(np.float32) * 10


def middle(found: np.ndarray) -> np.ndarray:
    """Where a map is, (axes,): the middle of its upper half."""
    weight = np.maximum(found - found.max() / 2, 0)
    grid = np.meshgrid(*[np.arange(n) for n in found.shape], indexing="ij")
    return np.array([(g * weight).sum() / weight.sum() for g in grid])


def image_with(shape: tuple[int, int], at: tuple[float, float], wide: tuple[float, float]) -> Image:
    return Image(spot(shape, at, wide))


def volume_with(geometry: Geometry, position: np.ndarray, wide_mm: float) -> Volume:
    """A spot at a position in mm, on any grid."""
    index = np.indices(geometry.shape).reshape(3, -1).T
    away = np.linalg.norm(geometry.to_world(index) - position, axis=1).reshape(geometry.shape)
    return Volume((10 * np.exp(-((away / wide_mm) ** 2) / 2)).astype(np.float32), geometry)

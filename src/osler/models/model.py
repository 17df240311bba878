"""A model at work: its card, its recipe, and nets that answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from osler.core.errors import BadModel, OslerError
from osler.core.record import from_plain
from osler.io.files import read_json
from osler.models.card import ModelCard
from osler.models.digest import check_seal
from osler.models.foreign.onnx import OnnxNet
from osler.models.nets.layout import laid_out, planes_last
from osler.models.nets.resnet import ResNet
from osler.models.nets.softmax import Softmax
from osler.models.nets.table import NETS
from osler.models.recipe import Recipe
from osler.models.tasks.table import TASKS
from osler.models.tasks.task import Task
from osler.models.trust import FeatureSpace, Trust


class Net(Protocol):
    """One member of a model: images (B, planes, *spatial) -> logits, and pooled features where it has any."""

    def logits(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """(B, outputs[, *spatial]) and (B, features) or None."""


@dataclass(frozen=True, slots=True)
class NetPlan:
    """Which net, and its arguments; stored in recipe.json beside the recipe."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A model at work.

    members  nets whose probabilities are averaged
    folder   where it was loaded from
    device   where its members live, "cpu" or "cuda:0"
    space    what the features of training pictures look like, None where that is not known
    """

    card: ModelCard
    recipe: Recipe
    trust: Trust
    task: Task
    members: tuple[Net, ...]
    folder: Path
    device: str = "cpu"
    space: FeatureSpace | None = None


class TorchNet:
    """A torch module worn as a member."""

    def __init__(self, module: nn.Module) -> None:
        self.module = planes_last(module).eval()

    def logits(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """Logits, and pooled features of nets that decide about whole pictures."""
        images = laid_out(images)
        if isinstance(self.module, (ResNet, Softmax)):
            features = self.module.features(images)
            return self.module.head(features), features
        return self.module(images), None


def build_net(net: NetPlan, recipe: Recipe, outputs: int) -> nn.Module:
    """The net that `net` describes, with fresh weights. Raises UnknownChoice, or BadModel for bad arguments."""
    try:
        return NETS[net.name](
            dims=recipe.dims, planes=recipe.planes, outputs=outputs, size=recipe.size, **net.arguments
        )
    except TypeError as error:
        raise BadModel(
            f"The net '{net.name}' does not take these arguments: {error}.",
            remedy="Compare the plan's net with docs/reference/nets.md.",
        ) from error


def load_model(folder: Path | str, *, device: str = "cpu") -> Model:
    """The model in `folder`, ready to predict.

    Every file is compared with the digest in the card before anything is used.
    Raises BadModel when a file is missing, changed or does not fit this Osler.
    """
    folder = Path(folder)
    card = check_seal(folder)
    try:
        stored = read_json(folder / "recipe.json")
        recipe = from_plain(Recipe, stored["recipe"])
        trust = from_plain(Trust, read_json(folder / "trust.json"))
        task = TASKS[card.task]
        space = _space(folder / "features.safetensors")
        net = from_plain(NetPlan, stored["net"])
        if card.engine == "onnx":
            members: tuple[Net, ...] = (OnnxNet(folder / "model.onnx", **net.arguments),)
        else:
            outputs = task.outputs(len(card.classes) + (1 if task.pixels else 0))
            members = tuple(
                _member(path, net, recipe, outputs=outputs, device=device)
                for path in sorted(folder.glob("member-*.safetensors"))
            )
    except BadModel:
        raise
    except (OslerError, KeyError, TypeError, RuntimeError, OSError, ValueError) as error:
        raise BadModel(
            f"The model {folder.name} cannot be used: {error}.",
            remedy="It may be of another version of Osler: train it again, or use the Osler that made it.",
        ) from error
    if not members:
        raise BadModel(f"The model {folder.name} has no weights.", remedy="Copy the folder again.")
    return Model(card, recipe, trust, task, members, folder, device, space)


def _space(path: Path) -> FeatureSpace | None:
    if not path.is_file():
        return None
    stored = load_file(path)
    return FeatureSpace(stored["mean"].numpy(), stored["whitening"].numpy())


def _member(path: Path, net: NetPlan, recipe: Recipe, *, outputs: int, device: str) -> TorchNet:
    module = build_net(net, recipe, outputs)
    stored = {k: v.float() if v.dtype == torch.float16 else v for k, v in load_file(path).items()}
    module.load_state_dict(stored)
    return TorchNet(module.to(device))

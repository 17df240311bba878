"""A model at work: its card, its recipe, and nets that answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from osler.core.arrays import Array
from osler.core.errors import BadModel, OslerError
from osler.core.record import from_plain
from osler.io.files import read_json
from osler.models.card import ModelCard
from osler.models.digest import check_seal
from osler.models.foreign.onnx import OnnxNet
from osler.models.likeness import FeatureSpace, PlainLook
from osler.models.nets.layout import laid_out, planes_last
from osler.models.nets.resnet import ResNet
from osler.models.nets.softmax import Softmax
from osler.models.nets.table import NETS
from osler.models.nets.unet import UNet
from osler.models.recipe import Recipe
from osler.models.tasks.table import TASKS
from osler.models.tasks.task import Task
from osler.models.trust import Trust


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
    space    where the features of training pictures lie, None where that is not known
    look     what training pictures look like without the net, None where that is not known
    """

    card: ModelCard
    recipe: Recipe
    trust: Trust
    task: Task
    members: tuple[Net, ...]
    folder: Path
    device: str = "cpu"
    space: FeatureSpace | None = None
    look: PlainLook | None = None


class TorchNet:
    """A torch module worn as a member."""

    def __init__(self, module: nn.Module) -> None:
        self.module = planes_last(module).eval()

    def logits(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """Logits, and pooled features."""
        images = laid_out(images)
        if isinstance(self.module, (ResNet, Softmax)):
            features = self.module.features(images)
            return self.module.head(features), features
        if isinstance(self.module, UNet):
            logits, features = self.module.with_features(images)
            assert isinstance(logits, Tensor)  # a list of resolutions comes only while training
            return logits, features
        return self.module(images), None


def build_net(net: NetPlan, recipe: Recipe, outputs: int) -> nn.Module:
    """The net that `net` describes, with fresh weights. Raises UnknownChoice, or BadModel for bad arguments."""
    try:
        return NETS[net.name](
            dims=recipe.dims, planes=recipe.planes, outputs=outputs, size=recipe.size, **net.arguments
        )
    except (TypeError, ValueError, IndexError) as error:  # ValueError: lists of unlike length
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
        space, look = _space(folder / "features.safetensors")
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
    return Model(card, recipe, trust, task, members, folder, device, space, look)


def store_space(space: FeatureSpace | None, look: PlainLook | None, path: Path) -> None:
    """Write features.safetensors; what is None is left out, and without both there is no file."""
    kept: dict[str, Array] = {}
    if space is not None:
        kept |= {"mean": space.mean, "whitening": space.whitening, "features": space.features}
        kept |= {} if space.labels is None else {"labels": space.labels}
    if look is not None:
        kept |= {"look.mean": look.mean, "look.whitening": look.whitening, "look.quantiles": look.quantiles}
        kept |= {f"towards.{name}": row for name, row in zip(look.turns, look.towards, strict=True)}
    path.unlink(missing_ok=True)
    if kept:
        path.write_bytes(save({name: torch.from_numpy(np.ascontiguousarray(kept[name])) for name in kept}))


def _space(path: Path) -> tuple[FeatureSpace | None, PlainLook | None]:
    """What `store_space` wrote."""
    if not path.is_file():
        return None, None
    stored = {name: tensor.numpy() for name, tensor in load_file(path).items()}
    space = look = None
    if "mean" in stored:
        space = FeatureSpace(
            stored["mean"],
            stored["whitening"],
            stored["features"].astype(np.float32),  # once, not at every reading
            stored.get("labels"),
        )
    if "look.mean" in stored:
        turns = tuple(name for name in stored if name.startswith("towards."))
        towards = np.stack([stored[name] for name in turns]) if turns else np.zeros((0, len(stored["look.mean"])))
        names = tuple(name.removeprefix("towards.") for name in turns)
        look = PlainLook(stored["look.mean"], stored["look.whitening"], stored["look.quantiles"], names, towards)
    return space, look


def _member(path: Path, net: NetPlan, recipe: Recipe, *, outputs: int, device: str) -> TorchNet:
    module = build_net(net, recipe, outputs)
    stored = {k: v.float() if v.dtype == torch.float16 else v for k, v in load_file(path).items()}
    module.load_state_dict(stored)
    return TorchNet(module.to(device))

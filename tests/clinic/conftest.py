"""A shelf of small models whose answers are known beforehand."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch

from osler.core.record import to_plain
from osler.io.files import write_json
from osler.models import model as models
from osler.models.card import ModelCard, Sees
from osler.models.digest import seal
from osler.models.likeness import FeatureSpace
from osler.models.model import Model
from osler.models.recipe import Channel, Normalization, Recipe
from osler.models.shelf import Shelf
from osler.models.tasks.table import TASKS
from osler.models.trust import Trust

PLAIN = Normalization("fixed")
CHEST = Sees("a frontal radiograph of the chest", 2, ("image",), ("CR", "DX"), ("CHEST",), ("PA", "AP"))
EYE = Sees("a colour photograph of the fundus", 2, ("image",), ("OP", "XC"), ("EYE",))
BRAIN = Sees("an MR box around one hippocampus", 3, ("image",), ("MR",), ("BRAIN", "HIPPOCAMPUS"))


@dataclass
class Says:
    """A member that gives the same logits whatever it sees, with the mean of the picture as its feature."""

    answer: tuple[float, ...]

    def logits(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.tensor(self.answer).repeat(len(images), 1), images.flatten(1).mean(1, keepdim=True)


@dataclass
class Above:
    """A segmenter: label k is what lies between the k-th number and the next."""

    edges: tuple[float, ...]

    def logits(self, images: torch.Tensor) -> tuple[torch.Tensor, None]:
        image = images[:, 0]
        levels = sum((image > edge).long() for edge in self.edges)
        one_hot = torch.nn.functional.one_hot(levels, len(self.edges) + 1)
        return one_hot.movedim(-1, 1).float() * 12, None


@dataclass
class Bench:
    """Puts models on a shelf: card and recipe as files, the net as given."""

    folder: Path
    nets: dict[str, tuple[Recipe, Trust, object]] = field(default_factory=dict)

    @property
    def shelf(self) -> Shelf:
        return Shelf((self.folder,))

    def add(
        self, name: str, task: str, classes: tuple[str, ...], sees: Sees, net: object, **more: object
    ) -> ModelCard:
        """`more` holds use, trust, colour, channels, size."""
        channels = more.pop("channels", (Channel("image", "", PLAIN),))
        size = more.pop("size", (32, 32) if sees.dims == 2 else (16, 16, 16))
        recipe = Recipe(sees.dims, bool(more.pop("colour", False)), channels, sees.dims == 2, size)  # type: ignore[arg-type]
        trust = more.pop("trust", Trust())
        card = ModelCard(name, "1.2.0", name.replace("-", " ").title(), task, classes, sees, **more)  # type: ignore[arg-type]
        place = self.folder / name
        write_json(
            place / "recipe.json", {"recipe": to_plain(recipe), "net": {"name": "softmax", "arguments": {}}}
        )
        write_json(place / "trust.json", to_plain(trust))
        self.nets[name] = (recipe, trust, net)  # type: ignore[assignment]
        return seal(place, card)

    def load(self, folder: Path, *, device: str = "cpu") -> Model:
        card = models.check_seal(folder)
        recipe, trust, net = self.nets[folder.name]
        # One feature, the mean of the picture, in units of one: see Says.
        space = FeatureSpace(np.zeros(1), np.eye(1), np.zeros((1, 1))) if trust.gate is not None else None
        return Model(card, recipe, trust, TASKS[card.task], (net,), folder, device, space)  # type: ignore[arg-type]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """An empty shelf whose models are read by the nets they were given."""
    made = Bench(tmp_path / "shelf")
    made.folder.mkdir()
    monkeypatch.setattr(models, "load_model", made.load)
    return made


@pytest.fixture
def starters(bench: Bench) -> Bench:
    """The three uses that ship, with made-up nets."""
    bench.add(
        "chest-pneumonia", "binary", ("NORMAL", "PNEUMONIA"), CHEST, Says((0.0, 2.0)),
        use="chest-pneumonia", not_for=("adults",), trust=Trust(operating_point=0.4),
    )  # fmt: skip
    bench.add(
        "retinopathy-grade", "ordinal", ("0", "1", "2", "3", "4"), EYE, Says((3.0, 2.0, 1.0, -2.0)),
        use="retinopathy", colour=True,
    )  # fmt: skip
    bench.add(
        "hippocampus-mr", "segmentation", ("anterior", "posterior"), BRAIN, Above((50.0, 150.0)), use="hippocampus"
    )
    return bench


@pytest.fixture
def noise() -> Callable[..., np.ndarray]:
    """Grey noise of a shape, 8 bits, the same every time."""
    return lambda *shape: np.random.default_rng(5).integers(20, 230, shape).astype(np.uint8)


@pytest.fixture
def says() -> Callable[..., Says]:
    """A net that always gives these logits."""
    return lambda *logits: Says(tuple(float(number) for number in logits))


@pytest.fixture
def says_above() -> Above:
    """A net that outlines what is brighter than 50."""
    return Above((50.0,))

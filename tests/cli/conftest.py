"""A command line to call, and a small model with random weights."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from osler.cli.main import main


@dataclass(frozen=True)
class Outcome:
    """What a command left: its code, and what it wrote where."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Call = Callable[..., Outcome]


@pytest.fixture
def osler(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """osler("models", "list") -> its outcome, with an empty shelf of its own."""
    monkeypatch.setenv("OSLER_HOME", str(tmp_path / "home"))

    def call(*words: object) -> Outcome:
        capsys.readouterr()
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    """A sealed binary classifier of 16 x 16 grey pictures."""
    import torch
    from safetensors.torch import save_file

    from osler.core.record import to_plain
    from osler.io.files import write_json
    from osler.models.card import ModelCard, Sees
    from osler.models.digest import seal
    from osler.models.model import NetPlan, build_net
    from osler.models.recipe import Channel, Normalization, Recipe
    from osler.models.trust import Trust

    folder = tmp_path / "tiny"
    folder.mkdir()
    recipe = Recipe(
        2,
        False,
        (Channel("image", "", Normalization("fixed", mean=(128.0,), std=(64.0,))),),
        whole=True,
        size=(16, 16),
    )
    net = NetPlan("resnet", {"widths": (4, 8), "blocks": 1})
    torch.manual_seed(0)
    save_file(build_net(net, recipe, 2).state_dict(), folder / "member-0.safetensors")
    write_json(folder / "recipe.json", {"recipe": to_plain(recipe), "net": to_plain(net)})
    write_json(folder / "trust.json", to_plain(Trust()))
    sees = Sees("small grey pictures", 2)
    seal(folder, ModelCard("tiny", "1", "Opacity", "binary", ("normal", "opacity"), sees, licence="CC0"))
    return folder


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Twelve noisy 20 x 24 PNGs, a folder a class; the second class is brighter."""
    import numpy as np

    from osler.io.raster import write_image

    draw = np.random.default_rng(0)
    for number in range(12):
        name = ("normal", "opacity")[number % 2]
        noise = draw.integers(0, 120, (20, 24)) + 100 * (number % 2)
        write_image(noise.astype(np.uint8), tmp_path / "pictures" / name / f"case_{number}.png")
    return tmp_path / "pictures"

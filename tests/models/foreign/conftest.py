"""Small models with random weights, of every task."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from osler.core.record import to_plain
from osler.io.files import write_json
from osler.models.card import ModelCard, Sees
from osler.models.digest import seal
from osler.models.model import Model, NetPlan, build_net, load_model
from osler.models.recipe import Channel, Normalization, Recipe
from osler.models.tasks.table import TASKS
from osler.models.trust import Calibration, Trust

UNET = {
    "widths": (4, 8),
    "strides": ((1, 1, 1), (2, 2, 2)),
    "kernels": ((3, 3, 3), (3, 3, 3)),
    "encoder": (1, 2),
    "decoder": (1,),
}
MakeModel = Callable[..., Model]


@pytest.fixture
def make_model(tmp_path: Path) -> MakeModel:
    """make_model("ordinal", members=2, flips=(1,)) -> a loaded model."""

    def make(
        task: str, *, members: int = 1, flips: tuple[int, ...] = (), calibration: Calibration | None = None
    ) -> Model:
        pixels = TASKS[task].pixels
        classes = {"binary": 2, "regression": 1, "segmentation": 2}.get(task, 4)
        sees = Sees("noise", dims=3 if pixels else 2)
        card = ModelCard(
            f"tiny-{task}", "1", "Noise", task, tuple(f"class {n}" for n in range(classes)), sees, licence="CC0"
        )
        channel = Channel("image", "DX", Normalization("fixed", mean=(128.0,), std=(64.0,)))
        size = (8, 16, 16) if pixels else (16, 16)
        recipe = Recipe(
            sees.dims, False, (channel,), whole=not pixels, size=size, spacing=(1.0,) * 3 if pixels else None
        )
        net = NetPlan("unet", UNET) if pixels else NetPlan("resnet", {"widths": (4, 8), "blocks": 1})
        folder = tmp_path / card.name
        folder.mkdir()
        for member in range(members):
            torch.manual_seed(member)
            module = build_net(net, recipe, TASKS[task].outputs(classes + (1 if pixels else 0)))
            save_file(module.state_dict(), folder / f"member-{member}.safetensors")
        write_json(folder / "recipe.json", {"recipe": to_plain(recipe), "net": to_plain(net)})
        write_json(folder / "trust.json", to_plain(Trust(calibration=calibration or Calibration(), flips=flips)))
        seal(folder, card)
        return load_model(folder)

    return make

"""A model's folder as a training leaves it, made up: nothing in it was trained."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osler.core.record import to_plain
from osler.io.files import write_json
from osler.lab.evaluate.answers import Answers
from osler.lab.evaluate.evaluate import score
from osler.lab.plan.plan import Augmentation, Plan, Training, write_plan
from osler.models.card import ModelCard, Sees, TestResult
from osler.models.digest import seal
from osler.models.model import NetPlan, build_net
from osler.models.recipe import Channel, Normalization, Recipe
from osler.models.trust import Calibration, Conformal, Trust

CLASSES = ("clear", "<b>opacity</b>")


def made_up(cases: int = 60) -> dict[str, Any]:
    """An evaluation of a model of some skill, as evaluation.json holds it."""
    random = np.random.default_rng(0)
    truth = np.arange(cases) % 2
    said = np.clip(0.5 + 0.25 * (2 * truth - 1) + random.normal(0, 0.2, cases), 0.01, 0.99)
    names = tuple(f"case_{k}" for k in range(cases))
    answers = Answers("binary", CLASSES, names, names, np.stack([1 - said, said], 1), truth=truth)
    written = json.loads(json.dumps(score(answers, split="test", operating_point=0.4).to_json()))
    assert isinstance(written, dict)
    return written


Make = Callable[..., Path]


@pytest.fixture(scope="session")
def made_model() -> Make:
    """made_model(folder, plan=False, evaluation=False) -> the folder of a sealed binary classifier."""
    return _model


@pytest.fixture
def model(tmp_path: Path, made_model: Make) -> Make:
    """The same, in a place of its own."""
    return lambda **wanted: made_model(tmp_path / "tiny", **wanted)


def _model(
    folder: Path,
    *,
    plan: bool = True,
    training: dict[str, Any] | None = None,
    evaluation: bool = True,
    title: str = "Opacity",
) -> Path:
    from safetensors.torch import save_file

    folder.mkdir()
    rule = Normalization("percentile", low=1.0, high=99.0)
    recipe = Recipe(2, False, (Channel("image", "", rule),), whole=True, size=(16, 16))
    net = NetPlan("resnet", {"widths": (4, 8), "blocks": 1})
    save_file(build_net(net, recipe, 2).state_dict(), folder / "member-0.safetensors")
    write_json(folder / "recipe.json", {"recipe": to_plain(recipe), "net": to_plain(net)})
    trust = Trust(
        operating_point=0.4,
        calibration=Calibration("temperature", ((1.3,),), 50, 44, (0.52, 0.48), (0.09, 0.05), "One number."),
        sets=Conformal("lac", (0.8, 0.9), ((0.6,), (None,)), cases=50, patients=44, note="Few."),
        prevalence=(0.7, 0.3),
    )
    write_json(folder / "trust.json", to_plain(trust))
    if plan:
        rules = Training(600.0, seed=7)
        made = Plan("binary", CLASSES, recipe, net, rules, Augmentation(flips=(1,)), {"size": "small pictures"})
        write_plan(made, folder / "plan.json")
        history = {
            "data": {"cases": "0", "sides": {}, "target": ""},
            "budget_seconds": 600.0,
            "seed": 7,
            "members": [{"step": 90, "steps": 90, "elapsed": 120.0, "losses": [0.7, 0.3], "notes": []}],
            "cases": {"train": 100, "val": 20, "test": 60},
            "patients": {"train": 90, "val": 18, "test": 60},
        }
        write_json(folder / "training.json", history | (training or {}))
    tested: tuple[TestResult, ...] = ()
    if evaluation:
        write_json(folder / "evaluation" / "evaluation.json", made_up())
        tested = (TestResult("films", "test", 60, 60, "auc", 0.9, 0.8, 1.0, "2026-01-02"),)
    card = ModelCard(
        "tiny", "1", title, "binary", CLASSES, Sees("small grey pictures", 2), not_for=("adults",),
        limits=("Made up.",), licence="CC0", tested=tested, created="2026-01-01", software="osler 0.1.0",
    )  # fmt: skip
    seal(folder, card)
    return folder

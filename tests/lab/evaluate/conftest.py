"""Answers of made-up models, for the tests of this room."""

import numpy as np
import pytest

from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.lab.evaluate.answers import Answers
from osler.lab.evaluate.segmentation import score_case

CLASSES = {
    "binary": ("normal", "pneumonia"),
    "multiclass": ("a", "b", "c"),
    "ordinal": ("none", "mild", "moderate", "severe"),
    "multilabel": ("mass", "fluid", "air"),
    "regression": (),
    "segmentation": ("core", "rim"),
}


def names(cases, each=1):
    return tuple(f"case-{i:03d}" for i in range(cases)), tuple(f"patient-{i // each}" for i in range(cases))


@pytest.fixture(scope="session")
def made_up():
    return answers


def answers(task, *, cases=60, skill=2.0, seed=0, each=1):
    """A model's answers; the truth depends on the number of cases only, the answers on skill and seed too."""
    ids, patients = names(cases, each)
    classes = CLASSES[task]
    fate, chance = np.random.default_rng(cases), np.random.default_rng(seed)
    if task == "segmentation":
        return Answers(task, classes, ids, patients, masks=tuple(case_scores(fate, chance) for _ in ids))
    if task == "regression":
        truth = fate.normal(50, 10, cases)
        return Answers(
            task, classes, ids, patients, values=truth + chance.normal(0, 10 / skill, cases), truth=truth
        )
    if task == "multilabel":
        truth = (fate.random((cases, 3)) < 0.3).astype(int)
        said = 1 / (1 + np.exp(-(skill * (truth - 0.5) + chance.normal(0, 1, truth.shape))))
        return Answers(task, classes, ids, patients, probabilities=said, truth=truth)
    truth = fate.integers(len(classes), size=cases)
    away = (truth[:, None] != np.arange(len(classes))).astype(float)
    if task == "ordinal":
        away = np.abs(truth[:, None] - np.arange(len(classes))) / 1.5
    raised = np.exp(-skill * away + chance.normal(0, 1, away.shape))
    said = raised / raised.sum(1, keepdims=True)
    return Answers(task, classes, ids, patients, probabilities=said, truth=truth)


def case_scores(fate, chance):
    labels = {1: "core", 2: "rim"}
    grid = Geometry.from_spacing((8, 10, 10), (2, 1, 1))
    reference = np.zeros(grid.shape, np.uint8)
    reference[2:6, 2:8, 2:8] = 2
    reference[3:5, 4:6, 4 : 5 + fate.integers(1, 3)] = 1
    predicted = np.roll(reference, int(chance.integers(0, 3)), axis=1)
    return score_case(Mask(predicted, labels, geometry=grid), Mask(reference, labels, geometry=grid))


class Brightness:
    """A net that calls bright pictures: two logits from the mean of the tensor."""

    def logits(self, images):
        import torch

        seen = 6 * images.float().flatten(1).mean(1)
        return torch.stack([-seen, seen], 1), None


@pytest.fixture
def brightness_model(tmp_path):
    """A binary model, "dark" or "bright", that needs no training."""
    from osler.models.card import ModelCard, Sees
    from osler.models.model import Model
    from osler.models.recipe import Channel, Normalization, Recipe
    from osler.models.tasks.table import TASKS
    from osler.models.trust import Trust

    recipe = Recipe(
        2, False, (Channel("image", "", Normalization("fixed", mean=(120.0,), std=(60.0,))),), True, (12, 12)
    )
    card = ModelCard("light", "1", "Light or dark", "binary", ("dark", "bright"), Sees("pictures", 2))
    folder = tmp_path / "light"
    folder.mkdir()
    return Model(card, recipe, Trust(), TASKS["binary"], (Brightness(),), folder)


@pytest.fixture
def grey_table(tmp_path):
    """Writes PNG and a table: grey_table("home", labels, split=..., each patient two pictures) -> the CSV."""
    return lambda name, labels, **more: _grey_table(tmp_path / name, labels, **more)


def _grey_table(folder, labels, *, splits=None, seed=0, shift=0.0):
    from osler.io.raster import write_image

    random = np.random.default_rng(seed)
    folder.mkdir()
    lines = ["image,label,patient,sex" + (",split" if splits else "")]
    for number, label in enumerate(labels):
        level = shift + (140 if label == "bright" else 100) + random.normal(0, 20)
        grey = np.clip(random.normal(level, 12, (14, 16)), 0, 255).astype(np.uint8)
        write_image(grey, folder / f"{number:03d}.png")
        row = [f"{number:03d}.png", label, f"p{number // 2}", "fm"[number // 2 % 2]]
        lines.append(",".join(row + ([splits[number]] if splits else [])))
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    return folder / "table.csv"

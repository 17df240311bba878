"""The story page of trust, on a made-up model whose answers are known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from osler.core.errors import BadModel
from osler.lab.catalog.dataset import Dataset
from osler.lab.catalog.recognize import read_dataset
from osler.lab.trust import likeness
from osler.lab.trust.fit import fit_trust
from osler.models.card import ModelCard, Sees
from osler.models.model import Model
from osler.models.recipe import Channel, Normalization, Recipe
from osler.models.tasks.table import TASKS
from osler.models.trust import Trust


@pytest.fixture(autouse=True)
def _few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate has tests of its own: here it looks at a dozen pictures."""
    for name, few in (("MOST", 12), ("LEAST", 12), ("NOTICED", 2)):
        monkeypatch.setattr(likeness, name, few)


class Bright:
    """Says of a picture's brightness (0 to 255) how likely the second class is, too surely by `sharp`."""

    def __init__(self, sharp: float = 1.0) -> None:
        self.sharp = sharp

    def logits(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        place = (images.flatten(1).mean(1) - 128) / 32 * self.sharp
        return place[:, None] * torch.tensor([-0.5, 0.5]), images.flatten(1)[:, :3]


def made_up(folder: Path, cases: int, *, seed: int = 0) -> Dataset:
    """A MedMNIST file whose labels follow the brightness of the pictures by chance."""
    random = np.random.default_rng(seed)
    grey = random.integers(30, 226, cases)
    labels = (random.random(cases) < 1 / (1 + np.exp(-(grey - 128) / 32))).astype(np.uint8)[:, None]
    images = (np.ones((cases, 4, 4)) * grey[:, None, None]).astype(np.uint8)
    arrays = {f"{split}_{kind}": data for split in ("train", "val", "test")
              for kind, data in (("images", images), ("labels", labels))}  # fmt: skip
    np.savez(folder / "madeupmnist.npz", **arrays)
    return read_dataset(folder / "madeupmnist.npz", task="binary")


def model(task: str = "binary", sharp: float = 1.0, classes: tuple[str, ...] = ("0", "1")) -> Model:
    card = ModelCard("m", "1", "M", task, classes, Sees("anything", 2))
    recipe = Recipe(2, False, (Channel("image", "", Normalization("fixed")),), True, (4, 4))
    return Model(card, recipe, Trust(), TASKS[task], (Bright(sharp),), Path())


def fitted(tmp_path: Path, cases: int, *, sharp: float = 1.0, balance: float = 0.0) -> Model:
    data = made_up(tmp_path, cases)
    plain = model(sharp=sharp, classes=data.classes)
    return fit_trust(plain, data.split("val"), data.split("train"), (), balance=balance)


def test_a_model_that_is_too_sure_is_calibrated_and_promises(tmp_path: Path) -> None:
    trust = fitted(tmp_path, 160, sharp=3.0).trust
    assert trust.calibration.how == "temperature"
    assert trust.calibration.numbers[0][0] == pytest.approx(3.0, rel=0.3)
    assert trust.calibration.nll[1] < trust.calibration.nll[0] and trust.calibration.patients == 160
    assert trust.sets is not None and trust.sets.how == "lac" and len(trust.sets.thresholds[0]) == 2
    train = read_dataset(tmp_path / "madeupmnist.npz", task="binary").split("train")
    assert trust.prevalence[1] == pytest.approx(np.mean([case.label for case in train.cases]), abs=1e-5)
    assert trust.operating_point != 0.5 and trust.gate is not None


def test_the_prevalence_is_that_at_which_cases_were_drawn(tmp_path: Path) -> None:
    data = made_up(tmp_path, 50)
    train = data.split("train")
    labels = np.array([case.label for case in train.cases])
    kept = tuple(case for n, case in enumerate(train.cases) if labels[n] == 1 or n < 12)
    rare = replace(train, cases=kept)
    counts = np.bincount([case.label for case in kept]).astype(float)
    drawn = counts**0.5 / (counts**0.5).sum()
    plain = model(classes=data.classes)
    for balance, expected in ((0.5, drawn), (0.0, counts / counts.sum())):
        trust = fit_trust(plain, data.split("val"), rare, (), balance=balance).trust
        assert trust.prevalence == pytest.approx(expected, abs=1e-5)


def test_eight_cases_change_nothing_and_say_so(tmp_path: Path) -> None:
    trust = fitted(tmp_path, 8, sharp=3.0).trust
    assert trust.calibration.how == "none" and "too few" in trust.calibration.note
    assert trust.sets is None and trust.operating_point == 0.5


def test_a_class_that_is_missing_is_said(tmp_path: Path) -> None:
    data = made_up(tmp_path, 60)
    only = replace(data.split("val"), cases=tuple(c for c in data.split("val").cases if c.label == 1))
    trust = fit_trust(model(classes=data.classes), only, data.split("train"), ()).trust
    assert trust.calibration.how == "none" and f"no {data.classes[0]}" in trust.calibration.note
    assert trust.sets is not None and len(trust.sets.thresholds[0]) == 1, "no promise for a class without patients"


def test_a_net_that_answers_nan_is_a_bad_model(tmp_path: Path) -> None:
    data = made_up(tmp_path, 20)
    broken = replace(model(classes=data.classes), members=(Bright(float("nan")),))
    with pytest.raises(BadModel, match="NaN"):
        fit_trust(broken, data.split("val"), data.split("train"), ())


def test_without_validation_nothing_is_fitted(tmp_path: Path) -> None:
    data = made_up(tmp_path, 20)
    plain = model(classes=data.classes)
    assert fit_trust(plain, replace(data, cases=()), data.split("train"), ()) is plain

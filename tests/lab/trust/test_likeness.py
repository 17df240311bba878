"""Fitting the gate: the promise, what it notices, and what happens with little to go by."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import betabinom

from osler.core.image import Image
from osler.inference.gate import judge, likeness, scores_of
from osler.inference.predict import predict_prepared
from osler.lab.catalog.dataset import Case, Dataset, Source
from osler.lab.trust.likeness import fit_gate, fit_scores, gaussian
from osler.models.card import ModelCard, Sees
from osler.models.model import Model, store_space
from osler.models.model import _space as stored_space
from osler.models.prepare import prepare
from osler.models.recipe import Channel, Normalization, Recipe
from osler.models.tasks.table import TASKS
from osler.models.trust import Trust

ROWS, COLUMNS = 24, 20


@dataclass
class Pools:
    """A net whose features are means of four parts of the picture; `kind` spoils them."""

    kind: str = ""

    def logits(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        features = torch.nn.functional.adaptive_avg_pool2d(images[:, 0], (2, 2)).flatten(1)
        if self.kind == "constant":
            features = features * 0 + 1
        if self.kind == "nan":
            features[::3] = float("nan")
        return torch.zeros(len(images), 2), None if self.kind == "none" else features


def model_of(net: object, task: str = "binary") -> Model:
    recipe = Recipe(2, False, (Channel("image", "", Normalization("zscore")),), True, (ROWS, COLUMNS))
    card = ModelCard("made-up", "1", "Made up", task, ("no", "yes"), Sees("pictures", 2))
    return Model(card, recipe, Trust(), TASKS[task], (net,), Path())  # type: ignore[arg-type]


def pixels(random: np.random.Generator) -> np.ndarray:
    """Dark above, bright below, alike left and right, each a little different."""
    fall = np.linspace(0, 1, ROWS)[:, None] ** random.uniform(0.7, 1.5)
    array = 150 * fall * np.ones((1, COLUMNS)) + random.normal(40, 8) + random.normal(0, 9, (ROWS, COLUMNS))
    return np.clip(array, 0, 255).astype(np.uint8)


def data_of(folder: Path, name: str, patients: int, *, each: int = 1, seed: int = 0) -> Dataset:
    random = np.random.default_rng(seed)
    np.savez(folder / f"{name}.npz", images=np.stack([pixels(random) for _ in range(patients * each)]))
    cases = tuple(
        Case(
            f"{name}-{n:04}",
            f"{name}-patient-{n // each}",
            (Source(folder / f"{name}.npz", f"images:{n}"),),
            n % 2,
        )
        for n in range(patients * each)
    )
    return Dataset("made up", folder, "binary", ("no", "yes"), ("image",), cases, "here")


def fitted(model: Model, folder: Path, validation: Dataset, seen: Dataset) -> Model:
    from dataclasses import replace

    gate, space, look = fit_gate(model, validation, seen)
    return replace(model, trust=replace(model.trust, gate=gate), space=space, look=look)


def looked_at(model: Model, array: np.ndarray):
    pictures = [Image(array)]
    prepared = prepare(pictures, model.recipe)
    like = likeness(model, pictures, prepared, next(predict_prepared(model, [prepared])).features)
    assert like is not None
    return like


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("gated")
    return fitted(
        model_of(Pools()), folder, data_of(folder, "val", 60, each=2, seed=1), data_of(folder, "train", 200)
    )


def test_false_alarms_are_as_many_as_promised(gated):
    random = np.random.default_rng(5)
    alarms = sum(looked_at(gated, pixels(random)).unlike for _ in range(150))
    rank = int(0.05 * 61)
    low, high = betabinom.interval(0.999, 150, rank, 61 - rank)
    assert low <= alarms <= high and gated.trust.gate.patients == 60


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda one: one[::-1], "upside down"),
        (lambda one: 255 - one, "inverted"),
        (lambda one: np.random.default_rng(1).integers(0, 255, one.shape).astype(np.uint8), ""),
        (lambda one: np.full_like(one, 90), ""),
    ],
)
def test_what_stands_wrong_is_noticed_and_named(gated, spoil, reason):
    random = np.random.default_rng(6)
    likes = [looked_at(gated, np.ascontiguousarray(spoil(pixels(random)))) for _ in range(20)]
    assert np.mean([like.unlike for like in likes]) > 0.9
    # Dark above and bright below, upside down and inverted are the same thing said twice.
    named = [any(word in like.reason for word in ("upside", "inverted", "half a turn")) for like in likes]
    assert np.mean(named) > 0.9 if reason else np.mean(named) < 0.2


def test_only_ways_that_can_be_told_are_looked_for(gated):
    assert "upside down" in gated.look.turns and "mirrored" not in gated.look.turns
    notices = gated.trust.gate.notices
    assert notices["upside down"] > 0.9 and notices["mirrored"] < 0.3 and notices["noise only"] > 0.9


def test_training_features_and_labels_are_kept_and_validation_ones_are_not(gated, tmp_path):
    space = gated.space
    assert space.features.shape == (200, 4) and space.features.dtype == np.float16
    assert list(space.labels) == [n % 2 for n in range(200)]
    store_space(space, gated.look, tmp_path / "features.safetensors")
    again, look = stored_space(tmp_path / "features.safetensors")
    for name in ("mean", "whitening", "features", "labels"):
        np.testing.assert_array_equal(getattr(again, name), getattr(space, name))
    assert sorted(look.turns) == sorted(gated.look.turns)
    for name, row in zip(look.turns, look.towards, strict=True):
        np.testing.assert_array_equal(row, gated.look.towards[gated.look.turns.index(name)])
    store_space(None, None, tmp_path / "features.safetensors")
    assert stored_space(tmp_path / "features.safetensors") == (None, None)


@pytest.mark.parametrize("kind", ["none", "constant", "nan"])
def test_a_net_without_sound_features_still_has_a_gate(tmp_path, kind):
    model = fitted(
        model_of(Pools(kind)), tmp_path, data_of(tmp_path, "val", 30, seed=1), data_of(tmp_path, "train", 60)
    )
    assert (model.space is None) == (kind != "nan")
    if kind != "nan":
        assert looked_at(model, pixels(np.random.default_rng(3))[::-1].copy()).unlike
        assert "net" not in {one.name for one in model.trust.gate.evidence}


@pytest.mark.parametrize(("patients", "sure"), [(2, None), (8, False), (19, True)])
def test_few_validation_patients_are_said_to_be_few(tmp_path, patients, sure):
    validation = data_of(tmp_path, "val", patients, seed=1)
    model = fitted(model_of(Pools()), tmp_path, validation, data_of(tmp_path, "train", 60))
    gate = model.trust.gate
    assert gate.patients == patients and (f"{patients} " in gate.note) == (sure is not True)
    like = looked_at(model, 255 - pixels(np.random.default_rng(3)))
    assert like.unlike == (sure is not None)
    if sure is not None:
        assert like.sure is sure and like.p == pytest.approx(1 / (patients + 1))


def test_a_net_from_elsewhere_learns_from_half_of_the_patients(tmp_path):
    data = data_of(tmp_path, "val", 60, each=2)
    gate, space, _ = fit_gate(model_of(Pools()), data, data)
    assert gate.patients == 30 and len(space.features) == 60


def test_the_promise_is_kept_with_many_measures_and_few_patients():
    """What is usual of nine measures is learnt from the same 24 patients whose scores are kept."""
    random = np.random.default_rng(0)
    alarms = []
    for _ in range(100):
        drawn = random.gamma(4, 1, (24 + 40, 9)) * np.arange(1, 10)
        rows = [dict(zip("abcdefghi", row, strict=True)) for row in drawn]
        evidence, scores = fit_scores(rows[:24])
        from osler.models.likeness import Gate

        gate = Gate(0.05, scores, evidence, patients=24)
        alarms += [judge(scores_of(row, gate), gate).unlike for row in rows[24:]]
    # One in 25 is what 24 patients can promise; 4,000 draws, of which 40 share their patients.
    assert np.mean(alarms) == pytest.approx(1 / 25, abs=0.015)


def test_whitening_is_the_shrunk_covariances():
    from sklearn.covariance import LedoitWolf

    random = np.random.default_rng(0)
    rows = random.normal(size=(300, 6)) @ random.normal(size=(6, 6))
    mean, whitening = gaussian(rows)
    expected = LedoitWolf().fit(rows).mahalanobis(rows)
    assert np.square((rows - mean) @ whitening.T).sum(1) == pytest.approx(expected, rel=5e-3)

"""Masks, volumes and voxels with a promise, where the truth is made up and so is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from PIL import Image as Pillow

from osler.core.errors import BadDataset, BadGeometry, BadModel
from osler.inference.bounds import promised
from osler.inference.predict import predict_prepared
from osler.lab.catalog.cases import load_pictures
from osler.lab.catalog.dataset import Case, Dataset, Source
from osler.lab.trust.masks import (
    RISKS,
    THRESHOLDS,
    Curves,
    Sample,
    curves_of,
    fit_bounds,
    fit_masks,
    fit_volumes,
    fit_voxels,
    gathered,
    inner_threshold,
    mean_by_patient,
    outer_threshold,
    sample_borders,
)
from osler.models.card import ModelCard, Sees
from osler.models.model import Model
from osler.models.prepare import prepare
from osler.models.recipe import Channel, Normalization, Recipe
from osler.models.tasks.table import TASKS
from osler.models.trust import Trust


def case(seed: int, *, shape=(6, 14, 14), sharp=4.0, absent=False) -> tuple[np.ndarray, np.ndarray]:
    """A ball and what a model that sees it a little displaced and blurred says: (2, *shape), (*shape)."""
    dice = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), -1).astype(float)
    centre, radius = np.array(shape) / 2 + dice.normal(0, 0.6, 3), dice.uniform(2, 4)
    away = np.linalg.norm(grid - centre, axis=-1)
    seen = np.linalg.norm(grid - centre - dice.normal(0, 0.5, 3), axis=-1)
    there = 1 / (1 + np.exp(sharp * (seen - radius - dice.normal(0, 0.5))))
    truth = np.zeros(shape, int) if absent else (away <= radius).astype(int)
    return np.stack([1 - there, there]).astype(np.float32), truth


def many(count: int, *, absent: int = 0) -> Curves:
    return gathered([curves_of(*case(seed, absent=seed < absent)) for seed in range(count)])


ALL = many(120)
OWNER = np.arange(120)


@settings(max_examples=10, deadline=None)
@given(some.integers(0, 500), some.sampled_from([1, 40, 600, 1200, len(THRESHOLDS) - 1]))
def test_a_curve_is_what_each_mask_misses_and_mistakes(seed, place):
    shares, truth = case(seed)
    kept = curves_of(shares, truth)
    p, inside = shares[1].astype(np.float16), truth == 1
    held = p >= THRESHOLDS[place]
    assert kept.missed[0, 0, place] == pytest.approx((inside & ~held).sum() / inside.sum(), abs=1e-6)
    worst = max((p[p >= t].size - inside[p >= t].sum()) / max(1, p[p >= t].size) for t in THRESHOLDS[place:])
    assert kept.mistaken[0, 0, place] == pytest.approx(worst, abs=1e-6)
    assert kept.voxels[0, 0] == (shares[1] > shares[0]).sum() and kept.true[0, 0] == inside.sum()


def test_thresholds_tell_tiny_probabilities_apart():
    assert THRESHOLDS[0] == 0 and THRESHOLDS[-1] == 1 and (np.diff(THRESHOLDS) > 0).all()
    assert 0 < THRESHOLDS[1] <= 1e-6
    assert (np.diff(THRESHOLDS) / THRESHOLDS[1:])[64:].max() < 0.02
    assert (THRESHOLDS.astype(np.float16) == THRESHOLDS).all()  # what a reading compares is exactly these


def test_few_patients_promise_what_is_possible_and_no_more():
    """Risk control can promise no share under 1 / (n + 1), even where nothing was ever missed."""
    perfect = np.zeros((18, len(THRESHOLDS)))
    assert outer_threshold(perfect, 0.05) is None and inner_threshold(perfect, 0.05) is None
    assert outer_threshold(np.zeros((19, len(THRESHOLDS))), 0.05) == 1.0
    assert outer_threshold(np.zeros((0, len(THRESHOLDS))), 0.2) is None
    hopeless = np.ones((50, len(THRESHOLDS)))
    assert inner_threshold(hopeless, 0.2) is None


@given(some.integers(20, 60), some.integers(0, 99), some.sampled_from(RISKS))
def test_thresholds_are_those_of_the_definition(n, seed, risk):
    """lambda-hat by brute force, from its definition in Angelopoulos et al. 2022."""
    steps = np.sort(np.random.default_rng(seed).random((n, 12)), axis=1)
    rising = np.repeat(steps, -(-len(THRESHOLDS) // 12), axis=1)[:, : len(THRESHOLDS)]
    right = [
        t for t, mean in zip(THRESHOLDS, rising.mean(0), strict=True) if n / (n + 1) * mean + 1 / (n + 1) <= risk
    ]
    assert outer_threshold(rising, risk) == (max(right) if right else None)
    right = [
        t
        for t, mean in zip(THRESHOLDS, rising[:, ::-1].mean(0), strict=True)
        if n / (n + 1) * mean + 1 / (n + 1) <= risk
    ]
    assert inner_threshold(rising[:, ::-1], risk) == (min(right) if right else None)


@pytest.mark.parametrize("risk", RISKS)
def test_the_promise_of_masks_holds_on_average(risk):
    dice = np.random.default_rng(0)
    missed, mistaken = [], []
    for _ in range(150):
        order = dice.permutation(120)
        known, new = order[:40], order[40:]
        outer = outer_threshold(ALL.missed[known, 0].astype(float), risk)
        inner = inner_threshold(ALL.mistaken[known, 0].astype(float), risk)
        missed.append(ALL.missed[new, 0][:, outer == THRESHOLDS].mean())
        mistaken.append(ALL.mistaken[new, 0][:, inner == THRESHOLDS].mean())
    noise = 3 * np.std(missed) / np.sqrt(150)
    assert np.mean(missed) <= risk + noise
    assert np.mean(missed) >= risk - 2 / 41 - noise  # and promises not much less than it keeps
    assert np.mean(mistaken) <= risk + 3 * np.std(mistaken) / np.sqrt(150)


def test_volumes_are_covered_as_promised():
    """Of reshuffled patients the coverage is rank / (n + 1) exactly, up to chance."""
    dice = np.random.default_rng(1)
    errors, scale = np.abs(ALL.true - ALL.voxels)[:, 0], {"doubt": ALL.doubt[:, 0], "share": ALL.voxels[:, 0]}
    covered = []
    for _ in range(60):
        order = dice.permutation(120)
        known, new = order[:39], order[39:]
        volumes = fit_volumes(_some(ALL, known), known, ("ball",))
        times = volumes.thresholds[volumes.levels.index(0.9)][0]
        covered.append((errors[new] <= times * scale[volumes.how][new] + 1e-9).mean())
    assert np.mean(covered) == pytest.approx(36 / 40, abs=4 * np.std(covered) / np.sqrt(60) + 0.005)


def test_doubt_is_chosen_where_it_foretells_the_error_and_where_masks_were_empty():
    dice = np.random.default_rng(2)
    doubt, voxels = dice.uniform(1, 100, (60, 1)), dice.uniform(500, 1000, (60, 1))
    flat = np.zeros((60, 1, len(THRESHOLDS)), np.float32)
    errors = doubt * dice.uniform(0.5, 1, (60, 1))
    assert fit_volumes(Curves(flat, flat, voxels, voxels + errors, doubt), OWNER[:60], ("a",)).how == "doubt"
    errors = voxels * dice.uniform(0.05, 0.06, (60, 1))
    assert fit_volumes(Curves(flat, flat, voxels, voxels + errors, doubt), OWNER[:60], ("a",)).how == "share"
    voxels[3] = 0
    empty = fit_volumes(Curves(flat, flat, voxels, voxels + errors, doubt), OWNER[:60], ("a",))
    assert empty.how == "doubt" and np.isfinite(empty.thresholds[1][0])


def test_patients_count_and_not_their_cases():
    losses = np.array([[0.0], [0.0], [0.9]])
    assert mean_by_patient(losses, np.array([4, 4, 7]))[:, 0].tolist() == [0.0, 0.9]
    twice = _some(ALL, np.repeat(np.arange(60), 2))
    once = fit_bounds(_some(ALL, np.arange(60)), np.arange(60), ("ball",))
    assert fit_bounds(twice, np.repeat(np.arange(60), 2), ("ball",)) == once
    assert once.patients == 60 and once.holding == (60,)


def test_eight_patients_are_said_to_be_few():
    bounds = fit_bounds(_some(ALL, np.arange(8)), np.arange(8), ("ball",))
    assert bounds.outer[0] == bounds.outer[1] == (None,) and bounds.outer[2] != (None,)
    assert "8 patients" in bounds.note and "0.11" in bounds.note
    volumes = fit_volumes(_some(ALL, np.arange(8)), np.arange(8), ("ball",))
    assert volumes.thresholds[1] == (None,) and "8 patients are too few" in volumes.note
    alone = fit_bounds(_some(ALL, np.arange(1)), np.arange(1), ("ball",))
    assert all(row == (None,) for row in alone.outer + alone.inner)
    assert fit_volumes(_some(ALL, np.arange(1)), np.arange(1), ("ball",)).thresholds == ((None,),) * 3


def test_a_label_that_nobody_has_is_promised_nothing():
    bounds = fit_bounds(many(24, absent=24), np.arange(24), ("ball",))
    assert all(row == (None,) for row in bounds.outer + bounds.inner) and bounds.holding == (0,)
    assert "None of them has ball" in bounds.note
    volumes = fit_volumes(many(24, absent=24), np.arange(24), ("ball",))
    assert all(row == (None,) for row in volumes.thresholds) and "No validation case has ball" in volumes.note
    part = fit_bounds(many(60, absent=30), np.arange(60), ("ball",))
    assert part.holding == (30,) and "ball is in 30 of them" in part.note
    # All that an inner mask holds of the other half is wrong, so that it must be far more careful.
    whole = fit_bounds(_some(ALL, np.arange(30, 60)), np.arange(30), ("ball",))
    assert part.outer == whole.outer
    assert part.inner[2][0] is None or part.inner[2][0] > whole.inner[2][0]


def too_sure(patients: int, temperature: float, each: int = 300) -> list[Sample]:
    """Voxels whose logits are `temperature` times too large."""
    dice = np.random.default_rng(3)
    found = []
    for _ in range(patients):
        logits = dice.normal(0, 1.5, (each, 3))
        p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        truth = (p.cumsum(1) < dice.random((each, 1))).sum(1)
        said = np.exp(logits * temperature)
        found.append(Sample(said / said.sum(1, keepdims=True), truth))
    return found


def test_voxels_that_are_too_sure_find_their_temperature():
    calibration, each = fit_voxels(too_sure(40, 2.0), np.arange(40))
    assert calibration.how == "temperature" and calibration.numbers[0][0] == pytest.approx(2.0, rel=0.05)
    assert calibration.nll[1] < calibration.nll[0] and calibration.ece[1] < 0.3 * calibration.ece[0]
    assert each == pytest.approx(2.0, rel=0.06) and len(set(each.tolist())) == 5  # one for each fold
    assert calibration.patients == 40


def test_believable_voxels_and_few_patients_stay_as_they_are():
    few, each = fit_voxels(too_sure(9, 3.0), np.arange(9))
    assert few.how == "none" and "9 patients" in few.note and (each == 1).all()
    nothing, _ = fit_voxels([Sample(np.empty((0, 2)), np.empty(0, int))] * 30, np.arange(30))
    assert nothing.how == "none" and nothing.patients == 0
    fair, _ = fit_voxels(too_sure(40, 1.0), np.arange(40))
    assert fair.how == "none" or fair.numbers[0][0] == pytest.approx(1, abs=0.05)


def test_voxels_are_drawn_from_both_sides_of_a_border():
    shares, truth = case(5, shape=(12, 24, 24))
    drawn = sample_borders(shares, truth, many=200, dice=np.random.default_rng(0))
    assert drawn.shares.shape == (200, 2) and 40 < drawn.truth.sum() < 160
    assert np.isclose(drawn.shares.sum(1), 1).all()
    nothing = sample_borders(shares, 0 * truth, many=200, dice=np.random.default_rng(0))
    assert nothing.shares.shape == (0, 2) and nothing.truth.shape == (0,)


class Says:
    """A net that is a function of the pictures."""

    def __init__(self, logits):
        self.said = logits

    def logits(self, images):
        return self.said(images), None


def model(logits) -> Model:
    card = ModelCard("m", "1", "M", "segmentation", ("spot",), Sees("anything", 2))
    recipe = Recipe(2, False, (Channel("image", "", Normalization("fixed")),), True, (20, 16))
    return Model(card, recipe, Trust(), TASKS["segmentation"], (Says(logits),), Path())


@pytest.fixture(scope="module")
def spots(tmp_path_factory) -> Dataset:
    """Flat pictures of spots in noise, 24 cases of 12 patients."""
    folder = tmp_path_factory.mktemp("spots")
    dice, cases = np.random.default_rng(0), []
    for n in range(24):
        truth = np.zeros((20, 16), np.uint8)
        truth[4 : 8 + n % 5, 5:12] = 1
        noisy = np.clip(60 * truth + 100 + dice.normal(0, 25, truth.shape), 0, 255)
        Pillow.fromarray(noisy.astype(np.uint8)).save(folder / f"{n}.png")
        Pillow.fromarray(truth).save(folder / f"{n}-mask.png")
        pictures = (Source(folder / f"{n}.png"),)
        cases.append(Case(f"{n:02d}", f"p{n // 2}", pictures, Source(folder / f"{n}-mask.png"), "val"))
    return Dataset(
        "spots", folder, "segmentation", ("background", "spot"), ("image",), tuple(cases), "", label_values=(0, 1)
    )


def brightness(images):
    return torch.cat([130 - images, images - 130], 1) / 6


def test_a_flat_model_is_calibrated_and_keeps_its_promise_where_it_was_fitted(spots):
    told = []
    made = model(brightness)
    calibration, volumes, bounds = fit_masks(made, spots, tell=lambda *step: told.append(step))
    assert calibration.how == "temperature" and calibration.numbers[0][0] > 1 and calibration.patients == 12
    assert volumes is not None and volumes.patients == 12 and volumes.cases == 24 and volumes.thresholds[1][0] > 0
    assert bounds is not None and bounds.patients == 12 and bounds.outer[0] == (None,)
    assert {stage for stage, *_ in told} == {"calibrating voxels", "promising masks"}
    trusted = replace(made, trust=Trust(calibration=calibration, volumes=volumes, bounds=bounds))
    outer, _ = promised(bounds, 1, risk=0.2)
    missed = []
    for one in spots.cases:
        said = next(predict_prepared(trusted, [prepare(load_pictures(one), made.recipe)]))
        plain = next(predict_prepared(made, [prepare(load_pictures(one), made.recipe)]))
        assert (said.mask.array == plain.mask.array).all()
        truth = np.zeros((20, 16), bool)
        truth[4 : 8 + int(one.id) % 5, 5:12] = True
        missed.append((said.voxel_probability[0][truth] < outer[0]).mean())
    assert np.mean(missed) <= 0.2


def test_what_cannot_be_fitted_is_said(spots):
    with pytest.raises(BadModel, match="NaN"):
        fit_masks(model(lambda images: brightness(images) * float("nan")), spots)
    with pytest.raises(BadDataset, match="no cases"):
        fit_masks(model(brightness), spots.split("test"))
    small = Source(spots.root / "small.png")
    Pillow.fromarray(np.zeros((5, 5), np.uint8)).save(small.path)
    with pytest.raises(BadGeometry, match="different sizes"):
        fit_masks(model(brightness), replace(spots, cases=(replace(spots.cases[0], label=small),)))


def _some(curves: Curves, places: np.ndarray) -> Curves:
    return Curves(
        curves.missed[places],
        curves.mistaken[places],
        curves.voxels[places],
        curves.true[places],
        curves.doubt[places],
    )


@pytest.mark.parametrize("risk", RISKS)
def test_outer_masks_are_those_of_mapie(risk):
    from mapie.risk_control import SemanticSegmentationController

    dice = np.random.default_rng(0)
    truth = np.zeros((30, 1, 16, 16), int)
    truth[:, :, 4:11, 5:12] = 1
    p = np.clip(dice.beta(2, 2, truth.shape) * 0.6 + 0.4 * truth * dice.random((30, 1, 1, 1)), 1e-4, 0.9999)
    theirs = SemanticSegmentationController(
        predict_function=lambda said: said,
        risk="recall",
        method="crc",
        target_level=1 - risk,
        predict_params=THRESHOLDS,
    )
    theirs.calibrate(p, truth)
    missed = [[(one[0][so[0] == 1] < t).mean() for t in THRESHOLDS] for one, so in zip(p, truth, strict=True)]
    assert outer_threshold(np.array(missed), risk) == pytest.approx(float(theirs.best_predict_param[0]), rel=1e-6)

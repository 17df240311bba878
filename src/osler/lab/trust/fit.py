"""How far a model's answers can be believed: everything that validation cases say of it, on one page.

    mirror images -> calibration and promised sets (or masks and volumes) -> prevalence -> operating point
    -> what pictures like the training's look like

Nothing here has seen a test case.
"""

from dataclasses import replace

import numpy as np

from osler.core.progress import Tell, silent
from osler.inference.calibrated import calibrated
from osler.lab.catalog.dataset import Dataset
from osler.lab.evaluate.answers import Answers
from osler.lab.evaluate.classification import choose_operating_point, nll
from osler.lab.evaluate.run import Asked, ask, in_order_of
from osler.lab.trust.calibration import fit_calibration
from osler.lab.trust.conformal import fit_sets
from osler.lab.trust.likeness import fit_gate
from osler.lab.trust.masks import fit_masks
from osler.models.model import Model

GAIN = 0.002  # mirrors are worth their time from this much validation Dice on, or this share of the log-loss
ENOUGH_TO_CHOOSE = 20  # validation cases of each side before an operating point other than one half is chosen


def fit_trust(
    model: Model,
    validation: Dataset,
    seen: Dataset,
    flips: tuple[int, ...],
    *,
    balance: float = 0.0,
    tell: Tell = silent,
) -> Model:
    """The model with what validation cases say of its answers.

    seen     the cases it was trained on
    flips    the axes it saw mirrored while training; no other mirror image may be asked about
    balance  how much more often rare classes were drawn in training; see `Plan.training`
    """
    if not validation.cases:
        return model
    model, asked = with_mirrors(model, validation, flips, tell=tell)
    if model.task.pixels:
        model = with_masks(model, validation, tell=tell)
    else:
        model = with_calibration(model, asked.answers)
        model = with_prevalence(model, asked.answers, seen, balance)
        model = with_operating_point(model, asked.answers)
    return with_gate(model, validation, seen, tell=tell)


def with_mirrors(model: Model, validation: Dataset, flips: tuple[int, ...], *, tell: Tell) -> tuple[Model, Asked]:
    """The model that also asks about mirror images where that helps, and its answers as they are."""
    plain = ask(model, validation, tell=tell)
    if not flips:
        return model, plain
    mirrored = replace(model, trust=replace(model.trust, flips=flips))
    better = ask(mirrored, validation, tell=tell)
    return (mirrored, better) if _gain(plain, better) > GAIN else (model, plain)


def with_calibration(model: Model, answers: Answers) -> Model:
    """Calibrated probabilities, and sets or intervals with a promise; of raw answers."""
    if answers.task == "regression":
        return replace(model, trust=replace(model.trust, sets=fit_sets(answers, None)))
    fitted = fit_calibration(answers)
    sets = fit_sets(answers, fitted.unseen)
    return replace(model, trust=replace(model.trust, calibration=fitted.calibration, sets=sets))


def with_masks(model: Model, validation: Dataset, *, tell: Tell) -> Model:
    """Calibrated voxels, promised volumes, and masks that promise what they hold."""
    calibration, volumes, bounds = fit_masks(model, validation, tell=tell)
    return replace(model, trust=replace(model.trust, calibration=calibration, volumes=volumes, bounds=bounds))


def with_prevalence(model: Model, answers: Answers, seen: Dataset, balance: float) -> Model:
    """The shares of the classes that calibrated answers take for granted.

    Those the net was trained at, as often as cases were drawn; a calibration that can move every answer to one
    side (all but a temperature) has moved them to those of the validation cases.
    """
    if answers.task == "regression":
        return model
    if model.trust.calibration.how in ("none", "temperature"):
        labels = np.array([case.label for case in in_order_of(model, seen).cases], int)
    else:
        labels, balance = answers.labels, 0.0
    if answers.task == "multilabel":
        shares = labels.mean(axis=0)
    else:
        counts = np.bincount(labels, minlength=len(answers.classes)).astype(float)
        drawn = np.where(counts > 0, np.maximum(counts, 1) ** (1 - balance), 0)
        shares = drawn / drawn.sum()
    if not (shares.min() > 0 and shares.max() < 1):
        return model  # a class that was never seen has no share to start from
    return replace(model, trust=replace(model.trust, prevalence=tuple(round(float(s), 6) for s in shares)))


def with_operating_point(model: Model, answers: Answers) -> Model:
    """The probability from which on a binary finding is called present, where there are cases to choose it by."""
    if answers.task != "binary" or np.bincount(answers.labels, minlength=2).min() < ENOUGH_TO_CHOOSE:
        return model
    chances = calibrated(answers.chances, model.trust.calibration, answers.task)
    point = choose_operating_point(chances[:, 1], answers.labels == 1)
    return replace(model, trust=replace(model.trust, operating_point=float(point)))


def with_gate(model: Model, validation: Dataset, seen: Dataset, *, tell: Tell) -> Model:
    """The model with what its training pictures look like, and when another one is unlike all of them."""
    gate, space, look = fit_gate(model, validation, in_order_of(model, seen), tell=tell)
    return replace(model, trust=replace(model.trust, gate=gate), space=space, look=look)


def _gain(plain: Asked, mirrored: Asked) -> float:
    """How much better the mirrored answers are: Dice gained, or the share of the loss that is gone."""
    if plain.answers.task == "segmentation":
        return _mean_dice(mirrored) - _mean_dice(plain)
    if plain.answers.task == "regression":
        truth = np.asarray(plain.answers.truth, float)
        before, after = (float(np.abs(np.asarray(a.answers.values) - truth).mean()) for a in (plain, mirrored))
    else:
        before, after = (float(nll(a.answers.chances, a.answers.indicators)) for a in (plain, mirrored))
    return (before - after) / max(before, 1e-9)


def _mean_dice(asked: Asked) -> float:
    rows = [[case[label]["dice"] for label in asked.answers.classes] for case in asked.answers.masks]
    return float(np.nanmean(np.array(rows)))

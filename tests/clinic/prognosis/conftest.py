"""A model of risk whose weights are known."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from osler.models.risk.card import Outcome, RiskCard, Tried
from osler.models.risk.design import Design, ImageStage
from osler.models.risk.fact import Fact
from osler.models.risk.forest import Forest
from osler.models.risk.linear import Cox, Logistic
from osler.models.risk.model import Reference, RiskModel, rounded

AGE = Fact("age", "number", True, 200, 40.0, 80.0, "60")
SEX = Fact("sex", "choice", True, 200, typical="F", levels=("F", "M"))
CRP = Fact("crp", "number", False, 150, 1.0, 200.0, "20", flag=True)
COLUMNS = 4  # age, sex=M, crp, crp missing


def known_model(kind: str = "cox", *, image: bool = False, kept: bool = True) -> RiskModel:
    """Ten years more double the hazard (or the odds); the picture halves it; the rest does nothing."""
    draw = np.random.default_rng(0)
    stage = ImageStage(np.zeros(4), np.ones(4), np.eye(4)[:, :2], np.ones(2), (4.0, 3.0)) if image else None
    design = Design((AGE, SEX, CRP), np.array([60.0, 0.5, 20.0, 0.2]), np.array([10.0, 0.5, 20.0, 0.4]), stage)
    weights = {"facts": np.array([np.log(2), 0, 0, 0])}
    if image:
        weights |= {"image": np.array([-np.log(2), 0]), "both": np.array([np.log(2), 0, 0, 0, -np.log(2), 0])}
    rows = draw.normal(size=(200, COLUMNS + 2 * image))
    time, event = draw.exponential(200, 200), draw.random(200) < 0.6
    learners = {part: learner(kind, w, draw) for part, w in weights.items()}
    timed = kind != "logistic"
    outcome = Outcome("died", "days", (100.0, 200.0), "days") if timed else Outcome("died")
    tested = tuple(Tried(part, "c_index" if timed else "auc", 0.7, 0.6, 0.8) for part in weights)
    card = RiskCard(
        "known", "1", "Death", kind, outcome, 200, 120, trained_on="made-up", tried="5 folds", tested=tested
    )
    foretold = draw.random((200, 2 if timed else 1))
    reference = Reference(rounded(rows), time if timed else 0 * time, event, foretold) if kept else None
    return RiskModel(card, design, learners, reference)


def learner(kind, weights, draw):
    drawn = weights + 0.1 * draw.normal(size=(60, len(weights)))
    if kind == "logistic":
        return Logistic(weights, -1.0, drawn, np.full(60, -1.0))
    if kind == "forest":  # two leaves by the first column, in 4 groups of 2 trees
        column, limit = np.tile([0, -1, -1], (8, 1)), np.zeros((8, 3))
        leaf = np.zeros((8, 3, 2))
        leaf[:, 1], leaf[:, 2] = [0.1, 0.2], [0.3, 0.6]
        leaf[:, 2, 1] += np.linspace(-0.1, 0.1, 8)
        left, right = np.tile([1, 0, 0], (8, 1)), np.tile([2, 0, 0], (8, 1))
        return Forest(column, limit, left, right, leaf, np.array([100.0, 200.0]), np.repeat(range(4), 2))
    hazard = np.array([0.2, 0.5])
    return Cox(weights, np.array([50.0, 150.0]), hazard, drawn, np.tile(hazard, (60, 1)))


@pytest.fixture
def known() -> Callable[..., RiskModel]:
    return known_model


@pytest.fixture
def few(known):
    """The same from hardly anybody."""
    model = known(kept=False)
    return replace(model, card=replace(model.card, patients=30, events=9))

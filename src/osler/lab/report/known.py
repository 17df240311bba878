"""All that can be read of a model without guessing: its folder, its tests, and what a person said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from osler.core.errors import BadModel, OslerError
from osler.core.record import from_plain
from osler.io.files import read_json
from osler.lab.plan.plan import Plan, read_plan
from osler.lab.report.document import Photo
from osler.models.card import ModelCard, read_card
from osler.models.model import NetPlan, build_net
from osler.models.recipe import Recipe
from osler.models.tasks.table import TASKS
from osler.models.trust import Trust


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """One test of the model.

    data      name of the data set, "" where that was not written down
    external  False for the data that the model came from, or that its card was made with
    numbers   the evaluation as `Evaluation.to_json` writes it
    made      the day, "2026-11-23", "" where that was not written down
    photos    the worst and best cases, where they were asked for
    seconds   a case, the median; None where nobody measured
    """

    data: str
    external: bool
    numbers: Mapping[str, Any]
    made: str = ""
    photos: tuple[Photo, ...] = ()
    seconds: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """All that is known of a model.

    card, recipe, net, trust  as they stand in its folder
    plan        None for a net that was not trained here
    training    training.json, {} where there is none
    parameters  numbers that were learnt, of one member; None where the net is a closed file
    members     nets whose answers are averaged
    gate        card and trust of the gate, as plain values, {} where there is none
    tests       the internal one first
    said        name -> what a person said; see `said.SAYABLE`
    """

    card: ModelCard
    recipe: Recipe
    net: NetPlan
    trust: Trust
    plan: Plan | None
    training: Mapping[str, Any]
    parameters: int | None
    members: int
    tests: tuple[Tested, ...] = ()
    said: Mapping[str, str] = field(default_factory=dict)


def read_known(
    folder: Path,
    *,
    card: ModelCard | None = None,
    tests: tuple[Tested, ...] = (),
    said: Mapping[str, str] | None = None,
) -> Known:
    """What the model in `folder` says of itself.

    card   the model's card where it is not written yet
    tests  made just now; without any internal one, the test that lies in the folder is taken, if there is one

    Raises BadModel naming the file that cannot be used. A plan, a training record or an evaluation that is not
    there is no error: worn nets have none.
    """
    card = card or read_card(folder)
    try:
        stored = read_json(folder / "recipe.json")
        recipe = from_plain(Recipe, stored["recipe"])
        net = from_plain(NetPlan, stored["net"])
        trust = from_plain(Trust, read_json(folder / "trust.json"))
        plan = read_plan(folder / "plan.json") if (folder / "plan.json").is_file() else None
        training = _object(folder / "training.json")
        numbers = _object(folder / "evaluation" / "evaluation.json")
    except (OslerError, KeyError, TypeError, ValueError) as error:
        raise BadModel(
            f"The model {folder.name} cannot be reported on: {error}",
            remedy="Copy the folder again, or train the model again.",
        ) from error
    if numbers and not any(not test.external for test in tests):
        tested = card.tested[0] if card.tested else None
        inside = Tested(tested.data if tested else "", False, numbers, tested.date if tested else "")
        tests = (inside, *tests)
    members = len(list(folder.glob("member-*.safetensors"))) or 1
    return Known(
        card, recipe, net, trust, plan, training, _parameters(card, recipe, net), members, tests, said or {}
    )


def _object(path: Path) -> Mapping[str, Any]:
    """The JSON object in `path`, {} where there is no such file. Raises ValueError for anything else."""
    if not path.is_file():
        return {}
    value = read_json(path)
    if not isinstance(value, dict):
        raise ValueError(f"{path.name} holds no JSON object.")
    return value


def _parameters(card: ModelCard, recipe: Recipe, net: NetPlan) -> int | None:
    """How many numbers one member learnt; counted without making them."""
    if card.engine != "torch":
        return None
    task = TASKS[card.task]
    with torch.device("meta"):
        built = build_net(net, recipe, task.outputs(len(card.classes) + (1 if task.pixels else 0)))
    return sum(parameter.numel() for parameter in built.parameters())

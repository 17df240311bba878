"""What the user asked for, beside the data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ask:
    """What the user asked for.

    task            one of the catalog's tasks, "" to let the labels decide
    target          the label column of a table, "" to let its name decide
    budget_seconds  wall time for the training
    seed            every die is cast from it
    device          "auto", "cpu", "cuda:0"
    settings        choices of the plan set by hand: {"net": "softmax", "batch": "64"}
    plan            an edited plan.json to train by; None to make one
    name            what the model is to be called, "" for the data set's name
    card            a JSON file with fields of the model's card that only a person knows
    allow           what the user knows of and wants to go on with: "leak", a split with the same patients or
                    pictures on both sides
    """

    task: str = ""
    target: str = ""
    budget_seconds: float = 600.0
    seed: int = 0
    device: str = "auto"
    settings: Mapping[str, str] = field(default_factory=dict)
    plan: Path | None = None
    name: str = ""
    card: Path | None = None
    allow: tuple[str, ...] = ()

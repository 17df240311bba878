"""A plan: every choice of a training, with its reason, in one file that may be edited and trained again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_type_hints

from osler.core.errors import AskedWrongly, UnknownChoice
from osler.core.record import from_plain, to_plain
from osler.io.files import read_json, write_json
from osler.lab.plan.limits import check_axes, check_choice
from osler.models.model import NetPlan
from osler.models.nets.table import NETS
from osler.models.recipe import Recipe

PLAN_VERSION = 1


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How training pictures are varied. A chance is per picture; sizes are the largest change, drawn evenly.

    flips          spatial axes that may be mirrored (0 is the tensor's first)
    chance         of a turn, scaling or shift
    rotate         degrees, about every axis for volumes
    scale          share: .2 draws from .8 to 1.25
    shift          share of the side
    in_plane       volumes: turn about the slice axis only (thick slices)
    intensity      chance of each: brightness, contrast, gamma
    brightness, contrast, gamma  size of each
    noise          standard deviation at most, in normalized units, with the chance of `intensity`
    low_resolution chance of a picture seen at a half to full resolution
    erase          chance that a box of up to a third of each side is blanked
    mix            chance that a batch is mixed with itself (mixup, Zhang et al. 2018); classification only
    """

    flips: tuple[int, ...] = ()
    chance: float = 0.0
    rotate: float = 0.0
    scale: float = 0.0
    shift: float = 0.0
    in_plane: bool = False
    intensity: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    gamma: float = 0.0
    noise: float = 0.0
    low_resolution: float = 0.0
    erase: float = 0.0
    mix: float = 0.0


@dataclass(frozen=True, slots=True)
class Training:
    """How the net is trained.

    budget_seconds  wall time asked for
    steps           optimizer steps of each member; 0: as many as fit the budget on this machine
    members         nets trained one after the other from other seeds; their answers are averaged
    batch           pictures or windows a step
    optimizer       "adamw", or "descent": plain gradient descent on all cases at once
    rate            the highest learning rate; warm-up over 5 % of the steps, then a cosine down to nothing
    weight_decay    of adamw
    average         weights answered with are an exponential mean over about this share of the steps
    foreground      segmentation: share of windows centred on a label
    balance         classification: 0 draws cases as they come, 1 draws every class equally often
    clip            largest norm of a step's gradient; 0: as large as it is
    precision       "float32", "bfloat16", or "auto": bfloat16 where this machine gains from it
    seed            every die is cast from it
    """

    budget_seconds: float
    steps: int = 0
    members: int = 1
    batch: int = 32
    optimizer: str = "adamw"
    rate: float = 1e-3
    weight_decay: float = 0.01
    average: float = 0.05
    foreground: float = 0.0
    balance: float = 0.0
    clip: float = 12.0
    precision: str = "auto"
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """Every choice of a training.

    task, classes  what is learnt; classes with the background for segmentation
    recipe         how pictures become tensors
    net            which net, and its arguments
    because        a reason for each choice, by its name
    """

    task: str
    classes: tuple[str, ...]
    recipe: Recipe
    net: NetPlan
    training: Training
    augmentation: Augmentation
    because: Mapping[str, str] = field(default_factory=dict)


SETTABLE = {"training": Training, "augmentation": Augmentation, "recipe": Recipe}
NET_SETTINGS: Mapping[str, Any] = {
    "widths": tuple[int, ...],
    "blocks": int,
    "stem": int,
    "dropout": float,
    "encoder": tuple[int, ...],
    "decoder": tuple[int, ...],
    "supervised": int,
}


def write_plan(plan: Plan, path: Path) -> None:
    """Write the plan as JSON."""
    write_json(path, {"plan_version": PLAN_VERSION, **to_plain(plan)})


def read_plan(path: Path) -> Plan:
    """The plan in `path`. Raises AskedWrongly or UnknownChoice naming the field that cannot be meant."""
    plain = dict(read_json(path))
    try:
        if plain.pop("plan_version", PLAN_VERSION) != PLAN_VERSION:
            raise ValueError(f"this Osler reads plans of version {PLAN_VERSION}")
        plan = from_plain(Plan, plain)
    except ValueError as error:
        raise AskedWrongly(
            f"{path.name} is not a plan: {error}.", remedy="Mend the field; see docs/reference/plan.md."
        ) from error
    return checked(plan)


def checked(plan: Plan) -> Plan:
    """The plan itself. Raises AskedWrongly or UnknownChoice for a choice that cannot be trained by."""
    for part in SETTABLE:
        section = getattr(plan, part)
        for choice in fields(section):
            check_choice(choice.name, getattr(section, choice.name))
    for name, value in plan.net.arguments.items():
        _converted(name, value, said=f"The plan's {name} cannot be used")
    check_axes("size", plan.recipe.size, plan.recipe.dims)
    check_axes("spacing", plan.recipe.spacing, plan.recipe.dims)
    if any(axis >= plan.recipe.dims for axis in plan.augmentation.flips):
        raise AskedWrongly(
            f"flips names an axis that the pictures do not have: {list(plan.augmentation.flips)}.",
            remedy=f"The axes are 0 to {plan.recipe.dims - 1}.",
        )
    return plan


def settings_known() -> tuple[str, ...]:
    """The names that `--set` takes."""
    names = {f.name for part in SETTABLE.values() for f in fields(part)}
    unsettable = {"channels", "dims", "colour", "reference", "target_mean", "target_std", "budget_seconds", "seed"}
    return ("net", *sorted(names - unsettable), *NET_SETTINGS)


def check_settings(settings: Mapping[str, str]) -> None:
    """Raises UnknownChoice for a name that `--set` does not take, AskedWrongly for a value that cannot be."""
    for name, text in settings.items():
        if name not in settings_known():
            raise UnknownChoice.among("setting", name, settings_known())
        if name != "net":
            _read(name, text)
        else:
            NETS[text]  # raises for a net that there is not


def with_settings(plan: Plan, settings: Mapping[str, str]) -> Plan:
    """The plan with choices set by hand; values are JSON ("[1,2]", "true") or bare words.

    Raises UnknownChoice for an unknown name, AskedWrongly for a value of the wrong kind, or one that cannot be.
    """
    check_settings(settings)
    for name, text in settings.items():
        if name == "net":
            continue  # the rules have already planned for it
        value = _read(name, text)
        because = {**plan.because, name: "set by hand"}
        if name in NET_SETTINGS:
            net = replace(plan.net, arguments={**plan.net.arguments, name: value})
            plan = replace(plan, net=net, because=because)
        else:
            part = _part_of(name)
            plan = replace(plan, **{part: replace(getattr(plan, part), **{name: value})}, because=because)
    return checked(plan)


def _part_of(name: str) -> str:
    return next((part for part, kind in SETTABLE.items() if name in {f.name for f in fields(kind)}), "")


def _read(name: str, text: str) -> Any:
    """The value of a setting as its place in the plan wants it."""
    return _converted(name, _value(text), said=f"--set {name}={text}")


def _converted(name: str, value: Any, *, said: str) -> Any:
    """A choice in its own type; those that only a net knows (its strides) pass as they are.

    said  how the sentence begins that refuses it
    """
    kind: Any = NET_SETTINGS.get(name, Any)
    if part := _part_of(name):
        kind = get_type_hints(SETTABLE[part])[name]
    try:
        converted = from_plain(kind, value, where=name)
    except ValueError as error:
        raise AskedWrongly(f"{said}: {error}.", remedy="See docs/reference/plan.md.") from error
    check_choice(name, converted)
    return converted


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return tuple(value) if isinstance(value, list) else value

"""What a model says of itself: what it sees, what it says, where it was tested, what it must not be used for."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from osler.core.codes import Code
from osler.core.errors import BadModel, OslerError
from osler.core.record import from_plain, to_plain
from osler.io.files import read_json, write_json

CARD_VERSION = 1
GATES = ("by_header", "decline", "mark")


@dataclass(frozen=True, slots=True)
class Sees:
    """Which pictures a model may read. An empty tuple means: any.

    text        for people: "a frontal radiograph of the chest"
    dims        2 for images, 3 for volumes
    channels    one name a picture the model needs
    modalities  DICOM spelling, ("CR", "DX")
    body_parts  upper case, ("CHEST", "THORAX")
    views       ("PA", "AP")
    """

    text: str
    dims: int
    channels: tuple[str, ...] = ("image",)
    modalities: tuple[str, ...] = ()
    body_parts: tuple[str, ...] = ()
    views: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TestResult:
    """One figure of one test: 'auc' .96 (.94 to .98) on 'chest-xray test', 624 patients."""

    data: str
    split: str
    patients: int
    cases: int
    metric: str
    value: float
    low: float
    high: float
    date: str


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The card of one model.

    name     what commands call it, "chest-pneumonia"
    title    what people call it, "Pneumonia on chest radiographs of children"
    task     see `models/tasks`
    classes  what each answer means, in the order of the outputs; for segmentation background left out
    codes    the coded concept of a class, where there is one
    sees     which pictures it may read
    use      the clinical use it was made for; the pathway of that name reads with it
    not_for  what it must not be used for, a phrase each
    limits   what a reader of its answers should mind, a sentence each
    trained_on, licence, tested, created, software  where it comes from
    engine   "torch" (safetensors members) or "onnx" (model.onnx)
    gate     what is done with a picture unlike all that was seen: "decline", "mark" (read, and say so), or
             "by_header": declined unless its header names the right part of the body, else marked
    digest   sha256 over everything in the folder but itself; checked at load
    """

    name: str
    version: str
    title: str
    task: str
    classes: tuple[str, ...]
    sees: Sees
    codes: dict[str, Code] = field(default_factory=dict)
    use: str = ""
    not_for: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    trained_on: str = ""
    licence: str = ""
    tested: tuple[TestResult, ...] = ()
    created: str = ""
    software: str = ""
    engine: str = "torch"
    gate: str = "by_header"
    digest: str = ""


def card_to_json(card: ModelCard) -> dict[str, Any]:
    """The card as plain values; the usual gate is left unsaid, so that cards from before it keep their seal."""
    plain = {"card_version": CARD_VERSION, **to_plain(card)}
    return {name: value for name, value in plain.items() if (name, value) != ("gate", GATES[0])}


def card_from_json(value: Any, *, where: str) -> ModelCard:
    """The card in `value`. Raises BadModel naming `where` when a field is missing or of the wrong kind."""
    try:
        plain = dict(value)
        version = plain.pop("card_version", CARD_VERSION)
        if version != CARD_VERSION:
            raise ValueError(f"it has version {version}, this Osler reads version {CARD_VERSION}")
        card = from_plain(ModelCard, plain)
        if card.gate not in GATES:
            raise ValueError(f"its gate is '{card.gate}', not one of {', '.join(GATES)}")
        return card
    except (TypeError, ValueError) as error:
        raise BadModel(
            f"The card in {where} is not a model card: {error}.",
            remedy="A card needs name, version, title, task, classes, sees; see docs/reference/card.md.",
        ) from error


def read_card(folder: Path) -> ModelCard:
    """The card of the model in `folder`, its digest not yet checked."""
    if not (folder / "card.json").is_file():
        raise BadModel(
            f"{folder.name} is not a model: it has no card.json.",
            remedy="Give the folder that `osler train` wrote, or a name from `osler models list`.",
        )
    try:
        value = read_json(folder / "card.json")
    except OslerError as error:
        raise BadModel(
            f"The model {folder.name} is damaged: its card.json cannot be read.",
            remedy="Copy the folder again, or train the model again.",
        ) from error
    return card_from_json(value, where=folder.name)


def write_card(card: ModelCard, folder: Path) -> None:
    """Write card.json into `folder`."""
    write_json(folder / "card.json", card_to_json(card))


def without_digest(card: ModelCard) -> ModelCard:
    """The card as it is hashed."""
    return replace(card, digest="")

"""The card of a model of risk: what it foretells, of whom, how well it was tried, and when it must be silent."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from osler.core.errors import BadModel, OslerError
from osler.core.record import from_plain, to_plain
from osler.io.files import read_json, write_json

CARD_VERSION = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is foretold.

    event     as the table calls it: "died"
    unit      of the times; "" where the outcome is only yes or no
    horizons  the times that answers are given for; () likewise
    column    what the table called the time
    """

    event: str
    unit: str = ""
    horizons: tuple[float, ...] = ()
    column: str = ""

    @property
    def timed(self) -> bool:
        """Is it known when the event came, or only whether?"""
        return bool(self.horizons)


@dataclass(frozen=True, slots=True)
class ImageSource:
    """Where image features come from: a model by name and digest, or `columns` of the table."""

    model: str = ""
    digest: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tried:
    """One figure of a test of one part of the model: "facts", "image" or "both"."""

    part: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    horizon: float | None = None


@dataclass(frozen=True, slots=True)
class RiskCard:
    """The card of one model of risk.

    kind      "cox", "logistic", "forest" or "deep"
    patients, events  it learnt from; one study a patient
    image     None for a model of facts alone
    chosen    what was decided by itself, each with its reason
    notes     what was found in the table, a sentence each
    limits    what a reader of its answers should mind, a sentence each
    tried     how it was tried: "5 folds of whole patients, 5 times over"; `tested` are its figures
    digest    sha256 over everything in the folder but itself; checked at load
    """

    name: str
    version: str
    title: str
    kind: str
    outcome: Outcome
    patients: int
    events: int
    image: ImageSource | None = None
    chosen: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    not_for: tuple[str, ...] = ()
    trained_on: str = ""
    licence: str = ""
    tried: str = ""
    tested: tuple[Tried, ...] = ()
    created: str = ""
    software: str = ""
    digest: str = ""


def card_to_json(card: RiskCard) -> dict[str, Any]:
    """The card as plain values."""
    return {"risk_card_version": CARD_VERSION, **to_plain(card)}


def write_card(card: RiskCard, folder: Path) -> None:
    """Write card.json into `folder`."""
    write_json(folder / "card.json", card_to_json(card))


def read_card(folder: Path) -> RiskCard:
    """The card in `folder`, its digest not yet checked. Raises BadModel where there is none or it is damaged."""
    if not (folder / "card.json").is_file():
        raise BadModel(
            f"{folder.name} is no model of risk: it has no card.json.",
            remedy="Give the folder that `osler risk train` wrote.",
        )
    try:
        plain = dict(read_json(folder / "card.json"))
        version = plain.pop("risk_card_version", None)
        if version != CARD_VERSION:
            said = "no version" if version is None else f"version {version}"
            raise ValueError(f"it has {said}, this Osler reads version {CARD_VERSION} of such cards")
        return from_plain(RiskCard, plain)
    except (OslerError, TypeError, ValueError) as error:
        raise BadModel(
            f"The card in {folder.name} is not that of a model of risk: {error}.",
            remedy="Give the folder that `osler risk train` wrote, or train it again.",
        ) from error


def without_digest(card: RiskCard) -> RiskCard:
    """The card as it is hashed."""
    return replace(card, digest="")

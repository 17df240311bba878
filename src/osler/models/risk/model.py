"""A model of risk: a folder of readable files, and the one verb that asks it.

card.json            what it foretells, how it was tried, its limits, and the digest of all the rest
risk.json            every fact with its range, every column with its weight: what a person can proof-read
arrays.safetensors   the learners, their draws, and the numbers of training patients without their identity
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from osler.core.arrays import Array, Floats
from osler.core.errors import AskedWrongly, BadModel, OslerError
from osler.core.record import from_plain, to_plain
from osler.io.files import read_json, replacing, write_json
from osler.models.risk.card import RiskCard, card_to_json, read_card, without_digest, write_card
from osler.models.risk.design import PARTS, Design, ImageStage
from osler.models.risk.fact import Fact, Facts
from osler.models.risk.learner import LEARNERS, Learner, interval
from osler.models.risk.linear import Cox, Logistic

_DAMAGED = "Copy the folder again, or train it again; a model is never edited in place."


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What is kept of the training patients, in an order that says nothing: no name, no date, no exact number.

    rows   (patients, columns) as the learners see them, rounded to quarters of a deviation
    time, event  (patients,) when they had the event or were last seen; times 0 where there are none
    risk   (patients, horizons) foretold while each was left out of the training
    """

    rows: Floats
    time: Floats
    event: Array
    risk: Floats


def rounded(rows: Floats) -> Floats:
    """Rows of patients as they may be kept: to quarters of a deviation, no finer."""
    return np.round(np.asarray(rows) * 4).astype(np.float32) / np.float32(4)


@dataclass(frozen=True, slots=True, eq=False)
class RiskModel:
    """A model of risk at work.

    learners   one for each of "facts", "image" and "both" that the table allowed
    reference  None where nothing of the training patients was to be kept
    """

    card: RiskCard
    design: Design
    learners: Mapping[str, Learner]
    reference: Reference | None = None

    @property
    def part(self) -> str:
        """The part that uses all there is."""
        return next(name for name in ("both", "facts", "image") if name in self.learners)

    @property
    def horizons(self) -> Floats:
        """The times that answers are given for; a single 0 where the outcome has no time."""
        return np.array(self.card.outcome.horizons or (0.0,))


@dataclass(frozen=True, slots=True, eq=False)
class Risk:
    """The risk of patients: value, low and high (patients, times), 95 % intervals."""

    value: Floats
    low: Floats
    high: Floats


def part_rows(model: RiskModel, part: str, values: Sequence[Facts], features: Floats | None) -> Floats:
    """(patients, columns of the part), as its learner takes them.

    Raises UnknownChoice for a part that the model has not, AskedWrongly for a picture's part without features.
    """
    if part not in model.learners:
        raise AskedWrongly(
            f"The model {model.card.name} has no part '{part}'.",
            remedy=f"It has: {', '.join(one for one in PARTS if one in model.learners)}.",
        )
    if part != "facts" and features is None:
        raise AskedWrongly(
            f"The part '{part}' of {model.card.name} needs a picture, and none was given.",
            remedy="Give the picture, or ask for the part 'facts'.",
        )
    return model.design.rows(values, features)[:, list(model.design.part(part))]


def predict_risk(
    model: RiskModel,
    values: Sequence[Facts],
    features: Floats | None = None,
    *,
    part: str = "",
    days: Floats | None = None,
) -> Risk:
    """What the model foretells of patients, with intervals: had it learnt from other patients like its own.

    values    facts by name, one mapping a patient; a missing fact is None or left out
    features  (patients, features) of pictures, None for facts alone
    part      "facts", "image" or "both"; "" the one that uses all that was given
    days      times to answer for; None: the model's horizons

    Raises AskedWrongly for features that do not fit and parts that are not there.
    """
    if not part:
        part = model.part if features is not None or "facts" not in model.learners else "facts"
    rows, times = part_rows(model, part, values, features), model.horizons if days is None else days
    learner = model.learners[part]
    value = learner.risk(rows, times)
    low, high = interval(value, learner.draws(rows, times), learner.shrink(rows, times))
    return Risk(value, low, high)


def store_risk_model(model: RiskModel, folder: Path, *, beside: Callable[[Path], None] | None = None) -> RiskCard:
    """Write the model's folder whole; returns the card with its digest.

    beside  writes more files into the folder before it is sealed
    Raises NoRoom when the disk is full, AskedWrongly where `folder` holds something that is no model of risk.
    """
    from safetensors.numpy import save

    arrays: dict[str, Array] = {"design.mean": model.design.mean, "design.deviation": model.design.deviation}
    image = model.design.image
    if image is not None:
        arrays |= {"picture.mean": image.mean, "picture.deviation": image.deviation, "picture.axes": image.axes}
        arrays |= {"picture.spread": image.spread, "picture.furthest": np.array(image.furthest)}
    for part, learner in model.learners.items():
        arrays |= {f"{part}.{name}": array for name, array in learner.arrays().items()}
    kept = model.reference
    if kept is not None:
        arrays |= {"patients.rows": kept.rows, "patients.time": kept.time}
        arrays |= {"patients.event": kept.event.astype(np.uint8), "patients.risk": kept.risk}
    check_place(folder)
    with replacing(folder) as made:
        made.mkdir()
        write_json(made / "risk.json", _readable(model))
        packed = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        (made / "arrays.safetensors").write_bytes(save(packed))
        if beside is not None:
            beside(made)
        sealed = replace(model.card, digest=_digest(made, model.card))
        write_card(sealed, made)
    return sealed


def check_place(folder: Path) -> None:
    """Raises AskedWrongly where no model may be written: on a file, or over a folder that is no model of risk."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "risk.json").is_file():
        raise AskedWrongly(
            f"{folder} holds other files, and a model's folder is written whole.", remedy="Name a new folder."
        )
    if folder.exists() and not folder.is_dir():
        raise AskedWrongly(f"{folder} is a file, not a folder.", remedy="Name a new folder.")


def load_risk_model(folder: Path) -> RiskModel:
    """The model in `folder`. Raises BadModel when a file is missing, changed, or does not fit this Osler."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    folder = Path(folder)
    card = read_card(folder)
    if not card.digest or _digest(folder, card) != card.digest:
        raise BadModel(
            f"The model {folder.name} is damaged: its files do not match the digest in its card.", remedy=_DAMAGED
        )
    try:
        plain = read_json(folder / "risk.json")
        arrays = load((folder / "arrays.safetensors").read_bytes())
        facts = tuple(from_plain(Fact, one) for one in plain["facts"])
        image = None
        if "picture.axes" in arrays:
            along, away = arrays["picture.furthest"]
            image = ImageStage(
                arrays["picture.mean"],
                arrays["picture.deviation"],
                arrays["picture.axes"],
                arrays["picture.spread"],
                (float(along), float(away)),
            )
        design = Design(facts, arrays["design.mean"], arrays["design.deviation"], image)
        learners = {part: LEARNERS[card.kind](_below(arrays, part)) for part in PARTS if _below(arrays, part)}
        kept = _below(arrays, "patients")
        reference = Reference(kept["rows"], kept["time"], kept["event"] > 0, kept["risk"]) if kept else None
    except (OslerError, KeyError, TypeError, ValueError, OSError, SafetensorError) as error:
        raise BadModel(f"The model {folder.name} cannot be used: {error}.", remedy=_DAMAGED) from error
    if not learners:
        raise BadModel(f"The model {folder.name} holds no learner.", remedy=_DAMAGED)
    return RiskModel(card, design, learners, reference)


def _readable(model: RiskModel) -> dict[str, Any]:
    """What a person can proof-read; a linear model's weights are told in the facts' own units."""
    design = model.design
    deviation = np.concatenate([design.deviation, np.ones(len(design.columns) - len(design.deviation))])
    parts: dict[str, Any] = {}
    for part, learner in model.learners.items():
        places = list(design.part(part))
        parts[part] = {"kind": learner.kind, "columns": [design.columns[n] for n in places]}
        if isinstance(learner, Cox | Logistic):
            own = np.exp(learner.weights / deviation[places])
            low, high = interval(learner.weights, learner.drawn)
            parts[part]["ratio_for_one_more"] = [
                {"column": name, "ratio": _short(ratio), "low": _short(a), "high": _short(b)}
                for name, ratio, a, b in zip(
                    parts[part]["columns"],
                    own,
                    np.exp(low / deviation[places]),
                    np.exp(high / deviation[places]),
                    strict=True,
                )
            ]
            parts[part]["ratio_is_of"] = "the hazard" if isinstance(learner, Cox) else "the odds"
    return {
        "risk_version": 1,
        "facts": [to_plain(fact) for fact in design.facts],
        "columns": [
            {"column": name, "mean": float(mean), "deviation": float(apart)}
            for name, mean, apart in zip(design.columns, design.mean, design.deviation, strict=False)
        ],
        "parts": parts,
    }


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def _below(arrays: Mapping[str, Array], part: str) -> dict[str, Array]:
    return {name.partition(".")[2]: array for name, array in arrays.items() if name.startswith(f"{part}.")}


def _digest(folder: Path, card: RiskCard) -> str:
    """sha256 over the card without its digest, and over the names and contents of all other files."""
    total = hashlib.sha256(json.dumps(card_to_json(without_digest(card)), sort_keys=True).encode())
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "card.json":
            total.update(path.relative_to(folder).as_posix().encode() + b"\0")
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()

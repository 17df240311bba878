"""Somebody else's ONNX file and a card for it, made into a model folder like any other.

docs/reference/card.md says what the card must hold.
"""

import math
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from osler.core.errors import BadModel, OslerError
from osler.core.record import from_plain, to_plain
from osler.io.files import read_json, replacing, write_json
from osler.models.card import ModelCard, card_from_json
from osler.models.digest import seal
from osler.models.foreign.onnx import OnnxNet, open_session
from osler.models.recipe import Recipe
from osler.models.tasks.table import TASKS
from osler.models.trust import Trust

OUTPUTS = ("logits", "probabilities")


def wear(onnx: Path, card: Path, folder: Path) -> ModelCard:
    """Make `folder` a model that answers with the net in `onnx`, and return its card.

    onnx  a file with one input, (batch, planes, *size) or (batch, *size, planes), and the answer as first output
    card  JSON: a model card's fields, "recipe" (how pictures become the input), and "output", which is "logits" or
          "probabilities"

    The net is run on made-up input first. Raises BadModel naming what does not fit, Unreadable when the card is
    no JSON, NoRoom when the disk is full.
    """
    given = read_json(card)
    if not isinstance(given, dict):
        raise BadModel(f"{card.name} is not a model card: it is no JSON object.", remedy=_SEE)
    told = dict(given)
    recipe_part, output = told.pop("recipe", None), told.pop("output", "logits")
    defaults = {"version": "1", "created": datetime.now(UTC).isoformat(timespec="seconds"), "software": "ONNX"}
    made = card_from_json(defaults | told | {"engine": "onnx", "digest": ""}, where=card.name)
    if made.task not in TASKS:
        raise BadModel(
            f"The card {card.name} names no known task: '{made.task}'.", remedy=f"Choose {', '.join(TASKS)}."
        )
    if output not in OUTPUTS:
        raise BadModel(
            f"The card {card.name} has the output '{output}'.", remedy=f"Write one of {', '.join(OUTPUTS)}."
        )
    if not isinstance(recipe_part, dict) or "channels" not in recipe_part:
        raise BadModel(
            f"The card {card.name} does not say how pictures become the net's input.",
            remedy='Add "recipe" with "channels", each with its "normalization"; see docs/reference/card.md.',
        )
    _refuse_unworn(made, output, onnx)
    recipe, planes_last = _fit(recipe_part, made, onnx, where=card.name)
    net = {"probabilities": output == "probabilities", "planes_last": planes_last}
    _try_out(OnnxNet(onnx, **net), made, recipe, net["probabilities"], onnx.name)
    with replacing(folder) as beside:
        beside.mkdir()
        shutil.copyfile(onnx, beside / "model.onnx")
        write_json(beside / "recipe.json", {"recipe": to_plain(recipe), "net": {"name": "onnx", "arguments": net}})
        write_json(beside / "trust.json", to_plain(Trust()))
        return seal(beside, made)


_SEE = "See docs/reference/card.md."


def _refuse_unworn(card: ModelCard, output: str, onnx: Path) -> None:
    """Probabilities of independent findings or of grades are not the logarithms that exclusive classes have."""
    if output == "probabilities" and card.task in ("multilabel", "ordinal", "regression"):
        raise BadModel(
            f"{onnx.name} gives probabilities, and a {card.task} model is worn by its logits.",
            remedy='Export the net without its last activation and write "output": "logits".',
        )


def _fit(part: Mapping[str, Any], card: ModelCard, onnx: Path, *, where: str) -> tuple[Recipe, bool]:
    """The recipe, what it leaves out taken from the net's input; and whether the planes come last."""
    shape = list(open_session(onnx).get_inputs()[0].shape)
    dims = card.sees.dims
    if len(shape) != dims + 2:
        raise BadModel(
            f"{onnx.name} takes {len(shape)} axes {shape}, and the card says its pictures have {dims}.",
            remedy=f"A net for {dims} axes takes {dims + 2}: batch, planes, and the picture's own.",
        )
    told = dict(part)
    colour = told.setdefault("colour", False)
    channels = told["channels"]
    planes = (len(channels) if isinstance(channels, list) else 1) * (3 if colour is True else 1)
    planes_last = shape[1] != planes and shape[-1] == planes
    spatial = shape[1:-1] if planes_last else shape[2:]
    fixed = shape[-1] if planes_last else shape[1]
    if isinstance(fixed, int) and fixed != planes:
        raise BadModel(
            f"{onnx.name} takes {fixed} planes, and the card's channels make {planes}.",
            remedy='Name as many channels as the net takes; a colour picture ("colour": true) makes three planes.',
        )
    if "size" not in told:
        if not all(isinstance(n, int) for n in spatial):
            raise BadModel(
                f"{onnx.name} takes pictures of any size.", remedy='Say which in the recipe: "size": [..].'
            )
        told["size"] = spatial
    told.setdefault("dims", dims)
    told.setdefault("whole", not TASKS[card.task].pixels)
    try:
        recipe = from_plain(Recipe, told, where="recipe")
        for channel in recipe.channels:
            rule = channel.normalization
            if rule.how not in ("clip", "zscore", "percentile", "fixed"):
                raise ValueError(f"there is no normalization '{rule.how}'")
            if not all(math.isfinite(x) and x > 0 for x in rule.std):
                raise ValueError("std must be above 0")
    except ValueError as error:
        raise BadModel(f"The recipe in {where} cannot be used: {error}.", remedy=_SEE) from error
    if len(recipe.size) != dims or recipe.dims != dims:
        raise BadModel(f"The recipe in {where} has a size of {len(recipe.size)} axes, not {dims}.", remedy=_SEE)
    return recipe, planes_last


def _try_out(net: OnnxNet, card: ModelCard, recipe: Recipe, probabilities: bool, name: str) -> None:
    """Run it on noise: does it answer, for every class, and with what it says it answers with?"""
    noise = torch.randn(2, recipe.planes, *recipe.size, generator=torch.Generator().manual_seed(0))
    try:
        logits, _ = net.logits(noise)
    except OslerError:
        raise
    except Exception as error:  # a net with an answer of another kind fails in numpy or torch, each in its way
        raise BadModel(
            f"{name} does not answer as a {card.task} net should: {type(error).__name__}.", remedy=_SEE
        ) from error
    task = TASKS[card.task]
    outputs = task.outputs(len(card.classes) + (1 if task.pixels else 0))
    expected = (2, outputs, *(recipe.size if task.pixels else ()))
    if tuple(logits.shape) != expected:
        extra = " (background comes first)" if task.pixels else ""
        raise BadModel(
            f"{name} answers with the shape {tuple(logits.shape)}, and the card's classes need {expected}{extra}.",
            remedy="Name one class for each output, in the order of the outputs.",
        )
    if not torch.isfinite(logits).all():
        raise BadModel(f"{name} answers with NaN or infinity.", remedy="Export it again from sound weights.")
    shares = logits.exp() if probabilities else logits
    sums = shares.sum(1)
    exclusive = card.task in ("binary", "multiclass", "segmentation")
    whole = bool((shares >= 0).all()) and bool(torch.allclose(sums, torch.ones_like(sums), atol=1e-3))
    if exclusive and probabilities and not whole:
        raise BadModel(
            f"{name} does not answer with probabilities: they do not add up to 1.",
            remedy='Write "output": "logits" in the card.',
        )
    if exclusive and not probabilities and whole and outputs > 1:
        raise BadModel(
            f"{name} answers with probabilities, and its card says logits.",
            remedy='Write "output": "probabilities" in the card.',
        )

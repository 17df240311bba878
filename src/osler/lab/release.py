"""From trained weights to a model on disk: trust fitted on validation cases, tested once, sealed."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from osler.core.errors import AskedWrongly, BadDataset
from osler.core.progress import Tell, silent
from osler.core.record import from_plain, to_plain
from osler.core.version import SOFTWARE
from osler.io.files import read_json, replacing, swap, telling_why, write_json
from osler.lab.catalog.care.check import Care
from osler.lab.catalog.care.page import care_in_short, limits
from osler.lab.catalog.dataset import Dataset
from osler.lab.evaluate.evaluate import Evaluation
from osler.lab.evaluate.examine import audited, chosen_cases, origin_of
from osler.lab.evaluate.report import write_report
from osler.lab.evaluate.run import about, ask, evaluated
from osler.lab.plan.ask import Ask
from osler.lab.plan.plan import Plan, read_plan, write_plan
from osler.lab.report.machine import machine, versions
from osler.lab.report.make import write_model_card
from osler.lab.train.loop import Trained
from osler.lab.trust.fit import fit_trust
from osler.models.card import ModelCard, Sees, TestResult, card_to_json
from osler.models.digest import seal
from osler.models.model import Model, TorchNet, build_net, load_model, store_space
from osler.models.tasks.table import TASKS
from osler.models.trust import Trust


@dataclass(frozen=True, slots=True, eq=False)
class Released:
    """A model that stands on disk, and how it did.

    evaluation  on the test split, or on validation where there is no test
    """

    folder: Path
    card: ModelCard
    evaluation: Evaluation


def release(
    plan: Plan,
    members: Sequence[Trained],
    dataset: Dataset,
    *,
    out: Path,
    place: Path,
    name: str,
    wishes: Ask,
    care: Care | None = None,
    device: str = "cpu",
    tell: Tell = silent,
) -> Released:
    """Make the model's folder at `out`.

    dataset  with splits: trust is fitted on "val", the figures come from "test" (opened here, once) where there
             is one
    place    the training's scratch folder, where the model is put together
    wishes   what the user asked for; its card holds what only a person knows
    care     what the check of the data found; None where it was not checked
    Nothing stands at `out` until all of it is written.
    """
    folder = place / "model"
    shutil.rmtree(folder, ignore_errors=True)
    with telling_why(out):
        folder.mkdir(parents=True)
        card = _first_card(plan, dataset, name, wishes.card)
        if care is not None:
            card = replace(card, limits=(*card.limits, *limits(care, allowed=wishes.allow)))
        for number, member in enumerate(members):
            half = {k: v.half() if v.is_floating_point() else v for k, v in member.weights.items()}
            weights = save({k: v.cpu().contiguous() for k, v in half.items()})
            (folder / f"member-{number}.safetensors").write_bytes(weights)
        write_plan(plan, folder / "plan.json")
        write_json(folder / "recipe.json", {"recipe": to_plain(plan.recipe), "net": to_plain(plan.net)})
        model = _stored_model(plan, members, card, device)
        mirrors = plan.augmentation.flips
        drawn = plan.training.balance
        model = fit_trust(model, dataset.split("val"), dataset.split("train"), mirrors, balance=drawn, tell=tell)
        _write_trust(model, folder)
        write_json(folder / "training.json", _history(plan, members, dataset, wishes, care))
        split = "test" if dataset.split("test").cases else "val"
        tested = dataset.split(split)
        asked = ask(model, tested, gated=True, tell=tell)
        evaluation = evaluated(model, asked, split=split)
        # A model travels: its page shows no patient's picture and names no case. `osler evaluate` does.
        write_report(
            nameless(evaluation),
            folder / "evaluation",
            title=card.title,
            about=about(card, dataset, split),
            audit=audited(model, tested, asked, tell=tell),
        )
        card = _sealed(folder, replace(card, tested=_tested(dataset, split, evaluation)))
        swap(folder, out)
    return Released(out, card, evaluation)


def nameless(evaluation: Evaluation) -> Evaluation:
    """The evaluation with its cases numbered instead of named."""
    rows = tuple({**row, "id": f"case {number}"} for number, row in enumerate(evaluation.rows, start=1))
    return replace(evaluation, rows=rows)


def calibrate(folder: Path, data: Path, *, split: str = "val", tell: Tell = silent) -> ModelCard:
    """Fit the trust of the model in `folder` anew on labelled cases it was not trained on, and seal it again.

    split  which cases of `data`; never those it is to be tested on. "all" for data that names no splits
    The mirrors, the calibration, the promised sets, the operating point and the gate are fitted; the weights stay.
    """
    model = load_model(folder)
    cases, _ = chosen_cases(model, data, split)
    try:
        seen, _ = chosen_cases(model, data, "train")
    except BadDataset:
        seen = cases  # a net from elsewhere: what it was trained on is not known here
    plan = read_plan(folder / "plan.json") if (folder / "plan.json").is_file() else None
    flips, balance = (plan.augmentation.flips, plan.training.balance) if plan is not None else ((), 0.0)
    fitted = fit_trust(replace(model, trust=Trust()), cases, seen, flips, balance=balance, tell=tell)
    said = f"Calibrated on {len(cases.cases)} cases of {cases.patients} patients of {cases.name} ({split})."
    # What an exported file says of itself is over once it is calibrated where it is worn.
    gone = ("Calibrated on", "Exported without", "The exported probabilities")
    minded = (*(limit for limit in model.card.limits if not limit.startswith(gone)), said)
    with replacing(folder) as beside:
        shutil.copytree(folder, beside)
        _write_trust(fitted, beside)
        return _sealed(beside, replace(model.card, limits=minded))


def _sealed(folder: Path, card: ModelCard) -> ModelCard:
    """The card for machines and the page of it for people, then the seal over both."""
    write_model_card(folder, card)
    return seal(folder, card)


def _write_trust(model: Model, folder: Path) -> None:
    write_json(folder / "trust.json", to_plain(model.trust))
    store_space(model.space, model.look, folder / "features.safetensors")


def _stored_model(plan: Plan, members: Sequence[Trained], card: ModelCard, device: str) -> Model:
    """The model as it will be after loading: weights rounded to half precision and back."""
    task = TASKS[plan.task]
    nets = []
    for member in members:
        net = build_net(plan.net, plan.recipe, task.outputs(len(plan.classes)))
        net.load_state_dict(
            {k: v.half().float() if v.dtype == torch.float32 else v for k, v in member.weights.items()}
        )
        nets.append(TorchNet(net.to(device)))
    return Model(card, plan.recipe, Trust(), task, tuple(nets), Path(), device)


def _first_card(plan: Plan, dataset: Dataset, name: str, facts: Path | None) -> ModelCard:
    """The card from what is known by itself, and from what a person said."""
    channels = tuple(channel.name for channel in plan.recipe.channels)
    modalities = tuple(sorted({channel.modality for channel in plan.recipe.channels if channel.modality}))
    kind = "volumes" if plan.recipe.dims == 3 else "flat pictures"
    train, val = dataset.split("train"), dataset.split("val")
    pixels = plan.task == "segmentation"
    card = ModelCard(
        name=name,
        version="1",
        title=f"{', '.join(plan.classes[1:] if pixels else plan.classes) or dataset.target} ({dataset.name})",
        task=plan.task,
        classes=plan.classes[1:] if pixels else plan.classes,
        sees=Sees(f"{kind} like those of {dataset.name}", plan.recipe.dims, channels, modalities),
        not_for=("pictures of another kind than it was trained on", "decisions without a qualified person"),
        limits=(
            f"Trained on {len(train.cases)} cases of {train.patients} patients,"
            f" tuned on {len(val.cases)} of {val.patients}, all from {dataset.name}.",
        ),
        trained_on=f"{dataset.name}: {len(train.cases)} cases, {train.patients} patients",
        created=datetime.now(UTC).date().isoformat(),
        software=SOFTWARE,
    )
    if facts is None:
        return card
    said: Any = read_json(facts)
    unsayable = {"task", "classes", "digest", "tested", "engine"} & set(said)
    if unsayable:
        raise AskedWrongly(
            f"{facts.name} sets {', '.join(sorted(unsayable))}, which follow from the training.",
            remedy="Leave them out.",
        )
    plain = card_to_json(card)
    plain.pop("card_version")
    plain["sees"] |= said.pop("sees", {})
    try:
        return from_plain(ModelCard, {**plain, **said}, where=facts.name)
    except ValueError as error:
        raise AskedWrongly(
            f"{facts.name} does not fit a card: {error}.", remedy="See docs/reference/card.md."
        ) from error


def _history(
    plan: Plan, members: Sequence[Trained], dataset: Dataset, wishes: Ask, care: Care | None
) -> dict[str, Any]:
    return {
        "data": to_plain(origin_of(dataset, wishes.target)),
        "budget_seconds": plan.training.budget_seconds,
        "seed": plan.training.seed,
        "members": [
            {
                **to_plain(member.standing),
                "losses": [round(x, 4) for x in member.standing.losses],
                "notes": member.notes,
            }
            for member in members
        ],
        "cases": {split: len(dataset.split(split).cases) for split in ("train", "val", "test")},
        "care": None if care is None else care_in_short(care),
        "allowed": list(wishes.allow),
        "versions": versions(),
        "machine": machine(),
        "patients": {split: dataset.split(split).patients for split in ("train", "val", "test")},
    }


def _tested(dataset: Dataset, split: str, evaluation: Evaluation) -> tuple[TestResult, ...]:
    today = datetime.now(UTC).date().isoformat()
    named = TASKS[evaluation.task].metrics
    return tuple(
        TestResult(
            data=dataset.name,
            split=split,
            patients=evaluation.patients,
            cases=evaluation.cases,
            metric=metric,
            value=round(one.value, 4),
            low=round(one.low, 4),
            high=round(one.high, 4),
            date=today,
        )
        for metric, one in evaluation.metrics.items()
        if metric in named and np.isfinite([one.value, one.low, one.high]).all()
    )


def clear_scratch(place: Path) -> None:
    """Take away what a finished training leaves."""
    shutil.rmtree(place, ignore_errors=True)

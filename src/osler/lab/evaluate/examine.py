"""Examine a model on labelled data: the verb behind `osler evaluate`."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from osler.core.errors import BadDataset, OslerError
from osler.core.progress import Tell, silent
from osler.core.record import from_plain
from osler.io.files import read_json
from osler.lab.catalog.dataset import Dataset
from osler.lab.catalog.recognize import read_dataset
from osler.lab.evaluate.compare import Comparison, compare
from osler.lab.evaluate.evaluate import Evaluation
from osler.lab.evaluate.report import write_report
from osler.lab.evaluate.run import about, ask, evaluated, extremes
from osler.models.model import Model


@dataclass(frozen=True, slots=True)
class Origin:
    """Which cases a model came from, without their names; stored in the model's training.json.

    cases   sha256 over the ids of all cases
    sides   sha256 of each id, cut to 12 digits -> the split it was in
    target  the label column that was asked for, ""
    """

    cases: str
    sides: dict[str, str]
    target: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """How a model did on a set of cases.

    comparison  with the other model, where there is one
    page        evaluation.html, where a folder was given
    seconds     a case, the median
    """

    evaluation: Evaluation
    comparison: Comparison | None
    page: Path | None
    seconds: float


def examine(
    model: Model,
    data: Path,
    *,
    split: str = "test",
    versus: Model | None = None,
    out: Path | None = None,
    tell: Tell = silent,
) -> Examined:
    """Ask the model about the cases of `data` and score its answers, with intervals by patient.

    split   "train", "val", "test" as the data or, for the data it was trained on, the training divided them; "all"
    versus  another model to compare with on the same cases, by a paired test
    out     a folder for evaluation.html and evaluation.json

    Raises BadDataset when the split is empty, AskedWrongly when the labels answer another question.
    """
    dataset, notes = chosen_cases(model, data, split)
    asked = ask(model, dataset, tell=tell)
    evaluation = evaluated(model, asked, split=split)
    evaluation = replace(evaluation, notes=(*notes, *evaluation.notes))
    comparison = None
    if versus is not None:
        other = ask(versus, dataset, tolerance_mm=asked.tolerance_mm, tell=tell)
        points = tuple(m.trust.operating_point if m.card.task == "binary" else None for m in (model, versus))
        comparison = compare(asked.answers, other.answers, operating_points=(points[0], points[1]))
    page = None
    if out is not None:
        page = write_report(
            evaluation,
            out,
            title=model.card.title,
            about=about(model.card, dataset, split),
            pictures=extremes(model, dataset, asked.answers),
            comparison=comparison,
        )
    return Examined(evaluation, comparison, page, sorted(asked.seconds)[len(asked.seconds) // 2])


def chosen_cases(model: Model, data: Path, split: str) -> tuple[Dataset, tuple[str, ...]]:
    """The cases of one split, and notes on how they were chosen.

    Data without splits of its own is divided as the model's training divided it, if it is the same data; other
    data is all test.
    """
    origin = _origin(model)
    dataset = read_dataset(data, task=model.card.task, target=origin.target or None if origin else None)
    if split == "all":
        return dataset, ()
    if origin is not None and origin.cases == _all_ids(dataset):
        divided = tuple(replace(case, split=origin.sides[_id(case.id)]) for case in dataset.cases)
        dataset = replace(dataset, cases=divided)
    elif split == "test" and not any(case.split for case in dataset.cases):
        return dataset, ("The data names no splits and is not what the model was trained on: all is tested.",)
    chosen = dataset.split(split)
    if not chosen.cases:
        sides = sorted({case.split or "none" for case in dataset.cases})
        raise BadDataset(
            f"{dataset.name} has no cases in the split '{split}'; it has: {', '.join(sides)}.",
            remedy="Choose one of them, or --split all.",
        )
    return chosen, ()


def origin_of(dataset: Dataset, target: str) -> Origin:
    """What is kept of the cases a model came from."""
    return Origin(_all_ids(dataset), {_id(case.id): case.split for case in dataset.cases}, target)


def _origin(model: Model) -> Origin | None:
    path = model.folder / "training.json"
    if not path.is_file():
        return None
    try:
        return from_plain(Origin, read_json(path)["data"])
    except (OslerError, ValueError, KeyError):
        return None  # made by another version: then its training cases are not known


def _all_ids(dataset: Dataset) -> str:
    return hashlib.sha256("\n".join(sorted(case.id for case in dataset.cases)).encode()).hexdigest()


def _id(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:12]

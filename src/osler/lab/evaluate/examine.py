"""Examine a model on labelled data: the verb behind `osler evaluate`."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from osler.core.errors import AskedWrongly, BadDataset, OslerError
from osler.core.progress import Tell, silent
from osler.core.record import from_plain
from osler.io.files import read_json
from osler.lab.catalog.dataset import Dataset
from osler.lab.catalog.recognize import read_dataset
from osler.lab.evaluate.audit import Audit, Gated
from osler.lab.evaluate.compare import Comparison, compare
from osler.lab.evaluate.coverage import coverage
from osler.lab.evaluate.decisions import Aim, TriedPoint, choose_points, decision_curve, try_points
from osler.lab.evaluate.evaluate import Evaluation
from osler.lab.evaluate.external import External, Place, external
from osler.lab.evaluate.report import write_report
from osler.lab.evaluate.robustness import robustness
from osler.lab.evaluate.run import Asked, about, ask, evaluated, extremes
from osler.lab.evaluate.subgroups import MOST_COLUMNS, subgroups, usable_columns
from osler.models.model import Model
from osler.statistics.intervals import bootstrap
from osler.statistics.weighted import mean


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


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked at beyond the numbers of the test.

    columns     facts that make subgroups; None: all that can
    aim         an operating point to choose on validation cases, and another prevalence to ask about
    robustness  degrade the pictures?
    external    other labelled data to compare with, all their cases or their test split
    """

    columns: tuple[str, ...] | None = None
    aim: Aim = field(default_factory=Aim)
    robustness: bool = False
    external: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """How a model did on a set of cases.

    comparison  with the other model, where there is one
    page        evaluation.html, where a folder was given
    seconds     a case, the median
    audit       subgroups, decision curve and operating points; robustness and other data where they were asked for
    """

    evaluation: Evaluation
    comparison: Comparison | None
    page: Path | None
    seconds: float
    audit: Audit = field(default_factory=Audit)

    def to_json(self) -> dict[str, Any]:
        """All of it, as evaluation.json holds it."""
        compared = {"comparison": self.comparison.to_json()} if self.comparison else {}
        return self.evaluation.to_json() | self.audit.to_json() | compared


def examine(
    model: Model,
    data: Path,
    *,
    split: str = "test",
    versus: Model | None = None,
    wanted: Wanted | None = None,
    out: Path | None = None,
    tell: Tell = silent,
) -> Examined:
    """Ask the model about the cases of `data` and score its answers, with intervals by patient.

    split   "train", "val", "test" as the data or, for the data it was trained on, the training divided them; "all"
    versus  another model to compare with on the same cases, by a paired test
    wanted  beyond that
    out     a folder for evaluation.html and evaluation.json

    Raises BadDataset when the split is empty, AskedWrongly when the labels answer another question, when an
    operating point is wanted and there are no validation cases to choose it on, and for columns there are not.
    """
    wanted = wanted or Wanted()
    dataset, notes = chosen_cases(model, data, split)
    chosen = _chosen_point(model, data, split, wanted.aim, tell=tell)
    asked = ask(model, dataset, gated=True, tell=tell)
    point = chosen.points if chosen else _own_point(model)
    evaluation = evaluated(model, asked, split=split, operating_point=point)
    evaluation = replace(evaluation, notes=(*notes, *evaluation.notes))
    comparison = None
    if versus is not None:
        other = ask(versus, dataset, tolerance_mm=asked.tolerance_mm, tell=tell)
        comparison = compare(asked.answers, other.answers, operating_points=(point, _own_point(versus)))
    audit = _audited(model, dataset, asked, chosen, wanted, tell=tell)
    page = None
    if out is not None:
        page = write_report(
            evaluation,
            out,
            title=model.card.title,
            about=about(model.card, dataset, split),
            pictures=extremes(model, dataset, asked.answers),
            comparison=comparison,
            audit=audit,
        )
    return Examined(evaluation, comparison, page, sorted(asked.seconds)[len(asked.seconds) // 2], audit)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """An operating point, and which cases it was chosen on."""

    points: tuple[float, ...]
    on: str


def _chosen_point(model: Model, data: Path, split: str, aim: Aim, *, tell: Tell) -> _Chosen | None:
    """The operating point that `aim` asks for, from the validation cases of the same data; None for no wish."""
    if not aim.chooses:
        return None
    if model.card.task not in ("binary", "multilabel"):
        raise AskedWrongly(
            f"The task '{model.card.task}' has no operating point.",
            remedy="Leave --sensitivity, --specificity and --cost away: the likeliest class is taken.",
        )
    if split in ("val", "all"):
        raise AskedWrongly(
            f"An operating point is chosen on the validation cases; the split '{split}' would try it on them too.",
            remedy="Use --split test.",
        )
    try:
        dataset, _ = chosen_cases(model, data, "val")
    except BadDataset as error:
        raise AskedWrongly(
            f"There are no validation cases to choose an operating point on: {error.problem}",
            remedy="Mark some cases as 'val' (folder, or column 'split'), or name the data it was trained on.",
        ) from error
    asked = ask(model, dataset, tell=tell)
    where = f"{len(asked.answers.ids)} validation cases of {len(set(asked.answers.patients))} patients"
    return _Chosen(choose_points(asked.answers, aim), where)


def _own_point(model: Model) -> float | None:
    return model.trust.operating_point if model.card.task in ("binary", "multilabel") else None


def audited(model: Model, dataset: Dataset, asked: Asked, *, tell: Tell = silent) -> Audit:
    """What every evaluation looks at beyond the numbers: subgroups, decisions, promised sets, the gate."""
    return _audited(model, dataset, asked, None, Wanted(), tell=tell)


def _audited(
    model: Model, dataset: Dataset, asked: Asked, chosen: _Chosen | None, wanted: Wanted, *, tell: Tell
) -> Audit:
    """Subgroups and decisions always, the rest where it was asked for."""
    answers, own = asked.answers, _own_point(model)
    points = chosen.points if chosen else own
    tell("looking closer", 0, 0, "")
    groups = subgroups(answers, asked.facts, columns=wanted.columns, operating_point=points)
    notes = []
    left = usable_columns(asked.facts)[MOST_COLUMNS:]
    if wanted.columns is None and left:
        notes.append(
            f"{len(left)} more columns could make subgroups; they were left out, lest chance find gaps: "
            f"{', '.join(left)}."
        )
    tried: tuple[TriedPoint, ...] = ()
    if own is not None:
        tried = try_points(
            answers,
            (own,),
            aim="the model's own",
            chosen_on="the validation cases of its training" if own != 0.5 else "no cases: one half",
            prevalence=wanted.aim.prevalence,
        )
    if chosen:
        tried += try_points(
            answers, chosen.points, aim=wanted.aim.words, chosen_on=chosen.on, prevalence=wanted.aim.prevalence
        )
    home = _place(dataset.name, asked)
    return Audit(
        subgroups=groups,
        decisions=decision_curve(answers),
        points=tried,
        coverage=coverage(answers, model.trust.sets, asked.facts),
        gated=_gated(asked),
        robustness=robustness(model, dataset, tell=tell) if wanted.robustness else None,
        external=tuple(_elsewhere(model, home, path, points, tell=tell) for path in wanted.external),
        notes=tuple(notes),
    )


def _gated(asked: Asked) -> Gated | None:
    if not asked.unlike:
        return None
    flags = np.array([one.unlike for one in asked.unlike])
    share = bootstrap(lambda weights: {"": mean(flags, weights)}, asked.answers.patients, resamples=1000)[""]
    reasons = dict(Counter(one.reason for one in asked.unlike if one.unlike).most_common())
    return Gated(len(set(asked.answers.patients)), len(flags), share, reasons)


def _place(name: str, asked: Asked, notes: tuple[str, ...] = ()) -> Place:
    gated = np.array([one.unlike for one in asked.unlike]) if asked.unlike else None
    reasons = tuple(one.reason if one.unlike else "" for one in asked.unlike)
    return Place(name, asked.answers, asked.facts, gated, reasons, notes)


def _elsewhere(
    model: Model, home: Place, path: Path, points: float | tuple[float, ...] | None, *, tell: Tell
) -> External:
    """The model on other data: its test split, or all of it."""
    dataset, notes = other_cases(model, path)
    asked = ask(model, dataset, gated=True, tell=tell)
    groups = subgroups(asked.answers, asked.facts, operating_point=points)
    return external(home, _place(dataset.name, asked, notes), operating_point=points, subgroups=groups)


def other_cases(model: Model, data: Path) -> tuple[Dataset, tuple[str, ...]]:
    """The test cases of data from elsewhere, all where it names no test, and notes on them.

    Its classes may be some of the model's only; cases of classes that the model does not know are left out, and
    said. Raises AskedWrongly when it has none of them.
    """
    origin = _origin(model)
    dataset = read_dataset(data, task=model.card.task, target=origin.target or None if origin else None)
    notes = []
    if any(case.split == "test" for case in dataset.cases):
        dataset = dataset.split("test")
    elif any(case.split for case in dataset.cases):
        notes.append(f"{dataset.name} names splits and no test: all of it is tested.")
    if model.card.task in ("regression", "segmentation", "multilabel"):
        return dataset, tuple(notes)
    ours = {name.lower(): place for place, name in enumerate(model.card.classes)}
    numbers = [ours.get(name.lower(), -1) for name in dataset.classes]
    cases = tuple(
        replace(case, label=numbers[case.label])
        for case in dataset.cases
        if isinstance(case.label, int) and numbers[case.label] >= 0
    )
    strange = [name for name, number in zip(dataset.classes, numbers, strict=True) if number < 0]
    if not cases:
        raise AskedWrongly(
            f"{dataset.name} has none of the model's classes: {', '.join(dataset.classes)}.",
            remedy=f"Name its classes as the model does: {', '.join(model.card.classes)}.",
        )
    if strange:
        left = len(dataset.cases) - len(cases)
        notes.append(f"{left} cases of classes that the model does not know were left out: {', '.join(strange)}.")
    return replace(dataset, classes=model.card.classes, cases=cases), tuple(notes)


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

"""Ask a model about labelled cases, and score what it says."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, BadDataset
from osler.core.mask import Mask
from osler.core.prediction import Prediction
from osler.core.progress import Tell, silent
from osler.core.study import Picture
from osler.imaging.overlay import best_slice, outline
from osler.imaging.resample import resize
from osler.imaging.window import to_display
from osler.inference.gate import Likeness, likeness
from osler.inference.predict import predict_prepared
from osler.lab.catalog.cases import load_mask, load_pictures
from osler.lab.catalog.dataset import Case, Dataset
from osler.lab.evaluate.answers import Answers, CaseScore
from osler.lab.evaluate.bands import Fact
from osler.lab.evaluate.evaluate import Evaluation, score, worst_first
from osler.lab.evaluate.segmentation import score_case, tolerance_for
from osler.models.card import ModelCard
from osler.models.model import Model
from osler.models.prepare import Prepared, prepare

SHOWN = 4  # worst and best cases shown as pictures
ENOUGH = 50  # masks looked at to choose the tolerance of the surface Dice


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What a model said on a set of cases, and what the asking cost.

    answers       for `score`
    features      (cases, n) pooled features, None where the net has none
    tolerance_mm  of the surface Dice
    seconds       of each case, preparation left out for whole pictures
    facts         of each case: what the data's table says, and the header where the table is silent
    unlike        what the gate says of each case; () where it was not asked, or the model has none
    """

    answers: Answers
    features: Array | None
    tolerance_mm: float
    seconds: tuple[float, ...]
    facts: tuple[Mapping[str, Fact], ...] = ()
    unlike: tuple[Likeness, ...] = ()


def ask(
    model: Model, dataset: Dataset, *, tolerance_mm: float | None = None, gated: bool = False, tell: Tell = silent
) -> Asked:
    """The model's answers on every case of the data set, beside the truth.

    gated  ask the model's gate too

    Raises AskedWrongly when the data set's labels are not what the model answers, BadDataset when it is empty.
    """
    dataset = in_order_of(model, dataset)
    cases = dataset.cases
    if not cases:
        raise BadDataset("There are no cases to ask about.", remedy="Choose a split that has cases.")
    pixels = model.task.pixels
    tolerance = tolerance_mm or 1.0
    if pixels and tolerance_mm is None:
        masks = [load_mask(case, dataset) for case in cases[:ENOUGH]]
        tolerance = tolerance_for([mask.spacing for mask in masks])
    waiting: deque[tuple[list[Picture], Prepared]] = deque()
    facts: list[Mapping[str, Fact]] = []
    unlike: list[Likeness] = []
    said: list[Prediction] = []
    scores: list[CaseScore] = []
    shown = _shown(model, cases, waiting, facts)
    for case, given in zip(cases, predict_prepared(model, shown), strict=True):
        pictures, prepared = waiting.popleft()
        if gated and (found := likeness(model, pictures, prepared, given.features)) is not None:
            unlike.append(found)
        if pixels:
            assert given.mask is not None
            scores.append(score_case(given.mask, load_mask(case, dataset), tolerance_mm=tolerance))
            given = replace(given, mask=None, voxel_probability=None)  # masks of all cases would fill the memory
        said.append(given)
        tell("asking", len(said), len(cases), "")
    answers = answered(model, cases, said, scores)
    known = [one.features for one in said if one.features is not None]
    return Asked(
        answers,
        np.stack(known) if known else None,
        tolerance,
        tuple(one.seconds for one in said),
        tuple(facts),
        tuple(unlike),
    )


def answered(
    model: Model, cases: Sequence[Case], said: Sequence[Prediction], scores: Sequence[CaseScore] = ()
) -> Answers:
    """What the model said on the cases as one noun; `scores` of the masks where it outlines."""
    ids, patients = tuple(case.id for case in cases), tuple(case.patient for case in cases)
    task, classes = model.card.task, model.card.classes
    if model.task.pixels:
        return Answers(task, classes, ids, patients, masks=tuple(scores))
    return Answers(
        task,
        classes,
        ids,
        patients,
        probabilities=np.stack([p.probabilities for p in said if p.probabilities is not None])
        if task != "regression"
        else None,
        values=np.array([p.value for p in said]) if task == "regression" else None,
        truth=np.array([case.label for case in cases]),
    )


def facts_of(case: Case, pictures: Sequence[Picture]) -> dict[str, Fact]:
    """What is known of a case: its row of the table, and the header of its first picture where that is silent."""
    header = pictures[0].facts
    read: dict[str, Fact] = {
        "sex": header.sex,
        "age": "" if header.age_years is None else header.age_years,
        "manufacturer": header.manufacturer,
        "device": header.device,
        "modality": header.modality,
        "view": header.view,
        "body part": header.body_part,
        "laterality": header.laterality,
    }
    return {name: value for name, value in read.items() if value != ""} | dict(case.facts)


def extremes(model: Model, dataset: Dataset, answers: Answers) -> list[tuple[str, str, Array]]:
    """Pictures of the worst and the best answers: title, caption, (rows, columns, 3) uint8."""
    dataset = in_order_of(model, dataset)
    order = worst_first(answers)
    few = min(SHOWN, len(order) // 2)
    places = [("Worst", place) for place in order[:few]] + [("Best", place) for place in order[len(order) - few :]]
    shown = []
    for kind, place in places:
        case = dataset.cases[place]
        pictures = load_pictures(case)
        picture = pictures[model.recipe.reference]
        caption, pixels = _drawn(model, dataset, answers, place, pictures, picture)
        shown.append((f"{kind}: {case.id}", caption, pixels))
    return shown


def evaluated(
    model: Model, asked: Asked, *, split: str, operating_point: float | Sequence[float] | None = None
) -> Evaluation:
    """The answers scored at the operating point, or the model's own where none is given."""
    point = operating_point
    if point is None and model.card.task in ("binary", "multilabel"):
        point = model.trust.operating_point
    return score(asked.answers, split=split, operating_point=point, tolerance_mm=asked.tolerance_mm)


def about(card: ModelCard, dataset: Dataset, split: str) -> dict[str, str]:
    """Rows for the head of an evaluation page."""
    return {
        "Model": f"{card.name} {card.version}",
        "Data": f"{dataset.name} ({dataset.layout}), {split}",
        "Trained on": card.trained_on,
        "Osler": card.software,
    }


def in_order_of(model: Model, dataset: Dataset) -> Dataset:
    """The data set with its classes in the order of the model's, met by name.

    Raises AskedWrongly when task or class names differ.
    """
    card = model.card
    if dataset.task != card.task:
        raise AskedWrongly(
            f"The model answers a {card.task} question; the data set's labels are {dataset.task}.",
            remedy="Choose data labelled for the same question.",
        )
    ours = ("background", *card.classes) if model.task.pixels else card.classes
    if dataset.task == "regression" or tuple(dataset.classes) == ours:
        return dataset
    names = [name.lower() for name in dataset.classes]
    if model.task.pixels and names and names[0] != "background":
        names[0] = "background"
    if sorted(names) != sorted(name.lower() for name in ours):
        raise AskedWrongly(
            f"The model knows {', '.join(ours)}; the data set has {', '.join(dataset.classes)}.",
            remedy="Name the classes (the folders, or the labels of the table) as the model does.",
        )
    place = {name: [o.lower() for o in ours].index(name) for name in names}
    if model.task.pixels:
        values = sorted(range(len(names)), key=lambda k: place[names[k]])
        return replace(dataset, classes=ours, label_values=tuple(dataset.label_values[k] for k in values))
    cases = tuple(replace(case, label=_moved(case.label, names, place)) for case in dataset.cases)
    return replace(dataset, classes=ours, cases=cases)


def _moved(label: object, names: list[str], place: dict[str, int]) -> int | tuple[int, ...]:
    if isinstance(label, int):
        return place[names[label]]
    assert isinstance(label, tuple)
    moved = [0] * len(names)
    for number, flag in enumerate(label):
        moved[place[names[number]]] = int(flag)
    return tuple(moved)


def _shown(
    model: Model,
    cases: Sequence[Case],
    waiting: deque[tuple[list[Picture], Prepared]],
    facts: list[Mapping[str, Fact]],
) -> Iterator[Prepared]:
    """Each case prepared; what came in waits for the answer, which comes in batches."""
    for case in cases:
        pictures = load_pictures(case)
        prepared = prepare(pictures, model.recipe)
        facts.append(facts_of(case, pictures))
        waiting.append((pictures, prepared))
        yield prepared


def _drawn(
    model: Model, dataset: Dataset, answers: Answers, place: int, pictures: list[Picture], picture: Picture
) -> tuple[str, Array]:
    case = dataset.cases[place]
    if not model.task.pixels:
        return _caption(answers, place), _small(to_display(picture))
    reference = load_mask(case, dataset)
    given = next(predict_prepared(model, [prepare(pictures, model.recipe)]))
    assert given.mask is not None
    scores = answers.masks[place]
    caption = ", ".join(f"{name} Dice {scores[name]['dice']:.3f}" for name in answers.classes)
    pair = [_outlined(picture, mask, reference) for mask in (given.mask, reference)]
    return f"{caption}. Left: the model; right: the reference.", np.concatenate(pair, axis=1)


def _outlined(picture: Picture, mask: Mask, where: Mask) -> Array:
    if where.array.ndim == 2:
        return _small(outline(to_display(picture), mask.array))
    level = best_slice(where if where.array.any() else mask)
    return _small(outline(to_display(picture, slice_index=level), mask.array[level]))


def _small(pixels: Array) -> Array:
    """About 256 pixels high: tiny pictures enlarged without smoothing, large ones shrunk."""
    rows, columns = pixels.shape[:2]
    scale = 256 / rows
    wanted = (256, max(1, round(columns * scale)))
    return np.clip(resize(pixels, wanted, nearest=scale > 1), 0, 255).astype(np.uint8)


def _caption(answers: Answers, place: int) -> str:
    if answers.task == "regression":
        return f"said {np.asarray(answers.values)[place]:.3g}, true {np.asarray(answers.truth)[place]:.3g}"
    chances = answers.chances[place]
    if answers.task == "multilabel":
        true = [name for name, flag in zip(answers.classes, answers.labels[place], strict=True) if flag]
        said = ", ".join(f"{name} {p:.2f}" for name, p in zip(answers.classes, chances, strict=True))
        return f"said {said}; true {', '.join(true) or 'none'}"
    best = int(chances.argmax())
    return (
        f"said {answers.classes[best]} ({chances[best]:.2f}), true {answers.classes[int(answers.labels[place])]}"
    )

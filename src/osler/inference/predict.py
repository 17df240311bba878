"""Running a model: one verb."""

import time
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from osler.core.arrays import Array
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.prediction import Prediction
from osler.core.study import Picture
from osler.inference.sliding import slide
from osler.inference.temper import temper
from osler.models.model import Model
from osler.models.prepare import Prepared, prepare, restore


def predict(model: Model, pictures: Sequence[Picture]) -> Prediction:
    """The model's answer on one case.

    pictures  one a channel of the model's recipe, in order
    Raises AskedWrongly for pictures of the wrong kind or number, BadPixels for NaN.
    """
    start = time.perf_counter()
    prepared = prepare(pictures, model.recipe)
    return next(predict_prepared(model, [prepared], started=start))


def predict_prepared(
    model: Model, cases: Iterable[Prepared], *, batch: int = 64, started: float | None = None
) -> Iterator[Prediction]:
    """Answers on prepared cases, in order; whole pictures are answered in batches."""
    waiting: list[Prepared] = []
    start = started or time.perf_counter()
    for case in cases:
        if model.task.pixels:
            yield _segment(model, case, start)
            start = time.perf_counter()
            continue
        waiting.append(case)
        if len(waiting) == batch:
            yield from _classify(model, waiting, start)
            waiting, start = [], time.perf_counter()
    if waiting:
        yield from _classify(model, waiting, start)


def mean_answers(
    model: Model, images: Tensor, *, flips: tuple[int, ...] | None = None
) -> tuple[Tensor, Tensor | None]:
    """Probabilities of a batch, averaged over members and mirror images, and the first member's pooled features.

    images  (B, planes, *spatial)
    flips   spatial axes to mirror, None: those the model's validation chose
    """
    axes = model.trust.flips if flips is None else flips
    answers: list[Tensor] = []
    features: Tensor | None = None
    with torch.inference_mode():
        for mirrored in _mirrors(axes):
            seen = images.flip(mirrored) if mirrored else images
            for member in model.members:
                logits, pooled = member.logits(seen)
                given = model.task.answers(logits.float())
                answers.append(given.flip(mirrored) if mirrored and model.task.pixels else given)
                if pooled is not None and features is None:
                    features = pooled.float()
    return torch.stack(answers).mean(0), features


def _mirrors(axes: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Every combination of mirrored axes, as axes of a batch; none first."""
    combinations: list[tuple[int, ...]] = [()]
    for axis in axes:
        combinations += [(*combination, axis + 2) for combination in combinations]
    return combinations


def _classify(model: Model, cases: list[Prepared], start: float) -> Iterator[Prediction]:
    images = torch.from_numpy(np.stack([case.array for case in cases])).to(model.device)
    answers, features = mean_answers(model, images)
    seconds = (time.perf_counter() - start) / len(cases)
    numbers: Array = answers.cpu().numpy()
    if model.card.task != "regression":
        numbers = _tempered(numbers, model.trust.temperatures, exclusive=model.card.task != "multilabel")
    for row, given in enumerate(numbers):
        pooled = None if features is None else features[row].cpu().numpy()
        yield _answer(model, given, pooled, seconds)


def _answer(model: Model, given: Array, features: Array | None, seconds: float) -> Prediction:
    name, classes = model.card.task, model.card.classes
    if name == "regression":
        value = float(given[0]) * model.recipe.target_std + model.recipe.target_mean
        return Prediction(name, classes, value=value, features=features, seconds=seconds)
    expected = float(given @ np.arange(len(given))) if name == "ordinal" else None
    return Prediction(name, classes, probabilities=given, value=expected, features=features, seconds=seconds)


def _segment(model: Model, case: Prepared, start: float) -> Prediction:
    image = torch.from_numpy(np.ascontiguousarray(case.array)).to(model.device)
    if model.recipe.whole:
        answers = mean_answers(model, image[None])[0][0]
    else:
        answers = slide(image, model.recipe.size, lambda windows: mean_answers(model, windows)[0])
    shares: Array = restore(answers.cpu().numpy(), case)
    labels = shares.argmax(0).astype(np.uint8)
    sure = np.array([_mean_inside(shares[k], labels == k) for k in range(1, len(shares))])
    names = dict(enumerate(model.card.classes, start=1))
    native = case.native
    mask = (
        Mask(labels, names, spacing_mm=native.spacing_mm)
        if isinstance(native, Image)
        else Mask(labels, names, geometry=native.geometry)
    )
    return Prediction(
        model.card.task,
        model.card.classes,
        mask=mask,
        mask_probability=sure,
        voxel_probability=shares[1:].astype(np.float16),
        seconds=time.perf_counter() - start,
    )


def _tempered(probabilities: Array, temperatures: tuple[float, ...], *, exclusive: bool) -> Array:
    """Exclusive classes by one temperature, labels each by its own (or all by the one there is)."""
    if exclusive:
        return temper(probabilities, temperatures[0])
    labels = probabilities.shape[1]
    columns = zip(probabilities.T, temperatures * labels if len(temperatures) == 1 else temperatures, strict=True)
    return np.stack([temper(column, one) for column, one in columns], axis=1)


def _mean_inside(share: Array, inside: Array) -> float:
    return float(share[inside].mean()) if inside.any() else 0.0

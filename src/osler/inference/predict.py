"""Running a model: one verb."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from osler.core.arrays import Array
from osler.core.errors import BadModel
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.prediction import Prediction
from osler.core.study import Picture
from osler.inference.bounds import calibrated_voxels
from osler.inference.calibrated import calibrated
from osler.inference.disagreement import disagreement
from osler.inference.prevalence import at_site
from osler.inference.sliding import slide
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
    answers, features = member_answers(model, images, flips=flips)
    return torch.stack(answers).mean(0), features


def member_answers(
    model: Model, images: Tensor, *, flips: tuple[int, ...] | None = None
) -> tuple[list[Tensor], Tensor | None]:
    """Each member's probabilities of a batch, averaged over mirror images; see `mean_answers`."""
    mirrors = _mirrors(model.trust.flips if flips is None else flips)
    answers: list[Tensor] = []
    features: Tensor | None = None
    with torch.inference_mode():
        for member in model.members:
            seen: list[Tensor] = []
            for mirrored in mirrors:
                logits, pooled = member.logits(images.flip(mirrored) if mirrored else images)
                given = model.task.answers(logits.float())
                seen.append(given.flip(mirrored) if mirrored and model.task.pixels else given)
                if pooled is not None and features is None:
                    features = pooled.float()
            answers.append(torch.stack(seen).mean(0) if len(seen) > 1 else seen[0])
    return answers, features


def _mirrors(axes: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Every combination of mirrored axes, as axes of a batch; none first."""
    combinations: list[tuple[int, ...]] = [()]
    for axis in axes:
        combinations += [(*combination, axis + 2) for combination in combinations]
    return combinations


def _classify(model: Model, cases: list[Prepared], start: float) -> Iterator[Prediction]:
    images = torch.from_numpy(np.stack([case.array for case in cases])).to(model.device)
    answers, features = member_answers(model, images)
    each: Array = torch.stack(answers).cpu().numpy()  # (members, cases, outputs)
    if not np.isfinite(each).all():
        raise BadModel(
            f"The model {model.card.name} answers with NaN or infinity.",
            remedy="Its weights or its pictures' numbers are damaged: evaluate it again, or train it again.",
        )
    apart = disagreement(each, model.card.task) if len(each) > 1 else None
    numbers = each.mean(0)
    if model.card.task == "regression":
        apart = None if apart is None else apart * model.recipe.target_std
    else:
        numbers = calibrated(numbers, model.trust.calibration, model.card.task)
        if model.trust.site:
            numbers = at_site(numbers, model.trust, model.card.task)
    seconds = (time.perf_counter() - start) / len(cases)
    for row, given in enumerate(numbers):
        answer = _answer(model, given, seconds)
        pooled = None if features is None else features[row].cpu().numpy()
        yield replace(answer, features=pooled, disagreement=None if apart is None else float(apart[row]))


def _answer(model: Model, given: Array, seconds: float) -> Prediction:
    name, classes = model.card.task, model.card.classes
    if name == "regression":
        value = float(given[0]) * model.recipe.target_std + model.recipe.target_mean
        return Prediction(name, classes, value=value, seconds=seconds)
    expected = float(given @ np.arange(len(given))) if name == "ordinal" else None
    return Prediction(name, classes, probabilities=given, value=expected, seconds=seconds)


def voxel_shares(model: Model, case: Prepared) -> tuple[Array, Array | None]:
    """What a segmentation model says of each voxel, before calibration, and its pooled features.

    Returns probabilities (classes, *spatial) on the grid that came in, background first, and (n,) or None.
    Raises BadModel for answers that are not numbers.
    """
    image = torch.from_numpy(np.ascontiguousarray(case.array)).to(model.device)
    if model.recipe.whole:
        batch, pooled = mean_answers(model, image[None])
        answers, features = batch[0], None if pooled is None else pooled[0]
    else:
        answers, features = slide(image, model.recipe.size, lambda windows: mean_answers(model, windows))
    given: Array = answers.cpu().numpy()
    if not np.isfinite(given).all():
        raise BadModel(
            f"The model {model.card.name} answers with NaN or infinity.",
            remedy="Its weights or its pictures' numbers are damaged: evaluate it again, or train it again.",
        )
    return restore(given, case), None if features is None else features.cpu().numpy()


def _segment(model: Model, case: Prepared, start: float) -> Prediction:
    raw, features = voxel_shares(model, case)
    labels = raw.argmax(0).astype(np.uint8)  # one temperature moves no voxel to another label
    shares = calibrated_voxels(raw, model.trust.calibration)
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
        features=features,
        seconds=time.perf_counter() - start,
    )


def _mean_inside(share: Array, inside: Array) -> float:
    return float(share[inside].mean()) if inside.any() else 0.0

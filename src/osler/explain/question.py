"""What is to be explained: one number that a model gives about one picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly
from osler.core.prediction import Prediction
from osler.inference.predict import mean_answers
from osler.inference.sliding import slide
from osler.models.model import Model, Net
from osler.models.prepare import Prepared
from osler.models.tasks.task import Task
from osler.statistics.grades import median_grade


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One number of one picture.

    image   (planes, *spatial) float32, as the net takes it: the whole prepared picture, or one window of it
    inside  the part of `image` that holds the picture, not padding
    place   where that part lies in the prepared array
    task    of the model
    target  class, label or grade; of a segmentation the label's number, from 1; None: the number of a regression
    """

    image: Tensor
    inside: tuple[slice, ...]
    place: tuple[slice, ...]
    task: Task
    target: int | None

    @property
    def spatial(self) -> tuple[int, ...]:
        """Size of `image` without its planes."""
        return tuple(self.image.shape[1:])

    @property
    def unit(self) -> str:
        """What `score` is counted in: "log-odds", "voxels", or "deviations" of a regression's training numbers."""
        if self.target is None:
            return "deviations"
        return "voxels" if self.task.pixels else "log-odds"


def ask_why(model: Model, prepared: Prepared, target: int | None) -> Question:
    """The question why `model` says `target` of a prepared picture.

    A segmentation is asked about the one window of its net that lies around most of the label. Raises AskedWrongly
    for a target that the model does not know.
    """
    answers = model.task.outputs(len(model.card.classes) + 1) if model.task.pixels else len(model.card.classes)
    known = target is None if model.task.name == "regression" else target is not None and 0 <= target < answers
    if not known:
        raise AskedWrongly(
            f"The model {model.card.name} gives no answer number {target}.",
            remedy=f"Choose one of: {', '.join(model.card.classes) or 'its one number, without a target'}.",
        )
    image = torch.from_numpy(np.ascontiguousarray(prepared.array)).to(model.device)
    if model.recipe.whole:
        return Question(image, prepared.inside, prepared.inside, model.task, target)
    window, inside, place = _window(model, image, target or 0)
    return Question(window, inside, place, model.task, target)


def said(prediction: Prediction, operating_point: float) -> tuple[int | None, ...]:
    """What a prediction says, as targets: the class or grade, every label that is there, every label drawn.

    (None,) for the number of a regression; () where nothing is there that could be pointed at.
    """
    if prediction.task == "regression":
        return (None,)
    if prediction.mask is not None:
        mask = prediction.mask
        return tuple(sorted(mask.labels, key=lambda label: -int(mask.of(label).sum())))
    shares = prediction.probabilities
    if shares is None:
        return ()
    if prediction.task == "binary":
        return (int(shares[1] >= operating_point),)
    if prediction.task == "multilabel":
        return tuple(int(k) for k in np.argsort(-shares) if shares[k] >= operating_point)
    if prediction.task == "ordinal":
        return (int(median_grade(shares)),)
    return (int(shares.argmax()),)


def score(nets: Sequence[Net], images: Tensor, question: Question) -> Tensor:
    """The number that is explained, (B,) doubles: the mean over the members of

    - the log-odds of a class or label, which unlike its probability do not flatten out where a net is sure,
    - the log-odds of a grade or worse; for the lowest grade, of that grade,
    - the number of a regression, in deviations of the training numbers,
    - the soft volume of a label, the sum of its voxels' probabilities.

    images  (B, planes, *spatial)
    """
    return torch.stack([_of_member(net, images, question) for net in nets]).mean(0)


def _of_member(net: Net, images: Tensor, question: Question) -> Tensor:
    logits = net.logits(images)[0].double()
    target, task = question.target, question.task
    if target is None:
        return logits[:, 0]
    if task.pixels:
        return task.answers(logits)[:, target].flatten(1).sum(1)
    # From the logits, not from probabilities: those of a sure net are 0 and 1, which have no logarithm.
    if task.name == "multilabel":
        return logits[:, target]
    if task.name == "ordinal":
        if target == 0:
            return -logits[:, 0]
        worse = functional.logsigmoid(logits[:, :target]).sum(1)  # log P(grade >= target)
        return worse - torch.log(-torch.expm1(worse))
    others = [k for k in range(logits.shape[1]) if k != target]
    return logits[:, target] - torch.logsumexp(logits[:, others], 1)


def _window(model: Model, image: Tensor, label: int) -> tuple[Tensor, tuple[slice, ...], tuple[slice, ...]]:
    """The window of the recipe's size around the middle of a label, padded as `slide` pads."""
    size = model.recipe.size
    shares, _ = slide(image, size, lambda windows: mean_answers(model, windows)[:2])
    share: Array = shares[label].cpu().numpy().astype(float)
    share = np.where(share >= 0.5, share, 0) if (share >= 0.5).any() else share
    inside, place = [], []
    for axis, (have, want) in enumerate(zip(share.shape, size, strict=True)):
        along = share.sum(axis=tuple(n for n in range(share.ndim) if n != axis))
        middle = float(along @ np.arange(have)) / max(float(along.sum()), 1e-12)
        first = int(np.clip(round(middle - want / 2), 0, max(0, have - want)))
        front = max(0, want - have) // 2
        place.append(slice(first, first + min(have, want)))
        inside.append(slice(front, front + min(have, want)))
    window = torch.full((image.shape[0], *size), float(image.min()), device=image.device)
    window[(slice(None), *inside)] = image[(slice(None), *place)]
    return window, tuple(inside), tuple(place)

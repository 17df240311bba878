"""Does a map show anything of the model, and of the picture? Two checks that every map goes through.

The first is Adebayo et al. 2018 (NeurIPS), "Sanity Checks for Saliency Maps": a map that stays the same when the
weights are drawn anew shows edges of the picture, not what the model learnt. The second hides what the map marks;
only if the answer then changes more than when as much is hidden elsewhere did the marked part matter (after Samek
et al. 2017, IEEE TNNLS).
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from osler.core.arrays import Array
from osler.core.progress import Tell, silent
from osler.explain.blur import surroundings
from osler.explain.question import Question, score
from osler.explain.saliency import stages
from osler.models.model import Net, TorchNet

Way = Callable[[Sequence[Net], Question, Tell], Array]

REDRAWS = 3
ELSEWHERE = 19  # the marked part beats all of 19 others by chance in 1 of 20 cases
SHARE = 0.15  # of the picture that is hidden
ALIKE = 0.5  # rank correlation with the maps of such nets from which a map shows the picture alone


@dataclass(frozen=True, slots=True)
class Sanity:
    """What became of the checks of one map.

    likeness   mean absolute rank correlation (Spearman) with the maps of the same net with weights drawn anew,
               0 to 1; None where weights are out of reach
    redraws   how many such nets were asked
    share      of the picture that was hidden, 0 to 1
    fall       by how much the score fell when the most marked part was hidden
    elsewhere  by how much it fell when parts of the same size and shape elsewhere were hidden
    least      the smallest fall that matters: odds divided by 1.2, a tenth of a deviation, a twentieth of a volume
    """

    likeness: float | None
    redraws: int
    share: float
    fall: float
    elsewhere: tuple[float, ...]
    least: float = 0.0

    @property
    def learnt(self) -> bool | None:
        """Does the map hang on what the net learnt? None where that could not be tried."""
        return None if self.likeness is None else self.likeness < ALIKE

    @property
    def faithful(self) -> bool:
        """Did hiding the marked part change the answer more than hiding any other, and enough to matter?"""
        return self.fall > max(0.0, *self.elsewhere) and self.fall >= self.least


def likeness_when_redrawn(way: Way, nets: Sequence[Net], question: Question, found: Array) -> float | None:
    """Mean absolute Spearman correlation of a map with those of nets whose last stage and head are drawn anew.

    found  (*spatial), the map of the nets as they are
    Returns None for nets whose weights are out of reach (ONNX).
    """
    if not all(isinstance(net, TorchNet) for net in nets):
        return None
    likeness = []
    for seed in range(REDRAWS):
        other = way([redrawn(net, seed) for net in nets if isinstance(net, TorchNet)], question, silent)
        here, there = found[question.inside].ravel(), other[question.inside].ravel()
        likeness.append(abs(rank_correlation(here, there)) if np.isfinite(there).all() else 0.0)
    return float(np.mean(likeness))


def rank_correlation(one: Array, other: Array) -> float:
    """Spearman's correlation of (n,) numbers, ties at their mean rank; 0 where one of them is the same everywhere.

    >>> rank_correlation(np.array([1.0, 2.0, 9.0]), np.array([0.1, 0.5, 0.2]))
    0.5
    """
    ranks = []
    for numbers in (one, other):
        _, which, many = np.unique(numbers, return_inverse=True, return_counts=True)
        mean = np.cumsum(many) - (many - 1) / 2  # of the ranks that equal numbers share
        ranks.append(mean[which] - mean[which].mean())
    spread = float(np.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum()))
    return float(ranks[0] @ ranks[1]) / spread if spread > 0 else 0.0


def redrawn(net: TorchNet, seed: int) -> TorchNet:
    """The net with the weights of its last stage and head drawn anew, normal with their own mean and deviation.

    Their sizes stay, so that the net still gives numbers of the usual size; the weights before are shared.
    """
    before = stages(net.module)[:-1]
    kept = [w for part in _up_to(net.module, before[-1]) for w in part.parameters()] if before else []
    module = copy.deepcopy(net.module, {id(weight): weight for weight in kept})
    shared = {id(weight) for weight in kept}
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in module.parameters():
            if id(weight) not in shared:
                fresh = torch.randn(weight.shape, generator=draw).to(weight.device)
                weight.copy_(fresh * weight.std(correction=0) + weight.mean())
    return TorchNet(module)


def hide(question: Question, found: Array) -> tuple[Tensor, float] | None:
    """The picture with its most marked part hidden, then with parts of the same size and shape elsewhere hidden.

    found  (*spatial)
    Returns (1 + ELSEWHERE, planes, *spatial), hidden parts filled from what lies around them, and the share of the
    picture that was hidden; None where the map marks nothing or the picture is too small for so many elsewheres.
    """
    marked = np.maximum(found[question.inside], 0)
    most = max(1, round(SHARE * marked.size))
    if not np.isfinite(marked).all() or marked.max(initial=0) <= 0 or marked.size < 2 * ELSEWHERE:
        return None
    order = np.argsort(-marked, axis=None, kind="stable")[:most]
    order = order[marked.ravel()[order] > 0]
    part = np.zeros(marked.shape, bool)
    part.ravel()[order] = True
    pictures = [_hidden(question, part), *(_hidden(question, other) for other in _moved(part))]
    return torch.stack(pictures), len(order) / marked.size


def least_fall(nets: Sequence[Net], question: Question) -> float:
    """The smallest fall of the score that matters, in its unit."""
    if question.target is None:
        return 0.1
    if not question.task.pixels:
        return float(np.log(1.2))
    with torch.no_grad():
        return 0.05 * float(score(nets, question.image[None], question)[0])


def falls(nets: Sequence[Net], question: Question, pictures: Tensor) -> tuple[float, ...]:
    """By how much the score of each picture (B, planes, *spatial) lies below that of the question's own."""
    at_once = 32 if len(question.spatial) == 2 else 2
    with torch.no_grad():
        whole = float(score(nets, question.image[None], question)[0])
        left = [x for part in torch.split(pictures, at_once) for x in score(nets, part, question).tolist()]
    return tuple(whole - x for x in left)


def _moved(part: Array) -> list[Array]:
    """The same part moved over the picture, what leaves it on one side coming in on the other, and mirrored."""
    draw = np.random.default_rng(part.shape)
    found = []
    for _ in range(ELSEWHERE):
        steps = [int(draw.integers(size)) for size in part.shape]
        longest = int(np.argmax(part.shape))
        steps[longest] = int(draw.integers(part.shape[longest] // 4, part.shape[longest] * 3 // 4 + 1))
        mirrored = np.flip(part, tuple(axis for axis in range(part.ndim) if draw.random() < 0.5))
        found.append(np.roll(mirrored, steps, tuple(range(part.ndim))))
    return found


def _hidden(question: Question, part: Array) -> Tensor:
    where = np.zeros(question.spatial, bool)
    where[question.inside] = part
    return surroundings(question.image, where)


def _up_to(module: nn.Module, last: nn.Module) -> list[nn.Module]:
    """The parts of a net up to the stage `last`, which lies in one of its lists of parts."""
    for parts in module.children():
        inner = list(parts.children())
        if any(part is last for part in inner):
            return inner[: next(n for n, part in enumerate(inner) if part is last) + 1]
    return []

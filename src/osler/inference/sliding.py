"""Windows that slide over a large picture and are blended where they overlap."""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

Answer = Callable[[Tensor], tuple[Tensor, Tensor | None]]


def slide(
    image: Tensor, window: tuple[int, ...], answer: Answer, *, overlap: float = 0.5, batch: int = 4
) -> tuple[Tensor, Tensor | None]:
    """Probabilities for a whole picture from answers on windows, and its features from theirs.

    image    (planes, *spatial); axes shorter than the window are padded with the picture's darkest value
    window   spatial size of one window
    answer   (B, planes, *window) -> (B, classes, *window), and (B, features) or None
    overlap  share of a window that its neighbour sees too, 0 to less than 1

    Returns (classes, *spatial), and (features,) or None. Windows are spread evenly from edge to edge and weighted
    by a Gaussian with a deviation of an eighth of the window (Isensee et al. 2021), so that borders, where a net
    sees least, count least. A window's features count as its answers do: by its share of the blended picture.
    """
    spatial = tuple(image.shape[1:])
    short = [max(0, w - n) for w, n in zip(window, spatial, strict=True)]
    if any(short):
        pads = [edge for gap in reversed(short) for edge in (gap // 2, gap - gap // 2)]
        image = functional.pad(image, pads, value=float(image.min()))
    starts = list(
        itertools.product(*(_starts(n, w, overlap) for n, w in zip(image.shape[1:], window, strict=True)))
    )
    weight = gaussian(window).to(image.device)
    total: Tensor | None = None
    seen = torch.zeros(image.shape[1:], device=image.device)
    pooled: list[Tensor] = []
    for first in range(0, len(starts), batch):
        places = [
            tuple(slice(s, s + w) for s, w in zip(start, window, strict=True))
            for start in starts[first : first + batch]
        ]
        answers, features = answer(torch.stack([image[(slice(None), *place)] for place in places]))
        if features is not None:
            pooled.append(features)
        if total is None:
            total = torch.zeros((answers.shape[1], *image.shape[1:]), device=image.device)
        for place, given in zip(places, answers, strict=True):
            total[(slice(None), *place)] += given * weight
            seen[place] += weight
    assert total is not None  # there is always one window
    total /= seen
    back = tuple(slice(gap // 2, gap // 2 + n) for gap, n in zip(short, spatial, strict=True))
    return total[(slice(None), *back)], _averaged(torch.cat(pooled), starts, weight, seen) if pooled else None


def _averaged(features: Tensor, starts: list[tuple[int, ...]], weight: Tensor, seen: Tensor) -> Tensor:
    """Features of windows (N, n), averaged by the share of the picture that each window answers for, (n,)."""
    shares = [
        (weight / seen[tuple(slice(s, s + w) for s, w in zip(start, weight.shape, strict=True))]).mean()
        for start in starts
    ]
    share = torch.stack(shares).to(features)
    return (features * (share / share.sum())[:, None]).sum(0)


def gaussian(window: tuple[int, ...]) -> Tensor:
    """Weights of a window, 1 in the middle, never 0, (*window)."""
    weight = torch.ones(())
    for size in window:
        place = torch.arange(size) - (size - 1) / 2
        weight = weight[..., None] * torch.exp(-0.5 * (place / (size / 8)) ** 2)
    return weight.clamp(min=1e-4)


def _starts(length: int, window: int, overlap: float) -> list[int]:
    """First index of each window along one axis.

    >>> _starts(100, 40, 0.5)
    [0, 20, 40, 60]
    >>> _starts(40, 40, 0.5)
    [0]
    """
    room = length - window
    steps = -(-room // max(1, int(window * (1 - overlap))))
    return [round(i * room / steps) for i in range(steps + 1)] if room > 0 else [0]

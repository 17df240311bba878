"""A map without gradients: hide one patch after the other and see what becomes of the answer."""

import itertools
from collections.abc import Sequence

import numpy as np
import torch

from osler.core.arrays import Array
from osler.core.progress import Tell
from osler.explain.blur import blurred
from osler.explain.question import Question, score
from osler.models.model import Net

_PATCHES = {2: 8, 3: 4}  # patches a side; in space a net is asked at 7 x 7 x 7 places, on a plane at 15 x 15
_AT_ONCE = {2: 32, 3: 2}


def occlusion(nets: Sequence[Net], question: Question, tell: Tell) -> Array:
    """How much the score falls where the picture is hidden: (*spatial) float32, signed.

    Zeiler & Fergus 2014, ECCV. A patch of an eighth of each side (a quarter in space) moves by half of itself and
    is filled with the blurred picture; a voxel takes the mean of the patches that hid it.
    """
    axes = len(question.spatial)
    fill = blurred(question.image)
    places = [
        tuple(slice(start, start + size) for start, size in zip(starts, _sizes(question), strict=True))
        for starts in itertools.product(*_starts(question))
    ]
    total, seen = np.zeros(question.spatial), np.zeros(question.spatial)
    with torch.no_grad():
        whole = float(score(nets, question.image[None], question)[0])
        for first in range(0, len(places), _AT_ONCE[axes]):
            batch = places[first : first + _AT_ONCE[axes]]
            images = question.image.repeat(len(batch), *[1] * (axes + 1))  # (b, planes, *spatial)
            for image, place in zip(images, batch, strict=True):
                image[(slice(None), *place)] = fill[(slice(None), *place)]
            for place, left in zip(batch, score(nets, images, question).tolist(), strict=True):
                total[place] += whole - left
                seen[place] += 1
            tell("occlusion", first + len(batch), len(places), "")
    return np.asarray(total / np.maximum(seen, 1), np.float32)


def _sizes(question: Question) -> tuple[int, ...]:
    many = _PATCHES[len(question.spatial)]
    return tuple(max(1, (s.stop - s.start) // many) for s in question.inside)


def _starts(question: Question) -> list[list[int]]:
    """First index of the patches along each axis, from edge to edge of the picture; padding is not hidden."""
    found = []
    for part, size in zip(question.inside, _sizes(question), strict=True):
        last = part.stop - size
        found.append(sorted({*range(part.start, last, max(1, size // 2)), last}))
    return found

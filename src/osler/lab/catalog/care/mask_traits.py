"""What can be measured on a mask and the picture under it, so that one case can be compared with all others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from osler.core.arrays import Array, Floats
from osler.core.mask import Mask
from osler.imaging.components import components, sizes

# Voxels looked at around a structure: a mask that was moved by more than this no longer touches it.
_MARGIN = 8
_RING = 2  # voxels outside the border that a structure is compared with
_STEPS = (2, 4, 6)  # voxels by which a mask is moved to see whether it fits better
_AT_MOST = 96  # voxels along an axis; larger structures are looked at through every second, third, ... voxel


@dataclass(frozen=True, slots=True)
class Trait:
    """One number of one structure.

    kind   one of KINDS
    label  the structure; two joined by " and " where it is about a pair; "" for the whole mask
    """

    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Kind:
    """What is measured, in words, and how exactly it can be.

    low, high  what is said of a value far below or above the others; "" where that is nothing odd
    least      a smaller spread than this among the cases is taken for this one: nobody draws more exactly
    """

    low: str
    high: str
    least: float


KINDS: Mapping[str, Kind] = {
    "size": Kind("is far smaller than in the others", "is far larger than in the others", 0.1),
    "pieces": Kind("", "has larger pieces apart from the rest than in the others", 0.01),
    "place along slices": Kind("lies elsewhere than in the others", "lies elsewhere than in the others", 0.03),
    "place along rows": Kind("lies elsewhere than in the others", "lies elsewhere than in the others", 0.03),
    "place along columns": Kind("lies elsewhere than in the others", "lies elsewhere than in the others", 0.03),
    "length along slices": Kind("is far shorter than in the others", "is far longer than in the others", 0.1),
    "length along rows": Kind("is far shorter than in the others", "is far longer than in the others", 0.1),
    "length along columns": Kind("is far shorter than in the others", "is far longer than in the others", 0.1),
    "contrast": Kind(
        "is darker against its surroundings than in the others",
        "is brighter against its surroundings than in the others",
        0.05,
    ),
    "edge": Kind("has a border where the picture shows none", "", 0.1),
    "fit": Kind("", "would fit the picture better a few voxels away", 0.05),
    "cut": Kind("", "is cut off by the border of the picture, unlike the others", 0.02),
    "order along slices": Kind("lie in another order", "lie in another order", 0.1),
    "order along rows": Kind("lie in another order", "lie in another order", 0.1),
    "order along columns": Kind("lie in another order", "lie in another order", 0.1),
}
_AXES = ("slices", "rows", "columns")


def measure(mask: Mask, picture: Array) -> dict[Trait, float]:
    """The traits of every structure that the mask holds.

    picture  grey, of the mask's shape
    """
    found: dict[Trait, float] = {}
    axes = _AXES[-mask.array.ndim :]
    centres: dict[str, Floats] = {}
    voxel = float(np.prod(mask.spacing))
    for number, name in mask.labels.items():
        inside = mask.of(number)
        places = np.argwhere(inside)
        if not len(places):
            continue
        shape = np.array(mask.array.shape)
        centres[name] = places.mean(axis=0)
        spans = (np.ptp(places, axis=0) + 1) * mask.spacing
        found[Trait("size", name)] = float(np.log(len(places) * voxel))
        for axis, centre, span, side in zip(axes, centres[name], spans, shape, strict=True):
            found[Trait(f"place along {axis}", name)] = float((centre + 0.5) / side)
            found[Trait(f"length along {axis}", name)] = float(np.log(span))
        labels, count = components(_around(inside, places, 0)[0])
        found[Trait("pieces", name)] = 1 - float(sizes(labels, count).max() / len(places))
        at_border = ((places == 0) | (places == shape - 1)).any(axis=1)
        found[Trait("cut", name)] = float(at_border.mean())
        found |= {Trait(kind, name): value for kind, value in _against(inside, places, picture).items()}
    everything = mask.array != 0
    if len(centres) > 1:  # the outer border of all together shows a shift best
        drawn = _against(everything, np.argwhere(everything), picture)
        found |= {Trait(kind, ""): value for kind, value in drawn.items()}
    for one, other in combinations(centres, 2):
        away = (centres[other] - centres[one]) * mask.spacing
        scale = np.exp((found[Trait("size", one)] + found[Trait("size", other)]) / 2 / mask.array.ndim)
        for axis, distance in zip(axes, away, strict=True):
            found[Trait(f"order along {axis}", f"{one} and {other}")] = float(distance / scale)
    return found


def _around(array: Array, places: Array, margin: int) -> tuple[Array, tuple[slice, ...]]:
    """The part of an array round the places, and where it lies."""
    low, high = places.min(axis=0), places.max(axis=0)
    step = int(np.ceil(((high - low).max() + 1 + 2 * margin) / _AT_MOST)) if margin else 1
    where = tuple(
        slice(max(int(a) - margin * step, 0), int(b) + 1 + margin * step, step)
        for a, b in zip(low, high, strict=True)
    )
    return array[where], where


def _against(inside: Array, places: Array, picture: Array) -> dict[str, float]:
    """How the structure stands out from the picture."""
    from scipy import ndimage

    part, where = _around(inside, places, _MARGIN)
    grey = picture[where].astype(np.float32)
    low, high = np.percentile(grey, (1, 99))
    if high <= low or not part.any() or min(part.shape) < 2:
        return {}
    grey = ((grey - low) / (high - low)).clip(-0.5, 1.5)
    steep = np.sqrt(sum(side**2 for side in np.gradient(ndimage.gaussian_filter(grey, 0.7))))
    ball = ndimage.generate_binary_structure(part.ndim, 1)
    outer = ndimage.binary_dilation(part, ball, iterations=_RING)
    rim = ndimage.binary_dilation(part, ball) & ~ndimage.binary_erosion(part, ball)
    ring = outer & ~part
    if not ring.any():
        return {}
    contrast = float(grey[part].mean() - grey[ring].mean())
    near = ndimage.binary_dilation(outer, ball, iterations=_RING)
    edge = float(np.log(max(steep[rim].mean(), 1e-4) / max(steep[near].mean(), 1e-4)))
    best = max((_moved(steep, rim, axis, by) for axis in range(part.ndim) for by in _both_ways()), default=0.0)
    return {"contrast": contrast, "edge": edge, "fit": best - float(steep[rim].mean())}


def _both_ways() -> tuple[int, ...]:
    return tuple(sign * step for step in _STEPS for sign in (-1, 1))


def _moved(steep: Array, rim: Array, axis: int, by: int) -> float:
    """How steep the picture is under the rim moved by some voxels; what leaves the picture is left out."""
    size = rim.shape[axis]
    if abs(by) >= size:
        return 0.0
    cut: Callable[[int, int], tuple[slice, ...]] = lambda a, b: tuple(  # noqa: E731
        slice(a, b) if n == axis else slice(None) for n in range(rim.ndim)
    )
    here = rim[cut(max(-by, 0), size - max(by, 0))]
    there = steep[cut(max(by, 0), size + min(by, 0))]
    # A rim of which half is gone says nothing.
    return float(there[here].mean()) if here.sum() > rim.sum() / 2 else 0.0

"""How alike two pictures are when one may be a turned, cropped or repainted copy of the other.

Two steps, as in every search for copies: a cheap description of each picture, compared with all others by matrix
products, proposes pairs; then the two of each pair are laid on each other and their detail compared. Similar
patients have the same large shapes; only copies share the detail.

Descriptions: grey values in order of rank (so that brightness, contrast and gamma do not count), 16 x 16 pixels,
in the 8 flips and quarter turns; and magnitudes of the Fourier series along circles, which no turn changes.
Alignment: Evangelidis and Psarakis, Parametric Image Alignment Using Enhanced Correlation Coefficient
Maximization, IEEE PAMI 30(10):1858, 2008, for many pairs at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from osler.core.arrays import Array

if TYPE_CHECKING:
    from torch import Tensor

_COARSE = 16  # pixels along a side of the first description
_RINGS, _SPOKES, _WAVES = 14, 64, 16  # circles, places on each, and how many of its waves are kept
_BLOCK = 50_000_000  # likenesses held at once
_PAIRS_AT_ONCE = 256
_STEPS = (4, 3)  # of Gauss and Newton, on the coarse and on the fine level
_BLURS = (0.6, 1.2, 2.4, 4.8)  # of the three bands of detail, in pixels of the thumbnail
# Fine detail tells copies from similar patients best, but blur and JPEG take it; measured on planted copies.
_WEIGHTS = np.array([0.4, 0.3, 0.3])
_AT_MOST = 0.99  # a correlation above this says no more
_ORDINARY = 500  # pictures whose next partner tells what merely similar looks like
_SHARED = 0.6  # of the first picture, that the second must cover


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures laid on each other.

    one, other  which, the smaller first
    likeness    of their detail: weighted mean of Fisher's z of the correlation in three bands; 0 for nothing in
                common, 2.6 for the same
    mirrored    was the second mirrored?
    degrees     by how much it was turned
    """

    one: int
    other: int
    likeness: float
    mirrored: bool
    degrees: float


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    """Pairs of pictures that may be copies.

    pairs   (pairs, 2) int, the smaller index first
    starts  (pairs, 2, 3) float32: where to begin laying the second on the first, from places in the first to
            places in the second, both (across, down) from -1 to 1
    """

    pairs: Array
    starts: Array


def propose(thumbnails: Array, *, nearest: int = 2) -> Proposals:
    """The `nearest` likeliest partners of each picture, by either description.

    thumbnails  (pictures, 64, 64) float32
    """
    best: dict[tuple[int, int, int], Array] = {}
    ranked = _ranked(thumbnails)
    for one, other, turn in _by_shape(ranked, nearest):
        best[one, other, turn] = _turn(turn)
    circles = _circles(ranked)
    for one, other in _nearest(_described(np.abs(circles)), nearest):
        best[one, other, 8] = _angle(circles[one], circles[other])
    if not best:
        return Proposals(np.zeros((0, 2), int), np.zeros((0, 2, 3), np.float32))
    keys = sorted(best)
    return Proposals(np.array([key[:2] for key in keys]), np.stack([best[key] for key in keys]).astype(np.float32))


def _ranked(thumbnails: Array) -> Array:
    """Each pixel's rank in its picture, -1 to 1."""
    count, rows, columns = thumbnails.shape
    flat = thumbnails.reshape(count, -1)
    order = np.argsort(flat, axis=1, kind="stable")
    ranks = np.empty_like(flat)
    np.put_along_axis(ranks, order, np.linspace(-1, 1, rows * columns, dtype=np.float32)[None], axis=1)
    return ranks.reshape(thumbnails.shape)


def _turned(pictures: Array, turn: int) -> Array:
    return np.rot90(pictures[..., ::-1] if turn >= 4 else pictures, turn % 4, axes=(-2, -1))


def _turn(turn: int) -> Array:
    """The map from places of a picture to places of the picture that `_turned` by `turn` gives it."""
    quarter = np.linalg.matrix_power(np.array([[0.0, -1.0], [1.0, 0.0]]), turn % 4)
    mirror = np.diag([-1.0, 1.0]) if turn >= 4 else np.eye(2)
    return np.concatenate([mirror @ quarter, np.zeros((2, 1))], axis=1)


def _by_shape(ranked: Array, nearest: int) -> set[tuple[int, int, int]]:
    count, side = len(ranked), ranked.shape[-1]
    step = side // _COARSE
    small = ranked.reshape(count, _COARSE, step, _COARSE, step).mean(axis=(2, 4))
    small -= small.mean(axis=(1, 2), keepdims=True)
    turned = np.stack([_turned(small, turn).reshape(count, -1) for turn in range(8)])  # (8, pictures, 256)
    # What varies most in the set (posture, collimation) says least about copies. All turns are pooled, so that
    # whitening and turning commute.
    pool = turned.reshape(-1, turned.shape[-1])
    centre = pool.mean(axis=0)
    values, vectors = np.linalg.eigh((pool - centre).T @ (pool - centre) / len(pool))
    whiten = vectors * (np.maximum(values, 0) + 1e-3 * values.sum() / len(values)) ** -0.35
    described = [_unit((one - centre) @ whiten).astype(np.float32) for one in turned]
    found: set[tuple[int, int, int]] = set()
    block = max(1, _BLOCK // (8 * count))
    for start in range(0, count, block):
        rows = np.arange(start, min(start + block, count))
        likeness = np.stack([described[0][rows] @ one.T for one in described])  # (8, rows, pictures)
        likeness[:, np.arange(len(rows)), rows] = -2
        turn = likeness.argmax(axis=0)
        most = likeness.max(axis=0)
        for row, partners in zip(rows, _top(most, nearest), strict=True):
            for partner in partners:
                found.add(_ordered(int(row), int(partner), int(turn[row - start, partner])))
    return found


def _ordered(one: int, other: int, turn: int) -> tuple[int, int, int]:
    """The same pair with the smaller index first: turned the other way round; a mirrored turn is its own."""
    if one < other:
        return one, other, turn
    return other, one, turn if turn >= 4 else (4 - turn) % 4


def _circles(ranked: Array) -> Array:
    """(pictures, rings, waves) complex: the Fourier series along circles about the middle."""
    side = ranked.shape[-1]
    smooth = _smooth(ranked, 1.0)
    radius = np.linspace(0.12, 0.95, _RINGS) * (side - 1) / 2
    angle = 2 * np.pi * np.arange(_SPOKES) / _SPOKES
    down = (side - 1) / 2 + radius[:, None] * np.sin(angle)
    across = (side - 1) / 2 + radius[:, None] * np.cos(angle)
    on_circles = smooth[:, np.rint(down).astype(int), np.rint(across).astype(int)]  # (pictures, rings, spokes)
    series: Array = np.fft.rfft(on_circles, axis=2)[:, :, :_WAVES] * np.sqrt(radius)[:, None]
    return series


def _described(magnitudes: Array) -> Array:
    flat = magnitudes.reshape(len(magnitudes), -1)
    flat = flat - flat.mean(axis=0)
    return _unit(flat / (flat.std(axis=0) + 1e-6)).astype(np.float32)


def _nearest(described: Array, nearest: int) -> set[tuple[int, int]]:
    found = set()
    block = max(1, _BLOCK // len(described))
    for start in range(0, len(described), block):
        rows = np.arange(start, min(start + block, len(described)))
        likeness = described[rows] @ described.T
        likeness[np.arange(len(rows)), rows] = -2
        for row, partners in zip(rows, _top(likeness, nearest), strict=True):
            found |= {(min(int(row), int(p)), max(int(row), int(p))) for p in partners}
    return found


def _angle(one: Array, other: Array) -> Array:
    """The turn about the middle, mirrored first or not, that lays `other` best on `one`; both (rings, waves)."""
    # Mirroring left to right sends the angle t to pi - t: the series is conjugated, and odd waves change sign.
    seconds = np.stack([other, np.conj(other) * (-1.0) ** np.arange(other.shape[1])])
    whole = np.zeros((2, _SPOKES // 2 + 1), complex)
    whole[:, 1 : one.shape[1]] = (one * np.conj(seconds)).sum(axis=1)[:, 1:]
    fits = np.fft.irfft(whole, n=4 * _SPOKES, axis=1)
    mirrored, shift = np.unravel_index(int(np.argmax(fits)), fits.shape)
    turn = 2 * np.pi * int(shift) / (4 * _SPOKES)  # one(t) = second(t - turn)
    back = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    mirror = np.diag([-1.0, 1.0]) if mirrored else np.eye(2)
    return np.concatenate([mirror @ back, np.zeros((2, 1))], axis=1)


def _top(likeness: Array, count: int) -> Array:
    count = min(count, likeness.shape[1] - 1)
    return np.argpartition(-likeness, count - 1, axis=1)[:, :count] if count else np.zeros((len(likeness), 0), int)


def _unit(rows: Array) -> Array:
    unit: Array = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return unit


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """The proposed pairs laid on each other.

    nearest   each picture with the likeliest of its partners
    ordinary  (pictures,) likeness of some pictures to the next partner, which is a copy only where there are three
    """

    nearest: tuple[Pair, ...]
    ordinary: Array


def compare(thumbnails: Array, proposals: Proposals, tell: Callable[[int, int], None]) -> Compared:
    """The proposed pairs laid on each other and compared.

    tell  called with (pairs done, pairs in all)
    """
    import torch

    if not len(proposals.pairs):
        return Compared((), np.zeros(0))
    levels = _levels(thumbnails)
    coarse, fine = (torch.from_numpy(level) for level in levels)
    fits, places = [], []
    for pairs, starts in _batches(proposals.pairs, proposals.starts):
        place, fit = _laid(coarse[pairs[:, 0]], coarse[pairs[:, 1]], starts, _STEPS[0])
        fits.append(fit.numpy())
        places.append(place.numpy())
    first, second = _likeliest(proposals.pairs, np.concatenate(fits))
    kept = np.concatenate([first, second])
    chosen, begun = proposals.pairs[kept], np.concatenate(places)[kept]
    bands = torch.from_numpy(_bands(thumbnails))  # (pictures, bands, 64, 64)
    found: list[Pair] = []
    for pairs, starts in _batches(chosen, begun):
        place, _ = _laid(fine[pairs[:, 0]], fine[pairs[:, 1]], starts, _STEPS[1])
        warped, inside = _warp(bands[pairs[:, 1]], place)
        inside = inside * _away_from_edge(inside.shape[-1])
        correlations = _correlation(bands[pairs[:, 0]], warped, inside).numpy()
        shared = inside.mean(dim=(1, 2, 3)).numpy()
        likeness = np.arctanh(np.clip(correlations, -_AT_MOST, _AT_MOST)) @ _WEIGHTS
        likeness[shared < _SHARED] = 0
        found += [
            Pair(one, other, float(value), *_spoken(matrix))
            for (one, other), value, matrix in zip(pairs.tolist(), likeness, place.numpy(), strict=True)
        ]
        tell(len(found), len(chosen))
    return Compared(tuple(found[: len(first)]), np.array([pair.likeness for pair in found[len(first) :]]))


def _batches(pairs: Array, starts: Array) -> "list[tuple[Tensor, Tensor]]":
    import torch

    return [
        (torch.from_numpy(pairs[i : i + _PAIRS_AT_ONCE]), torch.from_numpy(starts[i : i + _PAIRS_AT_ONCE]))
        for i in range(0, len(pairs), _PAIRS_AT_ONCE)
    ]


def _likeliest(pairs: Array, fits: Array) -> tuple[Array, Array]:
    """Rows of the proposals: the best of each picture; and of some the best with another partner."""
    best: dict[int, int] = {}
    partner: dict[int, int] = {}
    following: dict[int, int] = {}
    for row in np.argsort(-fits, kind="stable").tolist():
        for one, other in (pairs[row], pairs[row][::-1]):
            if one not in best:
                best[int(one)], partner[int(one)] = row, int(other)
            elif other != partner[int(one)] and one not in following:
                following[int(one)] = row
    first = set(best.values())
    step = max(1, len(following) // _ORDINARY)
    second = {following[one] for one in sorted(following)[::step]} - first
    return np.array(sorted(first), int), np.array(sorted(second), int)


def _spoken(place: Array) -> tuple[bool, float]:
    """(mirrored, degrees) of a map."""
    mirrored = bool(np.linalg.det(place[:, :2]) < 0)
    turn = np.diag([-1.0, 1.0]) @ place[:, :2] if mirrored else place[:, :2]
    return mirrored, float(np.degrees(np.arctan2(turn[1, 0] - turn[0, 1], turn[0, 0] + turn[1, 1])))


def _away_from_edge(side: int) -> "Tensor":
    import torch

    inner = torch.zeros(side, side)
    inner[2:-2, 2:-2] = 1
    return inner


def _levels(thumbnails: Array) -> list[Array]:
    """The pictures to lay on each other by, coarse to fine: (pictures, 3, side, side): grey, and its slopes."""
    made = []
    for side in (16, 32):
        step = thumbnails.shape[-1] // side
        small = thumbnails.reshape(len(thumbnails), side, step, side, step).mean(axis=(2, 4))
        smooth = _even(_smooth(small, 1.0), side / 8)
        down, across = np.gradient(smooth, axis=(1, 2))
        # Slopes for one unit of the places -1 to 1.
        made.append(np.stack([smooth, across * side / 2, down * side / 2], axis=1).astype(np.float32))
    return made


def _smooth(pictures: Array, blur: float) -> Array:
    from scipy.ndimage import gaussian_filter1d

    smooth: Array = gaussian_filter1d(gaussian_filter1d(pictures, blur, axis=1), blur, axis=2)
    return smooth


def _even(pictures: Array, blur: float) -> Array:
    """Local brightness and contrast taken away."""
    flat = pictures - _smooth(pictures, blur)
    contrast = np.sqrt(_smooth(flat**2, blur))
    even: Array = flat / (contrast + 0.02 + 0.2 * contrast.mean(axis=(1, 2), keepdims=True))
    return even


def _bands(thumbnails: Array) -> Array:
    """(pictures, bands, 64, 64): detail of three sizes, its local contrast evened."""
    steps = [_smooth(thumbnails, blur) for blur in _BLURS]
    bands = []
    for (fine, coarse), wide in zip(pairwise(steps), (3.0, 6.0, 9.0), strict=True):
        band = fine - coarse
        contrast = np.sqrt(_smooth(band**2, wide))
        bands.append(band / (contrast + 0.004 + 0.3 * contrast.mean(axis=(1, 2), keepdims=True)))
    return np.stack(bands, axis=1).astype(np.float32)


def _warp(pictures: "Tensor", place: "Tensor") -> "tuple[Tensor, Tensor]":
    """The pictures as `place` shows them, and 1 where they were not continued beyond their edges."""
    from torch.nn.functional import affine_grid, grid_sample

    grid = affine_grid(place, [len(place), 1, *pictures.shape[-2:]], align_corners=False)
    inside = ((grid.abs() <= 1).all(dim=-1)).float()[:, None]
    return grid_sample(pictures, grid, align_corners=False, padding_mode="border"), inside


def _laid(one: "Tensor", other: "Tensor", place: "Tensor", steps: int) -> "tuple[Tensor, Tensor]":
    """`place` bettered by Gauss-Newton steps, and the correlation there."""
    import torch

    side = one.shape[-1]
    line = (torch.arange(side) + 0.5) * 2 / side - 1
    down, across = torch.meshgrid(line, line, indexing="ij")
    best, most = place, torch.full((len(place),), -2.0)
    for step in range(steps + 1):
        warped, inside = _warp(other, place)
        fit = _correlation(one[:, :1], warped[:, :1], inside)[:, 0]
        better = fit > most
        best = torch.where(better[:, None, None], place, best)
        most = torch.where(better, fit, most)
        if step == steps:
            break
        a, _ = _normal(one[:, :1], inside)
        b, scale_b = _normal(warped[:, :1], inside)
        slope_x, slope_y = warped[:, 1] / scale_b, warped[:, 2] / scale_b
        jacobian = (
            torch.stack(
                [slope_x * across, slope_x * down, slope_x, slope_y * across, slope_y * down, slope_y], dim=-1
            )
            * inside[:, 0, :, :, None]
        )
        jacobian = jacobian.flatten(1, 2)  # (pairs, pixels, 6)
        residual = ((a - b) * inside).flatten(1)[:, :, None]
        normal = jacobian.transpose(1, 2) @ jacobian
        damp = 1e-3 * normal.diagonal(dim1=1, dim2=2).mean(dim=1) + 1e-6
        normal = normal + damp[:, None, None] * torch.eye(6)
        change = torch.linalg.solve(normal, jacobian.transpose(1, 2) @ residual)[:, :, 0]
        change = change.clamp(-0.1, 0.1)
        place = place + change.reshape(-1, 2, 3)
    return best, most


def _normal(picture: "Tensor", inside: "Tensor") -> "tuple[Tensor, Tensor]":
    """Mean 0 and spread 1 inside, 0 outside; and the spread."""
    count = inside.sum(dim=(2, 3), keepdim=True).clamp_min(1)
    mean = (picture * inside).sum(dim=(2, 3), keepdim=True) / count
    flat = (picture - mean) * inside
    scale = ((flat**2).sum(dim=(2, 3), keepdim=True) / count).sqrt().clamp_min(1e-6)
    return flat / scale, scale[:, 0]


def _correlation(one: "Tensor", other: "Tensor", inside: "Tensor") -> "Tensor":
    """(pairs, channels)"""
    a, _ = _normal(one, inside)
    b, _ = _normal(other, inside)
    count = inside.sum(dim=(2, 3)).clamp_min(1)
    return (a * b).sum(dim=(2, 3)) / count

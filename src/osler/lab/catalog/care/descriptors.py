"""Numbers that describe thumbnails well enough for a quick learner, in milliseconds a picture and without labels.

Three views: grey values at 16 x 16; histograms of oriented gradients (Dalal, Triggs 2005), for shapes; and pooled
answers of filters learnt from the set's own patches (Coates, Ng, Lee 2011, "An analysis of single-layer networks
in unsupervised feature learning"), for textures. Principal components make one short description of them.
"""

import numpy as np

from osler.core.arrays import Array, Floats
from osler.core.progress import Tell, silent

DIMENSIONS = 200

_CELL, _ORIENTATIONS = 8, 9  # pixels of a gradient cell, directions without sign
_PATCH, _STRIDE, _FILTERS, _POOLS = 6, 2, 128, 3  # at half the thumbnail's size; pooled over 3 x 3 fields
_SAMPLED, _ROUNDS = 20_000, 10  # patches that filters are learnt from, rounds of clustering
_SILENT = 0.5  # a filter's answer below this counts as none
_AT_ONCE = 128  # pictures whose patches fit the processor's cache
_ENOUGH = 3_000  # pictures the components are found from


def describe(thumbnails: Floats, colours: Floats, *, seed: int = 0, tell: Tell = silent) -> Floats:
    """(cases, at most 200) float32 for (cases, 64, 64) thumbnails, 0 to 1, and (cases, 3) mean colours.

    Half whitened: each component divided by the root of its deviation, so that fine traits count but do not rule.
    """
    views: list[Array] = [_mean_of(thumbnails, 4).reshape(len(thumbnails), -1), np.asarray(colours)]
    tell("describing", 0, 3, "")
    views.append(_gradients(thumbnails))
    tell("describing", 1, 3, "")
    views.append(_textures(thumbnails, seed))
    tell("describing", 2, 3, "")
    found = _components(np.concatenate([_even(view) for view in views], axis=1), seed)
    tell("describing", 3, 3, "")
    return found


def _mean_of(pictures: Array, side: int) -> Array:
    """Each square of side x side pixels in its mean; (cases, rows, columns, ...)."""
    cases, rows, columns, *rest = pictures.shape
    blocks = pictures.reshape(cases, rows // side, side, columns // side, side, *rest)
    return np.asarray(blocks.mean(axis=(2, 4)))


def _even(view: Array) -> Array:
    """Centred, with a total variance of 1, so that no view outweighs another by its number of columns."""
    centred = view - view.mean(axis=0)
    return np.asarray(centred / max(float(np.sqrt(centred.var(axis=0).sum())), 1e-9), np.float32)


def _gradients(pictures: Array) -> Array:
    """Histograms of gradient directions in cells of 8 pixels, each block of 2 x 2 cells scaled to length 1."""
    found = []
    for first in range(0, len(pictures), _AT_ONCE):
        part = pictures[first : first + _AT_ONCE]
        down, across = np.zeros_like(part), np.zeros_like(part)
        down[:, 1:-1] = part[:, 2:] - part[:, :-2]
        across[:, :, 1:-1] = part[:, :, 2:] - part[:, :, :-2]
        strength = np.hypot(across, down)
        bin_ = np.arctan2(down, across) % np.pi * np.float32(_ORIENTATIONS / np.pi)
        lower = np.floor(bin_)
        share = bin_ - lower
        lower = lower.astype(np.int8) % _ORIENTATIONS
        upper = (lower + 1) % _ORIENTATIONS
        cells = np.stack(
            [
                _mean_of(strength * np.where(lower == n, 1 - share, np.where(upper == n, share, 0)), _CELL)
                for n in range(_ORIENTATIONS)
            ],
            axis=-1,
        )  # (part, 8, 8, orientations)
        blocks = np.concatenate([cells[:, :-1, :-1], cells[:, 1:, :-1], cells[:, :-1, 1:], cells[:, 1:, 1:]], -1)
        blocks = np.minimum(_unit(blocks), 0.2)  # no single edge rules a block
        found.append(_unit(blocks).reshape(len(part), -1))
    return np.concatenate(found)


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.sqrt((vectors**2).sum(axis=-1, keepdims=True) + 1e-3))


def _textures(pictures: Array, seed: int) -> Array:
    """Answers of learnt filters, both signs, averaged over 3 x 3 fields."""
    half = np.ascontiguousarray(_mean_of(pictures, 2), dtype=np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(half, (_PATCH, _PATCH), axis=(1, 2))
    random = np.random.default_rng(seed)
    cases, rows, columns = windows.shape[:3]
    places = (random.integers(0, most, _SAMPLED) for most in (cases, rows, columns))
    filters, offset = _learn_filters(_levelled(windows[tuple(places)].reshape(_SAMPLED, -1)), random)
    windows = windows[:, ::_STRIDE, ::_STRIDE]
    size = windows.shape[1]
    edges = np.linspace(0, size, _POOLS + 1).round().astype(int)[:-1]
    found = []
    for first in range(0, cases, _AT_ONCE):
        part = windows[first : first + _AT_ONCE]
        answers = _levelled(part.reshape(-1, _PATCH**2)) @ filters - offset
        answers = answers.reshape(len(part), size, size, -1)
        for sign in (1, -1):
            heard = np.maximum(sign * answers - _SILENT, 0)
            pooled = np.add.reduceat(np.add.reduceat(heard, edges, axis=1), edges, axis=2)
            found.append(pooled.reshape(len(part), -1))
    return np.concatenate([np.concatenate(found[sign::2]) for sign in (0, 1)], axis=1)


def _levelled(patches: Array) -> Array:
    """Each patch without its mean and contrast."""
    level = patches - patches.mean(axis=-1, keepdims=True)
    return np.asarray(level / np.sqrt((level**2).mean(axis=-1, keepdims=True) + 1e-3))


def _learn_filters(patches: Array, random: np.random.Generator) -> tuple[Array, Array]:
    """(pixels, filters) and (filters,): patches whitened and clustered by direction; patch @ filters - offset."""
    mean = patches.mean(axis=0)
    variances, directions = np.linalg.eigh(np.cov((patches - mean).T))
    whiten = (directions / np.sqrt(variances.clip(0) + 0.01)) @ directions.T
    white = (patches - mean) @ whiten
    centres = random.normal(size=(_FILTERS, white.shape[1]))
    for _ in range(_ROUNDS):
        centres /= np.linalg.norm(centres, axis=1, keepdims=True) + 1e-9
        answers = white @ centres.T
        nearest = answers.argmax(axis=1)
        weights = np.zeros_like(answers)
        weights[np.arange(len(white)), nearest] = answers[np.arange(len(white)), nearest]
        centres = weights.T @ white + 0.01 * centres
    centres /= np.linalg.norm(centres, axis=1, keepdims=True) + 1e-9
    filters = (whiten @ centres.T).astype(np.float32)
    return filters, (mean @ filters).astype(np.float32)


def _components(columns: Array, seed: int) -> Floats:
    """Principal components of the columns, half whitened."""
    from sklearn.decomposition import PCA

    rows = np.random.default_rng(seed).permutation(len(columns))[:_ENOUGH]
    count = min(DIMENSIONS, max(len(rows) // 2, 1))
    model = PCA(count, svd_solver="randomized", iterated_power=3, random_state=seed).fit(columns[rows])
    found = model.transform(columns)
    spread = found.std(axis=0)
    return np.asarray(found / np.sqrt(spread.clip(1e-6 * max(float(spread.max()), 1e-9))), np.float32)

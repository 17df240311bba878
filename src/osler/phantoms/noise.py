"""Smooth randomness: what makes two made-up patients differ."""

import numpy as np

from osler.core.arrays import Array


def clouds(draw: np.random.Generator, shape: tuple[int, ...], coarseness: int) -> Array:
    """A smooth random field of the shape, mean 0 and spread about 1, float32.

    coarseness  how many bumps fit along an axis; fewer are smoother

    A cubic B-spline through random knots.
    """
    knots = coarseness + 3
    field: Array = draw.normal(size=(knots,) * len(shape)).astype(np.float32)
    for size in shape:
        # Each turn replaces the first axis by a finished one at the end.
        field = np.tensordot(field, _spline(size, knots), axes=(0, 1))
    field -= field.mean()
    field /= max(float(field.std()), 1e-6)
    return field


def _spline(size: int, knots: int) -> Array:
    """(size, knots): the weight of each knot at each place."""
    where = np.linspace(1, knots - 2, size)
    away = np.abs(where[:, None] - np.arange(knots))
    near = 2 / 3 - away**2 + away**3 / 2
    far = np.clip(2 - away, 0, None) ** 3 / 6
    return np.where(away < 1, near, far).astype(np.float32)

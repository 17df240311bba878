"""Made-up chest radiographs, with or without an opacity in a lung."""

import numpy as np

from osler.core.arrays import Array
from osler.core.facts import Facts
from osler.core.image import Image
from osler.phantoms.noise import clouds


def made_up_radiograph(seed: int, *, opacity: bool, size: int = 128) -> Image:
    """A frontal chest radiograph, (size, size) uint8, bright where dense. The same seed gives the same patient.

    opacity  whether one lung holds a soft patch

    Exposure, posture, size, noise, haze and markers differ from patient to patient in both classes, so that
    neither the brightness nor the contrast of the whole picture tells the classes apart.
    """
    from scipy import ndimage

    draw = np.random.default_rng([seed, 128])
    grid = (np.arange(size) + 0.5) / size * 2 - 1
    down, left = np.meshgrid(grid, grid, indexing="ij")
    turn = draw.normal(0, 0.04)
    scale = draw.uniform(0.92, 1.12)
    down, left = (
        (down * np.cos(turn) - left * np.sin(turn)) / scale,
        (left * np.cos(turn) + down * np.sin(turn)) / scale,
    )
    down = down + draw.normal(0, 0.05) + 0.014 * clouds(draw, (size, size), 3)
    left = left + draw.normal(0, 0.04) + 0.014 * clouds(draw, (size, size), 3)

    def soft(inside: Array, edge: float) -> Array:
        """From 1 inside (negative numbers) to 0 outside, over `edge` of the picture's half width."""
        return 1 / (1 + np.exp(np.clip(inside / edge, -30, 30)))

    width = 0.86 + 0.1 * np.clip(down, -1, 1)
    thorax = soft(np.abs(left) - width, 0.03)
    dense = 0.62 * thorax + 0.08 * thorax * np.clip(down, -1, 1)  # thicker towards the belly
    lungs = np.zeros_like(dense)
    for side in (-1, 1):
        floor = 0.52 + 0.06 * (side < 0) + 0.25 * (left - side * 0.42) ** 2 + draw.normal(0, 0.03)
        egg = ((left - side * 0.44) / 0.34) ** 2 + ((down + 0.05) / 0.72) ** 2 - 1
        lungs = np.maximum(lungs, soft(egg, 0.1) * soft(down - floor, 0.02))
    dense -= draw.uniform(0.36, 0.46) * lungs
    dense += 0.3 * soft(np.abs(left) - 0.13 - 0.03 * np.cos(3 * down), 0.03) * thorax  # spine and vessels
    heart = ((left - 0.12) / draw.uniform(0.3, 0.4)) ** 2 + ((down - 0.3) / 0.32) ** 2 - 1
    dense += 0.34 * soft(heart, 0.12) * thorax
    branches = np.abs(clouds(draw, (size, size), 9)) < 0.18
    near = np.exp(-((np.abs(left) - 0.25) ** 2) / 0.05 - (down / 0.45) ** 2)
    dense += 0.1 * ndimage.gaussian_filter(branches.astype(float), size / 128) * near * lungs  # lung vessels
    for rib in range(9):
        middle = -0.78 + rib * 0.165 + draw.normal(0, 0.008)
        bow = middle + 0.26 * np.abs(left) ** 1.6 - 0.1 * np.cos(np.abs(left) * 2)
        dense += draw.uniform(0.06, 0.1) * soft(np.abs(down - bow) - 0.028, 0.012) * thorax
    for side in (-1, 1):
        bone = np.abs(down + 0.72 + 0.22 * (side * left - 0.4)) - 0.03
        dense += 0.14 * soft(bone, 0.01) * soft(np.abs(side * left - 0.45) - 0.35, 0.03)
    dense += draw.uniform(0, 0.09) * lungs  # haze of the whole chest
    dense += draw.uniform(0, 0.08) * np.exp(
        -((np.abs(left) - 0.45) ** 2) / 0.06 - ((down - 0.35) / 0.3) ** 2
    )  # breasts

    if opacity:
        dense += _patch(draw, down, left, size) * lungs

    dense = ndimage.gaussian_filter(dense, draw.uniform(0.4, 1.0) * size / 128)
    dense += draw.normal(size=dense.shape) * draw.uniform(0.008, 0.025)
    low, high = np.percentile(dense, (1, 99))
    shown = np.clip((dense - low) / (high - low), 0, 1) ** draw.uniform(0.75, 1.35)
    shown = draw.uniform(0, 0.12) + shown * draw.uniform(0.75, 0.88)
    if draw.random() < 0.6:  # the technician's letter, in either upper corner
        at = size // 12 if draw.random() < 0.5 else size - size // 12 - size // 20
        shown[size // 14 : size // 14 + size // 16, at : at + size // 20] = 1
    facts = Facts(
        modality="DX",
        body_part="CHEST",
        view="PA",
        sex=("F", "M")[int(draw.integers(2))],
        age_years=float(draw.integers(20, 90)),
        manufacturer="Osler phantoms",
        bits_stored=8,
    )
    spacing = 350 / size  # a chest of 35 cm
    return Image((np.clip(shown, 0, 1) * 255).astype(np.uint8), spacing_mm=(spacing, spacing), facts=facts)


def _patch(draw: np.random.Generator, down: Array, left: Array, size: int) -> Array:
    """A ragged soft cloud somewhere in a lung."""
    side = -1 if draw.random() < 0.5 else 1
    row, column = draw.uniform(-0.4, 0.35), side * draw.uniform(0.32, 0.56)
    tall, wide = draw.uniform(0.14, 0.3), draw.uniform(0.12, 0.22)
    away = ((down - row) / tall) ** 2 + ((left - column) / wide) ** 2
    ragged = np.clip(1 + 0.3 * clouds(draw, (size, size), 11), 0.2, 2)
    patch: Array = draw.uniform(0.14, 0.3) * np.exp(-(away**1.3)) * ragged
    return patch

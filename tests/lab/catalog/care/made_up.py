"""Small data sets with pictures whose class can be seen, as looks, without any file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from osler.core.arrays import Array
from osler.lab.catalog.care.look import Look
from osler.lab.catalog.dataset import Case, Dataset, Source


def pictures(labels: Array, *, seed: int = 0, visible: float = 1.0) -> Array:
    """(cases, 64, 64) noise with a bright disc whose place and radius grow with the label."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:64, :64]
    found = random.normal(0.35, 0.1, (len(labels), 64, 64))
    for number, label in enumerate(labels):
        row, column = 26 + 6 * float(label) + random.normal(0, 1.5), 32 + random.normal(0, 2)
        disc = np.hypot(rows - row, columns - column) < 7 + 2 * float(label)
        found[number] += 0.35 * visible * disc
    return np.asarray(found.clip(0, 1), np.float32)


def look(case: str, thumbnail: Array, **header: str | float) -> Look:
    usual: dict[str, str | float] = {"suffix": ".png", "format": "PNG", "rows": 64.0, "columns": 64.0}
    grey = np.repeat(np.float32(thumbnail.mean()), 3)
    return Look(case, "", case, case, thumbnail, grey, 0.0, 255.0, {**usual, **header})


def dataset(
    labels: Sequence[Any],
    *,
    task: str = "binary",
    classes: tuple[str, ...] = ("well", "ill"),
    patients: Sequence[str] | None = None,
    splits: Sequence[str] | None = None,
    facts: Sequence[Mapping[str, str | float]] | None = None,
    names: Sequence[str] | None = None,
) -> Dataset:
    cases = tuple(
        Case(
            id=f"case{n:04d}",
            patient=patients[n] if patients else f"patient{n}",
            pictures=(Source(Path("set") / (names[n] if names else f"{n * 7919 % 10007}.png")),),
            label=label,
            split=splits[n] if splits else "",
            facts=facts[n] if facts else {},
        )
        for n, label in enumerate(labels)
    )
    return Dataset("made up", Path("set"), task, classes, ("image",), cases, "test")


def looks(labels: Array, *, seed: int = 0, visible: float = 1.0) -> list[Look]:
    found = pictures(labels, seed=seed, visible=visible)
    return [look(f"case{n:04d}", thumbnail) for n, thumbnail in enumerate(found)]

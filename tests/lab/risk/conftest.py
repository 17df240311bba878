"""Made-up patients whose hazard is known."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from osler.lab.risk.cohort import Cohort

Make = Callable[..., Cohort]


def made_up(
    many: int = 150, seed: int = 0, *, image: float = 0.0, timed: bool = True, missing: float = 0.0
) -> Cohort:
    """Age and sex raise the hazard; `image` is how much the first of eight image features does."""
    draw = np.random.default_rng(seed)
    age, female = draw.normal(60, 10, many), draw.random(many) < 0.5
    seen = draw.normal(size=(many, 8)) * np.array([3.0, *([1.0] * 7)])
    ratio = 0.08 * (age - 60) - 0.7 * female + image * seen[:, 0] / 3
    lasted, lost = draw.exponential(300 * np.exp(-ratio)), draw.uniform(50, 900, many)
    unknown = draw.random(many) < missing
    crp = draw.lognormal(3, 1, many)
    values = tuple(
        {"age": float(a), "sex": "F" if f else "M", "crp": None if u else float(c)}
        for a, f, u, c in zip(age, female, unknown, crp, strict=True)
    )
    event = lasted <= lost if timed else draw.random(many) < 1 / (1 + np.exp(-2 * ratio))
    return Cohort(
        "made-up",
        tuple(f"patient number {n}" for n in range(many)),
        values,
        ("age", "sex", "crp"),
        "died",
        np.minimum(lasted, lost) if timed else np.zeros(many),
        event,
        "days" if timed else "",
        features=seen if image else None,
    )


@pytest.fixture
def make() -> Make:
    return made_up


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    """table(rows) -> a CSV; the first row holds the names."""

    def write(*rows: tuple[object, ...]) -> Path:
        path = tmp_path / "patients.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(rows)
        return path

    return write

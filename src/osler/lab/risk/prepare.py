"""How patients become rows, learnt from training patients only: imputation, scales, components."""

from collections import Counter

import numpy as np

from osler.core.arrays import Floats
from osler.core.errors import BadDataset
from osler.lab.risk.cohort import Cohort
from osler.models.risk.design import Design, ImageStage
from osler.models.risk.fact import Fact, Value, fact_rows, level

_FLAGGED = 5  # whether a fact is missing is a column where so many lack it, and so many have it
_MOST_COMPONENTS = 10


def fit_design(cohort: Cohort) -> Design:
    """Facts and scales of these patients.

    Columns that are the same for all of them are kept with weight nothing: they are 0 in every row.
    """
    facts = tuple(_fact(name, [one.get(name) for one in cohort.values]) for name in cohort.facts)
    rows = fact_rows(facts, cohort.values)
    mean = rows.mean(0) if rows.size else np.zeros(rows.shape[1])
    return Design(facts, mean, _deviation(rows), None if cohort.features is None else _stage(cohort))


def components_for(patients: int, events: int) -> int:
    """How many components of a picture so few patients can bear: one for ten with the event, 2 to 10."""
    return int(np.clip(events // 10, 2, min(_MOST_COMPONENTS, max(2, patients // 5))))


def _fact(name: str, column: list[Value]) -> Fact:
    known = [value for value in column if value is not None]
    missing = len(column) - len(known)
    if not known:  # of this fold nobody has it: it says nothing, and nobody needs it
        return Fact(name, "number", False, 0)
    flag = min(missing, len(known)) >= _FLAGGED
    if any(isinstance(value, str) for value in known):
        counts = Counter(level(value) for value in known)
        levels = tuple(sorted(counts, key=lambda one: (-counts[one], one)))
        return Fact(name, "choice", not missing, len(known), typical=levels[0], levels=levels, flag=flag)
    numbers = np.array([float(value) for value in known if isinstance(value, float | int)])
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        raise BadDataset(
            f"The fact '{name}' is beyond the limit of detection for everybody.", remedy="Leave the column out."
        )
    low, high, typical = float(finite.min()), float(finite.max()), float(np.median(numbers))
    typical = float(np.clip(typical, low, high))
    return Fact(name, "number", not missing, len(known), low, high, f"{typical:.10g}", flag=flag)


def _stage(cohort: Cohort) -> ImageStage:
    seen = np.asarray(cohort.features, np.float64)
    mean, deviation = seen.mean(0), _deviation(seen)
    scaled = (seen - mean) / deviation
    _, sizes, axes = np.linalg.svd(scaled, full_matrices=False)
    real = int((sizes > 1e-8 * max(sizes.max(initial=0.0), 1e-12)).sum())
    many = min(components_for(len(seen), cohort.events), max(real, 1))
    axes = axes[:many].T
    # The sign of an axis is chance; the largest entry is made positive, so that the same data give the same axes.
    axes = axes * np.sign(axes[np.abs(axes).argmax(0), np.arange(many)])
    along = scaled @ axes
    spread = np.maximum(along.std(0), 1e-12)
    bare = ImageStage(mean, deviation, axes, spread, (0.0, 0.0))
    along_far, away_far = bare.distances(seen)
    return ImageStage(mean, deviation, axes, spread, (float(along_far.max()), float(away_far.max())))


def _deviation(rows: Floats) -> Floats:
    """(columns,) standard deviations; 1 for a column that is the same everywhere."""
    apart = rows.std(0) if rows.size else np.zeros(rows.shape[1])
    found: Floats = np.where(apart > 1e-12, apart, 1.0)
    return found

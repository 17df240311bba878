"""Is one model better than another? Both on the same cases, both on the same resamples of patients.

What the two have in common (hard patients, odd pictures) cancels in the difference, which two separate intervals
cannot show. Efron and Tibshirani 1993, chapters 13 and 16.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array, Floats
from osler.core.errors import AskedWrongly
from osler.lab.evaluate.answers import Answers
from osler.lab.evaluate.measures import ABOUT, WHOLE, OperatingPoint, measures
from osler.statistics.intervals import interval, resample


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric of two models.

    first, second  each model's value
    value          first - second
    low, high      its 95 % interval by paired patient bootstrap; NaN where there is none
    p              two-sided: how often chance alone would part the two so far; never 0, NaN where there is none
    """

    first: float
    second: float
    value: float
    low: float
    high: float
    p: float

    def to_json(self) -> dict[str, float | None]:
        """The fields by name, null for NaN."""
        numbers = {name: getattr(self, name) for name in ("first", "second", "value", "low", "high", "p")}
        return {name: None if np.isnan(number) else float(number) for name, number in numbers.items()}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every main metric of two models, first minus second; and the same for each class or label."""

    task: str
    cases: int
    patients: int
    metrics: Mapping[str, Difference]
    per_class: Mapping[str, Mapping[str, Difference]]

    def to_json(self) -> dict[str, object]:
        """{"task", "n", "metrics": {NAME: {first, second, value, low, high, p}}, "per_class"}."""
        return {
            "task": self.task,
            "n": {"patients": self.patients, "cases": self.cases},
            "metrics": {name: one.to_json() for name, one in self.metrics.items()},
            "per_class": {
                label: {name: one.to_json() for name, one in rows.items()}
                for label, rows in self.per_class.items()
            },
        }


def compare(
    first: Answers,
    second: Answers,
    *,
    operating_points: tuple[OperatingPoint, OperatingPoint] = (None, None),
    resamples: int | None = None,
    seed: int = 0,
) -> Comparison:
    """The difference of two models on the same cases, with intervals and two-sided p by paired patient bootstrap.

    The second's cases may come in another order. Raises AskedWrongly when the two did not answer the same
    questions: another task, other classes, other cases, another truth.
    """
    second = _in_order_of(first, second)
    ask = [
        measures(them, operating_point=one) for them, one in zip((first, second), operating_points, strict=True)
    ]
    whole = np.ones((1, len(first.ids)))
    ours, theirs = (measure(whole) for measure in ask)

    def apart(weights: Floats) -> dict[tuple[str, str], Floats]:
        mine, yours = (measure(weights) for measure in ask)
        return {key: mine[key] - yours[key] for key in mine}

    patients = len(set(first.patients))
    drawn = resample(apart, first.patients, resamples=resamples, seed=seed) if patients > 1 else {}
    metrics: dict[str, Difference] = {}
    per_class: dict[str, dict[str, Difference]] = {}
    for label, name in sorted(ours, key=lambda key: list(ABOUT).index(key[1])):
        mine = ours[label, name]
        one = difference(float(mine[0]), float(theirs[label, name][0]), drawn.get((label, name), np.empty(0)))
        if label == WHOLE:
            metrics[name] = one
        else:
            per_class.setdefault(label, {})[name] = one
    return Comparison(first.task, len(first.ids), patients, metrics, per_class)


def difference(first: float, second: float, drawn: Floats) -> Difference:
    """first - second, with interval and p from resamples of that difference (resamples,)."""
    found = interval(first - second, drawn)
    defined = drawn[np.isfinite(drawn)]
    if np.isnan(found.value) or not len(defined):
        return Difference(first, second, found.value, np.nan, np.nan, np.nan)
    # The observed difference is one of the draws: p is at least 2 / (resamples + 1).
    tail = (min(int((defined <= 0).sum()), int((defined >= 0).sum())) + 1) / (len(defined) + 1)
    return Difference(first, second, found.value, found.low, found.high, min(1.0, 2 * tail))


def _in_order_of(first: Answers, second: Answers) -> Answers:
    if (first.task, first.classes) != (second.task, second.classes):
        raise AskedWrongly(
            f"A {first.task} model of {len(first.classes)} classes and a {second.task} model of "
            f"{len(second.classes)} classes cannot be compared.",
            remedy="Compare two models of one task and the same classes in the same order.",
        )
    place = {case: index for index, case in enumerate(second.ids)}
    missing = set(first.ids) ^ set(place)
    if missing or len(place) != len(second.ids) or len(first.ids) != len(second.ids):
        raise AskedWrongly(
            f"The two models answered different cases ({len(missing)} were answered by one of them only).",
            remedy="Let both answer the same split of the same data.",
        )
    order = np.array([place[case] for case in first.ids])

    def reordered(rows: Array | None) -> Array | None:
        return None if rows is None else np.asarray(rows)[order]

    again = Answers(
        task=second.task,
        classes=second.classes,
        ids=first.ids,
        patients=tuple(second.patients[index] for index in order),
        probabilities=reordered(second.probabilities),
        values=reordered(second.values),
        truth=reordered(second.truth),
        masks=tuple(second.masks[index] for index in order) if second.masks else (),
    )
    same_truth = first.truth is None or np.array_equal(np.asarray(first.truth), np.asarray(again.truth))
    if first.patients != again.patients or not same_truth:
        raise AskedWrongly(
            "The two models' answers carry different labels or patients for the same cases.",
            remedy="Let both answer the same split of the same data.",
        )
    return again

"""Do promised sets and intervals hold the truth as often as promised?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array
from osler.inference.conformal import TOLD, answer_set, label_sets, number_interval
from osler.lab.evaluate.answers import Answers
from osler.lab.evaluate.bands import Column, Fact, columns_of
from osler.lab.evaluate.subgroups import FEWEST, MOST_COLUMNS, usable_columns
from osler.models.trust import Conformal
from osler.statistics.intervals import Interval, bootstrap
from osler.statistics.weighted import mean


@dataclass(frozen=True, slots=True)
class Covered:
    """How often the truth was inside, among so many.

    share  with its interval: Clopper and Pearson's (1934, Biometrika 26:404) where each patient has one case, by
           resampling patients where some have more; none below FEWEST patients
    """

    patients: int
    cases: int
    share: Interval

    def to_json(self) -> dict[str, object]:
        """{"n", "coverage"}."""
        return {"n": {"patients": self.patients, "cases": self.cases}, "coverage": self.share.to_json()}


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """The sets of one promised level on cases they were not fitted on.

    level      promised
    size       mean number of classes in a set, of unsure labels, or width of an interval; infinite where nothing
               was promised
    singletons share of the sets that name one class only (labels: cases without an unsure label); None for numbers
    classes    coverage by true class, or by label
    groups     column -> group -> coverage; of the level that reports tell only
    """

    level: float
    whole: Covered
    size: float
    singletons: float | None
    classes: Mapping[str, Covered]
    groups: Mapping[str, Mapping[str, Covered]]

    def to_json(self) -> dict[str, object]:
        """The fields by name; null for an infinite size."""
        return {
            "level": self.level,
            **self.whole.to_json(),
            "size": self.size if np.isfinite(self.size) else None,
            "singletons": self.singletons,
            "classes": {name: one.to_json() for name, one in self.classes.items()},
            "groups": {
                column: {name: one.to_json() for name, one in groups.items()}
                for column, groups in self.groups.items()
            },
        }


def coverage(
    answers: Answers, sets: Conformal | None, facts: Sequence[Mapping[str, Fact]] = ()
) -> tuple[Coverage, ...]:
    """How often the promised sets hold the truth, a row a level; () for masks and models without sets.

    facts  one a case, for coverage by subgroup
    """
    if sets is None or answers.task == "segmentation":
        return ()
    columns = columns_of(facts) if facts else {}
    shown = [columns[name] for name in usable_columns(facts)[:MOST_COLUMNS]] if facts else []
    rows = []
    for level in sets.levels:
        inside, size = _inside(answers, sets, level)
        classes: dict[str, Covered] = {}
        if answers.task == "multilabel":
            classes = {
                name: _covered(inside[:, place], answers.patients, None)
                for place, name in enumerate(answers.classes)
            }
        elif answers.task != "regression":
            classes = {
                name: _covered(inside, answers.patients, answers.labels == place)
                for place, name in enumerate(answers.classes)
            }
        each = inside.mean(axis=1) if inside.ndim == 2 else inside
        groups = {
            column.name: {
                name: _covered(each, answers.patients, np.array(column.of) == name) for name in column.groups
            }
            for column in shown
            if isinstance(column, Column) and level == TOLD
        }
        single = None if answers.task == "regression" else float(np.mean(size == (0 if inside.ndim == 2 else 1)))
        whole = _covered(each, answers.patients, None)
        rows.append(Coverage(level, whole, float(np.mean(size)), single, classes, groups))
    return tuple(rows)


def clopper_pearson(successes: int, trials: int) -> Interval:
    """A share and its exact 95 % interval; NaN without trials."""
    from scipy.stats import beta

    if not trials:
        return Interval(np.nan, np.nan, np.nan)
    low = float(beta.ppf(0.025, successes, trials - successes + 1)) if successes else 0.0
    high = float(beta.ppf(0.975, successes + 1, trials - successes)) if successes < trials else 1.0
    return Interval(successes / trials, low, high)


def _inside(answers: Answers, sets: Conformal, level: float) -> tuple[Array, Array]:
    """(is the truth in the set (cases,), or for each label (cases, labels); size of the set (cases,))"""
    if answers.task == "regression":
        truth, values = np.asarray(answers.truth, float), np.asarray(answers.values, float)
        ends = [number_interval(float(value), sets, level) or (-np.inf, np.inf) for value in values]
        low, high = np.array(ends).T
        return (truth >= low) & (truth <= high), high - low
    if answers.task == "multilabel":
        pairs = np.array(
            [label_sets(row, sets, level) for row in answers.chances]
        )  # (cases, labels, absent or there)
        inside = np.take_along_axis(pairs, answers.labels[..., None], axis=2)[..., 0]
        return inside, pairs.all(axis=2).sum(axis=1)
    named = [answer_set(row, sets, level) for row in answers.chances]
    held = [label in one for label, one in zip(answers.labels.tolist(), named, strict=True)]
    return np.array(held), np.array([len(one) for one in named])


def _covered(inside: Array, patients: Sequence[str], among: Array | None) -> Covered:
    places = np.arange(len(inside)) if among is None else np.flatnonzero(among)
    owners = [patients[place] for place in places.tolist()]
    held, many = inside[places], len(set(owners))
    if many < FEWEST:
        share = Interval(float(np.mean(held)) if len(held) else np.nan, np.nan, np.nan)
    elif many == len(places) and held.dtype == bool:
        share = clopper_pearson(int(held.sum()), len(places))
    else:
        share = bootstrap(lambda weights: {"": mean(held, weights)}, owners, resamples=1000)[""]
    return Covered(many, len(places), share)

"""How does the model do elsewhere? A test at home beside a test on data of another place.

The two sets have no patients in common, so each is resampled by itself (two-sample bootstrap, Efron and Tibshirani
1993, chapter 8). Where the cases differ in their mix (more of a class, older people), so may the figures, without
any fault of the model: the mix stands beside them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array, Floats
from osler.core.errors import AskedWrongly
from osler.lab.evaluate.answers import CLASSIFICATION, Answers
from osler.lab.evaluate.bands import Column, Fact, columns_of
from osler.lab.evaluate.compare import Difference, difference
from osler.lab.evaluate.decisions import outcomes
from osler.lab.evaluate.headline import headline
from osler.lab.evaluate.measures import OperatingPoint, thresholds
from osler.lab.evaluate.subgroups import SubgroupAudit, chosen_answers, one_class_note
from osler.statistics.intervals import Interval, bootstrap, interval, resample
from osler.statistics.weighted import mean

_RESAMPLES = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One of the two sets.

    classes  share of each class; {} for numbers and masks
    facts    column -> group -> share of the cases, "unknown" for those that do not say
    called   share called positive at the operating point, by label; {} for other tasks
    """

    name: str
    patients: int
    cases: int
    classes: Mapping[str, float]
    facts: Mapping[str, Mapping[str, float]]
    called: Mapping[str, Interval]

    def to_json(self) -> dict[str, object]:
        """The fields by name."""
        return {
            "data": self.name,
            "n": {"patients": self.patients, "cases": self.cases},
            "classes": dict(self.classes),
            "facts": {column: dict(shares) for column, shares in self.facts.items()},
            "called": {label: one.to_json() for label, one in self.called.items()},
        }


@dataclass(frozen=True, slots=True, eq=False)
class External:
    """A model at home and elsewhere.

    metrics    name -> elsewhere (first) less home (second); NaN for what one of them cannot have
    home, away intervals of each by itself
    gated      share of the cases elsewhere that the gate calls unlike, None without a gate
    gated_home the same at home
    accepted   the metrics elsewhere, for the cases that are not gated alone; {} without a gate
    accepted_n (patients, cases) of those
    reasons    what spoke against the gated cases -> how many
    subgroups  of the cases elsewhere
    notes      what to mind, a sentence each
    """

    inside: Side
    outside: Side
    metrics: Mapping[str, Difference]
    home: Mapping[str, Interval]
    away: Mapping[str, Interval]
    gated: Interval | None
    gated_home: Interval | None
    accepted: Mapping[str, Interval]
    accepted_n: tuple[int, int]
    reasons: Mapping[str, int]
    subgroups: tuple[SubgroupAudit, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """The fields by name; null for what is not defined."""
        return {
            "internal": self.inside.to_json(),
            "external": self.outside.to_json(),
            "metrics": {
                name: {
                    "internal": self.home[name].to_json(),
                    "external": self.away[name].to_json(),
                    "difference": one.to_json(),
                }
                for name, one in self.metrics.items()
            },
            "gate": None
            if self.gated is None
            else {
                "external_share": self.gated.to_json(),
                "internal_share": None if self.gated_home is None else self.gated_home.to_json(),
                "reasons": dict(self.reasons),
                "accepted": {
                    "n": {"patients": self.accepted_n[0], "cases": self.accepted_n[1]},
                    "metrics": {name: one.to_json() for name, one in self.accepted.items()},
                },
            },
            "subgroups": [one.to_json() for one in self.subgroups],
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A set of cases, what a model said on them, and what is known of them.

    facts    one a case
    gated    (cases,) booleans: the gate calls the case unlike; None without a gate
    reasons  one a case, "" for those not gated
    notes    what to mind of this set
    """

    name: str
    answers: Answers
    facts: Sequence[Mapping[str, Fact]]
    gated: Array | None = None
    reasons: Sequence[str] = ()
    notes: tuple[str, ...] = ()


def external(
    inside: Place,
    outside: Place,
    *,
    operating_point: OperatingPoint = None,
    subgroups: tuple[SubgroupAudit, ...] = (),
    resamples: int = _RESAMPLES,
    seed: int = 0,
) -> External:
    """The figures elsewhere beside those at home, with intervals of both and of the difference.

    Means over classes are over those that each set can be judged by. Raises AskedWrongly when the two answer
    different questions.
    """
    here, there = inside.answers, outside.answers
    if (here.task, here.classes) != (there.task, there.classes):
        raise AskedWrongly(
            "The two sets were asked different questions.", remedy="Let one model answer both of them."
        )
    away_values, away_drawn = _figures(there, operating_point, resamples, seed)
    home_values, home_drawn = _figures(here, operating_point, resamples, seed + 1)
    away = {name: interval(value, away_drawn[name]) for name, value in away_values.items()}
    home = {name: interval(value, home_drawn[name]) for name, value in home_values.items()}
    metrics = {
        name: difference(value, home_values[name], away_drawn[name] - home_drawn[name])
        for name, value in away_values.items()
    }
    accepted: dict[str, Interval] = {}
    accepted_n = (0, 0)
    if outside.gated is not None and not outside.gated.all():
        kept = chosen_answers(there, ~outside.gated)
        accepted_n = (len(set(kept.patients)), len(kept.ids))
        values, drawn = _figures(kept, operating_point, resamples, seed)
        accepted = {name: interval(value, drawn[name]) for name, value in values.items()}
    both = _facts_of(inside, outside)
    return External(
        _side(inside, both[0], operating_point, resamples, seed),
        _side(outside, both[1], operating_point, resamples, seed),
        metrics,
        home,
        away,
        _share(outside.gated, there.patients, resamples, seed),
        _share(inside.gated, here.patients, resamples, seed),
        accepted,
        accepted_n,
        dict(Counter(reason for reason in outside.reasons if reason).most_common()),
        subgroups,
        _notes(inside, outside),
    )


def _figures(
    answers: Answers, point: OperatingPoint, resamples: int, seed: int
) -> tuple[dict[str, float], dict[str, Floats]]:
    """Every headline metric of a set, and of its resamples (NaN for one patient, of whom there are none)."""
    measure = headline(answers, operating_point=point)
    values = {name: float(one[0]) for name, one in measure(np.ones((1, len(answers.ids)))).items()}
    if len(set(answers.patients)) < 2:
        return values, {name: np.full(resamples, np.nan) for name in values}
    return values, resample(measure, answers.patients, resamples=resamples, seed=seed)


def _share(flags: Array | None, patients: Sequence[str], resamples: int, seed: int) -> Interval | None:
    if flags is None:
        return None
    return bootstrap(lambda weights: {"share": mean(flags, weights)}, patients, resamples=resamples, seed=seed)[
        "share"
    ]


def _side(
    place: Place, facts: Mapping[str, Mapping[str, float]], point: OperatingPoint, resamples: int, seed: int
) -> Side:
    answers = place.answers
    shares: dict[str, float] = {}
    called: dict[str, Interval] = {}
    if answers.task in CLASSIFICATION:
        shares = dict(zip(answers.classes, answers.indicators.mean(axis=0).tolist(), strict=True))
    if answers.task in ("binary", "multilabel"):
        for (label, said, _), limit in zip(outcomes(answers), thresholds(answers, point), strict=True):
            share = _share(said >= limit, answers.patients, resamples, seed)
            assert share is not None
            called[label] = share
    return Side(place.name, len(set(answers.patients)), len(answers.ids), shares, facts, called)


def _facts_of(inside: Place, outside: Place) -> list[dict[str, dict[str, float]]]:
    """The mix of both sets by the same groups: those of the two together."""
    together = columns_of([*inside.facts, *outside.facts])
    sides: list[dict[str, dict[str, float]]] = [{}, {}]
    cut = len(inside.facts)
    for name, column in together.items():
        if not isinstance(column, Column):
            continue
        for side, of in zip(sides, (column.of[:cut], column.of[cut:]), strict=True):
            counted = Counter(of)
            side[name] = {
                group or "unknown": counted[group] / len(of) for group in (*column.groups, "") if counted[group]
            }
    return sides


def _notes(inside: Place, outside: Place) -> tuple[str, ...]:
    notes = [*outside.notes]
    for place in (inside, outside):
        if said := one_class_note(place.answers):
            notes.append(f"{place.name}: {said}.")
    if shared := set(inside.answers.patients) & set(outside.answers.patients):
        notes.append(f"{len(shared)} patients have the same name in both sets: make sure that they are others.")
    if outside.gated is None:
        notes.append(
            "The model has no gate: nothing is known of how like these pictures are to those it learnt from."
        )
    return tuple(notes)

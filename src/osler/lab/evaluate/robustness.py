"""How much worse do the answers get when the pictures do? The same cases, degraded, and the paired change."""

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from osler.core.errors import BadDataset
from osler.core.mask import Mask
from osler.core.prediction import Prediction
from osler.core.progress import Tell, silent
from osler.core.study import Picture
from osler.inference.gate import likeness
from osler.inference.predict import predict_prepared
from osler.lab.catalog.cases import load_mask, load_pictures
from osler.lab.catalog.dataset import Case, Dataset
from osler.lab.evaluate.answers import Answers, CaseScore
from osler.lab.evaluate.compare import Difference, difference
from osler.lab.evaluate.degrade import Degradation, degradations_for, turned_mask
from osler.lab.evaluate.headline import headline
from osler.lab.evaluate.run import answered, in_order_of
from osler.lab.evaluate.segmentation import score_case, tolerance_for
from osler.models.model import Model
from osler.models.prepare import Prepared, prepare
from osler.statistics.intervals import Interval, bootstrap, interval, resample

MOST = 200  # cases, of whole patients
_RESAMPLES = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Strength:
    """The cases degraded so far.

    said     what the strength means
    metrics  name -> interval
    changes  name -> degraded (first) less as they are (second), paired by patient
    unlike   share of these pictures that the gate calls unlike, None without a gate
    """

    strength: float
    said: str
    metrics: Mapping[str, Interval]
    changes: Mapping[str, Difference]
    unlike: float | None

    def to_json(self) -> dict[str, object]:
        """The fields by name."""
        return {
            "strength": self.strength,
            "said": self.said,
            "metrics": {name: one.to_json() for name, one in self.metrics.items()},
            "changes": {name: one.to_json() for name, one in self.changes.items()},
            "unlike": self.unlike,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Robustness:
    """Answers on worse pictures.

    patients, cases  degraded, drawn at random
    of_cases         there were
    metrics          of these cases as they are
    unlike           share of them that the gate calls unlike as they are, None without a gate
    worsened         name of the degradation -> its strengths, from mild to severe
    """

    patients: int
    cases: int
    of_cases: int
    metrics: Mapping[str, Interval]
    unlike: float | None
    worsened: Mapping[str, tuple[Strength, ...]]
    resamples: int
    seed: int

    def to_json(self) -> dict[str, object]:
        """The fields by name, n first."""
        return {
            "n": {"patients": self.patients, "cases": self.cases, "of_cases": self.of_cases},
            "metrics": {name: one.to_json() for name, one in self.metrics.items()},
            "unlike": self.unlike,
            "worsened": {name: [one.to_json() for one in steps] for name, steps in self.worsened.items()},
            "resamples": self.resamples,
            "seed": self.seed,
        }


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """One version of one case on its way through the model. version: (degradation, strength), None: as it is"""

    case: Case
    version: tuple[str, float] | None
    pictures: Sequence[Picture]
    prepared: Prepared
    reference: Mask | None


def robustness(
    model: Model, dataset: Dataset, *, most: int = MOST, seed: int = 0, tell: Tell = silent
) -> Robustness:
    """The main metrics on pictures made worse in every way that fits them, in three strengths.

    most  cases looked at, whole patients drawn at random

    Pictures are degraded as they come from the file, before the recipe. Raises BadDataset when there are no cases.
    """
    dataset = in_order_of(model, dataset)
    if not dataset.cases:
        raise BadDataset("There are no cases to degrade.", remedy="Choose a split that has cases.")
    cases = some_patients(dataset.cases, most, seed=seed)
    ways = degradations_for(load_pictures(cases[0])[model.recipe.reference])
    versions = [None, *((way.name, strength) for way in ways for strength in way.strengths)]
    tolerance = 1.0
    if model.task.pixels:
        tolerance = tolerance_for([load_mask(case, dataset).spacing for case in cases])
    said: dict[tuple[str, float] | None, list[Prediction]] = {version: [] for version in versions}
    scores: dict[tuple[str, float] | None, list[CaseScore]] = {version: [] for version in versions}
    alarms: dict[tuple[str, float] | None, list[bool]] = {version: [] for version in versions}
    waiting: deque[_Shown] = deque()
    total = len(cases) * len(versions)
    shown = _shown(model, dataset, cases, ways, waiting, seed)
    for done, given in enumerate(predict_prepared(model, shown), start=1):
        one = waiting.popleft()
        found = likeness(model, one.pictures, one.prepared, given.features)
        if found is not None:
            alarms[one.version].append(found.unlike)
        if one.reference is not None:
            assert given.mask is not None
            scores[one.version].append(score_case(given.mask, one.reference, tolerance_mm=tolerance))
            given = replace(given, mask=None, voxel_probability=None)
        said[one.version].append(given)
        tell("degrading", done, total, "" if one.version is None else one.version[0])
    answers = {version: answered(model, cases, said[version], scores[version]) for version in versions}
    point = model.trust.operating_point if model.card.task in ("binary", "multilabel") else None
    plain = answers[None]
    measure = headline(plain, operating_point=point)
    metrics = bootstrap(measure, plain.patients, resamples=_RESAMPLES, seed=seed)
    worsened = {
        way.name: tuple(
            _strength(way, strength, plain, answers[way.name, strength], alarms[way.name, strength], point, seed)
            for strength in way.strengths
        )
        for way in ways
    }
    return Robustness(
        len(set(plain.patients)),
        len(cases),
        len(dataset.cases),
        metrics,
        _mean(alarms[None]),
        worsened,
        _RESAMPLES,
        seed,
    )


def some_patients(cases: Sequence[Case], most: int, *, seed: int) -> tuple[Case, ...]:
    """At most so many cases of whole patients drawn at random, at least one patient, in their own order."""
    owned = Counter(case.patient for case in cases)
    drawn = np.random.default_rng(seed).permutation(sorted(owned))
    kept: set[str] = set()
    left = most
    for patient in drawn.tolist():
        if owned[patient] <= left or not kept:
            kept.add(patient)
            left -= owned[patient]
    return tuple(case for case in cases if case.patient in kept)


def _strength(
    way: Degradation,
    strength: float,
    plain: Answers,
    worse: Answers,
    alarms: Sequence[bool],
    point: float | None,
    seed: int,
) -> Strength:
    before, after = (headline(them, operating_point=point) for them in (plain, worse))
    whole = np.ones((1, len(plain.ids)))
    was, now = before(whole), after(whole)
    none = {name: np.full(1, np.nan) for name in now}
    many = len(set(plain.patients)) > 1
    # The same seed draws the same patients for both: the change is paired.
    first = resample(after, plain.patients, resamples=_RESAMPLES, seed=seed) if many else none
    second = resample(before, plain.patients, resamples=_RESAMPLES, seed=seed) if many else none
    return Strength(
        strength,
        way.said(strength),
        {name: interval(float(value[0]), first[name]) for name, value in now.items()},
        {
            name: difference(float(value[0]), float(was[name][0]), first[name] - second[name])
            for name, value in now.items()
        },
        _mean(alarms),
    )


def _shown(
    model: Model,
    dataset: Dataset,
    cases: Sequence[Case],
    ways: Sequence[Degradation],
    waiting: deque[_Shown],
    seed: int,
) -> Iterator[Prepared]:
    """Every version of every case; each file is read once."""
    for number, case in enumerate(cases):
        pictures = load_pictures(case)
        reference = load_mask(case, dataset) if model.task.pixels else None
        prepared = prepare(pictures, model.recipe)
        waiting.append(_Shown(case, None, pictures, prepared, reference))
        yield prepared
        for place, way in enumerate(ways):
            for step, strength in enumerate(way.strengths):
                worse = [
                    way.worsen(picture, strength, np.random.default_rng((seed, number, place, step)))
                    for picture in pictures
                ]
                moved = turned_mask(reference, strength) if way.turns and reference is not None else reference
                prepared = prepare(worse, model.recipe)
                waiting.append(_Shown(case, (way.name, strength), worse, prepared, moved))
                yield prepared


def _mean(flags: Sequence[bool]) -> float | None:
    return float(np.mean(flags)) if flags else None

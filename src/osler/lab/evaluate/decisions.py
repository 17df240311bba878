"""Is it worth acting on? Net benefit over the thresholds of action, and operating points chosen elsewhere.

A threshold is chosen on validation cases (`classification.choose_operating_point`) and tried on others; what it
reaches there is the number that counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array, Floats
from osler.core.errors import AskedWrongly
from osler.lab.evaluate.answers import Answers
from osler.lab.evaluate.classification import choose_operating_point, sensitivity, specificity
from osler.statistics.intervals import Interval, bootstrap, patient_weights
from osler.statistics.weighted import ratio

THRESHOLDS = tuple(round(0.01 * step, 2) for step in range(1, 100))
_WORK = 1_000_000  # weights drawn for one curve
_RESAMPLES = (200, 1000)


@dataclass(frozen=True, slots=True, eq=False)
class DecisionCurve:
    """Net benefit of acting on one outcome, over thresholds of action.

    Whoever acts from a probability of t on holds one missed case to be worth (1 - t) / t false alarms. Net benefit
    is the share of true positives less that of false positives at that price, per case; doing nothing has 0.
    Vickers and Elkin 2006, Medical Decision Making 26:565.

    label         what is acted on
    prevalence    of it among the cases
    thresholds    (T,)
    model         (T,) net benefit of acting as the model says
    low, high     (T,) its 95 % interval by patient, point by point; NaN for one patient
    treat_all     (T,) net benefit of acting always
    standardized  (T,) the model's as a share of the most there is, which is the prevalence
    better        the longest run of thresholds where the model does better than acting always and never, or None
    """

    label: str
    patients: int
    cases: int
    prevalence: float
    thresholds: Floats
    model: Floats
    low: Floats
    high: Floats
    treat_all: Floats
    standardized: Floats
    better: tuple[float, float] | None

    def to_json(self) -> dict[str, object]:
        """The fields by name, n first; numbers to five digits, null for NaN."""
        rows = ("thresholds", "model", "low", "high", "treat_all", "standardized")
        return {
            "label": self.label,
            "n": {"patients": self.patients, "cases": self.cases},
            "prevalence": self.prevalence,
            **{name: _plain(getattr(self, name)) for name in rows},
            "better_than_all_and_none": list(self.better) if self.better else None,
        }


@dataclass(frozen=True, slots=True)
class Aim:
    """What an operating point is chosen for: one of the three, or none for the largest sum of the first two.

    sensitivity, specificity  the least that is wanted
    cost        how many false alarms one missed case is worth
    prevalence  where the model will be used, None: as in the cases it is tried on
    """

    sensitivity: float | None = None
    specificity: float | None = None
    cost: float | None = None
    prevalence: float | None = None

    @property
    def chooses(self) -> bool:
        """Is a new operating point wanted?"""
        return self.sensitivity is not None or self.specificity is not None or self.cost is not None

    @property
    def words(self) -> str:
        """What is aimed at, for a reader."""
        for name in ("sensitivity", "specificity"):
            if (share := getattr(self, name)) is not None:
                return f"a {name} of at least {share:g}"
        if self.cost is not None:
            where = "" if self.prevalence is None else f" at a prevalence of {self.prevalence:g}"
            return f"the least cost, one missed case being worth {self.cost:g} false alarms{where}"
        return "the largest sum of sensitivity and specificity"


@dataclass(frozen=True, slots=True, eq=False)
class TriedPoint:
    """One operating point on the cases it was not chosen on.

    label       what is called
    threshold   called from this probability on
    aim         what it was chosen for
    chosen_on   which cases it was chosen on, with n
    positives, negatives  among the cases it is tried on
    metrics     sensitivity, specificity, ppv, npv, lr_plus, lr_minus; NaN where not defined
    prevalence  of the cases it is tried on
    elsewhere   another prevalence that was asked about, None for none
    there       ppv and npv at that prevalence: sensitivity and specificity carried over by Bayes' theorem
    """

    label: str
    patients: int
    cases: int
    threshold: float
    aim: str
    chosen_on: str
    positives: int
    negatives: int
    metrics: Mapping[str, Interval]
    prevalence: float
    elsewhere: float | None
    there: Mapping[str, Interval]

    def to_json(self) -> dict[str, object]:
        """The fields by name, n first."""
        written: dict[str, object] = {
            "label": self.label,
            "n": {
                "patients": self.patients,
                "cases": self.cases,
                "positives": self.positives,
                "negatives": self.negatives,
            },
            "threshold": self.threshold,
            "aim": self.aim,
            "chosen_on": self.chosen_on,
            "metrics": {name: one.to_json() for name, one in self.metrics.items()},
            "prevalence": self.prevalence,
        }
        if self.elsewhere is not None:
            written["elsewhere"] = {
                "prevalence": self.elsewhere,
                **{name: one.to_json() for name, one in self.there.items()},
            }
        return written


def outcomes(answers: Answers) -> tuple[tuple[str, Floats, Array], ...]:
    """What can be acted on: (name, probability (cases,), whether it was so (cases,) booleans).

    The positive class of two, every label, each of several classes against the rest, "at least" each grade but the
    lowest; () for numbers and masks.
    """
    if answers.task in ("regression", "segmentation"):
        return ()
    said, so, names = answers.chances, answers.indicators, list(answers.classes)
    if answers.task == "binary":
        said, so, names = said[:, 1:], so[:, 1:], names[1:]
    if answers.task == "ordinal":
        said, so = (np.cumsum(them[:, ::-1], axis=1)[:, -2::-1] for them in (said, so))
        names = [f"at least {name}" for name in names[1:]]
    return tuple((name, said[:, place], so[:, place] > 0.5) for place, name in enumerate(names))


def decision_curve(answers: Answers, *, seed: int = 0) -> tuple[DecisionCurve, ...]:
    """Net benefit over the thresholds .01 to .99, a curve an outcome; () for numbers and masks."""
    thresholds = np.array(THRESHOLDS)
    price = thresholds / (1 - thresholds)
    patients = len(set(answers.patients))
    resamples = int(np.clip(_WORK // len(answers.ids), *_RESAMPLES))
    drawn = list(patient_weights(answers.patients, resamples=resamples, seed=seed)) if patients > 1 else []
    curves = []
    for label, said, so in outcomes(answers):
        # Probabilities come in float32: what was said as .3 must not lie below .3.
        worth = np.where(so[:, None], 1.0, -price) * (said[:, None] >= thresholds - 1e-6)  # (cases, T)
        model = worth.mean(axis=0)
        share = float(so.mean())
        everybody = share - (1 - share) * price
        spread = [(weights @ worth) / weights.sum(-1, keepdims=True) for weights in drawn]
        none = np.full(len(model), np.nan)
        low, high = np.percentile(np.concatenate(spread), [2.5, 97.5], axis=0) if drawn else (none, none)
        standardized = model / share if share else none
        better = _longest(thresholds, model > np.maximum(everybody, 0.0) + 1e-12)
        curves.append(
            DecisionCurve(
                label=label,
                patients=patients,
                cases=len(answers.ids),
                prevalence=share,
                thresholds=thresholds,
                model=model,
                low=low,
                high=high,
                treat_all=everybody,
                standardized=standardized,
                better=better,
            )
        )
    return tuple(curves)


def choose_points(answers: Answers, aim: Aim) -> tuple[float, ...]:
    """One threshold for "binary", one a label for "multilabel", chosen on these (validation) cases for `aim`.

    Raises AskedWrongly for other tasks, and where a class is missing.
    """
    if answers.task not in ("binary", "multilabel"):
        raise AskedWrongly(
            f"The task '{answers.task}' has no operating point.",
            remedy="Leave --sensitivity, --specificity and --cost away: the likeliest class is taken.",
        )
    return tuple(
        choose_operating_point(
            said,
            so,
            sensitivity=aim.sensitivity,
            specificity=aim.specificity,
            cost=aim.cost,
            prevalence=aim.prevalence if aim.cost is not None else None,
        )
        for _, said, so in outcomes(answers)
    )


def try_points(
    answers: Answers,
    points: Sequence[float],
    *,
    aim: str,
    chosen_on: str,
    prevalence: float | None = None,
    seed: int = 0,
) -> tuple[TriedPoint, ...]:
    """What operating points that were chosen on other cases reach on these, one an outcome.

    points      one for "binary", one a label for "multilabel"; one number serves all labels
    prevalence  asked about besides: predictive values there, if the finding looks there as it does here

    Raises AskedWrongly for a prevalence that is no share.
    """
    if answers.task not in ("binary", "multilabel"):
        return ()
    if prevalence is not None and not 0 < prevalence < 1:
        raise AskedWrongly(f"A prevalence of {prevalence:g} is no share.", remedy="Give a number between 0 and 1.")
    tried = []
    each = outcomes(answers)
    for (label, said, so), point in zip(each, list(points) * (len(each) if len(points) == 1 else 1), strict=True):
        called = said >= point

        def measure(weights: Floats, called: Array = called, so: Array = so) -> dict[str, Floats]:
            return _at_point(called, so, weights, prevalence)

        found = bootstrap(measure, answers.patients, seed=seed)
        tried.append(
            TriedPoint(
                label=label,
                patients=len(set(answers.patients)),
                cases=len(so),
                threshold=float(point),
                aim=aim,
                chosen_on=chosen_on,
                positives=int(so.sum()),
                negatives=int((~so).sum()),
                metrics={name: one for name, one in found.items() if "@" not in name},
                prevalence=float(so.mean()),
                elsewhere=prevalence,
                there={name.removesuffix("@"): one for name, one in found.items() if "@" in name},
            )
        )
    return tuple(tried)


def _at_point(called: Array, so: Array, weights: Floats, prevalence: float | None) -> dict[str, Floats]:
    found, spared = sensitivity(called, so, weights), specificity(called, so, weights)
    hits, calls = weights @ (called & so).astype(float), weights @ called.astype(float)
    misses, quiet = weights @ (~called & so).astype(float), weights @ (~called).astype(float)
    numbers = {
        "sensitivity": found,
        "specificity": spared,
        "ppv": ratio(hits, calls),
        "npv": ratio(quiet - misses, quiet),
        "lr_plus": ratio(found, 1 - spared),
        "lr_minus": ratio(1 - found, spared),
    }
    if prevalence is not None:
        true, false = found * prevalence, (1 - spared) * (1 - prevalence)
        missed, rest = (1 - found) * prevalence, spared * (1 - prevalence)
        numbers |= {"ppv@": ratio(true, true + false), "npv@": ratio(rest, rest + missed)}
    return numbers


def _longest(thresholds: Floats, good: Array) -> tuple[float, float] | None:
    """Ends of the longest run of thresholds that are good."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], good.astype(int), [0]])))
    runs = edges.reshape(-1, 2)
    if not len(runs):
        return None
    start, stop = runs[np.argmax(runs[:, 1] - runs[:, 0])]
    return float(thresholds[start]), float(thresholds[stop - 1])


def _plain(values: Floats) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), 5) for value in values]

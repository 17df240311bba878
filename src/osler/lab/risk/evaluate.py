"""Foretold risks against what became of the patients: every part beside the others, with intervals by patient."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from osler.core.arrays import Floats
from osler.core.errors import BadDataset
from osler.lab.evaluate import classification
from osler.lab.evaluate.calibration import recalibration
from osler.lab.risk import metrics
from osler.lab.risk.cohort import Cohort
from osler.lab.risk.cox import fit_cox
from osler.models.risk.survival import kaplan_meier, surviving_at, wilson
from osler.statistics.intervals import Interval, interval, resample

AVERAGE = "average"  # the part that gives everybody the average risk: what a model must beat
SMALL = 100  # patients; and this many with the event: below, figures are said to be of few
FEW_EVENTS = 50
_GRID = 15
_GROUPS = 5
_GROUP = 20  # patients a group of the calibration should have

ABOUT: dict[str, tuple[str, str]] = {
    "c_index": ("C-index (Harrell)", "1 is best, 0.5 is chance: who has the event first"),
    "c_index_uno": ("C-index (Uno)", "the same, whoever was lost when"),
    "auc": ("AUC", "1 is best, 0.5 is chance: who has the event by then"),
    "brier": ("Brier score", "0 is best: mean squared error of the risk"),
    "integrated_brier": ("Integrated Brier score", "0 is best: its mean over the times"),
    "observed_over_expected": ("Observed over expected", "1 is best; above 1 too little was foretold"),
    "slope": ("Calibration slope", "1 is best; below 1 it is too sure of itself"),
    "intercept": ("Calibration intercept", "0 is best; above 0 too little was foretold"),
    "pr_auc": ("Average precision", "1 is best, the share with the outcome is chance"),
    "log_loss": ("Log loss", "0 is best"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric of one part; at a horizon where it has one."""

    part: str
    metric: str
    horizon: float | None
    interval: Interval


@dataclass(frozen=True, slots=True)
class Group:
    """Patients of near risk: what was foretold and what was so, by Kaplan-Meier where there are times."""

    patients: int
    foretold: float
    so: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RiskEvaluation:
    """How good the foretold risks are.

    how           how patients were kept apart from those that were learnt from
    figures       every metric of every part
    differences   the part with everything less each other part, resampled together
    calibration   part -> horizon -> groups from low to high risk; horizon 0 where there are no times
    few           said where the figures rest on few patients, "" else
    """

    name: str
    how: str
    event: str
    unit: str
    patients: int
    events: int
    figures: tuple[Figure, ...]
    differences: tuple[Figure, ...]
    calibration: Mapping[str, Mapping[float, tuple[Group, ...]]]
    few: str

    def find(self, part: str, metric: str, horizon: float | None = None) -> Interval | None:
        """One figure, None where it is not there."""
        found = (f.interval for f in self.figures if (f.part, f.metric, f.horizon) == (part, metric, horizon))
        return next(found, None)

    def to_json(self) -> dict[str, Any]:
        """Plain values; NaN is null."""

        def plain(one: Figure) -> dict[str, Any]:
            return {"part": one.part, "metric": one.metric, "horizon": one.horizon, **one.interval.to_json()}

        return {
            "risk_evaluation_version": 1,
            "data": self.name,
            "how": self.how,
            "event": self.event,
            "unit": self.unit,
            "n": {"patients": self.patients, "events": self.events},
            "few": self.few,
            "figures": [plain(one) for one in self.figures],
            "differences": [plain(one) for one in self.differences],
            "calibration": [
                {
                    "part": part,
                    "horizon": horizon or None,
                    "groups": [
                        {
                            "patients": g.patients,
                            "foretold": g.foretold,
                            "so": g.so,
                            "low": _none(g.low),
                            "high": _none(g.high),
                        }
                        for g in groups
                    ],
                }
                for part, at in self.calibration.items()
                for horizon, groups in at.items()
            ],
        }


def choose_horizons(cohort: Cohort, asked: Sequence[float] = ()) -> tuple[tuple[float, ...], str]:
    """The times to answer for, and why; () for an outcome without times.

    Those that are asked for; else where a quarter, a half and three quarters of the events had come, rounded.
    Raises BadDataset for a time that nobody was followed to, or before which nobody had the event.
    """
    if not cohort.timed:
        return (), "the outcome has no time"
    came = cohort.time[cohort.event]
    if asked:
        for one in asked:
            if not (came <= one).any() or not (cohort.time > one).any():
                raise BadDataset(
                    f"Nothing can be said of {one:g} {cohort.unit} in {cohort.name}: times of the event "
                    f"lie between {came.min():g} and {came.max():g}, and patients were followed to "
                    f"{cohort.time.max():g}.",
                    remedy="Choose horizons in between.",
                )
        return tuple(sorted(float(one) for one in asked)), "asked for"
    last = float(np.sort(cohort.time)[max(len(cohort.time) - max(5, len(cohort.time) // 20), 0)])
    found = []
    for share in (0.25, 0.5, 0.75):
        raw = min(float(np.quantile(came, share)), last)
        rounded = float(f"{raw:.2g}")
        found.append(rounded if (came <= rounded).any() and (cohort.time > rounded).any() else raw)
    usable = sorted({one for one in found if (came <= one).any() and (cohort.time > one).any()})
    if not usable:
        raise BadDataset(
            f"In {cohort.name} nobody is seen after the first event.", remedy="Follow the patients longer."
        )
    return tuple(usable), "where a quarter, a half and three quarters of the events had come, rounded"


def score_times(cohort: Cohort, horizons: Sequence[float]) -> Floats:
    """The times that risks are wanted for: the horizons, then a grid for the integrated Brier score."""
    if not cohort.timed:
        return np.zeros(1)
    return np.concatenate([horizons, _grid(cohort, horizons)])


def score(
    cohort: Cohort, risks: Mapping[str, Floats], horizons: Sequence[float], *, how: str, seed: int = 0
) -> RiskEvaluation:
    """The figures of risks foretold for patients that the models had not seen.

    risks  part -> (patients, times), at `score_times`
    """
    average = _average(cohort, score_times(cohort, horizons))
    parts = {**risks, AVERAGE: average}
    measure = _timed(cohort, parts, horizons) if cohort.timed else _plain(cohort, parts)
    values = measure(np.ones((1, len(cohort.event))))
    drawn = resample(measure, cohort.patients, seed=seed, resamples=500)
    figures = [
        Figure(part, metric, at, interval(float(values[part, metric, at][0]), drawn[part, metric, at]))
        for part, metric, at in values
    ]
    whole = next((one for one in ("both", "facts", "image") if one in risks), "")
    differences = [
        Figure(
            f"{whole} - {other}",
            metric,
            horizon,
            interval(
                float(values[whole, metric, horizon][0] - values[other, metric, horizon][0]),
                drawn[whole, metric, horizon] - drawn[other, metric, horizon],
            ),
        )
        for part, metric, horizon in values
        if part == whole and metric not in ("observed_over_expected", "intercept", "slope")
        for other in (*risks, AVERAGE)
        if other != whole and (other, metric, horizon) in values
    ]
    if cohort.timed:
        for part, risk in risks.items():
            for n, horizon in enumerate(horizons):
                figures.append(Figure(part, "slope", horizon, _slope(cohort, risk[:, n])))
    calibration = {
        part: {float(at): _calibration(cohort, risk[:, n], float(at)) for n, at in enumerate(horizons or (0.0,))}
        for part, risk in risks.items()
    }
    return RiskEvaluation(
        cohort.name,
        how,
        cohort.event_name,
        cohort.unit,
        len(cohort.event),
        cohort.events,
        tuple(figures),
        tuple(differences),
        calibration,
        few(len(cohort.event), cohort.events),
    )


def few(patients: int, events: int) -> str:
    """What must be said beside every figure of few patients; "" where there are enough."""
    if patients >= SMALL and min(events, patients - events) >= FEW_EVENTS:
        return ""
    return (
        f"Few: {patients} patients, {events} with the event. Figures move by much with other patients; they show "
        "that the method runs, and prove no skill."
    )


def _timed(cohort: Cohort, parts: Mapping[str, Floats], horizons: Sequence[float]) -> Any:
    time, event, many = cohort.time, cohort.event, len(horizons)
    grid = _grid(cohort, horizons)

    def measure(weights: Floats) -> dict[tuple[str, str, float | None], Floats]:
        found: dict[tuple[str, str, float | None], Floats] = {}
        for part, risk in parts.items():
            if part != AVERAGE:
                whole = risk[:, many - 1]
                found[part, "c_index", None] = metrics.harrell(time, event, whole, weights)
                found[part, "c_index_uno", None] = metrics.uno(
                    time, event, whole, weights, until=float(horizons[-1])
                )
            found[part, "integrated_brier", None] = metrics.integrated_brier(
                time, event, risk[:, many:], weights, grid=grid
            )
            for n, one in enumerate(horizons):
                at = float(one)
                if part != AVERAGE:
                    found[part, "auc", at] = metrics.auc_at(time, event, risk[:, n], weights, at=at)
                    found[part, "observed_over_expected", at] = metrics.observed_over_expected(
                        time, event, risk[:, n], weights, at=at
                    )
                found[part, "brier", at] = metrics.brier_at(time, event, risk[:, n], weights, at=at)
        return found

    return measure


def _plain(cohort: Cohort, parts: Mapping[str, Floats]) -> Any:
    event = cohort.event

    def measure(weights: Floats) -> dict[tuple[str, str, float | None], Floats]:
        found: dict[tuple[str, str, float | None], Floats] = {}
        for part, risks in parts.items():
            risk = risks[:, 0]
            if part != AVERAGE:
                found[part, "auc", None] = classification.auc(risk, event, weights)
                found[part, "pr_auc", None] = classification.pr_auc(risk, event, weights)
                slope, intercept = recalibration(risk, event, weights)
                found[part, "slope", None], found[part, "intercept", None] = slope, intercept
            found[part, "brier", None] = classification.brier(risk, event, weights)
            found[part, "log_loss", None] = classification.nll(risk, event, weights)
        return found

    return measure


def _average(cohort: Cohort, times: Floats) -> Floats:
    """Everybody's risk as that of all the others: Kaplan-Meier, or the share, without the patient."""
    many = len(cohort.event)
    others = 1 - np.eye(many)
    if cohort.timed:
        return 1 - surviving_at(cohort.time, cohort.event, times, others)
    share: Floats = (others @ cohort.event / (many - 1))[:, None]
    return share


def _grid(cohort: Cohort, horizons: Sequence[float]) -> Floats:
    first = float(np.quantile(cohort.time[cohort.event], 0.05)) if cohort.events else 0.0
    return np.linspace(min(first, float(horizons[-1])), float(horizons[-1]), _GRID)


def _slope(cohort: Cohort, risk: Floats) -> Interval:
    """The weight of log(-log(1 - risk)) in a Cox model: 1 is right (van Houwelingen 2000, Stat Med 19:3401)."""
    kept = np.clip(risk, 1e-6, 1 - 1e-6)
    row = np.log(-np.log1p(-kept))
    if row.std() < 1e-9:
        return Interval(float("nan"), float("nan"), float("nan"))
    try:
        fit = fit_cox((row - row.mean())[:, None], cohort.time, cohort.event)
    except BadDataset:
        return Interval(float("nan"), float("nan"), float("nan"))
    value, error = float(fit.weights[0]), float(np.sqrt(fit.covariance[0, 0]))
    return Interval(value, value - 1.959964 * error, value + 1.959964 * error)


def _calibration(cohort: Cohort, risk: Floats, at: float) -> tuple[Group, ...]:
    many = int(np.clip(len(risk) // _GROUP, 2, _GROUPS))
    order = np.argsort(risk, kind="stable")
    rows = []
    for inside in np.array_split(order, many):
        if cohort.timed:
            curve = kaplan_meier(cohort.time[inside], cohort.event[inside])
            low, high = curve.interval(at)
            rows.append(Group(len(inside), float(risk[inside].mean()), 1 - curve.at(at), 1 - high, 1 - low))
        else:
            share, low, high = wilson(int(cohort.event[inside].sum()), len(inside))
            rows.append(Group(len(inside), float(risk[inside].mean()), share, low, high))
    return tuple(rows)


def _none(value: float) -> float | None:
    return None if np.isnan(value) else value

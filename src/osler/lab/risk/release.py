"""From a table to a model of risk: try it on patients left out, fit it on all, write it with its figures."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

from osler.core.arrays import Floats
from osler.core.progress import Tell, silent
from osler.io.files import write_json
from osler.lab.risk.cohort import Cohort, check_learnable
from osler.lab.risk.cross import left_out_risks
from osler.lab.risk.evaluate import RiskEvaluation, choose_horizons, few, score, score_times
from osler.lab.risk.fit import Fitted, check_kind, fit_parts
from osler.lab.risk.page import write_page
from osler.models.risk.card import ImageSource, Outcome, RiskCard, Tried
from osler.models.risk.model import Reference, RiskModel, rounded, store_risk_model

_EVENTS_A_COLUMN = 10

NOT_FOR = (
    "patients unlike those it learnt from; it refuses what lies outside their range",
    "decisions without a qualified person",
    "saying what a treatment would change: what moves a risk is no cause",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to make of a cohort.

    kind      "cox", "logistic", "forest", "deep"; "" chooses by the outcome
    horizons  times to answer for; () chooses
    name, title, licence  for the card; "" names it after the table
    image     where image features come from, None without
    keep_patients  keep the training patients' rounded numbers, so that similar ones can be found
    """

    kind: str = ""
    horizons: tuple[float, ...] = ()
    name: str = ""
    title: str = ""
    licence: str = ""
    image: ImageSource | None = None
    keep_patients: bool = True
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Released:
    """A model, the page and figures of how it was tried, and its card with the digest."""

    model: RiskModel
    card: RiskCard
    evaluation: RiskEvaluation


def release(cohort: Cohort, wanted: Wanted, out: Path, *, tell: Tell = silent) -> Released:
    """Learn from a cohort and write the model's folder, an evaluation beside it.

    Raises BadDataset where there is too little to learn from, AskedWrongly for a kind that does not fit the
    outcome, NoRoom when the disk is full.
    """
    check_learnable(cohort)
    kind = check_kind(cohort, wanted.kind)
    horizons, because = choose_horizons(cohort, wanted.horizons)
    times = score_times(cohort, horizons)
    risks, how = left_out_risks(cohort, kind, times, seed=wanted.seed, tell=tell)
    evaluation = score(cohort, risks, horizons, how=how, seed=wanted.seed)
    fitted = fit_parts(cohort, kind, seed=wanted.seed, tell=tell)
    card = RiskCard(
        name=wanted.name or out.name,
        version="1",
        title=wanted.title or f"Risk of {cohort.event_name}",
        kind=kind,
        outcome=Outcome(cohort.event_name, cohort.unit, horizons, cohort.time_name),
        patients=len(cohort.event),
        events=cohort.events,
        image=wanted.image,
        chosen=(*fitted.chosen, ("horizons", because)),
        notes=cohort.notes,
        limits=limits_of(cohort, fitted, kind),
        not_for=NOT_FOR,
        trained_on=cohort.name,
        licence=wanted.licence,
        tried=evaluation.how,
        tested=tuple(
            Tried(
                f.part,
                f.metric,
                _finite(f.interval.value),
                _finite(f.interval.low),
                _finite(f.interval.high),
                f.horizon,
            )
            for f in evaluation.figures
        ),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        software=f"osler {version('osler')}",
    )
    reference = _reference(cohort, fitted, risks, len(horizons) or 1, seed=wanted.seed)
    model = RiskModel(card, fitted.design, fitted.learners, reference if wanted.keep_patients else None)

    def beside(folder: Path) -> None:
        write_json(folder / "evaluation.json", evaluation.to_json())
        write_page(evaluation, folder / "evaluation.html", title=card.title)

    sealed = store_risk_model(model, out, beside=beside)
    return Released(replace(model, card=sealed), sealed, evaluation)


def limits_of(cohort: Cohort, fitted: Fitted, kind: str) -> tuple[str, ...]:
    """What a reader of the model's answers should mind."""
    found = []
    small = few(len(cohort.event), cohort.events)
    if small:
        found.append(small)
    rarer = min(cohort.events, len(cohort.event) - cohort.events) if not cohort.timed else cohort.events
    for part in fitted.learners:
        columns = len(fitted.design.part(part))
        if kind in ("cox", "logistic") and rarer < _EVENTS_A_COLUMN * columns:
            found.append(
                f"The part '{part}' has {columns} columns for {rarer} patients with the rarer outcome: fewer than "
                f"{_EVENTS_A_COLUMN} each."
            )
    if cohort.timed:
        found.append(
            "Who was lost is taken to be like those who were not. Somebody who can no longer have the event, "
            "having died of something else, counts as lost: risks are then too high."
        )
    if kind in ("forest", "deep"):
        found.append(
            "Its intervals leave out what such a model smooths away: on made-up patients they held the true risk "
            "in about 50 to 80 of 100, not in 95."
        )
    found.append(
        "Intervals say how far answers would move with other patients to learn from, and nothing of chance."
    )
    return tuple(found)


def _reference(cohort: Cohort, fitted: Fitted, risks: dict[str, Floats], times: int, *, seed: int) -> Reference:
    """The patients' rounded rows and outcomes, in an order drawn by lot."""
    lot = np.random.default_rng([seed, len(cohort.event)]).permutation(len(cohort.event))
    rows = rounded(fitted.design.rows(cohort.values, cohort.features))
    best = next(part for part in ("both", "facts", "image") if part in risks)
    time = cohort.time
    if cohort.timed:  # two digits: no exact day of anybody
        scale = 10.0 ** (np.floor(np.log10(np.maximum(time, 1e-9))) - 1)
        time = np.round(time / scale) * scale
    return Reference(rows[lot], time[lot], cohort.event[lot], risks[best][lot, :times].astype(np.float32))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None

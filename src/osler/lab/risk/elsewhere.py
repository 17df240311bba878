"""A model of risk on patients of another table, refused where it would refuse them in use."""

from collections import Counter
from dataclasses import replace

import numpy as np

from osler.core.arrays import Floats
from osler.core.errors import AskedWrongly, BadDataset
from osler.core.progress import Tell, silent
from osler.lab.risk.cohort import Cohort
from osler.lab.risk.evaluate import RiskEvaluation, score, score_times
from osler.models.risk.model import RiskModel, part_rows, rounded

_LEAST = 10
_TELLING = 4  # columns: fewer are often the same by chance


def tried_elsewhere(
    model: RiskModel, cohort: Cohort, *, tell: Tell = silent
) -> tuple[RiskEvaluation, tuple[str, ...]]:
    """The figures of a model on a table, and what was left out and why, a sentence each.

    Patients whom the model would refuse (a needed fact missing, a value outside its range) are left out and
    counted: it has no answer for them. Parts that need a picture are tried where there are features.

    Raises AskedWrongly for a table without times where the model has them or the other way round, BadDataset where
    fewer than 10 patients are left, nobody or everybody of them with the event.
    """
    card = model.card
    if card.outcome.timed != cohort.timed:
        raise AskedWrongly(
            f"The model {card.name} foretells {'times' if card.outcome.timed else 'an outcome without time'}.",
            remedy="Name the column of the time with --time." if card.outcome.timed else "Leave --time out.",
        )
    reasons: Counter[str] = Counter()
    kept = []
    for row, values in enumerate(cohort.values):
        tell("asking", row, len(cohort.values), "")
        why = next((f"{f.name} is {w}" for f in model.design.facts if (w := f.objection(values.get(f.name)))), "")
        image = model.design.image
        if not why and image is not None and cohort.features is not None and image.unlike(cohort.features[row]):
            why = "the picture is unlike"
        if why:
            reasons[why] += 1
        else:
            kept.append(row)
    notes = tuple(
        f"{many} of {len(cohort.values)} patients are refused: {why} what the model learnt from."
        if not why.endswith("missing")
        else f"{many} of {len(cohort.values)} patients are refused: {why}, and the model needs it."
        for why, many in reasons.most_common()
    )
    left = cohort.take(kept)
    if len(kept) < _LEAST or not 0 < left.events < len(kept) + cohort.timed:
        raise BadDataset(
            f"Of {cohort.name} {len(kept)} patients are left whom the model answers, {left.events} with the "
            "event: too few to test it.",
            remedy="Give more patients like those it learnt from." + (f" {notes[0]}" if notes else ""),
        )
    known = _learnt_from(model, left)
    if known:
        notes = (
            *notes,
            f"{known} of these patients look the same as patients the model learnt from: no fair test.",
        )
    horizons = card.outcome.horizons
    for one in horizons:
        if not (left.time[left.event] <= one).any() or not (left.time > one).any():
            raise BadDataset(
                f"In {cohort.name} nothing can be said of {one:g} {card.outcome.unit}: no event by then, or "
                "nobody followed beyond.",
                remedy="Test the model on patients who were followed longer.",
            )
    risks: dict[str, Floats] = {}
    for part, learner in model.learners.items():
        if part == "facts" or left.features is not None:
            rows = part_rows(model, part, left.values, left.features)
            risks[part] = learner.risk(rows, score_times(left, horizons))
    if not risks:
        raise AskedWrongly(
            f"The model {card.name} needs pictures.", remedy="Name their column with --image, or --features."
        )
    named = replace(left, event_name=card.outcome.event, unit=card.outcome.unit)
    how = f"another table than it learnt from ({np.size(left.event)} of {len(cohort.values)} patients answered)"
    return score(named, risks, horizons, how=how), notes


def _learnt_from(model: RiskModel, cohort: Cohort) -> int:
    """How many patients have the very rounded numbers of a training patient; 0 where it may be chance."""
    if model.reference is None or len(model.design.columns) < _TELLING:
        return 0
    stored = {row.tobytes() for row in model.reference.rows}
    rows = rounded(model.design.rows(cohort.values, cohort.features))
    if cohort.features is None and model.design.image is not None:
        return 0
    same = sum(row.tobytes() in stored for row in rows)
    return same if same > len(rows) / 10 else 0

"""From patients to learners: facts alone, picture alone, and both."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from osler.core.errors import AskedWrongly
from osler.core.progress import Tell, silent
from osler.lab.risk.cohort import Cohort
from osler.lab.risk.deep import fit_deep
from osler.lab.risk.forest import GROUPS, grow_forest
from osler.lab.risk.linear import DRAWS, Told, fit_linear
from osler.lab.risk.prepare import fit_design
from osler.models.risk.design import IMAGE, PARTS, Design
from osler.models.risk.learner import LEARNERS, Learner


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A design, a learner for each part that the patients allow, and the reasons of what was decided."""

    design: Design
    learners: Mapping[str, Learner]
    chosen: tuple[tuple[str, str], ...]


def check_kind(cohort: Cohort, kind: str) -> str:
    """The kind that will be fitted; "" takes Cox for times and logistic for yes or no.

    Raises UnknownChoice; AskedWrongly for a kind that does not fit the outcome.
    """
    found = kind or ("cox" if cohort.timed else "logistic")
    LEARNERS[found]
    if cohort.timed == (found == "logistic"):
        fits = "cox, forest or deep" if cohort.timed else "logistic"
        raise AskedWrongly(
            f"A {found} model does not learn {'times' if cohort.timed else 'from an outcome without times'}.",
            remedy=f"Choose {fits}" + ("." if cohort.timed else ", or name the column of the time with --time."),
        )
    return found


def fit_parts(cohort: Cohort, kind: str, *, seed: int, quick: bool = False, tell: Tell = silent) -> Fitted:
    """Fit everything that is learnt on these patients, and on nobody else.

    quick  no draws for intervals and half the trees and nets: for folds, whose models only answer

    Raises BadDataset as the fits do.
    """
    design = fit_design(cohort)
    rows = design.rows(cohort.values, cohort.features)
    learners: dict[str, Learner] = {}
    chosen: list[tuple[str, str]] = []
    for part in PARTS:
        places = list(design.part(part))
        if not places:
            continue
        drawn = tuple(place for place, n in enumerate(places) if n in design.part(IMAGE))
        told = Told(rows[:, places], cohort.time, cohort.event, cohort.timed, drawn)

        def watched(done: int, total: int, part: str = part) -> None:
            tell(f"fitting {part}", done, total, "")

        learner: Learner
        if kind == "forest":
            groups = GROUPS // 2 if quick else GROUPS
            learner, because = grow_forest(
                told.rows, told.time, told.event, seed=seed, groups=groups, tell=watched
            )
        elif kind == "deep":
            learner, because = fit_deep(
                told.rows, told.time, told.event, seed=seed, nets=8 if quick else 20, tell=watched
            )
        else:
            watched(0, 1)
            learner, because = fit_linear(told, seed=seed, draws=0 if quick else DRAWS)
            watched(1, 1)
        learners[part] = learner
        chosen.append((part, because))
    if design.image is not None:
        many = design.image.components
        chosen.append((IMAGE, f"{many} components of {np.size(design.image.mean)} features: one for ten events"))
    return Fitted(design, learners, tuple(chosen))

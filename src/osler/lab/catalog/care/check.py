"""Can this data be believed? Everything that is looked at before anything is learnt, on one page."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from osler.core.errors import BadDataset
from osler.core.progress import Tell, silent
from osler.lab.catalog.care.balance import find_imbalance, find_missing
from osler.lab.catalog.care.concern import SEVERITIES, Concern
from osler.lab.catalog.care.duplicates import (
    Copies,
    find_copies,
    find_duplicates,
    find_patient_leaks,
    with_copies_together,
)
from osler.lab.catalog.care.label_errors import find_label_errors
from osler.lab.catalog.care.look import Look, look_at, look_over
from osler.lab.catalog.care.odd_masks import find_odd_masks
from osler.lab.catalog.care.pictures import find_blank, find_misfits, find_unreadable
from osler.lab.catalog.care.shortcuts import find_shortcuts
from osler.lab.catalog.dataset import Dataset

# Concerns of one severity in the order in which a person should take them up.
KINDS = (
    "patient-leak", "duplicate", "near-duplicate", "unreadable", "geometry", "label-conflict", "shortcut",
    "label-error", "odd-mask", "blank", "missing", "balance",
)  # fmt: skip
_COMPARED = 20_000  # pictures; the work grows with their square
_SECONDS_A_PICTURE = 0.006  # that comparing takes, on one slow core
_TRIED = 40  # cases whose looks tell how long all of them would take


@dataclass(frozen=True, slots=True)
class Care:
    """What the check of a data set found.

    concerns   the worst first
    copies     the pairs that join all copies into groups
    unchecked  what was not looked at and why, a sentence each
    """

    dataset: str
    cases: int
    patients: int
    concerns: tuple[Concern, ...]
    copies: tuple[Copies, ...]
    unchecked: tuple[str, ...]
    seconds: float

    @property
    def leaks(self) -> tuple[Concern, ...]:
        """Those that make every score on val or test too good."""
        return tuple(concern for concern in self.concerns if concern.severity == "leak")

    def count(self, severity: str) -> int:
        """How many concerns are of a severity."""
        return sum(concern.severity == severity for concern in self.concerns)


def check_data(
    dataset: Dataset, *, tell: Tell = silent, budget_seconds: float | None = None, seed: int = 0
) -> Care:
    """Look at every case once, and say what a person should look at before believing what is learnt from it.

    budget_seconds  time for all that opens pictures; what does not fit is told in `unchecked`. None: no limit
    seed            of the folds behind suspected labels

    Splits are judged as given. Nothing is raised for bad cases: they are among the concerns.
    """
    began = time.monotonic()
    end = None if budget_seconds is None else began + budget_seconds
    found: list[Concern] = [*find_patient_leaks(dataset), *find_imbalance(dataset), *find_missing(dataset)]
    unchecked: list[str] = []
    copies: tuple[Copies, ...] = ()
    looks = _looks(dataset, end, tell)
    if looks is None:
        unchecked.append(
            f"Pictures, copies, shortcuts and suspected labels: {len(dataset.cases)} cases cannot be opened in "
            f"the {budget_seconds:.0f} s that the check was given. Run osler data check, which has no limit."
        )
    else:
        found += [*find_unreadable(looks), *find_blank(looks)]
        changed, why = _compared(len(looks), end)
        copies = find_copies(dataset, looks, tell, changed=changed)
        found += find_duplicates(dataset, copies)
        unchecked += [why] if why else []
        # A learner that has seen a copy knows its label: copies stay in one fold, as patients do.
        seen, seen_looks = _readable(with_copies_together(dataset, copies), looks)
        steps: tuple[tuple[str, Callable[[], Sequence[Concern]]], ...] = (
            ("Masks on another grid than their pictures", lambda: find_misfits(dataset, tell=tell)),
            ("Shortcuts", lambda: find_shortcuts(seen, seen_looks, tell=tell)),
            ("Suspected labels", lambda: find_label_errors(seen, seen_looks, seed=seed, tell=tell)),
            ("Odd masks", lambda: find_odd_masks(seen, seen_looks, tell=tell)),
        )
        for name, step in steps:
            if not _room(end):
                unchecked.append(_late(name))
                continue
            try:
                found += step()
            except BadDataset as error:
                unchecked.append(f"{name}: {error.problem}")
    return Care(
        dataset=dataset.name,
        cases=len(dataset.cases),
        patients=dataset.patients,
        concerns=_ranked(found),
        copies=copies,
        unchecked=tuple(unchecked),
        seconds=round(time.monotonic() - began, 1),
    )


def _looks(dataset: Dataset, end: float | None, tell: Tell) -> tuple[Look, ...] | None:
    """A look at every case, or None where the first few say that there is no time for it."""
    if end is not None and len(dataset.cases) > _TRIED:
        began = time.monotonic()
        step = len(dataset.cases) // _TRIED
        for case in dataset.cases[::step]:
            look_at(case)
            if time.monotonic() > end:
                return None
        tried = len(dataset.cases[::step])
        if (time.monotonic() - began) / tried * len(dataset.cases) > end - time.monotonic():
            return None
    return look_over(dataset, tell)


def _compared(pictures: int, end: float | None) -> tuple[bool, str]:
    """Whether each picture can be compared with all others, and why not."""
    if pictures > _COMPARED:
        return False, (
            f"Changed copies: {pictures} pictures are too many to compare each with all others ({_COMPARED} can "
            "be); exact copies were looked for."
        )
    if end is not None and time.monotonic() + pictures * _SECONDS_A_PICTURE > end:
        return False, f"{_late('Changed copies')} Exact copies were looked for."
    return True, ""


def _room(end: float | None) -> bool:
    return end is None or time.monotonic() < end


def _late(name: str) -> str:
    return f"{name}: the time that the check was given was over. Run osler data check, which has no limit."


def _readable(dataset: Dataset, looks: Sequence[Look]) -> tuple[Dataset, tuple[Look, ...]]:
    """Without the cases that could not be read."""
    kept = [(case, look) for case, look in zip(dataset.cases, looks, strict=True) if not look.problem]
    return replace(dataset, cases=tuple(case for case, _ in kept)), tuple(look for _, look in kept)


def _ranked(found: Sequence[Concern]) -> tuple[Concern, ...]:
    return tuple(
        sorted(
            dict.fromkeys(found),
            key=lambda one: (SEVERITIES.index(one.severity), KINDS.index(one.kind), -one.score),
        )
    )

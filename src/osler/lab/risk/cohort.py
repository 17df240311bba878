"""A table of patients, their facts, and what became of them: one row a study, one study a patient learnt from."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from osler.core.arrays import Array, Floats
from osler.core.errors import AskedWrongly, BadDataset, UnknownChoice
from osler.lab.catalog.table import Table, read_table
from osler.models.risk.fact import Facts, Value, cell, is_sex, sex_of

LEAST_EVENTS = 5
_MOST_LEVELS = 8
_LEAST_KNOWN = 10
_IDENTITY = {"name", "id", "mrn", "pid", "date", "birth", "dob", "address", "phone", "uid", "accession"}


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of the table is what; "" and () where there is none, or where Osler is to find it.

    event     1 or yes where it happened; the outcome itself where there is no time
    time      until the event, or until the patient was last seen
    unit      of the time
    facts     () takes every column that can be one
    features  the beginning of the names of columns that hold image features: "feature"; or all their names
    split     a column that says which patients are for training and which for testing
    """

    event: str
    time: str = ""
    unit: str = "days"
    patient: str = ""
    facts: tuple[str, ...] = ()
    image: str = ""
    features: str | tuple[str, ...] = ""
    split: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """Patients, one row each.

    patients   who they are, only ever compared
    values     facts by name, one mapping a patient
    facts      the names of the facts, in the order of the table
    time       (patients,) 0 where the outcome has no time
    event      (patients,) booleans
    unit       of the time, "" where there is none
    images     the picture of each patient; () without
    features   (patients, n) image features; None without
    feature_columns  where they came from, for columns of the table
    time_name  what the table calls the time
    split      of each patient, "" where the table gives none
    notes      what was found, a sentence each
    """

    name: str
    patients: tuple[str, ...]
    values: tuple[Facts, ...]
    facts: tuple[str, ...]
    event_name: str
    time: Floats
    event: Array
    unit: str = ""
    images: tuple[Path, ...] = ()
    features: Floats | None = None
    feature_columns: tuple[str, ...] = ()
    split: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    time_name: str = ""

    @property
    def timed(self) -> bool:
        return bool(self.unit)

    @property
    def events(self) -> int:
        return int(self.event.sum())

    def take(self, rows: Sequence[int] | Array) -> "Cohort":
        """The same with these patients only, in this order; one may come more than once."""
        places = np.asarray(rows, int)
        return replace(
            self,
            patients=tuple(self.patients[n] for n in places),
            values=tuple(self.values[n] for n in places),
            time=self.time[places],
            event=self.event[places],
            images=tuple(self.images[n] for n in places) if self.images else (),
            features=None if self.features is None else self.features[places],
            split=tuple(self.split[n] for n in places) if self.split else (),
        )


def read_cohort(path: Path, asked: Columns, *, learning: bool = True) -> Cohort:
    """The patients of a table.

    learning  leave out columns that cannot serve as facts; False keeps those that are asked for, as they are

    Rows without an outcome, and later rows of the same patient, are left out and counted in the notes; a column
    that is no fact (texts that all differ, hardly anything known) is left out and named there.

    Raises UnknownChoice for a column that is not there; BadDataset for negative or missing times, an event that is
    not yes or no, a patient in two splits, image features that are no numbers, pictures that are not there;
    Unreadable for a broken file.
    """
    table = read_table(path)
    patient_column = asked.patient or table.named(("patient", "patient_id", "patientid", "subject", "case")) or ""
    for name in (asked.event, asked.time, patient_column, asked.image, asked.split, *asked.facts):
        if name and name not in table.columns:
            raise UnknownChoice.among(f"column in {path.name}", name, table.columns)
    notes: list[str] = []
    event = [cell(text) for text in table.columns[asked.event]]
    time = [cell(text) for text in table.columns[asked.time]] if asked.time else [0.0] * table.rows
    patients = table.columns[patient_column] if patient_column else [f"row {n}" for n in range(table.rows)]
    if not patient_column:
        notes.append("No column names the patients: every row is taken as another patient.")
    if "" in patients:
        raise BadDataset(
            f"{path.name} has rows without a patient in column '{patient_column}'.",
            remedy="Give each row its patient's number, or leave the row out.",
        )
    splits = table.columns[asked.split] if asked.split else []
    _one_side_each(path.name, patients, splits)
    rows = [n for n in range(table.rows) if event[n] is not None and time[n] is not None]
    if len(rows) < table.rows:
        notes.append(f"{table.rows - len(rows)} of {table.rows} rows have no outcome and are left out.")
    first = {patients[n]: n for n in reversed(rows)}
    kept = [n for n in rows if first[patients[n]] == n]
    if len(kept) < len(rows):
        notes.append(f"{len(rows)} rows are of {len(kept)} patients: the first row of each is used.")
    if not kept:
        raise BadDataset(f"{path.name} has no row with an outcome.", remedy="Fill in the columns of the outcome.")
    happened = np.array([_happened(path.name, asked.event, event[n]) for n in kept])
    lasted = np.array([_lasted(path.name, asked.time, time[n]) for n in kept])
    names, columns = _feature_columns(table, asked, kept)
    facts, values, more = _facts(table, asked, kept, {patient_column, *names}, learning=learning)
    images = _images(table, asked, kept)
    return Cohort(
        path.stem,
        tuple(patients[n] for n in kept),
        values,
        facts,
        asked.event,
        lasted,
        happened,
        asked.unit if asked.time else "",
        images,
        columns,
        names,
        tuple(splits[n] for n in kept) if splits else (),
        (*notes, *more),
        asked.time,
    )


def check_learnable(cohort: Cohort) -> None:
    """Raises BadDataset where there is too little to learn from: hardly an event, or all times equal."""
    events, others = cohort.events, len(cohort.event) - cohort.events
    if events < LEAST_EVENTS:
        said = "no patient" if not events else f"only {events} of {len(cohort.event)} patients"
        raise BadDataset(
            f"In {cohort.name} {said} had the event '{cohort.event_name}'; at least {LEAST_EVENTS} are needed.",
            remedy="Give more patients, follow them longer, or check which values of the column mean yes.",
        )
    if not cohort.timed and others < LEAST_EVENTS:
        raise BadDataset(
            f"In {cohort.name} only {others} patients did not have '{cohort.event_name}'; at least "
            f"{LEAST_EVENTS} are needed.",
            remedy="Give more patients, or check which values of the column mean yes.",
        )
    if cohort.timed and len(set(cohort.time.tolist())) < 2:
        raise BadDataset(
            f"All times in {cohort.name} are the same.",
            remedy="Check the column of the time, or leave --time out.",
        )
    if not cohort.facts and cohort.features is None:
        raise BadDataset(
            f"{cohort.name} has neither facts nor image features to learn from.",
            remedy="Name columns with --facts, or give pictures with --image and --model.",
        )


def _one_side_each(name: str, patients: Sequence[str], splits: Sequence[str]) -> None:
    sides: dict[str, set[str]] = {}
    for patient, side in zip(patients, splits, strict=False):
        sides.setdefault(patient, set()).add(side)
    twice = sum(len(one) > 1 for one in sides.values())
    if twice:
        raise BadDataset(
            f"In {name} {twice} {'patient is' if twice == 1 else 'patients are'} in two splits.",
            remedy="Put all rows of a patient into one split.",
        )


def _happened(name: str, column: str, value: Value) -> bool:
    if value in ("yes", 1.0) or value in ("no", 0.0):
        return value in ("yes", 1.0)
    raise BadDataset(
        f"{name} has '{value if isinstance(value, str) else f'{value:g}'}' in column '{column}', where 1 or 0, "
        "yes or no is needed.",
        remedy="Write 1 where the event happened and 0 where it did not, or was not seen to.",
    )


def _lasted(name: str, column: str, value: Value) -> float:
    if isinstance(value, float | int) and 0 <= value < float("inf"):
        return float(value)
    if isinstance(value, str):
        raise BadDataset(f"{name} has text in the time column '{column}'.", remedy="Write times as numbers.")
    raise BadDataset(
        f"{name} has a time below 0 or without end in column '{column}'.",
        remedy="Count times from the study on; leave out patients who had the event before it.",
    )


def _feature_columns(table: Table, asked: Columns, kept: Sequence[int]) -> tuple[tuple[str, ...], Floats | None]:
    if not asked.features:
        return (), None
    wanted = asked.features
    names = tuple(n for n in table.columns if (n.startswith(wanted) if isinstance(wanted, str) else n in wanted))
    if not names or (not isinstance(wanted, str) and len(names) < len(wanted)):
        raise AskedWrongly(
            f"{table.path.name} lacks image features: no column begins with '{wanted}'."
            if isinstance(wanted, str)
            else f"{table.path.name} lacks {len(wanted) - len(names)} of {len(wanted)} columns of image features.",
            remedy="Give the columns of the image features under the names of the training.",
        )
    found = np.full((len(kept), len(names)), np.nan)
    for place, name in enumerate(names):
        for row, n in enumerate(kept):
            value = cell(table.columns[name][n])
            found[row, place] = value if isinstance(value, float | int) else np.nan
    if not np.isfinite(found).all():
        bad = next(name for place, name in enumerate(names) if not np.isfinite(found[:, place]).all())
        raise BadDataset(
            f"{table.path.name} has an image feature that is no number, in column '{bad}'.",
            remedy="Measure it again, or leave the row out.",
        )
    return names, found


def _facts(
    table: Table, asked: Columns, kept: Sequence[int], taken: set[str], *, learning: bool
) -> tuple[tuple[str, ...], tuple[Facts, ...], list[str]]:
    taken = taken | {asked.event, asked.time, asked.image, asked.split}
    found: dict[str, list[Value]] = {}
    notes: list[str] = []
    for name in asked.facts or (table.columns if learning else ()):
        if name in taken:
            continue
        column = [cell(table.columns[name][n]) for n in kept]
        if is_sex(name):
            column = [sex_of(value) for value in column]
        why = _no_fact(name, column) if learning else ""
        if why:
            notes.append(f"Column '{name}' is left out: {why}.")
        else:
            found[name] = column
    values = tuple({name: column[row] for name, column in found.items()} for row in range(len(kept)))
    return tuple(found), values, notes


def _no_fact(name: str, column: Sequence[Value]) -> str:
    """Why a column cannot serve as a fact, "" where it can."""
    known = [value for value in column if value is not None]
    counts = Counter(known)
    if len(known) < min(_LEAST_KNOWN, len(column)):
        return f"{len(known)} of {len(column)} patients have it" if known else "nobody has it"
    if len(counts) < 2:
        return "it is the same for everybody who has it"
    texts = any(isinstance(value, str) for value in known)
    if texts and (len(counts) > _MOST_LEVELS or _IDENTITY & set(name.lower().replace("_", " ").split())):
        return f"it has {len(counts)} different texts, so it names something or needs sorting into a few groups"
    if not texts and _IDENTITY & set(name.lower().replace("_", " ").split()):
        return "its name says that it identifies somebody or something"
    return ""


def _images(table: Table, asked: Columns, kept: Sequence[int]) -> tuple[Path, ...]:
    if not asked.image:
        return ()
    found = [table.find(table.columns[asked.image][n]) for n in kept]
    missing = sum(path is None for path in found)
    if missing:
        raise BadDataset(
            f"{missing} of {len(kept)} pictures of column '{asked.image}' in {table.path.name} are not there.",
            remedy="Write paths relative to the table, or leave those rows out.",
        )
    return tuple(path for path in found if path is not None)

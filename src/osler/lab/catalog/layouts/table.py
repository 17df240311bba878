"""A table (CSV, TSV, Parquet) with a row per case: pictures, labels, and whatever else is known."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from osler.core.errors import AskedWrongly, BadDataset
from osler.lab.catalog.dataset import Case, Dataset, Label, Source
from osler.lab.catalog.folders import TABLES, first_few, inner_root, split_of, stem
from osler.lab.catalog.labels import name_values, values_in
from osler.lab.catalog.patients import patients_of
from osler.lab.catalog.request import Request
from osler.lab.catalog.table import Table, item_of, read_table
from osler.lab.catalog.values import Coded, code_flags, code_labels, code_lists, is_missing, numbers, plain

LAYOUT = "table"

_IMAGE_WORDS = {"image", "images", "img", "picture", "path", "file", "filename", "filepath", "scan", "volume"} | {
    "xray", "radiograph", "dicom", "nifti", "photo", "series", "slide", "tile",
}  # fmt: skip
_MASK_WORDS = {"mask", "masks", "seg", "segmentation", "contour", "annotation"}
_LABELS = (
    "label", "labels", "class", "target", "diagnosis", "dx", "grade", "kl grade", "category", "finding labels",
    "finding", "findings", "outcome", "level", "severity", "stage", "score", "result", "y",
)  # fmt: skip
_PATIENTS = (
    "patient", "patient id", "patientid", "subject", "subject id", "subjectid", "person", "person id",
    "participant", "participant id", "pid",
)  # fmt: skip
_SPLITS = ("split", "set", "subset", "partition", "fold name", "usage")
_FACTS = {
    "age": "age", "age years": "age", "patient age": "age", "sex": "sex", "gender": "sex", "patient sex": "sex",
    "patient gender": "sex", "site": "site", "hospital": "site", "center": "site", "centre": "site",
    "institution": "site",
}  # fmt: skip
# A data set is copied and shown; what names a person has no place in it.
_IDENTITY = {
    "name", "patient name", "patientname", "first name", "last name", "surname", "given name", "family name",
    "birth date", "birthdate", "date of birth", "dob", "address", "phone", "telephone", "email", "ssn",
    "nhs number", "mrn", "medical record number", "accession number", "accession",
}  # fmt: skip
# What `osler data check --fix` says of a case: about its label, and so no fact of its patient.
_REMARKS = {"suspected label", "concern"}

_SAMPLE = 50


@dataclass(frozen=True, slots=True)
class _Lesson:
    """What is to be learnt from a table: a label for some of its rows.

    labels   row -> label
    columns  where the labels come from
    """

    task: str
    classes: tuple[str, ...]
    labels: Mapping[int, Label]
    columns: tuple[str, ...]
    notes: tuple[str, ...]
    label_values: tuple[int, ...] = ()
    target: str = ""


def read(request: Request) -> Dataset | None:
    """The data set of a table, or of a folder that holds one table which names pictures; None when there is none.

    Raises AskedWrongly when it cannot be told which column to learn, BadDataset when pictures are missing.
    """
    if request.task == "detection":
        return None
    path = table_in(request.path)
    if path is None:
        return None
    table = read_table(path)
    for name in (*_targets(request), *request.image, *([request.patient] if request.patient else ())):
        if name not in table.columns:
            raise AskedWrongly(
                f"{table.path.name} has no column '{name}'.", remedy=f"Its columns: {', '.join(table.columns)}."
            )
    mask = _mask_column(table, request)
    images = _image_columns(table, request, mask)
    if request.path.is_dir() and not any(_share_found(table, name, search=True) for name in images):
        return None  # perhaps a folder of another layout that happens to hold a table
    if not images:
        raise BadDataset(
            f"{table.path.name} has no column whose values are pictures.",
            remedy="Give a column 'image' with paths relative to the table, or the stems of pictures below it.",
        )
    pictures = _resolve(table, images)
    lesson = _masks(table, mask) if mask is not None else _labels(table, request, images)
    return _assemble(table, request, images, pictures, lesson)


def _labels(table: Table, request: Request, images: list[str]) -> _Lesson:
    columns = _targets(request) or _label_columns(table, request, images)
    rows = [row for row in range(table.rows) if not any(is_missing(table.columns[c][row]) for c in columns)]
    if not rows:
        raise BadDataset(f"{table.path.name} has no row with a label.", remedy=f"Fill in {', '.join(columns)}.")
    notes = [_shown(columns)]
    if len(rows) < table.rows:
        notes.append(f"{table.rows - len(rows)} rows without a label were left out.")
    coded = _coded(table, request, columns, rows)
    return _Lesson(
        task=coded.task,
        classes=coded.classes,
        labels=dict(zip(rows, coded.labels, strict=True)),
        columns=tuple(columns),
        notes=(*notes, *coded.notes),
        target=columns[0] if coded.task == "regression" else "",
    )


def _masks(table: Table, column: str) -> _Lesson:
    sources = {row: Source(found[0]) for row, found in enumerate(_resolve(table, [column])) if found is not None}
    classes, values, more = name_values(values_in(list(sources.values())))
    notes = [f"The masks are in column '{column}'."]
    if len(sources) < table.rows:
        notes.append(f"{table.rows - len(sources)} rows without a mask were left out.")
    return _Lesson("segmentation", classes, sources, (column,), (*notes, *more), values)


def _assemble(
    table: Table, request: Request, images: list[str], pictures: list[tuple[Path, ...] | None], lesson: _Lesson
) -> Dataset:
    notes = list(lesson.notes)
    shown: list[tuple[int, tuple[Path, ...]]] = []
    for row in lesson.labels:
        if (found := pictures[row]) is not None:
            shown.append((row, found))
    if not shown:
        raise BadDataset(f"{table.path.name} has no row with a picture and a label.", remedy="Fill in both.")
    if len(shown) < len(lesson.labels):
        notes.append(f"{len(lesson.labels) - len(shown)} rows lack a picture and were left out.")
    rows = [row for row, _ in shown]
    patient = request.patient or table.named(_PATIENTS)
    if patient is not None:
        named = [table.columns[patient][row] for row in rows]
        patients = [text or f"row {row}" for row, text in zip(rows, named, strict=True)]
        notes.append(f"Patients are in column '{patient}': {len(set(patients))}.")
    else:
        patients, why = patients_of([stem(paths[0]) for _, paths in shown])
        notes += why
    split, splits = _splits(table, rows)
    if split is None and table.named(_SPLITS) is not None:
        notes.append(f"Column '{table.named(_SPLITS)}' does not say train, val or test: it is kept as a fact.")
    facts, hidden = _facts(table, {*images, *lesson.columns, patient, split})
    if hidden:
        notes.append(f"Columns that may identify people were left out: {', '.join(hidden)}.")
    sources = [
        tuple(Source(path, item_of(table.columns[name][row])) for name, path in zip(images, paths, strict=True))
        for row, paths in shown
    ]
    ids = _ids(table, [found[0] for found in sources])
    cases = tuple(
        Case(
            id=ids[place],
            patient=patients[place],
            pictures=sources[place],
            label=lesson.labels[row],
            split=splits[place],
            facts={name: _value(texts[row]) for name, texts in facts.items() if not is_missing(texts[row])},
        )
        for place, row in enumerate(rows)
    )
    return Dataset(
        name=table.path.stem if request.path.is_file() else request.path.resolve().name,
        root=table.path.parent,
        task=lesson.task,
        classes=lesson.classes,
        channels=_channels(images),
        cases=cases,
        layout=LAYOUT,
        notes=tuple(notes),
        label_values=lesson.label_values,
        target=lesson.target,
    )


def _splits(table: Table, rows: list[int]) -> tuple[str | None, list[str]]:
    """The split column, None where there is none that holds splits' names only, and the split of each row."""
    name = table.named(_SPLITS)
    if name is None:
        return None, [""] * len(rows)
    found = [split_of(table.columns[name][row]) for row in rows]
    if any(not split and not is_missing(table.columns[name][row]) for split, row in zip(found, rows, strict=True)):
        return None, [""] * len(rows)
    return name, found


def _facts(table: Table, used: set[str | None]) -> tuple[dict[str, list[str]], list[str]]:
    """Fact -> its column's cells, and the columns that may name a person."""
    facts: dict[str, list[str]] = {}
    hidden = []
    for name, texts in table.columns.items():
        if name in used or plain(name) in _REMARKS:
            continue
        if plain(name) in _IDENTITY:
            hidden.append(name)
        else:
            facts.setdefault(_FACTS.get(plain(name), name.lower()), texts)
    return facts, hidden


def _value(text: str) -> str | float:
    found = numbers([text])
    return found[0] if found else text


def _ids(table: Table, sources: list[Source]) -> list[str]:
    """The first picture's path without its ending, and its part; numbered where several rows show the same."""
    found: list[str] = []
    seen: Counter[str] = Counter()
    for source in sources:
        path = source.path
        place = path.relative_to(table.path.parent) if path.is_relative_to(table.path.parent) else Path(path.name)
        name = (place.parent / stem(path)).as_posix() + (f" {source.item}" if source.item else "")
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
    return found


def _channels(images: list[str]) -> tuple[str, ...]:
    """ "image_ct" and "image_pet" are the channels "ct" and "pet"."""
    if len(images) == 1:
        return ("image",)
    pattern = re.compile(r"^(?:image|img|path|file)[-_ ]+|[-_ ]+(?:image|img|path|file)$", re.I)
    short = [pattern.sub("", name) for name in images]
    return tuple(short if len(set(short)) == len(short) else images)


def table_in(path: Path) -> Path | None:
    """The table itself, or the only one that lies in a folder."""
    if path.is_file():
        return path if path.name.lower().endswith(TABLES) else None
    found = [file for file in inner_root(path).iterdir() if file.name.lower().endswith(TABLES) and file.is_file()]
    found = [file for file in found if not file.name.startswith(".")]
    return found[0] if len(found) == 1 else None


def _targets(request: Request) -> list[str]:
    return [name.strip() for name in request.target.split(",") if name.strip()] if request.target else []


def _words(name: str) -> set[str]:
    return set(plain(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)).split())


def _image_columns(table: Table, request: Request, mask: str | None) -> list[str]:
    """The columns whose values are pictures: one a channel."""
    if request.image:
        return list(request.image)
    known = {table.named(_PATIENTS), table.named(_SPLITS), request.patient, mask, *_targets(request)}
    free = [n for n in table.columns if n not in known and not _words(n) & (_MASK_WORDS | {"label"})]
    # A path that exists is proof. A stem is not: an age of 45 also names "45.png".
    found = [name for name in free if _share_found(table, name, search=False) > 0.5]
    if not found:
        hinted = [name for name in free if _words(name) & (_IMAGE_WORDS | {"id", "uid", "name", "study", "case"})]
        found = [name for name in hinted if _share_found(table, name, search=True) > 0.5]
        pictured = [name for name in found if _words(name) & _IMAGE_WORDS]
        found = (pictured or found)[:1]
    if not found:
        # The user meant these, whether or not the files are there: better to name what is missing.
        paths = [n for n in free if _words(n) & _IMAGE_WORDS and any(_is_path(text) for text in table.columns[n])]
        return paths[:1]
    # "path" and "filename" of the same file are one picture, not two channels.
    distinct: dict[tuple[Path | None, ...], str] = {}
    for name in found:
        distinct.setdefault(tuple(table.find(text) for text in table.columns[name][:_SAMPLE]), name)
    return list(distinct.values())


def _is_path(text: str) -> bool:
    return "/" in text or "\\" in text or bool(re.search(r"\.[A-Za-z]{2,5}$", text))


def _share_found(table: Table, name: str, *, search: bool) -> float:
    texts = [text for text in table.columns[name] if not is_missing(text)]
    sample = texts[:: max(1, len(texts) // _SAMPLE)]
    return sum(table.find(text, search=search) is not None for text in sample) / max(1, len(sample))


def _resolve(table: Table, images: list[str]) -> list[tuple[Path, ...] | None]:
    """The pictures of each row; None for a row that lacks one. Raises BadDataset when a named file is missing."""
    rows: list[tuple[Path, ...] | None] = []
    missing: dict[str, list[str]] = {}
    for row in range(table.rows):
        texts = [table.columns[name][row] for name in images]
        if any(is_missing(text) for text in texts):
            rows.append(None)
            continue
        found = [table.find(text) for text in texts]
        for name, text, path in zip(images, texts, found, strict=True):
            if path is None:
                missing.setdefault(name, []).append(text)
        rows.append(tuple(path for path in found if path is not None))
    for name, texts in missing.items():
        raise BadDataset(
            f"{table.path.name} lacks {len(texts)} files of column '{name}': {first_few(texts)}.",
            remedy="Write paths relative to the table, or copy the pictures beside it.",
        )
    return rows


def _mask_column(table: Table, request: Request) -> str | None:
    if request.task not in (None, "segmentation"):
        return None
    wanted = _targets(request)
    free = wanted or [name for name in table.columns if _words(name) & (_MASK_WORDS | {"label"})]
    found = [name for name in free if _share_found(table, name, search=False) > 0.5]
    if not found and request.task == "segmentation":
        raise AskedWrongly(
            f"{table.path.name} has no column whose values are mask files.",
            remedy="Give a column 'mask' with paths relative to the table.",
        )
    return found[0] if found else None


def _label_columns(table: Table, request: Request, images: list[str]) -> list[str]:
    """The columns to learn, when the user named none."""
    if (named := table.named(_LABELS)) is not None and named not in images:
        return [named]
    known = {*images, table.named(_PATIENTS), table.named(_SPLITS), request.patient}
    free = [
        name
        for name in table.columns
        if name not in known
        and plain(name) not in (_FACTS.keys() | _IDENTITY)
        and not _words(name) & {"id", "uid"}
    ]
    flags = [name for name in free if _is_flag(table.columns[name])]
    if flags:
        return flags
    if len(free) == 1:
        return free
    candidates = [name for name in table.columns if name not in known and plain(name) not in _IDENTITY]
    raise AskedWrongly(
        f"{table.path.name} does not say which column to learn.",
        remedy=f"Name it as the target. Columns: {first_few(candidates, at_most=40) or 'none'}.",
    )


def _is_flag(texts: list[str]) -> bool:
    found = numbers([text for text in texts if not is_missing(text)])
    return bool(found) and set(found or ()) == {0.0, 1.0}


def _coded(table: Table, request: Request, columns: list[str], rows: list[int]) -> Coded:
    if len(columns) > 1:
        return code_flags([[table.columns[c][row] for c in columns] for row in rows], columns, task=request.task)
    texts = [table.columns[columns[0]][row] for row in rows]
    if request.task in (None, "multilabel") and any("|" in text for text in texts):
        return code_lists(texts)
    if request.task == "multilabel":
        return code_flags([[text] for text in texts], columns, task=request.task)
    return code_labels(texts, task=request.task, column=columns[0])


def _shown(columns: list[str]) -> str:
    if len(columns) == 1:
        return f"The labels are in column '{columns[0]}'."
    return f"The labels are in the columns {first_few(columns, at_most=20)}."

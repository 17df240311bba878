"""From what people write as a label to class numbers."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from osler.core.errors import AskedWrongly, BadDataset
from osler.lab.catalog.folders import first_few, natural

MISSING = {"", "nan", "na", "n/a", "null", "<na>"}

# More whole numbers than this are an amount, not a list of classes.
MANY = 20

NOTHING_FOUND = {
    "0", "normal", "healthy", "negative", "neg", "control", "controls", "benign", "no", "none", "absent", "false",
    "no finding", "nofinding", "no_finding", "n", "f", "clear", "uninfected", "non",
}  # fmt: skip

GRADED = {"grade", "score", "stage", "severity", "level", "kl", "klgrade", "birads", "pirads", "isup", "gleason"}

_GENERIC = {
    "label", "labels", "class", "classes", "category", "target", "diagnosis", "dx", "finding", "findings",
    "finding labels", "outcome", "result", "y", "sex", "gender",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Coded:
    """Labels as numbers, and what the numbers mean.

    labels  one a row: int, float (regression) or a tuple of 0/1 (multilabel)
    """

    task: str
    classes: tuple[str, ...]
    labels: tuple[int | float | tuple[int, ...], ...]
    notes: tuple[str, ...] = ()


def is_missing(text: str) -> bool:
    return text.strip().lower() in MISSING


def plain(name: str) -> str:
    """A column's name as it is compared: lower case, words apart."""
    return re.sub(r"[\s_\-]+", " ", name.strip().lower())


def numbers(texts: Sequence[str]) -> list[float] | None:
    """The texts as finite numbers, or None when one is none."""
    try:
        found = [float(text) for text in texts]
    except ValueError:
        return None
    return found if all(math.isfinite(number) for number in found) else None


def code_labels(texts: Sequence[str], *, task: str | None, column: str = "") -> Coded:
    """Class numbers for labels as written in one column, or as the names of folders.

    texts   one a row, none missing
    task    what the user asked for, or None: found from the values
    column  the column's name; "" when the texts are the names of folders

    Raises AskedWrongly when the values cannot serve the task that was asked for,
    BadDataset when they look like no label at all.
    """
    values = numbers(texts)
    where = f"column '{column}'" if column else "the folders' names"
    found, notes = (task, ()) if task else _guess(texts, values, column)
    if found == "regression":
        if values is None:
            odd = next(text for text in texts if numbers([text]) is None)
            raise AskedWrongly(
                f"Regression needs numbers, and {where} has '{odd}'.",
                remedy="Choose another column or another task.",
            )
        return Coded(found, (), tuple(values), notes)
    if found not in ("binary", "multiclass", "ordinal"):
        raise AskedWrongly(
            f"The task '{found}' cannot be learnt from {where}, which has one value a case.",
            remedy="Leave the task out, or choose binary, multiclass, ordinal or regression.",
        )
    written = _whole(texts, values)
    names = sorted(set(written), key=natural if values is None else float)
    if found == "binary" and len(names) > 2:
        raise AskedWrongly(
            f"A binary task needs two classes, and {where} has {len(names)}: {first_few(names)}.",
            remedy="Choose multiclass or ordinal.",
        )
    if found == "ordinal" and values is None and not _numbered(names):
        notes = (*notes, f"The grades are taken in the order of their names: {', '.join(names)}.")
    if found == "binary":
        names, more = _nothing_first(names)
        notes = (*notes, *more)
    number = {name: index for index, name in enumerate(names)}
    return Coded(found, _shown(names, column), tuple(number[text] for text in written), notes)


def code_flags(rows: Sequence[Sequence[str]], columns: Sequence[str], *, task: str | None) -> Coded:
    """Labels from several 0/1 columns: one class a column.

    rows  (rows, columns) texts; each must be 0 or 1
    Raises BadDataset naming the column with another value.
    """
    flags: list[tuple[int, ...]] = []
    for row in rows:
        found = numbers(row)
        if found is None or any(number not in (0, 1) for number in found):
            place = next(i for i, text in enumerate(row) if (n := numbers([text])) is None or n[0] not in (0, 1))
            raise BadDataset(
                f"Column '{columns[place]}' has '{row[place]}' where 0 or 1 is needed.",
                remedy="Write 1 for yes and 0 for no, or leave the field empty to leave the row out.",
            )
        flags.append(tuple(int(number) for number in found))
    classes = tuple(columns)
    if task in (None, "multiclass") and all(sum(row) == 1 for row in flags):
        note = "Every row has exactly one 1: the columns are read as classes that exclude each other."
        return Coded("multiclass", classes, tuple(row.index(1) for row in flags), (note,))
    if task not in (None, "multilabel"):
        raise AskedWrongly(
            f"The task '{task}' cannot be learnt from {len(columns)} yes/no columns.", remedy="Choose multilabel."
        )
    return Coded("multilabel", classes, tuple(flags))


def code_lists(texts: Sequence[str]) -> Coded:
    """Multi-label from one column of joined names: "Effusion|Mass", "No Finding"."""
    split = [[name.strip() for name in text.split("|") if name.strip()] for text in texts]
    split = [[name for name in names if name.lower() not in NOTHING_FOUND] for names in split]
    classes = tuple(sorted({name for names in split for name in names}, key=natural))
    return Coded("multilabel", classes, tuple(tuple(int(name in names) for name in classes) for names in split))


def _guess(texts: Sequence[str], values: list[float] | None, column: str) -> tuple[str, tuple[str, ...]]:
    distinct = sorted(set(texts), key=natural)
    if values is None:
        if len(distinct) > MANY and len(distinct) > len(texts) / 2:
            raise BadDataset(
                f"Column '{column}' has {len(distinct)} different texts in {len(texts)} rows: it is no label.",
                remedy="Name the column to learn with the option for the target.",
            )
        if len(distinct) > 2 and _numbered(distinct):
            return "ordinal", (_ordinal_note(distinct, column),)
        return ("binary" if len(distinct) <= 2 else "multiclass"), ()
    whole = sorted({int(value) for value in values if value == int(value)})
    if any(value != int(value) for value in values):
        return "regression", (f"Column '{column}' has fractions: it is read as a number to predict.",)
    if len(whole) > MANY:
        note = f"Column '{column}' has {len(whole)} different whole numbers: it is read as a number to predict."
        return "regression", (note,)
    if len(whole) <= 2:
        return "binary", ()
    in_sequence = whole[0] in (0, 1) and whole == list(range(whole[0], whole[0] + len(whole)))
    if in_sequence and (not column or GRADED & set(plain(column).split())):
        return "ordinal", (_ordinal_note([str(n) for n in whole], column),)
    if in_sequence:
        note = f"Column '{column}' has the numbers {whole[0]} to {whole[-1]}: classes without order are assumed."
        return "multiclass", (f"{note} Ask for the task ordinal if they are grades.",)
    return "multiclass", ()


def _ordinal_note(names: Sequence[str], column: str) -> str:
    where = f"column '{column}'" if column else "the folders' names"
    return (
        f"Grades with an order were recognized from {where} ({names[0]} to {names[-1]}): the task is ordinal. "
        "Ask for the task multiclass if they have no order."
    )


def _numbered(names: Sequence[str]) -> bool:
    """ "grade 1", "grade 2", ...: a word of grading and numbers in sequence."""
    found = [re.fullmatch(r"([A-Za-z]+)[-_ ]?([0-9]+)", name) for name in names]
    matches = [match for match in found if match]
    if len(matches) < len(names) or len({match[1].lower() for match in matches}) > 1:
        return False
    order = sorted(int(match[2]) for match in matches)
    return matches[0][1].lower() in GRADED and order == list(range(order[0], order[0] + len(order)))


def _whole(texts: Sequence[str], values: list[float] | None) -> list[str]:
    """ "1.0" and "01" are the class "1"; a blank elsewhere in the column makes many programs write it so."""
    if values is None:
        return list(texts)
    return [str(int(value)) if value == int(value) else str(value) for value in values]


def _nothing_first(names: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """The class that says "nothing found" is class 0, so that the probability is that of the finding."""
    quiet = [name for name in names if plain(name) in NOTHING_FOUND or name.lower() in NOTHING_FOUND]
    if len(names) == 2 and len(quiet) == 1 and names[0] != quiet[0]:
        return names[::-1], (f"'{names[0]}' is taken as the finding and '{quiet[0]}' as its absence.",)
    return names, ()


def _shown(names: list[str], column: str) -> tuple[str, ...]:
    """0 and 1 in a column named "pneumonia" are "no pneumonia" and "pneumonia"."""
    if names == ["0", "1"] and column and plain(column) not in _GENERIC:
        return f"no {column}", column
    return tuple(names)

"""A table as people write them: CSV in any of its dialects, TSV, Parquet."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from osler.core.errors import BadDataset, Unreadable
from osler.lab.catalog.folders import pictures_under, stem
from osler.lab.catalog.values import plain

_PART = "::"  # between a file that holds many pictures and the one that is meant


@dataclass(frozen=True, eq=False)
class Table:
    """The cells of one table as text; a cell without a value is "".

    columns  name -> one text a row
    """

    path: Path
    columns: dict[str, list[str]]

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values()), []))

    @cached_property
    def by_stem(self) -> dict[str, Path | None]:
        """Stem -> the picture beside or below the table; None where several have it."""
        found: dict[str, Path | None] = {}
        for path in pictures_under(self.path.parent):
            for key in {stem(path), path.name}:
                found[key] = None if key in found else path
        return found

    def named(self, wanted: Iterable[str]) -> str | None:
        """The first column with one of these names, compared without case and marks."""
        names = {plain(name): name for name in reversed(self.columns)}
        return next((names[name] for name in wanted if name in names), None)

    def find(self, text: str, *, search: bool = True) -> Path | None:
        """The file that a cell means: a path relative to the table, or the stem of one picture below it.

        Of "pictures.npz::images:12" the file; `item_of` tells the rest.
        """
        text = text.partition(_PART)[0]
        try:
            path = self.path.parent / text
            if text and path.exists() and path != self.path.parent:
                return path
        except (OSError, ValueError):  # too long for a path, or with a zero byte
            return None
        return (self.by_stem.get(text) or self.by_stem.get(Path(text).name)) if search and text else None


def item_of(text: str) -> str:
    """Which part of its file a cell means, "" for the whole.

    >>> item_of("pictures.npz::images:12")
    'images:12'
    """
    return text.partition(_PART)[2]


def read_table(path: Path) -> Table:
    """Every cell as text. Raises Unreadable for a broken file, BadDataset for one without rows."""
    columns = _parquet(path) if path.name.lower().endswith(".parquet") else _text_table(path)
    table = Table(path, columns)
    if not table.rows:
        raise BadDataset(
            f"{path.name} has no rows.", remedy="Write a line of column names and a line for each case."
        )
    return table


def _parquet(path: Path) -> dict[str, list[str]]:
    import pyarrow
    from pyarrow import parquet

    try:
        read = parquet.read_table(path)
        columns = {name: read.column(name).to_pylist() for name in read.column_names}
    except (pyarrow.ArrowException, OSError, ValueError, KeyError) as error:
        raise Unreadable(f"{path.name} cannot be read as Parquet.", remedy="Write or copy it again.") from error
    return {name: ["" if v is None else str(v).strip() for v in values] for name, values in columns.items()}


def _text_table(path: Path) -> dict[str, list[str]]:
    text = _decoded(path)
    header = text.split("\n", 1)[0]
    # A comma inside a name is rarer than in a number of the rows, so the header tells.
    mark = max("\t;,|", key=header.count) if not path.name.lower().endswith(".tsv") else "\t"
    try:
        rows = [row for row in csv.reader(text.splitlines(), delimiter=mark) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise Unreadable(f"{path.name} is no table: {error}.", remedy="Save it as CSV again.") from error
    if not rows:
        return {}
    names = [name.strip() for name in rows[0]]
    if len(set(names)) < len(names) or "" in names[1:]:
        raise BadDataset(
            f"{path.name} has columns of the same name or without a name.",
            remedy="Give each column a name of its own.",
        )
    for line, row in enumerate(rows[1:], start=2):
        if len(row) > len(names):
            raise BadDataset(
                f"{path.name} has {len(row)} cells in row {line} and {len(names)} columns.",
                remedy="Put texts that hold the separator in quotes.",
            )
    return {
        name or "row": [row[place].strip() if place < len(row) else "" for row in rows[1:]]
        for place, name in enumerate(names)
    }


def _decoded(path: Path) -> str:
    """UTF-8, or what spreadsheets in China (GB 18030) and in the West (Windows-1252) write."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{path.name} cannot be read: {error.strerror}.", remedy="Check the file.") from error
    if b"\0" in data:
        raise Unreadable(f"{path.name} is no text.", remedy="Save it as CSV in UTF-8.")
    for encoding in ("utf-8-sig", "gb18030", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable(f"{path.name} is text of no known encoding.", remedy="Save it as CSV in UTF-8.")

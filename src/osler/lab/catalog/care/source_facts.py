"""What is known of a case without looking at the anatomy: its file, header, border, and a tiny picture of it."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from osler.core.arrays import Array, Floats, Labels
from osler.lab.catalog.care.look import Look
from osler.lab.catalog.dataset import SPLITS, Case, Dataset

Value = str | float | None

# Of the entries of a look's header, those that say how the file was stored; others say how the picture was made.
_STORED = ("suffix", "format", "JPEG table", "EXIF")
_NEITHER = ("bytes", "border")

_EDGE, _CORNER = 4, 8  # pixels of a thumbnail
_FEW = 12  # a number with no more values than this is a category
_BINS = 8
_LEVELS = 20
_FEWEST = 3  # cases that make a level of their own

_SPLIT_NAMES = {*SPLITS, "training", "valid", "validation", "testing", "images", "image"}


@dataclass(frozen=True, slots=True, eq=False)
class SourceFact:
    """One fact of every case.

    name    "suffix", "rows", "brightness of the top left corner"
    values  one a case; None where it is not known
    """

    name: str
    values: tuple[Value, ...]

    def levels(self) -> Labels:
        """(cases,) a small number for each value: a category, or an eighth of the range of a number."""
        known = [value for value in self.values if value is not None]
        if all(isinstance(value, float) for value in known) and len(set(known)) > _FEW:
            edges = np.unique(np.quantile(np.array(known, float), np.linspace(0, 1, _BINS + 1)[1:-1]))
            return (
                np.array([-1 if v is None else np.searchsorted(edges, v, side="right") for v in self.values]) + 1
            )
        counted = Counter(known).most_common(_LEVELS)
        place = {value: n for n, (value, count) in enumerate(counted, start=2) if count >= _FEWEST}
        return np.array([0 if value is None else place.get(value, 1) for value in self.values])

    @property
    def differs(self) -> bool:
        return len(set(self.values)) > 1


def stored(looks: Sequence[Look]) -> list[SourceFact]:
    """How the files were stored."""
    return _telling([SourceFact(name, tuple(look.header.get(name) for look in looks)) for name in _STORED])


def heavy(looks: Sequence[Look]) -> list[SourceFact]:
    """How many bytes the files have. Compression makes this depend on what is seen, so it is weak evidence."""
    size = SourceFact("size of the file in bytes", tuple(look.header.get("bytes") for look in looks))
    return _telling([size, SourceFact("number of bytes per pixel", tuple(map(_bytes_per_pixel, looks)))])


def made(looks: Sequence[Look]) -> list[SourceFact]:
    """How the pictures were made: size, depth, spacing, device."""
    names = dict.fromkeys(name for look in looks for name in look.header)
    found = [
        SourceFact(name, tuple(look.header.get(name) for look in looks))
        for name in names
        if name not in (*_STORED, *_NEITHER)
    ]
    shape = tuple(_ratio(look.header.get("rows"), look.header.get("columns")) for look in looks)
    return _telling([*found, SourceFact("rows to columns", shape)])


def named(dataset: Dataset, cases: Sequence[Case]) -> list[SourceFact]:
    """The pattern of the file names, without the classes' own names, and the folders that are not the label."""
    sources = [case.pictures[0] for case in cases]
    if any(source.item for source in sources):  # parts of one archive have no names
        return []
    own = sorted((_plain(name) for name in dataset.classes if len(_plain(name)) > 2), key=len, reverse=True)
    stems = [_without(_plain(source.path.name.split(".")[0]), own) for source in sources]
    numbers = [re.findall(r"\d+", stem) for stem in stems]
    return _telling(
        [
            SourceFact("first word of the file name", tuple(_first_word(stem) for stem in stems)),
            SourceFact("pattern of the file name", tuple(_pattern(stem) for stem in stems)),
            SourceFact("number in the file name", tuple(float(n[-1][:15]) if n else None for n in numbers)),
            SourceFact("folder", tuple(_folder(dataset, source.path, own) for source in sources)),
        ]
    )


def at_the_border(looks: Sequence[Look]) -> list[SourceFact]:
    """Mean and spread of the four edges and the four corners of the thumbnails."""
    pictures = np.stack([look.thumbnail for look in looks])
    fields = {
        "top edge": pictures[:, :_EDGE, _CORNER:-_CORNER],
        "bottom edge": pictures[:, -_EDGE:, _CORNER:-_CORNER],
        "left edge": pictures[:, _CORNER:-_CORNER, :_EDGE],
        "right edge": pictures[:, _CORNER:-_CORNER, -_EDGE:],
        "top left corner": pictures[:, :_CORNER, :_CORNER],
        "top right corner": pictures[:, :_CORNER, -_CORNER:],
        "bottom left corner": pictures[:, -_CORNER:, :_CORNER],
        "bottom right corner": pictures[:, -_CORNER:, -_CORNER:],
    }
    found = []
    for name, field in fields.items():
        flat = field.reshape(len(field), -1)
        for word, values in (
            ("mean brightness", flat.mean(axis=1)),
            ("contrast", flat.std(axis=1)),
            ("largest brightness", flat.max(axis=1)),
        ):
            found.append(SourceFact(f"{word} of the {name}", tuple(float(value) for value in values)))
    return _telling(found)


def tiny(looks: Sequence[Look]) -> Floats:
    """(cases, traits): the thumbnail at 8 x 8, its quantiles, colour and range of values; nothing finer."""
    pictures = np.stack([look.thumbnail for look in looks])
    small = pictures.reshape(len(looks), 8, 8, 8, 8).mean(axis=(2, 4)).reshape(len(looks), -1)
    flat = pictures.reshape(len(looks), -1)
    spread = np.quantile(flat, (0.05, 0.25, 0.5, 0.75, 0.95), axis=1).T
    rest = [[look.darkest, look.brightest, *look.colour] for look in looks]
    return _standard(np.column_stack([small, spread, flat.mean(axis=1), flat.std(axis=1), rest]))


def inside(looks: Sequence[Look]) -> Floats:
    """(cases, traits): the thumbnail without its edges and corners, at 6 x 6, and its quantiles."""
    pictures = np.stack([look.thumbnail for look in looks])[:, _CORNER:-_CORNER, _CORNER:-_CORNER]
    small = pictures.reshape(len(looks), 6, 8, 6, 8).mean(axis=(2, 4)).reshape(len(looks), -1)
    flat = pictures.reshape(len(looks), -1)
    return _standard(np.column_stack([small, np.quantile(flat, (0.05, 0.5, 0.95), axis=1).T, flat.std(axis=1)]))


def columns_of(facts: Sequence[SourceFact]) -> Floats:
    """(cases, columns): ones for the level of each fact, and for numbers their rank as well."""
    from scipy.stats import rankdata

    found: list[Array] = []
    for fact in facts:
        levels = fact.levels()
        found += [(levels == level).astype(float) for level in np.unique(levels)]
        if all(isinstance(value, float) for value in fact.values):
            found.append(rankdata(np.array(fact.values, float)))
    return _standard(np.column_stack(found))


def _standard(columns: Array) -> Floats:
    spread = columns.std(axis=0)
    kept = spread > 1e-9
    return np.asarray((columns[:, kept] - columns[:, kept].mean(axis=0)) / spread[kept])


def _telling(facts: Sequence[SourceFact]) -> list[SourceFact]:
    return [fact for fact in facts if fact.differs]


def _ratio(one: Value, other: Value) -> float | None:
    return round(one / other, 3) if isinstance(one, float) and isinstance(other, float) and other else None


def _bytes_per_pixel(look: Look) -> float | None:
    size = [look.header.get(name) for name in ("bytes", "rows", "columns", "slices")]
    if not all(isinstance(value, float) and value > 0 for value in size):
        return None
    stored_bytes, *sides = (float(value) for value in size if value is not None)
    return float(stored_bytes / np.prod(sides))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", name.lower()).strip()


def _without(stem: str, own: Sequence[str]) -> str:
    for name in own:
        for spelling in (name, name.replace(" ", "")):
            stem = stem.replace(spelling, " ")
    return " ".join(stem.split())


def _first_word(stem: str) -> str:
    found = re.search(r"[a-z]+", stem)
    return found.group() if found else ""


def _pattern(stem: str) -> str:
    """ "im 0023 0001" -> "a 0 0"."""
    return re.sub(r"[0-9]+", "0", re.sub(r"[a-z]+", "a", stem))


def _folder(dataset: Dataset, path: Path, own: Sequence[str]) -> str:
    """The folders between the data set and the file, without those that name a class or a split."""
    inside = path.parent.relative_to(dataset.root).parts if path.is_relative_to(dataset.root) else ()
    names = {_plain(name) for name in dataset.classes} | set(own) | _SPLIT_NAMES
    return "/".join(part for part in inside if _plain(part) not in names)

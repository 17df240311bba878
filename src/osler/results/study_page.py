"""What a study holds, as lines of text, as JSON, and as a page with a contact sheet.

The page needs no other file, no network and no script. Nobody's name is on it: studies have numbers, and what
somebody typed as a description is shown only when it is asked for. (Names burned into the pixels stay in them.)
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import OslerError
from osler.core.progress import Tell, silent
from osler.core.study import Picture
from osler.core.volume import Volume
from osler.imaging.window import to_display, upright
from osler.io.files import replacing
from osler.io.holdings import Holding, Holdings, Piece, read_example
from osler.results.pictures import as_data_uri

_LARGEST = 320  # pixels along the longer side of a picture on the sheet
_MOST_PICTURES = 400


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """The pictures of a contact sheet.

    pictures  (rows, columns, 3) uint8 of each piece that has one
    problems  why a piece has none, a sentence each
    """

    pictures: Mapping[Piece, Array]
    problems: tuple[str, ...] = ()


def draw_sheet(holdings: Holdings, tell: Tell = silent) -> Sheet:
    """The middle slice of everything that can be looked at, windowed and upright."""
    pieces = [piece for one in _everything(holdings) for piece in one.pieces if piece.example is not None]
    problems = []
    if len(pieces) > _MOST_PICTURES:
        problems.append(f"Only the first {_MOST_PICTURES} of {len(pieces)} pictures are on the sheet.")
    drawn: dict[Piece, Array] = {}
    for n, piece in enumerate(pieces[:_MOST_PICTURES]):
        try:
            found = read_example(piece)
            if found is not None:
                drawn[piece] = thumbnail(*found)
        except OslerError as error:
            problems.append(error.problem)
        tell("pictures", n + 1, min(len(pieces), _MOST_PICTURES), "")
    return Sheet(drawn, tuple(dict.fromkeys(problems)))


def thumbnail(picture: Picture, slice_index: int | None = None) -> Array:
    """One slice as a person looks at it, (rows, columns, 3) uint8, square millimetres, small."""
    from PIL import Image as Pillow

    pixels = to_display(picture, slice_index=slice_index)
    spacing: tuple[float, ...] = (1.0, 1.0)
    if isinstance(picture, Volume):
        turned = upright(pixels, picture.geometry)
        spacing = picture.geometry.spacing[1:]
        if turned.shape != pixels.shape or np.abs(picture.geometry.affine[:3, 1]).argmax() == 0:
            spacing = spacing[::-1]
        pixels = turned
    elif picture.spacing_mm is not None:
        spacing = picture.spacing_mm
    rows, columns = pixels.shape[0] * spacing[0], pixels.shape[1] * spacing[1]
    scale = _LARGEST / max(rows, columns)
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    small = Pillow.fromarray(np.ascontiguousarray(pixels)).resize(size, Pillow.Resampling.BICUBIC)
    return np.asarray(small)


def study_lines(holdings: Holdings, *, descriptions: bool = False) -> list[str]:
    """The tree, a line each."""
    lines = [f"{holdings.name}: {_counted(holdings)}"]
    for n, study in enumerate(holdings.studies):
        lines.append(f"Study {n + 1}")
        for one in study:
            lines += _holding_lines(one, descriptions)
    if holdings.files:
        lines.append("Other files")
        for one in holdings.files:
            lines += _holding_lines(one, descriptions)
    if holdings.problems:
        lines.append("To know")
        lines += [f"  {problem}" for problem in holdings.problems]
    return lines


def study_json(holdings: Holdings, *, descriptions: bool = False) -> dict[str, Any]:
    """The tree for machines: the same as the lines, key by key."""
    return {
        "name": holdings.name,
        "studies": [
            {"number": n + 1, "series": [_holding_json(one, descriptions) for one in study]}
            for n, study in enumerate(holdings.studies)
        ],
        "files": [_holding_json(one, descriptions) for one in holdings.files],
        "problems": list(holdings.problems),
    }


def write_study_page(holdings: Holdings, sheet: Sheet, path: Path, *, descriptions: bool = False) -> Path:
    """Write the page to `path`. Raises NoRoom when the disk is full."""
    page = study_to_html(holdings, sheet, descriptions=descriptions)
    with replacing(path) as beside:
        beside.write_text(page, encoding="utf-8")
    return path


def study_to_html(holdings: Holdings, sheet: Sheet, *, descriptions: bool = False) -> str:
    """The page as text. Whatever came from a file is escaped: a header may hold anything."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    rooms = Environment(
        loader=PackageLoader("osler.results"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    rooms.filters["told"] = piece_text
    groups = [(f"Study {n + 1}", study) for n, study in enumerate(holdings.studies)]
    if holdings.files:
        groups.append(("Other files", holdings.files))
    cards = [
        (group, one, piece, as_data_uri(sheet.pictures[piece]))
        for group, held in groups
        for one in held
        for piece in one.pieces
        if piece in sheet.pictures
    ]
    page = rooms.get_template("study.html").render(
        name=holdings.name,
        counted=_counted(holdings),
        groups=groups,
        cards=cards,
        problems=[*holdings.problems, *sheet.problems],
        descriptions=descriptions,
        several=len(groups) > 1,
    )
    return str(page)


def piece_text(piece: Piece) -> str:
    """One piece in a line; "" where its notes say all.

    >>> piece_text(Piece("volume", (47, 134, 136), (3.27, 0.977, 0.977), ("axial",)))
    'volume, 47 x 134 x 136, 3.27 x 0.977 x 0.977 mm, axial'
    """
    parts = [piece.what] if piece.what not in ("object", "refused") else []  # those say nothing new
    if piece.shape:
        parts.append(" x ".join(str(n) for n in piece.shape))
    if piece.spacing is not None:
        parts.append(" x ".join(f"{mm:.3g}" for mm in piece.spacing) + " mm")
    return ", ".join([*parts, *piece.words])


def _holding_lines(one: Holding, descriptions: bool) -> Iterator[str]:
    modality = f" ({one.modality})" if one.modality and one.modality not in one.kind else ""
    files = f", {one.count} file{'' if one.count == 1 else 's'}" if one.modality else ""
    yield f"  {one.name}: {one.kind}{modality}{files}"
    if descriptions and one.description:
        yield f"    described as: {_printable(one.description)}"
    if one.because:
        yield f"    {one.because}"
    for piece in one.pieces:
        if told := piece_text(piece):
            yield f"    {told}"
        for note in piece.notes:
            yield f"      {note}"


def _holding_json(one: Holding, descriptions: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": one.name,
        "kind": one.kind,
        "modality": one.modality,
        "files": one.count,
        "because": one.because,
        "pieces": [
            {
                "what": piece.what,
                "shape": list(piece.shape),
                "spacing_mm": list(piece.spacing) if piece.spacing is not None else None,
                "words": list(piece.words),
                "notes": list(piece.notes),
            }
            for piece in one.pieces
        ],
    }
    return told | ({"description": one.description} if descriptions else {})


def _counted(holdings: Holdings) -> str:
    """How many of what, in a few words."""
    held = [one for study in holdings.studies for one in study]
    parts = []
    if held:
        files = sum(one.count for one in held)
        parts += [
            _count(len(holdings.studies), "study", "studies"),
            _count(len(held), "series", "series"),
            _count(files, "DICOM file", "DICOM files"),
        ]
    if holdings.files:
        parts.append(_count(len(holdings.files), "other file", "other files"))
    return ", ".join(parts)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _everything(holdings: Holdings) -> list[Holding]:
    return [*(one for study in holdings.studies for one in study), *holdings.files]


def _printable(text: str) -> str:
    """A header's text without what would move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:120]

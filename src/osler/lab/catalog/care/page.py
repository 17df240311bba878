"""What the check of a data set found, for people (lines, a page with pictures side by side) and for machines."""

import base64
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, BadInput
from osler.core.volume import Volume
from osler.imaging.overlay import best_slice, outline
from osler.imaging.window import to_display, upright
from osler.io.files import replacing
from osler.io.open import open_picture
from osler.lab.catalog.care.check import KINDS, Care
from osler.lab.catalog.care.concern import SEVERITIES, Concern
from osler.lab.catalog.care.duplicates import label_name
from osler.lab.catalog.cases import load_mask
from osler.lab.catalog.dataset import Case, Dataset, Source

TITLES = {
    "patient-leak": "Patients on both sides of a split",
    "duplicate": "Exact copies",
    "near-duplicate": "Changed copies",
    "unreadable": "Pictures that cannot be read",
    "geometry": "Masks that do not fit their pictures",
    "label-conflict": "One picture, different labels",
    "shortcut": "Shortcuts: what tells the class without the anatomy",
    "label-error": "Labels that may be wrong",
    "odd-mask": "Odd masks",
    "blank": "Blank pictures",
    "missing": "Missing values",
    "balance": "Balance",
}
_SHOWN = 12  # concerns of a kind with pictures; more make a page that nobody reads
_SIDE_BY_SIDE = 6  # pictures of a concern
_PIXELS = 168  # longer side of a picture
_LINES = 4  # concerns of a kind on the terminal


def care_json(care: Care) -> dict[str, Any]:
    """Everything, as plain JSON values."""
    return {
        "dataset": care.dataset,
        "cases": care.cases,
        "patients": care.patients,
        "counts": {severity: care.count(severity) for severity in SEVERITIES},
        "concerns": [
            {
                "kind": one.kind,
                "severity": one.severity,
                "what": one.what,
                "remedy": one.remedy,
                "cases": list(one.cases),
                "score": round(one.score, 4),
                "proposed": dict(one.proposed),
            }
            for one in care.concerns
        ],
        "unchecked": list(care.unchecked),
        "seconds": care.seconds,
    }


def summary(care: Care) -> str:
    """One sentence: how much was looked at, and how bad it is."""
    counts = [(care.count(severity), severity) for severity in SEVERITIES]
    told = ", ".join(f"{count} {word}{'s' * (count != 1)}" for count, word in counts if count)
    return f"{care.dataset}: {care.cases} cases of {care.patients} patients looked at; {told or 'no concerns'}."


def care_lines(care: Care) -> list[str]:
    """Ranked lines for a terminal; of each kind the first few."""
    lines = [summary(care)]
    told: dict[tuple[str, str], int] = defaultdict(int)
    total: dict[tuple[str, str], int] = defaultdict(int)
    for one in care.concerns:
        total[one.severity, one.kind] += 1
    for one in care.concerns:
        key = (one.severity, one.kind)
        told[key] += 1
        if told[key] == 1:
            lines += ["", f"{one.severity.upper()}: {TITLES[one.kind].lower()} ({total[key]})"]
        if told[key] <= _LINES:
            named = f" [{', '.join(one.cases[:3])}{', ...' if len(one.cases) > 3 else ''}]" if one.cases else ""
            lines.append(f"  - {one.what}{named if one.cases and one.cases[0] not in one.what else ''}")
        if told[key] == _LINES + 1:
            lines.append(f"  - and {total[key] - _LINES} more: --out PAGE shows them, --json lists them all")
        if told[key] == total[key]:
            lines.append(f"    {one.remedy}")
    lines += [f"Not checked. {said}" for said in care.unchecked]
    return lines


def write_care_page(dataset: Dataset, care: Care, path: Path) -> None:
    """One HTML page that needs no network: ranked concerns, the pictures they are about side by side.

    Raises NoRoom when the disk is full.
    """
    import jinja2

    cases = {case.id: case for case in dataset.cases}
    sections = []
    for severity in SEVERITIES:
        for kind in KINDS:
            found = [one for one in care.concerns if one.severity == severity and one.kind == kind]
            if found:
                told = [_told(dataset, cases, one) for one in found[:_SHOWN]]
                sections.append(
                    {
                        "severity": severity,
                        "title": TITLES[kind],
                        "count": len(found),
                        "concerns": told,
                        "more": len(found) - _SHOWN,
                    }
                )
    template = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    text = environment.from_string(template).render(
        care=care,
        summary=summary(care),
        sections=sections,
        counts={severity: care.count(severity) for severity in SEVERITIES},
    )
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")


def _told(dataset: Dataset, cases: Mapping[str, Case], concern: Concern) -> dict[str, Any]:
    shown = [cases[name] for name in concern.cases if name in cases]
    proposed = dict(concern.proposed)
    pictures = []
    if concern.kind != "unreadable":
        for case in shown[:_SIDE_BY_SIDE]:
            drawn = _drawn(case, dataset)
            if drawn:
                pictures.append({"png": drawn, **_caption(dataset, case, proposed)})
    return {
        "what": concern.what,
        "remedy": concern.remedy,
        "score": concern.score,
        "pictures": pictures,
        "more": max(0, len(shown) - len(pictures)) if pictures else 0,
    }


def _caption(dataset: Dataset, case: Case, proposed: Mapping[str, str]) -> dict[str, str]:
    label = label_name(dataset, case)
    fate = ""
    if case.id in proposed:
        fate = f"likelier: {proposed[case.id]}" if proposed[case.id] else "--fix leaves it out"
    return {"id": case.id, "split": case.split, "label": label, "fate": fate}


def _drawn(case: Case, dataset: Dataset) -> str:
    """The first picture of a case as PNG in base64, with the outline of its mask; "" where it cannot be opened."""
    from PIL import Image as Pillow

    source = case.pictures[0]
    try:
        picture = open_picture(source.path, source.item)
        mask = load_mask(case, dataset) if isinstance(case.label, Source) else None
    except (BadInput, AskedWrongly):
        return ""
    if mask is not None and mask.array.shape != picture.array.shape[: mask.array.ndim]:
        mask = None
    index: int | None = None
    labels: Array | None = None if mask is None else mask.array
    if isinstance(picture, Volume):
        index = best_slice(mask) if mask is not None else len(picture.array) // 2
        labels = None if labels is None else labels[index]
    rgb = to_display(picture, slice_index=index)  # (rows, columns, 3)
    spacing = picture.geometry.spacing[1:] if isinstance(picture, Volume) else picture.spacing_mm or (1.0, 1.0)
    tall, wide = rgb.shape[0] * spacing[0], rgb.shape[1] * spacing[1]
    size = tuple(max(1, round(side * _PIXELS / max(tall, wide))) for side in (wide, tall))
    # A picture of 28 pixels is shown as it is: smoothed, it would seem to say more than it does.
    enlarged = max(rgb.shape[:2]) * 2 < _PIXELS
    kind = Pillow.Resampling.NEAREST if enlarged else Pillow.Resampling.BILINEAR
    pixels = np.asarray(Pillow.fromarray(rgb).resize(size, kind))
    if labels is not None:
        nearest = Pillow.fromarray(labels.astype(np.int32)).resize(size, Pillow.Resampling.NEAREST)
        pixels = outline(pixels, np.asarray(nearest))
    if isinstance(picture, Volume):
        pixels = upright(pixels, picture.geometry)
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def care_in_short(care: Care) -> dict[str, Any]:
    """How many concerns of each kind, and what was not checked; names no case."""
    counts: dict[str, dict[str, int]] = {}
    for one in care.concerns:
        counts.setdefault(one.kind, {}).setdefault(one.severity, 0)
        counts[one.kind][one.severity] += 1
    return {"concerns": counts, "unchecked": list(care.unchecked), "seconds": care.seconds}


def limits(care: Care, *, allowed: Sequence[str] = ()) -> tuple[str, ...]:
    """What a model's card must say of the data it was made from, a sentence each."""
    said = []
    if care.leaks and "leak" in allowed:
        said.append(
            "Its splits leak, which was allowed: every figure on validation and test is too good. "
            + " ".join(one.what for one in care.leaks[:3])
        )
    elif care.leaks:
        said.append(
            "Some pictures stood on two sides of the given splits and were left out on the training side: "
            f"{len(care.leaks)} in all."
        )
    shortcuts = [one for one in care.concerns if one.kind == "shortcut" and one.severity in ("error", "warning")]
    if shortcuts:
        said.append(f"The class may have been learnt from something else than the anatomy: {shortcuts[0].what}")
    return tuple(said)

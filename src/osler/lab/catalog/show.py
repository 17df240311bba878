"""What was understood of a data set, for people and for machines, before any training."""

import base64
import io
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, BadInput
from osler.core.mask import Mask
from osler.core.study import Picture
from osler.core.volume import Volume
from osler.imaging.overlay import best_slice, colour_of, outline
from osler.imaging.window import to_display, upright
from osler.io.files import replacing
from osler.io.glance import Glance
from osler.io.open import glance, open_picture
from osler.lab.catalog.cases import open_label
from osler.lab.catalog.dataset import SPLITS, Box, Case, Dataset, Source
from osler.lab.catalog.labels import Progress, balance, check_cases, classes_of, mask_names

_PER_CLASS = 5
_CLASSES_SHOWN = 30
_THUMBNAIL = 176


def describe(dataset: Dataset, *, progress: Progress | None = None) -> dict[str, Any]:
    """Everything one wants to know before training, as plain JSON values. Opens every file.

    Keys: name, layout, task, target, classes, channels, cases, patients, splits, balance (class -> split ->
    cases), target_values (of a regression), pictures (channel -> kinds, sizes, spacings, stored), odd, broken
    (number of cases), notes. Sizes and spacings go along (slices, rows, columns) or (rows, columns).
    """
    odd = check_cases(dataset, progress=progress)
    return {
        "name": dataset.name,
        "layout": dataset.layout,
        "task": dataset.task,
        "target": dataset.target,
        "classes": list(dataset.classes),
        "channels": list(dataset.channels),
        "cases": len(dataset.cases),
        "patients": dataset.patients,
        "splits": _splits(dataset),
        "balance": balance(dataset) if any(classes_of(case) for case in dataset.cases) else {},
        "target_values": _values(dataset),
        "pictures": {
            name: _pictures([case.pictures[place] for case in dataset.cases])
            for place, name in enumerate(dataset.channels)
        },
        "odd": [
            {
                "case": o.case,
                "file": o.file,
                "kind": o.kind,
                "broken": o.broken,
                "problem": o.problem,
                "remedy": o.remedy,
            }
            for o in odd
        ],
        "broken": len({o.case for o in odd if o.broken}),
        "notes": list(dataset.notes),
    }


def write_page(dataset: Dataset, description: dict[str, Any], path: Path) -> None:
    """One HTML page that needs no network: the description, with some pictures of each class.

    description  what `describe` gave
    Raises NoRoom when the disk is full.
    """
    import jinja2

    template = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    text = environment.from_string(template).render(
        d=description,
        most=max((sum(counts.values()) for counts in description["balance"].values()), default=1) or 1,
        colours=["#{:02x}{:02x}{:02x}".format(*colour_of(value)) for value in dataset.label_values[1:]],
        samples=_samples(dataset),
    )
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")


def _splits(dataset: Dataset) -> dict[str, dict[str, int]]:
    named = [name for name in SPLITS if any(case.split == name for case in dataset.cases)]
    rest = [""] if any(not case.split for case in dataset.cases) else []
    return {
        name or "all": {"cases": len(part.cases), "patients": part.patients}
        for name in [*named, *rest]
        for part in [dataset.split(name)]
    }


def _values(dataset: Dataset) -> dict[str, float]:
    if dataset.task != "regression":
        return {}
    values = np.array([float(case.label) for case in dataset.cases if isinstance(case.label, int | float)])
    return {
        "lowest": float(values.min()),
        "median": float(np.median(values)),
        "highest": float(values.max()),
    }


def _pictures(sources: Sequence[Source]) -> dict[str, Any]:
    """Kinds, sizes and spacings of one channel; what cannot be opened is among the odd cases."""
    seen: list[Glance] = []
    for source in sources:
        try:
            seen.append(glance(source.path, source.item))
        except (BadInput, AskedWrongly):
            continue
    by_axes: dict[int, list[Glance]] = defaultdict(list)
    for one in seen:
        by_axes[len(one.shape)].append(one)
    spacings = {axes: [g.spacing for g in group if g.spacing is not None] for axes, group in by_axes.items()}
    return {
        "kinds": _most_first(_kind(one) for one in seen),
        "sizes": [_range([one.shape for one in group], 0) for group in by_axes.values()],
        "spacings": [_range(found, 3) for found in spacings.values() if found],
        "stored": _most_first(one.dtype for one in seen),
    }


def _kind(one: Glance) -> str:
    what = "colour image" if one.colour else "grey image" if one.flat else "volume"
    return f"{one.modality} {what}".strip()


def _most_first(words: Any) -> list[str]:
    """Each word, with its number where there are several."""
    counts = Counter(word for word in words if word).most_common()
    return [f"{word} ({count})" if len(counts) > 1 else word for word, count in counts]


def _range(rows: Sequence[Sequence[float]], digits: int) -> dict[str, list[float]]:
    """Along each axis: median, smallest, largest."""
    table = np.array(rows, float)

    def row(values: Array) -> list[float]:
        return [round(float(v), digits) if digits else round(float(v)) for v in values]

    return {
        "median": row(np.median(table, axis=0)),
        "smallest": row(table.min(axis=0)),
        "largest": row(table.max(axis=0)),
    }


def _samples(dataset: Dataset) -> list[tuple[str, list[dict[str, str]]]]:
    """(title, pictures) for each class, or for the whole data set where there are no classes."""
    groups: list[tuple[str, list[Case]]] = []
    if dataset.task == "regression":
        ordered = sorted(
            dataset.cases, key=lambda case: float(case.label) if isinstance(case.label, int | float) else 0
        )
        groups.append((f"From the lowest to the highest {dataset.target}", ordered))
    elif any(classes_of(case) for case in dataset.cases):
        for number, name in enumerate(dataset.classes[:_CLASSES_SHOWN]):
            groups.append((name, [case for case in dataset.cases if number in classes_of(case)]))
    else:
        groups.append(("Some cases", list(dataset.cases)))
    names = mask_names(dataset) if dataset.task == "segmentation" else {}
    shown = []
    for title, cases in groups:
        # Whoever looks at test pictures before training has begun to fit them.
        cases = [case for case in cases if case.split != "test"] or cases
        places = np.unique(np.linspace(0, len(cases) - 1, min(_PER_CLASS, len(cases))).astype(int))
        pictures = [drawn for place in places for drawn in _drawn(cases[place], dataset, names)]
        if pictures:
            shown.append((title, pictures))
    return shown


def _drawn(case: Case, dataset: Dataset, names: dict[int, str]) -> list[dict[str, str]]:
    """A small picture of each channel, the first with the outline of the mask; none of what cannot be opened."""
    found = []
    for channel, source in enumerate(case.pictures):
        try:
            picture = open_picture(source.path, source.item)
            labels = case.label
            mask = open_label(labels, labels=names) if channel == 0 and isinstance(labels, Source) else None
            pixels = _thumbnail(picture, mask, _boxes(case) if channel == 0 else ())
        except (BadInput, AskedWrongly):
            continue
        caption = case.id if len(case.pictures) == 1 else f"{case.id}, {dataset.channels[channel]}"
        if dataset.task == "regression":
            caption = f"{caption}: {case.label}"
        found.append({"png": _png(pixels), "caption": caption})
    return found


def _boxes(case: Case) -> tuple[Box, ...]:
    return tuple(box for box in case.label if isinstance(box, Box)) if isinstance(case.label, tuple) else ()


def _thumbnail(picture: Picture, mask: Mask | None, boxes: Sequence[Box]) -> Array:
    """(rows, columns, 3) uint8, longer side `_THUMBNAIL` pixels; of a volume the slice with most of the mask."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    slice_index: int | None = None
    labels: Array | None = None
    if mask is not None and mask.array.shape == picture.array.shape[: mask.array.ndim]:
        if isinstance(picture, Volume):
            slice_index = best_slice(mask)
            labels = mask.array[slice_index]
        else:
            labels = mask.array
    rgb = to_display(picture, slice_index=slice_index)  # (rows, columns, 3)
    height, width = _shown_size(picture, rgb)
    small = Pillow.fromarray(rgb).resize((width, height), Pillow.Resampling.BILINEAR)
    if isinstance(picture, Volume) or labels is not None:
        pixels = np.asarray(small)
        if labels is not None:
            nearest = Pillow.fromarray(labels.astype(np.int32)).resize((width, height), Pillow.Resampling.NEAREST)
            pixels = outline(pixels, np.asarray(nearest))
        return upright(pixels, picture.geometry) if isinstance(picture, Volume) else pixels
    draw = ImageDraw.Draw(small)
    for box in boxes:
        down, across = height / rgb.shape[0], width / rgb.shape[1]
        corners = (box.left * across, box.top * down, box.right * across, box.bottom * down)
        draw.rectangle(corners, outline=colour_of(box.label + 1), width=2)
    return np.asarray(small)


def _shown_size(picture: Picture, rgb: Array) -> tuple[int, int]:
    """(height, width) in pixels of the page, in the proportions of the patient."""
    spacing = picture.geometry.spacing[1:] if isinstance(picture, Volume) else picture.spacing_mm or (1.0, 1.0)
    tall, wide = rgb.shape[0] * spacing[0], rgb.shape[1] * spacing[1]
    scale = _THUMBNAIL / max(tall, wide)
    return max(1, round(tall * scale)), max(1, round(wide * scale))


def _png(rgb: Array) -> str:
    from PIL import Image as Pillow

    stream = io.BytesIO()
    Pillow.fromarray(rgb).save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode("ascii")

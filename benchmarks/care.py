"""Planted faults found again: copies, exact and changed, across splits; and the speed of the check.

python benchmarks/care.py PNEUMONIAMNIST.npz KNEE_OA CHEST_XRAY --unaided PATHOLOGY_TILES CHEST_XRAY

Of each set the given cases are kept, and copies of some are added under new names on the other side of the split,
as many of each kind of change. Found is a pair that the check joins; a false alarm is a case in a group of changed
copies in which there is no planted one. Natural copies count as false alarms, too: the figures are the worst that
they can be.
"""

import argparse
import io
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import record
from PIL import Image, ImageFilter

from osler.core.arrays import Array
from osler.io.raster import write_image
from osler.lab.catalog.care.check import check_data
from osler.lab.catalog.care.duplicates import find_copies, grouped
from osler.lab.catalog.care.look import look_over
from osler.lab.catalog.cases import load_pictures
from osler.lab.catalog.dataset import Case, Dataset, Source
from osler.lab.catalog.recognize import read_dataset

Change = Callable[[Image.Image, np.random.Generator], Image.Image]


def _jpeg(picture: Image.Image, _: np.random.Generator) -> Image.Image:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=50)
    return Image.open(stream).copy()


def _crop(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    wide, tall = picture.size
    left, top = random.uniform(0, 0.05, 2)
    box = (left * wide, top * tall, (left + 0.95) * wide, (top + 0.95) * tall)
    return picture.transform(picture.size, Image.Transform.EXTENT, box, Image.Resampling.BICUBIC)


def _noise(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    pixels = np.asarray(picture).astype(float)
    return Image.fromarray(np.clip(pixels + random.normal(0, 5, pixels.shape), 0, 255).astype(np.uint8))


def _brightness(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    factor, offset = random.uniform(0.8, 1.2), random.uniform(-15, 15)
    return picture.point(lambda value: int(np.clip(factor * value + offset, 0, 255)))


def _rescale(picture: Image.Image, _: np.random.Generator) -> Image.Image:
    return picture.resize((round(0.7 * picture.width), round(0.7 * picture.height)), Image.Resampling.BILINEAR)


def _tilt(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    return picture.rotate(random.choice([-1, 1]) * random.uniform(2, 5), Image.Resampling.BICUBIC)


CHANGES: dict[str, Change] = {
    "exact": lambda picture, _: picture,
    "mirrored": lambda picture, _: picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "turned by 90 degrees": lambda picture, _: picture.transpose(Image.Transpose.ROTATE_90),
    "brightness and contrast (0.8 to 1.2, 15 of 255)": _brightness,
    "JPEG of quality 50": _jpeg,
    "cropped by 5 %": _crop,
    "noise (5 of 255)": _noise,
    "blurred (1.5 of 224 pixels)": lambda picture, _: picture.filter(
        ImageFilter.GaussianBlur(1.5 * picture.width / 224)
    ),
    "rescaled to 70 %": _rescale,
    "tilted by 2 to 5 degrees": _tilt,
}


def planted(path: Path, folder: Path, each: int, seed: int) -> dict[str, Any]:
    """Copies of every kind planted across the splits of one set, and how many of them are found."""
    dataset = read_dataset(path)
    random = np.random.default_rng(seed)
    rows = random.choice(len(dataset.cases), min(each * len(CHANGES), len(dataset.cases) // 2), replace=False)
    kinds = [list(CHANGES)[place % len(CHANGES)] for place in range(len(rows))]
    added, truth = [], []
    for row, kind in zip(rows.tolist(), kinds, strict=True):
        case = dataset.cases[row]
        pixels: Array = load_pictures(case)[0].array
        name = f"planted-{row}"
        write_image(np.asarray(CHANGES[kind](Image.fromarray(pixels), random)), folder / f"{name}.png")
        other = "test" if case.split == "train" else "train"
        added.append(Case(name, name, (Source(folder / f"{name}.png"),), case.label, other))
        truth.append((case.id, name, kind))
    whole = replace(dataset, cases=(*dataset.cases, *added))
    before = time.perf_counter()
    looks = look_over(whole)
    looked = time.perf_counter()
    copies = find_copies(whole, looks)
    done = time.perf_counter()
    group = {name: number for number, names in enumerate(grouped(copies)) for name in names}
    found: dict[str, list[int]] = {kind: [0, 0] for kind in CHANGES}
    touched = set()
    for original, name, kind in truth:
        hit = name in group and group[name] == group.get(original)
        found[kind][0] += hit
        found[kind][1] += 1
        touched |= {group[one] for one in (original, name) if one in group}
    exact = {one for pair in copies if pair.exact for one in (pair.one, pair.other)}
    untouched = {case.id for case in dataset.cases} - {original for original, _, _ in truth} - exact
    false = [name for name in untouched if name in group and group[name] not in touched]
    near = [count for kind, count in found.items() if kind != "exact"]
    return {
        "cases": len(dataset.cases),
        "planted": len(truth),
        "found": {kind: {"found": hit, "of": of} for kind, (hit, of) in found.items()},
        "exact found": found["exact"][0] / max(1, found["exact"][1]),
        "near found": sum(hit for hit, _ in near) / max(1, sum(of for _, of in near)),
        "false alarms": {"cases": len(false), "of": len(untouched), "share": len(false) / len(untouched)},
        "seconds": {"looking": round(looked - before, 1), "comparing": round(done - looked, 1)},
    }


def unaided(path: Path) -> dict[str, Any]:
    """What the whole check says of a set as it is."""
    dataset = read_dataset(path)
    care = check_data(dataset)
    copies = grouped(care.copies)
    return {
        "cases": care.cases,
        "leaks": [one.what for one in care.leaks if one.kind == "patient-leak"],
        "groups of copies": len(copies),
        "cases in them": sum(map(len, copies)),
        "seconds": care.seconds,
    }


def speed(path: Path, cases: int) -> dict[str, Any]:
    """The whole check of the first `cases` of a set."""
    dataset: Dataset = read_dataset(path)
    return {"cases": cases, "seconds": check_data(replace(dataset, cases=dataset.cases[:cases])).seconds}


def main() -> None:
    """Plant, look, count, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", type=Path, help="sets to plant copies in; the first is timed as well")
    parser.add_argument("--unaided", nargs="*", type=Path, default=[], help="sets to be flagged as they are")
    parser.add_argument("--copies", type=int, default=20, help="planted copies of each kind")
    parser.add_argument("--seed", type=int, default=0, help="of which pictures are copied, and how")
    parser.add_argument("--cases", type=int, default=5000, help="cases of the first set whose check is timed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        copies = {}
        for path in arguments.sets:
            folder = Path(place) / path.stem
            folder.mkdir()
            copies[path.stem] = planted(path, folder, arguments.copies, arguments.seed)
            print(path.stem, copies[path.stem], flush=True)
    result = {
        "copies": copies,
        "unaided": {path.stem: unaided(path) for path in arguments.unaided},
        "speed": speed(arguments.sets[0], arguments.cases),
    }
    print(record.keep("care", result, note="Planted copies across splits, and the speed of osler data check."))


if __name__ == "__main__":
    main()

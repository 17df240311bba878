"""Planted shortcuts and random labels in real sets, and what the sets show as they are.

python benchmarks/shortcuts.py SEEDS NAME=DATA [NAME=DATA ...]      (DATA:column takes this column of a table)
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from record import keep

from osler.core.arrays import Array
from osler.io.raster import write_image
from osler.lab.catalog.care.concern import Concern
from osler.lab.catalog.care.look import Look, look_over
from osler.lab.catalog.care.shortcuts import find_shortcuts
from osler.lab.catalog.cases import load_pictures
from osler.lab.catalog.dataset import Dataset, Source
from osler.lab.catalog.recognize import read_dataset

IN_FILES = 600  # cases of a set that are written anew


def bright_corner(look: Look, first: bool) -> Look:
    """A mark of a tenth of the side in the corner of the first class."""
    thumbnail = look.thumbnail.copy()
    thumbnail[:6, :6] = 1.0 if first else thumbnail[:6, :6]
    return replace(look, thumbnail=thumbnail)


def two_formats(look: Look, first: bool) -> Look:
    """PNG for the first class, JPEG for the others."""
    stored = {"suffix": ".png", "format": "PNG"} if first else {"suffix": ".jpeg", "format": "JPEG"}
    return replace(look, header={**look.header, **stored})


def marked(dataset: Dataset, looks: Sequence[Look], change: Callable[[Look, bool], Look]) -> list[Look]:
    return [change(look, case.label == 0) for case, look in zip(dataset.cases, looks, strict=True)]


def rewritten(dataset: Dataset, folder: Path, *, corner: bool, formats: bool) -> Dataset:
    """The set written anew, a picture a file: a bright corner burned in, or JPEG instead of PNG, by the class."""
    from PIL import Image as Pillow

    cases = []
    for number, case in enumerate(dataset.cases):
        first = case.label == 0
        pixels: Array = np.array(load_pictures(case)[0].array)
        if corner and first:
            rows, columns = (max(2, size // 10) for size in pixels.shape[:2])
            pixels[:rows, :columns] = 255
        suffix = ".jpeg" if formats and not first else ".png"
        path = folder / f"{number:05}{suffix}"
        if suffix == ".png":
            write_image(pixels.astype(np.uint8), path)
        else:
            Pillow.fromarray(pixels.astype(np.uint8)).save(path, quality=95)
        cases.append(replace(case, pictures=(Source(path),)))
    return replace(dataset, cases=tuple(cases))


def alarm_in_files(
    dataset: Dataset, begins: str, *, corner: bool = False, formats: bool = False
) -> dict[str, Any]:
    """What the check says of a shortcut that was planted in files."""
    with tempfile.TemporaryDirectory() as folder:
        planted = rewritten(dataset, Path(folder), corner=corner, formats=formats)
        found = find_shortcuts(planted, look_over(planted))
    alarm = any(one.severity in ("warning", "error") and one.what.startswith(begins) for one in found)
    return {"alarm": alarm, "says": shown(found)}


def shown(found: Sequence[Concern]) -> list[dict[str, Any]]:
    return [{"severity": one.severity, "what": one.what} for one in found]


def shuffled(dataset: Dataset, seed: int) -> Dataset:
    """The labels dealt out anew among patients."""
    patients = sorted({case.patient for case in dataset.cases})
    first = {case.patient: case.label for case in reversed(dataset.cases)}
    dealt = dict(zip(patients, np.random.default_rng(seed).permutation([first[p] for p in patients]), strict=True))
    return replace(dataset, cases=tuple(replace(c, label=int(dealt[c.patient]), split="") for c in dataset.cases))


def main() -> None:
    seeds, *sets = sys.argv[1:]
    kept: dict[str, Any] = {}
    for word in sets:
        name, place = word.split("=", 1)
        path, _, target = place.partition(":")
        dataset = read_dataset(Path(path), target=target or None)
        looks = look_over(dataset)
        alarms = [find_shortcuts(shuffled(dataset, seed), looks) for seed in range(int(seeds))]
        corner = find_shortcuts(dataset, marked(dataset, looks, bright_corner))
        formats = find_shortcuts(dataset, marked(dataset, looks, two_formats))
        flat = [case for case in dataset.cases if len(case.pictures) == 1]
        small = replace(dataset, cases=tuple(flat[:: max(1, len(flat) // IN_FILES)]))
        kept[name] = {
            "n": len(dataset.cases),
            "patients": dataset.patients,
            "as_it_is": shown(find_shortcuts(dataset, looks)),
            "random_labels": {"runs": len(alarms), "with_an_alarm": sum(bool(found) for found in alarms)},
            "bright_corner": {
                "alarm": any(c.severity == "warning" and c.what.startswith("The borders") for c in corner),
                "says": shown(corner),
            },
            "two_formats": {
                "alarm": any(c.severity == "warning" and c.what.startswith("How the files") for c in formats),
                "says": shown(formats),
            },
            "in_files": {
                "n": len(small.cases),
                "bright_corner": alarm_in_files(small, "The borders", corner=True),
                "two_formats": alarm_in_files(small, "How the files", formats=True),
            },
        }
    keep("shortcuts", {"sets": kept}, note="in_files: planted in files; else in the looks that the checks see.")


if __name__ == "__main__":
    main()

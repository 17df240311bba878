"""Planted shortcuts and random labels in real sets, and what the sets show as they are.

python benchmarks/shortcuts.py SEEDS NAME=DATA [NAME=DATA ...]      (DATA:column takes this column of a table)
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from record import keep

from osler.lab.catalog.care.concern import Concern
from osler.lab.catalog.care.look import Look, look_over
from osler.lab.catalog.care.shortcuts import find_shortcuts
from osler.lab.catalog.dataset import Dataset
from osler.lab.catalog.recognize import read_dataset


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
        }
    keep("shortcuts", {"sets": kept}, note="Shortcuts are planted in the looks that the checks see, one a case.")


if __name__ == "__main__":
    main()

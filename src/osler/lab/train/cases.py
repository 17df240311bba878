"""Training cases as the net will see them, prepared once and kept at hand."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from osler.core.arrays import Array
from osler.core.errors import OslerError
from osler.core.progress import Tell, silent
from osler.lab.catalog.cases import load_mask, load_pictures
from osler.lab.catalog.dataset import Case, Dataset, Source
from osler.lab.plan.plan import Plan
from osler.models.prepare import prepare, prepare_mask
from osler.models.recipe import Recipe

KEPT_PER_CLASS = 2000  # places remembered a class and case, to centre windows on


@dataclass(frozen=True, slots=True, eq=False)
class TrainingCases:
    """Prepared cases, in the order of the data set.

    images   one (planes, *spatial) float32 a case, in memory or mapped from disk
    targets  whole pictures: (N,) class numbers or standardized numbers, (N, labels) for multilabel
    masks    segmentation: one (*spatial) uint8 a case; () otherwise
    places   segmentation: per case and class (background left out) where it is, (n, axes)
    """

    images: Sequence[Array]
    targets: Array
    masks: Sequence[Array] = ()
    places: Sequence[Sequence[Array]] = ()

    def __len__(self) -> int:
        return len(self.images)


def prepare_cases(dataset: Dataset, plan: Plan, *, scratch: Path, tell: Tell = silent) -> TrainingCases:
    """Open and prepare every case by the plan's recipe.

    scratch  a folder for prepared pictures where memory is short; it goes when the training has ended
    Raises the error of the first file that cannot be used.
    """
    room = psutil.virtual_memory().available * 0.4
    first = _prepare_one(dataset.cases[0], dataset, plan.recipe)
    mapped = first[0].nbytes * len(dataset.cases) > room
    prepared: list[tuple[Array, Array]] = []
    with ThreadPoolExecutor(4) as pool:
        jobs = pool.map(lambda case: _prepare_one(case, dataset, plan.recipe), dataset.cases)
        for done, (image, mask) in enumerate(jobs, start=1):
            prepared.append((_on_disk(image, scratch / f"{done}.npy") if mapped else image, mask))
            tell("preparing", done, len(dataset.cases), "")
    images = [image for image, _ in prepared]
    if plan.task != "segmentation":
        return TrainingCases(images, _targets(dataset, plan.recipe))
    masks = [mask for _, mask in prepared]
    places = [[_places(mask == k, plan.training.seed) for k in range(1, len(plan.classes))] for mask in masks]
    return TrainingCases(images, np.zeros(len(images)), masks, places)


def _prepare_one(case: Case, dataset: Dataset, recipe: Recipe) -> tuple[Array, Array]:
    try:
        prepared = prepare(load_pictures(case), recipe)
        if isinstance(case.label, Source):
            return prepared.array, prepare_mask(load_mask(case, dataset), prepared, recipe)
        return prepared.array, np.zeros(0, np.uint8)
    except OslerError as error:
        names = ", ".join(
            str(s) for s in (*case.pictures, *([case.label] if isinstance(case.label, Source) else []))
        )
        if str(case.pictures[0]) in error.problem:
            raise
        raise type(error)(f"{names}: {error.problem}", remedy=error.remedy) from error


def _targets(dataset: Dataset, recipe: Recipe) -> Array:
    labels = np.array([case.label for case in dataset.cases])
    if dataset.task == "regression":
        return ((labels.astype(np.float32) - recipe.target_mean) / recipe.target_std).astype(np.float32)
    return labels.astype(np.float32) if dataset.task == "multilabel" else labels.astype(np.int64)


def _places(where: Array, seed: int) -> Array:
    found = np.argwhere(where)
    if len(found) > KEPT_PER_CLASS:
        found = found[np.random.default_rng(seed).choice(len(found), KEPT_PER_CLASS, replace=False)]
    return found.astype(np.int32)


def _on_disk(image: Array, path: Path) -> Array:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, image)
    mapped: Array = np.load(path, mmap_mode="r")
    return mapped

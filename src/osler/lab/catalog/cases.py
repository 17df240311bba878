"""The pictures and masks of a case, opened."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, BadDataset
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.study import Picture
from osler.io.open import open_mask, open_picture
from osler.lab.catalog.dataset import Case, Dataset, Outline, Outlines, Source

# Neighbours drawn by hand share voxels along their border; a part of a whole shares far more than this.
_BORDER = 0.05


def load_pictures(case: Case) -> list[Picture]:
    """The pictures of a case, opened; errors name the case's file."""
    return [open_picture(source.path, source.item) for source in case.pictures]


def load_mask(case: Case, dataset: Dataset) -> Mask:
    """The mask of a case with class numbers 0..K-1 in place of the file's values.

    Raises BadDataset when the file holds a value that the data set's table does not know, and what `open_label`
    raises.
    """
    assert isinstance(case.label, Source)
    mask = open_label(case.label)
    known = np.array(dataset.label_values)
    unknown = np.setdiff1d(np.unique(mask.array), known)
    if len(unknown):
        raise BadDataset(
            f"{case.label} holds the label value {int(unknown[0])}, which is not in the table "
            f"({', '.join(f'{v} {n}' for v, n in zip(dataset.label_values, dataset.classes, strict=True))}).",
            remedy="Add it to the labels of dataset.json, or repair the mask.",
        )
    order = np.argsort(known)
    array = order[np.searchsorted(known[order], mask.array)].astype(np.uint8)
    names = dict(enumerate(dataset.classes[1:], start=1))
    return Mask(array, names, geometry=mask.geometry, spacing_mm=mask.spacing_mm)


def open_label(label: Source, *, labels: Mapping[int, str] | None = None) -> Mask:
    """The mask that a case's label names, with the numbers of the file, or of the outlines' classes.

    labels  what each number means; without it they are named as the file names them

    A voxel at the border of two structures that share no more than a twentieth of the smaller one belongs to the
    class that comes first.

    Raises BadDataset when structures overlap further, or for a number that `labels` does not know, and what
    `open_mask` raises.
    """
    if not isinstance(label, Outlines):
        return open_mask(label.path, label.item, labels=labels)
    mask = _painted(label)
    return mask if labels is None else replace(mask, labels=dict(labels))


def _painted(label: Outlines) -> Mask:
    names = {one.value: one.name for one in label.outlines}
    array = None if label.grid is None else np.zeros(label.grid.shape, np.uint8)
    spacing: tuple[float, float] | None = None
    for path, outlines in groupby(label.outlines, lambda one: one.path):
        for one, layer in _layers(path, tuple(outlines), label.grid):
            inside = layer.array != 0
            if array is None:
                array = np.zeros(inside.shape, np.uint8)
                spacing = layer.spacing_mm
            if inside.shape != array.shape:
                raise BadDataset(
                    f"The masks of {label} have different sizes: {inside.shape} and {array.shape}.",
                    remedy="Export them again, all on the same picture.",
                )
            _refuse_overlap(array, inside, one, names, label)
            array[inside & ((array == 0) | (array > one.value))] = one.value
    assert array is not None  # what has no grid has an outline
    return Mask(array, names, geometry=label.grid, spacing_mm=spacing)


def _layers(path: Path, outlines: tuple[Outline, ...], grid: Geometry | None) -> Iterator[tuple[Outline, Mask]]:
    """Each structure of one object by itself; they may overlap."""
    numbers = {one: int(one.item.removeprefix("segment:")) for one in outlines if one.item.startswith("segment:")}
    if len(numbers) == len(outlines) > 1:
        try:
            whole = open_mask(path, grid=grid)  # a hundred segments are read at once
        except AskedWrongly:
            pass  # some of its segments overlap, perhaps others than these
        else:
            yield from ((one, replace(whole, array=whole.of(number))) for one, number in numbers.items())
            return
    yield from ((one, open_mask(path, one.item, grid=grid)) for one in outlines)


def _refuse_overlap(array: Array, inside: Array, one: Outline, names: Mapping[int, str], label: Outlines) -> None:
    taken = array[inside]
    for other in np.unique(taken[(taken != 0) & (taken != one.value)]).tolist():
        shared = int((taken == other).sum())
        if shared > _BORDER * min(int(inside.sum()), int((array == other).sum())):
            raise BadDataset(
                f"'{names[other]}' and '{one.name}' of {label} overlap; a voxel has one class.",
                remedy=f'Choose structures that do not, for instance --target "{names[other]}".',
            )

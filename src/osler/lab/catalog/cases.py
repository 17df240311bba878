"""The pictures and masks of a case, opened."""

import numpy as np

from osler.core.errors import BadDataset
from osler.core.mask import Mask
from osler.core.study import Picture
from osler.io.open import open_mask, open_picture
from osler.lab.catalog.dataset import Case, Dataset, Source


def load_pictures(case: Case) -> list[Picture]:
    """The pictures of a case, opened; errors name the case's file."""
    return [open_picture(source.path, source.item) for source in case.pictures]


def load_mask(case: Case, dataset: Dataset) -> Mask:
    """The mask of a case with class numbers 0..K-1 in place of the file's values.

    Raises BadDataset when the file holds a value that the data set's table does not know.
    """
    assert isinstance(case.label, Source)
    mask = open_mask(case.label.path, case.label.item)
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

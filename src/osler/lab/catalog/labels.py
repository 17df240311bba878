"""Reading labels and pictures to see whether they can be learnt from, before any training."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from osler.core.errors import AskedWrongly, BadDataset, BadGeometry, BadInput, BadPixels, OslerError, Unreadable
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.volume import Volume
from osler.io.open import open_picture
from osler.lab.catalog.cases import open_label
from osler.lab.catalog.dataset import Case, Dataset, Source

# More numbers than this in the masks of one data set come from lossy or resampled files, not from a reader.
_AT_MOST_LABELS = 255

_FIVE_PATIENTS = 5

# Each holds a whole volume, so more of them cost memory and gain little.
_READERS = 4

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something odd about one case.

    case     its id
    file     the file's name
    kind     "unreadable", "pixels", "geometry", "label" (all four forbid training), "blank" or "empty mask"
    problem  what happened
    remedy   what to do about it
    """

    case: str
    file: str
    kind: str
    problem: str
    remedy: str

    @property
    def broken(self) -> bool:
        """Can the case not be learnt from at all?"""
        return self.kind in _ERRORS


_ERRORS: dict[str, type[OslerError]] = {
    "unreadable": Unreadable,
    "pixels": BadPixels,
    "geometry": BadGeometry,
    "label": BadDataset,
}


def check_cases(dataset: Dataset, *, progress: Progress | None = None) -> tuple[Oddity, ...]:
    """Open every picture and every mask of the data set, and tell what is wrong with them.

    progress  called with (cases done, cases in all)

    Broken ones ("unreadable": damaged or missing; "pixels": NaN, empty; "geometry": a mask on another grid;
    "label": a number in a mask that has no class) cannot be learnt from; blank pictures and empty masks may be.
    """
    names = mask_names(dataset) if dataset.task == "segmentation" else {}
    found: list[Oddity] = []
    with ThreadPoolExecutor(_READERS) as pool:
        for done, odd in enumerate(pool.map(lambda case: _check(case, names), dataset.cases), start=1):
            found += odd
            if progress is not None:
                progress(done, len(dataset.cases))
    if dataset.task == "segmentation":
        found += _never_drawn(dataset, found)
    return tuple(found)


def refuse_broken(oddities: Sequence[Oddity]) -> None:
    """Raise the error of the first broken case: Unreadable, BadPixels, BadGeometry or BadDataset."""
    broken = [odd for odd in oddities if odd.broken]
    if not broken:
        return
    first = broken[0]
    more = len({odd.case for odd in broken}) - 1
    also = f" {more} more cases are broken: osler data show lists them." if more else ""
    raise _ERRORS[first.kind](first.problem + also, remedy=first.remedy)


def check_labels(dataset: Dataset) -> None:
    """Is there enough to learn from: five patients, two classes, each class with two patients?

    Raises BadDataset saying which class or how many patients are lacking.
    """
    patients = dataset.patients
    if patients < _FIVE_PATIENTS:
        raise BadDataset(
            f"{dataset.name} has {_patients(patients)} only: none could be held back to test with.",
            remedy=f"Give at least {_FIVE_PATIENTS} patients; some tens of each class are a beginning.",
        )
    if dataset.task == "regression":
        if len({case.label for case in dataset.cases}) < 2:
            raise BadDataset(
                f"{dataset.name} has the same value of {dataset.target or 'the target'} in every case.",
                remedy="Choose a target that differs between cases.",
            )
        return
    if dataset.task not in ("binary", "multiclass", "ordinal", "multilabel"):
        return
    having = patients_by_class(dataset)
    if dataset.task != "multilabel" and sum(bool(found) for found in having.values()) < 2:
        only = next((name for name, found in having.items() if found), "none")
        raise BadDataset(
            f"{dataset.name} has one class only, '{only}': there is nothing to tell apart.",
            remedy="Add cases of at least one other class.",
        )
    for name, found in having.items():
        everyone = dataset.task == "multilabel" and all(
            case.label[dataset.classes.index(name)] for case in dataset.cases if isinstance(case.label, tuple)
        )
        if everyone:
            raise BadDataset(
                f"Every case of {dataset.name} has '{name}': there is nothing to tell apart.",
                remedy="Add cases without it, or leave the column out.",
            )
        if len(found) < 2:
            raise BadDataset(
                f"The class '{name}' has {_patients(len(found))}: one must train and another test.",
                remedy="Add patients of this class, or remove the class.",
            )


def patients_by_class(dataset: Dataset) -> dict[str, set[str]]:
    """Class name -> the patients who have it; for classification and grades."""
    having: dict[str, set[str]] = {name: set() for name in dataset.classes}
    for case in dataset.cases:
        for number in classes_of(case):
            having[dataset.classes[number]].add(case.patient)
    return having


def classes_of(case: Case) -> tuple[int, ...]:
    """The class numbers that a case of classification has; () for other tasks."""
    if isinstance(case.label, tuple):
        return tuple(i for i, flag in enumerate(case.label) if isinstance(flag, int) and flag)
    return (case.label,) if isinstance(case.label, int) else ()


def balance(dataset: Dataset) -> dict[str, dict[str, int]]:
    """Class -> split -> number of cases. A split that the data set does not name is "all"."""
    counted = Counter((number, case.split or "all") for case in dataset.cases for number in classes_of(case))
    found: dict[str, dict[str, int]] = {name: {} for name in dataset.classes}
    for (number, split), count in sorted(counted.items()):
        found[dataset.classes[number]][split] = count
    return found


def mask_names(dataset: Dataset) -> dict[int, str]:
    """The number in the mask files -> the class's name, background left out."""
    return dict(zip(dataset.label_values[1:], dataset.classes[1:], strict=True))


def values_in(masks: Sequence[Source]) -> tuple[int, ...]:
    """Every number that occurs in the masks, sorted; 0 is always among them.

    Raises what `open_label` raises for a broken file or one that is no mask.
    """
    found = {0}
    with ThreadPoolExecutor(_READERS) as pool:
        for labels in pool.map(lambda source: set(open_label(source).labels), masks):
            found |= labels
    return tuple(sorted(found))


def name_values(values: Iterable[int]) -> tuple[tuple[str, ...], tuple[int, ...], tuple[str, ...]]:
    """(classes, label values, notes) for the numbers found in masks that come without a table of names.

    Raises BadDataset when there is only background, or far too many numbers for a mask.
    """
    found = tuple(sorted({0, *values}))
    if len(found) < 2:
        raise BadDataset(
            "The masks hold nothing but background.",
            remedy="Give masks in which the structure has a number above 0.",
        )
    if len(found) > _AT_MOST_LABELS:
        raise BadDataset(
            f"The masks hold {len(found)} different numbers.",
            remedy="Save masks without compression loss (PNG, NIfTI), one whole number a structure.",
        )
    if len(found) == 2:
        return ("background", "foreground"), found, ()
    names = tuple(f"label {value}" for value in found[1:])
    note = f"The labels have no names: they are called by their numbers, {', '.join(map(str, found[1:]))}."
    return ("background", *names), found, (note,)


def _check(case: Case, names: dict[int, str]) -> list[Oddity]:
    found: list[Oddity] = []
    first: Image | Volume | None = None
    for number, source in enumerate(case.pictures):
        try:
            picture = open_picture(source.path, source.item)
        except (BadInput, AskedWrongly) as error:
            found.append(_oddity(case, source, error))
            continue
        first = picture if number == 0 else first
        if picture.array.min() == picture.array.max():
            found.append(
                Oddity(
                    case.id,
                    str(source),
                    "blank",
                    f"{source} has one value everywhere.",
                    "Remove it if it shows nothing.",
                )
            )
    if isinstance(case.label, Source):
        try:
            mask = open_label(case.label, labels=names)
            if first is not None:
                _same_grid(case.pictures[0], first, case.label, mask)
            if not mask.array.any():
                problem = f"{case.label} holds nothing but background."
                found.append(
                    Oddity(case.id, str(case.label), "empty mask", problem, "Fine if there is nothing to find.")
                )
        except (BadInput, AskedWrongly) as error:
            found.append(_oddity(case, case.label, error))
    return found


def _oddity(case: Case, source: Source, error: OslerError) -> Oddity:
    kind = next((name for name, family in _ERRORS.items() if isinstance(error, family)), "unreadable")
    return Oddity(case.id, str(source), kind, error.problem, error.remedy)


def _same_grid(picture_source: Source, picture: Image | Volume, mask_source: Source, mask: Mask) -> None:
    """Raises BadGeometry when mask and picture do not lie on one grid."""
    remedy = "Export the mask on the grid of its picture."
    if picture.array.shape[: mask.array.ndim] != mask.array.shape:
        raise BadGeometry(
            f"{mask_source} has {_size(mask.array.shape)} voxels and {picture_source} has "
            f"{_size(picture.array.shape[: mask.array.ndim])}: they do not lie on one grid.",
            remedy=remedy,
        )
    if not isinstance(picture, Volume) or mask.geometry is None:
        return
    # A tenth of a voxel, so that the rounding of headers is not taken for a shift.
    if not picture.geometry.matches(mask.geometry, tolerance_mm=0.1 * min(picture.geometry.spacing)):
        away = corner_distance_mm(picture.geometry, mask.geometry)
        raise BadGeometry(
            f"{mask_source} and {picture_source} have the same {_size(mask.array.shape)} voxels but lie up to "
            f"{away:.1f} mm apart.",
            remedy=remedy,
        )


def corner_distance_mm(one: Geometry, other: Geometry) -> float:
    """The largest distance between corners of the same index, in mm."""
    corners: Any = np.array(np.meshgrid(*[(0, n - 1) for n in one.shape])).reshape(3, -1).T
    return float(np.linalg.norm(one.to_world(corners) - other.to_world(corners), axis=1).max())


def _patients(count: int) -> str:
    return f"{count} patient{'s' * (count != 1)}"


def _size(shape: Sequence[int]) -> str:
    return " × ".join(str(n) for n in shape)


def _never_drawn(dataset: Dataset, oddities: Sequence[Oddity]) -> list[Oddity]:
    """One oddity when every single mask is empty: nothing can be learnt then."""
    empty = {odd.case for odd in oddities if odd.kind == "empty mask"}
    if not dataset.cases or empty != {case.id for case in dataset.cases}:
        return []
    return [
        Oddity(
            dataset.cases[0].id,
            dataset.name,
            "label",
            f"All {len(dataset.cases)} masks of {dataset.name} hold nothing but background.",
            "Give masks in which the structures have the numbers that the table of labels names.",
        )
    ]

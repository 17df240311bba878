"""Point it at labelled data, and it says what there is to learn."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from osler.core.errors import AskedWrongly, BadDataset, BadInput, UnknownChoice
from osler.lab.catalog.dataset import SPLITS, TASKS, Dataset
from osler.lab.catalog.folders import files_under, pictures_under
from osler.lab.catalog.layouts import classes, decathlon, medmnist, nnunet, paired, sidebyside, studies, table, voc
from osler.lab.catalog.request import Request

# Tried in this order; the first that finds its own marks is taken, so the plainest marks come last.
LAYOUTS: tuple[tuple[str, Callable[[Request], Dataset | None]], ...] = (
    (medmnist.LAYOUT, medmnist.read),
    (decathlon.LAYOUT, decathlon.read),
    (nnunet.LAYOUT, nnunet.read),
    (voc.LAYOUT, voc.read),
    (table.LAYOUT, table.read),
    (paired.LAYOUT, paired.read),
    (sidebyside.LAYOUT, sidebyside.read),
    (studies.LAYOUT, studies.read),
    (classes.LAYOUT, classes.read),
)


def read_dataset(
    path: Path,
    *,
    task: str | None = None,
    target: str | None = None,
    image: tuple[str, ...] = (),
    patient: str | None = None,
) -> Dataset:
    """What there is to learn in a folder or a file, without being told its layout.

    task     one of TASKS, where the one found is not the one meant
    target   the label column of a table, or several joined by commas (yes/no columns); of DICOM studies with
             outlines the names of the structures to learn, joined by commas
    image    the picture columns of a table, one a channel
    patient  the patient column of a table

    Raises AskedWrongly when the path is missing or the request does not fit the data, BadDataset when there are
    no pictures, no labels, one class only or missing files, Unreadable for a broken table, manifest or archive.
    """
    path = Path(path)
    if task is not None and task not in TASKS:
        raise UnknownChoice.among("task", task, TASKS)
    if not path.exists():
        raise AskedWrongly(f"There is no file or folder {path}.", remedy="Check the path.")
    request = Request(path, task, target, image, patient)
    # A table in a folder where nothing else is known was meant, whatever is wrong with it.
    inside = table.table_in(path) if path.is_dir() else None
    attempts = [(name, read, request) for name, read in LAYOUTS]
    attempts += [(table.LAYOUT, table.read, replace(request, path=inside))] if inside else []
    for name, read, wanted in attempts:
        try:
            found = read(wanted)
        except (AskedWrongly, BadInput):
            # In a download of studies the list of series looks like a table, and folders like images and masks.
            name, found = studies.LAYOUT, studies.read(request) if name != studies.LAYOUT else None
            if found is None:
                raise
        if found is not None:
            return _finish(found, request, name)
    raise _nothing_known(path, task)


def _finish(dataset: Dataset, request: Request, layout: str) -> Dataset:
    """Sorted, checked against what was asked, and with what must be said about patients and splits."""
    if request.task is not None and dataset.task != request.task:
        raise AskedWrongly(
            f"{dataset.name} was read as {layout}, whose labels are for {dataset.task}, not {request.task}.",
            remedy="Leave the task out, or give labels of that kind.",
        )
    if request.target and layout not in (table.LAYOUT, studies.LAYOUT):
        raise AskedWrongly(
            f"{dataset.name} was read as {layout}, which has no column '{request.target}'.",
            remedy="Leave the target out, or name the table itself.",
        )
    cases = tuple(sorted(dataset.cases, key=lambda case: case.id))
    twice = {one.id for one, other in pairwise(cases) if one.id == other.id}
    if twice:
        raise BadDataset(
            f"{len(twice)} cases of {dataset.name} have the name of another, {sorted(twice)[0]} first.",
            remedy="Give each case a name of its own.",
        )
    return replace(dataset, cases=cases, notes=(*dataset.notes, *_both_sides(dataset)))


def _both_sides(dataset: Dataset) -> tuple[str, ...]:
    """A note for each two given splits that share patients: scores there are too good."""
    patients: dict[str, set[str]] = defaultdict(set)
    for case in dataset.cases:
        patients[case.split].add(case.patient)
    notes = []
    for index, one in enumerate(SPLITS):
        for other in SPLITS[index + 1 :]:
            if shared := patients[one] & patients[other]:
                count = sum(case.patient in shared for case in dataset.cases if case.split == other)
                notes.append(
                    f"{len(shared)} patients seem to be in both {one} and {other} ({count} cases of {other}): "
                    f"the splits were kept as given, and scores on {other} may be too good."
                )
    return tuple(notes)


def _nothing_known(path: Path, task: str | None) -> BadDataset | AskedWrongly:
    known = ", ".join(name for name, _ in LAYOUTS)
    if path.is_file():
        return BadDataset(f"{path.name} is no table and no npz file.", remedy=f"Known layouts: {known}.")
    if not files_under(path):
        return BadDataset(f"The folder {path} is empty.", remedy="Name the folder that holds the pictures.")
    if not pictures_under(path):
        return BadDataset(
            f"The folder {path} holds no picture that Osler can read.",
            remedy="Give DICOM, NIfTI, NRRD, MHA, PNG, JPEG or TIFF.",
        )
    return BadDataset(
        f"The folder {path} holds pictures, but no labels {f'for {task} ' if task else ''}were found with them.",
        remedy=f"Arrange it in one of the known layouts: {known}.",
    )

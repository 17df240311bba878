"""A cleaned table of a data set: the originals stay as they are."""

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from osler.core.errors import BadDataset
from osler.io.files import replacing
from osler.lab.catalog.care.check import Care
from osler.lab.catalog.dataset import Case, Dataset, Outlines, Source

_FIXABLE = ("binary", "multiclass", "ordinal", "multilabel", "regression", "segmentation")


@dataclass(frozen=True, slots=True)
class Fixed:
    """What stands in the cleaned table.

    kept       cases in it
    left_out   cases that are not
    suspected  cases whose label is doubted; it stays, and column "suspected_label" says which one is likelier
    """

    table: Path
    kept: int
    left_out: tuple[str, ...]
    suspected: int


def write_fixed(dataset: Dataset, care: Care, path: Path) -> Fixed:
    """Write the cases that can be believed to a CSV that the `table` layout reads.

    Left out are cases that cannot be read or do not fit their masks, copies but one, and of patients and pictures
    that stand on both sides of a split the cases on the training side: a test set stays what it is. Doubted labels
    are not changed; they are told in the columns "suspected_label" and "concern".

    Raises BadDataset for boxes and for outlines of DICOM, which a table cannot name, and where nothing is left.
    """
    _refuse(dataset)
    out = {case for concern in care.concerns for case, label in concern.proposed if not label}
    suspected = {case: label for concern in care.concerns for case, label in concern.proposed if label}
    concerns: dict[str, list[str]] = defaultdict(list)
    for concern in care.concerns:
        for name in concern.cases:
            if concern.kind not in concerns[name]:
                concerns[name].append(concern.kind)
    kept = [case for case in dataset.cases if case.id not in out]
    if not kept:
        raise BadDataset(
            f"Nothing of {dataset.name} would be left.", remedy="Look at the concerns, and mend the worst by hand."
        )
    facts = sorted({name for case in kept for name in case.facts})
    channels = [name.replace(" ", "_") for name in dataset.channels]
    images = ["image"] if len(channels) == 1 else [f"image_{name}" for name in channels]
    label = {"segmentation": "mask", "ordinal": "grade", "multilabel": "findings"}.get(dataset.task, "label")
    split = ["split"] if any(one.split for one in kept) else []
    taken = {*images, label, "patient", "split", "suspected_label", "concern"}
    named = [f"{name} (fact)" if name in taken else name for name in facts]
    place = path.resolve().parent
    with replacing(path) as beside, beside.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*images, label, "patient", *split, *named, "suspected_label", "concern"])
        for case in kept:
            writer.writerow(
                [
                    *(_named(source, place) for source in case.pictures),
                    _label(dataset, case, place),
                    case.patient,
                    *([case.split] if split else []),
                    *(case.facts.get(name, "") for name in facts),
                    suspected.get(case.id, ""),
                    "; ".join(concerns.get(case.id, [])),
                ]
            )
    left = tuple(case.id for case in dataset.cases if case.id in out)
    return Fixed(path, len(kept), left, sum(case.id in suspected for case in kept))


def _refuse(dataset: Dataset) -> None:
    drawn = any(isinstance(case.label, Outlines) for case in dataset.cases)
    if dataset.task not in _FIXABLE or drawn:
        what = "outlines of DICOM objects" if drawn else "boxes"
        raise BadDataset(
            f"The labels of {dataset.name} are {what}, which a table cannot name.",
            remedy="Take the list of concerns (--json) and mend the data by hand.",
        )


def _named(source: Source, place: Path) -> str:
    """The path as a table at `place` names it, with "::" before the part of a file that holds many."""
    path = source.path.resolve()
    text = path.relative_to(place).as_posix() if path.is_relative_to(place) else path.as_posix()
    return f"{text}::{source.item}" if source.item else text


def _label(dataset: Dataset, case: Case, place: Path) -> str:
    label = case.label
    if isinstance(label, Source):
        return _named(label, place)
    if dataset.task == "regression" or label is None:
        return "" if label is None else f"{label}"
    if isinstance(label, tuple):
        return "|".join(_present(dataset.classes, [int(flag) for flag in label if isinstance(flag, int)]))
    return dataset.classes[int(label)]


def _present(classes: Sequence[str], flags: Sequence[int]) -> list[str]:
    return [name for name, flag in zip(classes, flags, strict=True) if flag] or ["No Finding"]

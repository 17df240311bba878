"""Pictures that cannot be read, that show nothing, or that do not fit their masks."""

from collections.abc import Sequence

import numpy as np

from osler.core.progress import Tell, silent
from osler.lab.catalog.care.concern import Concern
from osler.lab.catalog.care.look import Look
from osler.lab.catalog.dataset import Dataset
from osler.lab.catalog.labels import check_cases

_REMEDIES = {
    "unreadable": "Copy or export it again; --fix leaves it out.",
    "geometry": "Export the mask on the grid of its picture; --fix leaves the case out.",
    "odd-mask": "Name the number in the table of labels, or repair the mask; --fix leaves the case out.",
}
# What `check_cases` calls it, and what it is here. Empty masks are judged with the odd ones.
_KINDS = {"unreadable": "unreadable", "pixels": "unreadable", "geometry": "geometry", "label": "odd-mask"}


def find_unreadable(looks: Sequence[Look]) -> tuple[Concern, ...]:
    """A concern for each case whose pictures could not be read: missing, damaged, cut short, NaN."""
    return tuple(
        Concern(
            "unreadable", "error", look.problem, _REMEDIES["unreadable"], (look.case,), 1.0, ((look.case, ""),)
        )
        for look in looks
        if look.problem
    )


def find_blank(looks: Sequence[Look]) -> tuple[Concern, ...]:
    """A concern for each case whose pictures have one value everywhere, or nearly."""
    found = []
    for look in looks:
        if look.problem:
            continue
        if look.darkest == look.brightest:
            what = f"{look.case} has one value, {look.darkest:g}, in every pixel."
        elif not look.thumbnail.any() or np.ptp(look.thumbnail) == 0:
            what = f"{look.case} has one value in at least 98 of 100 pixels."
        else:
            continue
        found.append(
            Concern(
                kind="blank",
                severity="warning",
                what=what,
                remedy="Look at it, and leave it out if it shows nothing.",
                cases=(look.case,),
            )
        )
    return tuple(found)


def find_misfits(dataset: Dataset, *, tell: Tell = silent) -> tuple[Concern, ...]:
    """A concern for each mask that cannot be read or does not lie on the grid of its picture.

    Opens pictures and masks; for segmentation only.
    """
    if dataset.task != "segmentation":
        return ()
    oddities = check_cases(dataset, progress=lambda done, total: tell("masks", done, total, ""))
    found = []
    for odd in oddities:
        kind = _KINDS.get(odd.kind)
        if kind is not None:
            found.append(Concern(kind, "error", odd.problem, _REMEDIES[kind], (odd.case,), 1.0, ((odd.case, ""),)))
    return tuple(found)

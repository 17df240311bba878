"""Splits that leak: a few twins are left out of training, more of them forbid it."""

from collections.abc import Sequence
from dataclasses import replace

from osler.core.errors import BadDataset, UnknownChoice
from osler.lab.catalog.care.check import Care
from osler.lab.catalog.care.concern import Concern
from osler.lab.catalog.dataset import Dataset

# The share of val, or of test, up to which the twins of its pictures are left out of training without asking.
# Public sets of thousands of pictures have a handful; where there are more, a person should know how that came.
MENDED = 0.05


def without_leaks(dataset: Dataset, care: Care, *, allowed: Sequence[str] = ()) -> Dataset:
    """The data set without what its given splits share, which is said in its notes.

    allowed  what the user knows of and wants to go on with: "leak" leaves the data set as it is

    Pictures that stand on two sides are left out on the training side while they are at most 5 % of val and of
    test. Raises BadDataset where they are more, or where patients stand on two sides, and UnknownChoice for a
    word in `allowed` that means nothing.
    """
    unknown = [word for word in allowed if word != "leak"]
    if unknown:
        raise UnknownChoice.among("thing to allow", unknown[0], ("leak",))
    if not care.leaks or "leak" in allowed:
        return dataset
    if any(leak.kind == "patient-leak" for leak in care.leaks) or _touched(dataset, care.leaks) > MENDED:
        more = f" {len(care.leaks) - 1} more leaks were found." if len(care.leaks) > 1 else ""
        raise BadDataset(
            f"The splits of {care.dataset} leak, so that no figure on them could be believed. "
            f"{care.leaks[0].what}{more}",
            remedy="Train on the table that osler data check DATA --fix TABLE.csv writes, or go on with "
            "--allow leak: the model then says so.",
        )
    out = {case for leak in care.leaks for case, label in leak.proposed if not label}
    left = len(out)
    said = (
        f"{left} {'picture stands' if left == 1 else 'pictures stand'} on two sides of the given splits and "
        f"{'was' if left == 1 else 'were'} left out on the training side; osler data check shows them."
    )
    kept = tuple(case for case in dataset.cases if case.id not in out)
    return replace(dataset, cases=kept, notes=(*dataset.notes, said))


def _touched(dataset: Dataset, leaks: Sequence[Concern]) -> float:
    """The greatest share of val or of test that also stands on another side."""
    shared = {case for leak in leaks for case in leak.cases}
    shares = [0.0]
    for split in ("val", "test"):
        cases = dataset.split(split).cases
        shares.append(sum(case.id in shared for case in cases) / max(1, len(cases)))
    return max(shares)

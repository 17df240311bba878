"""Everything that may be expected to go wrong.

    OslerError            an expected failure: what happened, where, and what to do about it
    ├── AskedWrongly      the request makes no sense (exit code 2)
    │   └── UnknownChoice a name that is not in the table; the near one is proposed
    ├── BadInput          somebody's file or data set cannot be used (exit code 1)
    │   ├── Unreadable    broken, truncated, or of no known kind
    │   ├── BadPixels     pixels that cannot be meant: NaN, empty, constant
    │   ├── BadGeometry   grids that do not fit each other, missing slices
    │   ├── NoSuv         a PET whose header does not say what a SUV takes
    │   └── BadDataset    labels, classes, patients or files that do not add up
    ├── BadModel          a model folder that is damaged or cannot run here
    ├── NoRoom            the disk or the memory is full
    ├── CannotHold        a result format that cannot hold this report: no mask, no DICOM source
    └── Declined          Osler may not answer: no model for this study, or it is not good enough (exit code 3)

Exit codes are mapped at the edge (`cli/output.py`), never here. Texts never carry a patient's identity.
"""

import difflib
from collections.abc import Iterable


class OslerError(Exception):
    """An expected failure: what happened, where, and what to do about it."""

    def __init__(self, problem: str, *, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.problem} {self.remedy}"

    def __reduce__(self) -> tuple[object, ...]:  # keyword arguments do not survive pickling by themselves
        return (_rebuild, (type(self), self.problem, self.remedy))


class AskedWrongly(OslerError):
    """The request makes no sense as it was put."""


class UnknownChoice(AskedWrongly):
    """A name that is not in the table."""

    @classmethod
    def among(cls, kind: str, name: str, known: Iterable[str]) -> "UnknownChoice":
        """The error for `name` that is not one of `known`, proposing the nearest.

        >>> UnknownChoice.among("net", "u-net", ["resunet", "unet"]).problem
        "There is no net named 'u-net'."
        """
        choices = sorted(known)
        near = difflib.get_close_matches(name, choices, n=1)
        hint = f"Did you mean '{near[0]}'? " if near else ""
        return cls(f"There is no {kind} named '{name}'.", remedy=f"{hint}Known: {', '.join(choices)}.")


class BadInput(OslerError):
    """Somebody's file or data set cannot be used as it is."""


class Unreadable(BadInput):
    """A file that is broken, truncated, or of no known kind."""


class BadPixels(BadInput):
    """Pixels that cannot be meant: NaN, nothing at all, one value everywhere."""


class BadGeometry(BadInput):
    """Grids that do not fit each other, or a stack with holes."""


class NoSuv(BadInput):
    """A PET whose header does not say all that a standardized uptake value takes."""


class BadDataset(BadInput):
    """Labels, classes, patients or files that do not add up."""


class BadModel(OslerError):
    """A model folder that is damaged, or cannot run here."""


class NoRoom(OslerError):
    """The disk or the memory is full."""


class CannotHold(OslerError):
    """A result format that cannot hold this report, or this picture."""


class Declined(OslerError):
    """Osler may not answer: no model may read this study, or the picture is not good enough."""


def _rebuild(kind: type[OslerError], problem: str, remedy: str) -> OslerError:
    return kind(problem, remedy=remedy)

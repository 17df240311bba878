"""What the user said about a data set, beside where it lies."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Request:
    """Where to look, and what the user said so that it need not be guessed.

    path     a folder or a file
    task     one of TASKS, or None: find out
    target   the label column of a table, or the structures of DICOM studies, joined by commas; None: find out
    image    the image columns of a table, or (): find out
    patient  the patient column of a table, or None: find out
    """

    path: Path
    task: str | None = None
    target: str | None = None
    image: tuple[str, ...] = ()
    patient: str | None = None

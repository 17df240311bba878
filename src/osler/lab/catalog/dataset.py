"""Labelled cases: what there is to learn from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from osler.core.geometry import Geometry

TASKS = ("binary", "multiclass", "multilabel", "ordinal", "regression", "segmentation", "detection")
SPLITS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a picture or a mask lies.

    path  the file, or the folder of one DICOM series
    item  which part of a file that holds many: "train_images:12" of an npz; "" for the whole file
    """

    path: Path
    item: str = ""

    def __str__(self) -> str:
        return f"{self.path.name}[{self.item}]" if self.item else self.path.name


@dataclass(frozen=True, slots=True)
class Outline:
    """One structure or segment of a DICOM object, and the class that it is.

    path   the RTSTRUCT or SEG
    item   which of its structures, "roi:5", or segments, "segment:2"
    value  the class's number in the mask
    name   what the class is called
    """

    path: Path
    item: str
    value: int
    name: str


@dataclass(frozen=True, slots=True)
class Outlines(Source):
    """A mask put together from outlines and segments, which are told apart by their names.

    path      the first of the objects
    outlines  the structures, by their value; () where somebody looked for them and found none
    grid      the grid of the case's first picture, on which the mask is made; None for flat pictures
    """

    outlines: tuple[Outline, ...] = ()
    grid: Geometry | None = None

    def __str__(self) -> str:
        others = len({one.path for one in self.outlines} - {self.path})
        return self.path.name + (f" and {others} more" if others else "")


@dataclass(frozen=True, slots=True)
class Box:
    """A labelled rectangle of a detection case, in pixels: first row and column inside, last ones outside."""

    label: int
    top: float
    left: float
    bottom: float
    right: float


Label = int | float | tuple[int, ...] | Source | tuple[Box, ...] | None


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled case.

    id        unique in its data set
    patient   who it belongs to; the unit of splits and intervals
    pictures  one a channel, in the order of the data set's channels
    label     class number (binary, multiclass, ordinal), 0/1 per class (multilabel), number (regression),
              where the mask lies (segmentation: a Source, or Outlines), boxes (detection), None where there is
              none
    split     "train", "val", "test", or "" where the data set does not say
    facts     age, sex, site, whatever a table gave beside the label
    """

    id: str
    patient: str
    pictures: tuple[Source, ...]
    label: Label = None
    split: str = ""
    facts: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Labelled cases and what their labels mean.

    task         one of TASKS
    classes      names in the order of the label numbers; for segmentation classes[0] is "background";
                 () for regression
    channels     names of the pictures of each case, ("CT", "PET"); ("image",) where nobody says
    cases        sorted by id
    layout       which layout was recognized, "MedMNIST npz"
    notes        odd things seen while reading, a sentence each
    label_values segmentation only: the number in the mask files for each class, (0, 1, 2) or (0, 255)
    target       regression only: what is predicted, "age"
    """

    name: str
    root: Path
    task: str
    classes: tuple[str, ...]
    channels: tuple[str, ...]
    cases: tuple[Case, ...]
    layout: str
    notes: tuple[str, ...] = ()
    label_values: tuple[int, ...] = ()
    target: str = ""

    def split(self, name: str) -> "Dataset":
        """Only the cases of one split."""
        return replace(self, cases=tuple(case for case in self.cases if case.split == name))

    @property
    def patients(self) -> int:
        return len({case.patient for case in self.cases})

"""One flat picture: a radiograph, a photograph, a tile. Not a volume with one slice."""

from dataclasses import dataclass, field, replace

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadPixels
from osler.core.facts import Facts
from osler.core.origin import Origin


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """One flat picture. Nothing changes it: every operation returns a new one.

    array         (rows, columns) grey, or (rows, columns, 3) colour; read-only; bright means dense or bright,
                  also where the file said MONOCHROME1
    spacing_mm    between neighbours along (rows, columns); None where the file does not say
    facts         what the header says
    origin        the DICOM object the pixels came from; None for other files
    series_uid, study_uid  "" for files without one
    """

    array: Array
    spacing_mm: tuple[float, float] | None = None
    facts: Facts = field(default_factory=Facts)
    origin: Origin | None = None
    series_uid: str = ""
    study_uid: str = ""

    def __post_init__(self) -> None:
        if self.array.ndim not in (2, 3) or (self.array.ndim == 3 and self.array.shape[2] != 3):
            raise BadPixels(
                f"An image must be (rows, columns) or (rows, columns, 3), not {self.array.shape}.",
                remedy="Save it as grey or RGB.",
            )
        object.__setattr__(self, "array", _frozen(self.array))

    @property
    def colour(self) -> bool:
        return self.array.ndim == 3

    def with_array(self, array: Array, *, spacing_mm: tuple[float, float] | None = None) -> "Image":
        """The same picture's facts, other numbers."""
        return replace(self, array=array, spacing_mm=spacing_mm or self.spacing_mm)


def _frozen(array: Array) -> Array:
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view

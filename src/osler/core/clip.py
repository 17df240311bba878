"""A film: pictures of one place after each other, such as ultrasound, angiography or a bolus being watched."""

from dataclasses import dataclass, field

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadPixels
from osler.core.facts import Facts
from osler.core.image import Image
from osler.core.origin import Origin


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One film. It has no third dimension in space, so nothing in it can be measured in millilitres.

    array       (frames, rows, columns) grey, or (frames, rows, columns, 3) colour uint8; read-only
    times_s     seconds from the first frame to each; () where the file does not say
    spacing_mm  between neighbours along (rows, columns); None where the file does not say
    facts       what the header says
    origins     the DICOM object, and in it the frame, of each frame; () for other files
    notes       what a reader should know of these pixels, a sentence each
    """

    array: Array
    times_s: tuple[float, ...] = ()
    spacing_mm: tuple[float, float] | None = None
    facts: Facts = field(default_factory=Facts)
    origins: tuple[Origin, ...] = ()
    series_uid: str = ""
    study_uid: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.array.ndim not in (3, 4) or (self.array.ndim == 4 and self.array.shape[3] != 3):
            raise BadPixels(
                f"A film must be (frames, rows, columns) or (frames, rows, columns, 3), not {self.array.shape}.",
                remedy="Save it as grey or RGB.",
            )
        for times in (self.times_s, self.origins):
            if times and len(times) != len(self.array):
                raise BadPixels(
                    f"A film of {len(self.array)} frames was given {len(times)} times or origins.",
                    remedy="Give one for each frame.",
                )
        view = np.asarray(self.array).view()
        view.flags.writeable = False
        object.__setattr__(self, "array", view)

    @property
    def colour(self) -> bool:
        return self.array.ndim == 4

    def frame(self, index: int) -> Image:
        """One picture of the film."""
        return Image(
            self.array[index],
            self.spacing_mm,
            self.facts,
            self.origins[index] if self.origins else None,
            self.series_uid,
            self.study_uid,
        )

"""One 3-D picture, and the memory of where each slice came from."""

from dataclasses import dataclass, field, replace

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadGeometry
from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.origin import Origin


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """One 3-D picture. Nothing changes it: every operation returns a new one.

    array          (slices, rows, columns), read-only
    geometry       where each voxel lies (LPS, mm)
    unit           "HU", "SUV", or "" where the numbers mean nothing by themselves (most MR)
    facts          what the header says; facts.modality is "CT", "MR", "PT", ...
    origins        the DICOM object, and in it the frame, of each slice; () for other files
    notes          what a reader should know of how these numbers came about, a sentence each: a tilted gantry,
                   padding that was filled, an SUV that cannot be known
    """

    array: Array
    geometry: Geometry
    unit: str = ""
    facts: Facts = field(default_factory=Facts)
    origins: tuple[Origin, ...] = ()
    series_uid: str = ""
    study_uid: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.array.shape != self.geometry.shape:
            raise BadGeometry(
                f"A volume's array {self.array.shape} and its geometry {self.geometry.shape} differ.",
                remedy="Give each array the geometry it was made with.",
            )
        view = np.asarray(self.array).view()
        view.flags.writeable = False
        object.__setattr__(self, "array", view)

    @property
    def instance_uids(self) -> tuple[str, ...]:
        """SOP Instance UID per slice; several slices may share one multi-frame instance."""
        return tuple(origin.instance_uid for origin in self.origins)

    def with_array(self, array: Array, *, unit: str | None = None) -> "Volume":
        """The same place, other numbers."""
        return replace(self, array=array, unit=self.unit if unit is None else unit)

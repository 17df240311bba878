"""Outlines in the patient, as treatment planning draws them."""

from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadGeometry

CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")


@dataclass(frozen=True, slots=True, eq=False)
class Contour:
    """One line in one plane.

    points        (N, 3) LPS mm, read-only; a closed line goes from the last back to the first
    kind          DICOM's word: "CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "OPEN_PLANAR", "POINT", ...
    instance_uid  SOP Instance UID of the slice it was drawn on, "" where it is not said
    frame         its number in a multi-frame object, from 1; None where the object has one frame
    thickness_mm  of the slab that it stands for, None where it is not said
    """

    points: Array
    kind: str = "CLOSED_PLANAR"
    instance_uid: str = ""
    frame: int | None = None
    thickness_mm: float | None = None

    def __post_init__(self) -> None:
        points = np.array(self.points, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != 3 or not np.isfinite(points).all():
            raise BadGeometry(
                "A contour needs points of three finite numbers.", remedy="Export the structures again."
            )
        points.flags.writeable = False
        object.__setattr__(self, "points", points)

    @property
    def closed(self) -> bool:
        """Does it enclose an area?"""
        return self.kind in CLOSED and len(self.points) >= 3


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """One thing that was outlined: an organ, a tumour, a target.

    number    its ROI number
    name      "Heart", "GTV"; as it was typed, so it may hold anything
    kind      RT ROI Interpreted Type: "ORGAN", "GTV", "PTV", "EXTERNAL", ...; "" where it is not said
    colour    (red, green, blue) 0 to 255, None where it is not said
    contours  () for a structure that was named and not drawn
    """

    number: int
    name: str
    kind: str = ""
    colour: tuple[int, int, int] | None = None
    contours: tuple[Contour, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class StructureSet:
    """All that was outlined on one series of pictures.

    structures     in the order of the file
    frame_uid      Frame of Reference UID of the points
    series_uids    Series Instance UIDs of the pictures they were drawn on
    instance_uids  SOP Instance UIDs of those pictures
    """

    structures: tuple[Structure, ...]
    frame_uid: str = ""
    series_uids: tuple[str, ...] = ()
    instance_uids: tuple[str, ...] = ()

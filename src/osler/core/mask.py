"""Which voxel or pixel belongs to what."""

from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadGeometry
from osler.core.geometry import Geometry


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """Labels on a grid.

    array       (slices, rows, columns) or (rows, columns), small integers; 0 is background
    labels      what each number means, background left out: {1: "anterior", 2: "posterior"}
    geometry    where the voxels lie; None for a flat picture
    spacing_mm  (rows, columns) of a flat picture; None where it is not known, and for volumes
    """

    array: Array
    labels: dict[int, str]
    geometry: Geometry | None = None
    spacing_mm: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.geometry is not None and self.array.shape != self.geometry.shape:
            raise BadGeometry(
                f"A mask's array {self.array.shape} and its geometry {self.geometry.shape} differ.",
                remedy="Give each array the geometry it was made with.",
            )
        view = np.asarray(self.array).view()
        view.flags.writeable = False
        object.__setattr__(self, "array", view)

    def of(self, label: int) -> Array:
        """Where `label` is, as booleans of the mask's shape."""
        found: Array = self.array == label
        return found

    @property
    def spacing(self) -> tuple[float, ...]:
        """Millimetres along each axis; ones where the file does not say."""
        if self.geometry is not None:
            return self.geometry.spacing
        return self.spacing_mm or (1.0,) * self.array.ndim

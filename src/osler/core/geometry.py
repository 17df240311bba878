"""Where voxels lie in the patient: LPS, millimetres, axes (slices, rows, columns)."""

from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadGeometry


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """A grid of voxels in the patient.

    shape   (slices, rows, columns)
    affine  (4, 4): voxel index (slice, row, column, 1) -> position (L, P, S, 1) in mm.
            L grows to the patient's left, P to the back, S to the head (DICOM's frame).
    """

    shape: tuple[int, int, int]
    affine: Array

    def __post_init__(self) -> None:
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise BadGeometry(
                "A geometry needs a 4 by 4 matrix of finite numbers.",
                remedy="Repair the orientation and spacing in the file's header.",
            )
        if abs(np.linalg.det(affine[:3, :3])) < 1e-9:
            raise BadGeometry(
                "A geometry has two axes that point the same way, or an axis without length.",
                remedy="Repair the orientation and spacing in the file's header.",
            )
        affine.flags.writeable = False
        object.__setattr__(self, "affine", affine)
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))

    @classmethod
    def from_spacing(
        cls,
        shape: tuple[int, int, int],
        spacing: tuple[float, float, float],
        origin: tuple[float, float, float] = (0, 0, 0),
    ) -> "Geometry":
        """An upright grid: slices towards the head, rows to the back, columns to the left.

        shape, spacing  along (slices, rows, columns), spacing in mm
        origin          (L, P, S) in mm of the first voxel's centre
        """
        affine = np.zeros((4, 4))
        affine[2, 0], affine[1, 1], affine[0, 2] = spacing
        affine[:3, 3] = origin
        affine[3, 3] = 1
        return cls(shape, affine)

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Millimetres between neighbours along (slices, rows, columns).

        >>> Geometry((40, 512, 512), np.diag([5.0, 0.7, 0.7, 1.0])).spacing
        (5.0, 0.7, 0.7)
        """
        s, r, c = (float(x) for x in np.linalg.norm(self.affine[:3, :3], axis=0))
        return s, r, c

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in millilitres, right for sheared grids too."""
        return float(abs(np.linalg.det(self.affine[:3, :3])) / 1000)

    def to_world(self, index: Array) -> Array:
        """Voxel indices (N, 3) -> positions (N, 3), LPS mm."""
        moved: Array = np.asarray(index, float) @ self.affine[:3, :3].T + self.affine[:3, 3]
        return moved

    def to_index(self, position: Array) -> Array:
        """Positions (N, 3), LPS mm -> fractional voxel indices (N, 3)."""
        moved: Array = (np.asarray(position, float) - self.affine[:3, 3]) @ np.linalg.inv(self.affine[:3, :3]).T
        return moved

    def with_grid(self, shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> "Geometry":
        """The same box of the patient cut into other voxels; outer faces stay where they are.

        shape, spacing  along (slices, rows, columns); the caller keeps shape x spacing near the old extent
        """
        scale = np.asarray(spacing) / np.asarray(self.spacing)
        affine = self.affine.copy()
        affine[:3, :3] = self.affine[:3, :3] * scale
        # Voxel centres sit half a voxel inside the faces, so the first centre moves when the voxel grows.
        affine[:3, 3] = self.affine[:3, 3] + self.affine[:3, :3] @ ((scale - 1) / 2)
        return Geometry(shape, affine)

    def matches(self, other: "Geometry", *, tolerance_mm: float = 1e-2) -> bool:
        """Do both grids have the same shape and the same corners?"""
        if self.shape != other.shape:
            return False
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in self.shape])).reshape(3, -1).T
        return bool(np.abs(self.to_world(corners) - other.to_world(corners)).max() <= tolerance_mm)

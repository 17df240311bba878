"""One outlined structure, made ready for its features: cut out, interpolated, re-segmented, in grey levels."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from osler.clinic.measure.radiomics.discretise import discretise
from osler.clinic.measure.radiomics.interpolate import grid_around, interpolate
from osler.clinic.measure.radiomics.levels import Levels, levels_of
from osler.clinic.measure.radiomics.resegment import resegment
from osler.clinic.measure.radiomics.settings import Settings
from osler.core.arrays import Array, Labels
from osler.core.errors import AskedWrongly, BadGeometry, BadPixels
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.volume import Volume

PEAK_RADIUS_MM = (3 / (4 * np.pi)) ** (1 / 3) * 10  # a sphere of 1 cm3
_HALF = 0.5 - 1e-9  # a voxel half inside is inside, whatever rounding makes of its half


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A window around one structure: on each side, where the picture goes on, wider by the radius of 1 cm3.

    intensity  (slices, rows, columns) float64, also outside the structure
    shape      booleans: the structure as drawn (IBSI: morphological mask)
    inside     booleans: its voxels whose intensities count (IBSI: intensity mask)
    spacing    mm along (slices, rows, columns)
    unit       of the intensities, "" where they have none
    values     (voxels,) intensities of `inside`, in the array's order
    levels     their grey levels
    count      grey levels that there may be: of bins of one size up to the highest that was met
    """

    intensity: Array
    shape: Array
    inside: Array
    spacing: tuple[float, float, float]
    unit: str
    values: Array
    levels: Labels
    count: int

    def grid(self) -> Levels:
        """The grey levels where they lie, for texture."""
        return levels_of(self.inside, self.levels, self.count)


def region_of(volume: Volume, mask: Mask, label: int, settings: Settings) -> Region:
    """The structure `label` on the grid and in the grey levels of `settings`.

    Raises BadGeometry where the mask does not lie on the volume's grid or the grid is sheared; BadPixels where the
    label has no voxel, none is left by re-segmentation or interpolation, or intensities around it are no numbers;
    AskedWrongly where the settings are meant for another unit.
    """
    _check_grids(volume.geometry, mask.geometry)
    if settings.unit and volume.unit and settings.unit != volume.unit:
        raise AskedWrongly(
            f"These settings are meant for {settings.unit}, and the picture is in {volume.unit}.",
            remedy='Choose other settings, or write your own with "unit": "" (docs/how-to/measure.md).',
        )
    drawn = mask.of(label)
    if not drawn.any():
        raise BadPixels(
            f"Label {label} has no voxel in the mask.",
            remedy=f"Choose one of the labels that it has: {_listed(mask)}.",
        )
    grid = grid_around(drawn, volume.geometry.spacing, settings.spacing_mm, PEAK_RADIUS_MM)
    order: Literal[1, 3] = 3 if settings.interpolation == "cubic" else 1
    intensity = interpolate(volume.array, grid, order=order, rounded=settings.rounded)
    if not np.isfinite(intensity).all():
        raise BadPixels(
            f"Some intensities in or around label {label} are no numbers (NaN or infinite).",
            remedy="Fill them in the picture, or leave them and their neighbourhood out of the mask.",
        )
    shape = interpolate(drawn, grid, order=1) >= _HALF
    if not shape.any():
        raise BadPixels(
            f"Nothing is left of label {label} on a grid of {_grid(grid.spacing)} mm: it is too small.",
            remedy="Choose a finer spacing_mm in the settings, or 0 to keep the picture's own.",
        )
    inside = resegment(intensity, shape, settings.between, settings.sigmas)
    if not inside.any():
        raise BadPixels(
            f"No voxel of label {label} has an intensity in the range of the settings.",
            remedy='Widen "between" in the settings, or look whether the picture has the unit they are meant for.',
        )
    values = intensity[inside]
    unit = volume.unit or settings.unit  # who names settings for HU says that the picture is in HU
    levels = discretise(values, settings.bins)
    count = settings.bins.count or int(levels.max())
    return Region(intensity, shape, inside, grid.spacing, unit, values, levels, count)


def _check_grids(picture: Geometry, drawn: Geometry | None) -> None:
    if drawn is None or not picture.matches(drawn):
        raise BadGeometry(
            "The mask does not lie on the picture's grid.",
            remedy="Draw it on this picture, or let osler measure lay it onto the grid with --resample-mask.",
        )
    axes = picture.affine[:3, :3] / np.linalg.norm(picture.affine[:3, :3], axis=0)
    if np.abs(axes.T @ axes - np.eye(3)).max() > 1e-3:
        raise BadGeometry(
            "The axes of the picture's grid are not at right angles, so neighbours lie at unequal distances.",
            remedy="Convert it to an upright grid first: osler convert PICTURE upright.nii.gz.",
        )


def _listed(mask: Mask) -> str:
    return ", ".join(str(value) for value in np.unique(mask.array) if value) or "none, the mask is empty"


def _grid(spacing: tuple[float, ...]) -> str:
    return " x ".join(f"{step:g}" for step in spacing)

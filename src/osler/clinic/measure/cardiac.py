"""How large the heart's chambers are and how much they pump, from outlines in end-diastole and end-systole.

Sources: Schulz-Menger et al. 2020, J Cardiovasc Magn Reson 22: 19 (SCMR: volumes by summing slices, 1.05 g/ml);
Mosteller 1987, N Engl J Med 317: 1098 (body surface). Codes: DICOM PS3.16, LOINC.
"""

import math
from dataclasses import dataclass

import numpy as np

from osler.clinic.measure.boundary import HalfVoxel, half_voxel
from osler.clinic.measure.inside import drawn
from osler.core.arrays import Array
from osler.core.codes import Code
from osler.core.errors import AskedWrongly, BadGeometry, BadInput
from osler.core.finding import Measurement
from osler.core.mask import Mask
from osler.core.quantity import Quantity
from osler.results.sentences import say

EJECTION_FRACTION = Code("10230-1", "LN", "Left ventricular Ejection fraction")
STROKE_VOLUME = Code("90096001", "SCT", "Stroke Volume")
RV_STROKE_VOLUME = Code("429483009", "SCT", "RV Stroke Volume")
WALL_THICKNESS = Code("122445", "DCM", "Wall Thickness")

MUSCLE_G_PER_ML = 1.05


@dataclass(frozen=True, slots=True)
class Chambers:
    """Which label is what, in both masks; None where it was not drawn.

    left, right  the cavities, with papillary muscles or without, but the same way in both phases
    muscle       the left ventricle's wall
    """

    left: int | None = None
    right: int | None = None
    muscle: int | None = None


def body_surface_m2(weight_kg: float, height_m: float) -> float:
    """By Mosteller. Raises AskedWrongly for a weight or height that is not above 0.

    >>> round(body_surface_m2(70, 1.75), 2)
    1.84
    """
    if not (0 < weight_kg < math.inf and 0 < height_m < 3):
        raise AskedWrongly(
            "A body surface needs a weight in kg and a height in m.", remedy="Check what was given, and its units."
        )
    return math.sqrt(weight_kg * height_m * 100 / 3600)


def heart_measures(
    diastole: Mask, systole: Mask, chambers: Chambers, *, surface_m2: float | None = None
) -> tuple[Measurement, ...]:
    """Volumes, stroke volume and ejection fraction of each chamber that was drawn; mass and thickness of the wall.

    diastole, systole  masks of end-diastole and end-systole, each on its own grid
    surface_m2         body surface; volumes and mass per m2 are left out without it

    Volumes carry the interval that half a voxel at their boundary makes. That of the ejection fraction lets both
    phases err to the same side, as one reader or one model does. Mass and wall thickness are of end-diastole.

    Raises BadInput where a chamber that is named has no voxel in one of the phases, or where it is larger in
    systole than in diastole; BadGeometry for flat masks.
    """
    found: list[Measurement] = []
    for label, side in ((chambers.left, "left"), (chambers.right, "right")):
        if label is not None:
            found += _pumped(_ml(diastole, label), _ml(systole, label), side, surface_m2)
    if chambers.muscle is not None:
        wall = _scaled(_ml(diastole, chambers.muscle), MUSCLE_G_PER_ML)
        found += _indexed(say("measure.heart.mass"), wall, "g", surface_m2)
        if chambers.left is not None:
            found += wall_thickness(diastole, chambers.left, chambers.muscle)
    return tuple(found)


def wall_thickness(mask: Mask, cavity: int, muscle: int) -> tuple[Measurement, ...]:
    """The mean and the greatest thickness of the wall in mm, in slices through the cavity.

    From each voxel of the wall beside the cavity to the nearest voxel outside of both, within its slice; () where
    no slice shows a wall beside a cavity. Raises BadInput where a label has no voxel.
    """
    from scipy import ndimage

    inner, wall = drawn(mask, cavity), drawn(mask, muscle)
    found: list[Array] = []
    for index in np.flatnonzero(inner.any(axis=(1, 2)) & wall.any(axis=(1, 2))):
        beside = ndimage.binary_dilation(inner[index]) & wall[index]
        # One pixel of rim: a wall that ends at the picture's edge ends there.
        whole = np.pad(inner[index] | wall[index], 1)
        away = ndimage.distance_transform_edt(whole, sampling=mask.spacing[-2:])[1:-1, 1:-1]
        found.append(away[beside])
    lengths = np.concatenate(found) if found else np.zeros(0)
    if not len(lengths):
        return ()
    return (
        Measurement(say("measure.heart.wall_mean"), Quantity(float(lengths.mean()), "mm"), WALL_THICKNESS),
        Measurement(say("measure.heart.wall"), Quantity(float(lengths.max()), "mm"), WALL_THICKNESS),
    )


def _pumped(filled: HalfVoxel, empty: HalfVoxel, side: str, surface_m2: float | None) -> list[Measurement]:
    if empty.drawn > filled.drawn:
        raise BadInput(
            f"The {side} ventricle is larger in the mask of end-systole than in that of end-diastole.",
            remedy="Check that the two phases were not given the wrong way round.",
        )
    name = say(f"measure.heart.{side}")
    found = _indexed(say("measure.heart.filled", ventricle=name), filled, "ml", surface_m2)
    found += _indexed(say("measure.heart.empty", ventricle=name), empty, "ml", surface_m2)
    stroke = Quantity(filled.drawn - empty.drawn, "ml")
    code = STROKE_VOLUME if side == "left" else RV_STROKE_VOLUME
    found.append(Measurement(say("measure.heart.stroke", ventricle=name), stroke, code))
    shares = [
        100 * (1 - small / large)
        for large, small in (
            (filled.drawn, empty.drawn),
            (filled.inner, empty.inner),
            (filled.outer, empty.outer),
        )
    ]
    fraction = Quantity(shares[0], "%", min(shares), max(shares))
    code_of_fraction = EJECTION_FRACTION if side == "left" else None
    found.append(Measurement(say("measure.heart.fraction", ventricle=name), fraction, code_of_fraction))
    return found


def _indexed(name: str, size: HalfVoxel, unit: str, surface_m2: float | None) -> list[Measurement]:
    """A size, and where the body's surface is known the same per square metre."""
    found = [Measurement(name, Quantity(size.drawn, unit, size.inner, size.outer))]
    if surface_m2 is not None:
        each = _scaled(size, 1 / surface_m2)
        per = Quantity(each.drawn, f"{unit}/m2", each.inner, each.outer)
        found.append(Measurement(say("measure.heart.indexed", name=name), per))
    return found


def _ml(mask: Mask, label: int) -> HalfVoxel:
    if mask.geometry is None:
        raise BadGeometry("A flat mask holds no volume.", remedy="Give the masks of the whole stack of slices.")
    return _scaled(half_voxel(drawn(mask, label)), mask.geometry.voxel_ml)


def _scaled(size: HalfVoxel, factor: float) -> HalfVoxel:
    return HalfVoxel(size.inner * factor, size.drawn * factor, size.outer * factor)

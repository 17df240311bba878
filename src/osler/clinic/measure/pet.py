"""How much sugar a lesion takes up: SUVmax, SUVmean, SUVpeak, SULpeak, metabolic tumour volume and glycolysis.

Every number is of SUV by body weight (g/ml); volumes must say so (`unit` "SUV").

SUVpeak is the greatest mean in a ball of exactly 1 cm3 (radius 6.2035 mm) whose centre is the centre of a voxel
inside the outline; the ball may reach beyond the outline, and each voxel counts with the share of it that lies in
the ball. (The IBSI's local intensity peak counts a voxel wholly when its centre lies in the ball, else not at all,
and centres the ball on the hottest voxel; the two differ by some percent in voxels of 3 to 5 mm.)

Sources: Wahl et al. 2009, J Nucl Med 50 (Suppl 1): 122S-150S (PERCIST, SUVpeak, SUL); Boellaard et al. 2015, Eur J
Nucl Med Mol Imaging 42: 328-354 (EANM guideline: 41 % and 50 % of SUVmax); Barrington and Meignan 2019, J Nucl Med
60: 1096-1102 (fixed 2.5 and 4.0); Larson et al. 1999, Clin Positron Imaging 2: 159-171 (TLG). Codes: PS3.16.
"""

import math
from dataclasses import dataclass

import numpy as np

from osler.clinic.measure.boundary import half_voxel
from osler.clinic.measure.inside import outline, values_inside
from osler.clinic.measure.intensity import MAXIMUM, MEAN
from osler.core.arrays import Array
from osler.core.codes import Code
from osler.core.errors import BadGeometry, BadPixels, NoSuv
from osler.core.finding import Measurement
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.patient import Patient
from osler.core.quantity import Quantity
from osler.core.volume import Volume
from osler.io.dicom.suv import lean_body_mass
from osler.results.sentences import say

PEAK = Code("126031", "DCM", "Peak Value Within ROI")
METABOLIC_VOLUME = Code("126032", "DCM", "Metabolic Volume")
GLYCOLYSIS = Code("126033", "DCM", "Total Lesion Glycolysis")

PEAK_RADIUS_MM = (3 * 1000 / (4 * math.pi)) ** (1 / 3)  # 6.2035: 1 cm3
FIXED_SUV = (2.5, 4.0)
SHARES_OF_MAX = (0.41, 0.50)
_STEP_MM = 0.05  # between the lines that a ball is measured along


@dataclass(frozen=True, slots=True)
class Peak:
    """The mean in a ball of 1 cm3.

    value      in the picture's unit
    centre_mm  (x, y, z) of the ball's centre, LPS
    share      of the ball that lies inside the picture; below 1 the mean is of that part alone
    """

    value: float
    centre_mm: tuple[float, float, float]
    share: float


@dataclass(frozen=True, slots=True)
class Uptake:
    """Mean and standard deviation (divided by n) of the SUV in a healthy region, and its number of voxels."""

    mean: float
    deviation: float
    voxels: int


def suv_measures(
    volume: Volume, mask: Mask, label: int, *, lean_factor: float | None = None, liver: Uptake | None = None
) -> tuple[Measurement, ...]:
    """Everything that is measured of one lesion's uptake.

    lean_factor  SUL = SUV x this, see `lean_factor`; None leaves out SULpeak
    liver        uptake of the healthy liver; None leaves out the volume above it

    SUVmax, SUVmean and TLG are of the outline as it was drawn. The metabolic volumes, each with its TLG, are of
    the voxels inside the outline at or above a threshold, see `threshold_masks`. Volumes and TLG carry the
    interval that half a voxel at their boundary makes; the uptakes carry none: one scan does not tell their error.

    Raises NoSuv where the volume is not in SUV, BadInput where the label has no voxel, BadGeometry where mask and
    volume are not on one grid, BadPixels where a voxel inside or within the ball's reach holds no number.
    """
    _check_suv(volume)
    binary = outline(volume, mask, label)
    values = values_inside(volume, binary)
    found = [
        Measurement(say("measure.suv_max"), Quantity(float(values.max()), "SUV"), MAXIMUM),
        Measurement(say("measure.suv_mean"), Quantity(float(values.mean()), "SUV"), MEAN),
    ]
    peak = suv_peak(volume.array, volume.geometry, binary)
    found.append(_peak(peak, "SUV", 1.0, "measure.suv_peak"))
    if lean_factor is not None:
        found.append(_peak(peak, "SUL", lean_factor, "measure.sul_peak"))
    at_max = suv_peak(volume.array, volume.geometry, binary, at_max=True)
    found.append(_peak(at_max, "SUV", 1.0, "measure.suv_peak_at_max"))
    found.append(_glycolysis(volume, binary, say("measure.glycolysis")))
    for name, above in threshold_masks(volume, mask, label, liver=liver).items():
        edge, one = half_voxel(above), volume.geometry.voxel_ml
        size = Quantity(edge.drawn * one, "ml", edge.inner * one, edge.outer * one)
        found.append(Measurement(say("measure.metabolic_volume", threshold=name), size, METABOLIC_VOLUME))
        found.append(_glycolysis(volume, above, say("measure.glycolysis_above", threshold=name)))
    return tuple(found)


def threshold_masks(volume: Volume, mask: Mask, label: int, *, liver: Uptake | None = None) -> dict[str, Array]:
    """Voxels inside `label` at or above each threshold, by what the threshold is called in a report.

    Fixed SUV 2.5 and 4.0; 41 % and 50 % of the SUVmax inside this label, so that each lesion needs a label of its
    own; and the liver's mean plus twice its standard deviation, where that is given. Booleans of the mask's shape;
    none is set where the lesion stays below a threshold.

    Raises NoSuv, BadInput, BadGeometry, BadPixels as `suv_measures` does.
    """
    _check_suv(volume)
    binary = outline(volume, mask, label)
    hottest = float(values_inside(volume, binary).max())
    limits = {say("measure.threshold.fixed", suv=f"{suv:.1f}"): suv for suv in FIXED_SUV}
    for share in SHARES_OF_MAX:
        limits[say("measure.threshold.share", percent=f"{share:.0%}".replace("%", " %"))] = share * hottest
    if liver is not None:
        limits[say("measure.threshold.liver")] = liver.mean + 2 * liver.deviation
    return {name: binary & (volume.array >= limit) for name, limit in limits.items()}


def reference_uptake(volume: Volume, mask: Mask, label: int) -> Uptake:
    """The uptake of a healthy region: the liver, the blood pool.

    Raises NoSuv, BadInput, BadGeometry, BadPixels as `suv_measures` does.
    """
    _check_suv(volume)
    values = values_inside(volume, outline(volume, mask, label))
    return Uptake(float(values.mean()), float(values.std()), len(values))


def lean_factor(patient: Patient, *, formula: str = "janmahasatian") -> float | None:
    """SUV by body weight x this = SUL, by lean body mass; None where weight, height or sex is not known.

    formula  as `osler.io.dicom.suv.lean_body_mass`; PERCIST was written with "james128"
    """
    if patient.weight_kg is None or patient.height_m is None or patient.sex not in ("F", "M"):
        return None
    return lean_body_mass(patient.weight_kg, patient.height_m, patient.sex, formula=formula) / patient.weight_kg


def suv_peak(array: Array, geometry: Geometry, binary: Array, *, at_max: bool = False) -> Peak:
    """The greatest mean of `array` in a ball of 1 cm3 centred on a voxel of `binary`; of equal ones the first.

    array, binary  (slices, rows, columns) of geometry.shape
    at_max         the ball sits on the hottest voxel of `binary` instead, the first of equally hot ones

    Raises BadGeometry where shapes differ or `binary` is empty, BadPixels where a voxel within the ball's reach
    holds no number.
    """
    if not array.shape == binary.shape == geometry.shape or not binary.any():
        raise BadGeometry(
            f"A picture {array.shape} and an outline {binary.shape} with {int(binary.sum())} voxels have no peak.",
            remedy="Give an outline on the picture's grid with at least one voxel.",
        )
    weights = ball_weights(geometry)
    reach = [n // 2 for n in weights.shape]
    start, values, present, inside = _surroundings(array, binary, reach)
    offsets, shares = _steps(weights, values.shape)
    flat, there = values.ravel(), present.ravel()
    places = np.flatnonzero(inside)
    hottest = places[[int(flat[places].argmax())]]
    if at_max:
        centres = hottest
    else:
        # A ball's mean is at most its hottest voxel: only balls that hold one as hot as a mean already found
        # can be the answer.
        least, _ = _means(flat, there, hottest, offsets, shares)
        enough = least[0] - 1e-9 * abs(least[0])  # a mean of equal numbers may be rounded to more than they are
        centres = np.flatnonzero(inside & _near((values >= enough) & present, reach))
    means, parts = _means(flat, there, centres, offsets, shares)
    best = int(means.argmax())
    index = np.array(np.unravel_index(int(centres[best]), values.shape)) + start
    x, y, z = (float(v) for v in geometry.to_world(index[None])[0])
    return Peak(float(means[best]), (x, y, z), float(parts[best]))


def ball_weights(geometry: Geometry, radius_mm: float = PEAK_RADIUS_MM) -> Array:
    """The share of each voxel that lies in a ball around the middle voxel's centre; odd sizes along each axis.

    The ball is cut into lines along the slice axis, at most .05 mm apart. Along a line the share is exact.
    """
    along, *across = geometry.affine[:3, :3].T  # how far one step goes along each axis, mm (x, y, z)
    reach = np.floor(radius_mm * np.linalg.norm(np.linalg.inv(geometry.affine[:3, :3]), axis=1) + 0.5).astype(int)
    lines, counts = [], []
    for step, far in zip(across, reach[1:], strict=True):
        count = math.ceil(float(np.linalg.norm(step)) / _STEP_MM)
        lines.append((np.arange((2 * far + 1) * count) + 0.5) / count - far - 0.5)
        counts.append(count)
    foot = lines[0][:, None, None] * across[0] + lines[1][None, :, None] * across[1]  # (rows, columns, xyz)
    square, mixed = float(along @ along), foot @ along
    inner = mixed**2 - square * ((foot**2).sum(axis=-1) - radius_mm**2)
    half = np.sqrt(np.maximum(inner, 0)) / square
    enters, leaves = -mixed / square - half, -mixed / square + half  # in slices; equal where the line passes by
    steps = np.arange(-reach[0], reach[0] + 1)[:, None, None]
    length = np.maximum(np.minimum(leaves, steps + 0.5) - np.maximum(enters, steps - 0.5), 0)
    rows, columns = (2 * far + 1 for far in reach[1:])
    shares: Array = length.reshape(len(steps), rows, counts[0], columns, counts[1]).mean(axis=(2, 4))
    return shares


def _check_suv(volume: Volume) -> None:
    if volume.unit != "SUV":
        unit = f"in {volume.unit}" if volume.unit else "in a unit that its file does not name"
        raise NoSuv(
            f"The picture is {unit}, not in SUV.",
            remedy="Give the DICOM series of the PET, or a file whose numbers are known to be SUV and said to be.",
        )


def _peak(peak: Peak, unit: str, factor: float, key: str) -> Measurement:
    name = say(key) if peak.share > 1 - 1e-6 else say("measure.peak_cut", name=say(key), share=f"{peak.share:.0%}")
    return Measurement(name, Quantity(peak.value * factor, unit), PEAK)


def _glycolysis(volume: Volume, binary: Array, name: str) -> Measurement:
    """Mean SUV x volume: the sum over its voxels, in grams (g/ml x ml)."""
    one = volume.geometry.voxel_ml
    edge = half_voxel(binary, volume.array)
    low, high = min(edge.inner, edge.drawn) * one, max(edge.outer, edge.drawn) * one
    known = math.isfinite(high)  # a voxel beside the outline may hold no number
    return Measurement(
        name, Quantity(edge.drawn * one, "g", low if known else None, high if known else None), GLYCOLYSIS
    )


def _surroundings(array: Array, binary: Array, reach: list[int]) -> tuple[Array, Array, Array, Array]:
    """The outline's box and as much around it as a ball reaches: (its first index, values, present, inside).

    Beyond the picture nothing is present and values are 0.
    """
    met = np.nonzero(binary)
    start = np.array([int(axis.min()) - far for axis, far in zip(met, reach, strict=True)])
    end = np.array([int(axis.max()) + far + 1 for axis, far in zip(met, reach, strict=True)])
    low, high = np.maximum(start, 0), np.minimum(end, array.shape)
    source = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    target = tuple(slice(int(a), int(b)) for a, b in zip(low - start, high - start, strict=True))
    shape = tuple(int(n) for n in end - start)
    values, present, inside = np.zeros(shape), np.zeros(shape, bool), np.zeros(shape, bool)
    values[target], present[target], inside[target] = array[source], True, binary[source]
    if not np.isfinite(values).all():
        raise BadPixels(
            "Some voxels within 6.2 mm of the outline's box hold no number (NaN or infinite).",
            remedy="Export the picture again.",
        )
    return start, values, present, inside


def _steps(weights: Array, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """(k,) steps in the flattened array from a ball's centre to each voxel it touches, and their weights."""
    places = np.argwhere(weights > 0) - np.array(weights.shape) // 2
    return places @ np.array((shape[1] * shape[2], shape[2], 1)), weights[weights > 0] / weights.sum()


def _means(flat: Array, present: Array, centres: Array, offsets: Array, shares: Array) -> tuple[Array, Array]:
    """(n,) mean in the ball around each centre, and the share of the ball that is present."""
    total, part = np.zeros(len(centres)), np.zeros(len(centres))
    for offset, share in zip(offsets, shares, strict=True):
        total += share * flat[centres + offset]
        part += share * present[centres + offset]
    return total / part, part


def _near(hot: Array, reach: list[int]) -> Array:
    """Within a ball's reach of a voxel of `hot`, and in the corners of its box."""
    from scipy import ndimage

    near: Array = ndimage.maximum_filter(hot, size=[2 * far + 1 for far in reach])
    return near

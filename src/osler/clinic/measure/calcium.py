"""Calcium in the coronary arteries on CT without contrast: Agatston, volume and mass score.

Sources: Agatston et al. 1990, J Am Coll Cardiol 15: 827-832; Ohnesorge et al. 2002, Eur Radiol 12: 1532-1540
(thickness); Callister et al. 1998, Radiology 208: 807-814 (volume score); Hong et al. 2002, Radiology 223: 474-480
(mass); Gräni et al. 2018 (other tube voltages need other limits). Codes: DICOM PS3.16.
"""

from dataclasses import dataclass

import numpy as np

from osler.clinic.measure.inside import check_grid
from osler.core.arrays import Array
from osler.core.codes import Code
from osler.core.errors import BadGeometry, BadInput, BadPixels, Declined
from osler.core.finding import Measurement
from osler.core.mask import Mask
from osler.core.quantity import Quantity
from osler.core.volume import Volume
from osler.imaging.components import components
from osler.results.sentences import say

AGATSTON = Code("450360000", "SCT", "Coronary artery calcium score")
CALCIUM_VOLUME = Code("122660", "DCM", "Calcium Volume")
CALCIUM_MASS = Code("122661", "DCM", "Calcium Mass")

LIMIT_HU = 130.0
LEAST_MM2 = 1.0
KVP = 120.0
THICKNESS_MM = 3.0
_WEIGHTS_HU = (
    130.0,
    200.0,
    300.0,
    400.0,
)  # from here on weight 1, 2, 3, 4, by the densest voxel


@dataclass(frozen=True, slots=True)
class Scan:
    """How the CT was made; None where it is not known.

    kvp        tube voltage
    contrast   was contrast given?
    """

    kvp: float | None = None
    contrast: bool | None = None


@dataclass(frozen=True, slots=True)
class CalciumScore:
    """One vessel's, or all vessels'.

    agatston    the score, weighed for slices that are not 3 mm thick
    volume_mm3  voxels of all lesions times their volume
    mass_mg     calcium hydroxyapatite; None without a calibration
    lesions     pieces in a slice that were counted
    """

    agatston: float
    volume_mm3: float
    mass_mg: float | None
    lesions: int


def calcium_scores(
    volume: Volume,
    mask: Mask,
    scan: Scan,
    *,
    limit_hu: float | None = None,
    mg_per_hu_ml: float | None = None,
) -> dict[str, CalciumScore]:
    """The score of each vessel by its name, and of all under "".

    mask          a label for each vessel, drawn at least as large as its calcium; what is outside is not counted
    limit_hu      from where a voxel is calcium; None: 130 HU, which holds at 120 kVp alone
    mg_per_hu_ml  the scanner's calibration: mg of hydroxyapatite per HU and ml

    In each slice and label, voxels at or above the limit that touch by an edge or a corner are one lesion; it
    counts from 1 mm2 on with its area times its weight (1 below 200 HU, 2 below 300, 3 below 400, else 4, by its
    densest voxel), times the distance of slices / 3 mm.

    Raises Declined where contrast was given or nobody says, or where the voltage is not 120 kVp or nobody says and
    no limit was given; BadInput where the volume is not in HU, or the mask names no label; BadGeometry where mask
    and volume are not on one grid or slices are not axial; BadPixels where a voxel in the mask holds no number.
    """
    _check_scan(scan, limit_hu)
    _check(volume, mask)
    limit = LIMIT_HU if limit_hu is None else limit_hu
    geometry = volume.geometry
    slice_mm, rows_mm, columns_mm = geometry.spacing
    scores = {}
    for label, name in mask.labels.items():
        agatston = voxels = counted = 0.0
        hu = 0.0
        inside = mask.of(label)
        for index in np.flatnonzero(inside.any(axis=(1, 2))):
            plane = volume.array[index]
            for area, values in _pieces(plane, inside[index] & (plane >= limit), rows_mm * columns_mm):
                agatston += area * _weight(float(values.max()))
                voxels, hu, counted = voxels + len(values), hu + float(values.sum()), counted + 1
        mass = None if mg_per_hu_ml is None else mg_per_hu_ml * hu * geometry.voxel_ml
        size = voxels * geometry.voxel_ml * 1000
        scores[name] = CalciumScore(agatston * slice_mm / THICKNESS_MM, size, mass, int(counted))
    masses = [one.mass_mg for one in scores.values() if one.mass_mg is not None]
    scores[""] = CalciumScore(
        sum(one.agatston for one in scores.values()),
        sum(one.volume_mm3 for one in scores.values()),
        sum(masses) if mg_per_hu_ml is not None else None,
        sum(one.lesions for one in scores.values()),
    )
    return scores


def calcium_measures(
    volume: Volume,
    mask: Mask,
    scan: Scan,
    *,
    limit_hu: float | None = None,
    mg_per_hu_ml: float | None = None,
) -> tuple[Measurement, ...]:
    """`calcium_scores` as measurements, all vessels first; the score is called estimated where slices are not 3 mm
    thick or the limit is not 130 HU. Raises as `calcium_scores` does.
    """
    scores = calcium_scores(volume, mask, scan, limit_hu=limit_hu, mg_per_hu_ml=mg_per_hu_ml)
    plain = abs(volume.geometry.spacing[0] - THICKNESS_MM) < 0.05 and limit_hu in (None, LIMIT_HU)
    title = say("measure.agatston") if plain else say("measure.agatston_estimated")
    found = []
    for vessel in ("", *mask.labels.values()):
        score = scores[vessel]
        named: list[tuple[str, float, str, Code]] = [
            (title, score.agatston, "1", AGATSTON),
            (say("measure.calcium_volume"), score.volume_mm3, "mm3", CALCIUM_VOLUME),
        ]
        if score.mass_mg is not None:
            named.append((say("measure.calcium_mass"), score.mass_mg, "mg", CALCIUM_MASS))
        for name, value, unit, code in named:
            shown = say("measure.of", name=name, part=vessel) if vessel else name
            found.append(Measurement(shown, Quantity(value, unit), code))
    return tuple(found)


def _pieces(plane: Array, dense: Array, pixel_mm2: float) -> list[tuple[float, Array]]:
    """(area in mm2, HU) of each lesion in a slice that is large enough."""
    labels, count = components(dense)
    found = [plane[labels == number].astype(float) for number in range(1, count + 1)]
    # A lesion of exactly 1 mm2 must not be lost to rounding.
    return [(len(hu) * pixel_mm2, hu) for hu in found if len(hu) * pixel_mm2 >= LEAST_MM2 - 1e-6]


def _weight(densest: float) -> int:
    """1 to 4; 1 also below 130 HU, where another voltage has a lower limit."""
    return max(1, sum(densest >= limit for limit in _WEIGHTS_HU))


def _check_scan(scan: Scan, limit_hu: float | None) -> None:
    if scan.contrast is not False:
        why = "contrast was given" if scan.contrast else "it is not known whether contrast was given"
        raise Declined(
            f"No calcium score: {why}, and contrast is as bright as calcium.",
            remedy="Give a scan without contrast, and say that it is one.",
        )
    if limit_hu is None and (scan.kvp is None or abs(scan.kvp - KVP) > 0.5):
        said = "the tube voltage is not known" if scan.kvp is None else f"the tube voltage is {scan.kvp:g} kVp"
        raise Declined(
            f"No calcium score: {said}, and the limit of 130 HU holds at 120 kVp alone.",
            remedy="Give a scan at 120 kVp, or the limit in HU that holds for this scanner and voltage.",
        )


def _check(volume: Volume, mask: Mask) -> None:
    check_grid(volume, mask)
    if volume.unit != "HU":
        raise BadInput("A calcium score needs a CT in HU.", remedy="Give the CT series itself.")
    if not mask.labels:
        raise BadInput("The mask names no vessel.", remedy="Give a mask with a label for each vessel.")
    along = volume.geometry.affine[:3, 0]
    if abs(along[2]) < 0.9 * np.linalg.norm(along):
        raise BadGeometry("The slices are not axial.", remedy="Give the axial series.")
    if not np.isfinite(volume.array[mask.array > 0]).all():
        raise BadPixels("Voxels inside the mask hold no number.", remedy="Export the CT again.")

"""How good is a mask? Scored case by case when it is drawn, so that masks need not be kept.

A surface is made of the voxels of a mask that have a face neighbour outside of it (or outside the picture), and
distances go from voxel centre to voxel centre in millimetres. Other tools cut surfaces differently, and their HD95
and NSD differ: compare only numbers of one tool. Definitions after Maier-Hein, Reinke et al. 2024, Nature Methods
21:195 ("Metrics reloaded").

    masks                    dice   nsd   hd95_mm                  volume_ml, reference_ml
    both drawn               as it is                              as they are
    one of the two empty     0      0     NaN, counted as missing  as they are
    both empty               NaN, left out and counted             0 and 0
"""

from collections.abc import Sequence

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadGeometry, UnknownChoice
from osler.core.mask import Mask
from osler.imaging.components import components
from osler.imaging.distance import surface_distances

TOLERANCE_MM = 1.0


def tolerance_for(spacings: Sequence[Sequence[float]]) -> float:
    """The tolerance of the surface Dice for a data set, in mm: 1, or its usual finest spacing where that is more.

    spacings  one tuple a case, mm. One number for the whole set (the median of the finest spacings, to a tenth),
              since a number that changes from case to case cannot be compared with anything; and not under a
              voxel, where only surfaces that are the same to the voxel would count.
    """
    if not len(spacings):
        return TOLERANCE_MM
    finest = float(np.median([min(spacing) for spacing in spacings]))
    return max(TOLERANCE_MM, float(np.ceil(finest * 10 - 1e-6) / 10))


def score_case(
    predicted: Mask, reference: Mask, *, tolerance_mm: float = TOLERANCE_MM
) -> dict[str, dict[str, float]]:
    """Every metric of one case: label -> {"dice", "hd95_mm", "nsd", "volume_ml", "reference_ml", "lesions", ...}.

    Labels are those of the reference, met by name. Volumes are in ml, NaN for flat pictures; distances in mm, in
    pixels for a flat picture without spacing. "lesions" are the separate parts (touching by face, edge or corner)
    of the reference, "lesions_found" those that the answer touches, "false_lesions" the parts of the answer that
    touch no reference (the counting of autoPET: Gatidis et al. 2022, Scientific Data 9:601).

    Raises BadGeometry where the masks lie on different grids, UnknownChoice for a label that the answer cannot
    have.
    """
    _same_grid(predicted, reference)
    number_of = {name: number for number, name in predicted.labels.items()}
    spacing = reference.spacing
    voxel_ml = reference.geometry.voxel_ml if reference.geometry is not None else np.nan
    scores = {}
    for number, name in reference.labels.items():
        if name not in number_of:
            raise UnknownChoice.among("label of the model", name, number_of)
        ours, theirs = _cropped(predicted.of(number_of[name]), reference.of(number))
        lesions, found = _parts_touched(theirs, ours)
        drawn, touched = _parts_touched(ours, theirs)
        hd95, nsd = surface_scores(ours, theirs, spacing, tolerance_mm=tolerance_mm)
        scores[name] = {
            "dice": dice(ours, theirs),
            "hd95_mm": hd95,
            "nsd": nsd,
            "volume_ml": float(ours.sum() * voxel_ml),
            "reference_ml": float(theirs.sum() * voxel_ml),
            "lesions": float(lesions),
            "lesions_found": float(found),
            "false_lesions": float(drawn - touched),
        }
    return scores


def dice(predicted: Array, reference: Array) -> float:
    """Twice the overlap over the sum of two boolean masks; NaN where both are empty. Dice 1945, Ecology 26:297."""
    total = int(predicted.sum()) + int(reference.sum())
    return 2 * int((predicted & reference).sum()) / total if total else float("nan")


def surface_scores(
    predicted: Array, reference: Array, spacing: Sequence[float], *, tolerance_mm: float
) -> tuple[float, float]:
    """(HD95 in mm, surface Dice) of two masks of booleans; see the table above for empty ones.

    HD95 is the larger of the two directed 95th percentiles (Huttenlocher et al. 1993, IEEE PAMI 15:850); the
    surface Dice is the share of both surfaces within `tolerance_mm` of the other (Nikolov et al. 2021, J Med
    Internet Res 23:e26151).
    """
    if not predicted.any() and not reference.any():
        return float("nan"), float("nan")
    if not predicted.any() or not reference.any():
        return float("nan"), 0.0
    there, back = surface_distances(predicted, reference, tuple(spacing))
    hd95 = max(float(np.percentile(there, 95)), float(np.percentile(back, 95)))
    # A step of exactly the tolerance is inside, however its root was rounded.
    inside = int((there <= tolerance_mm + 1e-6).sum()) + int((back <= tolerance_mm + 1e-6).sum())
    return hd95, inside / (len(there) + len(back))


def _parts_touched(mask: Array, other: Array) -> tuple[int, int]:
    """(separate parts of `mask`, how many of them `other` touches)."""
    parts, count = components(mask)
    return count, len(np.setdiff1d(np.unique(parts[other]), [0]))


def _cropped(first: Array, second: Array) -> tuple[Array, Array]:
    """Both masks cut to the box that holds both; empty arrays when there is nothing."""
    box = []
    for axis in range(first.ndim):
        others = tuple(other for other in range(first.ndim) if other != axis)
        there = np.flatnonzero(first.any(axis=others) | second.any(axis=others))
        box.append(slice(there[0], there[-1] + 1) if len(there) else slice(0, 0))
    return first[tuple(box)], second[tuple(box)]


def _same_grid(predicted: Mask, reference: Mask) -> None:
    ours, theirs = predicted.geometry, reference.geometry
    apart = ours is not None and theirs is not None and not ours.matches(theirs)
    if predicted.array.shape != reference.array.shape or (ours is None) != (theirs is None) or apart:
        raise BadGeometry(
            f"The predicted mask {predicted.array.shape} and the reference {reference.array.shape} "
            "lie on different grids.",
            remedy="Score the answer on the grid of the labelled mask.",
        )

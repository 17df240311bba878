"""Voxels made believable, and the promises about what is drawn of them. Numpy only.

    calibrated_voxels  one temperature for all voxels: softmax(log p / T); Guo et al. 2017, ICML
    promised           from which probability on a voxel belongs to the outer or the inner mask of a label, so that
                       the risk is kept in the expected patient; Angelopoulos et al. 2022, arXiv 2208.02814
    volume_interval    a measured volume plus and minus so many times the voxels in doubt, or a share of itself:
                       locally weighted residuals, Lei et al. 2018, JASA 113:1094

The numbers come from validation patients; `lab/trust/masks.py` finds them.
"""

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadModel
from osler.inference.conformal import TOLD, threshold_row
from osler.inference.temper import SMALLEST_PROBABILITY
from osler.models.trust import Calibration, Conformal, MaskBounds

DRAWN_RISK = 0.1  # the risk whose outer and inner masks a reading draws


def calibrated_voxels(shares: Array, calibration: Calibration) -> Array:
    """Voxel probabilities (classes, *spatial), background first, calibrated; float32, sums stay one.

    The likeliest class of a voxel stays: no mask changes. Raises BadModel when the numbers are no temperature.
    """
    if calibration.how == "none":
        return shares
    row = calibration.numbers[0] if len(calibration.numbers) == 1 else ()
    if calibration.how != "temperature" or len(row) != 1 or not 0 < row[0] < np.inf:
        raise BadModel(
            f"The model's calibration ('{calibration.how}') does not fit the voxels of a mask.",
            remedy="Calibrate it again with `osler models calibrate`, or train it again.",
        )
    return tempered_voxels(shares, row[0])


def tempered_voxels(shares: Array, temperature: float) -> Array:
    """Probabilities (classes, ...) at another temperature, float32; see `temper`."""
    out = np.empty(shares.shape, np.float32)
    power = np.float32(1 / temperature)
    for index in range(shares.shape[1]):  # slice by slice: a CT has a hundred million voxels
        raised = np.maximum(shares[:, index], np.float32(SMALLEST_PROBABILITY)).astype(np.float32) ** power
        out[:, index] = raised / raised.sum(axis=0)
    return out


def promised(
    bounds: MaskBounds, labels: int, *, risk: float = DRAWN_RISK
) -> tuple[tuple[float | None, ...], tuple[float | None, ...]] | None:
    """(outer, inner) probabilities, one a label, that keep the risk; None where that risk was not fitted.

    Raises BadModel when the numbers do not fit the labels.
    """
    if risk not in bounds.risks:
        return None
    place = bounds.risks.index(risk)
    if any(len(rows) != len(bounds.risks) or len(rows[place]) != labels for rows in (bounds.outer, bounds.inner)):
        raise BadModel(
            f"The model's promised masks do not fit its {labels} labels.",
            remedy="Calibrate it again with `osler models calibrate`, or train it again.",
        )
    return bounds.outer[place], bounds.inner[place]


def voxels_in_doubt(probability: Array) -> float:
    """How many voxels are expected on the wrong side of one half: the sum of min(p, 1 - p), and one.

    probability  of one label, any shape. The one voxel more keeps an interval around an answer without any doubt.
    """
    doubt = 1.0
    for part in probability:  # slice by slice, as float16 sums overflow
        sure = part.astype(np.float32)
        doubt += float(np.minimum(sure, 1 - sure).sum(dtype=np.float64))
    return doubt


def volume_interval(
    voxels: int, probability: Array, volumes: Conformal, column: int, *, level: float = TOLD
) -> tuple[float, float] | None:
    """Between how many voxels of a label there truly are, as promised; None where nothing is.

    voxels       of the label in the drawn mask
    probability  (*spatial) of the label, calibrated
    column       of the label among the model's labels, from 0
    Raises BadModel when the promise is none of volumes, or not of that many labels.
    """
    row = threshold_row(volumes, level)
    if volumes.how not in ("doubt", "share") or column >= len(row):
        raise BadModel(
            f"The model's promised volumes ('{volumes.how}') do not fit its labels.",
            remedy="Calibrate it again with `osler models calibrate`, or train it again.",
        )
    times = row[column]
    if times is None or (volumes.how == "share" and not voxels):
        return None  # a share of nothing says nothing; such promises come from patients who all had the label
    reach = times * (voxels_in_doubt(probability) if volumes.how == "doubt" else voxels)
    return max(0.0, voxels - reach), voxels + reach

"""Answers made believable: what `Trust.calibration` holds, applied with numpy in microseconds a case.

    temperature  (T,)              softmax(log p / T), Guo et al. 2017 (ICML)
    vector       (w.., b..)        softmax(w log p + b), the same paper's vector scaling
    beta         (a, b, c)         logit p' = a ln p - b ln(1 - p) + c, Kull et al. 2017 (AISTATS)
    isotonic     (x.., y..)        p' on straight lines between knots, Zadrozny & Elkan 2002 (KDD)

Grades are calibrated on P(above grade k), so that the order of the grades is respected: one temperature for all
their logits, or beta (a, b, c_1 .. c_K-1) with c falling in k. Both keep P(above k) falling in k, and a
temperature keeps the median grade.
"""

import numpy as np

from osler.core.arrays import Array, Floats
from osler.core.errors import BadModel
from osler.inference.temper import SMALLEST_PROBABILITY, temper
from osler.models.trust import Calibration


def calibrated(probabilities: Array, calibration: Calibration, task: str) -> Floats:
    """The probabilities (cases, classes) of a "binary", "multiclass", "multilabel" or "ordinal" model, calibrated.

    Raises BadModel when the stored numbers do not fit the classes.
    """
    p = np.asarray(probabilities, float)
    if calibration.how == "none":
        return p
    many = p.shape[1]
    rows = [np.asarray(row, float) for row in calibration.numbers]
    if len(rows) != (many if task == "multilabel" else 1) or not all(np.isfinite(row).all() for row in rows):
        raise _unfit(calibration, many)
    if task == "multilabel":
        return np.stack([_one(p[:, k], calibration, row) for k, row in enumerate(rows)], axis=1)
    if task == "ordinal":
        return _grades(p, calibration, rows[0])
    if calibration.how == "temperature" and len(rows[0]) == 1:
        return temper(p, rows[0][0])
    if calibration.how == "vector" and len(rows[0]) == 2 * many:
        return scaled(p, rows[0][:many], rows[0][many:])
    if calibration.how in ("beta", "isotonic") and many == 2:
        there = _one(p[:, 1], calibration, rows[0])
        return np.stack([1 - there, there], axis=1)
    raise _unfit(calibration, many)


def scaled(probabilities: Array, weights: Array, biases: Array) -> Floats:
    """softmax(w log p + b) of (cases, classes)."""
    logits = np.log(_inside(probabilities)) * weights + biases
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    shared: Floats = raised / raised.sum(axis=1, keepdims=True)
    return shared


def beta(probabilities: Array, a: float, b: float, c: Array | float) -> Floats:
    """1 / (1 + exp(-(a ln p - b ln(1 - p) + c))) of any shape."""
    p = _inside(probabilities)
    logits = a * np.log(p) - b * np.log1p(-p) + c
    made: Floats = 1 / (1 + np.exp(-np.clip(logits, -60, 60)))
    return made


def above(probabilities: Array) -> Floats:
    """(cases, K) grades -> (cases, K - 1): P(above grade k)."""
    summed: Floats = np.asarray(probabilities, float)[:, ::-1].cumsum(axis=1)[:, -2::-1]
    return summed


def grades_from(above_each: Array) -> Floats:
    """(cases, K - 1) P(above grade k) -> (cases, K) grades."""
    edges = np.ones((len(above_each), 1))
    shares: Floats = np.concatenate([edges, above_each], 1) - np.concatenate([above_each, 0 * edges], 1)
    return np.clip(shares, 0, 1)


def _one(p: Array, calibration: Calibration, row: Array) -> Floats:
    """The probability (cases,) of one outcome."""
    if calibration.how == "temperature" and len(row) == 1:
        return temper(p, float(row[0]))
    if calibration.how == "beta" and len(row) == 3:
        return beta(p, *row)
    if calibration.how == "isotonic" and len(row) >= 4 and len(row) % 2 == 0:
        knots = len(row) // 2
        between: Floats = np.interp(p, row[:knots], row[knots:])
        return between
    raise _unfit(calibration, 1)


def _grades(p: Array, calibration: Calibration, row: Array) -> Floats:
    if calibration.how == "temperature" and len(row) == 1:
        return grades_from(beta(above(p), 1 / row[0], 1 / row[0], 0.0))
    if calibration.how == "beta" and len(row) == 2 + p.shape[1] - 1:
        return grades_from(beta(above(p), row[0], row[1], row[2:]))
    raise _unfit(calibration, p.shape[1])


def _inside(probabilities: Array) -> Floats:
    inside: Floats = np.clip(np.asarray(probabilities, float), SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return inside


def _unfit(calibration: Calibration, classes: int) -> BadModel:
    return BadModel(
        f"The model's calibration ('{calibration.how}') does not fit its {classes} classes.",
        remedy="Calibrate it again with `osler models calibrate`, or train it again.",
    )

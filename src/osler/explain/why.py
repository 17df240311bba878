"""Why did a model say so: one map, made, checked, and put where it belongs."""

import time
from dataclasses import dataclass, replace

import numpy as np

from osler.core.arrays import Array
from osler.core.progress import Tell, silent
from osler.explain.place import on_native
from osler.explain.question import ask_why
from osler.explain.saliency import completeness
from osler.explain.sanity import REDRAWS, Sanity, falls, hide, least_fall, likeness_when_redrawn
from osler.explain.table import WAYS
from osler.models.model import Model
from osler.models.prepare import Prepared


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """One map of one answer.

    way      "gradcam", "finer", "gradients", "occlusion"
    target   class, label or grade that is explained; of a segmentation the label's number, from 1; None: a number
    map      on the picture's own grid, (rows, columns) or (slices, rows, columns) float32: what lies above zero
             speaks for the answer, what lies below against it; None where there is none
    sanity   what the checks gave; None without a map
    unit     of the score that Sanity counts in: "log-odds", "deviations" or "voxels"
    gap      integrated gradients: share by which the attributions miss the difference they should add up to
    trouble  why there is no map: "nothing" is marked, or its numbers are "nan"; "" where there is one
    seconds  it took, the checks included
    """

    way: str
    target: int | None
    map: Array | None
    sanity: Sanity | None
    unit: str
    gap: float | None
    trouble: str
    seconds: float

    @property
    def shown(self) -> bool:
        """May a reader of a report see it? Only where no check failed."""
        return self.sanity is not None and self.sanity.faithful and self.sanity.learnt is not False


def explain(model: Model, prepared: Prepared, *, way: str, target: int | None, tell: Tell = silent) -> Explanation:
    """Why `model` says `target` of a prepared picture, by one way of `table.WAYS`.

    Raises UnknownChoice for a way that there is not, AskedWrongly for such a target, and for a way that needs what
    the net has not got.
    """
    start = time.perf_counter()
    make = WAYS[way].make
    question = ask_why(model, prepared, target)
    found = make(model.members, question, tell)
    nothing = Explanation(way, target, None, None, question.unit, None, "nothing", 0.0)
    if not np.isfinite(found).all():
        return replace(nothing, trouble="nan", seconds=time.perf_counter() - start)
    pictures = hide(question, found)
    if pictures is None:
        return replace(nothing, seconds=time.perf_counter() - start)
    hidden, share = pictures
    likeness = likeness_when_redrawn(make, model.members, question, found)
    fall, *elsewhere = falls(model.members, question, hidden)
    sanity = Sanity(
        likeness,
        REDRAWS if likeness is not None else 0,
        share,
        fall,
        tuple(elsewhere),
        least_fall(model.members, question),
    )
    return replace(
        nothing,
        map=on_native(found, question, prepared),
        sanity=sanity,
        gap=completeness(model.members, question, found) if way == "gradients" else None,
        trouble="",
        seconds=time.perf_counter() - start,
    )

"""Osteoarthritis of the knee on a frontal radiograph, by the grade of Kellgren and Lawrence.

Grades 0-4: Kellgren and Lawrence 1957, Annals of the Rheumatic Diseases 16:494. Osteoarthritis from grade 2 on,
a definite osteophyte, is how epidemiology counts it; readers disagree most between 1 and 2, so the whole
distribution is told; see Kohn et al. 2016, Clinical Orthopaedics and Related Research 474:1886, on its limits.
(to be reviewed by a clinician before use)
"""

from dataclasses import replace

import numpy as np

from osler.clinic.guidelines.kellgren_lawrence import grade
from osler.clinic.pathways.pathway import FLAT_CHECKS, Pathway
from osler.clinic.pathways.seen import Seen
from osler.core.arrays import Array
from osler.core.codes import Code
from osler.core.conclusion import Conclusion, Priority
from osler.core.finding import Finding
from osler.core.image import Image
from osler.core.prediction import Prediction
from osler.core.quantity import Quantity
from osler.core.report import Problem
from osler.core.study import Picture
from osler.results.sentences import say

KNEE_OSTEOARTHRITIS_CODE = Code("239873007", "SCT", "Osteoarthritis of knee")
GRADE = "Kellgren-Lawrence grade"
PRESENT_FROM = 2
GRADES = {
    "0": "0, none",
    "1": "1, doubtful",
    "2": "2, minimal",
    "3": "3, moderate",
    "4": "4, severe",
}
# What a radiograph cut to the joint looks like, in its own standard deviations. Of the 346 knees of a public set
# the least have -0.53 and 1.22; of 466 chest films of another 82 % lie outside: lungs are dark beside the middle.
# What passes nevertheless is for the header and for the gate of the model to tell.
BONE_FILLS_THE_WIDTH = -0.65
BRIGHTER_THAN_THE_EDGE = 1.0
_SQUARE = 0.6  # the shorter side, in longer sides


def not_a_knee(picture: Picture) -> Problem | None:
    """Grey, nearly square, bone right and left of the middle as bright as there, soft tissue at the edges."""
    if isinstance(picture, Image) and not _coloured(picture):
        rows, columns = picture.array.shape[:2]
        beside, above_edge = _brightness(_grey(picture))
        if (
            min(rows, columns) >= _SQUARE * max(rows, columns)
            and beside > BONE_FILLS_THE_WIDTH
            and above_edge > BRIGHTER_THAN_THE_EDGE
        ):
            return None
    return Problem(say("guard.knee"), say("guard.knee.remedy"), "knee")


def osteoarthritis(prediction: Prediction) -> tuple[Finding, ...]:
    """How probable grade 2 or worse is, with the shares of the two grades that readers confuse."""
    shares = prediction.probabilities
    if shares is None or len(shares) != len(GRADES):
        return ()
    probability = float(shares[PRESENT_FROM:].sum())
    name = say("finding.knee")
    first, second = (f"{float(shares[grade]):.2f}" for grade in (PRESENT_FROM - 1, PRESENT_FROM))
    statement = say("statement.knee", name=name, probability=f"{probability:.2f}", first=first, second=second)
    return (Finding(name, statement, KNEE_OSTEOARTHRITIS_CODE, probability=probability),)


def minded(picture: Picture) -> tuple[Problem, ...]:
    """What to mind with every knee, whatever the picture."""
    return tuple(
        Problem(say(f"caution.knee.{about}"), say(f"caution.knee.{about}.remedy"), about)
        for about in ("readers", "pain")
    )


def by_rule(seen: Seen) -> tuple[Conclusion, ...]:
    """What each knee's grade means; the grades of its interval are named as not excluded."""
    made = []
    for index, finding in enumerate(seen.findings):
        if not _is_grade(finding):
            continue
        names = [name for name, _ in finding.distribution]
        inside = [names.index(name) for name in finding.among]
        value = Quantity(float(finding.grade), "1", min(inside, default=None), max(inside, default=None))
        of = {"grade": f"{index + 1}: {finding.name}"}
        conclusion = grade(value, age_years=seen.patient.age_years, of=of)
        made.append(replace(conclusion, findings=(index,)))
    return tuple(made)


def routine(seen: Seen) -> Priority:
    """Never urgent; the expected grade orders knees among each other."""
    grades = [finding for finding in seen.findings if _is_grade(finding)]
    expected = [sum(index * share for index, (_, share) in enumerate(one.distribution)) for one in grades]
    return Priority("routine", say("priority.knee"), max(expected, default=0.0) / (len(GRADES) - 1))


KNEE_OSTEOARTHRITIS = Pathway(
    name="knee-osteoarthritis",
    title="Osteoarthritis of the knee on a radiograph",
    finding=GRADE,
    names=GRADES,
    codes={GRADE: KNEE_OSTEOARTHRITIS_CODE},
    checks=(*FLAT_CHECKS, "small"),
    guards=(not_a_knee,),
    cautions=minded,
    also=osteoarthritis,
    conclude=by_rule,
    priority=routine,
)


def _is_grade(finding: Finding) -> bool:
    return finding.grade in GRADES and len(finding.distribution) == len(GRADES)


def _coloured(picture: Image) -> bool:
    """Is there more colour than a saved grey picture has?"""
    if not picture.colour:
        return False
    thin = picture.array[::4, ::4].astype(float)
    return bool((thin.max(axis=2) - thin.min(axis=2)).mean() > 0.04 * max(float(thin.max()), 1e-6))


def _grey(picture: Image) -> Array:
    array = picture.array.astype(float)
    return np.asarray(array.mean(axis=2) if array.ndim == 3 else array)


def _brightness(grey: Array) -> tuple[float, float]:
    """(both sides of the middle less the middle, both sides less the left and right edge), in deviations.

    grey (rows, columns) float
    """
    rows, columns = grey.shape
    spread = float(grey.std())
    if not spread > 0 or min(rows, columns) < 16:
        return -np.inf, -np.inf

    def part(top: float, bottom: float, *spans: tuple[float, float]) -> float:
        cut = grey[int(top * rows) : int(bottom * rows)]
        return float(
            np.concatenate([cut[:, int(a * columns) : int(b * columns)] for a, b in spans], axis=1).mean()
        )

    sides = part(0.25, 0.625, (0.146, 0.354), (0.646, 0.854))
    middle = part(0.3125, 0.6875, (0.375, 0.625))
    edges = part(0.0, 1.0, (0.0, 0.0625), (0.9375, 1.0))
    return (sides - middle) / spread, (sides - edges) / spread

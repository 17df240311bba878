"""Volume of the hippocampus, anterior and posterior part, on MR.

The shipped model learnt from boxes of about 35 x 50 x 35 mm that were cut around one hippocampus (Medical
Segmentation Decathlon, task 4; Antonelli et al. 2022, Nat Commun 13:4128): on a whole head it would answer, and be
wrong. (to be reviewed by a clinician before use)
"""

from osler.clinic.pathways.pathway import VOLUME_CHECKS, Pathway
from osler.core.codes import Code
from osler.core.report import Problem
from osler.core.study import Picture
from osler.core.volume import Volume
from osler.results.sentences import say

HIPPOCAMPUS_CODE = Code("5366008", "SCT", "Hippocampus")
BOX_MM = (20.0, 80.0)  # shortest and longest side; the training boxes have sides of 26 to 59 mm


def not_a_box(picture: Picture) -> Problem | None:
    """The field of view must be a box around the hippocampus, as in training."""
    if not isinstance(picture, Volume):
        return None
    sides = [n * mm for n, mm in zip(picture.array.shape, picture.geometry.spacing, strict=True)]
    if BOX_MM[0] <= min(sides) and max(sides) <= BOX_MM[1]:
        return None
    said = " x ".join(f"{side:.0f}" for side in sides)
    return Problem(say("guard.hippocampus", sides=said), say("guard.hippocampus.remedy"), "field of view")


def norms_caution(picture: Picture) -> tuple[Problem, ...]:
    """Nobody's norm: a volume means little without head size, age and the same way of drawing."""
    return (Problem(say("caution.hippocampus"), say("caution.hippocampus.remedy"), "norms"),)


HIPPOCAMPUS = Pathway(
    name="hippocampus",
    title="Hippocampus on MR",
    names={"anterior": "Hippocampus, anterior", "posterior": "Hippocampus, posterior"},
    codes={"Hippocampus, anterior": HIPPOCAMPUS_CODE, "Hippocampus, posterior": HIPPOCAMPUS_CODE},
    checks=VOLUME_CHECKS,
    guards=(not_a_box,),
    cautions=norms_caution,
)

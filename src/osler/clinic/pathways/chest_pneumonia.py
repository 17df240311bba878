"""Pneumonia on a frontal chest radiograph.

The shipped model learnt from children of one to five years (Kermany et al. 2018, Cell 172:1122; one hospital in
Guangzhou), so every other patient is outside what was tested. (to be reviewed by a clinician before use)
"""

from osler.clinic.pathways.pathway import FLAT_CHECKS, Pathway
from osler.core.codes import Code
from osler.core.report import Problem
from osler.core.study import Picture
from osler.results.sentences import say

PNEUMONIA = Code("233604007", "SCT", "Pneumonia")
TESTED_AGES = (1.0, 6.0)  # years: from the first birthday to the sixth


def age_caution(picture: Picture) -> tuple[Problem, ...]:
    """The patient's age against the ages that the model was tested on."""
    age = picture.facts.age_years
    if age is not None and TESTED_AGES[0] <= age < TESTED_AGES[1]:
        return ()
    said = say("caution.age_unknown") if age is None else say("caution.age", years=f"{age:.0f}")
    return (Problem(say("caution.children", patient=said), say("caution.children.remedy"), "age"),)


CHEST_PNEUMONIA = Pathway(
    name="chest-pneumonia",
    title="Pneumonia on a chest radiograph",
    codes={"Pneumonia": PNEUMONIA},
    checks=(*FLAT_CHECKS, "small"),
    cautions=age_caution,
)

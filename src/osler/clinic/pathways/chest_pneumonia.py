"""Pneumonia on a frontal chest radiograph.

The shipped model learnt from children of one to five years (Kermany et al. 2018, Cell 172:1122; one hospital in
Guangzhou), so every other patient is outside what was tested. (to be reviewed by a clinician before use)
"""

from osler.clinic.pathways.pathway import FLAT_CHECKS, Pathway
from osler.clinic.pathways.seen import Seen
from osler.core.codes import Code
from osler.core.conclusion import Priority
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


def urgency(seen: Seen) -> Priority:
    """What is called pneumonia comes before what is not; the more probable first."""
    found = [one for one in seen.findings if one.probability is not None]
    score = round(max((one.probability or 0.0 for one in found), default=0.0), 3)
    if any(one.present for one in found):
        return Priority("soon", say("priority.pneumonia"), score)
    return Priority("routine", say("priority.no_pneumonia"), score)


CHEST_PNEUMONIA = Pathway(
    name="chest-pneumonia",
    title="Pneumonia on a chest radiograph",
    codes={"Pneumonia": PNEUMONIA},
    checks=(*FLAT_CHECKS, "small"),
    cautions=age_caution,
    priority=urgency,
)

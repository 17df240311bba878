"""The grade of diabetic retinopathy on a colour photograph of the fundus.

Grades 0-4: International Clinical Diabetic Retinopathy severity scale, Wilkinson et al. 2003, Ophthalmology
110:1677. "Referable" from grade 2 on: Gulshan et al. 2016, JAMA 316:2402; some programmes refer otherwise.
(to be reviewed by a clinician before use)
"""

from dataclasses import replace
from functools import partial

from osler.clinic.guidelines import retinopathy
from osler.clinic.pathways.pathway import FLAT_CHECKS, Pathway
from osler.clinic.pathways.ruled import asked
from osler.clinic.pathways.seen import Seen
from osler.core.codes import Code
from osler.core.conclusion import Conclusion, Priority
from osler.core.finding import Finding
from osler.core.image import Image
from osler.core.prediction import Prediction
from osler.core.quantity import Quantity
from osler.core.report import Problem
from osler.core.study import Picture
from osler.results.sentences import say

RETINOPATHY = Code("4855003", "SCT", "Diabetic retinopathy")
REFERABLE_FROM = 2
GRADES = {
    "0": "0, no apparent retinopathy",
    "1": "1, mild non-proliferative",
    "2": "2, moderate non-proliferative",
    "3": "3, severe non-proliferative",
    "4": "4, proliferative",
}


def not_a_fundus(picture: Picture) -> Problem | None:
    """A fundus is red and green: blood and pigment leave hardly any blue, in ultra-wide field too."""
    if isinstance(picture, Image) and picture.colour:
        red, _, blue = picture.array.reshape(-1, 3)[::16].astype(float).mean(axis=0)
        if blue < 0.8 * red:
            return None
    return Problem(say("guard.fundus"), say("guard.fundus.remedy"), "fundus")


def referable(prediction: Prediction) -> tuple[Finding, ...]:
    """How probable it is that the eye should be seen by an ophthalmologist."""
    if prediction.probabilities is None or len(prediction.probabilities) != len(GRADES):
        return ()
    probability = float(prediction.probabilities[REFERABLE_FROM:].sum())
    name = say("finding.referable")
    statement = say("statement.referable", name=name, grade=REFERABLE_FROM, probability=f"{probability:.2f}")
    return (Finding(name, statement, probability=probability),)


def classes(seen: Seen) -> tuple[Conclusion, ...]:
    """What the grade of each eye means on the international scale, and whether it is referred."""
    return tuple(
        asked("retinopathy-icdr", partial(_class, seen, one), findings=(n,))
        for n, one in enumerate(seen.findings)
        if one.grade
    )


def urgency(seen: Seen) -> Priority:
    """Eyes to be referred come before the others; the more probable a referable grade, the sooner."""
    shares = [one.probability for one in seen.findings if one.probability is not None and not one.grade]
    score = round(max(shares, default=0.0), 3)
    worst = max((int(one.grade) for one in seen.findings if one.grade.isdecimal()), default=0)
    if worst >= REFERABLE_FROM:
        return Priority("soon", say("priority.refer", grade=worst), score)
    return Priority("routine", say("priority.no_refer"), score)


def _class(seen: Seen, finding: Finding) -> Conclusion:
    """By the grade and those that cannot be excluded; what else the rule asks comes with the request."""
    names = [name for name, _ in finding.distribution]
    possible = [names.index(one) for one in finding.among if one in names]
    value = Quantity(float(finding.grade), "1")
    if possible:
        low, high = (end(*possible, int(finding.grade)) for end in (min, max))
        value = replace(value, low=float(low), high=float(high))
    known = seen.patient.known
    facts = {name: known.get(name) for name in ("macular_oedema", "diabetes", "gradable", "laser_treated")}
    told = {name: fact for name, fact in facts.items() if isinstance(fact, bool)}
    of = {"retinopathy_grade": finding.name, **dict.fromkeys(told, say("ground.request"))}
    return retinopathy.grade(value, **told, of=of)


RETINOPATHY_GRADE = Pathway(
    name="retinopathy",
    title="Diabetic retinopathy on a fundus photograph",
    finding="Diabetic retinopathy grade",
    names=GRADES,
    codes={"Diabetic retinopathy grade": RETINOPATHY},
    checks=(*FLAT_CHECKS, "small"),
    guards=(not_a_fundus,),
    also=referable,
    conclude=classes,
    priority=urgency,
)

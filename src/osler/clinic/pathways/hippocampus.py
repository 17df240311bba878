"""Volume of the hippocampus, anterior and posterior part, on MR.

The shipped model learnt from boxes of about 35 x 50 x 35 mm that were cut around one hippocampus (Medical
Segmentation Decathlon, task 4; Antonelli et al. 2022, Nat Commun 13:4128): on a whole head it would answer, and be
wrong. (to be reviewed by a clinician before use)
"""

from osler.clinic.measure.asymmetry import asymmetry
from osler.clinic.measure.volume import VOLUME
from osler.clinic.pathways.measured import measurement, summed
from osler.clinic.pathways.pathway import VOLUME_CHECKS, Needs, Pathway
from osler.clinic.pathways.seen import Seen
from osler.clinic.pathways.sides import side_of
from osler.core.codes import Code
from osler.core.conclusion import Conclusion, Ground
from osler.core.finding import Finding, Measurement
from osler.core.report import Problem
from osler.core.study import Picture
from osler.core.volume import Volume
from osler.results.page_lines import quantity_text
from osler.results.sentences import say

HIPPOCAMPUS_CODE = Code("5366008", "SCT", "Hippocampus")
NORMS = (
    "Nobis et al. 2019, PMC6603440 (percentiles hold for one way of outlining); Opfer et al. 2022, PMC9474386 "
    "(head size by the residual method)"
)
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


def sides(seen: Seen) -> tuple[Finding, ...]:
    """The parts, the whole of each side, and the asymmetry where both sides are there."""
    groups: dict[tuple[int, str], list[Finding]] = {}
    for one in seen.findings:
        if one.label is not None and measurement(one, VOLUME) is not None:
            side = side_of(one.name) or seen.study.pictures[one.picture].facts.laterality
            groups.setdefault((one.picture, side if side in ("L", "R") else ""), []).append(one)
    found = [*seen.findings]
    totals: dict[str, list[Measurement]] = {}
    for (picture, side), parts in groups.items():
        each = [size.quantity for part in parts if (size := measurement(part, VOLUME)) is not None]
        total = Measurement(say("measure.volume"), summed(each), VOLUME)
        totals.setdefault(side, []).append(total)
        name = say("hippocampus.whole") + (say(f"side.{side}") if side else "")
        measured = f"{total.name.lower()} {quantity_text(total.quantity)}"
        statement = say("statement.segmentation", name=name, measured=measured)
        # Each part's interval misses the truth in one patient of ten; the sum's ends in both shares together.
        promised = [part.coverage for part in parts if part.coverage is not None]
        coverage = 1 - sum(1 - one for one in promised) if promised else None
        code = HIPPOCAMPUS_CODE
        found.append(Finding(name, statement, code, measurements=(total,), picture=picture, coverage=coverage))
    if len(totals.get("L", ())) == len(totals.get("R", ())) == 1:
        index = asymmetry(totals["L"][0].quantity, totals["R"][0].quantity)
        statement = say("hippocampus.asymmetry", value=quantity_text(index.quantity))
        found.append(Finding(index.name, statement, measurements=(index,)))
    return tuple(found)


def percentile(seen: Seen) -> tuple[Conclusion, ...]:
    """No percentile: it would take a norm set of volumes that were outlined by this very model."""
    title, why = say("hippocampus.percentile"), say("hippocampus.no_norms")
    statement = say("conclusion.refused", title=title, why=why)
    age = seen.patient.age_years
    known = (Ground(say("ask.age_years"), say("page.years", years=f"{age:.0f}")),) if age is not None else ()
    return (
        Conclusion("hippocampus-norms", "none", title, "", statement, grounds=known, refused=why, source=NORMS),
    )


HIPPOCAMPUS = Pathway(
    name="hippocampus",
    title="Hippocampus on MR",
    names={"anterior": "Hippocampus, anterior", "posterior": "Hippocampus, posterior"},
    codes={"Hippocampus, anterior": HIPPOCAMPUS_CODE, "Hippocampus, posterior": HIPPOCAMPUS_CODE},
    checks=VOLUME_CHECKS,
    guards=(not_a_box,),
    cautions=norms_caution,
    measure=sides,
    conclude=percentile,
    outlines=True,
    needs=Needs(modalities=("MR",), body_parts=("HEAD",), words=("hippoc",)),
)

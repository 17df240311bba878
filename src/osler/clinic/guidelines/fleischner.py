"""Follow-up of a pulmonary nodule found by chance at CT, after the Fleischner Society 2017."""

from collections.abc import Mapping

from osler.clinic.guidelines.conditions import Either, Is, Within
from osler.clinic.guidelines.decide import decide
from osler.clinic.guidelines.guideline import Bar, Example, Guideline, Input, Number, Row, Step
from osler.clinic.guidelines.inputs import AGE, NODULE_KINDS, number, words
from osler.core.conclusion import Conclusion

# Diameters in whole mm (mean of the long and the short axis); a volume is used instead where there is one.
SMALL = Either(Within("volume_mm3", below=100), Within("size_mm", below=6))
MIDDLE = Either(Within("volume_mm3", at_least=100, at_most=250), Within("size_mm", at_least=6, at_most=8))
LARGE = Either(Within("volume_mm3", above=250), Within("size_mm", above=8))
NOT_SMALL = Either(Within("volume_mm3", at_least=100), Within("size_mm", at_least=6))

SOLID, GROUND_GLASS, PART_SOLID = Is("kind", "solid"), Is("kind", "ground-glass"), Is("kind", "part-solid")
SUBSOLID = Is("kind", "part-solid", "ground-glass")
ONE, SEVERAL = Is("multiple", False), Is("multiple", True)
LOW, HIGH = Is("risk", "low"), Is("risk", "high")

# fmt: off
ROWS = (
    Row((SOLID, ONE, SMALL, LOW),            "none",            "fleischner.none",     "fleischner.none.advice"),
    Row((SOLID, ONE, SMALL, HIGH),           "optional CT",     "fleischner.optional", "fleischner.12"),
    Row((SOLID, ONE, MIDDLE, LOW),           "CT 6-12 months",  "fleischner.6_12",     "fleischner.6_12.low"),
    Row((SOLID, ONE, MIDDLE, HIGH),          "CT 6-12 months",  "fleischner.6_12",     "fleischner.6_12.high"),
    Row((SOLID, ONE, LARGE),                 "CT 3 months or PET/CT", "fleischner.3",  "fleischner.3.advice"),
    Row((SOLID, SEVERAL, SMALL, LOW),        "none",            "fleischner.none",     "fleischner.none.advice"),
    Row((SOLID, SEVERAL, SMALL, HIGH),       "optional CT",     "fleischner.optional", "fleischner.12"),
    Row((SOLID, SEVERAL, NOT_SMALL, LOW),    "CT 3-6 months",   "fleischner.3_6",      "fleischner.3_6.low"),
    Row((SOLID, SEVERAL, NOT_SMALL, HIGH),   "CT 3-6 months",   "fleischner.3_6",      "fleischner.3_6.high"),
    Row((SUBSOLID, ONE, SMALL),              "none",            "fleischner.none",     "fleischner.none.advice"),
    Row((GROUND_GLASS, ONE, NOT_SMALL),      "CT 6-12 months",  "fleischner.6_12",     "fleischner.6_12.glass"),
    Row((PART_SOLID, ONE, NOT_SMALL, Within("solid_mm", below=6)),
        "CT 3-6 months", "fleischner.3_6", "fleischner.3_6.part"),
    Row((PART_SOLID, ONE, NOT_SMALL, Within("solid_mm", at_least=6)),
        "CT 3-6 months", "fleischner.3_6", "fleischner.3_6.suspicious"),
    Row((SUBSOLID, SEVERAL, SMALL),          "CT 3-6 months",   "fleischner.3_6",      "fleischner.3_6.several"),
    Row((SUBSOLID, SEVERAL, NOT_SMALL),      "CT 3-6 months",   "fleischner.3_6",      "fleischner.3_6.worst"),
)
# fmt: on

FLEISCHNER = Guideline(
    name="fleischner-2017",
    version="2017, table 1 of Osler",
    title="fleischner.title",
    coded=False,
    source="MacMahon H, Naidich DP, Goo JM, et al. Guidelines for management of incidental pulmonary nodules "
    "detected on CT images: from the Fleischner Society 2017. Radiology 2017;284:228-243. "
    "doi:10.1148/radiol.2017161659",
    for_whom="fleischner.for",
    bars=(
        Bar(Within("age_years", below=35), "fleischner.not.young"),
        Bar(Is("known_cancer", True), "fleischner.not.cancer"),
        Bar(Is("immune_suppressed", True), "fleischner.not.immune"),
        Bar(Is("screening", True), "fleischner.not.screening"),
    ),
    inputs=(
        AGE,
        words("kind", *NODULE_KINDS, needed=True),
        Input("multiple", needed=True),
        number("size_mm", "mm", 300, low=0.1, step=1),
        number("volume_mm3", "mm3", 15_000_000, low=0.001),
        number("solid_mm", "mm", 300, step=1),
        words("risk", "low", "high"),
        Input("known_cancer"),
        Input("immune_suppressed"),
        Input("screening"),
    ),
    steps=(Step("follow_up", ROWS),),
    notes=("fleischner.note.rounded", "fleischner.note.volume", "fleischner.note.most", "fleischner.note.benign"),
    checked="fleischner.checked",
    examples=(
        Example({"age_years": 60, "kind": "solid", "multiple": False, "size_mm": 5, "risk": "low"}, "none"),
        Example(
            {"age_years": 60, "kind": "solid", "multiple": False, "size_mm": 5.5, "risk": "low"}, "CT 6-12 months"
        ),
        Example({"age_years": 60, "kind": "solid", "multiple": False, "size_mm": 9}, "CT 3 months or PET/CT"),
        Example(
            {"age_years": 60, "kind": "part-solid", "multiple": False, "size_mm": 12, "solid_mm": 4},
            "CT 3-6 months",
        ),
        Example({"age_years": 34, "kind": "solid", "multiple": False, "size_mm": 9}, ""),
    ),
)


def follow_up(
    *,
    kind: str | None,
    size_mm: Number = None,
    age_years: Number = None,
    multiple: bool | None = None,
    volume_mm3: Number = None,
    solid_mm: Number = None,
    risk: str | None = None,
    known_cancer: bool | None = None,
    immune_suppressed: bool | None = None,
    screening: bool | None = None,
    of: Mapping[str, str] | None = None,
) -> Conclusion:
    """What to do about one nodule, or the most suspicious of several.

    kind        "solid", "part-solid" or "ground-glass"
    size_mm     mean of the longest diameter and the one perpendicular to it
    volume_mm3  used instead of the diameter where it is given
    solid_mm    mean diameter of the solid part, of a part-solid nodule
    risk        of cancer: "low" or "high", as the doctor judges
    of          where each input comes from

    >>> follow_up(kind="solid", size_mm=7.2, age_years=61, multiple=False, risk="high").category
    'CT 6-12 months'
    """
    given = {
        "age_years": age_years,
        "kind": kind,
        "multiple": multiple,
        "size_mm": size_mm,
        "volume_mm3": volume_mm3,
        "solid_mm": solid_mm,
        "risk": risk,
        "known_cancer": known_cancer,
        "immune_suppressed": immune_suppressed,
        "screening": screening,
    }
    return decide(FLEISCHNER, given, of)

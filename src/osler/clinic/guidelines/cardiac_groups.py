"""Groups of hearts by their volumes, mass and motion, as the ACDC challenge drew their limits: for research.

These are the groups of a data set, no diagnosis: its patients were chosen so that one group fits each.
"""

from collections.abc import Mapping

from osler.clinic.guidelines.conditions import Is, Value, Within
from osler.clinic.guidelines.decide import decide
from osler.clinic.guidelines.guideline import Bar, Example, Guideline, Input, Number, Row, Step
from osler.clinic.guidelines.inputs import number
from osler.core.conclusion import Conclusion

WEAK = Within("ef_percent", below=40)

# fmt: off
ROWS = (
    Row((WEAK, Is("focal_motion", True)), "MINF", "acdc.minf"),
    Row((WEAK, Within("lv_volume_index", above=100)), "DCM", "acdc.dcm"),
    Row((Within("ef_percent", above=55), Within("lv_mass_index", above=110), Within("wall_mm", above=15)),
        "HCM", "acdc.hcm"),
    Row((Within("rv_volume_index", above=110),), "RV", "acdc.rv"),
    Row((Within("rv_ef_percent", below=40),), "RV", "acdc.rv"),
    Row((Within("ef_percent", above=50), Within("lv_volume_index", below=90), Within("wall_mm", below=12)),
        "NOR", "acdc.nor"),
    Row((), "none", "acdc.none"),
)
# fmt: on
PLAIN: dict[str, Value] = {
    "ef_percent": 60,
    "lv_volume_index": 80,
    "lv_mass_index": 60,
    "wall_mm": 9,
    "rv_volume_index": 80,
    "rv_ef_percent": 55,
    "focal_motion": False,
}

CARDIAC_GROUPS = Guideline(
    name="acdc-groups",
    version="2018, table 1 of Osler",
    title="acdc.title",
    source="Bernard O, Lalande A, Zotti C, et al. Deep learning techniques for automatic MRI cardiac "
    "multi-structures segmentation and diagnosis: is the problem solved? IEEE Trans Med Imaging "
    "2018;37:2514-2525. doi:10.1109/TMI.2018.2837502",
    for_whom="acdc.for",
    bars=(Bar(Within("age_years", below=18), "guide.not.child"),),
    inputs=(
        number("ef_percent", "%", 100, low=1, needed=True),
        number("lv_volume_index", "ml/m2", 500, low=5, needed=True),
        number("lv_mass_index", "g/m2", 500, low=5, needed=True),
        number("wall_mm", "mm", 60, low=1, needed=True),
        number("rv_volume_index", "ml/m2", 500, low=5, needed=True),
        number("rv_ef_percent", "%", 100, low=1, needed=True),
        Input("focal_motion", needed=True),
        number("age_years", "years", 120),
    ),
    steps=(Step("group", ROWS),),
    notes=("acdc.note.groups", "acdc.note.sex"),
    checked="acdc.checked",
    examples=(
        Example(PLAIN, "NOR"),
        Example({**PLAIN, "ef_percent": 30, "lv_volume_index": 140}, "DCM"),
        Example({**PLAIN, "ef_percent": 30, "lv_volume_index": 140, "focal_motion": True}, "MINF"),
        Example({**PLAIN, "ef_percent": 65, "lv_mass_index": 130, "wall_mm": 18}, "HCM"),
    ),
)


def group_of(
    *,
    ef_percent: Number,
    lv_volume_index: Number,
    lv_mass_index: Number,
    wall_mm: Number,
    rv_volume_index: Number,
    rv_ef_percent: Number,
    focal_motion: bool | None,
    age_years: Number = None,
    of: Mapping[str, str] | None = None,
) -> Conclusion:
    """The group of the ACDC challenge: NOR, MINF, DCM, HCM, RV, or "none".

    lv_volume_index, rv_volume_index  at the end of diastole, ml by m2 of body surface
    lv_mass_index                     g by m2
    wall_mm                           the thickest wall at the end of diastole
    focal_motion                      do only some segments move badly?
    """
    given = {
        "ef_percent": ef_percent,
        "lv_volume_index": lv_volume_index,
        "lv_mass_index": lv_mass_index,
        "wall_mm": wall_mm,
        "rv_volume_index": rv_volume_index,
        "rv_ef_percent": rv_ef_percent,
        "focal_motion": focal_motion,
        "age_years": age_years,
    }
    return decide(CARDIAC_GROUPS, given, of)

"""Category of a nodule at screening for lung cancer, by the thresholds of Lung-RADS v2022.

Lung-RADS is a trademark of the American College of Radiology, which neither made nor checked this table; the words
are ours, and the rows hold thresholds only. Category 0, 1 and the modifiers X and S are for a person to set.
"""

from collections.abc import Mapping

from osler.clinic.guidelines.conditions import Is, Within
from osler.clinic.guidelines.decide import decide
from osler.clinic.guidelines.guideline import Bar, Example, Guideline, Input, Number, Row, Step
from osler.clinic.guidelines.inputs import NODULE_KINDS, number, words
from osler.core.conclusion import Conclusion
from osler.core.errors import AskedWrongly

GROWTH_MM = 1.5  # more than this within GROWTH_MONTHS is growth
GROWTH_MONTHS = 12.0

SOLID, PART, GLASS = Is("kind", "solid"), Is("kind", "part-solid"), Is("kind", "ground-glass")
AIRWAY, CYST = Is("kind", "airway"), Is("kind", "cyst")
BASELINE, NEW, GROWING = Is("state", "baseline"), Is("state", "new"), Is("state", "growing")
SLOW, STEADY = Is("state", "slowly-growing"), Is("state", "stable", "smaller")
THICK, LOCULES = Is("cyst", "thick-walled"), Is("cyst", "multilocular")


def _size(low: float | None = None, high: float | None = None) -> Within:
    return Within("size_mm", at_least=low, below=high)


def _solid(low: float | None = None, high: float | None = None) -> Within:
    return Within("solid_mm", at_least=low, below=high)


def _row(category: str, *when: Is | Within) -> Row:
    means = f"lung_rads.{category.lower()}"
    return Row(when, category, means, f"{means}.advice")


# fmt: off
ROWS = (
    # a solid nodule on the pleura, smooth, oval, lentiform or triangular
    _row("2",  SOLID, Is("juxtapleural", True), Is("state", "baseline", "new"), _size(None, 10)),
    # solid
    _row("2",  SOLID, BASELINE, _size(None, 6)),
    _row("3",  SOLID, BASELINE, _size(6, 8)),
    _row("4A", SOLID, BASELINE, _size(8, 15)),
    _row("4B", SOLID, BASELINE, _size(15)),
    _row("2",  SOLID, NEW, _size(None, 4)),
    _row("3",  SOLID, NEW, _size(4, 6)),
    _row("4A", SOLID, NEW, _size(6, 8)),
    _row("4B", SOLID, NEW, _size(8)),
    _row("4A", SOLID, GROWING, _size(None, 8)),
    _row("4B", SOLID, GROWING, _size(8)),
    # part-solid: the whole nodule, then its solid part
    _row("4B", PART, BASELINE, _size(6), _solid(8)),
    _row("4A", PART, BASELINE, _size(6), _solid(6, 8)),
    _row("3",  PART, BASELINE, _size(6), _solid(None, 6)),
    _row("2",  PART, BASELINE, _size(None, 6)),
    _row("4B", PART, Is("state", "new", "growing"), _solid(4)),
    _row("4A", PART, GROWING, _solid(None, 4)),
    _row("4A", PART, NEW, _size(6), _solid(None, 4)),
    _row("3",  PART, NEW, _size(None, 6), _solid(None, 4)),
    # both grow over several examinations, never fast enough to be called growing
    _row("4B", Is("kind", "solid", "part-solid"), SLOW),
    # ground-glass
    _row("2",  GLASS, _size(None, 30)),
    _row("2",  GLASS, Is("state", "stable", "smaller", "slowly-growing"), _size(30)),
    _row("3",  GLASS, Is("state", "baseline", "new", "growing"), _size(30)),
    # in an airway
    _row("2",  AIRWAY, Is("airway", "subsegmental"), Is("state", "baseline", "new", "stable", "smaller")),
    _row("4A", AIRWAY, Is("airway", "segmental"), Is("state", "baseline", "new")),
    _row("4B", AIRWAY, Is("airway", "segmental"), Is("state", "stable", "growing", "slowly-growing")),
    # cysts of unusual look
    _row("4B", CYST, THICK, Is("cyst_change", "wall-grew")),
    _row("4B", CYST, LOCULES, Is("cyst_change", "grew", "more-locules", "more-opacity")),
    _row("4A", CYST, Is("cyst_change", "became-multilocular")),
    _row("3",  CYST, THICK, Is("cyst_change", "grew")),
    _row("4A", CYST, Is("cyst", "thick-walled", "multilocular"), BASELINE),
    # unchanged or smaller: one step down, once the time has passed
    _row("2",  STEADY, Is("earlier_category", "2")),
    _row("2",  STEADY, Is("earlier_category", "3"), Within("months", at_least=6)),
    _row("3",  STEADY, Is("earlier_category", "3"), Within("months", below=6)),
    _row("3",  STEADY, Is("earlier_category", "4A"), Within("months", at_least=3)),
    _row("4A", STEADY, Is("earlier_category", "4A"), Within("months", below=3)),
    _row("4B", STEADY, Is("earlier_category", "4B")),
)
# fmt: on

LUNG_RADS = Guideline(
    name="lung-rads-2022",
    version="v2022, thresholds only, table 1 of Osler",
    title="lung_rads.title",
    source="American College of Radiology. Lung-RADS v2022. "
    "https://www.acr.org/Clinical-Resources/Clinical-Tools-and-Reference/Reporting-and-Data-Systems/Lung-RADS; "
    "Christensen J, Prosper AE, Wu CC, et al. ACR Lung-RADS v2022: assessment categories and management "
    "recommendations. Chest 2024;165:738-753. doi:10.1016/j.chest.2023.10.028",
    for_whom="lung_rads.for",
    bars=(
        Bar(Is("screening", False), "lung_rads.not.screening"),
        Bar(Is("known_cancer", True), "lung_rads.not.cancer"),
        Bar(Within("age_years", below=18), "guide.not.child"),
    ),
    inputs=(
        words("kind", *NODULE_KINDS, "airway", "cyst", needed=True),
        words("state", "baseline", "new", "growing", "slowly-growing", "stable", "smaller", needed=True),
        number("size_mm", "mm", 300, low=0.1, step=0.1),
        number("solid_mm", "mm", 300, step=0.1),
        Input("juxtapleural", supposed=False),
        words("airway", "segmental", "subsegmental"),
        words("cyst", "thin-walled", "thick-walled", "multilocular"),
        words("cyst_change", "none", "grew", "wall-grew", "became-multilocular", "more-locules", "more-opacity"),
        words("earlier_category", "2", "3", "4A", "4B"),
        number("months", "months", 600, step=1),
        number("age_years", "years", 120),
        Input("screening"),
        Input("known_cancer"),
    ),
    steps=(Step("category", ROWS),),
    figures={"growth": GROWTH_MM, "months": GROWTH_MONTHS},
    notes=(
        "lung_rads.note.size",
        "lung_rads.note.growth",
        "lung_rads.note.person",
        "lung_rads.note.highest",
        "lung_rads.note.open",
        "lung_rads.note.mark",
    ),
    checked="lung_rads.checked",
    examples=(
        Example({"kind": "solid", "state": "baseline", "juxtapleural": False, "size_mm": 5.9}, "2"),
        Example({"kind": "solid", "state": "baseline", "juxtapleural": False, "size_mm": 8}, "4A"),
        Example({"kind": "solid", "state": "growing", "size_mm": 7.9}, "4A"),
        Example({"kind": "part-solid", "state": "new", "size_mm": 9, "solid_mm": 4}, "4B"),
        Example({"kind": "ground-glass", "state": "baseline", "size_mm": 30}, "3"),
        Example({"kind": "solid", "state": "stable", "size_mm": 7, "earlier_category": "3", "months": 6}, "2"),
        Example({"kind": "solid", "state": "baseline", "size_mm": 8, "screening": False}, ""),
    ),
)


def category(
    *,
    kind: str | None,
    state: str | None,
    size_mm: Number = None,
    solid_mm: Number = None,
    juxtapleural: bool | None = None,
    airway: str | None = None,
    cyst: str | None = None,
    cyst_change: str | None = None,
    earlier_category: str | None = None,
    months: Number = None,
    age_years: Number = None,
    screening: bool | None = None,
    known_cancer: bool | None = None,
    of: Mapping[str, str] | None = None,
) -> Conclusion:
    """The category of one nodule; the examination has that of its highest one.

    kind              "solid", "part-solid", "ground-glass", "airway" or "cyst"
    state             "baseline", "new", "growing", "slowly-growing", "stable" or "smaller"; see `state_of`
    size_mm           mean of the longest and the perpendicular diameter
    solid_mm          the same of the solid part
    juxtapleural      solid, on the pleura, smooth, and oval, lentiform or triangular
    airway            of a nodule in an airway: "segmental" (or more central) or "subsegmental"
    cyst              "thin-walled", "thick-walled" or "multilocular"; cyst_change: what became of it
    earlier_category  of a nodule that is stable or smaller: what it was called; months: how long ago

    >>> category(kind="solid", state="baseline", size_mm=8.0, juxtapleural=False, screening=True).category
    '4A'
    """
    given = {
        "kind": kind,
        "state": state,
        "size_mm": size_mm,
        "solid_mm": solid_mm,
        "juxtapleural": juxtapleural,
        "airway": airway,
        "cyst": cyst,
        "cyst_change": cyst_change,
        "earlier_category": earlier_category,
        "months": months,
        "age_years": age_years,
        "screening": screening,
        "known_cancer": known_cancer,
    }
    return decide(LUNG_RADS, given, of)


def state_of(size_mm: float, earlier_mm: float, months: float) -> str:
    """What became of a nodule since an earlier examination: "growing", "slowly-growing", "stable" or "smaller".

    Growth is more than 1.5 mm within 12 months. Over a longer time as much growth a year counts; more than 1.5 mm
    in all, but slower, is slow growth. Raises AskedWrongly where the earlier examination was not earlier.

    >>> state_of(9.6, 8.0, 12), state_of(9.5, 8.0, 12), state_of(9.6, 8.0, 24)
    ('growing', 'stable', 'slowly-growing')
    """
    if not months > 0:
        raise AskedWrongly(
            f"The earlier examination lies {months:g} months before the one that is read.",
            remedy="Give the time between them in months, more than 0.",
        )
    change = round(round(size_mm, 1) - round(earlier_mm, 1), 1)
    if change > GROWTH_MM * max(1.0, months / GROWTH_MONTHS):
        return "growing"
    if change > GROWTH_MM:
        return "slowly-growing"
    return "smaller" if change < -GROWTH_MM else "stable"

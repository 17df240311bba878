"""Extent and density of lung oedema on a chest radiograph: the RALE score of four quadrants."""

from collections.abc import Mapping

from osler.clinic.guidelines.conditions import Values, Within
from osler.clinic.guidelines.decide import decide
from osler.clinic.guidelines.guideline import Bar, Example, Guideline, Input, Number, Row, Step
from osler.clinic.guidelines.inputs import grade, number
from osler.core.conclusion import Conclusion

QUADRANTS = tuple(f"{side}_{level}" for side in ("right", "left") for level in ("upper", "lower"))
EXTENTS = tuple(f"{quadrant}_extent" for quadrant in QUADRANTS)
DENSITIES = tuple(f"{quadrant}_density" for quadrant in QUADRANTS)
EXTENT_ROWS = tuple(Row((Within("extent", at_least=n, at_most=n),), str(n), f"rale.extent.{n}") for n in range(5))
DENSITY_ROWS = tuple(
    Row((Within("density", at_least=n, at_most=n),), str(n), f"rale.density.{n}") for n in range(1, 4)
)


def _total(values: Values) -> float | tuple[str, ...]:
    total, lacking = 0.0, []
    for extent, density in zip(EXTENTS, DENSITIES, strict=True):
        much, dense = values.get(f"{extent}:extent"), values.get(f"{density}:density")
        if much is None or (much and dense is None):
            lacking.append(extent if much is None else density)
        total += float(much or 0.0) * float(dense or 0.0)
    return tuple(lacking) or total


RALE = Guideline(
    name="rale",
    version="2018, table 1 of Osler",
    title="rale.title",
    source="Warren MA, Zhao Z, Koyama T, et al. Severity scoring of lung oedema on the chest radiograph is "
    "associated with clinical outcomes in ARDS. Thorax 2018;73:840-846. doi:10.1136/thoraxjnl-2017-211280",
    for_whom="rale.for",
    bars=(Bar(Within("age_years", below=18), "guide.not.child"),),
    inputs=(
        *(grade(extent, 4) for extent in EXTENTS),
        *(Input(density, "1", low=1, high=3, step=1) for density in DENSITIES),
        number("age_years", "years", 120),
    ),
    steps=(Step("extent", EXTENT_ROWS, each=EXTENTS), Step("density", DENSITY_ROWS, each=DENSITIES)),
    total=_total,
    top=48,
    notes=("rale.note.product", "severity.note.extent"),
    checked="rale.checked",
    examples=(
        Example({**dict.fromkeys(EXTENTS, 4), **dict.fromkeys(DENSITIES, 3)}, "48/48"),
        Example(
            {
                **dict.fromkeys(EXTENTS, 0),
                "right_lower_extent": 2,
                "right_lower_density": 3,
                "left_lower_extent": 1,
                "left_lower_density": 2,
            },
            "8/48",
        ),
        Example({**dict.fromkeys(EXTENTS, 0), "right_lower_extent": 2}, ""),
    ),
)


def score(
    quadrants: Mapping[str, Number], *, age_years: Number = None, of: Mapping[str, str] | None = None
) -> Conclusion:
    """The sum of extent (0 to 4) times density (1 to 3) of the four quadrants.

    quadrants  by name as in EXTENTS and DENSITIES: "right_upper_extent", "right_upper_density", ...; a quadrant
               without disease needs no density
    """
    return decide(RALE, {**quadrants, "age_years": age_years}, of)

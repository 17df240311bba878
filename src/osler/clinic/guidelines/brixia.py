"""Extent and look of pneumonia on a chest radiograph: the Brixia score of six zones."""

from collections.abc import Mapping

from osler.clinic.guidelines.conditions import Within
from osler.clinic.guidelines.decide import decide
from osler.clinic.guidelines.guideline import Bar, Example, Guideline, Number, Row, Step
from osler.clinic.guidelines.inputs import grade, number
from osler.clinic.guidelines.severity_ct import sum_over
from osler.core.conclusion import Conclusion

ZONES = tuple(f"{side}_{level}_zone" for side in ("right", "left") for level in ("upper", "middle", "lower"))
ROWS = tuple(Row((Within("zone_score", at_least=n, at_most=n),), str(n), f"brixia.zone.{n}") for n in range(4))

BRIXIA = Guideline(
    name="brixia",
    version="2020, table 1 of Osler",
    title="brixia.title",
    source="Borghesi A, Maroldi R. COVID-19 outbreak in Italy: experimental chest X-ray scoring system for "
    "quantifying and monitoring disease progression. Radiol Med 2020;125:509-513. "
    "doi:10.1007/s11547-020-01200-3",
    for_whom="brixia.for",
    bars=(Bar(Within("age_years", below=18), "guide.not.child"),),
    inputs=(*(grade(zone, 3) for zone in ZONES), number("age_years", "years", 120)),
    steps=(Step("zone_score", ROWS, each=ZONES),),
    total=sum_over(ZONES, "zone_score"),
    top=18,
    notes=("severity.note.extent", "brixia.note.zones"),
    checked="brixia.checked",
    examples=(
        Example(dict(zip(ZONES, (0, 1, 2, 0, 1, 3), strict=True)), "7/18"),
        Example(dict.fromkeys(ZONES, 3), "18/18"),
    ),
)


def score(
    zones: Mapping[str, Number], *, age_years: Number = None, of: Mapping[str, str] | None = None
) -> Conclusion:
    """The sum of the six zones, each 0 to 3; by name as in ZONES: "right_upper_zone", ...

    >>> score(dict.fromkeys(ZONES, 2)).category
    '12/18'
    """
    return decide(BRIXIA, {**zones, "age_years": age_years}, of)

"""How much of each lobe is diseased on a chest CT, as one score: the CT severity score of 25, and that of 20."""

from collections.abc import Callable, Mapping

from osler.clinic.guidelines.conditions import Values, Within
from osler.clinic.guidelines.decide import decide
from osler.clinic.guidelines.guideline import Bar, Example, Guideline, Number, Row, Step
from osler.clinic.guidelines.inputs import number
from osler.core.conclusion import Conclusion

LOBES = ("right_upper", "right_middle", "right_lower", "left_upper", "left_lower")
SHARES = tuple(f"{lobe}_percent" for lobe in LOBES)

# The publications leave gaps between whole percents (25 to 26); a share in a gap belongs to the higher score.
OF_25 = (
    Row((Within("lobe_score", at_most=0),), "0"),
    Row((Within("lobe_score", above=0, below=5),), "1"),
    Row((Within("lobe_score", at_least=5, at_most=25),), "2"),
    Row((Within("lobe_score", above=25, below=50),), "3"),
    Row((Within("lobe_score", at_least=50, at_most=75),), "4"),
    Row((Within("lobe_score", above=75),), "5"),
)
OF_20 = (
    Row((Within("lobe_score", at_most=0),), "0"),
    Row((Within("lobe_score", above=0, at_most=25),), "1"),
    Row((Within("lobe_score", above=25, at_most=50),), "2"),
    Row((Within("lobe_score", above=50, at_most=75),), "3"),
    Row((Within("lobe_score", above=75),), "4"),
)
INPUTS = (*(number(share, "%", 100, needed=True) for share in SHARES), number("age_years", "years", 120))
BARS = (Bar(Within("age_years", below=18), "guide.not.child"),)


def sum_over(names: tuple[str, ...], step: str) -> Callable[[Values], float | tuple[str, ...]]:
    """The sum of what the table `step` made of each of `names`; where some are not known, those."""

    def total(values: Values) -> float | tuple[str, ...]:
        parts = {name: values.get(f"{name}:{step}") for name in names}
        lacking = tuple(name for name, part in parts.items() if part is None)
        return lacking or sum(float(part or 0.0) for part in parts.values())

    return total


def _example(shares: tuple[float, ...]) -> dict[str, float]:
    return dict(zip(SHARES, shares, strict=True))


CT_SEVERITY_25 = Guideline(
    name="ct-severity-25",
    version="2020, table 1 of Osler",
    title="severity.title.25",
    source="Pan F, Ye T, Sun P, et al. Time course of lung changes at chest CT during recovery from coronavirus "
    "disease 2019 (COVID-19). Radiology 2020;295:715-721. doi:10.1148/radiol.2020200370",
    for_whom="severity.for",
    bars=BARS,
    inputs=INPUTS,
    steps=(Step("lobe_score", OF_25, each=SHARES),),
    total=sum_over(SHARES, "lobe_score"),
    top=25,
    notes=("severity.note.extent", "severity.note.gaps"),
    checked="severity.checked.25",
    examples=(
        Example(_example((0, 0, 0, 0, 0)), "0/25"),
        Example(_example((4.9, 5, 25, 26, 50)), "12/25"),
        Example(_example((75, 75.1, 80, 90, 100)), "24/25"),
    ),
)
CT_SEVERITY_20 = Guideline(
    name="ct-severity-20",
    version="2020, table 1 of Osler",
    title="severity.title.20",
    source="Chung M, Bernheim A, Mei X, et al. CT imaging features of 2019 novel coronavirus (2019-nCoV). "
    "Radiology 2020;295:202-207. doi:10.1148/radiol.2020200230",
    for_whom="severity.for",
    bars=BARS,
    inputs=INPUTS,
    steps=(Step("lobe_score", OF_20, each=SHARES),),
    total=sum_over(SHARES, "lobe_score"),
    top=20,
    notes=("severity.note.extent", "severity.note.gaps"),
    checked="severity.checked.20",
    examples=(
        Example(_example((0, 25, 26, 51, 76)), "10/20"),
        Example(_example((100, 100, 100, 100, 100)), "20/20"),
    ),
)


def score(
    *,
    right_upper_percent: Number,
    right_middle_percent: Number,
    right_lower_percent: Number,
    left_upper_percent: Number,
    left_lower_percent: Number,
    age_years: Number = None,
    top: int = 25,
    of: Mapping[str, str] | None = None,
) -> Conclusion:
    """The score from the diseased share of each lobe; the lingula belongs to the left upper one.

    top  25 (scores 0 to 5 a lobe) or 20 (0 to 4)

    >>> score(right_upper_percent=0, right_middle_percent=4, right_lower_percent=30, left_upper_percent=0,
    ...       left_lower_percent=60).category
    '8/25'
    """
    given = {
        "right_upper_percent": right_upper_percent,
        "right_middle_percent": right_middle_percent,
        "right_lower_percent": right_lower_percent,
        "left_upper_percent": left_upper_percent,
        "left_lower_percent": left_lower_percent,
        "age_years": age_years,
    }
    return decide(CT_SEVERITY_20 if top == 20 else CT_SEVERITY_25, given, of)

"""Osteoarthritis of the knee on a radiograph: the grades of Kellgren and Lawrence in words."""

from collections.abc import Mapping

from osler.clinic.guidelines.conditions import Is, Within
from osler.clinic.guidelines.decide import decide
from osler.clinic.guidelines.guideline import Bar, Example, Guideline, Input, Number, Row, Step
from osler.clinic.guidelines.inputs import grade as grade_input
from osler.clinic.guidelines.inputs import number
from osler.core.conclusion import Conclusion

ROWS = tuple(Row((Within("grade", at_least=n, at_most=n),), str(n), f"kellgren.{n}") for n in range(5))

KELLGREN_LAWRENCE = Guideline(
    name="kellgren-lawrence",
    version="1957, table 1 of Osler",
    title="kellgren.title",
    source="Kellgren JH, Lawrence JS. Radiological assessment of osteo-arthrosis. Ann Rheum Dis 1957;16:494-502. "
    "doi:10.1136/ard.16.4.494",
    for_whom="kellgren.for",
    bars=(
        Bar(Within("age_years", below=18), "kellgren.not.child"),
        Bar(Is("joint_replaced", True), "kellgren.not.replaced"),
    ),
    inputs=(grade_input("grade", 4), number("age_years", "years", 120), Input("joint_replaced")),
    steps=(Step("class", ROWS),),
    notes=("kellgren.note.graders", "kellgren.note.symptoms"),
    checked="kellgren.checked",
    examples=(
        Example({"grade": 0}, "0"),
        Example({"grade": 2, "age_years": 58}, "2"),
        Example({"grade": 3, "joint_replaced": True}, ""),
    ),
)


def grade(
    value: Number,
    *,
    age_years: Number = None,
    joint_replaced: bool | None = None,
    of: Mapping[str, str] | None = None,
) -> Conclusion:
    """What a grade means, and whether it counts as osteoarthritis (from grade 2).

    value  0 to 4; as a Quantity of unit "1" with low and high, the grades between them are given as `nearby`

    >>> from osler.core.quantity import Quantity
    >>> grade(Quantity(2, "1", low=1, high=3)).nearby
    ('1', '3')
    """
    return decide(
        KELLGREN_LAWRENCE, {"grade": value, "age_years": age_years, "joint_replaced": joint_replaced}, of
    )

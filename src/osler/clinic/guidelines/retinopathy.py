"""Diabetic retinopathy: the grades of the international clinical scale, and who is referred."""

from collections.abc import Mapping

from osler.clinic.guidelines.conditions import Is, Within
from osler.clinic.guidelines.decide import decide
from osler.clinic.guidelines.guideline import Bar, Example, Guideline, Input, Number, Row, Step
from osler.clinic.guidelines.inputs import grade as grade_input
from osler.core.conclusion import Conclusion

REFERABLE_FROM = 2


def _row(n: int, oedema: bool) -> Row:
    limit = Within("retinopathy_grade", at_least=n, at_most=n)
    if oedema:
        return Row((limit, Is("macular_oedema", True)), str(n), f"retinopathy.{n}", "retinopathy.refer.oedema")
    refer = "retinopathy.refer" if n >= REFERABLE_FROM else "retinopathy.no_refer"
    return Row((limit,), str(n), f"retinopathy.{n}", refer)


ROWS = (*(_row(n, True) for n in range(REFERABLE_FROM)), *(_row(n, False) for n in range(5)))

RETINOPATHY = Guideline(
    name="retinopathy-icdr",
    version="2003, table 1 of Osler",
    title="retinopathy.title",
    source="Wilkinson CP, Ferris FL, Klein RE, et al. Proposed international clinical diabetic retinopathy and "
    "diabetic macular edema disease severity scales. Ophthalmology 2003;110:1677-1682. "
    "doi:10.1016/S0161-6420(03)00475-5. Referral from grade 2: Gulshan V, Peng L, Coram M, et al. JAMA "
    "2016;316:2402-2410. doi:10.1001/jama.2016.17216",
    for_whom="retinopathy.for",
    bars=(
        Bar(Is("diabetes", False), "retinopathy.not.diabetes"),
        Bar(Is("gradable", False), "retinopathy.not.gradable"),
        Bar(Is("laser_treated", True), "retinopathy.not.laser"),
    ),
    inputs=(
        grade_input("retinopathy_grade", 4),
        Input("macular_oedema", supposed=False),
        Input("diabetes"),
        Input("gradable"),
        Input("laser_treated"),
    ),
    steps=(Step("class", ROWS),),
    notes=("retinopathy.note.programmes", "retinopathy.note.eye"),
    checked="retinopathy.checked",
    examples=(
        Example({"retinopathy_grade": 1, "macular_oedema": False}, "1"),
        Example({"retinopathy_grade": 2}, "2"),
        Example({"retinopathy_grade": 2, "gradable": False}, ""),
    ),
)


def grade(
    value: Number,
    *,
    macular_oedema: bool | None = None,
    diabetes: bool | None = None,
    gradable: bool | None = None,
    laser_treated: bool | None = None,
    of: Mapping[str, str] | None = None,
) -> Conclusion:
    """What a grade of one eye means, and whether the patient is referred (from grade 2, or macular oedema).

    value  0 to 4; as a Quantity of unit "1" with low and high, the grades between them are given as `nearby`
    """
    given = {
        "retinopathy_grade": value,
        "macular_oedema": macular_oedema,
        "diabetes": diabetes,
        "gradable": gradable,
        "laser_treated": laser_treated,
    }
    return decide(RETINOPATHY, given, of)

"""Classes of the left ventricle's ejection fraction: of heart failure (ESC 2021), and normal by sex (ASE 2015)."""

from collections.abc import Mapping

from osler.clinic.guidelines.conditions import Is, Within
from osler.clinic.guidelines.decide import decide
from osler.clinic.guidelines.guideline import Bar, Example, Guideline, Number, Row, Step
from osler.clinic.guidelines.inputs import SEX, number
from osler.core.conclusion import Conclusion

EF = number("ef_percent", "%", 100, low=1, needed=True, step=1)  # whole percents, as the publications give limits
ADULTS = Bar(Within("age_years", below=18), "guide.not.child")
MEN, WOMEN = Is("sex", "M"), Is("sex", "F")


def _ef(at_least: float | None = None, at_most: float | None = None, above: float | None = None) -> Within:
    return Within("ef_percent", at_least=at_least, at_most=at_most, above=above)


ESC_ROWS = (
    Row((_ef(at_most=40),), "reduced", "ef.reduced"),
    Row((_ef(41, 49),), "mildly reduced", "ef.mild"),
    Row((_ef(50),), "preserved", "ef.preserved"),
)
# fmt: off
ASE_ROWS = (
    Row((MEN, _ef(above=72)),        "above normal",        "ef.ase.above"),
    Row((MEN, _ef(52, 72)),          "normal",              "ef.ase.normal"),
    Row((MEN, _ef(41, 51)),          "mildly abnormal",     "ef.ase.mild"),
    Row((WOMEN, _ef(above=74)),      "above normal",        "ef.ase.above"),
    Row((WOMEN, _ef(54, 74)),        "normal",              "ef.ase.normal"),
    Row((WOMEN, _ef(41, 53)),        "mildly abnormal",     "ef.ase.mild"),
    Row((_ef(30, 40),),              "moderately abnormal", "ef.ase.moderate"),
    Row((_ef(at_most=29),),          "severely abnormal",   "ef.ase.severe"),
)
# fmt: on

EF_ESC = Guideline(
    name="ejection-fraction-esc-2021",
    version="2021, table 1 of Osler",
    title="ef.esc.title",
    coded=False,
    source="McDonagh TA, Metra M, Adamo M, et al. 2021 ESC Guidelines for the diagnosis and treatment of "
    "acute and chronic heart failure. Eur Heart J 2021;42:3599-3726. doi:10.1093/eurheartj/ehab368",
    for_whom="ef.esc.for",
    bars=(ADULTS,),
    inputs=(EF, number("age_years", "years", 120)),
    steps=(Step("class", ESC_ROWS),),
    notes=("ef.note.failure", "ef.note.rounded"),
    checked="ef.esc.checked",
    examples=(
        Example({"ef_percent": 40}, "reduced"),
        Example({"ef_percent": 41}, "mildly reduced"),
        Example({"ef_percent": 50}, "preserved"),
    ),
)
EF_ASE = Guideline(
    name="ejection-fraction-ase-2015",
    version="2015, table 1 of Osler",
    title="ef.ase.title",
    coded=False,
    source="Lang RM, Badano LP, Mor-Avi V, et al. Recommendations for cardiac chamber quantification by "
    "echocardiography in adults: an update from the American Society of Echocardiography and the European "
    "Association of Cardiovascular Imaging. J Am Soc Echocardiogr 2015;28:1-39. "
    "doi:10.1016/j.echo.2014.10.003",
    for_whom="ef.ase.for",
    bars=(ADULTS, Bar(Is("sex", "O"), "guide.not.sex")),
    inputs=(EF, SEX, number("age_years", "years", 120)),
    steps=(Step("class", ASE_ROWS),),
    notes=("ef.note.method", "ef.note.rounded"),
    checked="ef.ase.checked",
    examples=(
        Example({"ef_percent": 53, "sex": "M"}, "normal"),
        Example({"ef_percent": 53, "sex": "F"}, "mildly abnormal"),
        Example({"ef_percent": 53}, ""),
    ),
)


def class_of(ef_percent: Number, *, age_years: Number = None, of: Mapping[str, str] | None = None) -> Conclusion:
    """The class that heart failure with this ejection fraction belongs to, after the ESC 2021.

    >>> class_of(40).category, class_of(49.4).category, class_of(49.5).category
    ('reduced', 'mildly reduced', 'preserved')
    """
    return decide(EF_ESC, {"ef_percent": ef_percent, "age_years": age_years}, of)


def normal_by_sex(
    ef_percent: Number, sex: str | None, *, age_years: Number = None, of: Mapping[str, str] | None = None
) -> Conclusion:
    """Whether the ejection fraction is normal for a woman or a man, after the ASE and EACVI 2015."""
    return decide(EF_ASE, {"ef_percent": ef_percent, "sex": sex, "age_years": age_years}, of)

"""How probable it is that a pulmonary nodule is cancer: the Brock (PanCan) and the Mayo model."""

import math
from collections.abc import Mapping

from osler.clinic.guidelines.conditions import Is, Value, Values, Within
from osler.clinic.guidelines.decide import decide
from osler.clinic.guidelines.guideline import Bar, Example, Guideline, Input, Number, Row, Step
from osler.clinic.guidelines.inputs import AGE, NODULE_KINDS, SEX, number
from osler.core.conclusion import Conclusion

# Log-odds, without centring: the same as the published ones, centred at 62 years, 4 nodules, size term -1.5811.
BROCK_TERMS = {
    "intercept": 0.2761,
    "age_years": 0.0287,
    "female": 0.6011,
    "family_history": 0.2961,
    "emphysema": 0.2953,
    "size": -5.3854,  # of (diameter in cm) ** -0.5
    "upper_lobe": 0.6581,
    "part-solid": 0.377,
    "ground-glass": -0.1276,
    "count": -0.0824,
    "spiculated": 0.7729,
}
BROCK_AGES = (50, 75)  # of the people that the model was made from
MAYO_TERMS = {
    "intercept": -6.8272,
    "age_years": 0.0391,
    "smoker": 0.7917,
    "past_cancer": 1.3388,
    "size_mm": 0.1274,
    "spiculated": 1.0407,
    "upper_lobe": 0.7838,
}
PROBABILITY = Input("probability", "%", needed=False, high=100)


def brock_percent(values: Values) -> float | None:
    """The probability of the Brock model in percent; None where an input is not known."""
    asked = ("age_years", "sex", "size_mm", "kind", "count")
    yes_no = ("family_history", "emphysema", "upper_lobe", "spiculated")
    if any(values.get(name) is None for name in (*asked, *yes_no)):
        return None
    age, size, count = (float(values[name] or 0.0) for name in ("age_years", "size_mm", "count"))
    logit = BROCK_TERMS["intercept"] + BROCK_TERMS["age_years"] * age + BROCK_TERMS["count"] * count
    logit += BROCK_TERMS["size"] * (size / 10) ** -0.5 + BROCK_TERMS.get(str(values["kind"]), 0.0)
    logit += BROCK_TERMS["female"] * (values["sex"] == "F")
    logit += sum(BROCK_TERMS[name] for name in yes_no if values[name])
    return _percent(logit)


def mayo_percent(values: Values) -> float | None:
    """The probability of the Mayo model in percent; None where an input is not known."""
    yes_no = ("smoker", "past_cancer", "spiculated", "upper_lobe")
    if any(values.get(name) is None for name in ("age_years", "size_mm", *yes_no)):
        return None
    logit = MAYO_TERMS["intercept"] + sum(MAYO_TERMS[name] for name in yes_no if values[name])
    logit += sum(MAYO_TERMS[name] * float(values[name] or 0.0) for name in ("age_years", "size_mm"))
    return _percent(logit)


def _percent(logit: float) -> float:
    return 100.0 / (1.0 + math.exp(-logit))


def _brock(values: Values) -> dict[str, Value | None]:
    age = values.get("age_years")
    outside = None if age is None else not BROCK_AGES[0] <= float(age) <= BROCK_AGES[1]
    return {"probability": brock_percent(values), "extrapolated": outside}


def _mayo(values: Values) -> dict[str, Value | None]:
    return {"probability": mayo_percent(values)}


BROCK_ROWS = (
    Row((Within("probability", below=10),), "below 10 %", "brock.below", "brock.below.advice"),
    Row((Within("probability", at_least=10),), "10 % or more", "brock.above", "brock.above.advice"),
)
MAYO_ROWS = (
    Row((Within("probability", below=5),), "below 5 %", "mayo.low", "mayo.low.advice"),
    Row((Within("probability", at_least=5, at_most=65),), "5 to 65 %", "mayo.middle", "mayo.middle.advice"),
    Row((Within("probability", above=65),), "above 65 %", "mayo.high", "mayo.high.advice"),
)

BROCK = Guideline(
    name="brock",
    version="full model with spiculation (2013), table 1 of Osler",
    title="brock.title",
    coded=False,
    source="McWilliams A, Tammemagi MC, Mayo JR, et al. Probability of cancer in pulmonary nodules detected on "
    "first screening CT. N Engl J Med 2013;369:910-919. doi:10.1056/NEJMoa1214726. Limit of 10 %: Callister "
    "MEJ, Baldwin DR, Akram AR, et al. British Thoracic Society guidelines for the investigation and "
    "management of pulmonary nodules. Thorax 2015;70(Suppl 2):ii1-ii54. doi:10.1136/thoraxjnl-2015-207168",
    for_whom="brock.for",
    bars=(
        Bar(Within("age_years", below=18), "guide.not.child"),
        Bar(Is("sex", "O"), "guide.not.sex"),
        Bar(Is("known_cancer", True), "brock.not.cancer"),
    ),
    inputs=(
        AGE,
        SEX,
        number("size_mm", "mm", 300, low=0.1, needed=True),
        Input("kind", words=NODULE_KINDS, either=True),
        Input("count", "1", needed=True, low=1, high=1000, step=1),
        Input("upper_lobe", either=True),
        Input("spiculated", either=True),
        Input("emphysema", either=True),
        Input("family_history", either=True),
        Input("known_cancer"),
    ),
    derived=(PROBABILITY, Input("extrapolated")),
    derive=_brock,
    terms=BROCK_TERMS,
    steps=(Step("limit", BROCK_ROWS),),
    tells="brock.tells",
    notes=(
        "brock.note.logistic",
        "brock.note.unknown",
        "brock.note.calibration",
        "brock.note.age",
        "brock.note.mayo",
    ),
    checked="brock.checked",
    examples=(
        Example(
            {
                "age_years": 62,
                "sex": "M",
                "size_mm": 10,
                "kind": "solid",
                "count": 4,
                "upper_lobe": False,
                "spiculated": False,
                "emphysema": False,
                "family_history": False,
            },
            "below 10 %",
        ),
        Example(
            {
                "age_years": 70,
                "sex": "F",
                "size_mm": 20,
                "kind": "part-solid",
                "count": 1,
                "upper_lobe": True,
                "spiculated": True,
                "emphysema": True,
                "family_history": True,
            },
            "10 % or more",
        ),
        Example({"age_years": 55, "sex": "M", "size_mm": 5, "count": 1}, "below 10 %"),
        Example({"sex": "M", "size_mm": 5, "count": 1}, ""),
    ),
)

MAYO = Guideline(
    name="mayo",
    version="1997, table 1 of Osler",
    title="mayo.title",
    coded=False,
    source="Swensen SJ, Silverstein MD, Ilstrup DM, et al. The probability of malignancy in solitary pulmonary "
    "nodules. Arch Intern Med 1997;157:849-855. Limits of 5 and 65 %: Gould MK, Donington J, Lynch WR, et "
    "al. Evaluation of individuals with pulmonary nodules: when is it lung cancer? Chest 2013;143(5 "
    "Suppl):e93S-e120S. doi:10.1378/chest.12-2351",
    for_whom="mayo.for",
    bars=(
        Bar(Within("age_years", below=18), "guide.not.child"),
        Bar(Within("size_mm", above=30), "mayo.not.mass"),
        Bar(Within("size_mm", below=4), "mayo.not.tiny"),
        Bar(Is("recent_cancer", True), "mayo.not.cancer"),
    ),
    inputs=(
        AGE,
        number("size_mm", "mm", 300, low=0.1, needed=True),
        Input("smoker", either=True),
        Input("past_cancer", either=True),
        Input("spiculated", either=True),
        Input("upper_lobe", either=True),
        Input("recent_cancer"),
    ),
    derived=(PROBABILITY,),
    derive=_mayo,
    terms=MAYO_TERMS,
    steps=(Step("limit", MAYO_ROWS),),
    tells="brock.tells",
    notes=("brock.note.logistic", "brock.note.unknown", "mayo.note.where"),
    checked="mayo.checked",
    examples=(
        Example(
            {
                "age_years": 60,
                "size_mm": 15,
                "smoker": True,
                "past_cancer": False,
                "spiculated": False,
                "upper_lobe": True,
            },
            "5 to 65 %",
        ),
        Example(
            {
                "age_years": 40,
                "size_mm": 5,
                "smoker": False,
                "past_cancer": False,
                "spiculated": False,
                "upper_lobe": False,
            },
            "below 5 %",
        ),
        Example({"age_years": 60, "size_mm": 31}, ""),
    ),
)


def brock(
    *,
    age_years: Number,
    sex: str | None,
    size_mm: Number,
    count: Number = None,
    kind: str | None = None,
    upper_lobe: bool | None = None,
    spiculated: bool | None = None,
    emphysema: bool | None = None,
    family_history: bool | None = None,
    known_cancer: bool | None = None,
    of: Mapping[str, str] | None = None,
) -> Conclusion:
    """The risk of cancer of one nodule by the Brock model, full, with spiculation.

    size_mm         longest diameter
    count           of nodules in both lungs
    kind            "solid", "part-solid" or "ground-glass"
    family_history  of lung cancer

    What is not known beside age, sex, size and count is tried both ways: the probability is then given from - to.

    >>> brock(age_years=62, sex="M", size_mm=10, count=4, kind="solid", upper_lobe=False, spiculated=False,
    ...       emphysema=False, family_history=False).category
    'below 10 %'
    """
    given = {
        "age_years": age_years,
        "sex": sex,
        "size_mm": size_mm,
        "count": count,
        "kind": kind,
        "upper_lobe": upper_lobe,
        "spiculated": spiculated,
        "emphysema": emphysema,
        "family_history": family_history,
        "known_cancer": known_cancer,
    }
    return decide(BROCK, given, of)


def mayo(
    *,
    age_years: Number,
    size_mm: Number,
    smoker: bool | None = None,
    past_cancer: bool | None = None,
    spiculated: bool | None = None,
    upper_lobe: bool | None = None,
    recent_cancer: bool | None = None,
    of: Mapping[str, str] | None = None,
) -> Conclusion:
    """The risk of cancer of a single nodule of 4 to 30 mm by the Mayo model.

    smoker         now or ever
    past_cancer    outside the chest, more than five years ago
    recent_cancer  any within five years, or lung cancer ever: the model does not hold
    """
    given = {
        "age_years": age_years,
        "size_mm": size_mm,
        "smoker": smoker,
        "past_cancer": past_cancer,
        "spiculated": spiculated,
        "upper_lobe": upper_lobe,
        "recent_cancer": recent_cancer,
    }
    return decide(MAYO, given, of)

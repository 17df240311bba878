"""Response of a tumour on FDG PET, after PERCIST 1.0."""

from collections.abc import Mapping

from osler.clinic.guidelines.conditions import Is, Value, Values, Within
from osler.clinic.guidelines.decide import decide
from osler.clinic.guidelines.guideline import Bar, Example, Guideline, Input, Number, Row, Step
from osler.clinic.guidelines.inputs import number
from osler.core.conclusion import Conclusion

LIVER_TIMES, BLOOD_TIMES, DEVIATIONS = 1.5, 2.0, 2.0  # the least uptake that can be followed


def _derive(values: Values) -> dict[str, Value | None]:
    def known(name: str) -> float | None:
        value = values.get(name)
        return None if value is None else float(value)

    def change(now: float | None, before: float | None) -> float | None:
        return None if now is None or not before else round(100 * (now - before) / before, 9)

    baseline, now = known("baseline_sul"), known("now_sul")
    liver, deviation, liver_now = known("liver_sul"), known("liver_sd_sul"), known("liver_now_sul")
    blood, blood_deviation = known("blood_sul"), known("blood_sd_sul")
    least = None
    if liver is not None and deviation is not None:
        least = LIVER_TIMES * liver + DEVIATIONS * deviation
    elif blood is not None and blood_deviation is not None:
        least = BLOOD_TIMES * blood + DEVIATIONS * blood_deviation
    minutes, minutes_now = known("uptake_minutes"), known("uptake_now_minutes")
    background = liver_now if liver_now is not None else liver
    return {
        "least_sul": least,
        "measurable": None if least is None or baseline is None else baseline >= round(least, 9),
        "liver_change_percent": None if (one := change(liver_now, liver)) is None else abs(one),
        "liver_change_sul": None if liver is None or liver_now is None else round(abs(liver_now - liver), 9),
        "uptake_apart_minutes": None if minutes is None or minutes_now is None else abs(minutes_now - minutes),
        "change_percent": change(now, baseline),
        "change_sul": None if now is None or baseline is None else round(now - baseline, 9),
        "tlg_change_percent": change(known("tlg_now"), known("tlg_baseline")),
        "over_liver": None if now is None or background is None else round(now - background, 9),
    }


ROWS = (
    Row((Is("new_lesions", True),), "PMD", "percist.pmd"),
    Row((Within("over_liver", below=0), Is("gone", True)), "CMR", "percist.cmr"),
    Row((Within("change_percent", at_least=30), Within("change_sul", at_least=0.8)), "PMD", "percist.pmd"),
    Row((Within("tlg_change_percent", at_least=75), Within("change_percent", at_least=0)), "PMD", "percist.pmd"),
    Row((Within("change_percent", at_most=-30), Within("change_sul", at_most=-0.8)), "PMR", "percist.pmr"),
    Row((), "SMD", "percist.smd"),
)

START: dict[str, Value] = {
    "baseline_sul": 8,
    "liver_sul": 1.6,
    "liver_sd_sul": 0.3,
    "tlg_baseline": 100,
    "tlg_now": 90,
    "new_lesions": False,
}

PERCIST = Guideline(
    name="percist-1.0",
    version="1.0 (2009), table 1 of Osler",
    title="percist.title",
    source="Wahl RL, Jacene H, Kasamon Y, Lodge MA. From RECIST to PERCIST: evolving considerations for PET "
    "response criteria in solid tumors. J Nucl Med 2009;50(Suppl 1):122S-150S. doi:10.2967/jnumed.108.057307",
    for_whom="percist.for",
    bars=(
        Bar(Is("measurable", False), "percist.not.measurable"),
        Bar(Within("liver_change_percent", above=20), "percist.not.liver"),
        Bar(Within("liver_change_sul", above=0.3), "percist.not.liver"),
        Bar(Within("uptake_apart_minutes", above=15), "percist.not.uptake"),
        Bar(Is("same_scanner", False), "percist.not.scanner"),
    ),
    inputs=(
        number("baseline_sul", "SUL", 200, low=0.01, needed=True),
        number("now_sul", "SUL", 200, needed=True),
        number("liver_sul", "SUL", 20, low=0.01),
        number("liver_sd_sul", "SUL", 20),
        number("liver_now_sul", "SUL", 20, low=0.01),
        number("blood_sul", "SUL", 20, low=0.01),
        number("blood_sd_sul", "SUL", 20),
        number("uptake_minutes", "minutes", 600),
        number("uptake_now_minutes", "minutes", 600),
        number("tlg_baseline", "g", 1_000_000),
        number("tlg_now", "g", 1_000_000),
        Input("new_lesions"),
        Input("gone", supposed=False),
        Input("same_scanner"),
    ),
    derived=(
        Input("least_sul", "SUL", needed=True),
        Input("measurable"),
        Input("liver_change_percent", "%"),
        Input("liver_change_sul", "SUL"),
        Input("uptake_apart_minutes", "minutes"),
        Input("change_percent", "%"),
        Input("change_sul", "SUL"),
        Input("tlg_change_percent", "%"),
        Input("over_liver", "SUL"),
    ),
    derive=_derive,
    figures={"liver": LIVER_TIMES, "blood": BLOOD_TIMES, "deviations": DEVIATIONS},
    steps=(Step("response", ROWS),),
    tells="percist.tells",
    notes=("percist.note.peak", "percist.note.measurable", "percist.note.tlg", "percist.note.gone"),
    checked="percist.checked",
    examples=(
        Example({**START, "now_sul": 5.6}, "PMR"),
        Example({**START, "now_sul": 5.7}, "SMD"),
        Example({**START, "now_sul": 10.4}, "PMD"),
        Example({**START, "now_sul": 1.2, "gone": True}, "CMR"),
        Example({**START, "now_sul": 5.6, "baseline_sul": 2.9}, ""),
    ),
)


def response(
    *,
    baseline_sul: Number,
    now_sul: Number,
    new_lesions: bool | None,
    liver_sul: Number = None,
    liver_sd_sul: Number = None,
    liver_now_sul: Number = None,
    blood_sul: Number = None,
    blood_sd_sul: Number = None,
    uptake_minutes: Number = None,
    uptake_now_minutes: Number = None,
    tlg_baseline: Number = None,
    tlg_now: Number = None,
    gone: bool | None = None,
    same_scanner: bool | None = None,
    of: Mapping[str, str] | None = None,
) -> Conclusion:
    """The metabolic response: CMR, PMR, SMD or PMD.

    baseline_sul, now_sul   SULpeak of the hottest lesion then and now; it need not be the same lesion
    liver_sul, _sd_sul      mean and standard deviation in the right lobe of a healthy liver at baseline
    liver_now_sul           the mean now; without it the two scans are supposed to be comparable, and that is said
    blood_sul, blood_sd_sul  of the aorta, where the liver is diseased
    uptake_minutes, _now_   from injection to scan
    tlg_baseline, tlg_now   total lesion glycolysis, SUL x ml
    gone                    every lesion is indistinguishable from its surroundings
    """
    given = {
        "baseline_sul": baseline_sul,
        "now_sul": now_sul,
        "liver_sul": liver_sul,
        "liver_sd_sul": liver_sd_sul,
        "liver_now_sul": liver_now_sul,
        "blood_sul": blood_sul,
        "blood_sd_sul": blood_sd_sul,
        "uptake_minutes": uptake_minutes,
        "uptake_now_minutes": uptake_now_minutes,
        "tlg_baseline": tlg_baseline,
        "tlg_now": tlg_now,
        "new_lesions": new_lesions,
        "gone": gone,
        "same_scanner": same_scanner,
    }
    return decide(PERCIST, given, of)

"""Calcium of the coronary arteries: the usual categories of the Agatston score, and those of CAC-DRS."""

from collections.abc import Mapping

from osler.clinic.guidelines.conditions import Is, Within
from osler.clinic.guidelines.decide import decide
from osler.clinic.guidelines.guideline import Bar, Example, Guideline, Input, Number, Row, Step
from osler.clinic.guidelines.inputs import number
from osler.core.conclusion import Conclusion

AGATSTON_ROWS = (
    Row((Within("agatston", at_most=0),), "0", "calcium.0"),
    Row((Within("agatston", above=0, at_most=10),), "1-10", "calcium.10"),
    Row((Within("agatston", above=10, at_most=100),), "11-100", "calcium.100"),
    Row((Within("agatston", above=100, at_most=400),), "101-400", "calcium.400"),
    Row((Within("agatston", above=400),), "above 400", "calcium.more"),
)
CAC_DRS_ROWS = (
    Row((Within("agatston", at_most=0),), "A0", "cac_drs.0"),
    Row((Within("agatston", above=0, below=100),), "A1", "cac_drs.1"),
    Row((Within("agatston", at_least=100, below=300),), "A2", "cac_drs.2"),
    Row((Within("agatston", at_least=300),), "A3", "cac_drs.3"),
)
BARS = (
    Bar(Is("contrast", True), "calcium.not.contrast"),
    Bar(Is("stent_or_bypass", True), "calcium.not.treated"),
    Bar(Within("tube_kv", below=119.5), "calcium.not.kv"),
    Bar(Within("tube_kv", above=120.5), "calcium.not.kv"),
    Bar(Is("gated", False), "calcium.not.gated"),
)
INPUTS = (
    number("agatston", "1", 50_000, needed=True),
    Input("gated"),
    Input("contrast"),
    Input("stent_or_bypass"),
    number("tube_kv", "kV", 200, low=40),
)

CALCIUM = Guideline(
    name="calcium",
    version="categories in common use, table 1 of Osler",
    title="calcium.title",
    source="Agatston AS, Janowitz WR, Hildner FJ, et al. Quantification of coronary artery calcium using "
    "ultrafast computed tomography. J Am Coll Cardiol 1990;15:827-832. "
    "doi:10.1016/0735-1097(90)90282-T. Categories: Rumberger JA, Brundage BH, Rader DJ, Kondos G. Mayo "
    "Clin Proc 1999;74:243-252. doi:10.4065/74.3.243",
    for_whom="calcium.for",
    bars=BARS,
    inputs=INPUTS,
    steps=(Step("category", AGATSTON_ROWS),),
    notes=("calcium.note.between", "calcium.note.age"),
    checked="calcium.checked",
    examples=(
        Example({"agatston": 0}, "0"),
        Example({"agatston": 100}, "11-100"),
        Example({"agatston": 101}, "101-400"),
        Example({"agatston": 250, "gated": False}, ""),
    ),
)
CAC_DRS = Guideline(
    name="cac-drs",
    version="2018, Agatston part, table 1 of Osler",
    title="cac_drs.title",
    source="Hecht HS, Blaha MJ, Kazerooni EA, et al. CAC-DRS: coronary artery calcium data and reporting system. "
    "J Cardiovasc Comput Tomogr 2018;12:185-191. doi:10.1016/j.jcct.2018.03.008",
    for_whom="calcium.for",
    bars=BARS,
    inputs=INPUTS,
    steps=(Step("category", CAC_DRS_ROWS),),
    notes=("cac_drs.note.vessels", "calcium.note.age"),
    checked="cac_drs.checked",
    examples=(Example({"agatston": 99}, "A1"), Example({"agatston": 100}, "A2"), Example({"agatston": 300}, "A3")),
)


def category(
    agatston: Number,
    *,
    gated: bool | None = None,
    contrast: bool | None = None,
    stent_or_bypass: bool | None = None,
    tube_kv: Number = None,
    drs: bool = False,
    of: Mapping[str, str] | None = None,
) -> Conclusion:
    """The category of an Agatston score.

    gated  False: refused; a score of a CT that does not wait for the heart is an estimate
    drs    by CAC-DRS instead of the usual categories

    >>> category(100.0).category, category(100.0, drs=True).category
    ('11-100', 'A2')
    """
    given = {
        "agatston": agatston,
        "gated": gated,
        "contrast": contrast,
        "stent_or_bypass": stent_or_bypass,
        "tube_kv": tube_kv,
    }
    return decide(CAC_DRS if drs else CALCIUM, given, of)

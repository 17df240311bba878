"""The coded concepts that a measurement report is made of, for the pen and for the eye.

Source: DICOM PS3.16, TID 1500 (Measurement Report), TID 1501 and 1411 (Measurement Groups), TID 300 and 310
(Measurement and its properties), TID 4019 (Algorithm), TID 2010 (Key Object Selection), CID 225, 240 and 6047.
"""

import functools
import hashlib
import re

from osler.core.codes import Code

OWN_SCHEME = "99OSLER"  # for what no scheme has a code for


def _dcm(value: str, meaning: str) -> Code:
    return Code(value, "DCM", meaning)


def _sct(value: str, meaning: str) -> Code:
    return Code(value, "SCT", meaning)


# the document and who speaks
IMAGING_MEASUREMENT_REPORT = _dcm("126000", "Imaging Measurement Report")
LANGUAGE = _dcm("121049", "Language of Content Item and Descendants")
LANGUAGES = {"en": Code("en", "RFC5646", "English"), "zh": Code("zh", "RFC5646", "Chinese")}
OBSERVER_TYPE = _dcm("121005", "Observer Type")
DEVICE = _dcm("121007", "Device")
DEVICE_UID = _dcm("121012", "Device Observer UID")
DEVICE_NAME = _dcm("121013", "Device Observer Name")
DEVICE_MANUFACTURER = _dcm("121014", "Device Observer Manufacturer")
DEVICE_MODEL = _dcm("121015", "Device Observer Model Name")
DEVICE_SERIAL = _dcm("121016", "Device Observer Serial Number")
PROCEDURE_REPORTED = _dcm("121058", "Procedure reported")
IMAGING_PROCEDURE = _sct("363679005", "Imaging procedure")
IMAGING_MEASUREMENTS = _dcm("126010", "Imaging Measurements")
QUALITATIVE_EVALUATIONS = Code("C0034375", "UMLS", "Qualitative Evaluations")
COMMENT = _dcm("121106", "Comment")
KEY_OBJECT_DESCRIPTION = _dcm("113012", "Key Object Description")
OF_INTEREST = _dcm("113000", "Of Interest")

IMAGE_LIBRARY = _dcm("111028", "Image Library")

# one group
MEASUREMENT_GROUP = _dcm("125007", "Measurement Group")
TRACKING_IDENTIFIER = _dcm("112039", "Tracking Identifier")
TRACKING_UID = _dcm("112040", "Tracking Unique Identifier")
SHORT_LABEL = _dcm("125309", "Short Label")
ALGORITHM_NAME = _dcm("111001", "Algorithm Name")
ALGORITHM_PARAMETERS = _dcm("111002", "Algorithm Parameters")
ALGORITHM_VERSION = _dcm("111003", "Algorithm Version")
FINDING = _dcm("121071", "Finding")
FINDING_SITE = _sct("363698007", "Finding Site")
LATERALITY = _sct("272741003", "Laterality")
RIGHT, LEFT = _sct("24028007", "Right"), _sct("7771000", "Left")
SOURCE = _sct("260753009", "Source")
REFERENCED_SEGMENT = _dcm("121191", "Referenced Segment")
SERIES_UID = _dcm("112002", "Series Instance UID")
SERIES_FOR_SEGMENTATION = _dcm("121232", "Source series for segmentation")
SOURCE_FOR_SEGMENTATION = _dcm("121233", "Source image for segmentation")
DERIVATION = _dcm("121401", "Derivation")
LOWER_UNCERTAINTY = _sct("371885007", "-, range of lower measurement uncertainty")
UPPER_UNCERTAINTY = _sct("371886008", "+, range of upper measurement uncertainty")
NOT_A_NUMBER = _dcm("114000", "Not a number")

# what is said of it
PROBABILITY = _dcm("122157", "Probability")
CERTAINTY_OF_FINDING = _dcm("111012", "Certainty of Finding")  # how CAD of the breast says it, in percent
PRESENCE = _dcm("121052", "Presence of property")
PRESENT, ABSENT = _sct("52101004", "Present"), _sct("272519000", "Absent")
GRADE = Code("grade", OWN_SCHEME, "Grade")
CLASS = Code("class", OWN_SCHEME, "Class")
LESION = Code("lesion", OWN_SCHEME, "Lesion")  # what it is called across studies
CENTRE = _dcm("111010", "Center")

# what follows from it (PS3.16 TID 1500 takes it under Qualitative Evaluations)
CONCLUSION = _dcm("121077", "Conclusion")
RECOMMENDATION = _dcm("121075", "Recommendation")
METHOD_CITATION = _dcm("121423", "Method Citation")
NOT_USED = Code("not-used", OWN_SCHEME, "Rule not used")
CATEGORY = Code("category", OWN_SCHEME, "Category")
RULE = Code("rule", OWN_SCHEME, "Rule that applied")
NEARBY = Code("nearby", OWN_SCHEME, "Category that cannot be excluded")
REFUSED = Code("refused", OWN_SCHEME, "Why the rule was not used")
PRIORITY = _sct("260870009", "Priority")
PRIORITY_SCORE = Code("priority-score", OWN_SCHEME, "Priority score")

FINDINGS_SUMMARY = _dcm("111017", "CAD Processing and Findings Summary")
SUCCEEDED_WITHOUT_FINDINGS = _dcm("111241", "All algorithms succeeded; without findings")
NOT_SUCCEEDED = _dcm("111245", "No algorithms succeeded; without findings")

# Other spellings of the same, by (value, scheme): SNOMED's retired letters ("SRT"), and DCM's own words.
SYNONYMS: dict[tuple[str, str], Code] = {
    ("G-C0E3", "SRT"): FINDING_SITE,
    ("G-C171", "SRT"): LATERALITY,
    ("G-A100", "SRT"): RIGHT,
    ("G-A101", "SRT"): LEFT,
    ("121053", "DCM"): PRESENT,
    ("G-A203", "SRT"): PRESENT,
    ("121054", "DCM"): ABSENT,
    ("2667000", "SCT"): ABSENT,
    ("R-4089B", "SRT"): ABSENT,
    ("705057003", "SCT"): PRESENCE,
    ("R-00362", "SRT"): LOWER_UNCERTAINTY,
    ("R-00364", "SRT"): UPPER_UNCERTAINTY,
}


def own_code(name: str) -> Code:
    """A code for a name that no scheme has one for: the same name always gets the same.

    >>> own_code("Separate pieces").value == own_code("Separate pieces").value != own_code("Pieces").value
    True
    """
    shown = name[:64]  # what a code meaning holds, so that it can be told from the meaning alone
    return Code("N" + hashlib.sha1(shown.encode(), usedforsecurity=False).hexdigest()[:14], OWN_SCHEME, shown)


def public_code(code: Code | None) -> Code | None:
    """The code as it was given; None for one that was only made from its name."""
    return None if code is None or code == own_code(code.meaning) else code


_UNITS = {"ml": "mL", "HU": "[hnsf'U]", "SUV": "g/ml{SUVbw}", "SUL": "g/ml{SUVlbm}"}
# What UCUM knows of the units that images are measured in, with the prefixes that are used.
_ATOMS = (
    *("1", "%", "m", "cm", "mm", "um", "L", "mL", "ml", "dL", "kg", "g", "mg", "ug", "ng", "Bq", "kBq", "MBq"),
    *("Gy", "cGy", "mSv", "s", "ms", "min", "h", "d", "wk", "mo", "a", "Hz", "deg", "rad", "T", "mT", "K"),
    *("Cel", "mm[Hg]", "[hnsf'U]", "U", "[IU]", "mol", "mmol", "umol"),
)


def ucum(unit: str) -> Code:
    """A house unit as UCUM spells it; any other word is written as its annotation, "{word}".

    >>> ucum("ml").value, ucum("pixels").value, ucum("1").meaning, ucum("ml.g/ml{SUVbw}").value
    ('mL', '{pixels}', 'no units', 'ml.g/ml{SUVbw}')
    """
    value = _UNITS.get(unit, unit or "1")
    if not _is_ucum(value):
        value = "{" + re.sub(r"[{}]", " ", value).strip() + "}"
    return Code(value, "UCUM", "no units" if value == "1" else value)


def _is_ucum(value: str) -> bool:
    """Atoms with a power and an annotation, parted by points and strokes (UCUM 2.4); or an annotation alone.

    >>> [_is_ucum(value) for value in ("mm2/s", "/min", "{pixels}", "g/ml{SUVbw}", "SUV", "mm 2")]
    [True, True, True, True, False, False]
    """
    return _terms().fullmatch(value) is not None


@functools.cache
def _terms() -> re.Pattern[str]:
    atom = "|".join(re.escape(one) for one in _ATOMS)
    annotation = r"\{[^{}]*\}"
    term = rf"(?:(?:{atom})(?:-?[2-9])?(?:{annotation})?|{annotation})"
    return re.compile(rf"/?{term}(?:[./]{term})*")


def house_unit(value: str) -> str:
    """UCUM's spelling as the house writes it: "mL" is "ml", and an annotation alone loses its braces.

    >>> house_unit("mL"), house_unit("{pixels}"), house_unit("g/ml{SUVbw}"), house_unit("{no units}")
    ('ml', 'pixels', 'g/ml{SUVbw}', '1')
    """
    if value in ("mL", "ml"):
        return "ml"
    if value.startswith("{") and value.endswith("}") and value.count("{") == 1:
        word = value[1:-1]
        return "1" if word in ("", "no units", "0:1") else word
    return value or "1"

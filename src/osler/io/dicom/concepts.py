"""The coded concepts that a measurement report is made of, for the pen and for the eye.

Source: DICOM PS3.16, TID 1500 (Measurement Report), TID 1501 and 1411 (Measurement Groups), TID 300 and 310
(Measurement and its properties), TID 4019 (Algorithm), TID 2010 (Key Object Selection), CID 225, 240 and 6047.
"""

import hashlib

from osler.core.codes import Code

OWN_SCHEME = "99OSLER"  # for what no scheme has a code for


def _dcm(value: str, meaning: str) -> Code:
    return Code(value, "DCM", meaning)


def _sct(value: str, meaning: str) -> Code:
    return Code(value, "SCT", meaning)


# the document and who speaks
IMAGING_MEASUREMENT_REPORT = _dcm("126000", "Imaging Measurement Report")
LANGUAGE = _dcm("121049", "Language of Content Item and Descendants")
ENGLISH = Code("en", "RFC5646", "English")
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


_UNITS = {"ml": "mL", "HU": "[hnsf'U]", "SUV": "g/ml{SUVbw}"}
# What UCUM knows of the units that images are measured in; any other word is written as its annotation, "{word}".
_UCUM = frozenset(
    (
        *("1", "%", "mm", "mm2", "mm3", "cm", "cm2", "cm3", "m", "um", "mL", "L", "mL/min", "mL/m2"),
        *("[hnsf'U]", "g", "kg", "g/ml", "g/cm3", "mg/dL", "Bq/ml", "kBq/ml", "MBq", "Gy", "cGy", "Gy.cm2"),
        *("ms", "s", "min", "h", "d", "a", "Hz", "/min", "deg", "rad", "mm2/s", "um2/s", "mm[Hg]", "cm/s", "m/s"),
        *("mT", "T", "K", "Cel"),
    )
)


def ucum(unit: str) -> Code:
    """A house unit as UCUM spells it.

    >>> ucum("ml").value, ucum("pixels").value, ucum("1").meaning
    ('mL', '{pixels}', 'no units')
    """
    value = _UNITS.get(unit, unit or "1")
    if value not in _UCUM and not ("{" in value or "[" in value):
        value = f"{{{value}}}"
    return Code(value, "UCUM", "no units" if value == "1" else value)


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

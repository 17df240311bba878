"""The content tree of a structured report, item by item, and the list of what it refers to.

Source: DICOM PS3.3 C.17.3 (SR Document Content), C.17.2 (SR Document General), section 8.8 (codes).
"""

import math
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from osler.core.codes import Code
from osler.core.origin import Origin
from osler.core.quantity import Quantity
from osler.io.dicom.concepts import LOWER_UNCERTAINTY, NOT_A_NUMBER, OWN_SCHEME, UPPER_UNCERTAINTY, ucum
from osler.io.dicom.encode import decimal_string
from osler.results.dicom_object import code_item

if TYPE_CHECKING:
    from pydicom import Dataset

CONTAINS, CONTEXT, MODIFIER, PROPERTY = "CONTAINS", "HAS OBS CONTEXT", "HAS CONCEPT MOD", "HAS PROPERTIES"
INFERRED = "INFERRED FROM"


def one_line(text: str, most: int = 64) -> str:
    r"""A text for LO: no line breaks, no control characters, no backslash (it parts values), `most` characters.

    >>> one_line("a\\b\nc  ")
    'a/b c'
    """
    shown = text.replace("\\", "/")
    plain = "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in shown)
    return " ".join(plain.split())[:most].strip()


def many_lines(text: str) -> str:
    """A text for UT: control characters other than line breaks go."""
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs")).strip()


def coded(code: Code) -> "Dataset":
    """One item of a code sequence, whatever the card or the header put into the code."""
    value = one_line(code.value, 1024) or "unknown"
    return code_item(value, one_line(code.scheme, 16) or OWN_SCHEME, one_line(code.meaning) or value)


def content(relation: str, kind: str, name: Code | None, below: Sequence["Dataset"] = ()) -> "Dataset":
    """A content item without its value; `kind` is the value type, "NUM"."""
    from pydicom import Dataset

    item = Dataset()
    item.RelationshipType, item.ValueType = relation, kind
    if name is not None:
        item.ConceptNameCodeSequence = [coded(name)]
    if below:
        item.ContentSequence = list(below)
    return item


def container(relation: str, name: Code, below: Sequence["Dataset"], template: str = "") -> "Dataset":
    """A heading with what stands under it; `template` is the number of the DCMR template it follows."""
    item = content(relation, "CONTAINER", name, below)
    item.ContinuityOfContent = "SEPARATE"
    if template:
        item.ContentTemplateSequence = [_template(template)]
    return item


def code_of(relation: str, name: Code, value: Code, below: Sequence["Dataset"] = ()) -> "Dataset":
    item = content(relation, "CODE", name, below)
    item.ConceptCodeSequence = [coded(value)]
    return item


def text_of(relation: str, name: Code, text: str, below: Sequence["Dataset"] = ()) -> "Dataset":
    item = content(relation, "TEXT", name, below)
    item.TextValue = many_lines(text) or "-"  # the value may not be empty
    return item


def uid_item(relation: str, name: Code, uid: str) -> "Dataset":
    item = content(relation, "UIDREF", name)
    item.UID = uid
    return item


def point_of(relation: str, name: Code, at_mm: Sequence[float], frame_of_reference: str) -> "Dataset":
    """One place in the patient: (x, y, z), LPS, in 32-bit floats as DICOM keeps them."""
    item = content(relation, "SCOORD3D", name)
    item.GraphicType, item.GraphicData = "POINT", [float(mm) for mm in at_mm]
    item.ReferencedFrameOfReferenceUID = frame_of_reference
    return item


def number_of(relation: str, name: Code, quantity: Quantity, below: Sequence["Dataset"] = ()) -> "Dataset":
    """A NUM; the ends of its interval become its lower and upper uncertainty (TID 310)."""
    from pydicom import Dataset

    ends = []
    for end, word in ((quantity.low, LOWER_UNCERTAINTY), (quantity.high, UPPER_UNCERTAINTY)):
        if end is not None and math.isfinite(end) and math.isfinite(quantity.value):
            away = quantity.value - end if word is LOWER_UNCERTAINTY else end - quantity.value
            ends.append(number_of(PROPERTY, word, Quantity(away, quantity.unit)))
    item = content(relation, "NUM", name, [*below, *ends])
    if not math.isfinite(quantity.value):
        item.MeasuredValueSequence = []
        item.NumericValueQualifierCodeSequence = [coded(NOT_A_NUMBER)]
        return item
    measured = Dataset()
    measured.NumericValue = decimal_string(quantity.value)
    if float(measured.NumericValue) != quantity.value:
        measured.FloatingPointValue = float(quantity.value)  # sixteen characters do not hold it
    measured.MeasurementUnitsCodeSequence = [coded(ucum(quantity.unit))]
    item.MeasuredValueSequence = [measured]
    return item


def images_of(relation: str, name: Code | None, origins: Iterable[Origin], *, whole: bool) -> "list[Dataset]":
    """An IMAGE item for each object, or for each frame of a multi-frame one where not the whole of it is meant.

    One frame an item: viewers read the number as a single value.
    """
    seen: dict[tuple[str, int | None], Origin] = {}
    for origin in origins:
        seen.setdefault((origin.instance_uid, None if whole else origin.frame), origin)
    return [
        image_of(relation, name, origin.class_uid, instance, frame) for (instance, frame), origin in seen.items()
    ]


def image_of(
    relation: str,
    name: Code | None,
    class_uid: str,
    instance_uid: str,
    frame: int | list[int] | None = None,
    segment: int | None = None,
) -> "Dataset":
    item = content(relation, "IMAGE", name)
    reference = reference_to(class_uid, instance_uid)
    if frame is not None:
        reference.ReferencedFrameNumber = frame
    if segment is not None:
        reference.ReferencedSegmentNumber = segment
    item.ReferencedSOPSequence = [reference]
    return item


def reference_to(class_uid: str, instance_uid: str) -> "Dataset":
    from pydicom import Dataset

    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = class_uid, instance_uid
    return reference


def evidence(named: Iterable[tuple[str, str, str, str]]) -> "list[Dataset]":
    """Items of an evidence sequence from (study, series, class, instance) UIDs, each instance once."""
    from pydicom import Dataset

    studies: dict[str, dict[str, dict[str, str]]] = {}
    for study, series, class_uid, instance in named:
        studies.setdefault(study, {}).setdefault(series, {})[instance] = class_uid
    items = []
    for study, its_series in studies.items():
        item = Dataset()
        item.StudyInstanceUID = study
        item.ReferencedSeriesSequence = []
        for series, instances in its_series.items():
            one = Dataset()
            one.SeriesInstanceUID = series
            one.ReferencedSOPSequence = [reference_to(kind, instance) for instance, kind in instances.items()]
            item.ReferencedSeriesSequence.append(one)
        items.append(item)
    return items


def add_document(dataset: "Dataset", title: Code, template: str, below: "list[Dataset]") -> None:
    """Make `dataset` the document: its title, the template it follows, and what stands in it."""
    from pydicom import Dataset

    dataset.ReferencedPerformedProcedureStepSequence = []
    dataset.ValueType, dataset.ContinuityOfContent = "CONTAINER", "SEPARATE"
    dataset.ConceptNameCodeSequence = [coded(title)]
    dataset.ContentTemplateSequence = [_template(template)]
    dataset.ContentSequence = below
    scheme = Dataset()
    scheme.CodingSchemeDesignator = OWN_SCHEME
    scheme.CodingSchemeName = "Osler's own concepts"
    scheme.CodingSchemeResponsibleOrganization = "Osler"
    dataset.CodingSchemeIdentificationSequence = [scheme]


def _template(number: str) -> "Dataset":
    from pydicom import Dataset

    item = Dataset()
    item.MappingResource, item.TemplateIdentifier = "DCMR", number
    return item

"""Structured reports read: the measurement groups of TID 1500, of ours and of others, as findings.

The content tree of a report is anybody's: it is walked without recursion, at most MOST_LEVELS deep and MOST_ITEMS
long, and references by position in the tree, which may form loops, are never followed.

Source: DICOM PS3.3 C.17.3 (SR Document Content), PS3.16 TID 1500, 1501, 1410, 1411, 300.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from osler.core.codes import Code
from osler.core.errors import Unreadable
from osler.core.finding import Finding, Measurement
from osler.core.quantity import Quantity
from osler.core.study import Study
from osler.core.volume import Volume
from osler.io.dicom import concepts as say
from osler.io.dicom.parse import kind_of, number, numbers, read_dataset, sequence, text

if TYPE_CHECKING:
    from pydicom import Dataset

MOST_LEVELS = 64
MOST_ITEMS = 50_000


@dataclass(frozen=True, slots=True)
class Reference:
    """A DICOM object that a group of measurements speaks of.

    purpose   why it is named, "Source", "Referenced Segment"; "" where the report does not say
    frames    numbers from 1; () means all
    segments  numbers of a segmentation's segments; () where it is no segmentation
    """

    instance_uid: str
    class_uid: str
    purpose: str = ""
    frames: tuple[int, ...] = ()
    segments: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MeasurementGroup:
    """One group of a measurement report: what is said, of what, and how it is followed over time.

    tracking, tracking_uid  what names the same thing in several reports, "" where there is none
    sites                   where in the body
    series                  Series Instance UIDs of what was measured, where they are named instead of every image
    algorithm               name and version, "" where a person measured
    """

    finding: Finding
    tracking: str = ""
    tracking_uid: str = ""
    sites: tuple[Code, ...] = ()
    references: tuple[Reference, ...] = ()
    series: tuple[str, ...] = ()
    algorithm: str = ""


@dataclass(frozen=True, slots=True)
class _Item:
    """One content item with its children; `kind` is DICOM's value type, "NUM"."""

    data: "Dataset"
    kind: str
    name: Code | None
    below: "tuple[_Item, ...]"

    def named(self, *names: Code) -> "Iterator[_Item]":
        return (item for item in self.below if item.name is not None and _same(item.name, names))

    def first(self, name: Code) -> "_Item | None":
        return next(self.named(name), None)


def read_findings(path: Path, study: Study | None = None) -> tuple[Finding, ...]:
    """The findings of a measurement report (TID 1500), in the order of its groups; () of a declined reading.

    study  the study that it speaks of: then each finding knows its picture

    Raises Unreadable for a file that is no structured report, or whose tree is too deep or too large.
    """
    return tuple(group.finding for group in read_measurement_groups(path, study))


def read_measurement_groups(path: Path, study: Study | None = None) -> tuple[MeasurementGroup, ...]:
    """The groups of a report with their references and tracking identifiers. Raises as `read_findings`."""
    dataset = read_dataset(path)
    if not sequence(dataset, "ContentSequence") or text(dataset, "ValueType") != "CONTAINER":
        raise Unreadable(
            f"{path.name} is a {kind_of(dataset)}, not a structured report.", remedy="Give a DICOM SR document."
        )
    groups = [_group(item) for item in _containers(_tree(dataset, path.name)) if not _tells_of_the_run(item)]
    return tuple(_placed(group, study) for group in groups) if study is not None else tuple(groups)


def _tree(dataset: "Dataset", name: str) -> _Item:
    """The content tree, children first: a stack of (item, its children so far, what is left of them)."""
    count = 0
    stack: list[tuple[Dataset, list[_Item], Iterator[Dataset]]] = [
        (dataset, [], iter(sequence(dataset, "ContentSequence")))
    ]
    while True:
        data, made, left = stack[-1]
        child = next(left, None)
        if child is None:
            stack.pop()
            item = _Item(data, text(data, "ValueType"), _code(data, "ConceptNameCodeSequence"), tuple(made))
            if not stack:
                return item
            stack[-1][1].append(item)
            continue
        count += 1
        if count > MOST_ITEMS or len(stack) >= MOST_LEVELS:
            limit = f"{MOST_LEVELS} levels" if count <= MOST_ITEMS else f"{MOST_ITEMS} items"
            raise Unreadable(
                f"{name} is a structured report with more than {limit}.", remedy="Export it again; it is damaged."
            )
        if "ReferencedContentItemIdentifier" in child:
            continue  # a reference to another place in the tree, not an item of its own
        heading = _code(child, "ConceptNameCodeSequence")
        if heading is not None and _same(heading, (say.IMAGE_LIBRARY,)):
            continue  # every image of the study with its header: much to read, and nothing that was measured
        stack.append((child, [], iter(sequence(child, "ContentSequence"))))


def _containers(root: _Item) -> list[_Item]:
    """Every measurement group, in the order of the document."""
    found, left = [], [root]
    while left:
        item = left.pop()
        if item.name is not None and item.kind == "CONTAINER" and _same(item.name, (say.MEASUREMENT_GROUP,)):
            found.append(item)
        else:
            left.extend(reversed(item.below))
    return found


def _tells_of_the_run(item: _Item) -> bool:
    """A group that says how the reading went, as a declined one does, is no finding."""
    return item.first(say.FINDINGS_SUMMARY) is not None


def _group(item: _Item) -> MeasurementGroup:
    tracking = _text_of(item.first(say.TRACKING_IDENTIFIER))
    finding = item.first(say.FINDING)
    code = _code(finding.data, "ConceptCodeSequence") if finding is not None else None
    name = _text_of(item.first(say.SHORT_LABEL)) or (code.meaning if code is not None else "") or tracking
    chance, shares = _probabilities(item)
    grade = item.first(say.GRADE)
    measurements = tuple(found for below in item.below if (found := _measurement(below)) is not None)
    references = tuple(_references(item))
    statement = _text_of(item.first(say.COMMENT)) or _statement(name, measurements)
    segments = [segment for reference in references for segment in reference.segments]
    return MeasurementGroup(
        Finding(
            name,
            statement,
            say.public_code(code),
            probability=chance,
            present=_presence(item),
            grade=_grade(grade) if grade is not None else "",
            measurements=measurements,
            distribution=shares,
            label=segments[0] if segments else None,
            lesion=_text_of(item.first(say.LESION)),
            centre_mm=_centre(item),
        ),
        tracking=tracking,
        tracking_uid=_uid_of(item.first(say.TRACKING_UID)),
        sites=tuple(
            site for below in item.named(say.FINDING_SITE) if (site := _code(below.data, "ConceptCodeSequence"))
        ),
        references=references,
        series=tuple(_uid_of(below) for below in item.named(say.SERIES_UID, say.SERIES_FOR_SEGMENTATION)),
        algorithm=" ".join(
            word for name in (say.ALGORITHM_NAME, say.ALGORITHM_VERSION) if (word := _text_of(item.first(name)))
        ),
    )


def _probabilities(item: _Item) -> tuple[float | None, tuple[tuple[str, float], ...]]:
    """(of the finding, of each class), between 0 and 1."""
    chance, shares = None, []
    for below in item.named(say.PROBABILITY, say.CERTAINTY_OF_FINDING):
        value, unit = _value(below)
        if value is None:
            continue
        share = value / 100 if unit == "%" else value
        of = below.first(say.CLASS)
        if of is not None:
            shares.append((_text_of(of), share))
        elif chance is None:
            chance = share
    return chance, tuple(shares)


def _presence(item: _Item) -> bool | None:
    """Said to be there, or not to be there: the answer counts, whatever the question is called."""
    for below in item.below:
        said = _code(below.data, "ConceptCodeSequence") if below.kind == "CODE" else None
        if said is not None and _same(said, (say.PRESENT, say.ABSENT)):
            return _same(said, (say.PRESENT,))
    return None


def _grade(item: _Item) -> str:
    code = _code(item.data, "ConceptCodeSequence")
    return code.meaning if code is not None else ""


def _measurement(item: _Item) -> Measurement | None:
    """A NUM as a measurement; None for one without a number, and for probabilities."""
    if item.kind != "NUM" or item.name is None or _same(item.name, (say.PROBABILITY, say.CERTAINTY_OF_FINDING)):
        return None
    value, unit = _value(item)
    if value is None:
        return None
    below, above = _uncertainty(item, say.LOWER_UNCERTAINTY), _uncertainty(item, say.UPPER_UNCERTAINTY)
    derived = item.first(say.DERIVATION)
    how = _code(derived.data, "ConceptCodeSequence") if derived is not None else None
    name = _text_of(item.first(say.SHORT_LABEL)) or item.name.meaning
    return Measurement(
        f"{name}, {how.meaning}" if how is not None else name,
        Quantity(
            value,
            unit,
            low=None if below is None else value - below,
            high=None if above is None else value + above,
        ),
        say.public_code(item.name),
    )


def _centre(item: _Item) -> tuple[float, float, float] | None:
    """(x, y, z), LPS, of what is called its centre and is one place in the patient."""
    for below in item.named(say.CENTRE):
        if below.kind == "SCOORD3D" and text(below.data, "GraphicType") == "POINT":
            found = numbers(below.data, "GraphicData")
            if len(found) == 3 and all(math.isfinite(mm) for mm in found):
                return found[0], found[1], found[2]
    return None


def _uncertainty(item: _Item, name: Code) -> float | None:
    found = item.first(name)
    return _value(found)[0] if found is not None else None


def _value(item: _Item) -> tuple[float | None, str]:
    """(number, unit) of a NUM; the number is None where it was not measured, or is none."""
    measured = sequence(item.data, "MeasuredValueSequence")
    if not measured:
        return None, "1"
    value = number(measured[0], "FloatingPointValue")
    if value is None or not math.isfinite(value):
        value = number(measured[0], "NumericValue")
    unit = _code(measured[0], "MeasurementUnitsCodeSequence")
    known = value is not None and math.isfinite(value)
    return value if known else None, say.house_unit(unit.value if unit is not None else "1")


def _references(item: _Item) -> Iterator[Reference]:
    """The images and segmentations that a group names, also those behind its outlines."""
    for below in item.below:
        for named in (below, *below.below):
            if named.kind not in ("IMAGE", "COMPOSITE"):
                continue
            purpose = named.name.meaning if named.name is not None else ""
            for reference in sequence(named.data, "ReferencedSOPSequence")[:1]:
                yield Reference(
                    text(reference, "ReferencedSOPInstanceUID"),
                    text(reference, "ReferencedSOPClassUID"),
                    purpose,
                    _whole_numbers(reference, "ReferencedFrameNumber"),
                    _whole_numbers(reference, "ReferencedSegmentNumber"),
                )


def _whole_numbers(data: "Dataset", keyword: str) -> tuple[int, ...]:
    return tuple(int(n) for n in numbers(data, keyword) if math.isfinite(n))


def _placed(group: MeasurementGroup, study: Study) -> MeasurementGroup:
    """The same with the picture of the study that the group speaks of."""
    named = {reference.instance_uid: reference.frames for reference in group.references}
    by_image = by_series = None
    for index, picture in reversed(list(enumerate(study.pictures))):
        origins = picture.origins if isinstance(picture, Volume) else (picture.origin,)
        for origin in origins:
            frames = () if origin is None else named.get(origin.instance_uid)
            if origin is not None and frames is not None and (not frames or origin.frame in frames):
                by_image = index
        if picture.series_uid and picture.series_uid in group.series:
            by_series = index
    found = by_series if by_image is None else by_image
    return group if found is None else replace(group, finding=replace(group.finding, picture=found))


def _statement(name: str, measurements: Iterable[Measurement]) -> str:
    said = ", ".join(f"{measured.name} {measured.quantity}" for measured in measurements)
    return f"{name}: {said}." if said else f"{name}."


def _text_of(item: _Item | None) -> str:
    return "" if item is None else text(item.data, "TextValue")


def _uid_of(item: _Item | None) -> str:
    return "" if item is None else text(item.data, "UID")


def _code(data: "Dataset", keyword: str) -> Code | None:
    """The first item of a code sequence; None where there is none, or it has no value."""
    for item in sequence(data, keyword)[:1]:
        value = text(item, "CodeValue") or text(item, "LongCodeValue") or text(item, "URNCodeValue")
        if value:
            return Code(value, text(item, "CodingSchemeDesignator"), text(item, "CodeMeaning"))
    return None


def _same(one: Code, others: tuple[Code, ...]) -> bool:
    """Is it one of the others, in whichever of their spellings?"""
    known = say.SYNONYMS.get((one.value, one.scheme), one)
    return any((known.value, known.scheme) == (other.value, other.scheme) for other in others)

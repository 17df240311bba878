"""A report as a measurement report (TID 1500) in Comprehensive 3D SR: every finding a group, negatives too.

What follows from the findings by published rules stands under "Qualitative Evaluations", a coded answer each, that
is inferred from what the rule was told and from the findings, which it names by their tracking UIDs.

Source: DICOM PS3.3 A.35.13 (Comprehensive 3D SR), C.17 (SR modules); PS3.16 TID 1500, 1501, 1411, 300, 4019, 1001.
What IHE's AI Results profile (AIR) asks for.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from osler.core.codes import Code
from osler.core.conclusion import Conclusion, Priority
from osler.core.errors import CannotHold
from osler.core.facts import Facts
from osler.core.finding import Finding, Measurement
from osler.core.mask import Mask
from osler.core.origin import Origin
from osler.core.quantity import Quantity
from osler.core.report import Report
from osler.core.study import Study
from osler.io.dicom import concepts as name
from osler.io.dicom.encode import save_dataset, uid_of
from osler.io.dicom.parse import sequence, text
from osler.io.dicom.segmentation import SEGMENTATION
from osler.results.body_sites import BODY_SITES
from osler.results.dicom_content import (
    CONTAINS,
    CONTEXT,
    INFERRED,
    MODIFIER,
    PROPERTY,
    add_document,
    code_of,
    container,
    evidence,
    image_of,
    images_of,
    number_of,
    one_line,
    point_of,
    text_of,
    uid_item,
)
from osler.results.dicom_object import (
    MANUFACTURER,
    MODEL_NAME,
    begin_object,
    folder_file,
    frame_of_reference,
    origins_of,
    segmentation_uids,
    source_header,
    tracking_uid,
)
from osler.results.key_slices import pictures_read
from osler.results.sentences import english, in_its_language, joined, say

if TYPE_CHECKING:
    from pydicom import Dataset

COMPREHENSIVE_3D_SR = "1.2.840.10008.5.1.4.1.1.88.34"
SERIES_NUMBER = 9401

MOST_IMAGES = 24  # named one by one in a group; a hundred organs on six hundred slices would fill minutes
# Modality -> what was done, where the header names no procedure
PROCEDURES = {
    "CT": Code("77477000", "SCT", "Computed tomography"),
    "MR": Code("113091000", "SCT", "Magnetic resonance imaging"),
    "PT": Code("82918005", "SCT", "Positron emission tomography"),
}


def write_sr(report: Report, study: Study, folder: Path) -> tuple[Path, ...]:
    """Write sr.dcm into `folder`.

    Raises CannotHold where the study is not DICOM, Unreadable when its first file is gone, NoRoom when the disk
    is full.
    """
    dataset = report_to_sr(report, study)
    path = folder_file(folder, "sr")
    save_dataset(dataset, path)
    return (path,)


@in_its_language
def report_to_sr(report: Report, study: Study) -> "Dataset":
    """The report as a document, in the study of the pictures it read. Raises CannotHold, Unreadable."""
    read = pictures_read(report) or tuple(range(len(study.pictures)))
    headers = {index: source_header(study, index) for index in read if _origins(study, index)}
    if not headers:
        raise CannotHold(
            f"{study.name} is not DICOM: there is no patient and no study to file a DICOM result under.",
            remedy="Read the DICOM study, or ask for json, html, pdf or fhir.",
        )
    source = next(iter(headers.values()))
    dataset = begin_object(
        source, report, sop_class=COMPREHENSIVE_3D_SR, modality="SR", what="SR", number=SERIES_NUMBER
    )
    groups = [
        _finding_group(report, study, index, finding, headers.get(finding.picture))
        for index, finding in enumerate(report.findings)
    ] or [_run_group(report, study, tuple(headers))]
    add_document(
        dataset,
        name.IMAGING_MEASUREMENT_REPORT,
        "1500",
        [
            code_of(MODIFIER, name.LANGUAGE, name.LANGUAGES[report.language]),
            *_device(report),
            code_of(MODIFIER, name.PROCEDURE_REPORTED, _procedure(source)),
            container(CONTAINS, name.IMAGING_MEASUREMENTS, groups),
            container(CONTAINS, name.QUALITATIVE_EVALUATIONS, _said_of_all(report)),
        ],
    )
    # Complete as far as it goes, and waiting for a person: only a signature may make it final and verified.
    dataset.CompletionFlag, dataset.VerificationFlag, dataset.PreliminaryFlag = (
        "COMPLETE",
        "UNVERIFIED",
        "PRELIMINARY",
    )
    dataset.PerformedProcedureCodeSequence = []
    dataset.CurrentRequestedProcedureEvidenceSequence = evidence(_named(report, study, tuple(headers)))
    return dataset


def _finding_group(
    report: Report, study: Study, index: int, finding: Finding, header: "Dataset | None"
) -> "Dataset":
    """One finding with all that is said of it, on the segment that was drawn or on the whole picture."""
    drawn = _segment(report, finding)
    items = _tracked(_followed(report, index), _identifier(report, index))
    items.append(text_of(CONTEXT, name.SHORT_LABEL, finding.name))
    items += [text_of(CONTEXT, name.LESION, finding.lesion)] if finding.lesion else []
    items += _algorithm(report)
    items.append(code_of(CONTAINS, name.FINDING, finding.code or _coded_name(finding.name)))
    origins = _origins(study, finding.picture)
    series = study.pictures[finding.picture].series_uid if origins else ""
    facts = study.pictures[finding.picture].facts if origins else report.facts
    items += _site(facts, header, finding.site)
    frame = frame_of_reference(header) if header is not None else ""
    if finding.centre_mm is not None and frame:
        items.append(point_of(CONTAINS, name.CENTRE, finding.centre_mm, frame))
    if drawn is None:
        items += _whole(study, finding.picture)
    else:
        number, segment, mask, label = drawn
        _, uid = segmentation_uids(report, number)
        items.append(image_of(CONTAINS, name.REFERENCED_SEGMENT, SEGMENTATION, uid, segment=segment))
        shown = images_of(CONTAINS, name.SOURCE_FOR_SEGMENTATION, _where(mask, label, origins), whole=False)
        many = len(shown) > MOST_IMAGES and bool(series)
        items += [uid_item(CONTAINS, name.SERIES_FOR_SEGMENTATION, series)] if many else shown
    if finding.probability is not None:
        items.append(number_of(CONTAINS, name.PROBABILITY, Quantity(finding.probability, "1")))
    for label_name, share in finding.distribution:
        of = text_of(MODIFIER, name.CLASS, label_name)
        items.append(number_of(CONTAINS, name.PROBABILITY, Quantity(share, "1"), [of]))
    items += [_measured(measurement) for measurement in finding.measurements]
    if finding.present is not None:
        items.append(code_of(CONTAINS, name.PRESENCE, name.PRESENT if finding.present else name.ABSENT))
    if finding.grade:
        items.append(code_of(CONTAINS, name.GRADE, Code(finding.grade, name.OWN_SCHEME, finding.grade)))
    items.append(text_of(CONTAINS, name.COMMENT, finding.statement))
    return container(CONTAINS, name.MEASUREMENT_GROUP, items, "1501" if drawn is None else "1411")


def _coded_name(said: str) -> Code:
    """A code of our own for a name, the same in whatever language the report says it."""
    return name.own_code(one_line(english(said)))


def _run_group(report: Report, study: Study, pictures: tuple[int, ...]) -> "Dataset":
    """What there is to say when there is no finding: that it was declined, or that nothing was found."""
    items = _tracked(uid_of(report.uid, "reading"), "Reading")
    items += _algorithm(report)
    for index in pictures:
        items += _whole(study, index)
    outcome = name.NOT_SUCCEEDED if report.declined else name.SUCCEEDED_WITHOUT_FINDINGS
    items.append(code_of(CONTAINS, name.FINDINGS_SUMMARY, outcome))
    items += [text_of(CONTAINS, name.COMMENT, joined(why.what, why.remedy)) for why in report.declined]
    return container(CONTAINS, name.MEASUREMENT_GROUP, items, "1501")


def _said_of_all(report: Report) -> "list[Dataset]":
    """What holds for the whole report: what follows, how soon to look, what to mind, that it is no device."""
    said = [_concluded(report, conclusion) for conclusion in report.conclusions]
    said += [_urgency(report.priority)] if report.priority is not None else []
    cautions = [joined(caution.what, caution.remedy) for caution in report.cautions]
    limits = [
        f"{model.name} {model.version}: {say('page.not_for')}: {limit}"
        for model in report.models
        for limit in model.not_for
    ]
    notes = (say("page.notice"), *cautions, *limits)
    return [*said, *(text_of(CONTAINS, name.COMMENT, note) for note in notes)]


def _concluded(report: Report, one: Conclusion) -> "Dataset":
    """The category by a rule, which rule, and what it is inferred from; or why the rule was not used."""
    title = _coded_name(one.title)
    below = [text_of(MODIFIER, name.SHORT_LABEL, one.title)] if one.title != title.meaning else []
    below += [
        text_of(MODIFIER, name.ALGORITHM_NAME, one.guideline),
        text_of(MODIFIER, name.ALGORITHM_VERSION, one.version),
    ]
    said = [
        (name.REFUSED, one.refused),
        (name.CONCLUSION, one.statement),
        (name.RECOMMENDATION, one.advice),
        (name.RULE, one.rule),
        *((name.NEARBY, category) for category in one.nearby),
    ]
    below += [text_of(PROPERTY, code, text) for code, text in said if text]
    if one.source:
        below.append(text_of(INFERRED, name.METHOD_CITATION, one.source))
    for ground in one.grounds:
        code = _coded_name(ground.name)
        of = [text_of(MODIFIER, name.SHORT_LABEL, ground.name)] if ground.name != code.meaning else []
        of += [text_of(PROPERTY, name.SOURCE, ground.of)] if ground.of else []
        below.append(text_of(INFERRED, code, ground.value, of))
    rests = [index for index in one.findings if 0 <= index < len(report.findings)]
    below += [uid_item(INFERRED, name.TRACKING_UID, _followed(report, index)) for index in rests]
    answer = name.NOT_USED if one.refused else Code(one.category, name.OWN_SCHEME, one.category)
    if one.code is not None and not one.refused:
        answer = one.code
        below.append(text_of(PROPERTY, name.CATEGORY, one.category))
    return code_of(CONTAINS, title, answer, below)


def _urgency(priority: Priority) -> "Dataset":
    """How soon a person should look at the study, why, and where it stands among others of the same urgency."""
    return code_of(
        CONTAINS,
        name.PRIORITY,
        Code(priority.urgency, name.OWN_SCHEME, priority.urgency),
        [
            text_of(PROPERTY, name.COMMENT, priority.because),
            number_of(PROPERTY, name.PRIORITY_SCORE, Quantity(priority.score, "1")),
        ],
    )


def _followed(report: Report, index: int) -> str:
    """The tracking UID of a finding; what was drawn has the same in the segmentation."""
    finding = report.findings[index]
    if finding.label is None:
        return uid_of(report.uid, "finding", str(index + 1))
    return tracking_uid(report, finding.picture, finding.label)


def _identifier(report: Report, index: int) -> str:
    """What follows a finding through reports: the lesion's name where this report has it once."""
    finding = report.findings[index]
    if finding.lesion and sum(one.lesion == finding.lesion for one in report.findings) == 1:
        return finding.lesion
    return f"{finding.name} {index + 1}"


def _tracked(uid: str, identifier: str) -> "list[Dataset]":
    return [
        text_of(CONTEXT, name.TRACKING_IDENTIFIER, identifier),
        uid_item(CONTEXT, name.TRACKING_UID, uid),
    ]


def _device(report: Report) -> "list[Dataset]":
    """Who observed: this software, not a person (TID 1001, 1004)."""
    return [
        code_of(CONTEXT, name.OBSERVER_TYPE, name.DEVICE),
        uid_item(CONTEXT, name.DEVICE_UID, uid_of("device", report.software)),
        text_of(CONTEXT, name.DEVICE_NAME, report.software),
        text_of(CONTEXT, name.DEVICE_MANUFACTURER, MANUFACTURER),
        text_of(CONTEXT, name.DEVICE_MODEL, MODEL_NAME),
        text_of(CONTEXT, name.DEVICE_SERIAL, "0"),
    ]


def _algorithm(report: Report) -> "list[Dataset]":
    """Each model by name, version and digest of its weights; the software itself where none was used."""
    if not report.models:
        program, _, version = report.software.partition(" ")
        return [
            text_of(MODIFIER, name.ALGORITHM_NAME, program),
            text_of(MODIFIER, name.ALGORITHM_VERSION, version),
        ]
    items = []
    for model in report.models:
        items.append(text_of(MODIFIER, name.ALGORITHM_NAME, model.name))
        items.append(text_of(MODIFIER, name.ALGORITHM_VERSION, model.version))
        if model.digest:
            items.append(text_of(MODIFIER, name.ALGORITHM_PARAMETERS, f"digest {model.digest}"))
    return items


def _procedure(source: "Dataset") -> Code:
    return _code_in(source, "ProcedureCodeSequence") or PROCEDURES.get(
        text(source, "Modality"), name.IMAGING_PROCEDURE
    )


def _site(facts: Facts, header: "Dataset | None", site: str) -> "list[Dataset]":
    """Where in the body: the finding's own place, else the body part of the header with its side."""
    if site.strip():
        own = BODY_SITES.get(english(site).upper()) or _coded_name(site)
        return [code_of(MODIFIER, name.FINDING_SITE, own)]
    coded = _code_in(header, "AnatomicRegionSequence") if header is not None else None
    place = coded or BODY_SITES.get(facts.body_part)
    if place is None:
        return []
    side = {"L": name.LEFT, "R": name.RIGHT}.get(facts.laterality)
    below = [code_of(MODIFIER, name.LATERALITY, side)] if side is not None else []
    return [code_of(MODIFIER, name.FINDING_SITE, place, below)]


def _measured(measurement: Measurement) -> "Dataset":
    code = measurement.code or _coded_name(measurement.name)
    other = measurement.name != code.meaning
    below = [text_of(CONTEXT, name.SHORT_LABEL, measurement.name)] if other else []
    return number_of(CONTAINS, code, measurement.quantity, below)


def _segment(report: Report, finding: Finding) -> tuple[int, int, Mask, int] | None:
    """(index of the drawing, number of the segment, mask, label) of what was drawn for a finding.

    The segments of a drawing are its labels in their order, from 1; None where the label is empty.
    """
    for number, drawing in enumerate(report.drawings):
        if drawing.picture == finding.picture and finding.label in drawing.mask.labels:
            label = finding.label
            if label is None or not drawing.mask.of(label).any():
                return None
            return number, list(drawing.mask.labels).index(label) + 1, drawing.mask, label
    return None


def _whole(study: Study, picture: int) -> "list[Dataset]":
    """A whole picture: each of its files; of many the middle one, with the series that it stands in.

    Frames are numbered only where a file holds other pictures too, as one with several echoes does.
    """
    origins = _origins(study, picture)
    frames: dict[str, list[int]] = {}
    for origin in origins:
        frames.setdefault(origin.instance_uid, []).extend([] if origin.frame is None else [origin.frame])
    elsewhere = {o.instance_uid for n in range(len(study.pictures)) if n != picture for o in _origins(study, n)}
    if frames.keys() & elsewhere and all(frames.values()):
        kind = origins[0].class_uid
        return [image_of(CONTAINS, name.SOURCE, kind, uid, numbers) for uid, numbers in frames.items()]
    series = study.pictures[picture].series_uid if origins else ""
    if len(frames) <= MOST_IMAGES or not series:
        return images_of(CONTAINS, name.SOURCE, origins, whole=True)
    middle = origins[len(origins) // 2]
    return [
        uid_item(CONTAINS, name.SERIES_UID, series),
        *images_of(CONTAINS, name.SOURCE, [middle], whole=True),
    ]


def _origins(study: Study, picture: int) -> tuple[Origin, ...]:
    return origins_of(study.pictures[picture]) if picture < len(study.pictures) else ()


def _code_in(header: "Dataset", keyword: str) -> Code | None:
    """The first code of a sequence of the header, None where it has none that is whole."""
    for item in sequence(header, keyword)[:1]:
        code = Code(text(item, "CodeValue"), text(item, "CodingSchemeDesignator"), text(item, "CodeMeaning"))
        if code.value and code.scheme and code.meaning:
            return code
    return None


def _where(mask: Mask, label: int, origins: tuple[Origin, ...]) -> tuple[Origin, ...]:
    """The slices on which a label lies."""
    if mask.array.ndim == 2 or len(origins) != mask.array.shape[0]:
        return origins
    return tuple(origin for n, origin in enumerate(origins) if (mask.array[n] == label).any())


def _named(report: Report, study: Study, pictures: tuple[int, ...]) -> list[tuple[str, str, str, str]]:
    """(study, series, class, instance) of all that the report refers to: its pictures and its segmentations."""
    found = []
    for index in pictures:
        picture = study.pictures[index]
        ids = (picture.study_uid or report.study_uid, picture.series_uid)
        found += [(*ids, origin.class_uid, origin.instance_uid) for origin in _origins(study, index)]
    segments = {drawn[0]: finding for finding in report.findings if (drawn := _segment(report, finding))}
    for number, finding in segments.items():
        of = study.pictures[finding.picture].study_uid or report.study_uid
        series, instance = segmentation_uids(report, number)
        found.append((of, series, SEGMENTATION, instance))
    return found

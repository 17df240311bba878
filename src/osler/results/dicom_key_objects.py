"""The key slices of a reading as a Key Object Selection: a list that viewers jump to.

Source: DICOM PS3.3 A.35.4 (Key Object Selection Document), C.17.6; PS3.16 TID 2010, CID 7010.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from osler.core.errors import CannotHold
from osler.core.report import Report
from osler.core.study import Study
from osler.io.dicom import concepts as name
from osler.io.dicom.encode import save_dataset, uid_of
from osler.results.dicom_content import (
    CONTAINS,
    CONTEXT,
    add_document,
    code_of,
    evidence,
    images_of,
    text_of,
    uid_item,
)
from osler.results.dicom_object import begin_object, folder_file, source_header
from osler.results.key_slices import KeySlice, key_slices
from osler.results.sentences import say

if TYPE_CHECKING:
    from pydicom import Dataset

KEY_OBJECT_SELECTION = "1.2.840.10008.5.1.4.1.1.88.59"
SERIES_NUMBER = 9402


def write_key_objects(report: Report, study: Study, folder: Path) -> tuple[Path, ...]:
    """Write ko.dcm into `folder`.

    Raises CannotHold where the reading was declined or the study is not DICOM, NoRoom when the disk is full.
    """
    slices = key_slices(report, study)
    if not slices:
        raise nothing_to_point_at(report)
    dataset = key_objects_of(report, study, slices)
    path = folder_file(folder, "ko")
    save_dataset(dataset, path)
    return (path,)


def key_objects_of(report: Report, study: Study, slices: tuple[KeySlice, ...]) -> "Dataset":
    """The selection as a document: one reference for each key slice, a frame number where frames are meant."""
    source = source_header(study, slices[0].picture)
    dataset = begin_object(
        source, report, sop_class=KEY_OBJECT_SELECTION, modality="KO", what="KO", number=SERIES_NUMBER
    )
    said = "\n".join([*(finding.statement for finding in report.findings), say("page.notice")])
    add_document(
        dataset,
        name.OF_INTEREST,
        "2010",
        [
            code_of(CONTEXT, name.OBSERVER_TYPE, name.DEVICE),
            uid_item(CONTEXT, name.DEVICE_UID, uid_of("device", report.software)),
            text_of(CONTEXT, name.DEVICE_NAME, report.software),
            text_of(CONTAINS, name.KEY_OBJECT_DESCRIPTION, said),
            *images_of(CONTAINS, None, (one.origin for one in slices), whole=False),
        ],
    )
    dataset.CurrentRequestedProcedureEvidenceSequence = evidence(
        (
            study.pictures[one.picture].study_uid or report.study_uid,
            study.pictures[one.picture].series_uid,
            one.origin.class_uid,
            one.origin.instance_uid,
        )
        for one in slices
    )
    return dataset


def nothing_to_point_at(report: Report) -> CannotHold:
    """Why there are no key slices."""
    if report.declined or not report.findings:
        return CannotHold(
            "The reading says nothing of any picture, so there is none to point at.",
            remedy="Ask for sr, json, html or pdf: they say why.",
        )
    return CannotHold(
        f"{report.study} is not DICOM: there is no image to point at.",
        remedy="Read the DICOM study, or ask for json, html, pdf or fhir.",
    )

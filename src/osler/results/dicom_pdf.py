"""The readable report inside a DICOM object, so that an archive files it with the study.

Source: DICOM PS3.3 A.45.1 (Encapsulated PDF), C.24 (Encapsulated Document), C.8.6.1 (SC Equipment).
"""

from pathlib import Path
from typing import TYPE_CHECKING

from osler.core.report import Report
from osler.core.study import Study
from osler.io.dicom.encode import save_dataset
from osler.results.dicom_content import one_line, reference_to
from osler.results.dicom_object import begin_object, code_item, folder_file, source_header
from osler.results.key_slices import key_slices
from osler.results.pdf import report_to_pdf
from osler.results.sentences import say

if TYPE_CHECKING:
    from pydicom import Dataset

ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
SERIES_NUMBER = 9404


def write_encapsulated_pdf(report: Report, study: Study, folder: Path) -> tuple[Path, ...]:
    """Write pdf.dcm into `folder`.

    Raises CannotHold where the study is not DICOM, NoRoom when the disk is full.
    """
    path = folder_file(folder, "pdf")
    save_dataset(encapsulated_pdf_of(report, study), path)
    return (path,)


def encapsulated_pdf_of(report: Report, study: Study) -> "Dataset":
    """The object; `EncapsulatedDocumentLength` tells the document's bytes from the one that makes them even."""
    slices = key_slices(report, study)
    source = source_header(study, slices[0].picture if slices else 0)
    document = report_to_pdf(report)
    dataset = begin_object(
        source, report, sop_class=ENCAPSULATED_PDF, modality="DOC", what="PDF", number=SERIES_NUMBER
    )
    dataset.ConversionType = "WSD"  # workstation
    dataset.AcquisitionDateTime = ""  # of several images at several times
    dataset.BurnedInAnnotation = "YES"  # the page carries the study's name and the patient's age
    dataset.DocumentTitle = one_line(say("page.kicker"), 1024)
    dataset.ConceptNameCodeSequence = [code_item("18748-4", "LN", "Diagnostic imaging study")]
    dataset.VerificationFlag = "UNVERIFIED"
    if slices:
        named = {(one.origin.class_uid, one.origin.instance_uid) for one in slices}
        dataset.SourceInstanceSequence = [reference_to(*ids) for ids in sorted(named)]
    dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
    dataset.EncapsulatedDocument = document + b"\0" * (len(document) % 2)
    dataset.EncapsulatedDocumentLength = len(document)
    return dataset

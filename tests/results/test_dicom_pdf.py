"""The readable report inside a DICOM object comes out again as it went in."""

from dataclasses import replace

import pydicom
import pytest

from osler.core.errors import CannotHold
from osler.results.dicom_object import origins_of
from osler.results.dicom_pdf import encapsulated_pdf_of, write_encapsulated_pdf
from osler.results.pdf import report_to_pdf


def document_in(dataset):
    return dataset.EncapsulatedDocument[: dataset.EncapsulatedDocumentLength]


@pytest.mark.parametrize("declined", [False, True])
def test_dciodvfy_finds_no_error(reading, declined, validate, tmp_path):
    (path,) = write_encapsulated_pdf(reading.declined if declined else reading.report, reading.study, tmp_path)
    assert validate(path) == []


def test_the_document_comes_out_again_byte_for_byte(readings, tmp_path):
    reading = readings["CT"]
    lengths = set()
    for n in range(4):  # of odd and of even length
        report = replace(reading.report, pathway="p" * n)
        (path,) = write_encapsulated_pdf(report, reading.study, tmp_path)
        dataset = pydicom.dcmread(path)
        assert document_in(dataset) == report_to_pdf(report)
        assert len(encapsulated_pdf_of(report, reading.study).EncapsulatedDocument) % 2 == 0
        lengths.add(dataset.EncapsulatedDocumentLength % 2)
    assert lengths == {0, 1}


def test_it_is_filed_with_the_study_and_says_what_it_is(reading, tmp_path):
    (path,) = write_encapsulated_pdf(reading.report, reading.study, tmp_path)
    dataset = pydicom.dcmread(path)
    origins = origins_of(reading.study.pictures[0])
    source = pydicom.dcmread(origins[0].path)
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "AccessionNumber"):
        assert dataset[keyword].value == source[keyword].value
    assert (dataset.Modality, dataset.MIMETypeOfEncapsulatedDocument) == ("DOC", "application/pdf")
    assert (dataset.BurnedInAnnotation, dataset.VerificationFlag) == ("YES", "UNVERIFIED")
    assert dataset.ConceptNameCodeSequence[0].CodingSchemeDesignator == "LN"
    named = {one.ReferencedSOPInstanceUID for one in dataset.SourceInstanceSequence}
    assert named and named <= {origin.instance_uid for origin in origins}


def test_without_dicom_there_is_nowhere_to_file_it(readings, tmp_path):
    reading = readings["CR"]
    foreign = replace(reading.study, pictures=tuple(replace(p, origin=None) for p in reading.study.pictures))
    with pytest.raises(CannotHold, match="not DICOM"):
        write_encapsulated_pdf(reading.report, foreign, tmp_path)
    assert list(tmp_path.iterdir()) == []

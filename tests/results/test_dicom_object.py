"""What every object that a reading makes has in common: filed under the right patient, at the right time."""

import numpy as np
import pydicom
import pytest

from osler.core.errors import CannotHold, Unreadable
from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.report import ModelUse, Report
from osler.core.study import Study
from osler.core.volume import Volume
from osler.io.dicom.encode import save_dataset
from osler.io.dicom.parse import read_header
from osler.io.dicom.write import write_series
from osler.io.open import open_study
from osler.results.dicom_object import begin_object, code_item, segmentation_uids, source_header, tracking_uid

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
REPORT = Report(
    study="made up",
    study_uid="",
    facts=Facts(),
    pathway="",
    declined=(),
    cautions=(),
    findings=(),
    key_pictures=(),
    models=(ModelUse("leber-größe 肝", "1.2.0", "sha256:abc", "CT", (), "x"),),
    seconds=(),
    software="osler 0.1.0",
    created="2026-01-02T23:30:05+00:00",
    uid="2.25.4714",
)


def begun(source: pydicom.Dataset, what: str = "SC", instance: int = 1) -> pydicom.Dataset:
    return begin_object(
        source, REPORT, sop_class=SECONDARY_CAPTURE, modality="OT", what=what, number=9000, instance=instance
    )


@pytest.fixture
def study(tmp_path) -> Study:
    volume = Volume(np.zeros((2, 4, 5), np.int16), Geometry.from_spacing((2, 4, 5), (2, 1, 1)), "HU", Facts("CT"))
    write_series(volume, tmp_path / "in")
    return open_study(tmp_path / "in")


def test_patient_and_study_go_along_as_they_are(study):
    source = source_header(study)
    source.IssuerOfPatientID, source.AccessionNumber = "HOSPITAL", "A-17"
    made = begun(source)
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "StudyDate", "StudyID", "AccessionNumber"):
        assert made[keyword].value == source[keyword].value
    assert made.IssuerOfPatientID == "HOSPITAL"
    del source.StudyID, source.IssuerOfPatientID
    made = begun(source)
    assert made.StudyID == "" and "IssuerOfPatientID" not in made  # one must be there, the other need not


@pytest.mark.parametrize(
    ("letters", "name"),
    [
        ("ISO_IR 100", "Müller^Jörg"),
        ("ISO_IR 144", "Люкceмбypг"),
        ("GB18030", "王^小东"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"),
    ],
)
def test_names_in_any_letters_survive(letters, name, tmp_path):
    source = pydicom.Dataset()
    source.SpecificCharacterSet, source.PatientName = letters, name
    source.StudyInstanceUID, source.StudyDescription = "1.2.3", name.split("=")[-1]
    source.SOPClassUID, source.SOPInstanceUID = SECONDARY_CAPTURE, "1.2.4"
    save_dataset(source, tmp_path / "source.dcm")
    made = begun(pydicom.dcmread(tmp_path / "source.dcm"))
    save_dataset(made, tmp_path / "made.dcm")
    read = pydicom.dcmread(tmp_path / "made.dcm")
    assert str(read.PatientName) == name and read.StudyDescription == name.split("=")[-1]
    # The model's name fits too, whatever letters the source was written in.
    assert read.ContributingEquipmentSequence[0].ManufacturerModelName == "leber-größe 肝"
    assert read.SeriesDescription == "AI SC: leber-größe 肝 1.2.0"


def test_values_that_break_their_type_are_left_behind_but_identity_never(tmp_path):
    source = pydicom.Dataset()
    with pydicom.config.disable_value_validation():
        source.PatientID = "9" * 80  # too long for LO, yet the archive files by it
        source.PatientSex, source.StudyTime, source.PatientAge = "female", "25:61", "47"
        source.PatientWeight, source.StudyDescription = "1.5", "x" * 100
        source.SOPClassUID, source.SOPInstanceUID = SECONDARY_CAPTURE, "1.2.4"
        save_dataset(source, tmp_path / "source.dcm")
    whole = (tmp_path / "source.dcm").read_bytes()
    (tmp_path / "source.dcm").write_bytes(whole.replace(b"1.5 ", b"1,5 "))
    made = begun(read_header(tmp_path / "source.dcm"))
    assert made.PatientID == "9" * 80
    assert (made.PatientSex, made.StudyTime) == ("", "")
    assert not {"PatientAge", "PatientWeight", "StudyDescription"} & {element.keyword for element in made}


@pytest.mark.parametrize(
    ("offset", "day", "clock"),
    [("+0100", "20260103", "003005"), ("-0330", "20260102", "200005"), ("+0000", "20260102", "233005")],
)
def test_times_are_those_of_the_hospital(study, offset, day, clock):
    source = source_header(study)
    source.TimezoneOffsetFromUTC = offset
    made = begun(source)
    assert (made.ContentDate, made.ContentTime) == (made.SeriesDate, made.SeriesTime) == (day, clock)
    assert made.TimezoneOffsetFromUTC == offset


def test_uids_are_made_of_the_reading(study):
    source = source_header(study)
    one, same, next_one, other = begun(source), begun(source), begun(source, instance=2), begun(source, "SR")
    assert one.SOPInstanceUID == same.SOPInstanceUID
    assert one.SeriesInstanceUID == next_one.SeriesInstanceUID != other.SeriesInstanceUID
    uids = {one.SOPInstanceUID, next_one.SOPInstanceUID, other.SOPInstanceUID, one.SeriesInstanceUID}
    uids |= {tracking_uid(REPORT, 0, 1), tracking_uid(REPORT, 0, 2), tracking_uid(REPORT, 1, 1)}
    uids |= {*segmentation_uids(REPORT, 0), *segmentation_uids(REPORT, 1)}
    assert len(uids) == 11 and all(uid.startswith("2.25.") and len(uid) <= 64 for uid in uids)


def test_codes_of_any_length():
    assert code_item("10200004", "SCT", "Liver").CodeValue == "10200004"
    long = code_item("621566751000087104", "SCT", "Beyond sixteen")
    assert long.LongCodeValue == "621566751000087104" and "CodeValue" not in long


def test_without_dicom_there_is_nobody_to_file_under(study):
    with pytest.raises(CannotHold, match="not DICOM"):
        source_header(Study((Image(np.zeros((4, 4), np.uint8)),), name="film.png"))
    with pytest.raises(CannotHold, match="not DICOM"):
        source_header(study, 7)
    study.pictures[0].origins[0].path.unlink()
    with pytest.raises(Unreadable, match="missing"):
        source_header(study)

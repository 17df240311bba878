"""A report becomes a document that says the same, with its numbers, codes and references."""

import math
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from osler.core.codes import Code
from osler.core.conclusion import Conclusion, Priority
from osler.core.errors import CannotHold
from osler.core.finding import Finding, Measurement
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.quantity import Quantity
from osler.core.report import NOT_A_DEVICE, Drawing
from osler.core.volume import Volume
from osler.io.dicom import concepts
from osler.io.dicom.structured_report import read_findings, read_measurement_groups
from osler.results.dicom_object import segmentation_uids, tracking_uid
from osler.results.dicom_seg import write_seg
from osler.results.dicom_sr import report_to_sr, write_sr
from osler.results.sentences import LANGUAGES


def items(dataset):
    """Every content item of the tree."""
    for item in dataset.get("ContentSequence", []):
        yield item
        yield from items(item)


def texts(dataset):
    return [item.TextValue for item in items(dataset) if item.ValueType == "TEXT"]


def named(dataset, value):
    """The items whose concept name has this code value."""
    return [
        i
        for i in items(dataset)
        if "ConceptNameCodeSequence" in i and i.ConceptNameCodeSequence[0].CodeValue == value
    ]


def referenced(dataset):
    """(class, instance) of every image that the tree names."""
    return {
        (one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID)
        for item in items(dataset)
        for one in item.get("ReferencedSOPSequence", [])
    }


def listed(dataset):
    """(class, instance) of everything in the evidence."""
    return {
        (one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID)
        for study in dataset.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for one in series.ReferencedSOPSequence
    }


def test_every_number_code_and_word_comes_back(reading, tmp_path):
    (path,) = write_sr(reading.report, reading.study, tmp_path)
    back = read_findings(path, reading.study)
    # A segment is numbered by its place among the labels, and an empty label has none.
    segment_of = {5: 2, 7: None, None: None}
    for found, said in zip(back, reading.report.findings, strict=True):
        assert replace(found, measurements=()) == replace(said, measurements=(), label=segment_of[said.label])
        for one, wanted in zip(found.measurements, said.measurements, strict=True):
            assert (one.name, one.code, one.quantity.unit) == (wanted.name, wanted.code, wanted.quantity.unit)
            assert one.quantity.value == wanted.quantity.value
            for end in ("low", "high"):
                got, meant = getattr(one.quantity, end), getattr(wanted.quantity, end)
                assert (got is None) == (meant is None) and (
                    meant is None or math.isclose(got, meant, rel_tol=1e-12)
                )


@pytest.mark.parametrize("what", ["read", "declined", "without findings"])
def test_dciodvfy_finds_no_error(reading, what, validate, tmp_path):
    report = {
        "read": reading.report,
        "declined": reading.declined,
        "without findings": replace(reading.report, findings=(), drawings=()),
    }[what]
    (path,) = write_sr(report, reading.study, tmp_path)
    assert validate(path) == []


@pytest.mark.parametrize("tool", ["dsrdump", "dcsrdump"])
def test_other_tools_print_it(tool, readings, tmp_path):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed (Debian: dcmtk, dicom3tools)")
    (path,) = write_sr(readings["CT"].report, readings["CT"].study, tmp_path)
    done = subprocess.run([tool, path], capture_output=True, text=True, check=True)
    said = done.stdout + done.stderr
    for word in (
        "Imaging Measurement Report",
        "0.9312345678901",
        "233604007",
        "mL,UCUM",
        "Tracking Unique Identifier",
    ):
        assert word in said, word
    assert not [line for line in said.splitlines() if line.startswith(("E:", "Error"))]


def test_nothing_is_referred_to_that_the_evidence_does_not_list(reading):
    dataset = report_to_sr(reading.report, reading.study)
    assert referenced(dataset) == listed(dataset)
    series = {
        one.SeriesInstanceUID
        for study in dataset.CurrentRequestedProcedureEvidenceSequence
        for one in study.ReferencedSeriesSequence
    }
    assert series == {reading.study.pictures[0].series_uid, segmentation_uids(reading.report, 0)[0]}
    assert {study.StudyInstanceUID for study in dataset.CurrentRequestedProcedureEvidenceSequence} == {
        reading.study.uid
    }


def test_the_segment_is_the_one_that_was_drawn(readings, tmp_path):
    reading = readings["CT"]
    (path,) = write_sr(reading.report, reading.study, tmp_path)
    (segmentation,) = write_seg(reading.report, reading.study, tmp_path)
    drawn = pydicom.dcmread(segmentation)
    group = read_measurement_groups(path)[3]
    (segment,) = [one for one in group.references if one.segments]
    assert (segment.instance_uid, segment.class_uid) == (drawn.SOPInstanceUID, drawn.SOPClassUID)
    named_there = drawn.SegmentSequence[segment.segments[0] - 1]
    assert named_there.SegmentLabel == "Lesion" and named_there.TrackingUID == group.tracking_uid
    assert group.tracking_uid == tracking_uid(reading.report, 0, 5)
    sources = [one.instance_uid for one in group.references if one.purpose == "Source image for segmentation"]
    assert sources == [reading.study.pictures[0].origins[n].instance_uid for n in (2, 3)]


def test_frames_of_one_file_are_named_by_their_number(readings, tmp_path):
    reading = readings["enhanced MR"]
    (path,) = write_sr(reading.report, reading.study, tmp_path)
    groups = read_measurement_groups(path)
    assert [one.frames for one in groups[0].references] == [()]  # the whole of it
    sources = [one for one in groups[3].references if one.purpose == "Source image for segmentation"]
    assert [one.frames for one in sources] == [(reading.study.pictures[0].origins[n].frame,) for n in (2, 3)]


def test_a_large_series_is_named_as_a_whole(readings, tmp_path):
    """A hundred organs on six hundred slices must not name sixty thousand images."""
    reading = readings["CT"]
    picture, mask = reading.study.pictures[0], reading.report.drawings[0].mask
    many = 90
    large = Volume(
        np.repeat(picture.array, many // 6, axis=0),
        Geometry((many, *picture.array.shape[1:]), picture.geometry.affine),
        picture.unit,
        picture.facts,
        tuple(replace(picture.origins[0], instance_uid=f"2.25.{n + 1}") for n in range(many)),
        picture.series_uid,
        picture.study_uid,
    )
    other = replace(large, origins=(), series_uid="2.25.999")
    study = replace(reading.study, pictures=(other, large))
    drawing = Drawing(1, Mask(np.repeat(mask.array, many // 6, axis=0), mask.labels, large.geometry))
    findings = tuple(replace(finding, picture=1) for finding in reading.report.findings)
    (path,) = write_sr(replace(reading.report, findings=findings, drawings=(drawing,)), study, tmp_path)
    groups = read_measurement_groups(path, study)
    assert [group.finding.picture for group in groups] == [1] * len(findings)
    assert [group.series for group in groups] == [(picture.series_uid,)] * len(findings)
    assert [len(group.references) for group in groups] == [1] * len(findings)
    dataset = pydicom.dcmread(path)
    assert {instance for _, instance in listed(dataset)} >= {origin.instance_uid for origin in large.origins}


def test_of_a_file_with_two_pictures_the_frames_are_named(readings, tmp_path):
    reading = readings["enhanced MR"]
    picture = reading.study.pictures[0]
    second = replace(picture, origins=tuple(replace(one, frame=one.frame + 6) for one in picture.origins))
    study = replace(reading.study, pictures=(picture, second))
    findings = tuple(replace(reading.report.findings[0], picture=n) for n in (0, 1))
    (path,) = write_sr(replace(reading.report, findings=findings, drawings=()), study, tmp_path)
    groups = read_measurement_groups(path, study)
    assert [group.finding.picture for group in groups] == [0, 1]
    assert [set(group.references[0].frames) for group in groups] == [set(range(1, 7)), set(range(7, 13))]


def test_each_group_can_be_followed_and_says_what_made_it(reading, tmp_path):
    (path,) = write_sr(reading.report, reading.study, tmp_path)
    groups = read_measurement_groups(path)
    assert (
        len({group.tracking_uid for group in groups}) == len({group.tracking for group in groups}) == len(groups)
    )
    assert {group.algorithm for group in groups} == {"model-a 1.2.0"}
    place = "Chest" if reading.source in ("CR", "DX") else "Abdomen"
    assert {site.meaning for group in groups for site in group.sites} == {place}
    again = report_to_sr(reading.report, reading.study)
    assert [item.UID for item in named(again, "112040")] == [group.tracking_uid for group in groups]


def test_a_lesion_keeps_its_name_its_place_and_its_centre(readings, tmp_path):
    reading = readings["CT"]
    centre = (-12.5, 3.25, 818.0)  # 32-bit floats hold these exactly
    placed = replace(reading.report.findings[3], lesion="L1", site="liver", centre_mm=centre)
    other = replace(placed, lesion="L2", site="left thigh", centre_mm=None, label=None)
    twice = replace(other, lesion="L3"), replace(other, lesion="L3")
    report = replace(reading.report, findings=(placed, other, *twice))
    (path,) = write_sr(report, reading.study, tmp_path)
    groups = read_measurement_groups(path)
    assert [group.finding.lesion for group in groups] == ["L1", "L2", "L3", "L3"]
    assert [group.finding.centre_mm for group in groups] == [centre, None, None, None]
    assert [site.meaning for group in groups for site in group.sites][:2] == ["Liver", "left thigh"]
    assert groups[0].sites[0].scheme == "SCT" and groups[1].sites[0].scheme == "99OSLER"
    # A name that two groups would share does not tell them apart.
    assert [group.tracking for group in groups] == ["L1", "L2", "Lesion 3", "Lesion 4"]
    source = pydicom.dcmread(reading.study.pictures[0].origins[0].path, stop_before_pixels=True)
    assert [i.ReferencedFrameOfReferenceUID for i in named(pydicom.dcmread(path), "111010")] == [
        source.FrameOfReferenceUID
    ]


def test_conclusions_are_no_findings_to_a_reader_of_measurements(readings, tmp_path):
    reading = readings["CT"]
    one = Conclusion("recist-1.1", "1.1", "Response", "PR", "It fell.", findings=(0, 3))
    report = replace(reading.report, conclusions=(one,), priority=Priority("now", "It bleeds.", 1.0))
    (path,) = write_sr(report, reading.study, tmp_path)
    groups = read_measurement_groups(path)
    assert [group.finding.name for group in groups] == [finding.name for finding in report.findings]
    coded = [item for item in items(pydicom.dcmread(path)) if item.ValueType == "CODE"]
    (answer,) = [item for item in coded if item.ConceptCodeSequence[0].CodeMeaning == "PR"]
    rests = [item.UID for item in answer.ContentSequence if item.ValueType == "UIDREF"]
    assert rests == [groups[0].tracking_uid, groups[3].tracking_uid]


def test_every_language_has_its_code():
    assert set(concepts.LANGUAGES) == set(LANGUAGES)


def test_it_waits_for_a_person(reading):
    dataset = report_to_sr(reading.report, reading.study)
    assert (dataset.CompletionFlag, dataset.PreliminaryFlag) == ("COMPLETE", "PRELIMINARY")
    assert dataset.VerificationFlag == "UNVERIFIED" and "VerifyingObserverSequence" not in dataset
    said = texts(dataset)
    assert NOT_A_DEVICE in said
    assert "The header does not say the view. Make sure." in said
    assert [item.ConceptCodeSequence[0].CodeMeaning for item in named(dataset, "121005")] == ["Device"]


def test_a_negative_finding_is_said_as_absent(readings):
    dataset = report_to_sr(readings["CR"].report, readings["CR"].study)
    answers = [item.ConceptCodeSequence[0].CodeMeaning for item in named(dataset, "121052")]
    assert answers == ["Present", "Absent", "Present", "Absent"]


def test_a_declined_reading_says_why_and_gives_no_finding(reading, tmp_path):
    (path,) = write_sr(reading.declined, reading.study, tmp_path)
    dataset = pydicom.dcmread(path)
    assert "No model may read this study: it shows EXTREMITY. Train one." in texts(dataset)
    assert [item.ConceptCodeSequence[0].CodeValue for item in named(dataset, "111017")] == ["111245"]
    assert not [item for item in items(dataset) if item.ValueType == "NUM"]
    assert read_findings(path) == ()


def test_a_reading_that_found_nothing_says_so(readings, tmp_path):
    reading = readings["MR"]
    (path,) = write_sr(replace(reading.report, findings=(), drawings=()), reading.study, tmp_path)
    dataset = pydicom.dcmread(path)
    assert [item.ConceptCodeSequence[0].CodeValue for item in named(dataset, "111017")] == ["111241"]
    assert referenced(dataset)


def test_without_dicom_there_is_nowhere_to_file_it(readings, tmp_path):
    reading = readings["CR"]
    foreign = replace(reading.study, pictures=tuple(replace(p, origin=None) for p in reading.study.pictures))
    with pytest.raises(CannotHold, match="not DICOM"):
        write_sr(reading.report, foreign, tmp_path)
    with pytest.raises(CannotHold):
        write_sr(reading.declined, replace(reading.study, pictures=()), tmp_path)
    assert list(tmp_path.iterdir()) == []


number = some.floats(allow_nan=False, allow_infinity=False, width=64).filter(lambda x: abs(x) < 1e100)
word = some.text(some.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=70).filter(
    lambda text: text == text.strip()
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    word, word, number, some.floats(0, 1), some.sampled_from(["mm", "ml", "mm2", "%", "1", "pixels", "[hnsf'U]"])
)
def test_any_number_and_any_word_comes_back(readings, tmp_path, name, grade, value, chance, unit):
    reading = readings["CR"]
    code = Code("1234", "99LOCAL", "Local")
    finding = Finding(
        name,
        "Said.",
        probability=chance,
        grade=grade[:60],
        measurements=(Measurement(name, Quantity(value, unit)), Measurement("Local", Quantity(value, unit), code)),
    )
    (path,) = write_sr(replace(reading.report, findings=(finding,), drawings=()), reading.study, tmp_path)
    (back,) = read_findings(path)
    assert (back.name, back.probability) == (name, chance)
    assert [(m.quantity.value, m.quantity.unit) for m in back.measurements] == [(value, unit)] * 2
    assert [m.code for m in back.measurements] == [None, code]


def test_what_is_no_number_is_written_as_such(readings, tmp_path):
    reading = readings["CR"]
    odd = tuple(Measurement("Odd", Quantity(value, "mm")) for value in (math.nan, math.inf))
    finding = Finding("Odd", "Odd.", measurements=odd)
    (path,) = write_sr(replace(reading.report, findings=(finding,), drawings=()), reading.study, tmp_path)
    numbers = [item for item in items(pydicom.dcmread(path)) if item.ValueType == "NUM"]
    assert [len(item.MeasuredValueSequence) for item in numbers] == [0, 0]
    assert read_findings(path)[0].measurements == ()

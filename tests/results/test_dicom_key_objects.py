"""The slices that a reading rests on, as a list that viewers jump to."""

from dataclasses import replace

import pydicom
import pytest

from osler.core.errors import CannotHold
from osler.core.report import NOT_A_DEVICE
from osler.results.dicom_key_objects import write_key_objects
from osler.results.key_slices import key_slices


def pointed_at(dataset):
    return [
        (
            item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID,
            item.ReferencedSOPSequence[0].get("ReferencedFrameNumber"),
        )
        for item in dataset.ContentSequence
        if item.ValueType == "IMAGE"
    ]


def test_dciodvfy_finds_no_error(reading, validate, tmp_path):
    (path,) = write_key_objects(reading.report, reading.study, tmp_path)
    assert validate(path) == []


def test_it_points_at_the_slices_with_most_of_what_was_drawn(reading, tmp_path):
    (path,) = write_key_objects(reading.report, reading.study, tmp_path)
    dataset = pydicom.dcmread(path)
    picture = reading.study.pictures[0]
    flat = reading.source in ("CR", "DX")
    # Slice 3 holds both labels; slice 2 as much of the lesion, and comes first.
    wanted = [picture.origin] if flat else [picture.origins[n] for n in (3, 2)]
    assert pointed_at(dataset) == [(origin.instance_uid, origin.frame) for origin in wanted]
    listed = {
        one.ReferencedSOPInstanceUID
        for study in dataset.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for one in series.ReferencedSOPSequence
    }
    assert listed == {origin.instance_uid for origin in wanted}
    (said,) = [
        item.TextValue
        for item in dataset.ContentSequence
        if item.ValueType == "TEXT" and "Lesion" in item.TextValue
    ]
    assert NOT_A_DEVICE in said


def test_without_a_drawing_it_points_into_the_volume(readings):
    reading = readings["CT"]
    found = key_slices(replace(reading.report, drawings=()), reading.study)
    assert [(one.index, one.labels) for one in found] == [(1, None), (3, None), (4, None)]


def test_a_declined_reading_points_at_nothing(reading, tmp_path):
    with pytest.raises(CannotHold):
        write_key_objects(reading.declined, reading.study, tmp_path)
    assert list(tmp_path.iterdir()) == []

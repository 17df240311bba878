"""Key pictures as secondary captures: the pixels as they were, and words below that nobody can overlook."""

from dataclasses import replace

import numpy as np
import pydicom
import pytest

from osler.core.errors import CannotHold
from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.report import NOT_A_DEVICE, KeyPicture, ModelUse, Report
from osler.core.study import Study
from osler.core.volume import Volume
from osler.io.dicom.write import write_series
from osler.io.open import open_picture, open_study
from osler.results.dicom_secondary import captioned, write_secondary_captures

PICTURES = tuple(
    KeyPicture(f"Axial, slice {n} of 9", np.random.default_rng(n).integers(0, 256, shape).astype(np.uint8))
    for n, shape in enumerate([(61, 301, 3), (40, 33, 3)])
)
REPORT = Report(
    study="made up",
    study_uid="",
    facts=Facts(),
    pathway="abdomen",
    declined=(),
    cautions=(),
    findings=(),
    key_pictures=PICTURES,
    models=(ModelUse("abdomen", "1.2.0", "sha256:abc", "CT", (), "x"),),
    seconds=(),
    software="osler 0.1.0",
    created="2026-01-02T03:04:05+00:00",
    uid="2.25.4713",
)


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Study:
    folder = tmp_path_factory.mktemp("ct")
    volume = Volume(np.zeros((2, 4, 5), np.int16), Geometry.from_spacing((2, 4, 5), (2, 1, 1)), "HU", Facts("CT"))
    write_series(volume, folder / "in")
    return open_study(folder / "in")


def test_pictures_are_captured_with_the_notice_below(study, tmp_path):
    paths = write_secondary_captures(REPORT, study, tmp_path)
    assert [path.name for path in paths] == ["secondary-capture.dcm", "secondary-capture-2.dcm"]
    datasets = [pydicom.dcmread(path) for path in paths]
    for n, (path, dataset, picture) in enumerate(zip(paths, datasets, PICTURES, strict=True)):
        rows, columns = picture.pixels.shape[:2]
        shown = open_picture(path).array
        np.testing.assert_array_equal(shown[:rows, :columns], picture.pixels)
        assert shown.shape[0] > rows and shown[rows:].any()  # the words below
        assert (dataset.ConversionType, dataset.BurnedInAnnotation) == ("WSD", "YES")
        assert list(dataset.ImageType) == ["DERIVED", "SECONDARY"] and dataset.InstanceNumber == n + 1
        assert picture.title in dataset.ImageComments and NOT_A_DEVICE in dataset.ImageComments
        assert dataset.StudyInstanceUID == study.pictures[0].study_uid
    assert datasets[0].SeriesInstanceUID == datasets[1].SeriesInstanceUID
    assert datasets[0].SOPInstanceUID != datasets[1].SOPInstanceUID


def test_words_are_broken_to_fit(tmp_path):
    narrow = np.full((20, 30, 3), 7, np.uint8)
    short, long = captioned(narrow, ("One.",)), captioned(narrow, ("Word " * 60,))
    assert short.shape[1] == long.shape[1] > 30
    assert long.shape[0] > short.shape[0] + 20
    assert not long[:, -3:].any()  # nothing runs off the edge
    wide = captioned(np.zeros((20, 900, 3), np.uint8), ("Word " * 60,))
    assert wide.shape[1] == 900 and wide.shape[0] < long.shape[0]


def test_nothing_to_capture_is_said(study, tmp_path):
    with pytest.raises(CannotHold, match="no key pictures"):
        write_secondary_captures(replace(REPORT, key_pictures=()), study, tmp_path)
    with pytest.raises(CannotHold, match="not DICOM"):
        write_secondary_captures(REPORT, Study(()), tmp_path)
    assert list(tmp_path.iterdir()) == []

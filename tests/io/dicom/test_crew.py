"""A compressed series decoded by several processes."""

import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest

from osler.core.errors import Unreadable
from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.volume import Volume
from osler.io.dicom import crew
from osler.io.dicom.crew import decode_all
from osler.io.dicom.scan import scan_header
from osler.io.dicom.write import write_series


@pytest.fixture
def series(tmp_path) -> tuple[np.ndarray, list[Path]]:
    array = np.random.default_rng(5).integers(-1000, 2000, (9, 32, 24)).astype(np.int16)
    volume = Volume(array, Geometry.from_spacing(array.shape, (1, 1, 1)), unit="HU", facts=Facts(modality="CT"))
    paths = write_series(volume, tmp_path / "ct")
    for path in paths:
        dataset = pydicom.dcmread(path)
        dataset.compress(pydicom.uid.RLELossless)
        dataset.save_as(path)
    return array, paths


def jobs(paths: list[Path]) -> list[crew.Job]:
    return [(path, scan_header(path), None) for path in paths]


@pytest.fixture
def helped(monkeypatch) -> list[int]:
    """Two helpers, however little there is to do; tells how often they were called."""
    calls: list[int] = []
    monkeypatch.setattr(crew, "_helpers", lambda seconds: calls.append(2) or 2)
    return calls


def test_helpers_give_the_same_in_the_same_order(series, helped):
    array, paths = series
    np.testing.assert_array_equal(decode_all(jobs(paths)), array)
    np.testing.assert_array_equal(decode_all(jobs(paths[::-1])), array[::-1])
    assert helped == [2, 2]


def test_the_helpers_do_all_the_work_when_they_must(series, helped, monkeypatch):
    """What comes back was really decoded in another process."""
    array, paths = series
    here = crew._next
    monkeypatch.setattr(crew, "_next", lambda tokens: iter(()))
    np.testing.assert_array_equal(decode_all(jobs(paths)), array)
    assert here is not crew._next


def test_a_broken_file_is_told_by_name(series, helped):
    _, paths = series
    dataset = pydicom.dcmread(paths[4])
    dataset.PixelData = pydicom.encaps.encapsulate([b"\0" * 80])
    dataset.save_as(paths[4])
    with pytest.raises(Unreadable, match=r"0005\.dcm"):
        decode_all(jobs(paths))


def test_another_size_is_told(series, helped):
    _, paths = series
    dataset = pydicom.dcmread(paths[4])
    dataset.decompress()
    dataset.Rows, dataset.PixelData = 16, dataset.PixelData[: 16 * 24 * 2]
    dataset.compress(pydicom.uid.RLELossless)
    dataset.save_as(paths[4])
    with pytest.raises(Unreadable, match=r"0005\.dcm is 16 x 24 pixels large, the others are 32 x 24"):
        decode_all(jobs(paths))


def test_helpers_that_cannot_start_are_not_needed(series, helped, monkeypatch):
    array, paths = series
    monkeypatch.setattr(sys, "executable", "/bin/false")
    np.testing.assert_array_equal(decode_all(jobs(paths)), array)


def test_a_decoder_that_falls_over_takes_nobody_with_it(series, helped, monkeypatch):
    """The block that a helper began and never ended is named; this process does not try it."""
    _, paths = series
    real = crew._started

    def falls(told, files):
        monkeypatch.setattr(crew, "_next", lambda tokens: iter(()))  # leave the work to them
        _, flags = crew._shared(files[0], tuple(told["shape"]), told["dtype"], len(told["blocks"]))
        flags[:] = crew._DONE
        flags[3] = crew._BEGUN
        monkeypatch.setattr(sys, "executable", "/bin/false")
        return real(told, files)

    monkeypatch.setattr(crew, "_started", falls)
    with pytest.raises(Unreadable, match=r"0004\.dcm cannot be decoded: they brought the decoder down"):
        decode_all(jobs(paths))


def test_little_work_is_done_alone():
    assert crew._helpers(0.1) == 0

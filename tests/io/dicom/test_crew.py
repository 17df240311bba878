"""A compressed series decoded by several threads."""

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
from osler.io.dicom.pixels import decode
from osler.io.dicom.scan import scan_header
from osler.io.dicom.write import write_multiframe, write_series


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
def together(monkeypatch) -> None:
    """Three threads, however few cores there are."""
    monkeypatch.setattr("os.cpu_count", lambda: 3)


def test_threads_give_the_same_in_the_same_order(series, together):
    array, paths = series
    np.testing.assert_array_equal(decode_all(jobs(paths)), array)
    np.testing.assert_array_equal(decode_all(jobs(paths[::-1])), array[::-1])


def test_frames_of_one_file_are_decoded_in_blocks_and_stay_in_order(tmp_path, together):
    array = np.random.default_rng(6).integers(0, 900, (11, 16, 12)).astype(np.int16)
    volume = Volume(array, Geometry.from_spacing(array.shape, (1, 1, 1)), unit="HU", facts=Facts(modality="CT"))
    path = tmp_path / "enhanced.dcm"
    write_multiframe(volume, path)
    dataset = pydicom.dcmread(path)
    dataset.compress(pydicom.uid.RLELossless)
    dataset.save_as(path)
    header = scan_header(path)
    order = [10, 0, 3, 2, 1, 4, 5, 6, 7, 8, 9]
    np.testing.assert_array_equal(decode_all([(path, header, n) for n in order]), decode(header, path)[order])


def test_no_more_than_a_few_blocks_wait_in_memory(series, together, monkeypatch):
    """However slow the one that takes them is."""
    _, paths = series
    begun = []
    real = crew._decoded
    monkeypatch.setattr(crew, "_decoded", lambda block, headers: begun.append(block) or real(block, headers))
    headers = {path: scan_header(path) for path in paths}
    blocks = list(crew._blocks(jobs(paths), 4))
    running = crew._found(blocks, headers, 1)
    next(running)
    assert len(begun) == 1
    begun.clear()
    running = crew._found(blocks, headers, 2)
    next(running)
    assert len(begun) <= 4
    assert len(list(running)) == len(blocks) - 1


def test_a_broken_file_is_told_by_name(series, together):
    _, paths = series
    dataset = pydicom.dcmread(paths[4])
    dataset.PixelData = pydicom.encaps.encapsulate([b"\0" * 80])
    dataset.save_as(paths[4])
    with pytest.raises(Unreadable, match=r"0005\.dcm"):
        decode_all(jobs(paths))


def test_another_size_is_told(series, together):
    _, paths = series
    dataset = pydicom.dcmread(paths[4])
    dataset.decompress()
    dataset.Rows, dataset.PixelData = 16, dataset.PixelData[: 16 * 24 * 2]
    dataset.compress(pydicom.uid.RLELossless)
    dataset.save_as(paths[4])
    with pytest.raises(Unreadable, match=r"0005\.dcm is 16 x 24 pixels large, the others are 32 x 24"):
        decode_all(jobs(paths))

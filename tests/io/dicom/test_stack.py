"""From files to pictures, whole."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from osler.core.clip import Clip
from osler.core.errors import AskedWrongly, BadGeometry, BadPixels, Unreadable
from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.volume import Volume
from osler.io.dicom.find import find_series
from osler.io.dicom.stack import read_file, read_parts, read_series
from osler.io.dicom.write import write_series
from osler.io.open import open_picture

GRID = Geometry.from_spacing((5, 6, 7), (2.5, 0.8, 0.7), (1, 2, 3))
RANDOM = np.random.default_rng(3)


@pytest.fixture
def ct() -> Volume:
    array = RANDOM.integers(-1000, 2000, (5, 6, 7)).astype(np.int16)
    return Volume(array, GRID, unit="HU", facts=Facts(modality="CT"))


@pytest.fixture
def series(ct, tmp_path) -> Path:
    write_series(ct, tmp_path / "ct", seed=3)
    return tmp_path / "ct"


def edit(path: Path, **changes: object) -> None:
    dataset = pydicom.dcmread(path)
    for keyword, value in changes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset.save_as(path)


def parts(folder: Path):
    (one,) = find_series(sorted(folder.iterdir()))[0]
    return one, read_parts(one)


def test_each_slice_remembers_its_object(ct, series):
    volume = open_picture(series)
    for origin, slice_ in zip(volume.origins, volume.array, strict=True):
        dataset = pydicom.dcmread(origin.path)
        assert dataset.SOPInstanceUID == origin.instance_uid
        np.testing.assert_array_equal(dataset.pixel_array, slice_)
        assert origin.frame is None


def test_a_film_of_files_is_a_clip_and_no_volume(series):
    for n, path in enumerate(sorted(series.iterdir())):
        edit(path, ImagePositionPatient=[0, 0, 0], AcquisitionTime=f"10000{9 - n}")
    one, found = parts(series)
    assert found.pictures == () and found.failures == ()
    (clip,) = found.clips
    assert clip.array.shape == (5, 6, 7)
    first = pydicom.dcmread(clip.origins[0].path)
    assert first.AcquisitionTime == "100005"
    np.testing.assert_array_equal(first.pixel_array, clip.array[0])
    assert clip.frame(0).origin is clip.origins[0]
    with pytest.raises(BadGeometry, match="is a film, not a volume: all its 5 pictures"):
        read_series(one)


def test_what_cannot_be_read_hides_nothing(series, ct):
    paths = sorted(series.iterdir())
    for n, path in enumerate(paths):
        (series / f"late{n}.dcm").write_bytes(path.read_bytes())
        edit(series / f"late{n}.dcm", SOPInstanceUID=f"1.2.{n + 1}", EchoTime="80")
        edit(path, EchoTime="10")
    late = series / "late2.dcm"
    late.write_bytes(late.read_bytes()[:-40])
    one, found = parts(series)
    assert len(found.pictures) == 1 and "late2.dcm is cut short" in found.failures[0].problem
    (volume,) = read_series(one)
    np.testing.assert_array_equal(volume.array, ct.array)
    assert "Another part of the series was not read: late2.dcm is cut short" in volume.notes[-1]


def test_slices_of_another_size_are_told(series):
    path = sorted(series.iterdir())[2]
    dataset = pydicom.dcmread(path)
    dataset.compress(pydicom.uid.RLELossless)
    dataset.Columns = 9
    dataset.save_as(path)
    with pytest.raises((Unreadable, AskedWrongly)):
        open_picture(series)


def test_compressed_series_are_the_same_volume(series, ct):
    for path in series.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.compress(pydicom.uid.RLELossless)
        dataset.save_as(path)
    volume = open_picture(series)
    np.testing.assert_array_equal(volume.array, ct.array)
    assert volume.unit == "HU"


def test_padding_of_a_ct_is_air_and_said(series, ct):
    for path in series.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.add_new("PixelPaddingValue", "SS", 2000)
        pixels = dataset.pixel_array.copy()
        pixels[0, :3] = 2000
        dataset.PixelData = pixels.tobytes()
        dataset.save_as(path)
    volume = open_picture(series)
    assert (volume.array[:, 0, :3] == -1000).all()
    np.testing.assert_array_equal(volume.array[:, 1:], ct.array[:, 1:])
    assert volume.notes == ("Padding was filled with air (7.1% of the pixels).",)


def test_a_ct_without_an_intercept_is_not_in_hu(series):
    for path in series.iterdir():
        edit(path, RescaleIntercept=None)
    volume = open_picture(series)
    assert volume.unit == ""
    assert volume.notes == ("The header does not say that its numbers are HU.",)


def test_a_mosaic_and_a_whole_slide_are_refused(series):
    path = sorted(series.iterdir())[0]
    edit(path, ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"])
    with pytest.raises(Unreadable, match="is a mosaic"):
        read_file(path)
    edit(path, SOPClassUID="1.2.840.10008.5.1.4.1.1.77.1.6", Modality="SM", ImageType=["ORIGINAL"])
    with pytest.raises(Unreadable, match=r"(?i)whole slide"):
        read_file(path)


def test_scouts_are_pictures_by_themselves(series):
    for n, path in enumerate(sorted(series.iterdir())):
        if n > 1:
            path.unlink()
    edit(sorted(series.iterdir())[1], ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    _, found = parts(series)
    assert [type(one) for one in found.pictures] == [Image, Image]


def test_a_clip_keeps_its_promises():
    clip = Clip(np.zeros((3, 4, 5), np.uint8), (0.0, 0.1, 0.2))
    assert not clip.colour and not clip.array.flags.writeable
    with pytest.raises(BadPixels):
        Clip(np.zeros((4, 5), np.uint8))
    with pytest.raises(BadPixels):
        Clip(np.zeros((3, 4, 5), np.uint8), (0.0, 0.1))

"""Files with many frames."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from osler.core.errors import AskedWrongly, BadGeometry
from osler.io.dicom.find import find_series
from osler.io.dicom.stack import read_clip, read_file, read_parts
from osler.io.open import open_picture

RANDOM = np.random.default_rng(11)
CLASSES = {"MR": "1.2.840.10008.5.1.4.1.1.4.1", "CT": "1.2.840.10008.5.1.4.1.1.2.1"}
PLAIN = {
    "NM": "1.2.840.10008.5.1.4.1.1.20",
    "US": "1.2.840.10008.5.1.4.1.1.3.1",
    "XA": "1.2.840.10008.5.1.4.1.1.12.1",
}


def item(**told: object) -> pydicom.Dataset:
    out = pydicom.Dataset()
    for keyword, value in told.items():
        setattr(out, keyword, value)
    return out


def save(path: Path, pixels: np.ndarray, modality: str, **told: object) -> Path:
    dataset = item(
        SOPClassUID=CLASSES.get(modality) or PLAIN[modality],
        SOPInstanceUID=told.pop("SOPInstanceUID", "1.2.3"),
        SeriesInstanceUID="1.2.4",
        StudyInstanceUID="1.2.5",
        Modality=modality,
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        Rows=pixels.shape[1],
        Columns=pixels.shape[2],
        NumberOfFrames=len(pixels),
        BitsAllocated=16,
        BitsStored=16,
        HighBit=15,
        PixelRepresentation=0,
        **told,
    )
    dataset.PixelData = pixels.astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
    return path


def frame(z: float, **told: object) -> pydicom.Dataset:
    """A frame's own functional groups."""
    content = {key: told.pop(key) for key in ("StackID", "TemporalPositionIndex") if key in told}
    groups = item(
        PlanePositionSequence=[item(ImagePositionPatient=[1, 2, z])], FrameContentSequence=[item(**content)]
    )
    for keyword, value in told.items():
        setattr(groups, keyword, [value])
    return groups


SHARED = item(
    PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
    PixelMeasuresSequence=[item(PixelSpacing=[0.8, 0.7], SliceThickness=2)],
)


def enhanced(path: Path, frames: list[pydicom.Dataset], modality: str = "MR", **told: object) -> np.ndarray:
    pixels = RANDOM.integers(0, 4000, (len(frames), 6, 8)).astype(np.uint16)
    told.setdefault("SharedFunctionalGroupsSequence", [SHARED])
    save(path, pixels, modality, PerFrameFunctionalGroupsSequence=frames, **told)
    return pixels


def test_frames_are_sorted_by_place_and_each_keeps_its_number(tmp_path):
    pixels = enhanced(tmp_path / "x.dcm", [frame(z) for z in (4, 0, 2, 6)])
    volume = read_file(tmp_path / "x.dcm")
    np.testing.assert_array_equal(volume.array, pixels[[1, 2, 0, 3]])
    assert [one.frame for one in volume.origins] == [2, 3, 1, 4]
    assert volume.geometry.spacing == pytest.approx((2, 0.8, 0.7))


def test_a_frame_has_its_own_scale(tmp_path):
    scale = [item(RescaleSlope=str(n + 1), RescaleIntercept="-5") for n in range(3)]
    frames = [frame(2 * n, PixelValueTransformationSequence=one) for n, one in enumerate(scale)]
    pixels = enhanced(tmp_path / "x.dcm", frames)
    expected = pixels * np.array([1, 2, 3]).reshape(3, 1, 1) - 5.0
    np.testing.assert_allclose(read_file(tmp_path / "x.dcm").array, expected)


@pytest.mark.parametrize(
    "told",
    [
        [{"StackID": "1"}, {"StackID": "2"}],
        [{"TemporalPositionIndex": 1}, {"TemporalPositionIndex": 2}],
        [{"MREchoSequence": item(EffectiveEchoTime=e)} for e in (10.0, 80.0)],
        [{"MRDiffusionSequence": item(DiffusionBValue=b)} for b in (0.0, 1000.0)],
        [{"CardiacSynchronizationSequence": item(NominalCardiacTriggerDelayTime=t)} for t in (0.0, 300.0)],
        [
            {
                "MRDiffusionSequence": item(
                    DiffusionBValue=1000.0,
                    DiffusionGradientDirectionSequence=[item(DiffusionGradientOrientation=list(way))],
                )
            }
            for way in ((0.0, 0.0, 1.0), (1.0, 0.0, 0.0))
        ],
    ],
)
def test_one_file_may_hold_several_volumes(tmp_path, told):
    frames = [frame(2 * n, **one) for n in range(3) for one in reversed(told)]
    pixels = enhanced(tmp_path / "x.dcm", frames)
    with pytest.raises(BadGeometry, match="holds 2 volumes"):
        read_file(tmp_path / "x.dcm")
    first, second = (read_file(tmp_path / "x.dcm", f"volume:{n}") for n in range(2))
    np.testing.assert_array_equal(first.array, pixels[1::2])
    np.testing.assert_array_equal(second.array, pixels[::2])
    with pytest.raises(AskedWrongly):
        read_file(tmp_path / "x.dcm", "volume:2")


def test_frames_without_a_place_are_a_film(tmp_path):
    pixels = enhanced(tmp_path / "x.dcm", [frame(0), item()])
    np.testing.assert_array_equal(read_clip(tmp_path / "x.dcm").array, pixels)


def test_an_enhanced_ct_says_its_unit_in_its_groups(tmp_path):
    scale = item(RescaleSlope="1", RescaleIntercept="-1024", RescaleType="HU")
    pixels = enhanced(
        tmp_path / "x.dcm", [frame(2 * n, PixelValueTransformationSequence=scale) for n in range(3)], "CT"
    )
    volume = read_file(tmp_path / "x.dcm")
    assert (volume.unit, volume.array.dtype) == ("HU", np.int16)
    np.testing.assert_array_equal(volume.array, pixels.astype(int) - 1024)


def test_a_concatenation_is_joined_or_refused(tmp_path):
    made = []
    for n in range(2):
        told = {"ConcatenationUID": "1.9", "InConcatenationNumber": n + 1, "InConcatenationTotalNumber": 2}
        frames = [frame(2 * (3 * n + k)) for k in range(3)]
        made.append(enhanced(tmp_path / f"{n}.dcm", frames, SOPInstanceUID=f"1.2.{n + 7}", **told))
    np.testing.assert_array_equal(open_picture(tmp_path).array, np.concatenate(made))
    (tmp_path / "1.dcm").unlink()
    with pytest.raises(BadGeometry, match=r"in 2 files \(a concatenation\), and 1 of them are missing"):
        open_picture(tmp_path)


def test_a_nuclear_volume_has_one_place_and_a_step(tmp_path):
    pixels = RANDOM.integers(0, 99, (4, 6, 8))
    detector = item(ImagePositionPatient=[1, 2, 30], ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    told = {
        "PixelSpacing": [4, 4],
        "SpacingBetweenSlices": "-5",
        "ImageType": ["ORIGINAL", "PRIMARY", "RECON TOMO"],
    }
    save(tmp_path / "x.dcm", pixels, "NM", DetectorInformationSequence=[detector], **told)
    volume = read_file(tmp_path / "x.dcm")
    np.testing.assert_array_equal(volume.array, pixels[::-1])  # the step goes down, the volume up
    np.testing.assert_allclose(volume.geometry.to_world(np.array([[3, 0, 0]]))[0], (1, 2, 30))
    assert [one.frame for one in volume.origins] == [4, 3, 2, 1]


@pytest.mark.parametrize(
    ("told", "times"),
    [
        ({"FrameTime": "40"}, (0, 0.04, 0.08)),
        ({"FrameTimeVector": [0, 10, 30]}, (0, 0.01, 0.04)),
        ({"CineRate": "25"}, (0, 0.04, 0.08)),
        ({"FrameTime": "0"}, ()),
        ({}, ()),
    ],
)
def test_a_film_keeps_time(tmp_path, told, times):
    region = item(
        PhysicalUnitsXDirection=3, PhysicalUnitsYDirection=3, PhysicalDeltaX=0.02, PhysicalDeltaY=0.03,
        RegionSpatialFormat=1,
    )  # fmt: skip
    pixels = RANDOM.integers(0, 99, (3, 6, 8))
    path = save(tmp_path / "x.dcm", pixels, "US", SequenceOfUltrasoundRegions=[region], **told)
    clip = read_clip(path)
    assert clip.times_s == pytest.approx(times)
    assert clip.spacing_mm == pytest.approx((0.3, 0.2))
    assert [one.frame for one in clip.origins] == [1, 2, 3]
    np.testing.assert_array_equal(clip.array, pixels)
    np.testing.assert_array_equal(read_file(path, "frame:1").array, pixels[1])
    with pytest.raises(AskedWrongly, match="film of 3 frames"):
        read_file(path)


def test_a_series_of_films_is_read_as_clips(tmp_path):
    for n in range(2):
        save(tmp_path / f"{n}.dcm", RANDOM.integers(0, 99, (3, 6, 8)), "XA", SOPInstanceUID=f"1.2.{n + 7}")
    ((one,), _) = find_series(sorted(tmp_path.iterdir()))
    parts = read_parts(one)
    assert len(parts.clips) == 2 and not parts.pictures and not parts.failures


def test_one_frame_is_no_film(tmp_path):
    save(tmp_path / "x.dcm", RANDOM.integers(0, 99, (1, 6, 8)), "XA")
    with pytest.raises(AskedWrongly, match="one picture"):
        read_clip(tmp_path / "x.dcm")
    assert read_file(tmp_path / "x.dcm").array.shape == (6, 8)

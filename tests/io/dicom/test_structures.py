"""Structure sets: outlines as they are, masks where they lie, and damaged files told."""

import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from osler.core.errors import AskedWrongly, BadGeometry, BadInput, OslerError, Unreadable
from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.volume import Volume
from osler.io.dicom.encode import save_dataset
from osler.io.dicom.stack import read_folder
from osler.io.dicom.structures import RTSTRUCT, items, read_mask, read_structures
from osler.io.dicom.write import write_multiframe, write_series
from osler.io.nifti import read_volume

GEOMETRY = Geometry.from_spacing((5, 12, 14), (3, 1, 1), (-7, -6, 100))
SQUARE = ((0.5, 0.5), (4.5, 0.5), (4.5, 4.5), (0.5, 4.5))


def line(z: float, uid: str = "", corners: tuple[tuple[float, float], ...] = SQUARE, shift: float = 0) -> Dataset:
    item = Dataset()
    item.ContourGeometricType = "CLOSED_PLANAR"
    item.NumberOfContourPoints = len(corners)
    item.ContourData = [f"{x:.3f}" for left, back in corners for x in (-7 + left + shift, -6 + back, z)]
    if uid:
        image = Dataset()
        image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", uid
        item.ContourImageSequence = [image]
    return item


def structure_set(
    lines: dict[int, list[Dataset]], *, names: dict[int, str] | None = None, **more: object
) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = RTSTRUCT, "1.2.3.4"
    dataset.Modality = "RTSTRUCT"
    dataset.StructureSetROISequence, dataset.ROIContourSequence = [], []
    dataset.RTROIObservationsSequence = []
    for number, contours in lines.items():
        roi, drawn, seen = Dataset(), Dataset(), Dataset()
        roi.ROINumber = drawn.ReferencedROINumber = seen.ReferencedROINumber = number
        roi.ROIName = (names or {}).get(number, f"Structure {number}")
        drawn.ROIDisplayColor, drawn.ContourSequence = [255, 128, 0], contours
        seen.RTROIInterpretedType = "ORGAN"
        dataset.StructureSetROISequence.append(roi)
        dataset.ROIContourSequence.append(drawn)
        dataset.RTROIObservationsSequence.append(seen)
    for keyword, value in more.items():
        setattr(dataset, keyword, value)
    return dataset


def refer(dataset: Dataset, headers: list[Dataset]) -> Dataset:
    """`dataset`, said to be drawn on the pictures with these headers."""
    frame, study, series = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = headers[0].SeriesInstanceUID
    series.ContourImageSequence = []
    for header in headers:
        image = Dataset()
        image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
        series.ContourImageSequence.append(image)
    study.RTReferencedSeriesSequence = [series]
    frame.FrameOfReferenceUID, frame.RTReferencedStudySequence = headers[0].FrameOfReferenceUID, [study]
    dataset.ReferencedFrameOfReferenceSequence = [frame]
    return dataset


@pytest.fixture
def ct(tmp_path) -> list[Dataset]:
    """The headers of a CT series in a folder of its own."""
    volume = Volume(np.zeros(GEOMETRY.shape, np.int16), GEOMETRY, unit="HU", facts=Facts(modality="CT"))
    return [pydicom.dcmread(path) for path in write_series(volume, tmp_path / "study" / "ct", seed=1)]


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "study" / "structures" / "rs.dcm"


def test_everything_that_a_set_says_is_read(path, ct):
    dataset = refer(structure_set({4: [line(100), line(103, "1.2.9")], 2: []}, names={4: "Heart"}), ct)
    save_dataset(dataset, path)
    found = read_structures(path)
    heart, empty = found.structures
    assert (heart.number, heart.name, heart.kind, heart.colour) == (4, "Heart", "ORGAN", (255, 128, 0))
    assert heart.contours[0].points[2].tolist() == [-2.5, -1.5, 100]
    assert [one.instance_uid for one in heart.contours] == ["", "1.2.9"]
    assert (empty.number, empty.contours) == (2, ())
    assert found.frame_uid == ct[0].FrameOfReferenceUID and found.series_uids == (ct[0].SeriesInstanceUID,)
    assert found.instance_uids == tuple(one.SOPInstanceUID for one in ct)
    assert items(path) == ("roi:4",)


def test_a_mask_lies_on_the_pictures_beside_it(path, ct):
    save_dataset(refer(structure_set({4: [line(103, ct[1].SOPInstanceUID)]}), ct), path)
    for item in ("", "roi:4", "roi:Structure 4", "roi:structure 4"):
        mask = read_mask(path, item)
        assert mask.labels == {4: "Structure 4"} and mask.geometry.matches(GEOMETRY)
        expected = np.zeros(GEOMETRY.shape, np.uint8)
        expected[1, 1:5, 1:5] = 4
        np.testing.assert_array_equal(mask.array, expected)


def test_a_mask_lies_on_an_enhanced_object(path, tmp_path):
    volume = Volume(np.zeros(GEOMETRY.shape, np.int16), GEOMETRY, unit="HU", facts=Facts(modality="CT"))
    write_multiframe(volume, tmp_path / "study" / "enhanced.dcm", seed=1)
    header = pydicom.dcmread(tmp_path / "study" / "enhanced.dcm")
    save_dataset(refer(structure_set({4: [line(103, header.SOPInstanceUID)]}), [header]), path)
    mask = read_mask(path)
    assert mask.geometry.matches(GEOMETRY) and (mask.array == 4).sum() == 16


def test_pictures_whose_identity_was_taken_off_otherwise_are_known_by_their_series(path, ct):
    dataset = refer(structure_set({1: [line(103, "1.2.99")]}), ct)
    for image in (
        dataset.ReferencedFrameOfReferenceSequence[0]
        .RTReferencedStudySequence[0]
        .RTReferencedSeriesSequence[0]
        .ContourImageSequence
    ):
        image.ReferencedSOPInstanceUID = f"{image.ReferencedSOPInstanceUID}9"[-60:]
    save_dataset(dataset, path)
    assert read_mask(path).array.sum() == 16


def test_structures_on_a_grid_that_is_given(path):
    save_dataset(structure_set({1: [line(103)], 300: [line(106, shift=6)]}), path)
    mask = read_mask(path, grid=GEOMETRY)
    assert mask.labels == {1: "Structure 1", 300: "Structure 300"}
    assert [(int(n), int((mask.array == n).sum())) for n in np.unique(mask.array)[1:]] == [(1, 16), (300, 16)]
    fine = Geometry.from_spacing((15, 24, 28), (1, 0.5, 0.5), (-7.25, -6.25, 99))
    save_dataset(structure_set({1: [line(103), line(106)]}), path)
    assert read_mask(path, "roi:1", fine).array.sum() == 16 * 6 * 4


def test_numbers_that_are_no_labels_are_counted(path):
    save_dataset(structure_set({0: [line(103)], 70000: [line(106)]}), path)
    assert read_mask(path, grid=GEOMETRY).labels == {1: "Structure 0", 2: "Structure 70000"}


def test_overlapping_structures_are_asked_for_one_by_one(path):
    save_dataset(structure_set({1: [line(103)], 2: [line(103, shift=2)]}), path)
    with pytest.raises(BadInput, match="overlap") as refused:
        read_mask(path, grid=GEOMETRY)
    assert "'roi:1' or 'roi:2'" in refused.value.remedy
    assert read_mask(path, "roi:2", GEOMETRY).array.any()


def test_what_is_asked_wrongly_is_told(path):
    point = line(103)
    point.ContourGeometricType, point.NumberOfContourPoints, point.ContourData = "POINT", 1, ["0", "0", "103"]
    sets = structure_set({1: [line(103)], 2: [line(106)], 3: [point], 4: []}, names={1: "Lung", 2: "LUNG"})
    save_dataset(sets, path)
    with pytest.raises(AskedWrongly, match="no item"):
        read_mask(path, "roi:9", GEOMETRY)
    with pytest.raises(AskedWrongly, match="no item"):
        read_mask(path, "frame:1", GEOMETRY)
    with pytest.raises(AskedWrongly, match="2 structures of that name"):
        read_mask(path, "roi:lung", GEOMETRY)
    assert read_mask(path, "roi:LUNG", GEOMETRY).labels == {2: "LUNG"}
    with pytest.raises(BadInput, match="points or open lines"):
        read_mask(path, "roi:3", GEOMETRY)
    assert not read_mask(path, "roi:4", GEOMETRY).array.any()  # named and not drawn: nothing is there
    away = Geometry.from_spacing((5, 12, 14), (3, 1, 1), (-7, -6, 500))
    with pytest.raises(BadGeometry, match="outside the grid"):
        read_mask(path, "roi:1", away)


def test_pictures_that_are_missing_are_counted(path, ct, tmp_path):
    save_dataset(
        refer(structure_set({1: [line(103, ct[1].SOPInstanceUID), line(106, ct[2].SOPInstanceUID)]}), ct), path
    )
    Path(ct[2].filename).unlink()
    with pytest.raises(BadInput, match="1 of the 2 pictures"):
        read_mask(path)
    shutil.rmtree(tmp_path / "study" / "ct")
    with pytest.raises(BadInput, match="2 of the 2 pictures"):
        read_mask(path)
    save_dataset(structure_set({1: [line(103)]}), path)
    with pytest.raises(BadInput, match="does not say which pictures"):
        read_mask(path)


def test_contours_beyond_the_pictures_are_not_lost_in_silence(path, ct):
    save_dataset(refer(structure_set({1: [line(103), line(130)]}), ct), path)
    with pytest.raises(BadInput, match="1 of 2 contours"):
        read_mask(path)


def test_damaged_sets_are_told(path, ct):
    broken = line(103)
    broken.ContourData = ["1", "2", "3", "4"]
    save_dataset(structure_set({1: [broken]}), path)
    with pytest.raises(Unreadable, match="triples"):
        read_structures(path)
    for far in ("1e300", "nan", "one"):
        broken.ContourData = None
        broken.NumberOfContourPoints = 1
        broken.add_new(0x30060050, "LO", ["1", "2", far])
        save_dataset(structure_set({1: [broken]}), path)
        with pytest.raises(Unreadable, match="triples"):
            read_structures(path)
    short = line(103)
    short.NumberOfContourPoints = 9
    save_dataset(structure_set({1: [short]}), path)
    with pytest.raises(Unreadable, match="says that it has 9"):
        read_structures(path)
    twice = structure_set({1: [line(103)]})
    twice.StructureSetROISequence.append(twice.StructureSetROISequence[0])
    save_dataset(twice, path)
    with pytest.raises(Unreadable, match="two structures"):
        read_structures(path)
    save_dataset(structure_set({}), path)
    with pytest.raises(Unreadable, match="names no structure"):
        read_structures(path)
    with pytest.raises(Unreadable, match="no structure set"):
        read_structures(Path(ct[0].filename))


@pytest.mark.filterwarnings("ignore")  # pydicom tells what it guesses
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mutated_files_end_in_masks_or_in_our_own_errors(path, data):
    if not path.exists():
        save_dataset(structure_set({1: [line(103)], 2: [line(106, shift=5)]}), path)
        path.with_suffix(".whole").write_bytes(path.read_bytes())
    raw = bytearray(path.with_suffix(".whole").read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(132, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.with_suffix(".mutated").write_bytes(raw[: data.draw(st.integers(200, len(raw)))])
    try:
        mask = read_mask(path.with_suffix(".mutated"), grid=GEOMETRY)
    except OslerError as error:
        assert error.remedy and str(path.parent) not in str(error)
    else:
        assert mask.array.shape == GEOMETRY.shape


@pytest.mark.parametrize("patient", ["STS_019", "STS_025", "STS_042"])
@pytest.mark.parametrize("kind", ["CT", "MR_T1", "PET"])
def test_the_sarcoma_patients_agree_with_their_nifti(patient, kind, test_data):
    folder = test_data / "sarcoma" / "dicom" / patient / kind
    volume, mask = read_folder(folder / "image"), read_mask(folder / "mask" / "RS.dcm")
    theirs = read_volume(test_data / "sarcoma" / "nifti" / patient / f"{kind}_image.nii.gz")
    drawn = read_volume(test_data / "sarcoma" / "nifti" / patient / f"{kind}_mask.nii.gz")
    assert mask.geometry.matches(volume.geometry, tolerance_mm=1e-3)
    affine, array = _in_the_order_of(volume.geometry, theirs)
    _, there = _in_the_order_of(volume.geometry, drawn)
    np.testing.assert_allclose(affine, volume.geometry.affine, atol=1e-3)
    np.testing.assert_allclose(array, volume.array, atol=1e-6, rtol=1e-6)
    assert volume.unit == {"CT": "HU", "MR_T1": "", "PET": "SUV"}[kind]
    ours, there = mask.array > 0, there > 0
    assert ours.sum() == pytest.approx(there.sum(), rel=0.01)
    assert 2 * (ours & there).sum() / (ours.sum() + there.sum()) > 0.99


def _in_the_order_of(geometry: Geometry, volume: Volume) -> tuple[np.ndarray, np.ndarray]:
    """(affine, array) of a volume with its axes put in the order and direction of `geometry`."""
    turn = np.linalg.inv(geometry.affine[:3, :3]) @ volume.geometry.affine[:3, :3]
    order = np.abs(turn).argmax(axis=1)
    affine, array = volume.geometry.affine.copy(), volume.array.transpose(order)
    affine[:3, :3] = affine[:3, order]
    for axis in range(3):
        if turn[axis, order[axis]] < 0:
            affine[:3, 3] += affine[:3, axis] * (array.shape[axis] - 1)
            affine[:3, axis] *= -1
            array = np.flip(array, axis)
    return affine, array


def test_a_heart_of_known_size(test_data):
    from osler.io.dicom.dose import read_dose

    folder = test_data / "radiotherapy" / "dicom"
    dose = read_dose(folder / "rtdose.dcm")
    heart = read_mask(folder / "rtss.dcm", "roi:5", dose.geometry).array > 0
    assert heart.sum() * dose.geometry.voxel_ml == pytest.approx(440.231, abs=1e-3)
    assert dose.array[heart].mean() == pytest.approx(0.6475, abs=1e-4)
    assert dose.array[heart].max() == pytest.approx(3.1, abs=0.05)

"""What was outlined comes back from a segmentation voxel by voxel, where it lay in the patient."""

from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osler.core.codes import Code
from osler.core.errors import AskedWrongly, BadGeometry, CannotHold
from osler.core.facts import Facts
from osler.core.finding import Finding
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.report import NOT_A_DEVICE, Drawing, ModelUse, Report
from osler.core.study import Study
from osler.core.volume import Volume
from osler.imaging.resample import resample_to
from osler.io.dicom.encode import save_dataset
from osler.io.dicom.segmentation import read_mask, read_segmentation, read_segments
from osler.io.dicom.write import write_multiframe, write_radiograph, write_series
from osler.io.open import open_study
from osler.results.dicom_object import segmentation_uids, source_header, tracking_uid
from osler.results.dicom_seg import KINDS, Outlined, segmentation_object, write_seg

LABELS = {1: "organ", 2: "lesion"}
REPORT = Report(
    study="made up",
    study_uid="",
    facts=Facts(),
    pathway="abdomen",
    declined=(),
    cautions=(),
    findings=(
        Finding("Liver", "Liver.", Code("10200004", "SCT", "Liver"), label=1),
        Finding("Liver lesion", "A lesion.", label=2),
    ),
    key_pictures=(),
    models=(ModelUse("abdomen", "1.2.0", "sha256:abc", "CT", (), "x"),),
    seconds=(),
    software="osler 0.1.0",
    created="2026-01-02T03:04:05+00:00",
    uid="2.25.4711",
)


def drawn(*masks: Mask) -> Report:
    return replace(REPORT, drawings=tuple(Drawing(0, mask) for mask in masks))


def asymmetric(shape: tuple[int, ...], seed: int = 1) -> np.ndarray:
    """Labels that no turn and no flip brings back onto themselves, with slices in which nothing is."""
    labels = np.random.default_rng(seed).integers(0, 3, shape).astype(np.uint8)
    labels[0] = labels[2] = 0
    return labels


def volume_on(geometry: Geometry, modality: str = "CT") -> Volume:
    array = np.arange(np.prod(geometry.shape), dtype=np.int16).reshape(geometry.shape) % 997
    return Volume(array, geometry, unit="HU" if modality == "CT" else "", facts=Facts(modality=modality))


def round_trip(geometry: Geometry, folder: Path, kind: str) -> None:
    """Made-up patient -> DICOM files -> picture -> segmentation -> mask on the grid that it was made on."""
    labels = asymmetric(geometry.shape)
    write_series(volume_on(geometry), folder / "images")
    study = open_study(folder / "images")
    picture = study.pictures[0]
    assert isinstance(picture, Volume)
    on_picture = resample_to(labels, geometry, picture.geometry, nearest=True)
    report = drawn(Mask(on_picture, LABELS, geometry=picture.geometry))
    (path,) = write_seg(report, study, folder, kind=kind)

    grids = [(geometry, labels), (picture.geometry, on_picture)]
    # The same places counted along other axes, in other directions.
    grids += [turned(geometry, labels, order, flips) for order, flips in (((2, 0, 1), (1,)), ((1, 0, 2), (0, 2)))]
    for grid, wanted in grids:
        back = read_segmentation(path, grid=grid)
        assert back.remarks == ()
        assert back.mask.geometry is grid
        np.testing.assert_array_equal(back.mask.array, wanted)

    # Without a grid: the frames' own, from the first to the last slice in which anything is.
    own = read_mask(path)
    used = np.flatnonzero(on_picture.any(axis=(1, 2)))
    np.testing.assert_array_equal(own.array, on_picture[used[0] : used[-1] + 1])
    assert own.geometry is not None
    corners = np.array(list(product(*[(0, n - 1) for n in own.array.shape])))
    there = picture.geometry.to_world(corners + np.array([used[0], 0, 0]))
    assert np.abs(own.geometry.to_world(corners) - there).max() < 1e-3


def turned(
    geometry: Geometry, labels: np.ndarray, order: tuple[int, ...], flips: tuple[int, ...]
) -> tuple[Geometry, np.ndarray]:
    """The same voxels in the same places, the array's axes in another order and some of them backwards."""
    affine = geometry.affine[:, [*order, 3]]
    shape = tuple(geometry.shape[axis] for axis in order)
    for axis in flips:
        affine[:3, 3] += affine[:3, axis] * (shape[axis] - 1)
        affine[:3, axis] *= -1
    return Geometry(shape, affine), np.flip(labels.transpose(order), flips)


def orientations() -> list[np.ndarray]:
    """The 48 ways in which three axes may run along those of the patient."""
    found = []
    for order, signs in product(permutations(range(3)), product((1, -1), repeat=3)):
        turn = np.zeros((3, 3))
        turn[list(order), range(3)] = signs
        found.append(turn)
    return found


@pytest.mark.parametrize("turn", orientations(), ids=str)
def test_any_orientation_comes_back_voxel_by_voxel(turn, tmp_path):
    affine = np.eye(4)
    affine[:3, :3] = turn * (3.0, 0.7, 1.1)  # anisotropic, pixels not square
    affine[:3, 3] = (-17.3, 42.125, 88.8)
    kind = KINDS[int(turn[0].sum() > 0)]
    round_trip(Geometry((5, 6, 7), affine), tmp_path, kind)


@settings(max_examples=15)
@given(
    angles=st.tuples(*[st.floats(-180, 180)] * 3),
    spacing=st.tuples(st.floats(0.5, 8), st.floats(0.2, 3), st.floats(0.2, 3)),
    tilt=st.floats(-0.5, 0.5),
    origin=st.tuples(*[st.floats(-900, 900)] * 3),
    kind=st.sampled_from(KINDS),
)
def test_oblique_and_tilted_grids_come_back_voxel_by_voxel(tmp_path_factory, angles, spacing, tilt, origin, kind):
    turn = np.eye(3)
    for axis, angle in enumerate(np.radians(angles)):
        one = np.eye(3)
        a, b = (axis + 1) % 3, (axis + 2) % 3
        one[[a, a, b, b], [a, b, a, b]] = np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
        turn = turn @ one
    affine = np.eye(4)
    affine[:3, :3] = turn * spacing
    affine[:3, 0] += tilt * spacing[0] * turn[:, 1]  # the gantry leans: each slice is shifted along the rows
    affine[:3, 3] = origin
    round_trip(Geometry((5, 4, 6), affine), tmp_path_factory.mktemp("seg"), kind)


@pytest.fixture(scope="module")
def ct(tmp_path_factory) -> Study:
    folder = tmp_path_factory.mktemp("ct")
    write_series(volume_on(Geometry.from_spacing((6, 9, 11), (2.5, 0.8, 0.7), (-3, 4, 5))), folder / "images")
    return open_study(folder / "images")


@pytest.fixture
def mask(ct) -> Mask:
    picture = ct.pictures[0]
    return Mask(asymmetric(picture.array.shape), LABELS, geometry=picture.geometry)


def test_the_object_says_what_it_shows_and_who_drew_it(ct, mask, tmp_path):
    (path,) = write_seg(drawn(mask), ct, tmp_path)
    dataset = pydicom.dcmread(path)
    origins = ct.pictures[0].origins
    assert path.name == "seg.dcm" and dataset.StudyInstanceUID == ct.pictures[0].study_uid
    assert (dataset.SegmentationType, dataset.SegmentsOverlap, dataset.Modality) == ("BINARY", "NO", "SEG")
    assert (dataset.SeriesInstanceUID, dataset.SOPInstanceUID) == segmentation_uids(drawn(mask), 0)
    assert dataset.FrameOfReferenceUID == source_header(ct).FrameOfReferenceUID
    liver, lesion = dataset.SegmentSequence
    assert [liver.SegmentNumber, lesion.SegmentNumber] == [1, 2]
    assert liver.SegmentLabel == liver.TrackingID == "Liver"
    assert liver.SegmentedPropertyTypeCodeSequence[0].CodeValue == "10200004"
    assert liver.SegmentedPropertyCategoryCodeSequence[0].CodeValue == "123037004"
    assert lesion.SegmentedPropertyTypeCodeSequence[0].CodeMeaning == "Lesion"
    assert liver.TrackingUID == tracking_uid(drawn(mask), 0, 1) != lesion.TrackingUID
    algorithm = liver.SegmentationAlgorithmIdentificationSequence[0]
    assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("abdomen", "1.2.0")
    assert dataset.ContributingEquipmentSequence[0].SoftwareVersions == "1.2.0"
    assert dataset.ImageComments == NOT_A_DEVICE
    (series,) = dataset.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == ct.pictures[0].series_uid
    named = {item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence}
    assert named == {origin.instance_uid for origin in origins}
    # Every frame names the very slice on whose plane it lies.
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        (source,) = frame.DerivationImageSequence[0].SourceImageSequence
        index = [origin.instance_uid for origin in origins].index(source.ReferencedSOPInstanceUID)
        place = ct.pictures[0].geometry.to_world([[index, 0, 0]])[0]
        np.testing.assert_allclose(frame.PlanePositionSequence[0].ImagePositionPatient, place, atol=1e-6)
        assert source.ReferencedSOPClassUID == origins[index].class_uid
        assert source.PurposeOfReferenceCodeSequence[0].CodeValue == "121322"


def test_segments_are_read_back_with_their_codes_and_colours(ct, mask, tmp_path):
    for kind in KINDS:
        liver, lesion = read_segments(write_seg(drawn(mask), ct, tmp_path, kind=kind)[0])
        assert (liver.number, liver.label, liver.kind) == (1, "Liver", Code("10200004", "SCT", "Liver"))
        assert (lesion.number, lesion.made, lesion.algorithm) == (2, "AUTOMATIC", "abdomen")
        assert lesion.tracking_uid == tracking_uid(REPORT, 0, 2)
        assert (liver.colour, lesion.colour) == ((230, 159, 0), (86, 180, 233))


def test_frames_in_which_nothing_is_are_left_out(ct, mask, tmp_path):
    array = np.zeros_like(mask.array)
    array[3, 2, 4] = 2
    report = drawn(replace(mask, array=array))
    for kind in KINDS:
        (path,) = write_seg(report, ct, tmp_path, kind=kind)
        assert pydicom.dcmread(path).NumberOfFrames == 1
        np.testing.assert_array_equal(read_mask(path, grid=mask.geometry).array, array)
    # A label that was not found is still a segment, so that numbers stay those of the labels.
    assert [segment.number for segment in read_segments(tmp_path / "seg.dcm")] == [1, 2]


def test_label_numbers_become_segment_numbers_in_their_order(ct, mask, tmp_path):
    array = np.where(mask.array == 1, 7, np.where(mask.array == 2, 3, 0)).astype(np.uint8)
    for kind in KINDS:
        back = read_mask(
            write_seg(drawn(Mask(array, {7: "a", 3: "b"}, mask.geometry)), ct, tmp_path, kind=kind)[0]
        )
        assert back.labels == {1: "a", 2: "b"}
        np.testing.assert_array_equal(np.unique(back.array), [0, 1, 2])
        assert np.count_nonzero(back.array == 1) == np.count_nonzero(array == 7)


def test_more_than_255_labels_go_into_a_label_map(ct, mask, tmp_path):
    array = np.arange(mask.array.size).reshape(mask.array.shape).astype(np.uint16) % 401
    many = Mask(array, {n: f"region {n}" for n in range(1, 401)}, mask.geometry)
    (path,) = write_seg(drawn(many), ct, tmp_path, kind="labelmap")
    back = read_mask(path, grid=mask.geometry)
    assert back.array.dtype == np.uint16
    np.testing.assert_array_equal(back.array, array)


def test_each_drawing_is_an_object_and_a_series_of_its_own(ct, mask, tmp_path):
    other = replace(mask, array=mask.array[:, ::-1])
    empty = replace(mask, array=np.zeros_like(mask.array))
    report = drawn(mask, empty, other)
    paths = write_seg(report, ct, tmp_path)
    assert [path.name for path in paths] == ["seg.dcm", "seg-3.dcm"]
    first, third = (pydicom.dcmread(path) for path in paths)
    assert (third.SeriesInstanceUID, third.SOPInstanceUID) == segmentation_uids(report, 2)
    assert first.SeriesInstanceUID != third.SeriesInstanceUID
    assert first.SeriesNumber != third.SeriesNumber
    np.testing.assert_array_equal(read_mask(paths[1], grid=mask.geometry).array, other.array)


def test_writing_again_gives_the_same_object(ct, mask, tmp_path):
    for kind in KINDS:
        first = write_seg(drawn(mask), ct, tmp_path, kind=kind)[0].read_bytes()
        assert write_seg(drawn(mask), ct, tmp_path, kind=kind)[0].read_bytes() == first
    one, other = (pydicom.dcmread(tmp_path / name) for name in ("seg.dcm", "labelmap.dcm"))
    assert one.SOPInstanceUID != other.SOPInstanceUID and one.SeriesInstanceUID != other.SeriesInstanceUID


def test_overlapping_masks_are_told_and_read_one_by_one(ct, mask, tmp_path):
    shape = mask.array.shape
    there = [np.random.default_rng(n).random(shape) < 0.4 for n in range(3)]
    outlined = [Outlined(f"part {n}", one, f"2.25.{n + 1}") for n, one in enumerate(there)]
    made = segmentation_object(REPORT, "made up", ct.pictures[0], outlined, header=source_header(ct))
    assert made.SegmentsOverlap == "YES"
    path = tmp_path / "overlapping.dcm"
    save_dataset(made, path)
    with pytest.raises(AskedWrongly, match=r"overlap.*'segment:1'"):
        read_mask(path)
    for n, one in enumerate(there):
        back = read_mask(path, f"segment:{n + 1}", mask.geometry)
        assert back.labels == {n + 1: f"part {n}"}
        np.testing.assert_array_equal(back.array == n + 1, one)
    with pytest.raises(CannotHold, match="overlap"):
        segmentation_object(REPORT, "made up", ct.pictures[0], outlined, header=source_header(ct), kind="labelmap")
    apart = [replace(outlined[0], there=mask.of(1)), replace(outlined[1], there=mask.of(2))]
    assert segmentation_object(REPORT, "", ct.pictures[0], apart, header=source_header(ct)).SegmentsOverlap == "NO"


@pytest.mark.parametrize("kind", KINDS)
def test_frames_of_an_enhanced_image_are_named_by_their_numbers(kind, tmp_path):
    geometry = Geometry.from_spacing((6, 9, 11), (2.5, 0.8, 0.7))
    write_multiframe(volume_on(geometry, "MR"), tmp_path / "mr.dcm")
    study = open_study(tmp_path / "mr.dcm")
    picture = study.pictures[0]
    mask = Mask(asymmetric(picture.array.shape), LABELS, geometry=picture.geometry)
    (path,) = write_seg(drawn(mask), study, tmp_path, kind=kind)
    dataset = pydicom.dcmread(path)
    assert len(dataset.ReferencedSeriesSequence[0].ReferencedInstanceSequence) == 1
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        number = frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber
        (index,) = [n for n, origin in enumerate(picture.origins) if origin.frame == number]
        place = picture.geometry.to_world([[index, 0, 0]])[0]
        np.testing.assert_allclose(frame.PlanePositionSequence[0].ImagePositionPatient, place, atol=1e-6)
    np.testing.assert_array_equal(read_mask(path, grid=picture.geometry).array, mask.array)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("modality", ["CR", "DX"])
def test_a_radiograph_gives_a_flat_segmentation(kind, modality, tmp_path):
    pixels = np.random.default_rng(2).integers(0, 4000, (13, 17)).astype(np.uint16)
    write_radiograph(Image(pixels, (0.2, 0.2), Facts(modality=modality)), tmp_path / "film.dcm")
    study = open_study(tmp_path / "film.dcm")
    array = np.random.default_rng(3).integers(0, 3, (13, 17)).astype(np.uint8)
    (path,) = write_seg(drawn(Mask(array, LABELS, spacing_mm=(0.2, 0.2))), study, tmp_path, kind=kind)
    back = read_mask(path)
    assert back.geometry is None
    np.testing.assert_array_equal(back.array, array)
    dataset = pydicom.dcmread(path)
    assert "FrameOfReferenceUID" not in dataset  # a film has no place in the patient
    source = dataset.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence[0]
    assert source.ReferencedSOPInstanceUID == study.pictures[0].origin.instance_uid
    assert source.SpatialLocationsPreserved == "YES"


@pytest.mark.parametrize("modality", ["MR", "PT"])
def test_other_modalities(modality, tmp_path):
    volume = volume_on(Geometry.from_spacing((5, 6, 7), (3, 2, 2)), modality)
    unit = "SUV" if modality == "PT" else ""
    write_series(replace(volume, array=volume.array.astype(np.float32), unit=unit), tmp_path / "in")
    study = open_study(tmp_path / "in")
    mask = Mask(asymmetric((5, 6, 7)), LABELS, geometry=study.pictures[0].geometry)
    (path,) = write_seg(drawn(mask), study, tmp_path)
    np.testing.assert_array_equal(read_mask(path, grid=mask.geometry).array, mask.array)


def test_an_independent_reader_sees_the_same(ct, mask, tmp_path):
    highdicom = pytest.importorskip("highdicom")
    for kind in KINDS:
        seg = highdicom.seg.segread(write_seg(drawn(mask), ct, tmp_path, kind=kind)[0])
        used = np.flatnonzero(mask.array.any(axis=(1, 2)))
        volume = seg.get_volume(combine_segments=True)
        # It may stack the slices the other way round: compare where voxels lie.
        mine = Geometry(volume.array.shape, volume.affine)
        back = resample_to(volume.array.astype(np.uint8), mine, mask.geometry, nearest=True)
        np.testing.assert_array_equal(back, mask.array)
        assert volume.array.shape[0] == used[-1] - used[0] + 1
        assert seg.get_segment_description(1).segment_label == "Liver"
        uids = seg.get_source_image_uids()
        assert {uid[2] for uid in uids} <= {origin.instance_uid for origin in ct.pictures[0].origins}


def test_what_a_segmentation_cannot_hold_is_said(ct, mask, tmp_path):
    with pytest.raises(CannotHold, match="Nothing was outlined"):
        write_seg(REPORT, ct, tmp_path)
    with pytest.raises(CannotHold, match="Nothing was outlined"):
        write_seg(drawn(replace(mask, array=np.zeros_like(mask.array))), ct, tmp_path)
    with pytest.raises(AskedWrongly, match="'fractional'"):
        write_seg(drawn(mask), ct, tmp_path, kind="fractional")
    with pytest.raises(CannotHold, match="not DICOM"):
        write_seg(drawn(mask), replace(ct, pictures=(replace(ct.pictures[0], origins=()),)), tmp_path)
    with pytest.raises(CannotHold, match="label 2, which has no name"):
        write_seg(drawn(replace(mask, labels={1: "organ"})), ct, tmp_path)
    moved = mask.geometry.affine.copy()
    moved[0, 3] += 5
    with pytest.raises(BadGeometry, match="grid of"):
        write_seg(drawn(replace(mask, geometry=Geometry(mask.array.shape, moved))), ct, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_images_without_a_frame_of_reference(tmp_path):
    write_series(volume_on(Geometry.from_spacing((3, 4, 5), (2, 1, 1))), tmp_path / "in")
    for path in (tmp_path / "in").iterdir():
        dataset = pydicom.dcmread(path)
        del dataset.FrameOfReferenceUID
        dataset.save_as(path)
    study = open_study(tmp_path / "in")
    mask = Mask(np.ones((3, 4, 5), np.uint8), {1: "all"}, geometry=study.pictures[0].geometry)
    with pytest.raises(CannotHold, match="no frame of reference"):
        write_seg(drawn(mask), study, tmp_path)


def test_outlines_that_were_given_are_not_called_automatic(ct, mask, tmp_path):
    report = drawn(mask)
    (path,) = write_seg(replace(report, models=(replace(report.models[0], version=""),)), ct, tmp_path)
    for segment in pydicom.dcmread(path).SegmentSequence:
        assert segment.SegmentAlgorithmType == "SEMIAUTOMATIC"
        assert "SegmentationAlgorithmIdentificationSequence" not in segment

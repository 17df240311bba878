"""Segmentations of others: read as they were meant, or refused with the reason."""

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, RLELossless

from osler.core.codes import Code
from osler.core.errors import AskedWrongly, BadDataset, BadGeometry, OslerError, Unreadable
from osler.core.geometry import Geometry
from osler.io.dicom.segmentation import (
    LABEL_MAP,
    SEGMENTATION,
    read_fractions,
    read_mask,
    read_segmentation,
    read_segments,
)
from osler.io.open import open_picture

ROWS, COLUMNS = 5, 7  # 35 pixels: frames of single bits do not begin at a byte
POSITIONS = [10.0, 12.5, 15.0, 17.5]


def item(**values: object) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def frames_at(positions, segments, *, step="2.5") -> tuple[list[Dataset], list[Dataset]]:
    """(shared, per frame) functional groups of frames at (20, 30, z), one segment each."""
    shared = item(
        PixelMeasuresSequence=[item(PixelSpacing=["0.5", "0.8"], SpacingBetweenSlices=step, SliceThickness="2")],
        PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
    )
    frames = [
        item(
            PlanePositionSequence=[item(ImagePositionPatient=["20", "30", str(z)])],
            SegmentIdentificationSequence=[item(ReferencedSegmentNumber=segment)],
        )
        for z, segment in zip(positions, segments, strict=True)
    ]
    return [shared], frames


def segment(number: int, label: str, code: tuple[str, str, str] = ("85756007", "SCT", "Tissue")) -> Dataset:
    coded = item(CodeValue=code[0], CodingSchemeDesignator=code[1], CodeMeaning=code[2])
    return item(SegmentNumber=number, SegmentLabel=label, SegmentedPropertyTypeCodeSequence=[coded])


def somebodys(
    positions=POSITIONS, segments=(1, 1, 1, 1), *, kind="BINARY", names=("liver",), step="2.5"
) -> Dataset:
    """A segmentation as some other program writes it: no pixels yet."""
    dataset = item(
        SOPClassUID=LABEL_MAP if kind == "LABELMAP" else SEGMENTATION,
        SOPInstanceUID="1.2.3",
        Modality="SEG",
        SegmentationType=kind,
        SegmentSequence=[segment(n + 1, name) for n, name in enumerate(names)],
        NumberOfFrames=len(positions),
        Rows=ROWS,
        Columns=COLUMNS,
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        PixelRepresentation=0,
    )
    dataset.SharedFunctionalGroupsSequence, dataset.PerFrameFunctionalGroupsSequence = frames_at(
        positions, segments, step=step
    )
    return dataset


def put(dataset: Dataset, pixels: np.ndarray, path: Path, *, syntax: str = ExplicitVRLittleEndian) -> Path:
    """Pixels (frames, rows, columns): booleans become single bits."""
    bits = 1 if pixels.dtype == bool else 8 * pixels.dtype.itemsize
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    raw = np.packbits(pixels.ravel(), bitorder="little").tobytes() if bits == 1 else pixels.tobytes()
    dataset.PixelData = raw + b"\0" * (len(raw) % 2)
    dataset["PixelData"].VR = "OW" if bits == 16 else "OB"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if syntax == RLELossless:
        dataset.compress(RLELossless, encoding_plugin="pydicom")  # GDCM ends the program on odd widths
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path, enforce_file_format=True)
    return path


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(1).random((4, ROWS, COLUMNS)) < 0.5


def grid_at(first: float, count: int, step: float = 2.5) -> Geometry:
    affine = np.array([[0, 0, 0.8, 20], [0, 0.5, 0, 30], [step, 0, 0, first], [0, 0, 0, 1]])
    return Geometry((count, ROWS, COLUMNS), affine)


def test_frames_in_any_order_lie_where_they_say(noise, tmp_path):
    order = [2, 0, 3, 1]
    path = put(somebodys([POSITIONS[n] for n in order]), noise[order], tmp_path / "seg.dcm")
    mask = read_mask(path)
    assert mask.geometry.matches(grid_at(10, 4), tolerance_mm=1e-6)
    np.testing.assert_array_equal(mask.array, noise)
    assert mask.labels == {1: "liver"}


def test_frames_left_out_are_background(noise, tmp_path):
    # Frames 2, 3 and 5 of the step that the header gives; no two are neighbours but it is known.
    path = put(somebodys([10, 15, 25], (1, 1, 1)), noise[:3], tmp_path / "seg.dcm")
    mask = read_mask(path)
    assert mask.array.shape == (7, ROWS, COLUMNS)
    np.testing.assert_array_equal(mask.array[[0, 2, 6]], noise[:3])
    assert not mask.array[[1, 3, 4, 5]].any()
    # Without the step in the header the largest that fits all is taken: 5 mm, and 2.5 mm for 10, 15 and 22.5.
    for positions, count in (([10, 15, 25], 4), ([10, 15, 22.5], 6)):
        read = read_mask(put(somebodys(positions, (1, 1, 1), step="0"), noise[:3], path))
        assert read.array.shape[0] == count
        assert np.count_nonzero(read.array) == np.count_nonzero(noise[:3])


def test_a_grid_is_met_voxel_by_voxel_whichever_way_it_runs(noise, tmp_path):
    path = put(somebodys(), noise, tmp_path / "seg.dcm")
    long = grid_at(5, 9)  # two slices below, three above
    for flip in ((0,), (1,), (2,), (0, 2), (0, 1, 2)):
        affine = long.affine.copy()
        for axis in flip:
            affine[:3, 3] += affine[:3, axis] * (long.shape[axis] - 1)
            affine[:3, axis] *= -1
        read = read_segmentation(path, grid=Geometry(long.shape, affine))
        assert read.remarks == ()
        np.testing.assert_array_equal(np.flip(read.mask.array, flip)[2:6], noise)
    turned = Geometry((ROWS, COLUMNS, 9), long.affine[:, [1, 2, 0, 3]])
    np.testing.assert_array_equal(read_mask(path, grid=turned).array[..., 2:6], noise.transpose(1, 2, 0))


def test_a_smaller_grid_cuts_and_says_so(noise, tmp_path):
    path = put(somebodys(), noise, tmp_path / "seg.dcm")
    affine = grid_at(12.5, 2).affine.copy()
    affine[:3, 3] += affine[:3, :3] @ (0, 1, 2)
    read = read_segmentation(path, grid=Geometry((2, 3, 4), affine))
    inside = noise[1:3, 1:4, 2:6]
    np.testing.assert_array_equal(read.mask.array, inside)
    lost = np.count_nonzero(noise) - np.count_nonzero(inside)
    assert read.remarks == (f"{lost} voxels of seg.dcm lie outside the picture and were left out.",)


def test_another_grid_is_met_by_the_nearest_voxel_and_said(noise, tmp_path):
    path = put(somebodys(), noise, tmp_path / "seg.dcm")
    read = read_segmentation(path, grid=grid_at(10.2, 7, step=1.25))  # each slice twice
    assert len(read.remarks) == 1 and "resampled" in read.remarks[0]
    np.testing.assert_array_equal(read.mask.array, noise[[0, 1, 1, 2, 2, 3, 3]])
    with pytest.raises(BadGeometry, match="nothing on this picture"):
        read_mask(path, grid=grid_at(500, 4))
    with pytest.raises(BadGeometry, match="nothing on this picture"):
        read_mask(path, grid=grid_at(501.1, 4))


def test_overlapping_segments_are_asked_for_one_by_one(noise, tmp_path):
    dataset = somebodys(POSITIONS[:2] * 2, (1, 1, 2, 2), names=("liver", "vessel"))
    path = put(dataset, noise, tmp_path / "seg.dcm")
    with pytest.raises(AskedWrongly, match=r"'liver' .1. and 'vessel' .2.*Ask.*'segment:2'"):
        read_mask(path)
    np.testing.assert_array_equal(read_mask(path, "segment:1").array == 1, noise[:2])
    np.testing.assert_array_equal(read_mask(path, "segment:2").array == 2, noise[2:])
    with pytest.raises(AskedWrongly, match=r"no item 'segment:3'.*'segment:1', 'segment:2'"):
        read_mask(path, "segment:3")


@pytest.mark.parametrize("kind", ["PROBABILITY", "OCCUPANCY"])
def test_fractions_come_as_fractions_and_as_a_mask(kind, tmp_path):
    stored = np.random.default_rng(4).integers(0, 201, (4, ROWS, COLUMNS)).astype(np.uint8)
    dataset = somebodys(kind="FRACTIONAL")
    dataset.SegmentationFractionalType, dataset.MaximumFractionalValue = kind, 200
    path = put(dataset, stored, tmp_path / "seg.dcm")
    fractions = read_fractions(path)
    np.testing.assert_allclose(fractions.array, stored / 200, atol=1e-6)
    read = read_segmentation(path)
    np.testing.assert_array_equal(read.mask.array == 1, stored >= 100)
    assert kind.lower() in read.remarks[0] and "one half" in read.remarks[0]
    smooth = read_fractions(path, grid=grid_at(11.25, 1)).array[0]  # between two slices
    np.testing.assert_allclose(smooth, (stored[0] / 400 + stored[1] / 400), atol=1e-5)


def test_label_maps_of_every_numbering(tmp_path):
    stored = np.random.default_rng(5).choice([0, 3, 300, 9], (4, ROWS, COLUMNS)).astype(np.uint16)
    dataset = somebodys(kind="LABELMAP")
    dataset.SegmentSequence = [
        segment(0, "around", ("125040", "DCM", "Background")),
        segment(3, "liver"),
        segment(300, "spleen"),
    ]
    dataset.PixelPaddingValue = 9
    path = put(dataset, stored, tmp_path / "map.dcm")
    read = read_segmentation(path)
    assert read.mask.labels == {3: "liver", 300: "spleen"} and read.remarks == ()
    np.testing.assert_array_equal(read.mask.array, np.where(stored == 9, 0, stored))
    np.testing.assert_array_equal(read_mask(path, "segment:300").array == 300, stored == 300)
    np.testing.assert_array_equal(read_fractions(path, "segment:3").array, stored == 3)
    # A real structure that is numbered 0 must not vanish.
    dataset.SegmentSequence[0] = segment(0, "kidney")
    read = read_segmentation(put(dataset, stored, path))
    assert read.mask.labels == {301: "kidney", 3: "liver", 300: "spleen"} and "numbers 0" in read.remarks[0]
    np.testing.assert_array_equal(read.mask.array == 301, stored == 0)
    del dataset.SegmentSequence[1]
    with pytest.raises(BadDataset, match="label 3, which none"):
        read_mask(put(dataset, stored, path))


@pytest.mark.parametrize("syntax", [RLELossless, DeflatedExplicitVRLittleEndian])
def test_compressed_label_maps(syntax, tmp_path):
    stored = np.random.default_rng(6).integers(0, 2, (4, ROWS, COLUMNS)).astype(np.uint8)
    path = put(somebodys(kind="LABELMAP"), stored, tmp_path / "map.dcm", syntax=syntax)
    np.testing.assert_array_equal(read_mask(path).array, stored)


def test_what_segments_are(tmp_path):
    dataset = somebodys(kind="LABELMAP")
    dataset.SegmentSequence = [
        segment(0, "around", ("125040", "DCM", "Background")),
        segment(1, "liver", ("10200004", "SCT", "Liver")),
    ]
    dataset.SegmentSequence[1].RecommendedDisplayCIELabValue = [65535, 32896, 32896]
    (liver,) = read_segments(put(dataset, np.zeros((4, ROWS, COLUMNS), np.uint8), tmp_path / "map.dcm"))
    assert liver.kind == Code("10200004", "SCT", "Liver") and liver.colour == (255, 255, 255)


def test_what_cannot_be_is_told(noise, tmp_path):
    path = tmp_path / "seg.dcm"

    def refused(kind: type[OslerError], what: str, dataset: Dataset, pixels: np.ndarray = noise) -> None:
        with pytest.raises(kind, match=what) as caught:
            read_mask(put(dataset, pixels, path))
        assert "seg.dcm" in caught.value.problem

    refused(BadGeometry, "even steps", somebodys([10, 11, 12.37, 17.5], step="0"))
    refused(BadGeometry, "more than once", somebodys([10, 10, 12.5, 15]))
    refused(BadGeometry, "so far apart", somebodys([10, 12.5, 15, 4e9], step="0"))
    refused(Unreadable, "cut short", somebodys(), noise[:1])
    refused(Unreadable, "kind that is not known", _with(somebodys(), SegmentationType="SURFACE"))
    refused(Unreadable, "without segments", _with(somebodys(), SegmentSequence=[]))
    refused(Unreadable, "not a segmentation", _with(somebodys(), SOPClassUID="1.2.840.10008.5.1.4.1.1.2"))
    refused(Unreadable, "one thing of its frames", _with(somebodys(), NumberOfFrames=3))
    refused(
        Unreadable, "cannot be", _with(somebodys(kind="LABELMAP"), Rows=65535, Columns=65535), noise.astype("u1")
    )
    lost = somebodys()
    del lost.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence
    refused(BadGeometry, "do not say where", lost)
    unknown = somebodys()
    del unknown.PerFrameFunctionalGroupsSequence[1].SegmentIdentificationSequence
    refused(Unreadable, "one thing of its frames", unknown)
    turned = somebodys()
    turned.PerFrameFunctionalGroupsSequence[1].PlaneOrientationSequence = [
        item(ImageOrientationPatient=[0, 1, 0, 0, 0, 1])
    ]
    refused(BadGeometry, "mixes orientations", turned)
    crooked = somebodys()
    crooked.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0].ImageOrientationPatient = [
        1,
        0,
        0,
        1,
        1,
        0,
    ]
    refused(BadGeometry, "right angle", crooked)
    with pytest.raises(Unreadable, match="missing"):
        read_mask(tmp_path / "none.dcm")


def _with(dataset: Dataset, **values: object) -> Dataset:
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def test_segments_at_several_places_share_a_frame_of_positions(noise, tmp_path):
    apart = np.zeros((4, ROWS, COLUMNS), bool)
    apart[0, 0], apart[1, 1], apart[2, 2], apart[3, 3] = True, True, True, True
    path = put(somebodys([10, 12.5, 12.5, 15], (1, 1, 2, 2), names=("a", "b")), apart, tmp_path / "seg.dcm")
    array = read_mask(path).array
    assert array.shape[0] == 3
    assert [array[0, 0, 0], array[1, 1, 0], array[1, 2, 0], array[2, 3, 0]] == [1, 1, 2, 2]
    # Asked for alone, a segment lies on the same grid as all of them.
    assert read_mask(path, "segment:2").geometry.matches(read_mask(path).geometry)


# Real objects of other programs


@pytest.mark.parametrize(
    ("seg", "reference", "item", "label"),
    [
        ("liver.dcm", "liver_seg.nrrd", "", 1),
        ("24x38x3/seg/label.seg", "24x38x3/nrrd/label.nrrd", "", 1),
        ("23x38x3/seg/label.seg", "23x38x3/nrrd/label.nrrd", "", 1),
        ("sparse-labelmap-ppv5.dcm", "sparse_labelmap_ppv5_seg.nrrd", "", 1),
        ("sparse-labelmap-noppv.dcm", "sparse_labelmap_noppv_seg.nrrd", "", 1),
        ("partial_overlaps.dcm", "partial_overlaps-1.nrrd", "segment:1", 1),
        ("partial_overlaps.dcm", "partial_overlaps-2.nrrd", "segment:2", 2),
        ("partial_overlaps.dcm", "partial_overlaps-3.nrrd", "segment:3", 3),
        ("partial_overlaps.dcm", "partial_overlaps-1.nrrd", "segment:4", 4),
        ("partial_overlaps.dcm", "partial_overlaps-1.nrrd", "segment:5", 5),
    ],
)
def test_dcmqi_s_objects_agree_with_their_reference(seg, reference, item, label, test_data):
    folder = test_data / "dicom-conformance" / "dcmqi-objects" / "data" / "segmentations"
    picture = open_picture(folder / reference)
    read = read_segmentation(folder / seg, item, picture.geometry)
    assert read.remarks == ()
    np.testing.assert_array_equal(read.mask.array > 0, picture.array == label)
    own = read_mask(folder / seg, item).geometry
    corners = np.array([[0, 0, 0], np.array(own.shape) - 1])
    index = picture.geometry.to_index(own.to_world(corners))
    assert np.abs(picture.geometry.to_world(np.rint(index)) - own.to_world(corners)).max() < 1e-3


def test_highdicom_s_objects_agree_with_highdicom(test_data):
    highdicom = pytest.importorskip("highdicom")
    folder = test_data / "dicom-conformance" / "highdicom-objects" / "data" / "test_files"
    checked = 0
    for path in sorted(folder.glob("seg_image_ct*.dcm")):
        theirs = highdicom.seg.segread(path)
        for number in theirs.segment_numbers:
            rescale = "fractional" in path.name
            volume = theirs.get_volume(segment_numbers=[number], rescale_fractional=rescale)
            grid = Geometry(volume.array.shape[:3], volume.affine)
            mine = read_fractions(path, f"segment:{number}", grid).array
            np.testing.assert_allclose(mine, volume.array[..., 0], atol=1e-6)
            checked += 1
    assert checked >= 5


def test_segmentations_of_whole_slides_and_films(test_data):
    folder = test_data / "dicom-conformance" / "highdicom-objects" / "data" / "test_files"
    film = read_mask(folder / "seg_image_cr_binary.dcm")
    assert film.geometry is None and film.array.shape == (16, 16) and film.array.any()
    sparse, full = (read_mask(folder / f"seg_image_sm_dots{end}.dcm") for end in ("", "_tiled_full"))
    np.testing.assert_array_equal(sparse.array, full.array)
    binary, labels, coloured = (
        read_mask(folder / f"seg_image_sm_control{end}.dcm")
        for end in ("", "_labelmap", "_labelmap_palette_color")
    )
    assert binary.array.shape == (50, 50)
    np.testing.assert_array_equal(binary.array, labels.array)
    np.testing.assert_array_equal(binary.array, coloured.array)


def test_every_object_of_others_is_read_or_refused(test_data):
    read = refused = 0
    for path in sorted((test_data / "dicom-conformance").rglob("*")):
        if not path.is_file() or path.suffix not in (".dcm", ".seg") or path.stat().st_size > 5e6:
            continue
        if not ("highdicom-objects" in path.parts or "dcmqi-objects" in path.parts):
            continue
        try:
            read_mask(path)
            read += 1
        except OslerError:
            refused += 1
    assert read >= 15 and refused >= 10


def test_damaged_files_only_raise_our_errors(noise, tmp_path):
    path = put(somebodys(), noise, tmp_path / "seg.dcm")
    whole = path.read_bytes()
    draw = np.random.default_rng(7)
    for _ in range(150):
        broken = bytearray(whole)
        for place in draw.integers(132, len(broken), 4):
            broken[place] = draw.integers(256)
        path.write_bytes(bytes(broken[: draw.integers(132, len(broken))] if draw.random() < 0.3 else broken))
        try:
            read_mask(path)
            read_segments(path)
        except OslerError as error:
            assert "seg.dcm" in error.problem


@pytest.mark.parametrize("name", ["24x38x3", "23x38x3", "ct-3slice"])
def test_dcmqi_s_objects_lie_on_the_images_they_were_drawn_on(name, test_data):
    folder = test_data / "dicom-conformance" / "dcmqi-objects" / "data" / "segmentations"
    images = [folder / name] if name == "ct-3slice" else [folder / name / "image", folder / name / "multiframe"]
    seg = folder / "liver.dcm" if name == "ct-3slice" else folder / name / "seg" / "label.seg"
    own = read_mask(seg).array
    for place in images:
        picture = open_picture(place)
        read = read_segmentation(seg, grid=picture.geometry)
        assert read.remarks == () and read.mask.array.shape == picture.array.shape
        assert np.count_nonzero(read.mask.array) == np.count_nonzero(own) > 0

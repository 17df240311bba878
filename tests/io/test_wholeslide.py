"""Whole slides: made-up ones in DICOM and TIFF, real ones against other programs."""

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pydicom
import pytest
import tifffile
from PIL import Image as Pillow
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

from osler.core.errors import AskedWrongly, UnknownChoice, Unreadable
from osler.core.slide import Region
from osler.io import wholeslide
from osler.io.slides.microscopy import SLIDE_CLASS
from osler.io.slides.places import quick_places, slow_places
from osler.io.slides.scale import scale
from osler.io.wholeslide import associated, is_slide, open_slide, read_at, read_region, thumbnail, tiles


def made_up(rows: int, columns: int) -> np.ndarray:
    """Smooth colours that differ everywhere, so that a tile in the wrong place is seen; (rows, columns, 3)."""
    y, x = np.mgrid[:rows, :columns]
    colour = np.stack([y * 251 // rows, x * 251 // columns, (y + x) * 251 // (rows + columns)], axis=-1)
    return colour.astype(np.uint8)


def cut(picture: np.ndarray, size: int, fill: int = 255) -> list[np.ndarray]:
    """Tiles row by row, the ones at the edges padded."""
    rows, columns = picture.shape[:2]
    high, wide = -(-rows // size) * size, -(-columns // size) * size
    padded = np.full((high, wide, *picture.shape[2:]), fill, picture.dtype)
    padded[:rows, :columns] = picture
    return [padded[r : r + size, c : c + size] for r in range(0, high, size) for c in range(0, wide, size)]


def write(
    path: Path,
    picture: np.ndarray,
    *,
    size: int = 16,
    series: str = "1.2.3.4",
    kind: str = "VOLUME",
    microns: float = 0.5,
    frames: list[np.ndarray] | None = None,
    **more: object,
) -> Dataset:
    """A DICOM slide, uncompressed, TILED_FULL unless `more` says otherwise."""
    frames = cut(picture, size) if frames is None else frames
    grey = picture.ndim == 2
    d = Dataset()
    d.file_meta = FileMetaDataset()
    d.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    d.SOPClassUID, d.SOPInstanceUID = SLIDE_CLASS, generate_uid(entropy_srcs=[str(path)])
    d.file_meta.MediaStorageSOPClassUID, d.file_meta.MediaStorageSOPInstanceUID = d.SOPClassUID, d.SOPInstanceUID
    d.SeriesInstanceUID, d.StudyInstanceUID = series, "1.2.3"
    d.PatientName, d.PatientID, d.Modality = "Secret^Somebody", "S-007", "SM"
    d.Manufacturer = "Made-up scanner"
    d.ImageType = ["ORIGINAL", "PRIMARY", kind, "NONE"]
    d.DimensionOrganizationType = "TILED_FULL"
    d.Rows = d.Columns = size
    d.TotalPixelMatrixRows, d.TotalPixelMatrixColumns = picture.shape[:2]
    d.NumberOfFrames = len(frames)
    d.SamplesPerPixel, d.PhotometricInterpretation = (1, "MONOCHROME2") if grey else (3, "RGB")
    if not grey:
        d.PlanarConfiguration = 0
    d.BitsAllocated = d.BitsStored = picture.dtype.itemsize * 8
    d.HighBit, d.PixelRepresentation = d.BitsStored - 1, 0
    lens, measures, shared = Dataset(), Dataset(), Dataset()
    lens.ObjectiveLensPower = 20
    d.OpticalPathSequence = [lens]
    measures.PixelSpacing = [microns / 1000, microns / 1000]
    shared.PixelMeasuresSequence = [measures]
    d.SharedFunctionalGroupsSequence = [shared]
    d.PixelData = b"".join(one.tobytes() for one in frames)
    for keyword, value in more.items():
        if value is None:
            delattr(d, keyword)
        else:
            setattr(d, keyword, value)
    d.save_as(path, enforce_file_format=True)
    return d


def whole(path: Path, level: int = 0) -> np.ndarray:
    slide = open_slide(path)
    here = slide.levels[level]
    return read_region(slide, level, 0, 0, here.rows, here.columns).array


@pytest.fixture
def picture() -> np.ndarray:
    return made_up(70, 100)


@pytest.fixture
def pyramid(tmp_path: Path, picture: np.ndarray) -> Path:
    """Three levels and a label, a file each."""
    write(tmp_path / "c.dcm", picture)
    write(tmp_path / "a.dcm", picture[::2, ::2], microns=1)
    write(tmp_path / "b.dcm", picture[::4, ::4], microns=2)
    write(tmp_path / "l.dcm", made_up(20, 30), kind="LABEL")
    return tmp_path


def test_a_pyramid_in_several_files_is_one_slide(pyramid: Path, picture: np.ndarray) -> None:
    for path in (pyramid, pyramid / "a.dcm"):
        slide = open_slide(path)
        assert is_slide(path)
        assert [(one.rows, one.columns) for one in slide.levels] == [(70, 100), (35, 50), (18, 25)]
        assert [one.downsample for one in slide.levels] == pytest.approx([1, 2, 4], rel=0.02)
        assert slide.microns_per_pixel == (0.5, 0.5) and slide.magnification == 20
        assert slide.vendor == "Made-up scanner" and slide.tile == (16, 16)
        assert slide.associated == slide.may_name_somebody == ("label",)
        assert slide.facts.modality == "SM" and slide.series_uid == "1.2.3.4"
        assert "Secret" not in repr(slide) and "007" not in repr(slide)
    for level in range(3):
        np.testing.assert_array_equal(whole(pyramid, level), picture[:: 2**level, :: 2**level])
    np.testing.assert_array_equal(associated(slide, "label").array, made_up(20, 30))
    with pytest.raises(UnknownChoice, match="label"):
        associated(slide, "macro")


def test_all_numbers_of_a_region_are_those_of_its_level(pyramid: Path, picture: np.ndarray) -> None:
    slide = open_slide(pyramid)
    image = read_region(slide, 1, 10, 20, 12, 9)
    np.testing.assert_array_equal(image.array, picture[::2, ::2][10:22, 20:29])
    assert image.spacing_mm == pytest.approx((0.001, 0.001))
    assert image.origin is not None and image.origin.path.name == "a.dcm"


def test_beside_the_slide_it_is_white(pyramid: Path, picture: np.ndarray) -> None:
    slide = open_slide(pyramid)
    array = read_region(slide, 0, -5, 90, 20, 30).array
    np.testing.assert_array_equal(array[5:, :10], picture[:15, 90:])
    assert (array[:5] == 255).all() and (array[:, 10:] == 255).all()
    with pytest.raises(AskedWrongly, match="beside"):
        read_region(slide, 2, 40, 40, 8, 8)  # it would be there in pixels of level 0


def test_what_cannot_be_asked(pyramid: Path) -> None:
    slide = open_slide(pyramid)
    for level in (-1, 3):
        with pytest.raises(AskedWrongly, match="no level"):
            read_region(slide, level, 0, 0, 1, 1)
        with pytest.raises(AskedWrongly, match="no level"):
            tiles(slide, level)
    for height, width in ((0, 5), (5, -1), (10_000, 10_000)):
        with pytest.raises(AskedWrongly, match="at once"):
            read_region(slide, 0, 0, 0, height, width)
    with pytest.raises(AskedWrongly):
        thumbnail(slide, 0)


def test_tiles_read_one_by_one_are_the_slide(pyramid: Path, picture: np.ndarray) -> None:
    slide = open_slide(pyramid)
    canvas = np.zeros((96, 128, 3), np.uint8)
    for tile in tiles(slide, 0, 32):
        canvas[tile.row : tile.row + 32, tile.column : tile.column + 32] = read_region(slide, 0, *tile).array
    np.testing.assert_array_equal(canvas[:70, :100], picture)
    assert (canvas[70:] == 255).all()


def test_a_resolution_is_made_from_the_next_finer_level(pyramid: Path) -> None:
    slide = open_slide(pyramid)
    whole_picture = read_at(slide, 1.5, Region(0, 0, 23, 33))
    assert whole_picture.array.shape == (23, 33, 3) and whole_picture.spacing_mm == (0.0015, 0.0015)
    y, x = (np.arange(n) * 3 + 1 for n in (23, 33))  # centres in pixels of level 0
    wanted = np.stack(np.broadcast_arrays(y[:, None] * 251 / 70, x * 251 / 100), axis=-1)
    assert np.abs(whole_picture.array[1:-1, 1:-1, :2] - wanted[1:-1, 1:-1]).max() < 4
    part = read_at(slide, 1.5, Region(7, 11, 9, 8)).array
    np.testing.assert_array_equal(part, whole_picture.array[7:16, 11:19])
    beyond = read_at(slide, 1.5, Region(20, 30, 8, 8)).array
    np.testing.assert_array_equal(beyond[:3, :3], whole_picture.array[20:, 30:])
    assert (beyond[3:] == 255).all()
    np.testing.assert_array_equal(read_at(slide, 0.5, Region(3, 4, 20, 20)).array, whole(pyramid)[3:23, 4:24])
    for microns in (0.25, 0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(AskedWrongly):
            read_at(slide, microns, Region(0, 0, 4, 4))


def test_large_shrinking_goes_piece_by_piece(pyramid: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slide = open_slide(pyramid)
    at_once = read_at(slide, 0.85, Region(0, 0, 41, 58)).array
    monkeypatch.setattr(wholeslide, "REGION_LIMIT", 4 * 58 * 41)
    largest = []
    read = wholeslide._read
    monkeypatch.setattr(wholeslide, "_read", lambda s, n, r: largest.append(r.height * r.width) or read(s, n, r))
    in_pieces = read_at(slide, 0.85, Region(0, 0, 41, 58)).array
    assert len(largest) > 2 and max(largest) < 70 * 100
    assert np.abs(at_once.astype(int) - in_pieces).max() <= 1


def test_a_thumbnail_shows_the_whole_slide(pyramid: Path) -> None:
    small = thumbnail(open_slide(pyramid), 20)
    assert small.array.shape == (14, 20, 3)
    assert np.abs(small.array[7, :, 1] - (np.arange(20) + 0.5) * 12.5).max() < 6
    assert thumbnail(open_slide(pyramid), 5000).array.shape == (70, 100, 3)


def sparse(tile_at: list[tuple[int, int]], *, planes: list[float] | None = None) -> dict[str, object]:
    """Attributes of TILED_SPARSE for tiles whose corners lie at (row, column), counted from 0."""
    groups = []
    for n, (row, column) in enumerate(tile_at):
        position, group, path, optical = Dataset(), Dataset(), Dataset(), Dataset()
        position.RowPositionInTotalImagePixelMatrix = row + 1
        position.ColumnPositionInTotalImagePixelMatrix = column + 1
        position.ZOffsetInSlideCoordinateSystem = planes[n] if planes else 0.0
        optical.OpticalPathIdentifier = "1"
        group.PlanePositionSlideSequence = [position]
        group.OpticalPathIdentificationSequence = [optical]
        del path
        groups.append(group)
    return {"DimensionOrganizationType": "TILED_SPARSE", "PerFrameFunctionalGroupsSequence": groups}


def test_sparse_tiles_lie_where_they_say(tmp_path: Path, picture: np.ndarray) -> None:
    places = [(16, 32), (0, 0), (54, 84)]
    frames = [picture[r : r + 16, c : c + 16] for r, c in places]
    write(tmp_path / "a.dcm", picture, frames=frames, **sparse(places))
    array = whole(tmp_path / "a.dcm")
    wanted = np.full_like(picture, 255)
    for r, c in places:
        wanted[r : r + 16, c : c + 16] = picture[r : r + 16, c : c + 16]
    np.testing.assert_array_equal(array, wanted)


@pytest.mark.parametrize("how", ["explicit", "implicit", "short numbers"])
def test_positions_found_as_bytes_are_those_of_the_elements(tmp_path: Path, picture: np.ndarray, how: str) -> None:
    places = [(r, c) for r in (0, 16, 32) for c in (0, 16)]
    more = sparse(places, planes=[0.0, 0.0, 2.5, 0.0, 0.0, 2.5])
    if how == "short numbers":  # not as the standard has it, and read all the same
        for group in more["PerFrameFunctionalGroupsSequence"]:
            for keyword in ("RowPositionInTotalImagePixelMatrix", "ColumnPositionInTotalImagePixelMatrix"):
                position = group.PlanePositionSlideSequence[0]
                position.add_new(keyword, "SS", position[keyword].value)
    d = write(tmp_path / "a.dcm", picture, frames=cut(picture, 16)[:6], **more)
    if how == "implicit":
        d.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
        d.save_as(tmp_path / "a.dcm", implicit_vr=True)
    wanted = slow_places(tmp_path / "a.dcm", 6)
    np.testing.assert_array_equal(
        wanted[:, :3], [(r + 1, c + 1, [0.0, 2.5][n % 3 == 2]) for n, (r, c) in enumerate(places)]
    )
    raw = (tmp_path / "a.dcm").read_bytes()
    found = quick_places(raw, 6, implicit=how == "implicit")
    if how == "short numbers":
        assert found is None
    else:
        np.testing.assert_array_equal(found, wanted)
    array = whole(tmp_path / "a.dcm")
    np.testing.assert_array_equal(array[16:32, 16:32], cut(picture, 16)[3])
    assert (array[16:32, :16] == 255).all()  # of another focal plane


def test_a_slide_of_many_tiles_opens_at_once(tmp_path: Path) -> None:
    places = [(r * 4, c * 4) for r in range(60) for c in range(50)]
    tile = np.zeros((4, 4, 3), np.uint8)
    write(tmp_path / "a.dcm", np.zeros((240, 200, 3), np.uint8), size=4, frames=[tile] * 3000, **sparse(places))
    start = time.perf_counter()
    assert len(open_slide(tmp_path / "a.dcm").levels) == 1
    assert time.perf_counter() - start < 0.5  # element by element it takes several seconds


def test_the_first_of_several_focal_planes_is_read_and_that_is_said(tmp_path: Path, picture: np.ndarray) -> None:
    both = [picture[:16, :16], 255 - picture[:16, :16]]
    write(tmp_path / "a.dcm", picture[:16, :16], frames=both, **sparse([(0, 0), (0, 0)], planes=[0.0, 5.0]))
    np.testing.assert_array_equal(whole(tmp_path / "a.dcm"), both[0])
    assert "2 focal planes" in open_slide(tmp_path / "a.dcm").problems[0]
    write(tmp_path / "a.dcm", picture, frames=cut(picture, 16) + cut(255 - picture, 16))
    np.testing.assert_array_equal(whole(tmp_path / "a.dcm"), picture)
    assert "2 focal planes" in open_slide(tmp_path / "a.dcm").problems[0]


def test_a_level_may_be_spread_over_files(tmp_path: Path, picture: np.ndarray) -> None:
    frames = cut(picture, 16)
    for n, (name, part) in enumerate((("z", frames[:20]), ("a", frames[20:]))):
        where = {"ConcatenationFrameOffsetNumber": 20 * n, "ConcatenationUID": "1.2.9"}
        write(tmp_path / f"{name}.dcm", picture, frames=part, **where)
    np.testing.assert_array_equal(whole(tmp_path), picture)
    assert read_region(open_slide(tmp_path), 0, 0, 0, 4, 4).origin is None


def test_of_two_pictures_of_one_size_the_named_one_is_read(tmp_path: Path, picture: np.ndarray) -> None:
    write(tmp_path / "a.dcm", picture)
    write(tmp_path / "b.dcm", 255 - picture)
    np.testing.assert_array_equal(whole(tmp_path / "b.dcm"), 255 - picture)
    np.testing.assert_array_equal(whole(tmp_path), picture)
    assert open_slide(tmp_path).problems == ("It holds 2 pictures of 70 x 100 pixels; one is read.",)


@pytest.mark.parametrize("down", [False, True])
def test_an_order_that_is_not_told_is_found_from_the_padding(
    tmp_path: Path, picture: np.ndarray, down: bool
) -> None:
    frames = cut(picture, 48, fill=0)
    if down:
        frames = [frames[r * 3 + c] for c in range(3) for r in range(2)]
    write(tmp_path / "a.dcm", picture, size=48, frames=frames, DimensionOrganizationType=None)
    np.testing.assert_array_equal(whole(tmp_path / "a.dcm"), picture)
    assert "order was found" in open_slide(tmp_path / "a.dcm").problems[0]


def test_an_order_that_nothing_tells_is_not_guessed(tmp_path: Path) -> None:
    write(tmp_path / "a.dcm", made_up(64, 96), DimensionOrganizationType=None)
    with pytest.raises(Unreadable, match=r"a\.dcm does not say where its tiles lie"):
        open_slide(tmp_path / "a.dcm")


def compressed(path: Path, picture: np.ndarray, table: str) -> list[np.ndarray]:
    """Rewrite the slide at `path` in JPEG; returns what its tiles decode to."""
    import io

    frames, decoded = [], []
    for tile in cut(picture, 16):
        stream = io.BytesIO()
        Pillow.fromarray(tile).save(stream, "JPEG", quality=90, subsampling=0)
        frames.append(stream.getvalue() + b"\0" * (len(stream.getvalue()) % 2))
        decoded.append(np.asarray(Pillow.open(stream)))
    d = pydicom.dcmread(path)
    d.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    d.PhotometricInterpretation = "YBR_FULL"
    if table == "extended":
        d.PixelData, d.ExtendedOffsetTable, d.ExtendedOffsetTableLengths = encapsulate_extended(frames)
    else:
        d.PixelData = encapsulate(frames, has_bot=table != "none", fragments_per_frame=2 if table == "two" else 1)
    d["PixelData"].is_undefined_length = True
    if table == "lies":
        lying = bytearray(d.PixelData)
        lying[8:16] = (4).to_bytes(4, "little") + (2).to_bytes(4, "little")
        d.PixelData = bytes(lying)
    d.save_as(path, enforce_file_format=True)
    return decoded


@pytest.mark.parametrize("table", ["basic", "none", "extended", "two", "lies"])
def test_compressed_tiles_are_found_by_any_table(tmp_path: Path, picture: np.ndarray, table: str) -> None:
    write(tmp_path / "a.dcm", picture)
    decoded = compressed(tmp_path / "a.dcm", picture, table)
    array = whole(tmp_path / "a.dcm")
    np.testing.assert_array_equal(array[16:32, 32:48], decoded[7 + 2])
    assert np.abs(array.astype(int) - picture).max() < 12


def test_grey_and_rle_slides_become_rgb(tmp_path: Path) -> None:
    grey = made_up(40, 40)[..., 0]
    d = write(tmp_path / "a.dcm", grey)
    np.testing.assert_array_equal(whole(tmp_path / "a.dcm"), np.repeat(grey[..., None], 3, 2))
    d.compress(RLELossless, generate_instance_uid=False)
    d.save_as(tmp_path / "a.dcm")
    np.testing.assert_array_equal(whole(tmp_path / "a.dcm"), np.repeat(grey[..., None], 3, 2))
    write(tmp_path / "a.dcm", grey.astype(np.uint16) * 256)
    np.testing.assert_array_equal(whole(tmp_path / "a.dcm")[..., 0], grey)
    assert "more than 8 bits" in open_slide(tmp_path / "a.dcm").problems[0]
    write(tmp_path / "a.dcm", grey, PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(whole(tmp_path / "a.dcm")[..., 0], 255 - grey)


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless])
def test_slides_compressed_without_loss_keep_their_pixels(tmp_path: Path, syntax: str) -> None:
    colour = made_up(70, 100)
    d = write(tmp_path / "a.dcm", colour, size=48)
    d.compress(syntax, generate_instance_uid=False)
    d.save_as(tmp_path / "a.dcm")
    np.testing.assert_array_equal(whole(tmp_path / "a.dcm"), colour)


LIES = {
    "more rows than tiles": {"TotalPixelMatrixRows": 7000},
    "no rows": {"TotalPixelMatrixRows": 0},
    "4 billion rows": {"TotalPixelMatrixRows": 2**32 - 1},
    "no total size": {"TotalPixelMatrixRows": None, "TotalPixelMatrixColumns": None},
    "too many frames": {"NumberOfFrames": 2**31 - 1},
    "no frames": {"NumberOfFrames": 0},
    "negative frames": {"NumberOfFrames": -5},
    "tiles of 65535": {"Rows": 65535, "Columns": 65535},
    "tiles of none": {"Rows": 0},
    "two samples": {"SamplesPerPixel": 2},
    "one bit": {"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0},
    "64 bits": {"BitsAllocated": 64, "BitsStored": 64, "HighBit": 63},
    "no pixels": {"PixelData": None},
    "short pixels": {"PixelData": b"\0" * 100},
    "sparse without positions": {
        "DimensionOrganizationType": "TILED_SPARSE",
        "PerFrameFunctionalGroupsSequence": [Dataset() for _ in range(35)],
    },
    "sparse and beside the slide": sparse([(10**6, 10**6)] * 35),
    "sparse with few positions": sparse([(0, 0)]),
}


@pytest.mark.parametrize("name", LIES)
def test_a_header_that_lies_is_found_out(tmp_path: Path, picture: np.ndarray, name: str) -> None:
    write(tmp_path / "slide.dcm", picture, **LIES[name])
    with pytest.raises(Unreadable, match=r"slide\.dcm") as caught:
        whole(tmp_path / "slide.dcm")
    assert "Secret" not in str(caught.value) and "007" not in str(caught.value)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05, 0.3, 0.6, 0.9, 0.999])
def test_a_file_cut_short_is_found_out(tmp_path: Path, picture: np.ndarray, share: float) -> None:
    write(tmp_path / "whole.dcm", picture)
    raw = (tmp_path / "whole.dcm").read_bytes()
    (tmp_path / "slide.dcm").write_bytes(raw[: int(len(raw) * share)])
    (tmp_path / "whole.dcm").unlink()
    with pytest.raises(Unreadable, match=r"slide\.dcm"):
        whole(tmp_path / "slide.dcm")


def test_a_broken_tile_is_told_and_the_others_are_read(tmp_path: Path, picture: np.ndarray) -> None:
    write(tmp_path / "slide.dcm", picture)
    compressed(tmp_path / "slide.dcm", picture, "basic")
    raw = bytearray((tmp_path / "slide.dcm").read_bytes())
    last = raw.rindex(b"\xff\xd8\xff")
    raw[last : last + 200] = bytes(200)
    (tmp_path / "slide.dcm").write_bytes(raw)
    slide = open_slide(tmp_path / "slide.dcm")
    with pytest.raises(Unreadable, match=r"Tile 35 of slide\.dcm"):
        read_region(slide, 0, 66, 98, 2, 2)
    assert np.abs(read_region(slide, 0, 0, 0, 16, 16).array.astype(int) - picture[:16, :16]).max() < 12


def test_what_is_no_slide(tmp_path: Path) -> None:
    Pillow.new("RGB", (30, 30)).save(tmp_path / "a.png")
    (tmp_path / "empty.svs").touch()
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe.dcm")
    for name in ("a.png", "empty.svs", "folder", "pipe.dcm", "missing.svs"):
        assert not is_slide(tmp_path / name)
        with pytest.raises(Unreadable, match=name):
            open_slide(tmp_path / name)


def test_two_slides_in_a_folder_are_not_mixed(tmp_path: Path, picture: np.ndarray) -> None:
    write(tmp_path / "a.dcm", picture, series="1.2.1")
    write(tmp_path / "b.dcm", 255 - picture, series="1.2.2")
    with pytest.raises(AskedWrongly, match="several slides"):
        open_slide(tmp_path)
    np.testing.assert_array_equal(whole(tmp_path / "b.dcm"), 255 - picture)


def test_a_file_that_changed_is_not_read_as_before(tmp_path: Path, picture: np.ndarray) -> None:
    write(tmp_path / "a.dcm", picture)
    slide = open_slide(tmp_path / "a.dcm")
    write(tmp_path / "a.dcm", picture[:40])
    with pytest.raises(Unreadable, match="changed"):
        read_region(slide, 0, 0, 0, 4, 4)


def test_scales_that_cannot_be_are_not_believed() -> None:
    assert scale("0.25", 0.251)[0] == (0.25, 0.251)
    for down, right in ((None, None), (0, 0), ("x", "y"), (1e9, 1e9), (5.7, 4.6), (0.5, None), ("nan", "inf")):
        found, because = scale(down, right)
        assert found is None and because.endswith(".")


def write_tiff(path: Path, levels: list[np.ndarray], *, below: bool, ome: bool = False, **how: object) -> None:
    """A pyramid as SubIFDs (`below`) or as further pages."""
    with tifffile.TiffWriter(path, ome=ome) as file:
        metadata = {"axes": "YXS", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5} if ome else None
        for n, one in enumerate(levels):
            subifds = len(levels) - 1 if below and n == 0 else None
            file.write(
                one, tile=(32, 48), photometric="rgb", subifds=subifds, subfiletype=int(n > 0),
                metadata=metadata if n == 0 else None, **how,
            )  # fmt: skip


@pytest.mark.parametrize("below", [False, True])
@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "jpeg", "jpeg2000"])
def test_tiff_pyramids_give_the_pixels_that_tifffile_gives(
    tmp_path: Path, below: bool, compression: str | None
) -> None:
    pytest.importorskip("imagecodecs")
    picture = made_up(200, 301)
    levels = [picture, picture[::2, ::2], picture[::4, ::4]]
    write_tiff(tmp_path / "a.tif", levels, below=below, compression=compression, predictor=compression == "lzw")
    slide = open_slide(tmp_path / "a.tif")
    assert is_slide(tmp_path / "a.tif") and slide.tile == (32, 48)
    assert [(one.rows, one.columns) for one in slide.levels] == [one.shape[:2] for one in levels]
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        for n, one in enumerate(file.series[0].levels):
            np.testing.assert_array_equal(whole(tmp_path / "a.tif", n), one.asarray())
    assert slide.microns_per_pixel is None and slide.no_scale_because


def test_ome_tiff_tells_its_scale_and_printing_resolution_is_none(tmp_path: Path) -> None:
    picture = made_up(100, 100)
    write_tiff(tmp_path / "a.ome.tif", [picture, picture[::2, ::2]], below=True, ome=True)
    slide = open_slide(tmp_path / "a.ome.tif")
    assert slide.microns_per_pixel == (0.5, 0.5) and len(slide.levels) == 2
    for dots, unit, wanted in ((300, "INCH", None), (20000, "CENTIMETER", 0.5)):
        write_tiff(tmp_path / "b.tif", [picture], below=False, resolution=(dots, dots), resolutionunit=unit)
        microns = open_slide(tmp_path / "b.tif").microns_per_pixel
        assert microns == (None if wanted is None else pytest.approx((wanted, wanted)))


@pytest.mark.parametrize("share", [0.001, 0.02, 0.1, 0.5, 0.95])
def test_a_tiff_cut_short_is_found_out(tmp_path: Path, share: float) -> None:
    picture = made_up(200, 300)
    write_tiff(tmp_path / "a.tif", [picture, picture[::2, ::2]], below=False)
    raw = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "slide.tif").write_bytes(raw[: int(len(raw) * share)])
    with pytest.raises(Unreadable, match=r"slide\.tif"):
        for level in range(2):
            assert np.array_equal(whole(tmp_path / "slide.tif", level), (picture, picture[::2, ::2])[level])


def test_aperio_gives_the_pixels_that_tifffile_gives(test_data: Path) -> None:
    pytest.importorskip("imagecodecs")
    path = test_data / "slides" / "small_HE.svs"
    start = time.perf_counter()
    slide = open_slide(path)
    assert time.perf_counter() - start < 0.5
    assert [(one.rows, one.columns) for one in slide.levels] == [(2967, 2220)]
    assert slide.microns_per_pixel == (0.499, 0.499) and slide.magnification == 20 and slide.vendor == "aperio"
    np.testing.assert_array_equal(whole(path), tifffile.imread(path, key=0))
    for name, page in (("thumbnail", 1), ("label", 2), ("macro", 3)):
        np.testing.assert_array_equal(associated(slide, name).array, tifffile.imread(path, key=page))
    coarse = read_at(slide, 4 * 0.499, Region(0, 0, 700, 500)).array
    mean = tifffile.imread(path, key=0)[:2800, :2000].reshape(700, 4, 500, 4, 3).mean(axis=(1, 3))
    away = np.abs(coarse - mean).mean()
    assert away < 3 and away < np.abs(coarse[1:] - mean[:-1]).mean() / 3


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5])
def test_aperio_cut_short_is_found_out(test_data: Path, tmp_path: Path, share: float) -> None:
    raw = (test_data / "slides" / "small_HE.svs").read_bytes()
    (tmp_path / "slide.svs").write_bytes(raw[: int(len(raw) * share)])
    with pytest.raises(Unreadable, match=r"slide\.svs"):
        whole(tmp_path / "slide.svs")


def test_dicom_gives_the_pixels_that_openslide_gives(test_data: Path, tmp_path: Path) -> None:
    import openslide

    folder = test_data / "dicom-conformance" / "highdicom-objects" / "data" / "test_files"
    compared = 0
    for path in sorted(folder.glob("sm_image*.dcm")):
        shutil.copy(path, tmp_path)
        ours = whole(tmp_path / path.name)
        try:
            other = openslide.OpenSlide(tmp_path / path.name)
        except openslide.OpenSlideError:
            continue  # it reads neither JPEG-LS nor 16 bits
        theirs = np.asarray(other.read_region((0, 0), 0, other.dimensions).convert("RGB"))
        np.testing.assert_array_equal(ours, theirs)
        assert open_slide(tmp_path / path.name).microns_per_pixel == pytest.approx((0.499, 0.499))
        compared += 1
    assert compared >= 4


def test_the_dicom_slide_without_an_order_is_put_together(test_data: Path) -> None:
    path = test_data / "slides" / "small_dicom.dcm"
    slide = open_slide(path)
    assert (slide.levels[0].rows, slide.levels[0].columns) == (2638, 3236)
    assert slide.microns_per_pixel is None and "not square" in slide.no_scale_because
    assert "order was found" in slide.problems[0]
    array = whole(path).astype(int)
    # Where tiles meet, the picture goes on: neighbours differ no more across a seam than beside it.
    for axis, size in ((0, 2638), (1, 3236)):
        lines = np.moveaxis(array, axis, 0)
        seams = [np.abs(lines[n] - lines[n - 1]).mean() for n in range(500, size, 500)]
        inside = [np.abs(lines[n] - lines[n - 1]).mean() for n in range(251, size, 500)]
        assert np.mean(seams) < 1.5 * np.mean(inside)
    frame = pydicom.pixels.pixel_array(path, index=6)  # down the columns: the first row, second column
    # JPEG: another decoder rounds another way here and there.
    np.testing.assert_allclose(array[:500, 500:1000], frame, atol=1)

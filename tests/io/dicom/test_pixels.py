"""Stored pixels: promises checked, bits masked, everything decoded."""

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from osler.core.errors import BadInput, NoRoom, OslerError, Unreadable
from osler.io.dicom.fragments import stream_size
from osler.io.dicom.pixels import Layout, decode, fill_padding, layout_of, padding_of, turned_over, values_of
from osler.io.dicom.scan import scan_header
from osler.io.dicom.stack import read_clip, read_file

RANDOM = np.random.default_rng(7)
BYTES = {"BitsAllocated": 8, "BitsStored": 8}


def write(
    path: Path,
    pixels: np.ndarray | bytes,
    *,
    syntax: str = ExplicitVRLittleEndian,
    shape: tuple = (6, 8),
    **told: object,
) -> Path:
    """A secondary capture with these pixels."""
    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    dataset.Modality, dataset.SeriesInstanceUID, dataset.StudyInstanceUID = "OT", "1.2.4", "1.2.5"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = *shape, 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.PixelRepresentation = 0
    if isinstance(pixels, np.ndarray):
        dataset.BitsAllocated = dataset.BitsStored = pixels.dtype.itemsize * 8
        dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
        order = ">" if syntax == ExplicitVRBigEndian else "<"
        pixels = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    for keyword, value in told.items():
        setattr(dataset, keyword, value)
    dataset.HighBit = told.get("HighBit", dataset.BitsStored - 1)
    dataset.PixelData = pixels + b"\0" * (len(pixels) % 2)
    dataset["PixelData"].VR = "OW" if dataset.BitsAllocated > 8 else "OB"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    if pydicom.uid.UID(syntax).is_encapsulated:
        dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path, enforce_file_format=True)
    return path


def stored(path: Path) -> np.ndarray:
    return decode(scan_header(path), path)


@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "u4", "i4"])
@pytest.mark.parametrize(
    "syntax",
    [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian],
)
def test_uncompressed_pixels_of_every_width(tmp_path, kind, syntax):
    info = np.iinfo(kind)
    pixels = RANDOM.integers(info.min, info.max, (3, 6, 8), dtype=kind, endpoint=True)
    found = stored(write(tmp_path / "x.dcm", pixels, syntax=syntax, NumberOfFrames=3))
    assert found.dtype == np.dtype(kind)
    np.testing.assert_array_equal(found, pixels)


def test_big_endian_words_of_bytes_are_swapped(tmp_path):
    pixels = RANDOM.integers(0, 255, (6, 8), dtype=np.uint8)
    path = write(
        tmp_path / "x.dcm",
        pixels.reshape(-1, 2)[:, ::-1].tobytes(),
        syntax=ExplicitVRBigEndian,
        BitsAllocated=8,
        BitsStored=8,
    )
    dataset = pydicom.dcmread(path)
    dataset["PixelData"].VR = "OW"
    dataset.save_as(path)
    np.testing.assert_array_equal(stored(path)[0], pixels)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("shift", [0, 2, 4])
def test_unused_bits_are_masked_and_the_sign_is_extended(tmp_path, signed, shift):
    low, high = (-2048, 2047) if signed else (0, 4095)
    pixels = RANDOM.integers(low, high, (6, 8), endpoint=True)
    pixels[0, :2] = low, high
    noise = RANDOM.integers(0, 65536, (6, 8)) & ~(0xFFF << shift)  # overlays once lived in these bits
    raw = ((pixels & 0xFFF) << shift | noise).astype(np.uint16)
    path = write(tmp_path / "x.dcm", raw, BitsStored=12, HighBit=11 + shift, PixelRepresentation=int(signed))
    np.testing.assert_array_equal(stored(path)[0], pixels)


def test_single_bits_of_frames_that_begin_within_a_byte(tmp_path):
    bits = RANDOM.integers(0, 2, (5, 3, 7), dtype=np.uint8)
    raw = np.packbits(bits.ravel(), bitorder="little").tobytes()
    path = write(tmp_path / "x.dcm", raw, shape=(3, 7), BitsAllocated=1, BitsStored=1, HighBit=0, NumberOfFrames=5)
    np.testing.assert_array_equal(stored(path), bits)
    np.testing.assert_array_equal(decode(scan_header(path), path, [3, 1]), bits[[3, 1]])


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
@pytest.mark.parametrize(("kind", "bits"), [("u1", 8), ("u2", 12), ("i2", 12), ("u2", 16), ("i2", 16)])
def test_lossless_compression_gives_the_same_pixels(tmp_path, syntax, kind, bits):
    signed = kind[0] == "i"
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    pixels = RANDOM.integers(low, high, (64, 48), endpoint=True).astype(kind)
    path = write(tmp_path / "x.dcm", pixels, shape=(64, 48), BitsStored=bits, HighBit=bits - 1)
    dataset = pydicom.dcmread(path)
    dataset.compress(syntax)
    dataset.save_as(path)
    np.testing.assert_array_equal(stored(path)[0], pixels)


def test_high_throughput_jpeg_2000(tmp_path):
    imagecodecs = pytest.importorskip("imagecodecs")
    pixels = RANDOM.integers(0, 4096, (64, 64)).astype(np.uint16)
    stream = imagecodecs.htj2k_encode(pixels, reversible=True)
    for syntax in ("1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203"):
        path = write(tmp_path / "x.dcm", encapsulate([stream]), syntax=syntax, shape=(64, 64), BitsStored=12)
        np.testing.assert_array_equal(stored(path)[0], pixels)


def _streams(count: int) -> tuple[list[bytes], np.ndarray]:
    from PIL import Image

    frames = np.stack([np.full((16, 16), 40 * n, np.uint8) for n in range(count)])
    streams = []
    for frame in frames:
        held = io.BytesIO()
        Image.fromarray(frame).save(held, "JPEG", quality=95)
        streams.append(held.getvalue() + b"\0" * (held.tell() % 2))
    return streams, frames


@pytest.mark.parametrize("table", ["basic", "none", "extended"])
@pytest.mark.parametrize("fragments", [1, 3])
def test_frames_are_found_with_and_without_a_table(tmp_path, table, fragments):
    streams, frames = _streams(4)
    told: dict[str, object] = {"NumberOfFrames": 4, "BitsAllocated": 8, "BitsStored": 8}
    data = encapsulate(streams, has_bot=table == "basic", fragments_per_frame=fragments)
    if table == "extended":
        pieces = [8 * fragments + len(one) + (-len(one) % (2 * fragments)) for one in streams]
        told["ExtendedOffsetTable"] = np.cumsum([0, *pieces[:-1]]).astype("<u8").tobytes()
    path = write(tmp_path / "x.dcm", data, syntax=JPEGBaseline8Bit, shape=(16, 16), **told)
    assert np.abs(stored(path).astype(int) - frames).max() <= 2
    assert np.abs(decode(scan_header(path), path, [2])[0].astype(int) - frames[2]).max() <= 2


def test_a_delimiter_within_a_stream_does_not_end_it(tmp_path):
    streams, frames = _streams(1)
    hidden = streams[0][:2] + b"\xff\xfe\x00\x0a" + b"\xfe\xff\xdd\xe0\0\0\0\0" + streams[0][2:]  # in a comment
    path = write(tmp_path / "x.dcm", encapsulate([hidden]), syntax=JPEGBaseline8Bit, shape=(16, 16), **BYTES)
    assert np.abs(stored(path).astype(int) - frames).max() <= 2


def _colour_jpeg(**options: object) -> bytes:
    from PIL import Image

    held = io.BytesIO()
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[:] = (250, 20, 30)
    Image.fromarray(pixels).save(held, "JPEG", quality=95, subsampling=0, **options)
    return held.getvalue() + b"\0" * (held.tell() % 2)


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL_422", "YBR_FULL"])
@pytest.mark.parametrize("keep_rgb", [False, True])
def test_what_a_stream_says_of_its_colours_goes_first(tmp_path, photometric, keep_rgb):
    """Converted exactly once: a JFIF stream is YCbCr and one with components R, G, B is RGB, whatever the header
    says."""
    stream = _colour_jpeg(keep_rgb=keep_rgb)
    path = write(
        tmp_path / "x.dcm",
        encapsulate([stream]),
        syntax=JPEGBaseline8Bit,
        shape=(16, 16),
        SamplesPerPixel=3,
        PhotometricInterpretation=photometric,
        PlanarConfiguration=0,
        **BYTES,
    )
    assert np.abs(stored(path)[0].astype(int) - (250, 20, 30)).max() <= 4


def test_a_silent_stream_is_what_the_header_says(tmp_path):
    """Without JFIF and Adobe markers only the header knows."""
    stream = _colour_jpeg()
    length = int.from_bytes(stream[4:6], "big")
    silent = stream[:2] + stream[4 + length :]
    for photometric, colour in (("YBR_FULL_422", (250, 20, 30)), ("RGB", None)):
        even = silent + b"\0" * (len(silent) % 2)
        path = write(
            tmp_path / "x.dcm",
            encapsulate([even]),
            syntax=JPEGBaseline8Bit,
            shape=(16, 16),
            SamplesPerPixel=3,
            PlanarConfiguration=0,
            PhotometricInterpretation=photometric,
            **BYTES,
        )
        found = stored(path)[0].astype(int)
        if colour:
            assert np.abs(found - colour).max() <= 4
        else:
            assert np.abs(found - (90, 94, 242)).max() <= 4  # Y, Cb, Cr taken for red, green, blue


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("compressed", [False, True])
def test_colour_by_pixel_and_by_plane(tmp_path, planar, compressed):
    pixels = RANDOM.integers(0, 255, (6, 8, 3), dtype=np.uint8)
    raw = pixels.transpose(2, 0, 1) if planar and not compressed else pixels
    told = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}
    path = write(tmp_path / "x.dcm", np.ascontiguousarray(raw), PlanarConfiguration=int(raw is not pixels), **told)
    if compressed:
        dataset = pydicom.dcmread(path)
        dataset.compress(RLELossless)  # always by plane, whatever the header says
        dataset.PlanarConfiguration = planar
        dataset.save_as(path)
    np.testing.assert_array_equal(read_file(path).array, pixels)


def test_colour_of_pairs_of_pixels(tmp_path):
    pairs = np.tile(np.array([76, 150, 85, 255], np.uint8), 24)  # Y Y Cb Cr
    path = write(
        tmp_path / "x.dcm",
        pairs,
        SamplesPerPixel=3,
        PhotometricInterpretation="YBR_FULL_422",
        PlanarConfiguration=0,
    )
    image = read_file(path)
    assert np.abs(image.array[0, 0].astype(int) - (254, 0, 0)).max() <= 1
    assert np.abs(image.array[0, 1].astype(int) - (255, 74, 74)).max() <= 1
    with pytest.raises(Unreadable, match="an odd number"):
        read_file(
            write(
                tmp_path / "y.dcm",
                pairs,
                shape=(4, 7),
                SamplesPerPixel=3,
                PlanarConfiguration=0,
                PhotometricInterpretation="YBR_FULL_422",
            )
        )


def _palette(entries: int, first: int, bits: int, told_entries: int | None = None) -> dict[str, object]:
    table = np.arange(entries, dtype=np.uint16)
    out: dict[str, object] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for n, name in enumerate(("Red", "Green", "Blue")):
        out[f"{name}PaletteColorLookupTableDescriptor"] = [
            entries if told_entries is None else told_entries,
            first,
            bits,
        ]
        out[f"{name}PaletteColorLookupTableData"] = ((table * (n + 1)) & 0xFF).astype(np.uint8).tobytes()
    return out


def test_a_palette_holds_its_ends(tmp_path):
    """Indices beyond the table take its first or last entry; nothing is read beyond it."""
    pixels = np.tile(np.array([0, 9, 10, 11, 13, 14, 200, 255], np.uint8), (6, 1))
    found = read_file(write(tmp_path / "x.dcm", pixels, **_palette(4, 10, 8))).array
    np.testing.assert_array_equal(found[0, :, 0], [0, 0, 0, 1, 3, 3, 3, 3])
    np.testing.assert_array_equal(found[0, :, 2], [0, 0, 0, 3, 9, 9, 9, 9])


def test_a_palette_of_no_entries_has_65536(tmp_path):
    pixels = RANDOM.integers(0, 65535, (6, 8), dtype=np.uint16)
    told = _palette(65536, 0, 8, told_entries=0)
    np.testing.assert_array_equal(
        read_file(write(tmp_path / "x.dcm", pixels, **told)).array[..., 0], pixels & 0xFF
    )


def test_a_broken_palette_is_told(tmp_path):
    told = _palette(4, 0, 8)
    told["GreenPaletteColorLookupTableData"] = b"\0\0"
    with pytest.raises(Unreadable, match=r"x\.dcm has a broken look-up table"):
        read_file(write(tmp_path / "x.dcm", np.zeros((6, 8), np.uint8), **told))


def test_a_modality_table_takes_the_place_of_the_slope(tmp_path):
    item = pydicom.Dataset()
    item.LUTDescriptor, item.ModalityLUTType = [4, 2, 16], "US"
    item.LUTData = [100, 200, 300, 4000]
    item["LUTDescriptor"].VR = item["LUTData"].VR = "US"
    pixels = np.tile(np.arange(8, dtype=np.uint16), (6, 1))
    path = write(tmp_path / "x.dcm", pixels, ModalityLUTSequence=[item], RescaleSlope="7", RescaleIntercept="1")
    np.testing.assert_array_equal(read_file(path).array[0], [100, 100, 100, 200, 300, 4000, 4000, 4000])


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ({"HighBit": 16}, "bit 16 on top"),
        ({"HighBit": 200}, "HighBit is 200"),
        ({"BitsAllocated": 12, "BitsStored": 12}, "12 of 12 bits"),
        ({"BitsStored": 17}, "17 of 16 bits"),
        ({"SamplesPerPixel": 2}, "with 2 samples"),
        ({"SamplesPerPixel": 4, "PhotometricInterpretation": "CMYK"}, "CMYK"),
        ({"PhotometricInterpretation": "YBR_PARTIAL_422", "SamplesPerPixel": 3}, "YBR_PARTIAL_422"),
        ({"NumberOfFrames": -1}, "NumberOfFrames is -1"),
        ({"NumberOfFrames": 2**31 - 1}, "promises 206,158,430,112 bytes of pixels and holds 96"),
        ({"Rows": 65535, "Columns": 65535}, "65535 x 65535 pixels"),
        ({"Rows": 46341, "Columns": 5000}, "promises 463,410,000 bytes"),
        ({"Rows": 7}, "promises 112 bytes of pixels and holds 96"),
        ({"RescaleSlope": "1e38"}, "times 1e\\+38"),
    ],
)
def test_impossible_headers_are_refused_before_anything_is_allocated(tmp_path, told, word):
    path = write(tmp_path / "x.dcm", np.zeros((6, 8), np.uint16))
    dataset = pydicom.dcmread(path)
    for keyword, value in told.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)
    with pytest.raises(Unreadable, match=f"x.dcm.*{word}") as caught:
        (read_clip if told.get("NumberOfFrames", 0) > 1 else read_file)(path)
    assert caught.value.remedy


def test_a_stream_larger_than_its_header_is_refused(tmp_path):
    """A decoder allocates what the stream says, so the stream is asked first."""
    streams, _ = _streams(1)
    path = write(tmp_path / "x.dcm", encapsulate(streams), syntax=JPEGBaseline8Bit, BitsAllocated=8, BitsStored=8)
    with pytest.raises(Unreadable, match="the compressed picture is 16 x 16, its header says 6 x 8"):
        read_file(path)


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless, JPEGBaseline8Bit])
@pytest.mark.parametrize(
    "data", [b"\0\0", b"\xff\xd8\xff\xd9", b"\xff\x4f\xff\x51" + bytes(60), bytes(range(256))]
)
def test_rubbish_in_a_stream_is_told(tmp_path, syntax, data):
    path = write(tmp_path / "x.dcm", encapsulate([data]), syntax=syntax, BitsAllocated=8, BitsStored=8)
    with pytest.raises(OslerError, match=r"x\.dcm"):
        read_file(path)


def test_frames_that_are_not_there_are_told(tmp_path):
    streams, _ = _streams(2)
    path = write(
        tmp_path / "x.dcm",
        encapsulate(streams),
        syntax=JPEGBaseline8Bit,
        shape=(16, 16),
        NumberOfFrames=5,
        **BYTES,
    )
    with pytest.raises(Unreadable, match="promises 5 frames, but holds 2"):
        read_clip(path)


def test_floats(tmp_path):
    path = write(tmp_path / "x.dcm", np.zeros((6, 8), np.uint32))
    pixels = RANDOM.normal(size=(6, 8)).astype(np.float32)
    dataset = pydicom.dcmread(path)
    del dataset.PixelData
    dataset.FloatPixelData = pixels.tobytes()
    dataset.save_as(path)
    np.testing.assert_array_equal(read_file(path).array, pixels)
    dataset.FloatPixelData = np.where(pixels > 0, np.nan, pixels).astype(np.float32).tobytes()
    dataset.save_as(path)
    with pytest.raises(BadInput, match="NaN"):
        read_file(path)


def test_memory_that_is_full_is_told(tmp_path, monkeypatch):
    path = write(tmp_path / "x.dcm", np.zeros((6, 8), np.uint16))

    def full(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(np, "empty", full)
    with pytest.raises(NoRoom, match=r"x\.dcm"):
        stored(path)


def test_values_stay_whole_where_they_can():
    raw = np.array([[[0, 1000, 65535]]], np.uint16)
    for given, scales, kind in (
        (raw, [(1.0, 0.0)], "u2"),
        (raw[..., :2], [(1.0, -1024.0)], "i2"),
        (raw, [(1.0, -1024.0)], "i4"),
        (raw, [(1.0, 0.5)], "f4"),
        (raw, [(2.0, 0.0)], "f4"),
        (raw.astype(np.uint8), [(1.0, -1024.0)], "i2"),
    ):
        found = values_of(given.copy(), scales)
        assert found.dtype == np.dtype(kind)
        np.testing.assert_allclose(found, given.astype(float) * scales[0][0] + scales[0][1])


def _padded(kind: str, **told: object) -> tuple[pydicom.Dataset, object]:
    header = pydicom.Dataset()
    header.Rows = header.Columns = 2
    header.BitsAllocated = header.BitsStored = 16
    header.PixelRepresentation = int(kind == "i2")
    for keyword, value in told.items():
        header.add_new(keyword, "SS" if kind == "i2" else "US", value)
    return header, layout_of(header, Path("x"))


def test_padding_becomes_air_in_ct_and_the_darkest_value_elsewhere():
    header, layout = _padded("i2", PixelPaddingValue=-2000)
    ends = padding_of(header, layout)
    assert ends == (-2000, -2000)
    array = np.array([[[-2000, 24], [1000, -2000]]], np.int16)
    ct, other = array.copy(), array.copy()
    assert fill_padding(ct, ends, [(1, -1024)], hounsfield=True) == 2
    np.testing.assert_array_equal(ct - 1024, [[[-1000, -1000], [-24, -1000]]])
    assert fill_padding(other, ends, [(1, 0)], hounsfield=False) == 2
    np.testing.assert_array_equal(other, [[[24, 24], [1000, 24]]])
    bright = array.copy()
    fill_padding(bright, ends, [(1, 0)], hounsfield=False, dark=False)
    np.testing.assert_array_equal(bright, [[[1000, 24], [1000, 1000]]])
    # Where padding is air already, the scanner's own numbers stay.
    kept = np.array([[[0, 24], [1000, 0]]], np.int16)
    assert fill_padding(kept, (0, 0), [(1, -1024)], hounsfield=True) == 0


def test_padding_may_be_a_range_and_of_the_other_sign():
    header, layout = _padded("u2", PixelPaddingValue=63536, PixelPaddingRangeLimit=65535)
    assert padding_of(header, layout) == (63536, 65535)
    header, layout = _padded("i2", PixelPaddingValue=-2000)
    header["PixelPaddingValue"].value = 63536
    assert padding_of(header, layout) == (-2000, -2000)


def test_sizes_of_streams():
    streams, _ = _streams(1)
    assert stream_size(streams[0]) == (16, 16, 8)
    assert stream_size(b"") is None
    assert stream_size(b"\xff\xd8" + b"\xff" * 50) is None


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32"])
@pytest.mark.parametrize(("stored", "signed"), [(8, False), (12, False), (16, False), (12, True), (16, True)])
def test_monochrome1_is_turned_in_its_own_type_also_where_the_header_contradicts_it(dtype, stored, signed):
    info = np.iinfo(dtype)
    pixels = np.array([info.min, info.min + 1, info.max // 2, info.max], dtype)
    layout = Layout(1, 4, 1, 1, info.bits, stored, stored - 1, signed, "MONOCHROME1", False)
    wanted = ((-1 if signed else 2**stored - 1) - pixels.astype(np.int64)).astype(dtype)
    turned = turned_over(pixels, layout)
    assert turned.dtype == pixels.dtype and (turned == wanted).all()

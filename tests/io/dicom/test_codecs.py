"""Compressed frames, made here by the codecs' own encoders."""

from dataclasses import replace
from struct import pack

import imagecodecs
import numpy as np
import pytest

from osler.io.dicom.codecs import J2K, JPEG_LS, LOSSLESS_JPEG, RLE, Told, decode_stream, rgb_of

GREY = Told(24, 20, 1, 16, 12, False, "MONOCHROME2")
COLOUR = Told(24, 20, 3, 8, 8, False, "RGB")
PIXELS = np.random.default_rng(3).integers(0, 4096, (24, 20)).astype(np.uint16)
RGB = np.random.default_rng(4).integers(0, 256, (24, 20, 3)).astype(np.uint8)


@pytest.mark.parametrize("syntax", [*LOSSLESS_JPEG, JPEG_LS[0], J2K[0]])
def test_lossless_codecs_give_the_numbers_back(syntax):
    encode = {LOSSLESS_JPEG[0]: imagecodecs.ljpeg_encode, LOSSLESS_JPEG[1]: imagecodecs.ljpeg_encode}
    encode |= {JPEG_LS[0]: imagecodecs.jpegls_encode}
    encode[J2K[0]] = lambda array: imagecodecs.jpeg2k_encode(array, level=0, reversible=True, codecformat="j2k")
    np.testing.assert_array_equal(decode_stream(encode[syntax](PIXELS), syntax, GREY), PIXELS)


def test_lossy_jpeg_of_twelve_bits_is_read():
    smooth = np.add.outer(np.arange(24), np.arange(20)).astype(np.uint16) * 80
    data = imagecodecs.jpeg8_encode(smooth, level=98, bitspersample=12)
    found = decode_stream(data, "1.2.840.10008.1.2.4.51", GREY, bits=12)
    assert np.abs(found.astype(int) - smooth).max() < 40


def test_colours_of_jpeg_2000_are_turned_once_whatever_the_header_calls_them():
    data = imagecodecs.jpeg2k_encode(RGB, level=0, reversible=True, codecformat="j2k", mct=True)
    for photometric in ("YBR_RCT", "RGB", "YBR_FULL"):
        found = decode_stream(data, J2K[0], replace(COLOUR, photometric=photometric))
        np.testing.assert_array_equal(found, RGB)


def test_samples_that_no_codec_turned_are_turned_by_the_header():
    data = imagecodecs.jpegls_encode(RGB)
    np.testing.assert_array_equal(decode_stream(data, JPEG_LS[0], COLOUR), RGB)
    told = replace(COLOUR, photometric="YBR_FULL")
    np.testing.assert_array_equal(decode_stream(data, JPEG_LS[0], told), rgb_of(RGB, "YBR_FULL"))


@pytest.mark.parametrize(
    "head",
    [
        pack("<16L", 0, *[0] * 15),
        pack("<16L", 2, 64, 2**31, *[0] * 13),
        pack("<16L", 2, 70, 64, *[0] * 13),
        pack("<16L", 3, 64, 65, 66, *[0] * 12),
    ],
)
def test_run_lengths_whose_head_lies_are_refused(head):
    with pytest.raises(ValueError, match="run lengths"):
        decode_stream(head + b"\xff\0" * 600, RLE, GREY)


@pytest.mark.parametrize("cut", [2, 40, 300])
def test_streams_cut_short_are_refused(cut):
    for syntax, encode in ((JPEG_LS[0], imagecodecs.jpegls_encode), (LOSSLESS_JPEG[1], imagecodecs.ljpeg_encode)):
        with pytest.raises((ValueError, RuntimeError)):
            decode_stream(encode(PIXELS)[:-cut], syntax, GREY)


def test_an_unknown_compression_is_refused():
    with pytest.raises(ValueError, match="no decoder"):
        decode_stream(b"\xff\xd9", "1.2.840.10008.1.2.4.102", GREY)

"""Compressed frames to numbers, by imagecodecs and, for lossy JPEG of eight bits, by Pillow.

imagecodecs wraps the codecs' own libraries (libjpeg-turbo, liblj92, CharLS, OpenJPEG). It lets go of Python's lock
while it works, so that threads decode side by side, and raises for damaged streams where others end the process.
Source: DICOM PS3.5 annex A.4 and section 8.2.
"""

import io
from dataclasses import dataclass
from struct import unpack
from typing import Any

import numpy as np

from osler.core.arrays import Array

BASELINE = "1.2.840.10008.1.2.4.50"
# Extended, spectral selection and full progression: eight or twelve bits, lossy.
LOSSY_JPEG = (BASELINE, *(f"1.2.840.10008.1.2.4.{end}" for end in (51, 53, 55)))
LOSSLESS_JPEG = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
JPEG_LS = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")
J2K = tuple(f"1.2.840.10008.1.2.4.{end}" for end in (90, 91, 92, 93, 201, 202, 203))
RLE = "1.2.840.10008.1.2.5"


@dataclass(frozen=True, slots=True)
class Told:
    """What a header says of one compressed frame.

    allocated, stored  bits that a number takes, and bits of them that mean something
    """

    rows: int
    columns: int
    samples: int
    allocated: int
    stored: int
    signed: bool
    photometric: str


def decode_stream(data: bytes, syntax: str, told: Told, *, bits: int | None = None) -> Array:
    """One frame: (rows, columns) numbers as stored, or (rows, columns, 3) RGB.

    data  the stream of the frame, its fragments joined
    bits  how many the stream says it has, where it says so

    Raises whatever the codec raises for a stream that it cannot decode: callers tell the file's name.
    """
    if syntax == BASELINE or (syntax in LOSSY_JPEG and bits == 8):
        return _lossy(data, told)
    if syntax == RLE:
        return _run_lengths(data, told)
    import imagecodecs

    if syntax not in J2K and not data.rstrip(b"\0").endswith(b"\xff\xd9"):
        # A JPEG stream without its end was cut short: liblj92 would give what is left without a word, and CharLS
        # may search for seconds.
        raise ValueError("the stream has no end")
    if syntax in LOSSY_JPEG:
        array = imagecodecs.jpeg8_decode(data)
    elif syntax in LOSSLESS_JPEG:
        array = _lossless(data)
    elif syntax in JPEG_LS:
        array = imagecodecs.jpegls_decode(data)
    elif syntax in J2K:
        array = imagecodecs.jpeg2k_decode(data)
    else:
        raise ValueError("no decoder reads it")
    shape = (told.rows, told.columns) if told.samples == 1 else (told.rows, told.columns, told.samples)
    found: Array = array.reshape(shape)
    if told.samples == 1:
        return found
    turned = syntax in J2K and _turns_colours(data)  # the stream's own colour transform is undone with it
    return rgb_of(_eight(found, told), told.photometric) if not turned else _eight(found, told)


def rgb_of(samples: Array, photometric: str) -> Array:
    """(rows, columns, 3) uint8 as RGB: PS3.3 C.7.6.3.1.2, the full range of CCIR 601; RGB stays."""
    if not photometric.startswith("YBR_FULL"):
        return samples
    y, blue, red = (samples[..., n].astype(np.float32) for n in range(3))
    blue -= 128
    red -= 128
    rgb = np.stack([y + 1.402 * red, y - 0.344136 * blue - 0.714136 * red, y + 1.772 * blue], axis=-1)
    eight: Array = np.clip(np.rint(rgb), 0, 255).astype(np.uint8)
    return eight


def _lossy(data: bytes, told: Told) -> Array:
    """Lossy JPEG of eight bits. What the stream says of its colours goes before what the header says."""
    from PIL import Image as Pillow

    with Pillow.open(io.BytesIO(data), formats=("JPEG",)) as picture:
        if told.samples == 1:
            grey: Array = np.asarray(picture.convert("L"))
            return grey
        said = "adobe_transform" in picture.info or "jfif" in picture.info
        if not said and told.photometric == "RGB" and picture.mode == "RGB":
            picture.draft("YCbCr", None)  # as stored: nobody says it was turned
            return np.array(picture)
        return np.array(picture.convert("RGB"))


def _lossless(data: bytes) -> Array:
    import imagecodecs

    try:
        found: Array = imagecodecs.ljpeg_decode(data)
    except imagecodecs.LjpegError:
        found = imagecodecs.jpeg8_decode(data)
    return found


def _run_lengths(data: bytes, told: Told) -> Array:
    import imagecodecs

    kind: np.dtype[Any] = np.dtype(f"<{'i' if told.signed else 'u'}{told.allocated // 8}")
    # The codec does not mind a head that lies (PS3.5 annex G.5): one segment for each byte of a pixel, in order.
    count, *offsets = unpack("<16L", data[:64])
    starts = offsets[:count]
    if (
        count != told.samples * kind.itemsize
        or starts != sorted(starts)
        or not 64 <= starts[0] <= starts[-1] < len(data)
    ):
        raise ValueError("the run lengths do not lie where their head says")
    size = told.rows * told.columns * told.samples
    flat: Array = np.frombuffer(imagecodecs.dicomrle_decode(data, kind), kind)
    if flat.size < size:
        raise ValueError("the run lengths end before the picture does")
    if told.samples == 1:
        return flat[:size].reshape(told.rows, told.columns)
    planes = flat[:size].reshape(told.samples, told.rows, told.columns).transpose(1, 2, 0)
    return rgb_of(_eight(np.ascontiguousarray(planes), told), told.photometric)


def _turns_colours(data: bytes) -> bool:
    """Does a JPEG 2000 stream say that its colours were transformed (COD: SGcod, ISO 15444-1 A.6.1)?"""
    start = data.find(b"\xff\x4f\xff\x51", 0, 4096)
    at = data.find(b"\xff\x52", max(start, 0), max(start, 0) + 65536)
    return 0 <= at < len(data) - 8 and data[at + 8] == 1


def _eight(colour: Array, told: Told) -> Array:
    """Colour as uint8, which is what every other door gives."""
    if colour.dtype == np.uint8:
        return colour
    narrow: Array = colour >> max(0, told.stored - 8)
    return narrow.astype(np.uint8)

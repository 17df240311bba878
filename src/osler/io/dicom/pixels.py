"""Stored pixels: what a header promises of them, where they lie in the file, and how they are decoded.

Sources: DICOM PS3.3 C.7.6.3 (image pixel), PS3.5 section 8 and annex A (encodings).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadPixels, NoRoom, Unreadable
from osler.io.dicom.codecs import Told, decode_stream, rgb_of
from osler.io.dicom.fragments import frames_of, pixel_bytes, stream_size
from osler.io.dicom.parse import kind_of, number, read_dataset, text
from osler.io.dicom.scan import Header, scan_header
from osler.io.dicom.tables import lookup, palette_of

if TYPE_CHECKING:
    from pydicom import Dataset

_LITTLE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")
_DEFLATED = "1.2.840.10008.1.2.1.99"
_BIG = "1.2.840.10008.1.2.2"
_MOST_PIXELS = 2**28  # in one frame: a mammogram has 5e7; what promises more is a mistake or an attack
_DEFLATE_GAINS = 1032  # bytes that one compressed byte can become at most
_GREY = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")
_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT")
_AIR_HU = -1000.0
_FLOOR_HU = -1024.0  # where the scale of most scanners begins


@dataclass(frozen=True, slots=True)
class Layout:
    """What a header promises of its pixels.

    samples      1, or 3 for colour
    allocated    bits that a sample takes in an uncompressed file: 1, 8, 16 or 32
    stored, high bits that mean something, and the number of the highest of them
    planar       colour is stored plane by plane, not pixel by pixel
    """

    rows: int
    columns: int
    samples: int
    frames: int
    allocated: int
    stored: int
    high: int
    signed: bool
    photometric: str
    planar: bool

    @property
    def frame_bits(self) -> int:
        """Bits of one uncompressed frame; Python's whole numbers do not overflow."""
        shared = 2 if self.photometric == "YBR_FULL_422" else self.samples  # two pixels share their colour
        return self.rows * self.columns * shared * self.allocated

    @property
    def frame_bytes(self) -> int:
        return -(-self.frame_bits // 8)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of one stored number."""
        width = max(1, self.allocated // 8)
        return np.dtype(f"{'i' if self.signed else 'u'}{width}")


def layout_of(header: Header, path: Path) -> Layout:
    """What the header promises. Raises Unreadable for what cannot be, before anything is allocated."""

    def whole(keyword: str, default: int, low: int, high: int) -> int:
        value = number(header, keyword)
        if value is None:
            return default
        if not low <= value <= high or value != int(value):
            raise Unreadable(
                f"{path.name} says {keyword} is {value:g}, which no picture has.", remedy="Export it again."
            )
        return int(value)

    rows, columns = whole("Rows", 0, 0, 65535), whole("Columns", 0, 0, 65535)
    if not rows or not columns:
        raise Unreadable(
            f"{path.name} is a {kind_of(header)} without pixels: its size is {rows} x {columns}.",
            remedy="Send or export it again.",
        )
    allocated = whole("BitsAllocated", 16, 1, 64)
    stored = whole("BitsStored", allocated, 1, 64)
    high = whole("HighBit", stored - 1, 0, 63)
    samples = whole("SamplesPerPixel", 1, 1, 4)
    photometric = text(header, "PhotometricInterpretation").upper() or "MONOCHROME2"
    # A high bit outside its container made another reader write beyond its memory (CVE-2024-52333).
    if allocated not in (1, 8, 16, 32, 64) or not stored - 1 <= high < allocated:
        raise Unreadable(
            f"{path.name} says its pixels have {stored} of {allocated} bits with bit {high} on top.",
            remedy="Export it again.",
        )
    known = _COLOUR if samples == 3 else _GREY if samples == 1 else ()
    if photometric not in known:
        raise Unreadable(
            f"{path.name} stores colour as {photometric[:20]} with {samples} samples, which is not read.",
            remedy="Export it as RGB or as grey.",
        )
    if samples == 3 and allocated not in (8, 16):
        raise Unreadable(
            f"{path.name} stores colour in {allocated} bits, which is not read.",
            remedy="Export it as RGB, 8 bits.",
        )
    layout = Layout(
        rows,
        columns,
        samples,
        # Some writers say 0 where they mean 1.
        max(1, whole("NumberOfFrames", 1, 0, 2**31 - 1)),
        allocated,
        stored,
        high,
        bool(whole("PixelRepresentation", 0, 0, 1)),
        photometric,
        bool(whole("PlanarConfiguration", 0, 0, 1)) and samples == 3,
    )
    if rows * columns > _MOST_PIXELS:
        raise Unreadable(
            f"{path.name} promises {rows} x {columns} pixels in one frame, which is more than is read.",
            remedy="Export it in tiles, or open it as a whole slide.",
        )
    if photometric == "YBR_FULL_422" and columns % 2:
        raise Unreadable(
            f"{path.name} shares colour between pairs of pixels, but has {columns} columns, an odd number.",
            remedy="Export it as RGB.",
        )
    return layout


def check_frames(layout: Layout, header: Header, path: Path) -> None:
    """Raises Unreadable when a header promises more frames than its file can hold."""
    held = path.stat().st_size * (_DEFLATE_GAINS if header.transfer_syntax == _DEFLATED else 1)
    if layout.frames > max(1, held):
        raise Unreadable(
            f"{path.name} promises {layout.frames} frames, more than it has bytes.", remedy="Send it again."
        )


def decode(
    header: "Header | Dataset", path: Path, wanted: Sequence[int] | None = None, *, indices: bool = False
) -> Array:
    """Stored values of the frames `wanted` (all of them by default), as many as the bits that mean something:
    unused high bits and overlays in them are masked, signs extended; colour is RGB.

    header   of the file, scanned or read with pydicom
    indices  give the numbers of a palette, not its colours: those of a label map are for showing only

    Returns (frames, rows, columns), or (frames, rows, columns, 3) uint8.
    Raises Unreadable when the pixels are missing, damaged, cut short or of an unknown compression, or when the
    header promises more than the file holds; NoRoom when they do not fit into the memory.
    """
    header = header if isinstance(header, Header) else scan_header(path)
    layout = layout_of(header, path)
    if indices and layout.photometric == "PALETTE COLOR":
        layout = replace(layout, photometric="MONOCHROME2")
    frames = range(layout.frames) if wanted is None else wanted
    try:
        if is_native(header):
            return _native(path, header, layout, frames)
        return _encapsulated(path, header, layout, frames)
    except MemoryError as error:
        raise NoRoom(f"{path.name} does not fit into the memory.", remedy="Use a machine with more.") from error
    except OSError as error:
        raise Unreadable(f"{path.name} cannot be read from the disk.", remedy="Check the disk.") from error


def is_native(header: Header) -> bool:
    """Are the pixels stored uncompressed (or only deflated with the whole file)?"""
    return header.transfer_syntax in (*_LITTLE, _DEFLATED, _BIG)


def settle(stored: Array, layout: Layout) -> None:
    """Make every number mean only its stored bits, in place: unused bits may hold anything (PS3.5 8.1.1), and the
    sign of a 12-bit number is bit 11."""
    left, right = layout.allocated - 1 - layout.high, layout.allocated - layout.stored
    if right and layout.allocated >= 8 and stored.dtype.kind in "iu":
        np.left_shift(stored, left, out=stored)
        np.right_shift(stored, right, out=stored)  # of signed numbers it keeps the sign


def scale_of(item: Header) -> tuple[float, float]:
    """(slope, intercept) of a header or of a functional group; (1, 0) where it gives none."""
    slope, intercept = (
        # What is written but is no number ("NaN", "1e400") must not pass for "not written"; it is refused later.
        float("nan") if (value := number(item, keyword)) is None and text(item, keyword) else value
        for keyword in ("RescaleSlope", "RescaleIntercept")
    )
    return slope or 1.0, intercept or 0.0


def check_scale(slope: float, intercept: float, layout: Layout, path: Path) -> None:
    """Raises Unreadable when the scale leads out of the numbers that float32 holds."""
    largest = 2.0**layout.stored * abs(slope) + abs(intercept)
    if not largest < float(np.finfo(np.float32).max):  # also catches NaN
        raise Unreadable(
            f"{path.name} says its numbers times {slope:g} plus {intercept:g} are the values, which cannot be.",
            remedy="Export it again.",
        )


def values_of(stored: Array, scales: Sequence[tuple[float, float]]) -> Array:
    """Stored values on the modality's scale: whole numbers stay whole, everything else becomes float32.

    stored  (frames, rows, columns); where the result fits into the same bytes, it is changed and returned
    scales  (slope, intercept) of each frame
    """
    slope, intercept = scales[0]
    if any(one != scales[0] for one in scales) or slope != 1 or not intercept.is_integer():
        out = np.empty(stored.shape, np.float32)
        for n, (slope, intercept) in enumerate(scales):
            out[n] = stored[n].astype(np.float64) * slope + intercept  # in double first: intercepts may be large
        return out
    if intercept == 0 or stored.dtype.kind == "f" or not stored.size:
        return stored if intercept == 0 else stored + stored.dtype.type(intercept)
    low, high = int(stored.min()) + int(intercept), int(stored.max()) + int(intercept)
    fits = low >= -32768 and high <= 32767
    if fits and stored.dtype.itemsize == 2 and stored.flags.writeable:
        # What overflows on the way comes back: sixteen bits are counted round and round.
        signed = stored.view(np.int16)
        signed += np.array(int(intercept) & 0xFFFF, np.uint16).view(np.int16)
        return signed
    if low < -(2**31) or high >= 2**31:
        return (stored + intercept).astype(np.float32)
    moved: Array = stored.astype(np.int64 if stored.dtype.itemsize > 2 else np.int32)
    moved += int(intercept)
    return moved.astype(np.int16 if fits else np.int32, copy=False)


def padding_of(header: Header, layout: Layout) -> tuple[int, int] | None:
    """Lowest and highest stored value that stands for "nothing here" (PS3.3 C.7.5.1.1.2), None without."""
    value, limit = number(header, "PixelPaddingValue"), number(header, "PixelPaddingRangeLimit")
    if value is None:
        return None
    low, high = sorted(_as_stored(one, layout) for one in (value, value if limit is None else limit))
    return low, high


def fill_padding(
    stored: Array,
    ends: tuple[int, int],
    scales: Sequence[tuple[float, float]],
    *,
    hounsfield: bool,
    dark: bool = True,
) -> int:
    """Put something plausible where the padding is, in place: air for CT, else the lowest real value.

    stored      (frames, rows, columns) as decoded
    ends        lowest and highest padding value
    scales      (slope, intercept) of each frame
    hounsfield  the scaled numbers are HU: padding becomes -1000, unless it lies between -1024 and -1000 already
    dark        small numbers are dark; otherwise padding becomes the highest real value

    Returns how many pixels were filled.
    """
    low, high = ends
    info = np.iinfo(stored.dtype)
    if high < info.min or low > info.max:
        return 0
    low, high = max(low, info.min), min(high, info.max)
    real: list[int] = []
    marked: list[Array] = []
    count = 0
    for frame in stored:
        mask = (frame >= low) & (frame <= high) if low != high else frame == low
        found = int(np.count_nonzero(mask))
        marked.append(np.flatnonzero(mask) if found else np.empty(0, np.intp))
        count += found
        if found < frame.size and (found or not hounsfield):
            rest = frame[~mask] if found else frame
            real.append(int(rest.min() if dark else rest.max()))
    filled = 0
    end = (min(real) if dark else max(real)) if real else None
    for frame, where, (slope, intercept) in zip(stored, marked, scales, strict=True):
        if not where.size:
            continue
        value = end
        if hounsfield and slope > 0:
            if low == high and _FLOOR_HU <= low * slope + intercept <= _AIR_HU:
                continue
            air = round((_AIR_HU - intercept) / slope)
            value = air if info.min <= air <= info.max else end
        if value is not None:
            frame.reshape(-1)[where] = value
            filled += int(where.size)
    return filled


def turned_over(stored: Array, layout: Layout) -> Array:
    """MONOCHROME1 to bright where dense, in the nominal range: two images of one device stay comparable."""
    if stored.dtype.kind == "f":
        turned: Array = stored.max() + stored.min() - stored
        return turned.astype(stored.dtype)
    ends = -1 if layout.signed else 2**layout.stored - 1  # low + high of the stored type
    # What the type cannot hold wraps around, as in the pixels of a file that contradicts its header.
    return np.asarray(np.int64(ends).astype(stored.dtype) - stored)


def eight_bits(array: Array) -> Array:
    """Colour as uint8, which is what every other door gives."""
    if array.dtype != np.uint8 and array.max(initial=0) > 255:
        array = array >> 8
    return array.astype(np.uint8, copy=False)


def _as_stored(value: float, layout: Layout) -> int:
    """Padding is written as signed or unsigned as the writer pleased; the pixels say which it is."""
    whole, span = int(value), 1 << layout.allocated
    if layout.signed and whole >= span // 2:
        return whole - span
    return whole + span if not layout.signed and whole < 0 else whole


def _native(path: Path, header: Header, layout: Layout, wanted: Sequence[int]) -> Array:
    offset, held = header.pixel_offset, header.pixel_length
    swapped = header.transfer_syntax == _BIG and layout.allocated == 8
    if offset is None or header.transfer_syntax == _DEFLATED or held is None or swapped or layout.allocated == 64:
        return _from_dataset(path, header, layout, wanted)
    held = min(held, path.stat().st_size - offset)
    _check_promise(path, layout, held)
    if layout.samples == 3 or layout.allocated == 1:
        with path.open("rb") as file:
            file.seek(offset)
            return _from_bytes(file.read(held), header, layout, wanted, path)
    out = np.empty((len(wanted), layout.rows, layout.columns), layout.dtype)
    size = layout.frame_bytes
    with path.open("rb", buffering=0) as file:
        for first, last, at in _runs(wanted):
            file.seek(offset + at * size)
            _fill(file, out[first:last].reshape(-1).view(np.uint8).data, path)
    if header.transfer_syntax == _BIG:
        out.byteswap(inplace=True)
    settle(out, layout)
    return _coloured(out, header, layout, path)


def _fill(file: Any, view: memoryview, path: Path) -> None:
    """Read until `view` is full: one call may give less, on a network disk or for more than two gigabytes."""
    done = 0
    while done < len(view):
        got = file.readinto(view[done:])
        if not got:
            raise _cut(path)
        done += got


def _runs(wanted: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """(first, past last, frame) of each stretch of frames that follow each other in the file."""
    start = 0
    for n in range(1, len(wanted) + 1):
        if n == len(wanted) or wanted[n] != wanted[n - 1] + 1:
            yield start, n, wanted[start]
            start = n


def _check_promise(path: Path, layout: Layout, held: int) -> None:
    promised = -(-layout.frame_bits * layout.frames // 8)
    if promised > held:
        raise Unreadable(
            f"{path.name} is cut short: it promises {promised:,} bytes of pixels and holds {held:,}.",
            remedy="Send it again.",
        )


def _from_dataset(path: Path, header: Header, layout: Layout, wanted: Sequence[int]) -> Array:
    """The slow way, for files whose pixels cannot be found without unpacking, and for pixels that are floats."""
    dataset = read_dataset(path)
    for keyword, kind in (("FloatPixelData", "<f4"), ("DoubleFloatPixelData", "<f8")):
        floats, _ = pixel_bytes(dataset, keyword, path)
        if floats:
            values = np.frombuffer(floats[: len(floats) // int(kind[2]) * int(kind[2])], kind)
            size = layout.rows * layout.columns
            if values.size < size * layout.frames:
                raise _cut(path)
            out = values[: size * layout.frames].reshape(layout.frames, layout.rows, layout.columns)
            chosen: Array = out[list(wanted)]
            if not np.isfinite(chosen).all():
                raise BadPixels(f"{path.name} holds NaN or infinity.", remedy="Replace them by numbers.")
            return chosen.astype(kind[1:])
    data, stored_as = pixel_bytes(dataset, "PixelData", path)
    if not data:
        raise _without_pixels(path, header)
    if header.transfer_syntax == _BIG and layout.allocated == 8 and stored_as == "OW":
        data = np.frombuffer(data[: len(data) // 2 * 2], np.uint16).byteswap().tobytes()
    _check_promise(path, layout, len(data))
    return _from_bytes(data, header, layout, wanted, path)


def _from_bytes(data: bytes, header: Header, layout: Layout, wanted: Sequence[int], path: Path) -> Array:
    shape = (layout.rows, layout.columns)
    if layout.allocated == 64:
        raise Unreadable(f"{path.name} stores whole numbers in 64 bits, which is not read.", remedy="Use 32 bits.")
    if layout.allocated == 1:
        # Frames follow each other without a gap, so one may begin within a byte (PS3.5 8.1.1).
        size = layout.rows * layout.columns
        bits = [
            np.unpackbits(np.frombuffer(data, np.uint8, -(-(n + 1) * size // 8) - n * size // 8, n * size // 8),
                          bitorder="little")[n * size % 8 :][:size].reshape(shape)
            for n in wanted
        ]  # fmt: skip
        return np.stack(bits)
    order = ">" if header.transfer_syntax == _BIG else "<"
    per_frame = layout.frame_bytes * 8 // layout.allocated
    numbers_in = np.frombuffer(data, np.dtype(order + layout.dtype.str[1:]), per_frame * layout.frames)
    frames = numbers_in.reshape(layout.frames, per_frame)[list(wanted)].astype(layout.dtype)
    settle(frames, layout)
    if layout.samples == 1:
        return _coloured(frames.reshape(-1, *shape), header, layout, path)
    return np.stack([_colour(frame, layout) for frame in frames])


def _colour(samples: Array, layout: Layout) -> Array:
    """One frame of uncompressed samples as (rows, columns, 3) RGB."""
    if layout.photometric == "YBR_FULL_422":
        # Y Y Cb Cr for each pair of pixels (PS3.3 C.7.6.3.1.2)
        pairs = samples.reshape(layout.rows, layout.columns // 2, 4)
        ybr = np.empty((layout.rows, layout.columns, 3), samples.dtype)
        ybr[:, 0::2, 0], ybr[:, 1::2, 0] = pairs[..., 0], pairs[..., 1]
        ybr[..., 1], ybr[..., 2] = np.repeat(pairs[..., 2], 2, axis=1), np.repeat(pairs[..., 3], 2, axis=1)
        return rgb_of(eight_bits(ybr), layout.photometric)
    if layout.planar:
        planes = samples.reshape(3, layout.rows, layout.columns).transpose(1, 2, 0)
    else:
        planes = samples.reshape(layout.rows, layout.columns, 3)
    colour = np.ascontiguousarray(_in_eight(planes, layout))
    return rgb_of(colour, layout.photometric)


def _in_eight(colour: Array, layout: Layout) -> Array:
    if colour.dtype == np.uint8:
        return colour
    narrow: Array = colour >> max(0, layout.stored - 8)
    return narrow.astype(np.uint8)


def _coloured(stored: Array, header: Header, layout: Layout, path: Path) -> Array:
    """Indices of a palette become RGB; everything else stays."""
    if layout.photometric != "PALETTE COLOR":
        return stored
    first, table = palette_of(header, path, signed=layout.signed)
    return eight_bits(lookup(stored, first, table))


def _encapsulated(path: Path, header: Header, layout: Layout, wanted: Sequence[int]) -> Array:
    frames = frames_of(path, header, layout.frames)
    out: Array | None = None
    for n, index in enumerate(wanted):
        one = _decode_frame(frames.read(index), header.transfer_syntax, layout, path)
        if out is None:
            out = np.empty((len(wanted), *one.shape), one.dtype)
        out[n] = one
    if out is None:
        raise _without_pixels(path, header)
    return _coloured(out, header, layout, path)


def _decode_frame(data: bytes, syntax: str, layout: Layout, path: Path) -> Array:
    """(rows, columns) stored values, or (rows, columns, 3) RGB, of one compressed frame."""
    size = stream_size(data)
    # The stream says for itself how large it is, and that is what its decoder would allocate.
    if size is not None and size[:2] != (layout.rows, layout.columns):
        raise Unreadable(
            f"{path.name}: the compressed picture is {size[0]} x {size[1]}, its header says "
            f"{layout.rows} x {layout.columns}.",
            remedy="Send or export it again.",
        )
    try:
        found = decode_stream(data, syntax, _told(layout), bits=size and size[2])
    except MemoryError:
        raise
    except Exception as error:  # each decoder has its own exceptions
        name = _name_of(syntax)
        raise Unreadable(
            f"The pixels of {path.name} cannot be decoded ({name}): they are damaged, cut short or unsupported.",
            remedy="Send it again, or export it uncompressed.",
        ) from error
    return found if layout.samples == 3 else _as_promised(found, layout)


def _told(layout: Layout) -> Told:
    return Told(
        layout.rows,
        layout.columns,
        layout.samples,
        layout.allocated,
        layout.stored,
        layout.signed,
        layout.photometric,
    )


def _as_promised(found: Array, layout: Layout) -> Array:
    """Grey numbers in the type that the header promises, signs where it has them."""
    if found.dtype != layout.dtype and found.dtype.itemsize <= layout.dtype.itemsize:
        found = found.astype(layout.dtype)
    if found.dtype == layout.dtype and not layout.signed and int(found.max(initial=0)) >> layout.stored:
        return found  # the stream has more bits than the header says, and they are the picture's
    out = np.array(found)
    settle(out, replace(layout, high=layout.stored - 1))
    return out


def _name_of(syntax: str) -> str:
    from pydicom.uid import UID

    return str(UID(syntax).name)


def _cut(path: Path) -> Unreadable:
    return Unreadable(f"{path.name} is cut short: pixels are missing.", remedy="Send it again.")


def _without_pixels(path: Path, header: Header) -> Unreadable:
    return Unreadable(f"{path.name} is a {kind_of(header)} without pixels.", remedy="Send or export it again.")

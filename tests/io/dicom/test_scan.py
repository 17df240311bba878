"""The lean header reader: the same answers as pydicom, in bounded time and memory, whatever the bytes are."""

import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
)

from osler.core.errors import Unreadable
from osler.io.dicom import scan as scan_module
from osler.io.dicom import walk as walk_module
from osler.io.dicom.parse import is_dicom, kind_of, number, numbers, read_header, sequence, text
from osler.io.dicom.scan import TAGS, Header, scan_header, scan_headers

CT = "1.2.840.10008.5.1.4.1.1.2"
LONG = (b"OB", b"OW", b"SQ", b"UN", b"UT")
UNDEFINED = 0xFFFFFFFF


def element(tag: int, kind: bytes, value: bytes, *, length: int | None = None, implicit: bool = False) -> bytes:
    """One element in little endian; `length` may lie."""
    length = len(value) if length is None else length
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if implicit:
        return head + struct.pack("<L", length) + value
    if kind in LONG:
        return head + kind + b"\0\0" + struct.pack("<L", length) + value
    return head + kind + struct.pack("<H", length) + value


def part10(body: bytes, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """A file with preamble and file meta information."""
    uid = syntax.encode() + b"\0" * (len(syntax) % 2)
    meta = element(0x00020010, b"UI", uid)
    return bytes(128) + b"DICM" + element(0x00020000, b"UL", struct.pack("<L", len(meta))) + meta + body


def whole() -> Dataset:
    """A header with one of everything: words, numbers of all kinds, several values, nested sequences, pixels."""
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 100"
    made.SOPClassUID, made.SOPInstanceUID = CT, "1.2.3"
    made.StudyInstanceUID, made.SeriesInstanceUID, made.Modality = "1.2", "1.2.1", "CT"
    made.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    made.Manufacturer, made.StudyDescription = "ACME ", "Schädel"
    made.PatientID = "MADE-UP"
    made.KVP, made.SliceThickness = "120", "2.50"
    made.ConvolutionKernel = ["I30f", "3"]
    made.ImagePositionPatient = ["-1.50", "2", "3e1"]
    made.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    made.PixelSpacing = ["0.5", "0.50"]
    made.DiffusionBValue = 1000.0
    made.DiffusionGradientOrientation = [0.0, 0.6, 0.8]
    made.TemporalPositionIndex = 3
    made.InstanceNumber = "007"
    made.SeriesNumber = None
    made.Rows, made.Columns, made.SamplesPerPixel = 2, 3, 1
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 12, 11, 1
    made.PixelPaddingValue = -2000
    made.add_new(0x00280120, "SS", -2000)
    made.RescaleSlope, made.RescaleIntercept = "1", "-1024"
    inner, middle = Dataset(), Dataset()
    inner.CodeValue = "x"
    middle.RadionuclideCodeSequence = [inner]
    middle.RadionuclideTotalDose = "3e8"
    made.RadiopharmaceuticalInformationSequence = [middle, Dataset()]
    made.PixelData = np.arange(6, dtype="<u2").tobytes()
    made["PixelData"].VR = "OW"
    return made


def save(made: Dataset, path: Path, syntax: str, *, undefined: bool = False) -> Path:
    if undefined:
        for one in made.iterall():
            if one.VR == "SQ":
                one.is_undefined_length = True
                for item in one.value:
                    item.is_undefined_length_sequence_item = True
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = syntax
    made.save_as(
        path,
        implicit_vr=syntax == ImplicitVRLittleEndian,
        little_endian=syntax != ExplicitVRBigEndian,
        enforce_file_format=True,
    )
    return path


def answers(header: object, keyword: str) -> tuple[object, ...]:
    if TAGS[keyword][1] == "SQ":
        return keyword in header, sequence(header, keyword)  # type: ignore[operator, arg-type]
    return keyword in header, text(header, keyword), number(header, keyword), numbers(header, keyword)  # type: ignore[operator, arg-type]


def assert_alike(path: Path) -> Header:
    ours, theirs = scan_header(path), read_header(path)
    assert {k for k in TAGS if answers(ours, k) != answers(theirs, k)} == set()
    assert kind_of(ours) == kind_of(theirs)
    return ours


def test_the_table_is_the_dictionary() -> None:
    assert {k: (tag_for_keyword(k), dictionary_VR(tag)) for k, (tag, _) in TAGS.items()} == TAGS


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_every_encoding_gives_pydicoms_answers(tmp_path, syntax, undefined):
    path = save(whole(), tmp_path / "a.dcm", syntax, undefined=undefined)
    header = assert_alike(path)
    assert header.transfer_syntax == syntax
    assert text(header, "StudyDescription") == "Schädel"
    assert text(header, "InstanceNumber") == "007" and number(header, "InstanceNumber") == 7
    assert numbers(header, "ImagePositionPatient") == (-1.5, 2.0, 30.0)
    assert str(header.get("PixelSpacing")) == "[0.5, 0.50]"
    assert number(header, "PixelPaddingValue") == -2000
    assert header.get("SeriesNumber", "none") is None and "SeriesNumber" in header
    assert header.get("EchoTime", "none") == "none" and "EchoTime" not in header
    [medicine, empty] = sequence(header, "RadiopharmaceuticalInformationSequence")
    assert medicine.RadionuclideTotalDose == 3e8 and not len(empty)
    # What the scan does not know is asked of pydicom.
    assert "HighBit" in header and text(header, "StudyID") == "" and "StudyID" not in header
    if syntax == DeflatedExplicitVRLittleEndian:
        assert header.pixel_offset is None and header.pixel_length is None
    else:
        assert header.pixel_offset is not None and header.pixel_length == 12
        order = ">u2" if syntax == ExplicitVRBigEndian else "<u2"
        stored = np.frombuffer(path.read_bytes(), order, 6, header.pixel_offset)
        expected = np.arange(6) if order == "<u2" else np.arange(6).astype("<u2").view(">u2")
        np.testing.assert_array_equal(stored, expected)


def test_what_is_asked_for_is_read_once_and_only_when_needed(tmp_path, monkeypatch):
    path = save(whole(), tmp_path / "a.dcm", ExplicitVRLittleEndian)
    header = scan_header(path)
    reads: list[Path] = []
    monkeypatch.setattr(scan_module, "read_header", lambda p: reads.append(p) or read_header(p))
    number(header, "Rows"), text(header, "ImageType"), sequence(header, "PerFrameFunctionalGroupsSequence")
    assert reads == []
    (
        text(header, "StudyID"),
        text(header, "AccessionNumber"),
        sequence(header, "RadiopharmaceuticalInformationSequence"),
    )
    assert reads == [path]


def test_compressed_pixels_have_a_place_but_no_length(tmp_path):
    made = whole()
    from pydicom.encaps import encapsulate

    made.PixelData = encapsulate([b"\xff\xd8\xff\xd9"])
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    header = scan_header(save(made, tmp_path / "a.dcm", JPEGBaseline8Bit))
    assert header.pixel_offset is not None and header.pixel_length is None
    raw = (tmp_path / "a.dcm").read_bytes()
    assert raw[header.pixel_offset : header.pixel_offset + 4] == b"\xfe\xff\x00\xe0"


def test_pixels_that_end_too_early_have_no_length(tmp_path):
    path = save(whole(), tmp_path / "a.dcm", ExplicitVRLittleEndian)
    path.write_bytes(path.read_bytes()[:-1])
    header = scan_header(path)
    assert header.pixel_offset is not None and header.pixel_length is None


def test_a_header_longer_than_the_first_bytes(tmp_path):
    body = (
        element(0x00080060, b"CS", b"CT")
        + element(0x00091010, b"OB", bytes(300_000))
        + element(0x00200011, b"IS", b"42")
        + element(0x00211010, b"UN", bytes(16 * 1024 - 9))
        + element(0x00280010, b"US", struct.pack("<H", 512))
    )
    path = tmp_path / "long.dcm"
    path.write_bytes(part10(body))
    header = assert_alike(path)
    assert (number(header, "SeriesNumber"), number(header, "Rows")) == (42, 512)


@pytest.mark.parametrize("shift", range(40))
def test_an_element_across_the_end_of_the_first_bytes(tmp_path, shift):
    filler = element(0x00091010, b"OB", bytes(16 * 1024 - 200 - shift * 2))
    body = filler + element(0x00200011, b"IS", b"42") + element(0x00280010, b"US", struct.pack("<H", 512))
    path = tmp_path / "edge.dcm"
    path.write_bytes(part10(body))
    header = scan_header(path)
    assert (number(header, "SeriesNumber"), number(header, "Rows")) == (42, 512)


ROWS = element(0x00280010, b"US", struct.pack("<H", 512))
ODD = {
    "no preamble": element(0x00080060, b"CS", b"CT") + ROWS,
    "no preamble, implicit": element(0x00080060, b"", b"CT", implicit=True)
    + element(0x00280010, b"", struct.pack("<H", 512), implicit=True),
    "no transfer syntax": bytes(128) + b"DICM" + element(0x00080060, b"CS", b"CT") + ROWS,
    "explicit, called implicit": part10(element(0x00080060, b"CS", b"CT") + ROWS, ImplicitVRLittleEndian),
    "implicit, called explicit": part10(
        element(0x00080060, b"", b"CT", implicit=True)
        + element(0x00280010, b"", struct.pack("<H", 512), implicit=True)
    ),
    "an unknown transfer syntax": part10(element(0x00080060, b"CS", b"CT") + ROWS, "1.2.3.4"),
    "a wrong length of the meta group": part10(element(0x00080060, b"CS", b"CT") + ROWS).replace(
        element(0x00020000, b"UL", struct.pack("<L", 28)), element(0x00020000, b"UL", struct.pack("<L", 9999))
    ),
    "trailing padding": part10(element(0x00080060, b"CS", b"CT") + ROWS) + bytes(5),
    "odd lengths": part10(element(0x00080060, b"CS", b"CT ") + element(0x00200011, b"IS", b"7") + ROWS),
    "the same element twice": part10(element(0x00080060, b"CS", b"MR") + element(0x00080060, b"CS", b"CT") + ROWS),
    "elements out of order": part10(ROWS + element(0x00080060, b"CS", b"CT")),
    "group lengths": part10(
        element(0x00080000, b"UL", struct.pack("<L", 77)) + element(0x00080060, b"CS", b"CT") + ROWS
    ),
    "a VR of the future": part10(element(0x00080060, b"CS", b"CT") + element(0x00091010, b"ZZ", b"?") + ROWS),
    "UN with a sequence in it": part10(
        element(0x00080060, b"CS", b"CT")
        + element(0x00091010, b"UN", b"", length=UNDEFINED)
        + struct.pack("<HHL", 0xFFFE, 0xE000, UNDEFINED)
        + element(0x00080100, b"", b"x ", implicit=True)
        + struct.pack("<HHL", 0xFFFE, 0xE00D, 0)
        + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
        + ROWS
    ),
    "UN instead of the known VR": part10(element(0x00080060, b"UN", b"CT") + ROWS),
    "numbers that are none": part10(
        element(0x00080060, b"CS", b"CT")
        + element(0x00180050, b"DS", b"1,5 ")
        + element(0x00180060, b"DS", b"1e400 ")
        + element(0x00180081, b"DS", b"NaN ")
        + element(0x00200011, b"IS", b"abc ")
        + element(0x00200012, b"IS", b"1099511627776 ")
        + element(0x00200013, b"IS", b"1.0 ")
        + ROWS
    ),
    "wrong numbers of bytes": part10(
        element(0x00080060, b"CS", b"CT") + ROWS + element(0x00280011, b"US", b"abc")
    ),
    "empty values": part10(
        element(0x00080060, b"CS", b"CT")
        + element(0x00200011, b"IS", b"")
        + ROWS
        + element(0x00280011, b"US", b"")
    ),
    "bytes of another character set": part10(
        element(0x00080005, b"CS", b"\\ISO 2022 IR 87 ")
        + element(0x00080060, b"CS", b"CT")
        + element(0x00081030, b"LO", b"\x1b$B;3ED\x1b(B")
        + ROWS
    ),
    "an unknown character set": part10(
        element(0x00080005, b"CS", b"KLINGON ")
        + element(0x00080060, b"CS", b"CT")
        + element(0x00081030, b"LO", b"\xe4\xf6")
        + ROWS
    ),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.filterwarnings("ignore")
def test_odd_files_give_pydicoms_answers(tmp_path, name):
    path = tmp_path / "odd.dcm"
    path.write_bytes(ODD[name])
    header = assert_alike(path)
    assert (text(header, "Modality"), number(header, "Rows")) == ("CT", 512)


def test_what_nobody_can_decode_is_absent(tmp_path):
    path = tmp_path / "odd.dcm"
    path.write_bytes(part10(ROWS + element(0x00181210, b"ZZ", b"I1")))
    with pytest.raises(NotImplementedError):
        read_header(path).get("ConvolutionKernel")
    header = scan_header(path)
    assert header.get("ConvolutionKernel", "none") == "none" and text(header, "ConvolutionKernel") == ""
    assert number(header, "Rows") == 512


def test_a_sequence_in_the_place_of_a_text_is_no_text(tmp_path):
    """Its items may hold anybody's name, and become a text only where somebody prints them."""
    inside = element(0x00100010, b"PN", b"Nobody^Here")
    item = struct.pack("<HHL", 0xFFFE, 0xE000, len(inside)) + inside
    path = tmp_path / "odd.dcm"
    path.write_bytes(part10(element(0x00080070, b"SQ", item) + ROWS))
    for header in (scan_header(path), read_header(path)):
        assert text(header, "Manufacturer") == "" and numbers(header, "Manufacturer") == ()


def test_numbers_beyond_all_bounds_are_none(tmp_path):
    path = tmp_path / "odd.dcm"
    path.write_bytes(ODD["numbers that are none"])
    header = scan_header(path)
    for keyword in ("SliceThickness", "KVP", "EchoTime", "SeriesNumber"):
        assert number(header, keyword) is None
    assert number(header, "AcquisitionNumber") == 2**40


def nested(depth: int, *, explicit: bool = True) -> bytes:
    begin = element(0x00081140, b"SQ", b"", length=UNDEFINED, implicit=not explicit)
    return (begin + struct.pack("<HHL", 0xFFFE, 0xE000, UNDEFINED)) * depth + (
        struct.pack("<HHL", 0xFFFE, 0xE00D, 0) + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    ) * depth


def nested_by_length(depth: int) -> bytes:
    body = b""
    for _ in range(depth):
        body = element(0x00081140, b"SQ", struct.pack("<HHL", 0xFFFE, 0xE000, len(body)) + body)
    return body


def deflated(size: int) -> bytes:
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = engine.compress(element(0x00080060, b"CS", b"CT") + element(0x00091010, b"OB", bytes(size)))
    return part10(body + engine.flush(), DeflatedExplicitVRLittleEndian)


EMPTY_ITEMS = struct.pack("<HHL", 0xFFFE, 0xE000, 0) * 1_000_000
BAD = {
    "nothing": b"",
    "131 bytes": bytes(131),
    "a preamble and no more": bytes(128) + b"DICM",
    "a value longer than the file": part10(
        element(0x00080060, b"CS", b"CT") + element(0x00091010, b"OB", b"", length=2**32 - 2)
    ),
    "a meta value longer than the file": bytes(128) + b"DICM" + element(0x00020010, b"UI", b"1", length=60_000),
    "nested a thousand deep": part10(nested(1_000)),
    "nested a hundred thousand deep": part10(nested(100_000)),
    "nested deep, implicit": part10(nested(1_000, explicit=False), ImplicitVRLittleEndian),
    "a sequence without its end": part10(
        element(0x00080060, b"CS", b"CT") + element(0x00081140, b"SQ", b"", length=UNDEFINED)
    ),
    "an item longer than the file": part10(
        element(0x00081140, b"SQ", b"", length=UNDEFINED) + struct.pack("<HHL", 0xFFFE, 0xE000, 2**31)
    ),
    "an item of a million empty ones": part10(
        element(0x00081140, b"SQ", EMPTY_ITEMS + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0), length=UNDEFINED)
    ),
    "deflated, cut short": deflated(10_000)[:-20],
    "deflated nonsense": part10(b"\xff" * 100, DeflatedExplicitVRLittleEndian),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_soon_and_by_name(tmp_path, name):
    path = tmp_path / "bad.dcm"
    path.write_bytes(BAD[name])
    for read in (scan_header, read_header):
        start = time.perf_counter()
        with pytest.raises(Unreadable, match=r"bad\.dcm") as caught:
            read(path)
        assert caught.value.remedy
        assert time.perf_counter() - start < 5


@pytest.mark.parametrize("name", ["nested by lengths", "a million empty items"])
def test_what_a_scan_steps_over_stops_pydicom_from_reading_on(tmp_path, name):
    body = nested_by_length(500) if name == "nested by lengths" else element(0x00081140, b"SQ", EMPTY_ITEMS)
    path = tmp_path / "bad.dcm"
    path.write_bytes(part10(element(0x00080060, b"CS", b"CT") + body + ROWS))
    header = scan_header(path)
    assert number(header, "Rows") == 512
    assert text(header, "StudyID") == ""  # would need the whole, which is refused
    with pytest.raises(Unreadable, match=r"bad\.dcm"):
        read_header(path)


def test_a_deflated_bomb_does_not_unfold(tmp_path, monkeypatch):
    monkeypatch.setattr(walk_module, "_INFLATED_FREELY", 1 << 20)
    path = tmp_path / "bomb.dcm"
    path.write_bytes(deflated(16 << 20))
    assert path.stat().st_size < 1 << 16
    for read in (scan_header, read_header):
        with pytest.raises(Unreadable, match="fill the memory"):
            read(path)


def test_what_is_no_file_is_refused(tmp_path):
    import os

    with pytest.raises(Unreadable, match="missing"):
        scan_header(tmp_path / "nowhere.dcm")
    with pytest.raises(Unreadable, match=r"folder\.dcm"):
        (tmp_path / "folder.dcm").mkdir()
        scan_header(tmp_path / "folder.dcm")
    os.mkfifo(tmp_path / "pipe.dcm")  # nobody ever writes into it
    with pytest.raises(Unreadable, match=r"pipe\.dcm is no file"):
        scan_header(tmp_path / "pipe.dcm")


def test_a_header_is_never_printed(tmp_path):
    header = scan_header(save(whole(), tmp_path / "a.dcm", ExplicitVRLittleEndian))
    assert repr(header) == "Header(a.dcm)"


def test_many_files_come_in_order_with_their_errors_and_progress(tmp_path):
    path = save(whole(), tmp_path / "a.dcm", ExplicitVRLittleEndian)
    (tmp_path / "bad.dcm").write_bytes(b"")
    paths = [path, tmp_path / "bad.dcm"] * 100
    heard: list[tuple[str, int, int, str]] = []
    found = scan_headers(paths, lambda *told: heard.append(told))
    assert [isinstance(one, Header) for one in found] == [True, False] * 100
    assert all(isinstance(one, Unreadable) for one in found[1::2])
    assert heard[-1][:3] == ("headers", 200, 200) and heard[-1][3].endswith("files/s")
    assert [told[1] for told in heard] == sorted(told[1] for told in heard)


RAW = part10(
    element(0x00080005, b"CS", b"ISO_IR 192")
    + element(0x00080016, b"UI", CT.encode() + b"\0")
    + element(0x00080060, b"CS", b"CT")
    + nested(2)
    + element(0x00091010, b"UN", b"", length=UNDEFINED)
    + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    + element(0x00200032, b"DS", b"1\\2\\3 ")
    + ROWS
    + element(0x7FE00010, b"OW", bytes(12))
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, len(RAW) - 1), st.integers(0, 255)), max_size=6),
    st.integers(0, len(RAW)),
    st.booleans(),
)
@pytest.mark.filterwarnings("ignore")
def test_whatever_the_bytes_are_only_our_errors_come_out(tmp_path, changes, keep, cut):
    raw = bytearray(RAW)
    for place, value in changes:
        raw[place] = value
    path = tmp_path / "any.dcm"
    path.write_bytes(raw[:keep] if cut else raw)
    try:
        header = scan_header(path)
    except Unreadable as error:
        assert "any.dcm" in error.problem and error.remedy
        return
    for keyword in TAGS:
        text(header, keyword), numbers(header, keyword)
        assert all(hasattr(item, "get") for item in sequence(header, keyword))


def test_real_files_give_pydicoms_answers(test_data):
    paths = [p for p in sorted((test_data / "dicom-conformance").rglob("*")) if p.is_file() and is_dicom(p)][::3]
    paths += sorted((test_data / "sarcoma" / "dicom").rglob("*.dcm"))[::20]
    paths += sorted((test_data / "suv-reference").rglob("*.dcm"))[::20]
    if not paths:
        pytest.skip("no real DICOM")
    for path in paths:
        assert_alike(path)


@pytest.mark.filterwarnings("ignore")
def test_pydicoms_own_files_give_its_answers():
    paths = _bundled()
    for path in paths:
        if path.name != "rtplan_truncated.dcm":  # pydicom gives what is left; here it is refused
            assert_alike(path)
    with pytest.raises(Unreadable):
        scan_header(next(p for p in paths if p.name == "rtplan_truncated.dcm"))


def _bundled() -> list[Path]:
    """The test files that come with pydicom itself."""
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    return [path for path in sorted(folder.glob("*.dcm")) if is_dicom(path)]

"""Broken and hostile files against every door: a defined answer, in bounded time and memory, in a process apart.

The machinery is that of benchmarks/fuzz.py, which does the same with 20,000 cases. The named cases are what DCMTK,
Orthanc, pydicom and others were broken with.
"""

import importlib.util
import io
import os
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pydicom
import pytest
from PIL import Image as Pillow
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, RLELossless


def _fuzz() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "fuzz.py"
    spec = importlib.util.spec_from_file_location("fuzz", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fuzz"] = module
    spec.loader.exec_module(module)
    return module


if not Path("/proc/self/statm").exists():
    pytest.skip("limits of memory are set and read by way of /proc", allow_module_level=True)
fuzz = _fuzz()
MADE_UP = {one.name: one for one in fuzz.made_up()}
CT = MADE_UP["ct"].raw
SECRETS = ("Somebody", "Secret")
NO_PICTURE = ("Unreadable", "BadPixels", "BadGeometry", "NoRoom")


class Tried:
    """What the doors made of one file."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.said: dict[str, str] = answer["said"]
        self.texts: dict[str, str] = answer["texts"]
        self.wrong: list[str] = answer["wrong"]
        self.peak_mb: int = answer["peak_mb"]


@pytest.fixture(scope="module")
def children(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Any]]:
    """A child that lives, started anew when the last one was lost."""
    kept: list[Any] = []

    def child() -> Any:
        if not kept or not kept[-1].alive:
            kept.append(fuzz.Child(tmp_path_factory.mktemp("child")))
        return kept[-1]

    yield child
    for one in kept:
        one.close()


@pytest.fixture
def tried(children: Callable[[], Any]) -> Callable[..., Tried]:
    def ask(path: Path, kind: str = "dicom") -> Tried:
        return Tried(children().ask({"kind": kind, "path": str(path), "secrets": SECRETS}))

    return ask


# ---------------------------------------------------------------------------------------------------- the many


def test_500_damaged_files_give_only_our_own_errors(request: pytest.FixtureRequest) -> None:
    originals = list(MADE_UP.values())
    data = Path(os.environ.get("OSLER_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
    originals += fuzz.real(data, largest=200_000)
    found = fuzz.hunt(
        originals, 500, seed=20
    )  # reproduce one: benchmarks/fuzz.py --case N --seed 20 --largest 200000
    assert found["wrong"] == []
    assert found["said"]["Unreadable"] > 300 and found["said"]["read"] > 100, "damage is too mild, or too wild"


def test_every_sound_file_is_read(tmp_path: Path, tried: Callable[..., Tried]) -> None:
    for original in MADE_UP.values():
        path = fuzz._laid_out(original, original.raw, tmp_path / original.name.replace(" ", "-"))
        result = tried(path, original.kind)
        assert result.wrong == [], original.name
        assert "read" in (
            result.said.get("open_picture"),
            result.said.get("read_structures"),
            *result.said.values(),
        )


def test_the_same_case_is_damaged_the_same_way() -> None:
    originals = list(MADE_UP.values())
    assert fuzz.case(originals, 3, 17)[1:] == fuzz.case(originals, 3, 17)[1:]
    assert any(fuzz.case(originals, 3, n)[1] != originals[n].raw for n in range(20))


def test_crashes_and_careless_messages_are_seen(tmp_path: Path) -> None:
    from osler.core.errors import Unreadable

    def crash(path: Path) -> None:
        raise KeyError("x")

    def tells(path: Path) -> None:
        raise Unreadable(f"{path} of Secret^Somebody.", remedy="")

    (tmp_path / "a.dcm").touch()
    result = Tried(fuzz._tried((crash, tells), tmp_path / "a.dcm", ["Secret"]))
    assert result.said == {"crash": "crash", "tells": "Unreadable"}
    assert len(result.wrong) == 4  # the crash; a secret, a whole path, no remedy


def test_a_child_that_dies_or_hangs_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = fuzz.Child(tmp_path)
    assert child.ask({"kind": "no such kind", "path": "x", "secrets": []})["said"] == {"child": "died"}
    child.close()
    child = fuzz.Child(tmp_path)
    monkeypatch.setattr(fuzz, "WAIT", 0.0)
    (tmp_path / "a.dcm").write_bytes(CT)
    assert child.ask({"kind": "dicom", "path": str(tmp_path / "a.dcm"), "secrets": []})["said"] == {
        "child": "hang"
    }
    child.close()


# ------------------------------------------------------------------------------------------------ the named ones


def edited(raw: bytes = CT, **values: Any) -> bytes:
    """The file with other values; None removes the element, (VR, value) writes it with that VR."""
    dataset = pydicom.dcmread(io.BytesIO(raw))
    for keyword, value in values.items():
        if value is None:
            delattr(dataset, keyword)
        elif isinstance(value, tuple):
            dataset.add_new(keyword, *value)
        else:
            setattr(dataset, keyword, value)
    return bytes(fuzz._saved(dataset))


def with_value(keyword: str, value: bytes, vr: bytes | None = None, length: int | None = None) -> bytes:
    """The CT slice with these very bytes as the value of one element, whatever pydicom thinks of them."""
    tag = int(pydicom.datadict.tag_for_keyword(keyword) or 0)
    one = next(one for one in fuzz.elements(CT) if one.tag == tag)
    return CT[: one.start] + fuzz._written(one, vr or one.vr, value, length) + CT[one.end :]


def in_jpeg(size: tuple[int, int], kind: str = "JPEG") -> bytes:
    """An 8-bit picture whose codestream holds another size than the header says."""
    stream = io.BytesIO()
    Pillow.new("L", size, 77).save(stream, kind)
    dataset = pydicom.dcmread(io.BytesIO(CT))
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit if kind == "JPEG" else JPEG2000Lossless
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = encapsulate([stream.getvalue()])
    dataset["PixelData"].is_undefined_length = True
    return bytes(fuzz._saved(dataset))


def in_rle(head: bytes) -> bytes:
    """An RLE picture with another head: the number of segments and their offsets."""
    dataset = pydicom.dcmread(io.BytesIO(CT))
    dataset.compress(RLELossless, generate_instance_uid=False)
    frame = next(iter(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=1)))
    dataset.PixelData = encapsulate([head + frame[len(head) :]])
    dataset["PixelData"].is_undefined_length = True
    return bytes(fuzz._saved(dataset))


def nested(depth: int) -> bytes:
    """Sequences in sequences, before the pixels, properly closed."""
    pixels = next(one.start for one in fuzz.elements(CT) if one.tag == 0x7FE00010)
    head = b"\x40\x00\x55\x05SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    tail = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    return CT[:pixels] + head * depth + tail * depth + CT[pixels:]


def zeros_deflated(mebibytes: int) -> bytes:
    """A deflate stream of so many zeros, made at once: a flushed block may be repeated."""
    press = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = press.compress(bytes(2**20)) + press.flush(zlib.Z_FULL_FLUSH)
    press = zlib.compressobj(9, zlib.DEFLATED, -15)
    return first * mebibytes + press.flush(zlib.Z_FINISH)


def deflate_bomb() -> bytes:
    """A deflated DICOM file of a few megabytes that unfolds to 4 GiB."""
    raw = MADE_UP["ct Deflated Explicit VR Little Endian"].raw
    meta = 144 + struct.unpack("<L", raw[140:144])[0]
    pixels = b"\xe0\x7f\x10\x00OW\0\0" + struct.pack("<L", 0xFFFFFFF0)
    press = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = press.compress(zlib.decompress(raw[meta:], -15)[:200] + pixels) + press.flush(zlib.Z_FULL_FLUSH)
    return raw[:meta] + head + zeros_deflated(4096)


HUGE = struct.pack("<L", 2**32 - 1)
AFTER_META = 144 + struct.unpack("<L", CT[140:144])[0]
NAMED: dict[str, tuple[bytes, tuple[str, ...]]] = {
    # what it is: (the file, what opening it as a picture may say)
    "0 bytes": (b"", ("Unreadable",)),
    "131 bytes": (CT[:131], ("Unreadable",)),
    "132 bytes": (CT[:132], ("Unreadable",)),
    "no DICM": (CT[:128] + b"MCID" + CT[132:], ("Unreadable", "read")),
    "no file header of its own": (CT[:132] + CT[AFTER_META:], ("read", "Unreadable")),
    "a web page": (b"<html><body>Not logged in</body></html>" * 50, ("Unreadable",)),
    "a PDF": (b"%PDF-1.7\n" + b"0 0 obj " * 100, ("Unreadable",)),
    "a program before it": (b"MZ\x90\0" + b"\x4c" * 124 + CT[128:], ("read",)),
    "group length too large": (CT[:140] + HUGE + CT[144:], ("read", "Unreadable")),
    "group length 0": (CT[:140] + bytes(4) + CT[144:], ("read", "Unreadable")),
    "group length too small": (CT[:140] + b"\x10\0\0\0" + CT[144:], ("read", "Unreadable")),
    "trailing garbage": (CT + b"garbage" * 1000, ("read",)),
    "unknown transfer syntax": (with_value("TransferSyntaxUID", b"1.2.840.10008.1.2.9.9\0"), ("Unreadable",)),
    "transfer syntax is a path": (with_value("TransferSyntaxUID", b"../../../etc/passwd "), ("Unreadable",)),
    "compressed, says the header": (with_value("TransferSyntaxUID", b"1.2.840.10008.1.2.4.90"), ("Unreadable",)),
    "implicit, says the header": (with_value("TransferSyntaxUID", b"1.2.840.10008.1.2\0"), ("read", "Unreadable")),
    "big endian, says the header": (with_value("TransferSyntaxUID", b"1.2.840.10008.1.2.2\0"), ("Unreadable",)),
    "deflated, says the header": (with_value("TransferSyntaxUID", b"1.2.840.10008.1.2.1.99"), ("Unreadable",)),
    "deflate cut short": (MADE_UP["ct Deflated Explicit VR Little Endian"].raw[:-700], ("Unreadable",)),
    "sequences 1,000 deep": (nested(1000), ("read", "Unreadable")),
    "sequences 100,000 deep": (nested(100_000), ("read", "Unreadable")),
    "sequences 100,000 deep without an end": (
        CT[:400] + b"\x40\x00\x55\x05SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 100_000,
        ("Unreadable",),
    ),
    "an item longer than its sequence": (
        CT[: fuzz.elements(CT)[-1].start]
        + b"\x40\x00\x55\x05SQ\0\0\x10\0\0\0\xfe\xff\x00\xe0\x00\xff\xff\x7f" + bytes(8)
        + CT[fuzz.elements(CT)[-1].start :],
        ("read", "Unreadable"),
    ),
    "a length of 4 GB": (with_value("StudyDate", b"20200101", b"OB", 0xFFFFFFFE), ("Unreadable",)),
    "pixels cut short": (CT[:-500], ("Unreadable",)),
    "no pixels": (edited(PixelData=None), ("Unreadable",)),
    "empty pixels": (edited(PixelData=b""), ("Unreadable",)),
    "65535 x 65535": (edited(Rows=65535, Columns=65535), ("Unreadable",)),
    "46341 x 46341": (edited(Rows=46341, Columns=46341), ("Unreadable",)),
    "0 rows": (edited(Rows=0), ("Unreadable", "BadPixels")),
    "4 billion rows": (with_value("Rows", HUGE, b"UL"), ("Unreadable",)),
    "rows as text": (with_value("Rows", b"40", b"IS"), ("Unreadable", "read")),
    "2 billion frames": (edited(NumberOfFrames=2**31 - 1), ("Unreadable",)),
    "0 frames": (edited(NumberOfFrames=0), ("read", "Unreadable")),
    "-1 frames": (edited(NumberOfFrames=-1), ("Unreadable",)),
    "2 samples a pixel": (edited(SamplesPerPixel=2), ("Unreadable",)),
    "0 samples a pixel": (edited(SamplesPerPixel=0), ("Unreadable",)),
    "high bit above the bits": (edited(HighBit=31), ("read", "Unreadable")),
    "more bits stored than allocated": (edited(BitsStored=40), ("Unreadable", "read")),
    "1 bit allocated": (edited(BitsAllocated=1, BitsStored=1, HighBit=0), ("read", "Unreadable")),
    "24 bits allocated": (edited(BitsAllocated=24, BitsStored=24, HighBit=23), ("Unreadable",)),
    "64 bits allocated": (edited(BitsAllocated=64, BitsStored=64, HighBit=63), ("Unreadable",)),
    "slope NaN": (with_value("RescaleSlope", b"NaN "), ("Unreadable", "BadPixels")),
    "slope 1e38": (with_value("RescaleSlope", b"1e38"), ("Unreadable", "BadPixels", "read")),
    "slope 1e400": (with_value("RescaleSlope", b"1e400 "), ("Unreadable", "BadPixels")),
    # A slice without a usable place is a flat picture, whose pixels then must have no false size.
    "position NaN": (with_value("ImagePositionPatient", b"nan\\nan\\nan "), ("BadGeometry", "read")),
    "orientation 0": (with_value("ImageOrientationPatient", b"0\\0\\0\\0\\0\\0 "), ("BadGeometry", "read")),
    "orientation flat": (with_value("ImageOrientationPatient", b"1\\0\\0\\1\\0\\0 "), ("BadGeometry", "read")),
    "spacing 0": (with_value("PixelSpacing", b"0\\0 "), ("BadGeometry", "read")),
    "spacing negative": (with_value("PixelSpacing", b"-1\\1"), ("BadGeometry", "read")),
    "UIDs that are paths": (
        edited(SOPInstanceUID=("UI", "../../x"), SeriesInstanceUID=("UI", "..\\..\\x")),
        ("read",),
    ),
    "palette without tables": (
        edited(MADE_UP["palette"].raw, RedPaletteColorLookupTableData=None),
        ("Unreadable",),
    ),
    "palette with a short table": (
        edited(MADE_UP["palette"].raw, RedPaletteColorLookupTableData=("OW", bytes(10))),
        ("Unreadable",),
    ),
    "palette of 0 entries": (
        edited(MADE_UP["palette"].raw, RedPaletteColorLookupTableDescriptor=("US", [0, 0, 16])),
        ("Unreadable",),
    ),
    "palette of 4 entries": (
        edited(MADE_UP["palette"].raw, RedPaletteColorLookupTableDescriptor=("US", [4, 0, 16])),
        ("Unreadable", "read"),
    ),
    "JPEG of another size": (in_jpeg((500, 7)), ("Unreadable",)),
    "JPEG 2000 of another size": (in_jpeg((64, 128), "JPEG2000"), ("Unreadable",)),
    "RLE of 255 segments": (in_rle(struct.pack("<L", 255)), ("Unreadable",)),
    "RLE of 0 segments": (in_rle(bytes(4)), ("Unreadable",)),
    "RLE with offsets beyond the end": (in_rle(struct.pack("<3L", 2, 64, 2**31)), ("Unreadable",)),
    "deflate bomb of 4 GiB": (deflate_bomb(), ("Unreadable", "NoRoom")),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_a_hostile_dicom_file_ends_in_a_defined_state(
    tmp_path: Path, tried: Callable[..., Tried], name: str
) -> None:
    raw, allowed = NAMED[name]
    (tmp_path / "case.dcm").write_bytes(raw)
    result = tried(tmp_path / "case.dcm")
    assert result.wrong == []
    assert result.said["open_picture"] in allowed, result.texts
    assert result.said["open_study"] in (*NO_PICTURE, "BadInput", "read", "AskedWrongly"), result.texts
    if result.said["open_picture"] != "read":
        assert "case.dcm" in result.texts["open_picture"]
    assert result.peak_mb < 1000


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("ImagePositionPatient", b"nan\\nan\\nan "),
        ("ImageOrientationPatient", b"0\\0\\0\\0\\0\\0 "),
        ("ImageOrientationPatient", b"1\\0\\0\\1\\0\\0 "),
        ("PixelSpacing", b"0\\0 "),
        ("RescaleSlope", b"NaN "),
        ("RescaleSlope", b"1e400 "),
    ],
)
def test_one_bad_slice_never_gives_a_volume_with_it(
    tmp_path: Path, tried: Callable[..., Tried], keyword: str, value: bytes
) -> None:
    from osler.core.errors import OslerError
    from osler.core.volume import Volume
    from osler.io.open import open_study

    series = MADE_UP["series"]
    folder = tmp_path / "study"
    fuzz._laid_out(series, with_value(keyword, value), folder)
    assert tried(folder, "folder").wrong == []
    try:
        study = open_study(folder)
    except OslerError:
        return
    volumes = [one for one in study.pictures if isinstance(one, Volume)]
    assert study.problems or len(study.pictures) > 1
    assert all(len(one.array) < 4 for one in volumes)


# ------------------------------------------------------------------------------------------- what is no plain file


def test_links_pipes_and_folders_named_like_pictures(tmp_path: Path, tried: Callable[..., Tried]) -> None:
    (tmp_path / "real.dcm").write_bytes(CT)
    (tmp_path / "link.dcm").symlink_to(tmp_path / "real.dcm")
    assert tried(tmp_path / "link.dcm").said["open_picture"] == "read"
    (tmp_path / "nowhere.dcm").symlink_to(tmp_path / "gone")
    (tmp_path / "round.dcm").symlink_to(tmp_path / "round.dcm")
    (tmp_path / "folder.dcm").mkdir()
    (tmp_path / "device.dcm").symlink_to("/dev/zero")
    for name in ("nowhere.dcm", "round.dcm", "folder.dcm", "device.dcm", "missing.dcm"):
        result = tried(tmp_path / name)
        assert result.wrong == [] and result.said["open_picture"] in NO_PICTURE, (name, result.texts)
    for name in ("pipe.dcm", "pipe", "pipe.nii", "pipe.nrrd", "pipe.png", "pipe.npz", "pipe.zip", "pipe.tif"):
        os.mkfifo(tmp_path / name)
        result = tried(tmp_path / name, "dicom" if name in ("pipe.dcm", "pipe") else "file")
        assert result.wrong == [] and result.said["open_picture"] == "Unreadable", (
            name,
            result.said,
            result.wrong,
        )
    (tmp_path / "study").mkdir()
    os.mkfifo(tmp_path / "study" / "pipe.dcm")
    (tmp_path / "study" / "up").symlink_to(tmp_path / "study")
    (tmp_path / "study" / "real.dcm").write_bytes(CT)
    assert tried(tmp_path / "study", "folder").said["open_study"] == "read"


# --------------------------------------------------------------------------------------------------- other formats


def nifti(**values: Any) -> bytes:
    """The made-up NIfTI file with other numbers: offset -> (format, value)."""
    raw = bytearray(MADE_UP["a.nii"].raw)
    for at, (kind, *numbers) in values.items():
        struct.pack_into(kind, raw, int(at[1:]), *numbers)
    return bytes(raw)


def png_bomb() -> bytes:
    """60,000 x 60,000 pixels in a few kilobytes."""
    head = struct.pack(">LLBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(2**20))), (b"IEND", b""))
    body = b"".join(
        struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def tiff_loop() -> bytes:
    """A TIFF whose second directory is its first."""
    raw = bytearray(MADE_UP["a.tif"].raw)
    first = struct.unpack("<L", raw[4:8])[0]
    count = struct.unpack("<H", raw[first : first + 2])[0]
    struct.pack_into("<L", raw, first + 2 + 12 * count, first)
    return bytes(raw)


def npz(header: bytes) -> bytes:
    """An archive with one array of 8 bytes whose header says something else."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        head = header.ljust(117) + b"\n"
        archive.writestr("image.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + bytes(8))
    return stream.getvalue()


def npz_bomb() -> bytes:
    head = b"{'descr': '|u1', 'fortran_order': False, 'shape': (65536, 65536), }".ljust(117) + b"\n"
    return one_entry("image.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head, 4096)


def one_entry(name: str, head: bytes, mebibytes: int, claimed: int | None = None) -> bytes:
    """A zip with one entry: `head` and so many MiB of zeros; `claimed` is the size that its directory tells."""
    press = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = press.compress(head) + press.flush(zlib.Z_FULL_FLUSH) + zeros_deflated(mebibytes)
    size = min(claimed if claimed is not None else len(head) + mebibytes * 2**20, 2**32 - 2)
    fields = struct.pack("<HHHHHLLL", 20, 0, 8, 0, 0x21, 0, len(data), size)
    local = b"PK\3\4" + fields + struct.pack("<HH", len(name), 0) + name.encode() + data
    entry = b"PK\1\2\x14\0" + fields + struct.pack("<HHHHHLL", len(name), 0, 0, 0, 0, 0, 0) + name.encode()
    end = b"PK\5\6" + struct.pack("<HHHHLLH", 0, 0, 1, 1, len(entry), len(local), 0)
    return local + entry + end


OTHERS: dict[str, tuple[str, bytes, tuple[str, ...]]] = {
    "nifti of 0 bytes": ("case.nii", b"", ("Unreadable",)),
    "nifti of 32767^3": ("case.nii", nifti(a42=("<3h", 32767, 32767, 32767)), ("Unreadable", "NoRoom")),
    "nifti of -1 rows": ("case.nii", nifti(a44=("<h", -1)), ("Unreadable", "BadPixels")),
    "nifti of 32767^7": ("case.nii", nifti(a40=("<8h", 7, *[32767] * 7)), (*NO_PICTURE, "AskedWrongly")),
    "nifti of unknown type": ("case.nii", nifti(a70=("<h", 12345)), ("Unreadable", "BadPixels")),
    "nifti with pixels at NaN": ("case.nii", nifti(a108=("<f", float("nan"))), ("Unreadable",)),
    "nifti with pixels beyond the end": ("case.nii", nifti(a108=("<f", 1e30)), ("Unreadable",)),
    "nifti with slope NaN": ("case.nii", nifti(a112=("<f", float("nan"))), ("Unreadable", "BadPixels", "read")),
    "nifti with slope 1e38": ("case.nii", nifti(a112=("<f", 1e38)), ("Unreadable", "BadPixels", "read")),
    "nifti, no grid": ("case.nii", nifti(a76=("<4f", 0, 0, 0, 0), a252=("<2h", 0, 0)), ("BadGeometry", "read")),
    "nifti.gz cut short": ("case.nii.gz", MADE_UP["a.nii.gz"].raw[:-400], ("Unreadable",)),
    "nrrd with its pixels elsewhere": (
        "case.nrrd",
        b"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 9 9 9\nencoding: raw\ndata file: ../../../etc/passwd\n\n",
        ("Unreadable",),
    ),
    "nhdr with an absolute place": (
        "case.nhdr",
        b"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 10 10 10\nencoding: raw\ndata file: /etc/passwd\n\n",
        ("Unreadable",),
    ),
    "nrrd of 4 billion rows": (
        "case.nrrd",
        b"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 4294967295 4294967295 9\nencoding: raw\n\nxxxx",
        ("Unreadable", "NoRoom"),
    ),
    "nrrd of NaN": (
        "case.nrrd",
        b"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2 2 2\nspace: left-posterior-superior\n"
        b"space directions: (nan,0,0) (0,nan,0) (0,0,nan)\nspace origin: (nan,0,0)\nencoding: raw\n\n12345678",
        ("Unreadable", "BadGeometry", "BadPixels"),
    ),
    "mhd with its pixels elsewhere": (
        "case.mhd",
        b"ObjectType = Image\nNDims = 3\nDimSize = 10 10 10\nElementType = MET_UCHAR\n"
        b"ElementDataFile = ../../../etc/passwd\n",
        ("Unreadable",),
    ),
    "mha of 4 billion rows": (
        "case.mha",
        b"ObjectType = Image\nNDims = 3\nDimSize = 65535 65535 65535\nElementType = MET_DOUBLE\n"
        b"ElementDataFile = LOCAL\nxxxx",
        ("Unreadable", "NoRoom"),
    ),
    "png bomb": ("case.png", png_bomb(), ("Unreadable",)),
    "png cut short": ("case.png", MADE_UP["a.png"].raw[:-500], ("Unreadable",)),
    "jpeg cut short": ("case.jpg", MADE_UP["a.jpg"].raw[:-300], ("Unreadable",)),
    "tiff whose pages go round": ("case.tif", tiff_loop(), ("Unreadable", "AskedWrongly", "read")),
    "npz with a header that lies": (
        "case.npz",
        npz(b"{'descr': '<f8', 'fortran_order': False, 'shape': (65535, 65535), }"),
        ("Unreadable", "NoRoom"),
    ),
    "npz of 10^18 rows": (
        "case.npz",
        npz(b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000000, 9), }"),
        ("Unreadable", "NoRoom"),
    ),
    "npz with a pickle": (
        "case.npz",
        npz(b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"),
        ("Unreadable", "BadPixels"),
    ),
    "npz whose header is a program": ("case.npz", npz(b"__import__('os').system('true')"), ("Unreadable",)),
    "npz bomb": ("case.npz", npz_bomb(), ("Unreadable", "NoRoom")),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_a_hostile_file_of_another_format(tmp_path: Path, tried: Callable[..., Tried], name: str) -> None:
    file, raw, allowed = OTHERS[name]
    (tmp_path / file).write_bytes(raw)
    result = tried(tmp_path / file, "file")
    assert result.wrong == []
    assert result.said["open_picture"] in allowed, (result.said, result.texts)
    assert result.said["glance"] in (*NO_PICTURE, "read", "AskedWrongly")
    if result.said["open_picture"] != "read":
        assert file in result.texts["open_picture"]
    assert result.peak_mb < 1000


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in entries:
            archive.writestr(name, raw)
    return stream.getvalue()


def link_to(place: str) -> tuple[zipfile.ZipInfo, bytes]:
    entry = zipfile.ZipInfo("link.dcm")
    entry.create_system, entry.external_attr = 3, 0o120777 << 16
    return entry, place.encode()


ZIPS: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "empty": (zipped(), NO_PICTURE),
    "cut short": (zipped(("a.dcm", CT))[:-30], NO_PICTURE),
    "bomb": (one_entry("a.dcm", CT, 4000), ("Unreadable", "NoRoom", "read")),
    "bomb that says it is small": (
        one_entry("a.dcm", CT, 4000, claimed=len(CT)),
        ("Unreadable", "NoRoom", "read"),
    ),
    "climbing out": (zipped(("../../escaped.dcm", CT), ("/escaped.dcm", CT)), ("Unreadable", "read")),
    "a link to elsewhere": (zipped(link_to("/etc/passwd"), ("a.dcm", CT)), ("Unreadable", "read")),
    "the same name twice": (zipped(("a.dcm", CT), ("A.dcm", CT)), ("Unreadable", "read")),
    "a zip in a zip": (zipped(("b.zip", zipped(("a.dcm", CT)))), ("Unreadable", "read")),
    "5,000 entries": (zipped(*((f"{n}.txt", b"") for n in range(5_000))), NO_PICTURE),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ZIPS)
def test_a_hostile_zip_stays_inside(tmp_path: Path, tried: Callable[..., Tried], name: str) -> None:
    raw, allowed = ZIPS[name]
    (tmp_path / "case.zip").write_bytes(raw)
    result = tried(tmp_path / "case.zip", "archive")
    assert result.wrong == []
    assert result.said["open_study"] in allowed, result.texts
    assert result.peak_mb < 1000
    assert not list(tmp_path.parent.glob("**/escaped.dcm")) and not Path("/escaped.dcm").exists()


@pytest.mark.parametrize("place", ["../../outside.dcm", "/etc/passwd", "IMAGES\\..\\..\\outside.dcm", "." * 70])
def test_a_directory_cannot_point_outside(tmp_path: Path, tried: Callable[..., Tried], place: str) -> None:
    media = MADE_UP["DICOMDIR"]
    directory = pydicom.dcmread(io.BytesIO(media.raw))
    for record in directory.DirectoryRecordSequence:
        if "ReferencedFileID" in record:
            record.add_new("ReferencedFileID", "CS", place.split("/") if place[0] != "/" else [place])
    (tmp_path / "outside.dcm").write_bytes(CT)
    folder = tmp_path / "a" / "media"
    fuzz._laid_out(media, fuzz._saved(directory), folder)
    result = tried(folder, "folder")
    assert result.wrong == []
    alone = tmp_path / "b" / "media"
    alone.mkdir(parents=True)
    (alone / "DICOMDIR").write_bytes(fuzz._saved(directory))
    result = tried(alone, "folder")
    assert result.wrong == [] and result.said["open_study"] == "Unreadable", result.texts


def test_a_directory_whose_records_go_round(tmp_path: Path, tried: Callable[..., Tried]) -> None:
    media = MADE_UP["DICOMDIR"]
    directory = pydicom.dcmread(io.BytesIO(media.raw))
    first = directory.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity
    for record in directory.DirectoryRecordSequence:
        record.OffsetOfTheNextDirectoryRecord = record.OffsetOfReferencedLowerLevelDirectoryEntity = first
    result = tried(fuzz._laid_out(media, fuzz._saved(directory), tmp_path / "media"), "folder")
    assert result.wrong == []

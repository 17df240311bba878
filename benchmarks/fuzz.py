"""Damaged files against every door: nothing but an OslerError may come out, in bounded time and memory.

python benchmarks/fuzz.py [--cases 20000] [--seed 0] [--data FOLDER]  measure, and keep benchmarks/fuzz.json
python benchmarks/fuzz.py --case 1234 [--data FOLDER]                 one case alone, with its traceback

Each case takes one file, made up or real, damages it in one to three ways, and hands it to the doors of its kind
in a child process. The child may use LIMIT_BYTES beyond what it starts with; one that answers nothing within WAIT
seconds is killed, so that a hang and a crash of a C library are seen too. A case depends on nothing but the files,
the seed and its number.
"""

import argparse
import io
import json
import os
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

LIMIT_BYTES = 2 * 2**30  # address space of a child beyond what it starts with
WAIT = 30.0  # wall seconds until a child counts as hanging; the machine may be busy
SLOW = 5.0  # seconds of processor time that a case may take
LIFE = 400  # cases until a child is replaced, so that what one leaves behind does not add up
LARGEST = 2_000_000  # bytes of a real file that is worth damaging


@dataclass(frozen=True)
class Original:
    """A sound file.

    name     what it is, for the report
    kind     which doors it is handed to: a key of DOORS
    file     what it is called on disk
    raw      its bytes
    beside   further files in the same folder, which stay sound
    secrets  texts of its header that no message may repeat
    """

    name: str
    kind: str
    file: str
    raw: bytes
    beside: dict[str, bytes] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()


# ------------------------------------------------------------------------------------------------------ originals


def made_up() -> list[Original]:
    """Small sound files of every kind, the same ones every time."""
    with tempfile.TemporaryDirectory() as folder:
        return list(_made_up(Path(folder)))


def _made_up(folder: Path) -> Iterator[Original]:
    import nibabel
    import SimpleITK
    import tifffile
    from PIL import Image as Pillow
    from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless, RLELossless

    from osler.core.geometry import Geometry
    from osler.core.volume import Volume
    from osler.io.dicom.write import write_series

    draw = np.random.default_rng(7)
    voxels = draw.integers(-1000, 1000, (4, 40, 36)).astype(np.int16)
    volume = Volume(voxels, Geometry.from_spacing(voxels.shape, (3, 1, 1)), unit="HU")
    volume = Volume(volume.array, volume.geometry, unit="HU", facts=_ct())
    files = write_series(volume, folder / "ct", patient="Secret^Somebody")
    slices = {path.name: path.read_bytes() for path in files}
    first, *rest = slices
    yield _dicom("ct", slices[first])
    yield Original("series", "folder", first, slices[first], {name: slices[name] for name in rest}, ("Somebody",))
    for syntax in (ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, RLELossless, JPEG2000Lossless):
        yield _dicom(f"ct {syntax.name}", _in_syntax(slices[first], syntax))
    for name, dataset in _special(slices[first], draw):
        yield _dicom(name, _saved(dataset))
    yield _dicom("dose", _dose(slices[first], draw))
    yield from _archives(folder, slices)

    nibabel.save(nibabel.Nifti1Image(voxels.T, np.diag([1, 1, 3, 1])), folder / "a.nii")
    nibabel.save(nibabel.Nifti1Image(voxels.T, np.diag([1, 1, 3, 1])), folder / "a.nii.gz")
    image = SimpleITK.GetImageFromArray(voxels)
    for name in ("a.nrrd", "b.nrrd", "a.mha"):
        SimpleITK.WriteImage(image, str(folder / name), useCompression=name == "b.nrrd")
    colour = draw.integers(0, 255, (40, 50, 3)).astype(np.uint8)
    for name in ("a.png", "a.jpg", "a.bmp", "a.tif"):
        Pillow.fromarray(colour).save(folder / name)
    Pillow.fromarray(colour[..., 0]).convert("P").save(folder / "b.png")
    np.savez(folder / "a.npz", image=voxels)
    np.savez_compressed(folder / "b.npz", image=voxels, label=voxels > 0)
    np.save(folder / "a.npy", voxels)
    kinds = {"a.nii": "file", "a.npz": "file"}
    for name in sorted(path.name for path in folder.iterdir() if path.is_file()):
        yield Original(name, kinds.get(name, "file"), name, (folder / name).read_bytes())
    with tifffile.TiffWriter(folder / "slide.tif") as file:
        for size in (1, 2, 4):
            file.write(
                np.tile(colour, (4, 4, 1))[::size, ::size], tile=(32, 32), photometric="rgb", compression="zlib"
            )
    yield Original("tiff pyramid", "slide", "slide.tif", (folder / "slide.tif").read_bytes())


def _ct() -> Any:
    from osler.core.facts import Facts

    return Facts(modality="CT", body_part="CHEST")


def _dicom(name: str, raw: bytes) -> Original:
    return Original(name, "slide" if "slide" in name else "dicom", "case.dcm", raw, {}, _secrets(raw))


def _secrets(raw: bytes) -> tuple[str, ...]:
    """What a DICOM header tells of a person: long enough not to be met by chance."""
    import pydicom

    keywords = ("PatientName", "PatientID", "PatientBirthDate", "InstitutionName", "ReferringPhysicianName")
    try:
        header = pydicom.dcmread(io.BytesIO(raw), stop_before_pixels=True, force=True)
        found = (str(header.get(keyword) or "") for keyword in (*keywords, "AccessionNumber"))
        return tuple(text for text in found if len(text) > 4)
    except Exception:  # some real files are meant to be broken
        return ()


def _in_syntax(raw: bytes, syntax: Any) -> bytes:
    import pydicom

    dataset = pydicom.dcmread(io.BytesIO(raw))
    if syntax.is_compressed and syntax.is_encapsulated:
        dataset.compress(syntax, generate_instance_uid=False)
    dataset.file_meta.TransferSyntaxUID = syntax
    return _saved(dataset)


def _saved(dataset: Any) -> bytes:
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _special(raw: bytes, draw: np.random.Generator) -> Iterator[tuple[str, Any]]:
    """A palette, several frames, a slide, and the objects that are about other pictures."""
    import pydicom
    from pydicom.dataset import Dataset

    def fresh() -> Any:
        return pydicom.dcmread(io.BytesIO(raw))

    palette = fresh()
    palette.PhotometricInterpretation, palette.BitsAllocated, palette.BitsStored = "PALETTE COLOR", 8, 8
    palette.HighBit, palette.PixelRepresentation = 7, 0
    for colour in ("Red", "Green", "Blue"):
        palette.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [256, 0, 16])
        palette.add_new(f"{colour}PaletteColorLookupTableData", "OW", draw.bytes(512))
    palette.PixelData = draw.bytes(palette.Rows * palette.Columns)
    palette.SOPClassUID = palette.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    palette.Modality = "OT"
    yield "palette", palette

    film = fresh()
    film.SOPClassUID = film.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.3.1"
    film.Modality, film.NumberOfFrames, film.PixelData = "US", 5, film.PixelData * 5
    yield "ultrasound film", film

    slide = fresh()
    slide.SOPClassUID = slide.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.6"
    slide.Modality, slide.ImageType = "SM", ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    slide.SamplesPerPixel, slide.PhotometricInterpretation, slide.PlanarConfiguration = 3, "RGB", 0
    slide.BitsAllocated = slide.BitsStored = 8
    slide.HighBit, slide.PixelRepresentation, slide.Rows, slide.Columns = 7, 0, 16, 16
    slide.TotalPixelMatrixRows, slide.TotalPixelMatrixColumns, slide.NumberOfFrames = 40, 60, 12
    slide.DimensionOrganizationType, slide.PixelData = "TILED_FULL", draw.bytes(12 * 16 * 16 * 3)
    yield "slide", slide
    groups = []
    for n in range(12):
        position, group = Dataset(), Dataset()
        position.RowPositionInTotalImagePixelMatrix = n // 4 * 16 + 1
        position.ColumnPositionInTotalImagePixelMatrix = n % 4 * 16 + 1
        group.PlanePositionSlideSequence = [position]
        groups.append(group)
    sparse = pydicom.dcmread(io.BytesIO(_saved(slide)))
    sparse.DimensionOrganizationType, sparse.PerFrameFunctionalGroupsSequence = "TILED_SPARSE", groups
    yield "sparse slide", sparse

    structures = fresh()
    structures.SOPClassUID = structures.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.481.3"
    structures.Modality, structures.StructureSetLabel = "RTSTRUCT", "made up"
    reference = structures.get("FrameOfReferenceUID", "1.2.3")
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(structures, keyword)
    frame, roi, contours, contour, image, observed = (Dataset() for _ in range(6))
    frame.FrameOfReferenceUID = reference
    roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = 1, "GTV", reference
    roi.ROIGenerationAlgorithm = "MANUAL"
    image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = (
        "1.2.840.10008.5.1.4.1.1.2",
        structures.SOPInstanceUID,
    )
    contour.ContourImageSequence, contour.ContourGeometricType = [image], "CLOSED_PLANAR"
    contour.NumberOfContourPoints, contour.ContourData = 4, [2, 2, 0, 10, 2, 0, 10, 12, 0, 2, 12, 0]
    contours.ReferencedROINumber, contours.ContourSequence, contours.ROIDisplayColor = 1, [contour], [255, 0, 0]
    observed.ObservationNumber, observed.ReferencedROINumber, observed.RTROIInterpretedType = 1, 1, "GTV"
    structures.ReferencedFrameOfReferenceSequence, structures.StructureSetROISequence = [frame], [roi]
    structures.ROIContourSequence, structures.RTROIObservationsSequence = [contours], [observed]
    yield "structures", structures


def _dose(raw: bytes, draw: np.random.Generator) -> bytes:
    """A radiotherapy dose on three planes."""
    import pydicom

    dose = pydicom.dcmread(io.BytesIO(raw))
    dose.SOPClassUID = dose.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.481.2"
    dose.Modality, dose.DoseUnits, dose.DoseType, dose.DoseSummationType = "RTDOSE", "GY", "PHYSICAL", "PLAN"
    dose.NumberOfFrames, dose.FrameIncrementPointer, dose.GridFrameOffsetVector = 3, 0x3004000C, [0, 3, 6]
    dose.DoseGridScaling, dose.PixelRepresentation = "0.001", 0
    for keyword in ("RescaleSlope", "RescaleIntercept", "RescaleType"):
        dose.pop(keyword, None)
    dose.PixelData = draw.bytes(3 * dose.Rows * dose.Columns * 2)
    return _saved(dose)


def _archives(folder: Path, slices: dict[str, bytes]) -> Iterator[Original]:
    from pydicom.fileset import FileSet

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in slices.items():
            archive.writestr(f"study/{name}", raw)
    yield Original("zip", "archive", "case.zip", stream.getvalue(), {}, ("Somebody",))
    files = FileSet()
    for path in sorted((folder / "ct").iterdir()):
        files.add(path)
    files.write(folder / "media")
    found = {
        p.relative_to(folder / "media").as_posix(): p.read_bytes()
        for p in (folder / "media").rglob("*")
        if p.is_file()
    }
    directory = found.pop("DICOMDIR")
    yield Original("DICOMDIR", "folder", "DICOMDIR", directory, found, ("Somebody",))


_REAL = (  # where, pattern, at most so many
    ("dicom-conformance/highdicom-objects", "*.dcm", 40),
    ("dicom-conformance/transfer-syntaxes", "*.dcm", 40),
    ("dicom-conformance/enhanced-mr/In", "*", 3),
    ("dicom-conformance/dcmqi-objects", "*.dcm", 12),
    ("dicom-conformance/dicom2nifti", "*.dcm", 12),
    ("dicom-conformance/burned-in-phi", "*.dcm", 3),
    ("dicom-conformance/signed-12bit", "*.dcm", 2),
    ("radiotherapy/dicom", "*.dcm", 4),
    ("suv-reference", "*.dcm", 4),
    ("sarcoma/dicom", "*.dcm", 4),
    ("slides", "*", 2),
    ("hippocampus/images", "*.nii*", 1),
    ("radiotherapy/slicerrt", "Tiny*.nrrd", 2),
    ("knee-oa/test", "*.png", 1),
    ("pathology-tiles", "*.jp*g", 1),
    ("medmnist", "breast*.npz", 1),
)  # fmt: skip


def real(data: Path, largest: int = LARGEST) -> list[Original]:
    """Files of the test data of at most `largest` bytes, spread over each set; [] where there is none."""
    found = []
    for place, pattern, most in _REAL:
        paths = [p for p in sorted((data / place).rglob(pattern)) if p.is_file() and p.stat().st_size <= largest]
        for path in paths[:: max(1, len(paths) // most)][:most]:
            raw = path.read_bytes()
            if raw[128:132] == b"DICM":
                slide = b"UI\x1e\x001.2.840.10008.5.1.4.1.1.77.1.6" in raw[:2000]
                found.append(
                    Original(
                        f"real {path.name}", "slide" if slide else "dicom", "case.dcm", raw, {}, _secrets(raw)
                    )
                )
            elif path.suffix != ".dcm":
                name = "case" + path.name[path.name.index(".") :]
                found.append(
                    Original(f"real {path.name}", "slide" if path.suffix == ".svs" else "file", name, raw)
                )
    return found


# --------------------------------------------------------------------------------------------------------- damages

_NUMBERS = (
    0,
    1,
    2,
    3,
    7,
    8,
    15,
    16,
    127,
    128,
    255,
    256,
    32767,
    32768,
    65535,
    2**31 - 1,
    2**31,
    2**32 - 2,
    2**32 - 1,
)
_TEXTS = (
    b"NaN ", b"nan\\inf\\0 ", b"1e400 ", b"1e38", b"-1", b"0 ", b"0\\0 ", b"-1\\-1 ", b"1,5 ", b"99999999999 ",
    b"../../x ", b"\xff\xfe\x00\x00", b"", b"\x1b$B", b"A" * 4096, b"1\\" * 500, b"\0\0", b"20260230",
)  # fmt: skip
_SYNTAXES = tuple(
    f"1.2.840.10008.1.2{end}".encode()
    for end in (
        "",
        ".1",
        ".2",
        ".1.99",
        ".5",
        ".4.50",
        ".4.51",
        ".4.57",
        ".4.70",
        ".4.80",
        ".4.90",
        ".4.201",
        ".9.9",
    )
)
_VRS = (
    b"UL",
    b"US",
    b"SS",
    b"SL",
    b"IS",
    b"DS",
    b"SQ",
    b"UN",
    b"OB",
    b"OW",
    b"FD",
    b"FL",
    b"UI",
    b"PN",
    b"LO",
    b"AT",
)
_LONG = (b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UN", b"UT", b"UC", b"UR", b"SV", b"UV")
# Attributes whose values lead a reader astray: sizes, counts, bits, scales, places, look-up tables, offset tables.
_LEADING = (
    0x00280010, 0x00280011, 0x00280008, 0x00280002, 0x00280100, 0x00280101, 0x00280102, 0x00280103, 0x00280004,
    0x00280006, 0x00281052, 0x00281053, 0x00281054, 0x00280030, 0x00200032, 0x00200037, 0x00281101, 0x00281201,
    0x00283000, 0x00283002, 0x00283006, 0x7FE00001, 0x7FE00002, 0x7FE00010, 0x00080008, 0x00080060, 0x00080016,
    0x00200013, 0x00180050, 0x00180088, 0x30060050, 0x30060046, 0x3004000C, 0x3004000E, 0x00480006, 0x00480007,
    0x0048021E, 0x0048021F, 0x00209311, 0x00620001, 0x00620010, 0x00620004, 0x0040A30A, 0x0040A040, 0x00041130,
    0x00041200, 0x00041400, 0x00041420, 0x00041500, 0x00020000, 0x00189004, 0x00280120, 0x00541001, 0x00181074,
)  # fmt: skip


@dataclass(frozen=True)
class Element:
    """One element of a DICOM file: where it begins, its tag, VR ("" where implicit), its value from and to."""

    start: int
    tag: int
    vr: bytes
    value: int
    end: int


def damaged(original: Original, draw: np.random.Generator) -> tuple[bytes, str]:
    """The bytes with one to three damages, and what was done."""
    raw, done = original.raw, []
    ways: tuple[Callable[..., bytes], ...] = (_flip, _overwrite, _cut, _remove, _double, _move, _length)
    if raw[128:132] == b"DICM":
        ways = (*ways, *(_DICOM_WAYS * 2))
    for _ in range(int(draw.integers(1, 4))):
        way = ways[int(draw.integers(len(ways)))]
        if len(raw) > 16:
            raw = way(raw, draw)
            done.append(way.__name__.strip("_"))
    return raw, " ".join(done)


def _somewhere(raw: bytes, draw: np.random.Generator) -> int:
    """A place in the file, more often in its head, where the meaning is."""
    reach = len(raw) if draw.random() < 0.4 else min(len(raw), 2048)
    return int(draw.integers(reach))


def _flip(raw: bytes, draw: np.random.Generator) -> bytes:
    out = bytearray(raw)
    for _ in range(int(draw.integers(1, 17))):
        out[_somewhere(raw, draw)] ^= 1 << int(draw.integers(8))
    return bytes(out)


def _overwrite(raw: bytes, draw: np.random.Generator) -> bytes:
    at, count = _somewhere(raw, draw), int(draw.integers(1, 64))
    what = bytes(count) if draw.random() < 0.3 else b"\xff" * count if draw.random() < 0.4 else draw.bytes(count)
    return raw[:at] + what + raw[at + count :]


def _cut(raw: bytes, draw: np.random.Generator) -> bytes:
    return raw[: _somewhere(raw, draw)]


def _remove(raw: bytes, draw: np.random.Generator) -> bytes:
    at = _somewhere(raw, draw)
    return raw[:at] + raw[at + int(draw.integers(1, 300)) :]


def _double(raw: bytes, draw: np.random.Generator) -> bytes:
    at, count = _somewhere(raw, draw), int(draw.integers(1, 3000))
    return raw[: at + count] + raw[at : at + count] + raw[at + count :]


def _move(raw: bytes, draw: np.random.Generator) -> bytes:
    at, to, count = _somewhere(raw, draw), _somewhere(raw, draw), int(draw.integers(1, 500))
    return raw[:to] + raw[at : at + count] + raw[to:]


def _length(raw: bytes, draw: np.random.Generator) -> bytes:
    """A number somewhere, in either order of bytes."""
    kind = ("<H", ">H", "<L", ">L")[int(draw.integers(4))]
    at = _somewhere(raw, draw) & ~1
    number = _NUMBERS[int(draw.integers(len(_NUMBERS)))] & (0xFFFF if kind[1] == "H" else 0xFFFFFFFF)
    packed = struct.pack(kind, number)
    return raw[:at] + packed + raw[at + len(packed) :]


def elements(raw: bytes) -> list[Element]:
    """The elements of a DICOM file in little endian, those inside sequences too; up to where it makes no sense."""
    found: list[Element] = []
    at, explicit = 132, True
    while at + 8 <= len(raw) and len(found) < 4000:
        start = at
        group, element = struct.unpack("<HH", raw[at : at + 4])
        tag = group << 16 | element
        vr = raw[at + 4 : at + 6]
        if group > 2 and found and found[-1].tag >> 16 <= 2:
            explicit = (
                vr.isalpha()
            )  # the first element after the file's own header tells how the others are written
        if group == 0xFFFE:  # items and delimiters: step inside
            at += 8
            continue
        if not explicit and group > 2:
            vr, length, at = b"", struct.unpack("<L", raw[at + 4 : at + 8])[0], at + 8
        elif vr in _LONG:
            if at + 12 > len(raw):
                break
            length, at = struct.unpack("<L", raw[at + 8 : at + 12])[0], at + 12
        else:
            length, at = struct.unpack("<H", raw[at + 6 : at + 8])[0], at + 8
        inside = vr == b"SQ" or length == 0xFFFFFFFF
        end = at if inside else at + length
        if end > len(raw):
            break
        found.append(Element(start, tag, vr, at, end))
        at = end
    return found


def _one(raw: bytes, draw: np.random.Generator, *, leading: bool = False) -> Element | None:
    found = elements(raw)
    if leading:
        found = [one for one in found if one.tag in _LEADING] or found
    return found[int(draw.integers(len(found)))] if found else None


def _written(one: Element, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    """An element as bytes; `length` where it shall lie."""
    tag = struct.pack("<HH", one.tag >> 16, one.tag & 0xFFFF)
    length = len(value) if length is None else length
    if not vr:
        return tag + struct.pack("<L", length) + value
    if vr in _LONG:
        return tag + vr + b"\0\0" + struct.pack("<L", length) + value
    return tag + vr + struct.pack("<H", length & 0xFFFF) + value


def _drop(raw: bytes, draw: np.random.Generator) -> bytes:
    one = _one(raw, draw, leading=draw.random() < 0.7)
    return raw[: one.start] + raw[one.end :] if one else raw


def _again(raw: bytes, draw: np.random.Generator) -> bytes:
    """An element twice, or somewhere else."""
    one, other = _one(raw, draw, leading=True), _one(raw, draw)
    return raw[: other.start] + raw[one.start : one.end] + raw[other.start :] if one and other else raw


def _other_vr(raw: bytes, draw: np.random.Generator) -> bytes:
    one = _one(raw, draw, leading=True)
    if one is None or not one.vr:
        return raw
    vr = _VRS[int(draw.integers(len(_VRS)))]
    return raw[: one.start] + _written(one, vr, raw[one.value : one.end]) + raw[one.end :]


def _other_length(raw: bytes, draw: np.random.Generator) -> bytes:
    one = _one(raw, draw)
    if one is None:
        return raw
    length = _NUMBERS[int(draw.integers(len(_NUMBERS)))]
    return raw[: one.start] + _written(one, one.vr, raw[one.value : one.end], length) + raw[one.end :]


def _other_value(raw: bytes, draw: np.random.Generator) -> bytes:
    one = _one(raw, draw, leading=True)
    if one is None:
        return raw
    if one.vr in (b"US", b"SS", b"UL", b"SL", b"AT", b"OW", b"OB", b"FL", b"FD", b"OV") or draw.random() < 0.2:
        size = max(2, min(one.end - one.value, 4096))
        kind = int(draw.integers(4))
        number = _NUMBERS[int(draw.integers(len(_NUMBERS)))]
        value = (
            (struct.pack("<Q", number) * (size // 8 + 1))[:size] if kind == 0
            else (struct.pack("<H", number & 0xFFFF) * (size // 2 + 1))[:size] if kind == 1
            else (struct.pack("<d", (float("nan"), float("inf"), 1e300, -0.0)[int(draw.integers(4))]) * 512)[:size]
            if kind == 2
            else draw.bytes(size)
        )  # fmt: skip
    else:
        value = _TEXTS[int(draw.integers(len(_TEXTS)))]
    return raw[: one.start] + _written(one, one.vr, value) + raw[one.end :]


def _other_syntax(raw: bytes, draw: np.random.Generator) -> bytes:
    one = next((one for one in elements(raw) if one.tag == 0x00020010), None)
    if one is None:
        return raw
    value = _SYNTAXES[int(draw.integers(len(_SYNTAXES)))]
    value += b"\0" * (len(value) % 2)
    return raw[: one.start] + _written(one, b"UI", value) + raw[one.end :]


def _nest(raw: bytes, draw: np.random.Generator) -> bytes:
    """Sequences in sequences, without an end or with one."""
    one = _one(raw, draw)
    if one is None:
        return raw
    depth = int(draw.choice([2, 30, 300, 2000]))
    head = (
        b"\x08\x00\x40\x11"
        + (b"SQ\0\0" if one.vr else b"")
        + b"\xff\xff\xff\xff"
        + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    )
    tail = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0" if draw.random() < 0.6 else b""
    return raw[: one.start] + head * depth + tail * depth + raw[one.start :]


def _fragments(raw: bytes, draw: np.random.Generator) -> bytes:
    """An item of a sequence or a fragment, doubled, removed, or of another length."""
    places, at = [], raw.find(b"\xfe\xff\x00\xe0")
    while at >= 0 and len(places) < 500:
        places.append(at)
        at = raw.find(b"\xfe\xff\x00\xe0", at + 4)
    if not places:
        return raw
    at = places[int(draw.integers(len(places)))]
    length = int.from_bytes(raw[at + 4 : at + 8], "little")
    kind = int(draw.integers(3))
    if kind == 0:
        number = _NUMBERS[int(draw.integers(len(_NUMBERS)))]
        return raw[: at + 4] + struct.pack("<L", number) + raw[at + 8 :]
    if length > len(raw):
        return raw[:at] + raw[at + 8 :]
    return raw[:at] + raw[at + 8 + length :] if kind == 1 else raw[:at] + raw[at : at + 8 + length] + raw[at:]


_DICOM_WAYS = (
    _drop,
    _again,
    _other_vr,
    _other_length,
    _other_value,
    _other_value,
    _other_syntax,
    _nest,
    _fragments,
)


# ----------------------------------------------------------------------------------------------------------- doors


def _slide(path: Path) -> None:
    from osler.io.wholeslide import associated, is_slide, open_slide, read_region, thumbnail

    is_slide(path)
    slide = open_slide(path)
    for level in range(min(len(slide.levels), 3)):
        read_region(slide, level, 0, 0, 64, 64)
    if slide.levels[0].rows * slide.levels[0].columns < 2**24:
        thumbnail(slide, 64)
    for name in slide.associated:
        associated(slide, name)


def _items(path: Path) -> object:
    """The parts of a file that holds many, each opened for itself."""
    from osler.io.open import items_of, open_picture

    return [open_picture(path, item) for item in items_of(path)[:3]]


def _doors() -> dict[str, tuple[Callable[[Path], object], ...]]:
    from osler.io.dicom.dose import read_dose
    from osler.io.dicom.parametric import read_parametric_map
    from osler.io.dicom.segmentation import read_segmentation
    from osler.io.dicom.stack import read_clip
    from osler.io.dicom.structured_report import read_findings
    from osler.io.dicom.structures import read_structures
    from osler.io.holdings import look_into
    from osler.io.open import glance, is_picture, open_mask, open_picture, open_study

    dicom = (is_picture, glance, open_picture, open_mask, open_study)
    other = (read_clip, read_segmentation, read_structures, read_findings, read_parametric_map, read_dose)
    return {
        "dicom": (*dicom, *other, look_into),
        "file": (is_picture, glance, open_picture, open_mask, _items),
        "archive": (open_study, look_into),
        "folder": (open_study, look_into),
        "slide": (_slide, open_picture, glance),
    }


# ----------------------------------------------------------------------------------------------------------- child


def serve() -> None:
    """Take a case a line from stdin, answer a line on stdout, until stdin ends."""
    import logging
    import resource
    import warnings

    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # C libraries write where they like
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    doors = _doors()
    _warm_up(doors)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + LIMIT_BYTES, used + LIMIT_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers.write("ready\n")
    answers.flush()
    for line in sys.stdin:
        job = json.loads(line)
        answers.write(json.dumps(_tried(doors[job["kind"]], Path(job["path"]), job["secrets"])) + "\n")
        answers.flush()


def _warm_up(doors: dict[str, tuple[Callable[[Path], object], ...]]) -> None:
    """Load what the doors load only when used, so that it does not count as memory of a case."""
    with tempfile.TemporaryDirectory() as folder:
        for original in made_up():
            path = _laid_out(original, original.raw, Path(folder) / "warm")
            _tried(doors[original.kind], path, [])
            shutil.rmtree(Path(folder) / "warm")


def _tried(doors: tuple[Callable[[Path], object], ...], path: Path, secrets: list[str]) -> dict[str, Any]:
    """What came of one case: a word and a text for each door, and what should not have happened."""
    from osler.core.errors import OslerError

    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of the cases before
    start, said, texts, wrong = time.process_time(), {}, {}, []
    for door in doors:
        began = time.process_time()
        name = door.__name__.strip("_")
        try:
            said[name] = "read"
            wrong += [f"{name}: {fault}" for fault in _unsound(door(path))]
        except OslerError as error:
            said[name], texts[name] = type(error).__name__, str(error)
            wrong += [f"{name}: {fault}" for fault in _faults(error, path, secrets)]
        except BaseException as error:
            said[name] = "crash"
            where = traceback.extract_tb(error.__traceback__)
            ours = [
                f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in where if "osler" in one.filename
            ]
            last = f"{Path(where[-1].filename).name}:{where[-1].lineno}"
            wrong.append(
                f"{name}: {type(error).__name__} {str(error)[:120]!r} at {ours[-1] if ours else '?'} ({last})"
            )
        if time.process_time() - began > SLOW:
            wrong.append(f"{name}: {time.process_time() - began:.1f} s of processor time")
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) // 1024
    seconds = time.process_time() - start
    return {"said": said, "texts": texts, "wrong": wrong, "seconds": seconds, "peak_mb": peak}


def _unsound(given: Any) -> list[str]:
    """What is amiss in a picture that was read: numbers that are none, pixels without a size."""
    faults = []
    for picture in getattr(given, "pictures", (given,)):
        array, spacing = getattr(picture, "array", None), getattr(picture, "spacing_mm", None)
        if array is not None and not np.isfinite(array).all():
            faults.append("a picture with NaN or infinity is handed on")
        if spacing is not None and not all(np.isfinite(one) and one > 0 for one in spacing):
            faults.append(f"a picture with pixels of {spacing} mm is handed on")
        geometry = getattr(picture, "geometry", None)
        if geometry is not None and not np.isfinite(geometry.affine).all():
            faults.append("a volume without a place is handed on")
    return faults


def _faults(error: Any, path: Path, secrets: list[str]) -> list[str]:
    """What is amiss in a message: a person's data, no name of the file, no remedy, a whole path."""
    text = f"{error.problem} {error.remedy}"
    faults = [f"{type(error).__name__} tells a secret" for secret in secrets if secret in text]
    if path.parent.as_posix() in text:
        faults.append(f"{type(error).__name__} tells the whole path: {text[:100]}")
    # A series is called after its folder; what a folder holds after the file that is broken.
    names = {path.name, path.parent.name} | {one.name for one in (path.iterdir() if path.is_dir() else ())}
    if not any(name in text for name in names):
        faults.append(f"{type(error).__name__} names no file: {text[:100]}")
    if not error.remedy:
        faults.append(f"{type(error).__name__} has no remedy")
    return faults


# ---------------------------------------------------------------------------------------------------------- parent


class Child:
    """A process that tries cases, watched from outside."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / f"child-{time.monotonic_ns()}"
        self.folder.mkdir()
        self.tried = 0
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "TMPDIR": str(self.folder), "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"},
        )  # fmt: skip
        if (line := self._line(300.0)) != "ready":
            raise SystemExit(f"the child does not start: {line}")

    def ask(self, job: dict[str, Any]) -> dict[str, Any]:
        """Its answer, or what became of it."""
        assert self.process.stdin is not None
        self.tried += 1
        try:
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()
            line = self._line(WAIT)
        except BrokenPipeError:
            line = ""
        if line is None:
            self.process.kill()
            self.process.wait()
            return _lost("hang", f"no answer within {WAIT:g} s")
        if not line:
            return _lost("died", f"the process died with {self.process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _line(self, seconds: float) -> str | None:
        """One line, "" at the end of the stream, None after `seconds` without one."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        return self.process.stdout.readline().strip() if ready else None

    @property
    def alive(self) -> bool:
        return self.process.poll() is None and self.tried < LIFE

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _lost(word: str, what: str) -> dict[str, Any]:
    return {"said": {"child": word}, "texts": {}, "wrong": [what], "seconds": 0.0, "peak_mb": 0}


def case(originals: list[Original], seed: int, number: int) -> tuple[Original, bytes, str]:
    """(what was damaged, its bytes now, how) of one case."""
    draw = np.random.default_rng([seed, number])
    original = originals[number % len(originals)]
    raw, how = damaged(original, draw)
    return original, raw, how


def _laid_out(original: Original, raw: bytes, folder: Path) -> Path:
    """Write the case; returns what to open."""
    for name, sound in {**original.beside, original.file: raw}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sound)
    return folder if original.kind == "folder" else folder / original.file


def hunt(
    originals: list[Original], cases: int, seed: int = 0, tell: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """Try `cases` cases; returns tallies, and under "wrong" each thing that should not have happened."""
    said: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    wrong: list[dict[str, Any]] = []
    slowest, peak, start = 0.0, 0, time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        child = Child(Path(place))
        try:
            for number in range(cases):
                original, raw, how = case(originals, seed, number)
                if not child.alive:
                    child.close()
                    child = Child(Path(place))
                folder = Path(place) / f"case-{number}"
                path = _laid_out(original, raw, folder)
                answer = child.ask({"kind": original.kind, "path": str(path), "secrets": original.secrets})
                shutil.rmtree(folder, ignore_errors=True)
                said.update(answer["said"].values())
                kinds[original.kind] += 1
                slowest, peak = max(slowest, answer["seconds"]), max(peak, answer["peak_mb"])
                for one in answer["wrong"]:
                    wrong.append({"case": number, "file": original.name, "damage": how, "what": one})
                    if tell:
                        tell(f"case {number} ({original.name}; {how}): {one}")
                if tell and number % 1000 == 999:
                    tell(f"{number + 1} cases, {time.perf_counter() - start:.0f} s, {len(wrong)} wrong")
        finally:
            child.close()
    return {
        "cases": cases,
        "originals": len(originals),
        "kinds": dict(kinds),
        "said": dict(said.most_common()),
        "slowest_seconds": round(slowest, 2),
        "peak_mb": peak,
        "seconds": round(time.perf_counter() - start, 1),
        "wrong": wrong,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--case", type=int)
    parser.add_argument("--largest", type=int, default=LARGEST)
    parser.add_argument("--serve", action="store_true")
    default = Path(os.environ.get("OSLER_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=default)
    asked = parser.parse_args()
    if asked.serve:
        serve()
        return
    originals = made_up() + real(asked.data, asked.largest)
    if asked.case is not None:
        original, raw, how = case(originals, asked.seed, asked.case)
        print(f"{original.name}: {how}")
        with tempfile.TemporaryDirectory() as folder:
            path = _laid_out(original, raw, Path(folder) / "case")
            for door in _doors()[original.kind]:
                try:
                    print(f"{door.__name__}: {str(door(path))[:200]}")
                except Exception:  # shown, that is what it is for
                    traceback.print_exc()
        return
    found = hunt(originals, asked.cases, asked.seed, lambda text: print(text, flush=True))
    from record import keep

    doors = {f"{word}": f"{count}" for word, count in found["said"].items()}
    measured = {
        "cases": f"{found['cases']} ({', '.join(f'{count} {kind}' for kind, count in found['kinds'].items())})",
        "files damaged": f"{found['originals']}, made up and real",
        "crashes, hangs, slow or careless answers": f"{len(found['wrong'])}",
        "longest case, processor time": f"{found['slowest_seconds']} s",
        "largest memory of a child": f"{found['peak_mb']} MB",
        "wall time": f"{found['seconds']:.0f} s",
    }
    command = f"python benchmarks/fuzz.py --cases {asked.cases} --seed {asked.seed}"
    keep("fuzz", {"command": command, "tables": {"Measured": measured, "Answers of the doors": doors}, **found})


if __name__ == "__main__":
    main()

"""Finding and grouping: every object is named and kept, splits say why, copies are told, mosaics are known."""

import struct
from pathlib import Path

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from osler.core.errors import BadInput
from osler.io.dicom.find import (
    Found,
    find_objects,
    find_series,
    image_type_of,
    instance_at,
    others_of,
    pictures_of,
    refuse_several_patients,
)
from osler.io.dicom.kinds import KINDS, is_image, kind_in_words
from osler.io.dicom.mosaic import images_in_mosaic, is_mosaic
from osler.io.dicom.parse import is_dicom
from osler.io.dicom.scan import scan_header

pytestmark = pytest.mark.filterwarnings("ignore")  # pydicom's, of the odd values written here
STORAGE = "1.2.840.10008.5.1.4.1.1."


def write(path: Path, *, kind: str = "2", **changes: object) -> Path:
    """An object with a header and no pixels; `kind` is its SOP class behind the common root."""
    made = Dataset()
    made.SOPClassUID = STORAGE + kind
    made.SOPInstanceUID = f"1.2.3.{abs(hash(path))}"
    made.StudyInstanceUID, made.SeriesInstanceUID = "1.2", "1.2.1"
    made.PatientName, made.PatientID = "Nobody^Here", "MADE-UP"
    made.Modality = "CT"
    made.SeriesNumber, made.InstanceNumber = 3, 1
    made.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    made.Rows, made.Columns, made.SamplesPerPixel = 4, 5, 1
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 12, 11, 0
    made.FrameOfReferenceUID = "1.2.9"
    for keyword, value in changes.items():
        if value is None:
            delattr(made, keyword)
        else:
            setattr(made, keyword, value)
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save_as(path, enforce_file_format=True)
    return path


def found_in(folder: Path) -> Found:
    return find_objects(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("word", "changes"),
    [
        ("kind of object", {"kind": "4"}),
        ("rows and columns", {"Rows": 8}),
        ("colour", {"SamplesPerPixel": 3}),
        ("bits", {"BitsStored": 16}),
        ("bits", {"PixelRepresentation": 1}),
        ("frame of reference", {"FrameOfReferenceUID": "1.2.10"}),
        ("image type", {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}),
        ("image type", {"ImageType": ["DERIVED", "SECONDARY", "AXIAL"]}),
        ("image type", {"ImageType": ["ORIGINAL", "PRIMARY", "P"]}),
        ("image type", {"ImageType": ["ORIGINAL", "PRIMARY", "DIXON", "W"]}),
        ("image type", {"ImageType": ["ORIGINAL", "PRIMARY", "ADC"]}),
        ("convolution kernel", {"ConvolutionKernel": "B70f"}),
        ("tube voltage", {"KVP": "140"}),
    ],
)
def test_what_differs_is_split_and_says_why(tmp_path, word, changes):
    for n in range(3):
        write(tmp_path / f"{n}.dcm", InstanceNumber=n + 1)
    write(tmp_path / "other.dcm", InstanceNumber=9, **changes)
    found = found_in(tmp_path)
    [study] = found.studies
    assert [len(one.instances) for one in study.series] == [3, 1]
    assert [(one.part, one.parts) for one in study.series] == [(1, 2), (2, 2)]
    assert {one.because for one in study.series} == {
        f"The series has 2 parts because its objects differ in {word}."
    }
    assert [one.item for one in study.series] == ["series:1.2.1:1", "series:1.2.1:2"]
    assert study.series[1].name == f"Series 3 in {tmp_path.name}, part 2"
    assert found.problems == ()


def test_what_makes_no_difference_is_not_split(tmp_path):
    for n in range(2):
        write(tmp_path / f"{n}.dcm", InstanceNumber=n + 1, KVP="120" if n else "120.0", EchoTime=str(n))
    [series] = found_in(tmp_path).series
    assert (series.parts, series.because, series.item) == (1, "", "series:1.2.1")
    assert [one.path.name for one in series.instances] == ["0.dcm", "1.dcm"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (["ORIGINAL", "PRIMARY", "LOCALIZER"], ("localizer",)),
        (["ORIGINAL", "PRIMARY", "M", "ND"], ("original", "magnitude")),
        (["DERIVED", "SECONDARY", "MPR"], ("derived", "secondary", "reformatted")),
        (["ORIGINAL", "PRIMARY", "OPP_PHASE", "NONE"], ("original", "opposed phase")),
        (["derived", "primary", "adc"], ("derived", "ADC")),
        ("ORIGINAL PRIMARY LOCALIZER", ("localizer",)),
        ("", ()),
        (None, ()),
    ],
)
def test_image_types_in_plain_words(tmp_path, value, words):
    assert image_type_of(scan_header(write(tmp_path / "a.dcm", ImageType=value))) == words


def test_every_kind_of_object_has_its_own_name_and_stays_in_the_tree(tmp_path):
    for n, kind in enumerate(KINDS):
        picture = KINDS[kind].picture
        changes = {} if picture else {"Rows": None, "Columns": None, "Modality": "OT"}
        write(tmp_path / f"{n}.dcm", kind=kind, SeriesInstanceUID=f"1.2.{n}", SeriesNumber=n, **changes)
    found = found_in(tmp_path)
    assert len(found.series) == len(KINDS) and found.problems == ()
    assert [one.picture for one in found.series] == [kind.picture for kind in KINDS.values()]
    for one, kind in zip(found.series, KINDS.values(), strict=True):
        assert one.kind in (kind.name, "ultrasound still")
    assert len(pictures_of(found)) + len(others_of(found)) >= len(set(KINDS.values()))
    assert all(line.endswith(", not an image.") for line in others_of(found))


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("66.4", {"SegmentationType": "BINARY", "Modality": "SEG"}, "segmentation (SEG), binary"),
        ("66.4", {"SegmentationType": "FRACTIONAL", "Modality": "SEG"}, "segmentation (SEG), fractional"),
        ("66.7", {"SegmentationType": "LABELMAP", "Modality": "SEG"}, "segmentation (SEG), label map"),
        ("3.1", {"NumberOfFrames": 40, "Modality": "US"}, "ultrasound clip"),
        ("3.1", {"NumberOfFrames": 1, "Modality": "US"}, "ultrasound still"),
        ("77.1.6", {"Modality": "SM"}, "whole slide (SM)"),
        ("30", {"Modality": "MR"}, "parametric map"),
        ("481.2", {"Modality": "RTDOSE"}, "radiotherapy dose (RTDOSE)"),
        ("12345", {}, "DICOM object of unknown kind"),
    ],
)
def test_kinds_are_told_apart(tmp_path, kind, changes, words):
    header = scan_header(write(tmp_path / "a.dcm", kind=kind, **changes))
    assert kind_in_words(header) == words
    assert is_image(header) == (words.startswith("ultrasound") or kind == "12345")


def test_copies_are_dropped_and_rivals_are_kept_and_both_are_told(tmp_path):
    one = write(tmp_path / "a" / "1.dcm", SOPInstanceUID="1.2.77")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "copy.dcm").write_bytes(one.read_bytes())
    write(tmp_path / "c" / "rival.dcm", SOPInstanceUID="1.2.77", PatientName="Nobody^Else")
    found = found_in(tmp_path)
    assert [path.path.name for path in found.series[0].instances] == ["1.dcm", "rival.dcm"]
    assert found.problems == (
        "1 file is a copy of others.",
        "1 file says it is the same as another, but the contents differ; both are kept.",
    )


def test_a_copy_that_was_stored_by_another_program_is_a_copy(tmp_path):
    import pydicom

    one = write(tmp_path / "1.dcm")
    made = pydicom.dcmread(one)
    made.file_meta.SourceApplicationEntityTitle = "ELSEWHERE"
    made.save_as(tmp_path / "2.dcm", enforce_file_format=True)
    assert (tmp_path / "2.dcm").read_bytes() != one.read_bytes()
    assert found_in(tmp_path).problems == ("1 file is a copy of others.",)


def test_studies_come_in_the_order_of_their_files_and_series_by_number(tmp_path):
    write(tmp_path / "b" / "1.dcm", StudyInstanceUID="1.1", SeriesInstanceUID="1.1.1", SeriesNumber=12)
    write(tmp_path / "b" / "2.dcm", StudyInstanceUID="1.1", SeriesInstanceUID="1.1.2", SeriesNumber=2)
    write(tmp_path / "b" / "3.dcm", StudyInstanceUID="1.1", SeriesInstanceUID="1.1.3", SeriesNumber=None)
    write(tmp_path / "a" / "1.dcm", StudyInstanceUID="1.9")
    found = found_in(tmp_path)
    assert [study.uid for study in found.studies] == ["1.9", "1.1"]
    assert [one.number for one in found.studies[1].series] == [2, 12, None]


def test_files_without_a_series_are_not_thrown_together(tmp_path):
    for n in range(2):
        write(tmp_path / f"{n}.dcm", SeriesInstanceUID=None)
    assert [len(one.instances) for one in found_in(tmp_path).series] == [1, 1]


def test_what_cannot_be_read_is_told_and_the_rest_is_found(tmp_path):
    write(tmp_path / "good.dcm")
    whole = write(tmp_path / "cut.dcm").read_bytes()
    (tmp_path / "cut.dcm").write_bytes(whole[:300])
    series, problems = find_series(sorted(tmp_path.iterdir()))
    assert len(series) == 1
    assert problems == ["cut.dcm cannot be read as DICOM: it is damaged or cut short."]


def test_two_patients_are_refused_without_naming_them(tmp_path):
    write(tmp_path / "1.dcm", PatientID="SECRET-1")
    write(tmp_path / "2.dcm", PatientID="SECRET-2", SeriesInstanceUID="1.2.8")
    with pytest.raises(BadInput, match="2 patients") as caught:
        refuse_several_patients(found_in(tmp_path).series)
    assert "SECRET" not in str(caught.value)


def test_nothing_that_is_told_names_the_patient(tmp_path):
    write(tmp_path / "1.dcm", SeriesDescription="Nobody^Here knee", ImageType=["DERIVED", "SECONDARY", "NOBODY"])
    write(tmp_path / "2.dcm", ConvolutionKernel="NOBODY")
    found = found_in(tmp_path)
    said = " ".join([*found.problems, *(f"{one.name} {one.kind} {one.because}" for one in found.series)])
    assert "nobody" not in said.lower() and "MADE-UP" not in said


def csa(count: str) -> bytes:
    """A CSA header of version 2 with one element before the one that counts."""

    def tag(name: str, values: list[bytes]) -> bytes:
        made = name.encode().ljust(64, b"\0") + struct.pack("<l4slll", 1, b"US\0\0", 6, len(values), 77)
        for value in values:
            made += struct.pack("<llll", len(value), len(value), 77, len(value)) + value.ljust(
                (len(value) + 3) // 4 * 4, b"\0"
            )
        return made

    body = tag("EchoLinePosition", [b"64\0", b""]) + tag(
        "NumberOfImagesInMosaic", [count.encode()] if count else []
    )
    return b"SV10\4\3\2\1" + struct.pack("<LL", 2, 77) + body


@pytest.mark.parametrize(
    ("bytes_", "expected"),
    [(csa("36"), 36), (csa(""), 0), (csa("x"), 0), (csa("36")[:120], 0), (b"SV10", 0), (b"", 0)],
)
def test_siemens_says_how_many_slices_are_in_a_mosaic(bytes_, expected):
    made = Dataset()
    made.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(0x10, "OB", bytes_)
    assert images_in_mosaic(made) == expected
    plain = Dataset()
    plain.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0A, "US", 25)
    assert images_in_mosaic(plain) == 25
    assert images_in_mosaic(Dataset()) == 0


def test_a_mosaic_is_known_even_when_its_image_type_was_lost(tmp_path):
    import pydicom

    path = write(tmp_path / "1.dcm", kind="4", Manufacturer="SIEMENS", Modality="MR")
    assert not is_mosaic(scan_header(path))
    made = pydicom.dcmread(path)
    made.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(0x10, "OB", csa("36"))
    made.save_as(path)
    assert is_mosaic(instance_at(path).header)
    [series] = found_in(tmp_path).series
    assert series.picture and series.kind == "MR mosaic"
    labelled = write(tmp_path / "2.dcm", kind="4", ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"])
    assert is_mosaic(scan_header(labelled))


def test_real_folders(test_data):
    folder = test_data / "sarcoma" / "dicom" / "STS_019"
    if not folder.is_dir():
        pytest.skip("no sarcoma")
    found = find_objects(path for path in folder.rglob("*") if path.is_file() and is_dicom(path))
    counts = sorted((one.kind, len(one.instances)) for one in found.series)
    assert counts == [
        ("CT slice", 47),
        ("MR slice", 47),
        ("PET slice", 47),
        *[("radiotherapy structures (RTSTRUCT)", 1)] * 3,
    ]
    assert found.problems == () and not any(one.because for one in found.series)

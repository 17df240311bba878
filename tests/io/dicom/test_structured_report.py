"""Measurement reports of others are read as findings, and no tree leads the reader astray."""

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydicom import Dataset

from osler.core.codes import Code
from osler.core.errors import Unreadable
from osler.core.quantity import Quantity
from osler.io.dicom import structured_report
from osler.io.dicom.concepts import house_unit, own_code, public_code, ucum
from osler.io.dicom.encode import save_dataset
from osler.io.dicom.structured_report import read_findings, read_measurement_groups

OBJECTS = "dicom-conformance"


def code(value, scheme="DCM", meaning="m"):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def item(kind, name, *below, relation="CONTAINS", **values):
    made = Dataset()
    made.RelationshipType, made.ValueType = relation, kind
    made.ConceptNameCodeSequence = [code(name) if isinstance(name, str) else name]
    for keyword, value in values.items():
        setattr(made, keyword, value)
    if below:
        made.ContentSequence = list(below)
    return made


def number(name, value, unit="mm", *below, floating=None):
    measured = Dataset()
    measured.add_new(0x0040A30A, "DS", value)
    if floating is not None:
        measured.FloatingPointValue = floating
    measured.MeasurementUnitsCodeSequence = [code(unit, "UCUM", unit)]
    return item("NUM", name, *below, MeasuredValueSequence=[measured])


def group(*below):
    return item("CONTAINER", "125007", *below)


def document(path, *below):
    made = item("CONTAINER", "126000", *below)
    made.SOPClassUID, made.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.34", "1.2.3"
    save_dataset(made, path)
    return path


def test_dcmqi_measures_a_tumour(test_data):
    (found,) = read_measurement_groups(test_data / OBJECTS / "dcmqi-objects/data/sr-example/sr.dcm")
    assert (found.tracking, found.tracking_uid) == (
        "primary tumor",
        "2.25.318774060119084600392715520575818119084",
    )
    assert found.finding.code == Code("M-80003", "SRT", "Neoplasm, Primary") and found.finding.label == 1
    assert [site.value for site in found.sites] == ["T-C5300"]
    values = {m.name: m.quantity for m in found.finding.measurements}
    assert len(found.finding.measurements) == 22
    assert values["SUVbw, Mean"] == Quantity(6.01529, "{SUVbw}g/ml")
    assert values["SUVbw, Maximum"].value == values["SUVbw, Upper Adjacent Value"].value == 10.3814
    assert values["Volume"] == Quantity(33.5824, "ml")
    assert values["Percent Within First Quarter of Intensity Range"] == Quantity(29.434, "%")
    segment = found.references[0]
    assert (segment.purpose, segment.segments) == ("Referenced Segment", (1,))
    # The segmentation beside it is the one that is meant.
    drawn = pydicom.dcmread(test_data / OBJECTS / "dcmqi-objects/data/sr-example/seg.dcm", stop_before_pixels=True)
    assert segment.class_uid == drawn.SOPClassUID


def test_highdicom_measures_regions(test_data):
    folder = test_data / OBJECTS / "highdicom-objects/data/test_files"
    groups = read_measurement_groups(folder / "sr_document_with_multiple_groups.dcm")
    assert [one.tracking for one in groups] == ["Image0001", "LungNodule0001", "Aorta0001", "Vertebra0001"]
    said = [(one.finding.name, m.name, m.quantity) for one in groups for m in one.finding.measurements]
    assert said == [
        ("Image0001", "Intensity Histogram Mean", Quantity(-119.0738525390625, "[hnsf'U]")),
        ("Nodule", "Diameter", Quantity(10, "mm")),
        ("Aorta", "Diameter", Quantity(20, "mm")),
        ("Vertebra", "Volume", Quantity(200, "mm3")),
    ]
    assert groups[1].sites == (Code("39607008", "SCT", "Lung"),)
    image = pydicom.dcmread(folder / "ct_image.dcm", stop_before_pixels=True).SOPInstanceUID
    assert [[one.instance_uid for one in found.references] for found in groups] == [[image]] * 4

    (single,) = read_measurement_groups(folder / "sr_document.dcm")
    assert single.finding.name == "Spinal cord" and single.sites[0].value == "T-D00F7"
    assert single.finding.measurements[0].quantity == Quantity(1.7, "cm2")


def test_the_float_is_more_exact_than_the_decimal_string(tmp_path):
    path = document(tmp_path / "sr.dcm", group(number("1", "0.33333333333333", floating=1 / 3)))
    assert read_findings(path)[0].measurements[0].quantity.value == 1 / 3


@pytest.mark.parametrize("value", ["1e400", "NaN", "", "1,5", "-inf"])
def test_what_is_no_number_is_left_out(value, tmp_path):
    path = document(tmp_path / "sr.dcm", group(number("1", "2"), item("NUM", "2"), number("3", "123456")))
    path.write_bytes(path.read_bytes().replace(b"123456", value.ljust(6).encode()))
    assert [m.quantity.value for m in read_findings(path)[0].measurements] == [2]


@pytest.mark.parametrize(
    ("value", "scheme", "present"),
    [
        ("52101004", "SCT", True),
        ("G-A203", "SRT", True),
        ("121053", "DCM", True),
        ("272519000", "SCT", False),
        ("2667000", "SCT", False),
        ("121054", "DCM", False),
        ("52101004", "99OTHER", None),
    ],
)
def test_there_or_not_in_every_spelling(value, scheme, present, tmp_path):
    answer = item("CODE", "999", ConceptCodeSequence=[code(value, scheme)])
    assert read_findings(document(tmp_path / "sr.dcm", group(answer)))[0].present is present


def test_certainty_in_percent_is_a_probability(tmp_path):
    path = document(tmp_path / "sr.dcm", group(number("111012", "87.5", "%"), number("1", "2")))
    (found,) = read_findings(path)
    assert found.probability == 0.875 and len(found.measurements) == 1


def test_groups_are_found_wherever_they_stand(tmp_path):
    named = [
        group(item("TEXT", "112039", relation="HAS OBS CONTEXT", TextValue=text))
        for text in ("one", "two", "three")
    ]
    deep = item("CONTAINER", "126010", named[0], item("CONTAINER", "126011", named[1]))
    path = document(tmp_path / "sr.dcm", deep, item("CONTAINER", "126010", named[2]))
    assert [one.tracking for one in read_measurement_groups(path)] == ["one", "two", "three"]


def test_the_library_of_images_is_passed_over(tmp_path, monkeypatch):
    library = item("CONTAINER", "111028", *[item("CONTAINER", "126200", number("1", "2")) for _ in range(30)])
    path = document(tmp_path / "sr.dcm", library, group(number("1", "3")))
    monkeypatch.setattr(structured_report, "MOST_ITEMS", 20)
    assert read_findings(path)[0].measurements[0].quantity.value == 3


def test_a_loop_by_reference_is_not_followed(tmp_path):
    loop = number("1", "5")  # a reference may have no value of its own
    loop.RelationshipType = "INFERRED FROM"
    loop.ReferencedContentItemIdentifier = [1, 1]  # the group itself
    path = document(tmp_path / "sr.dcm", group(number("1", "2", "mm", loop), loop))
    assert [m.quantity.value for m in read_findings(path)[0].measurements] == [2]


def test_a_tree_too_deep_or_too_large_is_refused(tmp_path, monkeypatch):
    deep = group(number("1", "2"))
    for _ in range(8):
        deep = item("CONTAINER", "126010", deep)
    path = document(tmp_path / "sr.dcm", deep)
    assert len(read_findings(path)) == 1
    monkeypatch.setattr(structured_report, "MOST_LEVELS", 8)
    with pytest.raises(Unreadable, match=r"sr\.dcm.*8 levels"):
        read_findings(path)
    monkeypatch.setattr(structured_report, "MOST_LEVELS", 64)
    monkeypatch.setattr(structured_report, "MOST_ITEMS", 5)
    with pytest.raises(Unreadable, match=r"sr\.dcm.*5 items"):
        read_findings(path)


@pytest.mark.parametrize("levels", [200, 20_000])
def test_a_thousandfold_nested_file_is_refused(levels, tmp_path):
    path = document(tmp_path / "sr.dcm", item("CONTAINER", "1"))
    begin = b"\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    end = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    head = path.read_bytes()
    path.write_bytes(head[: head.rindex(b"\x40\x00\x30\xa7")] + begin * levels + end * levels)
    with pytest.raises(Unreadable):
        read_findings(path)


def test_what_is_no_report_is_refused_by_its_kind(tmp_path):
    other = Dataset()
    other.SOPClassUID, other.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3"
    save_dataset(other, tmp_path / "ct.dcm")
    with pytest.raises(Unreadable, match=r"ct\.dcm is a CT Image, not a structured report"):
        read_findings(tmp_path / "ct.dcm")
    (tmp_path / "text.dcm").write_text("no DICOM at all")
    with pytest.raises(Unreadable):
        read_findings(tmp_path / "text.dcm")


def test_half_made_items_do_no_harm(tmp_path):
    broken = [Dataset() for _ in range(3)]
    broken[0].ValueType = "NUM"
    broken[1].ConceptNameCodeSequence = [Dataset()]
    broken[2].ValueType, broken[2].ReferencedSOPSequence = "IMAGE", []
    path = document(tmp_path / "sr.dcm", *broken, group(*broken, number("1", "2")), group())
    assert [len(one.measurements) for one in read_findings(path)] == [1, 0]


@given(some.sampled_from(["mm", "mm2", "ml", "%", "1", "Gy", "pixels", "vessels", "g/ml{SUVbw}", "[hnsf'U]"]))
def test_units_go_out_and_come_back(unit):
    assert house_unit(ucum(unit).value) == unit


@given(some.text(max_size=80))
def test_a_code_made_from_a_name_is_known_as_such(name):
    assert public_code(own_code(name)) is None
    assert public_code(Code("1", "99OSLER", name)) == Code("1", "99OSLER", name)

"""Every result format keeps what the report says, and tells no more than it should.

A new format needs a place here: in `IN_WORDS` where it says everything in words and numbers, else a proof of its
own in `SHOWN`.
"""

import base64
import csv
import html
import json
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom import Dataset

from osler.clinic.measure.structure import measure_label
from osler.core.codes import Code
from osler.core.conclusion import Conclusion, Ground, Priority
from osler.core.errors import CannotHold
from osler.core.facts import Facts
from osler.core.finding import Finding
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.prediction import Prediction
from osler.core.report import NOT_A_DEVICE, Drawing, KeyPicture, ModelUse, Problem, Report
from osler.core.study import Study
from osler.core.volume import Volume
from osler.io.dicom.write import write_series
from osler.io.open import open_study
from osler.phantoms.volumes import made_up_patient
from osler.results.table import WRITERS

NOTE = "mrs example, room 4"  # what people type into a description
PATIENT = "Nobody^At^All"
MODEL = ModelUse("model-a", "1.2.0", "abc123", "a box", ("children",), "CC BY 4.0", ("auc 0.95",))

IN_WORDS = {"json", "html", "csv", "fhir", "pdf", "sr", "dicompdf"}
IN_FULL = {"json", "html", "fhir", "pdf", "dicompdf"}  # the card, the pathway and the file's own name too
FOR_PEOPLE = {"html", "pdf", "dicompdf"}  # numbers are rounded
CONCLUSIONS = (
    Conclusion(
        "recist-1.1", "1.1 (2009)", "Response, RECIST 1.1", "PR", "Partial response: the sum fell.", "Confirm it.",
        "The sum is 30 % lower or more.", (Ground("new lesions", "none seen", "matched outlines"),), ("SD",), "",
        "Eisenhauer EA, et al.", findings=(3,),
    ),
    Conclusion("lung-rads", "v2022", "Lung-RADS", "", "", refused="It is no screening CT."),
)  # fmt: skip
PRIORITY = Priority("soon", "The probability is above the operating point.", 0.9312)
OF_ANY_FILE = {"json", "html", "csv", "fhir", "pdf"}  # the others need a DICOM study to be filed under


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A small CT of nobody as DICOM, upright, with a name in each place where names are found."""
    folder = tmp_path_factory.mktemp("study") / "film <3> & co"
    volume, _ = made_up_patient(11, shape=(14, 44, 40), spacing=(5.0, 2.5, 2.25))
    write_series(replace(volume, facts=replace(volume.facts, description=NOTE)), folder, patient=PATIENT, seed=11)
    return open_study(folder)


@pytest.fixture(scope="module")
def report(study: Study) -> Report:
    """Everything that a report can hold, once."""
    _, answer = made_up_patient(11, shape=(14, 44, 40), spacing=(5.0, 2.5, 2.25))
    volume = study.pictures[0]
    assert isinstance(volume, Volume) and answer.geometry is not None and volume.geometry.matches(answer.geometry)
    mask = Mask((answer.array > 0).astype(np.uint8), {1: "Organ", 2: "Lesion"}, geometry=volume.geometry)
    chance = np.stack([np.where(mask.array == 1, 0.84375, 0.03125), np.full(mask.array.shape, 0.0)])
    measured = measure_label(Prediction("segmentation", ("Organ", "Lesion"), mask=mask), 1)
    return Report(
        study=study.name,
        study_uid=study.uid,
        facts=study.facts,
        pathway="abdomen-of-nobody",
        declined=(),
        cautions=(Problem("The header does not say the view.", "Make sure.", "header"),),
        findings=(
            Finding("Pneumonia", "Pneumonia: 0.93.", Code("233604007", "SCT", "Pneumonia"), 0.9312, True),
            Finding("Effusion", "Effusion: 0.02.", probability=0.0213, present=False),
            Finding("Grade", "Grade: 2.", grade="2", distribution=(("0", 0.125), ("1", 0.25), ("2", 0.625))),
            Finding("Organ", "Organ: outlined.", present=True, measurements=measured, label=1),
            Finding("Lesion", "Lesion: not seen.", Code("52988006", "SCT", "Lesion"), present=False, label=2),
        ),
        key_pictures=(KeyPicture("Axial, slice 3 of 9", np.full((20, 30, 3), 90, np.uint8)),),
        models=(MODEL,),
        seconds=(("choose", 0.01), ("predict", 1.25)),
        software="osler 0.1.0",
        created="2026-01-02T03:04:05+00:00",
        uid="2.25.271828182845904523536",
        drawings=(Drawing(0, mask, chance.astype(np.float32)),),
        conclusions=CONCLUSIONS,
        priority=PRIORITY,
    )


LEG = Problem("No model may read this study: it shows EXTREMITY (CR).", "Train one.", "choose")
OTHER = Problem("The header says EXTREMITY; the model reads CHEST.", "Use another.", "model chest-pneumonia")


@pytest.fixture(scope="module")
def declined(report: Report) -> Report:
    nothing: dict[str, Any] = {"findings": (), "key_pictures": (), "models": (), "drawings": (), "cautions": ()}
    nothing |= {"conclusions": (), "priority": None}
    return replace(report, pathway="", declined=(LEG, OTHER), **nothing)


PICTURE = Study((Image(np.full((20, 30), 90, np.uint8)),), name="film.png")


def every_element(dataset: Dataset) -> Iterator[Any]:
    """Every element at any depth."""
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from every_element(item)
        else:
            yield element


def text_of(path: Path) -> str:
    """What a person or a program reads in the file, with single spaces."""
    if path.suffix == ".dcm":
        dataset = pydicom.dcmread(path)
        if "EncapsulatedDocument" in dataset:
            text = pdf_text(bytes(dataset.EncapsulatedDocument))
        else:
            text = "\n".join(str(e.value) for e in every_element(dataset) if e.VR not in ("OB", "OW", "OF", "UI"))
    elif path.suffix == ".pdf":
        text = pdf_text(path.read_bytes())
    elif path.suffix == ".html":
        source = path.read_text(encoding="utf-8")
        text = html.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"<style>.*?</style>", "", source, flags=re.S)))
    elif path.suffix == ".csv":
        text = "\n".join(" ".join(row) for row in csv.reader(path.open(encoding="utf-8", newline="")))
    else:
        text = json.dumps(json.loads(path.read_text(encoding="utf-8")), ensure_ascii=False)
        text = re.sub(r'"data": "[^"]*"', "", text).replace("\\n", "\n")  # the page inside a Bundle
        text = html.unescape(text)  # its narrative is XHTML
    return " ".join(text.split())


def pdf_text(content: bytes) -> str:
    """The words of a PDF of standard fonts: what its page streams show."""
    shown = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", content, flags=re.S):
        try:
            page = zlib.decompress(
                base64.a85decode(stream.strip(), adobe=False)
                if b"~>" not in stream
                else base64.a85decode(stream.strip().removesuffix(b"~>"))
            )
        except (ValueError, zlib.error):
            continue  # a picture or a font
        for piece in re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", page, flags=re.S):
            plain = re.sub(rb"\\([0-7]{3})", lambda m: bytes([int(m.group(1), 8)]), piece)
            shown.append(re.sub(rb"\\(.)", rb"\1", plain).decode("cp1252", "replace"))
    return " ".join(shown)


def write(name: str, report: Report, study: Study, folder: Path) -> tuple[Path, ...]:
    paths = WRITERS[name](report, study, folder)
    assert paths and all(path.is_file() and path.parent == folder for path in paths)
    return paths


def test_every_format_has_its_proof() -> None:
    assert set(WRITERS) - IN_WORDS - set(SHOWN) == set()


@pytest.mark.parametrize("name", [name for name in WRITERS if name in IN_WORDS])
def test_a_format_in_words_keeps_what_the_report_says(
    name: str, report: Report, study: Study, tmp_path: Path
) -> None:
    text = text_of(write(name, report, study, tmp_path)[0])
    said = [report.software, "model-a", "1.2.0", "abc123", NOT_A_DEVICE, "children"]
    said += [finding.name for finding in report.findings] + [finding.statement for finding in report.findings]
    said += [caution.what for caution in report.cautions]
    for one in report.conclusions:
        said += [
            one.guideline,
            one.version,
            one.title,
            one.category,
            one.statement,
            one.advice,
            one.rule,
            *one.nearby,
        ]
        said += [one.refused, *(word for ground in one.grounds for word in (ground.name, ground.value, ground.of))]
        said += [one.source]
    said += [PRIORITY.because]
    if name in IN_FULL:
        said += [report.study, report.pathway, "CC BY 4.0", "auc 0.95", "Axial, slice 3 of 9"]
    # A page may set letters apart or break lines.
    assert [one for one in said if "".join(one.split()) not in "".join(text.split())] == []


@pytest.mark.parametrize("name", [name for name in WRITERS if name in IN_WORDS])
def test_every_number_can_be_read_back(name: str, report: Report, study: Study, tmp_path: Path) -> None:
    text = text_of(write(name, report, study, tmp_path)[0])
    numbers = np.array([float(n) for n in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)?", text)])
    chances = [f.probability for f in report.findings if f.probability is not None]
    chances += [share for finding in report.findings for _, share in finding.distribution]
    for value in chances:
        assert np.abs(numbers - value).min() < (0.006 if name in FOR_PEOPLE else 1e-9), value
    sizes = [m.quantity for finding in report.findings for m in finding.measurements]
    assert {size.unit for size in sizes} >= {"mm", "ml"}
    for size in sizes:
        assert np.abs(numbers - size.value).min() < (0.1 if name in FOR_PEOPLE else 1e-9), size


def present_in_json(path: Path) -> dict[str, bool | None]:
    return {one["name"]: one["present"] for one in json.loads(path.read_text())["findings"]}


def present_in_csv(path: Path) -> dict[str, bool | None]:
    rows = [row for row in csv.DictReader(path.open(newline="")) if row["kind"] == "finding"]
    return {row["finding"]: {"yes": True, "no": False, "": None}[row["present"]] for row in rows}


def present_in_fhir(path: Path) -> dict[str, bool | None]:
    resources = [entry["resource"] for entry in json.loads(path.read_text())["entry"]]
    found = [one for one in resources if one["resourceType"] == "Observation" and "method" not in one]
    found = [one for one in found if one["code"]["text"] != "Priority"]
    said = {"52101004": True, "272519000": False}
    return {
        one["code"]["text"]: said.get(one.get("valueCodeableConcept", {}).get("coding", [{}])[0].get("code"))
        for one in found
    }


def present_in_sr(path: Path) -> dict[str, bool | None]:
    from osler.io.dicom.structured_report import read_findings

    return {finding.name: finding.present for finding in read_findings(path)}


PRESENCE: dict[str, Callable[[Path], dict[str, bool | None]]] = {
    "json": present_in_json,
    "csv": present_in_csv,
    "fhir": present_in_fhir,
    "sr": present_in_sr,
}


@pytest.mark.parametrize("name", [name for name in WRITERS if name in PRESENCE])
def test_what_is_there_and_what_is_not_is_kept(name: str, report: Report, study: Study, tmp_path: Path) -> None:
    found = PRESENCE[name](write(name, report, study, tmp_path)[0])
    assert found == {finding.name: finding.present for finding in report.findings}


@pytest.mark.parametrize("name", WRITERS)
def test_a_declined_report_gives_the_reason_and_no_answer(
    name: str, declined: Report, study: Study, tmp_path: Path
) -> None:
    if name not in IN_WORDS:
        with pytest.raises(CannotHold) as refused:
            WRITERS[name](declined, study, tmp_path)
        assert refused.value.remedy and list(tmp_path.iterdir()) == []
        return
    text = text_of(write(name, declined, study, tmp_path)[0])
    assert all(problem.what in text for problem in declined.declined) and LEG.remedy in text
    assert NOT_A_DEVICE in text and "robability" not in text


@pytest.mark.parametrize("name", WRITERS)
def test_a_picture_that_is_not_dicom_is_held_or_refused_with_a_remedy(
    name: str, report: Report, tmp_path: Path
) -> None:
    mask = Mask(np.eye(20, 30, dtype=np.uint8), {1: "Organ"})
    of_a_file = replace(report, study="film.png", study_uid="", facts=Facts(), drawings=(Drawing(0, mask),))
    if name in OF_ANY_FILE:
        assert report.findings[0].statement in text_of(write(name, of_a_file, PICTURE, tmp_path)[0])
        return
    with pytest.raises(CannotHold) as refused:
        WRITERS[name](of_a_file, PICTURE, tmp_path)
    assert refused.value.remedy and PATIENT not in str(refused.value) and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", WRITERS)
def test_no_format_tells_what_was_typed_into_a_description_nor_a_file_outside_dicom_the_name(
    name: str, report: Report, declined: Report, study: Study, tmp_path: Path
) -> None:
    for number, one in enumerate((report, declined)):
        try:
            paths = WRITERS[name](one, study, tmp_path / str(number))
        except CannotHold:
            continue
        for path in {*paths, *(tmp_path / str(number)).iterdir()}:
            content = path.read_bytes()
            text = text_of(path) if path.suffix != ".png" else ""
            assert NOTE.encode() not in content.lower() and NOTE not in text.lower(), path.name
            if path.suffix != ".dcm":
                for secret in (PATIENT, "Nobody", "MADE-UP-11"):
                    assert secret.encode() not in content and secret not in text, path.name


@pytest.mark.parametrize("name", WRITERS)
def test_writing_again_replaces_and_leaves_nothing_behind(
    name: str, report: Report, study: Study, tmp_path: Path
) -> None:
    write(name, report, study, tmp_path)
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    write(name, report, study, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first


@pytest.fixture(scope="module")
def objects(report: Report, study: Study, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Dataset]]:
    """Every DICOM object that this report becomes, by format."""
    folder = tmp_path_factory.mktemp("objects")
    made = {name: WRITERS[name](report, study, folder) for name in WRITERS if name not in OF_ANY_FILE}
    return {name: [pydicom.dcmread(path) for path in paths] for name, paths in made.items()}


def test_dicom_results_lie_in_the_study_of_the_patient_each_in_a_series_of_its_own(
    objects: dict[str, list[Dataset]], study: Study
) -> None:
    source = pydicom.dcmread(study.pictures[0].origins[0].path)  # type: ignore[union-attr]
    seen = {source.SeriesInstanceUID: "source"}
    uids = set(study.pictures[0].instance_uids)  # type: ignore[union-attr]
    numbers = {int(source.SeriesNumber)}
    for name, several in objects.items():
        for one in several:
            for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "StudyID", "PatientSex"):
                assert one[keyword].value == source[keyword].value, (name, keyword)
            assert seen.setdefault(one.SeriesInstanceUID, name) == name
            assert one.SOPInstanceUID not in uids
            uids.add(one.SOPInstanceUID)
            assert "osler" in one.SoftwareVersions and one.Manufacturer == "Osler"
            assert one.ContributingEquipmentSequence[0].ManufacturerModelName == "model-a"
        of_this = {int(one.SeriesNumber) for one in several}
        assert not of_this & numbers, name
        numbers |= of_this


def test_every_object_that_a_result_refers_to_exists(
    objects: dict[str, list[Dataset]], report: Report, study: Study, tmp_path: Path
) -> None:
    assert_references_are_answered(objects, study)
    # Two series of one study, something outlined on each.
    for seed, modality in ((11, "CT"), (12, "MR")):
        volume, _ = made_up_patient(seed, shape=(14, 44, 40), spacing=(5.0, 2.5, 2.25))
        volume = replace(volume, facts=replace(volume.facts, modality=modality))
        write_series(volume, tmp_path / "two" / modality, patient=PATIENT, seed=11)
    both = open_study(tmp_path / "two")
    assert len(both.pictures) == 2
    drawings = tuple(replace(report.drawings[0], picture=index) for index in (0, 1))
    findings = (*report.findings, *(replace(finding, picture=1) for finding in report.findings))
    twice = replace(report, study_uid=both.uid, findings=findings, drawings=drawings)
    written = {name: WRITERS[name](twice, both, tmp_path) for name in objects}
    assert_references_are_answered(
        {name: [pydicom.dcmread(path) for path in paths] for name, paths in written.items()}, both
    )


def assert_references_are_answered(objects: dict[str, list[Dataset]], study: Study) -> None:
    """Each referenced instance is an image of the study or one of the results, and in the series that is named."""
    volumes = [picture for picture in study.pictures if isinstance(picture, Volume)]
    there = {uid: volume.series_uid for volume in volumes for uid in volume.instance_uids}
    there |= {one.SOPInstanceUID: one.SeriesInstanceUID for several in objects.values() for one in several}

    def references(item: Dataset) -> Iterator[tuple[str, str]]:
        """(series or "", instance) of every reference below."""
        for element in item:
            if element.VR != "SQ":
                continue
            for below in element.value:
                if "ReferencedSOPInstanceUID" in below and "ReferencedSOPClassUID" in below:
                    yield str(item.get("SeriesInstanceUID", "")), str(below.ReferencedSOPInstanceUID)
                yield from references(below)

    studies = {study.uid}  # RTSTRUCT refers to the study itself
    for name, several in objects.items():
        for one in several:
            for series, instance in references(one):
                if instance in studies:
                    continue
                assert instance in there, name
                if series and series != one.SeriesInstanceUID:
                    assert series == there[instance], name


def shown_by_seg(several: list[Dataset], report: Report, study: Study) -> None:
    """Each voxel where it was drawn."""
    from osler.io.dicom.segmentation import read_mask

    (one,) = several
    drawn = report.drawings[0].mask
    back = read_mask(Path(str(one.filename)), grid=drawn.geometry)
    assert (back.array == drawn.array).all() and back.labels == drawn.labels
    assert one.SegmentationType in ("BINARY", "LABELMAP")


def shown_by_pm(several: list[Dataset], report: Report, study: Study) -> None:
    """The probability of the label that has any, at each voxel of the slices written."""
    (one,) = several
    chance = report.drawings[0].probability
    assert chance is not None
    stored = np.frombuffer(one.FloatPixelData, "<f4").reshape(-1, one.Rows, one.Columns)
    written = {
        float(g.PlanePositionSequence[0].ImagePositionPatient[2]): frame
        for g, frame in zip(one.PerFrameFunctionalGroupsSequence, stored, strict=True)
    }
    geometry = report.drawings[0].mask.geometry
    assert geometry is not None
    heights = geometry.to_world(np.array([[n, 0, 0] for n in range(len(chance[0]))]))[:, 2]
    for height, expected in zip(heights, chance[0], strict=True):
        frame = written.get(round(float(height), 6))
        assert (frame is None and expected.max() < 0.01) or np.allclose(frame, expected, atol=1e-6)


def shown_by_ko(several: list[Dataset], report: Report, study: Study) -> None:
    """Slices that show what was outlined, and the words."""
    (one,) = several
    volume, drawn = study.pictures[0], report.drawings[0].mask
    assert isinstance(volume, Volume)
    there = {uid for uid, here in zip(volume.instance_uids, drawn.array.any(axis=(1, 2)), strict=True) if here}
    named = [
        item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        for item in one.ContentSequence
        if item.ValueType == "IMAGE"
    ]
    assert named and set(named) & there
    text = " ".join(str(e.value) for e in every_element(one))
    assert all(finding.statement in text for finding in report.findings) and NOT_A_DEVICE in text


def shown_by_gsps(several: list[Dataset], report: Report, study: Study) -> None:
    """An outline that runs along the border of the mask on its slice."""
    volume, drawn = study.pictures[0], report.drawings[0].mask
    assert isinstance(volume, Volume)
    checked = 0
    for one in several:
        for layer in one.GraphicAnnotationSequence:
            uid = layer.ReferencedImageSequence[0].ReferencedSOPInstanceUID
            inside = drawn.array[volume.instance_uids.index(uid)] == 1
            for graphic in layer.get("GraphicObjectSequence", ()):
                points = np.array(graphic.GraphicData, float).reshape(-1, 2)  # (column, row), the first pixel is 1
                columns, rows = np.nonzero(inside)[1], np.nonzero(inside)[0]
                assert abs(points[:, 0].max() - (columns.max() + 1)) <= 1 and points[:, 0].min() >= columns.min()
                assert abs(points[:, 1].max() - (rows.max() + 1)) <= 1 and points[:, 1].min() >= rows.min()
                checked += 1
    assert checked


def shown_by_rtstruct(several: list[Dataset], report: Report, study: Study) -> None:
    """The volume between the contours is that of the mask, and it lies in the same place."""
    (one,) = several
    drawn = report.drawings[0].mask
    assert drawn.geometry is not None
    names = {roi.ROINumber: roi.ROIName for roi in one.StructureSetROISequence}
    area, low, high = 0.0, np.full(3, np.inf), np.full(3, -np.inf)
    for roi in one.ROIContourSequence:
        if names[roi.ReferencedROINumber] != "Organ":
            continue
        for contour in roi.ContourSequence:
            points = np.array(contour.ContourData, float).reshape(-1, 3)
            x, y = points[:, 0], points[:, 1]
            area += abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
            low, high = np.minimum(low, points.min(axis=0)), np.maximum(high, points.max(axis=0))
    thickness = drawn.geometry.spacing[0]
    assert area * thickness / 1000 == pytest.approx(drawn.array.sum() * drawn.geometry.voxel_ml, rel=0.1)
    where = drawn.geometry.to_world(np.argwhere(drawn.array == 1))
    assert np.abs(low - where.min(axis=0)).max() <= 1.3 and np.abs(high - where.max(axis=0)).max() <= 1.3


def shown_by_sc(several: list[Dataset], report: Report, study: Study) -> None:
    """The key pictures, pixel by pixel, marked as made by a machine and as having words in them."""
    for one, picture in zip(several, report.key_pictures, strict=True):
        rows, columns = picture.pixels.shape[:2]
        assert (one.pixel_array[:rows, :columns] == picture.pixels).all()
        assert list(one.ImageType[:2]) == ["DERIVED", "SECONDARY"] and one.BurnedInAnnotation == "YES"


SHOWN: dict[str, Callable[[list[Dataset], Report, Study], None]] = {
    "seg": shown_by_seg,
    "labelmap": shown_by_seg,
    "pm": shown_by_pm,
    "ko": shown_by_ko,
    "gsps": shown_by_gsps,
    "rtstruct": shown_by_rtstruct,
    "sc": shown_by_sc,
}


@pytest.mark.parametrize("name", [name for name in WRITERS if name in SHOWN])
def test_a_format_that_shows_keeps_what_was_found(
    name: str, objects: dict[str, list[Dataset]], report: Report, study: Study
) -> None:
    SHOWN[name](objects[name], report, study)

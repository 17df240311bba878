"""Structure sets that we write: valid, on the right slices, and the same mask when they come back."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from osler.core.codes import Code
from osler.core.errors import BadGeometry, CannotHold
from osler.core.facts import Facts
from osler.core.finding import Finding
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.report import Drawing, ModelUse, Report
from osler.core.study import Study
from osler.core.volume import Volume
from osler.io.dicom.encode import new_uid
from osler.io.dicom.structures import read_mask, read_structures
from osler.io.dicom.write import write_multiframe, write_radiograph, write_series
from osler.io.open import open_picture
from osler.results.dicom_rtstruct import write_rtstruct

KINDS = ("CT", "MR", "PT", "enhanced CT", "enhanced MR")


def scan(kind: str, folder: Path, geometry: Geometry | None = None) -> Volume:
    """A picture that came from DICOM."""
    geometry = geometry or Geometry.from_spacing((4, 12, 14), (3, 0.8, 0.7), (-20, 5, 100))
    array = np.random.default_rng(2).integers(0, 1000, geometry.shape).astype(np.int16)
    facts = Facts(modality=kind.split()[-1], body_part="CHEST", sex="F")
    volume = Volume(array, geometry, unit="SUV" if kind == "PT" else "", facts=facts)
    if kind.startswith("enhanced"):
        write_multiframe(volume, folder / "one.dcm", seed=3)
        return open_picture(folder / "one.dcm")
    write_series(volume, folder / "series", seed=3)
    return open_picture(folder / "series")


def rings(shape: tuple[int, int, int]) -> np.ndarray:
    """1 a ring with an island in its hole, 2 two blots, 3 nowhere."""
    array = np.zeros(shape, np.uint8)
    array[:3, 1:10, 1:10] = 1
    array[1, 3:8, 3:8] = 0
    array[1, 5, 5] = 1
    array[3, 2:4, 2:4] = array[3, 4:6, 4:6] = 2
    return array


def report_of(picture: Volume | Image, array: np.ndarray) -> Report:
    geometry = picture.geometry if isinstance(picture, Volume) else None
    mask = Mask(array, {1: "liver", 2: "lesion", 3: "left lung"}, geometry=geometry)
    tumour = Finding("Tumour", "Tumour.", code=Code("108369006", "SCT", "Neoplasm"), label=2)
    return Report(
        study="study",
        study_uid=picture.study_uid,
        facts=picture.facts,
        pathway="",
        declined=(),
        cautions=(),
        findings=(tumour,),
        key_pictures=(),
        models=(ModelUse("model-a", "1.2.0", "abc123", "a box", (), "CC BY 4.0"),),
        seconds=(),
        software="osler 0.1.0",
        created="2026-01-02T03:04:05+00:00",
        uid=new_uid(),
        drawings=(Drawing(0, mask),),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_structure_set_comes_back_as_the_same_mask(kind, tmp_path):
    picture = scan(kind, tmp_path)
    array = rings(picture.array.shape)
    (path,) = write_rtstruct(report_of(picture, array), Study((picture,), name="study"), tmp_path / "results")
    mask = read_mask(path)  # finds the pictures beside it by itself
    assert mask.geometry.matches(picture.geometry, tolerance_mm=1e-3)
    np.testing.assert_array_equal(mask.array, array)
    np.testing.assert_array_equal(read_mask(path, grid=picture.geometry).array, array)


@pytest.mark.parametrize("kind", KINDS)
def test_dciodvfy_finds_no_error(kind, tmp_path):
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (dicom3tools) is not installed")
    picture = scan(kind, tmp_path)
    report = report_of(picture, rings(picture.array.shape))
    (path,) = write_rtstruct(report, Study((picture,), name="study"), tmp_path / "results")
    said = subprocess.run(["dciodvfy", "-new", path], capture_output=True, text=True, check=False)
    assert "RTStructureSet" in said.stderr + said.stdout
    assert [line for line in (said.stderr + said.stdout).splitlines() if line.startswith("Error")] == []


def test_it_says_what_it_is_and_where_it_came_from(tmp_path):
    picture = scan("CT", tmp_path)
    report = report_of(picture, rings(picture.array.shape))
    (path,) = write_rtstruct(report, Study((picture,), name="study"), tmp_path)
    assert path.name == "rtstruct.dcm"
    dataset, source = pydicom.dcmread(path), pydicom.dcmread(picture.origins[0].path)
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "FrameOfReferenceUID", "PatientSex"):
        assert dataset[keyword].value == source[keyword].value
    assert dataset.SeriesInstanceUID != source.SeriesInstanceUID
    assert dataset.ApprovalStatus == "UNAPPROVED" and dataset.Modality == "RTSTRUCT"
    assert dataset.ContributingEquipmentSequence[0].ManufacturerModelName == "model-a"
    assert {roi.ROIGenerationAlgorithm for roi in dataset.StructureSetROISequence} == {"AUTOMATIC"}
    assert [float(roi.ROIVolume) for roi in dataset.StructureSetROISequence] == pytest.approx(
        [(report.drawings[0].mask.array == n).sum() * 3 * 0.8 * 0.7 / 1000 for n in (1, 2, 3)]
    )
    found = read_structures(path)
    # TG-263's names; the finding's where the report has one.
    assert [(one.number, one.name, one.kind) for one in found.structures] == [
        (1, "Liver", ""),
        (2, "Tumour", "GTV"),
        (3, "Lung_L", ""),
    ]
    assert found.structures[2].contours == ()
    assert found.instance_uids == picture.instance_uids and found.series_uids == (picture.series_uid,)
    for structure in found.structures:
        for line in structure.contours:
            n = round(float(picture.geometry.to_index(line.points)[:, 0].mean()))
            assert line.instance_uid == picture.instance_uids[n]
    numbers = [
        str(x) for roi in dataset.ROIContourSequence[:2] for one in roi.ContourSequence for x in one.ContourData
    ]
    assert max(map(len, numbers)) <= 16


def test_holes_are_keyholes_of_one_line(tmp_path):
    picture = scan("CT", tmp_path)
    report = report_of(picture, rings(picture.array.shape))
    (path,) = write_rtstruct(report, Study((picture,), name="study"), tmp_path)
    ring = read_structures(path).structures[0]
    on_slice = [one for one in ring.contours if one.instance_uid == picture.instance_uids[1]]
    assert len(on_slice) == 2  # the ring in one line, the island in another
    assert {one.kind for one in ring.contours} == {"CLOSED_PLANAR"}


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), tilted=st.booleans(), kind=st.sampled_from(KINDS))
def test_any_grid_and_any_mask_come_back(seed, tilted, kind, tmp_path):
    draw = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(draw.normal(size=(3, 3)))
    if np.cross(turn[:, 2], turn[:, 1]) @ turn[:, 0] < 0:
        turn[:, 0] *= -1
    affine = np.eye(4)
    affine[:3, :3] = turn * draw.uniform((1, 0.3, 0.3), (5, 2, 2))
    if tilted:
        affine[:3, 0] += affine[:3, 1] * draw.uniform(-0.5, 0.5)
    affine[:3, 3] = draw.uniform(-500, 500, 3)
    folder = tmp_path / f"{seed}-{tilted}-{kind}"
    if folder.exists():
        return
    picture = scan(kind, folder, Geometry((4, 9, 7), affine))
    array = draw.integers(0, 4, picture.array.shape).astype(np.uint8)
    array[0, 0, 0] = 1
    (path,) = write_rtstruct(report_of(picture, array), Study((picture,), name="study"), folder)
    mask = read_mask(path)
    np.testing.assert_allclose(mask.geometry.affine, affine, atol=1e-3)
    np.testing.assert_array_equal(mask.array, array)


def test_two_drawings_are_two_series(tmp_path):
    first, second = scan("CT", tmp_path), scan("PT", tmp_path / "other")
    report = report_of(first, rings(first.array.shape))
    drawing = replace(report.drawings[0], picture=1)
    report = replace(report, drawings=(*report.drawings, drawing))
    paths = write_rtstruct(report, Study((first, second), name="study"), tmp_path / "results")
    assert [path.name for path in paths] == ["rtstruct.dcm", "rtstruct-2.dcm"]
    one, two = (pydicom.dcmread(path) for path in paths)
    assert one.SeriesInstanceUID != two.SeriesInstanceUID and one.SOPInstanceUID != two.SOPInstanceUID


def test_what_it_cannot_hold_is_refused(tmp_path):
    picture = scan("CT", tmp_path)
    empty = report_of(picture, np.zeros(picture.array.shape, np.uint8))
    with pytest.raises(CannotHold, match="Nothing was outlined"):
        write_rtstruct(empty, Study((picture,), name="study"), tmp_path)
    report = report_of(picture, rings(picture.array.shape))
    with pytest.raises(CannotHold, match="not DICOM"):
        write_rtstruct(report, Study((replace(picture, origins=()),), name="study"), tmp_path)
    moved = Volume(picture.array, Geometry.from_spacing(picture.array.shape, (1, 1, 1)), origins=picture.origins)
    with pytest.raises(BadGeometry, match="grid"):
        write_rtstruct(report, Study((moved,), name="study"), tmp_path)
    write_radiograph(Image(np.zeros((8, 9), np.uint8), facts=Facts(modality="CR")), tmp_path / "film.dcm")
    film = open_picture(tmp_path / "film.dcm")
    flat = report_of(film, np.ones((8, 9), np.uint8))
    with pytest.raises(CannotHold, match="flat"):
        write_rtstruct(flat, Study((film,), name="study"), tmp_path)
    assert list(tmp_path.glob("rtstruct*")) == []


def test_outlines_that_were_given_are_not_called_automatic(tmp_path):
    picture = scan("CT", tmp_path)
    report = report_of(picture, rings(picture.array.shape))
    report = replace(report, models=(replace(report.models[0], version=""),))
    (path,) = write_rtstruct(report, Study((picture,), name="study"), tmp_path)
    made = {roi.ROIGenerationAlgorithm for roi in pydicom.dcmread(path).StructureSetROISequence}
    assert made == {"SEMIAUTOMATIC"}

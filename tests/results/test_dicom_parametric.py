"""How likely each voxel is, and any other quantity, comes back from a parametric map number by number."""

import zipfile
from dataclasses import replace

import numpy as np
import pydicom
import pytest

from osler.core.codes import Code
from osler.core.errors import BadGeometry, BadPixels, CannotHold
from osler.core.facts import Facts
from osler.core.finding import Finding
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.report import NOT_A_DEVICE, Drawing, ModelUse, Report
from osler.core.study import Study
from osler.core.volume import Volume
from osler.io.dicom.encode import save_dataset
from osler.io.dicom.parametric import read_parametric_map
from osler.io.dicom.write import write_radiograph, write_series
from osler.io.open import open_picture, open_study
from osler.results.dicom_object import source_header
from osler.results.dicom_parametric import parametric_object, write_parametric_maps

ADC = Code("113041", "DCM", "Apparent Diffusion Coefficient")
REPORT = Report(
    study="made up",
    study_uid="",
    facts=Facts(),
    pathway="abdomen",
    declined=(),
    cautions=(),
    findings=(Finding("Liver", "Liver.", Code("10200004", "SCT", "Liver"), label=1),),
    key_pictures=(),
    models=(ModelUse("abdomen", "1.2.0", "sha256:abc", "CT", (), "x"),),
    seconds=(),
    software="osler 0.1.0",
    created="2026-01-02T03:04:05+00:00",
    uid="2.25.4712",
)


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Study:
    folder = tmp_path_factory.mktemp("mr")
    affine = np.array([[0.6, 0, 0.7, -8], [0, 0.9, 0.0, 5.25], [2.0, 0, -0.21, 71.5], [0, 0, 0, 1]])
    affine[:3, 1] = np.cross(affine[:3, 0], affine[:3, 2])  # oblique, rows and columns at right angles
    affine[:3, 0] += 0.3 * affine[:3, 1]  # and tilted
    array = np.arange(6 * 7 * 8, dtype=np.uint16).reshape(6, 7, 8)
    write_series(Volume(array, Geometry(array.shape, affine), facts=Facts(modality="MR")), folder / "in")
    return open_study(folder / "in")


def test_probabilities_come_back_as_they_were(study, tmp_path):
    picture = study.pictures[0]
    likely = np.random.default_rng(1).random((2, *picture.array.shape)).astype(np.float32)
    likely[:, [0, 5]] = 0.001  # nowhere likely: left out
    mask = Mask((likely[0] > 0.5).astype(np.uint8), {1: "organ", 2: "lesion"}, geometry=picture.geometry)
    report = replace(REPORT, drawings=(Drawing(0, mask, likely),))
    paths = write_parametric_maps(report, study, tmp_path)
    assert [path.name for path in paths] == ["parametric-map.dcm", "parametric-map-2.dcm"]
    for n, path in enumerate(paths):
        volume = read_parametric_map(path)
        np.testing.assert_array_equal(volume.array, likely[n, 1:5])
        assert volume.unit == "1"
        corner = volume.geometry.to_world(np.array([[3, 6, 7]]))
        np.testing.assert_allclose(corner, picture.geometry.to_world(np.array([[4, 6, 7]])), atol=1e-3)
    liver, lesion = (pydicom.dcmread(path) for path in paths)
    assert liver.SeriesInstanceUID == lesion.SeriesInstanceUID and liver.SOPInstanceUID != lesion.SOPInstanceUID
    assert liver.ContentDescription == "Probability: Liver" and lesion.ContentDescription == "Probability: lesion"
    assert liver.ImageComments == NOT_A_DEVICE and liver.ContentQualification == "RESEARCH"
    shared = liver.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    said = [item.ConceptCodeSequence[0].CodeMeaning for item in shared.QuantityDefinitionSequence]
    assert said == ["Probability", "Liver"]
    for frame, origin in zip(liver.PerFrameFunctionalGroupsSequence, picture.origins[1:5], strict=True):
        source = frame.DerivationImageSequence[0].SourceImageSequence[0]
        assert source.ReferencedSOPInstanceUID == origin.instance_uid


def test_an_independent_reader_sees_the_same(tmp_path):
    highdicom = pytest.importorskip("highdicom")
    upright = Geometry.from_spacing((6, 7, 8), (2, 0.9, 0.7), (-8, 5, 71.5))
    write_series(Volume(np.zeros((6, 7, 8), np.uint16), upright, facts=Facts(modality="MR")), tmp_path / "in")
    study = open_study(tmp_path / "in")
    picture = study.pictures[0]
    values = np.random.default_rng(2).normal(size=picture.array.shape).astype(np.float32)
    made = parametric_object(
        REPORT, "made up", picture, values, header=source_header(study), quantity=ADC, unit="um2/s", of="tissue"
    )
    save_dataset(made, tmp_path / "map.dcm")
    image = highdicom.imread(tmp_path / "map.dcm")
    where = image.get_volume_geometry().affine  # it may stack the slices the other way round
    index = picture.geometry.to_index(where[:3, 3][None])
    assert np.abs(index - np.rint(index)).max() < 1e-3
    # Its frames want an attribute that floats do not have, so the numbers are taken as they lie in the file.
    stored = np.frombuffer(image.FloatPixelData, "<f4").reshape(values.shape)
    np.testing.assert_array_equal(stored, values)


def test_what_a_map_cannot_hold_is_said(study, tmp_path):
    picture = study.pictures[0]
    mask = Mask(np.ones(picture.array.shape, np.uint8), {1: "organ"}, geometry=picture.geometry)
    with pytest.raises(CannotHold, match="does not say how likely"):
        write_parametric_maps(replace(REPORT, drawings=(Drawing(0, mask),)), study, tmp_path)
    with pytest.raises(CannotHold, match="does not say how likely"):
        write_parametric_maps(REPORT, study, tmp_path)
    likely = np.full((1, *picture.array.shape), 0.4, np.float32)
    report = replace(REPORT, drawings=(Drawing(0, mask, likely),))
    with pytest.raises(CannotHold, match="not DICOM"):
        write_parametric_maps(report, replace(study, pictures=(replace(picture, origins=()),)), tmp_path)
    with pytest.raises(BadGeometry, match="grid of"):
        write_parametric_maps(replace(report, drawings=(Drawing(0, mask, likely[:, 1:]),)), study, tmp_path)
    likely[0, 3, 2, 1] = np.nan
    with pytest.raises(BadPixels, match="NaN"):
        write_parametric_maps(report, study, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_film_has_no_place_for_a_map(tmp_path):
    write_radiograph(Image(np.ones((5, 6), np.uint16), (1, 1), Facts(modality="DX")), tmp_path / "film.dcm")
    study = open_study(tmp_path / "film.dcm")
    mask = Mask(np.ones((5, 6), np.uint8), {1: "lung"})
    report = replace(REPORT, drawings=(Drawing(0, mask, np.ones((1, 5, 6), np.float32)),))
    with pytest.raises(CannotHold, match="flat picture"):
        write_parametric_maps(report, study, tmp_path)


def test_a_real_diffusion_map_comes_back(test_data, tmp_path):
    """dcmqi's example: the ADC series of a prostate MR and its values as NRRD."""
    folder = test_data / "dicom-conformance" / "dcmqi-objects" / "data" / "paramaps"
    with zipfile.ZipFile(folder / "pm-example-dcm.zip") as file:
        file.extractall(tmp_path / "in")
    series = next(path.parent for path in (tmp_path / "in").rglob("*.dcm"))
    study = open_study(series)
    picture = study.pictures[0]
    reference = open_picture(folder / "pm-example-float.nrrd")
    assert picture.geometry.matches(reference.geometry, tolerance_mm=0.05)  # as far as they were rounded
    made = parametric_object(
        REPORT,
        study.name,
        picture,
        reference.array,
        header=source_header(study),
        quantity=ADC,
        unit="um2/s",
        of="prostate",
    )
    save_dataset(made, tmp_path / "map.dcm")
    back = read_parametric_map(tmp_path / "map.dcm")
    np.testing.assert_array_equal(back.array, reference.array)
    assert back.unit == "um2/s" and back.geometry.matches(picture.geometry, tolerance_mm=1e-3)

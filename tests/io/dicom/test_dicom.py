"""DICOM: slices where they lie, numbers that mean what they say."""

import importlib.metadata
from pathlib import Path

import numpy as np
import pydicom
import pytest

from osler.core.errors import AskedWrongly, BadGeometry, BadInput, NoSuv, OslerError, Unreadable
from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.volume import Volume
from osler.imaging.resample import resample_to
from osler.io.dicom.facts import age_years
from osler.io.dicom.suv import suv_scale
from osler.io.dicom.write import write_radiograph, write_series
from osler.io.open import glance, is_picture, is_series, open_mask, open_picture, open_study


def _oblique() -> Geometry:
    turn, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))
    if np.linalg.det(turn) > 0:  # rows, columns and slices right-handed: the order in which they are read back
        turn[:, 0] *= -1
    affine = np.eye(4)
    affine[:3, :3] = turn * (2.5, 0.8, 0.7)
    affine[:3, 3] = (-100.25, 33.5, 812.125)
    return Geometry((5, 6, 7), affine)


@pytest.fixture
def ct() -> Volume:
    array = np.random.default_rng(1).integers(-1000, 2000, (5, 6, 7)).astype(np.int16)
    facts = Facts(modality="CT", body_part="CHEST", sex="F", age_years=61)
    return Volume(array, _oblique(), unit="HU", facts=facts)


@pytest.fixture
def series(ct, tmp_path) -> Path:
    write_series(ct, tmp_path / "ct", seed=3)
    return tmp_path / "ct"


def _edit(path: Path, **changes: object) -> None:
    dataset = pydicom.dcmread(path)
    for keyword, value in changes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset.save_as(path)


def test_a_series_is_read_back_exactly(ct, series):
    volume = open_picture(series)
    np.testing.assert_array_equal(volume.array, ct.array)
    assert volume.array.dtype == np.int16
    np.testing.assert_allclose(volume.geometry.affine, ct.geometry.affine, atol=1e-6)
    assert (volume.unit, volume.facts.body_part, volume.facts.age_years) == ("HU", "CHEST", 61)
    uids = [pydicom.dcmread(path).SOPInstanceUID for path in sorted(series.iterdir())]
    assert list(volume.instance_uids) == uids
    header = glance(series)
    assert header.shape == (5, 6, 7)
    assert header.spacing == pytest.approx((2.5, 0.8, 0.7))
    assert header.modality == "CT"
    assert is_series(series)


def test_simpleitk_stacks_it_alike(ct, series):
    import SimpleITK

    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(series)))
    theirs = reader.Execute()
    ours = open_picture(series)
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(theirs), ours.array)
    point = theirs.TransformIndexToPhysicalPoint((6, 5, 4))
    np.testing.assert_allclose(ours.geometry.to_world(np.array([[4, 5, 6]]))[0], point, atol=1e-4)


def test_position_decides_not_the_number(ct, series):
    paths = sorted(series.iterdir())
    for number, path in zip((3, 1, 5, 2, 4), paths, strict=True):
        _edit(path, InstanceNumber=number)
        path.rename(path.with_name(f"{number}.x.dcm"))
    np.testing.assert_array_equal(open_picture(series).array, ct.array)


def test_files_without_suffix_and_preamble_are_found(series, tmp_path, ct):
    bare = tmp_path / "bare"
    bare.mkdir()
    for n, path in enumerate(sorted(series.iterdir())):
        dataset = pydicom.dcmread(path)
        del dataset.file_meta
        dataset.save_as(bare / f"IM{n}", implicit_vr=True, little_endian=True)
    assert all(is_picture(path) for path in bare.iterdir())
    np.testing.assert_array_equal(open_study(bare).pictures[0].array, ct.array)


def test_a_missing_slice_is_told(series):
    sorted(series.iterdir())[2].unlink()
    with pytest.raises(BadGeometry, match="gap: about 1 of 5 slices"):
        open_picture(series)


def test_an_uneven_step_is_told(series):
    path = sorted(series.iterdir())[2]
    along = pydicom.dcmread(path).ImagePositionPatient
    _edit(path, ImagePositionPatient=[along[0], along[1], along[2] + 0.9])
    with pytest.raises(BadGeometry, match="even steps"):
        open_picture(series)


def test_duplicates_are_told_and_copies_are_dropped(series, ct):
    path = sorted(series.iterdir())[2]
    copy = series / "copy.dcm"
    copy.write_bytes(path.read_bytes())
    np.testing.assert_array_equal(open_picture(series).array, ct.array)
    assert open_study(series).problems == ("1 file is a copy of others.",)
    _edit(copy, SOPInstanceUID="1.2.3")
    twice = open_picture(series)
    np.testing.assert_array_equal(twice.array, ct.array)
    assert twice.notes == ("1 slice is a copy of others and left out.",)
    _edit(copy, RescaleIntercept="7")  # the same pixels mean something else now
    with pytest.raises(BadGeometry, match=r"1 slices too many: different ones lie at -?\d+\.\d mm"):
        open_picture(series)


def test_two_echoes_are_two_volumes(series, ct):
    for n, path in enumerate(sorted(series.iterdir())):
        _edit(path, EchoTime="10")
        (series / f"late{n}.dcm").write_bytes(path.read_bytes())
        _edit(series / f"late{n}.dcm", EchoTime="80", SOPInstanceUID=f"1.2.{n + 1}", RescaleIntercept="7")
    early, late = open_study(series).pictures
    np.testing.assert_array_equal(early.array, ct.array)
    np.testing.assert_array_equal(late.array, ct.array + 7)
    with pytest.raises(AskedWrongly, match="2 pictures"):
        open_picture(series)


def test_mixed_orientations_are_told(series):
    _edit(sorted(series.iterdir())[1], ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    with pytest.raises(BadGeometry, match="mixes orientations"):
        open_picture(series)


def test_a_tilted_gantry_gives_a_sheared_grid(ct, tmp_path):
    affine = Geometry.from_spacing((5, 6, 7), (5, 0.8, 0.7)).affine.copy()
    affine[1, 0] = 1.5
    write_series(Volume(ct.array, Geometry((5, 6, 7), affine), facts=ct.facts), tmp_path / "tilt")
    np.testing.assert_allclose(open_picture(tmp_path / "tilt").geometry.affine, affine, atol=1e-6)


def test_slope_and_intercept_of_each_slice(series, ct):
    paths = sorted(series.iterdir())
    _edit(paths[1], RescaleSlope="0.5", RescaleIntercept="10")
    volume = open_picture(series)
    assert volume.array.dtype == np.float32
    np.testing.assert_allclose(volume.array[1], ct.array[1] * 0.5 + 10)
    np.testing.assert_allclose(volume.array[2], ct.array[2])


def test_two_series_must_be_named_and_two_patients_are_refused(series, tmp_path):
    other = Volume(np.zeros((2, 6, 7), np.int16), Geometry((2, 6, 7), np.eye(4)), facts=Facts(modality="MR"))
    for path in write_series(other, tmp_path / "mr", seed=3):
        path.rename(series / f"mr-{path.name}")
    with pytest.raises(AskedWrongly, match="2 series"):
        open_picture(series)
    study = open_study(series)
    assert {picture.facts.modality for picture in study.pictures} == {"CT", "MR"}
    picked = open_picture(series, f"series:{study.pictures[0].series_uid}")
    np.testing.assert_array_equal(picked.array, study.pictures[0].array)
    with pytest.raises(AskedWrongly, match="no item"):
        open_picture(series, "series:9.9")
    for path in series.glob("mr-*"):
        _edit(path, PatientID="SECRET^NAME")
    with pytest.raises(BadInput, match="2 patients") as caught:
        open_study(series)
    assert "SECRET" not in str(caught.value)


def test_an_object_that_is_no_image(series, tmp_path):
    report = tmp_path / "report.dcm"
    report.write_bytes(sorted(series.iterdir())[0].read_bytes())
    _edit(
        report, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33", Modality="SR", PixelData=None, Rows=None, Columns=None
    )
    with pytest.raises(Unreadable, match=r"report\.dcm is a Comprehensive SR, not an image") as caught:
        open_picture(report)
    assert caught.value.remedy
    _edit(report, SOPInstanceUID="1.2.9")
    report.rename(series / "report.dcm")
    assert open_study(series).problems == ("1 file is Comprehensive SR, not an image.",)


@pytest.mark.parametrize("keep", [0, 60, 140, 400, 1000, -60])
def test_a_cut_file_is_an_expected_error(series, keep):
    path = sorted(series.iterdir())[0]
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(OslerError, match=r"0001\.dcm"):
        open_picture(path)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_radiograph_is_bright_where_dense(tmp_path, photometric):
    array = np.random.default_rng(2).integers(0, 4096, (30, 20)).astype(np.uint16)
    facts = Facts(modality="DX", view="PA", bits_stored=12)
    write_radiograph(Image(array, (0.2, 0.3), facts), tmp_path / "x.dcm")
    _edit(tmp_path / "x.dcm", PhotometricInterpretation=photometric)
    image = open_picture(tmp_path / "x.dcm")
    np.testing.assert_array_equal(image.array, 4095 - array if photometric == "MONOCHROME1" else array)
    assert image.spacing_mm == (0.2, 0.3)
    assert (image.facts.view, image.facts.bits_stored) == ("PA", 12)


def test_spacing_of_zero_is_unknown_and_the_detector_needs_its_factor(tmp_path):
    path = tmp_path / "x.dcm"
    write_radiograph(Image(np.zeros((4, 5), np.uint8), (1, 1), Facts(modality="DX")), path)
    _edit(path, PixelSpacing=[0, 0], ImagerPixelSpacing=[0.2, 0.2])
    assert open_picture(path).spacing_mm is None
    _edit(path, EstimatedRadiographicMagnificationFactor="1.25")
    assert open_picture(path).spacing_mm == pytest.approx((0.16, 0.16))


def test_colour_becomes_rgb(tmp_path):
    path = tmp_path / "x.dcm"
    write_radiograph(Image(np.zeros((4, 6), np.uint8), None, Facts(modality="DX")), path)
    dataset = pydicom.dcmread(path)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "YBR_FULL", 0
    dataset.PixelData = np.tile(np.array([76, 85, 255], np.uint8), 24).tobytes()  # red
    dataset.save_as(path)
    assert np.abs(open_picture(path).array.astype(int) - [254, 0, 0]).max() <= 2


def test_a_film_must_name_its_frame(tmp_path):
    path = tmp_path / "x.dcm"
    write_radiograph(Image(np.zeros((4, 6), np.uint8), None, Facts(modality="DX")), path)
    dataset = pydicom.dcmread(path)
    dataset.NumberOfFrames, dataset.PixelData = 3, np.repeat(np.arange(3, dtype=np.uint8), 24).tobytes()
    dataset.save_as(path)
    with pytest.raises(AskedWrongly, match="film of 3 frames"):
        open_picture(path)
    assert (open_picture(path, "frame:2").array == 2).all()


@pytest.mark.parametrize(
    ("stated", "born", "studied", "years"),
    [
        ("034Y", "", "", 34),
        ("006M", "", "", 0.5),
        ("", "19500101", "20200101", 70),
        ("000Y", "19500101", "20200101", 70),
        ("", "20300101", "20200101", None),
        ("old", "x", "", None),
    ],
)
def test_age(stated, born, studied, years):
    header = pydicom.Dataset()
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    header.PatientAge, header.PatientBirthDate, header.StudyDate = (
        stated[:4] if stated != "old" else "",
        born,
        studied,
    )
    found = age_years(header)
    assert found == (years if years is None else pytest.approx(years, abs=0.01))


def _pet(**changes: str) -> pydicom.Dataset:
    medicine = pydicom.Dataset()
    medicine.RadiopharmaceuticalStartTime = "090000"
    medicine.RadionuclideTotalDose = "370000000"
    medicine.RadionuclideHalfLife = "6586.2"
    header = pydicom.Dataset()
    header.Units, header.DecayCorrection, header.CorrectedImage = "BQML", "START", ["ATTN", "DECY"]
    header.PatientWeight = "70"
    header.SeriesDate = header.AcquisitionDate = "20240115"
    header.SeriesTime = header.AcquisitionTime = "100000"
    header.RadiopharmaceuticalInformationSequence = [medicine]
    for keyword, value in changes.items():
        setattr(medicine if keyword.startswith("Radio") else header, keyword, value)
    return header


def test_suv_of_a_worked_example():
    """70 kg, 370 MBq of F-18, one hour, START: 2.76337e-4 per Bq/ml (../shared/know-how, section 3.4)."""
    assert suv_scale([_pet()]).factors[0] == pytest.approx(2.76337e-4, rel=1e-5)
    assert suv_scale([_pet(DecayCorrection="ADMIN")]).factors[0] == pytest.approx(70_000 / 370e6)
    assert suv_scale([_pet(RadionuclideTotalDose="370")]).factors[0] == pytest.approx(2.76337e-4, rel=1e-5)
    late = _pet(RadiopharmaceuticalStartTime="233000", SeriesTime="003000", AcquisitionTime="003000")
    assert suv_scale([late]).factors[0] == pytest.approx(2.76337e-4, rel=1e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {"PatientWeight": "0"},
        {"Units": "CNTS"},
        {"DecayCorrection": "NONE"},
        {"CorrectedImage": "DECY"},
        {"RadionuclideHalfLife": "0"},
        {"RadiopharmaceuticalStartTime": ""},
    ],
)
def test_no_suv_is_guessed(changes):
    with pytest.raises(NoSuv):
        suv_scale([_pet(**changes)])


def _shipped(name: str) -> Path:
    path = Path(str(importlib.metadata.distribution("pydicom-data").locate_file("data_store/data"))) / name
    if not path.exists():
        pytest.skip("no pydicom-data")
    return path


def test_a_real_chest_radiograph():
    image = open_study(_shipped("RG1_UNCI.dcm")).pictures[0]
    assert isinstance(image, Image)
    assert image.array.shape == (1955, 1841)
    assert image.spacing_mm is None  # the header says 0
    assert (image.facts.modality, image.facts.body_part, image.facts.view) == ("CR", "CHEST", "PA")
    lung, spine = image.array[700:1000, 400:600].mean(), image.array[700:1000, 880:960].mean()
    assert spine > lung


def test_real_series_agree_with_an_independent_conversion(test_data):
    folder = test_data / "sarcoma" / "dicom"
    if not folder.is_dir():
        pytest.skip("no sarcoma set")
    patient = sorted(folder.iterdir())[0].name
    for kind, unit in (("CT", "HU"), ("MR_T1", ""), ("PET", "SUV")):
        ours = open_picture(folder / patient / kind / "image")
        theirs = open_picture(test_data / "sarcoma" / "nifti" / patient / f"{kind}_image.nii.gz")
        assert ours.geometry.matches(theirs.geometry)
        assert ours.unit == unit
        np.testing.assert_allclose(ours.array, theirs.array, atol=1e-5)


@pytest.mark.parametrize("name", ["0_0", "1_0", "2_0", "2_4", "3_0", "3_1", "3_4", "4_0", "5_0"])
def test_suv_of_the_reference_objects(test_data, name):
    folder = test_data / "suv-reference" / f"DRO_{name}"
    if not folder.is_dir():
        pytest.skip("no SUV reference objects")
    volume = open_picture(folder / "PT")
    mask = open_mask(next(iter((folder / "mask").iterdir())))
    inside = volume.array[resample_to(mask.array, mask.geometry, volume.geometry, nearest=True) > 0]
    assert volume.unit == "SUV"
    found = (inside.min(), np.median(inside), inside.max())
    np.testing.assert_allclose(found, (0.2, 1, 4), rtol=2e-3)


@pytest.mark.parametrize(
    ("place", "word"),
    [("sliceincrement/001", "gap"), ("sliceorientation/001", "orientations"), ("notavolume/001", "film")],
)
def test_real_stacks_that_are_no_volume(test_data, place, word):
    folder = test_data / "dicom-conformance" / "dicom2nifti" / "failing" / place
    if not folder.is_dir():
        pytest.skip("no conformance set")
    with pytest.raises(BadGeometry, match=word):
        open_study(folder)


def test_enhanced_multi_frame(test_data):
    root = test_data / "dicom-conformance" / "enhanced-mr"
    if not root.is_dir():
        pytest.skip("no conformance set")
    pictures = open_study(root / "In" / "Siemens" / "XA10").pictures
    reference = next((root / "Ref").glob("Siemens*.nii"))
    for n, picture in enumerate(pictures):
        theirs = open_picture(reference, f"channel:{n}")
        on_ours = resample_to(theirs.array, theirs.geometry, picture.geometry, nearest=True)
        np.testing.assert_array_equal(on_ours, picture.array)

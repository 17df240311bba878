"""Anything into anything, with an account that is measured; and independent programs as judges."""

import json
import shutil
import subprocess
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st

from osler.core.errors import AskedWrongly, BadGeometry, BadInput, OslerError, Unreadable
from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.volume import Volume
from osler.io import itk, nifti
from osler.io.convert import Wishes, convert, convert_all, kind_of_target, read_labels_table, turned_onto
from osler.io.dicom.parse import read_header
from osler.io.dicom.series import write_volume_series
from osler.io.open import open_mask, open_picture
from osler.io.raster import write_image
from osler.results.convert import mask_writers

SHAPE = (4, 5, 6)
GRID = Geometry.from_spacing(SHAPE, (3, 0.7, 1.1), (-31.25, 17.5, 240.125))
DRAW = np.random.default_rng(0)


def _volume(modality: str = "CT") -> Volume:
    return Volume(np.arange(120, dtype=np.int16).reshape(SHAPE) - 50, GRID, "HU", Facts(modality=modality))


def _mask(geometry: Geometry = GRID) -> Mask:
    array = np.zeros(SHAPE, np.uint8)
    array[1, 1:4, 2:5], array[2, 1:3, 4] = 1, 4
    return Mask(array, {1: "liver", 4: "tumour"}, geometry=geometry)


@pytest.fixture
def series(tmp_path: Path) -> Path:
    write_volume_series(_volume(), tmp_path / "series")
    return tmp_path / "series"


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.mha"])
def test_a_series_into_every_file_and_back(tmp_path, series, name):
    done = convert(series, tmp_path / name)
    assert done.difference == 0 and done.corner_mm is not None and done.corner_mm < 1e-4
    assert (done.kind, done.shape, done.spacing) == (name.partition(".")[2], SHAPE, pytest.approx((3, 0.7, 1.1)))
    assert any("patient" in said for said in done.lost)
    assert any("HU" in said for said in (done.kept if name == "a.nrrd" else done.lost))
    back = convert(tmp_path / name, tmp_path / "back", Wishes(kind="series", like=series))
    assert (back.difference, back.files, back.step) == (0, 4, 0)
    old, new = (read_header(sorted(folder.iterdir())[0]) for folder in (series, tmp_path / "back"))
    assert old.StudyInstanceUID == new.StudyInstanceUID and old.SeriesInstanceUID != new.SeriesInstanceUID
    assert open_picture(tmp_path / "back").geometry.matches(GRID, tolerance_mm=1e-3)


def test_dicom_into_dicom_stays_in_its_study(tmp_path, series):
    done = convert(series, tmp_path / "again", Wishes(kind="series"))
    old, new = (read_header(sorted(folder.iterdir())[0]) for folder in (series, tmp_path / "again"))
    assert old.StudyInstanceUID == new.StudyInstanceUID and old.FrameOfReferenceUID == new.FrameOfReferenceUID
    assert any("Patient, study" in said for said in done.kept)


def test_steps_are_measured_and_told(tmp_path):
    values = DRAW.normal(size=SHAPE).astype(np.float32)
    nifti.write_volume(Volume(values, GRID), tmp_path / "a.nii.gz")
    done = convert(tmp_path / "a.nii.gz", tmp_path / "s", Wishes(kind="series", modality="MR"))
    assert done.difference is not None and 0 < done.difference <= done.step * 0.51
    assert any("steps of" in said for said in done.lost) and any("Nobody's" in said for said in done.lost)


def test_a_left_handed_grid_and_a_tilt_are_told(tmp_path):
    affine = GRID.affine.copy()
    affine[:3, 0] = (0, 0.8, -3)
    itk.write_volume(Volume(_volume().array, Geometry(SHAPE, affine)), tmp_path / "a.nrrd")
    done = convert(tmp_path / "a.nrrd", tmp_path / "s", Wishes(kind="series", modality="CT"))
    assert done.difference == 0 and done.corner_mm is not None and done.corner_mm < 1e-6
    assert any("reverse order" in said for said in done.notes)
    assert any("tilt of 14.9 degrees" in said for said in done.kept)
    done = convert(tmp_path / "s", tmp_path / "b.nii")
    assert any("tilted" in said and "sform" in said for said in done.notes)


def test_what_is_odd_about_the_source_is_told(tmp_path):
    image = nibabel.Nifti1Image(np.zeros((2, 3, 4), np.int16), None)
    image.set_sform(None, 0)
    image.set_qform(None, 0)
    nibabel.save(image, tmp_path / "a.nii")
    assert any(
        "Neither sform nor qform" in said for said in convert(tmp_path / "a.nii", tmp_path / "b.nrrd").notes
    )


def test_pet_needs_its_unit_said_once(tmp_path):
    nifti.write_volume(Volume(DRAW.random(SHAPE).astype(np.float32), GRID), tmp_path / "a.nii")
    with pytest.raises(AskedWrongly, match="must say what its numbers are"):
        convert(tmp_path / "a.nii", tmp_path / "s", Wishes(kind="series", modality="PT"))
    done = convert(tmp_path / "a.nii", tmp_path / "s", Wishes(kind="series", modality="PT", unit="SUV"))
    assert done.difference is not None and done.difference <= done.step
    with pytest.raises(AskedWrongly, match="in SUV, not in Bq/ml"):
        convert(tmp_path / "s", tmp_path / "t", Wishes(kind="series", unit="Bq/ml"))


def test_one_of_several_volumes(tmp_path):
    data = np.arange(48, dtype=np.float32).reshape(2, 3, 4, 2)
    nibabel.save(nibabel.Nifti1Image(data, np.eye(4)), tmp_path / "a.nii")
    with pytest.raises(AskedWrongly, match="holds 2 volumes"):
        convert(tmp_path / "a.nii", tmp_path / "b.nrrd")
    convert(tmp_path / "a.nii", tmp_path / "b.nrrd", Wishes(item="channel:1"))
    np.testing.assert_array_equal(open_picture(tmp_path / "b.nrrd").array, data[..., 1].T)


@pytest.mark.parametrize("kind", ["seg", "labelmap", "rtstruct"])
def test_masks_into_dicom_and_back(tmp_path, series, kind):
    nifti.write_mask(_mask(), tmp_path / "m.nii.gz")
    wishes = Wishes(kind=kind, like=series, labels={1: "liver", 4: "tumour"})
    done = convert(tmp_path / "m.nii.gz", tmp_path / "m.dcm", wishes, mask_writers())
    assert (done.difference, done.kind) == (0, kind)
    assert any("4 became 2" in said for said in done.lost)
    header = read_header(tmp_path / "m.dcm")
    assert header.StudyInstanceUID == read_header(series / "00001.dcm").StudyInstanceUID
    assert header.SeriesDescription == "Mask, converted by Osler"
    back = convert(tmp_path / "m.dcm", tmp_path / "back.nrrd", Wishes(like=series))
    assert (back.shape, back.difference) == (SHAPE, 0)
    # Structure sets name organs as TG-263 does.
    liver = "Liver" if kind == "rtstruct" else "liver"
    assert itk.read_labels(tmp_path / "back.nrrd") == {1: liver, 2: "tumour"}
    assert any("liver became Liver" in said for said in done.lost) == (kind == "rtstruct")
    array = open_mask(tmp_path / "back.nrrd").array
    np.testing.assert_array_equal(array == 1, _mask().of(1))
    np.testing.assert_array_equal(array == 2, _mask().of(4))


@pytest.mark.parametrize("drawn", ["manual", "semiautomatic", "automatic"])
@pytest.mark.parametrize("kind", ["seg", "rtstruct"])
def test_dciodvfy_finds_no_error_in_converted_masks(tmp_path, series, kind, drawn):
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (Debian: dicom3tools) is not installed")
    itk.write_mask(_mask(), tmp_path / "m.nrrd")
    convert(tmp_path / "m.nrrd", tmp_path / "m.dcm", Wishes(kind=kind, like=series), mask_writers(drawn))
    said = subprocess.run(["dciodvfy", tmp_path / "m.dcm"], capture_output=True, text=True, check=False).stderr
    assert [line for line in said.splitlines() if line.startswith("Error")] == []


def test_names_of_labels_travel_through_every_file(tmp_path):
    itk.write_mask(_mask(), tmp_path / "a.nrrd")
    for source, target in (("a.nrrd", "b.nii.gz"), ("b.nii.gz", "c.mha"), ("c.mha", "d.nii"), ("d.nii", "e.nrrd")):
        done = convert(tmp_path / source, tmp_path / target)
        assert done.difference == 0
    assert json.loads((tmp_path / "b.labels.json").read_text()) == {"1": "liver", "4": "tumour"}
    assert itk.read_labels(tmp_path / "e.nrrd") == _mask().labels
    np.testing.assert_array_equal(open_mask(tmp_path / "e.nrrd").array, _mask().array)


def test_a_mask_on_another_grid_is_put_on_the_images_and_told(tmp_path, series):
    fine = GRID.with_grid((8, 10, 12), (1.5, 0.35, 0.55))
    array = np.kron(_mask().array, np.ones((2, 2, 2), np.uint8))
    itk.write_mask(Mask(array, _mask().labels, geometry=fine), tmp_path / "m.nrrd")
    done = convert(tmp_path / "m.nrrd", tmp_path / "m.dcm", Wishes(kind="seg", like=series), mask_writers())
    assert done.shape == SHAPE and any("nearest" in said for said in done.lost)
    far = GRID.affine.copy()
    far[:3, 3] += 1000
    itk.write_mask(_mask(Geometry(SHAPE, far)), tmp_path / "far.nrrd")
    with pytest.raises(BadGeometry, match="outside the images"):
        convert(tmp_path / "far.nrrd", tmp_path / "far.dcm", Wishes(kind="seg", like=series), mask_writers())
    assert not (tmp_path / "far.dcm").exists()


def test_flat_pictures_and_masks_become_png(tmp_path):
    grey = DRAW.integers(0, 255, (6, 7)).astype(np.uint8)
    write_image(grey, tmp_path / "a.png")
    assert convert(tmp_path / "a.png", tmp_path / "b.png").difference == 0
    colours = SimpleITK.GetImageFromArray(DRAW.integers(0, 255, (6, 7, 3)).astype(np.uint8), isVector=True)
    colours.SetSpacing((0.5, 0.25))
    SimpleITK.WriteImage(colours, str(tmp_path / "c.mha"))
    done = convert(tmp_path / "c.mha", tmp_path / "c.png")
    assert done.difference == 0 and any("size of a pixel" in said for said in done.lost)
    assert isinstance(open_picture(tmp_path / "c.png"), Image)
    done = convert(tmp_path / "a.png", tmp_path / "m.png", Wishes(labels={n: str(n) for n in range(1, 256)}))
    assert done.difference == 0 and any("names of the labels" in said for said in done.lost)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(DRAW.normal(size=(6, 7))), str(tmp_path / "f.mha"))
    with pytest.raises(BadInput, match="whole numbers"):
        convert(tmp_path / "f.mha", tmp_path / "f.png")
    with pytest.raises(AskedWrongly, match="flat picture"):
        convert(tmp_path / "a.png", tmp_path / "a.nii.gz")


def test_every_picture_of_a_folder(tmp_path, series):
    study = tmp_path / "study"
    series.rename(study)
    write_volume_series(_volume("MR"), tmp_path / "mr")
    for path in (tmp_path / "mr").iterdir():
        path.rename(study / f"mr-{path.name}")
    with pytest.raises(AskedWrongly, match=r"2 series.*series:.*--all"):
        convert(study, tmp_path / "a.nii.gz")
    uid = read_header(study / "mr-00001.dcm").SeriesInstanceUID
    convert(study, tmp_path / "mr.nii", Wishes(item=f"series:{uid}"))
    assert not list(tmp_path.glob("a.nii*")) and (tmp_path / "mr.nii").exists()
    write_image(np.zeros((4, 5), np.uint8), study / "note.png")
    (study / "broken.nii").write_bytes(b"nothing")
    done, problems = convert_all(study, tmp_path / "out", Wishes(kind="nrrd"))
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["01-CT.nrrd", "02-MR.nrrd", "03-picture.png"] or names == [
        "01-MR.nrrd",
        "02-CT.nrrd",
        "03-picture.png",
    ]
    assert [one.difference for one in done] == [0, 0, 0]
    assert any("broken.nii" in problem for problem in problems)
    with pytest.raises(AskedWrongly, match="there already"):
        convert_all(study, tmp_path / "out")


def test_what_makes_no_sense_is_told(tmp_path, series):
    nifti.write_mask(_mask(), tmp_path / "m.nii.gz")
    for target, wishes, word in (
        ("a", Wishes(), "not clear"),
        ("a.xyz", Wishes(), "not clear"),
        ("a.nii", Wishes(kind="nrrd"), "no name for"),
        ("a", Wishes(kind="gif"), "no kind of file"),
        ("a.png", Wishes(), "many slices"),
        ("series", Wishes(kind="series"), "there already"),
        ("a.dcm", Wishes(kind="seg"), "only beside the images"),
        ("a", Wishes(kind="series", labels={1: "a", 4: "b"}), "mask is no series"),
        ("a.dcm", Wishes(kind="seg", like=tmp_path / "m.nii.gz"), "no DICOM series"),
    ):
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(AskedWrongly, match=word):
            convert(tmp_path / "m.nii.gz", tmp_path / target, wishes, mask_writers())
        assert sorted(tmp_path.rglob("*")) == before
    with pytest.raises(Unreadable, match=r"gone\.nii is missing"):
        convert(tmp_path / "gone.nii", tmp_path / "a.nrrd")


@pytest.mark.parametrize("wrong", ["values", "place"])
def test_what_comes_back_otherwise_is_thrown_away(tmp_path, series, monkeypatch, wrong):
    real = nifti.write_volume

    def broken(volume: Volume, path: Path) -> None:
        affine = volume.geometry.affine.copy()
        affine[0, 3] += 0 if wrong == "values" else 100
        array = volume.array[:, ::-1] if wrong == "values" else volume.array
        real(Volume(array, Geometry(SHAPE, affine)), path)

    monkeypatch.setattr(nifti, "write_volume", broken)
    with pytest.raises(OslerError, match="thrown away"):
        convert(series, tmp_path / "a.nii")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["series"]


def test_a_real_dose_and_a_real_map_become_files(test_data, tmp_path):
    dose = test_data / "radiotherapy" / "dicom" / "rtdose.dcm"
    brain = test_data / "dicom-conformance" / "dcmqi-objects" / "data" / "paramaps" / "pm-example-slice.dcm"
    if not dose.exists() or not brain.exists():
        pytest.skip("no dose or no parametric map")
    done = convert(dose, tmp_path / "dose.nrrd")
    assert done.difference == 0 and "The unit, Gy." in done.kept
    assert itk.read_picture(tmp_path / "dose.nrrd").unit == "Gy"
    assert convert(brain, tmp_path / "map.nii.gz").difference == 0
    with pytest.raises(AskedWrongly, match=r"rtdose\.dcm has no item"):
        convert(dose, tmp_path / "b.nrrd", Wishes(item="frame:1"))


def test_labels_are_read_from_words_and_from_a_file(tmp_path):
    assert read_labels_table("1=liver, 2=left lung") == {1: "liver", 2: "left lung"}
    (tmp_path / "l.json").write_text('{"3": "spleen"}', encoding="utf-8")
    assert read_labels_table(str(tmp_path / "l.json")) == {3: "spleen"}
    for wrong in ("liver", "0=air", "1=", "1=a,1=b", "-1=a", "x=y"):
        with pytest.raises(AskedWrongly, match="does not name labels"):
            read_labels_table(wrong)


def test_the_kind_follows_from_the_name():
    assert kind_of_target(Path("a.nii.gz"), "", {}) == "nii.gz"
    assert kind_of_target(Path("A.NII"), "", {}) == "nii"
    assert kind_of_target(Path("folder"), "series", {}) == "series"
    assert kind_of_target(Path("m.dcm"), "seg", mask_writers()) == "seg"


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1))
def test_turning_an_array_onto_another_grid_moves_no_value(seed):
    draw = np.random.default_rng(seed)
    order, signs = draw.permutation(3), draw.choice([-1, 1], 3)
    turn, _ = np.linalg.qr(draw.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = turn * draw.uniform(0.3, 5, 3)
    affine[:3, 3] = draw.normal(0, 100, 3)
    own = Geometry(SHAPE, affine)
    array = draw.normal(size=SHAPE)
    other = np.eye(4)
    start = np.zeros(3)
    for axis, (of, sign) in enumerate(zip(order, signs, strict=True)):
        other[:3, axis] = affine[:3, of] * sign
        start[of] = 0 if sign > 0 else SHAPE[of] - 1
    other[:3, 3] = affine[:3, 3] + affine[:3, :3] @ start
    wanted = Geometry(tuple(SHAPE[of] for of in order), other)
    met = turned_onto(array, own, wanted)
    assert met is not None and met[1] < 1e-9
    index = np.stack(np.meshgrid(*map(np.arange, wanted.shape), indexing="ij"), -1).reshape(-1, 3)
    at = np.rint(own.to_index(wanted.to_world(index))).astype(int)
    np.testing.assert_array_equal(met[0].ravel(), array[tuple(at.T)])
    assert turned_onto(array, own, Geometry((4, 5, 7), affine)) is None
    shifted = affine.copy()
    shifted[:3, 3] += affine[:3, 0]
    assert turned_onto(array, own, Geometry(SHAPE, shifted)) is None


def _check_same(ours: Volume, theirs: Volume, tolerance_mm: float = 1e-3) -> None:
    met = turned_onto(theirs.array, theirs.geometry, ours.geometry)
    assert met is not None, "the grids do not share their voxels"
    array, apart = met
    assert apart < tolerance_mm
    np.testing.assert_allclose(array, ours.array, rtol=1e-6, atol=1e-5)


def _by_simpleitk(folder: Path) -> Volume:
    reader = SimpleITK.ImageSeriesReader()
    (uid,) = reader.GetGDCMSeriesIDs(str(folder))
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder), uid))
    file = reader.Execute()
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(file.GetDirection(), (3, 3)) * np.asarray(file.GetSpacing())
    affine[:3, 3] = file.GetOrigin()
    array = SimpleITK.GetArrayFromImage(file)
    return Volume(array, Geometry(array.shape, affine[:, [2, 1, 0, 3]]))


@pytest.mark.parametrize("patient", ["STS_019", "STS_025", "STS_042"])
@pytest.mark.parametrize("kind", ["CT", "MR_T1", "PET"])
def test_real_series_lie_where_others_put_them(test_data, tmp_path, patient, kind):
    folder = test_data / "sarcoma" / "dicom" / patient / kind / "image"
    if not folder.is_dir():
        pytest.skip("no sarcoma set")
    done = convert(folder, tmp_path / "ours.nii.gz")
    assert done.difference == 0 and done.corner_mm is not None and done.corner_mm < 1e-3
    ours = nifti.read_volume(tmp_path / "ours.nii.gz")
    assert ours.notes == ()
    _check_same(ours, _by_simpleitk(folder))
    _check_same(ours, nifti.read_volume(test_data / "sarcoma" / "nifti" / patient / f"{kind}_image.nii.gz"))
    if shutil.which("dcm2niix") is not None:
        command = ["dcm2niix", "-o", tmp_path, "-f", "theirs", "-z", "n", "-b", "n", folder]
        subprocess.run(command, capture_output=True, check=True)
        # The step of its sform is rounded: 3.26996 mm where the positions and its own qform say 3.27.
        _check_same(ours, nifti.read_volume(tmp_path / "theirs.nii"), tolerance_mm=3e-3)


def test_real_series_of_many_makers_lie_where_dcm2niix_puts_them(test_data, tmp_path):
    if shutil.which("dcm2niix") is None:
        pytest.skip("dcm2niix is not installed")
    top = test_data / "dicom-conformance" / "dicom2nifti"
    if not top.is_dir():
        pytest.skip("no dicom2nifti set")
    compared = []
    folders = sorted({path.parent for path in top.rglob("*.dcm")} | {path.parent for path in top.rglob("IM*")})
    for n, folder in enumerate(folders):
        out = tmp_path / str(n)
        out.mkdir()
        try:
            ours = open_picture(folder)
        except OslerError:
            continue  # several volumes, mosaics and the failing ones have tests of their own
        # "-p n": Philips' displayed values, as the standard's slope gives them.
        command = ["dcm2niix", "-o", out, "-f", "theirs", "-z", "n", "-b", "n", "-p", "n", folder]
        subprocess.run(command, capture_output=True, check=False, timeout=60)
        made = sorted(out.glob("theirs*.nii"))
        if not isinstance(ours, Volume) or len(made) != 1 or "tilt" in made[0].name.lower():
            continue
        theirs = nifti.read_volume(made[0])
        _check_same(ours, theirs, tolerance_mm=3e-3)
        compared.append(folder.name)
    assert len(compared) >= 3

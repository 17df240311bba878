"""The front door: images, arrays, studies, and what it says when a file is bad."""

import contextlib
import zipfile

import numpy as np
import pytest
import SimpleITK
from PIL import Image as Pillow

from osler.core.errors import AskedWrongly, BadDataset, BadPixels, OslerError, Unreadable
from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.volume import Volume
from osler.io import arrays
from osler.io.dicom.parse import read_header
from osler.io.dicom.write import write_radiograph, write_series
from osler.io.labels import write_label_names
from osler.io.open import PICTURE_SUFFIXES, glance, is_picture, open_mask, open_picture, open_study
from osler.io.raster import write_image


@pytest.fixture
def noise():
    return np.random.default_rng(0)


@pytest.mark.parametrize("kind", ["uint8", "uint16"])
def test_grey_png_keeps_its_bits(tmp_path, noise, kind):
    array = noise.integers(0, np.iinfo(kind).max, (30, 20)).astype(kind)
    write_image(array, tmp_path / "a.png")
    image = open_picture(tmp_path / "a.png")
    assert image.array.dtype == kind
    np.testing.assert_array_equal(image.array, array)
    assert glance(tmp_path / "a.png").shape == (30, 20)
    assert glance(tmp_path / "a.png").dtype == kind


@pytest.mark.parametrize("suffix", [".tif", ".bmp", ".png"])
def test_colour_is_kept_and_false_colour_is_grey(tmp_path, noise, suffix):
    array = noise.integers(0, 256, (30, 20, 3)).astype(np.uint8)
    Pillow.fromarray(array).save(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(open_picture(tmp_path / f"a{suffix}").array, array)
    assert glance(tmp_path / f"a{suffix}").colour
    Pillow.fromarray(np.repeat(array[..., :1], 3, 2)).save(tmp_path / f"b{suffix}")
    np.testing.assert_array_equal(open_picture(tmp_path / f"b{suffix}").array, array[..., 0])


def test_transparency_is_dropped_and_palettes_are_resolved(tmp_path, noise):
    array = noise.integers(0, 256, (30, 20, 4)).astype(np.uint8)
    Pillow.fromarray(array, "RGBA").save(tmp_path / "a.png")
    np.testing.assert_array_equal(open_picture(tmp_path / "a.png").array, array[..., :3])
    numbers = noise.integers(0, 3, (30, 20)).astype(np.uint8)
    picture = Pillow.fromarray(numbers, "P")
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    picture.save(tmp_path / "p.png")
    assert open_picture(tmp_path / "p.png").colour
    np.testing.assert_array_equal(open_mask(tmp_path / "p.png").array, numbers)


def test_exif_turns_the_picture(tmp_path):
    picture = Pillow.fromarray(np.zeros((30, 20), np.uint8))
    exif = Pillow.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.jpg", exif=exif)
    assert open_picture(tmp_path / "a.jpg").array.shape == (20, 30)
    assert glance(tmp_path / "a.jpg").shape == (20, 30)


def test_pages_must_be_named(tmp_path):
    pages = [Pillow.fromarray(np.full((4, 5), n, np.uint8)) for n in range(3)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(AskedWrongly, match="page:2"):
        open_picture(tmp_path / "a.tif")
    assert (open_picture(tmp_path / "a.tif", "page:2").array == 2).all()


def test_a_bomb_is_refused_before_it_unfolds(tmp_path):
    Pillow.fromarray(np.zeros((100, 100), bool)).save(tmp_path / "bomb.png")
    raw = bytearray((tmp_path / "bomb.png").read_bytes())
    raw[16:24] = (60_000).to_bytes(4, "big") * 2
    import zlib

    raw[29:33] = zlib.crc32(bytes(raw[12:29])).to_bytes(4, "big")
    (tmp_path / "bomb.png").write_bytes(raw)
    with pytest.raises(Unreadable, match=r"bomb\.png"):
        open_picture(tmp_path / "bomb.png")


@pytest.mark.parametrize(
    "suffix", [".png", ".jpg", ".tif", ".bmp", ".npz", ".npy", ".mha", ".nrrd", ".nii", ".nii.gz"]
)
@pytest.mark.parametrize("keep", [0.0, 0.1, 0.5])
def test_a_cut_file_of_any_kind_is_an_expected_error(tmp_path, noise, suffix, keep):
    path = tmp_path / f"cut{suffix}"
    array = noise.integers(0, 255, (40, 50)).astype(np.uint8)
    if suffix in (".mha", ".nrrd", ".nii", ".nii.gz"):
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(np.stack([array] * 3)), str(path))
    elif suffix == ".npz":
        np.savez_compressed(path, images=array)
    elif suffix == ".npy":
        np.save(path, array)
    else:
        Pillow.fromarray(array).save(path)
    open_picture(path)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * keep)])
    with pytest.raises(Unreadable, match=r"cut\.") as caught:
        open_picture(path)
    assert caught.value.remedy


@pytest.mark.parametrize("suffix", [".mha", ".nrrd", ".nhdr", ".mhd"])
def test_itk_files_lie_where_simpleitk_says(tmp_path, noise, suffix):
    array = noise.integers(-5, 99, (4, 5, 6)).astype(np.int16)
    file = SimpleITK.GetImageFromArray(array)
    file.SetSpacing((0.7, 0.8, 2.5))
    file.SetOrigin((10, -20, 30))
    file.SetDirection((0, 1, 0, 0, 0, 1, 1, 0, 0))
    path = tmp_path / f"a{suffix}"
    SimpleITK.WriteImage(file, str(path))
    volume = open_picture(path)
    np.testing.assert_array_equal(volume.array, array)
    expected = file.TransformIndexToPhysicalPoint((5, 4, 3))
    np.testing.assert_allclose(volume.geometry.to_world(np.array([[3, 4, 5]]))[0], expected, atol=1e-6)
    header = glance(path)
    assert (header.shape, header.dtype) == ((4, 5, 6), "int16")
    assert header.spacing == pytest.approx((2.5, 0.8, 0.7))


def test_a_flat_itk_file_is_an_image(tmp_path):
    file = SimpleITK.GetImageFromArray(np.ones((4, 5), np.float32))
    file.SetSpacing((0.5, 0.25))
    SimpleITK.WriteImage(file, str(tmp_path / "a.mha"))
    image = open_picture(tmp_path / "a.mha")
    assert isinstance(image, Image)
    assert image.spacing_mm == (0.25, 0.5)


def test_rows_of_an_npz(tmp_path, noise):
    path = tmp_path / "set.npz"
    grey = noise.integers(0, 255, (10, 28, 28)).astype(np.uint8)
    colour = noise.integers(0, 255, (10, 28, 28, 3)).astype(np.uint8)
    np.savez_compressed(path, train_images=grey, test_images=colour, train_labels=np.arange(10)[:, None])
    np.testing.assert_array_equal(open_picture(path, "train_images:3").array, grey[3])
    np.testing.assert_array_equal(open_picture(path, "test_images:9").array, colour[9])
    assert isinstance(open_picture(path, "train_images"), Volume)
    assert glance(path, "test_images:0").colour
    assert arrays.arrays_in(path)["train_labels"] == ((10, 1), "int64")
    assert arrays.read_array(path, "train_labels").shape == (10, 1)
    for item in ("", "train_images:10", "valid_images:0", "train_images:x"):
        with pytest.raises(AskedWrongly, match=r"set\.npz"):
            open_picture(path, item)
    with pytest.raises(BadPixels, match="shape"):
        open_picture(path, "test_images")


def test_a_changed_npz_is_read_again(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.zeros((4, 4), np.uint8))
    assert open_picture(path).array.max() == 0
    np.savez(path, x=np.full((4, 5), 7, np.uint8))
    assert open_picture(path).array.max() == 7


def test_pickles_stay_closed(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], object), allow_pickle=True)
    np.savez(tmp_path / "b.npz", x=np.array([{"a": 1}], object))
    for name in ("a.npy", "b.npz"):
        with pytest.raises(OslerError, match=name):
            open_picture(tmp_path / name)


def test_a_zip_of_something_else_is_unreadable(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(Unreadable, match=r"a\.npz"):
        open_picture(tmp_path / "a.npz")


def test_a_study_is_everything_that_can_be_read(tmp_path):
    (tmp_path / "below" / ".hidden").mkdir(parents=True)
    write_image(np.zeros((4, 5), np.uint8), tmp_path / "below" / "b.png")
    write_image(np.ones((4, 5), np.uint8), tmp_path / "a.png")
    write_image(np.ones((4, 5), np.uint8), tmp_path / "below" / ".hidden" / "c.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "notes.txt").write_text("hello")
    study = open_study(tmp_path)
    assert [picture.array.max() for picture in study.pictures] == [1, 0]
    assert len(study.problems) == 1
    assert "broken.png" in study.problems[0]
    assert study.name == tmp_path.name


def test_nothing_to_read_is_told(tmp_path):
    with pytest.raises(Unreadable, match="holds no picture"):
        open_study(tmp_path)
    with pytest.raises(Unreadable, match="missing"):
        open_study(tmp_path / "nowhere")
    (tmp_path / "a.txt").write_text("hello")
    for opened in (open_picture, open_study, glance):
        with pytest.raises(Unreadable, match=r"a\.txt"):
            opened(tmp_path / "a.txt")
    (tmp_path / "only.png").write_bytes(b"no")
    with pytest.raises(Unreadable, match=r"only\.png"):
        open_study(tmp_path)


def test_what_is_a_picture(tmp_path):
    for suffix in PICTURE_SUFFIXES:
        (tmp_path / f"a{suffix}").write_bytes(b"")
    (tmp_path / "scan").write_bytes(bytes(128) + b"DICM")
    (tmp_path / "1.2.840.5").write_bytes(bytes(128) + b"DICM")
    for name in ("._a.nii.gz", "b.txt", "DICOMDIR"):
        (tmp_path / name).write_bytes(bytes(128) + b"XXXX")
    found = {path.name for path in tmp_path.iterdir() if is_picture(path)}
    # the .img belongs to its .hdr
    assert found == {f"a{suffix}" for suffix in PICTURE_SUFFIXES if suffix != ".img"} | {"scan", "1.2.840.5"}
    assert not is_picture(tmp_path)
    assert not is_picture(tmp_path / "nowhere.png")


def test_real_medmnist(test_data):
    path = test_data / "medmnist" / "pneumoniamnist.npz"
    if not path.exists():
        pytest.skip("no MedMNIST")
    whole = arrays.read_array(path, "train_images")
    for row in (0, 4000):
        np.testing.assert_array_equal(open_picture(path, f"train_images:{row}").array, whole[row])


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".npz", ".nii", ".mha", ".dcm"])
def test_whatever_the_bytes_are_only_expected_errors_come_out(tmp_path, noise, suffix):
    path = tmp_path / f"a{suffix}"
    array = noise.integers(0, 255, (12, 10)).astype(np.uint8)
    if suffix == ".dcm":
        write_radiograph(Image(array), path)
    elif suffix == ".npz":
        np.savez_compressed(path, x=array)
    elif suffix in (".nii", ".mha"):
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(np.stack([array] * 3)), str(path))
    else:
        Pillow.fromarray(array).save(path)
    raw = path.read_bytes()
    for _ in range(40):
        odd = bytearray(raw)
        for place in noise.integers(0, min(len(odd), 1500), 4):
            odd[place] = noise.integers(256)
        path.write_bytes(odd)
        for opened in (open_picture, open_study, open_mask, glance):
            with contextlib.suppress(OslerError):
                opened(path)


@pytest.fixture
def series(tmp_path, noise):
    """A folder with a made-up CT of five slices."""
    array = noise.integers(-1000, 1000, (5, 6, 7)).astype(np.int16)
    volume = Volume(
        array, Geometry.from_spacing((5, 6, 7), (2.5, 0.8, 0.7)), unit="HU", facts=Facts(modality="CT")
    )
    write_series(volume, tmp_path / "disc" / "ct", seed=3)
    return tmp_path / "disc", volume


def test_a_zip_is_a_study(series, tmp_path):
    folder, volume = series
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*.dcm"):
            archive.write(file, file.relative_to(folder))
    study = open_study(path)
    assert study.name == "export.zip" and study.problems == ()
    # Twice from the same zip is twice the same: the first folder is not in the way.
    for one in (study, open_study(path)):
        [picture] = one.pictures
        np.testing.assert_array_equal(np.sort(picture.array.ravel()), np.sort(volume.array.ravel()))
        assert picture.origins[0].path.is_file()
    with pytest.raises(AskedWrongly, match=r"export\.zip holds many files"):
        open_picture(path)


def test_a_zip_in_a_folder_is_left_packed_and_told(series, tmp_path):
    folder, _ = series
    with zipfile.ZipFile(folder / "more.zip", "w") as archive:
        archive.writestr("1.dcm", b"")
    assert open_study(folder).problems == ("1 file is a zip and was left packed; open it by itself.",)


def test_a_directory_names_the_study_and_what_is_missing_from_it(series):
    from pydicom.fileset import FileSet

    folder, volume = series
    files = FileSet()
    for path in sorted(folder.rglob("*.dcm")):
        files.add(path)
    disc = folder.parent / "burnt"
    files.write(disc)
    [picture] = open_study(disc / "DICOMDIR").pictures
    assert picture.array.shape == volume.array.shape
    assert open_study(disc).problems == ()  # the folder itself, where the directory is no picture
    last = sorted(path for path in disc.rglob("*") if path.is_file() and path.name != "DICOMDIR")[-1]
    last.unlink()
    for path in (disc, disc / "DICOMDIR"):
        study = open_study(path)
        assert "1 of 5 files that DICOMDIR lists is missing." in study.problems
    with pytest.raises(AskedWrongly, match="DICOMDIR holds many files"):
        open_picture(disc / "DICOMDIR")


def test_a_film_among_pictures_is_told_and_hides_nothing(series):
    import pydicom

    folder, _ = series
    film = pydicom.dcmread(sorted(folder.rglob("*.dcm"))[0])
    film.SOPClassUID, film.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.3.1", "1.2.99"
    film.SeriesInstanceUID, film.Modality, film.NumberOfFrames = "1.2.98", "US", 3
    film.PixelData = film.PixelData * 3
    film.save_as(folder / "film.dcm")
    study = open_study(folder)
    assert len(study.pictures) == 1
    assert len(study.problems) == 1 and "film.dcm" in study.problems[0]


def test_a_mosaic_is_told_with_its_reason(series):
    import pydicom

    folder, _ = series
    for path in folder.rglob("*.dcm"):
        made = pydicom.dcmread(path)
        made.ImageType = ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]
        made.save_as(path)
    with pytest.raises(Unreadable, match="mosaic") as caught:
        open_study(folder)
    assert caught.value.remedy


def test_names_of_labels_stand_beside_the_mask(tmp_path):
    write_image(np.array([[0, 1], [2, 2]], np.uint8), tmp_path / "mask.png")
    assert open_mask(tmp_path / "mask.png").labels == {1: "1", 2: "2"}
    write_label_names({1: "liver", 2: "spleen"}, tmp_path / "mask.png")
    assert open_mask(tmp_path / "mask.png").labels == {1: "liver", 2: "spleen"}
    assert open_mask(tmp_path / "mask.png", labels={1: "a", 2: "b"}).labels == {1: "a", 2: "b"}


def test_whole_slides_are_never_opened_whole(tmp_path, test_data):
    slides = test_data / "slides"
    if not slides.is_dir():
        pytest.skip("no slides")
    for name in ("small_HE.svs", "small_dicom.dcm"):
        with pytest.raises(AskedWrongly, match="never read whole") as caught:
            open_picture(slides / name)
        assert "regions" in caught.value.remedy
    with pytest.raises(OslerError, match=r"small_dicom\.dcm|Whole Slide"):
        open_study(slides / "small_dicom.dcm")


def test_a_real_dose_is_a_volume_and_real_structures_are_a_mask(test_data):
    folder = test_data / "radiotherapy" / "dicom"
    if not folder.is_dir():
        pytest.skip("no radiotherapy")
    kinds = {read_header(path).Modality: path for path in folder.iterdir() if path.suffix == ".dcm"}
    dose = open_picture(kinds["RTDOSE"])
    assert isinstance(dose, Volume) and dose.array.shape == (98, 129, 194)
    mask = open_mask(kinds["RTSTRUCT"], "roi:5", grid=dose.geometry)
    assert mask.array.shape == dose.array.shape and mask.array.any()
    [label] = mask.labels
    renamed = open_mask(kinds["RTSTRUCT"], "roi:5", grid=dose.geometry, labels={label: "heart"})
    assert renamed.labels == {label: "heart"}
    with pytest.raises(BadDataset, match="which has no name"):
        open_mask(kinds["RTSTRUCT"], "roi:5", grid=dose.geometry, labels={label + 1: "lung"})


def test_a_real_segmentation_is_a_mask(test_data):
    folder = test_data / "dicom-conformance" / "dcmqi-objects" / "data" / "segmentations"
    if not folder.is_dir():
        pytest.skip("no segmentations")
    path = next(p for p in sorted(folder.rglob("*.dcm")) if read_header(p).Modality == "SEG")
    mask = open_mask(path)
    assert mask.array.any() and mask.labels

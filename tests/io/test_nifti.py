"""NIfTI in and out: the same voxels at the same place."""

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osler.core.errors import AskedWrongly, BadDataset, BadGeometry, BadPixels, NoRoom, Unreadable
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.volume import Volume
from osler.io.nifti import glance, items, read_volume, write_mask, write_volume
from osler.io.open import open_mask, open_picture, open_study


def _oblique(shape: tuple[int, int, int], seed: int) -> Geometry:
    draw = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(draw.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = turn * draw.uniform(0.5, 5, 3)
    affine[:3, 3] = draw.normal(0, 100, 3)
    return Geometry(shape, affine)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    kind=st.sampled_from(["uint8", "int16", "uint16", "int32", "float32", "float64"]),
    suffix=st.sampled_from([".nii", ".nii.gz"]),
)
def test_what_is_written_is_read_back(tmp_path_factory, seed, kind, suffix):
    draw = np.random.default_rng(seed)
    shape = tuple(int(n) for n in draw.integers(1, 7, 3))
    array = draw.integers(0, 200, shape).astype(kind)
    path = tmp_path_factory.mktemp("nifti") / f"volume{suffix}"
    volume = Volume(array, _oblique(shape, seed))
    write_volume(volume, path)
    again = read_volume(path)
    assert again.array.dtype == array.dtype
    np.testing.assert_array_equal(again.array, array)
    # NIfTI keeps single precision
    np.testing.assert_allclose(again.geometry.affine, volume.geometry.affine, rtol=1e-6, atol=2e-5)


def test_ras_becomes_lps_and_axes_turn_round(tmp_path):
    data = np.arange(24, dtype=np.int16).reshape(2, 3, 4)  # i to the right, j to the front, k to the head
    nibabel.save(nibabel.Nifti1Image(data, np.diag([1.0, 2.0, 3.0, 1.0])), tmp_path / "a.nii")
    volume = open_picture(tmp_path / "a.nii")
    assert volume.array.shape == (4, 3, 2)
    assert volume.array[3, 2, 1] == data[1, 2, 3]
    np.testing.assert_allclose(volume.geometry.to_world(np.array([[3, 2, 1]])), [[-1.0, -4.0, 9.0]])


def test_simpleitk_sees_the_same_place(tmp_path):
    import SimpleITK

    volume = Volume(np.zeros((4, 5, 6), np.int16), _oblique((4, 5, 6), 3))
    write_volume(volume, tmp_path / "a.nii.gz")
    other = SimpleITK.ReadImage(str(tmp_path / "a.nii.gz"))
    for index in ((0, 0, 0), (3, 4, 5)):
        theirs = other.TransformIndexToPhysicalPoint(tuple(reversed(index)))
        np.testing.assert_allclose(volume.geometry.to_world(np.array([index]))[0], theirs, atol=1e-3)


def test_slope_is_applied_once(tmp_path):
    image = nibabel.Nifti1Image(np.full((2, 2, 2), 10, np.int16), np.eye(4))
    image.header.set_slope_inter(0.5, -3)
    nibabel.save(image, tmp_path / "a.nii")
    raw = bytearray((tmp_path / "a.nii").read_bytes())
    raw[112:120] = np.array([0.5, -3], "<f4").tobytes()  # nibabel resets them when it writes
    (tmp_path / "a.nii").write_bytes(raw)
    stored = nibabel.load(tmp_path / "a.nii").dataobj.get_unscaled()
    np.testing.assert_allclose(read_volume(tmp_path / "a.nii").array, np.asarray(stored).T * 0.5 - 3)


def test_several_volumes_must_be_named(tmp_path):
    data = np.arange(2 * 3 * 4 * 2, dtype=np.float32).reshape(2, 3, 4, 2)
    path = tmp_path / "bold.nii.gz"
    nibabel.save(nibabel.Nifti1Image(data, np.eye(4)), path)
    assert items(path) == ("channel:0", "channel:1")
    assert glance(path).channels == 2
    with pytest.raises(AskedWrongly, match=r"bold\.nii\.gz holds 2 volumes.*channel:1"):
        open_picture(path)
    with pytest.raises(AskedWrongly, match="channel:2"):
        open_picture(path, "channel:2")
    np.testing.assert_array_equal(open_picture(path, "channel:1").array, data[..., 1].T)
    assert len(open_study(path).pictures) == 2


def test_trailing_axes_of_one_and_flat_files_are_volumes(tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.ones((2, 3, 4, 1, 1), np.int16), np.eye(4)), tmp_path / "a.nii")
    nibabel.save(nibabel.Nifti1Image(np.ones((2, 3), np.int16), np.eye(4)), tmp_path / "b.nii")
    assert open_picture(tmp_path / "a.nii").array.shape == (4, 3, 2)
    assert open_picture(tmp_path / "b.nii").array.shape == (1, 3, 2)


def test_pixdim_is_the_last_resort(tmp_path):
    image = nibabel.Nifti1Image(np.zeros((2, 3, 4), np.int16), None)
    image.header.set_zooms((0.5, 0.6, 2.0))
    image.set_sform(None, 0)
    image.set_qform(None, 0)
    nibabel.save(image, tmp_path / "a.nii")
    assert open_picture(tmp_path / "a.nii").geometry.spacing == pytest.approx((2.0, 0.6, 0.5))


def test_an_unusable_sform_gives_way_to_the_qform(tmp_path):
    path = tmp_path / "a.nii"
    nibabel.save(nibabel.Nifti1Image(np.zeros((2, 3, 4), np.int16), np.diag([2.0, 3, 4, 1])), path)
    raw = bytearray(path.read_bytes())
    raw[252:256] = np.array([1, 1], "<i2").tobytes()  # both forms claim to hold
    raw[280:328] = bytes(48)  # the sform's rows
    path.write_bytes(raw)
    assert open_picture(path).geometry.spacing == pytest.approx((4, 3, 2))
    raw[76:108] = np.array([np.nan] * 8, "<f4").tobytes()
    path.write_bytes(raw)
    with pytest.raises((BadGeometry, Unreadable), match=r"a\.nii"):
        open_picture(path)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_names_the_file(tmp_path, bad):
    data = np.ones((2, 3, 4), np.float32)
    data[1, 1, 1] = bad
    nibabel.save(nibabel.Nifti1Image(data, np.eye(4)), tmp_path / "odd.nii.gz")
    with pytest.raises(BadPixels, match=r"odd\.nii\.gz holds NaN or infinity in 1 of 24"):
        open_picture(tmp_path / "odd.nii.gz")


@pytest.mark.parametrize("keep", [0, 100, 400, 0.5, 0.98])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_truncated_file_is_unreadable(tmp_path, keep, suffix):
    path = tmp_path / f"cut{suffix}"
    write_volume(Volume(np.random.default_rng(0).normal(size=(9, 9, 9)), _oblique((9, 9, 9), 1)), path)
    raw = path.read_bytes()
    path.write_bytes(raw[: keep if isinstance(keep, int) else int(len(raw) * keep)])
    with pytest.raises(Unreadable, match=r"cut\.nii"):
        open_picture(path)


def test_noise_in_gzip_is_unreadable(tmp_path):
    path = tmp_path / "noise.nii.gz"
    path.write_bytes(gzip.compress(np.random.default_rng(0).bytes(5000)))
    with pytest.raises(Unreadable, match=r"noise\.nii\.gz"):
        open_picture(path)


def test_colour_and_complex_are_refused(tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.ones((2, 2, 2), np.complex64), np.eye(4)), tmp_path / "c.nii")
    with pytest.raises(BadPixels, match=r"c\.nii"):
        open_picture(tmp_path / "c.nii")


def test_masks_round_trip_and_are_checked(tmp_path):
    geometry = _oblique((3, 4, 5), 2)
    array = np.zeros((3, 4, 5), np.int64)
    array[1], array[2, 0, 0] = 2, 300
    write_mask(Mask(array, {2: "a", 300: "b"}, geometry=geometry), tmp_path / "m.nii.gz")
    mask = open_mask(tmp_path / "m.nii.gz", labels={2: "a", 300: "b"})
    np.testing.assert_array_equal(mask.array, array)
    assert mask.geometry.matches(geometry)
    assert open_mask(tmp_path / "m.nii.gz").labels == {2: "2", 300: "300"}
    with pytest.raises(BadDataset, match=r"m\.nii\.gz holds the label 300"):
        open_mask(tmp_path / "m.nii.gz", labels={2: "a"})


@pytest.mark.parametrize(("value", "word"), [(0.5, "fractions"), (-1.0, "negative")])
def test_a_mask_holds_whole_numbers(tmp_path, value, word):
    data = np.zeros((2, 3, 4), np.float32)
    data[0, 0, 0] = value
    nibabel.save(nibabel.Nifti1Image(data, np.eye(4)), tmp_path / "m.nii")
    with pytest.raises(BadPixels, match=rf"m\.nii is no mask.*{word}"):
        open_mask(tmp_path / "m.nii")


def test_a_wrong_suffix_is_told(tmp_path):
    with pytest.raises(AskedWrongly, match=r"\.nii"):
        write_volume(Volume(np.zeros((1, 2, 2)), _oblique((1, 2, 2), 0)), tmp_path / "a.mha")
    assert not list(tmp_path.iterdir())


def test_real_hippocampi(test_data: Path):
    images = sorted((test_data / "hippocampus" / "images").glob("*.nii.gz"))[:5]
    if not images:
        pytest.skip("no hippocampus set")
    for path in images:
        volume = open_picture(path)
        mask = open_mask(test_data / "hippocampus" / "labels" / path.name)
        assert mask.geometry.matches(volume.geometry)
        assert set(mask.labels) == {1, 2}
        assert glance(path).shape == volume.array.shape


# Where the header of a NIfTI-1 file keeps its fields.
_DIM, _PIXDIM, _SLOPE, _UNITS, _QCODE, _SCODE, _QUATERN, _SROW = 40, 76, 112, 123, 252, 254, 256, 280


def _edited(path: Path, *changes: tuple[int, str, object]) -> Path:
    """Overwrite fields of the header: (offset, numpy type, value)."""
    raw = bytearray(path.read_bytes())
    for offset, kind, value in changes:
        field = np.atleast_1d(np.asarray(value, kind)).tobytes()
        raw[offset : offset + len(field)] = field
    path.write_bytes(raw)
    return path


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """2 x 3 x 4 voxels of 2 x 3 x 4 mm in an uncompressed file, sform and qform agreeing."""
    path = tmp_path / "plain.nii"
    array = np.arange(24, dtype=np.int16).reshape(4, 3, 2)
    write_volume(Volume(array, Geometry.from_spacing((4, 3, 2), (4, 3, 2), (10, 20, 30))), path)
    return path


def test_both_forms_are_written_and_agree(plain):
    header = nibabel.load(plain).header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (1, 1)
    np.testing.assert_allclose(header.get_sform(), header.get_qform(), atol=1e-5)
    assert header.get_xyzt_units()[0] == "mm"
    assert open_picture(plain).notes == ()


def test_a_sheared_grid_has_no_qform_that_would_contradict(tmp_path):
    affine = np.diag([3.0, 1, 1, 1])[[2, 1, 0, 3]]
    affine[1, 0] = 0.8
    write_volume(Volume(np.zeros((4, 5, 6), np.int16), Geometry((4, 5, 6), affine)), tmp_path / "tilted.nii")
    header = nibabel.load(tmp_path / "tilted.nii").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (1, 0)
    again = open_picture(tmp_path / "tilted.nii")
    assert again.notes == () and again.geometry.matches(Geometry((4, 5, 6), affine), tolerance_mm=1e-4)


def test_forms_that_disagree_are_told_and_the_sform_is_taken(plain):
    before = open_picture(plain).geometry
    _edited(plain, (_QUATERN + 12, "<f4", -9.5))  # qoffset_x was -10
    volume = open_picture(plain)
    assert volume.geometry.matches(before, tolerance_mm=1e-4)
    (note,) = volume.notes
    assert "sform (the scanner's frame)" in note and "qform" in note and "0.5 mm" in note and "was taken" in note
    _edited(plain, (_QUATERN + 12, "<f4", -10.0005))
    assert open_picture(plain).notes == ()


def test_a_code_of_an_atlas_is_named(plain):
    _edited(plain, (_SCODE, "<i2", 4), (_QUATERN + 12, "<f4", 90))
    assert "sform (the MNI atlas)" in open_picture(plain).notes[0]


def test_rounding_of_a_quaternion_is_no_disagreement(tmp_path):
    # Just beside half a turn, the worst place for a quaternion of single precision.
    for degrees in (0.01, 0.05, 0.3, 1, 5):
        angle = np.radians(degrees)
        affine = np.eye(4)
        affine[:3, :3] = np.array([[0, 0, 1.0], [0, 1, 0], [1, 0, 0]]) * (5, 0.9, 0.9)
        turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        affine[:3, :3] = turn @ affine[:3, :3]
        path = tmp_path / f"{degrees}.nii"
        write_volume(Volume(np.zeros((60, 256, 256), np.uint8), Geometry((60, 256, 256), affine)), path)
        assert open_picture(path).notes == ()


def test_neither_form_is_told(plain):
    _edited(plain, (_QCODE, "<i2", (0, 0)))
    volume = open_picture(plain)
    assert volume.geometry.spacing == pytest.approx((4, 3, 2))
    assert "Neither sform nor qform" in volume.notes[0] and "left and right" in volume.notes[0]


def test_a_form_with_nothing_behind_it_is_told(plain):
    _edited(plain, (_SROW, "<f4", [0] * 12))
    volume = open_picture(plain)
    assert volume.geometry.spacing == pytest.approx((4, 3, 2))
    assert "sform has a code and nothing usable" in volume.notes[0] and "qform was taken" in volume.notes[0]


@pytest.mark.parametrize(("code", "factor", "word"), [(1, 1000, "meter"), (3, 1e-3, "micron")])
def test_other_units_become_millimetres(plain, code, factor, word):
    before = open_picture(plain).geometry
    _edited(plain, (_UNITS, "u1", code))
    volume = open_picture(plain)
    np.testing.assert_allclose(volume.geometry.affine[:3], before.affine[:3] * factor, rtol=1e-6)
    (note,) = volume.notes
    assert word in note
    assert glance(plain).spacing == pytest.approx(volume.geometry.spacing)


def test_negative_voxel_sizes_are_told(plain):
    before = open_picture(plain).geometry
    _edited(plain, (_PIXDIM + 4, "<f4", -2))
    volume = open_picture(plain)
    assert any("negative" in note for note in volume.notes)
    assert volume.geometry.matches(before, tolerance_mm=1e-4)  # the sform does not care


@pytest.mark.parametrize("slope", [0.0, np.nan, np.inf])
def test_a_slope_that_is_none_leaves_the_numbers(plain, slope):
    _edited(plain, (_SLOPE, "<f4", (slope, 7)))
    volume = open_picture(plain)
    assert volume.array.dtype == np.int16
    np.testing.assert_array_equal(volume.array.ravel(), np.arange(24))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_affine_of_nan_is_refused(plain, bad):
    rows = [bad] * 12
    _edited(plain, (_SROW, "<f4", rows), (_QUATERN, "<f4", [bad] * 6), (_PIXDIM, "<f4", [bad] * 8))
    with pytest.raises((BadGeometry, Unreadable), match=r"plain\.nii"):
        open_picture(plain)


@pytest.mark.parametrize("packed", [False, True])
def test_a_header_that_promises_petabytes_is_refused_before_anything_is_allocated(plain, packed):
    _edited(plain, (_DIM, "<i2", (3, 32767, 32767, 32767, 1, 1, 1, 1)))
    path = plain
    if packed:
        path = plain.with_suffix(".nii.gz")
        path.write_bytes(gzip.compress(plain.read_bytes()))
    with pytest.raises(Unreadable, match=r"plain\.nii.*promises"):
        open_picture(path)
    assert glance(path).shape == (32767, 32767, 32767)


def test_a_whole_file_larger_than_the_memory_is_no_room(plain, monkeypatch):
    import psutil

    class Little:
        available = 40

    monkeypatch.setattr(psutil, "virtual_memory", Little)
    with pytest.raises(NoRoom, match=r"plain\.nii does not fit"):
        open_picture(plain)


def test_axes_beyond_space_are_named(tmp_path):
    data = np.arange(2 * 3 * 4 * 2 * 3, dtype=np.float32).reshape(2, 3, 4, 2, 3)
    nibabel.save(nibabel.Nifti1Image(data, np.eye(4)), tmp_path / "both.nii")
    with pytest.raises(AskedWrongly, match=r"holds 6 volumes .2 time points of 3 numbers a voxel."):
        open_picture(tmp_path / "both.nii")
    np.testing.assert_array_equal(open_picture(tmp_path / "both.nii", "channel:5").array, data[..., 1, 2].T)
    nibabel.save(nibabel.Nifti1Image(data[..., :1, :], np.eye(4)), tmp_path / "field.nii")
    with pytest.raises(AskedWrongly, match=r"holds 3 volumes .numbers a voxel."):
        open_picture(tmp_path / "field.nii")
    np.testing.assert_array_equal(open_picture(tmp_path / "field.nii", "channel:2").array, data[..., 0, 2].T)


def test_a_pair_of_files_and_analyze(tmp_path):
    data = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    nibabel.save(nibabel.Nifti1Pair(data, np.diag([1.0, 2, 3, 1])), tmp_path / "pair.img")
    for name in ("pair.img", "pair.hdr"):
        np.testing.assert_array_equal(open_picture(tmp_path / name).array, data.T)
    (tmp_path / "pair.img").unlink()
    with pytest.raises(Unreadable, match=r"pair\.hdr"):
        open_picture(tmp_path / "pair.hdr")
    nibabel.save(nibabel.AnalyzeImage(data, np.diag([1.0, 2, 3, 1])), tmp_path / "old.img")
    volume = open_picture(tmp_path / "old.hdr")
    assert volume.geometry.spacing == pytest.approx((3, 2, 1))
    assert "not known" in volume.notes[0]


def test_colours_are_refused_with_their_own_word(tmp_path):
    colours = np.zeros((2, 3, 4), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    nibabel.save(nibabel.Nifti1Image(colours, np.eye(4)), tmp_path / "rgb.nii")
    with pytest.raises(BadPixels, match=r"rgb\.nii holds colours"):
        open_picture(tmp_path / "rgb.nii")


def test_many_labels_keep_their_numbers(tmp_path):
    array = np.zeros((2, 3, 4), np.int32)
    array[0, 0, 0], array[1, 2, 3] = 40_000, 7
    geometry = Geometry.from_spacing((2, 3, 4), (1, 1, 1))
    write_mask(Mask(array, {7: "a", 40_000: "b"}, geometry=geometry), tmp_path / "m.nii.gz")
    np.testing.assert_array_equal(open_mask(tmp_path / "m.nii.gz").array, array)


def test_wide_grids_become_nifti_2(tmp_path):
    array = np.zeros((1, 1, 40_000), np.uint8)
    array[0, 0, 39_999] = 9
    write_volume(Volume(array, Geometry.from_spacing(array.shape, (1, 1, 0.01))), tmp_path / "wide.nii.gz")
    np.testing.assert_array_equal(open_picture(tmp_path / "wide.nii.gz").array, array)

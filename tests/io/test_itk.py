"""NRRD and MetaImage in and out: the same voxels at the same place, and SimpleITK as the judge."""

import bz2
import gzip
import zlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st

from osler.core.errors import AskedWrongly, BadGeometry, BadInput, BadPixels, NoRoom, OslerError, Unreadable
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.volume import Volume
from osler.io.itk import glance, items, read_labels, read_picture, write_mask, write_volume
from osler.io.open import open_mask, open_picture

SHAPE = (2, 3, 4)
ARRAY = np.arange(24, dtype=np.int16).reshape(SHAPE) - 5


def _oblique(seed: int, shape: tuple[int, int, int] = SHAPE) -> Geometry:
    draw = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(draw.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = turn * draw.uniform(0.5, 5, 3)
    affine[:3, 3] = draw.normal(0, 100, 3)
    return Geometry(shape, affine)


def _nrrd(path: Path, *fields: str, data: bytes = ARRAY.astype("<i2").tobytes(), kind: str = "short") -> Path:
    """A NRRD of ARRAY, with other fields than the usual ones."""
    given = {field.partition(":")[0] for field in fields}
    usual = (f"type: {kind}", "dimension: 3", "sizes: 4 3 2", "encoding: raw", "endian: little")
    lines = ["NRRD0005", *(line for line in usual if line.partition(":")[0] not in given), *fields]
    path.write_bytes("\n".join(lines).encode() + b"\n\n" + data)
    return path


def _mha(path: Path, *fields: str, data: bytes = ARRAY.astype("<i2").tobytes()) -> Path:
    given = {field.partition(" = ")[0] for field in fields}
    usual = ("ObjectType = Image", "NDims = 3", "DimSize = 4 3 2", "BinaryData = True", "ElementType = MET_SHORT")
    last = () if "ElementDataFile" in given else ("ElementDataFile = LOCAL",)
    lines = [*(line for line in usual if line.partition(" = ")[0] not in given), *fields, *last]
    path.write_bytes("\n".join(lines).encode() + b"\n" + data)
    return path


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    kind=st.sampled_from(["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "float32", "float64"]),
    suffix=st.sampled_from([".nrrd", ".mha"]),
)
def test_what_is_written_is_read_back_here_and_by_simpleitk(tmp_path_factory, seed, kind, suffix):
    draw = np.random.default_rng(seed)
    shape = tuple(int(n) for n in draw.integers(1, 6, 3))
    volume = Volume(draw.integers(0, 100, shape).astype(kind), _oblique(seed, shape))
    path = tmp_path_factory.mktemp("itk") / f"volume{suffix}"
    write_volume(volume, path)
    again = open_picture(path)
    assert again.array.dtype == volume.array.dtype and again.notes == ()
    np.testing.assert_array_equal(again.array, volume.array)
    np.testing.assert_allclose(again.geometry.affine, volume.geometry.affine, rtol=1e-12, atol=1e-9)
    other = SimpleITK.ReadImage(str(path))
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(other), volume.array)
    for index in ((0, 0, 0), tuple(n - 1 for n in shape)):
        theirs = other.TransformIndexToPhysicalPoint(tuple(reversed(index)))
        np.testing.assert_allclose(volume.geometry.to_world(np.array([index]))[0], theirs, atol=1e-6)


@pytest.mark.parametrize("space", ["left-posterior-superior", "LPS", "right-anterior-superior", "RAS", "LAS"])
def test_every_space_lies_where_simpleitk_says(tmp_path, space):
    path = _nrrd(
        tmp_path / "a.nrrd",
        f"space: {space}",
        "space directions: (0.5,0.1,0) (0,0.7,0.2) (0.3,0,2.5)",
        "space origin: (10,-20,30)",
        "kinds: domain domain domain",
    )
    if space in ("LPS", "RAS", "LAS"):  # SimpleITK wants the long names
        long = {
            "LPS": "left-posterior-superior",
            "RAS": "right-anterior-superior",
            "LAS": "left-anterior-superior",
        }
        other_path = tmp_path / "b.nrrd"
        other_path.write_bytes(
            path.read_bytes().replace(f"space: {space}\n".encode(), f"space: {long[space]}\n".encode())
        )
    else:
        other_path = path
    volume = read_picture(path)
    assert volume.notes == ()
    # It refuses directions that are not at right angles, so its own are made of the spacing and the origin alone.
    flip = {"R": -1, "L": 1, "A": -1, "P": 1}
    letters = "".join(word[0] for word in space.split("-")).upper() if "-" in space else space
    signs = np.array([flip[letters[0]], flip[letters[1]], 1])
    np.testing.assert_allclose(volume.geometry.affine[:3, 3], np.array([10, -20, 30]) * signs)
    np.testing.assert_allclose(volume.geometry.affine[:3, 2], np.array([0.5, 0.1, 0]) * signs)
    np.testing.assert_array_equal(volume.array, ARRAY)


@pytest.mark.parametrize("space", ["right-anterior-superior", "left-anterior-superior", "left-posterior-superior"])
def test_upright_spaces_agree_with_simpleitk(tmp_path, space):
    path = _nrrd(
        tmp_path / "a.nrrd",
        f"space: {space}",
        "space directions: (0,0.5,0) (-0.7,0,0) (0,0,2.5)",
        "space origin: (10,-20,30)",
        "kinds: domain domain domain",
    )
    volume, other = read_picture(path), SimpleITK.ReadImage(str(path))
    for index in ((0, 0, 0), (1, 2, 3)):
        theirs = other.TransformIndexToPhysicalPoint(tuple(reversed(index)))
        np.testing.assert_allclose(volume.geometry.to_world(np.array([index]))[0], theirs, atol=1e-9)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        (("space dimension: 3", "space directions: (1,0,0) (0,1,0) (0,0,1)"), "does not name its space"),
        (("space: scanner-xyz", "space directions: (1,0,0) (0,1,0) (0,0,1)"), "says nothing of the patient"),
        (("spacings: 0.5 0.6 2",), "does not say how the patient lies"),
    ],
)
def test_what_the_header_leaves_open_is_told(tmp_path, fields, word):
    (note,) = read_picture(_nrrd(tmp_path / "a.nrrd", *fields)).notes
    assert word in note and "left and right" in note


def test_metaimage_without_a_matrix_is_told(tmp_path):
    path = _mha(tmp_path / "a.mha", "ElementSpacing = 0.5 0.6 2", "Offset = 1 2 3")
    volume = read_picture(path)
    assert "does not say how the patient lies" in volume.notes[0]
    assert volume.geometry.spacing == pytest.approx((2, 0.6, 0.5))
    np.testing.assert_array_equal(volume.array, ARRAY)


def test_other_lengths_become_millimetres(tmp_path):
    path = _nrrd(
        tmp_path / "a.nrrd",
        "space: left-posterior-superior",
        "space directions: (500,0,0) (0,600,0) (0,0,2000)",
        "space origin: (1000,0,0)",
        'space units: "um" "um" "um"',
    )
    volume = read_picture(path)
    assert volume.geometry.spacing == pytest.approx((2, 0.6, 0.5))
    assert volume.geometry.affine[0, 3] == pytest.approx(1)
    assert "um" in volume.notes[0]


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("raw", bytes),
        ("gzip", gzip.compress),
        ("gz", lambda raw: gzip.compress(raw[:20]) + gzip.compress(raw[20:])),
        ("bzip2", bz2.compress),
        ("hex", lambda raw: raw.hex().encode()),
        ("ascii", lambda raw: " ".join(str(n) for n in np.frombuffer(raw, "<i2")).encode()),
    ],
)
@pytest.mark.parametrize("detached", [False, True])
def test_every_encoding(tmp_path, encoding, pack, detached):
    data = pack(ARRAY.astype("<i2").tobytes())
    if detached:
        (tmp_path / "pixels").write_bytes(data)
        path = _nrrd(tmp_path / "a.nhdr", f"encoding: {encoding}", "data file: pixels", data=b"")
    else:
        path = _nrrd(tmp_path / "a.nrrd", f"encoding: {encoding}", data=data)
    np.testing.assert_array_equal(read_picture(path).array, ARRAY)


def test_big_endian_skips_and_lists(tmp_path):
    big = ARRAY.astype(">i2").tobytes()
    (tmp_path / "one.raw").write_bytes(b"a line\nxy" + big)
    path = _nrrd(
        tmp_path / "a.nhdr", "endian: big", "line skip: 1", "byte skip: 2", "data file: one.raw", data=b""
    )
    np.testing.assert_array_equal(read_picture(path).array, ARRAY)
    (tmp_path / "two.raw").write_bytes(b"whatever stands before" + big)
    path = _nrrd(tmp_path / "b.nhdr", "endian: big", "byte skip: -1", "data file: two.raw", data=b"")
    np.testing.assert_array_equal(read_picture(path).array, ARRAY)
    for n in (0, 1):
        (tmp_path / f"slice{n:02d}.raw").write_bytes(ARRAY[n].astype("<i2").tobytes())
    path = _nrrd(tmp_path / "c.nhdr", "data file: slice%02d.raw 0 1 1", data=b"")
    np.testing.assert_array_equal(read_picture(path).array, ARRAY)
    lines = "NRRD0005\ntype: short\ndimension: 3\nsizes: 4 3 2\nencoding: raw\nendian: little\n"
    (tmp_path / "d.nhdr").write_text(f"{lines}data file: LIST\nslice00.raw\nslice01.raw\n", encoding="ascii")
    np.testing.assert_array_equal(read_picture(tmp_path / "d.nhdr").array, ARRAY)
    path = _mha(tmp_path / "e.mhd", "ElementDataFile = slice%02d.raw 0 1 1", data=b"")
    np.testing.assert_array_equal(read_picture(path).array, ARRAY)
    path = _mha(tmp_path / "f.mha", "CompressedData = True", data=zlib.compress(ARRAY.astype("<i2").tobytes()))
    np.testing.assert_array_equal(read_picture(path).array, ARRAY)
    path = _mha(tmp_path / "g.mha", "BinaryDataByteOrderMSB = True", data=big)
    np.testing.assert_array_equal(read_picture(path).array, ARRAY)


@pytest.mark.parametrize("name", ["../outside.raw", "/etc/hostname", "sub/../../outside.raw", "link.raw", "a\0b"])
def test_pixels_outside_the_folder_are_not_touched(tmp_path, name):
    (tmp_path / "outside.raw").write_bytes(ARRAY.tobytes())
    inside = tmp_path / "folder"
    (inside / "sub").mkdir(parents=True)
    (inside / "link.raw").symlink_to(tmp_path / "outside.raw")
    (inside / "sub" / "fine.raw").write_bytes(ARRAY.tobytes())
    with pytest.raises(Unreadable, match=r"a\.nhdr says that its pixels lie outside"):
        read_picture(_nrrd(inside / "a.nhdr", f"data file: {name}", data=b""))
    with pytest.raises(Unreadable, match=r"a\.mhd says that its pixels lie outside"):
        read_picture(_mha(inside / "a.mhd", f"ElementDataFile = {name}", data=b""))
    np.testing.assert_array_equal(
        read_picture(_nrrd(inside / "b.nhdr", "data file: sub/fine.raw", data=b"")).array, ARRAY
    )


def test_a_missing_data_file_is_named(tmp_path):
    with pytest.raises(Unreadable, match=r"a\.nhdr lacks the file with its pixels"):
        read_picture(_nrrd(tmp_path / "a.nhdr", "data file: gone.raw", data=b""))


def test_a_pattern_wider_than_the_memory_is_no_pattern(tmp_path):
    with pytest.raises(Unreadable):
        read_picture(_nrrd(tmp_path / "a.nhdr", "data file: %0999999999d.raw 0 1 1", data=b""))
    with pytest.raises(Unreadable):
        read_picture(_nrrd(tmp_path / "b.nhdr", "data file: a%d.raw 0 2147483647 1", data=b""))


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2", "ascii", "hex"])
def test_sizes_that_no_file_holds_are_refused_before_anything_is_allocated(tmp_path, encoding):
    path = _nrrd(tmp_path / "bomb.nrrd", "sizes: 4000000000 4000000000 4000000000", f"encoding: {encoding}")
    with pytest.raises(Unreadable, match=r"bomb\.nrrd"):
        read_picture(path)
    assert glance(path).shape == (4_000_000_000,) * 3


def test_a_stream_that_unfolds_too_far_is_cut(tmp_path):
    path = _nrrd(tmp_path / "a.nrrd", "encoding: gzip", data=gzip.compress(ARRAY.tobytes() + bytes(10_000_000)))
    np.testing.assert_array_equal(read_picture(path).array, ARRAY)


def test_what_does_not_fit_the_memory_is_no_room(tmp_path, monkeypatch):
    import psutil

    class Little:
        available = 40

    monkeypatch.setattr(psutil, "virtual_memory", Little)
    with pytest.raises(NoRoom, match=r"a\.nrrd does not fit"):
        read_picture(_nrrd(tmp_path / "a.nrrd"))


@pytest.mark.parametrize(
    ("kinds", "place"), [("list domain domain domain", 0), ("domain domain domain list", 3), (None, 3)]
)
def test_a_fourth_axis_holds_several_volumes(tmp_path, kinds, place):
    data = np.arange(48, dtype="<i2").reshape(2, 2, 3, 4)  # (volumes, slices, rows, columns)
    directions = ["(1,0,0)", "(0,1,0)", "(0,0,1)"]
    directions.insert(place, "none")
    sizes = ["4", "3", "2"]
    sizes.insert(place, "2")
    stored = np.moveaxis(data, 0, 3 - place)  # the file's fastest axis is numpy's last
    fields = ["dimension: 4", f"sizes: {' '.join(sizes)}", "space: left-posterior-superior"]
    fields += [f"space directions: {' '.join(directions)}"] + ([f"kinds: {kinds}"] if kinds else [])
    path = _nrrd(tmp_path / "a.nrrd", *fields, data=np.ascontiguousarray(stored).tobytes())
    assert items(path) == ("channel:0", "channel:1") and glance(path).channels == 2
    with pytest.raises(AskedWrongly, match=r"a\.nrrd holds 2 volumes.*channel:1"):
        read_picture(path)
    for n in (0, 1):
        np.testing.assert_array_equal(read_picture(path, f"channel:{n}").array, data[n])
    with pytest.raises(AskedWrongly, match="channel:2"):
        read_picture(path, "channel:2")


def test_vectors_of_simpleitk_are_channels(tmp_path):
    vectors = np.arange(24 * 3, dtype=np.float32).reshape(*SHAPE, 3)
    file = SimpleITK.GetImageFromArray(vectors, isVector=True)
    file.SetSpacing((0.5, 0.6, 2))
    for suffix in (".nrrd", ".mha", ".nhdr", ".mhd"):
        path = tmp_path / f"v{suffix}"
        SimpleITK.WriteImage(file, str(path))
        assert len(items(path)) == 3
        volume = read_picture(path, "channel:2")
        np.testing.assert_array_equal(volume.array, vectors[..., 2])
        assert volume.geometry.spacing == pytest.approx((2, 0.6, 0.5))


def test_time_of_simpleitk_is_several_volumes(tmp_path):
    times = np.arange(48, dtype=np.int16).reshape(2, *SHAPE)
    file = SimpleITK.GetImageFromArray(times, isVector=False)
    assert file.GetDimension() == 4
    SimpleITK.WriteImage(file, str(tmp_path / "t.mha"))
    np.testing.assert_array_equal(read_picture(tmp_path / "t.mha", "channel:1").array, times[1])


def test_a_space_with_time_has_vectors_of_four(tmp_path):
    fields = (
        "dimension: 4",
        "sizes: 4 3 2 2",
        "space: right-anterior-superior-time",
        "space directions: (1,0,0,0) (0,1,0,0) (0,0,2,0) (0,0,0,5)",
        "space origin: (10,20,30,0)",
    )
    data = np.arange(48, dtype="<i2")
    volume = read_picture(_nrrd(tmp_path / "a.nrrd", *fields, data=data.tobytes()), "channel:1")
    np.testing.assert_array_equal(volume.array.ravel(), data[24:])
    np.testing.assert_allclose(volume.geometry.affine[:3, 3], (-10, -20, 30))


def test_flat_files_are_images_in_grey_and_colour(tmp_path):
    colours = np.random.default_rng(0).integers(0, 255, (4, 5, 3)).astype(np.uint8)
    for suffix in (".nrrd", ".mha"):
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(colours, isVector=True), str(tmp_path / f"c{suffix}"))
        image = read_picture(tmp_path / f"c{suffix}")
        assert isinstance(image, Image) and image.colour
        np.testing.assert_array_equal(image.array, colours)
        np.testing.assert_array_equal(read_picture(tmp_path / f"c{suffix}", "channel:1").array, colours[..., 1])


def test_a_colour_volume_is_read_a_channel_at_a_time(tmp_path):
    colours = np.random.default_rng(0).integers(0, 255, (*SHAPE, 3)).astype(np.uint8)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(colours, isVector=True), str(tmp_path / "c.nrrd"))
    with pytest.raises(AskedWrongly, match=r"c\.nrrd holds 3 volumes"):
        read_picture(tmp_path / "c.nrrd")


def test_masks_keep_the_names_of_their_labels(tmp_path):
    array = np.zeros(SHAPE, np.uint16)
    array[0, 0, 0], array[1, 2, 3] = 1, 300
    mask = Mask(array, {1: "left\nlung", 300: "tumour \\ mass"}, geometry=_oblique(3))
    write_mask(mask, tmp_path / "m.nrrd")
    assert read_labels(tmp_path / "m.nrrd") == mask.labels
    np.testing.assert_array_equal(open_mask(tmp_path / "m.nrrd").array, array)
    other = SimpleITK.ReadImage(str(tmp_path / "m.nrrd"))
    assert other.GetMetaData("Segment1_LabelValue") == "300"
    write_mask(mask, tmp_path / "m.mha")
    assert read_labels(tmp_path / "m.mha") is None
    (tmp_path / "m.labels.json").write_text('{"1": "lung", "300": "mass"}', encoding="utf-8")
    assert read_labels(tmp_path / "m.mha") == {1: "lung", 300: "mass"}
    (tmp_path / "m.labels.json").write_text('["lung"]', encoding="utf-8")
    with pytest.raises(Unreadable, match=r"m\.labels\.json"):
        read_labels(tmp_path / "m.mha")


def test_the_unit_of_the_values_is_kept_in_nrrd(tmp_path):
    write_volume(Volume(ARRAY, _oblique(1), "HU"), tmp_path / "a.nrrd")
    assert read_picture(tmp_path / "a.nrrd").unit == "HU"


def test_wrong_names_and_flat_masks_are_told(tmp_path):
    with pytest.raises(AskedWrongly, match=r"\.nrrd or \.mha"):
        write_volume(Volume(ARRAY, _oblique(1)), tmp_path / "a.nhdr")
    with pytest.raises(AskedWrongly, match="flat mask"):
        write_mask(Mask(np.zeros((3, 4), np.uint8), {}), tmp_path / "a.nrrd")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "fields",
    [
        ("type: block",),
        ("type: rubbish",),
        ("dimension: 2",),
        ("sizes: 4 3",),
        ("sizes: 4 0 2",),
        ("sizes: four three two",),
        ("encoding: magic",),
        ("dimension: 1", "sizes: 24"),
        ("space: left-posterior-superior", "space directions: (1,0,0) (0,1,0)"),
        ("space: left-posterior-superior", "space directions: (1,0,0) (0,1,0) (0,x,1)"),
        ("space: left-posterior-superior", "space directions: (1,0,0) (0,1,0) (0,1,0)"),
        ("space: left-posterior-superior", "space directions: (1,0,0) (0,1,0) (0,0,1)", "space origin: (nan,0,0)"),
    ],
)
def test_headers_that_cannot_be_are_refused(tmp_path, fields):
    with pytest.raises((BadInput, BadGeometry, BadPixels), match=r"a\.nrrd"):
        read_picture(_nrrd(tmp_path / "a.nrrd", *fields))


@settings(max_examples=100)
@given(data=st.data())
def test_whatever_the_header_says_only_expected_errors_come_out(tmp_path_factory, data):
    place = tmp_path_factory.mktemp("fuzz")
    suffix = data.draw(st.sampled_from([".nrrd", ".mha"]))
    write_volume(Volume(ARRAY, _oblique(1)), place / f"a{suffix}")
    raw = bytearray((place / f"a{suffix}").read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = place / f"b{suffix}"
    path.write_bytes(raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw)
    for ask in (read_picture, glance, items):
        try:
            ask(path)
        except OslerError as error:
            assert "b." in error.problem

"""Real files of many vendors and in many encodings, against each other and against independent conversions."""

from pathlib import Path

import numpy as np
import pytest

from osler.core.errors import BadGeometry
from osler.core.volume import Volume
from osler.imaging.shear import shear_degrees, straightened, to_native
from osler.io.dicom.find import find_series
from osler.io.dicom.pixels import decode
from osler.io.dicom.scan import scan_header
from osler.io.dicom.stack import read_file, read_parts
from osler.io.open import open_picture, open_study


@pytest.fixture(scope="module")
def conformance(test_data) -> Path:
    folder = test_data / "dicom-conformance"
    if not folder.is_dir():
        pytest.skip("no conformance set")
    return folder


EXACT = ("BigEndian", "Deflated", "JPEG2000Lossless", "JPEGLSLossless", "JPEGProcess14SV1", "JPEGProcess14T")
EXACT += ("LittleEndianExplicit", "LittleEndianImplicit", "RLE")
# How far a lossy one may be off in HU; the twelve-bit ones come in steps of two, the eight-bit one in steps of 32.
LOSSY = {
    "JPEG2000Transfer": 5,
    "JPEGLSLossy": 1,
    "JPEGProcess1T": 65,
    "JPEGProcess2_4": 36,
    "JPEGProcess6_8": 36,
    "JPEGProcess10_12": 36,
}


@pytest.mark.parametrize("word", [*EXACT, *LOSSY])
def test_one_picture_in_every_transfer_syntax(conformance, word):
    folder = conformance / "transfer-syntaxes" / "testImages"
    (path,) = folder.glob(f"CTImage.dcm_{word}*")
    plain, found = (read_file(one).array.astype(float) for one in (folder / "CTImage.dcm", path))
    if word in EXACT:
        np.testing.assert_array_equal(found, plain)
    else:
        assert np.abs(found - plain).max() <= LOSSY[word]


def test_fragments_without_a_table(conformance):
    """Two frames of twelve-bit JPEG in more fragments than frames, and nothing that says which is which."""
    path = next((conformance / "transfer-syntaxes" / "testImages").glob("CT0012*"))
    stored = decode(scan_header(path), path)
    assert stored.shape == (2, 512, 512)
    assert 1000 < stored.min() < stored.max() < 4096
    assert not (stored[0] == stored[1]).all()


@pytest.mark.parametrize("kind", ["compressed_rle", "compressed_j2k", "compressed_jpegls", "compressed_jpeg"])
def test_compressed_series_agree(conformance, kind):
    generic = conformance / "dicom2nifti" / "generic"
    one, other = open_picture(generic / "compressed" / "001"), open_picture(generic / kind / "001")
    np.testing.assert_array_equal(one.array, other.array)
    assert one.geometry.matches(other.geometry, tolerance_mm=1e-6)


SERIES = (
    "ge/anatomical/001",
    "ge/anatomical/001_implicit",
    "generic/anatomical/001",
    "generic/compressed_j2k/001",
)
SERIES += ("generic/anatomical/001_implicit", "generic/anatomical/002_non_isotropic", "failing/gantrytilting/001")


@pytest.mark.parametrize("place", SERIES)
def test_series_lie_where_simpleitk_says(conformance, place):
    import SimpleITK

    ours = open_picture(conformance / "dicom2nifti" / place)
    theirs = SimpleITK.ReadImage([str(one.path) for one in ours.origins])
    np.testing.assert_allclose(SimpleITK.GetArrayFromImage(theirs), ours.array, atol=1e-3)
    last = ours.array.shape[0] - 1
    corners = np.array([[0, 0, 0], [0, ours.array.shape[1] - 1, 0], [0, 0, ours.array.shape[2] - 1], [last, 0, 0]])
    if place.startswith("failing"):
        corners = corners[:3]  # ITK stands the slices of a tilted gantry upright
    points = [theirs.TransformIndexToPhysicalPoint([int(n) for n in corner[::-1]]) for corner in corners]
    np.testing.assert_allclose(ours.geometry.to_world(corners), points, atol=1e-3)


@pytest.mark.parametrize("place", ["philips_enhanced/anatomical/001", "siemens_multiframe/anatomical/001"])
def test_enhanced_objects_of_two_vendors(conformance, place):
    (path,) = (conformance / "dicom2nifti" / place).iterdir()
    volume = read_file(path)
    assert volume.array.shape == (8, 256, 256)
    header = scan_header(path).whole()
    for origin, index in zip(volume.origins, range(8), strict=True):
        groups = header.PerFrameFunctionalGroupsSequence[origin.frame - 1]
        position = groups.PlanePositionSequence[0].ImagePositionPatient
        np.testing.assert_allclose(volume.geometry.to_world(np.array([[index, 0, 0]]))[0], position, atol=1e-3)


def _as_reference(volume: Volume, reference: Volume) -> np.ndarray:
    """The reference's voxels in our order; raises where the grids are not the same places."""
    index = np.indices(volume.array.shape).reshape(3, -1).T
    there = reference.geometry.to_index(volume.geometry.to_world(index))
    nearest = np.rint(there).astype(int)
    # The header's positions and the reference's affine are written with seven digits.
    assert (np.abs(there - nearest) * min(reference.geometry.spacing)).max() < 5e-3
    return reference.array[tuple(nearest.T)].reshape(volume.array.shape)


def test_an_enhanced_series_over_time(conformance):
    study = open_study(conformance / "enhanced-mr" / "In" / "Siemens" / "XA10")
    reference = next((conformance / "enhanced-mr" / "Ref").glob("Siemens*.nii"))
    assert len(study.pictures) == 4
    for n, picture in enumerate(study.pictures):
        np.testing.assert_array_equal(
            _as_reference(picture, open_picture(reference, f"channel:{n}")), picture.array
        )


def test_an_enhanced_field_map(conformance):
    """dcm2niix writes the field map in Hz, as displayed; the magnitude it divides by Philips' private scale."""
    field, magnitude = open_study(conformance / "enhanced-mr" / "In" / "Philips").pictures
    if field.array.min() >= 0:
        field, magnitude = magnitude, field
    reference = conformance / "enhanced-mr" / "Ref"
    hertz = open_picture(reference / "Philips_WIP_B0_NS_801_e2_fieldmaphz.nii")
    np.testing.assert_allclose(_as_reference(field, hertz), field.array, atol=0.02)
    precise = _as_reference(magnitude, open_picture(reference / "Philips_WIP_B0_NS_801_e1.nii"))
    header = scan_header(magnitude.origins[0].path).whole()
    groups = header.PerFrameFunctionalGroupsSequence[(magnitude.origins[0].frame or 1) - 1]
    slope = float(groups.PixelValueTransformationSequence[0].RescaleSlope)
    scale = float(groups[0x2005, 0x140F].value[0][0x2005, 0x100E].value)
    ours = magnitude.array.astype(np.float64) / (slope * scale)  # Philips' own value of a displayed one
    np.testing.assert_allclose(precise, ours, rtol=2e-6)


@pytest.mark.parametrize(
    ("name", "number"), [("12bitUnsigned", 2), ("12bitUnsigned_0x0F0F", 3), ("12bitSigned_0x0F0F", 4)]
)
def test_twelve_bits_signed_and_not(conformance, name, number):
    folder = conformance / "signed-12bit"
    path = folder / "In" / f"{name}.dcm"
    reference = open_picture(folder / "Ref" / f"{number}.nii")
    volume = open_picture(path)
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in volume.geometry.shape])).reshape(3, -1).T
    there = reference.geometry.to_index(volume.geometry.to_world(corners))
    np.testing.assert_allclose(there, np.rint(there), atol=1e-3)
    every = volume.geometry.to_world(np.indices(volume.geometry.shape).reshape(3, -1).T)
    index = np.rint(reference.geometry.to_index(every)).astype(int)
    np.testing.assert_array_equal(reference.array[tuple(index.T)], volume.array.reshape(-1))


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("notavolume/001", "is a film, not a volume: all its 4 pictures lie in the same place"),
        ("slicecount/001", "has only 2 slices"),
        ("sliceincrement/001", "has a gap: about 1 of 5 slices are missing, at 33.1 mm"),
        ("sliceincrement/002", "has a gap: about 1 of 5 slices are missing, at -133.0 mm"),
        ("sliceorientation/001", "mixes orientations: its slices look in 2 directions"),
    ],
)
def test_what_makes_no_volume_is_named(conformance, place, words):
    with pytest.raises(BadGeometry) as caught:
        open_study(conformance / "dicom2nifti" / "failing" / place)
    assert words in caught.value.problem
    assert caught.value.remedy


def test_a_film_can_be_had_as_a_film(conformance):
    ((series,), _) = find_series(sorted((conformance / "dicom2nifti/failing/notavolume/001").iterdir()))
    assert [clip.array.shape for clip in read_parts(series).clips] == [(4, 512, 512)]


def test_a_tilted_gantry_is_read_exactly_and_said(conformance):
    volume = open_picture(conformance / "dicom2nifti" / "failing" / "gantrytilting" / "001")
    assert "14.0 degrees, as with a gantry tilt" in volume.notes[0]
    assert shear_degrees(volume.geometry) == pytest.approx(14.0, abs=0.01)
    for n, origin in enumerate(volume.origins):
        position = [float(x) for x in scan_header(origin.path).get("ImagePositionPatient")]
        np.testing.assert_allclose(volume.geometry.to_world(np.array([[n, 0, 0]]))[0], position, atol=1e-6)
    straight = straightened(volume)
    labels = (volume.array > -900).astype(np.uint8)
    back = to_native(to_native(labels, volume.geometry, straight.geometry), straight.geometry, volume.geometry)
    overlap = 2 * (back & labels).sum() / (back.sum() + labels.sum())
    assert overlap > 0.9

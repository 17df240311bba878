"""Siemens mosaics, made from volumes whose slices are known."""

import struct
from pathlib import Path

import numpy as np
import pydicom
import pytest

from osler.core.errors import Unreadable
from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.volume import Volume
from osler.io.dicom.write import write_series
from osler.io.open import glance, open_picture, open_study

SHAPE = (7, 10, 12)
ARRAY = np.random.default_rng(8).integers(0, 4000, SHAPE).astype(np.uint16)


def grid() -> Geometry:
    """Oblique, with pixels that are not square."""
    row, column = np.array([0.8, 0.6, 0.0]), np.array([-0.36, 0.48, -0.8])
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = np.cross(row, column) * 3.5, column * 1.5, row * 1.25
    affine[:3, 3] = 11, -32, 53
    return Geometry(SHAPE, affine)


def csa(**tags: list[float]) -> bytes:
    made = b""
    for name, values in tags.items():
        made += name.encode().ljust(64, b"\0") + struct.pack("<l4sllL", 1, b"FD", 0, len(values), 77)[:20]
        made = made[:-8] + struct.pack("<LL", len(values), 77)
        for value in values:
            text = f"{value:.8f}".encode() + b"\0"
            made += struct.pack("<llll", len(text), len(text), 77, len(text))
            made += text.ljust((len(text) + 3) // 4 * 4, b"\0")
    return b"SV10\4\3\2\1" + struct.pack("<LL", len(tags), 77) + made


def mosaic(path: Path, geometry: Geometry, *, sign: int = 1, private: bool = True) -> Path:
    """ARRAY as one image of 3 x 3 tiles; sign -1: the slices run against the cross product of rows and columns."""
    (one,) = write_series(
        Volume(ARRAY[:1], Geometry((1, *SHAPE[1:]), geometry.affine), facts=Facts(modality="MR")), path
    )
    made = pydicom.dcmread(one)
    tiles = np.zeros((9, *SHAPE[1:]), np.uint16)
    tiles[: SHAPE[0]] = ARRAY[::sign]
    whole = tiles.reshape(3, 3, *SHAPE[1:]).swapaxes(1, 2).reshape(30, 36)
    made.ImageType = ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]
    made.Rows, made.Columns, made.PixelData = 30, 36, whole.tobytes()
    made.BitsStored, made.HighBit, made.RescaleSlope, made.RescaleIntercept = 12, 11, "1", "0"
    first = geometry.affine[:3, 3] + (geometry.affine[:3, 0] * (SHAPE[0] - 1) if sign < 0 else 0)
    corner = first - geometry.affine[:3, 2] * 12 - geometry.affine[:3, 1] * 10
    made.ImagePositionPatient = [f"{x:.9g}" for x in corner]
    made.SpacingBetweenSlices = "3.5"
    made.Manufacturer = "SIEMENS"
    if private:
        normal = sign * np.cross(geometry.affine[:3, 2] / 1.25, geometry.affine[:3, 1] / 1.5)
        block = made.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
        block.add_new(0x10, "OB", csa(NumberOfImagesInMosaic=[SHAPE[0]], SliceNormalVector=list(normal)))
    made.save_as(one)
    return one


@pytest.mark.parametrize("sign", [1, -1])
def test_each_slice_lies_where_it_lay(tmp_path, sign):
    geometry = grid()
    path = mosaic(tmp_path / "mosaic", geometry, sign=sign)
    volume = open_picture(path)
    assert volume.geometry.matches(geometry, tolerance_mm=1e-3)
    np.testing.assert_array_equal(volume.array, ARRAY)
    assert volume.origins == () and "mosaic of 7 slices" in volume.notes[-1]
    assert glance(path).shape == SHAPE
    assert glance(path).spacing == pytest.approx((3.5, 1.5, 1.25))


def test_a_series_of_mosaics_is_a_volume_for_each_moment(tmp_path):
    first = mosaic(tmp_path / "a", grid())
    second = pydicom.dcmread(first)
    second.SOPInstanceUID, second.InstanceNumber = "1.2.3", 2
    second.save_as(tmp_path / "a" / "2.dcm")
    assert [picture.array.shape for picture in open_study(tmp_path).pictures] == [SHAPE, SHAPE]


def test_without_the_private_header_it_is_refused(tmp_path):
    path = mosaic(tmp_path / "mosaic", grid(), private=False)
    with pytest.raises(Unreadable, match=r"is a mosaic.*nothing says how many slices") as caught:
        open_picture(path)
    assert path.name in caught.value.problem and "NIfTI" in caught.value.remedy

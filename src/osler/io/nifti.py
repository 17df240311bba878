"""NIfTI and Analyze files. RAS becomes LPS, and (i, j, k) becomes (slices, rows, columns), here and nowhere else.

File axis k is our slices, j our rows, i our columns: an array is the file's with its axes in reverse.
Source of the frame: NIfTI-1 specification, nifti1.h, "3D image (volume) orientation and location in space".
"""

from pathlib import Path
from typing import Any

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, BadGeometry, BadPixels, Unreadable
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.volume import Volume
from osler.io.files import replacing
from osler.io.glance import Glance
from osler.io.item import numbered

SUFFIXES = (".nii.gz", ".nii", ".hdr", ".img")
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def read_volume(path: Path, item: str = "") -> Volume:
    """Read one volume; `item` "channel:2" picks one of a file that holds several.

    Raises Unreadable for a broken file, BadGeometry for a header without a usable grid, BadPixels for a file of
    colours or complex numbers, AskedWrongly when the file holds several volumes and `item` does not say which.
    """
    file = _load(path)
    shape, volumes = _shape(file, path)
    if volumes > 1 and not item:
        raise AskedWrongly(
            f"{path.name} holds {volumes} volumes.", remedy=f"Ask for one: 'channel:0' to 'channel:{volumes - 1}'."
        )
    channel = numbered(item, "channel", volumes, path) if item else 0
    geometry = _geometry(file, shape, path)
    try:
        stored = _scaled(file, channel, volumes)
    except Exception as error:  # nibabel hands on whatever gzip, zlib, mmap and numpy raise
        raise _broken(path, error) from error
    return Volume(stored.reshape(shape[::-1], order="F").T, geometry)


def glance(path: Path, item: str = "") -> Glance:
    """Shape, spacing and number of volumes from the header alone. Raises as `read_volume` does."""
    file = _load(path)
    shape, volumes = _shape(file, path)
    geometry = _geometry(file, shape, path)
    dtype = file.get_data_dtype() if _slope(file) == (1.0, 0.0) else np.dtype("float32")
    return Glance(shape, geometry.spacing, 1 if item else volumes, str(dtype))


def items(path: Path) -> tuple[str, ...]:
    """What to ask the file for: ("",) for one volume, ("channel:0", "channel:1", ...) for several."""
    _, volumes = _shape(_load(path), path)
    return ("",) if volumes == 1 else tuple(f"channel:{n}" for n in range(volumes))


def write_volume(volume: Volume, path: Path) -> None:
    """Write .nii or .nii.gz; reading it back gives the same voxels, and the same grid to single precision.

    Raises AskedWrongly for another suffix, NoRoom when the disk is full.
    """
    array = volume.array
    if array.dtype == np.float16:  # NIfTI knows neither halves nor booleans of a byte
        array = array.astype(np.float32)
    _write(array.astype(np.uint8) if array.dtype == bool else array, volume.geometry, path)


def write_mask(mask: Mask, path: Path) -> None:
    """Write .nii or .nii.gz with uint8 numbers, int16 above 255.

    Raises AskedWrongly for another suffix or a flat mask, NoRoom when the disk is full.
    """
    if mask.geometry is None:
        raise AskedWrongly(f"{path.name}: a flat mask has no place in a NIfTI file.", remedy="Write it as PNG.")
    largest = int(mask.array.max(initial=0))
    _write(mask.array.astype(np.uint8 if largest < 256 else np.int16), mask.geometry, path)


def _write(array: Array, geometry: Geometry, path: Path) -> None:
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        raise AskedWrongly(f"{path.name} is no name for a NIfTI file.", remedy="End it in .nii or .nii.gz.")
    affine = _RAS_TO_LPS @ geometry.affine[:, [2, 1, 0, 3]]  # the flip is its own inverse
    image = _nibabel().Nifti1Image(array.T, affine, dtype=array.dtype)
    image.header.set_xyzt_units("mm")
    with replacing(path) as beside:
        _nibabel().save(image, beside)


def _nibabel() -> Any:
    import nibabel  # slow to import, and half of its functions have no types

    # It mends headers as it reads them and writes so to stderr, without saying which file.
    nibabel.imageglobals.logger.setLevel("CRITICAL")
    return nibabel


def _load(path: Path) -> Any:
    try:
        return _nibabel().load(path)
    except Exception as error:  # nibabel hands on whatever gzip, zlib and its header checks raise
        raise _broken(path, error) from error


def _broken(path: Path, error: Exception) -> Unreadable:
    if isinstance(error, FileNotFoundError):
        return Unreadable(f"{path.name} is missing.", remedy="Check the path; a .hdr needs its .img beside it.")
    return Unreadable(
        f"{path.name} cannot be read as NIfTI: it is damaged or cut short.", remedy="Copy or convert it again."
    )


def _shape(file: Any, path: Path) -> tuple[tuple[int, int, int], int]:
    """((slices, rows, columns), volumes)"""
    if file.get_data_dtype().kind not in "iuf":
        raise BadPixels(
            f"{path.name} holds colours or complex numbers, not one number a voxel.",
            remedy="Save one grey channel or the magnitude.",
        )
    size = tuple(int(n) for n in file.shape)
    if not size or min(size) < 1:
        raise BadPixels(f"{path.name} holds no voxels.", remedy="Convert it again from the original images.")
    i, j, k = (*size, 1, 1)[:3]
    return (k, j, i), int(np.prod(size[3:]))


def _slope(file: Any) -> tuple[float, float]:
    """(slope, intercept), (1, 0) where the header gives none."""
    slope, intercept = file.dataobj.slope, file.dataobj.inter
    return float(slope), float(intercept)


def _scaled(file: Any, channel: int, volumes: int) -> Array:
    """The voxels of one volume, in the file's order, with the header's slope and intercept applied."""
    size = file.shape
    slope, intercept = _slope(file)
    if volumes == 1:
        stored = file.dataobj.get_unscaled()
    else:
        # Only the last axes tell volumes apart; their index in the file's own order is that of Fortran.
        where = np.unravel_index(channel, size[3:], order="F")
        stored = np.asarray(file.dataobj[(..., *(int(n) for n in where))])
        slope, intercept = 1.0, 0.0  # slicing has applied them
    stored = np.asarray(stored)
    stored = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    if (slope, intercept) == (1.0, 0.0):
        return stored.astype(np.float32) if stored.dtype == np.longdouble else stored
    scaled: Array = (stored * slope + intercept).astype(np.float32)
    return scaled


def _geometry(file: Any, shape: tuple[int, int, int], path: Path) -> Geometry:
    for affine in _affines(file):
        # A file may carry a form with a code and nothing usable behind it; the next form is then the truth.
        if affine is not None and np.isfinite(affine).all() and abs(np.linalg.det(affine[:3, :3])) > 1e-9:
            return Geometry(shape, (_RAS_TO_LPS @ affine)[:, [2, 1, 0, 3]])
    raise BadGeometry(
        f"{path.name} does not say how large its voxels are: sform, qform and pixdim are all unusable.",
        remedy="Convert it again from the original images, or repair its header.",
    )


def _affines(file: Any) -> list[Array | None]:
    """Voxel to RAS matrices in the order of trust: sform, qform, pixdim."""
    header = file.header
    if not hasattr(header, "get_sform"):  # Analyze
        return [np.asarray(file.affine)]
    try:
        qform = header.get_qform(coded=True)[0]
    except Exception:  # a quaternion that is none; nibabel raises several kinds
        qform = None
    # Nobody knows how such a file lies; nibabel's guess keeps the radiological storage order of Analyze, and takes
    # a pixdim of 0 for 1 mm, as everybody does.
    return [header.get_sform(coded=True)[0], qform, header.get_base_affine()]

"""NIfTI and Analyze files. RAS becomes LPS, and (i, j, k) becomes (slices, rows, columns), here and nowhere else.

File axis k is our slices, j our rows, i our columns: an array is the file's with its axes in reverse.
Source of the frame: NIfTI-1 specification, nifti1.h, "3D image (volume) orientation and location in space".
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, BadGeometry, BadPixels, NoRoom, Unreadable
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.volume import Volume
from osler.io.files import replacing
from osler.io.glance import Glance
from osler.io.item import numbered

SUFFIXES = (".nii.gz", ".nii", ".hdr", ".img")
_MOST_VOLUMES = 2**17  # 32767 times and four channels; a header may say 32767 ** 4
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_AGREE_MM = 1e-3
_MM = {"meter": 1000.0, "micron": 1e-3}
# What a code claims of the frame that its form leads to.
_FRAMES = {
    1: "the scanner's frame",
    2: "aligned to another scan",
    3: "Talairach's atlas",
    4: "the MNI atlas",
    5: "another template",
}
_MOST_DEFLATED = 1032  # to one: no deflate stream unfolds to more


@dataclass(frozen=True, slots=True, eq=False)
class _Form:
    """One way in which a header says where its voxels lie.

    affine  (4, 4), (i, j, k, 1) to RAS in mm; None where there is nothing usable
    """

    name: str
    code: int
    affine: Array | None

    @property
    def words(self) -> str:
        return f"{self.name} ({_FRAMES.get(self.code, f'code {self.code}')})"


def read_volume(path: Path, item: str = "") -> Volume:
    """Read one volume; `item` "channel:2" picks one of a file that holds several (time points or components).

    What is odd in the header's geometry is told in the volume's notes: forms that disagree and which was taken,
    no form at all, units other than mm, negative voxel sizes.

    Raises Unreadable for a broken file, BadGeometry for a header without a usable grid, BadPixels for a file of
    colours or complex numbers, NoRoom for more voxels than the memory holds, AskedWrongly when the file holds
    several volumes and `item` does not say which.
    """
    file = _load(path)
    shape, volumes = _shape(file, path)
    if volumes > 1 and not item:
        raise AskedWrongly(
            f"{path.name} holds {volumes} volumes{_kind_of_many(file)}.",
            remedy=f"Ask for one: 'channel:0' to 'channel:{volumes - 1}'.",
        )
    channel = numbered(item, "channel", volumes, path) if item else 0
    geometry, notes = _grid(file, shape, path)
    _refuse_too_large(file, shape, volumes, path)
    try:
        stored = _scaled(file, channel, volumes)
    except MemoryError as error:
        raise _too_large(path) from error
    except Exception as error:  # nibabel hands on whatever gzip, zlib, mmap and numpy raise
        raise _broken(path, error) from error
    return Volume(stored.reshape(shape[::-1], order="F").T, geometry, notes=notes)


def glance(path: Path, item: str = "") -> Glance:
    """Shape, spacing and number of volumes from the header alone. Raises as `read_volume` does."""
    file = _load(path)
    shape, volumes = _shape(file, path)
    geometry, _ = _grid(file, shape, path)
    dtype = file.get_data_dtype() if _slope(file) == (1.0, 0.0) else np.dtype("float32")
    return Glance(shape, geometry.spacing, 1 if item else volumes, str(dtype))


def items(path: Path) -> tuple[str, ...]:
    """What to ask the file for: ("",) for one volume, ("channel:0", "channel:1", ...) for several."""
    _, volumes = _shape(_load(path), path)
    if volumes > _MOST_VOLUMES:
        raise BadPixels(f"{path.name} says it holds {volumes} volumes.", remedy="Convert it again.")
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
    """Write .nii or .nii.gz with uint8 numbers, int16 above 255, int32 above 32767.

    Raises AskedWrongly for another suffix or a flat mask, NoRoom when the disk is full.
    """
    if mask.geometry is None:
        raise AskedWrongly(f"{path.name}: a flat mask has no place in a NIfTI file.", remedy="Write it as PNG.")
    largest = int(mask.array.max(initial=0))
    kind = np.uint8 if largest < 256 else np.int16 if largest < 32768 else np.int32
    _write(mask.array.astype(kind), mask.geometry, path, intent="label")


def _write(array: Array, geometry: Geometry, path: Path, *, intent: str = "") -> None:
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        raise AskedWrongly(f"{path.name} is no name for a NIfTI file.", remedy="End it in .nii or .nii.gz.")
    affine = _RAS_TO_LPS @ geometry.affine[:, [2, 1, 0, 3]]  # the flip is its own inverse
    header_class = _nibabel().Nifti2Header if max(array.shape) > 32767 else _nibabel().Nifti1Header
    image_class = _nibabel().Nifti2Image if max(array.shape) > 32767 else _nibabel().Nifti1Image
    header = header_class()
    header.set_data_dtype(array.dtype)
    image = image_class(array.T, affine, header, dtype=array.dtype)
    image.header.set_xyzt_units("mm")
    image.set_sform(affine, "scanner")
    # A quaternion cannot hold a sheared grid, and half a truth beside the sform would be a contradiction.
    if _is_rigid(affine):
        image.set_qform(affine, "scanner")
    if intent:
        image.header.set_intent(intent)
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
    dtype = file.get_data_dtype()
    if dtype.kind not in "iuf":
        what = "complex numbers" if dtype.kind == "c" else "colours"
        raise BadPixels(
            f"{path.name} holds {what}, not one number a voxel.",
            remedy="Save the magnitude." if dtype.kind == "c" else "Save one grey channel.",
        )
    size = tuple(int(n) for n in file.shape)
    if not size or min(size) < 1:
        raise BadPixels(f"{path.name} holds no voxels.", remedy="Convert it again from the original images.")
    i, j, k = (*size, 1, 1)[:3]
    return (k, j, i), _product(size[3:])


def _product(numbers: tuple[int, ...]) -> int:
    """In Python's own integers, which do not overflow: the header may say anything."""
    product = 1
    for one in numbers:
        product *= one
    return product


def _kind_of_many(file: Any) -> str:
    """ " (time points)" where only the fourth axis is long, " (numbers a voxel)" where only the fifth is."""
    times, components = _product(file.shape[3:4]), _product(file.shape[4:])
    if times > 1 and components > 1:
        return f" ({times} time points of {components} numbers a voxel)"
    return " (time points)" if times > 1 else " (numbers a voxel)"


def _refuse_too_large(file: Any, shape: tuple[int, int, int], volumes: int, path: Path) -> None:
    """Raises before anything is allocated: a header of 348 bytes can promise petabytes."""
    import psutil

    itemsize = file.get_data_dtype().itemsize
    one = _product(shape) * itemsize
    stored = Path(file.file_map["image"].filename)
    try:
        size = stored.stat().st_size
    except OSError as error:
        raise _broken(path, FileNotFoundError()) from error
    packed = stored.suffix.lower() in (".gz", ".bz2", ".zst")
    if one * volumes > size * (_MOST_DEFLATED if packed else 1):
        raise Unreadable(
            f"{path.name} is cut short: its header promises {one * volumes} bytes of voxels, more than "
            f"{size} bytes on disk can hold.",
            remedy="Copy or convert it again.",
        )
    if one > psutil.virtual_memory().available:
        raise _too_large(path)


def _too_large(path: Path) -> NoRoom:
    return NoRoom(f"{path.name} does not fit into the memory.", remedy="Crop it, or use a machine with more.")


def _slope(file: Any) -> tuple[float, float]:
    """(slope, intercept), (1, 0) where the header gives none: a slope of 0 or NaN means none."""
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


def _grid(file: Any, shape: tuple[int, int, int], path: Path) -> tuple[Geometry, tuple[str, ...]]:
    """Where the voxels lie, and what is odd about it."""
    scale, notes = _unit(file)
    forms = _forms(file)
    # A file may carry a form with a code and nothing usable behind it; the next form is then the truth.
    usable = [form for form in forms if form.affine is not None]
    if not usable:
        raise BadGeometry(
            f"{path.name} does not say how large its voxels are: sform, qform and pixdim are all unusable.",
            remedy="Convert it again from the original images, or repair its header.",
        )
    taken = usable[0]
    assert taken.affine is not None
    for form in forms[: forms.index(taken)]:
        notes.append(f"The {form.name} has a code and nothing usable behind it; the {taken.name} was taken.")
    if not taken.code:
        notes.append(
            "Neither sform nor qform is set: how the patient lies is not known. The voxel sizes and the storage "
            "order of Analyze were taken; left and right may be exchanged."
        )
    for form in usable[1:]:
        if form.code and form.affine is not None:
            apart = _apart_mm(taken.affine * scale, form.affine * scale, shape)
            if apart > _AGREE_MM + _rounding_mm(taken.affine, shape) * scale:
                notes.append(
                    f"The {taken.words} and the {form.words} disagree by up to {apart:.3g} mm at the corners; the "
                    f"{taken.name} was taken, as most programs do."
                )
    if _has_negative_sizes(file):
        effect = "the sform says how they lie" if taken.name == "sform" else "their signs were left out"
        notes.append(f"The header's voxel sizes are negative, which the standard forbids; {effect}.")
    affine = taken.affine.copy()
    affine[:3] *= scale
    return Geometry(shape, (_RAS_TO_LPS @ affine)[:, [2, 1, 0, 3]]), tuple(notes)


def _forms(file: Any) -> list[_Form]:
    """Voxel to RAS matrices in the order of trust: sform, qform, voxel sizes; no forms without a code."""
    header = file.header
    if not hasattr(header, "get_sform"):  # Analyze
        return [_Form("voxel size", 0, _usable(file.affine))]
    found = []
    for name, get in (("sform", header.get_sform), ("qform", header.get_qform)):
        code = int(header[f"{name}_code"])
        if code > 0:
            try:
                affine = _usable(get())
            except Exception:  # a quaternion that is none; nibabel raises several kinds
                affine = None
            found.append(_Form(name, code, affine))
    # Nobody knows how such a file lies; nibabel's guess keeps the radiological storage order of Analyze, and takes
    # a pixdim of 0 for 1 mm, as everybody does.
    return [*found, _Form("voxel size", 0, _usable(header.get_base_affine()))]


def _usable(affine: Any) -> Array | None:
    matrix = np.asarray(affine, float)
    sound = np.isfinite(matrix).all() and abs(np.linalg.det(matrix[:3, :3])) > 1e-12
    return matrix if sound else None


def _unit(file: Any) -> tuple[float, list[str]]:
    """Millimetres of one unit of length of the file, and a note where that is not 1."""
    code = int(file.header["xyzt_units"]) & 7 if hasattr(file.header, "get_sform") else 0
    unit = {1: "meter", 3: "micron"}.get(code)
    if unit is None:
        return 1.0, []
    return _MM[unit], [f"The header gives lengths in {unit}s; they were made millimetres."]


def _has_negative_sizes(file: Any) -> bool:
    """nibabel has mended them in `file`, so the header is looked at once more as it is."""
    stored = file.file_map.get("header") or file.file_map["image"]
    try:
        with _nibabel().openers.ImageOpener(stored.filename) as stream:
            raw = type(file.header).from_fileobj(stream, check=False)
        return bool((raw["pixdim"][1:4] < 0).any())
    except Exception:  # it was read a moment ago; whatever gzip or nibabel dislike now says nothing of voxel sizes
        return False


def _apart_mm(one: Array, other: Array, shape: tuple[int, int, int]) -> float:
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape[::-1]], (1,))).reshape(4, -1)
    return float(np.linalg.norm(((one - other) @ corners)[:3], axis=0).max())


def _is_rigid(affine: Array) -> bool:
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(abs(axes.T @ axes - np.eye(3)).max() < 1e-5)


def _rounding_mm(affine: Array, shape: tuple[int, int, int]) -> float:
    """How far a quaternion of single precision strays from `affine`; twice over, for two programs' rounding.

    Near half a turn its first number is the root of a difference of rounded ones, which costs hundredths of a mm.
    """
    if not _is_rigid(affine):
        return 0.0
    header = _nibabel().Nifti1Header()
    header.set_data_shape(tuple(min(n, 32767) for n in shape[::-1]))
    header.set_qform(affine, 1)
    return 2 * _apart_mm(affine, header.get_qform(), shape)

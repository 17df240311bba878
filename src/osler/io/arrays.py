"""NumPy files: .npy with one array, .npz with several. Pickles inside are never opened.

An item is "name" for a whole array or "name:12" for row 12 of it; the array of a .npy is named "array".
"""

import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, BadPixels, Unreadable
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.volume import Volume
from osler.io.glance import Glance

SUFFIXES = (".npz", ".npy")


def read_picture(path: Path, item: str = "") -> Image | Volume:
    """(rows, columns[, 1 or 3]) as an image, (slices, rows, columns[, 1]) as a volume of 1 mm voxels.

    Raises Unreadable for a broken file or one with pickles, AskedWrongly for an item it does not hold,
    BadPixels for another shape.
    """
    name, row = _wanted(path, item)
    array = read_array(path, name)
    if row is not None:
        array = array[row]
    flat = _is_flat(array.shape, path, item)
    if array.shape[-1] == 1 and array.ndim == (3 if flat else 4):
        array = array[..., 0]
    if flat:
        return Image(array)
    slices, rows, columns = array.shape
    return Volume(array, Geometry.from_spacing((slices, rows, columns), (1, 1, 1)))


def read_array(path: Path, name: str = "array") -> Array:
    """One whole array, read-only, of any shape: pictures, labels, ages.

    The last few are kept in memory, because thousands of rows are asked for one by one.
    Raises Unreadable for a broken file or one with pickles, AskedWrongly for a name it does not hold.
    """
    arrays_in(path)
    return _read(path, name, _version(path))


def arrays_in(path: Path) -> dict[str, tuple[tuple[int, ...], str]]:
    """Name -> (shape, dtype) of each array, from the headers alone. Raises Unreadable."""
    return dict(_headers(path, _version(path)))


def glance(path: Path, item: str = "") -> Glance:
    """Shape and type of the item from the headers alone. Raises as `read_picture` does."""
    name, row = _wanted(path, item)
    shape, dtype = arrays_in(path)[name]
    shape = shape[1:] if row is not None else shape
    flat = _is_flat(shape, path, item)
    channels = shape[-1] if len(shape) == (3 if flat else 4) else 1
    return Glance(shape[:2] if flat else shape[:3], None if flat else (1.0, 1.0, 1.0), channels, dtype)


def _is_flat(shape: tuple[int, ...], path: Path, item: str) -> bool:
    if len(shape) == 2 or (len(shape) == 3 and shape[-1] in (1, 3)):
        return True
    if len(shape) == 3 or (len(shape) == 4 and shape[-1] == 1):
        return False
    raise BadPixels(
        f"{path.name}{f'[{item}]' if item else ''} has the shape {shape}, which is neither an image nor a volume.",
        remedy="Ask for one row of it, 'name:0', or save (rows, columns[, 3]) or (slices, rows, columns).",
    )


def _wanted(path: Path, item: str) -> tuple[str, int | None]:
    """Name of the array, and the row or None for the whole."""
    headers = arrays_in(path)
    name, _, row = item.partition(":")
    if not name and len(headers) == 1:
        name = next(iter(headers))
    if name not in headers or (row and not row.isdecimal()):
        known = ", ".join(sorted(headers))
        raise AskedWrongly(
            f"{path.name} has no item '{item}'." if item else f"{path.name} holds several arrays.",
            remedy=f"Ask for 'name' or 'name:row'; it holds {known}.",
        )
    length = (*headers[name][0], 0)[0]
    if row and int(row) >= length:
        raise AskedWrongly(f"{path.name} has no row {row} in '{name}'.", remedy=f"Ask for a row below {length}.")
    return name, int(row) if row else None


def _version(path: Path) -> tuple[int, int]:
    """Changes when the file does."""
    try:
        status = path.stat()
    except OSError as error:
        raise Unreadable(f"{path.name} is missing.", remedy="Check the path.") from error
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=32)
def _headers(path: Path, version: tuple[int, int]) -> tuple[tuple[str, tuple[tuple[int, ...], str]], ...]:
    try:
        if path.suffix.lower() == ".npy":
            array = np.load(path, mmap_mode="r", allow_pickle=False)
            return (("array", (array.shape, str(array.dtype))),)
        with zipfile.ZipFile(path) as archive:
            found = []
            for member in archive.namelist():
                with archive.open(member) as stream:
                    major, _ = np.lib.format.read_magic(stream)
                    read = (
                        np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
                    )
                    shape, _, dtype = read(stream)
                found.append((member.removesuffix(".npy"), (shape, str(dtype))))
    except Exception as error:  # zipfile, zlib and numpy each have their own on broken files
        raise _broken(path) from error
    return tuple(found)


@lru_cache(maxsize=4)
def _read(path: Path, name: str, version: tuple[int, int]) -> Array:
    if name not in dict(_headers(path, version)):
        known = ", ".join(sorted(dict(_headers(path, version))))
        raise AskedWrongly(f"{path.name} holds no array '{name}'.", remedy=f"It holds {known}.")
    try:
        if path.suffix.lower() == ".npy":
            array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
            return array
        with np.load(path, allow_pickle=False) as archive:
            array = archive[name]
    except Exception as error:  # zipfile, zlib and numpy each have their own on broken files
        raise _broken(path) from error
    array.flags.writeable = False
    return array


def _broken(path: Path) -> Unreadable:
    return Unreadable(
        f"{path.name} cannot be read as NumPy arrays: it is damaged, cut short, or holds pickled objects.",
        remedy="Copy it again, or save plain arrays with numpy.savez.",
    )

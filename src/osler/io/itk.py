"""NRRD and MetaImage files, through SimpleITK, whose frame is LPS as ours is."""

from pathlib import Path
from typing import Any

import numpy as np

from osler.core.errors import BadPixels, OslerError, Unreadable
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.volume import Volume
from osler.io.glance import Glance
from osler.io.item import numbered

SUFFIXES = (".nrrd", ".nhdr", ".mha", ".mhd")


def read_picture(path: Path, item: str = "") -> Image | Volume:
    """A volume, or an image where the file has two axes.

    Raises Unreadable for a broken file, BadPixels for colour volumes and more than three axes.
    """
    header = _header(path)
    shape, _ = _shape(header, path)
    if item:
        numbered(item, "channel", 1, path)
    try:
        file = header.Execute()
        array = _itk().GetArrayFromImage(file)
    except RuntimeError as error:
        raise _broken(path, error) from error
    if len(shape) == 2:
        columns, rows = file.GetSpacing()
        return Image(array, spacing_mm=(float(rows), float(columns)))
    if array.ndim == 4:
        raise BadPixels(f"{path.name} is a colour volume.", remedy="Save one grey channel a file.")
    return Volume(array, _geometry(file, array.shape, path))


def glance(path: Path, item: str = "") -> Glance:
    """Shape and spacing from the header alone. Raises as `read_picture` does."""
    header = _header(path)
    shape, channels = _shape(header, path)
    dtype = {"float": "float32", "double": "float64"}.get(_kind(header), _kind(header))
    return Glance(shape, tuple(float(x) for x in header.GetSpacing()[::-1]), channels, dtype)


def _itk() -> Any:
    import SimpleITK  # half of its functions have no types, hence Any

    return SimpleITK


def _header(path: Path) -> Any:
    reader = _itk().ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise _broken(path, error) from error
    return reader


def _kind(header: Any) -> str:
    """numpy's name of the stored numbers: "int16"."""
    name = str(_itk().GetPixelIDValueAsString(header.GetPixelID()))
    bits = {"8-bit": "int8", "16-bit": "int16", "32-bit": "int32", "64-bit": "int64"}
    for word, kind in bits.items():
        if word in name and "integer" in name:
            return f"u{kind}" if "unsigned" in name else kind
    return "float64" if "64-bit" in name else "float32"


def _shape(header: Any, path: Path) -> tuple[tuple[int, ...], int]:
    size = tuple(int(n) for n in header.GetSize()[::-1])
    channels = int(header.GetNumberOfComponents())
    if len(size) == 4 and size[0] == 1:
        size = size[1:]
    if len(size) not in (2, 3) or min(size) < 1 or channels not in ((1, 3) if len(size) == 2 else (1,)):
        raise BadPixels(
            f"{path.name} is neither one image nor one volume: {len(size)} axes, {channels} numbers a voxel.",
            remedy="Save one grey volume a file.",
        )
    return size, channels


def _geometry(file: Any, shape: tuple[int, ...], path: Path) -> Geometry:
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(file.GetDirection(), (3, 3)) * np.asarray(file.GetSpacing())
    affine[:3, 3] = file.GetOrigin()
    try:
        return Geometry((shape[0], shape[1], shape[2]), affine[:, [2, 1, 0, 3]])
    except OslerError as error:
        raise type(error)(f"{path.name}: {error.problem}", remedy=error.remedy) from error


def _broken(path: Path, error: Exception) -> Unreadable:
    if not path.exists():
        return Unreadable(f"{path.name} is missing.", remedy="Check the path.")
    return Unreadable(
        f"{path.name} cannot be read: it is damaged, cut short, or lacks the file with its pixels.",
        remedy="Copy or convert it again.",
    )

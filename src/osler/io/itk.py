"""NRRD and MetaImage files, the formats of ITK, 3D Slicer and most laboratories. Their frame becomes LPS."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, BadGeometry, BadPixels
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.volume import Volume
from osler.io import metaimage, nrrd
from osler.io.block import Block, damaged, read_block
from osler.io.glance import Glance
from osler.io.item import numbered
from osler.io.labels import read_label_names

SUFFIXES = (".nrrd", ".nhdr", ".mha", ".mhd")
WRITTEN = (".nrrd", ".mha")


def read_picture(path: Path, item: str = "") -> Image | Volume:
    """A volume, or an image where the file has two axes of space; `item` "channel:2" picks one of several.

    What is odd in the header's geometry is told in the volume's notes: no space named, a space that says nothing
    of the patient, units other than mm.

    Raises Unreadable for a broken file and for one whose pixels lie outside its folder, BadGeometry for a grid
    that cannot be, BadPixels for numbers of no known type or one axis of space, NoRoom for more than the memory
    holds, AskedWrongly when the file holds several volumes and `item` does not say which.
    """
    block = _header(path)
    flat = len(block.space) == 2
    colour = _is_colour(block)
    if block.volumes > 1 and not item and not colour:
        raise AskedWrongly(
            f"{path.name} holds {block.volumes} {'images' if flat else 'volumes'}.",
            remedy=f"Ask for one: 'channel:0' to 'channel:{block.volumes - 1}'.",
        )
    channel = numbered(item, "channel", block.volumes, path) if item else 0
    geometry = None if flat else _geometry(block, path)
    array = read_block(block, path)  # (slowest, ..., fastest)
    # Axes that are none of space go in front, the fastest of them last but in the order of the file.
    front = [array.ndim - 1 - n for n in block.others[::-1]]
    back = [array.ndim - 1 - n for n in block.space[::-1]]
    size = [array.shape[n] for n in back]
    several = array.transpose(*front, *back).reshape(block.volumes, *size)
    if geometry is None:
        picture = np.moveaxis(several, 0, -1) if colour and not item else several[channel]
        return Image(np.ascontiguousarray(picture), spacing_mm=_flat_spacing(block))
    return Volume(np.ascontiguousarray(several[channel]), geometry, unit=block.unit, notes=block.notes)


def glance(path: Path, item: str = "") -> Glance:
    """Shape and spacing from the header alone. Raises as `read_picture` does."""
    block = _header(path)
    shape = tuple(block.sizes[n] for n in block.space[::-1])
    spacing = _flat_spacing(block) if len(shape) == 2 else _geometry(block, path).spacing
    return Glance(shape, spacing, 1 if item else block.volumes, block.dtype.newbyteorder("=").name)


def items(path: Path) -> tuple[str, ...]:
    """What to ask the file for: ("",) for one picture, ("channel:0", "channel:1", ...) for several."""
    block = _header(path)
    single = block.volumes == 1 or _is_colour(block)
    return ("",) if single else tuple(f"channel:{n}" for n in range(block.volumes))


def read_labels(path: Path, item: str = "") -> dict[int, str] | None:
    """What a mask's numbers mean: from the header as 3D Slicer writes it, else from the file beside it, else None.

    Raises as `read_picture` does.
    """
    block = _header(path)
    layer = numbered(item, "channel", block.volumes, path) if item else 0
    named = {number: name for (at, number), name in block.labels.items() if at == layer and number}
    return named or read_label_names(path)


def write_volume(volume: Volume, path: Path) -> None:
    """Write .nrrd or .mha, compressed; reading it back gives the same voxels and the same grid, and from .nrrd the
    same unit.

    Raises AskedWrongly for another suffix, NoRoom when the disk is full.
    """
    array = volume.array
    if array.dtype == np.float16:  # neither format knows halves or booleans of a byte
        array = array.astype(np.float32)
    _write(array.astype(np.uint8) if array.dtype == bool else array, volume.geometry, path, {}, volume.unit)


def write_mask(mask: Mask, path: Path) -> None:
    """Write .nrrd with the labels' names in its header, or .mha, which has no room for them (`io.labels` has).

    Raises AskedWrongly for another suffix or a flat mask, NoRoom when the disk is full.
    """
    if mask.geometry is None:
        raise AskedWrongly(f"{path.name}: a flat mask has no place in such a file.", remedy="Write it as PNG.")
    largest = int(mask.array.max(initial=0))
    kind = np.uint8 if largest < 256 else np.uint16 if largest < 65536 else np.int32
    _write(mask.array.astype(kind), mask.geometry, path, mask.labels)


def _write(array: Array, geometry: Geometry, path: Path, labels: Mapping[int, str], unit: str = "") -> None:
    suffix = path.suffix.lower()
    if suffix not in WRITTEN:
        raise AskedWrongly(
            f"{path.name} is no name for a NRRD or MetaImage file.", remedy="End it in .nrrd or .mha."
        )
    if suffix == ".mha":
        metaimage.write(array, geometry, path)
    else:
        nrrd.write(array, geometry, path, labels, unit)


def _header(path: Path) -> Block:
    block = nrrd.read_header(path) if path.suffix.lower() in (".nrrd", ".nhdr") else metaimage.read_header(path)
    if len(block.space) not in (2, 3):
        raise BadPixels(
            f"{path.name} is neither an image nor a volume: {len(block.space)} axes of space.",
            remedy="Save (columns, rows) or (columns, rows, slices), and say which axes are time or channels.",
        )
    if not np.isfinite(block.origin).all():
        raise damaged(path)
    return block


def _is_colour(block: Block) -> bool:
    """Red, green and blue of a flat picture."""
    return len(block.space) == 2 and block.volumes == 3 and block.dtype.itemsize == 1


def _flat_spacing(block: Block) -> tuple[float, float]:
    columns, rows = (float(np.linalg.norm(axis)) for axis in block.axes if axis is not None)
    return rows, columns


def _geometry(block: Block, path: Path) -> Geometry:
    affine = np.eye(4)
    for place, n in enumerate(block.space[::-1]):
        affine[:3, place] = block.axes[n]
    affine[:3, 3] = block.origin
    shape = tuple(block.sizes[n] for n in block.space[::-1])
    try:
        return Geometry((shape[0], shape[1], shape[2]), affine)
    except BadGeometry as error:
        raise BadGeometry(f"{path.name}: {error.problem}", remedy=error.remedy) from error

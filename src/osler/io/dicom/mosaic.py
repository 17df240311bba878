"""Siemens mosaics: many slices side by side in one image, with nothing in the standard's elements to say so.

Source: the layout of Siemens' private CSA header ("SV10"), as dcm2niix and nibabel (nicom/csareader) describe it.
"""

from math import ceil, sqrt
from pathlib import Path
from struct import error, unpack_from
from typing import TYPE_CHECKING

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import Unreadable
from osler.core.geometry import Geometry
from osler.io.dicom.kinds import MR_SLICE
from osler.io.dicom.parse import number, numbers, text
from osler.io.dicom.scan import Header

if TYPE_CHECKING:
    from pydicom import Dataset

_GROUP, _CREATOR = 0x0029, "SIEMENS CSA HEADER"
_COUNT, _NORMAL = b"NumberOfImagesInMosaic", b"SliceNormalVector"
_PLAIN_GROUP, _PLAIN_CREATOR = 0x0019, "SIEMENS MR HEADER"
_MOST_TAGS = 1000


def is_mosaic(header: Header) -> bool:
    """Is it a mosaic? By ImageType; where that was lost on the way, by Siemens' private elements.

    Never raises: what cannot be read is no mosaic.
    """
    if "MOSAIC" in text(header, "ImageType"):
        return True
    if text(header, "SOPClassUID") != MR_SLICE or "SIEMENS" not in text(header, "Manufacturer").upper():
        return False
    try:
        return images_in_mosaic(header.whole()) > 1
    except Unreadable:
        return False


def images_in_mosaic(dataset: "Dataset") -> int:
    """How many slices Siemens' private elements say are in one image; 0 where they say nothing."""
    try:
        plain = dataset.private_block(_PLAIN_GROUP, _PLAIN_CREATOR)
        if 0x0A in plain:
            return int(plain[0x0A].value)
    except Exception:  # pydicom raises KeyError for a missing block and anything for what it cannot convert
        pass
    count = _csa(dataset).get(_COUNT, ())
    return int(count[0]) if count else 0


def unpacked(stored: Array, dataset: "Dataset", path: Path) -> tuple[Array, Geometry]:
    """The slices of a mosaic, in the order of their normal, and where they lie.

    stored   (rows, columns) of the whole mosaic
    dataset  its header

    The position in the header is the corner that one slice as large as the mosaic would have, so that a slice's
    own lies half the difference further in. Which way the slices follow each other only the private header says.
    Raises Unreadable where the headers do not say how many slices there are or where they lie.
    """
    count = images_in_mosaic(dataset)
    across = ceil(sqrt(count))
    rows, columns = stored.shape
    if count < 2 or rows % across or columns % across:
        raise _refused(path, "nothing says how many slices are in it")
    height, width = rows // across, columns // across
    tiles = stored.reshape(across, height, across, width).swapaxes(1, 2).reshape(-1, height, width)[:count]
    position, turned = numbers(dataset, "ImagePositionPatient"), numbers(dataset, "ImageOrientationPatient")
    spacing, normal_said = numbers(dataset, "PixelSpacing"), _csa(dataset).get(_NORMAL, ())
    between = number(dataset, "SpacingBetweenSlices") or number(dataset, "SliceThickness") or 0.0
    if (len(position), len(turned), len(spacing), len(normal_said)) != (3, 6, 2, 3) or not between > 0:
        raise _refused(path, "nothing says where its slices lie")
    along_row, along_column = np.array(turned[:3]), np.array(turned[3:])
    normal = np.cross(along_row, along_column)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = normal * between, along_column * spacing[0]
    affine[:3, 2] = along_row * spacing[1]
    affine[:3, 3] = position + affine[:3, 2] * (columns - width) / 2 + affine[:3, 1] * (rows - height) / 2
    if float(normal @ np.array(normal_said)) < 0:  # the first slice is the last along the normal
        affine[:3, 3] -= affine[:3, 0] * (count - 1)
        tiles = tiles[::-1]
    return tiles, Geometry((count, height, width), affine)


def _refused(path: Path, why: str) -> Unreadable:
    return Unreadable(
        f"{path.name} is a mosaic, many slices side by side in one image, and {why}.",
        remedy="Export it as enhanced MR or one slice a file, or convert it to NIfTI.",
    )


def _csa(dataset: "Dataset") -> dict[bytes, tuple[float, ...]]:
    """The numbers of a CSA header of version 2 that are needed here; what is not there or broken is left out."""
    try:
        csa = dataset.private_block(_GROUP, _CREATOR)[0x10].value
    except Exception:  # pydicom raises KeyError for a missing block and anything for what it cannot convert
        return {}
    found: dict[bytes, tuple[float, ...]] = {}
    try:
        if not isinstance(csa, bytes) or csa[:4] != b"SV10":
            return {}
        (count,) = unpack_from("<L", csa, 8)
        at = 16
        for _ in range(min(count, _MOST_TAGS)):
            name = csa[at : at + 64].split(b"\0")[0]
            (items,) = unpack_from("<L", csa, at + 76)
            at += 84
            for _ in range(min(items, _MOST_TAGS)):
                (length,) = unpack_from("<L", csa, at)
                at += 16
                if name in (_COUNT, _NORMAL) and length:
                    found[name] = (*found.get(name, ()), float(csa[at : at + length].split(b"\0")[0]))
                at += (length + 3) // 4 * 4
    except (error, ValueError):
        pass
    return {name: values for name, values in found.items() if np.isfinite(values).all()}

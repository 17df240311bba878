"""PNG, JPEG, TIFF and BMP, through Pillow. They know nothing of millimetres, so the spacing stays unknown."""

from pathlib import Path
from typing import Any

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, BadPixels, NoRoom, Unreadable
from osler.core.image import Image
from osler.io.files import replacing
from osler.io.glance import Glance
from osler.io.item import numbered

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
_GREY = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "F")
_SIDEWAYS = (5, 6, 7, 8)  # EXIF orientations that swap rows and columns


def read_image(path: Path, item: str = "") -> Image:
    """Read an image: grey of 8, 16 or 32 bits, or RGB of 8.

    Turned as EXIF says, palettes resolved, transparency dropped; colour whose three channels agree everywhere
    becomes grey. `item` "page:2" picks one page of a TIFF that holds several.

    Raises Unreadable for a broken file or an absurdly large one, AskedWrongly where a page must be named.
    """
    picture = _load(path, item)
    if picture.mode in ("1", "LA", "La"):
        picture = picture.convert("L")
    elif picture.mode not in (*_GREY, "RGB"):
        picture = picture.convert("RGB")
    array = np.asarray(picture)
    if array.ndim == 3 and (array[..., 0] == array[..., 1]).all() and (array[..., 0] == array[..., 2]).all():
        array = np.ascontiguousarray(array[..., 0])
    return Image(_native(array))


def read_labels(path: Path, item: str = "") -> Array:
    """Label numbers of a mask image, (rows, columns): grey values, or the indices of a palette as they are.

    Raises as `read_image` does, and BadPixels for a mask in colours, whose meaning a file cannot tell.
    """
    picture = _load(path, item)
    if picture.mode == "P":
        return np.asarray(picture)
    if picture.mode == "1":
        return np.asarray(picture).astype(np.uint8)
    array = read_image(path, item).array
    if array.ndim == 3:
        raise BadPixels(
            f"{path.name} is a mask in colours; a mask holds label numbers.",
            remedy="Save it grey, or with a palette, one number a label.",
        )
    return array


def glance(path: Path, item: str = "") -> Glance:
    """Size and channels from the header alone. Raises Unreadable."""
    with _opened(path) as picture:
        columns, rows = picture.size
        if _sideways(picture):
            rows, columns = columns, rows
        grey = picture.mode in _GREY
        dtype = {"I": "int32", "F": "float32"}.get(picture.mode, "uint16" if "16" in picture.mode else "uint8")
        return Glance((rows, columns), None, 1 if grey else 3, dtype)


def write_image(array: Array, path: Path) -> None:
    """Write (rows, columns) or (rows, columns, 3) as PNG; uint8, or uint16 for grey.

    Raises AskedWrongly for another type or suffix, NoRoom when the disk is full.
    """
    from PIL import Image as Pillow

    if array.dtype not in (np.uint8, np.uint16) or (array.ndim == 3 and array.dtype != np.uint8):
        raise AskedWrongly(f"{path.name}: PNG holds uint8 or grey uint16.", remedy=f"Convert from {array.dtype}.")
    if path.suffix.lower() != ".png":
        raise AskedWrongly(f"{path.name} is no name for a PNG file.", remedy="End it in .png.")
    with replacing(path) as beside:
        Pillow.fromarray(np.ascontiguousarray(array)).save(beside)


def _sideways(picture: Any) -> bool:
    try:
        return picture.getexif().get(0x0112) in _SIDEWAYS
    except Exception:  # Pillow looks through the rest of a PNG for it, and stumbles over whatever is broken there
        return False


def _opened(path: Path) -> Any:
    from PIL import Image as Pillow

    try:
        return Pillow.open(path)
    except Pillow.DecompressionBombError as error:
        raise Unreadable(
            f"{path.name} unfolds to more pixels than any image needs; it may be made to fill the memory.",
            remedy="Scale it down, or cut it into tiles.",
        ) from error
    except FileNotFoundError as error:
        raise Unreadable(f"{path.name} is missing.", remedy="Check the path.") from error
    except Exception as error:  # Pillow's plugins raise SyntaxError, struct.error and more on broken headers
        raise _broken(path) from error


def _load(path: Path, item: str) -> Any:
    """The decoded page, turned upright."""
    from PIL import ImageOps

    picture = _opened(path)
    pages = _pages(picture, path)
    if pages > 1 and not item:
        raise AskedWrongly(
            f"{path.name} holds {pages} pages.", remedy=f"Ask for one: 'page:0' to 'page:{pages - 1}'."
        )
    page = numbered(item, "page", pages, path) if item else 0
    try:
        if page:
            picture.seek(page)
        picture.load()
        return ImageOps.exif_transpose(picture) or picture
    except MemoryError as error:
        raise NoRoom(f"{path.name} does not fit into the memory.", remedy="Scale it down.") from error
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, EOFError and more
        raise _broken(path) from error


def _pages(picture: Any, path: Path) -> int:
    """How many pages a TIFF holds; other formats' further frames are previews of the first."""
    try:
        return int(picture.n_frames) if picture.format == "TIFF" else 1
    except Exception as error:  # counting walks through every directory of the file
        raise _broken(path) from error


def _native(array: Array) -> Array:
    """Big-endian TIFF pixels in this machine's order."""
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _broken(path: Path) -> Unreadable:
    return Unreadable(
        f"{path.name} cannot be read as an image: it is damaged or cut short.", remedy="Copy or export it again."
    )

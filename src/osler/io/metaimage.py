"""The headers of MetaImage files (.mha, .mhd), and writing them.

Source: "MetaIO: Reference: MetaImage", docs.itk.org. Row n of TransformMatrix is the direction of axis n, in
LPS as ITK means it.
"""

import zlib
from pathlib import Path

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadPixels, Unreadable
from osler.core.geometry import Geometry
from osler.io.block import LONGEST_HEADER, Block, damaged, listed_files
from osler.io.files import replacing

_TYPES = {
    "CHAR": "i1",
    "UCHAR": "u1",
    "SHORT": "i2",
    "USHORT": "u2",
    "INT": "i4",
    "UINT": "u4",
    "LONG": "i4",  # four bytes, whatever a long is on this machine
    "ULONG": "u4",
    "LONG_LONG": "i8",
    "ULONG_LONG": "u8",
    "FLOAT": "f4",
    "DOUBLE": "f8",
}


def read_header(path: Path) -> Block:
    """What a MetaImage header says. Raises Unreadable when it is damaged, names files elsewhere or lacks what it
    must have; BadPixels for numbers of no known type."""
    fields, following, length = _fields(path)
    try:
        dimension = int(fields["NDims"])
        sizes = tuple(int(word) for word in fields["DimSize"].split())
        channels = int(fields.get("ElementNumberOfChannels", "1"))
        skip = int(fields.get("HeaderSize", "0"))
        axes, origin = _frame(fields, dimension)
    except (KeyError, ValueError) as error:
        raise damaged(path) from error
    if len(sizes) != dimension or min((*sizes, channels)) < 1:
        raise damaged(path)
    kind = _TYPES.get(fields.get("ElementType", "").removeprefix("MET_").removesuffix("_ARRAY"))
    if kind is None:
        raise BadPixels(f"{path.name} holds no plain numbers.", remedy="Save whole or decimal numbers.")
    big = _yes(fields, "BinaryDataByteOrderMSB") or _yes(fields, "ElementByteOrderMSB")
    encoding = (
        "gzip" if _yes(fields, "CompressedData") else "raw" if _yes(fields, "BinaryData", "True") else "text"
    )
    notes = []
    if dimension == 3 and not any(name in fields for name in ("TransformMatrix", "Rotation", "Orientation")):
        notes.append(
            "The header does not say how the patient lies; an upright grid was assumed, so left and right may be "
            "exchanged."
        )
    local = fields["ElementDataFile"] in ("LOCAL", "Local", "local")
    return Block(
        (channels, *sizes) if channels > 1 else sizes,
        np.dtype((">" if big else "<") + kind),
        (None, *axes) if channels > 1 else axes,
        origin,
        () if local else listed_files(path, fields["ElementDataFile"].split(), following),
        length if local else None if skip == -1 and encoding == "raw" else max(skip, 0),
        0,
        encoding,
        "",
        {},
        tuple(notes),
    )


def write(array: Array, geometry: Geometry, path: Path) -> None:
    """Write (slices, rows, columns) as one compressed .mha. Raises NoRoom when the disk is full."""
    kind = np.dtype(array.dtype)
    code = f"{kind.kind}{kind.itemsize}"
    name = next(name for name, known in _TYPES.items() if known == code)
    affine, spacing = geometry.affine, geometry.spacing
    matrix = [affine[:3, n] / spacing[n] for n in (2, 1, 0)]
    packed = zlib.compress(np.ascontiguousarray(array, kind.newbyteorder("<")).data, 1)
    header = [
        "ObjectType = Image",
        "NDims = 3",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        "CompressedData = True",
        f"CompressedDataSize = {len(packed)}",
        f"TransformMatrix = {' '.join(repr(float(x)) for row in matrix for x in row)}",
        f"Offset = {' '.join(repr(float(x)) for x in affine[:3, 3])}",
        "CenterOfRotation = 0 0 0",
        "AnatomicalOrientation = RAI",
        f"ElementSpacing = {' '.join(repr(x) for x in spacing[::-1])}",
        f"DimSize = {' '.join(str(n) for n in array.shape[::-1])}",
        f"ElementType = MET_{name}",
        "ElementDataFile = LOCAL",
    ]
    with replacing(path) as beside:
        beside.write_bytes(("\n".join(header) + "\n").encode() + packed)


def _fields(path: Path) -> tuple[dict[str, str], list[str], int]:
    """(fields, lines after the last field, bytes up to the numbers). Raises Unreadable."""
    try:
        with path.open("rb") as stream:
            head = stream.read(LONGEST_HEADER)
    except OSError as error:
        raise Unreadable(f"{path.name} is missing.", remedy="Check the path.") from error
    fields: dict[str, str] = {}
    place = 0
    while place < len(head):
        end = head.find(b"\n", place)
        end = len(head) if end < 0 else end
        name, equals, value = head[place:end].decode("utf-8", errors="replace").partition("=")
        place = end + 1
        if not equals:
            continue
        fields[name.strip()] = value.strip()
        if name.strip() == "ElementDataFile":  # the last field there is
            break
    if not fields.get("ElementDataFile") or fields.get("ObjectType", "Image") != "Image":
        raise damaged(path)
    return fields, head[place:].decode("utf-8", errors="replace").splitlines(), place


def _frame(fields: dict[str, str], dimension: int) -> tuple[tuple[Array | None, ...], Array]:
    """(axes, origin) of the first three axes, in LPS mm. Raises ValueError."""

    def numbers(names: tuple[str, ...], default: Array) -> Array:
        for name in names:
            if name in fields:
                found = np.array([float(word) for word in fields[name].split()])
                if found.size != default.size:
                    raise ValueError(name)
                return found.reshape(default.shape)
        return default

    if not 2 <= dimension <= 16:
        raise ValueError("NDims")
    spacing = numbers(("ElementSpacing", "ElementSize"), np.ones(dimension))
    matrix = numbers(("TransformMatrix", "Rotation", "Orientation"), np.eye(dimension))
    offset = numbers(("Offset", "Position", "Origin"), np.zeros(dimension))
    spatial = min(dimension, 3)
    axes: list[Array | None] = [None] * dimension
    for n in range(spatial):
        axes[n] = np.array([*(matrix[n, :spatial] * spacing[n]), 0.0][:3])
    return tuple(axes), np.array([*offset[:spatial], 0.0][:3])


def _yes(fields: dict[str, str], name: str, default: str = "False") -> bool:
    return fields.get(name, default).lower() in ("true", "t", "1", "y", "yes")

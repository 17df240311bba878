"""The headers of NRRD files, and writing them.

Source: "Definition of NRRD File Format", teem.sourceforge.net/nrrd/format.html; the names of segments as 3D Slicer
writes them into .seg.nrrd files.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadPixels, Unreadable
from osler.core.geometry import Geometry
from osler.io.block import LONGEST_HEADER, Block, damaged, listed_files
from osler.io.files import replacing

_TYPES = {
    **dict.fromkeys(("signed char", "int8", "int8_t"), "i1"),
    **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), "i2"),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), "u2"),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t"), "i4"),
    **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), "u4"),
    **dict.fromkeys(
        ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
        "i8",
    ),
    **dict.fromkeys(
        ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
        "u8",
    ),
    "float": "f4",
    "double": "f8",
}
_ENCODINGS = {
    "raw": "raw",
    **dict.fromkeys(("gzip", "gz"), "gzip"),
    **dict.fromkeys(("bzip2", "bz2"), "bzip2"),
    **dict.fromkeys(("text", "txt", "ascii"), "text"),
    "hex": "hex",
}
# What to multiply a vector by so that it is LPS.
_TO_LPS = {
    **dict.fromkeys(("left-posterior-superior", "lps"), (1.0, 1.0, 1.0)),
    **dict.fromkeys(("right-anterior-superior", "ras"), (-1.0, -1.0, 1.0)),
    **dict.fromkeys(("left-anterior-superior", "las"), (1.0, -1.0, 1.0)),
}
_MM = {"mm": 1.0, "": 1.0, "cm": 10.0, "m": 1000.0, "um": 1e-3, "µm": 1e-3, "micron": 1e-3}
_SPATIAL = ("domain", "space")
_VECTOR = re.compile(r"none|\(([^)]*)\)", re.IGNORECASE)


def read_header(path: Path) -> Block:
    """What a NRRD header says. Raises Unreadable when it is damaged, names files elsewhere or lacks what it must
    have; BadPixels for numbers of no known type."""
    lines, length = _lines(path)
    fields: dict[str, str] = {}
    keys: dict[str, str] = {}
    following: list[str] = []
    for number, line in enumerate(lines):
        if line.startswith("#"):
            continue
        key, assigns, value = line.partition(":=")
        if assigns and ": " not in key:
            keys[key] = value.replace("\\n", "\n").replace("\\\\", "\\")
            continue
        name, colon, value = line.partition(":")
        if colon:
            name = name.strip().lower().replace(" ", "")
            fields[name] = value.strip()
            if name == "datafile" and value.strip().startswith("LIST"):
                following = lines[number + 1 :]
                break
    sizes = _sizes(fields, path)
    kind = _TYPES.get(fields.get("type", "").lower())
    if kind is None:
        raise BadPixels(f"{path.name} holds no plain numbers.", remedy="Save whole or decimal numbers.")
    encoding = _ENCODINGS.get(fields.get("encoding", "").lower())
    if encoding is None:
        raise damaged(path)
    axes, origin, notes = _frame(fields, sizes, path)
    detached = fields.get("datafile", "").split()
    try:
        lines_before, skip = int(fields.get("lineskip", 0)), int(fields.get("byteskip", 0))
    except ValueError as error:
        raise damaged(path) from error
    return Block(
        sizes,
        np.dtype(("<" if fields.get("endian", "little").lower() != "big" else ">") + kind),
        axes,
        origin,
        listed_files(path, detached, following) if detached else (),
        None if skip == -1 and encoding == "raw" else max(skip, 0) if detached else length,
        max(lines_before, 0) if detached else 0,
        encoding,
        fields.get("sampleunits", "").strip('"'),
        _segments(keys),
        tuple(notes),
    )


def write(array: Array, geometry: Geometry, path: Path, labels: Mapping[int, str], unit: str = "") -> None:
    """Write (slices, rows, columns) as an attached, gzipped NRRD in LPS, with the unit of its values, and with the
    names of its labels as 3D Slicer keeps them. Raises NoRoom when the disk is full."""
    kind = np.dtype(array.dtype)
    names = {"i1": "int8", "u1": "uint8", "f4": "float", "f8": "double"}
    code = f"{kind.kind}{kind.itemsize}"
    type_name = names.get(code, f"{'u' if kind.kind == 'u' else ''}int{kind.itemsize * 8}")
    affine = geometry.affine
    header = [
        "NRRD0005",
        f"type: {type_name}",
        "dimension: 3",
        "space: left-posterior-superior",
        f"sizes: {' '.join(str(n) for n in array.shape[::-1])}",
        f"space directions: {' '.join(_written(affine[:3, n]) for n in (2, 1, 0))}",
        "kinds: domain domain domain",
        'space units: "mm" "mm" "mm"',
        "endian: little",
        "encoding: gzip",
        f"space origin: {_written(affine[:3, 3])}",
    ]
    if unit:
        header.append(f'sample units: "{unit}"')
    for n, (number, name) in enumerate(sorted(labels.items())):
        header += [
            f"Segment{n}_ID:=Segment_{number}",
            f"Segment{n}_Name:={_one_line(name)}",
            f"Segment{n}_LabelValue:={number}",
            f"Segment{n}_Layer:=0",
        ]
    import gzip

    raw = np.ascontiguousarray(array, kind.newbyteorder("<")).data
    with replacing(path) as beside:
        beside.write_bytes(("\n".join(header) + "\n\n").encode() + gzip.compress(raw, 1, mtime=0))


def _lines(path: Path) -> tuple[list[str], int]:
    """(lines of the header after the magic one, bytes up to the numbers). Raises Unreadable."""
    try:
        with path.open("rb") as stream:
            head = stream.read(LONGEST_HEADER)
    except OSError as error:
        raise Unreadable(f"{path.name} is missing.", remedy="Check the path.") from error
    if not re.match(rb"NRRD000\d\r?\n", head):
        raise damaged(path)
    end = re.search(rb"\r?\n\r?\n", head)
    if end is None and b"data" not in head.lower():
        raise damaged(path)
    stop = end.end() if end else len(head)
    return head[:stop].decode("utf-8", errors="replace").splitlines()[1:], stop


def _sizes(fields: Mapping[str, str], path: Path) -> tuple[int, ...]:
    try:
        sizes = tuple(int(word) for word in fields["sizes"].split())
        dimension = int(fields["dimension"])
    except (KeyError, ValueError) as error:
        raise damaged(path) from error
    if len(sizes) != dimension or not 1 <= dimension <= 16 or min(sizes) < 1:
        raise damaged(path)
    return sizes


def _frame(
    fields: Mapping[str, str], sizes: tuple[int, ...], path: Path
) -> tuple[tuple[Array | None, ...], Array, list[str]]:
    """(axes, origin, notes), in LPS mm."""
    notes: list[str] = []
    name = fields.get("space", "").lower().removesuffix("-time").removesuffix("t")
    turn = _TO_LPS.get(name)
    units = re.findall(r'"([^"]*)"', fields.get("spaceunits", ""))
    if turn is None:
        turn = (1.0, 1.0, 1.0)
        if "spacedirections" in fields:
            said = (
                "calls its space by a name that says nothing of the patient" if name else "does not name its space"
            )
            notes.append(f"The header {said}; LPS was assumed, so left and right may be exchanged.")
    scale = 1.0
    if units and len(set(units)) == 1 and units[0] in _MM:
        scale = _MM[units[0]]
        if scale != 1:
            notes.append(f"The header gives lengths in {units[0]}; they were made millimetres.")
    factor = np.array(turn) * scale
    try:
        if "spacedirections" in fields:
            axes = _directions(fields["spacedirections"], len(sizes), factor)
            origin = (
                _vector(fields["spaceorigin"].strip("() ")) * factor if "spaceorigin" in fields else np.zeros(3)
            )
        else:
            axes, origin = _upright(fields, len(sizes)), np.zeros(3)
            if sum(axis is not None for axis in axes) == 3:
                notes.append(
                    "The header does not say how the patient lies; an upright grid was assumed, so left and right "
                    "may be exchanged."
                )
    except (ValueError, IndexError) as error:
        raise damaged(path) from error
    return axes, origin, notes


def _directions(text: str, dimension: int, factor: Array) -> tuple[Array | None, ...]:
    found = [
        None if match[0].lower() == "none" else _vector(match[1]) * factor for match in _VECTOR.finditer(text)
    ]
    if len(found) != dimension:
        raise ValueError("as many directions as axes")
    # A direction of NaN is how some writers say "none"; one of no length but in time is that of time.
    return tuple(None if axis is None or not np.isfinite(axis).all() or not axis.any() else axis for axis in found)


def _vector(text: str) -> Array:
    """(3,); a plane's vectors of two numbers get a third, 0; a fourth is time and goes."""
    numbers = [float(word) for word in text.split(",")]
    if not 2 <= len(numbers) <= 4:
        raise ValueError("two to four numbers")
    return np.array([*numbers, 0.0][:3])


def _upright(fields: Mapping[str, str], dimension: int) -> tuple[Array | None, ...]:
    """Axes along L, P and S from the spacings; by their kinds, or else the first three are those of space."""
    kinds = fields.get("kinds", "").lower().split()
    spacings = [float(word) for word in fields.get("spacings", "").split()] or [1.0] * dimension
    if kinds and len(kinds) == dimension and all(kind not in ("???", "none") for kind in kinds):
        spatial = [n for n, kind in enumerate(kinds) if kind in _SPATIAL]
    else:
        spatial = list(range(min(dimension, 3)))
    axes: list[Array | None] = [None] * dimension
    for place, n in enumerate(spatial[:3]):
        length = spacings[n] if np.isfinite(spacings[n]) and spacings[n] else 1.0
        axes[n] = np.eye(3)[place] * length
    return tuple(axes)


def _segments(keys: Mapping[str, str]) -> dict[tuple[int, int], str]:
    """(layer, label number) -> name."""
    found = {}
    for key, value in keys.items():
        match = re.fullmatch(r"Segment(\d+)_LabelValue", key)
        if match and value.strip().isdecimal():
            layer = keys.get(f"Segment{match[1]}_Layer", "0").strip()
            name = keys.get(f"Segment{match[1]}_Name", "").strip() or value.strip()
            found[int(layer) if layer.isdecimal() else 0, int(value)] = name
    return found


def _written(vector: Array) -> str:
    return f"({','.join(repr(float(x)) for x in vector)})"


def _one_line(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")

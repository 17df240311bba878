"""One look at every case: all that the checks need, so that each file is opened once."""

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, BadInput
from osler.core.progress import Tell, silent
from osler.core.study import Picture
from osler.core.volume import Volume
from osler.io.open import open_picture
from osler.lab.catalog.dataset import Case, Dataset, Source

SIDE = 64  # rows and columns of a thumbnail

# Each holds a whole volume, so more of them cost memory and gain little.
_READERS = 4

# A percentile of this many pixels is as good as one of all of them.
_ENOUGH = 40_000

# Scalar facts of a header that name a device or a way of making the picture, never a person or a hospital.
_SHARES = {"uint8": 255.0, "uint16": 65535.0}
_RASTER = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What one look at the pictures of a case leaves.

    case       its id
    problem    why it could not be read, "" where it could; the arrays are then empty
    digest     sha256 of the pixels of all its pictures (shape, type, bytes): equal only for exact copies
    file       sha256 of the files' bytes, "" for a part of a larger file
    thumbnail  (64, 64) float32, the first picture (of a volume the middle slice) in grey, 0 to 1 between its 1st
               and 99th percentile, squeezed to the square
    colour     (3,) float32 mean red, green and blue, 0 to 1; equal for grey pictures
    darkest, brightest  of the pixels
    header     what is known without understanding the picture: "suffix", "bytes", "rows", "columns", "slices",
               "bits", "colour", "spacing", "modality", "manufacturer", "border" (mean of the outermost pixels,
               0 to 1), ...
    """

    case: str
    problem: str
    digest: str
    file: str
    thumbnail: Array
    colour: Array
    darkest: float
    brightest: float
    header: Mapping[str, str | float]


def look_over(dataset: Dataset, tell: Tell = silent) -> tuple[Look, ...]:
    """A look at every case, in the order of the cases."""
    looks: list[Look] = []
    with ThreadPoolExecutor(_READERS) as pool:
        for look in pool.map(look_at, dataset.cases):
            looks.append(look)
            tell("looking", len(looks), len(dataset.cases), "")
    return tuple(looks)


def look_at(case: Case) -> Look:
    """One look at the pictures of a case; what cannot be read is told in `problem`, never raised."""
    digest, file = hashlib.sha256(), hashlib.sha256()
    darkest, brightest = np.inf, -np.inf
    first: Picture | None = None
    try:
        for source in case.pictures:
            picture = open_picture(source.path, source.item)
            digest.update(f"{picture.array.shape} {picture.array.dtype.str}".encode())
            digest.update(np.ascontiguousarray(picture.array).data)
            darkest = min(darkest, float(picture.array.min()))
            brightest = max(brightest, float(picture.array.max()))
            first = picture if first is None else first
        whole = all(not source.item for source in case.pictures)
        if whole:
            for source in case.pictures:
                _add_bytes(file, source.path)
        size = _stored_bytes(case.pictures[0])
    except (BadInput, AskedWrongly) as error:
        return _unread(case, error.problem)
    except OSError as error:
        return _unread(case, f"{case.pictures[0].path.name} cannot be read: {error.strerror}.")
    assert first is not None  # every case has a picture
    flat = _middle(first)
    grey = flat.mean(axis=2, dtype=np.float32) if flat.ndim == 3 else flat.astype(np.float32)
    low, high = _range(grey)
    header = _header(case.pictures[0], first, grey, low, high)
    if size and not case.pictures[0].item:
        header["bytes"] = float(size)
    return Look(
        case=case.id,
        problem="",
        digest=digest.hexdigest(),
        file=file.hexdigest() if whole else "",
        thumbnail=shrink(scaled(grey, low, high), SIDE),
        colour=_colour(flat),
        darkest=darkest,
        brightest=brightest,
        header=header,
    )


def shrink(grey: Array, side: int) -> Array:
    """(rows, columns) float32 squeezed to (side, side), each pixel the mean of what it covers."""
    from PIL import Image as Pillow

    # A box for what shrinks, triangles for what grows: Pillow widens the latter's support when it shrinks.
    small = Pillow.fromarray(np.ascontiguousarray(grey)).resize((side, side), Pillow.Resampling.BILINEAR)
    return np.asarray(small, dtype=np.float32)


def scaled(grey: Array, low: float, high: float) -> Array:
    """float32, 0 to 1 between `low` and `high`; zeros where they are the same."""
    if high <= low:
        return np.zeros(grey.shape, np.float32)
    return np.clip((grey - low) / (high - low), 0, 1).astype(np.float32, copy=False)


def _middle(picture: Picture) -> Array:
    """(rows, columns[, 3]): the picture, or the middle slice of a volume."""
    return picture.array[len(picture.array) // 2] if isinstance(picture, Volume) else picture.array


def _range(grey: Array) -> tuple[float, float]:
    step = max(1, int(np.sqrt(grey.size / _ENOUGH)))
    low, high = np.percentile(grey[::step, ::step], (1, 99))
    return float(low), float(high)


def _colour(flat: Array) -> Array:
    """(3,) float32 mean of each channel as a share of what its type can hold; floats of their own range."""
    means = flat.reshape(-1, flat.shape[2]).mean(axis=0) if flat.ndim == 3 else np.repeat(flat.mean(), 3)
    if flat.dtype.name in _SHARES:
        return np.asarray(means / _SHARES[flat.dtype.name], np.float32)
    lowest, highest = float(flat.min()), float(flat.max())
    return np.asarray((means - lowest) / max(highest - lowest, 1e-12), np.float32)


def _header(source: Source, picture: Picture, grey: Array, low: float, high: float) -> dict[str, str | float]:
    array = picture.array
    volume = isinstance(picture, Volume)
    border = np.concatenate([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]])
    spacing = picture.geometry.spacing[1:] if isinstance(picture, Volume) else picture.spacing_mm
    header: dict[str, str | float] = {
        "suffix": "series"
        if source.path.is_dir()
        else "".join(source.path.suffixes[-2:]).lower()
        if source.path.name.lower().endswith(".gz")
        else source.path.suffix.lower(),
        "rows": float(array.shape[1 if volume else 0]),
        "columns": float(array.shape[2 if volume else 1]),
        "slices": float(array.shape[0]) if volume else 1.0,
        "bits": float(picture.facts.bits_stored or 8 * array.dtype.itemsize),
        "dtype": array.dtype.name,
        "colour": float(array.ndim == 3 and not volume),
        "border": float(scaled(border, low, high).mean()),
        "modality": picture.facts.modality,
        "manufacturer": picture.facts.manufacturer,
        "device": picture.facts.device,
        "view": picture.facts.view,
        "body part": picture.facts.body_part,
    }
    if spacing is not None:
        header["spacing"] = float(spacing[0])
        header["spacing across"] = float(spacing[1])
    if isinstance(picture, Volume):
        header["slice spacing"] = float(picture.geometry.spacing[0])
    if source.path.name.lower().endswith(_RASTER):
        header |= _raster_header(source.path)
    return {name: value for name, value in header.items() if value != ""}


def _raster_header(path: Path) -> dict[str, str | float]:
    """How Pillow says the file was stored: its format, mode, the strength of JPEG's compression, EXIF."""
    from PIL import Image as Pillow

    found: dict[str, str | float] = {}
    try:
        with Pillow.open(path) as picture:
            found["format"] = picture.format or ""
            found["mode"] = picture.mode
            tables = getattr(picture, "quantization", None)
            if tables:
                # The sum of the first quantization table falls as the quality rises: 64 at quality 100.
                found["JPEG table"] = float(sum(tables[min(tables)]))
            found["EXIF"] = float("exif" in picture.info)
            dots = picture.info.get("dpi")
            if dots:
                found["dots an inch"] = float(dots[0])
    except Exception:  # Pillow's plugins raise much more than OSError; the pixels themselves were read
        return {}
    return found


def _stored_bytes(source: Source) -> int:
    if source.path.is_dir():
        return sum(path.stat().st_size for path in source.path.iterdir() if path.is_file())
    return source.path.stat().st_size


def _add_bytes(digest: "hashlib._Hash", path: Path) -> None:
    files = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]
    for file in files:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)


def _unread(case: Case, problem: str) -> Look:
    nothing = np.zeros((0, 0), np.float32)
    return Look(case.id, problem, "", "", nothing, np.zeros(0, np.float32), np.nan, np.nan, {})

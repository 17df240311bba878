"""What lies in a folder: pictures, stems, the names that people give to splits."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from osler.core.errors import Unreadable
from osler.io.dicom.parse import number, read_header, text
from osler.io.open import DICOM, PICTURE_SUFFIXES, is_picture

TABLES = (".csv", ".tsv", ".parquet")

SPLIT_NAMES = {
    **dict.fromkeys(("train", "training", "tr"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "tune", "tuning"), "val"),
    **dict.fromkeys(("test", "testing", "ts", "holdout"), "test"),
}

# Each file of a radiograph "series" is a view of its own; only these are stacks of slices.
_STACKED = {"CT", "MR", "PT", "NM"}


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts numbers inside names as numbers: "case 9" before "case 10"."""
    return tuple(
        (0, int(part), "") if part.isdecimal() and part.isascii() else (1, 0, part.lower())
        for part in re.split(r"([0-9]+)", text)
        if part
    )


def stem(path: Path) -> str:
    """The name without what tells the format: "case_1" for "case_1.nii.gz".

    >>> stem(Path("images/case_1.nii.gz"))
    'case_1'
    """
    for ending in PICTURE_SUFFIXES:
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)]
    return path.name


def split_of(name: str) -> str:
    """The split that a folder's or a table's word means: "train", "val", "test", or "" for none.

    >>> split_of("Validation")
    'val'
    """
    return SPLIT_NAMES.get(name.strip().lower(), "")


def files_under(root: Path) -> list[Path]:
    """Every file below `root` in natural order; hidden files and what archivers leave behind are passed over.

    Raises Unreadable when a folder may not be entered.
    """
    found: list[Path] = []

    def stop(error: OSError) -> None:
        raise Unreadable(
            f"The folder {error.filename} cannot be read: {error.strerror}.",
            remedy="Make it readable for this user.",
        ) from error

    for folder, below, names in os.walk(root, onerror=stop):
        below[:] = [name for name in below if not _leftover(name)]
        found += [Path(folder, name) for name in names if not _leftover(name)]
    return sorted(found, key=lambda path: natural(path.relative_to(root).as_posix()))


def pictures_under(root: Path) -> list[Path]:
    """Every picture below `root`, in natural order: files, and folders with the slices of one DICOM series."""
    by_folder: dict[Path, list[Path]] = defaultdict(list)
    for path in files_under(root):
        if is_picture(path):
            by_folder[path.parent].append(path)
    found: list[Path] = []
    for folder, files in by_folder.items():
        if folder != root and len(files) > 1 and all(_maybe_dicom(path) for path in files) and _one_series(files):
            found.append(folder)
        else:
            found += files
    return sorted(found, key=lambda path: natural(path.relative_to(root).as_posix()))


def inner_root(root: Path) -> Path:
    """`root`, or the only folder inside it when an archive wrapped everything in one more folder.

    A folder that may be a class of its own (pictures directly inside) is not entered.
    """
    for _ in range(4):
        inside = [path for path in root.iterdir() if not _leftover(path.name)]
        folders = [path for path in inside if path.is_dir()]
        rest = [path for path in inside if not path.is_dir()]
        data = (*TABLES, ".npz", ".json", ".xml")
        if len(folders) != 1 or any(is_picture(p) or p.name.lower().endswith(data) for p in rest):
            return root
        if not any(path.is_dir() for path in folders[0].iterdir()) and not any(
            path.name.lower().endswith(data) for path in folders[0].iterdir()
        ):
            return root
        if split_of(folders[0].name):
            return root
        root = folders[0]
    return root


def first_few(items: Iterable[object], *, at_most: int = 3) -> str:
    """The first few of many, for a sentence: "a, b, c and 4 more"."""
    texts = [str(item) for item in items]
    more = len(texts) - at_most
    return ", ".join(texts[:at_most]) + (f" and {more} more" if more > 0 else "")


def _leftover(name: str) -> bool:
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "DICOMDIR")


def _maybe_dicom(path: Path) -> bool:
    name = path.name.lower()
    return name.endswith(DICOM.suffixes) or not name.endswith(PICTURE_SUFFIXES)


def _one_series(files: list[Path]) -> bool:
    """Do the first, middle and last file belong to one stack of slices?"""
    seen = set()
    for path in (files[0], files[len(files) // 2], files[-1]):
        try:
            header = read_header(path)
        except Unreadable:
            return False  # each file is then opened by itself, and the broken one is named
        several = (number(header, "NumberOfFrames") or 1) > 1
        seen.add((text(header, "SeriesInstanceUID"), text(header, "Modality").upper() in _STACKED and not several))
    return len(seen) == 1 and next(iter(seen))[1]

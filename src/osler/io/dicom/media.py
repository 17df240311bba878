"""Studies as they are handed over: a DICOMDIR on a disc, or a zip. Both are written by strangers, so neither is
trusted: nothing outside its own folder is touched, and nothing unfolds to fill the disk.

Source: DICOM PS3.10 section 8 (file IDs), PS3.3 annex F (the directory).
"""

import atexit
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from osler.core.errors import NoRoom, Unreadable
from osler.core.progress import Tell, silent
from osler.io.dicom.parse import is_dicom, read_header, sequence

_MOST_ENTRIES = 200_000
_MOST_BYTES = 64 << 30
_MOST_RATIO = 100
_FREELY = 256 << 20  # as much may come out whatever the ratio: black pictures fold up very small
_PIECE = 1 << 20
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Media:
    """What a zip or a directory held.

    files     those that are there, in order
    problems  what was refused or is missing, a sentence each
    """

    files: tuple[Path, ...]
    problems: tuple[str, ...] = ()


def is_zip(path: Path) -> bool:
    """Is it a zip, and nothing that only uses zip inside, as .npz does?"""
    if path.suffix.lower() not in ("", ".zip") or not path.is_file():
        return False
    try:
        with path.open("rb") as stream:
            return stream.read(4) in (b"PK\3\4", b"PK\5\6") or path.suffix.lower() == ".zip"
    except OSError:
        return False


def is_directory_file(path: Path) -> bool:
    """Is it a DICOMDIR?"""
    return path.name.upper() in ("DICOMDIR", "DICOMDIR.DCM") and path.is_file()


def directory_in(folder: Path) -> Path | None:
    """The DICOMDIR at the top of a folder, None where there is none."""
    return next((one for one in sorted(folder.iterdir()) if is_directory_file(one) and is_dicom(one)), None)


def unpack(path: Path, tell: Tell = silent) -> tuple[Path, tuple[str, ...]]:
    """The folder that a zip was unpacked to, and what was left out; the folder goes when the process ends.

    Raises Unreadable for a zip that is damaged, encrypted, names places outside itself, or unfolds to more than
    any study needs; NoRoom when the disk cannot hold it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _refuse_bad(entries, path)
            problems: list[str] = []
            entries = _usable(entries, path, problems)
            folder = Path(tempfile.mkdtemp(prefix="osler-"))
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            if shutil.disk_usage(folder).free < sum(entry.file_size for entry in entries):
                raise _no_room(path)
            _extract(archive, entries, folder, path, tell)
    except FileNotFoundError as error:
        raise Unreadable(f"{path.name} is missing.", remedy="Check the path.") from error
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, ValueError) as error:
        raise _damaged(path) from error
    except OSError as error:
        raise _no_room(path) from error
    return folder, tuple(problems)


def referenced_files(directory: Path) -> Media:
    """The files that a DICOMDIR names, in its order; only inside its own folder.

    The records are read one after the other as they stand in the file, so a circle of their offsets leads nowhere.
    Raises Unreadable for a DICOMDIR that is broken or names nothing.
    """
    records = sequence(read_header(directory), "DirectoryRecordSequence")
    if not records:
        raise Unreadable(
            f"{directory.name} lists no files.", remedy="Give the folder itself instead of its directory."
        )
    folder = directory.parent
    inside = folder.resolve()
    listings: dict[Path, dict[str, str]] = {}
    files: dict[Path, None] = {}
    missing = outside = 0
    for record in records:
        parts = _file_id(record)
        if not parts:
            continue
        if not all(_harmless(part) for part in parts):
            outside += 1
            continue
        found = _look_up(folder, parts, listings)
        if found is None:
            missing += 1
        elif not found.resolve().is_relative_to(inside):
            outside += 1
        else:
            files[found] = None
    problems = []
    if missing:
        problems.append(
            f"{missing} of {missing + len(files)} files that {directory.name} lists "
            f"{'is' if missing == 1 else 'are'} missing."
        )
    if outside:
        problems.append(
            f"{outside} {'entry' if outside == 1 else 'entries'} of {directory.name} "
            f"{'points' if outside == 1 else 'point'} outside its folder and "
            f"{'was' if outside == 1 else 'were'} left out."
        )
    return Media(tuple(files), tuple(problems))


def _file_id(record: object) -> list[str]:
    value = record.get("ReferencedFileID")  # type: ignore[attr-defined]
    if value is None or value == "":
        return []
    return [value.strip()] if isinstance(value, str) else [str(part).strip() for part in value]


def _harmless(part: str) -> bool:
    """May it be the name of a file or folder, and nothing else?"""
    return part not in ("", ".", "..") and not set(part) & set("/\\:\0") and len(part) <= _LONGEST_NAME


def _look_up(folder: Path, parts: Iterable[str], listings: dict[Path, dict[str, str]]) -> Path | None:
    """The file with these names one below the other, whatever the case: discs are often copied in lower case."""
    place = folder
    for part in parts:
        if place not in listings:
            try:
                listings[place] = {one.name.upper(): one.name for one in sorted(place.iterdir(), reverse=True)}
            except OSError:
                listings[place] = {}
        name = listings[place].get(part.upper())
        if name is None:
            return None
        place = place / name
    return place if place.is_file() else None


def _refuse_bad(entries: list[zipfile.ZipInfo], path: Path) -> None:
    """Raises Unreadable for what no honest zip holds."""
    if len(entries) > _MOST_ENTRIES:
        raise Unreadable(
            f"{path.name} holds {len(entries)} files, more than any study.", remedy="Pack each study by itself."
        )
    if any(entry.flag_bits & 1 for entry in entries):
        raise Unreadable(
            f"{path.name} is encrypted with a password.", remedy="Unpack it yourself and give the folder."
        )
    folded = max(path.stat().st_size, 1)
    unfolded = sum(entry.file_size for entry in entries)
    if _too_much(unfolded, folded):
        raise _bomb(path)
    for entry in entries:
        parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
        if not parts or not all(_harmless(part) for part in parts):
            raise Unreadable(
                f"{path.name} names files outside itself, which no honest zip does.",
                remedy="Ask its sender; do not unpack it.",
            )


def _usable(entries: list[zipfile.ZipInfo], path: Path, problems: list[str]) -> list[zipfile.ZipInfo]:
    """The entries that are plain files, each name once; what is left out is told."""
    plain: dict[str, zipfile.ZipInfo] = {}
    links = twice = 0
    for entry in entries:
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind and not stat.S_ISREG(kind):
            links += 1
        elif entry.filename in plain:
            twice += 1
        else:
            plain[entry.filename] = entry
    if links:
        problems.append(
            f"{links} {'entry' if links == 1 else 'entries'} of {path.name} "
            f"{'is a link or device' if links == 1 else 'are links or devices'} and "
            f"{'was' if links == 1 else 'were'} left out."
        )
    if twice:
        problems.append(
            f"{twice} {'name occurs' if twice == 1 else 'names occur'} twice in {path.name}; "
            "the first file of each was taken."
        )
    return list(plain.values())


def _extract(
    archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], folder: Path, path: Path, tell: Tell
) -> None:
    folded, total = max(path.stat().st_size, 1), 0
    for n, entry in enumerate(entries):
        # What the entry says of its size may be a lie, so what comes out is counted.
        target = folder.joinpath(*PurePosixPath(entry.filename.replace("\\", "/")).parts)
        if target.is_dir() or any(parent.is_file() for parent in target.parents):
            raise _damaged(path)  # one name is a file and a folder
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with archive.open(entry) as source, target.open("xb") as out:
                while piece := source.read(_PIECE):
                    total += len(piece)
                    if _too_much(total, folded):
                        raise _bomb(path)
                    out.write(piece)
        except FileExistsError as error:  # names that differ only in / and \
            raise _damaged(path) from error
        except RuntimeError as error:  # zipfile's word for a password
            raise _damaged(path) from error
        except OSError as error:
            raise _no_room(path) from error
        except (Unreadable, zipfile.BadZipFile):
            raise
        except Exception as error:  # zlib, bz2 and lzma have errors of their own
            raise _damaged(path) from error
        tell("unpacking", n + 1, len(entries), "")


def _too_much(unfolded: int, folded: int) -> bool:
    return unfolded > _MOST_BYTES or (unfolded > _FREELY and unfolded > _MOST_RATIO * folded)


def _bomb(path: Path) -> Unreadable:
    return Unreadable(
        f"{path.name} unfolds to more than any study needs; it may be made to fill the disk.",
        remedy="Unpack it yourself and give the folder.",
    )


def _damaged(path: Path) -> Unreadable:
    return Unreadable(
        f"{path.name} cannot be read as a zip: it is damaged or cut short.", remedy="Pack or send it again."
    )


def _no_room(path: Path) -> NoRoom:
    return NoRoom(
        f"There is no room to unpack {path.name}.", remedy="Free some space, or unpack it elsewhere yourself."
    )

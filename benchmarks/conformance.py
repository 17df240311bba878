"""Every DICOM file of the real data, tried one by one: decoded, refused with a reason, or crashed.

python benchmarks/conformance.py [FOLDER]     FOLDER is OSLER_TEST_DATA by default
"""

import os
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

from record import keep

from osler.core.errors import OslerError
from osler.io.dicom.find import find_series, is_dicom
from osler.io.dicom.multiframe import planes_of
from osler.io.dicom.pixels import decode
from osler.io.dicom.scan import scan_header
from osler.io.dicom.stack import read_clip, read_file, read_parts

FOLDERS = ("dicom-conformance", "radiotherapy", "slides", "suv-reference", "sarcoma/dicom")


def outcome_of(path: Path) -> tuple[str, str]:
    """("decoded" | "refused" | "crashed", what came out or why) of one file by itself."""
    try:
        header = scan_header(path)
        frames = int(header.get("NumberOfFrames") or 1)
        if frames > 1 and not planes_of_file(path):
            clip = read_clip(path)
            return "decoded", f"film {clip.array.shape} {clip.array.dtype}"
        picture = read_file(path)
        return "decoded", f"{type(picture).__name__.lower()} {picture.array.shape} {picture.array.dtype}"
    except OslerError as error:
        if "holds" in error.problem and "volumes" in error.problem:
            array = decode(scan_header(path), path)
            return "decoded", f"several volumes {array.shape} {array.dtype}"
        return "refused", error.problem.replace(path.name, "FILE")
    except Exception as error:  # a crash is what this table is looking for
        return "crashed", repr(error)


def planes_of_file(path: Path) -> int:
    """How many slices of one file lie in the patient."""
    from osler.io.dicom.find import Instance

    return len(planes_of(Instance(path, scan_header(path))))


def folders_of(paths: list[Path]) -> dict[str, dict[str, object]]:
    """What each folder's files make together: volumes, images, films, refusals."""
    rows: dict[str, dict[str, object]] = {}
    by_folder: dict[Path, list[Path]] = {}
    for path in paths:
        by_folder.setdefault(path.parent, []).append(path)
    for folder, files in sorted(by_folder.items()):
        said: list[str] = []
        made: Counter[str] = Counter()
        crashed = 0
        try:
            series, problems = find_series(files)
            said += problems
            for one in series:
                parts = read_parts(one)
                made.update(type(picture).__name__.lower() for picture in parts.pictures)
                made.update("film" for _ in parts.clips)
                said += [error.problem for error in parts.failures]
                said += [note for picture in parts.pictures for note in getattr(picture, "notes", ())]
        except OslerError as error:
            said.append(error.problem)
        except Exception as error:  # the same
            crashed += 1
            said.append(repr(error))
        rows[str(folder)] = {
            "files": len(files),
            "made": dict(made),
            "said": sorted(set(said)),
            "crashed": crashed,
        }
    return rows


def main() -> None:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("OSLER_TEST_DATA", "../shared/data"))
    warnings.simplefilter("ignore")
    paths = sorted(p for name in FOLDERS for p in (root / name).rglob("*") if p.is_file() and is_dicom(p))
    start = time.perf_counter()
    counts: Counter[str] = Counter()
    details: Counter[str] = Counter()
    crashes = []
    for path in paths:
        outcome, what = outcome_of(path)
        counts[outcome] += 1
        kind = f"{outcome}: {what}"
        details[f"{path.parent.relative_to(root)}: {kind}"] += 1
        if outcome == "crashed":
            crashes.append(f"{path.relative_to(root)}: {what}")
    folders = {str(Path(name).relative_to(root)): row for name, row in folders_of(paths).items()}
    seconds = time.perf_counter() - start
    print(dict(counts), f"of {len(paths)} files in {seconds:.0f} s")
    for one in crashes:
        print("crashed:", one)
    keep(
        "conformance",
        {
            "command": "python benchmarks/conformance.py",
            "tables": {
                "Files tried": {
                    "decoded": counts["decoded"],
                    "refused with a reason": counts["refused"],
                    "crashed": counts["crashed"],
                }
            },
            "files": dict(sorted(details.items())),
            "folders": folders,
        },
    )


if __name__ == "__main__":
    main()

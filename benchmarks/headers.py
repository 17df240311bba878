"""Files a second of a header scan, side by side in one run: Osler, pydicom and SimpleITK on the same warm files.

python benchmarks/headers.py FOLDER [--files 1500] [--times 5]

FOLDER holds DICOM of any depth; its files are copied, over and over, into one flat temporary folder of N files.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import cycle, islice
from pathlib import Path

from record import keep

BATCH = 64


def osler_one(paths: list[Path]) -> int:
    """Osler's scan in one thread."""
    from osler.io.dicom.scan import scan_header

    return sum(1 for path in paths if scan_header(path))


def osler_scan(paths: list[Path]) -> int:
    """As Osler scans: in one thread unless the disk is slow."""
    from osler.io.dicom.scan import scan_headers

    return len(scan_headers(paths))


def osler_processes(paths: list[Path]) -> int:
    """The same in two processes, their start and the way back of the headers included."""
    from osler.io.dicom.scan import _scan_batch

    batches = [paths[n : n + BATCH] for n in range(0, len(paths), BATCH)]
    with ProcessPoolExecutor(2) as pool:
        return sum(len(found) for found in pool.map(_scan_batch, batches))


def osler_find(paths: list[Path]) -> int:
    """Scanned, told apart and grouped into studies and series. The copies here are copies to be found out, too."""
    from osler.io.dicom.find import find_objects

    return len(find_objects(paths).series) and len(paths)


def pydicom_headers(paths: list[Path]) -> int:
    import pydicom

    return sum(1 for path in paths if pydicom.dcmread(path, stop_before_pixels=True, force=True) is not None)


def pydicom_tags(paths: list[Path]) -> int:
    """pydicom told to keep a few elements only."""
    import pydicom

    wanted = ["SOPInstanceUID", "SeriesInstanceUID", "Rows", "Columns", "ImagePositionPatient", "InstanceNumber"]
    return sum(
        1
        for path in paths
        if pydicom.dcmread(path, stop_before_pixels=True, force=True, specific_tags=wanted) is not None
    )


def simpleitk_series(paths: list[Path]) -> int:
    """GDCM: the series in the folder and the files of each, as everybody calls it."""
    import SimpleITK

    folder = str(paths[0].parent)
    reader = SimpleITK.ImageSeriesReader()
    return len(paths) if reader.GetGDCMSeriesIDs(folder) else 0


TOOLS: dict[str, Callable[[list[Path]], int]] = {
    "Osler, headers, one thread": osler_one,
    "Osler, headers, as it scans": osler_scan,
    "Osler, headers, two processes": osler_processes,
    "Osler, headers grouped into series, copies compared": osler_find,
    "pydicom, stop_before_pixels": pydicom_headers,
    "pydicom, six specific_tags": pydicom_tags,
    "SimpleITK, GetGDCMSeriesIDs": simpleitk_series,
}


def main() -> None:
    """Measure every tool in turn, several times round, and keep the median."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=1500)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--dry", action="store_true", help="keep nothing: for a machine that is not quiet")
    asked = parser.parse_args()
    from osler.io.dicom.parse import is_dicom

    sources = [path for path in sorted(asked.folder.rglob("*")) if path.is_file() and is_dicom(path)]
    if not sources:
        raise SystemExit(f"{asked.folder.name} holds no DICOM.")
    seconds: dict[str, list[float]] = {name: [] for name in TOOLS}
    with tempfile.TemporaryDirectory() as temporary:
        paths = []
        for n, source in enumerate(islice(cycle(sources), asked.files)):
            paths.append(Path(temporary) / f"{n:06d}.dcm")
            shutil.copyfile(source, paths[-1])
        for turn in range(asked.times + 1):
            for name, tool in TOOLS.items():
                start = time.perf_counter()
                if tool(paths) != len(paths):
                    raise SystemExit(f"{name} did not read every file.")
                if turn:  # the first is for the caches and the imports
                    seconds[name].append(time.perf_counter() - start)
    rows = {name: told(times, len(paths)) for name, times in seconds.items()}
    for name, row in rows.items():
        print(f"{name:<55}{row}")
    if not asked.dry:
        keep(
            "headers",
            {
                "command": f"python benchmarks/headers.py {asked.folder.name} --files {asked.files}",
                "tables": {f"Files a second, {len(paths)} files": rows},
            },
        )


def told(times: list[float], files: int) -> str:
    """Median, and the range."""
    ordered = sorted(files / seconds for seconds in times)
    return f"{ordered[len(ordered) // 2]:,.0f} ({ordered[0]:,.0f} to {ordered[-1]:,.0f}, {len(ordered)} runs)"


if __name__ == "__main__":
    main()

"""A folder of DICOM slices to a volume: ours, SimpleITK, a loop with pydicom and dcm2niix, side by side.

python benchmarks/series.py [FOLDER]     FOLDER is OSLER_TEST_DATA by default

Real CT and PET, a made-up CT of 512 x 512, and copies of that compressed on the fly. Every reader runs in a
process of its own, several times, in turns; what is told is the median after one run that fills the disk's cache,
and the peak memory of its process over what its imports take, as a multiple of the array.
"""

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from record import keep

TIMES = 5
SLICES = 100


def ours(folder: Path) -> np.ndarray:
    """Osler, the way `open_picture` goes: headers, grouping, pixels, scale."""
    from osler.io.open import open_picture

    return np.asarray(open_picture(folder).array)


def simpleitk(folder: Path) -> np.ndarray:
    """SimpleITK's ImageSeriesReader."""
    import SimpleITK

    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return SimpleITK.GetArrayFromImage(reader.Execute())


def pydicom(folder: Path) -> np.ndarray:
    """What most scripts do."""
    import pydicom as library

    slices = [library.dcmread(path) for path in folder.iterdir()]
    row, column = np.array(slices[0].ImageOrientationPatient, float).reshape(2, 3)
    slices.sort(key=lambda one: float(np.cross(row, column) @ np.array(one.ImagePositionPatient, float)))
    return np.stack(
        [one.pixel_array * float(one.RescaleSlope) + float(one.RescaleIntercept) for one in slices]
    ).astype(np.float32)


def dcm2niix(folder: Path) -> np.ndarray:
    """dcm2niix without compression; its file is not read back."""
    with tempfile.TemporaryDirectory() as out:
        subprocess.run(["dcm2niix", "-z", "n", "-b", "n", "-o", out, str(folder)], capture_output=True, check=True)
    return np.empty(0)


READERS: dict[str, Callable[[Path], np.ndarray]] = {
    "osler": ours,
    "SimpleITK": simpleitk,
    "pydicom": pydicom,
    "dcm2niix": dcm2niix,
}


def imported(name: str) -> None:
    """Import what a reader needs, so that neither time nor memory of that is counted."""
    if name == "osler":
        import imagecodecs  # noqa: F401

        import osler.io.open  # noqa: F401
    elif name == "SimpleITK":
        import SimpleITK  # noqa: F401
    elif name == "pydicom":
        import pydicom.pixels  # noqa: F401


def memory(word: str) -> float:
    """A line of this process's status, in megabytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(word))


def one_run(name: str, folder: Path) -> None:
    """In a process of its own: seconds of the first and the second reading, and megabytes over the imports."""
    warnings.simplefilter("ignore")
    imported(name)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of the imports
    before = memory("VmRSS")
    start = time.perf_counter()
    array = READERS[name](folder)
    first = time.perf_counter() - start
    peak = memory("VmHWM") - before
    if name == "dcm2niix":
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024  # all of its process
    del array
    start = time.perf_counter()
    array = READERS[name](folder)
    second = time.perf_counter() - start
    print(json.dumps({"first": first, "second": second, "peak_mb": peak, "array_mb": array.nbytes / 2**20}))


def measured(folder: Path) -> dict[str, str]:
    """A row for each reader, all of them in turns so that a busy machine troubles them alike."""
    names = [name for name in READERS if name != "dcm2niix" or shutil.which("dcm2niix")]
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for turn in range(TIMES + 1):
        for name in names:
            done = subprocess.run(
                [sys.executable, __file__, "--one", name, str(folder)], capture_output=True, text=True, check=False
            )
            if done.returncode:
                print(name, done.stderr[-600:], file=sys.stderr)
            elif turn:
                runs[name].append(json.loads(done.stdout.strip().splitlines()[-1]))
    size = max((one["array_mb"] for one in runs["osler"]), default=0.0)
    rows = {}
    for name, found in runs.items():
        if not found:
            rows[name] = "cannot read it"
            continue
        times = [one["second"] for one in found]
        first = statistics.median(one["first"] for one in found)
        peak = statistics.median(one["peak_mb"] for one in found)
        rows[name] = (
            f"{statistics.median(times):.3f} s ({min(times):.3f} to {max(times):.3f}; first {first:.3f}), "
            f"{peak:.0f} MB = {peak / max(found[0]['array_mb'] or size, 1e-9):.1f} times the array"
        )
    return rows


def made_up(folder: Path) -> Path:
    """A CT of 512 x 512 with noise as a scanner has it: without noise compression would be too easy."""
    from osler.core.facts import Facts
    from osler.core.geometry import Geometry
    from osler.core.volume import Volume
    from osler.io.dicom.write import write_series

    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in (SLICES, 512, 512)), indexing="ij")
    inside = (x / 0.8) ** 2 + (y / 0.6) ** 2 < 1
    array = np.where(inside, 40 + 60 * np.sin(9 * x * y + z), -1000)
    array += np.random.default_rng(0).normal(0, 12, array.shape)
    grid = Geometry.from_spacing(array.shape, (1.5, 0.7, 0.7))
    write_series(Volume(array.astype(np.int16), grid, unit="HU", facts=Facts(modality="CT")), folder)
    return folder


def compressed(source: Path, folder: Path, syntax: str) -> Path:
    """A copy in another transfer syntax."""
    import pydicom as library

    folder.mkdir()
    for path in sorted(source.iterdir()):
        dataset = library.dcmread(path)
        dataset.compress(syntax, generate_instance_uid=False)
        dataset.save_as(folder / path.name)
    return folder


def main() -> None:
    if "--one" in sys.argv:
        one_run(sys.argv[-2], Path(sys.argv[-1]))
        return
    root = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("OSLER_TEST_DATA", "../shared/data"))
    from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

    tables = {}
    with tempfile.TemporaryDirectory() as folder:
        patient = root / "sarcoma" / "dicom" / "STS_042"
        places = {}
        if patient.is_dir():
            places["CT, 49 slices of 162 x 134"] = patient / "CT" / "image"
            places["PET, 49 slices of 30 x 26"] = patient / "PET" / "image"
        plain = places[f"Made-up CT, {SLICES} slices of 512 x 512"] = made_up(Path(folder) / "plain")
        for word, syntax in (("RLE", RLELossless), ("JPEG-LS", JPEGLSLossless), ("JPEG 2000", JPEG2000Lossless)):
            places[f"The same, {word}"] = compressed(plain, Path(folder) / word, syntax)
        for word, place in places.items():
            tables[word] = measured(place)
            print(word, json.dumps(tables[word], indent=1))
    keep("series", {"command": "python benchmarks/series.py", "tables": tables})


if __name__ == "__main__":
    main()

"""Wall seconds of whole commands, start-up included: `osler --help` and `osler read` of one real radiograph.

python benchmarks/start_up.py
"""

import subprocess
import sys
import tempfile
import time
from importlib.metadata import files
from pathlib import Path

from record import keep

TIMES = 5


def seconds(*words: str) -> str:
    """Median and range of the wall seconds of `osler WORDS`."""
    command = [str(Path(sys.executable).parent / "osler"), *words]
    times = []
    for _ in range(TIMES):
        start = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        times.append(time.perf_counter() - start)
    times.sort()
    return f"{times[TIMES // 2]:.2f} s ({times[0]:.2f} to {times[-1]:.2f}, {TIMES} runs)"


def main() -> None:
    radiograph = next(f for f in files("pydicom-data") or [] if f.name == "RG1_UNCI.dcm").locate()
    with tempfile.TemporaryDirectory() as folder:
        rows = {
            "osler --help": seconds("--help"),
            "osler read RG1_UNCI.dcm (1955 x 1841, DICOM)": seconds(
                "read", str(radiograph), "--out", f"{folder}/report"
            ),
        }
    keep("start-up", {"command": "python benchmarks/start_up.py", "tables": {"Wall seconds": rows}})


if __name__ == "__main__":
    main()

"""A measurement kept: the command, what it gave, and on what machine."""

import json
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PARTS = ("osler", "torch", "lightning-fabric", "numpy", "scipy", "nibabel", "pydicom", "SimpleITK")


def machine() -> dict[str, Any]:
    """Cores, memory and processor of this machine."""
    import psutil

    model = platform.processor() or platform.machine()
    cpu = Path("/proc/cpuinfo")
    if cpu.is_file():
        lines = cpu.read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    return {
        "processor": model,
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": None,
        "system": platform.platform(),
    }


def run(arguments: list[str]) -> dict[str, Any]:
    """`osler ARGUMENTS --json` in a process of its own: its answer, wall seconds and peak memory."""
    import resource

    start = time.perf_counter()
    command = [sys.executable, "-c", "from osler.cli.main import leave; leave()", *arguments, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {
        "answer": json.loads(done.stdout),
        "seconds": round(time.perf_counter() - start, 1),
        "peak_mb": round(peak),
        "command": "osler " + " ".join(shown(a) for a in arguments),
    }


def shown(argument: str) -> str:
    """An argument without this machine's folders."""
    return Path(argument).name if "/" in argument else argument


def keep(name: str, result: dict[str, Any], *, note: str = "") -> Path:
    """Write `benchmarks/NAME.json`."""
    path = HERE / f"{name}.json"
    record = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": {part: version(part) for part in PARTS} | {"python": platform.python_version()},
        "note": note,
        **result,
    }
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path

"""Image features against every consensus value of the IBSI, and how fast they are.

    python benchmarks/ibsi.py DATA [PYTHON] [--docs]     DATA: shared/data/ibsi
                                                         PYTHON: one that has mirp and pyradiomics

Each program reads the same files in a process of its own on one core; imports are not counted. Writes ibsi.json,
and with --docs the tables of docs/reference/radiomics.md.
"""

import csv
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from record import HERE, keep

PHANTOMS = {
    "ibsi-digital": ("dig. phantom", "digital_phantom"),
    **{f"ibsi-{letter}": (f"config. {letter.upper()}", "ct_phantom") for letter in "abcde"},
}
PAGE = HERE.parent / "docs" / "reference" / "radiomics.md"
REPEATS = {"osler": 5, "mirp": 1, "pyradiomics": 5}


def files_of(data: Path, settings: str) -> tuple[Path, Path]:
    """The image and the mask of one configuration."""
    place = data / PHANTOMS[settings][1] / "nifti"
    return place / "image" / "phantom.nii.gz", place / "mask" / "mask.nii.gz"


def off_by(value: float | None, text: str, tolerance: str) -> float:
    """How far a value is from the reference, in tolerances: inside up to 1.

    Where the tolerance is empty, half a unit of the last digit given stands for it.
    """
    if value is None:
        return float("inf")
    digits, _, power = text.lower().partition("e")
    last = 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))
    return abs(value - float(text)) / (float(tolerance) if tolerance else last / 2)


def agreement(data: Path) -> dict[str, Any]:
    """Per configuration and family: how many values there are, how many are inside, and the worst."""
    from osler.clinic.measure.radiomics.features import features
    from osler.clinic.measure.radiomics.settings import SETTINGS
    from osler.io.open import open_mask, open_picture

    with (data / "reference_values.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    table: dict[str, dict[str, dict[str, Any]]] = {}
    outside = []
    for settings, (name, _) in PHANTOMS.items():
        image, mask = files_of(data, settings)
        found = defaultdict(list)  # several features share an identifier, in the order of the table
        for one in features(open_picture(image), open_mask(mask), 1, SETTINGS[settings]):
            found[one.code, one.aggregation].append(one)
        families: dict[str, dict[str, Any]] = {}
        for row in (row for row in rows if row["data"] == name):
            one = found[row["permanent_id"], row["aggregation"]].pop(0)
            off = off_by(one.value, row["value"], row["tolerance"])
            mine = families.setdefault(one.family, {"values": 0, "inside": 0, "worst": 0.0, "which": ""})
            mine["values"] += 1
            mine["inside"] += off <= 1 + 1e-9
            if off >= mine["worst"]:
                mine |= {"worst": round(off, 3), "which": ", ".join(filter(None, (one.code, one.aggregation)))}
            if off > 1 + 1e-9:
                outside.append({**row, "osler": one.value})
        table[settings] = families
    count = sum(family["values"] for families in table.values() for family in families.values())
    inside = sum(family["inside"] for families in table.values() for family in families.values())
    return {"values": count, "inside": inside, "outside": outside, "families": table}


def time_osler(data: Path, settings: str, repeats: int) -> dict[str, Any]:
    """Seconds from the files to all features, and of each family."""
    from osler import __version__
    from osler.clinic.measure.radiomics.features import FAMILIES, features
    from osler.clinic.measure.radiomics.region import region_of
    from osler.clinic.measure.radiomics.settings import SETTINGS
    from osler.io.open import open_mask, open_picture

    image, mask = files_of(data, "ibsi-digital")  # parts of scipy are loaded on their first use
    features(open_picture(image), open_mask(mask), 1, SETTINGS["ibsi-e"])
    image, mask = files_of(data, settings)
    count, seconds = 0, []
    for _ in range(repeats):
        start = time.perf_counter()
        count = len(features(open_picture(image), open_mask(mask), 1, SETTINGS[settings]))
        seconds.append(time.perf_counter() - start)
    start = time.perf_counter()
    region = region_of(open_picture(image), open_mask(mask), 1, SETTINGS[settings])
    parts = {"reading and preparing": time.perf_counter() - start}
    for name, family in FAMILIES.items():
        start = time.perf_counter()
        family(region, SETTINGS[settings])
        parts[name] = time.perf_counter() - start
    return {"version": __version__, "features": count, "seconds": seconds, "parts": parts}


def timed(program: str, python: str, data: Path, settings: str) -> dict[str, Any]:
    """One program on one configuration, in a process of its own on one core."""
    one_core = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    repeats = str(REPEATS[program])
    if program == "osler":
        words = [python, str(HERE / "ibsi.py"), "--time", str(data), settings, repeats]
    else:
        image, mask = files_of(data, settings)
        words = [python, str(HERE / "ibsi_others.py"), program, str(image), str(mask), settings, repeats]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ, **one_core})
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return {"failed": last.replace(str(data), "DATA")}
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    told["n"] = len(told["seconds"])
    told["seconds"] = round(statistics.median(told["seconds"]), 3)
    if "parts" in told:
        told["parts"] = {name: round(part, 3) for name, part in told["parts"].items()}
    return told


def tables(result: dict[str, Any]) -> str:
    """Both tables as Markdown."""
    settings = list(PHANTOMS)
    names = [PHANTOMS[one][0].replace("dig. phantom", "digital").replace("config. ", "") for one in settings]
    agreed = result["agreement"]
    lines = [
        f"{agreed['inside']} of {agreed['values']} consensus values are met. A cell says how many of how many are",
        "inside their tolerance, and how far the worst one is off, in tolerances: 1 is the edge. Where IBSI gives",
        "no tolerance, half a unit of the last digit stands for it.",
        "",
        f"| family | {' | '.join(names)} |",
        "|---|" + "---|" * len(names),
    ]
    for family in agreed["families"]["ibsi-digital"]:
        cells = [agreed["families"][one][family] for one in settings]
        shown = [f"{cell['inside']}/{cell['values']}, {cell['worst']:.2g}" for cell in cells]
        lines.append(f"| `{family}` | {' | '.join(shown)} |")
    sums = [agreed["families"][one].values() for one in settings]
    shown = [f"{sum(c['inside'] for c in cells)}/{sum(c['values'] for c in cells)}" for cells in sums]
    lines += [f"| all | {' | '.join(shown)} |", ""]
    if agreed["outside"]:
        lines += [
            "Outside:",
            "",
            "| code | data | aggregation | reference | tolerance | Osler |",
            "|---|---|---|---|---|---|",
        ]
        for row in agreed["outside"]:
            parts = [row[key] for key in ("permanent_id", "data", "aggregation", "value", "tolerance", "osler")]
            lines.append(f"| {' | '.join(str(part) for part in parts)} |")
        lines.append("")
    if result["pace"]:
        lines += [
            "Seconds from the files to all features on one core, imports not counted; in brackets how many:",
            "",
            f"| program | {' | '.join(names)} |",
            "|---|" + "---|" * len(names),
        ]
        for program, told in result["pace"].items():
            cells = [told[one] for one in settings]
            version = next((cell["version"] for cell in cells if "version" in cell), "")
            shown = ["failed" if "failed" in c else f"{_short(c['seconds'])} ({c['features']})" for c in cells]
            lines.append(f"| {program} {version} | {' | '.join(shown)} |")
        lines.append("")
    return "\n".join(lines)


def _short(seconds: float) -> str:
    return f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.2g}"


def main() -> None:
    """Compare, time, keep."""
    words = sys.argv[1:]
    if words[0] == "--time":
        sys.stdout.write(json.dumps(time_osler(Path(words[1]), words[2], int(words[3]))) + "\n")
        return
    docs = "--docs" in words
    words = [word for word in words if word != "--docs"]
    data = Path(words[0])
    programs = {"osler": sys.executable} | (dict.fromkeys(("mirp", "pyradiomics"), words[1]) if words[1:] else {})
    result = {
        "command": "python benchmarks/ibsi.py DATA" + (" PYTHON" if words[1:] else ""),
        "agreement": agreement(data),
        "pace": {
            program: {settings: timed(program, python, data, settings) for settings in PHANTOMS}
            for program, python in programs.items()
        },
    }
    keep(
        "ibsi",
        result,
        note="MIRP also computes enclosing ellipsoids and oriented boxes, which IBSI has no reference for; "
        "pyradiomics has one aggregation, other families and its own interpolation, so its settings are only near",
    )
    if docs:
        text = PAGE.read_text(encoding="utf-8")
        head, begin, rest = text.partition("<!-- made by benchmarks/ibsi.py -->\n")
        _, end, tail = rest.partition("<!-- end -->")
        PAGE.write_text(head + begin + tables(result) + end + tail, encoding="utf-8")


if __name__ == "__main__":
    main()

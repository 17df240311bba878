"""Write benchmarks/README.md from the JSON files beside it.

python benchmarks/page.py
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SHOWN = (
    "auc",
    "accuracy",
    "qwk",
    "mae",
    "within_one",
    "brier",
    "ece",
    "dice",
    "nsd",
    "hd95_mm",
    "volume_error_ml",
)
HEAD = """# Measured

Each figure comes from a JSON file in this folder, which holds the command, the versions, the machine and the date.
Intervals are 95 %, bootstrapped by patient. This page is written by `python benchmarks/page.py`.

"""

ABOUT = ("date", "machine", "versions", "command", "note", "notes")
MOST = 60  # figures of one record on the page


def table(name: str, record: dict[str, Any]) -> list[str]:
    """One measurement as a section."""
    machine = record["machine"]
    place = f"{machine['processor']}, {machine['cores']} cores"
    command = record.get("command", f"python benchmarks/{name.replace('-', '_')}.py")
    lines = [f"## {name}", "", f"`{command}`", "", f"{record['date'][:10]}, {place}."]
    if record["note"]:
        lines.append(record["note"][0].upper() + record["note"][1:] + ".")
    if "metrics" in record:
        n = record["n"]
        lines += [
            "",
            f"{n['cases']} cases of {n['patients']} patients:",
            "",
            "| metric | value | 95 % |",
            "|---|---|---|",
        ]
        for metric in SHOWN:
            if metric in record["metrics"]:
                one = record["metrics"][metric]
                lines.append(f"| {metric} | {one['value']:.3f} | {one['low']:.3f} to {one['high']:.3f} |")
    for title, rows in record.get("tables", {}).items():
        lines += ["", f"{title}:", "", "| what | measured |", "|---|---|"]
        lines += [f"| {what} | {value} |" for what, value in rows.items()]
    if "metrics" not in record and "tables" not in record:
        rest = list(figures({key: value for key, value in record.items() if key not in ABOUT}))
        lines += [
            "",
            "| what | measured |",
            "|---|---|",
            *(f"| {what} | {value} |" for what, value in rest[:MOST]),
        ]
        lines += [f"\n{len(rest) - MOST} more figures are in {name}.json."] if len(rest) > MOST else []
    seconds = record.get("training_seconds")
    if seconds:
        lines += ["", f"The whole command took {seconds:.0f} s and at most {record['training_peak_mb']} MB."]
    lines += [f"- {note}" for note in record.get("notes", ())]
    return [*lines, ""]


def figures(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Every number and yes or no of a record, with the way to it; lists of things are left to the JSON."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from figures(below, f"{where}, {key}" if where else str(key))
    elif isinstance(value, bool):
        yield where, "yes" if value else "no"
    elif isinstance(value, int | float):
        yield where, f"{value:.4g}" if isinstance(value, float) else str(value)
    elif isinstance(value, list) and 1 < len(value) < 4 and all(isinstance(one, int | float) for one in value):
        yield where, " / ".join(f"{one:.4g}" for one in value)


def main() -> None:
    lines = []
    for path in sorted(HERE.glob("*.json")):
        lines += table(path.stem, json.loads(path.read_text(encoding="utf-8")))
    (HERE / "README.md").write_text(HEAD + "\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()

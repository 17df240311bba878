"""Write benchmarks/README.md from the JSON files beside it.

python benchmarks/page.py
"""

import json
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


def table(name: str, record: dict[str, Any]) -> list[str]:
    """One measurement as a section."""
    machine = record["machine"]
    place = f"{machine['processor']}, {machine['cores']} cores"
    lines = [f"## {name}", "", f"`{record['command']}`", "", f"{record['date'][:10]}, {place}."]
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
    seconds = record.get("training_seconds")
    if seconds:
        lines += ["", f"The whole command took {seconds:.0f} s and at most {record['training_peak_mb']} MB."]
    lines += [f"- {note}" for note in record.get("notes", ())]
    return [*lines, ""]


def main() -> None:
    lines = []
    for path in sorted(HERE.glob("*.json")):
        lines += table(path.stem, json.loads(path.read_text(encoding="utf-8")))
    (HERE / "README.md").write_text(HEAD + "\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()

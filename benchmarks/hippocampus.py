"""Hippocampus: 160 cases to train and tune on, 40 to test, a budget in minutes.

    python benchmarks/hippocampus.py DATA 15 OUT      DATA: shared/data/hippocampus, OUT: where the model goes

The data come as images/ and labels/ without names; a Decathlon folder with names is made of links first.
"""

import json
import sys
from pathlib import Path

from record import HERE, keep, run


def decathlon(data: Path, folder: Path) -> Path:
    """A Medical Segmentation Decathlon folder of links to `data`."""
    rows = []
    for part, name in (("images", "imagesTr"), ("labels", "labelsTr")):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for file in sorted((data / part).glob("*.nii.gz")):
            link = folder / name / file.name
            if not link.exists():
                link.symlink_to(file.resolve())
    for file in sorted((folder / "imagesTr").glob("*.nii.gz")):
        rows.append({"image": f"./imagesTr/{file.name}", "label": f"./labelsTr/{file.name}"})
    description = {
        "name": "Hippocampus",
        "modality": {"0": "MRI"},
        "labels": {"0": "background", "1": "Anterior", "2": "Posterior"},
        "numTraining": len(rows),
        "training": rows,
    }
    (folder / "dataset.json").write_text(json.dumps(description))
    return folder


def main() -> None:
    data, minutes, out = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    extra = sys.argv[4:]
    folder = decathlon(data, out.with_name("Hippocampus"))
    card = str(HERE / "starters" / "hippocampus.json")
    named = ["--out", str(out), "--name", "hippocampus", "--card", card]
    trained = run(["train", str(folder), "--budget", f"{minutes}m", *named, *extra])
    tested = run(["evaluate", str(out), str(folder), "--split", "test"])
    evaluation = tested["answer"]
    keep(
        f"hippocampus-{minutes}m",
        {
            "command": trained["command"],
            "n": evaluation["n"],
            "metrics": evaluation["metrics"],
            "per_class": evaluation["per_class"],
            "training_seconds": trained["seconds"],
            "training_peak_mb": trained["peak_mb"],
            "notes": trained["answer"]["notes"],
            "reading": {
                "seconds_all_cases_with_start_up": tested["seconds"],
                "peak_mb": tested["peak_mb"],
                "seconds_a_case_start_up_shared": round(tested["seconds"] / evaluation["n"]["cases"], 2),
            },
        },
        note="test: 40 of 200 cases drawn by patient with seed 0; 20 of the other 160 are the validation cases",
    )


if __name__ == "__main__":
    main()

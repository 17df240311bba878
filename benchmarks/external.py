"""A pneumonia model of children at an adults' hospital: the honest external report.

    python benchmarks/external.py MODEL HOME AWAY [more words of `osler evaluate`]

MODEL: a model's folder or name; HOME: shared/data/chest-xray; AWAY: shared/data/covid-hannover, chest radiographs
of adults with COVID-19. AWAY has no column that says pneumonia. A table is made for the time of the run, with an
assumption that is kept with the result: every picture counts as PNEUMONIA (an infection was proven, a pneumonia on
that very picture was not), and so sensitivity and the share called are all that can be said. The patients' ages
are redacted in the data set, so there are no groups of age.
"""

import csv
import sys
import tempfile
from pathlib import Path

from record import keep, run

ASSUMED = (
    "every picture of covid-hannover counts as PNEUMONIA: the infection was proven, a visible pneumonia was not",
    "without a picture of a healthy adult there is no specificity and no AUC there",
    "adults with COVID-19 against children with bacterial and other viral pneumonia: another question in part",
)
KEPT = ("sex", "age", "modality", "projection")


def table(away: Path, folder: Path) -> Path:
    """covid-hannover as a table of pictures (links) with the assumed label, sex, age, modality and projection."""
    pictures = {path.stem: path for path in sorted((away / "png").iterdir())}
    with (away / "data.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["image_id"] in pictures]
    with (folder / "covid-hannover.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["image", "label", "patient", *KEPT])
        writer.writeheader()
        for row in rows:
            picture = pictures[row["image_id"]]
            (folder / picture.name).symlink_to(picture.resolve())
            known = {"image": picture.name, "label": "PNEUMONIA", "patient": row["patient_id"]}
            writer.writerow(known | {name: row[name] for name in KEPT})
    return folder / "covid-hannover.csv"


def main() -> None:
    model, home, away, *more = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        made = table(Path(away), Path(folder))
        tested = run(["evaluate", model, home, "--external", str(made), *more])
    answer = tested["answer"]
    (elsewhere,) = answer["external"]
    keep(
        "external",
        {
            "command": tested["command"],
            "seconds": tested["seconds"],
            "assumed": list(ASSUMED),
            "internal": {
                "n": answer["n"],
                "metrics": answer["metrics"],
                "operating_points": answer["operating_points"],
                "gate": answer.get("gate"),
            },
            "external": elsewhere,
        },
        note="made of the model as it stands; nothing was fitted on covid-hannover",
    )


if __name__ == "__main__":
    main()

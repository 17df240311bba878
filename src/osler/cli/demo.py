"""`osler demo`: the whole road once, on made-up patients and on real images."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osler.cli import output
from osler.cli.arguments import Parser, duration, new_parser
from osler.core.errors import AskedWrongly, OslerError

if TYPE_CHECKING:
    from osler.core.report import Report
    from osler.models.shelf import Shelf

SUMMARY = """The whole road once: make patients up, train a small 3-D segmentation model on them, test and release
it; then read a made-up CT study with it, a real chest radiograph with the model that ships with Osler, and a
radiograph of a leg, which no model here may read and which is declined. About five minutes on two cores."""

EXAMPLE = """
osler demo --out demo
"""

MODEL = "made-up-organ"
SEED = 7
STUDY_SEED = 1_000_003  # a patient that is in no training set of the demo
CARD = {
    "title": "Organ and lesions of made-up patients",
    "use": "",
    "sees": {
        "text": "a CT of the abdomen of a made-up patient",
        "modalities": ["CT"],
        "body_parts": ["ABDOMEN"],
    },
    "not_for": ["real patients", "decisions of any kind"],
    "licence": "Apache-2.0",
}

# The organ lies on one side, so mirror images would teach what is not so, and make reading eight times slower.
SETTINGS = {"flips": "[]"}

# What a demo leaves in its folder; anything else there belongs to somebody.
LEAVES = {"patients", "made-up-study", "shelf", "reports", "card.json", "model", ".model.training"}


def parser() -> Parser:
    """The words of `osler demo`."""
    made = new_parser("demo", SUMMARY, EXAMPLE)
    made.add_argument("--out", type=Path, required=True, metavar="DIR", help="where everything goes")
    made.add_argument(
        "--budget", type=duration, default=150.0, metavar="TIME", help="wall time for the training (150s)"
    )
    made.add_argument("--patients", type=int, default=48, metavar="N", help="made-up patients to learn from (48)")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Walk the road; says what was found and where the pages are."""
    from osler.cli.progress import spoken, watched
    from osler.cli.sentences import metric_lines, report_lines
    from osler.io.files import write_json
    from osler.lab.learn import learn
    from osler.lab.plan.ask import Ask
    from osler.models.shelf import Shelf
    from osler.phantoms.datasets import write_segmentation_set
    from osler.phantoms.studies import write_made_up_study

    start = time.monotonic()
    out = own_folder(arguments.out)
    if not (out / "patients").exists():
        output.note(f"Making {arguments.patients} patients up.")
        write_segmentation_set(out / "patients", patients=arguments.patients, seed=SEED)
    write_json(out / "card.json", CARD)
    output.note(f"Training for {spoken(arguments.budget)}.")
    ask = Ask(budget_seconds=arguments.budget, seed=SEED, settings=SETTINGS, name=MODEL, card=out / "card.json")
    with watched() as tell:
        learned = learn(out / "patients", out=out / "model", ask=ask, tell=tell)
    shelf = Shelf((out / "shelf", Shelf.default().folders[-1]))
    if (out / "shelf" / MODEL).exists():
        shelf.remove(MODEL)
    shelf.add(learned.folder, name=MODEL)

    write_made_up_study(out / "made-up-study", seed=STUDY_SEED)
    studies = {"made-up CT of the abdomen": out / "made-up-study", **real_images()}
    read = [(title, *_read(path, shelf, out / "reports")) for title, path in studies.items()]
    page = learned.folder / "evaluation" / "evaluation.html"
    seconds = time.monotonic() - start
    if arguments.json:
        output.say_json(_as_json(learned.evaluation.to_json(), page, read) | {"seconds": round(seconds, 1)})
        return output.GOOD
    lines = [
        "Trained on made-up patients",
        *(f"  {line}" for line in metric_lines(learned.evaluation)),
        f"  {page}",
    ]
    for title, report, written in read:
        lines += [
            "",
            title[0].upper() + title[1:],
            *(f"  {line}" for line in report_lines(report)),
            f"  {written}",
        ]
    output.say("\n".join([*lines, "", f"Done in {spoken(seconds)}. The .html files open in any browser."]))
    return output.GOOD


def own_folder(out: Path) -> Path:
    """The demo's folder, new or left by an earlier demo.

    Raises AskedWrongly when something else lies in it.
    """
    out = out.absolute()
    if out.exists() and (not out.is_dir() or {path.name for path in out.iterdir()} - LEAVES):
        raise AskedWrongly(f"{out.name} holds something that is not from a demo.", remedy="Name a new folder.")
    return out


def real_images() -> dict[str, Path]:
    """A chest radiograph and one of a leg, from the Python package pydicom-data (public domain test files)."""
    from importlib.metadata import PackageNotFoundError, files

    try:
        listed = files("pydicom-data") or []
    except PackageNotFoundError as error:
        raise OslerError(
            "The Python package 'pydicom-data' with the real radiographs is not installed.",
            remedy="Install it: pip install pydicom-data.",
        ) from error
    wanted = {"RG1_UNCI.dcm": "real radiograph of a chest", "RG3_UNCI.dcm": "real radiograph of a leg"}
    found = {wanted[entry.name]: Path(str(entry.locate())) for entry in listed if entry.name in wanted}
    return {title: found[title] for title in wanted.values() if title in found}


def _read(path: Path, shelf: "Shelf", reports: Path) -> tuple["Report", Path]:
    """The report on one study, and its page under `reports`."""
    from osler.cli.folders import filling
    from osler.clinic.reading import read_study
    from osler.io.open import open_study
    from osler.results.table import WRITERS, write_results

    output.note(f"Reading {path.name}.")
    study = open_study(path)
    report = read_study(study, shelf)
    place = reports / path.name.partition(".")[0]
    with filling(place) as folder:
        page = write_results(report, study, folder, WRITERS).files["html"][0].relative_to(folder)
    return report, place / page


def _as_json(evaluation: dict[str, object], page: Path, read: list[tuple[str, "Report", Path]]) -> dict[str, Any]:
    from osler.results.json import report_to_json

    rows = [{"title": title, "page": written, **report_to_json(report)} for title, report, written in read]
    return {"evaluation": evaluation, "page": page, "read": rows}

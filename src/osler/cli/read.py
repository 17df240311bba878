"""`osler read`: one study in, a report out."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osler.cli import output
from osler.cli.arguments import Parser, new_parser

if TYPE_CHECKING:
    from osler.results.table import Written

SUMMARY = """Read one study: a DICOM file or folder, NIfTI, NRRD, PNG or JPEG. The models on the shelf whose cards
fit the study answer; a study that none may read is declined with the reason and exit code 3.
Writes the formats that --results names; one that cannot hold this reading is told, and the others are written."""

EXAMPLE = """
osler read chest.dcm --out report
osler read study/ --pathway hippocampus --out report --json
osler read chest.dcm --prevalence 0.02 --out report
osler read study/ --results seg,sr,fhir,html --out report
"""


def parser() -> Parser:
    """The words of `osler read`."""
    made = new_parser("read", SUMMARY, EXAMPLE)
    made.add_argument("study", metavar="STUDY", type=Path, help="a file or folder of one patient")
    made.add_argument(
        "--pathway", default="", metavar="P", help="the clinical use to read it for (found by itself)"
    )
    made.add_argument(
        "--prevalence",
        default="",
        metavar="S",
        help="correct for the share of the finding here: 0.02, or name=share,name=share (as the model learnt)",
    )
    made.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the report goes")
    made.add_argument(
        "--results", default="json,html", metavar="F,F", help="formats of the report, or all (json,html)"
    )
    made.add_argument(
        "--identified", action="store_true", help="FHIR names the patient and the order by their DICOM numbers"
    )
    made.add_argument(
        "--explain",
        default="finer,gradcam,similar",
        metavar="W,W",
        help="why it said so: gradcam, finer, gradients, occlusion, similar, or no (finer,gradcam,similar)",
    )
    made.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda, cuda:1 (auto)")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Read the study; says what was found, or why it was declined."""
    from osler.results.table import write_results, writers_named

    writers = writers_named(
        arguments.results, identified=arguments.identified
    )  # a wrong word is told before anything is read

    from osler.cli.folders import filling
    from osler.cli.progress import watched, when_long
    from osler.cli.sentences import report_lines
    from osler.clinic.reading import read_study
    from osler.inference.device import choose_device
    from osler.io.open import open_study
    from osler.models.shelf import Shelf
    from osler.results.json import report_to_json

    with watched() as every:
        study = open_study(arguments.study, tell=when_long(every))
    device = choose_device(arguments.device)
    report = read_study(
        study,
        Shelf.default(),
        pathway=arguments.pathway,
        prevalence=arguments.prevalence,
        explain=arguments.explain,
        device=device,
    )
    out: Path = arguments.out
    with filling(out) as folder:
        written = write_results(report, study, folder, writers)
        files = {name: [out / path.relative_to(folder) for path in paths] for name, paths in written.files.items()}
    if arguments.json:
        output.say_json(report_to_json(report) | {"written": files, "not_written": not_written(written)})
    else:
        output.say("\n".join([*report_lines(report), "", *written_lines(files, written)]))
    return output.DECLINED if report.declined else output.GOOD


def not_written(written: "Written") -> dict[str, Any]:
    """Which formats could not hold the reading, for machines."""
    return {name: {"problem": no.problem, "remedy": no.remedy} for name, no in written.refused.items()}


def written_lines(files: dict[str, list[Path]], written: "Written") -> list[str]:
    """The page to open, where the other formats went, and in a line each why some were not written."""
    lines = [f"Report: {path}" for path in files.get("html", [])]
    known = ("html", "json") if lines else ()  # what lies beside the page each time needs no line
    lines += [
        f"Written, {name}: {', '.join(str(path) for path in paths)}"
        for name, paths in files.items()
        if name not in known
    ]
    return [*lines, *(f"Not written, {name}: {no}" for name, no in written.refused.items())]

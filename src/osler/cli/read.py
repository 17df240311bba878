"""`osler read`: one study in, a report out."""

import argparse
from pathlib import Path

from osler.cli import output
from osler.cli.arguments import Parser, new_parser

SUMMARY = """Read one study: a DICOM file or folder, NIfTI, NRRD, PNG or JPEG. The models on the shelf whose cards
fit the study answer; a study that none may read is declined with the reason and exit code 3.
Writes report.json, report.html and the key pictures."""

EXAMPLE = """
osler read chest.dcm --out report
osler read study/ --pathway hippocampus --out report --json
"""


def parser() -> Parser:
    """The words of `osler read`."""
    made = new_parser("read", SUMMARY, EXAMPLE)
    made.add_argument("study", metavar="STUDY", type=Path, help="a file or folder of one patient")
    made.add_argument(
        "--pathway", default="", metavar="P", help="the clinical use to read it for (found by itself)"
    )
    made.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the report goes")
    made.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda, cuda:1 (auto)")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Read the study; says what was found, or why it was declined."""
    from osler.cli.folders import filling
    from osler.cli.sentences import report_lines
    from osler.clinic.reading import read_study
    from osler.inference.device import choose_device
    from osler.io.open import open_study
    from osler.models.shelf import Shelf
    from osler.results.json import report_to_json
    from osler.results.table import WRITERS

    study = open_study(arguments.study)
    device = choose_device(arguments.device)
    report = read_study(study, Shelf.default(), pathway=arguments.pathway, device=device)
    out: Path = arguments.out
    with filling(out) as folder:
        written = {name: write(report, study, folder)[0].relative_to(folder) for name, write in WRITERS.items()}
    if arguments.json:
        output.say_json(report_to_json(report) | {"written": {name: out / path for name, path in written.items()}})
    else:
        output.say("\n".join([*report_lines(report), "", f"Report: {out / written['html']}"]))
    return output.DECLINED if report.declined else output.GOOD

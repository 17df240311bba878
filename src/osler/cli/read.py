"""`osler read`: one study in, a report out."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osler.cli import output
from osler.cli.arguments import Parser, add_language, new_parser, spoken

if TYPE_CHECKING:
    from osler.clinic.pathways.beside import Prior
    from osler.core.progress import Tell
    from osler.results.table import Written

SUMMARY = """Read one study: a DICOM file or folder, NIfTI, NRRD, PNG or JPEG. The models on the shelf whose cards
fit the study answer; a study that none may read is declined with the reason and exit code 3.
With --outlines the outlines of a person or another program are measured instead, and no model is asked; --earlier
compares with studies of the same patient; --patient says what the header does not. Measures lead to conclusions by
published rules where one holds, and to a priority.
Writes the formats that --results names; one that cannot hold this reading is told, and the others are written."""

EXAMPLE = """
osler read chest.dcm --out report
osler read study/ --pathway hippocampus --out report --json
osler read chest.dcm --prevalence 0.02 --out report
osler read study/ --results seg,sr,fhir,html --out report
osler read petct/ --outlines tumours.dcm --earlier before/=before-tumours.dcm --out report
osler read ct/ --outlines nodules.nii.gz --patient age_years=61,sex=F,smoker=yes --out report
"""


def parser() -> Parser:
    """The words of `osler read`."""
    made = new_parser("read", SUMMARY, EXAMPLE)
    made.add_argument("study", metavar="STUDY", type=Path, help="a file or folder of one patient")
    made.add_argument(
        "--pathway", default="", metavar="P", help="the clinical use to read it for (found by itself)"
    )
    made.add_argument(
        "--outlines",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="read these outlines instead of a model's: RTSTRUCT, DICOM SEG, NIfTI or NRRD mask",
    )
    made.add_argument(
        "--earlier",
        nargs="+",
        default=[],
        metavar="STUDY[=FILE]",
        help="compare with these studies of the patient, each with its own outlines where outlines are read",
    )
    made.add_argument(
        "--patient",
        default="",
        metavar="P",
        help="what the header does not say: FILE.json, or age_years=61,sex=F,weight_kg=70,smoker=yes",
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
    add_language(made)
    return made


@spoken
def run(arguments: argparse.Namespace) -> int:
    """Read the study; says what was found, or why it was declined."""
    from osler.results.table import write_results, writers_named

    writers = writers_named(
        arguments.results, identified=arguments.identified
    )  # a wrong word is told before anything is read

    from osler.cli.folders import filling
    from osler.cli.progress import watched, when_long
    from osler.cli.sentences import report_lines
    from osler.clinic.pathways.beside import Beside
    from osler.clinic.pathways.person import told_of
    from osler.clinic.reading import read_study
    from osler.inference.device import choose_device
    from osler.io.open import open_study
    from osler.models.shelf import Shelf
    from osler.results.json import report_to_json

    patient = told_of(arguments.patient)
    with watched() as every:
        tell = when_long(every)
        study = open_study(arguments.study, tell=tell)
        earlier = tuple(prior_named(one, tell) for one in arguments.earlier)
        report = read_study(
            study,
            Shelf.default(),
            pathway=arguments.pathway,
            beside=Beside(tuple(arguments.outlines), earlier, patient),
            prevalence=arguments.prevalence,
            explain=arguments.explain,
            device=choose_device(arguments.device),
            tell=tell,
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


def prior_named(text: str, tell: "Tell") -> "Prior":
    """The earlier study that "STUDY", "STUDY=FILE" or "STUDY=FILE=FILE" names. Raises what `open_study` does."""
    from osler.clinic.pathways.beside import Prior
    from osler.io.open import open_study

    if Path(text).exists():  # an = may be part of a file's own name
        return Prior(open_study(Path(text), tell=tell))
    place, *outlines = text.split("=")
    return Prior(open_study(Path(place), tell=tell), tuple(Path(one) for one in outlines))


def not_written(written: "Written") -> dict[str, Any]:
    """Which formats could not hold the reading, for machines."""
    return {name: {"problem": no.problem, "remedy": no.remedy} for name, no in written.refused.items()}


def written_lines(files: dict[str, list[Path]], written: "Written") -> list[str]:
    """The page to open, where the other formats went, and in a line each why some were not written."""
    from osler.results.sentences import say

    lines = [say("line.report", path=path) for path in files.get("html", [])]
    known = ("html", "json") if lines else ()  # what lies beside the page each time needs no line
    lines += [
        say("line.written", format=name, files=", ".join(str(path) for path in paths))
        for name, paths in files.items()
        if name not in known
    ]
    return [*lines, *(say("line.not_written", format=name, why=no) for name, no in written.refused.items())]

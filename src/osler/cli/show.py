"""`osler show`: what a folder, a zip, a disc or a file holds."""

import argparse
from pathlib import Path

from osler.cli import output
from osler.cli.arguments import Parser, new_parser

SUMMARY = """Show what a study holds, from the headers alone: studies, series, and in them volumes, films, images
and other objects, with their size, how they lie, what is odd, and what cannot be read and why. Takes a folder
of any depth, a zip, a DICOMDIR, or one file (DICOM, NIfTI, NRRD, PNG, ...). No name, number or date of a patient
is shown; with --out a page with the middle slice of every series is written too."""

EXAMPLE = """
osler show study/
osler show disc/DICOMDIR --out contents
osler show study.zip --json
"""

PAGE = "study.html"


def parser() -> Parser:
    """The words of `osler show`."""
    made = new_parser("show", SUMMARY, EXAMPLE)
    made.add_argument("path", metavar="PATH", type=Path, help="a folder, a zip, a DICOMDIR or a file")
    made.add_argument("--out", type=Path, metavar="DIR", help="write a page with pictures there")
    made.add_argument(
        "--descriptions",
        action="store_true",
        help="show what people typed, which may name somebody",
    )
    return made


def run(arguments: argparse.Namespace) -> int:
    """Look into the path; print the tree, and write the page where it is wanted."""
    from osler.cli.folders import filling
    from osler.cli.progress import watched, when_long
    from osler.io.holdings import look_into
    from osler.results.study_page import draw_sheet, study_json, study_lines, write_study_page

    shown: bool = arguments.descriptions
    with watched() as every:
        tell = when_long(every)
        holdings = look_into(arguments.path, tell)
        sheet = draw_sheet(holdings, tell) if arguments.out is not None else None
    page = None
    if sheet is not None:
        with filling(arguments.out) as folder:
            write_study_page(holdings, sheet, folder / PAGE, descriptions=shown)
        page = arguments.out / PAGE
    if arguments.json:
        told = study_json(holdings, descriptions=shown)
        output.say_json(told | ({"page": page} if page is not None else {}))
    else:
        lines = study_lines(holdings, descriptions=shown)
        output.say("\n".join([*lines, *(["", f"Page: {page}"] if page is not None else [])]))
    return output.GOOD

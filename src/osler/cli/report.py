"""`osler report`: the whole report of a model, for those who must judge it."""

import argparse
from pathlib import Path

from osler.cli import output
from osler.cli.arguments import Parser, new_parser

SUMMARY = """Write the report of a model for reviewers: model card, how it was trained, its tests, and the
checklists CLAIM 2024 and TRIPOD+AI, each item filled from what is known or marked as not known. One document as
report.html and report.pdf, and report.json for machines. MODEL is a folder or a name on the shelf. Without DATA
the test that lies in the model's folder is told; with DATA the model is tested now. What only a person knows
(ethics, funding, reference standard, ...) is given in a JSON file with --facts."""

EXAMPLE = """
osler report my-model --out for-reviewers
osler report my-model pictures/ --external other-hospital/ --facts study.json --out for-reviewers
"""


def parser() -> Parser:
    """The words of `osler report`."""
    made = new_parser("report", SUMMARY, EXAMPLE)
    made.add_argument("model", metavar="MODEL", help="a model's folder or name")
    made.add_argument("data", metavar="DATA", type=Path, nargs="?", help="labelled cases to test it on now")
    made.add_argument(
        "--split", choices=("test", "val", "train", "all"), default="test", help="which cases of DATA (test)"
    )
    made.add_argument(
        "--external",
        metavar="DATA2",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        help="labelled cases from elsewhere, tested by themselves and compared with DATA",
    )
    made.add_argument(
        "--quick", action="store_true", help="leave out what takes longest: answers on pictures made worse"
    )
    made.add_argument("--facts", metavar="FILE", type=Path, help="a JSON file of what only a person knows")
    made.add_argument(
        "--pictures", action="store_true", help="show the worst and best cases: pictures of patients"
    )
    made.add_argument("--cases", action="store_true", help="call cases by their names, not by numbers")
    made.add_argument("--out", type=Path, metavar="DIR", required=True, help="where the report goes")
    made.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda, cuda:1 (auto)")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Test where that is asked, and write the three files."""
    from osler.cli.folders import filling
    from osler.cli.progress import watched
    from osler.inference.device import choose_device
    from osler.lab.report.make import Brief, make_report
    from osler.models.shelf import Shelf

    out: Path = arguments.out
    brief = Brief(
        data=arguments.data,
        split=arguments.split,
        external=tuple(arguments.external),
        quick=arguments.quick,
        facts=arguments.facts,
        pictures=arguments.pictures,
        cases=arguments.cases,
    )
    folder, device = Shelf.default().find(arguments.model), choose_device(arguments.device)
    with filling(out) as place, watched() as tell:
        made = make_report(folder, place, brief, device=device, tell=tell)
    if not made.tested:
        output.note(f"{folder.name} holds no test: the report says so. Give labelled cases to test it now.")
    files = {kind: out / getattr(made, kind).name for kind in ("html", "pdf", "json")}
    if arguments.json:
        output.say_json({**files, "items": made.items})
        return output.GOOD
    lines = [
        f"{name}: {many['filled']} items filled, {many['partly']} partly, {many['not_known']} not known"
        for name, many in made.items.items()
    ]
    output.say("\n".join([*lines, *(str(path) for path in files.values())]))
    return output.GOOD

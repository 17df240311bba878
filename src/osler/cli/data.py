"""`osler data`: what Osler understands of a data set, before any training."""

import argparse
from pathlib import Path
from typing import Any

from osler.cli import output
from osler.cli.arguments import Parser, add_common, new_parser

SUMMARY = "What Osler understands of labelled data: task, classes, patients, splits, sizes, odd cases."

EXAMPLE = """
osler data show pictures/ --out page.html
osler data show table.csv --target grade --json
"""


def parser() -> Parser:
    """The words of `osler data`."""
    made = new_parser("data", SUMMARY, EXAMPLE)
    verbs = made.add_subparsers(dest="verb", metavar="VERB", required=True)
    show = verbs.add_parser("show", help="describe a data set, with pictures in a page", allow_abbrev=False)
    show.add_argument("data", metavar="DATA", type=Path, help="a folder or file with labelled pictures")
    show.add_argument("--task", metavar="TASK", help="the task, where the labels alone do not decide")
    show.add_argument(
        "--target",
        metavar="COLUMN",
        help="the table's column to learn, or the structures of DICOM studies, joined by commas",
    )
    show.add_argument("--out", type=Path, metavar="PAGE", help="write an HTML page with pictures")
    add_common(show, below=True)
    return made


def run(arguments: argparse.Namespace) -> int:
    """Describe the data set."""
    from osler.lab.catalog.recognize import read_dataset
    from osler.lab.catalog.show import describe, write_page

    dataset = read_dataset(arguments.data, task=arguments.task, target=arguments.target)
    description = describe(dataset)
    if arguments.out:
        write_page(dataset, description, arguments.out)
    if arguments.json:
        output.say_json(description | ({"page": arguments.out} if arguments.out else {}))
        return output.GOOD
    output.say("\n".join(_lines(description)))
    if arguments.out:
        output.say(f"\nPage: {arguments.out}")
    return output.GOOD


def _lines(value: Any, *, indent: str = "") -> list[str]:
    """A description as indented lines: names, numbers and short lists on one line, the rest below."""
    if isinstance(value, dict):
        lines = []
        for key, item in value.items():
            inner = _lines(item, indent=indent + "  ")
            short = not isinstance(item, dict | list | tuple) or len(inner) == 1
            lines += [f"{indent}{key}: {inner[0].strip()}"] if short and inner else [f"{indent}{key}:", *inner]
        return lines
    if isinstance(value, list | tuple):
        plain = [str(item) for item in value if not isinstance(item, dict | list | tuple)]
        if len(plain) == len(value) and sum(map(len, plain)) < 80:
            return [indent + (", ".join(plain) or "none")]
        if len(plain) == len(value):
            return [f"{indent}- {item}" for item in plain]
        return [line for item in value for line in _lines(item, indent=indent)]
    return [f"{indent}{value}"]

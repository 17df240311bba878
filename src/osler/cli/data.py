"""`osler data`: what Osler understands of a data set, before any training."""

import argparse
from pathlib import Path
from typing import Any

from osler.cli import output
from osler.cli.arguments import Parser, add_common, new_parser
from osler.core.errors import AskedWrongly

SUMMARY = """What Osler understands of labelled data (show: task, classes, patients, splits, sizes, odd cases), and
whether it can be believed (check: copies, patients on both sides of a split, labels that may be wrong, shortcuts,
odd masks, unreadable and blank pictures)."""

EXAMPLE = """
osler data show pictures/ --out page.html
osler data show table.csv --target grade --json
osler data check pictures/ --out concerns.html
osler data check pictures/ --fix cleaned.csv
"""


def parser() -> Parser:
    """The words of `osler data`."""
    made = new_parser("data", SUMMARY, EXAMPLE)
    verbs = made.add_subparsers(dest="verb", metavar="VERB", required=True)
    show = verbs.add_parser("show", help="describe a data set, with pictures in a page", allow_abbrev=False)
    check = verbs.add_parser("check", help="look for what makes a data set lie", allow_abbrev=False)
    for verb in (show, check):
        verb.add_argument("data", metavar="DATA", type=Path, help="a folder or file with labelled pictures")
        verb.add_argument("--task", metavar="TASK", help="the task, where the labels alone do not decide")
        verb.add_argument(
            "--target",
            metavar="COLUMN",
            help="the table's column to learn, or the structures of DICOM studies, joined by commas",
        )
        verb.add_argument("--out", type=Path, metavar="PAGE", help="write an HTML page with pictures")
        add_common(verb, below=True)
    check.add_argument("--fix", type=Path, metavar="TABLE", help="write a cleaned CSV; the originals stay")
    check.add_argument("--strict", action="store_true", help="exit with 1 where there is a leak or an error")
    check.add_argument("--seed", type=int, default=0, metavar="N", help="of the folds behind suspected labels (0)")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Describe the data set, or check it."""
    return _check(arguments) if arguments.verb == "check" else _show(arguments)


def _check(arguments: argparse.Namespace) -> int:
    """Look for what makes the data set lie; write the page and the cleaned table where they are wanted."""
    from osler.cli.progress import watched, when_long
    from osler.lab.catalog.care.check import check_data
    from osler.lab.catalog.care.fix import write_fixed
    from osler.lab.catalog.care.page import care_json, care_lines, write_care_page
    from osler.lab.catalog.recognize import read_dataset

    if arguments.fix and arguments.fix.suffix.lower() != ".csv":
        raise AskedWrongly(f"{arguments.fix.name} is no name for a CSV.", remedy="End it in .csv.")
    dataset = read_dataset(arguments.data, task=arguments.task, target=arguments.target)
    if arguments.fix and arguments.fix.exists() and arguments.fix.resolve() == arguments.data.resolve():
        raise AskedWrongly("The cleaned table would replace the data itself.", remedy="Give it another name.")
    with watched() as every:
        care = check_data(dataset, tell=when_long(every), seed=arguments.seed)
    if arguments.out:
        write_care_page(dataset, care, arguments.out)
    fixed = write_fixed(dataset, care, arguments.fix) if arguments.fix else None
    bad = arguments.strict and (care.count("leak") or care.count("error"))
    if arguments.json:
        told = care_json(care) | ({"page": arguments.out} if arguments.out else {})
        if fixed is not None:
            told["fixed"] = {
                "table": fixed.table,
                "kept": fixed.kept,
                "left_out": list(fixed.left_out),
                "suspected": fixed.suspected,
            }
        output.say_json(told)
        return output.FAILED if bad else output.GOOD
    lines = care_lines(care)
    if fixed is not None:
        lines += [
            "",
            f"Cleaned table: {fixed.table} ({fixed.kept} cases; {len(fixed.left_out)} left out; "
            f"{fixed.suspected} doubted labels stay, column suspected_label).",
        ]
    if arguments.out:
        lines += ["", f"Page: {arguments.out}"]
    output.say("\n".join(lines))
    return output.FAILED if bad else output.GOOD


def _show(arguments: argparse.Namespace) -> int:
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

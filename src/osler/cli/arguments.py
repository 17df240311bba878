"""How commands read their words: parsers that answer like the rest of Osler, durations, and settings."""

import argparse
import difflib
import os
import re
from collections.abc import Callable
from functools import wraps
from typing import NoReturn

from osler.core.errors import AskedWrongly

_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are AskedWrongly errors, and that proposes the near option."""

    def error(self, message: str) -> NoReturn:
        """Raise AskedWrongly for `message`."""
        strange = re.match(r"unrecognized arguments: (\S+)", message)
        hint = ""
        if strange:
            near = difflib.get_close_matches(strange[1].partition("=")[0], sorted(options_of(self)), n=1)
            hint = f"Did you mean {near[0]}? " if near else ""
        raise AskedWrongly(f"{self.prog}: {message}.", remedy=f"{hint}See {self.prog} --help.")


def new_parser(verb: str, summary: str, example: str) -> Parser:
    """The parser of one verb, with --json and --debug.

    summary  what the verb does, a paragraph
    example  command lines, shown at the end of --help
    """
    parser = Parser(
        prog=f"osler {verb}",
        description=summary,
        epilog="example:\n" + "\n".join(f"  {line}" for line in example.strip().splitlines()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_common(parser)
    return parser


def add_common(parser: argparse.ArgumentParser, *, below: bool = False) -> None:
    """Add what every command takes.

    below  the parser is of a verb's own verb, whose silence must not undo what was said before it
    """
    silence = argparse.SUPPRESS if below else False
    parser.add_argument("--json", action="store_true", default=silence, help="the answer as JSON on stdout")
    parser.add_argument("--debug", action="store_true", default=silence, help="show a traceback when it fails")


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add MODEL, the model that answers."""
    parser.add_argument("model", metavar="MODEL", help="a model's folder or name")


def add_files(parser: argparse.ArgumentParser) -> None:
    """Add FILES, the pictures that a model is asked about."""
    parser.add_argument(
        "files",
        metavar="FILES",
        nargs="+",
        help="pictures; FILE[ITEM] for part of a file; CT,PET for several channels",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add --device, where a net computes."""
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda, cuda:1 (auto)")


def add_language(parser: argparse.ArgumentParser) -> None:
    """Add --lang; the command's `run` is then `spoken`."""
    parser.add_argument(
        "--lang",
        type=language_named,
        default="",
        metavar="L",
        help="language of what is said: en, zh (the variable OSLER_LANG, else en)",
    )


def language_named(text: str) -> str:
    """The name of a language of reports; "" is that of the variable OSLER_LANG, or English.

    Raises UnknownChoice, naming those there are.
    """
    from osler.results.sentences import LANGUAGES

    name = text or os.environ.get("OSLER_LANG", "") or "en"
    LANGUAGES[name]
    return name


def spoken(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """A command that speaks the language of its --lang."""

    @wraps(run)
    def speaking(arguments: argparse.Namespace) -> int:
        from osler.results.sentences import language

        with language(arguments.lang):
            return run(arguments)

    return speaking


def subparsers_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parsers of a verb's own verbs: "list", "show", ... of `osler models`."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    """Every option the parser or one of its subparsers knows."""
    found = {option for action in parser._actions for option in action.option_strings}
    for below in subparsers_of(parser).values():
        found |= options_of(below)
    return found


def duration(text: str) -> float:
    """Seconds from "90s", "10m", "1h30m".

    >>> duration("1h30m")
    5400.0
    """
    match = _DURATION.fullmatch(text.strip().lower())
    seconds = 0.0
    if match:
        seconds = sum(float(part or 0) * unit for part, unit in zip(match.groups(), (3600, 60, 1), strict=True))
    if seconds <= 0:
        raise argparse.ArgumentTypeError(f"'{text}' is no duration; write 90s, 10m or 1h30m")
    return seconds


def setting(text: str) -> tuple[str, str]:
    """("net", "softmax") from "net=softmax"; what the value means is for the plan to say.

    >>> setting("patch=[40, 56, 40]")
    ('patch', '[40, 56, 40]')
    """
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise argparse.ArgumentTypeError(f"'{text}' is no setting; write KEY=VALUE")
    return key.strip(), value.strip()

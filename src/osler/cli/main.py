"""`osler VERB ...`: find the verb's file, let it read its arguments, run it."""

import atexit
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import NoReturn

from osler import __version__
from osler.cli import output
from osler.core.errors import AskedWrongly, OslerError, UnknownChoice


@dataclass(frozen=True, slots=True)
class Command:
    """One verb.

    module  where its `parser()` and `run(arguments) -> int` live; imported only when the verb is used
    help    one line for `osler --help`
    """

    module: str
    help: str


COMMANDS: dict[str, Command] = {
    "train": Command("osler.cli.train", "learn from labelled pictures: a folder, a table, a MedMNIST file, ..."),
    "evaluate": Command("osler.cli.evaluate", "test a model on labelled cases, with intervals"),
    "report": Command("osler.cli.report", "a model's whole report for reviewers: card, tests, checklists"),
    "convert": Command("osler.cli.convert", "any readable picture or mask into any writable one, with an account"),
    "predict": Command("osler.cli.predict", "a model's answers on files"),
    "read": Command("osler.cli.read", "read one study: from DICOM or a file to a report"),
    "measure": Command("osler.cli.measure", "size, shape and image features (IBSI) of outlined structures"),
    "quantify": Command("osler.cli.quantify", "uptake of PET, calcium, heart volumes, midline shift of outlines"),
    "assess": Command("osler.cli.assess", "how severe it is, for the person who decides: statement, audit"),
    "guideline": Command("osler.cli.guideline", "published rules as tables: list, show, apply to what is known"),
    "risk": Command("osler.cli.risk", "what will become of this patient: from facts, pictures, or both"),
    "explain": Command("osler.cli.explain", "why a model says so: maps that are checked, and similar cases"),
    "show": Command("osler.cli.show", "what a study holds: series, geometry, odd things, a page of pictures"),
    "models": Command("osler.cli.models", "the shelf: list, show, add, remove, export"),
    "data": Command("osler.cli.data", "show what Osler understands of a data set"),
    "demo": Command("osler.cli.demo", "train and read on made-up patients, start to end"),
    "doctor": Command("osler.cli.doctor", "what this machine has and lacks"),
}

_HELP = f"""Osler learns from labelled medical images, reads studies, and says how sure it is.

usage: osler VERB [arguments]

{{verbs}}

  osler VERB --help   says more about one verb, with an example
  osler --version     says which Osler this is

Every verb takes --json (the answer as JSON on stdout) and --debug (a traceback when it fails).
Exit codes: {", ".join(f"{code} {meaning}" for code, meaning in output.EXIT_CODES.items())}.

example:
  osler train pictures/ --budget 10m --out model
  osler read study/ --out report
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. `arguments` are those after "osler", None: of this process."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = words[: words.index("--")] if "--" in words else words
    return output.guarded(lambda: _run(words), as_json="--json" in options, debug="--debug" in options)


def leave() -> NoReturn:
    """What the `osler` script calls: run the command and end the process at once.

    Taking torch apart in order costs another half second of every command; all files are closed by then. What was
    registered for the end is done: pictures unpacked from a zip must not stay on the disk.
    """
    code = main()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def help_text() -> str:
    """What `osler --help` prints."""
    verbs = "\n".join(f"  {name:<10}{command.help}" for name, command in COMMANDS.items())
    return _HELP.format(verbs=verbs)


def _run(words: list[str]) -> int:
    if not words:
        raise AskedWrongly("No verb was given.", remedy=f"Choose one of: {', '.join(COMMANDS)}; or osler --help.")
    verb, rest = words[0], words[1:]
    if verb in ("--help", "-h", "help"):
        output.say(help_text().rstrip())
        return 0
    if verb in ("--version", "-V"):
        output.say(f"osler {__version__}")
        return 0
    if verb not in COMMANDS:
        raise UnknownChoice.among("verb", verb, COMMANDS)
    # Threads of torch that spin for long while they wait make every step much slower as soon as anything else runs
    # on the machine; threads that sleep at once are slower alone (benchmarks/threads.json). So they spin for about
    # half a millisecond. Must be said before torch is loaded; whoever said how to wait is obeyed.
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    try:
        module = import_module(COMMANDS[verb].module)
        code: int = module.run(module.parser().parse_args(rest))
    except SystemExit as stop:  # argparse leaves this way after --help
        return stop.code if isinstance(stop.code, int) else 0
    except ModuleNotFoundError as error:
        if (error.name or "osler").partition(".")[0] == "osler":
            raise
        raise OslerError(
            f"The Python package '{error.name}' is not installed.",
            remedy='Install Osler with its parts: pip install -e ".[dev]", or run osler doctor.',
        ) from error
    return code


if __name__ == "__main__":
    sys.exit(main())

"""Write the generated pages of docs/reference from the code itself, or check that they are current.

python docs/generate.py           write them
python docs/generate.py --check   exit code 1, naming the pages, when one differs from the code

Pages under docs/reference/commands and those in PAGES are wholly generated. In a page of PARTS only what stands
between the two marks is; the rest is written by hand.
"""

import argparse
import inspect
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from osler.cli.arguments import subparsers_of
from osler.cli.main import COMMANDS
from osler.cli.output import EXIT_CODES, exit_code
from osler.core.errors import OslerError

REFERENCE = Path(__file__).parent / "reference"
GUIDELINE_PAGES = Path(__file__).parent / "clinical" / "guidelines"
BEGIN = "<!-- made by docs/generate.py: change the code, then run `make docs` -->"
END = "<!-- end of what is made -->"


def main(words: list[str]) -> int:
    """Write or check every page."""
    stale = []
    for path, text in pages():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path)
        if "--check" not in words:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    known = {REFERENCE / "commands" / f"{verb}.md" for verb in (*COMMANDS, "index")}
    known |= {path for path, _ in guideline_pages()}
    left = sorted({*(REFERENCE / "commands").glob("*.md"), *GUIDELINE_PAGES.glob("*.md")} - known)
    for path in left:
        if "--check" not in words:
            path.unlink()
    names = ", ".join(str(path.relative_to(REFERENCE.parent.parent)) for path in [*stale, *left])
    if "--check" in words and names:
        sys.stderr.write(f"Not current: {names}. Run `make docs`.\n")
        return 1
    sys.stderr.write(f"Written: {names}.\n" if names else "All pages are current.\n")
    return 0


def pages() -> Iterator[tuple[Path, str]]:
    """Every generated page: where it belongs and what it should hold."""
    yield REFERENCE / "commands" / "index.md", commands_index()
    for verb in COMMANDS:
        yield REFERENCE / "commands" / f"{verb}.md", command_page(verb)
    for name, make in PAGES.items():
        yield REFERENCE / name, f"{BEGIN}\n\n{make()}"
    yield from guideline_pages()
    for name, make in PARTS.items():
        path = REFERENCE / name
        written = path.read_text(encoding="utf-8") if path.exists() else f"{BEGIN}\n{END}\n"
        before, rest = written.split(BEGIN, 1)
        yield path, f"{before}{BEGIN}\n\n{make()}\n{END}{rest.split(END, 1)[1]}"


def commands_index() -> str:
    """The table of commands, and the exit codes."""
    rows = "\n".join(f"| [osler {verb}]({verb}.md) | {command.help} |" for verb, command in COMMANDS.items())
    codes = "\n".join(f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items())
    return (
        f"{BEGIN}\n\n# Commands\n\n| command | what it does |\n|---|---|\n{rows}\n\n"
        "Every command answers on stdout and tells everything else on stderr. `--json` gives the answer as JSON; "
        'a failure is then `{"error": {"kind", "problem", "remedy"}}`. `--debug` adds a traceback.\n\n'
        f"| exit code | meaning |\n|---|---|\n{codes}\n\n130 means: stopped from the keyboard.\n"
    )


def command_page(verb: str) -> str:
    """One command: what it does, its words, an example."""
    parser: argparse.ArgumentParser = import_module(COMMANDS[verb].module).parser()
    text = f"{BEGIN}\n\n# osler {verb}\n\n{parser.description}\n"
    below = subparsers_of(parser)
    if below:
        for name, inner in below.items():
            text += f"\n## osler {verb} {name}\n\n{_help_of(parser, name)}\n\n{_words(inner)}"
    else:
        text += f"\n{_words(parser)}"
    example = (parser.epilog or "").removeprefix("example:\n")
    return f"{text}\n## Example\n\n```sh\n{inspect.cleandoc(example)}\n```\n"


def errors_page() -> str:
    """The family of errors, with exit codes."""
    rows = []
    queue = [OslerError]
    while queue:
        kind = queue.pop(0)
        queue = list(kind.__subclasses__()) + queue
        parent = kind.__bases__[0].__name__ if kind is not OslerError else ""
        code = exit_code(kind("", remedy=""))
        rows.append(f"| `{kind.__name__}` | {parent} | {code} | {_first_line(kind)} |")
    table = "\n".join(rows)
    return (
        "# Errors\n\nEvery expected failure is one of these. It says what happened (`problem`) and what to do "
        "about it (`remedy`), and never names a patient.\n\n"
        f"| error | is a | exit code | meaning |\n|---|---|---|---|\n{table}\n"
    )


def nets_page() -> str:
    """The nets, each with its arguments."""
    from osler.models.nets.table import NETS

    text = "# Nets\n\nChosen by the plan, or by hand with `osler train DATA --set net=NAME`.\n"
    for name, net in NETS.items():
        module = sys.modules[net.__module__]
        text += f"\n## {name}\n\n{inspect.getdoc(module)}\n\n```text\n{_plain(net)}\n```\n"
        given = {"self", "dims", "planes", "outputs", "size"}
        arguments = [p for p in inspect.signature(net).parameters.values() if p.name not in given]
        if arguments:
            rows = "\n".join(f"| `{p.name}` | {_default(p)} |" for p in arguments)
            text += f"\n| argument | without it |\n|---|---|\n{rows}\n"
    return text


def tasks_page() -> str:
    """The tasks, each with its metrics."""
    from osler.models.tasks.table import TASKS

    text = (
        "# Tasks\n\nFound from the labels, or said with `--task NAME`. The first metric decides between models.\n"
    )
    for name, task in TASKS.items():
        module = sys.modules[type(task).__module__]
        metrics = ", ".join(f"`{metric}`" for metric in task.metrics)
        text += f"\n## {name}\n\n{inspect.getdoc(module)}\n\n{inspect.getdoc(type(task))}\n\nMetrics: {metrics}.\n"
    return text


def metrics_page() -> str:
    """What each metric's name means."""
    from osler.lab.evaluate.measures import ABOUT

    rows = "\n".join(f"| `{name}` | {about.meaning} |" for name, about in ABOUT.items())
    return f"# Metrics\n\nNames as `osler evaluate --json` gives them.\n\n| name | meaning |\n|---|---|\n{rows}\n"


def quality_page() -> str:
    """The checks that a picture must stand before it is read."""
    from osler.quality.check import CHECKS

    rows = "\n".join(
        f"| `{name}` | {'not read' if check.declines else 'read, with a caution'} | {_first_line(check.ask)} |"
        for name, check in CHECKS.items()
    )
    return f"# Quality checks\n\n| check | a picture that fails is | what it asks |\n|---|---|---|\n{rows}\n"


def pathways_page() -> str:
    """The clinical uses, each with what its module says of it."""
    from osler.clinic.pathways import table

    text = (
        "# Pathways\n\nWhat `osler read` reads for; found by itself, or said with `--pathway NAME`. A model on "
        "the shelf\nthat belongs to none of them is read by its card alone, and `--pathway` takes its name.\n"
    )
    folder = Path(table.__file__).parent
    modules = [import_module(f"osler.clinic.pathways.{path.stem}") for path in sorted(folder.glob("[!_]*.py"))]
    for name, pathway in table.PATHWAYS.items():
        home = next(m for m in modules if m is not table and any(v is pathway for v in vars(m).values()))
        checks = ", ".join(f"`{check}`" for check in pathway.checks)
        text += f"\n## {name}\n\n{inspect.getdoc(home)}\n\n[Quality checks](quality.md): {checks}.\n"
        if pathway.outlines:
            held = " and ".join(pathway.needs.modalities) or "any volumes"
            words = ", ".join(f"`{word}`" for word in pathway.needs.words)
            named = f", and is taken where a name of theirs holds {words}" if words else ""
            page = "../how-to/read-with-earlier-studies.md"
            text += f"\nReads [outlines that others drew]({page}) of {held}{named}.\n"
    return text


def guideline_pages() -> Iterator[tuple[Path, str]]:
    """Every guideline as a page that a clinician can proof-read, made of the rows that decide."""
    from osler.clinic.guidelines.page import guideline_page
    from osler.clinic.guidelines.table import GUIDELINES

    for name, guideline in GUIDELINES.items():
        yield GUIDELINE_PAGES / f"{name}.md", f"{BEGIN}\n\n{guideline_page(guideline)}"


def guidelines_page() -> str:
    """The published rules, each with a link to its page."""
    from osler.clinic.guidelines.table import GUIDELINES
    from osler.results.sentences import say

    where = f"../{GUIDELINE_PAGES.relative_to(REFERENCE.parent)}"
    rows = "\n".join(f"| [`{name}`]({where}/{name}.md) | {say(one.title)} |" for name, one in GUIDELINES.items())
    return (
        "# Guidelines\n\nPublished rules as tables, one page each for a clinician to proof-read; the rows on the "
        "page are those that\ndecide. [How they are asked](../how-to/guidelines.md).\n\n"
        f"| guideline | what it says |\n|---|---|\n{rows}\n"
    )


def formats_page() -> str:
    """The formats of a report."""
    from osler.results.table import USUAL, WRITERS

    text = (
        f"# Report formats\n\n`osler read` writes `{USUAL}`; `--results` names others, with commas, or `all`.\n"
        "A format that cannot hold a reading says so, and the others are written. "
        "[Which for whom](../how-to/results.md), and [how a PACS gets them](../how-to/pacs.md).\n"
    )
    for name, made in WRITERS.items():
        text += f"\n## {name}\n\n```text\n{_plain(made.writer())}\n```\n"
    from osler.results.json import report_to_json

    return f"{text}\n## Keys of report.json\n\n```text\n{_plain(report_to_json)}\n```\n"


def card_part() -> str:
    """Fields of a card."""
    from osler.models.card import ModelCard, Sees, TestResult

    return _records(ModelCard, Sees, TestResult)


def recipe_part() -> str:
    """Fields of a recipe and of the trust data."""
    from osler.models.likeness import Gate
    from osler.models.recipe import Channel, Normalization, Recipe
    from osler.models.trust import Calibration, Conformal, MaskBounds, Trust

    return _records(Recipe, Channel, Normalization, Trust, Calibration, Conformal, MaskBounds, Gate)


def plan_part() -> str:
    """Fields of a plan, and what --set takes."""
    from osler.lab.plan.limits import LIMITS, WORDS
    from osler.lab.plan.plan import Augmentation, Plan, Training, settings_known
    from osler.models.model import NetPlan
    from osler.models.nets.table import NETS

    ranges = {name: f"{low:g} to {high:g}" for name, (low, high) in LIMITS.items()}
    words = {
        name: ", ".join(f"`{word}`" for word in known) for name, known in {**WORDS, "net": tuple(NETS)}.items()
    }
    rows = "\n".join(
        f"| `{name}` | {words.get(name) or ranges.get(name, 'true, false')} |" for name in settings_known()
    )
    table = f"| choice | each of its values |\n|---|---|\n{rows}\n"
    return f"{_records(Plan, Training, Augmentation, NetPlan)}\n## What `--set` takes\n\n{table}"


PAGES: dict[str, Callable[[], str]] = {
    "errors.md": errors_page,
    "nets.md": nets_page,
    "tasks.md": tasks_page,
    "metrics.md": metrics_page,
    "quality.md": quality_page,
    "pathways.md": pathways_page,
    "formats.md": formats_page,
    "guidelines.md": guidelines_page,
}
PARTS: dict[str, Callable[[], str]] = {"card.md": card_part, "recipe.md": recipe_part, "plan.md": plan_part}


def _words(parser: argparse.ArgumentParser) -> str:
    """Every word of a parser as a table; what all commands take comes last."""
    rows = []
    for action in sorted(parser._actions, key=lambda one: one.option_strings[:1] in (["--json"], ["--debug"])):
        if "--help" in action.option_strings:
            continue
        value = action.metavar or (", ".join(action.choices) if action.choices else action.dest.upper())
        name = ", ".join(action.option_strings) or value
        if action.option_strings and action.nargs != 0:
            name += f" {value}"
        rows.append(f"| `{name}` | {'yes' if action.required else ''} | {action.help} |")
    return "| word | needed | meaning |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def _help_of(parser: argparse.ArgumentParser, name: str) -> str:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            text = next(str(choice.help) for choice in action._choices_actions if choice.dest == name)
            return f"{text[0].upper()}{text[1:]}."
    return ""


def _records(*kinds: type) -> str:
    return "\n".join(f"## {kind.__name__}\n\n```text\n{_plain(kind)}\n```\n" for kind in kinds)


def _plain(thing: object) -> str:
    """A docstring without its examples."""
    return (inspect.getdoc(thing) or "").split("\n>>>")[0].rstrip()


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").splitlines()[0]


def _default(parameter: inspect.Parameter) -> str:
    return "needed" if parameter.default is parameter.empty else f"`{parameter.default}`"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

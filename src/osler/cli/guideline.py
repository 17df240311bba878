"""`osler guideline`: the published rules, each as a page, and applied to what is known."""

import argparse
import re
from typing import TYPE_CHECKING, Any

from osler.cli import output
from osler.cli.arguments import Parser, add_common, add_language, new_parser, setting, spoken
from osler.core.errors import AskedWrongly, UnknownChoice

if TYPE_CHECKING:
    from osler.clinic.guidelines.guideline import Guideline, Input, Told
    from osler.core.conclusion import Conclusion

SUMMARY = """Published rules as tables: RECIST, Fleischner, Kellgren-Lawrence and others. `show` prints the page
that a clinician can proof-read; `apply` says what follows from what is known. Numbers may carry their unit (7.2mm,
0.72cm) and their interval (6.6..7.2..7.9mm: low, value, high); where it crosses a limit the other categories are
named. What is left away is not known. Where the rule does not hold, or lacks what it needs, it says why: exit code
3."""

EXAMPLE = """
osler guideline list
osler guideline show fleischner-2017
osler guideline apply fleischner-2017 kind=solid size=7.2mm multiple=no risk=low age=61
osler guideline apply recist-1.1 baseline_mm=100 nadir_mm=50 now_mm=56..60..64mm non_target=none new_lesions=no
"""

_NUMBER = r"[-+]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?"
_TOLD = re.compile(rf"({_NUMBER})(?:\.\.({_NUMBER})\.\.({_NUMBER}))?\s*([^\d\s].*)?")
YES, NO = ("yes", "true", "y"), ("no", "false", "n")
NOT_KNOWN = ("", "?", "unknown")


def parser() -> Parser:
    """The words of `osler guideline`."""
    made = new_parser("guideline", SUMMARY, EXAMPLE)
    verbs = made.add_subparsers(dest="verb", metavar="VERB", required=True)
    listing = verbs.add_parser("list", help="every guideline, with its title and version", allow_abbrev=False)
    show = verbs.add_parser("show", help="one guideline as a page", allow_abbrev=False)
    show.add_argument("name", metavar="NAME", help="as `osler guideline list` names it")
    apply = verbs.add_parser("apply", help="what follows by one guideline", allow_abbrev=False)
    apply.add_argument("name", metavar="NAME", help="as `osler guideline list` names it")
    apply.add_argument(
        "given",
        metavar="KEY=VALUE",
        nargs="*",
        default=[],
        type=setting,
        help="what is known; show NAME lists the keys",
    )
    for below in (listing, show, apply):
        add_language(below)
        add_common(below, below=True)
    return made


@spoken
def run(arguments: argparse.Namespace) -> int:
    """One act with the guidelines; exit code 3 where a rule may not be applied."""
    acts = {"list": _list, "show": _show, "apply": _apply}
    text, value, code = acts[arguments.verb](arguments)
    if arguments.json:
        output.say_json(value)
    else:
        output.say(text)
    return code


def conclusion_lines(conclusion: "Conclusion") -> list[str]:
    """A conclusion for a terminal: what follows, by which row, from what."""
    from osler.results.sentences import listed, say

    lines = [conclusion.statement, conclusion.advice]
    if conclusion.nearby:
        lines.append(say("guide.line.nearby", names=listed(conclusion.nearby)))
    if conclusion.rule:
        lines.append(say("guide.line.rule", rule=conclusion.rule))
    for ground in conclusion.grounds:
        of = f"  [{ground.of}]" if ground.of else ""
        lines.append(f"  {ground.name}: {ground.value}{of}")
    lines.append(say("guide.line.source", version=conclusion.version, source=conclusion.source))
    return [line for line in lines if line]


def _list(arguments: argparse.Namespace) -> tuple[str, Any, int]:
    from osler.clinic.guidelines.table import GUIDELINES
    from osler.results.sentences import say

    width = max(len(name) for name in GUIDELINES)
    rows = [{"name": name, "title": say(one.title), "version": one.version} for name, one in GUIDELINES.items()]
    text = "\n".join(f"{row['name']:<{width}}  {row['title']}" for row in rows)
    return text, {"guidelines": rows}, output.GOOD


def _show(arguments: argparse.Namespace) -> tuple[str, Any, int]:
    from osler.clinic.guidelines.page import guideline_page
    from osler.clinic.guidelines.table import GUIDELINES
    from osler.results.sentences import say

    guideline = GUIDELINES[arguments.name]
    page = guideline_page(guideline)
    inputs = [
        {"name": one.name, "what": one.what, "kind": one.kind, "unit": one.unit, "needed": one.needed}
        | ({"words": list(one.words)} if one.words else {})
        for one in guideline.inputs
    ]
    value = {
        "name": guideline.name,
        "title": say(guideline.title),
        "version": guideline.version,
        "source": guideline.source,
        "inputs": inputs,
        "categories": list(guideline.categories),
        "page": page,
    }
    return page.rstrip(), value, output.GOOD


def _apply(arguments: argparse.Namespace) -> tuple[str, Any, int]:
    from osler.clinic.guidelines.decide import decide
    from osler.clinic.guidelines.table import GUIDELINES
    from osler.core.record import to_plain
    from osler.results.sentences import say

    guideline = GUIDELINES[arguments.name]
    given: dict[str, Told] = {}
    for key, text in arguments.given:
        asked = _input(guideline, key)
        if asked.name in given:
            raise AskedWrongly(f"{asked.name} is given twice.", remedy="Give every key once.")
        given[asked.name] = _told(asked, text)
    conclusion = decide(guideline, given, dict.fromkeys(given, say("guide.request")))
    code = output.DECLINED if conclusion.refused else output.GOOD
    return "\n".join(conclusion_lines(conclusion)), to_plain(conclusion), code


def _input(guideline: "Guideline", key: str) -> "Input":
    """The input that a key means: its name, or its name without the unit ("size" of "size_mm")."""
    plain = key.strip().lower().replace("-", "_")
    known = {one.name: one for one in guideline.inputs}
    short = {name.rpartition("_")[0]: one for name, one in known.items() if one.unit not in ("", "1")}
    found = known.get(plain) or short.get(plain)
    if found is None:
        raise UnknownChoice.among(f"input of {guideline.name}", key, [*known, *(name for name in short if name)])
    return found


def _told(asked: "Input", text: str) -> "Told":
    """The value of one key; what it means is for the guideline to check."""
    from osler.core.quantity import Quantity

    plain = text.strip()
    if plain.lower() in NOT_KNOWN:
        return None
    if asked.kind == "yes or no":
        if plain.lower() not in (*YES, *NO):
            raise AskedWrongly(
                f"{asked.name} is '{text}'.", remedy="Say yes or no, or leave it away if not known."
            )
        return plain.lower() in YES
    if asked.kind == "word":
        return plain
    match = _TOLD.fullmatch(plain)
    if match is None:
        raise AskedWrongly(
            f"{asked.name} is '{text}', which is no number.",
            remedy="Write a number with or without its unit, as 7.2mm, or low..value..high, as 6.6..7.2..7.9mm.",
        )
    first, second, third, unit = match.groups()
    numbers = [float(one) for one in (first, second, third) if one is not None]
    if len(numbers) == 1:
        return Quantity(numbers[0], unit or asked.unit)
    return Quantity(numbers[1], unit or asked.unit, numbers[0], numbers[2])

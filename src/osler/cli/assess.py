"""`osler assess`: a severity statement for the person who decides, the decision, and an audit of many."""

import argparse
from pathlib import Path

from osler.cli import output
from osler.cli.arguments import Parser, add_device, add_language, new_parser, spoken
from osler.core.errors import AskedWrongly

SUMMARY = """State how severe a disease is on the pictures of one person: the grade with its interval, evidence,
measurements, changes since earlier studies, data quality and limits, under a pseudonym (JSON, HTML, PDF).
The statement decides nothing: a person does, and `osler assess decide STATEMENT` records who, what and why.
`osler assess CASES --audit` looks over a folder of statements: consistency, agreement, subgroups."""

EXAMPLE = """
osler assess study/ --request request.json --out cases/P-0042
osler assess study/ --request request.json --earlier last-year/ --out cases/P-0042
osler assess decide cases/P-0042 --by "Mara Lind, orthopaedic surgeon" --decision agree \\
    --reason "Looked at both films; definite osteophytes."
osler assess cases/ --audit --by sex,site --out audit
"""


def parser() -> Parser:
    """The words of `osler assess`."""
    made = new_parser("assess", SUMMARY, EXAMPLE)
    made.add_argument(
        "words",
        metavar="STUDY",
        nargs="+",
        help="a study of one person; with --audit a folder of statements; or: decide STATEMENT",
    )
    add_language(made)
    made.add_argument("--out", type=Path, metavar="DIR", help="where the statement or the audit goes")
    stating = made.add_argument_group("to state the severity")
    stating.add_argument(
        "--request", type=Path, metavar="FILE", help="purpose, consent, pseudonym, who decides: JSON"
    )
    stating.add_argument(
        "--earlier",
        type=Path,
        action="append",
        default=[],
        metavar="STUDY",
        help="an earlier study; may come again",
    )
    stating.add_argument("--pathway", default="", metavar="P", help="the clinical use or model (found by itself)")
    add_device(made)
    auditing = made.add_argument_group("to audit statements")
    auditing.add_argument("--audit", action="store_true", help="audit a folder of statements")
    made.add_argument(
        "--by",
        default="",
        metavar="WHO",
        help="decide: NAME, ROLE of the person; --audit: facts to compare groups by",
    )
    deciding = made.add_argument_group("to decide on a statement")
    deciding.add_argument("--decision", metavar="D", help="agree, changed or withheld")
    deciding.add_argument("--grade", default="", metavar="G", help="the grade that holds, where it is changed")
    deciding.add_argument("--reason", default="", metavar="TEXT", help="what was looked at, and why")
    deciding.add_argument(
        "--item", type=int, metavar="N", help="which item of the statement, from 0 (the only one)"
    )
    return made


@spoken
def run(arguments: argparse.Namespace) -> int:
    """State, decide or audit."""
    words: list[str] = arguments.words
    deciding = words[0] == "decide" and len(words) == 2
    if len(words) > 1 and not deciding:
        raise AskedWrongly(
            "osler assess takes one study at a time.",
            remedy="Give the latest, and those before it with --earlier; or: osler assess decide STATEMENT.",
        )
    if deciding and arguments.audit:
        raise AskedWrongly("--audit decides nothing.", remedy="Leave --audit away, or the word decide.")
    if deciding:
        return _decide(Path(words[1]), arguments)
    if arguments.decision is not None or arguments.grade or arguments.reason or arguments.item is not None:
        raise AskedWrongly(
            "A decision belongs to a statement.",
            remedy="Write: osler assess decide STATEMENT --by ... --decision ...",
        )
    if arguments.out is None:
        raise AskedWrongly("It is not said where the answer goes.", remedy="Name a folder with --out.")
    return _audit(Path(words[0]), arguments) if arguments.audit else _state(Path(words[0]), arguments)


def _state(place: Path, arguments: argparse.Namespace) -> int:
    import datetime

    from osler.clinic.assessment.request import SEE, read_request

    if arguments.request is None:
        raise AskedWrongly(
            "Without a request nothing is assessed: it names the purpose, the consent and who decides.",
            remedy=f"Give it with --request. {SEE}",
        )
    if arguments.by:
        raise AskedWrongly("--by belongs to --audit and to decide.", remedy="Who decides stands in the request.")
    request = read_request(arguments.request, today=datetime.date.today())  # refused before anything is read

    from osler.cli.folders import filling
    from osler.cli.progress import watched, when_long
    from osler.clinic.assessment.assess import assess_study
    from osler.clinic.assessment.json import statement_to_json, write_statement_json
    from osler.clinic.assessment.page import write_statement_html
    from osler.clinic.assessment.paper import write_statement_pdf
    from osler.clinic.assessment.sheet import in_short
    from osler.inference.device import choose_device
    from osler.io.open import open_study
    from osler.models.shelf import Shelf

    with watched() as every:
        tell = when_long(every)
        study = open_study(place, tell=tell)
        earlier = [open_study(one, tell=tell) for one in arguments.earlier]
        statement = assess_study(
            study,
            request,
            Shelf.default(),
            earlier=earlier,
            pathway=arguments.pathway,
            device=choose_device(arguments.device),
            tell=tell,
        )
    out: Path = arguments.out
    if (out / "statement.json").exists():
        raise AskedWrongly(
            f"{out.name} holds a statement already, and decisions may rest on it.", remedy="Name another folder."
        )
    with filling(out) as folder:
        writers = (write_statement_json, write_statement_html, write_statement_pdf)
        files = [out / write(statement, folder).name for write in writers]
    if arguments.json:
        output.say_json(statement_to_json(statement) | {"written": files})
    else:
        output.say("\n".join([*in_short(statement), "", *(f"Written: {path}" for path in files)]))
    return output.GOOD


def _decide(place: Path, arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from osler.clinic.assessment.decision import DECISIONS, decide
    from osler.clinic.assessment.person import person_from

    if arguments.request or arguments.earlier or arguments.out:
        raise AskedWrongly(
            "A decision takes no --request, --earlier or --out.", remedy="It is recorded beside its statement."
        )
    by = person_from(arguments.by)
    if arguments.decision is None:
        raise AskedWrongly("It is not said what is decided.", remedy=f"Give --decision: {', '.join(DECISIONS)}.")
    made, path = decide(
        place, by, arguments.decision, reason=arguments.reason, grade=arguments.grade, item=arguments.item
    )
    if arguments.json:
        output.say_json(asdict(made) | {"written": path})
    else:
        grade = f": {made.grade}" if made.grade else ""
        output.say(f"{made.decision}{grade}, by {by.name}, {by.role}, at {made.when}.\nWritten: {path}")
    return output.GOOD


def _audit(place: Path, arguments: argparse.Namespace) -> int:
    from osler.cli.folders import filling
    from osler.cli.progress import watched, when_long
    from osler.clinic.assessment.audit import audit
    from osler.clinic.assessment.audit_page import audit_lines, audit_to_json, write_audit
    from osler.clinic.assessment.case_book import read_case_book

    if arguments.request or arguments.earlier:
        raise AskedWrongly("An audit takes no --request and no --earlier.", remedy="Leave them away.")
    with watched() as every:
        book = read_case_book(place, tell=when_long(every))
        made = audit(book, by=[name.strip() for name in arguments.by.split(",") if name.strip()])
    out: Path = arguments.out
    with filling(out) as folder:
        files = [out / path.name for path in write_audit(made, folder)]
    if arguments.json:
        output.say_json(audit_to_json(made) | {"written": files})
    else:
        output.say("\n".join([*audit_lines(made), "", *(f"Written: {path}" for path in files)]))
    return output.GOOD

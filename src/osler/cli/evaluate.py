"""`osler evaluate`: how good is a model on labelled cases?"""

import argparse
from contextlib import ExitStack
from pathlib import Path

from osler.cli import output
from osler.cli.arguments import Parser, new_parser

SUMMARY = """Test a model on labelled cases: the metrics of its task with 95 % intervals by patient, an HTML page
with plots and the worst and best cases, and the same as JSON. Subgroups of patients, the decision curve and the
operating point are always looked at; worse pictures and other data where asked. MODEL is a folder or a name on
the shelf and is not changed. Where DATA gives no splits and is what the model was trained on, the split of that
training is used; other data without splits is tested whole."""

EXAMPLE = """
osler evaluate my-model pictures/ --out tested
osler evaluate my-model pictures/ --versus chest-pneumonia --json
osler evaluate my-model pictures/ --sensitivity 0.95 --prevalence 0.02 --by sex,age --out tested
osler evaluate my-model pictures/ --robustness --external other-hospital/ --out tested
"""


def share(text: str) -> float:
    """A share above 0 and below 1 from "0.02" or "2%".

    >>> share("2%")
    0.02
    """
    try:
        found = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        found = 0.0
    if not 0 < found < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no share; write 0.95 or 95%")
    return found


def cost(text: str) -> float:
    """How many false alarms a missed case is worth, from "5:1" or "5".

    >>> cost("5:2")
    2.5
    """
    missed, _, alarm = text.partition(":")
    try:
        found = float(missed) / float(alarm or 1)
    except (ValueError, ZeroDivisionError):
        found = 0.0
    if not 0 < found < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is no ratio of costs; write 5:1")
    return found


def parser() -> Parser:
    """The words of `osler evaluate`."""
    made = new_parser("evaluate", SUMMARY, EXAMPLE)
    made.add_argument("model", metavar="MODEL", help="a model's folder or name")
    made.add_argument("data", metavar="DATA", type=Path, help="labelled cases, laid out as for training")
    made.add_argument(
        "--split", choices=("test", "val", "train", "all"), default="test", help="which cases (test)"
    )
    made.add_argument("--versus", metavar="B", default="", help="a second model: a paired test of the difference")
    point = made.add_mutually_exclusive_group()
    point.add_argument(
        "--sensitivity",
        type=share,
        metavar="S",
        help="choose an operating point that finds at least this share, on validation cases, and try it on these",
    )
    point.add_argument("--specificity", type=share, metavar="S", help="the same, sparing at least this share")
    point.add_argument(
        "--cost", type=cost, metavar="M:F", help="the same, a missed case costing M where a false alarm costs F"
    )
    made.add_argument(
        "--prevalence", type=share, metavar="P", help="predictive values where this share has the finding"
    )
    made.add_argument(
        "--by", metavar="COLUMNS", help="subgroups by these facts of the cases, as sex,age (all usable)"
    )
    made.add_argument(
        "--robustness",
        action="store_true",
        help="degrade the pictures in ten ways: how far do the answers fall?",
    )
    made.add_argument(
        "--external",
        type=Path,
        metavar="DATA2",
        action="append",
        default=[],
        help="other labelled data, side by side with these; can be given again",
    )
    made.add_argument("--out", type=Path, metavar="DIR", help="where evaluation.html and evaluation.json go")
    made.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda, cuda:1 (auto)")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Ask the model about every case and score what it says."""
    from osler.cli.audit_lines import audit_lines
    from osler.cli.folders import filling
    from osler.cli.progress import watched
    from osler.cli.sentences import metric_lines
    from osler.inference.device import choose_device
    from osler.lab.evaluate.decisions import Aim
    from osler.lab.evaluate.examine import Wanted, examine
    from osler.models.model import load_model
    from osler.models.shelf import Shelf

    shelf, device = Shelf.default(), choose_device(arguments.device)
    model = load_model(shelf.find(arguments.model), device=device)
    other = load_model(shelf.find(arguments.versus), device=device) if arguments.versus else None
    out: Path | None = arguments.out
    aim = Aim(arguments.sensitivity, arguments.specificity, arguments.cost, arguments.prevalence)
    columns = (
        None if arguments.by is None else tuple(name.strip() for name in arguments.by.split(",") if name.strip())
    )
    wanted = Wanted(columns, aim, arguments.robustness, tuple(arguments.external))
    with ExitStack() as stack:
        folder = stack.enter_context(filling(out)) if out else None
        tell = stack.enter_context(watched())
        done = examine(
            model, arguments.data, split=arguments.split, versus=other, wanted=wanted, out=folder, tell=tell
        )
    comparison = done.comparison
    page = out / done.page.name if out and done.page else None
    if arguments.json:
        answer = (
            done.evaluation.to_json()
            | done.audit.to_json()
            | {"model": model.card.name, "seconds_per_case": done.seconds}
        )
        if comparison:
            answer["versus"] = {"model": arguments.versus, **comparison.to_json()}
        output.say_json(answer | ({"page": page} if page else {}))
        return output.GOOD
    lines = [*metric_lines(done.evaluation), *audit_lines(done.audit)]
    if comparison:
        lines += ["", f"{model.card.name} against {arguments.versus}:"]
        for name, d in comparison.metrics.items():
            apart = f"{d.value:+.3f} ({d.low:+.3f} to {d.high:+.3f}), p {d.p:.3f}"
            lines.append(f"  {name:<22}{d.first:.3f} and {d.second:.3f}: {apart}")
    output.say("\n".join([*lines, *(["", f"Page: {page}"] if page else [])]))
    return output.GOOD

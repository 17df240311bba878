"""`osler evaluate`: how good is a model on labelled cases?"""

import argparse
from contextlib import ExitStack
from pathlib import Path

from osler.cli import output
from osler.cli.arguments import Parser, new_parser

SUMMARY = """Test a model on labelled cases: the metrics of its task with 95 % intervals by patient, an HTML page
with plots and the worst and best cases, and the same as JSON. MODEL is a folder or a name on the shelf.
Where DATA gives no splits and is what the model was trained on, the split of that training is used; other
data without splits is tested whole."""

EXAMPLE = """
osler evaluate my-model pictures/ --out tested
osler evaluate my-model pictures/ --versus chest-pneumonia --json
"""


def parser() -> Parser:
    """The words of `osler evaluate`."""
    made = new_parser("evaluate", SUMMARY, EXAMPLE)
    made.add_argument("model", metavar="MODEL", help="a model's folder or name")
    made.add_argument("data", metavar="DATA", type=Path, help="labelled cases, laid out as for training")
    made.add_argument(
        "--split", choices=("test", "val", "train", "all"), default="test", help="which cases (test)"
    )
    made.add_argument("--versus", metavar="B", default="", help="a second model: a paired test of the difference")
    made.add_argument("--out", type=Path, metavar="DIR", help="where evaluation.html and evaluation.json go")
    made.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda, cuda:1 (auto)")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Ask the model about every case and score what it says."""
    from osler.cli.folders import filling
    from osler.cli.progress import watched
    from osler.cli.sentences import metric_lines
    from osler.inference.device import choose_device
    from osler.lab.evaluate.examine import examine
    from osler.models.model import load_model
    from osler.models.shelf import Shelf

    shelf, device = Shelf.default(), choose_device(arguments.device)
    model = load_model(shelf.find(arguments.model), device=device)
    other = load_model(shelf.find(arguments.versus), device=device) if arguments.versus else None
    out: Path | None = arguments.out
    with ExitStack() as stack:
        folder = stack.enter_context(filling(out)) if out else None
        tell = stack.enter_context(watched())
        done = examine(model, arguments.data, split=arguments.split, versus=other, out=folder, tell=tell)
    comparison = done.comparison
    page = out / done.page.name if out and done.page else None
    if arguments.json:
        answer = done.evaluation.to_json() | {"model": model.card.name, "seconds_per_case": done.seconds}
        if comparison:
            answer["versus"] = {"model": arguments.versus, **comparison.to_json()}
        output.say_json(answer | ({"page": page} if page else {}))
        return output.GOOD
    lines = metric_lines(done.evaluation)
    if comparison:
        lines += ["", f"{model.card.name} against {arguments.versus}:"]
        for name, d in comparison.metrics.items():
            apart = f"{d.value:+.3f} ({d.low:+.3f} to {d.high:+.3f}), p {d.p:.3f}"
            lines.append(f"  {name:<19}{d.first:.3f} and {d.second:.3f}: {apart}")
    output.say("\n".join([*lines, *(["", f"Page: {page}"] if page else [])]))
    return output.GOOD

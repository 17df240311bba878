"""`osler train`: labelled pictures in, a model out."""

import argparse
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from osler.cli import output
from osler.cli.arguments import Parser, duration, new_parser, setting
from osler.core.progress import Tell

SUMMARY = """Learn from labelled pictures. DATA is a folder a class, a CSV or Parquet table, a Medical Segmentation
Decathlon or nnU-Net folder, paired image and label folders, or a MedMNIST .npz; nothing else is needed.
What is planned is written to plan.json, each choice with its reason. Started again with the same --out after
it was stopped, the training goes on where it was."""

EXAMPLE = """
osler train pictures/ --budget 10m --out my-model
osler train table.csv --target grade --task ordinal --out grades
osler train pneumoniamnist.npz --set net=softmax --out textbook
"""


def parser() -> Parser:
    """The words of `osler train`."""
    made = new_parser("train", SUMMARY, EXAMPLE)
    made.add_argument("data", metavar="DATA", type=Path, help="a folder or file with labelled pictures")
    made.add_argument(
        "--task", default="", help="binary, multiclass, multilabel, ordinal, regression, segmentation"
    )
    made.add_argument(
        "--target",
        default="",
        metavar="COLUMN",
        help="the table's column to learn, or the structures of DICOM studies, joined by commas",
    )
    made.add_argument(
        "--budget", type=duration, default=600.0, metavar="TIME", help="wall time: 90s, 10m, 1h30m (10m)"
    )
    made.add_argument("--out", type=Path, metavar="DIR", help="the model's folder (DATA's name with -model)")
    made.add_argument("--name", default="", help="what the model is called (DATA's name)")
    made.add_argument(
        "--card", type=Path, metavar="FILE", help="fields of its card that only a person knows, as JSON"
    )
    made.add_argument(
        "--allow", action="append", default=[], metavar="WHAT",
        help="go on although the check of the data forbids it; leak: the same patients or pictures on both sides",
    )  # fmt: skip
    made.add_argument("--seed", type=int, default=0, metavar="N", help="every die is cast from it (0)")
    made.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda, cuda:1 (auto)")
    made.add_argument("--plan", type=Path, metavar="FILE", help="train by this edited plan.json")
    made.add_argument(
        "--set", dest="settings", type=setting, action="append", default=[], metavar="KEY=VALUE",
        help="set one choice of the plan by hand; see docs/reference/plan.md",
    )  # fmt: skip
    return made


def run(arguments: argparse.Namespace) -> int:
    """Train, test, release; says where the model stands and how good it is."""
    from osler.cli.progress import spoken, watched
    from osler.cli.sentences import metric_lines
    from osler.lab.learn import learn
    from osler.lab.plan.ask import Ask

    data: Path = arguments.data
    out = (arguments.out or Path(f"{data.resolve().name.partition('.')[0]}-model")).absolute()
    ask = Ask(
        task=arguments.task,
        target=arguments.target,
        budget_seconds=arguments.budget,
        seed=arguments.seed,
        device=arguments.device,
        settings=dict(arguments.settings),
        plan=arguments.plan,
        name=arguments.name,
        card=arguments.card,
        allow=tuple(arguments.allow),
    )
    start = time.monotonic()
    with watched() as watching, stoppable(watching) as (tell, stopped):
        learned = learn(data, out=out, ask=ask, tell=tell, stopped=stopped)
    seconds = time.monotonic() - start
    page = learned.folder / "evaluation" / "evaluation.html"
    if arguments.json:
        output.say_json(
            {
                "model": learned.folder,
                "name": learned.card.name,
                "digest": learned.card.digest,
                "seconds": round(seconds, 1),
                "evaluation": learned.evaluation.to_json(),
                "page": page,
                "plan": learned.folder / "plan.json",
                "notes": learned.notes,
            }
        )
        return output.GOOD
    lines = [f"  Mind: {said}" for said in learned.notes]
    lines += [
        *metric_lines(learned.evaluation),
        "",
        f"Model: {learned.folder} (after {spoken(seconds)})",
        f"Page: {page}",
    ]
    output.say("\n".join(lines))
    return output.GOOD


@contextmanager
def stoppable(watching: Tell) -> Iterator[tuple[Tell, Callable[[], bool]]]:
    """`watching`, and whether Ctrl-C was pressed while training: then what was learnt is tested and kept.

    Before and after the training, and the second time, Ctrl-C ends the command at once.
    """
    stage, asked = "", False

    def tell(now: str, done: int, total: int, said: str) -> None:
        nonlocal stage
        stage = now
        watching(now, done, total, said)

    def on_signal(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked or stage != "training":
            raise KeyboardInterrupt
        asked = True
        output.note("Stopping: what was learnt is tested and kept. Press Ctrl-C again to leave at once.")

    if threading.current_thread() is not threading.main_thread():  # only the main thread may be told of signals
        yield tell, lambda: False
        return
    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield tell, lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)

"""`osler train`: labelled pictures in, a model out."""

import argparse
from pathlib import Path

from osler.cli import output
from osler.cli.arguments import Parser, duration, new_parser, setting

SUMMARY = """Learn from labelled pictures. DATA is a folder a class, a CSV or Parquet table, a Medical Segmentation
Decathlon or nnU-Net folder, paired image and label folders, or a MedMNIST .npz; nothing else is needed.
What is planned is written to plan.json, each choice with its reason. Started again with the same --out after
it was stopped, the training goes on where it was."""

EXAMPLE = """
osler train pictures/ --budget 10m --out my-model
osler train table.csv --target grade --task ordinal --out grades
osler train breastmnist.npz --set net=softmax --out textbook
"""


def parser() -> Parser:
    """The words of `osler train`."""
    made = new_parser("train", SUMMARY, EXAMPLE)
    made.add_argument("data", metavar="DATA", type=Path, help="a folder or file with labelled pictures")
    made.add_argument(
        "--task", default="", help="binary, multiclass, multilabel, ordinal, regression, segmentation"
    )
    made.add_argument("--target", default="", metavar="COLUMN", help="the table's column to learn")
    made.add_argument(
        "--budget", type=duration, default=600.0, metavar="TIME", help="wall time: 90s, 10m, 1h30m (10m)"
    )
    made.add_argument("--out", type=Path, metavar="DIR", help="the model's folder (DATA's name with -model)")
    made.add_argument("--name", default="", help="what the model is called (DATA's name)")
    made.add_argument("--seed", type=int, default=0, metavar="N", help="every die is cast from it (0)")
    made.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda, cuda:1 (auto)")
    made.add_argument("--plan", type=Path, metavar="FILE", help="train by this edited plan.json")
    made.add_argument(
        "--set", dest="settings", type=setting, action="append", default=[], metavar="KEY=VALUE",
        help="set one choice of the plan by hand; see docs/reference/plan.md",
    )  # fmt: skip
    return made


def run(arguments: argparse.Namespace) -> int:
    """Train, evaluate, release; says where the model stands."""
    from osler.cli.progress import spoken, watched
    from osler.lab.learn import learn
    from osler.lab.plan.ask import Ask

    data: Path = arguments.data
    ask = Ask(
        task=arguments.task,
        target=arguments.target,
        budget_seconds=arguments.budget,
        seed=arguments.seed,
        device=arguments.device,
        settings=dict(arguments.settings),
        plan=arguments.plan,
        name=arguments.name,
    )
    out = arguments.out or Path(f"{data.resolve().name.partition('.')[0]}-model")
    with watched() as progress:
        learned = learn(data, out=out, ask=ask, progress=progress)
    raise NotImplementedError(spoken, learned)

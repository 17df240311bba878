"""Settings of a plan compared on the training cases alone: each case is answered by a net that did not see it.

python benchmarks/out_of_fold.py DATA FOLDS ANSWERS SETTINGS [SETTINGS ...]

FOLDS     how many; the cases of train and val are divided among them, the test split is not opened
ANSWERS   a folder where the answers of each net are kept; those that lie there already are not made again
SETTINGS  as --set takes them, with commas: steps=1180,widths=[16;32;64],members=2 (two nets, answers averaged)
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from record import keep

from osler.core.arrays import Array
from osler.lab.catalog.dataset import Dataset
from osler.lab.catalog.split import folds
from osler.lab.evaluate.answers import Answers
from osler.lab.evaluate.evaluate import score
from osler.lab.learn import divided, labelled
from osler.lab.plan.ask import Ask
from osler.lab.plan.fingerprint import take_fingerprint
from osler.lab.plan.plan import Plan, with_settings
from osler.lab.plan.rules import Machine, make_plan
from osler.lab.train.cases import prepare_cases
from osler.lab.train.step import Stepper
from osler.models.model import build_net
from osler.models.tasks.table import TASKS

Said = dict[str, tuple[int, list[float]]]  # case -> label, probabilities


def main() -> None:
    data, count, place, *settings = sys.argv[1:]
    torch.set_num_threads(1)
    ask = Ask(budget_seconds=600)
    given = divided(labelled(Path(data), ask), ask)
    pool = replace(given, cases=tuple(case for case in given.cases if case.split != "test"))
    looks = take_fingerprint(given.split("train"), seed=0)
    planned = make_plan(looks, ask, Machine(False, 8 << 30), task=given.task, classes=given.classes)
    rows = {}
    for words in settings:
        chosen = {k: v.replace(";", ",") for k, v in (word.split("=") for word in words.split(","))}
        plan = with_settings(planned, chosen)
        nets = [
            answered(plan, pool, int(count), member, Path(place) / f"{words}.{member}.json")
            for member in range(plan.training.members)
        ]
        rows[words] = figures(pool, nets)
        print(words, rows[words], flush=True)
    keep(
        f"out-of-fold-{Path(data).stem}",
        {
            "command": f"python benchmarks/out_of_fold.py {Path(data).name} {count} ANSWERS {' '.join(settings)}",
            "n": {"cases": len(pool.cases), "folds": int(count)},
            "settings": rows,
        },
    )


def answered(plan: Plan, pool: Dataset, count: int, member: int, kept: Path) -> Said:
    """Every case's answer by the net that was trained on the other folds, mean of the picture and its mirror."""
    if kept.is_file():
        return {case: (label, shares) for case, (label, shares) in json.loads(kept.read_text()).items()}
    said: Said = {}
    task = TASKS[plan.task]
    for number, fold in enumerate(folds(pool, count, seed=0)):
        seen = prepare_cases(fold.split("train"), plan, scratch=kept.parent / "cases")
        held = prepare_cases(fold.split("val"), plan, scratch=kept.parent / "cases")
        stepper = Stepper(plan, seed=1009 * number + member, device="cpu", precision="float32")
        for step in range(plan.training.steps):
            stepper.take(seen, step=step, progress=step / plan.training.steps)
        net = build_net(plan.net, plan.recipe, task.outputs(len(plan.classes)))
        net.load_state_dict(stepper.mean)
        net.eval()
        images = torch.from_numpy(np.stack(list(held.images)))
        with torch.inference_mode():
            shares = (task.answers(net(images)) + task.answers(net(images.flip(3)))) / 2
        for case, row in zip(fold.split("val").cases, shares.tolist(), strict=True):
            said[case.id] = (int(case.label), row)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(said))
    return said


def figures(pool: Dataset, nets: list[Said]) -> dict[str, object]:
    """The metrics of the mean answer, with intervals, and of each net alone without."""
    ids = tuple(nets[0])
    truth = np.array([nets[0][case][0] for case in ids])

    def scored(shares: Array) -> dict[str, object]:
        plain = score(Answers(pool.task, pool.classes, ids, ids, shares, truth=truth), split="val").to_json()
        names = ("auc", "accuracy", "nll", "qwk", "mae")
        return {name: plain["metrics"][name] for name in names if name in plain["metrics"]}

    each = [np.array([net[case][1] for case in ids]) for net in nets]
    return {"together": scored(np.mean(each, axis=0)), "each": [scored(shares) for shares in each]}


if __name__ == "__main__":
    main()

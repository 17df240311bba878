"""How fast this machine trains a net, measured once and remembered, so that a budget becomes a number of steps.

The same command on the same machine then plans the same number of steps, and the same seed gives the same numbers.
"""

import hashlib
import json
import math
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from osler.core.errors import OslerError
from osler.core.record import to_plain
from osler.io.files import read_json, write_json
from osler.lab.plan.plan import Plan
from osler.lab.train.cases import TrainingCases
from osler.lab.train.step import Stepper

WARM_UP, MEASURED = 2, 5  # steps at least
MEASURING = 0.015  # of the budget is spent on measuring each precision, so that one busy second does not decide
SHARE = 0.85  # of the budget goes into steps; the rest prepares, validates and evaluates
LATE, EARLY = 1.3, 0.6  # of a member's share: the schedule is changed where it would end later, or earlier


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds a step takes here, and the precision that was faster."""

    seconds: float
    precision: str


def steps_for(plan: Plan, pace: Pace) -> int:
    """Steps of one member that fit the budget, to two digits (finer would pretend to know the machine better).

    >>> round_down(1234), round_down(87), round_down(5)
    (1200, 87, 5)
    """
    if plan.training.steps:
        return plan.training.steps
    return max(20, round_down(int(plan.training.budget_seconds * SHARE / plan.training.members / pace.seconds)))


def corrected(steps: int, *, step: int, elapsed: float, share: float) -> int:
    """Steps in all, once `step` of them have taken `elapsed` seconds of a member's `share`.

    The pace may have been measured in a busy moment, or the machine may have become busy since. Longer only in the
    first half of the way, while the rate is still high.

    >>> [corrected(1000, step=300, elapsed=seconds, share=100) for seconds in (60, 30, 10)]
    [500, 1000, 2500]
    """
    predicted = elapsed / step * steps
    if elapsed > share / 4 and predicted > LATE * share:
        return max(step, round(share * step / elapsed))
    if steps / 4 < step < steps / 2 and predicted < EARLY * share:
        return round_down(int(SHARE * share * step / elapsed))
    return steps


def round_down(number: int) -> int:
    """To two significant digits, downwards."""
    digits = max(0, int(math.log10(max(1, number))) - 1)
    unit = int(10**digits)
    return number // unit * unit


def measure_pace(plan: Plan, cases: TrainingCases, device: str) -> Pace:
    """Seconds of one training step here, from memory or measured on throw-away nets."""
    memory = Path(os.environ.get("OSLER_HOME", Path.home() / ".osler")) / "pace.json"
    key = _key(plan, len(cases), device)
    try:
        known = read_json(memory) if memory.is_file() else {}
    except OslerError:
        known = {}  # a damaged memory is only a lost measurement
    if isinstance(known.get(key), dict):
        return Pace(float(known[key]["seconds"]), str(known[key]["precision"]))
    asked = plan.training.precision
    choices = ["float32", "bfloat16"] if asked == "auto" else [asked]
    times = {precision: _time(plan, cases, device, precision) for precision in choices}
    # bfloat16 must earn its rounding errors.
    best = "bfloat16" if times.get("bfloat16", math.inf) < 0.85 * times.get("float32", math.inf) else choices[0]
    pace = Pace(times[best], best)
    write_json(memory, {**known, key: to_plain(pace)})
    return pace


def _time(plan: Plan, cases: TrainingCases, device: str, precision: str) -> float:
    """Mean seconds of a step; the mean, because a busy neighbour costs the training just as much."""
    stepper = Stepper(plan, seed=0, device=device, precision=precision)
    for step in range(WARM_UP):
        stepper.take(cases, step=step, progress=0.0)
    start, taken = time.perf_counter(), 0
    while taken < MEASURED or time.perf_counter() - start < MEASURING * plan.training.budget_seconds:
        stepper.take(cases, step=WARM_UP + taken, progress=0.0)
        taken += 1
    return (time.perf_counter() - start) / taken


def _key(plan: Plan, cases: int, device: str) -> str:
    """What the pace depends on: net, tensor, batch, machine. Not the seed, not the budget."""
    plain = to_plain(plan)
    training = {k: plain["training"][k] for k in ("batch", "optimizer", "precision", "average")}
    machine = [platform.node(), platform.processor(), torch.get_num_threads(), torch.__version__, device]
    about = [plan.task, len(plan.classes), plan.recipe.planes, plan.recipe.size, plain["net"], training]
    about += [plain["augmentation"], cases if plan.training.optimizer == "descent" else 0, machine]
    return hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()[:16]

"""The training loop: read this page and you know how Osler trains.

A budget of time becomes a number of steps (`pace.py`). Each step draws cases, varies them, and moves the weights
downhill (`step.py`); the rate rises for a twentieth of the way and falls along a cosine to nothing at its end, so
whatever the budget, the net is finished when the time is over. What answers later is the running mean of the
weights. Every minute the standing is written to disk; a killed run goes on from there and, because every die is
cast from (seed, step), goes on exactly as it would have.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from osler.core.errors import OslerError
from osler.core.progress import Tell, silent
from osler.lab.plan.plan import Plan
from osler.lab.train.cases import TrainingCases
from osler.lab.train.checkpoint import Standing, load_checkpoint, save_checkpoint
from osler.lab.train.pace import Pace, corrected, steps_for
from osler.lab.train.step import Stepper

CHECKPOINT_SECONDS = 30


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A member after its training.

    weights  the averaged weights, by name
    standing how far it came
    notes    what a reader should know: resumed, shortened, lengthened, stopped early
    """

    weights: dict[str, Tensor]
    standing: Standing
    notes: tuple[str, ...]


def train_member(
    plan: Plan,
    cases: TrainingCases,
    *,
    member: int,
    pace: Pace,
    place: Path,
    device: str = "cpu",
    stopped: Callable[[], bool] = lambda: False,
    tell: Tell = silent,
) -> Trained:
    """Train one net by the plan.

    member   number of the net, 0 .. plan.training.members - 1; each has a seed of its own
    place    folder for checkpoints
    stopped  asked after every step; True ends the training early with what has been learnt
    Raises OslerError when the loss stops being a number.
    """
    seed = plan.training.seed * 1009 + member
    stepper = Stepper(plan, seed=seed, device=device, precision=pace.precision)
    checkpoint = place / f"member-{member}.checkpoint"
    standing = load_checkpoint(checkpoint, stepper.raw, stepper.mean, stepper.optimizer)
    notes = [f"went on from step {standing.step} of {standing.steps}"] if standing else []
    standing = standing or Standing(0, steps_for(plan, pace), 0.0, ())

    step, steps, losses = standing.step, standing.steps, list(standing.losses)
    share = plan.training.budget_seconds / plan.training.members
    began = saved = time.monotonic()
    recent: list[float] = []
    while step < steps and not stopped():
        loss = stepper.take(cases, step=step, progress=step / steps)
        if loss != loss:
            raise OslerError(
                f"The loss is not a number any more at step {step}.",
                remedy="Train with a smaller rate: --set rate=0.0005.",
            )
        step += 1
        recent.append(loss)
        if step * 100 // steps > len(losses):
            losses.append(sum(recent) / len(recent))
            recent.clear()
        now = time.monotonic()
        elapsed = standing.elapsed + now - began
        whole = plan.training.members * steps
        tell("training", member * steps + step, whole, f"net {member + 1}, loss {loss:.3f}")
        if not plan.training.steps and step % 20 == 0:
            planned, steps = steps, corrected(steps, step=step, elapsed=elapsed, share=share)
            if steps != planned:
                notes.append(f"{_other_than_measured(steps, planned)} to {steps} steps")
        if now - saved > CHECKPOINT_SECONDS:
            here = Standing(step, steps, elapsed, tuple(losses))
            save_checkpoint(checkpoint, here, stepper.raw.state_dict(), stepper.mean, stepper.optimizer)
            saved = time.monotonic()
    if step < steps:
        notes.append(f"stopped after {step} of {steps} steps")
    finished = Standing(step, steps, standing.elapsed + time.monotonic() - began, tuple(losses))
    save_checkpoint(checkpoint, finished, stepper.raw.state_dict(), stepper.mean, stepper.optimizer)
    return Trained(stepper.mean, finished, tuple(notes))


def _other_than_measured(steps: int, planned: int) -> str:
    if steps < planned:
        return "the machine was slower than measured: the schedule was shortened"
    return "the machine was faster than measured: the schedule was lengthened"

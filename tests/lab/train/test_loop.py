"""Training: repeatable, resumable, and it learns."""

import itertools
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from osler.lab.plan.plan import Augmentation, Plan, Training
from osler.lab.train import loop
from osler.lab.train.cases import TrainingCases
from osler.lab.train.loop import train_member
from osler.lab.train.pace import Pace, steps_for
from osler.models.model import NetPlan
from osler.models.recipe import Channel, Normalization, Recipe

PACE = Pace(0.01, "float32")
RECIPE = Recipe(2, False, (Channel("image", "", Normalization("zscore")),), True, (12, 12))
VARIED = Augmentation(flips=(1,), chance=0.5, rotate=10, scale=0.1, shift=0.05, intensity=0.5, noise=0.1, mix=0.5)


def plan(steps=40, **training):
    return Plan(
        "binary", ("no", "yes"), RECIPE, NetPlan("resnet", {"widths": (4, 8), "blocks": 1, "dropout": 0.2}),
        Training(budget_seconds=60, steps=steps, batch=8, **training), VARIED,
    )  # fmt: skip


@pytest.fixture
def cases():
    """Bright spots on the left are "yes", on the right "no"... unless mirrored, so rows decide: top or bottom."""
    random = np.random.default_rng(0)
    images = random.normal(0, 0.3, (60, 1, 12, 12)).astype(np.float32)
    truth = random.integers(0, 2, 60)
    for image, label in zip(images, truth, strict=True):
        image[0, 1 if label else 8 : 4 if label else 11, 4:8] += 2
    return TrainingCases(list(images), truth)


def weights(trained):
    return torch.cat([v.flatten().float() for v in trained.weights.values()])


def test_the_same_seed_gives_the_same_weights_and_another_seed_does_not(cases, tmp_path):
    one, two, other = (
        weights(train_member(plan(seed=seed), cases, member=0, pace=PACE, place=tmp_path / str(i)))
        for i, seed in enumerate((5, 5, 6))
    )
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_a_stopped_run_goes_on_exactly_as_it_would_have(cases, tmp_path):
    whole = train_member(plan(), cases, member=0, pace=PACE, place=tmp_path / "whole")
    count = iter(range(100))
    first = train_member(
        plan(), cases, member=0, pace=PACE, place=tmp_path / "halves", stopped=lambda: next(count) >= 17
    )
    assert first.standing.step == 17
    assert "stopped after 17" in first.notes[0]
    second = train_member(plan(), cases, member=0, pace=PACE, place=tmp_path / "halves")
    assert "went on from step 17" in second.notes[0]
    assert torch.equal(weights(whole), weights(second))


def test_a_pace_measured_in_a_busy_moment_does_not_leave_the_budget_unused(cases, tmp_path, monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: next(ticks) / 100))  # a step takes .01 s
    timed = replace(plan(), training=Training(budget_seconds=2, batch=8))
    measured = Pace(0.02, "float32")
    trained = train_member(timed, cases, member=0, pace=measured, place=tmp_path)
    assert steps_for(timed, measured) == 85
    assert trained.standing.step == 170
    assert trained.notes == ("the machine was faster than measured: the schedule was lengthened to 170 steps",)


def test_it_learns_what_can_be_seen(cases, tmp_path):
    trained = train_member(plan(steps=120, rate=3e-3), cases, member=0, pace=PACE, place=tmp_path)
    assert trained.standing.losses[-1] < 0.6 * trained.standing.losses[0]


def test_a_torn_checkpoint_starts_again_instead_of_failing(cases, tmp_path):
    tmp_path.joinpath("member-0.checkpoint").write_bytes(b"half of a file")
    trained = train_member(plan(steps=5), cases, member=0, pace=PACE, place=tmp_path)
    assert trained.standing.step == 5
    assert trained.notes == ()


def test_gradient_descent_sees_all_cases_at_every_step_and_falls(cases, tmp_path):
    softmax = Plan(
        "binary", ("no", "yes"), RECIPE, NetPlan("softmax", {}),
        Training(budget_seconds=60, steps=30, optimizer="descent", rate=0.5, average=0.0, clip=0.0),
        Augmentation(),
    )  # fmt: skip
    losses = train_member(softmax, cases, member=0, pace=PACE, place=tmp_path).standing.losses
    assert losses[0] == pytest.approx(np.log(2), abs=1e-6)  # zero weights: both classes equally likely
    assert all(b < a for a, b in itertools.pairwise(losses))


def test_a_run_killed_with_9_goes_on(tmp_path):
    """The whole road in a process of its own, killed while it trains, started again with the same words."""
    from osler.phantoms.datasets import write_image_set

    data = write_image_set(tmp_path / "data", patients=24, seed=1)
    script = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from osler.lab.learn import learn
        from osler.lab.plan.ask import Ask
        import osler.lab.train.loop as loop
        loop.CHECKPOINT_SECONDS = 0
        def tell(stage, done, total, note):
            print(stage, done, flush=True)
        settings = {{"steps": "60", "members": "1", "widths": "[4,8]", "size": "[32,32]"}}
        made = learn(Path({str(data)!r}), out=Path(sys.argv[1]), ask=Ask(settings=settings), tell=tell)
        print("notes", made.notes)
    """)
    environment = {**os.environ, "OSLER_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}

    def start(out):
        command = [sys.executable, "-c", script, str(out)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)

    whole = start(tmp_path / "whole")
    whole.communicate(timeout=400)
    assert whole.returncode == 0
    victim = start(tmp_path / "killed")
    for line in victim.stdout:
        if line.startswith("training") and int(line.split()[1]) >= 25:
            break
    victim.send_signal(signal.SIGKILL)
    victim.wait(20)
    assert not (tmp_path / "killed").exists()
    time.sleep(0.1)
    again = start(tmp_path / "killed")
    said = again.communicate(timeout=400)[0]
    assert again.returncode == 0
    assert "went on from step" in said
    name = "member-0.safetensors"
    assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()

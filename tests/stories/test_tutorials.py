"""The tutorials say only what works: their commands are run in order, and so are their lines of Python.

A comment `<!-- in tests: OLD => NEW -->` before a block changes that block here, so that a budget of a minute
becomes one of seconds; `<!-- in tests: skip -->` leaves the block out.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from osler.cli.main import main
from osler.lab.learn import divided, labelled, planned
from osler.lab.plan.ask import Ask
from osler.lab.train.cases import prepare_cases
from osler.lab.train.loop import train_member
from osler.lab.train.pace import Pace

START = Path(__file__).parents[2] / "docs" / "start"
BLOCK = re.compile(r"((?:<!-- in tests: .+? -->\n+)*)```(sh|python)\n(.*?)```", re.S)
CHANGE = re.compile(r"<!-- in tests: (.+?) -->")


def blocks(page: str) -> Iterator[tuple[str, str]]:
    """(language, text) of every block that runs, changed as its comments say."""
    for comments, language, text in BLOCK.findall((START / page).read_text(encoding="utf-8")):
        changes = CHANGE.findall(comments)
        if "skip" in changes:
            continue
        for change in changes:
            old, new = change.split(" => ")
            assert old in text, f"{page}: '{old}' is not in the block that it changes"
            text = text.replace(old, new)
        yield language, text


def walk(page: str) -> dict[str, Any]:
    """Run every block of a page in the current folder; the names its Python leaves."""
    names: dict[str, Any] = {}
    for language, text in blocks(page):
        if language == "python":
            exec(compile(text, page, "exec"), names)
            continue
        for line in text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                assert words[0] == "osler", f"{page}: only osler commands can be tested, not '{line}'"
                assert main(words[1:]) == 0, line
    return names


@pytest.fixture
def quiet_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OSLER_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_first_model_tutorial_leads_from_made_up_patients_to_a_report(quiet_place: Path) -> None:
    walk("first-model.md")
    assert (quiet_place / "report" / "report.html").is_file()
    assert (quiet_place / "tested" / "evaluation.html").is_file()


def test_the_softmax_tutorial_runs_and_its_numpy_agrees_with_osler(quiet_place: Path) -> None:
    names = walk("softmax.md")
    assert names["W"].shape == (784, 2)


def test_both_languages_of_the_first_tutorial_have_the_same_blocks() -> None:
    assert list(blocks("first-model.zh-CN.md")) == list(blocks("first-model.md"))


@pytest.mark.parametrize(("rate", "steps"), [(0.5, 4), (0.02, 150)])
def test_the_tutorials_descent_gives_osler_s_weights(quiet_place: Path, rate: float, steps: int) -> None:
    """The page's own `descend` against the net in training, before weights are rounded for the shelf."""
    names: dict[str, Any] = {}
    for language, text in blocks("softmax.md"):
        if language == "python" and ("np.savez" in text or "def " in text):
            exec(compile(text, "softmax.md", "exec"), names)
    ask = Ask(settings={"net": "softmax", "rate": str(rate), "steps": str(steps)})
    dataset = divided(labelled(quiet_place / "small.npz", ask), ask)
    plan = planned(dataset, ask, device="cpu", place=quiet_place / "training")
    cases = prepare_cases(dataset.split("train"), plan, scratch=quiet_place / "cases")
    pace = Pace(1.0, "float32")
    trained = train_member(plan, cases, member=0, pace=pace, place=quiet_place / "training")

    with np.load(quiet_place / "small.npz") as arrays:
        images, labels = arrays["train_images"], arrays["train_labels"][:, 0]
    x = images.reshape(len(images), -1) / plan.recipe.channels[0].normalization.std[0]
    W, b = names["descend"](x, labels, classes=2, rate=rate, steps=steps)
    np.testing.assert_allclose(trained.weights["linear.weight"].numpy().T, W, atol=1e-4)
    np.testing.assert_allclose(trained.weights["linear.bias"].numpy(), b, atol=1e-4)
    assert trained.weights["linear.weight"].dtype == torch.float32

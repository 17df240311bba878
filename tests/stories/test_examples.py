"""Every script in examples/ runs, and says what it should."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
AT_MOST_LINES = 40


@pytest.fixture
def main_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Callable[..., Any]]:
    monkeypatch.setenv("OSLER_HOME", str(tmp_path / "home"))

    def load(name: str) -> Callable[..., Any]:
        main: Callable[..., Any] = runpy.run_path(str(EXAMPLES / name))["main"]
        return main

    return load


def test_each_example_is_run_below_and_short() -> None:
    names = {path.name for path in EXAMPLES.glob("*.py")}
    assert names == {"learn_and_evaluate.py", "nouns.py", "read_a_study.py"}
    for name in names:
        assert len((EXAMPLES / name).read_text(encoding="utf-8").splitlines()) <= AT_MOST_LINES


def test_learn_and_evaluate(
    main_of: Callable[[str], Callable[..., Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = main_of("learn_and_evaluate.py")(tmp_path, seconds=1)
    assert answer.classes == ("normal", "opacity")
    assert np.isclose(answer.probabilities.sum(), 1)
    said = capsys.readouterr().out
    assert "Trained on" in said and "AUC" in said
    assert (tmp_path / "tested" / "evaluation.html").is_file()


def test_read_a_study(
    main_of: Callable[[str], Callable[..., Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reports = main_of("read_a_study.py")(tmp_path)
    assert (tmp_path / "study" / "report.html").is_file()
    # No model that ships with Osler reads a CT of the abdomen; the radiograph is read where one is there.
    assert reports[0].declined and not reports[0].findings
    assert capsys.readouterr().out.startswith("study: declined")
    for report in reports[1:]:
        assert bool(report.declined) != bool(report.findings)


def test_nouns(main_of: Callable[[str], Callable[..., Any]], tmp_path: Path) -> None:
    mask = main_of("nouns.py")(tmp_path)
    assert mask.labels == {1: "bone"}
    assert np.isclose(mask.of(1).sum() * mask.geometry.voxel_ml, 4 / 3 * np.pi, rtol=0.05)

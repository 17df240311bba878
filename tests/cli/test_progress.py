"""Progress where there is no terminal."""

import pytest

from osler.cli import progress
from osler.cli.progress import watched


def test_lines_tell_the_start_and_the_end_of_each_stage(capsys: pytest.CaptureFixture[str]) -> None:
    with watched() as tell:
        for done in range(1001):
            tell("training", done, 1000, "loss .3")
        tell("asking", 0, 0, "")
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert captured.out == "" and len(lines) < 10
    assert lines[0].startswith("training 0/1000") and lines[-2].startswith("training 1000/1000: loss .3")
    assert lines[-1] == "asking"


def test_progress_is_told_only_when_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[int] = []
    clock = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    tell = progress.when_long(lambda stage, done, total, note: heard.append(done))
    for done, clock[0] in ((1, 0.5), (2, 1.5), (3, 2.5), (4, 3.0)):
        tell("headers", done, 4, "")
    assert heard == [3, 4]

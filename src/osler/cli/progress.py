"""How far the work is, on stderr: a bar with the time left on a terminal, a line every few seconds elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from osler.cli.output import note
from osler.core.progress import Tell

EVERY_SECONDS = 5.0
_LONG_SECONDS = 2.0


@contextmanager
def watched() -> Iterator[Tell]:
    """What to hand to long work as `progress`."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(bar_width=30),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[note]}"),
    )
    stages: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(stderr=True), refresh_per_second=4) as bars:

        def tell(stage: str, done: int, total: int, note: str) -> None:
            if stage not in stages:
                stages[stage] = bars.add_task(stage, total=total or None, note="")
            bars.update(stages[stage], completed=done, total=total or None, note=note)

        yield tell


def when_long(tell: Tell) -> Tell:
    """The same, silent for the first seconds: most studies are shown before anybody wonders."""
    began = time.monotonic()

    def later(stage: str, done: int, total: int, note: str) -> None:
        if time.monotonic() - began > _LONG_SECONDS:
            tell(stage, done, total, note)

    return later


class _Lines:
    """Plain lines: the start and end of each stage, and one every few seconds between."""

    def __init__(self) -> None:
        self.stage = ""
        self.began = 0.0
        self.first = 0  # a training that goes on does not begin at nothing
        self.told = 0.0

    def __call__(self, stage: str, done: int, total: int, said: str) -> None:
        now = time.monotonic()
        fresh = stage != self.stage
        if fresh:
            self.stage, self.began, self.first = stage, now, done
        if not fresh and now - self.told < EVERY_SECONDS and done != total:
            return
        self.told = now
        note(
            ": ".join(
                part for part in (_line(stage, done, total, now - self.began, first=self.first), said) if part
            )
        )


def _line(stage: str, done: int, total: int, seconds: float, *, first: int = 0) -> str:
    """
    >>> _line("training", 30, 120, 10.0)
    'training 30/120, 30 s left'
    """
    if not total:
        return f"{stage} {done}" if done else stage
    left = seconds / (done - first) * (total - done) if done > first else 0
    return f"{stage} {done}/{total}" + (f", {spoken(left)} left" if left >= 1 else "")


def spoken(seconds: float) -> str:
    """A duration as a person says it.

    >>> spoken(42.4), spoken(150)
    ('42 s', '2 min 30 s')
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

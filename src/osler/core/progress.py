"""How work in progress is told to whoever watches; the command line draws a bar of it."""

from collections.abc import Callable

Tell = Callable[[str, int, int, str], None]
"""tell(stage, done, total, note): "training", 120, 900, "loss .31". total 0 where it is not known."""


def silent(stage: str, done: int, total: int, note: str) -> None:
    """Nobody watches."""

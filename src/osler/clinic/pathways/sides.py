"""Left and right, as names of outlines say them."""

import re

from osler.results.sentences import english

_WORDS = {"L": {"left", "l", "lt", "sin"}, "R": {"right", "r", "rt", "dex"}}


def side_of(name: str) -> str:
    """Which side of the body a name speaks of: "L", "R", or "" where it says neither or both.

    >>> side_of("Hippocampus left"), side_of("Lung_R"), side_of("GTV"), side_of("right and left lung")
    ('L', 'R', '', '')
    """
    words = set(re.split(r"[^a-z]+", english(name).lower()))
    found = [side for side, spelt in _WORDS.items() if words & spelt]
    return found[0] if len(found) == 1 else ""

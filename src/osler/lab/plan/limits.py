"""What the choices of a plan may be, whoever makes them: a rule, `--set`, or a person who edits plan.json."""

import math
from collections.abc import Mapping
from typing import Any

from osler.core.errors import AskedWrongly, UnknownChoice

_SHARE = (0.0, 1.0)
_MANY = (1, 10_000)
# Of numbers, and of each item of a list; both ends may be chosen.
LIMITS: Mapping[str, tuple[float, float]] = {
    "budget_seconds": (1e-3, 1e9),
    "steps": (0, 1e9),
    "members": (1, 100),
    "batch": _MANY,
    "rate": (1e-9, 100.0),
    "weight_decay": (0.0, 10.0),
    "average": _SHARE,
    "foreground": _SHARE,
    "balance": _SHARE,
    "clip": (0.0, 1e9),
    "flips": (0, 2),
    "chance": _SHARE,
    "rotate": (0.0, 180.0),
    "scale": (0.0, 10.0),
    "shift": _SHARE,
    "intensity": _SHARE,
    "brightness": (0.0, 10.0),
    "contrast": (0.0, 10.0),
    "gamma": (0.0, 10.0),
    "noise": (0.0, 10.0),
    "low_resolution": _SHARE,
    "erase": _SHARE,
    "mix": _SHARE,
    "size": _MANY,
    "spacing": (1e-4, 1e4),
    "widths": _MANY,
    "blocks": (1, 100),
    "stem": (1, 8),
    "dropout": (0.0, 0.99),
    "encoder": (1, 100),
    "decoder": (1, 100),
    "supervised": (1, 100),
}
WORDS: Mapping[str, tuple[str, ...]] = {
    "optimizer": ("adamw", "descent"),
    "precision": ("auto", "float32", "bfloat16"),
    "fit": ("stretch", "pad"),
}
_MAY_BE_EMPTY = {"flips", "decoder"}


def check_choice(name: str, value: Any) -> None:
    """Raises AskedWrongly or UnknownChoice for a value that no plan may hold under this name."""
    if name in WORDS and value not in WORDS[name]:
        raise UnknownChoice.among(name, str(value), WORDS[name])
    if name not in LIMITS or value is None:
        return
    numbers = value if isinstance(value, tuple | list) else (value,)
    low, high = LIMITS[name]
    if not numbers and name not in _MAY_BE_EMPTY:
        raise AskedWrongly(
            f"{name} is an empty list.", remedy="Name one number at least; see docs/reference/plan.md."
        )
    for number in numbers:
        if not (math.isfinite(number) and low <= number <= high):
            raise AskedWrongly(
                f"{name} cannot be {number:g}.",
                remedy=f"Choose from {low:g} to {high:g}; see docs/reference/plan.md.",
            )


def check_axes(name: str, value: tuple[float, ...] | None, dims: int) -> None:
    """Raises AskedWrongly for a list with another number of items than the pictures have axes."""
    if value is not None and len(value) != dims:
        raise AskedWrongly(
            f"{name} has {len(value)} numbers, and the pictures have {dims} axes.",
            remedy=f"Name {dims} numbers, for {'(slices, ' if dims == 3 else '('}rows, columns).",
        )

"""Is a picture good enough to be read? One question a check, one row a check."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from osler.core.registry import Registry
from osler.core.report import Problem
from osler.core.study import Picture
from osler.quality import exposure, geometry


@dataclass(frozen=True, slots=True)
class Check:
    """One question about a picture.

    ask       what is wrong with the picture, None when nothing is
    declines  True: a picture that fails is not read; False: it is read, and the report says so
    """

    ask: Callable[[Picture], Problem | None]
    declines: bool


@dataclass(frozen=True, slots=True)
class Quality:
    """What the checks found: why the picture is not read, and what to mind when it is."""

    declined: tuple[Problem, ...]
    cautions: tuple[Problem, ...]


CHECKS: Registry[Check] = Registry(
    "quality check",
    numbers=Check(exposure.not_numbers, declines=True),
    blank=Check(exposure.blank, declines=True),
    mask=Check(exposure.looks_like_a_mask, declines=True),
    burnt_out=Check(exposure.burnt_out, declines=True),
    clipped=Check(exposure.clipped, declines=False),
    tiny=Check(geometry.tiny, declines=True),
    small=Check(geometry.small, declines=False),
    strip=Check(geometry.strip, declines=True),
    few_slices=Check(geometry.few_slices, declines=True),
    thick_slices=Check(geometry.thick_slices, declines=False),
    spacing_missing=Check(geometry.spacing_missing, declines=False),
    spacing_odd=Check(geometry.spacing_odd, declines=False),
)


def check_quality(picture: Picture, names: Iterable[str]) -> Quality:
    """Ask the checks of these names, in order; after a first reason not to read, the rest is not asked.

    Raises UnknownChoice for a name that is not in CHECKS.
    """
    cautions: list[Problem] = []
    for name in names:
        check = CHECKS[name]
        problem = check.ask(picture)
        if problem is None:
            continue
        if check.declines:
            return Quality((problem,), tuple(cautions))
        cautions.append(problem)
    return Quality((), tuple(cautions))

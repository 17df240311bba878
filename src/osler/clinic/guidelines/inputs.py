"""Inputs that several guidelines ask."""

from osler.clinic.guidelines.guideline import Input

AGE = Input("age_years", "years", needed=True, low=0, high=120)
SEX = Input("sex", needed=True, words=("F", "M", "O"))
NODULE_KINDS = ("solid", "part-solid", "ground-glass")


def number(
    name: str, unit: str, high: float, *, low: float = 0.0, needed: bool = False, step: float = 0.0
) -> Input:
    """A number from `low` to `high`; beyond them it cannot be meant."""
    return Input(name, unit, needed=needed, low=low, high=high, step=step)


def words(name: str, *choices: str, needed: bool = False) -> Input:
    """One of some words."""
    return Input(name, needed=needed, words=choices)


def grade(name: str, top: int) -> Input:
    """A whole number from 0 to `top`."""
    return Input(name, "1", needed=True, low=0, high=top, step=1)

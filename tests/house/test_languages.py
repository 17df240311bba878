"""Every page with a Chinese sister says the same in the same order: headings and commands."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SISTERS = sorted({ROOT / "README.zh-CN.md", *(ROOT / "docs").rglob("*.zh-CN.md")})


def headings(text: str) -> list[int]:
    """The level of each heading, in order; code is left out."""
    return [len(mark) for mark in re.findall(r"^(#+) ", re.sub(r"```.*?```", "", text, flags=re.S), flags=re.M)]


def commands(text: str) -> list[str]:
    """Every line of every block of code, comments left out: people may read those in their own language."""
    blocks = re.findall(r"```\w*\n(.*?)```", text, flags=re.S)
    lines = [re.sub(r"\s*(^|\s)# .*", "", line).strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


@pytest.mark.parametrize("chinese", SISTERS, ids=lambda path: path.name)
def test_both_languages_have_the_same_headings_and_commands(chinese: Path) -> None:
    english = chinese.with_name(chinese.name.replace(".zh-CN.md", ".md"))
    first, second = english.read_text(encoding="utf-8"), chinese.read_text(encoding="utf-8")
    assert headings(first) == headings(second)
    assert commands(first) == commands(second)
    assert re.search(r"[\u4e00-\u9fff]", second), "the sister is Chinese"


def test_the_first_tutorial_has_a_sister() -> None:
    assert any(path.parent.name == "start" for path in SISTERS)


def test_the_readme_shows_commands() -> None:
    shown = commands((ROOT / "README.md").read_text(encoding="utf-8"))
    assert {"make demo", "make test"} <= set(shown)

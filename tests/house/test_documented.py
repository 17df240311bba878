"""What is not documented does not merge."""

import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import osler
from osler.cli.arguments import options_of, subparsers_of
from osler.cli.main import COMMANDS
from osler.core.errors import OslerError
from osler.core.registry import Registry
from osler.lab.plan.plan import settings_known

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"


def registries() -> Iterator[tuple[str, str]]:
    """(kind, name) of every row of every table in the house."""
    for found in pkgutil.walk_packages(osler.__path__, "osler."):
        if not found.name.startswith("osler.cli."):
            for thing in vars(importlib.import_module(found.name)).values():
                if isinstance(thing, Registry):
                    yield from ((thing.kind, name) for name in thing)


def errors(kind: type[OslerError] = OslerError) -> Iterator[type[OslerError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from errors(below)


def test_generated_pages_are_current() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_command_and_option_has_its_place(verb: str) -> None:
    page = (REFERENCE / "commands" / f"{verb}.md").read_text(encoding="utf-8")
    parser = importlib.import_module(COMMANDS[verb].module).parser()
    for option in options_of(parser) - {"-h", "--help"}:
        assert f"`{option}" in page
    for below in subparsers_of(parser):
        assert f"## osler {verb} {below}" in page
    assert f"osler {verb}" in page.partition("## Example")[2]


def test_every_row_of_every_table_is_documented() -> None:
    pages = "\n".join(path.read_text(encoding="utf-8") for path in REFERENCE.rglob("*.md"))
    known = set(registries())
    assert {kind for kind, _ in known} >= {"net", "task"}
    missing = sorted(
        (kind, name) for kind, name in known if f"`{name}`" not in pages and f"## {name}\n" not in pages
    )
    assert missing == []


def test_every_error_is_documented() -> None:
    page = (REFERENCE / "errors.md").read_text(encoding="utf-8")
    ours = [kind for kind in errors() if kind.__module__.startswith("osler.")]
    assert len(ours) > 8 and [kind.__name__ for kind in ours if f"`{kind.__name__}`" not in page] == []


def test_every_setting_is_documented() -> None:
    page = (REFERENCE / "plan.md").read_text(encoding="utf-8")
    assert [name for name in settings_known() if f"`{name}`" not in page] == []

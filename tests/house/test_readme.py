"""What people read first is true: links lead somewhere, commands exist, Python compiles, rooms are there."""

import importlib
import re
import shlex
from pathlib import Path

import pytest

from osler.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
WRITTEN = [page for page in PAGES if "reference" not in page.parts]  # the others are made from the code
LARGEST_PICTURE = 150_000


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.S)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`|\$[^$\n]+\$", "", page.read_text(encoding="utf-8"), flags=re.S)
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [link for link in links if link and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_shown_can_be_typed(page: Path) -> None:
    for block in blocks(page, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.partition("||")[0], comments=True)
            if words[:1] == ["osler"]:
                parser = importlib.import_module(COMMANDS[words[1]].module).parser()
                parser.parse_args(words[2:])  # raises AskedWrongly for a word it does not know


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_line_of_python_compiles(page: Path) -> None:
    for block in blocks(page, "python"):
        compile(block, str(page), "exec")


def test_every_page_is_in_the_index_or_in_a_page_that_is() -> None:
    index = ROOT / "docs" / "README.md"
    seen, queue = {index}, [index]
    while queue:
        page = queue.pop()
        for link in re.findall(r"\]\(([^)\s#]+\.md)\)", page.read_text(encoding="utf-8")):
            target = (page.parent / link).resolve()
            if target.is_relative_to(ROOT) and target not in seen:
                seen.add(target)
                queue.append(target)
    lost = [page for page in (ROOT / "docs").rglob("*.md") if page not in seen]
    assert [str(page.relative_to(ROOT)) for page in lost] == []


def test_the_map_names_the_rooms_that_there_are() -> None:
    drawn = next(block for block in blocks(ROOT / "README.md", "text") if "core" in block)
    rooms = {path.parent.name for path in (ROOT / "src" / "osler").glob("*/__init__.py")}
    assert [room for room in rooms if not re.search(rf"\b{room}\b", drawn)] == []


def test_the_picture_is_small() -> None:
    assert (ROOT / "docs" / "picture.png").stat().st_size < LARGEST_PICTURE

"""Nothing of one machine in the files, and no print in the house."""

import ast
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Spelled in pieces, so that this page does not find itself.
PLACES = re.compile(r"(?<![\w.])/(?:" + "|".join(["wo" + "rk", "ho" + "me", "ro" + "ot", "Us" + "ers"]) + r")/\w")
HOSTS = re.compile(
    r"https?://[^\s\"')]*(?:"
    + "|".join(["py" + "pi", "arti" + "factory", "nex" + "us", "regis" + "try", "prox" + "y"])
    + ")"
)
INDEX = re.compile("extra-" + r"index-url|--" + "index-url|--find" + "-links")


def texts() -> list[tuple[str, str]]:
    """Every text file that git knows or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        folders = ("src", "tests", "docs", "benchmarks", "examples")
        names = [str(p.relative_to(ROOT)) for folder in folders for p in (ROOT / folder).rglob("*") if p.is_file()]
    else:
        names = listed.stdout.splitlines()
    found = []
    for name in names:
        path = ROOT / name
        if path.is_file() and path.stat().st_size < 2_000_000:
            try:
                found.append((name, path.read_text(encoding="utf-8")))
            except UnicodeDecodeError:
                continue  # weights and pictures
    return found


def test_no_file_names_a_place_or_a_host_of_one_machine() -> None:
    files = texts()
    assert len(files) > 50
    found = [
        f"{name}: {match.group()}"
        for name, text in files
        for pattern in (PLACES, HOSTS, INDEX)
        for match in pattern.finditer(text)
    ]
    assert found == []


def test_nothing_in_the_house_prints() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / "src").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert found == []


def test_every_package_is_pinned_and_by_version_alone() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9A-Za-z.]*", line) for line in lines)
    names = {line.partition("==")[0].lower().replace("_", "-") for line in lines}
    assert "torch==2.13.0" in lines and not any(name.startswith(("nvidia-", "triton")) for name in names)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    wanted = re.findall(r'"([A-Za-z0-9_-]+)"', project.partition("dependencies = [")[2].partition("]")[0])
    assert {name.lower().replace("_", "-") for name in wanted} <= names

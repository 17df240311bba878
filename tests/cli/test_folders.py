"""All of it or nothing, and never over what somebody else left."""

from pathlib import Path

import pytest

from osler.cli.folders import filling
from osler.core.errors import AskedWrongly


@pytest.mark.parametrize("exists", [False, True])
def test_nothing_is_left_when_the_work_fails(exists: bool, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if exists:
        out.mkdir()
        (out / "mine.txt").write_text("mine")
    with pytest.raises(ZeroDivisionError), filling(out) as folder:
        (folder / "half.txt").write_text("half")
        raise ZeroDivisionError
    assert [p.name for p in tmp_path.rglob("*")] == (["out", "mine.txt"] if exists else [])


def test_what_was_there_stays_and_the_same_name_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "masks" / "a").write_text("old")
    (tmp_path / "masks" / "b").write_text("old")
    with filling(tmp_path) as folder:
        (folder / "masks").mkdir()
        (folder / "masks" / "a").write_text("new")
        (folder / "answer").write_text("new")
    found = {p.relative_to(tmp_path).as_posix(): p.read_text() for p in tmp_path.rglob("*") if p.is_file()}
    assert found == {"mine.txt": "mine", "masks/a": "new", "masks/b": "old", "answer": "new"}


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(AskedWrongly), filling(tmp_path / "out"):
        pass

"""The demo's folder and pictures; the walk itself is `make demo`."""

from pathlib import Path

import pytest

from osler.cli.demo import CARD, own_folder, real_images
from osler.core.errors import AskedWrongly
from osler.core.record import from_plain
from osler.models.card import ModelCard


def test_only_a_demo_of_its_own_is_written_over(tmp_path: Path) -> None:
    assert own_folder(tmp_path) == tmp_path
    (tmp_path / "patients").mkdir()
    assert own_folder(tmp_path) == tmp_path
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(AskedWrongly):
        own_folder(tmp_path)


def test_the_real_images_are_there() -> None:
    found = real_images()
    assert list(found) == ["real radiograph of a chest", "real radiograph of a leg"]
    assert all(path.is_file() for path in found.values())


def test_the_card_fits() -> None:
    sees = {"dims": 3, **CARD["sees"]}
    from_plain(
        ModelCard, {"name": "x", "version": "1", "task": "segmentation", "classes": [], **CARD, "sees": sees}
    )

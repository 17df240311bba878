"""What learning does with the check of its data, before anything is trained."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from osler.core.errors import BadDataset
from osler.core.record import to_plain
from osler.io.files import write_json
from osler.lab.catalog.care.check import Care
from osler.lab.catalog.care.duplicates import with_copies_together
from osler.lab.learn import _stamp, cared_for, divided, labelled, learn
from osler.lab.plan.ask import Ask


def pictures(root: Path, numbers: dict[str, int], *, split: str = "") -> Path:
    """A folder a class; case name -> the seed of its pixels."""
    for place, (name, seed) in enumerate(numbers.items()):
        pixels = np.random.default_rng(seed).integers(0, 255, (24, 24), dtype=np.uint8)
        path = root / split / ("ill" if place % 2 else "well") / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return root


def test_our_own_splits_keep_copies_on_one_side(tmp_path: Path) -> None:
    data = pictures(tmp_path / "data", {f"p{n:02d}": n % 12 for n in range(24)})
    dataset = labelled(data, Ask())
    care = cared_for(dataset, Ask(), place=tmp_path)
    sides = {case.id: case.split for case in divided(with_copies_together(dataset, care.copies), Ask()).cases}
    assert len(care.copies) == 12
    assert all(sides[pair.one] == sides[pair.other] for pair in care.copies)
    assert set(sides.values()) == {"train", "val", "test"}


def test_given_splits_that_leak_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    data = pictures(tmp_path / "data", {f"a{n}": n for n in range(12)}, split="train")
    pictures(data, {f"b{n}": 11 + n for n in range(6)}, split="test")
    with pytest.raises(BadDataset, match="leak"):
        learn(data, out=tmp_path / "model", ask=Ask(settings={"steps": "1"}))
    assert not (tmp_path / "model").exists()


def test_a_twin_that_was_left_out_does_not_stop_the_training(tmp_path: Path) -> None:
    data = pictures(tmp_path / "data", {f"a{n:02d}": n for n in range(24)}, split="train")
    # b01 is a23 again: 1 of 22 test pictures, under 5 %
    pictures(data, {f"b{n:02d}": 22 + n for n in range(1, 23)}, split="test")
    settings = {"steps": "2", "members": "1", "precision": "float32", "widths": "[4,8,8]"}
    learned = learn(data, out=tmp_path / "model", ask=Ask(settings=settings))
    assert any("1 picture stands on two sides" in note for note in learned.notes)


def test_an_interrupted_run_goes_on_with_what_was_found_then(tmp_path: Path) -> None:
    dataset = labelled(pictures(tmp_path / "data", {f"p{n:02d}": n for n in range(12)}), Ask())
    before = Care(dataset.name, 12, 12, (), (), ("a mark that no check leaves",), 1.0)
    kept = {"of": _stamp(dataset, Ask())["cases"], "care": to_plain(before)}
    write_json(tmp_path / "care.json", kept)
    assert cared_for(dataset, Ask(), place=tmp_path) == before
    write_json(tmp_path / "care.json", {**kept, "of": "another data set"})
    assert cared_for(dataset, Ask(), place=tmp_path) != before

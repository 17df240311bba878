"""Planted shortcuts raise the alarm, chance does not, and an easy task is no shortcut."""

from collections.abc import Callable

import numpy as np
import pytest
from tests.lab.catalog.care.made_up import dataset, look, looks, pictures

from osler.lab.catalog.care.look import Look
from osler.lab.catalog.care.shortcuts import find_shortcuts
from osler.lab.catalog.care.source_facts import SourceFact, named

_LABELS = np.arange(120) % 2


def _with(change: Callable[[int, np.ndarray], dict[str, str | float]]) -> list[Look]:
    """Looks at noise in which `change` may paint and say what the header holds, by the label."""
    found = []
    for n, thumbnail in enumerate(pictures(_LABELS, visible=0.0)):
        painted = thumbnail.copy()
        header = change(int(_LABELS[n]), painted)
        found.append(look(f"case{n:04d}", painted, **header))
    return found


def _warnings(seen: list[Look], **more: object) -> list[str]:
    found = find_shortcuts(dataset(_LABELS.tolist(), **more), seen)  # type: ignore[arg-type]
    return [concern.what for concern in found if concern.severity == "warning"]


def test_png_for_one_class_and_jpeg_for_the_other() -> None:
    def stored(label: int, _: np.ndarray) -> dict[str, str | float]:
        return {"suffix": ".jpeg", "format": "JPEG"} if label else {"suffix": ".png", "format": "PNG"}

    (what,) = _warnings(_with(stored))
    assert "AUC 1.00" in what and "n = 120" in what
    assert "'.jpeg' in 100% of" in what or "'.png' in 100% of" in what


def test_a_bright_corner_on_one_class() -> None:
    def corner(label: int, picture: np.ndarray) -> dict[str, str | float]:
        picture[:5, :5] = 1.0 if label else picture[:5, :5]
        return {}

    what = _warnings(_with(corner))[0]
    assert what.startswith("The borders and corners tell") and "top left corner" in what


def test_a_device_that_goes_with_the_class_more_often_than_not() -> None:
    random = np.random.default_rng(0)

    def device(label: int, _: np.ndarray) -> dict[str, str | float]:
        return {"manufacturer": "A" if random.random() < (0.9 if label else 0.1) else "B"}

    (what,) = _warnings(_with(device))
    assert "manufacturer" in what
    found = find_shortcuts(dataset(_LABELS.tolist()), _with(device))
    one, other = found[0].cases
    assert int(one[4:]) % 2 != int(other[4:]) % 2  # an example of each class


def test_random_labels_raise_nothing() -> None:
    alarms = 0
    for seed in range(6):
        random = np.random.default_rng(seed)
        labels = random.integers(0, 2, 100)
        seen = [
            look(
                f"case{n:04d}",
                picture,
                rows=float(random.integers(200, 900)),
                columns=float(random.integers(200, 900)),
                bytes=float(random.integers(10_000, 90_000)),
                manufacturer=str(random.choice(["A", "B", "C"])),
            )
            for n, picture in enumerate(pictures(random.integers(0, 2, 100), seed=seed))
        ]
        splits = random.choice(["train", "test"], 100).tolist()
        alarms += len(find_shortcuts(dataset(labels.tolist(), splits=splits), seen))
    assert alarms == 0


def test_what_the_anatomy_shows_is_a_note_on_how_easy_the_task_is() -> None:
    found = find_shortcuts(dataset(_LABELS.tolist()), looks(_LABELS, visible=0.25))
    assert [concern.severity for concern in found] == ["note"]
    assert found[0].what.startswith("A picture of 8 × 8 pixels tells")


def test_file_names_are_a_note_and_their_own_class_is_taken_out() -> None:
    honest = [f"{('well', 'ill')[label]}_{n * 7919 % 997:03d}.png" for n, label in enumerate(_LABELS)]
    assert not find_shortcuts(dataset(_LABELS.tolist(), names=honest), looks(_LABELS, visible=0.0))
    telling = [f"{('IM', 'person')[label]}_{n * 7919 % 997:03d}.png" for n, label in enumerate(_LABELS)]
    (note,) = find_shortcuts(dataset(_LABELS.tolist(), names=telling), looks(_LABELS, visible=0.0))
    assert note.severity == "note" and "'person' in" in note.what


def test_folders_that_are_the_class_or_the_split_do_not_count() -> None:
    names = [f"train/{('well', 'ill')[label]}/site{n % 2}/{n:03d}.png" for n, label in enumerate(_LABELS)]
    made = dataset(_LABELS.tolist(), names=names)
    folder = next(fact for fact in named(made, made.cases) if fact.name == "folder")
    assert set(folder.values) == {"site0", "site1"}


def test_splits_from_different_devices_are_told() -> None:
    labels = _LABELS.tolist()
    splits = ["train" if n < 80 else "test" for n in range(120)]
    seen = [
        look(f"case{n:04d}", picture, rows=512.0 if n < 80 else 1024.0)
        for n, picture in enumerate(pictures(_LABELS, visible=0.0))
    ]
    (note,) = find_shortcuts(dataset(labels, splits=splits), seen)
    assert note.severity == "note"
    assert "train or test" in note.what and "rows" in note.what


def test_grades_many_labels_and_numbers_are_asked_too() -> None:
    def stored(label: int, _: np.ndarray) -> dict[str, str | float]:
        return {"rows": 512.0 + 512.0 * label}

    seen = _with(stored)
    for labels, task, classes in (
        ([int(label) * 4 for label in _LABELS], "ordinal", tuple("01234")),
        ([(int(label), 0) for label in _LABELS], "multilabel", ("ill", "never")),
        ([30.0 + 40 * label + n % 7 for n, label in enumerate(_LABELS)], "regression", ()),
    ):
        found = find_shortcuts(dataset(labels, task=task, classes=classes), seen)
        assert [concern.severity for concern in found] == ["warning"], task


def test_odd_data_raises_nothing() -> None:
    seen = looks(np.zeros(40))
    for labels, task in (
        ([], "binary"),
        ([0] * 40, "binary"),
        ([None] * 40, "regression"),
        ([None] * 40, "segmentation"),
    ):
        assert find_shortcuts(dataset(labels, task=task), seen[: len(labels)]) == ()


@pytest.mark.parametrize("values", [("a",) * 30, (None,) * 30, tuple(float(n % 3) for n in range(30))])
def test_levels_are_small_numbers(values: tuple[str | float | None, ...]) -> None:
    levels = SourceFact("any", values).levels()
    assert len(levels) == 30 and levels.min() >= 0
    assert len(set(levels.tolist())) == len(set(values))

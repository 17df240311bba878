"""Copies, exact and changed; patients on both sides of a split."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from osler.lab.catalog.care.duplicates import (
    Copies,
    find_copies,
    find_duplicates,
    find_patient_leaks,
    grouped,
    with_copies_together,
)
from osler.lab.catalog.care.look import look_over
from osler.lab.catalog.dataset import Case, Dataset, Source
from osler.lab.catalog.split import with_splits

SIDE = 96


def scene(seed: int) -> Image.Image:
    """A smooth picture with detail of all sizes, as tissue has."""
    random = np.random.default_rng(seed)
    spectrum = np.fft.fft2(random.normal(size=(SIDE, SIDE)))
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE)[None])
    pixels = np.fft.ifft2(spectrum / (frequency + 0.02) ** 1.2).real
    low, high = np.percentile(pixels, (1, 99))
    return Image.fromarray(np.clip(255 * (pixels - low) / (high - low), 0, 255).astype(np.uint8))


def jpeg(picture: Image.Image) -> Image.Image:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=50)
    return Image.open(stream).convert("L")


CHANGES = {
    "mirrored": lambda p: p.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "turned": lambda p: p.transpose(Image.Transpose.ROTATE_90),
    "brighter": lambda p: p.point(lambda v: min(255, int(1.15 * v + 10))),
    "jpeg": jpeg,
    "cropped": lambda p: p.crop((2, 3, SIDE - 3, SIDE - 2)).resize((SIDE, SIDE), Image.Resampling.BICUBIC),
    "blurred": lambda p: p.filter(ImageFilter.GaussianBlur(0.7)),
    "smaller": lambda p: p.resize((60, 60), Image.Resampling.BILINEAR),
    "tilted": lambda p: p.rotate(4, Image.Resampling.BICUBIC),
}


def labelled(folder: Path, pictures: dict[str, Image.Image], **facts: object) -> Dataset:
    """A case for each picture, each of a patient of its own; facts: split, label and patient by case."""
    cases = []
    for name, picture in sorted(pictures.items()):
        path = folder / f"{name}.png"
        picture.save(path)
        told = {key: values.get(name) for key, values in facts.items()}  # type: ignore[attr-defined]
        cases.append(
            Case(
                name,
                told.get("patient") or name,
                (Source(path),),
                told.get("label") or 0,
                told.get("split") or "",
            )
        )
    return Dataset("made", folder, "binary", ("well", "ill"), ("image",), tuple(cases), "made up")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, tuple[Copies, ...]]:
    """70 pictures, of eight of which there is a changed copy, of one an exact one."""
    pictures = {f"p{n:02d}": scene(n) for n in range(70)}
    for number, (name, change) in enumerate(CHANGES.items()):
        pictures[f"copy-{name}"] = change(scene(number))
    pictures["copy-exact"] = scene(20)
    dataset = labelled(tmp_path_factory.mktemp("many"), pictures)
    return dataset, find_copies(dataset, look_over(dataset))


@pytest.mark.parametrize(("number", "name"), list(enumerate(CHANGES)))
def test_a_changed_copy_is_found(many: tuple[Dataset, tuple[Copies, ...]], number: int, name: str) -> None:
    found = {(pair.other, pair.one) for pair in many[1]} | {(pair.one, pair.other) for pair in many[1]}
    assert (f"copy-{name}", f"p{number:02d}") in found


def test_an_exact_copy_is_exact_and_nothing_else_is_flagged(many: tuple[Dataset, tuple[Copies, ...]]) -> None:
    exact = [pair for pair in many[1] if pair.exact]
    assert [{pair.one, pair.other} for pair in exact] == [{"copy-exact", "p20"}]
    assert len(many[1]) == 1 + len(CHANGES)
    assert all(0.5 <= pair.score <= 1 for pair in many[1])


def test_the_change_is_told(many: tuple[Dataset, tuple[Copies, ...]]) -> None:
    changes = {pair.one: pair.change for pair in many[1]}
    assert changes["copy-mirrored"] == "mirrored"
    assert changes["copy-turned"] in ("turned by 90 degrees", "turned by 270 degrees")
    assert changes["copy-jpeg"] == ""


def test_copies_across_splits_leak_and_those_of_one_patient_are_a_note(tmp_path: Path) -> None:
    pictures = {"a": scene(0), "b": scene(0), "c": scene(1), "d": scene(1), "e": scene(2), "f": scene(2)}
    dataset = labelled(
        tmp_path,
        pictures,
        split={"a": "train", "b": "test", "c": "train", "d": "train", "e": "train", "f": "train"},
        patient={"c": "one", "d": "one"},
    )
    found = {
        concern.cases: concern for concern in find_duplicates(dataset, find_copies(dataset, look_over(dataset)))
    }
    leak = found["b", "a"]
    assert (leak.kind, leak.severity) == ("duplicate", "leak")
    assert leak.proposed == (("a", ""),)  # the test case stays
    assert found["c", "d"].severity == "note"
    assert found["e", "f"].severity == "warning"
    assert found["e", "f"].proposed == (("f", ""),)


def test_copies_with_different_labels_are_an_error(tmp_path: Path) -> None:
    dataset = labelled(tmp_path, {"a": scene(0), "b": scene(0), "c": scene(1)}, label={"b": 1})
    found = find_duplicates(dataset, find_copies(dataset, look_over(dataset)))
    conflict = next(concern for concern in found if concern.kind == "label-conflict")
    assert conflict.severity == "error"
    assert "a is well" in conflict.what and "b is ill" in conflict.what
    assert {case for case, _ in conflict.proposed} == {"a", "b"}


def test_blank_pictures_are_no_copies_of_each_other(tmp_path: Path) -> None:
    black = Image.new("L", (SIDE, SIDE))
    dataset = labelled(tmp_path, {"a": black, "b": black, "c": scene(1)})
    assert find_copies(dataset, look_over(dataset)) == ()


def test_patients_in_two_splits_are_counted_and_the_training_side_would_go(tmp_path: Path) -> None:
    names = {name: scene(number) for number, name in enumerate("abcd")}
    dataset = labelled(
        tmp_path,
        names,
        split={"a": "train", "b": "train", "c": "test", "d": "test"},
        patient={"a": "x", "c": "x"},
    )
    (leak,) = find_patient_leaks(dataset)
    assert leak.severity == "leak"
    assert leak.what.startswith("1 patient stands in both train and test: 1 of the 2 cases of test (50%)")
    assert leak.proposed == (("a", ""),)
    assert leak.cases == ("a", "c")


def test_groups_join_through_others() -> None:
    pairs = [Copies(one, other, True, 1.0) for one, other in (("a", "b"), ("c", "d"), ("b", "c"), ("x", "y"))]
    assert sorted(sorted(group) for group in grouped(pairs)) == [["a", "b", "c", "d"], ["x", "y"]]


@pytest.mark.parametrize("seed", range(5))
def test_no_split_of_ours_parts_copies(tmp_path: Path, seed: int) -> None:
    cases = tuple(Case(f"{n:02d}", f"{n:02d}", (Source(tmp_path),), n % 2) for n in range(40))
    dataset = Dataset("made", tmp_path, "binary", ("well", "ill"), ("image",), cases, "made up")
    copies = [Copies(f"{n:02d}", f"{n + 20:02d}", False, 0.95) for n in range(20)]
    divided = with_splits(with_copies_together(dataset, copies), seed=seed, val=0.2, test=0.2)
    split = {case.id: case.split for case in divided.cases}
    assert all(split[pair.one] == split[pair.other] for pair in copies)
    assert len(set(split.values())) == 3


def test_a_doubtful_pair_is_not_joined(tmp_path: Path) -> None:
    cases = tuple(Case(name, name, (Source(tmp_path),), 0) for name in "ab")
    dataset = Dataset("made", tmp_path, "binary", ("well", "ill"), ("image",), cases, "made up")
    assert with_copies_together(dataset, [Copies("a", "b", False, 0.6)]).patients == 2
    assert with_copies_together(dataset, [Copies("a", "b", False, 0.95)]).patients == 1


def test_a_pair_of_which_one_was_left_out_joins_nobody(tmp_path: Path) -> None:
    cases = tuple(Case(name, name, (Source(tmp_path),), 0) for name in "ab")
    dataset = Dataset("made", tmp_path, "binary", ("well", "ill"), ("image",), cases, "made up")
    gone = [Copies("a", "c", True, 1.0), Copies("d", "b", True, 1.0)]
    assert with_copies_together(dataset, gone) == dataset


def test_a_set_that_was_multiplied_is_told_as_a_whole(tmp_path: Path) -> None:
    cases = tuple(Case(f"{n:02d}", f"{n:02d}", (Source(tmp_path),), n % 2) for n in range(40))
    dataset = Dataset("made", tmp_path, "binary", ("well", "ill"), ("image",), cases, "made up")
    copies = [Copies(f"{n:02d}", f"{n + 20:02d}", False, 0.95) for n in range(12)]
    whole = [concern for concern in find_duplicates(dataset, copies) if not concern.cases]
    assert [concern.severity for concern in whole] == ["error"]
    assert whole[0].what.startswith("24 of the 40 cases (60%) are copies")
    assert all(concern.cases for concern in find_duplicates(dataset, copies[:9]))

"""Which leaks are mended, and which forbid the training."""

from dataclasses import replace
from pathlib import Path

import pytest

from osler.core.errors import BadDataset, UnknownChoice
from osler.lab.catalog.care.check import Care
from osler.lab.catalog.care.concern import Concern
from osler.lab.catalog.care.leaks import without_leaks
from osler.lab.catalog.dataset import Case, Dataset, Source


def a_set(train: int, test: int) -> Dataset:
    sides = {**{f"train{n}": "train" for n in range(train)}, **{f"test{n}": "test" for n in range(test)}}
    cases = tuple(Case(name, name, (Source(Path(name)),), 0, split) for name, split in sides.items())
    return Dataset("made-up", Path(), "binary", ("no", "yes"), ("image",), cases, "made up")


def twins(numbers: range) -> tuple[Concern, ...]:
    return tuple(
        Concern(
            "duplicate", "leak", f"Pair {n}.", "keep one", (f"test{n}", f"train{n}"), proposed=((f"train{n}", ""),)
        )
        for n in numbers
    )


def care(*concerns: Concern) -> Care:
    return Care("made-up", 0, 0, concerns, (), (), 0.0)


def test_a_few_twins_are_left_out_of_training_and_it_is_said() -> None:
    dataset = a_set(100, 40)
    fair = without_leaks(dataset, care(*twins(range(2))))
    assert {case.id for case in dataset.cases} - {case.id for case in fair.cases} == {"train0", "train1"}
    assert fair.notes[-1].startswith("2 pictures stand on two sides")


def test_many_twins_forbid_the_training_unless_that_is_allowed() -> None:
    dataset = a_set(100, 40)
    with pytest.raises(BadDataset, match=r"leak.*Pair 0\. 2 more leaks") as error:
        without_leaks(dataset, care(*twins(range(3))))
    assert "--allow leak" in error.value.remedy
    assert without_leaks(dataset, care(*twins(range(3))), allowed=("leak",)) is dataset


def test_one_shared_patient_forbids_the_training() -> None:
    shared = Concern("patient-leak", "leak", "One patient.", "leave it out", ("train0", "test0"))
    with pytest.raises(BadDataset, match="One patient"):
        without_leaks(a_set(1000, 400), care(shared))


def test_mild_concerns_change_nothing_and_unknown_words_are_refused() -> None:
    dataset = a_set(10, 10)
    mild = tuple(replace(one, severity="warning") for one in twins(range(8)))
    assert without_leaks(dataset, care(*mild)) is dataset
    with pytest.raises(UnknownChoice):
        without_leaks(dataset, care(), allowed=("leaks",))

"""Nodules of known size, kind and growth, and what the guidelines say of them."""

import datetime
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.clinic.pathways.petct import ball

from osler.clinic.measure.volume import VOLUME
from osler.clinic.pathways import lesions
from osler.clinic.pathways.beside import Beside, Prior, Told
from osler.clinic.pathways.lung_nodule import MEAN_DIAMETER
from osler.clinic.pathways.measured import measurement
from osler.clinic.reading import read_study
from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.report import Report
from osler.core.study import Study
from osler.core.volume import Volume
from osler.imaging.register import Rigid
from osler.io.nifti import write_mask
from osler.models.shelf import Shelf

GRID = Geometry.from_spacing((60, 80, 80), (1.0, 0.7, 0.7), (-28, -28, -30))
Ball = tuple[tuple[float, float, float], float]


@pytest.fixture(autouse=True)
def in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    still = Rigid(np.eye(4), 1.0, 1.0, 1.0, 1.0)
    monkeypatch.setattr(lesions, "rigid_movement", lambda fixed, moving, **more: still)


def chest(day: int, age: float | None = 61) -> Study:
    array = np.random.default_rng(day).normal(-800, 30, GRID.shape).astype(np.float32)
    facts = Facts(modality="CT", body_part="CHEST", age_years=age, sex="F")
    taken = datetime.date(2024, 1, 1) + datetime.timedelta(day)
    return Study((Volume(array, GRID, "HU", facts),), facts, f"1.2.{day}", f"day {day}", taken=taken, patient="p")


def outlined(folder: Path, nodules: Sequence[Ball], kind: str = "solid nodule") -> Path:
    array = np.zeros(GRID.shape, np.uint8)
    for centre, radius in nodules:
        array[ball(GRID, centre, radius)] = 1
    path = folder / "nodules.nii.gz"
    write_mask(Mask(array, {1: kind}, geometry=GRID), path)
    (folder / "nodules.labels.json").write_text(f'{{"1": "{kind}"}}')
    return path


def read(
    folder: Path, nodules: Sequence[Ball], told: Told, *, before: Sequence[Ball] = (), age: float | None = 61,
    kind: str = "solid nodule",
) -> Report:  # fmt: skip
    earlier = ()
    if before:
        (folder / "then").mkdir()
        earlier = (Prior(chest(0, age), (outlined(folder / "then", before, kind),)),)
    beside = Beside((outlined(folder, nodules, kind),), earlier, told)
    return read_study(chest(90, age), Shelf(()), beside=beside)


def test_a_nodule_is_measured_and_fleischner_asked(tmp_path: Path) -> None:
    report = read(tmp_path, [((0, 0, 0), 5.0)], {"risk": "high"})
    [finding] = report.findings
    mean, volume = measurement(finding, MEAN_DIAMETER), measurement(finding, VOLUME)
    assert report.pathway == "lung-nodule" and finding.lesion == "L1"
    assert mean is not None and mean.quantity.value == pytest.approx(10, abs=0.7)
    assert mean.quantity.high - mean.quantity.low == pytest.approx(1.4)  # a pixel at each end
    assert volume is not None and volume.quantity.value == pytest.approx(0.524, rel=0.05)
    [said] = report.conclusions
    assert said.guideline == "fleischner-2017" and not said.refused and "3 months" in said.advice
    assert said.findings == (0,) and report.priority is not None and report.priority.urgency == "soon"


def test_screening_asks_lung_rads_and_growth_is_told(tmp_path: Path) -> None:
    told: Told = {"screening": True, "juxtapleural": False}
    report = read(tmp_path, [((0, 0, 0), 5.0)], told, before=[((0, 0, 0), 5 / 2 ** (1 / 3))])
    [finding] = report.findings
    [said] = report.conclusions
    doubling = next(one for one in finding.measurements if "doubling" in one.name)
    assert doubling.quantity.value == pytest.approx(90, rel=0.1) and "90 days before" in finding.statement
    assert said.guideline == "lung-rads-2022" and said.category == "4B", said


def test_a_new_and_a_gone_nodule_are_told(tmp_path: Path) -> None:
    told: Told = {"screening": True, "juxtapleural": False}
    report = read(tmp_path, [((15, 0, 0), 3.6)], told, before=[((-15, 0, 0), 4.0)])
    new, gone = report.findings
    assert new.lesion == "L2" and "New" in new.statement and new.present
    assert gone.lesion == "L1" and "not outlined any more" in gone.statement and gone.present is False
    assert [one.category for one in report.conclusions] == ["4A"]  # 6 to below 8 mm and new


@pytest.mark.parametrize(("kind", "needs"), [("nodule", "kind"), ("part-solid nodule", "solid part")])
def test_what_lacks_is_asked_for(tmp_path: Path, kind: str, needs: str) -> None:
    [said] = read(tmp_path, [((0, 0, 0), 5.0)], {}, kind=kind).conclusions
    assert said.refused and needs in said.refused.lower()


def test_a_guideline_that_needs_an_age_says_so_and_the_reading_stands(tmp_path: Path) -> None:
    report = read(tmp_path, [((0, 0, 0), 5.0)], {"risk": "low", "smoker": True, "spiculated": False}, age=None)
    assert report.findings and {one.guideline for one in report.conclusions} == {"fleischner-2017", "mayo"}
    for said in report.conclusions:
        assert said.refused and not said.category and "age" in said.refused.lower()


def test_a_rule_that_fails_is_told_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from osler.clinic.guidelines import fleischner

    def broken(**given: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(fleischner, "follow_up", broken)
    report = read(tmp_path, [((0, 0, 0), 5.0)], {})
    assert report.findings and "ZeroDivisionError" in report.conclusions[0].refused


def test_the_facts_of_one_nodule_are_not_those_of_another(tmp_path: Path) -> None:
    nodules = [((-12, 0, 0), 5.0), ((12, 0, 0), 4.0)]
    told: Told = {"emphysema": False, "upper_lobe": True, "L1.spiculated": True, "family_history": False}
    report = read(tmp_path, nodules, {**told, "L2.spiculated": False})
    risks = [one for one in report.conclusions if one.guideline == "brock"]
    assert [one.findings for one in risks] == [(0,), (1,)]
    spiculated = [next(g.value for g in one.grounds if "piculat" in g.name) for one in risks]
    assert spiculated == ["yes", "no"], spiculated

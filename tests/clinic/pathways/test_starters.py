"""What the uses that ship with Osler conclude, and how soon somebody should look."""

import numpy as np
import pytest

from osler.clinic.pathways import chest_pneumonia, hippocampus, retinopathy
from osler.clinic.pathways.seen import Seen
from osler.core.facts import Facts
from osler.core.finding import Finding, Measurement
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.patient import Patient
from osler.core.quantity import Quantity
from osler.core.study import Study
from osler.core.volume import Volume

STUDY = Study((Image(np.zeros((9, 9), np.uint8)),))
NAMES = tuple(retinopathy.GRADES.values())


def graded(level: int, low: int, high: int) -> Finding:
    shares = tuple((name, 0.2) for name in NAMES)
    return Finding("Grade", "", grade=str(level), distribution=shares, among=NAMES[low : high + 1], coverage=0.9)


def test_a_grade_becomes_a_class_with_those_that_cannot_be_excluded() -> None:
    [said] = retinopathy.classes(Seen(STUDY, (graded(2, 1, 3),)))
    assert said.category == "2" and set(said.nearby) == {"1", "3"} and said.findings == (0,)
    [said] = retinopathy.classes(Seen(STUDY, (graded(1, 1, 1),), patient=Patient(known={"macular_oedema": True})))
    assert said.category == "1" and not said.nearby and said.advice
    [said] = retinopathy.classes(Seen(STUDY, (graded(2, 1, 3),), patient=Patient(known={"diabetes": False})))
    assert said.refused and not said.category


@pytest.mark.parametrize(("level", "urgency"), [(0, "routine"), (1, "routine"), (2, "soon"), (4, "soon")])
def test_referral_is_the_priority(level: int, urgency: str) -> None:
    refer = Finding("Referable", "", probability=0.7)
    found = retinopathy.urgency(Seen(STUDY, (graded(level, level, level), refer)))
    assert (found.urgency, found.score) == (urgency, 0.7)


def test_pneumonia_comes_before_none() -> None:
    there, not_there = (Finding("Pneumonia", "", probability=p, present=p > 0.5) for p in (0.9, 0.2))
    assert chest_pneumonia.urgency(Seen(STUDY, (there,))).urgency == "soon"
    assert chest_pneumonia.urgency(Seen(STUDY, (not_there,))).urgency == "routine"


def part(name: str, ml: float, *, picture: int = 0, coverage: float | None = None) -> Finding:
    ends = (None, None) if coverage is None else (ml - 0.1, ml + 0.1)
    volume = Measurement("Volume", Quantity(ml, "ml", *ends), hippocampus.VOLUME)
    return Finding(name, "", measurements=(volume,), picture=picture, coverage=coverage, label=1)


def test_the_parts_are_summed_and_the_sides_compared() -> None:
    grid = Geometry.from_spacing((4, 4, 4), (1, 1, 1))
    boxes = tuple(Volume(np.zeros((4, 4, 4)), grid, facts=Facts(laterality=side)) for side in ("L", "R"))
    sizes = (("anterior", 1.6, 0), ("posterior", 1.4, 0), ("anterior", 1.5, 1), ("posterior", 1.3, 1))
    parts = tuple(part(name, ml, picture=n) for name, ml, n in sizes)
    found = hippocampus.sides(Seen(Study(boxes), parts))
    left, right, apart = found[4:]
    assert "left" in left.name and left.measurements[0].quantity.value == pytest.approx(3.0)
    assert right.measurements[0].quantity.value == pytest.approx(2.8)
    assert apart.measurements[0].quantity.value == pytest.approx(200 * 0.2 / 5.8)


def test_a_sum_promises_less_than_its_parts_and_one_side_has_no_asymmetry() -> None:
    box = Volume(np.zeros((4, 4, 4)), Geometry.from_spacing((4, 4, 4), (1, 1, 1)))
    parts = (part("anterior", 1.6, coverage=0.9), part("posterior", 1.4, coverage=0.9))
    [whole] = hippocampus.sides(Seen(Study((box,)), parts))[2:]
    assert whole.coverage == pytest.approx(0.8)
    size = whole.measurements[0].quantity
    assert (size.low, size.high) == (pytest.approx(2.8), pytest.approx(3.2))


def test_no_percentile_without_norms_and_why() -> None:
    [said] = hippocampus.percentile(Seen(STUDY, (), patient=Patient(age_years=70)))
    assert "No norm set" in said.refused and not said.category and said.source

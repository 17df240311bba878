"""Knees: what looks like one, what the grade means, and what to mind."""

import numpy as np
import pytest

from osler.clinic.pathways.knee_osteoarthritis import KNEE_OSTEOARTHRITIS, not_a_knee
from osler.clinic.pathways.table import PATHWAYS
from osler.clinic.reading import read_study
from osler.core.facts import Facts
from osler.core.image import Image
from osler.core.study import Study
from osler.io.open import open_picture
from osler.models.card import Sees

KNEE = Sees("a radiograph of one knee", 2, ("image",), ("CR", "DX"), ("KNEE",))
GRADES = ("0", "1", "2", "3", "4")


def knee(shape=(224, 224), *, lungs: bool = False) -> np.ndarray:
    """Bone that fills the width with a dark gap in the middle, soft tissue at the edges; or a chest."""
    rows, columns = shape
    picture = np.full(shape, 60.0)
    picture[:, int(0.08 * columns) : int(0.92 * columns)] = 170
    picture[int(0.5 * rows) : int(0.56 * rows)] = 70
    if lungs:
        for left, right in ((0.1, 0.4), (0.6, 0.9)):
            picture[int(0.1 * rows) : int(0.8 * rows), int(left * columns) : int(right * columns)] = 40
    noise = np.random.default_rng(0).normal(0, 12, shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def film(pixels: np.ndarray, **facts) -> Image:
    return Image(pixels, facts=Facts(**facts))


@pytest.mark.parametrize(
    "pixels",
    [
        knee(lungs=True),
        knee((224, 90)),
        np.dstack([knee(), knee() // 2, knee() // 3]),
        np.full((224, 224), 7, np.uint8),
        np.random.default_rng(0).integers(0, 255, (224, 224)).astype(np.uint8),
        knee().T,
    ],
)
def test_what_is_no_knee_is_refused(pixels):
    problem = not_a_knee(film(pixels))
    assert problem is not None and "one knee joint" in problem.what


def test_a_knee_is_taken_grey_or_saved_as_colour():
    assert not_a_knee(film(knee())) is None
    assert not_a_knee(film(np.dstack([knee()] * 3))) is None
    assert not_a_knee(film(knee((2000, 1800)).astype(np.uint16) * 16)) is None


def test_every_real_knee_passes_and_chest_films_do_not(test_data):
    knees = sorted((test_data / "knee-oa").glob("*/*/*.png"))[::12]
    chests = [path for path in sorted((test_data / "chest-xray").glob("test/*/*")) if path.is_file()][::40]
    if not knees or not chests:
        pytest.skip("no knees or no chests")
    assert all(not_a_knee(open_picture(path)) is None for path in knees)  # type: ignore[arg-type]
    refused = [not_a_knee(open_picture(path)) is not None for path in chests]  # type: ignore[arg-type]
    assert np.mean(refused) > 0.75


@pytest.fixture
def shelf(bench, says):
    bench.add("knee", "ordinal", GRADES, KNEE, says(1.0, 0.5, 0.0, -6.0), use="knee-osteoarthritis")
    return bench.shelf


def read(shelf, **facts):
    picture = film(knee(), modality="DX", body_part="KNEE", **facts)
    return read_study(Study((picture,), picture.facts, name="a knee"), shelf, explain="no")


def test_a_knee_is_graded_with_its_probability_rule_and_priority(shelf):
    report = read(shelf, laterality="L", age_years=61.0)
    grade, arthritis = report.findings
    assert report.pathway == "knee-osteoarthritis" and grade.grade in GRADES
    assert [name for name, _ in grade.distribution] == list(KNEE_OSTEOARTHRITIS.names.values())
    from_two = sum(share for name, share in grade.distribution if name[0] in "234")
    assert arthritis.probability == pytest.approx(from_two) and arthritis.code.value == "239873007"
    assert f"{grade.distribution[1][1]:.2f}" in arthritis.statement
    [conclusion] = report.conclusions
    assert conclusion.guideline == "kellgren-lawrence" and conclusion.category == grade.grade
    assert conclusion.findings == (0,) and not conclusion.refused
    assert report.priority.urgency == "routine"
    expected = sum(n * share for n, (_, share) in enumerate(grade.distribution))
    assert report.priority.score == pytest.approx(expected / 4)
    assert {"readers", "pain"} <= {caution.check for caution in report.cautions}


def test_the_rule_refuses_children(shelf):
    [conclusion] = read(shelf, age_years=9.0).conclusions
    assert conclusion.refused and not conclusion.category


def test_a_chest_under_the_name_of_a_knee_is_declined(shelf):
    picture = film(knee(lungs=True), modality="DX", body_part="KNEE")
    report = read_study(Study((picture,), picture.facts), shelf, explain="no")
    assert report.declined and "knee joint" in report.declined[0].what and not report.findings


def test_it_stands_in_the_table():
    assert PATHWAYS["knee-osteoarthritis"] is KNEE_OSTEOARTHRITIS

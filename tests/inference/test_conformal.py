"""Sets and intervals at the reading: nested, never empty, and neighbours stay neighbours."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from osler.core.errors import BadModel
from osler.inference.conformal import (
    answer_set,
    by_class,
    class_scores,
    label_sets,
    number_interval,
)
from osler.models.trust import Conformal
from osler.statistics.grades import median_grade

shares = some.lists(some.floats(1e-3, 1), min_size=5, max_size=5).map(lambda w: np.array(w) / sum(w))
HOWS = ("lac", "aps", "raps", "grades")


def sets(how, *row, levels=(0.9,), **more):
    return Conformal(how, levels, (row,) * len(levels), patients=100, **more)


@given(shares, some.sampled_from(HOWS), some.floats(0, 1.5), some.floats(0, 1))
def test_a_larger_promise_is_a_larger_set(p, how, low, more):
    small = answer_set(p, sets(how, low, penalty=0.1, rank=2))
    large = answer_set(p, sets(how, low + more, penalty=0.1, rank=2))
    assert set(small) <= set(large) and len(small) >= 1


@given(shares, some.floats(0, 1))
def test_grades_in_an_interval_are_neighbours_around_the_median(p, limit):
    inside = answer_set(p, sets("grades", limit))
    assert list(inside) == list(range(inside[0], inside[-1] + 1)) and median_grade(p) in inside
    # It spans what lac would hold, and no more.
    lac = [k for k in range(5) if 1 - p[k] <= limit + 1e-9] + [median_grade(p)]
    assert (inside[0], inside[-1]) == (min(lac), max(lac))


@given(shares)
def test_aps_sums_all_that_is_at_least_as_likely(p):
    scores = class_scores(p[None], "aps")[0]
    for k in range(5):
        if (np.abs(p - p[k]) > 1e-12).sum() == 4:  # no ties
            assert scores[k] == pytest.approx(p[p >= p[k]].sum())
    penalized = class_scores(p[None], "raps", penalty=0.2, rank=2)[0]
    assert sorted(np.round(penalized - scores, 9)) == pytest.approx([0, 0, 0.2, 0.4, 0.6], abs=1e-6)


def test_no_threshold_excludes_nothing():
    assert answer_set(np.array([0.9, 0.1, 0.0]), sets("lac", None)) == (0, 1, 2)
    assert number_interval(3.0, sets("distance", None)) is None
    assert number_interval(3.0, sets("distance", 2.0)) == (1.0, 5.0)


def test_a_set_that_would_be_empty_names_what_is_called():
    even = np.array([0.5, 0.5])
    assert answer_set(even, sets("lac", 0.1)) == (0,)
    assert answer_set(even, sets("lac", 0.1), called=1) == (1,)


def test_each_class_by_its_own_threshold():
    each = sets("lac", 0.05, 0.7)
    assert answer_set(np.array([0.6, 0.4]), each) == (0, 1)
    assert answer_set(np.array([0.9, 0.1]), each) == (0,)
    assert by_class(each, 2) and not by_class(sets("lac", 0.3), 2)
    assert by_class(sets("labels", *[0.1] * 4), 2) and not by_class(sets("labels", 0.1, 0.2), 2)


def test_labels_are_there_or_not_or_unsure():
    p = np.array([0.02, 0.5, 0.97])
    assert label_sets(p, sets("labels", 0.1, 0.1, 0.1)) == ((True, False), (False, True), (False, True))
    assert label_sets(p, sets("labels", 0.6, 0.6, 0.6))[1] == (True, True)
    # Thresholds of absence first, then of presence.
    assert label_sets(p, sets("labels", 0.0, 0.6, 0.0, 0.0, 0.1, 0.1))[1] == (True, True)
    assert label_sets(p, sets("labels", 0.1, 0.1, 0.1), called=np.array([1, 0, 1]))[0] == (True, True)


@pytest.mark.parametrize(
    "bad",
    [sets("lac", 0.1, 0.2, 0.3), sets("lac", 0.1, levels=(0.8,)), Conformal("lac", (0.9,), ())],
)
def test_thresholds_that_do_not_fit_are_a_bad_model(bad):
    with pytest.raises(BadModel, match="promised sets"):
        answer_set(np.array([0.5, 0.5]), bad)
    with pytest.raises(BadModel):
        label_sets(np.array([0.5, 0.5]), bad)
    with pytest.raises(BadModel):
        number_interval(1.0, bad)


def test_reading_needs_no_statistics_library():
    """Their import takes longer than a reading."""
    heavy = "sklearn scipy torch"
    code = (
        "import sys; import osler.inference.calibrated, osler.inference.conformal, osler.inference.prevalence,"
        f" osler.inference.disagreement; sys.exit(any(name in sys.modules for name in '{heavy}'.split()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.statistics.several_tests import holm


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_by_its_own_words(given_p):
    """Step down: the k-th smallest of m is multiplied by m - k + 1, none may fall below the one before."""
    raised, last = dict[int, float](), 0.0
    for rank, place in enumerate(sorted(range(len(given_p)), key=given_p.__getitem__)):
        last = max(last, min(1.0, given_p[place] * (len(given_p) - rank)))
        raised[place] = last
    assert holm(given_p) == pytest.approx([raised[place] for place in range(len(given_p))])


def test_holm_is_stricter_than_false_discovery_and_milder_than_bonferroni():
    from scipy.stats import false_discovery_control

    p = np.random.default_rng(0).random(30) ** 3
    ours = np.array(holm(p.tolist()))
    assert (ours >= false_discovery_control(p) - 1e-12).all() and (ours <= np.minimum(1, 30 * p) + 1e-12).all()


def test_an_untested_gap_does_not_count():
    assert holm([0.02, float("nan"), 0.5])[0] == pytest.approx(0.04)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from osler.inference.disagreement import disagreement


@given(some.lists(some.lists(some.floats(1e-3, 1), min_size=3, max_size=3), min_size=2, max_size=5))
def test_mutual_information_lies_between_nothing_and_the_number_of_members(weights):
    members = np.array([[np.array(w) / sum(w)] for w in weights])
    said = disagreement(members, "multiclass")[0]
    assert 0 <= said <= np.log(min(len(weights), 3)) + 1e-12
    # The mean distance of the members from their mean, as Kullback and Leibler measure it, is the same number.
    mean = members.mean(0)
    assert said == pytest.approx(float((members * np.log(members / mean)).sum(-1).mean()), abs=1e-12)


def test_members_that_are_unsure_together_agree():
    assert disagreement(np.full((3, 1, 2), 0.5), "binary")[0] == 0


def test_certain_members_that_contradict_each_other():
    members = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    assert disagreement(members, "binary")[0] == pytest.approx(np.log(2))
    assert disagreement(members, "multilabel")[0] == pytest.approx(2 * np.log(2)), "each label by itself"


def test_numbers_lie_apart_by_their_deviation():
    assert disagreement(np.array([[[1.0]], [[3.0]]]), "regression")[0] == pytest.approx(np.sqrt(2))

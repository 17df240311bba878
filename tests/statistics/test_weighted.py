import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from osler.statistics.weighted import confusion, mean


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
@settings(max_examples=30, deadline=None)
def test_confusion_is_that_of_scikit_learn(pairs):
    truth, answer = np.array(pairs).T
    found = confusion(truth, answer, 4)
    assert (found == sk.confusion_matrix(truth, answer, labels=range(4))).all()


def test_a_weight_counts_a_case_as_often():
    values, counts = np.array([1.0, np.nan, 4.0, 7.0]), np.array([[1, 2, 0, 3], [0, 5, 0, 0]])
    once, none = mean(values, counts)
    assert once == pytest.approx(np.mean([1, 7, 7, 7])) and np.isnan(none)

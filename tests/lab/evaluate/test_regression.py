import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from osler.lab.evaluate import regression


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_all_are_those_of_scikit_learn_and_scipy_also_with_repeated_cases(offset):
    random = np.random.default_rng(0)
    truth = random.normal(50, 10, 40) + offset
    value = truth + random.normal(1, 5, 40)
    counts = random.integers(0, 4, 40)
    again = np.repeat(np.arange(40), counts)
    t, v, w = truth[again], value[again], counts.astype(float)
    assert regression.mae(truth, value, w) == pytest.approx(sk.mean_absolute_error(t, v))
    assert regression.rmse(truth, value, w) == pytest.approx(sk.root_mean_squared_error(t, v))
    assert regression.r2(truth, value, w) == pytest.approx(sk.r2_score(t, v))
    assert regression.pearson(truth, value, w) == pytest.approx(stats.pearsonr(t, v).statistic)
    assert regression.bias(truth, value, w) == pytest.approx((v - t).mean())


def test_what_does_not_vary_has_no_correlation():
    still, moving = np.full(5, 3.3), np.arange(5.0)
    assert np.isnan(regression.pearson(still, moving)) and np.isnan(regression.pearson(moving, still))
    assert np.isnan(regression.r2(still, moving))
    assert regression.r2(moving, np.full(5, 2.0)) == pytest.approx(0)

"""Pictures unlike those a model has seen."""

import numpy as np
import pytest

from osler.inference.gate import feature_distance
from osler.lab.evaluate.unlike import FALSE_ALARM, fit_limit, fit_space


def correlated(cases, seed, *, against=False):
    """Two features that go together (or, `against`, do not), each within its usual range, and eight of noise."""
    random = np.random.default_rng(seed)
    first = random.normal(5, 2, cases)
    second = (10 - first if against else first) + random.normal(0, 0.1, cases)
    return np.column_stack([first, second, random.normal(0, 1, (cases, 8))])


def test_distance_is_the_mahalanobis_distance():
    seen = correlated(400, 0)
    space = fit_space(seen)
    from sklearn.covariance import LedoitWolf

    expected = np.sqrt(LedoitWolf().fit(seen).mahalanobis(seen[:20]) / 10)
    assert [feature_distance(row, space) for row in seen[:20]] == pytest.approx(list(expected), rel=1e-3)


def test_the_promised_share_of_false_alarms_holds_and_strangers_are_told():
    space = fit_space(correlated(500, 1))
    limit = fit_limit(correlated(400, 2), space)
    alarms = np.mean([feature_distance(row, space) > limit for row in correlated(4000, 3)])
    assert alarms < 3 * FALSE_ALARM
    # Each feature of the strangers is as usual; only that they go against each other is not.
    strangers = correlated(500, 4, against=True)
    strangers = strangers[np.abs(strangers[:, 0] - 5) > 1.5]
    assert np.mean([feature_distance(row, space) > limit for row in strangers]) > 0.9

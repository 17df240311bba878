import json

import numpy as np
import pytest
from scipy.stats import binomtest

from osler.lab.evaluate.answers import Answers
from osler.lab.evaluate.coverage import clopper_pearson, coverage
from osler.models.trust import Conformal


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (10, 10), (7, 10), (180, 200)])
def test_clopper_and_pearson_as_scipy_has_it(successes, trials):
    ours = clopper_pearson(successes, trials)
    theirs = binomtest(successes, trials).proportion_ci(method="exact")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    assert np.isnan(clopper_pearson(0, 0).value)


def test_sets_of_classes_by_hand():
    said = np.tile([[0.7, 0.2, 0.1], [0.4, 0.35, 0.25]], (10, 1))
    truth = np.array([0, 2] * 10)
    names = tuple(f"{n}" for n in range(20))
    them = Answers("multiclass", ("a", "b", "c"), names, names, said, truth=truth)
    sets = Conformal("lac", (0.9,), ((0.66,),), cases=50, patients=50)  # p of at least .34 is inside
    (found,) = coverage(them, sets, [{"sex": "FM"[n % 2]} for n in range(20)])
    assert found.whole.share == clopper_pearson(10, 20)
    assert found.size == pytest.approx(1.5) and found.singletons == 0.5
    assert found.classes["a"].share.value == 1 and found.classes["c"].share.value == 0
    assert found.classes["b"].cases == 0 and np.isnan(found.classes["b"].share.value)
    assert found.groups["sex"]["F"].share.value == 1 and found.groups["sex"]["M"].share.value == 0
    json.dumps(found.to_json(), allow_nan=False)


def test_labels_numbers_and_promises_of_nothing(made_up):
    labels = made_up("multilabel", cases=40)
    (found,) = coverage(labels, Conformal("labels", (0.9,), ((0.9, 0.9, 0.9),)))
    held = np.abs(labels.truth - labels.probabilities) <= 0.9
    assert found.whole.share.value == pytest.approx(held.mean()) and set(found.classes) == set(labels.classes)
    numbers = made_up("regression", cases=40)
    tight, nothing = coverage(numbers, Conformal("distance", (0.8, 0.9), ((5.0,), (None,))))
    assert tight.whole.share.value == pytest.approx((np.abs(numbers.truth - numbers.values) <= 5).mean())
    assert tight.size == pytest.approx(10) and tight.singletons is None
    assert nothing.whole.share.value == 1 and nothing.to_json()["size"] is None
    assert coverage(made_up("segmentation"), Conformal("lac", (0.9,), ((0.5,),))) == coverage(numbers, None) == ()


def test_patients_with_several_cases_are_resampled(made_up):
    them = made_up("multiclass", cases=60, each=3)
    (found,) = coverage(them, Conformal("lac", (0.9,), ((0.5,),)))
    exact = clopper_pearson(round(found.whole.share.value * 60), 60)
    assert found.whole.patients == 20 and (found.whole.share.low, found.whole.share.high) != (
        exact.low,
        exact.high,
    )

import json
from dataclasses import replace

import numpy as np
import pytest

from osler.core.errors import AskedWrongly
from osler.lab.evaluate.external import Place, external
from osler.lab.evaluate.subgroups import chosen_answers


def renamed(them, mark):
    return replace(them, patients=tuple(f"{mark}{one}" for one in them.patients))


def test_a_worse_place_is_told_apart_from_a_like_one(made_up):
    home = Place("home", made_up("binary", cases=300, skill=3.0), [{"sex": "F"}] * 300)
    for skill, differs in ((3.0, False), (0.3, True)):
        away = Place("away", renamed(made_up("binary", cases=200, skill=skill, seed=5), "x"), [{"sex": "M"}] * 200)
        found = external(home, away)
        auc = found.metrics["auc"]
        assert (auc.high < 0) == differs and (auc.p < 0.01) == differs
        assert auc.value == pytest.approx(found.away["auc"].value - found.home["auc"].value)
        assert found.inside.facts["sex"] == {"F": 1.0} and found.outside.facts["sex"] == {"M": 1.0}


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "ordinal", "regression", "segmentation"])
def test_every_task_can_be_written(task, made_up):
    home, away = made_up(task, cases=30), renamed(made_up(task, cases=20, seed=3), "x")
    found = external(Place("a", home, [{}] * 30), Place("b", away, [{}] * 20))
    said = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert said["external"]["n"] == {"patients": 20, "cases": 20} and said["gate"] is None


def test_only_the_sick_give_a_sensitivity_and_no_auc(made_up):
    home, all_of = made_up("binary", cases=100), made_up("binary", cases=80, seed=2)
    sick = renamed(chosen_answers(all_of, all_of.truth == 1), "x")
    found = external(
        Place("home", home, [{}] * 100), Place("covid", sick, [{}] * len(sick.ids)), operating_point=0.3
    )
    assert np.isnan(found.away["auc"].value) and np.isnan(found.metrics["auc"].value)
    called = (sick.chances[:, 1] >= 0.3).mean()
    assert found.away["sensitivity"].value == pytest.approx(called)
    assert found.outside.called["pneumonia"].value == pytest.approx(called)
    assert any("there is a sensitivity, and no AUC" in note for note in found.notes)
    assert found.to_json()["metrics"]["auc"]["external"]["value"] is None


def test_the_gated_are_counted_and_the_rest_scored_alone(made_up):
    home, away = made_up("binary", cases=60), renamed(made_up("binary", cases=50, seed=4), "x")
    gated = np.arange(50) < 20
    reasons = tuple("grey" if one else "" for one in gated)
    found = external(Place("a", home, [{}] * 60), Place("b", away, [{}] * 50, gated, reasons))
    assert found.gated.value == 0.4 and found.gated_home is None and found.reasons == {"grey": 20}
    kept = chosen_answers(away, ~gated)
    alone = external(Place("a", home, [{}] * 60), Place("b", kept, [{}] * 30))
    assert found.accepted_n == (30, 30)
    assert found.accepted["auc"].value == alone.away["auc"].value
    everything = external(Place("a", home, [{}] * 60), Place("b", away, [{}] * 50, gated | True, ("x",) * 50))
    assert everything.gated.value == 1 and everything.accepted == {}


def test_one_patient_elsewhere_has_no_interval(made_up):
    home, away = made_up("binary", cases=60), made_up("binary", cases=4, seed=4)
    away = replace(away, patients=("one",) * 4)
    found = external(Place("a", home, [{}] * 60), Place("b", away, [{}] * 4))
    assert np.isnan(found.away["brier"].low) and np.isnan(found.metrics["brier"].p)


def test_shared_patients_and_other_questions_are_said(made_up):
    home = made_up("binary", cases=30)
    found = external(Place("a", home, [{}] * 30), Place("b", home, [{}] * 30))
    assert any("30 patients have the same name" in note for note in found.notes)
    with pytest.raises(AskedWrongly):
        external(Place("a", home, [{}] * 30), Place("b", made_up("ordinal", cases=30), [{}] * 30))

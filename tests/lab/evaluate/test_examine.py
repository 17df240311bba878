"""The whole road of an evaluation, with a model that needs no training."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from osler.core.errors import AskedWrongly, OslerError
from osler.core.facts import Facts
from osler.core.image import Image
from osler.lab.catalog.recognize import read_dataset
from osler.lab.evaluate.decisions import Aim
from osler.lab.evaluate.examine import Wanted, examine, other_cases
from osler.lab.evaluate.robustness import robustness, some_patients
from osler.lab.evaluate.run import ask, facts_of

SIDES = ["dark", "dark", "bright", "bright"]


def labels(cases):
    return [SIDES[number % 4] for number in range(cases)]


@pytest.fixture
def home(grey_table):
    return grey_table("home", labels(96), splits=["val"] * 40 + ["test"] * 56)


def test_subgroups_and_decisions_come_unasked_and_stand_on_the_page(brightness_model, home, tmp_path):
    found = examine(brightness_model, home, out=tmp_path / "out")
    assert found.evaluation.cases == 56 and [one.column for one in found.audit.subgroups] == ["sex"]
    assert found.audit.robustness is None and found.audit.external == ()
    (point,) = found.audit.points
    assert point.aim == "the model's own" and point.metrics["sensitivity"].value == pytest.approx(
        found.evaluation.metrics["sensitivity"].value
    )
    written = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert {"metrics", "subgroups", "decision_curve", "operating_points"} <= set(written)
    assert written == json.loads(json.dumps(found.to_json()))
    page = (tmp_path / "out" / "evaluation.html").read_text()
    for heading in ("On whom is it worse?", "Worth acting on?", "Operating points"):
        assert f"<h2>{heading}</h2>" in page
    assert "On worse pictures" not in page and "nan" not in page


def test_a_wanted_point_is_chosen_on_validation_cases_and_tried_on_test_cases(brightness_model, home):
    found = examine(brightness_model, home, wanted=Wanted(aim=Aim(sensitivity=0.9, prevalence=0.02)))
    own, chosen = found.audit.points
    validation = ask(brightness_model, read_dataset(home).split("val")).answers
    scores, so = validation.chances[:, 1], validation.truth == 1
    assert (scores[so] >= chosen.threshold).mean() >= 0.9
    assert (
        "40 validation cases of 20 patients" in chosen.chosen_on and chosen.aim == "a sensitivity of at least 0.9"
    )
    assert found.evaluation.operating_point == (chosen.threshold,)
    assert set(chosen.there) == {"ppv", "npv"} and own.elsewhere == 0.02
    assert brightness_model.trust.operating_point == 0.5 and not list(brightness_model.folder.iterdir())


def test_without_validation_cases_a_point_is_refused_with_a_remedy(brightness_model, grey_table):
    bare = grey_table("bare", labels(40))
    with pytest.raises(AskedWrongly, match="no validation cases") as caught:
        examine(brightness_model, bare, wanted=Wanted(aim=Aim(cost=5.0)))
    assert "val" in caught.value.remedy


def test_a_point_is_not_tried_on_the_cases_it_was_chosen_on(brightness_model, home):
    for split in ("val", "all"):
        with pytest.raises(AskedWrongly, match="validation"):
            examine(brightness_model, home, split=split, wanted=Wanted(aim=Aim(specificity=0.9)))


def test_columns_are_chosen_by_name(brightness_model, home):
    assert examine(brightness_model, home, wanted=Wanted(columns=())).audit.subgroups == ()
    with pytest.raises(AskedWrongly, match="Choose among: sex"):
        examine(brightness_model, home, wanted=Wanted(columns=("scanner",)))


def test_worse_pictures_make_worse_answers(brightness_model, home):
    told = []
    dataset = read_dataset(home).split("test")
    found = robustness(brightness_model, dataset, tell=lambda *words: told.append(words))
    assert found.cases == found.of_cases == 56 and found.patients == 28
    assert told[-1][:3] == ("degrading", 56 * 25, 56 * 25) and len(found.worsened) == 8
    plain = ask(brightness_model, dataset).answers
    auc = found.metrics["auc"].value
    severe = found.worsened["brighter"][-1]
    assert severe.metrics["specificity"].value < found.metrics["specificity"].value
    change = severe.changes["specificity"]
    assert change.low <= change.value <= change.high and change.high < 0
    # The mean of a picture does not mind noise, and its rank does not mind being brighter.
    assert abs(found.worsened["noise"][0].changes["auc"].value) < 0.02
    assert auc == pytest.approx(
        (plain.chances[plain.truth == 1, 1][:, None] > plain.chances[plain.truth == 0, 1]).mean(), abs=1e-9
    )
    json.dumps(found.to_json(), allow_nan=False)


def test_a_sample_holds_whole_patients(home):
    cases = read_dataset(home).cases
    some = some_patients(cases, 21, seed=1)
    assert len(some) == 20 and all(sum(one.patient == case.patient for one in some) == 2 for case in some)
    assert some_patients(cases, 21, seed=1) == some != some_patients(cases, 21, seed=2)
    assert len(some_patients(cases, 1, seed=0)) == 2, "at least one patient"


def test_another_hospital_beside_this_one(brightness_model, home, grey_table, tmp_path):
    away = grey_table("away", labels(60), seed=9, shift=60.0)
    found = examine(brightness_model, home, wanted=Wanted(external=(away,)), out=tmp_path / "out")
    (place,) = found.audit.external
    assert place.outside.cases == 60 and place.metrics["specificity"].value < -0.2
    assert [one.column for one in place.subgroups] == ["sex"]
    assert "Elsewhere: table" in (tmp_path / "out" / "evaluation.html").read_text()


def test_a_hospital_that_has_only_the_sick_or_strange_classes(brightness_model, grey_table):
    sick, notes = other_cases(brightness_model, grey_table("sick", ["bright"] * 30))
    assert sick.classes == ("dark", "bright") and {case.label for case in sick.cases} == {1} and notes == ()
    mixed, notes = other_cases(brightness_model, grey_table("mixed", ["bright", "bright", "odd", "odd"] * 6))
    assert len(mixed.cases) == 12 and "12 cases of classes that the model does not know" in notes[0]
    with pytest.raises(AskedWrongly, match="none of the model's classes"):
        other_cases(brightness_model, grey_table("strange", ["left", "right"] * 10))


def test_headers_make_subgroups_where_the_table_is_silent(brightness_model, home):
    case = read_dataset(home).cases[0]
    header = Facts(sex="M", age_years=44.0, manufacturer="Maker", view="PA")
    picture = Image(np.zeros((4, 4), np.uint8), facts=header)
    assert facts_of(case, [picture]) == {"sex": "f", "age": 44.0, "manufacturer": "Maker", "view": "PA"}
    assert facts_of(replace(case, facts={}), [picture])["sex"] == "M"


def test_nan_from_a_net_is_said(brightness_model, home):
    class Broken:
        def logits(self, images):
            return torch.full((len(images), 2), np.nan), None

    with pytest.raises(OslerError, match=r"NaN|finite|not a number"):
        examine(replace(brightness_model, members=(Broken(),)), home)

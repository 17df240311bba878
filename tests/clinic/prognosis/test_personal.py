"""One patient's own risk: the numbers, what moves it, whom it is compared with, and when nothing is said."""

import math

import numpy as np
import pytest

from osler.clinic.prognosis.page import percent, render, write_personal_page
from osler.clinic.prognosis.personal import Moment, personal_view
from osler.core.errors import AskedWrongly, Declined
from osler.core.patient import Patient
from osler.core.report import NOT_A_DEVICE
from osler.io.files import read_json
from osler.results.sentences import language

SOMEBODY = Patient(sex="F", age_years=70.0, known={"crp": 20.0})


def test_the_risk_is_that_of_the_formula(known):
    view = personal_view(known(), Moment(SOMEBODY))
    # ten years above the mean: twice the hazard; .2 by 100 days, .5 by 200
    assert [one.value for one in view.main] == pytest.approx([1 - math.exp(-0.4), 1 - math.exp(-1.0)])
    assert all(one.low < one.value < one.high for one in view.main)
    assert view.curve[0][1] == 0 and view.curve[-1][1] == pytest.approx(view.main[-1].value)


@pytest.mark.parametrize(("kind", "by"), [("cox", "hazard"), ("logistic", "odds")])
def test_what_moves_a_weighted_sum_is_exact(known, kind, by):
    first, *rest = personal_view(known(kind), Moment(SOMEBODY)).moved_by
    assert (first.name, first.by) == ("age", by) and first.value == pytest.approx(2.0)
    assert first.low < 2 < first.high
    assert all(one.value == pytest.approx(1.0) for one in rest) and len(rest) == 2


def test_shapley_shares_out_the_whole_and_gives_nothing_to_what_does_nothing(known):
    model = known("forest")
    view = personal_view(model, Moment(SOMEBODY))
    shares = {one.name: one.value for one in view.moved_by}
    rows = model.reference.rows[:: 200 // 40][:40].astype(float)
    mean = model.learners["facts"].risk(rows, np.array([200.0])).mean()
    assert sum(shares.values()) == pytest.approx(view.main[-1].value - mean)
    assert shares["sex"] == pytest.approx(0) and shares["crp"] == pytest.approx(0) and shares["age"] > 0.1


def test_many_facts_are_shared_out_over_drawn_orders(known):
    from osler.clinic.prognosis.influence import _shares

    learner = known().learners["facts"]
    wide = type(learner)(np.linspace(0, 1, 10), learner.times, learner.hazard, np.zeros((5, 10)), np.ones((5, 2)))
    row, others = np.ones(10), np.zeros((1, 10))
    found = _shares(wide, row, [(f"f{n}", [n]) for n in range(10)], others, 200.0)
    whole = wide.risk(row[None], np.array([200.0]))[0, 0] - wide.risk(others, np.array([200.0]))[0, 0]
    assert sum(one.value for one in found) == pytest.approx(whole)
    assert [one.value for one in found] == sorted(one.value for one in found)


def test_similar_patients_are_told_together_and_never_alone(known):
    near = personal_view(known(), Moment(SOMEBODY)).alike
    assert (near.patients, near.of) == (40, 200) and 0 < near.events < 40
    assert all(0 <= one.low <= one.value <= one.high <= 1 for one in near.seen)
    assert dict(near.typical)["sex"].startswith(("F", "M")) and 0 <= near.below <= 1
    assert personal_view(known(kept=False), Moment(SOMEBODY)).alike is None


def test_the_picture_counts_where_it_is_given_and_is_asked_for_where_it_is_not(known):
    model = known(image=True)
    with_it = personal_view(model, Moment(SOMEBODY, np.array([1.0, 0, 0, 0])))
    assert with_it.part == "both" and {one.part for one in with_it.risks} == {"facts", "image", "both"}
    assert with_it.main[-1].value == pytest.approx(1 - math.exp(-0.5))  # twice by age, half by the picture
    assert {one.name for one in with_it.moved_by} == {"age", "sex", "crp", "image"}
    without = personal_view(model, Moment(SOMEBODY))
    assert without.part == "facts" and any("No picture" in one for one in without.cautions)


def test_change_is_paired_and_uses_the_same_part(known):
    then = Moment(Patient("F", 60.0, known={"crp": 20.0}), days_before=300)
    same = Moment(SOMEBODY, days_before=20)
    model = known(image=True)
    view = personal_view(model, Moment(SOMEBODY, np.array([1.0, 0, 0, 0])), [same, then])
    first, second = view.changes
    assert (first.days_before, first.part, second.days_before) == (300, "facts", 20)
    assert first.less.value == pytest.approx(math.exp(-0.5) - math.exp(-1.0)) and first.less.low > 0
    assert (second.less.value, second.less.low, second.less.high) == (0, 0, 0)


@pytest.mark.parametrize(
    ("patient", "said"),
    [
        (Patient("F"), "'age' is not known, and all 200"),
        (Patient("F", 81.0), "'age' lies outside .* 40 to 80 in 200"),
        (Patient("O", 70.0), "'sex' lies outside"),
        (Patient(), "'age' is not known"),
        (Patient("F", 70.0, known={"crp": 900.0}), "'crp' lies outside"),
        (Patient("F", float("nan")), "'age' lies outside"),
    ],
)
def test_nothing_is_said_of_patients_unlike_those_it_learnt_from(known, patient, said):
    with pytest.raises(Declined, match=said):
        personal_view(known(), Moment(patient))


def test_what_makes_no_sense_is_asked_back(known):
    with pytest.raises(AskedWrongly, match="does not know the fact 'smoker'"):
        personal_view(known(), Moment(Patient("F", 70.0, known={"smoker": True})))
    with pytest.raises(AskedWrongly, match="does not lie before"):
        personal_view(known(), Moment(SOMEBODY), [Moment(SOMEBODY, days_before=-5)])
    with pytest.raises(Declined, match="picture is unlike"):
        personal_view(known(image=True), Moment(SOMEBODY, np.full(4, 50.0)))
    with pytest.raises(AskedWrongly, match="4 finite image features"):
        personal_view(known(image=True), Moment(SOMEBODY, np.full(4, np.nan)))


def test_missing_facts_and_few_patients_are_said(known, few):
    view = personal_view(known(), Moment(Patient("F", 70.0)))
    assert any("taken as usual: crp" in one for one in view.cautions)
    assert any("only 30 patients, 9 of them" in one for one in personal_view(few, Moment(SOMEBODY)).cautions)


@pytest.mark.parametrize("kind", ["cox", "logistic", "forest"])
def test_the_page_and_its_json_say_the_same(known, kind, tmp_path):
    then = Moment(Patient("F", 60.0), days_before=300)
    view = personal_view(known(kind), Moment(SOMEBODY), [then])
    written = read_json(write_personal_page(view, tmp_path / "risk.html"))
    page = (tmp_path / "risk.html").read_text(encoding="utf-8")
    assert NOT_A_DEVICE in page and written["notice"] == NOT_A_DEVICE
    assert all(percent(one["value"]) in page for one in written["risks"])
    assert "200 patients" in page and "120 had the event" in page and "0.70 (0.60 to 0.80)" in page
    assert "http:" not in page and "https:" not in page and "<script" not in page
    with language("zh"):
        assert "与该患者相似的患者" in render(view)

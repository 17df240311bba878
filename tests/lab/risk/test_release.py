"""From patients to a model and its figures, and the same model on other patients."""

from dataclasses import replace

import numpy as np
import pytest

from osler.core.errors import BadDataset
from osler.lab.risk.cross import REPEATS, left_out_risks
from osler.lab.risk.elsewhere import tried_elsewhere
from osler.lab.risk.evaluate import AVERAGE, choose_horizons, score, score_times
from osler.lab.risk.page import write_page
from osler.lab.risk.release import Wanted, release
from osler.models.risk.model import load_risk_model, predict_risk


@pytest.fixture
def released(make, tmp_path, monkeypatch):
    monkeypatch.setattr("osler.lab.risk.fit.DRAWS", 20)
    monkeypatch.setitem(REPEATS, "cox", 1)
    cohort = make(90, 1, image=1.6, missing=0.2)
    return cohort, release(cohort, Wanted(title="Death"), tmp_path / "m"), tmp_path / "m"


def test_a_release_holds_every_part_its_figures_and_its_reasons(released, make):
    cohort, done, out = released
    assert {path.name for path in out.iterdir()} == {
        "card.json", "risk.json", "arrays.safetensors", "evaluation.json", "evaluation.html",
    }  # fmt: skip
    model = load_risk_model(out)
    assert set(model.learners) == {"facts", "image", "both"} and model.card == done.card
    tested = {(one.part, one.metric) for one in model.card.tested}
    assert {(part, "c_index") for part in model.learners} <= tested and (AVERAGE, "integrated_brier") in tested
    assert any("ridge" in because for _, because in model.card.chosen)
    assert "Few: 90 patients" in model.card.limits[0] and "Few: 90" in (out / "evaluation.html").read_text()
    figures = {one.part: one.interval for one in done.evaluation.differences if one.metric == "c_index"}
    assert figures["both - facts"].value > 0  # the picture was made to matter
    # nothing of a patient's name, and no exact number, is kept
    kept = model.reference
    assert not any(patient.encode() in (out / "arrays.safetensors").read_bytes() for patient in cohort.patients)
    assert np.array_equal(kept.rows * 4, np.round(kept.rows * 4))
    assert not np.array_equal(np.sort(kept.time), np.sort(cohort.time))

    fresh = make(200, 9, image=1.6)
    evaluation, notes = tried_elsewhere(model, fresh)
    assert evaluation.find("both", "c_index").value > 0.6 and evaluation.patients < 200
    assert any("refused" in one for one in notes)
    _, same = tried_elsewhere(model, cohort)
    assert any("the same as patients the model learnt from" in one for one in same)
    strangers = replace(fresh, values=tuple({**one, "age": 500.0} for one in fresh.values))
    with pytest.raises(BadDataset, match="0 patients are left"):
        tried_elsewhere(model, strangers)


def test_an_outcome_without_time_has_the_figures_of_classes(make, tmp_path):
    cohort = make(90, timed=False)
    risks, how = left_out_risks(cohort, "logistic", np.zeros(1), seed=0, repeats=1)
    found = score(cohort, risks, (), how=how)
    auc = found.find("facts", "auc")
    assert auc.value > 0.6 and auc.low < auc.value < auc.high
    from sklearn.metrics import roc_auc_score

    assert auc.value == pytest.approx(roc_auc_score(cohort.event, risks["facts"][:, 0]))
    assert found.find(AVERAGE, "brier").value > found.find("facts", "brier").value
    write_page(found, tmp_path / "page.html", title="Death")
    assert "Calibration intercept" in (tmp_path / "page.html").read_text()


def test_patients_left_out_are_not_learnt_from(make):
    """Outcomes drawn by lot: risks of those left out tell nothing, those of a model on its own patients do."""
    cohort = make(100, 4)
    lot = np.random.default_rng(0).permutation(100)
    cohort = replace(cohort, time=cohort.time[lot], event=cohort.event[lot])
    noise = np.random.default_rng(1).normal(size=(100, 8))
    cohort = replace(cohort, features=noise, values=tuple({} for _ in range(100)), facts=())
    horizons, _ = choose_horizons(cohort)
    risks, _ = left_out_risks(cohort, "cox", score_times(cohort, horizons), seed=0, repeats=1)
    assert score(cohort, risks, horizons, how="").find("image", "c_index").value < 0.58


def test_horizons_are_chosen_inside_what_was_seen(make):
    cohort = make(120)
    horizons, because = choose_horizons(cohort)
    assert len(horizons) == 3 and "quarter" in because and horizons[-1] < cohort.time.max()
    assert choose_horizons(cohort, (200.0, 100.0))[0] == (100.0, 200.0)
    with pytest.raises(BadDataset, match="Nothing can be said of 1e\\+06 days"):
        choose_horizons(cohort, (1e6,))


def test_calibration_groups_hold_everybody_once(make):
    cohort = make(150)
    risks, _ = left_out_risks(cohort, "cox", score_times(cohort, (100.0,)), seed=0, repeats=1)
    groups = score(cohort, risks, (100.0,), how="").calibration["facts"][100.0]
    assert sum(one.patients for one in groups) == 150 and len(groups) == 5
    assert [one.foretold for one in groups] == sorted(one.foretold for one in groups)
    assert all(one.low <= one.so <= one.high or np.isnan(one.low) for one in groups)


def test_nothing_known_of_anybody_is_everybodys_average(make, tmp_path):
    cohort = make(100, missing=0.3)
    done = release(cohort, Wanted(kind="forest", keep_patients=False), tmp_path / "m")
    assert done.model.reference is None
    blank = predict_risk(done.model, [{"age": 60.0, "sex": "F", "crp": None}])
    assert ((blank.low <= blank.value) & (blank.value <= blank.high)).all()

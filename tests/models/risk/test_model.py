"""A model's folder: what is written is read again, and what was changed is noticed."""

import json

import numpy as np
import pytest

from osler.core.errors import AskedWrongly, BadModel
from osler.core.patient import Patient
from osler.models.risk.card import Outcome, RiskCard
from osler.models.risk.design import Design, ImageStage
from osler.models.risk.fact import Fact, cell, facts_of
from osler.models.risk.linear import Cox, Logistic
from osler.models.risk.model import Reference, RiskModel, load_risk_model, predict_risk, rounded, store_risk_model

FACTS = (
    Fact("age", "number", True, 50, 40.0, 80.0, "60"),
    Fact("grade", "choice", False, 40, typical="1", levels=("1", "2", "3"), flag=True),
)


def model(kind: str = "cox", *, image: bool = True) -> RiskModel:
    draw = np.random.default_rng(0)
    stage = ImageStage(np.zeros(3), np.ones(3), np.eye(3)[:, :1], np.ones(1), (4.0, 3.0)) if image else None
    design = Design(FACTS, np.array([60, 0.3, 0.2, 0.1]), np.array([10, 0.5, 0.4, 0.3]), stage)
    learners = {}
    for part in ("facts", "image", "both") if image else ("facts",):
        many = len(design.part(part))
        w, drawn = draw.normal(size=many), draw.normal(size=(7, many))
        hazard = np.array([0.1, 0.4])
        learners[part] = (
            Cox(w, np.array([5.0, 9.0]), hazard, drawn, np.tile(hazard, (7, 1)))
            if kind == "cox"
            else Logistic(w, -0.5, drawn, np.full(7, -0.5))
        )
    card = RiskCard("m", "1", "Death", kind, Outcome("died", "days", (7.0,)), 50, 20)
    kept = Reference(
        rounded(draw.normal(size=(50, 4 + image))), np.arange(50.0), np.arange(50) < 20, np.zeros((50, 1))
    )
    return RiskModel(card, design, learners, kept)


ONE = {"age": 66.0, "grade": "2"}


@pytest.mark.parametrize("kind", ["cox", "logistic"])
def test_what_is_stored_answers_the_same(kind, tmp_path):
    made = model(kind)
    card = store_risk_model(made, tmp_path / "m")
    read = load_risk_model(tmp_path / "m")
    assert read.card == card and read.design.facts == FACTS and read.part == "both"
    seen = np.array([[0.5, 1.0, -1.0]])
    for part, features in (("facts", None), ("image", seen), ("both", seen)):
        first, second = (predict_risk(m, [ONE], features, part=part) for m in (made, read))
        assert first.value == pytest.approx(second.value) and first.high == pytest.approx(second.high)
    assert np.array_equal(read.reference.rows, made.reference.rows) and read.reference.event.sum() == 20


def test_a_person_can_proof_read_the_weights(tmp_path):
    made = model(image=False)
    store_risk_model(made, tmp_path / "m")
    told = json.loads((tmp_path / "m" / "risk.json").read_text())["parts"]["facts"]
    age = told["ratio_for_one_more"][0]
    assert age["column"] == "age" and told["ratio_is_of"] == "the hazard"
    assert age["ratio"] == pytest.approx(np.exp(made.learners["facts"].weights[0] / 10), rel=1e-4)


@pytest.mark.parametrize("name", ["card.json", "risk.json", "arrays.safetensors"])
def test_a_changed_file_is_noticed(name, tmp_path):
    store_risk_model(model(), tmp_path / "m")
    path = tmp_path / "m" / name
    data = path.read_bytes()
    path.write_bytes(data.replace(b"40", b"41", 1) if b"40" in data else data[:-1] + b"x")
    with pytest.raises(BadModel):
        load_risk_model(tmp_path / "m")


def test_other_folders_are_no_models_and_are_not_written_over(tmp_path):
    with pytest.raises(BadModel, match=r"no card\.json"):
        load_risk_model(tmp_path)
    (tmp_path / "card.json").write_text('{"card_version": 1}')
    with pytest.raises(BadModel, match="not that of a model of risk"):
        load_risk_model(tmp_path)
    with pytest.raises(AskedWrongly, match="holds other files"):
        store_risk_model(model(), tmp_path)
    assert (tmp_path / "card.json").is_file()


def test_a_picture_is_needed_where_it_is_asked_for_and_must_fit():
    with pytest.raises(AskedWrongly, match="needs a picture"):
        predict_risk(model(), [ONE], part="both")
    with pytest.raises(AskedWrongly, match="3 finite image features"):
        predict_risk(model(), [ONE], np.zeros((1, 5)))
    with pytest.raises(AskedWrongly, match="no part 'image'"):
        predict_risk(model(image=False), [ONE], np.zeros((1, 3)), part="image")
    assert predict_risk(model(), [ONE]).value.shape == (1, 1)  # facts alone


def test_facts_of_a_patient_find_their_fields_and_levels():
    sick = Patient("F", 61.0, known={"grade": 2.0})
    assert facts_of(sick, FACTS) == {"age": 61.0, "grade": "2"}
    flag = Fact("diabetes", "choice", True, 9, typical="no", levels=("no", "yes"))
    number = Fact("smoker", "number", True, 9, 0.0, 1.0, "0")
    told = facts_of(Patient(known={"diabetes": True, "smoker": True}), (flag, number))
    assert told == {"diabetes": "yes", "smoker": 1.0}
    assert facts_of(Patient(known={"diabetes": 1.0}), (flag,)) == {"diabetes": "yes"}


def test_cells_say_numbers_words_or_nothing():
    assert [cell(t) for t in ("", "NaN", "n/a", "7", "-inf", "Ja", "Left")] == [
        None, None, None, 7.0, -np.inf, "yes", "left",
    ]  # fmt: skip


def test_intervals_widen_with_the_draws():
    made = model()
    low, high = (getattr(predict_risk(made, [ONE]), end) for end in ("low", "high"))
    assert low < predict_risk(made, [ONE]).value < high

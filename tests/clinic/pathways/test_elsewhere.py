"""Reading at another prevalence: corrected, and said from what to what."""

import numpy as np
import pytest

from osler.clinic.reading import read_study
from osler.core.errors import AskedWrongly
from osler.core.facts import Facts
from osler.core.image import Image
from osler.core.study import Study
from osler.models.card import Sees, TestResult
from osler.models.trust import Conformal, Trust

CHEST = Sees("a frontal radiograph of the chest", 2, ("image",), ("DX",), ("CHEST",))
TESTED = tuple(
    TestResult("a set", "test", 200, 300, metric, value, 0.8, 1.0, "2026-01-01")
    for metric, value in (("sensitivity", 0.9), ("specificity", 0.8))
)


@pytest.fixture
def read(bench, noise, says):
    """read(trust, prevalence) -> the report of a chest film whose probability of pneumonia is .88."""

    def reading(trust: Trust, prevalence: str, classes=("NORMAL", "PNEUMONIA"), task="binary"):
        net = says(*([0.0, 2.0] + [0.0] * (len(classes) - 2)))
        bench.add("chest", task, classes, CHEST, net, trust=trust, tested=TESTED)
        facts = Facts(modality="DX", body_part="CHEST")
        study = Study((Image(noise(120, 140), facts=facts),), facts, name="a study")
        return read_study(study, bench.shelf, prevalence=prevalence)

    return reading


def caution(report):
    return [problem.what for problem in report.cautions if problem.check == "prevalence"]


def test_a_rarer_finding_is_less_probable_and_the_report_says_why(read):
    learnt = Trust(operating_point=0.4, prevalence=(0.3, 0.7))
    [plain] = read(learnt, "").findings
    there = read(learnt, "0.02")
    [found] = there.findings
    before, odds = plain.probability, plain.probability / (1 - plain.probability) * (0.02 / 0.98) * (0.3 / 0.7)
    assert before == pytest.approx(1 / (1 + np.exp(-2)))
    assert found.probability == pytest.approx(odds / (1 + odds))
    assert found.present == plain.present, "the operating point moved along"
    [said] = caution(there)
    assert "where Pneumonia makes up 2 %; the model learnt where Pneumonia makes up 70 %." in said
    assert "sensitivity 0.90 and specificity 0.80 of its test (a set, 200 patients)" in said
    assert "8.4 % of what it calls present there is so, and 99.75 %" in said
    assert caution(read(learnt, "")) == []


def test_promises_that_do_not_hold_there_are_left_out_and_said(read):
    pooled = Trust(prevalence=(0.3, 0.7), sets=Conformal("lac", (0.9,), ((0.5,),)))
    there = read(pooled, "0.02")
    assert there.findings[0].among == () and "does not hold there and is left out" in caution(there)[0]
    each = Trust(prevalence=(0.3, 0.7), sets=Conformal("lac", (0.9,), ((0.5, 0.9),)))
    kept, plain = read(each, "0.02"), read(each, "")
    assert kept.findings[0].among == plain.findings[0].among == ("Pneumonia",)
    assert "left out" not in caution(kept)[0]


def test_grades_and_classes_by_name(read):
    trust = Trust(prevalence=(0.5, 0.3, 0.2))
    there = read(trust, "c=0.04", classes=("a", "b", "c"), task="multiclass")
    assert "A makes up 60 %, B makes up 36 %, C makes up 4 %" in caution(there)[0]
    with pytest.raises(AskedWrongly, match="of which class"):
        read(trust, "0.02", classes=("a", "b", "c"), task="multiclass")


@pytest.mark.parametrize("wrong", ["0", "1", "1.2", "rare", "FLU=0.1"])
def test_what_is_no_prevalence_is_asked_wrongly(read, wrong):
    with pytest.raises(AskedWrongly):
        read(Trust(prevalence=(0.3, 0.7)), wrong)


def test_a_model_that_does_not_know_its_own_prevalence_cannot_be_corrected(read):
    with pytest.raises(AskedWrongly, match="learnt at"):
        read(Trust(), "0.02")

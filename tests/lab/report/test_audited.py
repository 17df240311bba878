"""What was looked at beyond the numbers has its section, with n; what was not has none."""

import json

import numpy as np

from osler.lab.evaluate.answers import Answers
from osler.lab.evaluate.audit import Audit, Gated
from osler.lab.evaluate.compare import Difference
from osler.lab.evaluate.decisions import decision_curve, try_points
from osler.lab.evaluate.evaluate import score
from osler.lab.evaluate.external import Place, external
from osler.lab.evaluate.robustness import Robustness, Strength
from osler.lab.evaluate.subgroups import subgroups
from osler.lab.report.audited import audited
from osler.lab.report.document import Document
from osler.lab.report.render_html import render_html
from osler.lab.report.render_pdf import render_pdf
from osler.statistics.intervals import Interval


def answers(cases, seed):
    random = np.random.default_rng(seed)
    truth = np.arange(cases) % 2
    said = np.clip(0.5 + 0.25 * (2 * truth - 1) + random.normal(0, 0.2, cases), 0.01, 0.99)
    names = tuple(f"case_{k}" for k in range(cases))
    return Answers("binary", ("clear", "opaque"), names, names, np.stack([1 - said, said], 1), truth=truth)


def test_each_part_of_an_audit_has_a_section_and_both_documents_hold_it():
    home, away = answers(80, 0), answers(60, 1)
    facts = [{"sex": "FM"[k // 2 % 2], "site": "north" if k < 40 else "south"} for k in range(80)]
    one = Interval(0.9, 0.8, 0.95)
    step = Strength(
        0.1, "deviation 10 %", {"auc": one}, {"auc": Difference(0.8, 0.9, -0.1, -0.2, -0.05, 0.01)}, 0.4
    )
    audit = Audit(
        subgroups=subgroups(home, facts),
        decisions=decision_curve(home),
        points=try_points(home, (0.4,), aim="the model's own", chosen_on="elsewhere", prevalence=0.02),
        gated=Gated(80, 80, Interval(0.05, 0.02, 0.1), {"too dark": 4}),
        robustness=Robustness(50, 50, 80, {"auc": one}, 0.05, {"noise": (step, step)}, 100, 0),
        external=(external(Place("home", home, facts), Place("away", away, [{}] * 60), operating_point=0.4),),
    )
    numbers = json.loads(json.dumps(score(home, split="test").to_json() | audit.to_json()))
    sections = audited(numbers, "test-1")
    shown = [section.title for section in sections if not section.empty]
    assert shown == [
        "Operating point",
        "Subgroups",
        "Is it worth acting on?",
        "Pictures unlike those it learnt from",
        "Worse pictures",
        "Compared with away",
    ]
    document = Document("T", "K", {}, "N", sections, "R", contents=False)
    page = render_html(document)
    for said in (
        "PPV at a prevalence of 2 %",
        "north",
        "Holm",
        "5.0 % (2.0 to 10.0) of 80 cases",
        "-0.200 to -0.050",
    ):
        assert said in page, said
    assert "60 cases of 60" in page and "50 of 80 cases, of 50 patients" in page
    assert len(render_pdf(document)) > 10_000


def test_nothing_looked_at_is_nothing_shown():
    assert all(section.empty for section in audited({"metrics": {}}, "test-1"))
